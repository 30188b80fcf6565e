"""How each branch stands against its running targets: from the answers' counts by day to a pace for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from measures.dimensions import BELOW, DAY, DAYS_AGO, DAYS_LEFT, DAYS_RUN
from measures.model import Measure
from measures.pace import Pace, pace
from measures.period import Period
from measures.question import NAME
from measures.statistics import Numbers

YEAR_OF_WEEKS = timedelta(days=364)
"""A year ago, on the same weekday: the course of a year ago has its week-ends where this one has them."""

DaysOff = Iterable[tuple[date, int]]
"""Calendar exceptions: -1 for a holiday on a weekday, +1 for a working day at a week-end."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How one branch stands against its targets for `period`; those for the same days count as one. `id` is None for targets of the
    branch itself whose branches below are asked for.

    `by_day` is what each day since the start brought. `working_passed` and `working_left` are working days.
    """

    id: str | None
    name: str | None
    period: Period
    by_day: Numbers
    pace: Pace
    working_passed: float
    working_left: float

    @property
    def a_day(self) -> float | None:
        """What a working day brought so far; None before the first."""
        return self.pace.reached / self.working_passed if self.working_passed > 0 else None

    @property
    def needed(self) -> float | None:
        """What each working day left must bring: 0 once the target is reached, None where no day is left or there is no target."""
        if self.pace.target is None:
            return None
        lacking = max(self.pace.target - self.pace.reached, 0.0)
        if not lacking:
            return 0.0
        return lacking / self.working_left if self.working_left > 0 else None


def periods(targets: pd.DataFrame, until: date) -> list[Period]:
    """The different days that the targets in an answer by (…, days_run, days_left), looked at on `until`, are for: the earliest end
    first."""
    pairs = {(int(run), int(left)) for run, left in zip(targets[DAYS_RUN.name], targets[DAYS_LEFT.name], strict=True)}
    found = {_period(run, left, until) for run, left in pairs}
    return sorted(found, key=lambda period: (period.end, period.start))


def standings(
    targets: pd.DataFrame,
    toward: pd.DataFrame,
    measures: tuple[Measure, Measure],
    until: date,
    days_off: DaysOff,
    course: Mapping[date, float] | None = None,
) -> list[Standing]:
    """How each branch stands on `until`, the likeliest to miss its target first, and last those of which it cannot be told.

    `targets` is the answer for the first of `measures` by (below, days_run, days_left), `toward` that for the second by these and
    days_ago. How much of the time has passed is reckoned in working days, or, where `course` is given, by what each day of a
    year of weeks ago brought.
    """
    target, reached = measures
    days_off = tuple(days_off)
    found = []
    weights: dict[Period, tuple[Numbers, Numbers]] = {}
    by = [BELOW.name, DAYS_RUN.name, DAYS_LEFT.name]
    counted = {_key(*key): rows for key, rows in toward.groupby(by, dropna=False)}
    for row in targets.to_dict("records"):
        id_, run, left = _key(row[BELOW.name], row[DAYS_RUN.name], row[DAYS_LEFT.name])
        period = _period(run, left, until)
        if period not in weights:
            weights[period] = working_days(period, days_off), _weights(period, days_off, course)
        by_day = np.zeros(run + 1)
        if (rows := counted.get((id_, run, left))) is not None:
            np.add.at(by_day, run - rows[DAYS_AGO.name].to_numpy(dtype=int), rows[reached.name].to_numpy(dtype=float))
        working, weight = weights[period]
        aim = row[target.name]
        found.append(
            Standing(
                id=id_,
                name=None if id_ is None or pd.isna(row[BELOW.name + NAME]) else str(row[BELOW.name + NAME]),
                period=period,
                by_day=by_day,
                pace=pace(by_day, weight, None if pd.isna(aim) else float(aim)),
                working_passed=float(working[: run + 1].sum()),
                working_left=float(working[run + 1 :].sum()),
            )
        )
    return sorted(found, key=_worst_first)


def together(
    found: Iterable[Standing], days_off: DaysOff, course: Mapping[date, float] | None = None
) -> Standing | None:
    """All of them as one: what counts for one branch counts for no other, so days and targets add up.

    None where they are for different days, where one has no target, or where those of a branch itself, for which what lies below
    it counts too, stand beside others.
    """
    found = list(found)
    if not found or len({standing.period for standing in found}) > 1:
        return None
    if any(standing.pace.target is None for standing in found):
        return None
    if len(found) > 1 and any(standing.id is None for standing in found):
        return None
    first, by_day = found[0], np.sum([standing.by_day for standing in found], axis=0)
    weights = _weights(first.period, days_off, course)
    whole = pace(by_day, weights, sum(standing.pace.target for standing in found))
    return Standing(None, None, first.period, by_day, whole, first.working_passed, first.working_left)


def working_days(period: Period, days_off: DaysOff) -> Numbers:
    """1 for each working day of `period` and 0 for the others: Monday to Friday, corrected by `days_off`."""
    changes = dict(days_off)
    days = [period.start + timedelta(days=number) for number in range(period.days)]
    return np.array([(day.weekday() < 5) + changes.get(day, 0) for day in days], dtype=float)


def course_of(period: Period, course: Mapping[date, float]) -> Numbers:
    """What each day of `period` brought a year of weeks before."""
    days = [period.start + timedelta(days=number) - YEAR_OF_WEEKS for number in range(period.days)]
    return np.array([course.get(day, 0.0) for day in days], dtype=float)


def year_before(of: Iterable[Period]) -> Period:
    """The days, a year of weeks earlier, that hold the courses of all of these periods."""
    of = list(of)
    return Period(min(p.start for p in of) - YEAR_OF_WEEKS, max(p.end for p in of) - YEAR_OF_WEEKS)


def course_in(answer: pd.DataFrame, counted: Measure) -> dict[date, float]:
    """What each day brought, from the answer for `counted` by day."""
    days = answer[DAY.name].dt.date.tolist()
    return dict(zip(days, answer[counted.name].to_numpy(dtype=float).tolist(), strict=True))


def _period(run: int, left: int, until: date) -> Period:
    return Period(until - timedelta(days=run), until + timedelta(days=left))


def _weights(period: Period, days_off: DaysOff, course: Mapping[date, float] | None) -> Numbers:
    """How much of the time each day of `period` stands for."""
    return working_days(period, days_off) if course is None else course_of(period, course)


def _key(id_: object, run: object, left: object) -> tuple[str | None, int, int]:
    return None if pd.isna(id_) else str(id_), int(run), int(left)


def _worst_first(standing: Standing) -> tuple:
    chance, index = standing.pace.missing, standing.pace.index
    return (chance is None, -(chance or 0.0), index is None, index or 0.0, standing.name or "")
