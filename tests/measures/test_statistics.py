"""What differs by more than chance, and what does not: against other implementations, and where nothing can be told."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from measures.statistics import (
    benjamini_hochberg,
    counts_differ,
    garwood,
    p_against_earlier,
    p_of_rates,
    p_of_shares,
    rate_tails,
    share_tails,
    shares_differ,
    two_sided,
    wilson,
)

sizes = st.integers(1, 10**6)
shares = st.floats(0, 1)


def test_a_fall_of_nearly_two_points_in_25_000_is_told_and_in_500_is_not():
    # Pooled 0.6850: the standard error is 0.0041 over 25,813 and 24,221 contracts (4.4 of them), 0.0294 over 500 each (0.6).
    assert shares_differ(0.6768, 25_813, 0.6950, 24_221)
    assert not shares_differ(0.6768, 500, 0.6950, 500)


def test_three_of_three_is_no_better_than_two_thirds():
    assert not shares_differ(1.0, 3, 0.66, 20_000)


def test_from_1_to_3_complaints_is_chance_and_from_300_to_420_is_not():
    assert not counts_differ(3, 1)
    assert not counts_differ(330, 300)
    assert counts_differ(420, 300)


def test_twice_the_complaints_of_twice_the_contracts_is_no_difference():
    assert counts_differ(400, 200)
    assert not counts_differ(400, 200, of_first=2000, of_second=1000)


@given(first=shares, n=sizes, second=shares, m=sizes)
def test_the_order_of_two_shares_does_not_matter(first: float, n: int, second: float, m: int):
    assert shares_differ(first, n, second, m) == shares_differ(second, m, first, n)


@given(share=shares, n=sizes, m=sizes)
def test_equal_shares_never_differ(share: float, n: int, m: int):
    assert not shares_differ(share, n, share, m)


@given(count=st.integers(0, 10**6), base=st.floats(0.5, 10**6))
def test_equal_counts_of_equal_bases_never_differ(count: int, base: float):
    assert not counts_differ(count, count, of_first=base, of_second=base)


@given(first=shares, second=shares)
def test_nothing_is_told_of_none(first: float, second: float):
    assert not shares_differ(first, 0, second, 100)
    assert not counts_differ(0, 0)
    assert not counts_differ(5, 9, of_first=0, of_second=1)


@st.composite
def of(draw: st.DrawFn, most: int = 5000) -> tuple[int, int]:
    """k of n, n at least 1."""
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


def test_wilson_gives_the_published_intervals():
    lower, upper = wilson([0, 8, 812], [10, 10, 1000])
    assert np.round(lower, 4).tolist() == [0, 0.4902, 0.7866]
    assert np.round(upper, 4).tolist() == [0.2775, 0.9433, 0.8350]


@given(st.lists(of(), min_size=1, max_size=20))
def test_wilson_is_that_of_statsmodels(pairs: list[tuple[int, int]]):
    k, n = np.array(pairs).T
    lower, upper = proportion_confint(k, n, alpha=2 * scipy.stats.norm.sf(1.96), method="wilson")
    assert np.allclose(wilson(k, n), (lower, upper), atol=1e-12)


def test_the_intervals_of_none_all_and_nothing_end_where_they_must():
    lower, upper = wilson([0, 7, 0], [7, 7, 0])
    assert (lower[0], upper[1]) == (0, 1)
    assert upper[0] == pytest.approx(1 - lower[1]) and 0.3 < upper[0] < 0.4
    assert (lower[2], upper[2]) == (0, 1)
    assert garwood(0, 0) == (0, np.inf)


@given(count=st.integers(0, 3000), exposure=st.floats(0.01, 1e4))
def test_the_interval_of_a_rate_leaves_2_5_per_cent_on_either_side(count: int, exposure: float):
    lower, upper = garwood(count, exposure)
    assert scipy.stats.poisson.cdf(count, upper * exposure) == pytest.approx(0.025)
    if count:
        assert scipy.stats.poisson.sf(count - 1, lower * exposure) == pytest.approx(0.025)
    else:
        assert lower == 0


@given(pair=of(), overall=st.floats(0.001, 0.999))
def test_the_tails_of_a_share_are_those_of_the_binomial(pair: tuple[int, int], overall: float):
    k, n = pair
    at_most, at_least = share_tails(k, n, overall)
    assert at_most == pytest.approx(scipy.stats.binom.cdf(k, n, overall), rel=1e-6, abs=1e-300)
    assert at_least == pytest.approx(scipy.stats.binom.sf(k - 1, n, overall), rel=1e-6, abs=1e-300)


@given(count=st.integers(0, 3000), expected=st.floats(0.01, 3000))
def test_the_tails_of_a_rate_are_those_of_poisson(count: int, expected: float):
    at_most, at_least = rate_tails(count, expected / 4, 4)
    assert at_most == pytest.approx(scipy.stats.poisson.cdf(count, expected), rel=1e-6, abs=1e-300)
    assert at_least == pytest.approx(scipy.stats.poisson.sf(count - 1, expected), rel=1e-6, abs=1e-300)


def test_tails_outside_what_can_be_are_none_and_all():
    assert [float(p) for p in share_tails(-1, 5, 0.3)] == [0, 1]
    assert [float(p) for p in share_tails(6, 5, 0.3)] == [1, 0]
    assert [float(p) for p in share_tails(0, 0, 0.3)] == [1, 1]
    assert [float(p) for p in rate_tails(-1, 5, 0.3)] == [0, 1]
    assert two_sided(*share_tails([2, 2], [4, 4], [0.5, 0.0])).tolist() == [1, 0]


@given(first=of(40), second=of(40))
def test_two_small_shares_are_judged_by_fishers_exact_test(first: tuple[int, int], second: tuple[int, int]):
    (k1, n1), (k2, n2) = first, second
    share = (k1 + k2) / (n1 + n2)
    if min(n1, n2) * min(share, 1 - share) >= 5:
        expected = 2 * scipy.stats.norm.sf(
            abs(k1 / n1 - k2 / n2) / np.sqrt(share * (1 - share) * (1 / n1 + 1 / n2)),
        )
    else:
        table = [[k1, n1 - k1], [k2, n2 - k2]]
        sides = [scipy.stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
        expected = min(1, 2 * min(sides))
    assert p_of_shares(k1, n1, k2, n2) == pytest.approx(expected)


@given(
    count1=st.integers(0, 500), count2=st.integers(0, 500), exposure1=st.floats(0.1, 1e4), exposure2=st.floats(0.1, 1e4)
)
def test_two_rates_are_judged_by_how_their_events_divide(count1: int, count2: int, exposure1: float, exposure2: float):
    both, share = count1 + count2, exposure1 / (exposure1 + exposure2)
    binomial = scipy.stats.binom(both, share)
    expected = min(1, 2 * min(binomial.cdf(count1), binomial.sf(count1 - 1)))
    assert p_of_rates(count1, exposure1, count2, exposure2) == pytest.approx(expected, rel=1e-6)


def test_where_nothing_is_to_be_compared_p_is_1():
    assert p_of_shares([0, 0, 5], [0, 9, 5], [3, 0, 8], [9, 5, 8]).tolist() == [1, 1, 1]
    assert p_of_rates([0, 3, 0], [5, 0, 0], [0, 4, 0], [2, 9, 0]).tolist() == [1, 1, 1]
    assert p_of_shares([], [], [], []).shape == (0,)
    assert p_against_earlier([], []) == p_against_earlier([5], [9]) == 1
    assert p_against_earlier([5, 0], [9, 0]) == p_against_earlier([0, 0, 5], [0, 0, 9]) == 1


def test_a_cohort_that_falls_out_is_found_and_not_where_cohorts_always_vary_so_much():
    steady, wild = [700, 690, 710, 705, 695, 700], [640, 760, 690, 620, 770, 720]
    assert p_against_earlier([*steady, 630], [1000] * 7) < 0.001
    assert p_against_earlier([*wild, 630], [1000] * 7) > 0.1
    # The same two counts are far apart when nobody asks how cohorts vary.
    assert p_of_shares(630, 1000, sum(wild), 6000) < 0.001


def test_where_nothing_says_how_cohorts_vary_the_last_is_judged_by_chance_alone():
    for k, n in (([700, 630], [1000, 1000]), ([20, 30, 20], [20, 30, 40])):
        assert p_against_earlier(k, n) == p_of_shares(k[-1], n[-1], sum(k[:-1]), sum(n[:-1]))


def test_cohorts_alike_but_for_what_months_vary_by_are_found_out_once_in_twenty():
    chance = np.random.default_rng(5)
    shares = np.clip(chance.normal(0.7, 0.04, (600, 9)), 0, 1)
    found = [p_against_earlier(k, np.full(9, 800)) < 0.05 for k in chance.binomial(800, shares)]
    assert 0.02 < np.mean(found) < 0.08


p_values = st.lists(st.floats(0, 1), max_size=40)


@given(p=p_values, q=st.floats(0.01, 0.5))
def test_the_false_alarms_of_a_list_are_held_as_statsmodels_does(p: list[float], q: float):
    kept, adjusted = benjamini_hochberg(p, q)
    if p:
        assert np.allclose(adjusted, multipletests(p, q, "fdr_bh")[1])
    assert kept.tolist() == (adjusted <= q).tolist()
    assert len(kept) == len(p)


@given(p=p_values, q=st.floats(0.01, 0.5))
def test_kept_is_what_lies_below_the_last_p_that_is_under_its_step(p: list[float], q: float):
    ordered = sorted(p)
    # Right at its step rounding decides.
    under = [x for place, x in enumerate(ordered, start=1) if x < q * place / len(p) * (1 - 1e-9)]
    kept = benjamini_hochberg(p, q)[0]
    assert all(kept[i] for i, x in enumerate(p) if under and x <= under[-1])


def test_of_none_none_is_kept():
    kept, adjusted = benjamini_hochberg([], 0.1)
    assert kept.shape == adjusted.shape == (0,)
