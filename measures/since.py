"""How a number has changed since it was last looked at: up, down, or by no more than chance; and what an action has brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import hypot, inf, sqrt

import numpy as np
import pandas as pd
from scipy import special

from measures.model import Measure, Ratio, Spread, Unit
from measures.statistics import BEYOND_CHANCE, Estimate, garwood, wilson

_TAIL = float(special.ndtr(-BEYOND_CHANCE))
"""The chance beyond so many standard errors on one side."""

FEWEST_STEPS = 8
"""Of fewer changes nothing is learnt of how far a number wavers."""


class Verdict(Enum):
    """What can be told of a change."""

    UP = "up"
    DOWN = "down"
    SAME = "same"
    """No change that can be told: it may be chance."""
    UNKNOWN = "unknown"
    """One of the two numbers is missing, stands for too few, or nothing says how far chance moves it."""


@dataclass(frozen=True)
class Sample:
    """A number of a measure with what decides how far chance moves it: `count` events or successes out of `of`.

    `rate` is whether events are counted for an exposure (Poisson); otherwise `of` are cases each of which is one of `count` or not.
    """

    value: float
    count: float
    of: float
    rate: bool
    per: float = 1.0

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of what holds the value's own rate, in its unit, at `BEYOND_CHANCE` standard errors."""
        if self.rate:
            lower, upper = garwood(self.count, self.of, _TAIL)
        else:
            lower, upper = wilson(self.count, self.of, BEYOND_CHANCE)
        return float(lower) * self.per, float(upper) * self.per

    def variance_of_difference(self, other: Sample) -> float:
        """By how much the two would differ by chance alone, as a variance, if what is behind them were the same."""
        together = (self.count + other.count) / (self.of + other.of)
        each = together if self.rate else together * (1 - together)
        return each * (1 / self.of + 1 / other.of) * self.per**2


@dataclass(frozen=True)
class Since:
    """The verdict, and the change with the ends of what holds it, in the measure's unit; None where it cannot be told."""

    verdict: Verdict
    change: Estimate | None = None


NOT_TOLD = Since(Verdict.UNKNOWN)


def sample(measure: Measure, row: Mapping[str, float | None]) -> Sample | None:
    """The number of `measure` in `row`, an answer's row with both counts of a ratio beside it; None where nothing can be judged.

    That is where it is missing, a ratio stands for fewer than `Ratio.fewest`, or it is neither a count of events nor a ratio of
    counts: of a median or an amount nothing here says how far chance moves it.
    """
    value = number(row, measure.name)
    if value is None:
        return None
    if not isinstance(measure, Ratio):
        return Sample(value, value, 1.0, rate=True) if measure.unit is Unit.COUNT else None
    of, count = number(row, measure.under.name), number(row, measure.over.name)
    if of is None or count is None or of < max(measure.fewest, 1):
        return None
    if measure.spread is Spread.RATES:
        return Sample(value, count, of, rate=True, per=measure.per)
    return Sample(value, count, of, rate=False) if measure.spread is Spread.SHARES and count <= of else None


def wavering(steps: Sequence[Sample | None]) -> float:
    """How many times more than by chance a number varies from each of `steps` to the next; never below 1.

    Contracts are signed at month ends and lists given out in batches, so that a count of events differs from week to week by more
    than Poisson's chance though nothing has changed. The median of the squared differences is over what it is by chance, so that a
    few steps that really changed do not count.
    """
    pairs = [(now, then) for then, now in pairwise(steps) if now is not None and then is not None]
    chances = [
        (now.value - then.value) ** 2 / chance for now, then in pairs if (chance := now.variance_of_difference(then))
    ]
    return max(1.0, float(np.median(chances) / special.chdtri(1, 0.5))) if len(chances) >= FEWEST_STEPS else 1.0


def since(now: Sample | None, then: Sample | None, wavers: float = 1.0) -> Since:
    """The change from `then` to `now`, of two samples that share no case; of balances, which share many, it is told too seldom.

    The ends are those of MOVER, for shares Newcombe's tenth method (Newcombe 1998; Zou and Donner 2008): each sample's own ends,
    Wilson's or Garwood's, put together. They are drawn at three standard errors, as all changes that are told: a meeting looks at
    many. The verdict says up or down where they leave out nought. `wavers`, as `wavering` finds it, draws them further.
    """
    if now is None or then is None:
        return NOT_TOLD
    return _judged(_wider(_difference(_estimate(now), _estimate(then)), wavers))


def unlike(changes: Sequence[tuple[Sample | None, Sample | None]]) -> float:
    """How many times more than by chance the changes from then to now, given as (now, then), vary among each other; never below 1.

    Cochran's Q per degree of freedom (Higgins and Thompson's H², 2002). Branches each have a story of their own, so that two of them
    move apart though nothing was agreed at either.
    """
    known = [(now.value - then.value, now.variance_of_difference(then)) for now, then in changes if now and then]
    found = np.array([(change, 1 / chance) for change, chance in known if chance])
    if len(found) < 2:
        return 1.0
    change, weight = found.T
    return max(1.0, float((weight * (change - np.average(change, weights=weight)) ** 2).sum() / (len(found) - 1)))


def brought(
    now: Sample | None,
    then: Sample | None,
    others_now: Sample | None,
    others_then: Sample | None,
    varies: float = 1.0,
) -> Since:
    """By how much more something moved than what is comparable with it: the difference of both changes, with its ends as `since`.

    `varies`, as `unlike` finds it of those comparable, draws the ends further. It is no proof that an action was the cause: what is
    comparable was not drawn by lot.
    """
    if None in (now, then, others_now, others_then):
        return NOT_TOLD
    own = _difference(_estimate(now), _estimate(then))
    theirs = _difference(_estimate(others_now), _estimate(others_then))
    return _judged(_wider(_difference(own, theirs), varies))


def _estimate(of: Sample) -> Estimate:
    return Estimate(of.value, *of.ends)


def _difference(first: Estimate, second: Estimate) -> Estimate:
    value = first.value - second.value
    lower = value - hypot(first.value - first.lower, second.upper - second.value)
    upper = value + hypot(first.upper - first.value, second.value - second.lower)
    return Estimate(value, lower, upper)


def _wider(change: Estimate, variances: float) -> Estimate:
    """The change with its ends so many variances further."""
    lower, upper = ((end - change.value) * sqrt(variances) + change.value for end in (change.lower, change.upper))
    return Estimate(change.value, lower, upper)


def _judged(change: Estimate) -> Since:
    if change.lower > 0:
        return Since(Verdict.UP, change)
    if change.upper < 0:
        return Since(Verdict.DOWN, change)
    return NOT_TOLD if inf in (change.upper, -change.lower) else Since(Verdict.SAME, change)


def number(row: Mapping[str, float | None] | None, name: str) -> float | None:
    """A number of a row of an answer; None where it is missing, or there is no row."""
    value = None if row is None else row.get(name)
    return None if pd.isna(value) else float(value)
