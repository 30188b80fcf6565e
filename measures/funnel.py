"""Which branches, agents or products lie outside what chance allows around the overall rate: the funnel plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from measures.statistics import Numbers, as_numbers, rate_tails, share_tails, two_sided

LIMIT, FAR_LIMIT = 0.025, 0.001
"""The chance left outside on either side: limits of 95 % and 99.8 %."""
ENOUGH_EXPECTED = 5.0
"""A unit of which fewer are expected says nothing about dispersion: the transformed counts are not yet of one variance."""
ENOUGH_UNITS = 10
"""Of fewer units the outer tenths cannot be cut off, and one branch would decide what all are allowed."""
TENTH = 0.1
LEFT_BY_WINSORISING = 0.6787
"""The variance of a standard normal whose outer tenths are drawn in to ±1.2816. Undone, or the limits were too narrow by a fifth."""


class Place(Enum):
    """Where a unit lies. FAR is outside 99.8 %; NOT_TOLD has nothing to divide by, or there is no overall rate."""

    NOT_TOLD = "not_told"
    FAR_BELOW = "far_below"
    BELOW = "below"
    INSIDE = "inside"
    ABOVE = "above"
    FAR_ABOVE = "far_above"


class Dispersion(Enum):
    """Whether the units differ among each other by more than chance. NOT_TOLD: fewer than ENOUGH_UNITS of enough size."""

    NOT_TOLD = "not_told"
    CHANCE = "chance"
    MORE = "more"


@dataclass(frozen=True)
class _Family:
    """How counts of one kind vary: their tails, which sizes there are, the largest count to reckon with, and the scale on which
    a rate's variance is 1 ÷ 4n whatever the rate, with the way back from it."""

    tails: Callable[[Numbers, Numbers, Numbers], tuple[Numbers, Numbers]]
    possible: Callable[[Numbers], Numbers]
    most: Callable[[Numbers, float], Numbers]
    even: Callable[[Numbers], Numbers]
    back: Callable[[Numbers], Numbers]
    highest: float


_SHARES = _Family(
    tails=share_tails,
    possible=lambda n: np.maximum(np.round(n), 1),
    most=lambda n, overall: n,
    even=lambda share: np.arcsin(np.sqrt(share)),
    back=lambda scaled: np.sin(np.clip(scaled, 0, np.pi / 2)) ** 2,
    highest=1.0,
)
_RATES = _Family(
    tails=rate_tails,
    possible=lambda exposure: exposure,
    # 40 standard errors above what is expected: the chance of more is below what a float can hold.
    most=lambda exposure, overall: np.ceil(exposure * overall + 40 * np.sqrt(exposure * overall) + 40),
    even=np.sqrt,
    back=lambda scaled: np.maximum(scaled, 0) ** 2,
    highest=np.inf,
)


@dataclass(frozen=True, eq=False)
class Limits:
    """Four arrays of rates, one number for each size; `far` are those of 99.8 %, the others of 95 %."""

    far_lower: Numbers
    lower: Numbers
    upper: Numbers
    far_upper: Numbers


@dataclass(frozen=True, eq=False)
class Funnel:
    """Where each unit lies around `overall`, and how that was judged.

    `dispersion` says which limits hold: those of chance alone, or, where it is MORE, those that also allow for what units differ
    by anyhow. `phi` is the variance of the units in units of chance (None where not told) and `between` the variance τ² that was
    added on the scale of the family, 0 for chance alone. `p` are two-sided p-values under the limits that hold, 1 where not told.

    `places` are judged by the chance of the unit's count itself, and the limits that are drawn are smoothed between counts: above
    the average a unit can lie past a line by less than one event and still be inside.
    """

    overall: float
    dispersion: Dispersion
    phi: float | None
    between: float
    places: tuple[Place, ...]
    p: Numbers
    family: _Family

    def limits(self, sizes: ArrayLike) -> Limits:
        """The limits for units of these sizes: of each unit, or along the axis to draw the lines; a share's sizes are rounded."""
        return Limits(
            *(self._limit(np.asarray(sizes, dtype=float), tail) for tail in (FAR_LIMIT, LIMIT)),
            *(self._limit(np.asarray(sizes, dtype=float), 1 - tail) for tail in (LIMIT, FAR_LIMIT)),
        )

    def _limit(self, sizes: Numbers, chance: float) -> Numbers:
        known = (sizes > 0) & (not np.isnan(self.overall))
        n, overall = self.family.possible(np.where(known, sizes, 1.0)), 0.0 if np.isnan(self.overall) else self.overall
        exact = np.clip(_exact_limit(self.family, n, overall, chance), 0, self.family.highest)
        if self.between > 0:
            wider = self.family.back(
                self.family.even(np.float64(overall)) + special.ndtri(chance) * np.sqrt(self.between + 1 / (4 * n))
            )
            exact = np.minimum(exact, wider) if chance < 0.5 else np.maximum(exact, wider)
        return np.where(known, exact, 0.0 if chance < 0.5 else self.family.highest)


def share_funnel(k: ArrayLike, n: ArrayLike, overall: float) -> Funnel:
    """The funnel of k of n in each unit (two arrays of one length) around the share `overall`, NaN where that is not known.

    Limits: exact binomial, interpolated between counts (Spiegelhalter 2005, appendix A.1.1); the lowest is 0, the highest 1, and
    with nothing to divide by, or no overall share, they are 0 and 1. Overdispersion: z-scores of the arcsine of the root, their
    outer tenths drawn in (winsorised), φ their variance; where φ is more than chance explains (chi-square, 5 %), τ² is added.
    """
    return _funnel(_SHARES, *as_numbers(k, n), float(overall))


def rate_funnel(count: ArrayLike, exposure: ArrayLike, overall: float) -> Funnel:
    """The funnel of `count` events for `exposure` in each unit around the rate `overall`, events per one of exposure.

    As share_funnel, with Poisson limits and z-scores of the root; the highest limit is infinity where nothing can be told.
    """
    return _funnel(_RATES, *as_numbers(count, exposure), float(overall))


def _funnel(family: _Family, count: Numbers, n: Numbers, overall: float) -> Funnel:
    told = (n > 0) & (not np.isnan(overall))
    if not told.any():
        places = (Place.NOT_TOLD,) * len(n)
        return Funnel(overall, Dispersion.NOT_TOLD, None, 0.0, places, np.ones(len(n)), family)
    size, rate = np.where(told, n, 1.0), np.where(told, count, overall) / np.where(told, n, 1.0)
    z = 2 * np.sqrt(size) * (family.even(rate) - family.even(np.float64(overall)))
    enough = told & (n * min(overall, family.highest - overall) >= ENOUGH_EXPECTED)
    dispersion, phi, between = _dispersion(z[enough], n[enough])
    at_most, at_least = family.tails(np.where(told, count, 0.0), size, np.full_like(n, overall))
    if between > 0:
        # What differs anyhow is added to chance, never taken from it: for a unit of three the even scale is too coarse.
        z = z / np.sqrt(1 + 4 * size * between)
        at_most, at_least = np.maximum(at_most, special.ndtr(z)), np.maximum(at_least, special.ndtr(-z))
    places = np.select(
        [~told, at_most < FAR_LIMIT, at_least < FAR_LIMIT, at_most < LIMIT, at_least < LIMIT],
        [Place.NOT_TOLD, Place.FAR_BELOW, Place.FAR_ABOVE, Place.BELOW, Place.ABOVE],
        Place.INSIDE,
    )
    p = np.where(told, two_sided(at_most, at_least), 1.0)
    return Funnel(overall, dispersion, phi, between, tuple(places), p, family)


def _dispersion(z: Numbers, n: Numbers) -> tuple[Dispersion, float | None, float]:
    """Whether z-scores of units of size n vary more than chance, their variance φ, and τ² (Spiegelhalter 2005, appendix A.2-A.3)."""
    units = len(z)
    if units < ENOUGH_UNITS:
        return Dispersion.NOT_TOLD, None, 0.0
    phi = float(np.mean(np.clip(z, *np.quantile(z, [TENTH, 1 - TENTH])) ** 2)) / LEFT_BY_WINSORISING
    if units * phi <= special.chdtri(units - 1, 0.05):
        return Dispersion.CHANCE, phi, 0.0
    weight = 4 * n
    between = (units * phi - (units - 1)) / (weight.sum() - (weight**2).sum() / weight.sum())
    return Dispersion.MORE, phi, float(between)


def _exact_limit(family: _Family, n: Numbers, overall: float, chance: float) -> Numbers:
    """The rate that is not exceeded with `chance` in units of size n, interpolated between the two counts beside it."""
    below, count = np.full_like(n, -1.0), family.most(n, overall)
    while (count - below > 1).any():
        middle = np.floor((below + count) / 2)
        reached = family.tails(middle, n, np.full_like(n, overall))[0] >= chance
        below, count = np.where(reached, below, middle), np.where(reached, middle, count)
    at_most, at_most_one_less = (family.tails(c, n, np.full_like(n, overall))[0] for c in (count, count - 1))
    return (count - (at_most - chance) / (at_most - at_most_one_less)) / n
