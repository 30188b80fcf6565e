"""What is said of how fast things happen: half by which day, who differs beyond chance, and what cannot be told."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from measures.catalogue import MEASURES
from measures.dimensions import CAUSE, PRODUCT, QUARTER
from measures.period import Period
from measures.question import Question
from measures.waits import CLOSING, FIRST_CONTACT, FIRST_USE, Wait, Waited, waited
from presentation import speed
from presentation.words import words

SAY = words("en")
Counts = list[tuple[int, int, int]]
"""Days, how many began, to how many it happened."""
FAST: Counts = [(5, 300, 300), (25, 100, 100), (100, 600, 0)]
SLOW: Counts = [(5, 60, 60), (40, 140, 140), (100, 800, 0)]


def groups(wait: Wait, by: str, **counts: Counts) -> list[Waited]:
    rows = [(group, *row) for group, listed in counts.items() for row in listed]
    found = pd.DataFrame(rows, columns=[by, wait.days.name, wait.began, wait.happened])
    if by == PRODUCT.name:
        found[by + "_name"] = found[by].str.title()
    if by == QUARTER.name:
        found[by] = pd.to_datetime(found[by].str.removeprefix("q"), format="%Y%m%d")
    return waited(found, wait, {PRODUCT.name: PRODUCT, CAUSE.name: CAUSE, QUARTER.name: QUARTER}[by])


def told(wait: Wait, by: str, **counts: Counts) -> list[str]:
    dimension = {PRODUCT.name: PRODUCT, CAUSE.name: CAUSE, QUARTER.name: QUARTER}[by]
    return speed.finding(groups(wait, by, **counts), wait, dimension, SAY).split("; ")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(6, 500, 500), (7, 500, 500)], "Half of the complaints are closed within 6 days (6–7)"),
        ([(0, 900, 900), (9, 100, 100)], "Half of the complaints are closed within 0 days"),
        ([(1, 900, 900), (9, 100, 100)], "Half of the complaints are closed within 1 day"),
        ([(3, 26, 26), (4, 14, 0)], "Half of the complaints are closed within 3 days"),
        ([(8, 45, 45), (9, 45, 0)], "Half of the complaints are closed within 8 days (8 or more)"),
        # Of those closed, half took 2 days: open ones are counted, and there half is not reached.
        ([(2, 90, 90), (40, 900, 0)], "9.1 % of the complaints are closed within 30 days"),
        ([(2, 29, 20)], "Too few complaints to tell how fast they are closed"),
    ],
)
def test_the_median_is_told_with_its_interval_and_open_ones_are_counted(rows, expected):
    assert told(CLOSING, "cause", fees=rows)[0] == expected


def test_the_fastest_and_the_slowest_are_named_where_they_differ_beyond_chance():
    assert told(FIRST_USE, "product", a=FAST, b=SLOW)[-1] == "A is fastest (40.0 % by day 90), B slowest (20.0 %)"
    assert told(FIRST_USE, "product", a=FAST, b=FAST)[-1] == "the difference by product may be chance"


def test_the_furthest_apart_of_many_are_not_called_apart_where_two_alone_would_be():
    lower: Counts = [(5, 100, 100), (50, 900, 0)]
    higher: Counts = [(5, 140, 140), (50, 860, 0)]
    between: Counts = [(5, 120, 120), (50, 880, 0)]
    assert "slowest" in told(FIRST_CONTACT, "product", a=lower, b=higher)[-1]
    many = {f"m{number}": between for number in range(12)}
    assert told(FIRST_CONTACT, "product", a=lower, b=higher, **many)[-1] == "the difference by product may be chance"


def test_the_youngest_cohort_is_held_against_the_one_before_it_on_days_that_both_have_seen():
    # Only 20 days old: the share of the older one by day 100 would make it look slow.
    young: Counts = [(5, 300, 300), (20, 700, 0)]
    assert told(FIRST_USE, "quarter", q20260101=SLOW, q20260401=FAST, q20260701=young)[-1] == (
        "Q3 2026 cannot be told apart from Q2 2026"
    )
    behind: Counts = [(5, 150, 150), (20, 850, 0)]
    assert told(FIRST_USE, "quarter", q20260101=SLOW, q20260401=FAST, q20260701=behind)[-1] == (
        "Q3 2026 is slower than Q2 2026"
    )
    assert told(FIRST_USE, "quarter", q20260401=SLOW, q20260701=young)[-1] == "Q3 2026 is faster than Q2 2026"


def test_of_curves_that_cross_neither_is_called_faster():
    late: Counts = [(day, 14, 14) for day in range(40, 90)] + [(200, 300, 0)]
    soon: Counts = [(day, 34, 34) for day in range(1, 21)] + [(200, 320, 0)]
    # 70 of 100 by day 90, the first after 40 days, against 68 within 20 days.
    assert len(told(FIRST_USE, "product", late=late, soon=soon)) == 1
    assert len(told(FIRST_USE, "quarter", q20260401=late, q20260701=soon)) == 1


def test_a_group_alone_is_compared_with_nothing():
    assert len(told(CLOSING, "cause", fees=[(6, 500, 500)], training=[(6, 5, 5)])) == 1


def test_what_runs_backwards_is_said():
    dirty: Counts = [(-3, 1, 1), (5, 40, 40)]
    found = groups(CLOSING, "cause", fees=dirty)
    assert speed.backwards(found, CLOSING, SAY) == "Left out because they were closed before they came in: 1."
    assert speed.backwards(groups(CLOSING, "cause", fees=FAST), CLOSING, SAY) is None


def test_of_many_lines_the_largest_are_drawn_and_with_them_those_that_the_title_names():
    large = {f"large{number}": [(5, 5000, 3000), (100, 5000 + number, 0)] for number in range(9)}
    found = groups(FIRST_USE, "product", slow=SLOW, fast=[(5, 90, 90)], few=[(5, 9, 9)], **large)
    drawn = [group.id for group in speed.to_draw(found, FIRST_USE, PRODUCT, 7)]
    assert drawn == ["large8", "large7", "large6", "large5", "large4", "slow", "fast"]


def test_the_table_says_why_a_value_cannot_be_told():
    young: Counts = [(5, 30, 30), (40, 60, 0)]
    found = groups(CLOSING, "cause", fees=FAST, misselling=young, queueing=[(3, 29, 29)])
    question = Question((MEASURES[CLOSING.began], MEASURES[CLOSING.happened]), PERIOD, (CAUSE, CLOSING.days))
    table = speed.table(found, CLOSING, CAUSE, question, "By cause", SAY)
    assert [column.label for column in table.columns][:4] == [
        "Cause",
        "Complaints received",
        "Half by day",
        "Half, between",
    ]
    rows = table.rows.set_index("cause")
    assert rows["complaints_received"].tolist() == [1000, 90, 29]
    assert rows.loc["fees", ["by_30", "by_30_between"]].tolist() == [0.4, "37.0–43.1 %"]
    assert rows.loc["fees", "half_between"] == "not reached"
    assert rows["by_15_between"].tolist()[2] == "fewer than 30"
    assert pd.isna(rows.loc["queueing", "by_15"])


def test_a_cohort_too_young_for_a_day_is_not_yet_known_by_then():
    found = groups(FIRST_USE, "quarter", q20260401=FAST, q20260701=[(5, 300, 300), (40, 700, 0)])
    question = Question((MEASURES["signed"], MEASURES["activated"]), PERIOD, (QUARTER, FIRST_USE.days))
    rows = speed.table(found, FIRST_USE, QUARTER, question, "By quarter", SAY).rows
    assert rows["by_30"].tolist() == [pytest.approx(0.4), pytest.approx(0.3)]
    assert pd.isna(rows["by_60"].iloc[1]) and rows["by_60_between"].iloc[1] == "not yet known"
    assert rows["by_90_between"].iloc[0] != "not yet known"


PERIOD = Period(date(2026, 1, 1), date(2026, 9, 30))
