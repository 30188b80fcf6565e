"""Who lies outside the funnel: published limits, another implementation, and banks whose truth is known."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from measures.funnel import Dispersion, Funnel, Place, rate_funnel, share_funnel

FAR = {Place.FAR_BELOW, Place.FAR_ABOVE}


def far_share(funnel: Funnel) -> float:
    return sum(place in FAR for place in funnel.places) / len(funnel.places)


def test_the_limits_are_the_published_ones():
    limits = share_funnel([], [], 0.6).limits([20, 100])
    assert np.round(limits.far_lower, 4).tolist() == [0.2264, 0.4414]
    assert np.round(limits.lower, 4).tolist() == [0.3556, 0.4980]
    assert np.round(limits.upper, 4).tolist() == [0.7871, 0.6899]
    assert np.round(limits.far_upper, 4).tolist() == [0.8923, 0.7430]


def interpolated(distribution, size: float, chance: float) -> float:
    count = distribution.ppf(chance)
    alpha = (distribution.cdf(count) - chance) / distribution.pmf(count)
    return max(0.0, (count - alpha) / size)


@given(n=st.integers(1, 20_000), overall=st.floats(0.01, 0.99))
def test_the_limits_of_shares_are_scipys_binomial_interpolated(n: int, overall: float):
    limits = share_funnel([], [], overall).limits([n])
    found = [limits.far_lower[0], limits.lower[0], limits.upper[0], limits.far_upper[0]]
    expected = [interpolated(scipy.stats.binom(n, overall), n, chance) for chance in (0.001, 0.025, 0.975, 0.999)]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(exposure=st.floats(0.1, 1000), overall=st.floats(0.01, 20))
def test_the_limits_of_rates_are_scipys_poisson_interpolated(exposure: float, overall: float):
    limits = rate_funnel([], [], overall).limits([exposure])
    found = [limits.far_lower[0], limits.lower[0], limits.upper[0], limits.far_upper[0]]
    poisson = scipy.stats.poisson(exposure * overall)
    expected = [interpolated(poisson, exposure, chance) for chance in (0.001, 0.025, 0.975, 0.999)]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(k=st.integers(0, 300), of=st.integers(0, 300), overall=st.floats(0.02, 0.98))
def test_a_unit_is_outside_when_its_own_count_is_less_likely_than_the_limit(k: int, of: int, overall: float):
    n = k + of
    place = share_funnel([k], [n], overall).places[0]
    at_most, at_least = scipy.stats.binom.cdf(k, n, overall), scipy.stats.binom.sf(k - 1, n, overall)
    if n == 0:
        expected = Place.NOT_TOLD
    elif at_most < 0.025:
        expected = Place.FAR_BELOW if at_most < 0.001 else Place.BELOW
    elif at_least < 0.025:
        expected = Place.FAR_ABOVE if at_least < 0.001 else Place.ABOVE
    else:
        expected = Place.INSIDE
    assert place is expected


def test_six_of_six_is_not_far_above_60_per_cent_though_past_the_smoothed_line():
    # Six of six comes once in 21 times; the line smoothed between counts lies at 5.98 of 6.
    funnel = share_funnel([6], [6], 0.6)
    assert funnel.limits([6]).far_upper[0] < 1
    assert funnel.places == (Place.INSIDE,)


def test_of_400_branches_with_one_true_rate_hardly_any_is_far_out():
    far = []
    for seed in range(25):
        chance = np.random.default_rng(seed)
        n = chance.integers(20, 600, 400)
        k = chance.binomial(n, 0.62)
        funnel = share_funnel(k, n, k.sum() / n.sum())
        far.append(far_share(funnel))
    # Of 400 branches, 0.8 are expected outside 99.8 %; three or more (0.75 %) in one bank of 25.
    assert 0 < np.mean(far) <= 0.003
    assert np.mean(np.array(far) <= 0.006) >= 0.9


def test_hardly_any_bank_of_equal_branches_is_taken_for_one_whose_branches_differ():
    found = []
    for seed in range(100):
        chance = np.random.default_rng(seed)
        n = chance.integers(20, 600, 100)
        k = chance.binomial(n, 0.62)
        found.append(share_funnel(k, n, k.sum() / n.sum()).dispersion)
    assert found.count(Dispersion.MORE) <= 10


def test_of_400_branches_that_differ_anyhow_the_adjusted_limits_leave_hardly_any_far_out():
    for seed in range(10):
        chance = np.random.default_rng(seed)
        n = chance.integers(20, 600, 400)
        k = chance.binomial(n, np.clip(chance.normal(0.62, 0.06, 400), 0, 1))
        overall = k.sum() / n.sum()
        funnel = share_funnel(k, n, overall)
        assert funnel.dispersion is Dispersion.MORE and funnel.phi > 2
        assert far_share(funnel) < 0.01
        far_by_chance_alone = np.minimum(scipy.stats.binom.cdf(k, n, overall), scipy.stats.binom.sf(k - 1, n, overall))
        assert (far_by_chance_alone < 0.001).mean() > 0.05


def test_of_400_branches_whose_complaint_rates_differ_anyhow_hardly_any_is_far_out():
    for seed in range(10):
        chance = np.random.default_rng(seed)
        thousands = chance.uniform(2, 40, 400)
        count = chance.poisson(thousands * chance.gamma(16, 3 / 16, 400))
        funnel = rate_funnel(count, thousands, count.sum() / thousands.sum())
        assert funnel.dispersion is Dispersion.MORE
        assert far_share(funnel) < 0.01


def test_a_branch_far_out_is_found_among_equal_ones_and_does_not_widen_the_limits():
    chance = np.random.default_rng(3)
    n = np.full(40, 300)
    k = chance.binomial(n, 0.6)
    k[7], k[9] = 120, 240
    funnel = share_funnel(k, n, 0.6)
    assert funnel.dispersion is Dispersion.CHANCE
    assert (funnel.places[7], funnel.places[9]) == (Place.FAR_BELOW, Place.FAR_ABOVE)
    assert funnel.p[7] < 1e-6


def test_the_variance_that_branches_differ_by_is_found_again():
    chance = np.random.default_rng(11)
    n = np.full(2000, 400)
    k = chance.binomial(n, np.sin(chance.normal(np.arcsin(np.sqrt(0.6)), 0.05, 2000)) ** 2)
    assert share_funnel(k, n, 0.6).between == pytest.approx(0.05**2, rel=0.15)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=12, max_size=40))
def test_adjusted_limits_are_never_inside_those_of_chance_and_agree_with_the_places(pairs: list[tuple[int, int]]):
    k, n = np.array([(a, a + b) for a, b in pairs]).T
    overall = k.sum() / n.sum() if n.sum() else np.nan
    funnel, chance = share_funnel(k, n, overall), share_funnel([], [], overall).limits(n)
    limits = funnel.limits(n)
    assert (limits.far_lower <= chance.far_lower).all() and (limits.far_upper >= chance.far_upper).all()
    assert (limits.lower <= chance.lower).all() and (limits.upper >= chance.upper).all()
    assert (funnel.between > 0) == (funnel.dispersion is Dispersion.MORE)
    for at, place in enumerate(funnel.places):
        if place in FAR:
            assert not limits.far_lower[at] <= k[at] / n[at] <= limits.far_upper[at]
            assert funnel.p[at] < 0.002
        if place is Place.NOT_TOLD:
            assert funnel.p[at] == 1


@pytest.mark.parametrize("funnel_of", [share_funnel, rate_funnel])
def test_where_nothing_can_be_told_the_funnel_says_so(funnel_of):
    nothing = funnel_of([0, 0], [0, 0], np.nan)
    assert nothing.places == (Place.NOT_TOLD,) * 2 and nothing.dispersion is Dispersion.NOT_TOLD
    assert nothing.limits([0, 5]).lower.tolist() == [0, 0] and nothing.p.tolist() == [1, 1]
    empty = funnel_of([], [], 0.5)
    assert empty.places == () and empty.phi is None
    one = funnel_of([30], [50], 0.6)
    assert one.places == (Place.INSIDE,) and one.dispersion is Dispersion.NOT_TOLD
    none = funnel_of([0] * 20, [50] * 20, 0.0)
    assert set(none.places) == {Place.INSIDE}
    alike = funnel_of([30] * 20, [50] * 20, 0.6)
    assert alike.dispersion is Dispersion.CHANCE and alike.phi == pytest.approx(0)
    some = funnel_of([0, 30], [0, 50], 0.6)
    assert some.places == (Place.NOT_TOLD, Place.INSIDE)


def test_lines_can_be_drawn_at_any_size():
    sizes = np.linspace(0.2, 600, 99)
    for overall in (0.0, 0.03, 0.6, 1.0):
        limits = share_funnel([], [], overall).limits(sizes)
        assert (np.diff([limits.far_lower, limits.lower, limits.upper, limits.far_upper], axis=0) >= 0).all()
        assert limits.lower == pytest.approx(share_funnel([], [], overall).limits(np.maximum(sizes.round(), 1)).lower)
        rates = rate_funnel([], [], overall).limits(sizes)
        assert (np.diff([rates.far_lower, rates.lower, rates.upper, rates.far_upper], axis=0) >= 0).all()


def test_all_of_all_is_inside_a_share_of_all():
    assert set(share_funnel([50] * 20, [50] * 20, 1.0).places) == {Place.INSIDE}


def test_dispersion_and_its_variance_are_as_recounted_and_small_units_have_no_say_in_them():
    k, n = np.array([30, 70, 40, 60, 25, 75, 45, 55, 35, 65]), np.full(10, 100)
    z = 2 * np.sqrt(n) * (np.arcsin(np.sqrt(k / n)) - np.pi / 4)
    phi = np.mean(np.clip(z, *np.quantile(z, [0.1, 0.9])) ** 2) / 0.6787
    funnel = share_funnel(k, n, 0.5)
    assert funnel.phi == pytest.approx(phi)
    assert funnel.between == pytest.approx((10 * phi - 9) / (10 * 400 - 400))  # weights are 4n
    assert share_funnel(k[:9], n[:9], 0.5).dispersion is Dispersion.NOT_TOLD
    # Of nine, five either way are not expected: one more of those does not make ten.
    assert share_funnel([*k[:9], 9], [*n[:9], 9], 0.5).dispersion is Dispersion.NOT_TOLD
    assert share_funnel([*k[:9], 10], [*n[:9], 10], 0.5).dispersion is Dispersion.MORE
