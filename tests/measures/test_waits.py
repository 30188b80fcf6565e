"""What an answer's counts by day become: one curve for each group, with what cannot be counted said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from measures.dimensions import CAUSE, PRODUCT, QUARTER
from measures.survival import curve, share_by
from measures.waits import CLOSING, FEWEST, FIRST_USE, Wait, together, told_by_all, waited


def answer(wait: Wait, by: str, rows: list[tuple[object, int, int, int]]) -> pd.DataFrame:
    """Group, days, how many began, to how many it happened; in the order given, with types as the warehouse gives them."""
    found = pd.DataFrame(rows, columns=[by, wait.days.name, wait.began, wait.happened])
    if by == PRODUCT.name:
        found[by + "_name"] = found[by].map({"a": "Ada", "b": "Bea"})
    return found.astype(dict.fromkeys((wait.days.name, wait.began, wait.happened), "Int64"))


def test_each_group_has_the_curve_of_its_own_counts_whatever_the_order_of_the_rows():
    rows = [("b", 9, 40, 10), ("a", 3, 50, 50), ("b", 2, 60, 60), ("a", 30, 100, 0), ("a", 0, 10, 4)]
    first, second = waited(answer(FIRST_USE, "product", rows), FIRST_USE, PRODUCT)
    assert [(g.id, g.name, g.cases) for g in (first, second)] == [("a", "Ada", 160), ("b", "Bea", 100)]
    expected = curve([0, 3, 30], [4, 50, 0], [6, 0, 100], fewest=FEWEST)
    assert first.curve.share.tolist() == expected.share.tolist()
    assert first.curve.drawn_to == expected.drawn_to == 30
    assert share_by(second.curve, 2).value == pytest.approx(0.6)


def test_days_that_run_backwards_are_left_out_and_counted():
    rows = [("fees", -2, 3, 1), ("fees", -1, 1, 0), ("fees", 5, 40, 40)]
    (found,) = waited(answer(CLOSING, "cause", rows), CLOSING, CAUSE)
    assert (found.cases, found.backwards, found.curve.complete) == (40, 4, True)
    (nothing,) = waited(answer(CLOSING, "cause", rows[:2]), CLOSING, CAUSE)
    assert (nothing.cases, nothing.backwards, nothing.curve.drawn_to) == (0, 4, None)


def test_what_is_not_recorded_is_a_group_too():
    found = waited(answer(CLOSING, "cause", [(None, 5, 40, 40), ("fees", 4, 50, 9)]), CLOSING, CAUSE)
    assert [group.id for group in found] == ["fees", None]


def test_cohorts_stand_as_time_passes_and_others_by_their_size():
    days = pd.to_datetime(["2026-04-01", "2026-01-01", "2026-07-01"])
    found = waited(answer(FIRST_USE, "quarter", [(d, 1, 40 + n, 9) for n, d in enumerate(days)]), FIRST_USE, QUARTER)
    assert [group.id for group in found] == sorted(days)


def test_a_line_is_settled_only_while_half_of_its_cases_were_followed():
    # 60 of 100 were seen for 10 days only: from then on the line is that of 40.
    (found,) = waited(answer(FIRST_USE, "product", [("a", 10, 60, 0), ("a", 50, 40, 30)]), FIRST_USE, PRODUCT)
    assert (found.settled_to, found.curve.drawn_to) == (10, 50)
    # Where they left because it happened to them, the 40 stand for all.
    (found,) = waited(answer(FIRST_USE, "product", [("a", 10, 60, 60), ("a", 50, 40, 30)]), FIRST_USE, PRODUCT)
    assert (found.settled_to, found.curve.drawn_to) == (50, 50)


def test_all_together_are_the_curve_of_the_counts_added_by_day_and_not_the_mean_of_the_curves():
    rows = [("a", 1, 900, 900), ("a", 2, 100, 0), ("b", 1, 10, 0), ("b", 3, 90, 90), ("b", -1, 2, 2)]
    whole = together(waited(answer(FIRST_USE, "product", rows), FIRST_USE, PRODUCT))
    expected = curve([1, 2, 3], [900, 0, 90], [10, 100, 0], fewest=FEWEST)
    np.testing.assert_array_equal(whole.curve.share, expected.share)
    assert (whole.cases, whole.backwards) == (1100, 2)


def test_groups_are_compared_on_the_last_day_that_all_have_reached_who_have_reached_the_first():
    rows = [("a", 1, 50, 50), ("a", 75, 50, 0), ("b", 1, 50, 20), ("b", 95, 50, 0), ("c", 20, 90, 0)]
    day, known = told_by_all(waited(answer(FIRST_USE, "product", rows), FIRST_USE, PRODUCT), FIRST_USE)
    assert day == 60
    assert {group.id for group in known} == {"a", "b"}
