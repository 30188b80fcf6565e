"""Whether a target will be reached: how far along it is, what the days left will bring, and the chance of missing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from measures.statistics import Estimate, Numbers

FEWEST_DAYS = 5
"""Working days that must have passed before they say how much days differ, and anything is projected from them."""
WEEK, FEWEST_WEEKS = 5, 4
"""Working days of a week, and how many weeks must have passed before they say how much weeks differ."""


@dataclass(frozen=True)
class Pace:
    """How a target stands. Shares are of one, the rest in the target's unit; None is what cannot be told.

    `attained` is reached ÷ target, `elapsed` the share of the period's weight that has passed, `index` one ÷ the other. `projected`
    is what is reached at the end. `needed` is what one day of weight 1 must bring from now on, 0 once the target is reached, None
    when no day is left or there is no target. `missing` is the chance of ending below the target, `over` says that its last day has
    passed.
    """

    reached: float
    target: float | None
    attained: float | None
    elapsed: float | None
    index: float | None
    projected: Estimate | None
    needed: float | None
    missing: float | None
    over: bool = False


def pace(reached: ArrayLike, weights: ArrayLike, target: float | None) -> Pace:
    """The pace of a target counted in whole things.

    `reached` holds what each day since the period's start brought, `weights` what each day of the whole period is expected to
    bring, in any unit: 1 for a working day and 0 for others, or the steps of last year's cumulative curve. What a day of weight 0
    brings is added to the next day that has any. A target of 0 or less is none.

    The days left are taken to bring what the days passed did, by weight, each by itself, with counts that vary as Poisson's or
    more: by the dispersion of the days passed, or of their weeks where that is more (Pearson's chi-square per degree of freedom,
    never below 1). To that is added that
    the daily rate is itself only estimated. The remainder is gamma distributed with these two moments, counts at their half
    steps; nothing is projected before FEWEST_DAYS days with weight. Where days hang together (a campaign), it is too sure. Where
    only days of weight 0 are left, they are taken to bring what such days did.
    """
    days, weights = np.asarray(reached, dtype=float), np.asarray(weights, dtype=float)
    if len(days) > len(weights):
        raise ValueError(
            f"{len(days)} days have passed of a period of {len(weights)}: give each day of the period a weight."
        )
    target = target if target is not None and target > 0 else None
    so_far, passed, left = float(days.sum()), float(weights[: len(days)].sum()), float(weights[len(days) :].sum())
    elapsed = passed / (passed + left) if passed + left > 0 else None
    attained = so_far / target if target else None
    lacking = max(target - so_far, 0.0) if target else None
    projected, missing = _ahead(days, weights, lacking)
    return Pace(
        reached=so_far,
        target=target,
        attained=attained,
        elapsed=elapsed,
        index=attained / elapsed if attained is not None and elapsed else None,
        projected=projected,
        needed=None if lacking is None else 0.0 if lacking == 0 else lacking / left if left > 0 else None,
        missing=missing,
        over=len(days) == len(weights),
    )


def _ahead(days: Numbers, weights: Numbers, lacking: float | None) -> tuple[Estimate | None, float | None]:
    """What will be reached at the end, and the chance that less than `lacking` is still to come."""
    so_far, over = float(days.sum()), len(days)
    if over == len(weights):
        return Estimate(so_far, so_far, so_far), None if lacking is None else float(lacking > 0)
    if not weights[over:].sum() > 0:
        # The days left have no weight, but they are days: contracts are used at week-ends too.
        off = weights[:over] == 0
        days, weights = days[off], np.ones(off.sum() + len(weights) - over)
    left, weights = float(weights[len(days) :].sum()), weights[: len(days)]
    if (weights > 0).sum() < FEWEST_DAYS:
        return None, 0.0 if lacking == 0 else None
    came, passed = float(days.sum()), float(weights.sum())
    expected = came / passed * left
    # None so far does not mean none ever: for the spread, half a one counts as having come.
    mean = max(came, 0.5) / passed * left
    variance = _dispersion(days, weights) * mean * (1 + left / passed)
    shape, scale = mean**2 / variance, variance / mean
    low, high = (float(special.gammaincinv(shape, end)) * scale for end in (0.025, 0.975))
    missing = None if lacking is None else float(special.gammainc(shape, max(lacking - 0.5, 0.0) / scale))
    return Estimate(so_far + expected, so_far + min(low, expected), so_far + high), missing


def _dispersion(days: Numbers, weights: Numbers) -> float:
    """How much more than chance days vary, or, where that is more, stretches of WEEK days: weeks that are good or bad as a whole
    count for more than days that are."""
    if not days.sum() > 0:
        return 1.0
    working = np.flatnonzero(weights > 0)
    # A day without weight joins the next one with; what comes after the last joins the last.
    joined = np.bincount(np.minimum(np.searchsorted(working, np.arange(len(days))), len(working) - 1), weights=days)
    expected = weights[working] * days.sum() / weights.sum()
    found = [_chi(joined, expected)]
    if len(working) >= FEWEST_WEEKS * WEEK:
        week = np.minimum(
            np.arange(len(working)) // WEEK, len(working) // WEEK - 1
        )  # the rest belongs to the last whole week
        found.append(_chi(np.bincount(week, weights=joined), np.bincount(week, weights=expected)))
    return max(1.0, *found)


def _chi(counts: Numbers, expected: Numbers) -> float:
    return float(((counts - expected) ** 2 / expected).sum()) / (len(counts) - 1)
