"""What has changed since the last meeting, and what actions brought, in words: never more than the numbers can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from measures.model import Measure, Unit, _
from measures.since import Since, Verdict, number
from presentation.findings import few_in_words, within
from presentation.tables import Column, Table
from presentation.units import MISSING, day_shown, shown
from presentation.words import Words

VERDICTS = {
    Verdict.UP: _("up"),
    Verdict.DOWN: _("down"),
    Verdict.SAME: _("may be chance"),
    Verdict.UNKNOWN: _("cannot be judged"),
}
HOW = _(
    "Each change stands with the ends of what holds it, at three standard errors: because many are looked at, two would find some in "
    "any noise. They lie wider where a number differs from week to week by more than chance anyhow. Where they lie on both sides of "
    "nought, no change can be told."
)


@dataclass(frozen=True)
class Moved:
    """A measure now and when it was last looked at: rows of answers with the counts of a rate, and what can be told of them."""

    measure: Measure
    row: Mapping
    before: Mapping | None
    found: Since
    target: str = ""


def key_numbers(listed: Sequence[Moved], now: str, before: str, say: Words) -> Table:
    """The measures one under the other: now, then, the change with its ends, and what can be told. `now` and `before` head their
    columns. The raw numbers stand in `value` and `value_before`. A target that is the only one is left to `lone_target`."""
    heads = {
        "measure": say("Measure"),
        "now": now,
        "before": before,
        "change": say("Change"),
        "told": say("What can be told"),
        "target": say("Target"),
    }
    rows = [
        {
            "measure": say(moved.measure.label),
            "now": value(moved.measure, moved.row, say),
            "before": value(moved.measure, moved.before, say),
            "change": with_ends(moved.found, moved.measure, say),
            "told": say(VERDICTS[moved.found.verdict]),
            "target": moved.target or MISSING,
            "value": number(moved.row, moved.measure.name),
            "value_before": number(moved.before, moved.measure.name),
        }
        for moved in listed
    ]
    columns = [
        Column(name, label, "text", interval=name in ("now", "before", "change"))
        for name, label in heads.items()
        if name != "target" or len(_aimed(listed)) > 1
    ]
    return Table(
        say("Key numbers"), tuple(columns), pd.DataFrame(rows, columns=[*heads, "value", "value_before"]), note=say(HOW)
    )


def lone_target(listed: Sequence[Moved], say: Words) -> list[str]:
    """The only target, as a note: it would have a column that is empty but for it, and the widest."""
    aimed = _aimed(listed)
    return [f"{say(moved.measure.label)} · {moved.target}" for moved in aimed] if len(aimed) == 1 else []


def _aimed(listed: Sequence[Moved]) -> list[Moved]:
    return [moved for moved in listed if moved.target]


def moved_most(listed: Sequence[Moved], since: date | None, say: Words) -> str:
    """“Since 13 Nov 2026: up coverage; down complaints received”, or that nothing moved by more than chance."""
    if since is None:
        parts = {"when": say("Against the 7 days before")}
    else:
        parts = {"when": say("Since {day}", day=day_shown(since, say.language))}
    ups, downs = ([m for m in listed if m.found.verdict is way] for way in (Verdict.UP, Verdict.DOWN))
    clauses = [
        say(text, measures=say.listed([within(say(m.measure.label), say) for m in found]))
        for text, found in ((_("up {measures}"), ups), (_("down {measures}"), downs))
        if found
    ]
    if not clauses:
        return say("{when}: no change that can be told from chance", **parts)
    return say("{when}: {clauses}", clauses=say.clauses(clauses), **parts)


def value(measure: Measure, row: Mapping | None, say: Words) -> str:
    """The number as a table writes it, with a word where it stands for too few."""
    found = number(row, measure.name)
    text = shown(found, measure.unit, say.language)
    few = found is not None and few_in_words(measure, row, say)
    return say.aside(text, f"n < {measure.fewest}") if few else text


def with_ends(found: Since, measure: Measure, say: Words) -> str:
    """“+2.1 points (+0.4 to +3.8)”: the change between its ends; “—” where it cannot be told."""
    if found.change is None:
        return MISSING
    ends = [difference(end, measure, say) for end in (found.change.lower, found.change.upper)]
    size = difference(found.change.value, measure, say)
    if measure.unit is Unit.SHARE:
        size = say("{number} points", number=size)
    return say.aside(size, say("{lower} to {upper}", lower=ends[0], upper=ends[1]))


def difference(of: float, measure: Measure, say: Words) -> str:
    """A difference with its sign: of shares in points, of counts whole."""
    share, count = measure.unit is Unit.SHARE, measure.unit is Unit.COUNT
    text = shown(of * 100 if share else of, Unit.RATE if not count else Unit.COUNT, say.language)
    return text if text.startswith("−") or not any(digit in text for digit in "123456789") else f"+{text}"


def brought(own: Since, more: Since, measure: Measure, since: date, say: Words) -> str:
    """What became of a measure since something was agreed on, and whether it is more than where nothing was agreed."""
    label = say(measure.label)
    day = day_shown(since, say.language)
    if own.change is None:
        return say("{measure} since {day}: too little yet to tell", measure=label, day=day)
    size = with_ends(own, measure, say)
    if own.verdict is Verdict.SAME:
        first = say("{measure} since {day}: {change}, may be chance", measure=label, day=day, change=size)
    else:
        first = say("{measure} since {day}: {change}", measure=label, day=day, change=size)
    beside = {
        Verdict.UP: _("more than where nothing was agreed"),
        Verdict.DOWN: _("less than where nothing was agreed"),
        Verdict.SAME: _("not told apart from where nothing was agreed"),
        Verdict.UNKNOWN: _("nothing comparable to set it against"),
    }[more.verdict]
    return say.clauses([first, say(beside)])
