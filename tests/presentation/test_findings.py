"""Sentences written from numbers: each says what the numbers support, and no more."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from measures.activation import active_rate_30, cohort_activation_rate, signed
from measures.complaints import median_days, per_1000_contracts, received
from measures.dimensions import BELOW, CAUSE, FAMILY, MONTH
from presentation.charts import Step
from presentation.findings import (
    course,
    doubt,
    first_of,
    moved,
    pace,
    spread,
    steepest,
    too_few,
)
from presentation.words import words

SAY = words("en")
RATE, BASE = "cohort_activation_rate", "mature_signed"


def one(**values: float) -> pd.DataFrame:
    return pd.DataFrame([values])


def rate(now: float, before: float | None, base: int, base_before: int | None) -> pd.DataFrame:
    change = None if before is None else now - before
    return one(
        **{RATE: now, f"{RATE}_before": before, f"{RATE}_change": change, BASE: base, f"{BASE}_before": base_before}
    )


def test_a_headline_tells_a_change_beyond_chance_with_its_direction():
    assert (
        moved(cohort_activation_rate, rate(0.60, 0.70, 5000, 5000), SAY)
        == "Activation rate fell by 10.0 points to 60.0 %"
    )
    assert (
        moved(cohort_activation_rate, rate(0.70, 0.60, 5000, 5000), SAY)
        == "Activation rate rose by 10.0 points to 70.0 %"
    )


def test_a_headline_says_when_a_change_may_be_chance():
    assert "may be chance" in moved(cohort_activation_rate, rate(0.68, 0.70, 500, 500), SAY)
    assert doubt(cohort_activation_rate, rate(0.68, 0.70, 500, 500).iloc[0], SAY) == "the change may be chance"
    assert doubt(cohort_activation_rate, rate(0.60, 0.70, 5000, 5000).iloc[0], SAY) is None


def test_too_few_now_are_said_to_be_few_and_too_few_before_only_take_the_change_away():
    assert (
        moved(cohort_activation_rate, rate(0.6, 0.7, 12, 5000), SAY)
        == "Activation rate: 60.0 %, of only 12: too few to judge"
    )
    assert moved(cohort_activation_rate, rate(0.6, 0.7, 5000, 12), SAY) == "Activation rate: 60.0 %"
    assert moved(cohort_activation_rate, rate(0.6, None, 6532, None), SAY) == "Activation rate: 60.0 %"


def test_what_cannot_be_told_is_said_so_and_not_drawn_as_nought():
    assert (
        moved(cohort_activation_rate, rate(float("nan"), None, 0, 0), SAY)
        == "Activation rate cannot be told for these days"
    )


@pytest.mark.parametrize(("base", "few"), [(29, True), (30, False)])
def test_thirty_are_enough_and_fewer_are_too_few(base: int, few: bool):
    assert bool(too_few(cohort_activation_rate, rate(0.5, 0.5, base, 30)).iloc[0]) is few


def by_branch(*rows: tuple[str, float, int]) -> pd.DataFrame:
    names, rates, bases = zip(*rows, strict=True)
    return pd.DataFrame({"below": names, "below_name": names, RATE: rates, BASE: bases})


def test_the_three_of_three_is_not_the_best_branch():
    found = spread(
        cohort_activation_rate, by_branch(("Tiny", 1.0, 3), ("Good", 0.8, 900), ("Poor", 0.5, 900)), BELOW, SAY
    )
    assert found == "Good (80.0 %) is highest, Poor (50.0 %) lowest"


def test_branches_that_lie_within_chance_are_not_ranked():
    found = spread(cohort_activation_rate, by_branch(("A", 0.70, 50), ("B", 0.66, 50)), BELOW, SAY)
    assert found == "From B (66.0 %) to A (70.0 %): too close to tell apart"


def test_a_median_is_ranked_and_not_said_to_be_part_of_a_sum():
    rows = pd.DataFrame({"below": ["1", "2"], "below_name": ["A", "B"], median_days.name: [9.0, 2.0]})
    assert spread(median_days, rows, BELOW, SAY) == "A (9.0) is highest, B (2.0) lowest"


def test_the_most_of_a_count_stands_beside_the_whole():
    rows = pd.DataFrame({"cause": ["fees", "queueing"], "complaints_received": [30, 70]})
    assert first_of(received, rows, CAUSE, one(complaints_received=100), SAY) == "Queueing has the most: 70 of 100"
    alike = rows.assign(complaints_received=50)
    assert first_of(received, alike, CAUSE, one(complaints_received=100), SAY) == "2 share the most: 50 of 100 each"
    assert (
        first_of(received, rows.assign(complaints_received=0), CAUSE, one(complaints_received=0), SAY)
        == "None in these days"
    )


def test_a_rate_for_1_000_contracts_needs_more_than_thirty_of_them():
    rows = one(complaints_per_1000_contracts=33.3, holders=30)
    assert too_few(per_1000_contracts, rows).all() and not too_few(per_1000_contracts, rows.assign(holders=300)).any()


def test_a_course_ends_where_the_numbers_are_final():
    months = pd.to_datetime(["2026-08-01", "2026-09-01", "2026-10-01"])
    rows = pd.DataFrame({"month": months, "signed": [100, 120, 10]})
    found = course(signed, rows, None, MONTH, date(2026, 10, 1), SAY)
    assert found == "From 100 in Aug 2026 to 120 in Sep 2026"


def test_the_step_with_the_smallest_share_is_named():
    steps = [Step("Assigned", 100), Step("Contacted", 90, 0.9), Step("Signed", 9, 0.1)]
    assert steepest(steps, SAY) == "The fewest go on from “Contacted” to “Signed”: 10.0 %"


def test_a_target_is_said_with_its_own_numbers():
    assert pace(6400, 11449, 1.05, SAY) == "Target: 6,400 of 11,449, pace 1.05"


def test_what_is_known_for_today_alone_has_no_doubtful_change():
    assert doubt(active_rate_30, one(active_rate_30=0.4, holders=500).iloc[0], SAY) is None


def test_of_several_lines_one_of_few_does_not_lead_by_luck():
    rows = [("big", 1, 0.70, 9000), ("big", 2, 0.66, 9000), ("small", 1, 0.70, 40), ("small", 2, 0.60, 40)]
    answer = pd.DataFrame(rows, columns=["family", "month", RATE, BASE])
    answer["month"] = pd.to_datetime({"year": 2026, "month": answer["month"], "day": 1})
    said = course(cohort_activation_rate, answer, FAMILY, MONTH, None, SAY)
    assert "small" not in said and said.endswith("moved most: from 70.0 % in Jan 2026 to 66.0 % in Feb 2026")
    few = answer[answer["family"] == "small"]
    assert course(cohort_activation_rate, few, FAMILY, MONTH, None, SAY) == (
        "Activation rate: from first to last none moved by more than chance"
    )
