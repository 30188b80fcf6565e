"""Who stands where: small units do not lead by luck, and what cannot be told apart is not put in an order."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from measures.ranking import NO_RANK, ranking, shrunk_rates, shrunk_shares

units = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=25)


def test_three_of_three_does_not_lead_before_90_of_100():
    shrunk = shrunk_shares([3, 90, 60, 55, 30, 70], [3, 100, 100, 100, 100, 100])
    assert shrunk.value[1] > shrunk.value[0] > shrunk.value[3]
    assert ranking(shrunk, [3, 100, 100, 100, 100, 100], fewest=1).order[0] == 1


@given(units)
def test_shrunk_shares_are_what_bayes_finds(pairs: list[tuple[int, int]]):
    k, n = np.array([(a, a + b) for a, b in pairs]).T
    shrunk = shrunk_shares(k, n)
    if shrunk is None:
        assert n.sum() == 0
        return
    if np.isinf(shrunk.strength):
        assert (shrunk.value == shrunk.overall).all() and (shrunk.lower == shrunk.upper).all()
        return
    a, b = shrunk.overall * shrunk.strength, (1 - shrunk.overall) * shrunk.strength
    posterior = scipy.stats.beta(k + a, n - k + b)
    assert np.allclose(shrunk.value, posterior.mean())
    for end, chance in ((shrunk.lower, 0.025), (shrunk.upper, 0.975)):
        # Within a hair of the axis, because near 0 and 1 a weak prior holds much of its weight in less than a float can tell.
        assert (posterior.cdf(end - 1e-7) <= chance).all() and (posterior.cdf(end + 1e-7) >= chance).all()


@given(units)
def test_a_shrunk_share_lies_between_its_own_and_the_overall(pairs: list[tuple[int, int]]):
    k, n = np.array([(a, a + b) for a, b in pairs]).T
    shrunk = shrunk_shares(k, n)
    if shrunk is not None:
        own = np.where(n > 0, k / np.maximum(n, 1), shrunk.overall)
        assert (np.minimum(own, shrunk.overall) - 1e-12 <= shrunk.value).all()
        assert (shrunk.value <= np.maximum(own, shrunk.overall) + 1e-12).all()


def test_the_strength_that_made_the_shares_is_found_again():
    chance = np.random.default_rng(2)
    n = chance.integers(30, 500, 3000)
    shrunk = shrunk_shares(chance.binomial(n, chance.beta(12, 8, 3000)), n)
    assert shrunk.overall == pytest.approx(0.6, abs=0.01)
    assert shrunk.strength == pytest.approx(20, rel=0.1)


def test_the_strength_that_made_the_rates_is_found_again_and_bayes_holds():
    chance = np.random.default_rng(2)
    exposure = chance.uniform(0.5, 6, 10_000)
    count = chance.poisson(exposure * chance.gamma(6, 1 / 2, 10_000))
    shrunk = shrunk_rates(count, exposure)
    assert shrunk.overall == pytest.approx(3, abs=0.1)
    assert shrunk.strength == pytest.approx(2, rel=0.1)
    posterior = scipy.stats.gamma(count + shrunk.overall * shrunk.strength, scale=1 / (exposure + shrunk.strength))
    assert np.allclose(shrunk.value, posterior.mean())
    assert np.allclose(posterior.ppf([[0.025], [0.975]]), [shrunk.lower, shrunk.upper])


@given(units, st.booleans(), st.integers(0, 60))
def test_ranks_groups_and_possible_ranks_are_as_counted_one_by_one(
    pairs: list[tuple[int, int]], highest_first: bool, fewest: int
):
    k, n = np.array([(a, a + b) for a, b in pairs]).T
    shrunk = shrunk_shares(k, n)
    if shrunk is None:
        return
    found = ranking(shrunk, n, fewest=fewest, highest_first=highest_first)
    ranked = [i for i in range(len(n)) if n[i] >= max(fewest, 1)]
    assert sorted(found.order) == ranked
    sign = 1 if highest_first else -1

    def overlap(i: int, j: int) -> bool:
        return shrunk.lower[i] <= shrunk.upper[j] and shrunk.lower[j] <= shrunk.upper[i]

    def better(i: int, j: int) -> bool:
        return sign * shrunk.value[i] > sign * shrunk.value[j]

    for i in range(len(n)):
        if i not in ranked:
            assert {found.rank[i], found.group[i], found.best[i], found.worst[i]} == {NO_RANK}
            continue
        assert found.rank[i] == 1 + sum(better(j, i) for j in ranked)
        apart = [j for j in ranked if not overlap(i, j)]
        assert found.best[i] == 1 + sum(better(j, i) for j in apart)
        assert found.worst[i] == len(ranked) - sum(better(i, j) for j in apart)
    for above, below in zip(found.order, found.order[1:], strict=False):
        first = next(i for i in found.order if found.group[i] == found.group[above])
        assert (found.group[above] == found.group[below]) == overlap(first, below)


def test_branches_alike_are_all_first_and_in_one_group():
    shrunk = shrunk_shares([60, 61, 59, 60], [100, 100, 100, 100])
    assert np.isinf(shrunk.strength)
    found = ranking(shrunk, [100] * 4, fewest=30)
    assert found.rank.tolist() == found.group.tolist() == found.best.tolist() == [1] * 4
    assert found.worst.tolist() == [4] * 4


def test_two_worlds_of_branches_make_two_groups_and_the_good_are_those_with_few_complaints():
    count, thousands = [300, 310, 30, 28], [10, 10, 10, 10]
    found = ranking(shrunk_rates(count, thousands), thousands, fewest=1, highest_first=False)
    assert found.group.tolist() == [2, 2, 1, 1]
    assert found.best.tolist() == [3, 3, 1, 1] and found.worst.tolist() == [4, 4, 2, 2]


def test_where_nothing_can_be_told_the_order_says_so():
    assert shrunk_shares([], []) is None and shrunk_shares([0, 0], [0, 0]) is None
    assert shrunk_rates([], []) is None and shrunk_rates([4], [0]) is None
    for of_one in (shrunk_shares([5], [9]), shrunk_rates([5], [9])):
        assert of_one.value.tolist() == [5 / 9] and np.isinf(of_one.strength)
        assert ranking(of_one, [9], fewest=1).rank.tolist() == [1]
        assert ranking(of_one, [9], fewest=10).order.tolist() == []
    for all_or_none in ([0, 0, 0], [9, 9, 9]):
        assert shrunk_shares(all_or_none, [9, 9, 9]).value.tolist() == [all_or_none[0] / 9] * 3
    every_one_all_or_nothing = shrunk_shares([9, 0, 9, 0], [9] * 4)
    assert np.isfinite(every_one_all_or_nothing.lower).all() and every_one_all_or_nothing.value[0] > 0.9
    assert shrunk_shares([1, 0, 1], [1, 1, 1]).value == pytest.approx([2 / 3] * 3)
    with_an_empty_unit = shrunk_shares([9, 2, 0], [20, 20, 0])
    assert with_an_empty_unit.value[2] == with_an_empty_unit.overall
