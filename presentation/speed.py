"""How fast things happen, in words and as a table: titles by rule from the curves of `measures.waits`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from measures.dimensions import DAYS_TO_CLOSE, DAYS_TO_CONTACT, DAYS_TO_USE
from measures.model import Dimension, Unit, _
from measures.question import NAME, Question
from measures.survival import QuantileDay, comes_sooner, log_rank, quantile_day, share_by
from measures.waits import FEWEST, Wait, Waited, together, told_by_all
from presentation.curve_chart import ends_of
from presentation.findings import within
from presentation.tables import Column, Table, table_of
from presentation.units import shown, step_shown
from presentation.words import Words

CHANCE = 0.01
"""How seldom two curves as far apart as these may come of one by chance, all pairs looked at taken together, to be called apart."""


@dataclass(frozen=True)
class _Texts:
    """What is said of one thing waited for (msgids)."""

    half: str
    part: str
    too_few: str
    meaning: str
    by: str
    """Heads a column: the share by a day."""
    backwards: str


_TEXTS = {
    DAYS_TO_USE: _Texts(
        half=_("Half of the contracts signed are used within {days}"),
        part=_("{share} of the contracts signed are used within {days}; half is not reached"),
        too_few=_("Too few contracts to tell how fast they come into use"),
        meaning=_("Share of the contracts signed that are used, by days since signing"),
        by=_("Used by day {day}"),
        backwards=_("Left out because they were used or closed before they were signed: {n}."),
    ),
    DAYS_TO_CONTACT: _Texts(
        half=_("Half of the customers assigned are contacted within {days}"),
        part=_("{share} of the customers assigned are contacted within {days}; half is not reached"),
        too_few=_("Too few assignments to tell how fast they are contacted"),
        meaning=_("Share of the customers assigned that are contacted, by days since the assignment"),
        by=_("Contacted by day {day}"),
        backwards=_("Left out because they were contacted or closed before they were assigned: {n}."),
    ),
    DAYS_TO_CLOSE: _Texts(
        half=_("Half of the complaints are closed within {days}"),
        part=_("{share} of the complaints are closed within {days}; half is not reached"),
        too_few=_("Too few complaints to tell how fast they are closed"),
        meaning=_("Share of the complaints that are closed, by days since they came in"),
        by=_("Closed by day {day}"),
        backwards=_("Left out because they were closed before they came in: {n}."),
    ),
}


# Sentences ----------------------------------------------------------------------------------------------------------


def finding(groups: Sequence[Waited], wait: Wait, by: Dimension, say: Words) -> str:
    """“Half of the contracts signed are used within 12 days (11–13); Card is fastest …”: all together, then who differs."""
    if not groups:
        return say("None in these days")
    second = _youngest(groups, by, say) if by.step else _apart(groups, wait, by, say)
    return say.clauses([_all(groups, wait, say), *([second] if second else [])])


def meaning(wait: Wait, say: Words) -> str:
    """What the curves are of."""
    return say(_TEXTS[wait.days].meaning)


def backwards(groups: Sequence[Waited], wait: Wait, say: Words) -> str | None:
    """How many are left out because their days run backwards in the data; None where there are none."""
    number = sum(group.backwards for group in groups)
    return say(_TEXTS[wait.days].backwards, n=number) if number else None


def group_name(group: Waited, by: Dimension, say: Words) -> str:
    """The group as it is called in a sentence and at the end of its line."""
    if by.step:
        return step_shown(group.id, by.step, say.language)
    return group.name if by.named and group.name else say.value(by, group.id)


def _all(groups: Sequence[Waited], wait: Wait, say: Words) -> str:
    texts, whole = _TEXTS[wait.days], together(groups)
    half = quantile_day(whole.curve)
    if half.day is not None:
        return say(texts.half, days=_within_days(half, say))
    if whole.curve.drawn_to is None:
        return say(texts.too_few)
    day = max((day for day in wait.told if share_by(whole.curve, day)), default=int(whole.curve.drawn_to))
    share = shown(share_by(whole.curve, day).value, Unit.SHARE, say.language)
    return say(texts.part, share=share, days=say.plural("{n} day", "{n} days", day))


def _within_days(half: QuantileDay, say: Words) -> str:
    """“12 days (11–13)”; “12 days (11 or more)” where the upper end is not reached."""
    days = say.plural("{n} day", "{n} days", int(half.day))
    if half.upper is None:
        return say.aside(days, say("{lower} or more", lower=int(half.lower)))
    return days if half.lower == half.upper else say.aside(days, f"{int(half.lower)}–{int(half.upper)}")


def to_draw(groups: Sequence[Waited], wait: Wait, by: Dimension, most: int) -> list[Waited]:
    """The groups whose curves are drawn, `most` at most: the youngest cohorts; of others the fastest, the slowest and the largest."""
    known = [group for group in groups if group.curve.drawn_to is not None]
    if by.step:
        return known[-most:]
    ranked = _ranked(groups, wait)[1]
    first = dict.fromkeys([*ranked[:1], *ranked[-1:], *known])
    return sorted(list(first)[:most], key=known.index)


def _ranked(groups: Sequence[Waited], wait: Wait) -> tuple[int, list[Waited]]:
    """A day by which all can be told that can be told at all, and those of them from the highest to the lowest share by then."""
    day, known = told_by_all(groups, wait)
    return day, sorted(known, key=lambda group: -share_by(group.curve, day).value)


def _apart(groups: Sequence[Waited], wait: Wait, by: Dimension, say: Words) -> str | None:
    """The fastest and the slowest, where they are further apart than the furthest of so many pairs would be by chance."""
    day, ranked = _ranked(groups, wait)
    if len(ranked) < 2:
        return None
    first, last = ranked[0], ranked[-1]
    pairs = len(ranked) * (len(ranked) - 1) / 2
    if log_rank(first.counts, last.counts) * pairs >= CHANCE:
        return say("the difference by {dimension} may be chance", dimension=within(say(by.label), say))
    if not comes_sooner(first.counts, last.counts):
        return None  # the curves cross: the one that is higher by then is the slower at first
    return say(
        "{first} is fastest ({high} by day {day}), {last} slowest ({low})",
        first=group_name(first, by, say),
        high=shown(share_by(first.curve, day).value, Unit.SHARE, say.language),
        day=day,
        last=group_name(last, by, say),
        low=shown(share_by(last.curve, day).value, Unit.SHARE, say.language),
    )


def _youngest(groups: Sequence[Waited], by: Dimension, say: Words) -> str | None:
    """The youngest cohort against the one before it, on the last day that both are drawn to."""
    known = [group for group in groups if group.curve.drawn_to is not None]
    if len(known) < 2:
        return None
    before, youngest = known[-2:]
    day = min(before.curve.drawn_to, youngest.curve.drawn_to)
    behind = share_by(youngest.curve, day).value - share_by(before.curve, day).value
    names = {"youngest": group_name(youngest, by, say), "before": group_name(before, by, say)}
    if not behind or log_rank(youngest.counts, before.counts) >= CHANCE:
        return say("{youngest} cannot be told apart from {before}", **names)
    if comes_sooner(youngest.counts, before.counts) != (behind > 0):
        return None  # the curves cross
    apart = _("{youngest} is slower than {before}") if behind < 0 else _("{youngest} is faster than {before}")
    return say(apart, **names)


# The table ----------------------------------------------------------------------------------------------------------


def table(groups: Sequence[Waited], wait: Wait, by: Dimension, question: Question, title: str, say: Words) -> Table:
    """A row for each group: how many, the day by which it has happened to half, and the share by each of the days told.

    Beside each number stands its interval, or why it cannot be told.
    """
    texts = _TEXTS[wait.days]
    ids = [group_name(group, by, say) if by.step else group.id for group in groups]
    rows = pd.DataFrame({by.name: pd.Series(ids, dtype="str")})
    if by.named:
        rows[by.name + NAME] = pd.Series([group.name for group in groups], dtype="str")
    rows[wait.began] = pd.Series([group.cases for group in groups], dtype="Int64")
    halves = [quantile_day(group.curve) for group in groups]
    rows["half"] = pd.Series([half.day for half in halves], dtype="float64")
    rows["half_between"] = pd.Series(
        [_half_between(half, group, say) for half, group in zip(halves, groups, strict=True)], dtype="str"
    )
    columns = [
        Column(
            "half", say("Half by day"), "number", Unit.COUNT, say("The day by which it has happened to half of them")
        ),
        Column(
            "half_between", say("Half, between"), "text", meaning=say("Where it lies 95 times of 100"), interval=True
        ),
    ]
    for day in wait.told:
        shares = [share_by(group.curve, day) for group in groups]
        rows[f"by_{day}"] = pd.Series([share and share.value for share in shares], dtype="float64")
        rows[f"by_{day}_between"] = pd.Series(
            [
                ends_of(share, say) if share else _untold(group, say)
                for share, group in zip(shares, groups, strict=True)
            ],
            dtype="str",
        )
        columns += [
            Column(f"by_{day}", say(texts.by, day=day), "number", Unit.SHARE, say(texts.meaning)),
            Column(
                f"by_{day}_between",
                say("Day {day}, between", day=day),
                "text",
                meaning=say("Where it lies 95 times of 100"),
                interval=True,
            ),
        ]
    found = table_of(replace(question, measures=question.measures[:1], by=(by,)), rows, None, say)
    # A cohort is called by a word, in a file too: Excel has no format for quarters.
    first = replace(found.columns[0], kind="text", step=None)
    return replace(found, title=title, columns=(first, *found.columns[1:], *columns), meaning=say(texts.meaning))


def _half_between(half: QuantileDay, group: Waited, say: Words) -> str:
    if half.day is None:
        return _untold(group, say) if group.curve.drawn_to is None else say("not reached")
    if half.upper is None:
        return say("{lower} or more", lower=int(half.lower))
    return str(int(half.lower)) if half.lower == half.upper else f"{int(half.lower)}–{int(half.upper)}"


def _untold(group: Waited, say: Words) -> str:
    """Why a share cannot be told: too few cases, or none of enough that were watched so long."""
    return say("fewer than {fewest}", fewest=FEWEST) if group.cases < FEWEST else say("not yet known")
