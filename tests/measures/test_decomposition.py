"""Why a rate moved: the parts add up whatever appears or vanishes, and Simpson's paradox is told apart."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from measures.decomposition import decomposed_rate, decomposed_sum

part = st.tuples(*(st.integers(0, 100_000) for _ in range(4)))
parts = st.lists(part | part.map(lambda p: (p[0], 0, p[2], p[3])) | part.map(lambda p: (p[0], p[1], 0, 0)), max_size=15)


@given(parts)
@example([(0, 0, 5, 9), (4, 8, 0, 0), (3, 0, 2, 7), (0, 0, 4, 0), (0, 0, 0, 0), (1, 3, 1, 3)])
def test_the_parts_add_up_to_the_change(rows: list[tuple[int, int, int, int]]):
    over0, under0, over1, under1 = np.array(rows).reshape(-1, 4).T
    found = decomposed_rate(over0, under0, over1, under1)
    if not under0.sum() or not under1.sum():
        assert found is None
        return
    change = Fraction(int(over1.sum()), int(under1.sum())) - Fraction(int(over0.sum()), int(under0.sum()))
    scale = max(1.0, abs(found.before), abs(found.after))
    assert abs(found.within.sum() + found.mix.sum() - float(change)) < 1e-9 * scale
    assert found.change == pytest.approx(float(change), abs=1e-9 * scale)


@given(parts)
def test_the_way_back_is_the_way_there_turned_round(rows: list[tuple[int, int, int, int]]):
    over0, under0, over1, under1 = np.array(rows).reshape(-1, 4).T
    there, back = decomposed_rate(over0, under0, over1, under1), decomposed_rate(over1, under1, over0, under0)
    if there is not None:
        scale = max(1.0, there.before, there.after)
        assert np.allclose(there.within, -back.within, atol=1e-9 * scale)
        assert np.allclose(there.mix, -back.mix, atol=1e-9 * scale)


def test_simpsons_paradox_every_part_rises_and_the_whole_falls_by_mix():
    # Cards 80 → 82 %, deposits 40 → 42 %, but from mostly cards to mostly deposits.
    found = decomposed_rate([800, 80], [1000, 200], [164, 420], [200, 1000])
    assert found.change == pytest.approx(584 / 1200 - 880 / 1200)
    assert (found.within > 0).all() and found.within.sum() == pytest.approx(0.02)
    assert found.mix.sum() == pytest.approx(found.change - 0.02)
    assert (found.mix < 0).all()  # less of what is above the average, more of what is below


def test_a_part_of_the_same_weight_brings_no_mix_and_one_of_the_same_rate_nothing_within():
    found = decomposed_rate([50, 30, 20], [100, 100, 100], [60, 30, 20], [100, 100, 100])
    assert found.mix == pytest.approx([0, 0, 0])
    assert found.within == pytest.approx([0.1 / 3, 0, 0])
    moved = decomposed_rate([50, 20], [100, 100], [75, 10], [150, 50])
    assert moved.within == pytest.approx([0, 0])
    assert moved.mix.sum() == pytest.approx(85 / 200 - 70 / 200)


def test_what_a_part_that_appears_or_vanishes_brings_is_mix():
    found = decomposed_rate([50, 30, 0], [100, 100, 0], [50, 0, 80], [100, 0, 100])
    assert found.within == pytest.approx([0, 0, 0], abs=1e-15)
    assert found.mix[1] > 0 and found.mix[2] > 0
    assert found.mix.sum() == pytest.approx(0.65 - 0.4)


def test_what_happens_where_there_is_nothing_to_divide_by_is_within():
    found = decomposed_rate([10, 0], [100, 0], [10, 5], [100, 0])
    assert found.within == pytest.approx([0, 0.05]) and found.mix == pytest.approx([0, 0])


def test_the_largest_parts_come_first_in_either_direction():
    found = decomposed_sum([100, 50, 20, 0], [105, 10, 20, 30])
    assert found.largest_first.tolist() == [1, 3, 0, 2]
    assert (found.change, found.effect.tolist()) == (-5, [5, -40, 0, 30])
    assert not found.mix.any()


def test_of_no_parts_nothing_is_told():
    assert decomposed_rate([], [], [], []) is None
    assert decomposed_rate([1], [0], [1], [2]) is None
    assert decomposed_sum([], []).change == 0
