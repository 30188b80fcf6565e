"""The soak finds an answer from an older load, by its name and by its number, and is patient for ten seconds and no longer."""

from __future__ import annotations

import pytest

from tests.benchmarks.crowd import Found
from tests.benchmarks.crowds import stale

LOADS = {0: 0.0, 1: 1_000.0}
KNOWN = 5


@pytest.mark.parametrize(
    ("run", "old"),
    [
        ((1_009.0, 50, 0), False),
        ((1_011.0, 50, 0), True),
        ((1_011.0, 50, 1), False),
        ((1_011.0, 50, None), True),
    ],
)
def test_a_run_shows_the_newest_load_from_ten_seconds_after_it(run, old):
    assert bool(stale(Found(runs=[run]), LOADS, KNOWN)[0]) is old


@pytest.mark.parametrize(("number", "old"), [("6", False), ("5", True), ("7", True), ("nothing", True)])
def test_a_number_of_the_older_load_under_the_newer_ones_name_is_found(number, old):
    assert bool(stale(Found(watched=[(1_020.0, 1, number)]), LOADS, KNOWN)[0]) is old


def test_how_long_a_load_waited_to_be_seen_is_told():
    runs = [(1_001.0, 50, 0), (1_004.0, 50, 1), (1_005.0, 50, 1)]
    assert stale(Found(runs=runs), LOADS, KNOWN)[1] == [4.0]
