"""Whether a target will be reached: worked by hand, and held against months whose end is known."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from measures.pace import pace
from measures.statistics import Estimate


def test_half_the_days_and_four_tenths_of_the_target():
    found = pace([4] * 10, [1] * 20, 100)
    assert (found.reached, found.attained, found.elapsed) == (40, 0.4, 0.5)
    assert found.index == pytest.approx(0.8)
    assert found.needed == pytest.approx(6)
    assert found.projected.value == pytest.approx(80)
    assert found.missing > 0.95


def test_days_off_do_not_count_and_what_they_bring_goes_to_the_next_working_day():
    weekend = pace([4, 4, 4, 4, 2, 0, 2], [1, 1, 1, 1, 1, 0, 0] * 2, 100)
    assert weekend.elapsed == 0.5 and weekend.projected.value == pytest.approx(40)
    moved = pace([4, 4, 4, 4, 4, 0, 0], [1, 1, 1, 1, 1, 0, 0] * 2, 100)
    assert weekend.projected == moved.projected
    before = pace([3, 1, 4, 4, 4, 4], [0, 1, 1, 1, 1, 1, 1, 1], 100)
    assert before.projected == pace([0, 4, 4, 4, 4, 4], [0, 1, 1, 1, 1, 1, 1, 1], 100).projected


def test_last_years_curve_says_how_much_of_the_year_has_passed():
    curve = [5, 5, 5, 5, 5, 5, 35, 35]
    found = pace([10] * 6, curve, 200)
    assert found.elapsed == pytest.approx(0.3)
    assert found.index == pytest.approx(1.0) and found.projected.value == pytest.approx(200)


def ends(chance: np.random.Generator, spread: float) -> tuple[np.ndarray, int]:
    """What ten days brought, and what the twelve after them did: 9 a day, with `spread` times the variance of chance."""
    days = chance.poisson(9, 22) if spread == 1 else chance.negative_binomial(9 / (spread - 1), 1 / spread, 22)
    return days[:10], int(days[10:].sum())


@pytest.mark.parametrize("spread", [1, 3])
def test_the_projection_holds_what_comes_19_times_of_20_and_the_chance_of_missing_is_one(spread: float):
    chance = np.random.default_rng(7)
    held, foretold, missed = [], [], []
    for _ in range(1500):
        past, ahead = ends(chance, spread)
        found = pace(past, [1] * 22, 200)
        held.append(found.projected.lower <= past.sum() + ahead <= found.projected.upper)
        foretold.append(found.missing)
        missed.append(past.sum() + ahead < 200)
    # Above 0.95, because dispersion is never taken to be less than chance; below it at spread 3, where ten days are few.
    assert 0.91 < np.mean(held) < 0.985
    assert np.mean(foretold) == pytest.approx(np.mean(missed), abs=0.04)
    foretold, missed = np.array(foretold), np.array(missed)
    assert missed[foretold > 0.9].mean() > 0.85
    assert missed[foretold < 0.1].mean() < 0.15


@given(st.lists(st.integers(0, 60), min_size=5, max_size=15), st.integers(1, 15), st.integers(1, 2000))
def test_the_chance_of_missing_grows_with_the_target_and_fits_the_interval(days: list[int], left: int, target: int):
    weights = [1] * (len(days) + left)
    found, higher = pace(days, weights, target), pace(days, weights, target + 1)
    assert 0 <= found.missing <= higher.missing <= 1
    assert sum(days) <= found.projected.lower <= found.projected.upper
    if sum(days) >= target:
        assert (found.missing, found.needed) == (0, 0)
    if target > found.projected.upper + 1:
        assert found.missing > 0.97


def test_where_days_vary_as_chance_the_projection_is_poissons_with_an_estimated_rate():
    found = pace([10, 11, 9, 10, 10, 11, 9, 10], [1] * 16, 160)
    # The remainder given a rate estimated from 80 in 8 days is negative binomial.
    remainder = scipy.stats.nbinom(80, 0.5)
    assert found.missing == pytest.approx(remainder.cdf(79), abs=0.01)
    assert found.projected.lower - 80 == pytest.approx(remainder.ppf(0.025), abs=1)
    assert found.projected.upper - 80 == pytest.approx(remainder.ppf(0.975), abs=1)


def test_where_only_days_off_are_left_they_bring_what_such_days_did():
    month = [0, 0, *([1] * 5 + [0, 0]) * 4, 1]  # a month that begins and ends with a week-end: 29 days and the last two
    weights = [*month[:29], 0, 0]
    found = pace([10] * 29, weights, 300)
    assert not found.over and found.needed is None
    assert found.projected.value == pytest.approx(310) and found.projected.lower < 310 < found.projected.upper
    assert found.missing < 0.1 and pace([10] * 29, weights, 295).missing < found.missing < 0.5
    assert pace([10] * 31, weights, 311).missing == 1


def test_good_and_bad_weeks_widen_the_interval_more_than_days_that_vary_alone():
    chance = np.random.default_rng(9)
    held = []
    for _ in range(600):
        weeks = np.repeat(chance.gamma(25, 20 / 25, 12), 5)
        days = chance.poisson(weeks)
        found = pace(days[:30], [1] * 60, None)
        held.append(found.projected.lower <= days.sum() <= found.projected.upper)
    assert np.mean(held) > 0.87  # by days alone 0.76


def test_where_nothing_can_be_told_pace_says_so():
    not_begun = pace([], [1] * 20, 100)
    assert not_begun.elapsed == 0 and not_begun.index is None and not_begun.projected is None
    assert not_begun.missing is None and not_begun.needed == 5
    early = pace([9, 9], [1] * 20, 100)
    assert early.projected is None and early.missing is None and early.index == pytest.approx(1.8)
    assert pace([60, 60], [1] * 20, 100).missing == 0
    untargeted = pace([9] * 10, [1] * 20, None)
    assert (
        untargeted.target is untargeted.attained is untargeted.needed is untargeted.missing is untargeted.index is None
    )
    assert untargeted.projected.value == 180
    assert pace([9] * 10, [1] * 20, 0).target is None
    none_so_far = pace([0] * 10, [1] * 20, 30)
    assert (
        none_so_far.projected.lower == none_so_far.projected.value == 0 < none_so_far.projected.upper
        and none_so_far.missing > 0.99
    )
    over = pace([9] * 10, [1] * 10, 100)
    assert over.projected == Estimate(90, 90, 90) and over.missing == 1 and over.needed is None
    assert pace([10] * 10, [1] * 10, 100).missing == 0
    only_days_off = pace([0, 0], [0, 0, 0], 10)
    assert only_days_off.elapsed is None and only_days_off.missing is None and not only_days_off.over
    assert pace([0, 0, 0], [0, 0, 0], 10).missing == 1
    with pytest.raises(ValueError, match="give each day"):
        pace([1, 2, 3], [1, 1], 5)
