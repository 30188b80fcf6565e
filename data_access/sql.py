"""From a question and a viewer to one SQL statement. Nothing else in the project writes SQL that reads facts.

A statement is written for the *shape* of a question: what is asked, without the days, the ids and the viewer, which are
parameters. So a statement cannot hold a viewer's branch or a reader's text, and is written once for all who ask alike. It is
written for nobody whose role does not permit what is asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Date,
    Double,
    FromClause,
    Integer,
    Join,
    Select,
    String,
    Subquery,
    Table,
    TableClause,
    and_,
    bindparam,
    case,
    cast,
    column,
    distinct,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    table,
    true,
    union_all,
    values,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import CTE, BindParameter, ColumnClause
from sqlalchemy.types import TypeEngine

from data_access.access import AGENT as VIEWERS_AGENT
from data_access.access import VIEWER, Permission, Viewer, demand, own, visible
from data_access.rollups import ROLLED_UNTIL, Rollup, Usable, balance_days, column_of, depth, looked_from
from measures.catalogue import DERIVED
from measures.dimensions import AGENT, PLACE, lies_below
from measures.given import AS_OF, DATA_UNTIL, DAYS_OFF, PARENT, SEEN_ON, TODAY
from measures.model import Count, Derived, Dimension, Fact, Listing, Measure, Placed, Ratio
from measures.period import Period, last_days
from measures.question import BEFORE, CHANGE, CUMULATIVE, NAME, ListingQuestion, Order, Question
from measures.schema import DAY_OF, branches, events, key_of, metadata, products, viewers


@dataclass(frozen=True)
class Given:
    """What a statement is given beside the tables of the contract: the data's date, the paths of the branches by their ids, the
    exceptions of the calendar, the names of the derived tables and the rollups that the warehouse holds, today's date, and of each
    level of the tree how deep its deepest branch lies.

    A branch whose path is not given is not known, and nothing lies below it. Where no more than `near` branches are asked about, they
    are named one by one, which spares the engine to look at all others: it has to be one that `file_reader` asks.
    """

    data_until: date
    paths: Mapping[str, str] = field(default_factory=dict)
    days_off: tuple[tuple[date, int], ...] = ()
    stored: frozenset[str] = frozenset()
    today: date = field(default_factory=date.today)
    rollups: tuple[Rollup, ...] = ()
    levels: Mapping[Dimension, int] = field(default_factory=dict)
    tree: Tree = field(default_factory=lambda: Tree({}))
    near: int = 0


class Tree:
    """The branches in the order of their `paths`, in which all below a branch come right after it."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        listed = sorted((path, id_) for id_, path in paths.items())
        self._paths = [path for path, _id in listed]
        self._ids = [id_ for _path, id_ in listed]

    def below(self, top: str) -> range:
        """The places of the branch with the path `top` and of all below it. Paths end in a full stop, and a slash comes right after
        that."""
        return range(bisect_left(self._paths, top), bisect_left(self._paths, top[:-1] + "/"))

    def named(self, places: Iterable[int]) -> tuple[str, ...]:
        """The ids of the branches at `places`."""
        return tuple(self._ids[place] for place in places)


@dataclass(frozen=True)
class Source:
    """Where a question's counts of one fact in one period come from: `ending` is that of the period's columns, and without a
    `rollup` it is the fact itself."""

    fact: Fact
    ending: str
    rollup: Rollup | None


@dataclass(frozen=True)
class _Filter:
    """A filter without its ids: how many there are, and whether rows with nothing recorded are kept too."""

    dimension: Dimension
    known: int
    unknown: bool


@dataclass(frozen=True)
class _Shape:
    """What is asked: everything of a question that decides the text of its statement."""

    measures: tuple[Measure, ...]
    by: tuple[Dimension, ...]
    filters: tuple[_Filter, ...]
    order: tuple[Order, ...]
    days: tuple[tuple[str, int], ...]
    """For each period the ending of its columns, and on how many days a balance is taken in it."""
    days_off: int
    stored: frozenset[str]
    cumulative: bool
    held: bool
    """Whether the viewer is held to the own customers, as an agent is."""
    usable: Usable
    near: bool = False
    """Whether the branches are so few that they are named one by one."""
    counted: bool = False
    """Whether the counts are there already, in a table for each fact, grain and period: nothing is read but these."""

    def missing(self, measure: Measure, count: Count) -> frozenset[Dimension]:
        """The dimensions asked for that do not split `count`, because the ratio spans them."""
        return frozenset(self.by) - count.dimensions if measure is not count else frozenset()


@dataclass(frozen=True)
class Statement:
    """A SELECT and the values of its parameters. `text` is the SELECT, or the shape of a question that it is written from: whoever
    has the finished text of a shape at hand needs no SELECT, and keeps none in memory."""

    text: Select | _Shape
    parameters: Mapping[str, object]

    @property
    def select(self) -> Select:
        return select_of(self.text)


def select_of(text: Select | _Shape) -> Select:
    """The SELECT that `text` is, or that answers questions of that shape."""
    return _answer(text) if isinstance(text, _Shape) else text


_PLACES = bindparam("places", required=True)
"""The ids of all branches that are asked about."""

_Part = tuple[Count, frozenset[Dimension], str]
"""A count, the dimensions asked for that do not split it, and the ending of the period it is counted in."""


def statement(question: Question, viewer: Viewer, given: Given) -> Statement:
    """One SELECT that answers `question`: for each dimension its id and, where it has one, its name; then each measure, and
    each measure in the period compared with and its change since.

    Each fact is counted apart, at the grain asked for, and the counts are laid side by side with UNION ALL: joined facts
    would multiply each other's rows. A count that a ratio holds whole over some dimension is counted without that dimension
    and joined to every row of it. Ratios are divided last. Raises Refused.
    """
    demand(viewer, Permission.NUMBERS)
    periods, days = _periods(question, given)
    shape, values = _shape(question, viewer, given), _parameters(question, periods, days, viewer, given)
    if (near := _near(question, viewer, given)) is not None:
        shape, values = replace(shape, near=True), values | {_PLACES.key: near}
    return Statement(shape, values)


def merged(questions: Sequence[Question], viewer: Viewer, given: Given) -> tuple[list[Scan], dict[int, Statement]]:
    """What questions asked together share: the scans, of which each reads a fact once for all that ask for the same rows of it, at
    all their grains; and for the questions that share one, by their places in `questions`, the statement that makes the answer
    out of the tables that the scans give. That statement is DuckDB's, whatever the warehouse is. Raises Refused."""
    demand(viewer, Permission.NUMBERS)
    readings: dict[object, list[tuple[int, _Reading]]] = {}
    values: dict[object, Mapping[str, object]] = {}
    shapes = {}
    for place, question in enumerate(questions):
        shapes[place] = _shape(question, viewer, given)
        periods, days = _periods(question, given)
        for read in _readings(shapes[place]):
            own = {"": days[read.ending]} if read.fact.placed is Placed.BALANCE else {"": []}
            asked = _parameters(question, {"": periods[read.ending]}, own, viewer, given)
            rows = (read.fact, read.rollup, read.filters, read.whole, tuple(sorted(asked.items())))
            readings.setdefault(rows, []).append((place, read))
            values[rows] = asked
    # Who shares no fact is answered sooner alone, in one statement. A rollup is so short that sharing it gains nothing.
    shared = [reads for reads in readings.values() if reads[0][1].rollup is None and len({p for p, _read in reads}) > 1]
    sharing = {place for reads in shared for place, _read in reads}
    scans = []
    for rows, reads in readings.items():
        wanted = [(place, read) for place, read in reads if place in sharing]
        if not wanted:
            continue
        grains = tuple(dict.fromkeys(read.by for _place, read in wanted))
        counts = tuple(dict.fromkeys(count for _place, read in wanted for count, _name in read.counts))
        fact, rollup, filters, whole, _values = rows
        days = sum(name.startswith("day_") and not name.startswith("day_off_") for name in values[rows])
        shape = _ScanShape(
            fact, rollup, grains, counts, filters, whole, days, len(given.days_off), given.stored, _held(viewer)
        )
        select, columns = _scan(shape)
        names = {count: f"count_{number}" for number, count in enumerate(counts)}
        tables = tuple(
            CountedTable(
                place,
                read.table,
                grains.index(read.by),
                {name: name for dimension in read.by for name in _key_names(dimension)}
                | {name: names[count] for count, name in read.counts},
            )
            for place, read in wanted
        )
        scans.append(Scan(Statement(select, values[rows]), columns, tables))
    answers = {}
    for place in sorted(sharing):
        answers[place] = Statement(replace(shapes[place], counted=True), {})
    return scans, answers


@dataclass(frozen=True)
class CountedTable:
    """A table that a question's statement reads instead of a fact: the rows of one grain of a scan, under other names."""

    question: int
    """The question's place among those asked together."""
    name: str
    grain: int
    columns: Mapping[str, str]
    """The names of its columns, and those in the scan."""


@dataclass(frozen=True)
class Scan:
    """A statement that reads one fact at several grains. Its column `grain` says at which of them a row was counted."""

    statement: Statement
    columns: Mapping[str, TypeEngine]
    tables: tuple[CountedTable, ...]


def sources(question: Question, viewer: Viewer, given: Given) -> tuple[Source, ...]:
    """Where the statement that answers `question` reads each of its facts, in each of its periods."""
    read = _readings(_shape(question, viewer, given))
    return tuple(dict.fromkeys(Source(reading.fact, reading.ending, reading.rollup) for reading in read))


def _periods(question: Question, given: Given) -> tuple[dict[str, Period], dict[str, list[date]]]:
    """For the ending of each period's columns the period, and the days on which balances are taken in it."""
    step = question.step.step if question.step else None
    periods = {"": question.period} | ({BEFORE: question.against} if question.against else {})
    return periods, {ending: _balance_days(period, step, given) for ending, period in periods.items()}


def _shape(question: Question, viewer: Viewer, given: Given) -> _Shape:
    periods, days = _periods(question, given)
    return _Shape(
        measures=question.measures,
        by=question.by,
        filters=_filters(question),
        order=question.order,
        days=tuple((ending, len(listed)) for ending, listed in days.items()),
        days_off=len(given.days_off),
        stored=given.stored,
        cumulative=question.cumulative,
        held=_held(viewer),
        usable=_usable(question, viewer, given, periods, days),
    )


def _near(question: Question, viewer: Viewer, given: Given) -> tuple[str, ...] | None:
    """All branches that `viewer` may see and the filters keep, where they are few; None where they are many, or not known."""
    chosen = [ids for dimension, ids in question.where if dimension.in_tree]
    top = given.paths.get(viewer.branch_id)
    if not given.near or top is None or len(chosen) > 1:
        return None
    seen = given.tree.below(top)
    if not chosen:
        return given.tree.named(seen) if len(seen) <= given.near else None
    tops = [given.paths.get(id_ or "") for id_ in chosen[0]]
    if None in tops:
        return None
    kept = [given.tree.below(top) for top in tops]
    if sum(map(len, kept)) > given.near:
        return None
    return given.tree.named(sorted({place for below in kept for place in below if place in seen}))


def _usable(
    question: Question,
    viewer: Viewer,
    given: Given,
    periods: Mapping[str, Period],
    days: Mapping[str, list[date]],
) -> Usable:
    """Which rollups may answer for this viewer, these branches and these days; none for who is held to the own customers."""
    tops = [viewer.branch_id, *(i for dimension, ids in question.where if dimension.in_tree for i in ids)]
    depths = [depth(given.paths.get(top)) for top in tops]
    held = tuple(rollup for rollup in given.rollups if max(depths) <= rollup.deepest)
    if not held or not min(depths) or _held(viewer):
        return Usable()
    parent = depth(given.paths.get(_parent(question, viewer)))
    until = given.rollups[0].until
    looked, stored = looked_from(until), set(balance_days(until))
    seen = {ending: looked.get(_seen_on(question, period, given)) for ending, period in periods.items()}
    return Usable(
        held,
        below=frozenset(rollup for rollup in held if parent < rollup.deepest),
        levels=frozenset(
            (rollup, dimension)
            for rollup in held
            for dimension, deepest in given.levels.items()
            if deepest <= rollup.deepest
        ),
        same_date=given.data_until == until,
        seen=frozenset(e for e, of in seen.items() if of and of.start <= periods[e].start and periods[e].end <= of.end),
        balances=frozenset(ending for ending, listed in days.items() if stored.issuperset(listed)),
    )


def listing_statement(question: ListingQuestion, viewer: Viewer, given: Given) -> Statement:
    """The rows of a listing that `viewer` may see, in the order asked for; LIMIT and OFFSET are added by the caller. Rows of a
    list that may no longer be used are left out. Raises Refused, also for personal data asked for unmasked."""
    _demand_listing(question, viewer)
    held = _held(viewer)
    rows = _rows(question.listing, _filters(question), question.order, given.stored, question.clear, held)
    return Statement(rows, _listing_parameters(question, viewer, given))


def listing_count(question: ListingQuestion, viewer: Viewer, given: Given) -> Statement:
    """How many rows the listing has in all. Raises Refused."""
    _demand_listing(question, viewer)
    rows = _rows_counted(question.listing, _filters(question), _held(viewer))
    return Statement(rows, _listing_parameters(question, viewer, given))


def withheld_count(question: ListingQuestion, viewer: Viewer, given: Given) -> Statement:
    """How many customer lists, with how many rows, are left out of the listing, because they may no longer be used. Its fact
    has a `customer_list`. Raises Refused."""
    _demand_listing(question, viewer)
    rows = _withheld_counted(question.listing, _filters(question), _held(viewer))
    return Statement(rows, _listing_parameters(question, viewer, given))


def branch_statement(viewer: Viewer, given: Given) -> Statement:
    """The branches that `viewer` may see, top down: what the branch filter offers. They are about no customer, so an agent sees
    those that everybody at the same branch sees."""
    return Statement(_branches(), {VIEWER.key: given.paths.get(viewer.branch_id)})


@lru_cache(maxsize=1)
def _branches() -> Select:
    known = [branches.c[name] for name in ("branch_id", "name", "parent_id", "level", "path")]
    return select(*known).where(visible(branches.c.path, None, held=False)).order_by(branches.c.path)


@lru_cache(maxsize=1)
def product_statement() -> Statement:
    """All products, by family and name: the catalogue of what the bank sells is no secret of a branch."""
    rows = select(products.c.product_id, products.c.name, products.c.family)
    return Statement(rows.order_by(products.c.family, products.c.name, products.c.product_id), {})


def event_statement(
    period: Period, branch_id: str, product_ids: tuple[str, ...], viewer: Viewer, given: Given, *, by_product: bool
) -> Statement:
    """What happened in `period` at the branch, below it or above it as far as `viewer` may see, and to one of the products or to
    all: happened_on, branch_id, label, the earliest first. `by_product`: whether the warehouse says which product it was.
    To an agent nothing: an event is about no customer of theirs. Raises Refused."""
    demand(viewer, Permission.NUMBERS)
    found: dict[str, object] = {VIEWER.key: given.paths.get(viewer.branch_id), PARENT.key: given.paths.get(branch_id)}
    found |= {"from": period.start, "to": period.end}
    found |= {f"product_{number}": id_ for number, id_ in enumerate(product_ids)}
    return Statement(_events(len(product_ids) if by_product else 0, _held(viewer)), found)


@lru_cache(maxsize=32)
def _events(products_chosen: int, held: bool) -> Select:
    rows = select(events.c.happened_on, events.c.branch_id, events.c.label)
    rows = rows.select_from(events.join(PLACE, PLACE.c.branch_id == events.c.branch_id)).where(
        visible(PLACE.c.path, None, held=held),
        or_(lies_below(PLACE.c.path, PARENT), lies_below(PARENT, PLACE.c.path)),
        events.c.happened_on.between(bindparam("from", type_=Date), bindparam("to", type_=Date)),
    )
    if products_chosen:
        ids = [bindparam(f"product_{number}", type_=String) for number in range(products_chosen)]
        rows = rows.where(or_(events.c.product_id.is_(None), events.c.product_id.in_(ids)))
    return rows.order_by(events.c.happened_on, events.c.branch_id, events.c.label)


@lru_cache(maxsize=8)
def first_days_statement(tables: frozenset[str]) -> Statement:
    """For each of the tables of events its name, and the first day of which it holds anything."""
    rows = [
        select(cast(literal(table), String).label("table_name"), cast(func.min(DAY_OF[table]), Date).label("first_day"))
        for table in sorted(tables)
    ]
    return Statement(union_all(*rows), {})


@lru_cache(maxsize=1)
def root_statement() -> Statement:
    """The branch at the top of the tree."""
    top = select(branches.c.branch_id).where(branches.c.parent_id.is_(None))
    return Statement(top.order_by(branches.c.branch_id), {})


@lru_cache(maxsize=1)
def tree_statement() -> Statement:
    """All branches with what decides who may see what: for the warehouse itself, never for a reader."""
    rows = select(branches.c.branch_id, branches.c.parent_id, branches.c.level, branches.c.path)
    return Statement(rows.order_by(branches.c.branch_id), {})


def rollup_statement(rollup: Rollup, given: Given) -> Statement:
    """All rows of a rollup, worked out from its fact: for the warehouse itself, never for a reader."""
    fact, by = rollup.fact, {column_of(dimension): rollup.fact.keys[dimension].id for dimension in rollup.by}
    kept = _kept_branches(rollup.deepest)
    columns = [kept.c.kept_id.label("branch_id")]
    columns += [key.label(name) for name, key in by.items()]
    columns += [fact.day.label("day")] if fact.day is not None else []
    wanted, looked = list(fact.only), looked_from(rollup.until)
    wanted += [all_of_them for dimensions, all_of_them in fact.whole.items() if not dimensions & {*rollup.by}]
    of = {count: at_hand(count.of, given.stored) for count in rollup.counts}
    source = fact.joined(kept, [*columns, *wanted, *of.values()])
    looks = values(*(column(name, Date) for name in ("day", "since", "until")), name="looks")
    looks = looks.data([(day, of.start, of.end) for day, of in looked.items()])
    if rollup.has_seen_on:
        source = source.join(looks, fact.day.between(looks.c.since, looks.c.until))
        columns.append(looks.c.day.label("seen_on"))
    elif fact.placed is Placed.EVENT:
        wanted.append(fact.day.is_not(None))
    groups = [literal_column(str(number + 1)) for number in range(len(columns))]
    columns += [cast(of[count], count.type).label(count.name) for count in rollup.counts]
    rows = select(*columns).select_from(source).where(*wanted).group_by(*groups)

    def looked_from_each(element, **_kwargs):
        if isinstance(element, BindParameter) and element.key == SEEN_ON.key:
            return looks.c.day
        return element if isinstance(element, CTE) or isinstance(getattr(element, "table", None), CTE) else None

    rows = visitors.replacement_traverse(rows, {}, looked_from_each)
    # The latest first, day by day: engines that keep the least and the most of a block of rows skip those of other days.
    rows = rows.order_by(*(column.desc() for column in reversed(groups)))
    days = balance_days(rollup.until)
    listed = {f"day_{number}": day for number, day in enumerate(days)} | {DATA_UNTIL.key: rollup.until}
    return Statement(_with_given(rows, (("", len(days)),), 0), listed)


@lru_cache(maxsize=2)
def _kept_branches(deepest: int) -> Subquery:
    """Each branch beside the one under which a rollup keeps it: itself, or the one above it on the deepest level kept. Worked out
    once for each branch, not for each row of a fact."""
    node, top = branches.alias("node"), branches.alias("top")
    levels = func.length(top.c.path) - func.length(func.replace(top.c.path, ".", ""))
    rows = select(node.c.branch_id, func.coalesce(top.c.branch_id, node.c.branch_id).label("kept_id"))
    source = node.outerjoin(top, and_(levels == deepest, lies_below(node.c.path, top.c.path)))
    return rows.select_from(source).subquery("kept_branches")


@lru_cache(maxsize=2)
def viewers_statement(*, agents: bool) -> Statement:
    """All rows of `viewers`: person, role, branch_id, agent_id (null unless `agents`, which says that the table has it)."""
    agent = viewers.c.agent_id if agents else cast(null(), String).label("agent_id")
    return Statement(select(viewers.c.person, viewers.c.role, viewers.c.branch_id, agent), {})


# Parameters ---------------------------------------------------------------------------------------------------------


def _balance_days(period: Period, step: str | None, given: Given) -> list[date]:
    """The days on which balances are taken. What lies after the data's date is not known: that date then is the last day."""
    if given.data_until < period.start:
        return [given.data_until]
    return last_days(Period(period.start, min(period.end, given.data_until)), step)


def _filters(question: Question | ListingQuestion) -> tuple[_Filter, ...]:
    return tuple(_Filter(d, len([i for i in ids if i is not None]), None in ids) for d, ids in question.where)


def _held(viewer: Viewer) -> bool:
    return viewer.agent_id is not None


def _demand_listing(question: ListingQuestion, viewer: Viewer) -> None:
    demand(viewer, Permission.LISTINGS)
    if question.clear:
        demand(viewer, Permission.PERSONAL)


def _listing_parameters(question: ListingQuestion, viewer: Viewer, given: Given) -> dict[str, object]:
    days = {"": _balance_days(question.period, None, given)}
    return _parameters(question, {"": question.period}, days, viewer, given)


def _parameters(
    question: Question | ListingQuestion,
    periods: Mapping[str, Period],
    days: Mapping[str, list[date]],
    viewer: Viewer,
    given: Given,
) -> dict[str, object]:
    found: dict[str, object] = {
        VIEWER.key: given.paths.get(viewer.branch_id),
        VIEWERS_AGENT.key: viewer.agent_id,
        TODAY.key: given.today,
        DATA_UNTIL.key: given.data_until,
        PARENT.key: given.paths.get(_parent(question, viewer)),
        ROLLED_UNTIL.key: given.rollups[0].until if given.rollups else None,
    }
    for ending, period in periods.items():
        found |= {f"from{ending}": period.start, f"to{ending}": period.end}
        found[f"{SEEN_ON.key}{ending}"] = _seen_on(question, period, given)
        found |= {f"day_{number}{ending}": day for number, day in enumerate(days[ending])}
    for dimension, ids in question.where:
        known = [given.paths.get(i) if dimension.in_tree else i for i in ids if i is not None]
        found |= {f"{dimension.name}_{number}": i for number, i in enumerate(known)}
    return found | _listed_days_off(given.days_off)


@lru_cache(maxsize=4)
def _listed_days_off(days_off: tuple[tuple[date, int], ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for number, (day, change) in enumerate(days_off):
        found |= {f"day_off_{number}": day, f"change_{number}": change}
    return found


def _parent(question: Question | ListingQuestion, viewer: Viewer) -> str:
    return getattr(question, "parent", None) or viewer.branch_id


def _seen_on(question: Question | ListingQuestion, period: Period, given: Given) -> date:
    """The day from which it is looked at what became of the events of `period`."""
    return given.data_until - (question.period.end - period.end)


# The text -----------------------------------------------------------------------------------------------------------


def _parts(shape: _Shape) -> dict[_Part, None]:
    """All that is counted, in the order of the periods and measures."""
    return dict.fromkeys(
        (count, shape.missing(measure, count), ending)
        for ending, _days in shape.days
        for measure in shape.measures
        if measure.has_history or not ending
        for count in measure.counts
    )


@lru_cache(maxsize=32)
def _answer(shape: _Shape) -> Select:
    parts = _parts(shape)
    found: dict[_Part, ColumnElement] = {}
    split = _side_by_side(shape, frozenset(), [part for part in parts if not part[1]], found)
    source = split
    for without in dict.fromkeys(part[1] for part in parts if part[1]):
        whole = _side_by_side(shape, without, [part for part in parts if part[1] == without], found)
        shared = [split.c[d.name].is_not_distinct_from(whole.c[d.name]) for d in shape.by if d not in without]
        source = source.outerjoin(whole, and_(true(), *shared))
    columns = [split.c[name] for dimension in shape.by for name in _key_names(dimension)]
    for ending, _days in shape.days:
        for measure in shape.measures:
            if ending and not measure.has_history:  # known for today alone: 0 would be read as none
                columns.append(cast(null(), Double).label(measure.name + ending))
                continue
            counted = {count: found[count, shape.missing(measure, count), ending] for count in measure.counts}
            columns.append(measure.value(counted).label(measure.name + ending))
    if len(shape.days) > 1:
        values_of = {c.name: c.element for c in columns[-2 * len(shape.measures) :]}
        for measure in shape.measures:
            change = values_of[measure.name] - values_of[measure.name + BEFORE]
            columns.append(change.label(measure.name + CHANGE))
    answer = select(*columns).select_from(source)
    named = {c.name: c for c in answer.selected_columns}
    # What was asked for first; then the keys, so that the same question has the same order every time.
    asked = [o for order in shape.order for o in (*_few_last(shape, order, found), _sorted(named[order.column], order))]
    keys = [named[dimension.name].asc().nulls_last() for dimension in shape.by]
    if shape.cumulative:
        counted = cast(named[shape.measures[0].name].element, Double)
        so_far = func.sum(counted).over(order_by=[*asked, *keys], rows=(None, 0))
        share = so_far / func.nullif(func.sum(counted).over(), 0.0)
        answer = answer.add_columns(share.label(shape.measures[0].name + CUMULATIVE))
    return _with_given(answer.order_by(*asked, *keys), shape.days, shape.days_off)


def _names(parts: list[_Part]) -> dict[_Part, str]:
    return {part: f"count_{number}" for number, part in enumerate(parts)}


@lru_cache(maxsize=128)
def _rows(
    listing: Listing,
    filters: tuple[_Filter, ...],
    order: tuple[Order, ...],
    stored: frozenset[str],
    clear: bool,
    held: bool,
) -> Select:
    columns = {c.name: c.clear if clear and c.personal else c.of for c in listing.columns}
    columns = {name: at_hand(of, stored) for name, of in columns.items()}
    rows = select(*(of.label(name) for name, of in columns.items()))
    # By what is shown: rows in the order of what is masked would tell it.
    rows = rows.order_by(
        *(_sorted(columns[o.column], o) for o in order), *(at_hand(of, stored) for of in listing.order)
    )
    return _listed(rows, listing, list(columns.values()), filters, held)


@lru_cache(maxsize=128)
def _rows_counted(listing: Listing, filters: tuple[_Filter, ...], held: bool) -> Select:
    # Without the columns' lookups, none of which changes the number of rows.
    return _listed(select(func.count().label("rows")), listing, [], filters, held)


@lru_cache(maxsize=128)
def _withheld_counted(listing: Listing, filters: tuple[_Filter, ...], held: bool) -> Select:
    lists = func.count(distinct(listing.fact.customer_list.id)).label("lists")
    return _listed(select(lists, func.count().label("rows")), listing, [], filters, held, usable=False)


def _listed(
    rows: Select,
    listing: Listing,
    columns: list[ColumnElement],
    filters: tuple[_Filter, ...],
    held: bool,
    *,
    usable: bool = True,
) -> Select:
    """`rows` of the listing that the viewer may see, of lists that may be used today, or of those that may not."""
    fact, on_one_day = _on_one_day(listing.fact, 1)
    chosen = frozenset(f.dimension for f in filters)
    wanted = _wanted(fact, "", filters, chosen, held)
    if fact.customer_list is not None:
        until = fact.customer_list.usable_until
        wanted.append(or_(until.is_(None), until >= TODAY) if usable else until < TODAY)
    rows = rows.select_from(fact.joined(PLACE, [*columns, *wanted])).where(*wanted)
    return _with_given(_on_own_days(rows, "", one=on_one_day), (("", 1),), 0)


def _side_by_side(
    shape: _Shape, without: frozenset[Dimension], parts: list[_Part], found: dict[_Part, ColumnElement]
) -> Subquery:
    """Counts of several facts and periods at one grain, as a sub-query; `found` then holds the column of each part."""
    by = [dimension for dimension in shape.by if dimension not in without]
    names = _names(parts)
    facts = [
        (fact, ending)
        for ending, _days in shape.days
        for fact in dict.fromkeys(part[0].fact for part in parts if part[2] == ending)
    ]
    if not by:
        return _one_row(shape, facts, names, found)
    asked = [_ask(shape, fact, ending, by, names) for fact, ending in facts]
    rows = (union_all(*asked) if len(asked) > 1 else asked[0]).subquery()
    keys = [rows.c[dimension.name] for dimension in by]
    # Of a union one row holds the name or the count, the others hold null; a fact alone has one row for each key.
    merged = func.max if len(asked) > 1 else (lambda column: column)
    shown = [merged(rows.c[d.name + NAME]).label(d.name + NAME) for d in by if d.named]
    counted = []
    for part, name in names.items():
        number = merged(rows.c[name])
        if part[0].absent is not None:
            number = func.coalesce(number, part[0].absent)
        counted.append(cast(number, part[0].type).label(name))
    counts = select(*keys, *shown, *counted).group_by(*(keys if len(asked) > 1 else ())).subquery()
    for part, name in names.items():
        # A whole count is joined from outside: where the join finds no row, nothing was counted.
        joined = without and part[0].absent is not None
        found[part] = func.coalesce(counts.c[name], part[0].absent) if joined else counts.c[name]
    return counts


def _one_row(
    shape: _Shape, facts: list[tuple[Fact, str]], names: Mapping[_Part, str], found: dict[_Part, ColumnElement]
) -> Subquery:
    """The same without keys: each fact gives one row, and the rows stand beside each other. A tenth of the text to be planned."""
    source, columns = None, []
    for fact, ending in facts:
        own = {part: name for part, name in names.items() if part[0].fact is fact and part[2] == ending}
        row = _ask(shape, fact, ending, [], own).subquery()
        # Each gives one row, so an outer join is the same; of inner ones DuckDB weighs the orders, for longer than it counts.
        source = row if source is None else source.outerjoin(row, true())
        for part, name in own.items():
            number = row.c[name] if part[0].absent is None else func.coalesce(row.c[name], part[0].absent)
            columns.append(cast(number, part[0].type).label(name))
    counts = select(*columns).select_from(source).subquery()
    found |= {part: counts.c[name] for part, name in names.items()}
    return counts


def _ask(shape: _Shape, fact: Fact, ending: str, by: list[Dimension], names: Mapping[_Part, str]) -> Select:
    """One fact's counts in one period, from a rollup where one can give them; null in the columns of the others."""
    mine = {part: name for part, name in names.items() if part[0].fact is fact and part[2] == ending}
    if shape.counted:
        read = _reading(shape, fact, ending, by, mine)
        there = table(read.table, *(column(name) for d in by for name in _key_names(d)), *map(column, mine.values()))
        counted = [there.c[name] if part in mine else null() for part, name in names.items()]
        typed = [cast(of, part[0].type).label(name) for (part, name), of in zip(names.items(), counted, strict=True)]
        return select(*(there.c[name] for d in by for name in _key_names(d)), *typed)
    counts = [part[0] for part in mine]
    fact, of = _read_from(fact, _rollup(shape, fact, ending, counts, by), counts)
    fact, on_one_day = _on_one_day(fact, dict(shape.days)[ending])
    keys = {dimension: fact.keys[dimension] for dimension in by}
    columns: list[ColumnElement] = [key.id.label(dimension.name) for dimension, key in keys.items()]
    columns += [func.max(key.name).label(d.name + NAME) for d, key in keys.items() if d.named]
    for part, name in names.items():
        columns.append(cast(of[part[0]] if part in mine else null(), part[0].type).label(name))
    columns = [at_hand(of_row, shape.stored) for of_row in columns]
    # A filter on a dimension that the ratio spans does not narrow the whole count.
    chosen = _kept_by(fact, shape.filters)
    wanted = _wanted(fact, ending, chosen, _touched(by, chosen), shape.held, near=shape.near)
    rows = select(*columns).select_from(fact.joined(PLACE, [*columns, *wanted], always=not shape.near))
    # Grouped by position: PostgreSQL takes one expression with parameters, written twice, for two different ones.
    rows = rows.where(*wanted).group_by(*(literal_column(str(n + 1)) for n in range(len(by))))
    return _on_own_days(rows, ending, one=on_one_day)


def _kept_by(fact: Fact, filters: tuple[_Filter, ...]) -> tuple[_Filter, ...]:
    return tuple(f for f in filters if f.dimension in fact.keys)


def _touched(by: Iterable[Dimension], chosen: tuple[_Filter, ...]) -> frozenset[Dimension]:
    return frozenset(by) | {f.dimension for f in chosen}


def _rollup(shape: _Shape, fact: Fact, ending: str, counts: Sequence[Count], by: Iterable[Dimension]) -> Rollup | None:
    """The rollup that is read instead of `fact`: it knows all that the question splits and filters the fact by."""
    chosen = [f.dimension for f in _kept_by(fact, shape.filters)]
    return shape.usable.instead_of(fact, ending, counts, by, chosen)


def _read_from(
    fact: Fact, rollup: Rollup | None, counts: Sequence[Count]
) -> tuple[Fact, Mapping[Count, ColumnElement]]:
    """The fact, or what stands in for it, and what each of `counts` is over it."""
    return rollup.answering(counts) if rollup else (fact, {count: count.of for count in counts})


def _wanted(
    fact: Fact,
    ending: str,
    filters: tuple[_Filter, ...],
    touched: frozenset[Dimension],
    held: bool,
    *,
    near: bool = False,
) -> list[ColumnElement[bool]]:
    """The rows of `fact` that are asked for: visible to the viewer, in the period, chosen by the filters. `near`: the branches of both
    are named one by one."""
    if near:
        rows = [own(fact.branch.op("IN")(_PLACES), fact.agent, held=held), *fact.only]
        filters = tuple(f for f in filters if not f.dimension.in_tree)
    else:
        rows = [visible(PLACE.c.path, fact.agent, held=held), *fact.only]
    if held:  # as a filter on the own id: the targets set for the agent are asked for, and not those of the branch
        touched |= {AGENT}
    if fact.placed is Placed.EVENT:
        rows.append(fact.day.between(bindparam(f"from{ending}", type_=Date), bindparam(f"to{ending}", type_=Date)))
    for dimensions, all_of_them in fact.whole.items():
        rows.append(~all_of_them if dimensions & touched else all_of_them)
    for chosen in filters:
        ids = [bindparam(f"{chosen.dimension.name}_{number}", type_=String) for number in range(chosen.known)]
        key = fact.keys[chosen.dimension].id
        among = [lies_below(PLACE.c.path, id_) for id_ in ids] if chosen.dimension.in_tree else [key.in_(ids)]
        rows.append(or_(*(among if ids else []), *([key.is_(None)] if chosen.unknown else [])))
    return rows


# Read together ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What a question reads of one fact in one period: at which grain, which counts, and their names in its statement."""

    fact: Fact
    rollup: Rollup | None
    ending: str
    by: tuple[Dimension, ...]
    counts: tuple[tuple[Count, str], ...]
    filters: tuple[_Filter, ...]
    whole: tuple[bool, ...]
    """For each entry of the fact's `whole`, whether the rows for one value each are read, instead of the rows for all."""

    @property
    def table(self) -> str:
        """The name under which the counts are read where they are there already."""
        return "|".join([self.fact.name + self.ending, *(dimension.name for dimension in self.by)])


@dataclass(frozen=True)
class _ScanShape:
    """What is read at once of one fact: everything that decides the text of the statement."""

    fact: Fact
    rollup: Rollup | None
    grains: tuple[tuple[Dimension, ...], ...]
    counts: tuple[Count, ...]
    filters: tuple[_Filter, ...]
    whole: tuple[bool, ...]
    days: int
    days_off: int
    stored: frozenset[str]
    held: bool


def _reading(shape: _Shape, fact: Fact, ending: str, by: Sequence[Dimension], mine: Mapping[_Part, str]) -> _Reading:
    chosen = _kept_by(fact, shape.filters)
    touched = _touched(by, chosen) | ({AGENT} if shape.held else set())
    whole = tuple(bool(dimensions & touched) for dimensions in fact.whole)
    counts = tuple((part[0], name) for part, name in mine.items())
    rollup = _rollup(shape, fact, ending, [count for count, _name in counts], by)
    return _Reading(fact, rollup, ending, tuple(by), counts, chosen, whole)


@lru_cache(maxsize=512)
def _readings(shape: _Shape) -> tuple[_Reading, ...]:
    """Everything that the statement for `shape` reads."""
    found = []
    parts = list(_parts(shape))
    for without in dict.fromkeys(part[1] for part in parts):
        by = [dimension for dimension in shape.by if dimension not in without]
        names = _names([part for part in parts if part[1] == without])
        for fact, ending in dict.fromkeys((part[0].fact, part[2]) for part in names):
            mine = {part: name for part, name in names.items() if part[0].fact is fact and part[2] == ending}
            found.append(_reading(shape, fact, ending, by, mine))
    return tuple(found)


@lru_cache(maxsize=512)
def _scan(shape: _ScanShape) -> tuple[Select, Mapping[str, TypeEngine]]:
    """The statement that reads a fact once at all grains, and the types of its columns.

    The rows are chosen in a sub-query that has the keys as columns: so that a key, which may hold parameters, is written once.
    """
    fact, of_counts = _read_from(shape.fact, shape.rollup, shape.counts)
    fact, on_one_day = _on_one_day(fact, shape.days)
    of_counts = {count: at_hand(of, shape.stored) for count, of in of_counts.items()}
    dimensions = dict.fromkeys(dimension for grain in shape.grains for dimension in grain)
    named = {d.name: at_hand(fact.keys[d].id, shape.stored) for d in dimensions}
    named |= {d.name + NAME: fact.keys[d].name for d in dimensions if d.named}
    read = dict.fromkeys(
        element
        for count in shape.counts
        for element in visitors.iterate(of_counts[count])
        if isinstance(element, ColumnClause) and element.table is not None
    )
    named |= {f"read_{number}": of for number, of in enumerate(read)}
    touched = frozenset(d for alone, ds in zip(shape.whole, fact.whole, strict=True) if alone for d in ds)
    wanted = _wanted(fact, "", shape.filters, touched, shape.held)
    columns = [of.label(name) for name, of in named.items()]
    source = fact.joined(PLACE, [*columns, *wanted])
    rows = select(*(columns or [literal_column("1").label("row")])).select_from(source).where(*wanted).subquery("rows")
    there = {of: rows.c[f"read_{number}"] for number, of in enumerate(read)}

    def from_rows(element, **_kwargs):
        return there.get(element) if isinstance(element, ColumnClause) else None

    keys = [rows.c[d.name] for d in dimensions]
    if len(shape.grains) > 1:
        # Each key that a grain lacks sets its bit, the last key the lowest one.
        grain = func.grouping(*keys)
        at = case(
            {
                sum(1 << (len(keys) - 1 - place) for place, d in enumerate(dimensions) if d not in by): number
                for number, by in enumerate(shape.grains)
            },
            value=grain,
        )
        sets = ", ".join(
            "({})".format(", ".join(str(place + 2) for place, d in enumerate(dimensions) if d in by))
            for by in shape.grains
        )
        grouped = [literal_column(f"GROUPING SETS ({sets})")]
    else:
        at, grouped = literal_column("0"), keys
    found = {"grain": cast(at, Integer)} | {d.name: key for d, key in zip(dimensions, keys, strict=True)}
    found |= {d.name + NAME: func.max(rows.c[d.name + NAME]) for d in dimensions if d.named}
    for number, count in enumerate(shape.counts):
        found[f"count_{number}"] = cast(visitors.replacement_traverse(of_counts[count], {}, from_rows), count.type)
    counted = select(*(of.label(name) for name, of in found.items())).select_from(rows).group_by(*grouped)
    types = {name: of.type for name, of in found.items()}
    counted = _on_own_days(counted, "", one=on_one_day)
    return _with_given(counted, (("", shape.days),), shape.days_off), types


# What is stored beside the rows -------------------------------------------------------------------------------------


def stored_beside(derived: Derived) -> tuple[Table, dict[str, str]]:
    """The table beside whose rows an embedded warehouse holds what is derived, and the names of the columns there, by those of
    `derived`: its first column is that table's key, and holds nothing else."""
    key, *rest = (c.name for c in derived.c)
    beside = next(found for found in metadata.tables.values() if (own := key_of(found)) is not None and own.name == key)
    return beside, {name: f"{derived.name}_{name}" for name in rest}


@lru_cache(maxsize=8)
def _stored_columns(stored: frozenset[str]) -> Mapping[tuple[FromClause, str], ColumnElement]:
    found = {}
    for derived in DERIVED:
        if derived.name in stored:
            beside, names = stored_beside(derived)
            found |= {
                (derived, name): column(there, derived.c[name].type, _selectable=beside)
                for name, there in names.items()
            }
    return found


def at_hand(expression: ColumnElement, stored: frozenset[str]) -> ColumnElement:
    """`expression` with the columns that the warehouse has `stored` in place of those derived: no join is needed for them."""
    there = _stored_columns(stored)

    def found(element, **_kwargs):
        return there.get((element.table, element.name)) if isinstance(element, ColumnClause) else None

    return visitors.replacement_traverse(expression, {}, found) if there else expression


def _on_one_day(fact: Fact, days: int) -> tuple[Fact, bool]:
    """A balance that is taken on a single one of `days`, with that day in its conditions instead of a table of days to be joined;
    and whether it is such. So the engine looks at the rows of the branches asked for, instead of first at those of the day."""
    if days != 1:
        return fact, False
    source, conditions = _without_days(fact.source)
    return replace(fact, source=source, only=(*fact.only, *conditions)), bool(conditions)


def _without_days(source: FromClause) -> tuple[FromClause, list[ColumnElement[bool]]]:
    if not isinstance(source, Join):
        return source, []
    if source.right is AS_OF:
        return source.left, [source.onclause]
    left, conditions = _without_days(source.left)
    return Join(left, source.right, source.onclause, source.isouter), conditions


def _on_own_days(rows: Select, ending: str, *, one: bool) -> Select:
    """`rows` with balances taken and outcomes seen on the days of the period that `ending` names: each period has its own. `one`
    says that the balance is taken on a single day, and that the days are not joined."""
    if not ending and not one:
        return rows
    days = table(AS_OF.name + ending, column("day", Date))
    day = bindparam(f"day_0{ending}", type_=Date) if one else days.c.day
    seen_on = bindparam(SEEN_ON.key + ending, type_=Date)

    def own_days(element, **_kwargs):
        if element is AS_OF:
            return days
        if element is AS_OF.c.day:
            return day
        if isinstance(element, BindParameter) and element.key == SEEN_ON.key:
            return seen_on
        if isinstance(element, CTE) or isinstance(getattr(element, "table", None), CTE):
            return element  # the tree and the like serve all periods; a copy would be a second one of the same name
        return None

    return visitors.replacement_traverse(rows, {}, own_days)


def _with_given(rows: Select, days: tuple[tuple[str, int], ...], days_off: int) -> Select:
    """`rows` with the days of balances, the exceptions of the calendar and the derived tables, where they are read."""
    used = {element.name: element for element in visitors.iterate(rows) if isinstance(element, TableClause)}
    for name, element in used.items():
        if isinstance(element, Derived):  # what is stored has been put in its place
            rows = rows.add_cte(element.of.cte(name))
    for ending, count in days:
        if AS_OF.name + ending in used:
            listed = values(column("day", Date), name="listed_days" + ending)
            listed = listed.data([(bindparam(f"day_{number}{ending}", type_=Date),) for number in range(count)])
            rows = rows.add_cte(select(listed.c.day).cte(AS_OF.name + ending))
    if DAYS_OFF.name in used:
        listed = values(column("day", Date), column("change", Integer), name="listed_days_off")
        exceptions = [
            (bindparam(f"day_off_{number}", type_=Date), bindparam(f"change_{number}", type_=Integer))
            for number in range(days_off)
        ]
        listed = listed.data(exceptions or [(DATA_UNTIL, 0)])
        rows = rows.add_cte(select(listed.c.day, listed.c.change).cte(DAYS_OFF.name))
    return rows


def _few_last(shape: _Shape, order: Order, found: Mapping[_Part, ColumnElement]) -> list[ColumnElement]:
    """A rate over too few to be ranked comes after the others, whichever way they are sorted."""
    measure = next((m for m in shape.measures if m.name == order.column and isinstance(m, Ratio)), None)
    if measure is None:
        return []
    base = found[measure.under, shape.missing(measure, measure.under), ""]
    return [case((func.coalesce(base, 0) < measure.fewest, 1), else_=0)]


def _key_names(dimension: Dimension) -> list[str]:
    return [dimension.name, dimension.name + NAME] if dimension.named else [dimension.name]


def _sorted(found: ColumnElement, order: Order) -> ColumnElement:
    return (found.desc() if order.descending else found.asc()).nulls_last()
