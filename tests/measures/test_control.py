"""What a control chart calls a signal: the published example, plain recounting, and series whose truth is known."""

from itertools import groupby, pairwise
from math import sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from measures.control import Method, Point, Run, Runs, control_chart, fewest_crossings, longest_expected

COUNT = [12, 15, 9, 22, 14, 30, 11, 13]
THOUSANDS = [4.1, 4.2, 4.0, 4.3, 4.2, 4.4, 4.1, 4.3]

series = st.lists(st.tuples(st.integers(0, 80), st.sampled_from([0, 0.5, 1, 3.25, 4, 9.1])), max_size=40)


def test_the_published_series_is_overdispersed_and_its_sixth_point_inside():
    chart = control_chart(COUNT, THOUSANDS)
    assert chart.centre == pytest.approx(3.75)
    assert chart.sigma == pytest.approx(1.9617, abs=5e-5)
    assert chart.value[5] == pytest.approx(6.818, abs=5e-4)
    assert chart.method is Method.U_PRIME
    assert chart.upper[5] == pytest.approx(9.183, abs=5e-4)
    assert set(chart.points) == {Point.INSIDE}
    limit_of_chance_alone = chart.centre + (chart.upper[5] - chart.centre) / chart.sigma
    assert limit_of_chance_alone == pytest.approx(6.520, abs=5e-4)
    assert chart.value[5] > limit_of_chance_alone


@given(series)
def test_centre_limits_and_points_are_as_recounted_one_by_one(points: list[tuple[int, float]]):
    chart = control_chart([c for c, _ in points], [e for _, e in points])
    some = [(c, e) for c, e in points if e > 0]
    assert np.isnan(chart.value).tolist() == [e == 0 for _, e in points]
    if not some:
        assert chart.centre is None
        return
    centre = sum(c for c, _ in some) / sum(e for _, e in some)
    assert chart.centre == pytest.approx(centre)
    if len(some) < 8 or centre == 0:
        assert chart.method is Method.NOT_TOLD and set(chart.points) <= {Point.NOT_TOLD}
        assert chart.sigma is None and set(chart.upper) == {np.inf}
        return
    z = [(c / e - centre) / sqrt(centre / e) for c, e in some]
    sigma = sum(abs(b - a) for a, b in pairwise(z)) / (len(z) - 1) / 1.128
    assert chart.sigma == pytest.approx(sigma)
    widened = sigma if chart.method is Method.U_PRIME else 1
    assert widened >= 1
    for (c, e), lower, upper, place in zip(points, chart.lower, chart.upper, chart.points, strict=True):
        if e == 0:
            assert place is Point.NOT_TOLD
            continue
        half = 3 * widened * sqrt(centre / e)
        most = scipy.stats.poisson.ppf(1 - 0.00135, centre * e) / e if chart.method is Method.U else 0
        assert (lower, upper) == pytest.approx((max(0, centre - half), max(centre + half, most)))
        assert place is (Point.ABOVE if c / e > upper else Point.BELOW if c / e < lower else Point.INSIDE)


@given(series)
def test_runs_are_as_recounted_one_by_one(points: list[tuple[int, float]]):
    chart = control_chart([c for c, _ in points], [e for _, e in points])
    off = [(at, c / e > chart.centre) for at, (c, e) in enumerate(points) if e and abs(c / e - chart.centre) > 1e-9]
    runs = [list(members) for _, members in groupby(off, key=lambda point: point[1])]
    if not runs:
        assert chart.longest is None and chart.runs is Runs.NOT_TOLD and chart.crossings == 0
        return
    longest = max(runs, key=len)
    assert chart.longest == Run(longest[0][0], longest[-1][0] + 1, len(longest), longest[0][1])
    assert chart.crossings == len(runs) - 1
    shifted = len(longest) > round(np.log2(len(off))) + 3
    waves = len(runs) - 1 < scipy.stats.binom.ppf(0.05, len(off) - 1, 0.5)
    if len(off) < 10:
        assert chart.runs is Runs.NOT_TOLD
    else:
        assert chart.runs is (Runs.SHIFTED if shifted else Runs.WAVES if waves else Runs.STEADY)


@given(st.integers(1, 3000))
def test_what_chance_lets_pass_is_the_quantile_and_the_logarithm(points: int):
    assert fewest_crossings(points) == max(0, scipy.stats.binom.ppf(0.05, points - 1, 0.5))
    assert longest_expected(points) == round(np.log2(points)) + 3


def test_limits_frozen_on_the_good_months_show_the_bad_ones():
    chance = np.random.default_rng(4)
    count = np.r_[chance.poisson(40, 24), chance.poisson(85, 12)]
    exposure = np.full(36, 10.0)
    frozen = control_chart(count, exposure, slice(0, 24))
    assert frozen.centre == pytest.approx(count[:24].sum() / 240)
    assert frozen.points[24:].count(Point.ABOVE) >= 10
    assert set(frozen.points[:24]) == {Point.INSIDE}
    assert frozen.runs is Runs.SHIFTED and frozen.longest == Run(24, 36, 12, True)
    of_all = control_chart(count, exposure)
    assert of_all.points[24:].count(Point.ABOVE) < frozen.points[24:].count(Point.ABOVE)


def test_a_series_that_swings_anyhow_gives_a_fifth_of_the_false_alarms_with_the_limits_it_chooses():
    of_chance = chosen = points = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        exposure = chance.uniform(8, 12, 36)
        count = chance.poisson(exposure * chance.gamma(20, 4 / 20, 36))
        chart = control_chart(count, exposure)
        of_chance += (np.abs(chart.value - chart.centre) > 3 * np.sqrt(chart.centre / exposure)).sum()
        chosen += 36 - chart.points.count(Point.INSIDE)
        points += 36
    assert of_chance / points > 0.02
    assert of_chance >= 5 * chosen


def test_a_series_of_chance_keeps_the_narrow_limits():
    chance = np.random.default_rng(8)
    charts = [control_chart(chance.poisson(40, 36), np.full(36, 10.0)) for _ in range(300)]
    assert sum(chart.method is Method.U_PRIME for chart in charts) < 0.08 * 300
    assert sum(36 - chart.points.count(Point.INSIDE) for chart in charts) < 0.006 * 300 * 36
    assert sum(chart.runs is Runs.STEADY for chart in charts) > 0.85 * 300


@pytest.mark.parametrize("mean", [0.15, 0.25, 0.5, 1, 2, 5, 40])
def test_an_outlet_of_few_complaints_has_no_more_false_alarms_than_a_large_one(mean: float):
    chance = np.random.default_rng(1)
    charts = [control_chart(chance.poisson(mean, 24), np.ones(24)) for _ in range(600)]
    assert sum(Point.ABOVE in chart.points for chart in charts) < 0.06 * 600


def test_waves_are_told_from_a_shift():
    waves = control_chart([30, 31, 32, 33, 48, 49, 50, 48, 30, 31, 32, 33, 48, 49, 50, 48], [10.0] * 16)
    assert waves.runs is Runs.WAVES and waves.crossings == 3


def test_where_nothing_can_be_told_the_chart_says_so():
    empty = control_chart([], [])
    assert empty.centre is None and empty.method is Method.NOT_TOLD and empty.points == () and empty.longest is None
    nobody = control_chart([0, 3], [0, 0])
    assert nobody.centre is None and nobody.points == (Point.NOT_TOLD,) * 2
    no_event = control_chart([0] * 12, [5.0] * 12)
    assert no_event.centre == 0 and no_event.method is Method.NOT_TOLD and no_event.runs is Runs.NOT_TOLD
    # 0.1 is no binary fraction: a mean of equal rates lies a hair beside them.
    alike = control_chart([7] * 30, [0.1] * 30)
    assert alike.method is Method.U and set(alike.points) == {Point.INSIDE} and alike.longest is None
    short = control_chart([3, 4, 90], [1, 1, 1])
    assert short.centre is not None and short.points == (Point.NOT_TOLD,) * 3
    outside_the_series = control_chart(COUNT, THOUSANDS, slice(20, 30))
    assert outside_the_series.centre is None
