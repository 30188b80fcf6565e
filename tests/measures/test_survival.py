"""How long things take when some are still open: other implementations, and where the data do not reach."""

import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from measures.statistics import wilson
from measures.survival import Curve, QuantileDay, curve, log_rank, quantile_day, share_by

counts = st.dictionaries(
    st.integers(0, 60), st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30
).map(lambda days: [(day, *days[day]) for day in sorted(days)])


def curve_of(rows: list[tuple[int, int, int]], **asked: float) -> Curve:
    days, events, censored = zip(*rows, strict=True)
    return curve(days, events, censored, **asked)


def cases(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """One row for each case: its last day, and 1 where it happened then."""
    days = [day for day, events, censored in rows for _ in range(events + censored)]
    happened = [int(i < events) for _, events, censored in rows for i in range(events + censored)]
    return np.array(days), np.array(happened)


@given(counts)
def test_the_curve_is_that_of_statsmodels(rows: list[tuple[int, int, int]]):
    days, happened = cases(rows)
    assume(happened.any())
    found, expected = curve_of(rows), SurvfuncRight(days, happened)
    for day, survival, at_risk, error in zip(
        expected.surv_times, expected.surv_prob, expected.n_risk, expected.surv_prob_se, strict=True
    ):
        at = found.days.tolist().index(day)
        assert 1 - found.share[at] == pytest.approx(survival)
        assert found.at_risk[at] == at_risk
        if 0 < survival < 1:
            width = 1.96 * error / (survival * abs(np.log(survival)))
            assert found.lower[at] == pytest.approx(1 - survival ** np.exp(-width))
            assert found.upper[at] == pytest.approx(1 - survival ** np.exp(width))


@given(counts)
def test_the_curve_and_its_ends_are_those_of_lifelines(rows: list[tuple[int, int, int]]):
    days, happened = cases(rows)
    assume(happened.any())
    found = curve_of(rows)
    expected = KaplanMeierFitter(alpha=2 * scipy.stats.norm.sf(1.96))
    with warnings.catch_warnings(action="ignore"):  # it divides by nobody after the last case
        expected.fit(days, happened)
    ends = expected.confidence_interval_.to_numpy()
    for day, survival, low, high in zip(
        expected.timeline, expected.survival_function_.iloc[:, 0], *ends.T, strict=True
    ):
        if day not in found.days:  # lifelines begins at 0 in any case
            assert survival == 1
            continue
        at = found.days.tolist().index(day)
        assert 1 - found.share[at] == pytest.approx(survival)
        if 0 < survival < 1:
            assert (found.lower[at], found.upper[at]) == (pytest.approx(1 - high), pytest.approx(1 - low))


@given(counts)
def test_the_ends_are_those_of_scipy(rows: list[tuple[int, int, int]]):
    days, happened = cases(rows)
    assume(happened.any())
    found = curve_of(rows)
    censored = scipy.stats.CensoredData(uncensored=days[happened == 1], right=days[happened == 0])
    survival = scipy.stats.ecdf(censored).sf
    with warnings.catch_warnings(action="ignore"):
        ends = survival.confidence_interval(confidence_level=2 * scipy.stats.norm.cdf(1.96) - 1, method="log-log")
    for day, value, low, high in zip(
        survival.quantiles, survival.probabilities, ends.low.probabilities, ends.high.probabilities, strict=True
    ):
        at = found.days.tolist().index(day)
        assert 1 - found.share[at] == pytest.approx(value)
        if 0 < value < 1:
            assert (1 - found.lower[at], 1 - found.upper[at]) == pytest.approx((high, low))


@given(counts, st.sampled_from([0.25, 0.5, 0.9]))
def test_the_days_of_a_share_are_those_on_which_a_test_cannot_tell_it_apart(
    rows: list[tuple[int, int, int]], share: float
):
    rows = [*rows, (61, 0, 1)]
    days, happened = cases(rows)
    assume(happened.any())
    found, other = curve_of(rows), SurvfuncRight(days, happened)
    # Before the first event Greenwood has no error; and at a share met exactly statsmodels waits for the next event.
    assume(found.upper[: np.argmax(found.share > 0)].max(initial=0) < share)
    assume(not np.isclose(found.share, share).any())
    survival = other.surv_prob[other.surv_prob < 1]
    error = (other.surv_prob_se / other.surv_prob)[other.surv_prob < 1] / np.abs(np.log(survival))
    z = (np.log(-np.log(survival)) - np.log(-np.log(1 - share))) / error
    times = other.surv_times[other.surv_prob < 1].astype(float)
    expected = [other.quantile(share), *(times[z >= bound][:1].min(initial=np.inf) for bound in (-1.96, 1.96))]
    assert quantile_day(found, share) == QuantileDay(*(day if np.isfinite(day) else None for day in expected))


@given(counts)
def test_the_curve_lies_between_its_ends_and_never_falls(rows: list[tuple[int, int, int]]):
    found = curve_of(rows)
    for line in (found.share, found.lower, found.upper):
        assert np.isfinite(line).all() and (line >= 0).all() and (line <= 1).all()
    assert (found.lower <= found.share + 1e-12).all() and (found.share <= found.upper + 1e-12).all()
    assert (np.diff(found.share) >= -1e-12).all()


def test_without_open_cases_the_curve_is_the_plain_share_and_reaches_as_far_as_it_is_asked():
    found = curve([1, 2, 5, 9], [30, 20, 40, 10], [0, 0, 0, 0], fewest=50)
    assert found.share == pytest.approx([0.3, 0.5, 0.9, 1.0])
    # Only ten are at risk on day 9, because ninety are done: that still stands for a hundred.
    assert found.drawn_to == 9 and found.complete
    assert share_by(found, 365).value == 1
    assert quantile_day(found, 0.5).day == 2 and quantile_day(found, 0.9).day == 5


def test_a_young_cohort_is_drawn_only_as_far_as_enough_were_followed():
    # 100 signed; 10 used it on each of days 2 and 9; 60 were last seen on day 7, the other 20 on day 20.
    found = curve([2, 7, 9, 20], [10, 0, 10, 0], [0, 60, 0, 20], fewest=50)
    assert found.drawn_to == 7 and not found.complete
    assert share_by(found, 7).value == pytest.approx(0.1)
    assert share_by(found, 8) is None and share_by(found, 30) is None
    assert share_by(found, 1).value == 0 and share_by(found, 2).value == pytest.approx(0.1)
    assert quantile_day(found, 0.5) == QuantileDay(None, None, None)
    # Open cases counted as not done would have said 20 of 100.
    assert curve([2, 7, 9, 20], [10, 0, 10, 0], [0, 60, 0, 20]).share[-1] == pytest.approx(0.4)


def test_the_interval_of_a_share_by_a_day_covers_the_truth_19_times_of_20():
    chance = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        event, seen = np.ceil(chance.exponential(40, 150)), chance.integers(10, 90, 150)
        last, happened = np.minimum(event, seen), event <= seen
        rows = [(d, (happened & (last == d)).sum(), (~happened & (last == d)).sum()) for d in range(1, 91)]
        found = share_by(curve_of(rows), 30)
        covered += found.lower <= 1 - np.exp(-30 / 40) <= found.upper
    assert 0.92 < covered / 400 < 0.98


def test_rounding_does_not_put_the_median_off_by_a_day():
    # Twelve of 24 by day 12; the product of 23/24, 22/23, … is a hair off one half.
    found = curve(range(1, 25), [1] * 24, [0] * 24)
    assert found.share[11] < 0.5
    assert quantile_day(found).day == 12


def test_a_median_is_reached_late_or_not_at_all_as_its_ends_say():
    found = quantile_day(curve(range(1, 11), [5] * 10, [5] * 10))
    assert found.lower <= found.day and (found.upper is None or found.upper >= found.day)
    barely = quantile_day(curve([5, 10, 15], [20, 20, 15], [0, 0, 45]))
    assert (barely.day, barely.upper) == (15, None)


def test_where_nothing_can_be_told_the_curve_says_so():
    empty = curve([], [], [])
    assert empty.drawn_to is None and not empty.complete
    assert share_by(empty, 30) is None and quantile_day(empty) == QuantileDay(None, None, None)
    all_open = curve([3, 8], [0, 0], [4, 6])
    assert all_open.share.tolist() == [0, 0] and all_open.lower.tolist() == [0, 0]
    assert all_open.upper == pytest.approx(wilson([0, 0], [10, 6])[1])
    assert quantile_day(all_open) == QuantileDay(None, None, None)
    nobody = curve([3, 8], [0, 0], [0, 0])
    assert nobody.drawn_to is None and share_by(nobody, 3) is None
    at_once = curve([0], [10], [0])
    assert at_once.complete and (at_once.lower[0], at_once.upper[0]) == (pytest.approx(wilson(10, 10)[0]), 1)
    too_few = curve([3, 8], [2, 1], [0, 5], fewest=30)
    assert too_few.drawn_to is None and share_by(too_few, 3) is None
    assert not curve([1], [10], [0], fewest=30).complete
    assert curve([1], [30], [0], fewest=30).drawn_to == 1
    with pytest.raises(ValueError, match="each day once"):
        curve([3, 3], [1, 1], [0, 0])


@given(counts, counts)
def test_two_curves_are_compared_as_statsmodels_does(one: list[tuple[int, int, int]], two: list[tuple[int, int, int]]):
    (days1, happened1), (days2, happened2) = cases(one), cases(two)
    found = log_rank(tuple(zip(*one, strict=True)), tuple(zip(*two, strict=True)))
    overlapping = len(days1) and len(days2) and (happened1.any() or happened2.any())
    if not overlapping:
        assert found == 1
        return
    groups = np.r_[np.zeros(len(days1)), np.ones(len(days2))]
    with np.errstate(all="ignore"):
        try:
            expected = survdiff(np.r_[days1, days2], np.r_[happened1, happened2], groups)[1]
        except (np.linalg.LinAlgError, ZeroDivisionError):
            expected = np.nan
    assert found == (1 if np.isnan(expected) else pytest.approx(expected, abs=1e-9))
