"""In which order branches, agents or products stand when small ones are not to lead by luck, and which cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from measures.statistics import Numbers, as_numbers

NO_RANK = 0
_ENDS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Rates drawn towards the overall rate, the more the smaller the unit; arrays with a number for each unit.

    `strength` is the size of unit that is drawn half the way, in the unit of n or of exposure; infinity where nothing says that
    units differ, and then every value and every end is the overall rate. `lower` and `upper` hold 95 % of what the unit's own
    rate can be. A unit of nothing has the overall rate and the widest interval.
    """

    overall: float
    strength: float
    value: Numbers
    lower: Numbers
    upper: Numbers


def shrunk_shares(k: ArrayLike, n: ArrayLike) -> Shrunk | None:
    """The shrunk shares (k + a) ÷ (n + a + b) of k of n in each unit; None where no unit has any.

    The units' shares are taken to be beta distributed around the overall share Σk ÷ Σn; a + b, the strength, by the method of
    moments with weights n (Kleinman 1973).
    """
    k, n = as_numbers(k, n)
    total = n.sum()
    if total <= 0:
        return None
    overall = k.sum() / total
    spread, free = _spread(k, n, overall)
    room = float(((1 - n / total) * np.maximum(n - 1, 0)).sum())
    chance = overall * (1 - overall)
    # Of units alike, ρ is 0; where each is all or nothing it is 1, and the prior would have no strength at all.
    alike = (spread / chance - free) / room if chance > 0 and room > 0 else 0.0
    strength = 1 / min(alike, 0.999) - 1 if alike > 0 else np.inf
    return _shrunk(k, n, float(overall), strength, _beta_ends)


def shrunk_rates(count: ArrayLike, exposure: ArrayLike) -> Shrunk | None:
    """The shrunk rates (count + a) ÷ (exposure + b) of each unit; None where no unit has any exposure.

    The units' rates are taken to be gamma distributed around Σcount ÷ Σexposure; b, the strength, by the method of moments with
    weights exposure. A count without exposure belongs to no rate and is left out.
    """
    count, exposure = as_numbers(count, exposure)
    count = np.where(exposure > 0, count, 0.0)
    total = exposure.sum()
    if total <= 0:
        return None
    overall = count.sum() / total
    spread, free = _spread(count, exposure, overall)
    room = float(total - (exposure**2).sum() / total)
    variance = (spread - free * overall) / room if free > 0 else 0.0
    return _shrunk(count, exposure, float(overall), overall / variance if variance > 0 else np.inf, _gamma_ends)


def _spread(count: Numbers, n: Numbers, overall: float) -> tuple[float, int]:
    """The squared distances of the rates from the overall rate, weighted by size, and how many of them are free."""
    some = n > 0
    return float((n[some] * (count[some] / n[some] - overall) ** 2).sum()), int(some.sum()) - 1


def _beta_ends(k: Numbers, n: Numbers, overall: float, strength: float) -> list[Numbers]:
    a, b = k + overall * strength, n - k + (1 - overall) * strength
    return [special.betaincinv(a, b, end) for end in _ENDS]


def _gamma_ends(count: Numbers, exposure: Numbers, overall: float, strength: float) -> list[Numbers]:
    return [special.gammaincinv(count + overall * strength, end) / (exposure + strength) for end in _ENDS]


def _shrunk(
    count: Numbers,
    n: Numbers,
    overall: float,
    strength: float,
    ends: Callable[[Numbers, Numbers, float, float], list[Numbers]],
) -> Shrunk:
    if np.isinf(strength):
        return Shrunk(overall, np.inf, *(np.full_like(n, overall) for _ in range(3)))
    return Shrunk(
        overall, float(strength), (count + overall * strength) / (n + strength), *ends(count, n, overall, strength)
    )


@dataclass(frozen=True, eq=False)
class Ranking:
    """`order` holds the indices of the ranked units, best first; the other arrays a number for each unit, NO_RANK for the unranked.

    Units of one value share a rank. Units of one `group` (1 is the best) cannot be told apart from the best of it: going down the
    order, a group lasts as long as the interval of the next unit overlaps that of the group's first. `best` and `worst` are the
    ranks a unit may really have: 1 + those whose interval lies wholly on the better side of its own, and all but those whose
    interval lies wholly on the worse.
    """

    order: NDArray[np.int_]
    rank: NDArray[np.int_]
    group: NDArray[np.int_]
    best: NDArray[np.int_]
    worst: NDArray[np.int_]


def ranking(shrunk: Shrunk, sizes: ArrayLike, *, fewest: float, highest_first: bool = True) -> Ranking:
    """The order of units by their shrunk rates; those with a size below `fewest` get no rank, nor do those of nothing."""
    sizes = np.asarray(sizes, dtype=float)
    # Of a rate of which less is better the whole axis is turned over: then the better end is the upper one in both.
    value, lower, upper = (
        (shrunk.value, shrunk.lower, shrunk.upper) if highest_first else (-shrunk.value, -shrunk.upper, -shrunk.lower)
    )
    ranked = np.flatnonzero((sizes >= fewest) & (sizes > 0))
    order = ranked[np.argsort(-value[ranked], kind="stable")]
    rank, group, best, worst = (np.full(len(sizes), NO_RANK) for _ in range(4))
    rank[order] = 1 + len(order) - np.searchsorted(np.sort(value[order]), value[order], side="right")
    best[order] = 1 + len(order) - np.searchsorted(np.sort(lower[order]), upper[order], side="right")
    worst[order] = len(order) - np.searchsorted(np.sort(upper[order]), lower[order], side="left")
    first, number = None, 0
    for unit in order:
        if first is None or upper[unit] < lower[first]:
            first, number = unit, number + 1
        group[unit] = number
    return Ranking(order, rank, group, best, worst)
