"""What deserves attention now: everything is tested for being worse than chance lets it be, and what stands up to so many tests
is listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum

import numpy as np
import pandas as pd
from scipy import special

from measures.activation import cohort_activation_rate
from measures.complaints import per_1000_contracts, received
from measures.control import FEWEST_POINTS
from measures.dimensions import AGENT, BELOW, CAMPAIGN, CAUSE, MONTH, PRODUCT, SUB_BRANCH, WEEK
from measures.follow_up import coverage
from measures.funnel import ENOUGH_EXPECTED, Dispersion, Place, rate_funnel, share_funnel
from measures.model import Better, Dimension, Ratio, Spread
from measures.period import Period, last_day, months_later, year_of_months
from measures.question import NAME
from measures.statistics import (
    Flags,
    Numbers,
    benjamini_hochberg,
    divided,
    p_of_shares,
    rate_tails,
    share_tails,
)

MONTHS = 12
FALSE_SHARE = 0.05
"""Of what is listed, at most this share is chance on average; and where nothing is wrong, as seldom is anything listed."""
STEP_WEEKS = 4
"""Complaints are judged in steps of so many whole weeks: single weeks of one cause at one branch are too few."""
COHORT_MONTHS = 2
"""The latest contracts: those of the last so many months in which any window is over."""
BORROWED = 30.0
"""As so many degrees of freedom all units together count when one unit's wavering is told."""
FEWEST_LATEST = 10
"""Latest contracts of one product at one branch; of fewer not even none used would be told from chance among so many."""
IDLE_DAYS = 14
"""Assignments so old are to be contacted: the earliest due days are 14 days after the assignment."""
FEWEST_ON_LIST = 20
"""A list with fewer customers waiting is no list to be worked on, but what is left of one."""

Ask = Callable[[Sequence[str], Sequence[Dimension], Period], pd.DataFrame]
"""Answers measures by dimensions in a period: with a column for each measure that can be answered, empty where none can."""


class Kind(Enum):
    """What is the matter."""

    COMPLAINTS_LEAPT = "complaints_leapt"
    BRANCH_APART = "branch_apart"
    BEHIND_PACE = "behind_pace"
    COHORT_WORSE = "cohort_worse"
    LIST_IDLE = "list_idle"
    AGENT_UNUSED = "agent_unused"


@dataclass(frozen=True)
class Part:
    """One value of a dimension: a branch, product, cause, agent or list. The id is None for what is not recorded."""

    dimension: Dimension
    id: str | None
    name: str | None


@dataclass(frozen=True)
class Signal:
    """Something worse than it usually is, beyond chance.

    `value` and `usual` are numbers of `measure`, shares and rates per one; `base` is what the value is of, 1 for a count. `at` is
    the branch, None for all that is looked at; `of` is what else it is about. It was so from `since` to `until`. `adjusted` is
    the p-value after all tests that were made.
    """

    kind: Kind
    measure: str
    at: Part | None
    of: Part | None
    value: float
    usual: float
    base: float
    since: date
    until: date
    p: float
    adjusted: float = 1.0

    @property
    def effect(self) -> float:
        """How far the value lies from the usual, in the unit of the value."""
        return self.value - self.usual

    @property
    def size(self) -> float:
        """The effect times those concerned: so many contracts, customers or complaints too few or too many."""
        return abs(self.effect) * self.base


@dataclass(frozen=True)
class Signals:
    """The list, the largest first, how many tests were made for it, and the days looked at."""

    found: tuple[Signal, ...]
    tests: int
    year: Period


@dataclass(frozen=True, eq=False)
class _Tests:
    """Tests of one kind: a p-value for each unit, which of them may be listed, and how one is told."""

    p: Numbers
    listed: Flags
    told: Callable[[int], Signal]


def signals(ask: Ask, until: date, *, in_sub_branches: bool = False) -> Signals:
    """What was worse than usual in the twelve months up to `until`, at the branches below and in the latest of what is known.

    Six questions are asked. Each test is one-sided, because only what is worse is listed; all of them, with those that find
    nothing, go into one control of the false alarms (Benjamini-Hochberg). Branches, agents and lists are compared with each other
    only where there are enough to tell what they differ by anyhow; all else is compared with its own past. With
    `in_sub_branches`, what head office asks, contracts are followed in sub-branches, elsewhere in the branches below.
    """
    year = year_of_months(until)
    finer = (SUB_BRANCH,) if in_sub_branches else ()
    contracts = ask(("signed", "mature_signed", "activated_in_window"), (BELOW, *finer, PRODUCT, MONTH), year)
    agents = ask(("mature_signed", "activated_in_window"), (BELOW, AGENT), year)
    complaints = ask(("complaints_received",), (BELOW, CAUSE, WEEK), year)
    lists = ask(("assigned", "contacted"), (BELOW, CAMPAIGN, WEEK), year)
    waiting = ask(("open_assignments",), (CAMPAIGN,), year)
    branches = ask(
        ("holders", *(f"{of}_{part}" for of in ("signed", "activated") for part in ("toward_target", "expected"))),
        (BELOW,),
        year,
    )
    made: list[_Tests] = []
    if _has(contracts, "mature_signed", "activated_in_window"):
        made += _cohorts(contracts, finer, year)
        made += _apart(cohort_activation_rate, contracts, contracts, year)
    if _has(agents, "mature_signed", "activated_in_window"):
        made += _agents(agents, year)
    if _has(complaints, "complaints_received"):
        made += _leaps(complaints, year)
        if _has(branches, "holders"):
            made += _apart(per_1000_contracts, complaints, branches, year)
    if _has(lists, "assigned", "contacted"):
        made += _apart(coverage, lists, lists, year)
        if _has(waiting, "open_assignments"):
            made += _idle(lists, waiting, year)
    for of in ("signed", "activated"):
        if _has(branches, f"{of}_toward_target", f"{of}_expected") and _has(contracts, "signed"):
            made += _behind(of, branches, contracts, year)
    return Signals(*_controlled(made), year)


def _controlled(made: Sequence[_Tests]) -> tuple[tuple[Signal, ...], int]:
    p = np.concatenate([tests.p for tests in made]) if made else np.empty(0)
    kept, adjusted = benjamini_hochberg(p, FALSE_SHARE)
    found, start = [], 0
    for tests in made:
        stop = start + len(tests.p)
        own = adjusted[start:stop]
        found += [
            replace(tests.told(i), adjusted=float(own[i])) for i in np.flatnonzero(kept[start:stop] & tests.listed)
        ]
        start = stop
    told = [signal for signal in found if not _explained(signal, found)]
    return tuple(sorted(told, key=lambda signal: -signal.size)), len(p)


def _explained(signal: Signal, found: Sequence[Signal]) -> bool:
    """Whether branches that are told bring at least half of what is found in all of them."""
    alike = [s for s in found if (s.kind, s.measure, s.of) == (signal.kind, signal.measure, signal.of) and s.at]
    return signal.at is None and sum(s.size for s in alike) >= signal.size / 2


# The kinds ----------------------------------------------------------------------------------------------------------


def _leaps(answer: pd.DataFrame, year: Period) -> list[_Tests]:
    """Complaints of each cause at each branch: the last step of whole weeks against the steps before it.

    Exact test of two Poisson counts; where the steps waver by more than chance, the normal one widened by that as well.
    """
    first = answer[WEEK.name].min().date()
    if first != year.start:
        first += timedelta(days=7)  # the period, or the data, may have begun within that week
    end = year.end - timedelta(days=(year.end.weekday() + 1) % 7)
    steps = ((end - first).days + 1) // (7 * STEP_WEEKS)
    if steps < FEWEST_POINTS + 1:
        return []
    days_back = (pd.Timestamp(end) - answer[WEEK.name]).dt.days.to_numpy()
    step = np.where(days_back < 0, -1, steps - 1 - days_back // (7 * STEP_WEEKS))
    units, (count,) = _grid(answer, (BELOW, CAUSE), step, steps, "complaints_received")
    last, before = count[:, -1], count[:, :-1]
    together, usual = count.sum(axis=1), before.mean(axis=1)
    p = share_tails(last, together, 1 / steps)[1]
    wavering = _wavering(before)
    if wavering > 1:
        error = np.sqrt(wavering * np.maximum(together, 1) / (steps - 1))  # of last − usual: μ · (1 + 1 ÷ (steps − 1))
        p = np.maximum(p, special.ndtr((usual - last) / error))
    since = end - timedelta(days=7 * STEP_WEEKS - 1)

    def told(i: int) -> Signal:
        return Signal(
            kind=Kind.COMPLAINTS_LEAPT,
            measure=received.name,
            at=_part(units, i, BELOW),
            of=_part(units, i, CAUSE),
            value=float(last[i]),
            usual=float(usual[i]),
            base=1.0,
            since=since,
            until=end,
            p=float(p[i]),
        )

    return [_Tests(p, np.ones(len(p), dtype=bool), told)]


def _cohorts(answer: pd.DataFrame, finer: Sequence[Dimension], year: Period) -> list[_Tests]:
    """The latest contracts of each product, at each branch and in all, against those of the months before."""
    answer = answer[(answer["mature_signed"] > 0).to_numpy()]
    if answer.empty:
        return []
    place, answer = _finest(answer, finer)
    counts = _months(answer, year), MONTHS, "activated_in_window", "mature_signed"
    in_all, at_branches = _grid(answer, (PRODUCT,), *counts), _grid(answer, (place, PRODUCT), *counts)
    # How far the windows are over is a matter of the product, not of the branch.
    latest = {id_: int(np.flatnonzero(n)[-1]) for id_, n in zip(_ids(in_all[0], PRODUCT), in_all[1][1], strict=True)}
    made = [_against_earlier(*at_branches, latest, place, year)]
    if answer[place.name].nunique(dropna=False) > 1:
        made.append(_against_earlier(*in_all, latest, None, year))
    return made


def _against_earlier(
    units: pd.DataFrame, counts: Sequence[Numbers], latest: dict[str, int], place: Dimension | None, year: Period
) -> _Tests:
    k, n = counts
    last = np.array([latest[id_] for id_ in _ids(units, PRODUCT)])
    cut = np.maximum(last - COHORT_MONTHS + 1, 0)
    early = np.arange(MONTHS) < cut[:, None]
    before, of_before = np.where(early, k, 0).sum(axis=1), np.where(early, n, 0).sum(axis=1)
    now, of_now = k.sum(axis=1) - before, n.sum(axis=1) - of_before
    share, usual = divided(now, of_now), divided(before, of_before)
    judged = np.flatnonzero((of_now >= FEWEST_LATEST) & (of_before >= cohort_activation_rate.fewest))
    p = _p_of_less(now, of_now, np.where(early, k, 0.0), np.where(early, n, 0.0))[judged]

    def told(at: int) -> Signal:
        i = judged[at]
        return Signal(
            kind=Kind.COHORT_WORSE,
            measure=cohort_activation_rate.name,
            at=_part(units, i, place) if place else None,
            of=_part(units, i, PRODUCT),
            value=float(share[i]),
            usual=float(usual[i]),
            base=float(of_now[i]),
            since=months_later(year.start, int(cut[i])),
            until=min(last_day(months_later(year.start, int(last[i])), "month"), year.end),
            p=float(p[at]),
        )

    return _Tests(p, np.ones(len(p), dtype=bool), told)


def _p_of_less(now: Numbers, of_now: Numbers, k: Numbers, n: Numbers) -> Numbers:
    """For each unit the chance of so small a share `now` if it were that of the months before (k of n, units by months).

    As p_against_earlier, one-sided, but what months waver by anyhow is learnt from all units together with the unit's own
    (Smyth 2004): ten months of one branch alone say so little of it that hardly anything could be found among so many.
    """
    before, of_before = k.sum(axis=1), n.sum(axis=1)
    share, pooled = divided(before, of_before), divided(now + before, of_now + of_before)
    spread = n * (share * (1 - share))[:, None]
    chi = np.divide((k - n * share[:, None]) ** 2, spread, out=np.zeros_like(k), where=spread > 0).sum(axis=1)
    free = np.maximum((spread > 0).sum(axis=1) - 1, 0)
    typical = max(1.0, float(chi.sum() / max(free.sum(), 1)))
    wavering = np.maximum((BORROWED * typical + chi) / (BORROWED + free), 1.0)
    p = np.ones(len(now))
    less = np.flatnonzero(divided(now, of_now) < share)
    p[less] = p_of_shares(now[less], of_now[less], before[less], of_before[less]) / 2
    error = np.sqrt(
        wavering * pooled * (1 - pooled) * (divided(np.ones_like(n[:, 0]), of_now) + 1 / np.maximum(of_before, 1))
    )
    z = divided(divided(now, of_now) - share, error)
    wide = less[wavering[less] > 1]
    p[wide] = np.maximum(p[wide], special.stdtr(BORROWED + free[wide], z[wide]))
    return p


def _agents(answer: pd.DataFrame, year: Period) -> list[_Tests]:
    """Agents by the share of their contracts that was used; those with few of them have not signed much."""
    rows = answer[(answer[AGENT.name].notna() & (answer["mature_signed"] >= cohort_activation_rate.fewest)).to_numpy()]
    k, n = (rows[name].to_numpy(dtype=float) for name in ("activated_in_window", "mature_signed"))
    return _outside(Kind.AGENT_UNUSED, cohort_activation_rate, rows, k, n, year, of=AGENT)


def _apart(measure: Ratio, over: pd.DataFrame, under: pd.DataFrame, year: Period) -> list[_Tests]:
    """The branches below by a ratio, its counts added up from answers in which each event stands in one row."""
    (upper, (k,)), (lower, (n,)) = (
        _grid(answer, (BELOW,), np.zeros(len(answer), dtype=int), 1, count.name)
        for answer, count in ((over, measure.over), (under, measure.under))
    )
    events = dict(zip(_ids(upper, BELOW), k[:, 0], strict=True))
    k, n = np.array([events.get(id_, 0.0) for id_ in _ids(lower, BELOW)]), n[:, 0]
    enough = n >= measure.fewest
    return _outside(Kind.BRANCH_APART, measure, lower[enough], k[enough], n[enough], year)


def _idle(answer: pd.DataFrame, waiting: pd.DataFrame, year: Period) -> list[_Tests]:
    """Lists by the share of their customers who were contacted, assigned at least IDLE_DAYS ago; those with none waiting now are
    there to be compared with."""
    old = (answer[WEEK.name] + timedelta(days=6 + IDLE_DAYS) <= pd.Timestamp(year.end)).to_numpy()
    rows = answer[old & answer[CAMPAIGN.name].notna().to_numpy()]
    units, (k, n) = _grid(rows, (CAMPAIGN,), np.zeros(len(rows), dtype=int), 1, "contacted", "assigned")
    enough = n[:, 0] >= FEWEST_ON_LIST
    units, k, n = units[enough], k[enough, 0], n[enough, 0]
    places = rows.groupby(CAMPAIGN.name)[BELOW.name].nunique(dropna=False)
    units = units.assign(**{BELOW.name: units[BELOW.name].where((units[CAMPAIGN.name].map(places) == 1).to_numpy())})
    unfinished = set(waiting.loc[(waiting["open_assignments"] > 0).to_numpy(), CAMPAIGN.name])
    still = np.array([id_ in unfinished for id_ in _ids(units, CAMPAIGN)], dtype=bool)
    return _outside(Kind.LIST_IDLE, coverage, units, k, n, year, of=CAMPAIGN, among=still, days=IDLE_DAYS)


def _outside(
    kind: Kind,
    measure: Ratio,
    units: pd.DataFrame,
    k: Numbers,
    n: Numbers,
    year: Period,
    *,
    of: Dimension | None = None,
    among: Flags | None = None,
    days: int = 0,
) -> list[_Tests]:
    """Units on the bad side of the funnel, outside its limits of 99.8 %; none of them are judged where too few are there to tell
    what such units differ by anyhow. Only those `among` are tested."""
    overall = float(k.sum() / n.sum()) if n.sum() > 0 else float("nan")
    funnel = (rate_funnel if measure.spread is Spread.RATES else share_funnel)(k, n, overall)
    if funnel.dispersion is Dispersion.NOT_TOLD:
        return []
    low = measure.better is Better.HIGHER
    bad = (divided(k, n) < overall) == low
    tested = np.flatnonzero(among) if among is not None else np.arange(len(n))
    p = np.where(bad, funnel.p / 2, 1.0)[tested]
    far = np.array([place is (Place.FAR_BELOW if low else Place.FAR_ABOVE) for place in funnel.places], dtype=bool)

    def told(at: int) -> Signal:
        i = tested[at]
        return Signal(
            kind=kind,
            measure=measure.name,
            at=_part(units, i, BELOW),
            of=_part(units, i, of) if of else None,
            value=float(k[i] / n[i]),
            usual=overall,
            base=float(n[i]),
            since=year.start,
            until=year.end - timedelta(days=days),
            p=float(p[at]),
        )

    return [_Tests(p, far[tested], told)]


def _behind(measure: str, branches: pd.DataFrame, contracts: pd.DataFrame, year: Period) -> list[_Tests]:
    """Branches by what is reached of a running target against what was to be by now: Poisson counts, in units of what the
    months of a branch waver by."""
    toward, expected = f"{measure}_toward_target", f"{measure}_expected"
    units = branches[(branches[expected].fillna(0).astype(float) >= ENOUGH_EXPECTED).to_numpy()]
    reached, due = (units[name].fillna(0).to_numpy(dtype=float) for name in (toward, expected))
    month = _months(contracts, year)
    last = MONTHS if last_day(year.end, "month") == year.end else MONTHS - 1  # the running month is not a whole one
    _places, (signed,) = _grid(contracts, (BELOW,), month, MONTHS, "signed")
    whole = signed[:, month.min() + (month.min() > 0) : last]
    if whole.shape[1] < FEWEST_POINTS:
        return []
    wavering = _wavering(whole)
    p = rate_tails(reached / wavering, due / wavering, 1.0)[0]

    def told(i: int) -> Signal:
        return Signal(
            kind=Kind.BEHIND_PACE,
            measure=toward,
            at=_part(units, i, BELOW),
            of=None,
            value=float(reached[i]),
            usual=float(due[i]),
            base=1.0,
            since=year.end,
            until=year.end,
            p=float(p[i]),
        )

    return [_Tests(p, np.ones(len(p), dtype=bool), told)]


# Answers as arrays --------------------------------------------------------------------------------------------------


def _has(answer: pd.DataFrame, *names: str) -> bool:
    return not answer.empty and set(names) <= set(answer.columns)


def _grid(
    answer: pd.DataFrame, by: Sequence[Dimension], step: Numbers, steps: int, *names: str
) -> tuple[pd.DataFrame, list[Numbers]]:
    """The first row of each unit, and for each count an array of units by steps; rows with a step below 0 are in none."""
    code = np.zeros(len(answer), dtype=np.int64)
    for dimension in by:
        own, ids = pd.factorize(answer[dimension.name], use_na_sentinel=False)
        code = code * len(ids) + own
    _codes, first, unit = np.unique(code, return_index=True, return_inverse=True)
    inside = step >= 0
    grids = []
    for name in names:
        grid = np.zeros((len(first), steps))
        np.add.at(grid, (unit[inside], step[inside]), answer[name].to_numpy(dtype=float, na_value=0.0)[inside])
        grids.append(grid)
    return answer.iloc[first], grids


def _months(answer: pd.DataFrame, year: Period) -> Numbers:
    """Which of the year's months each row is of, from 0."""
    month = answer[MONTH.name].dt
    return ((month.year - year.start.year) * MONTHS + month.month - year.start.month).to_numpy(dtype=int)


def _finest(answer: pd.DataFrame, finer: Sequence[Dimension]) -> tuple[Dimension, pd.DataFrame]:
    """The dimension of the finest branches, and the answer with the branch below filled in where there is no finer one."""
    if not finer:
        return BELOW, answer
    (dimension,) = finer
    filled = {dimension.name + end: answer[dimension.name + end].fillna(answer[BELOW.name + end]) for end in ("", NAME)}
    return dimension, answer.assign(**filled)


def _ids(units: pd.DataFrame, dimension: Dimension) -> list[str | None]:
    return [None if pd.isna(id_) else id_ for id_ in units[dimension.name]]


def _part(units: pd.DataFrame, i: int, dimension: Dimension) -> Part:
    id_ = units[dimension.name].iloc[i]
    name = units[dimension.name + NAME].iloc[i] if dimension.named else None
    if pd.isna(id_):
        return Part(dimension, None, None)  # the name beside it is that of the first row, not of nothing
    return Part(dimension, str(id_), None if pd.isna(name) else str(name))


def _wavering(counts: Numbers) -> float:
    """How much more than chance counts waver from step to step: Pearson's chi-square per degree of freedom, its median over the
    units of enough size over what the median is by chance, so that a few that really changed do not count; never below 1."""
    usual, free = counts.mean(axis=1), counts.shape[1] - 1
    enough = usual >= 1
    if not enough.any():
        return 1.0
    chi = ((counts[enough] - usual[enough, None]) ** 2 / usual[enough, None]).sum(axis=1)
    return max(1.0, float(np.median(chi) / special.chdtri(free, 0.5)))
