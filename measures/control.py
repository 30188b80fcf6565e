"""Whether counts over time, such as complaints per 1,000 contracts, only waver or have changed: control charts and runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import log2, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from measures.statistics import Flags, Numbers, as_numbers, divided

FEWEST_POINTS = 8
"""Limits of a baseline of fewer would waver more than the points they judge."""
FEWEST_FOR_RUNS = 10
"""Of fewer points neither rule of runs can tell anything (Anhøj and Olesen 2014)."""
SIGMAS = 3.0
BEYOND = 0.00135
"""The chance that a normal number lies above three standard errors."""
MEAN_DIFFERENCE = 1.128
"""The mean distance of two neighbours in standard deviations, where only chance is between them (d2)."""


class Method(Enum):
    """Which limits hold: of chance alone (U), widened to what neighbouring points differ by (U_PRIME), or none."""

    NOT_TOLD = "not_told"
    U = "u"
    U_PRIME = "u_prime"


class Point(Enum):
    """Where a point lies. ABOVE and BELOW: something particular happened then. NOT_TOLD: no exposure, or no limits."""

    NOT_TOLD = "not_told"
    BELOW = "below"
    INSIDE = "inside"
    ABOVE = "above"


class Runs(Enum):
    """What the order of the points says, even if every one is inside the limits.

    SHIFTED: so many in a row lie on one side that the level has moved and stayed. WAVES: the centre is crossed so seldom that
    the level drifts or comes and goes in stretches. STEADY: neither. NOT_TOLD: fewer than FEWEST_FOR_RUNS points off the centre.
    """

    NOT_TOLD = "not_told"
    STEADY = "steady"
    SHIFTED = "shifted"
    WAVES = "waves"


@dataclass(frozen=True)
class Run:
    """The points from index `start` up to, not including, `stop`, of which none lies on the other side; `above` the centre or below.

    `length` counts those off the centre: a point on it neither ends a run nor belongs to one.
    """

    start: int
    stop: int
    length: int
    above: bool


@dataclass(frozen=True, eq=False)
class ControlChart:
    """Rates per one of exposure, in order of time, with a centre and limits; arrays with a number for each point.

    `value` is NaN where exposure is 0. Without limits (`method` NOT_TOLD) `lower` is 0, `upper` infinity, and `centre` None where
    the baseline has no exposure at all. `sigma` is σz, the wavering of neighbours in units of chance, None where not told.
    `longest` is the longest run (None without a point off the centre), `longest_expected` what chance lets pass, `crossings` and
    `fewest_crossings` likewise for how often the centre is crossed; `runs` says what follows, SHIFTED before WAVES.
    """

    value: Numbers
    centre: float | None
    lower: Numbers
    upper: Numbers
    method: Method
    sigma: float | None
    points: tuple[Point, ...]
    runs: Runs
    longest: Run | None
    longest_expected: int
    crossings: int
    fewest_crossings: int


def control_chart(count: ArrayLike, exposure: ArrayLike, baseline: slice = slice(None)) -> ControlChart:
    """The u-chart of `count` events for `exposure` at equal steps of time, or Laney's u′ where points vary by more than chance.

    Centre, σz and limits come from the points of `baseline` alone, and judge all. u: ū ± 3√(ū ÷ exposure), nothing below 0, and
    above never less than the count that Poisson's distribution exceeds as seldom as a normal one does three sigma. u′:
    the same times σz = mean|z_i − z_{i−1}| ÷ 1.128 (Laney 2002), taken where σz is above 1 by more than 1.645 of its standard
    errors, √(0.826 ÷ differences) (Cryer and Ryan 1990). No limits: fewer than FEWEST_POINTS with exposure in the baseline, or no
    event in it. Runs: longest > round(log2 n) + 3, crossings below the 5 % quantile of the binomial (n − 1, ½), with n the points
    off the centre (Anhøj and Olesen 2014).
    """
    count, exposure = as_numbers(count, exposure)
    value = divided(count, exposure)
    based = np.zeros(len(value), dtype=bool)
    based[baseline] = True
    based &= exposure > 0
    centre = float(count[based].sum() / exposure[based].sum()) if based.any() else None
    method, sigma = Method.NOT_TOLD, None
    lower, upper = np.zeros_like(value), np.full_like(value, np.inf)
    some = exposure > 0
    if centre and based.sum() >= FEWEST_POINTS:
        method, sigma = _method((value[based] - centre) / np.sqrt(centre / exposure[based]))
        width = SIGMAS * (sigma if method is Method.U_PRIME else 1.0) * np.sqrt(centre / exposure[some])
        lower[some], upper[some] = np.maximum(centre - width, 0.0), centre + width
        if method is Method.U:
            # Of few events more lie above three standard errors than below: one complaint too many is no finding.
            most = np.ceil(special.pdtrik(1 - BEYOND, centre * exposure[some]) - 1e-9)
            upper[some] = np.maximum(upper[some], most / exposure[some])
    points = np.select(
        [~some | (method is Method.NOT_TOLD), value > upper, value < lower],
        [Point.NOT_TOLD, Point.ABOVE, Point.BELOW],
        Point.INSIDE,
    )
    # Rounding puts equal rates a hair beside their own mean: that is on the centre.
    off = some & ~np.isclose(value, centre, rtol=1e-9, atol=0) if centre is not None else np.zeros_like(some)
    return ControlChart(value, centre, lower, upper, method, sigma, tuple(points), *_runs(value > (centre or 0.0), off))


def _method(z: Numbers) -> tuple[Method, float]:
    sigma = float(np.abs(np.diff(z)).mean()) / MEAN_DIFFERENCE
    more = sigma > 1 + 1.645 * sqrt(0.826 / (len(z) - 1))
    return Method.U_PRIME if more else Method.U, sigma


def longest_expected(points: int) -> int:
    """The longest run that chance lets pass among so many points off the centre; 0 for none."""
    return round(log2(points)) + 3 if points else 0


def fewest_crossings(points: int) -> int:
    """How often the centre is crossed at least, by chance, among so many points off it: the 5 % quantile; 0 for none."""
    chances = special.bdtr(np.arange(max(points, 1)), max(points - 1, 0), 0.5)
    return int(np.argmax(chances >= 0.05))


def _runs(above: Flags, off: Flags) -> tuple[Runs, Run | None, int, int, int, int]:
    """`Runs`, the longest run, what is expected of it, the crossings, and what is expected of those."""
    at = np.flatnonzero(off)
    number = len(at)
    expected, fewest = longest_expected(number), fewest_crossings(number)
    if not number:
        return Runs.NOT_TOLD, None, expected, 0, fewest
    changes = np.flatnonzero(np.diff(above[at])) + 1
    starts, stops = np.r_[0, changes], np.r_[changes, number]
    first = int(np.argmax(stops - starts))
    start, stop = int(at[starts[first]]), int(at[stops[first] - 1]) + 1
    longest = Run(start, stop, int(stops[first] - starts[first]), bool(above[start]))
    crossings = len(changes)
    if number < FEWEST_FOR_RUNS:
        found = Runs.NOT_TOLD
    elif longest.length > expected:
        found = Runs.SHIFTED
    else:
        found = Runs.WAVES if crossings < fewest else Runs.STEADY
    return found, longest, expected, crossings, fewest
