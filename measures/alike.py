"""Which branches or agents something is fairly compared with: those most like it before it did anything in particular."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

from measures.statistics import Numbers, as_numbers

FEWEST = 3
"""Of fewer that are alike, one with a story of its own would decide what is usual."""
MOST = 8


@dataclass(frozen=True)
class Unit:
    """A branch or agent as it was: a rate, per one or in any unit, of so many."""

    id: str
    value: float
    of: float


def comparable(acted: Unit, others: Iterable[Unit], *, fewest: float) -> list[Unit]:
    """The `MOST` of `others` that are most like `acted`, the likest first; none where fewer than `FEWEST` can be judged.

    The distance is Gower's in two characteristics: how far the rates lie apart, and how often one size doubles the other, each in
    shares of its range. What stands for fewer than `fewest` is left out: its rate says little.
    """
    found = [unit for unit in others if unit.of >= max(fewest, 1) and unit.id != acted.id]
    if len(found) < FEWEST or acted.of <= 0:
        return []
    apart = _in_range([unit.value - acted.value for unit in found]) + _in_range(
        [log2(unit.of / acted.of) for unit in found]
    )
    order = sorted(range(len(found)), key=lambda at: (apart[at], found[at].id))
    return [found[at] for at in order[:MOST]]


def _in_range(differences: list[float]) -> Numbers:
    (away,) = as_numbers(differences)
    reach = max(away.max(), 0.0) - min(away.min(), 0.0)
    return abs(away) / reach if reach else abs(away)
