"""After how many days something happens, open cases counted: survival curves (Kaplan-Meier) from counts by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from measures.statistics import Estimate, Flags, Numbers, as_numbers, wilson

Z = 1.96

_Counts = tuple[ArrayLike, ArrayLike, ArrayLike]


@dataclass(frozen=True, eq=False)
class Curve:
    """The share to whom it has happened by each day, 1 − S(t), with 95 % ends; arrays with a number for each of `days`.

    `days` are those of the counts, rising; between them the curve stays level, before the first it is 0. `at_risk` are the cases
    still open at the start of the day. `complete` says that it happened to all who were left: the curve stays at 1 for ever.
    `drawn_to` is the last day on which the curve stands for at least the number of cases asked for, None where it never does.
    """

    days: Numbers
    at_risk: Numbers
    share: Numbers
    lower: Numbers
    upper: Numbers
    drawn_to: float | None
    complete: bool


@dataclass(frozen=True)
class QuantileDay:
    """The day by which it has happened to a given share, and the ends of its 95 % interval; None: not reached by the data."""

    day: float | None
    lower: float | None
    upper: float | None


def curve(days: ArrayLike, events: ArrayLike, censored: ArrayLike, *, fewest: float = 1) -> Curve:
    """The Kaplan-Meier curve of counts: on each of `days` since the start, to how many it happened and how many left unseen.

    A case that leaves on a day counts as open on it. Days rise strictly (ValueError). Ends: Greenwood's error on the scale
    log(−log S) (Kalbfleisch and Prentice 2002). Where that scale has none: before the first event the lower end is 0 and the upper
    that of Wilson for none of those at risk; once it happened to all, the upper end is 1, and what was open at most the step before
    is multiplied by that of Wilson for none of those at risk.

    The curve stands for at_risk ÷ S(t−) cases: those at risk if none had had the event (Peto et al. 1977). Open cases that are few
    because most are done do not shorten the curve; cases that nobody has followed so long do. `fewest` is asked of that number.
    """
    days, events, censored = as_numbers(days, events, censored)
    if (np.diff(days) <= 0).any():
        raise ValueError("A curve needs each day once, in rising order: add up the counts of a day, then sort.")
    leaving = events + censored
    at_risk = leaving.sum() - (np.cumsum(leaving) - leaving)
    held = at_risk > 0  # days of nobody at the end
    survival = np.cumprod(1 - np.divide(events, at_risk, out=np.zeros_like(events), where=held))
    before = np.r_[1.0, survival[:-1]][: len(survival)]
    followed = np.divide(at_risk, before, out=np.zeros_like(at_risk), where=before > 0)
    drawn = np.flatnonzero(held & (followed >= fewest))
    lower, upper = _ends(events, at_risk, survival)
    complete = bool(held.any() and survival[-1] == 0 and followed[np.flatnonzero(held)[-1]] >= fewest)
    return Curve(days, at_risk, 1 - survival, lower, upper, float(days[drawn[-1]]) if len(drawn) else None, complete)


def _ends(events: Numbers, at_risk: Numbers, survival: Numbers) -> tuple[Numbers, Numbers]:
    inner = (survival > 0) & (survival < 1)
    steps = np.divide(events, at_risk * (at_risk - events), out=np.zeros_like(events), where=at_risk > events)
    log_survival = np.log(np.where(inner, survival, 0.5))
    wide = np.exp(Z * np.sqrt(np.cumsum(steps)) / np.abs(log_survival))
    none_yet, all_done = survival == 1, survival == 0
    none_upper = wilson(np.zeros_like(at_risk), at_risk, Z)[1]
    lower = np.where(inner, -np.expm1(log_survival / wide), 0.0)
    upper = np.where(none_yet, none_upper, np.where(inner, -np.expm1(log_survival * wide), 1.0))
    if all_done.any():
        last = int(np.argmax(all_done))
        lower[last:] = 1 - (1 - (lower[last - 1] if last else 0.0)) * none_upper[last]
    return lower, upper


def share_by(curve: Curve, day: float) -> Estimate | None:
    """The share to whom it has happened by the end of `day`; None where too few were followed so long to tell."""
    if curve.drawn_to is None or (day > curve.drawn_to and not curve.complete):
        return None
    at = int(np.searchsorted(curve.days, day, side="right")) - 1
    if at < 0:
        # Nobody left before the first day of the counts: none of all, exactly as on a day without events.
        return Estimate(0.0, 0.0, float(wilson(0, curve.at_risk[0], Z)[1]))
    return Estimate(float(curve.share[at]), float(curve.lower[at]), float(curve.upper[at]))


def quantile_day(curve: Curve, share: float = 0.5) -> QuantileDay:
    """The day by which it has happened to `share` of them: 0.5 the median, 0.9 the 90th percentile.

    The interval holds the days on which `share` lies between the curve's ends (Brookmeyer and Crowley 1982). Days that the curve
    is not drawn to are not reached.
    """
    drawn = (curve.days <= curve.drawn_to) if curve.drawn_to is not None else np.zeros_like(curve.days, dtype=bool)
    return QuantileDay(*(_first(curve.days, drawn & (line >= share - 1e-12)) for line in _lines(curve)))


def _lines(curve: Curve) -> tuple[Numbers, Numbers, Numbers]:
    return curve.share, curve.upper, curve.lower


def _first(days: Numbers, reached: Flags) -> float | None:
    return float(days[np.argmax(reached)]) if reached.any() else None


def log_rank(first: _Counts, second: _Counts) -> float:
    """The two-sided p-value of two curves being one; each is (days, events, censored) as in `curve`. 1 where nothing is to compare.

    The log-rank test with the hypergeometric variance (Mantel 1966).
    """
    more, variance = _more_than_expected(first, second)
    return 1.0 if variance <= 0 else float(special.chdtrc(1, more**2 / variance))


def comes_sooner(first: _Counts, second: _Counts) -> bool:
    """Whether it comes sooner in the first than in the second by what the log-rank test holds against their being one.

    Where two curves cross, that may be the one that is lower on a given day.
    """
    return _more_than_expected(first, second)[0] > 0


def _more_than_expected(first: _Counts, second: _Counts) -> tuple[float, float]:
    """How many more had the event in the first than if both were one, and the variance of that."""
    one, other = (as_numbers(*counts) for counts in (first, second))
    days = np.union1d(one[0], other[0])
    (open1, happened1), (open2, happened2) = (_on(days, *counts) for counts in (one, other))
    at_risk, happened = open1 + open2, happened1 + happened2
    several = at_risk > 1
    share = np.divide(open1, at_risk, out=np.zeros_like(at_risk), where=several)
    left = np.divide(at_risk - happened, at_risk - 1, out=np.zeros_like(at_risk), where=several)
    return float((happened1 - happened * share)[several].sum()), float((happened * share * (1 - share) * left).sum())


def _on(days: Numbers, own: Numbers, events: Numbers, censored: Numbers) -> tuple[Numbers, Numbers]:
    """At risk and events on each of `days`, which hold all of a curve's `own`."""
    at = np.searchsorted(days, own)
    happened, leaving = np.zeros_like(days), np.zeros_like(days)
    happened[at], leaving[at] = events, events + censored
    return leaving.sum() - (np.cumsum(leaving) - leaving), happened
