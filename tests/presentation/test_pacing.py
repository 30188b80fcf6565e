"""What is said of targets: who will probably miss its own, what may go either way, and what cannot be told yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from measures.catalogue import MEASURES
from measures.dimensions import BELOW, DAYS_LEFT, DAYS_RUN
from measures.pace import pace
from measures.period import Period
from measures.question import Question
from measures.standings import Standing
from presentation import pacing
from presentation.tables import cell_text
from presentation.words import words

SAY = words("en")
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
OCTOBER_ON = Period(date(2026, 10, 1), date(2026, 12, 31))
MEASURED = MEASURES["signed_target"], MEASURES["signed_toward_target"]


def standing(name: str, target: float | None, a_day: int = 5, passed: int = 10, left: int = 10, **more) -> Standing:
    """`a_day` on each of the days passed; every day is a working day."""
    by_day = np.full(passed, float(a_day))
    found = pace(by_day, np.ones(passed + left), target)
    told = Standing(name.lower(), name, NOVEMBER, by_day, found, float(passed), float(left))
    return replace(told, **more)


MISSES, EITHER, REACHES, EARLY = (
    standing("Misses", 200),
    standing("Either", 100),
    standing("Reaches", 60),
    standing("Early", 100, passed=4, left=16),
)


def named(of: Standing, *names: str) -> list[Standing]:
    return [replace(of, id=name, name=name) for name in names]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([MISSES], "Misses will probably miss its target: 25.0 % reached after 50.0 % of the working days"),
        ([EITHER], "Either may reach its target or miss it: 50.0 % reached after 50.0 % of the working days"),
        ([REACHES], "Reaches will probably reach its target: 83.3 % reached after 50.0 % of the working days"),
        (
            [EARLY],
            "Too early to tell whether Early will reach its target: 20.0 % reached after 20.0 % of the working days",
        ),
        ([standing("Done", 50)], "Done has reached its target: 100.0 % reached after 50.0 % of the working days"),
        (
            [standing("Late", 60, passed=11, left=0)],
            "Late has missed its target: 91.7 % reached after 100.0 % of the working days",
        ),
        (
            [*named(MISSES, "A", "B"), EITHER, REACHES],
            "2 of 4 branches will probably miss their target: A, B; 1 may go either way",
        ),
        ([MISSES, REACHES], "1 of 2 branches will probably miss its target: Misses"),
        (named(MISSES, "A", "B"), "All 2 branches will probably miss their target"),
        (named(REACHES, "A", "B"), "All 2 branches will probably reach their target"),
        (
            [*named(EITHER, "A", "B"), REACHES],
            "2 of 3 branches may miss their target or reach it, none will probably miss it",
        ),
        (named(EARLY, "A", "B"), "Too early to tell: fewer than 5 working days have passed"),
        ([REACHES, EARLY], "1 branch will probably reach its target; of 1 it is too early to tell"),
        ([standing("A", None), standing("B", 0)], "No target above zero is set"),
        # One without a target is none of those that can miss it.
        (
            [MISSES, standing("None", None)],
            "Misses will probably miss its target: 25.0 % reached after 50.0 % of the working days",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_finding(found: list[Standing], said: str):
    assert pacing.finding(found, False, SAY) == said


def test_a_branch_with_two_targets_is_one_branch_and_stands_where_its_worse_one_does():
    good = replace(REACHES, id="misses", name="Misses", period=OCTOBER_ON)
    other = standing("Other", 60)
    said = pacing.finding([MISSES, good, other], False, SAY)
    assert said == "1 of 2 branches will probably miss its target: Misses"


def test_once_the_days_are_over_nothing_is_only_probable():
    over = [standing(name, target, passed=20, left=0) for name, target in (("A", 200), ("B", 100), ("C", 99))]
    assert pacing.finding(over, False, SAY) == "1 of 3 branches has missed its target: A"
    assert pacing.finding(over[1:], False, SAY) == "All 2 branches have reached their target"
    assert pacing.needed(over[0], SAY) == "No working day is left to reach the target of 200"


def test_while_a_week_end_is_left_nobody_has_missed_and_without_working_days_no_share_of_them_is_told():
    by_day, weights = np.full(29, 10.0), np.r_[0, 0, np.tile([1, 1, 1, 1, 1, 0, 0], 4)[:27], 0, 0]
    late = replace(EITHER, by_day=by_day, pace=pace(by_day, weights, 295), working_passed=20.0, working_left=0.0)
    assert pacing.finding([late], False, SAY).startswith("Either will probably reach its target: 98.3 % reached")
    sunday = replace(EITHER, by_day=by_day[:1], pace=pace([30], [0, 0], 100), working_passed=0.0, working_left=0.0)
    assert (
        pacing.finding([sunday], False, SAY) == "Too early to tell whether Either will reach its target: 30.0 % reached"
    )


def test_more_names_than_make_a_sentence_are_counted():
    names = [f"B{number}" for number in range(9)]
    said = pacing.finding([*named(MISSES, *names), REACHES], False, SAY)
    assert said == "9 of 10 branches will probably miss their target: B0, B1, B2, B3, B4 and 4 more"


def test_by_last_years_course_no_working_days_are_spoken_of():
    said = pacing.finding([MISSES], True, SAY)
    assert (
        said
        == "Misses will probably miss its target: 25.0 % reached; a year ago 50.0 % of the whole had come by this day"
    )


def test_what_each_day_must_bring_stands_beside_what_it_brought():
    assert pacing.needed(MISSES, SAY) == (
        "10 working days are left: each must bring 15.0 to reach 200, so far each brought 5.0"
    )
    assert pacing.needed(standing("Done", 50), SAY) == "The target of 50 is reached"
    first = standing("First", 30, passed=0, left=1)
    assert pacing.needed(first, SAY) == "1 working day is left: each must bring 30.0 to reach 30"


def test_what_is_expected_has_its_interval_and_is_silent_where_nothing_is_expected():
    low, high = (round(end) for end in (MISSES.pace.projected.lower, MISSES.pace.projected.upper))
    assert low < 100 < high
    assert pacing.expected(MISSES, SAY) == f"Expected at the end: 100 ({low}–{high}) of 200"
    assert pacing.expected(EARLY, SAY) is None
    assert pacing.expected(standing("Over", 60, passed=11, left=0), SAY) is None


def test_rows_say_their_days_only_where_they_differ():
    assert pacing.row_names([MISSES, EITHER], SAY) == ["Misses", "Either"]
    assert pacing.row_names([MISSES, replace(EITHER, period=OCTOBER_ON)], SAY) == [
        "Misses · Nov 2026",
        "Either · Oct – Dec 2026",
    ]


def table(found: list[Standing], by_course: bool = False):
    question = Question(MEASURED[:1], NOVEMBER, (BELOW, DAYS_RUN, DAYS_LEFT))
    return pacing.table(found, replace(question, measures=MEASURED, by=(BELOW,)), "By branch", by_course, SAY)


def texts(found) -> list[list[str]]:
    return [[cell_text(c, row[c.name], SAY) for c in found.columns] for row in found.rows.to_dict("records")]


def test_the_table_has_all_that_is_known_of_each_and_says_what_is_not():
    found = table([MISSES, EARLY, standing("None", None)])
    assert [column.label for column in found.columns] == [
        "Branch", "Chance of missing", "Target, signed", "Signed towards target", "Attained", "Due by now", "Pace",
        "Needed a working day", "A working day so far", "Expected at the end", "Expected, between",
    ]  # fmt: skip
    misses, early, without = texts(found)
    assert misses[:10] == ["Misses", "100.0 %", "200", "50", "25.0 %", "50.0 %", "0.50", "15.0", "5.0", "100"]
    assert early == ["Early", "—", "100", "20", "20.0 %", "20.0 %", "1.00", "5.0", "5.0", "—", "not yet known"]
    assert without[1:8] == ["—", "—", "50", "—", "50.0 %", "—", "—"]
    assert found.rows["below"].tolist() == ["misses", "early", "none"]


def test_the_table_of_targets_for_different_days_names_them():
    found = table([MISSES, replace(EITHER, period=OCTOBER_ON)])
    assert [row[1] for row in texts(found)] == ["Nov 2026", "Oct – Dec 2026"]


def test_the_table_of_none_has_its_columns():
    found = table([])
    assert len(found.rows) == 0 and {c.name for c in found.columns} <= set(found.rows.columns)
    assert isinstance(found.rows, pd.DataFrame)
