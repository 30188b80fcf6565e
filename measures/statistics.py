"""Whether numbers differ by more than chance: intervals and tests as pure functions, no warehouse and no screen.

Counts and what they are counted of go in as numbers or as arrays of one shape, and arrays of that shape come out. Shares and
rates are of one, never per cent: complaints per 1,000 contracts take their exposure in thousands of contracts. k of n means
whole numbers with 0 ≤ k ≤ n.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

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


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of the interval that holds it 95 times of 100; all three in the unit of the number."""

    value: float
    lower: float
    upper: float


def as_numbers(*values: ArrayLike) -> tuple[Numbers, ...]:
    """The arguments as float arrays of one common shape; numpy's ValueError where they have none."""
    return tuple(np.array(value, dtype=float) for value in np.broadcast_arrays(*values))


def divided(over: Numbers, under: Numbers) -> Numbers:
    """over ÷ under; NaN where `under` is 0: such a point has no value, and a chart leaves a gap."""
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def wilson(k: ArrayLike, n: ArrayLike, z: float = 1.96) -> tuple[Numbers, Numbers]:
    """The lower and upper ends of the interval of k ÷ n, two arrays of shares; 0 and 1 where n is 0: nothing can be told.

    Source: Wilson 1927; recommended for small n by Brown, Cai and DasGupta 2001.
    """
    k, n = as_numbers(k, n)
    of = np.where(n > 0, n, 1.0)
    share = k / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    # The ends at none and at all are 0 and 1 exactly; rounding would make them 1e-17 and 0.999….
    lower = np.where((n > 0) & (k > 0), np.maximum(middle - half, 0.0), 0.0)
    upper = np.where((n > 0) & (k < n), np.minimum(middle + half, 1.0), 1.0)
    return lower, upper


def garwood(count: ArrayLike, exposure: ArrayLike, tail: float = 0.025) -> tuple[Numbers, Numbers]:
    """The lower and upper ends of the interval of count ÷ exposure, two arrays of rates; 0 and infinity where exposure is 0.

    `tail` is the chance beyond each end; as it stands, 95 % lie within. Exact for counts of independent events. Source: Garwood 1936.
    """
    count, exposure = as_numbers(count, exposure)
    of = np.where(exposure > 0, exposure, 1.0)
    lower = np.where((exposure > 0) & (count > 0), special.gammaincinv(np.where(count > 0, count, 1.0), tail) / of, 0.0)
    upper = np.where(exposure > 0, special.gammainccinv(count + 1, tail) / of, np.inf)
    return lower, upper


def share_tails(k: ArrayLike, n: ArrayLike, overall: ArrayLike) -> tuple[Numbers, Numbers]:
    """The chances of at most k, and of at least k, of n that are each one with the chance `overall` (binomial)."""
    k, n, overall = as_numbers(k, n, overall)
    of = np.maximum(n, 1)
    inner, some = np.clip(k, 0, of - 1), np.clip(k, 1, of)
    at_most, at_least = (
        special.betainc(of - inner, inner + 1, 1 - overall),
        special.betainc(some, of - some + 1, overall),
    )
    return (
        np.where(k >= n, 1.0, np.where(k < 0, 0.0, at_most)),
        np.where(k <= 0, 1.0, np.where(k > n, 0.0, at_least)),
    )


def rate_tails(count: ArrayLike, exposure: ArrayLike, overall: ArrayLike) -> tuple[Numbers, Numbers]:
    """The chances of at most, and of at least, `count` events where overall × exposure are expected (Poisson)."""
    count, exposure, overall = as_numbers(count, exposure, overall)
    at_most = special.gammaincc(np.maximum(count, 0) + 1, exposure * overall)
    at_least = special.gammainc(np.maximum(count, 1), exposure * overall)
    return np.where(count < 0, 0.0, at_most), np.where(count <= 0, 1.0, at_least)


def two_sided(at_most: Numbers, at_least: Numbers) -> Numbers:
    """p-values from the chances of both tails: twice the smaller, so that p < 0.05 is outside limits of 2.5 % on either side."""
    return np.minimum(2 * np.minimum(at_most, at_least), 1.0)


def p_of_shares(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> Numbers:
    """Two-sided p-values of k1 of n1 and k2 of n2 coming from one share; 1 where an n is 0, or none or all are counted in both.

    Where at least 5 are expected of each kind in each (Cochran 1954), the test with pooled variance, which has more power;
    below that Fisher's exact test, because there the other finds too much.
    """
    return np.vectorize(_p_of_two_shares, otypes=[float])(*as_numbers(k1, n1, k2, n2))


def _p_of_two_shares(k1: float, n1: float, k2: float, n2: float) -> float:
    if min(n1, n2) <= 0 or k1 + k2 <= 0 or k1 + k2 >= n1 + n2:
        return 1.0
    share = (k1 + k2) / (n1 + n2)
    if min(n1, n2) * min(share, 1 - share) >= 5:
        error = sqrt(share * (1 - share) * (1 / n1 + 1 / n2))
        return float(2 * special.ndtr(-abs(k1 / n1 - k2 / n2) / error))
    possible = np.arange(max(0.0, k1 + k2 - n2), min(n1, k1 + k2) + 1)
    ways = _log_choose(n1, possible) + _log_choose(n2, k1 + k2 - possible)
    chances = np.exp(ways - ways.max())
    chances /= chances.sum()
    return min(1.0, 2 * float(min(chances[possible <= k1].sum(), chances[possible >= k1].sum())))


def _log_choose(n: float, k: Numbers) -> Numbers:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def p_of_rates(count1: ArrayLike, exposure1: ArrayLike, count2: ArrayLike, exposure2: ArrayLike) -> Numbers:
    """Two-sided p-values of two counts coming from one rate; 1 where an exposure is 0 or nothing happened in both.

    Exact: of all events, those of the first are binomial with its share of the exposure. Source: Przyborowski and Wilenski 1940.
    """
    count1, exposure1, count2, exposure2 = as_numbers(count1, exposure1, count2, exposure2)
    told = np.minimum(exposure1, exposure2) > 0
    share = np.where(told, exposure1, 1.0) / np.where(told, exposure1 + exposure2, 2.0)
    return np.where(told, two_sided(*share_tails(count1, count1 + count2, share)), 1.0)


def p_against_earlier(k: ArrayLike, n: ArrayLike) -> float:
    """The two-sided p-value of the last of several cohorts (k of n, oldest first) having the share of those before it.

    What cohorts differ by anyhow is not held against the last: where those before it vary more than chance lets them, the
    error is widened by the square root of their dispersion (Pearson's chi-square per degree of freedom) and judged by Student's
    t. 1 where the last or all before it are empty.
    """
    k, n = as_numbers(k, n)
    if not n.size or n[-1] <= 0:
        return 1.0
    k, n = k[n > 0], n[n > 0]
    if len(k) < 2:
        return 1.0
    before, of_before = k[:-1].sum(), n[:-1].sum()
    p = float(p_of_shares(k[-1], n[-1], before, of_before))
    share, pooled, free = before / of_before, k.sum() / n.sum(), len(k) - 2
    if not 0 < share < 1 or free == 0:
        return p
    dispersion = float((((k - n * share) ** 2)[:-1] / (n[:-1] * share * (1 - share))).sum()) / free
    if dispersion <= 1:
        return p
    error = sqrt(dispersion * pooled * (1 - pooled) * (1 / n[-1] + 1 / of_before))
    return max(p, float(2 * special.stdtr(free, -abs(k[-1] / n[-1] - share) / error)))


def benjamini_hochberg(p: ArrayLike, q: float) -> tuple[Flags, Numbers]:
    """Which of many findings with the p-values `p` to keep so that on average at most the share `q` of the kept are false,
    and their adjusted p-values (kept where at most q), in the order given; two empty arrays for none.

    Source: Benjamini and Hochberg 1995.
    """
    p = np.asarray(p, dtype=float)
    falling = np.argsort(-p, kind="stable")
    steps = p[falling] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[falling] = np.minimum(np.minimum.accumulate(steps), 1.0) if len(p) else steps
    return adjusted <= q, adjusted
