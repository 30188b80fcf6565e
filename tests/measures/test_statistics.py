"""What differs by more than chance, and what does not."""

from hypothesis import given
from hypothesis import strategies as st

from measures.statistics import counts_differ, shares_differ

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
