"""Whether two numbers differ by more than chance: pure functions, no warehouse and no screen."""

from __future__ import annotations

from math import sqrt

BEYOND_CHANCE = 3.0
"""Standard errors. Many changes are looked at to find the few that are told, so the usual 1.96 would find some in any noise."""


def shares_differ(first: float, of_first: float, second: float, of_second: float) -> bool:
    """Whether two shares (0–1) of `of_first` and `of_second` differ by more than chance: a two-sample test with pooled variance.

    Nothing is told of a share of none. Source: any text on comparing two proportions, such as Fleiss, Statistical Methods for
    Rates and Proportions, chapter 3.
    """
    if min(of_first, of_second) <= 0:
        return False
    pooled = (first * of_first + second * of_second) / (of_first + of_second)
    error = sqrt(pooled * (1 - pooled) * (1 / of_first + 1 / of_second))
    return abs(first - second) > BEYOND_CHANCE * error


def counts_differ(first: float, second: float, *, of_first: float = 1.0, of_second: float = 1.0) -> bool:
    """Whether two counts differ by more than chance, each for its own base where one is given: a conditional test of two
    Poisson counts by its normal approximation. Nothing is told where there are no events, or no base."""
    events, base = first + second, of_first + of_second
    if events <= 0 or min(of_first, of_second) <= 0:
        return False
    expected = events * of_first / base
    error = sqrt(events * (of_first / base) * (of_second / base))
    return abs(first - expected) > BEYOND_CHANCE * error
