"""What is waited for, and from an answer's counts by day the curves of how long it takes, one for each group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from measures.dimensions import DAYS_TO_CLOSE, DAYS_TO_CONTACT, DAYS_TO_USE
from measures.model import Dimension, _
from measures.question import NAME
from measures.statistics import Numbers
from measures.survival import Curve, curve, share_by

FEWEST = 30
"""A curve is drawn as long as it stands for so many cases, the least of which a rate is ranked (`Ratio.fewest`)."""


@dataclass(frozen=True)
class Wait:
    """Something that begins and is waited for: the count of what began, the count of that to which it has happened, and the
    dimension that says after how many days, all three kept by one fact.

    What has not happened leaves the curve on its last day watched. `told` are the days by which the share is told, rising;
    `horizon` is the last day that is drawn, `label` the question that the curves answer.
    """

    began: str
    happened: str
    days: Dimension
    told: tuple[int, ...]
    horizon: int
    label: str


FIRST_USE = Wait("signed", "activated", DAYS_TO_USE, (30, 60, 90), 180, _("How soon contracts are used"))
FIRST_CONTACT = Wait("assigned", "contacted", DAYS_TO_CONTACT, (3, 7, 14), 60, _("How soon customers are contacted"))
CLOSING = Wait(
    "complaints_received",
    "complaints_closed_since",
    DAYS_TO_CLOSE,
    (7, 15, 30),
    60,
    _("How soon complaints are closed"),
)


WAITS = {"use": FIRST_USE, "contact": FIRST_CONTACT, "closing": CLOSING}
"""All of them by name."""


@dataclass(frozen=True, eq=False)
class Waited:
    """The curve of one group, `id` as in the answer. Arrays hold a number for each of `days`, which rise.

    `settled_to` is the last day on which the curve stands for half of the cases; after it, it is that of the older ones.
    `backwards` are those left out because their days run backwards in the data.
    """

    id: object
    name: str | None
    days: Numbers
    events: Numbers
    censored: Numbers
    curve: Curve
    settled_to: float | None
    backwards: int

    @property
    def counts(self) -> tuple[Numbers, Numbers, Numbers]:
        """What two curves are compared by."""
        return self.days, self.events, self.censored

    @property
    def cases(self) -> int:
        """How many were watched."""
        return int(self.events.sum() + self.censored.sum())


def waited(answer: pd.DataFrame, wait: Wait, by: Dimension) -> list[Waited]:
    """The curves in an answer to (began, happened) by (`by`, days): steps of time as they pass, else the most cases first."""
    codes, ids = pd.factorize(answer[by.name], use_na_sentinel=False, sort=bool(by.step))
    days, began, happened = (answer[c].to_numpy(dtype=float) for c in (wait.days.name, wait.began, wait.happened))
    in_order = np.lexsort((days, codes))
    ends = np.searchsorted(codes[in_order], np.arange(len(ids)), side="right")
    names = answer[by.name + NAME] if by.named else None
    found = []
    for id_, rows in zip(ids, np.split(in_order, ends[:-1]) if len(ids) else [], strict=True):
        forward = rows[days[rows] >= 0]
        found.append(
            _waited(
                None if pd.isna(id_) else id_,
                None if names is None or pd.isna(names.iloc[rows[0]]) else names.iloc[rows[0]],
                days[forward],
                happened[forward],
                (began - happened)[forward],
                int(began[rows].sum() - began[forward].sum()),
            )
        )
    return found if by.step else sorted(found, key=lambda group: -group.cases)


def together(groups: Iterable[Waited]) -> Waited:
    """The curve of all groups: who began on either side is in one group only, so their counts by day add up."""
    groups = list(groups)
    days = np.unique(np.concatenate([group.days for group in groups]))
    events, censored = np.zeros_like(days), np.zeros_like(days)
    for group in groups:
        at = np.searchsorted(days, group.days)
        events[at] += group.events
        censored[at] += group.censored
    return _waited(None, None, days, events, censored, sum(group.backwards for group in groups))


def told_by_all(groups: Iterable[Waited], wait: Wait) -> tuple[int, list[Waited]]:
    """The groups that have enough to be told by the first of the days told, and the last of these days that holds for them all."""
    known = [group for group in groups if share_by(group.curve, wait.told[0])]
    return max((day for day in wait.told if all(share_by(g.curve, day) for g in known)), default=wait.told[0]), known


def _waited(id_: object, name: str | None, days: Numbers, events: Numbers, censored: Numbers, backwards: int) -> Waited:
    found = curve(days, events, censored, fewest=FEWEST)
    before = np.r_[1.0, 1 - found.share[:-1]][: len(days)]
    followed = np.divide(found.at_risk, before, out=np.zeros_like(before), where=before > 0)
    settled = days[followed >= max(FEWEST, (events.sum() + censored.sum()) / 2)]
    return Waited(id_, name, days, events, censored, found, float(settled[-1]) if len(settled) else None, backwards)
