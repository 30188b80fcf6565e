"""Which numbers by age, gender, tier … are withheld from viewers who may not see listings, so that no few customers are singled out.

Pure decisions on questions and answers; `data_access.warehouse` asks and applies them to everything it fetches.

Such viewers see numbers by what is known of customers in *cells*: a value of one such dimension in one quarter, in the whole of their
branch. Totals are no secret, so a small cell cannot be hidden alone: it would be what the others leave of the total. Values are
withheld together, those with the fewest customers first, until what they have together tells nothing of one of them.
Because it is always the first so many of one order, no two withheld groups, of measures, quarters or loads, differ by a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from sqlalchemy import distinct, func

from data_access.access import Permission, Viewer
from measures.catalogue import Catalogue
from measures.dimensions import OF_CUSTOMERS, QUARTER, YEAR
from measures.model import Count, Dimension, Fact, Measure, Placed, Ratio, Spread, Unit, _
from measures.period import Period, first_days, last_day
from measures.question import BEFORE, CHANGE, CUMULATIVE, WITHHELD, Question, QuestionError
from measures.schema import customers

FEWEST_CUSTOMERS = 5
"""A number about fewer customers than this is small."""

TOGETHER = (
    ("signed", "closed", "holders", "customers"),
    ("activated", "ever_activated"),
    ("complaints_received", "complaints_closed", "complaints_open"),
    ("assigned", "open_assignments"),
)
"""Counts of which one is what the others leave: what is held now is what was held, and signed since, less what was closed. A value
withheld in one of them is withheld in all."""

NEVER_TOLD = ("first_uses",)
"""Counts that would tell what two shown balances have withheld, and that nobody needs by what is known of customers."""

_ORDER = "all_customers"

Value = str | None
Cells = Mapping[date, frozenset[Value]]
"""For each quarter, by its first day, the values withheld in it."""


def asks_of_customers(question: Question) -> list[Dimension]:
    """The dimensions of `question` that say something of customers, whether it splits or filters by them."""
    return [d for d in OF_CUSTOMERS if d in question.by or d in dict(question.where)]


def is_guarded(question: Question, viewer: Viewer) -> bool:
    """Whether the answer must not tell of few customers: it is by what is known of them, and the viewer may not list them."""
    return bool(asks_of_customers(question)) and not viewer.may(Permission.LISTINGS)


def last_month_over(data_until: date) -> date:
    """The last day of the last month that is over on `data_until`. What became of contracts is looked at on that day, or two days'
    answers would differ by the customers of one day."""
    day_after = data_until + timedelta(days=1)
    return day_after.replace(day=1) - timedelta(days=1)


def guarded(question: Question, viewer: Viewer, until: date) -> Question:
    """`question` as it is put for `viewer`: without the period compared with, in which outcomes would be seen on a day of the reader's
    choice. Raises QuestionError where it asks for other cells than the values of one dimension in quarters over by `until`."""
    of, *others = asks_of_customers(question)
    others += [d for d in question.by if d not in (of, QUARTER, YEAR) and d not in others]
    for dimension, ids in question.where:
        whole_branch = dimension.in_tree and viewer.branch_id in ids
        if dimension is not of and dimension not in others and not whole_branch:
            others.append(dimension)
    if others:
        raise QuestionError(
            _(
                "By {dimension} you see numbers of your whole branch, by quarters or years and by nothing else beside, so that no "
                "few customers can be singled out. Leave out: {others}."
            ),
            dimension=of.label,
            others=", ".join(d.label for d in others),
        )
    start, end = question.period.start, question.period.end
    if start != _quarter(start) or end != last_day(end, "quarter") or end > until:
        last = _quarter(_quarter(until + timedelta(days=1)) - timedelta(days=1))
        raise QuestionError(
            _(
                "By {dimension} you see numbers of whole quarters that are over, so that no few customers can be singled out. "
                "Choose whole quarters, such as {first} to {last}."
            ),
            dimension=of.label,
            first=last.isoformat(),
            last=last_day(last, "quarter").isoformat(),
        )
    order = tuple(o for o in question.order if not o.column.endswith((BEFORE, CHANGE)))
    return replace(question, against=None, order=order)


@dataclass(frozen=True)
class Looked:
    """What is looked at before a count is told: `columns` are counts, or one count less another, none of which may be small."""

    counts: tuple[Count, ...]
    columns: tuple[tuple[Count, Count | None], ...]
    people: tuple[Count, ...]
    of_facts: tuple[tuple[Count, ...], ...]
    """All that can be told of each of the facts that `counts` are of."""

    @property
    def asked(self) -> tuple[Count, ...]:
        """All counts that are needed."""
        of_columns = [count for pair in self.columns for count in pair if count is not None]
        return tuple(dict.fromkeys([*of_columns, *self.people, *(c for counts in self.of_facts for c in counts)]))


def looked_at(count: Count, catalogue: Catalogue) -> Looked:
    """What is looked at before `count` is told: itself, those told together with it, what is left where one of them is a share of
    another count, and how many customers they are of."""
    names = next((names for names in TOGETHER if count.name in names), ())
    known = [catalogue.measures[name] for name in names if name in catalogue.measures]
    counts = tuple(dict.fromkeys([count, *(other for other in known if _can_be_told(other))]))
    columns: list[tuple[Count, Count | None]] = [(each, None) for each in counts]
    for rate in catalogue.measures.values():
        # The rest of a share is a number of customers too: 97 of 100 tells of three.
        if isinstance(rate, Ratio) and rate.spread is Spread.SHARES and rate.over in counts:
            columns.append((rate.under, rate.over))
    people = tuple(dict.fromkeys(_people(each.fact) for each in counts))
    every = dict.fromkeys(c for measure in catalogue.measures.values() for c in measure.counts if _can_be_told(c))
    of_facts = tuple(tuple(c for c in every if c.fact is fact) for fact in dict.fromkeys(each.fact for each in counts))
    return Looked(counts, tuple(columns), people, of_facts)


def looks(question: Question, catalogue: Catalogue, first_day: date) -> tuple[Question, ...]:
    """The questions whose answers decide what of `question` is withheld: what is known today, then quarter by quarter since
    `first_day`."""
    (of,) = asks_of_customers(question)
    wanted: dict[Count, None] = {catalogue.measures[_ORDER]: None}
    for count in _told(question):
        wanted |= dict.fromkeys(looked_at(count, catalogue).asked)
    snapshots = tuple(c for c in wanted if c.fact.placed is Placed.SNAPSHOT)
    stepped = tuple(c for c in wanted if c not in snapshots)
    since = Period(min(_quarter(first_day), question.period.start), question.period.end)
    asked = [Question(snapshots, question.period, (of,))]
    if stepped:
        asked.append(Question(stepped, since, (of, QUARTER)))
    return tuple(asked)


def cells(
    question: Question, catalogue: Catalogue, answers: Sequence[pd.DataFrame], asked: Sequence[Question], fewest: int
) -> dict[Count, Cells]:
    """For each count that `question` tells, the cells that are withheld; `answers` are those to `asked`, the questions of `looks`."""
    (of,) = asks_of_customers(question)
    today = answers[0].set_index(of.name)
    found = [v for answer in answers for v in _values(answer[of.name])]
    known = dict.fromkeys([*of.values, None, *sorted(value for value in found if value is not None)])
    sizes = dict(zip(_values(answers[0][of.name]), today[_ORDER].fillna(0), strict=True))
    places = {value: place for place, value in enumerate(known)}
    values = sorted(known, key=lambda value: (sizes.get(value, 0), places[value]))
    quarters = first_days(asked[-1].period, "quarter")
    numbers = {
        count: _table(answer, of, count, values, quarters)
        for put, answer in zip(asked, answers, strict=True)
        for count in put.measures
    }
    withheld: dict[Count, Cells] = {}
    for count in _told(question):
        looked = looked_at(count, catalogue)
        columns = [numbers[a] - (numbers[less] if less is not None else 0) for a, less in looked.columns]
        people = [numbers[c] for c in looked.people]
        of_facts = [[numbers[c] for c in counts] for counts in looked.of_facts]
        first = [
            len(values)
            if any(stands_alone([c[at] for c in counts], fewest) for counts in of_facts)
            else how_many([c[at] for c in columns], [p[at] for p in people], fewest)
            for at, _quarter in enumerate(quarters)
        ]
        if count.fact.placed is Placed.BALANCE:
            flows = [numbers[c] for c in looked.counts if c.fact.placed is Placed.EVENT]
            first = how_many_balances(first, flows, fewest)
        withheld[count] = {q: frozenset(values[:n]) for q, n in zip(quarters, first, strict=True)}
    return withheld


def how_many(columns: Iterable[Sequence[int]], people: Iterable[Sequence[int]], fewest: int) -> int:
    """How many of the values, in their order, are withheld in a quarter; `columns` hold the numbers of each value.

    As few as leave no number from 1 to `fewest` - 1, in `columns` or of customers in `people`, among those shown; and have in each
    column none, or twice `fewest`: so one of them lies within a range, even if it is known to be small.
    """
    columns, people = [np.asarray(c) for c in columns], [np.asarray(p) for p in people]
    size = len(columns[0])
    last_small = [np.flatnonzero((c > 0) & (c < fewest)) for c in (*columns, *people)]
    least = max((int(found[-1]) + 1 for found in last_small if len(found)), default=0)
    if least == 0:
        return 0
    for number in range(least, size):
        sums = [int(c[:number].sum()) for c in columns]
        if number > 1 and all(total <= 0 or total >= 2 * fewest for total in sums):
            return number
    return size


def stands_alone(counts: Iterable[Sequence[int]], fewest: int) -> bool:
    """Whether a small number of one of the counts of a fact can only be that value's, as the others have no rows to be counted in.

    Then the fact itself tells it: if contracts were signed by women alone, the two activated ones of the total are theirs.
    """
    found = np.stack([np.asarray(count) for count in counts])
    rest = found.max(axis=0) - found
    elsewhere = found.sum(axis=1, keepdims=True) - found + rest.sum(axis=1, keepdims=True) - rest
    return bool(((found > 0) & (found < fewest) & (elsewhere < 1)).any())


def how_many_balances(first: Sequence[int], flows: Sequence[Sequence[Sequence[int]]], fewest: int) -> list[int]:
    """How many of the values, in their order, are withheld in each quarter's balance; `first` says of how many the `flows` (a row for
    each quarter, a column for each value) are withheld in it.

    Two balances tell the sum of the flows between. So a value's balance is withheld on until the quarters that are withheld of it
    leave each of its small flows a range of two at least: with the sums of all rows and columns known, what could be another way
    is the least of row, column, and what lies outside either.
    """
    flows = [np.asarray(flow) for flow in flows]
    size = flows[0].shape[1] if flows else 0
    gaps: list[list[int]] = [[] for _value in range(size)]
    found = []
    for at, number in enumerate(first):
        for value in range(min(number, size)):
            gaps[value].append(at)
        hidden = [v for v in range(size) if not all(_has_a_range(flow, v, gaps[v], fewest) for flow in flows)]
        number = max(number, max(hidden, default=-1) + 1)
        number = 2 if number == 1 else number  # the two first hide each other
        found.append(number)
        for value in range(number, size):
            gaps[value].clear()
    return found


def _has_a_range(flow: np.ndarray, value: int, gap: list[int], fewest: int) -> bool:
    rows = flow[gap, : max(value, 1) + 1]
    by_value, by_quarter, whole = rows.sum(axis=0), rows.sum(axis=1), rows.sum()
    ranges = np.minimum.outer(np.minimum(by_quarter, whole - by_quarter), np.minimum(by_value, whole - by_value))
    return not ((rows > 0) & (rows < fewest) & (ranges < 2)).any()


def withhold(question: Question, answer: pd.DataFrame, withheld: Mapping[Count, Cells]) -> pd.DataFrame:
    """`answer` without the withheld numbers: they are missing, and beside each measure stands a column `…_withheld` that says where.

    A value that is withheld has a row whether it has a number or not, and its rows come last: their place would tell the number.
    """
    (of,) = asks_of_customers(question)
    kept = dict(question.where).get(of)
    values = {value for found in withheld.values() for quarter in found.values() for value in quarter}
    split = [v for v in values if kept is None or v in kept] if of in question.by else [None]
    step = question.step
    steps = first_days(question.period, step.step) if step else [None]
    answer = answer.assign(_place=range(len(answer)))
    there = {_key(row, of, question) for row in answer.to_dict("records")}
    lacking = [
        {of.name: value} | ({step.name: pd.Timestamp(day)} if step else {})
        for value in split
        for day in steps
        if (value if of in question.by else None, day) not in there
        and any(
            _is_withheld(m, [value] if of in question.by else kept, day, question, withheld) for m in question.measures
        )
    ]
    if lacking:
        nothing = {m.name: 0 for m in question.measures if isinstance(m, Count) and m.absent == 0}
        rows = pd.DataFrame([row | nothing | {"_place": len(answer)} for row in lacking]).reindex(
            columns=answer.columns
        )
        answer = pd.concat([answer, rows.astype(answer.dtypes)], ignore_index=True)
    keys = [_key(row, of, question) for row in answer.to_dict("records")]
    for measure in question.measures:
        hidden = [
            _is_withheld(measure, [value] if of in question.by else kept, day, question, withheld)
            for value, day in keys
        ]
        answer[measure.name] = answer[measure.name].mask(np.array(hidden, dtype=bool))
        answer[measure.name + WITHHELD] = np.array(hidden, dtype=bool)
    last = answer[[measure.name + WITHHELD for measure in question.measures]].any(axis=1).to_numpy(bool)
    place = answer["_place"].where(~last, len(answer)) if question.order else 0
    by = [d.name for d in question.by]
    answer = answer.assign(_place=place).sort_values(["_place", *by], na_position="last", kind="stable")
    if question.cumulative and answer[question.measures[0].name + WITHHELD].any():
        name = question.measures[0].name + CUMULATIVE
        answer[name] = answer[name].mask(answer[name].notna())
    return answer.drop(columns="_place").reset_index(drop=True)


# How it is decided --------------------------------------------------------------------------------------------------


def _quarter(day: date) -> date:
    return first_days(Period(day, day), "quarter")[0]


def _can_be_told(measure: Measure) -> bool:
    """Whether any number of the count is told by what is known of customers: not what is known for today alone, and no number of days
    of few people, such as a median."""
    return (
        isinstance(measure, Count)
        and measure.unit is Unit.COUNT
        and not measure.only_now
        and measure.name not in NEVER_TOLD
    )


def _told(question: Question) -> list[Count]:
    counts = dict.fromkeys(count for measure in question.measures for count in measure.counts)
    return [count for count in counts if _can_be_told(count)]


@lru_cache(maxsize=256)  # one object for each fact: a statement is written once for the counts it is asked for
def _people(fact: Fact) -> Count:
    """The different customers that a fact's rows are about; rows without a customer are about none."""
    of = func.count(distinct(customers.c.customer_id))
    return Count(name=f"people_{fact.name}", label="", meaning="", fact=fact, of=of, adds_up=False)


def _values(column: pd.Series) -> list[Value]:
    return [None if pd.isna(value) else str(value) for value in column]


def _table(
    answer: pd.DataFrame, of: Dimension, count: Count, values: Sequence[Value], quarters: Sequence[date]
) -> np.ndarray:
    """A count's numbers: a row for each quarter, a column for each value; 0 where nothing is counted."""
    places = {value: at for at, value in enumerate(values)}
    numbers = np.zeros((len(quarters), len(values)), dtype=np.int64)
    at = [places[value] for value in _values(answer[of.name])]
    found = answer[count.name].fillna(0).astype("int64").to_numpy()
    if QUARTER.name not in answer:
        numbers[:, at] = found
        return numbers
    rows = {day: row for row, day in enumerate(quarters)}
    numbers[[rows[day] for day in answer[QUARTER.name].dt.date], at] = found
    return numbers


def _key(row: Mapping[str, object], of: Dimension, question: Question) -> tuple[Value, date | None]:
    value = row[of.name] if of in question.by else None
    day = row[question.step.name].date() if question.step else None
    return (None if pd.isna(value) else str(value), day)


def _is_withheld(
    measure: Measure,
    values: Sequence[Value],
    day: date | None,
    question: Question,
    withheld: Mapping[Count, Cells],
) -> bool:
    """Whether any of the cells that the number is made of is withheld."""
    quarters = first_days(question.period, "quarter")
    if day:
        quarters = [q for q in quarters if day <= q <= last_day(day, question.step.step)]
    for count in measure.counts:
        if not _can_be_told(count):
            return True
        of_these = quarters if count.fact.placed is Placed.EVENT else quarters[-1:]
        if any(value in withheld[count][quarter] for quarter in of_these for value in values):
            return True
    return False
