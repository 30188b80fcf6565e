"""Rollups: stored, coarser copies of facts, and when one of them may stand in for its fact.

A row of a rollup stands for all rows of one fact on one day, with the same values of a few dimensions, at or below one branch
that is at most `deepest` levels deep; its columns are the fact's counts. So what is asked of the bank, or of a branch right below
head office, is added up from thousands of rows instead of millions; balances, which are taken on few days, of each branch.
Whatever a rollup does not hold is asked of the fact.

What becomes of an event depends on the day from which it is looked at, and a balance on the day on which it is taken. Both are
stored for the days that the dashboard's own periods look at (`looked_from`, `balance_days`), and for no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import product

from sqlalchemy import ColumnElement, Date, String, TableClause, bindparam, column, func, table, true
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import BindParameter, ClauseElement

from measures.catalogue import Catalogue, catalogue
from measures.dimensions import (
    AREA,
    BELOW,
    CAMPAIGN,
    FAMILY,
    PRODUCT,
    REGION,
    SUB_BRANCH,
    TIME,
    branch_keys,
    campaign_key,
    lookups_of,
    product_keys,
    time_keys,
)
from measures.given import AS_OF, DATA_UNTIL, SEEN_ON
from measures.model import Count, Dimension, Fact, Key, Need, Placed
from measures.period import (
    Compare,
    Period,
    Preset,
    compared_period,
    last_days,
    months_later,
    preset_period,
    year_of_months,
)
from measures.rollups import AT_EVERY_BRANCH, ROLLUPS
from measures.schema import branches

NEAR_THE_TOP = 2
"""Head office and the branches right below it: the levels at which a whole bank is looked at."""

EVERYWHERE = 1_000
"""Deeper than any tree is."""

PREFIX = "rollup_"
"""Begins the name of each table that holds a rollup, and of no other."""

LONGEST_NAME = 63
"""Characters that PostgreSQL has for the name of a table."""

ROLLED_UNTIL = bindparam("rolled_until", type_=Date)
"""The data's date for which rollups were made: the rows seen on this day are of all days."""

_SUB_BRANCH = branches.alias("rolled_sub_branch")
"""Names the sub-branches that a rollup keeps although they lie deeper than its branches."""

_EVER = Period(date(1, 1, 1), date(9999, 12, 31))


@dataclass(frozen=True, eq=False)
class Rollup:
    """A coarser copy of `fact` by the dimensions `by`, and the days it is made for.

    Its name in the warehouse tells the definition, the data's date and the load: after another load, or in another version of
    the project, a table with the old name is never read for what it does not hold.
    """

    fact: Fact
    by: tuple[Dimension, ...]
    counts: tuple[Count, ...]
    deepest: int
    """How deep the branches lie that it tells apart."""
    until: date
    version: str
    """What the name ends in."""

    @property
    def name(self) -> str:
        """The table's name in the warehouse; PostgreSQL would cut off its end, which is what matters."""
        says = "_".join((PREFIX + self.fact.name, *(kept.name for kept in self.by)))
        return f"{says[: LONGEST_NAME - len(self.version) - 1]}_{self.version}"

    @cached_property
    def has_seen_on(self) -> bool:
        """Whether it holds what became of events, once for each day from which they are looked at."""
        return self.reads(SEEN_ON, self.counts)

    def reads(self, given: BindParameter, counts: Iterable[Count]) -> bool:
        """Whether one of `counts`, or a dimension of the rollup, depends on what is `given`."""
        expressions = [count.of for count in counts] + [self.fact.keys[kept].id for kept in self.by]
        return any(
            isinstance(element, BindParameter) and element.key == given.key
            for expression in expressions
            for element in visitors.iterate(expression)
        )

    @cached_property
    def table(self) -> TableClause:
        columns = [column("branch_id", String), *(column(column_of(d), self.fact.keys[d].id.type) for d in self.by)]
        columns += [column("day", Date)] if self.fact.day is not None else []
        columns += [column("seen_on", Date)] if self.has_seen_on else []
        return table(self.name, *columns, *(column(count.name, count.type) for count in self.counts))

    @cached_property
    def _rolled(self) -> Fact:
        stored, fact = self.table.c, self.fact
        day = None if fact.day is None else stored.day
        source = self.table
        if fact.placed is Placed.BALANCE:
            source, day = self.table.join(AS_OF, stored.day == AS_OF.c.day), AS_OF.c.day
        keys = {d: key for d, key in branch_keys().items() if d not in (REGION, AREA)}
        keys |= {kept: Key(stored[column_of(kept)]) for kept in self.by}
        if PRODUCT in self.by:
            keys |= product_keys(stored.product_id)
        if CAMPAIGN in self.by:
            keys |= campaign_key(stored.campaign_id)
        if day is not None:
            keys |= time_keys(day)
        ids = {self.fact.keys[kept].id: stored[column_of(kept)] for kept in self.by}
        # Of dimensions that are not kept, the rows that stand for all their values are the only ones stored.
        whole = {
            dimensions: visitors.replacement_traverse(condition, {}, lambda element, **_kwargs: ids.get(element))
            if dimensions & {*self.by}
            else true()
            for dimensions, condition in fact.whole.items()
        }
        lookups = lookups_of(self.table, stored.branch_id)
        if SUB_BRANCH in self.by:
            keys[SUB_BRANCH] = Key(stored.sub_branch_id, _SUB_BRANCH.c.name)
            lookups[_SUB_BRANCH] = _SUB_BRANCH.c.branch_id == stored.sub_branch_id
        return replace(
            fact,
            source=source,
            branch=stored.branch_id,
            day=day,
            keys={dimension: key for dimension, key in keys.items() if dimension in fact.keys},
            lookups=lookups,
            only=(),
            whole=whole,
            agent=None,
            customer_list=None,
        )

    def answering(self, counts: Iterable[Count]) -> tuple[Fact, dict[Count, ColumnElement]]:
        """The fact that stands in for the rollup's own, and how each of `counts` is added up from it."""
        counts, stored = tuple(counts), self.table.c
        fact = self._rolled
        if self.has_seen_on:
            seen_on = SEEN_ON if self.reads(SEEN_ON, counts) else ROLLED_UNTIL
            fact = replace(fact, only=(stored.seen_on == seen_on,))
        return fact, {count: _sum(count, stored[count.name]) for count in counts}


@dataclass(frozen=True)
class Usable:
    """What decides, of one question, which rollups may answer it: everything but its shape."""

    held: tuple[Rollup, ...] = ()
    """Those that tell apart the branches asked for."""
    below: frozenset[Rollup] = frozenset()
    """Those that tell apart the branches right below the one looked at."""
    levels: frozenset[tuple[Rollup, Dimension]] = frozenset()
    """Which of them tell apart all branches of a level of the tree."""
    same_date: bool = False
    """Whether the question is asked on the data's date that the rollups were made for."""
    seen: frozenset[str] = frozenset()
    """The endings of the periods of which it is stored what became of their events."""
    balances: frozenset[str] = frozenset()
    """The endings of the periods whose balances are stored."""

    def instead_of(
        self, fact: Fact, ending: str, counts: Sequence[Count], by: Iterable[Dimension], chosen: Iterable[Dimension]
    ) -> Rollup | None:
        """The rollup that gives the same numbers as `fact` for `counts` in the period `ending`, split by the dimensions `by` and
        filtered by those `chosen`; None where none does."""
        for rollup in self.held:
            kept = {*rollup.by, *TIME} | ({FAMILY} if PRODUCT in rollup.by else set())
            split = {dimension for dimension in by if not (dimension is BELOW and rollup in self.below)}
            split -= {dimension for dimension in split if (rollup, dimension) in self.levels}
            narrowed = {dimension for dimension in chosen if not dimension.in_tree}
            if (
                rollup.fact is fact
                and set(counts) <= set(rollup.counts)
                and split | narrowed <= kept
                and (ending in self.balances or fact.placed is not Placed.BALANCE)
                and (ending in self.seen or not rollup.reads(SEEN_ON, counts))
                and (self.same_date or not rollup.reads(DATA_UNTIL, counts))
            ):
                return rollup
        return None


def column_of(dimension: Dimension) -> str:
    """The column of a rollup that holds the dimension's id: where it is named, as the table that names it calls it."""
    return f"{dimension.name}_id" if dimension.named else dimension.name


def depth(path: str | None) -> int:
    """How many levels deep the branch of this path is: 1 at the top, 0 where it is not known."""
    return (path or "").count(".")


@lru_cache(maxsize=4)
def rollups_for(present: frozenset[Need], until: date, load: str) -> tuple[Rollup, ...]:
    """The rollups that a warehouse with the columns `present` can have for the `load` with the data's date `until`; whether it
    has them, their names tell. `load` is told from every other load by its text; without one there are no rollups, because
    nobody could tell when they are out of date."""
    if not load:
        return ()
    known = catalogue(present)
    made_for = repr((load, until, sorted(looked_from(until).items()), balance_days(until)))
    found = []
    declared_at = [(NEAR_THE_TOP, *near) for near in ROLLUPS.items()]
    declared_at += [(EVERYWHERE, *everywhere) for everywhere in AT_EVERY_BRANCH.items()]
    for deepest, declared, kinds in declared_at:
        counts = _counts(known, declared)
        if not counts:
            continue
        fact = counts[0].fact
        for by in dict.fromkeys(tuple(d for d in kind if d in fact.keys) for kind in kinds):
            read = [fact.source, fact.branch, fact.day, *fact.only, *fact.whole.values(), *fact.lookups.values()]
            read += [*(fact.keys[kept].id for kept in by), *(count.of for count in counts)]
            named = [*map(column_of, by), *(count.name for count in counts)]
            texts = [made_for, repr((deepest, named)), *(_text(part) for part in read if part is not None)]
            version = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
            found.append(Rollup(fact, by, counts, deepest, until, version))
    return tuple(found)


def _counts(known: Catalogue, declared: Fact) -> tuple[Count, ...]:
    """The counts over the fact that add up, as the warehouse's catalogue hands them out."""
    counts = {count.name: count for measure in known.measures.values() for count in measure.counts}
    return tuple(c for _name, c in sorted(counts.items()) if c.fact.name == declared.name and _adds_up(c))


def _adds_up(count: Count) -> bool:
    return count.adds_up and getattr(count.of, "name", "") in ("count", "sum")


def _sum(count: Count, stored: ColumnElement) -> ColumnElement:
    # A count of no rows is 0, a sum of none is null.
    return func.coalesce(func.sum(stored), 0) if count.of.name == "count" else func.sum(stored)


def _text(element: ClauseElement) -> str:
    """What is read, with the values in it: a text alone is the same for “within 30 days” and “within 60”."""
    compiled = element.compile()
    return f"{compiled} {sorted(compiled.params.items())}"


# Days ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _periods(until: date) -> tuple[tuple[Period, Period | None], ...]:
    """The periods that the dashboard offers, each with what it offers to compare it with."""
    return tuple(
        (period, compared_period(period, preset, compare))
        for preset, compare in product(Preset, Compare)
        for period in [preset_period(preset, until)]
    )


@lru_cache(maxsize=8)
def looked_from(until: date) -> Mapping[date, Period]:
    """The days from which it is stored what became of events, each with the days of these events.

    From the data's date all of them are looked at; from the others those of a period compared with.
    """
    found = {until - (period.end - against.end) for period, against in _periods(until) if against}
    before = {day: Period(months_later(day.replace(day=1), -12), day) for day in found}
    return before | {until: _EVER}


@lru_cache(maxsize=8)
def balance_days(until: date) -> tuple[date, ...]:
    """The days for which balances are stored: the last ones of the periods offered, of the steps of their series, and of the months
    of a year."""
    found = set(last_days(year_of_months(until), "month"))
    for period, against in _periods(until):
        found |= set(last_days(period, "day" if period.days <= 31 else "week" if period.days <= 120 else "month"))
        found |= {day.end for day in (period, against) if day}
    return tuple(sorted(found))
