"""Standings from the counts by day: whose target is likeliest to be missed, by which clock, and what all together need."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from measures.catalogue import MEASURES
from measures.period import Period
from measures.standings import course_in, course_of, periods, standings, together, working_days, year_before

MEASURED = MEASURES["signed_target"], MEASURES["signed_toward_target"]
UNTIL = date(2026, 11, 20)
OCTOBER_ON = (UNTIL - date(2026, 10, 1)).days, (date(2026, 12, 31) - UNTIL).days
NOVEMBER = 19, 10
MAY_DAY = ((date(2026, 5, 1), -1), (date(2026, 5, 9), 1))


def targets(*rows: tuple[str | None, int, int, float | None]) -> pd.DataFrame:
    """Branch, days run, days left, target."""
    found = pd.DataFrame(rows, columns=["below", "days_run", "days_left", "signed_target"])
    return found.assign(below=found["below"].astype("str").where(found["below"].notna()), below_name=found["below"])


def toward(*rows: tuple[str | None, int, int, int, int]) -> pd.DataFrame:
    """Branch, days run, days left, days ago, how many."""
    columns = ["below", "days_run", "days_left", "days_ago", "signed_toward_target"]
    return pd.DataFrame(rows, columns=columns)


def each_day(branch: str | None, days: tuple[int, int], number: int) -> list[tuple]:
    return [(branch, *days, ago, number) for ago in range(days[0] + 1)]


def test_counts_stand_on_the_day_on_which_they_came_and_the_worst_comes_first():
    aims = targets(("a", *OCTOBER_ON, 10), ("b", *OCTOBER_ON, 1000), ("c", *OCTOBER_ON, None))
    counts = toward(*each_day("a", OCTOBER_ON, 5), ("b", *OCTOBER_ON, 0, 7), ("b", *OCTOBER_ON, 50, 3))
    found = standings(aims, counts, MEASURED, UNTIL, ())
    assert [standing.id for standing in found] == ["b", "a", "c"]
    worst = found[0]
    assert worst.period == Period(date(2026, 10, 1), date(2026, 12, 31))
    assert len(worst.by_day) == 51 and (worst.by_day[0], worst.by_day[-1]) == (3, 7)
    assert worst.pace.missing > 0.99 and found[1].pace.missing == 0
    assert found[2].pace.target is None and found[2].needed is None and found[2].pace.reached == 0


def test_targets_of_one_branch_for_different_days_are_told_apart():
    aims = targets(("a", *OCTOBER_ON, 300), ("a", *NOVEMBER, 100))
    counts = toward(*each_day("a", OCTOBER_ON, 4), *each_day("a", NOVEMBER, 4))
    found = {standing.period.start: standing for standing in standings(aims, counts, MEASURED, UNTIL, ())}
    assert found[date(2026, 10, 1)].pace.reached == 204
    assert found[date(2026, 11, 1)].pace.reached == 80
    assert periods(aims, UNTIL) == [
        Period(date(2026, 11, 1), date(2026, 11, 30)),
        Period(date(2026, 10, 1), date(2026, 12, 31)),
    ]
    assert together(found.values(), ()) is None


def test_targets_of_the_branch_itself_are_not_added_to_those_below_it():
    aims = targets((None, *NOVEMBER, 100), ("a", *NOVEMBER, 60))
    counts = toward(*each_day(None, NOVEMBER, 3), *each_day("a", NOVEMBER, 2))
    found = standings(aims, counts, MEASURED, UNTIL, ())
    assert {standing.id: standing.pace.reached for standing in found} == {None: 60, "a": 40}
    assert together(found, ()) is None
    alone = [standing for standing in found if standing.id is None]
    assert together(alone, ()).pace == alone[0].pace


def test_all_together_bring_what_each_brings_and_need_what_each_needs():
    aims = targets(("a", *NOVEMBER, 100), ("b", *NOVEMBER, 60))
    counts = toward(*each_day("a", NOVEMBER, 3), *each_day("b", NOVEMBER, 1))
    found = standings(aims, counts, MEASURED, UNTIL, ())
    whole = together(found, ())
    assert (whole.pace.reached, whole.pace.target) == (80, 160)
    assert whole.needed == pytest.approx(sum(standing.needed for standing in found)) == pytest.approx(80 / 6)
    assert whole.a_day == pytest.approx(80 / 15)  # 1 November 2026 is a Sunday: three whole weeks had passed


def test_a_year_ago_is_the_same_weekday_and_what_is_needed_stays_for_a_working_day():
    day = date(2025, 11, 2)
    course = {day + timedelta(days=number): 1.0 if number < 20 else 4.0 for number in range(30)}
    counts = toward(*each_day("a", NOVEMBER, 3))
    aims = targets(("a", *NOVEMBER, 180))
    (by_course,) = standings(aims, counts, MEASURED, UNTIL, (), course)
    (by_days,) = standings(aims, counts, MEASURED, UNTIL, ())
    assert by_course.pace.elapsed == pytest.approx(20 / 60)
    assert by_course.pace.projected.value == pytest.approx(180)
    assert by_days.pace.elapsed == pytest.approx(15 / 21)
    assert by_course.needed == by_days.needed == pytest.approx(120 / 6)
    assert year_before([by_days.period]) == Period(day, date(2025, 12, 1))
    assert by_days.period.start.weekday() == day.weekday()


def test_a_course_is_read_by_day_and_days_without_a_row_brought_nothing():
    answer = pd.DataFrame({"day": pd.to_datetime(["2025-11-02", "2025-11-04"]), "signed": [3, 4]})
    course = course_in(answer, MEASURES["signed"])
    assert course_of(Period(date(2026, 11, 1), date(2026, 11, 4)), course).tolist() == [3, 0, 4, 0]


def test_working_days_are_the_banks():
    may = working_days(Period(date(2026, 5, 1), date(2026, 5, 10)), MAY_DAY)
    # A holiday on Friday the 1st, a working Saturday on the 9th.
    assert may.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0]


def test_nothing_can_be_needed_of_days_that_are_not_left_nor_of_a_target_that_is_reached():
    aims = targets(("over", 29, 0, 100), ("done", *NOVEMBER, 10), ("new", 0, 29, 29))
    counts = toward(*each_day("over", (29, 0), 1), *each_day("done", NOVEMBER, 1))
    found = {standing.id: standing for standing in standings(aims, counts, MEASURED, UNTIL, ())}
    assert found["over"].needed is None and found["over"].pace.missing == 1
    assert found["done"].needed == 0
    assert found["new"].pace.missing is None and found["new"].needed > 0
    sunday = standings(targets(("a", 0, 3, 9)), toward(), MEASURED, date(2026, 11, 22), ())[0]
    assert sunday.a_day is None


@given(some.lists(some.tuples(some.integers(0, 19), some.integers(1, 30)), max_size=30), some.integers(1, 500))
def test_nothing_counted_is_lost(counted: list[tuple[int, int]], aim: int):
    rows = pd.DataFrame(counted, columns=["ago", "number"]).groupby("ago")["number"].sum()
    counts = toward(*(("a", *NOVEMBER, ago, number) for ago, number in rows.items()))
    (found,) = standings(targets(("a", *NOVEMBER, aim)), counts, MEASURED, UNTIL, ())
    assert found.pace.reached == np.sum(found.by_day) == sum(number for _ago, number in counted)


def test_no_target_is_no_standing():
    assert standings(targets(), toward(), MEASURED, UNTIL, ()) == [] and together([], ()) is None


def test_the_day_after_the_one_looked_at_is_left():
    thursday = date(2026, 11, 19)
    (found,) = standings(targets(("a", 18, 11, 100)), toward(), MEASURED, thursday, ())
    assert (found.working_passed, found.working_left) == (14, 7)  # the 20th, 23rd to 27th and 30th


def test_what_has_no_target_is_not_added_to_what_has():
    aims = targets(("a", *NOVEMBER, 100), ("b", *NOVEMBER, None))
    assert together(standings(aims, toward(), MEASURED, UNTIL, ()), ()) is None
