"""Targets in words and as a table: who will probably miss its target, from the standings of `measures.standings`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from measures.dimensions import BELOW
from measures.model import Unit, _
from measures.pace import FEWEST_DAYS
from measures.question import NAME, Question
from measures.standings import Standing
from measures.statistics import Estimate
from presentation.tables import Column, Table, table_of
from presentation.units import day_shown, period_shown, shown
from presentation.words import Words

MISSING_FROM, REACHED_TO = 0.8, 0.2
"""A chance of missing from the first on is told as probable, up to the second as probably reached; between, it may go either way."""
MOST_NAMED = 5
"""More names make no sentence; the chart and the table have them all."""

HOW_PROJECTED = _(
    "The days left are taken to bring what the days passed did, by their weight. The line holds the end 95 times of 100: counts vary "
    "from day to day and from week to week as they did so far, never less than by chance (gamma distribution with the dispersion of "
    "the days and weeks passed), and their mean is itself only estimated. A season or a campaign still to come is not in it: where "
    "one comes, it is too sure."
)
BY_WORKING_DAYS = _("Weight of a day: 1 for a working day, 0 for others.")
BY_COURSE = _(
    "Weight of a day: what the same weekday brought a year ago (364 days earlier), in all of the branch looked at together. Holidays "
    "that move from year to year are not moved with it."
)


# Sentences ----------------------------------------------------------------------------------------------------------


def finding(found: Sequence[Standing], by_course: bool, say: Words) -> str:
    """“3 of 12 branches will probably miss their target: A, B, C; 4 may go either way”; of one branch its own standing."""
    known = [standing for standing in found if standing.pace.target is not None]
    if not known:
        return say("No target above zero is set")
    if len(known) == 1:
        return _alone(known[0], by_course, say)
    # A branch with several targets stands where the likeliest to be missed does: it comes first.
    worst = list({standing.id: standing for standing in reversed(known)}.values())[::-1]
    untold = [standing for standing in worst if standing.pace.missing is None]
    told = [standing for standing in worst if standing.pace.missing is not None]
    if not told:
        if all(standing.working_passed < FEWEST_DAYS for standing in worst):
            return say("Too early to tell: fewer than {n} working days have passed", n=FEWEST_DAYS)
        return say("What the days left will bring cannot be told")
    over = all(standing.pace.over for standing in told)
    missed = [standing.name for standing in told if standing.pace.missing >= MISSING_FROM]
    either = sum(REACHED_TO < standing.pace.missing < MISSING_FROM for standing in told)
    clauses = [_missed(missed, len(worst), over, say)] if missed else []
    if either:
        clauses.append(
            say("{n} may go either way", n=either)
            if missed
            else say.plural(
                "{n} of {all} branches may miss its target or reach it, none will probably miss it",
                "{n} of {all} branches may miss their target or reach it, none will probably miss it",
                either,
                all=len(worst),
            )
        )
    if not clauses:
        clauses.append(_reached(len(told), over, whole=not untold, say=say))
    if untold:
        clauses.append(say("of {n} it is too early to tell", n=len(untold)))
    return say.clauses(clauses)


def _missed(names: Sequence[str], number: int, over: bool, say: Words) -> str:
    listed = say.listed(list(names[:MOST_NAMED]))
    if len(names) > MOST_NAMED:
        listed = say("{names} and {n} more", names=listed, n=len(names) - MOST_NAMED)
    if len(names) == number:
        whole = (
            _("All {all} branches have missed their target")
            if over
            else _("All {all} branches will probably miss their target")
        )
        return say(whole, all=number)
    if over:
        return say.plural(
            "{n} of {all} branches has missed its target: {names}",
            "{n} of {all} branches have missed their target: {names}",
            len(names),
            all=number,
            names=listed,
        )
    return say.plural(
        "{n} of {all} branches will probably miss its target: {names}",
        "{n} of {all} branches will probably miss their target: {names}",
        len(names),
        all=number,
        names=listed,
    )


def _reached(number: int, over: bool, *, whole: bool, say: Words) -> str:
    if not whole:
        return say.plural(
            "{n} branch will probably reach its target", "{n} branches will probably reach their target", number
        )
    if over:
        return say("All {all} branches have reached their target", all=number)
    return say("All {all} branches will probably reach their target", all=number)


def _alone(standing: Standing, by_course: bool, say: Words) -> str:
    missing, parts = standing.pace.missing, {"branch": standing.name, "progress": progress(standing, by_course, say)}
    if standing.pace.attained >= 1:
        return say("{branch} has reached its target: {progress}", **parts)
    if missing is None:
        return say("Too early to tell whether {branch} will reach its target: {progress}", **parts)
    if standing.pace.over:
        return say("{branch} has missed its target: {progress}", **parts)
    if missing >= MISSING_FROM:
        return say("{branch} will probably miss its target: {progress}", **parts)
    if missing <= REACHED_TO:
        return say("{branch} will probably reach its target: {progress}", **parts)
    return say("{branch} may reach its target or miss it: {progress}", **parts)


def progress(standing: Standing, by_course: bool, say: Words) -> str:
    """“61.2 % reached after 70.3 % of the working days”."""
    attained, elapsed = (shown(s, Unit.SHARE, say.language) for s in (standing.pace.attained, standing.pace.elapsed))
    if standing.pace.elapsed is None:
        return say("{attained} reached", attained=attained)
    if by_course:
        return say(
            "{attained} reached; a year ago {elapsed} of the whole had come by this day",
            attained=attained,
            elapsed=elapsed,
        )
    return say("{attained} reached after {elapsed} of the working days", attained=attained, elapsed=elapsed)


def needed(standing: Standing, say: Words) -> str:
    """“From now on 174.1 a working day are needed; so far 193.9 came”, with how many working days are left."""
    target = shown(standing.pace.target, Unit.AMOUNT, say.language)
    if standing.needed == 0:
        return say("The target of {target} is reached", target=target)
    if standing.needed is None:
        return say("No working day is left to reach the target of {target}", target=target)
    left = say.plural("{n} working day is left", "{n} working days are left", int(standing.working_left))
    parts = {"left": left, "target": target, "needed": shown(standing.needed, Unit.RATE, say.language)}
    if standing.a_day is None:
        return say("{left}: each must bring {needed} to reach {target}", **parts)
    return say(
        "{left}: each must bring {needed} to reach {target}, so far each brought {brought}",
        brought=shown(standing.a_day, Unit.RATE, say.language),
        **parts,
    )


def expected(standing: Standing, say: Words) -> str | None:
    """“Expected at the end: 12,024 (11,233–12,875) of 11,449”; None where it cannot be told yet, or nothing is left to come."""
    if not standing.pace.projected or standing.pace.over:
        return None
    return say(
        "Expected at the end: {value} ({between}) of {target}",
        value=shown(standing.pace.projected.value, Unit.COUNT, say.language),
        between=between(standing.pace.projected, say),
        target=shown(standing.pace.target, Unit.AMOUNT, say.language),
    )


def between(projected: Estimate, say: Words) -> str:
    """“11,233–12,875”: the ends of what will be reached."""
    low, high = (shown(end, Unit.COUNT, say.language) for end in (projected.lower, projected.upper))
    return low if low == high else f"{low}–{high}"


def row_names(found: Sequence[Standing], say: Words) -> list[str]:
    """What each is called beside the others: by its branch, and where targets are for different days, by these too."""
    if _one_period(found):
        return [str(standing.name) for standing in found]
    return [f"{standing.name} · {period_shown(standing.period, say.language)}" for standing in found]


def _one_period(found: Sequence[Standing]) -> bool:
    return len({standing.period for standing in found}) <= 1


def looked_at(found: Sequence[Standing], until: date, say: Words) -> str:
    """“Targets for Oct – Dec 2026, looked at on 20 Nov 2026”."""
    day = day_shown(until, say.language)
    if _one_period(found):
        return say("Targets for {days}, looked at on {day}", days=period_shown(found[0].period, say.language), day=day)
    return say("Targets for different days, looked at on {day}", day=day)


# The table ----------------------------------------------------------------------------------------------------------


def table(found: Sequence[Standing], question: Question, title: str, by_course: bool, say: Words) -> Table:
    """A row for each of `found` in its order. `question` asks for the target and for what counts towards it."""
    target, toward = question.measures
    paces = [standing.pace for standing in found]

    def numbers(values: Sequence[float | None], kind: str = "float64") -> pd.Series:
        return pd.Series(values, dtype=kind)

    rows = pd.DataFrame(
        {
            BELOW.name: pd.Series([standing.id for standing in found], dtype="str"),
            BELOW.name + NAME: pd.Series([standing.name for standing in found], dtype="str"),
            "days": pd.Series([period_shown(s.period, say.language) for s in found], dtype="str"),
            target.name: numbers([pace.target for pace in paces]),
            toward.name: numbers([int(pace.reached) for pace in paces], "Int64"),
            "attained": numbers([pace.attained for pace in paces]),
            "elapsed": numbers([pace.elapsed for pace in paces]),
            "index": numbers([pace.index for pace in paces]),
            "projected": numbers([pace.projected and pace.projected.value for pace in paces]),
            "between": pd.Series([_between(pace.projected, say) for pace in paces], dtype="str"),
            "a_day": numbers([standing.a_day for standing in found]),
            "needed": numbers([standing.needed for standing in found]),
            "missing": numbers([pace.missing for pace in paces]),
        }
    )
    shown_first = table_of(replace(question, by=(BELOW,), order=()), rows, None, say)
    branch, *counts = shown_first.columns
    branch = replace(branch, label=say("Branch"))
    chance = Column(
        "missing",
        say("Chance of missing"),
        "number",
        Unit.SHARE,
        say("How likely the target is to be missed, if the days left bring what the days passed did"),
    )
    days = [Column("days", say("Target for"), "text", meaning=say("The first and the last day of the target"))]
    passed = (
        say("Share of the whole that had come by this day a year ago")
        if by_course
        else say("Share of its working days that have passed")
    )
    columns = [
        Column("attained", say("Attained"), "number", Unit.SHARE, say("What is reached as a share of the target")),
        Column("elapsed", say("Due by now"), "number", Unit.SHARE, passed),
        Column("index", say("Pace"), "number", Unit.INDEX, say("Attained over due by now: at 1.00 the target is met on its last day")),
        Column("needed", say("Needed a working day"), "number", Unit.RATE, say("What each working day left must bring")),
        Column("a_day", say("A working day so far"), "number", Unit.RATE, say("What a working day brought on average")),
        Column("projected", say("Expected at the end"), "number", Unit.AMOUNT, say("If the days left bring what the days passed did")),
        Column(
            "between", say("Expected, between"), "text", meaning=say("Where it lies 95 times of 100, if the days left are alike"),
            interval=True,
        ),
    ]  # fmt: skip
    return replace(
        shown_first,
        title=title,
        columns=(branch, *([] if _one_period(found) else days), chance, *counts, *columns),
        note=None,
    )


def _between(projected: Estimate | None, say: Words) -> str:
    return between(projected, say) if projected else say("not yet known")
