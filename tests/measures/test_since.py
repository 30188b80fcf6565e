"""What has changed since, and what can be compared: against the published examples, and against chance itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.alike import FEWEST, MOST, Unit, comparable
from measures.catalogue import MEASURES
from measures.model import Ratio
from measures.model import Unit as Written
from measures.since import FEWEST_STEPS, NOT_TOLD, Sample, Verdict, brought, sample, since, unlike, wavering
from measures.statistics import Estimate, garwood, wilson

COVERAGE, PER_1000, RECEIVED = (
    MEASURES[name] for name in ("coverage", "complaints_per_1000_contracts", "complaints_received")
)


def share(k: int, n: int) -> Sample:
    return Sample(k / n, k, n, rate=False)


def test_a_share_of_too_few_is_no_sample_and_neither_is_a_median():
    enough = {"coverage": 0.5, "contacted": 15, "assigned": 30}
    assert sample(COVERAGE, enough) == Sample(0.5, 15, 30, rate=False)
    assert sample(COVERAGE, enough | {"contacted": 14, "assigned": 29, "coverage": 14 / 29}) is None
    assert sample(COVERAGE, enough | {"coverage": float("nan")}) is None
    assert sample(COVERAGE, {"coverage": 0.5}) is None
    assert sample(MEASURES["complaints_median_days"], {"complaints_median_days": 4.0}) is None


def test_of_what_chance_has_no_say_in_nothing_is_judged():
    without = [measure for measure in MEASURES.values() if isinstance(measure, Ratio) and measure.spread is None]
    assert {measure.unit for measure in without} > {Written.SHARE}
    for measure in without:
        assert sample(measure, {measure.name: 0.5, measure.over.name: 50, measure.under.name: 100}) is None


def test_a_rate_keeps_its_unit_and_a_count_is_of_one():
    row = {"complaints_per_1000_contracts": 2.5, "complaints_received": 10, "holders": 4000}
    assert sample(PER_1000, row) == Sample(2.5, 10, 4000, rate=True, per=1000)
    assert sample(RECEIVED, row) == Sample(10, 10, 1, rate=True)


def test_the_ends_of_a_difference_are_newcombes():
    # Newcombe 1998, method 10, table II: 56/70 against 48/80, 95 %: 0.0524 to 0.3339. The formula is here at three standard errors,
    # so it is the published one that is held to the published ends.
    (l1, u1), (l2, u2) = wilson(56, 70), wilson(48, 80)
    low = 0.2 - np.hypot(0.8 - l1, u2 - 0.6)
    high = 0.2 + np.hypot(u1 - 0.8, 0.6 - l2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    (l1, u1), (l2, u2) = wilson(56, 70, 3), wilson(48, 80, 3)
    found = since(share(56, 70), share(48, 80))
    assert found.change.lower == pytest.approx(0.2 - np.hypot(0.8 - l1, u2 - 0.6))
    assert found.change.upper == pytest.approx(0.2 + np.hypot(u1 - 0.8, 0.6 - l2))
    assert found.verdict is Verdict.SAME


def test_a_leap_is_told_with_its_direction_and_a_waver_is_not():
    assert since(share(700, 1000), share(600, 1000)).verdict is Verdict.UP
    assert since(share(600, 1000), share(700, 1000)).verdict is Verdict.DOWN
    assert since(share(612, 1000), share(600, 1000)).verdict is Verdict.SAME
    assert since(Sample(3, 3, 1, rate=True), Sample(1, 1, 1, rate=True)).verdict is Verdict.SAME
    assert since(Sample(420, 420, 1, rate=True), Sample(300, 300, 1, rate=True)).verdict is Verdict.UP


def test_what_is_missing_is_not_no_change():
    assert since(None, share(5, 10)) is NOT_TOLD and since(share(5, 10), None) is NOT_TOLD


@given(n=st.integers(30, 4000), share_=st.floats(0.02, 0.98), seed=st.integers(0, 10**6))
def test_chance_alone_is_hardly_ever_told(n: int, share_: float, seed: int):
    # Three standard errors: 27 of 10,000. Of 200 pairs of one seed nearly none, and never one in twenty, as two standard errors tell.
    random = np.random.default_rng(seed)
    pairs = random.binomial(n, share_, (200, 2))
    told = [since(share(int(a), n), share(int(b), n)).verdict is not Verdict.SAME for a, b in pairs]
    assert np.mean(told) < 0.03


def counted(*numbers: float) -> list[Sample]:
    return [Sample(n, n, 1, rate=True) for n in numbers]


def test_what_differs_from_week_to_week_anyhow_is_not_told_of_one_week():
    # Month ends, as of contracts signed: 1,277 after 891 is Poisson's eleven standard errors, and what happens each month.
    weeks = counted(618, 651, 651, 770, 956, 606, 698, 614, 913, 652, 678, 690, 908, 785, 755, 778, 810, 1088)
    now, then = counted(913, 614)
    assert since(now, then).verdict is Verdict.UP
    assert since(now, then, wavering(weeks)).verdict is Verdict.SAME
    assert since(counted(6000)[0], then, wavering(weeks)).verdict is Verdict.UP


def test_how_far_steps_waver_is_the_median_over_what_chance_makes_it():
    # (110 − 90)² ÷ (110 + 90) = 2 at each step; chance alone has a median of 0.4549.
    assert wavering(counted(*[90, 110] * 5)) == pytest.approx(2 / 0.4549364)
    assert wavering(counted(*[90, 110] * 4, 90)) > 4, "just enough to learn it from"
    assert wavering(counted(*[100] * 20)) == 1.0
    assert wavering(counted(*[90, 110] * (FEWEST_STEPS // 2))) == 1.0, "too few to learn it from"
    # 0.5 ± 0.1 of 100: 0.04 ÷ (0.25 · 2 ÷ 100) = 8.
    assert wavering([share(k, 100) for k in [40, 60] * 5]) == pytest.approx(8 / 0.4549364)
    assert wavering([None, *counted(*[90, 110] * 5), None]) == pytest.approx(2 / 0.4549364)
    per_1000 = [Sample(k / 4, k, 4000, rate=True, per=1000) for k in [90, 110] * 5]
    assert wavering(per_1000) == pytest.approx(2 / 0.4549364)


def test_what_weeks_waver_by_draws_the_ends_further_to_both_sides():
    near, far = (since(share(56, 70), share(48, 80), wavers).change for wavers in (1.0, 4.0))
    assert far.value == near.value
    assert far.lower - far.value == pytest.approx(2 * (near.lower - near.value))
    assert far.upper - far.value == pytest.approx(2 * (near.upper - near.value))


def test_what_moves_everybody_is_not_what_an_action_brought():
    before, after = share(5000, 10_000), share(6000, 10_000)
    assert since(after, before).verdict is Verdict.UP
    assert brought(after, before, share(60_000, 100_000), share(50_000, 100_000)).verdict is Verdict.SAME
    assert brought(after, before, share(50_100, 100_000), share(50_000, 100_000)).verdict is Verdict.UP
    assert brought(after, before, None, share(50_000, 100_000)) is NOT_TOLD


def test_the_ends_of_what_an_action_brought_are_wider_than_its_own_change():
    own = since(share(600, 1000), share(500, 1000)).change
    more = brought(share(600, 1000), share(500, 1000), share(500, 1000), share(500, 1000)).change
    assert more.lower < own.lower and more.upper > own.upper and more.value == pytest.approx(own.value)


def test_how_unlike_changes_are_is_cochrans_q_per_degree_of_freedom():
    # Three that changed by 0, 0.1 and 0.2, each of 400 and 400: weights alike, so Q is what they lie off their mean over one variance.
    found = [(share(200 + more, 400), share(200 - more, 400)) for more in (0, 20, 40)]
    assert unlike(found) == pytest.approx(2 * 0.1**2 / (0.25 * 2 / 400) / 2)
    assert unlike([found[1]] * 3) == 1.0 and unlike(found[:1]) == 1.0 and unlike([(None, found[0][0]), found[0]]) == 1.0
    # One of many counts for more than one of few.
    mixed = [(share(600, 1000), share(500, 1000)), (share(50, 100), share(50, 100))]
    each = [0.55 * 0.45 * 2 / 1000, 0.25 * 2 / 100]
    assert unlike(mixed) == pytest.approx(0.1**2 / sum(each))


def test_where_comparable_ones_move_apart_anyhow_less_is_told_of_an_action():
    after, before, still = share(6000, 10_000), share(5500, 10_000), share(5000, 10_000)
    assert brought(after, before, still, still).verdict is Verdict.UP
    assert brought(after, before, still, still, 9.0).verdict is Verdict.SAME


def test_garwoods_tail_is_the_chance_beyond_each_end():
    assert garwood(0, 1, 0.05)[1] == pytest.approx(-np.log(0.05))


def test_the_likest_come_first_and_too_few_are_none():
    acted = Unit("a", 0.50, 100)
    others = [Unit("far", 0.90, 200), Unit("near", 0.51, 110), Unit("large", 0.50, 6400), Unit("a", 0.5, 100)]
    assert [unit.id for unit in comparable(acted, others, fewest=30)] == ["near", "large", "far"]
    assert comparable(acted, others[:2], fewest=30) == []
    assert comparable(acted, [*others[:2], Unit("small", 0.5, 29)], fewest=30) == []


def test_half_and_twice_the_size_are_as_far_and_rates_are_apart_in_shares_of_how_far_they_reach():
    acted = Unit("acted", 0.50, 1000)
    sizes = [Unit("half", 0.50, 500), Unit("larger", 0.50, 1600), Unit("largest", 0.50, 64_000)]
    assert [unit.id for unit in comparable(acted, sizes, fewest=30)] == ["larger", "half", "largest"]
    # All rates lie above: that one lies a little nearer counts for less than that it is of another size.
    above = [Unit("nearer", 0.80, 4000), Unit("liker", 0.81, 2000), Unit("far", 0.82, 32_000)]
    assert [unit.id for unit in comparable(acted, above, fewest=30)] == ["liker", "nearer", "far"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(30, 10**6)), min_size=FEWEST, max_size=30),
    st.floats(0, 1),
    st.integers(30, 10**6),
)
def test_as_many_as_are_wanted_all_different_and_never_itself(others, value: float, of: int):
    units = [Unit(str(at), *pair) for at, pair in enumerate(others)]
    found = comparable(Unit("acted", value, of), units, fewest=30)
    assert len(found) == min(MOST, len(units)) == len({unit.id for unit in found})
    twin = Unit("twin", value, of)
    assert comparable(Unit("acted", value, of), [*units, twin], fewest=30)[0].value == pytest.approx(value)


def test_an_estimate_has_its_ends_around_it():
    found = since(share(700, 1000), share(600, 1000)).change
    assert isinstance(found, Estimate) and found.lower < found.value < found.upper
