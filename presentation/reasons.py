"""Why a rate moved, in words: the change split into what each part brought, its own change apart from that of its share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from measures.decomposition import Decomposition, decomposed_rate
from measures.model import Dimension, Ratio, Unit
from measures.period import Period
from measures.question import BEFORE, NAME
from presentation.filters import told_apart
from presentation.findings import differ, name_of, too_few, within
from presentation.tables import Column, Table
from presentation.units import change, period_shown, shown
from presentation.words import Words

NAMED = 3
"""So many of the parts have a sentence of their own."""
_LEADS = 1 / 3
"""What brought less of the change than this share does not explain it."""


@dataclass(frozen=True)
class Reason:
    """What one part brought to the change of the whole, in the measure's unit.

    `before` and `now` are its own rate, None where it had nothing to divide by; the weights are its shares (0–1) of the whole.
    `within` is what its own rate brought, `mix` what its weight did. `by_chance` says whether its own rate may
    not have moved, or stands for too few to tell.
    """

    id: str | None
    name: str
    before: float | None
    now: float | None
    weight_before: float
    weight_now: float
    within: float
    mix: float
    by_chance: bool

    @property
    def effect(self) -> float:
        return self.within + self.mix


@dataclass(frozen=True)
class Why:
    """A change of `measure` and its reasons by `by`, those of the largest effect first; they add up to `now` − `before`."""

    measure: Ratio
    by: Dimension
    before: float
    now: float
    reasons: tuple[Reason, ...]
    by_chance: bool
    """Whether the change of the whole is no more than chance."""


class Untold(Exception):
    """Nothing can be told of a change; the text is a sentence in the reader's language."""


def why(measure: Ratio, by: Dimension, answer: pd.DataFrame, say: Words) -> Why:
    """The reasons for the change of `measure` by the parts that `by` tells apart.

    `answer` holds the measure and both of its counts for each part, in the period and in the one compared with. Raises Untold
    where a period is not known or stands for too few.
    """
    label, base = say(measure.label), within(say(measure.under.label), say)
    columns = [count.name + ending for ending in (BEFORE, "") for count in measure.counts]
    if any(answer[column].isna().all() for column in columns):
        raise Untold(say("{measure} is not known in both periods, so nothing can be told of its change", measure=label))
    # A part without rows in one period stands for nothing there, as in the whole.
    over0, under0, over1, under1 = (answer[column].fillna(0).astype(float).to_numpy() for column in columns)
    whole0, whole1 = sum(under0), sum(under1)
    if min(whole0, whole1) < measure.fewest:
        raise Untold(
            say(
                "Too few to tell why {measure} moved: {before} before, {now} now ({base})",
                measure=within(label, say),
                before=shown(whole0, measure.under.unit, say.language),
                now=shown(whole1, measure.under.unit, say.language),
                base=base,
            )
        )
    found = decomposed_rate(over0 * measure.per, under0, over1 * measure.per, under1)
    # Hundreds of agents as Series would take as long as the rest of the page.
    rows = answer.to_dict("records")
    few = too_few(measure, answer).tolist()
    ids = [None if pd.isna(row[by.name]) else str(row[by.name]) for row in rows]
    names = told_apart({id_: name_of(row, by, say) for id_, row in zip(ids, rows, strict=True)})
    reasons = [
        Reason(
            id=ids[at],
            name=names[ids[at]],
            before=_known(rows[at][measure.name + BEFORE]),
            now=_known(rows[at][measure.name]),
            weight_before=float(under0[at] / whole0),
            weight_now=float(under1[at] / whole1),
            within=float(found.within[at]),
            mix=float(found.mix[at]),
            by_chance=few[at] or not _differ(measure, rows[at]),
        )
        for at in found.largest_first
    ]
    return Why(
        measure,
        by,
        found.before,
        found.after,
        tuple(reasons),
        not _differ(measure, _whole(measure, found, whole0, whole1)),
    )


def effect_in_words(effect: float, measure: Ratio, say: Words) -> str:
    """“−1.8 points”, or “−1.8” of a rate per 1,000."""
    return change(effect, 0.0, measure, say.language).text


def effect_in_short(effect: float, measure: Ratio, say: Words) -> str:
    """“−1.8”, where it is known what of."""
    points = effect * 100 if measure.unit is Unit.SHARE else effect
    text = shown(points, Unit.RATE, say.language)
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def finding(told: Why, say: Words) -> str:
    """“Activation rate fell by 2.1 points to 66.8 %: −1.8 points because a larger share fell to Mobile banking, where it is lower”."""
    measure = told.measure
    moved = change(told.now, told.before, measure, say.language)
    words = {"measure": say(measure.label), "value": shown(told.now, measure.unit, say.language)}
    if moved.direction == "same":
        return say("{measure} stayed at {value}", **words)
    if told.by_chance:
        return say("{measure} at {value}: a change of {change} may be chance", change=moved.text, **words)
    words["change"] = moved.text.lstrip("+−")
    rose = told.now > told.before
    if _against_all_parts(told):
        if rose:
            return say(
                "{measure} rose by {change} to {value}, though it fell in every part: "
                "more of the whole lies where it is higher",
                **words,
            )
        return say(
            "{measure} fell by {change} to {value}, though it rose in every part: "
            "more of the whole lies where it is lower",
            **words,
        )
    moved_by = (
        say("{measure} rose by {change} to {value}", **words)
        if rose
        else say("{measure} fell by {change} to {value}", **words)
    )
    if len(told.reasons) == 1:
        return moved_by
    return say("{moved}: {reasons}", moved=moved_by, reasons=_leading(told, say))


def sentence(reason: Reason, measure: Ratio, say: Words) -> str:
    """What one part brought, and how: by its own change, and by that of its share of the whole."""

    def number(value: float | None) -> str:
        return shown(value, measure.unit, say.language)

    brought = {"name": reason.name, "effect": effect_in_words(reason.effect, measure, say)}
    weights = [_percent(weight, say) for weight in (reason.weight_before, reason.weight_now)]
    if reason.before is None and reason.now is None:
        return say(
            "{name}: {effect}. It has no {base} of its own: all of it counts as its own change.",
            base=within(say(measure.under.label), say),
            **brought,
        )
    if reason.before is None:
        return say(
            "{name}: {effect}. It was not there before: now {value}, on {share} of the whole.",
            value=number(reason.now),
            share=weights[1],
            **brought,
        )
    if reason.now is None:
        return say(
            "{name}: {effect}. It is no longer there: before {value}, on {share} of the whole.",
            value=number(reason.before),
            share=weights[0],
            **brought,
        )
    own = {
        "before": number(reason.before),
        "value": number(reason.now),
        "effect": effect_in_short(reason.within, measure, say),
    }
    if own["before"] == own["value"]:
        first = say("It stayed at {value} ({effect})", **own)
    elif reason.by_chance:
        first = say("Its own change from {before} to {value} may be chance ({effect})", **own)
    elif reason.now > reason.before:
        first = say("It rose from {before} to {value} ({effect})", **own)
    else:
        first = say("It fell from {before} to {value} ({effect})", **own)
    weight = {"before": weights[0], "value": weights[1], "effect": effect_in_short(reason.mix, measure, say)}
    if weights[0] == weights[1]:
        second = say("its share of the whole stayed at {value} ({effect})", **weight)
    elif reason.weight_now > reason.weight_before:
        second = say("its share of the whole grew from {before} to {value} ({effect})", **weight)
    else:
        second = say("its share of the whole shrank from {before} to {value} ({effect})", **weight)
    return say("{name}: {effect}. {own}; {share}.", own=first, share=second, **brought)


def table(told: Why, before: Period, now: Period, say: Words) -> Table:
    """All parts with their rates, their shares of the whole and their effects; the total row is the whole."""
    unit, by = told.measure.unit, told.by
    name = by.name + NAME
    rates = [
        say("{measure}, {period}", measure=say(told.measure.label), period=period_shown(period, say.language))
        for period in (before, now)
    ]
    shares = [
        say("Share of the whole, {period}", period=period_shown(period, say.language)) for period in (before, now)
    ]
    in_points = unit is Unit.SHARE
    change, points = (Unit.RATE, 100) if in_points else (unit, 1)
    columns = (
        Column(name, say(by.label), "text"),
        Column("before", rates[0], "number", unit),
        Column("now", rates[1], "number", unit),
        Column("weight_before", shares[0], "number", Unit.SHARE),
        Column("weight_now", shares[1], "number", Unit.SHARE),
        Column("within", say("Own change, in points") if in_points else say("Own change"), "number", change),
        Column(
            "mix", say("Change of its share, in points") if in_points else say("Change of its share"), "number", change
        ),
        Column("effect", say("Effect in all, in points") if in_points else say("Effect in all"), "number", change),
    )
    numbers = [column.name for column in columns[1:]]
    rows = pd.DataFrame(
        {
            by.name: pd.array([reason.id for reason in told.reasons], dtype="str"),
            name: pd.array([reason.name for reason in told.reasons], dtype="str"),
        }
        | {number: pd.array([getattr(r, number) for r in told.reasons], dtype="float64") for number in numbers}
    )
    for effect in ("within", "mix", "effect"):
        rows[effect] *= points
    whole = {
        "before": told.before,
        "now": told.now,
        "weight_before": 1.0,
        "weight_now": 1.0,
        "within": points * sum(reason.within for reason in told.reasons),
        "mix": points * sum(reason.mix for reason in told.reasons),
        "effect": points * (told.now - told.before),
    }
    return Table(finding(told, say), columns, rows, pd.DataFrame([whole]))


def _leading(told: Why, say: Words) -> str:
    """The one or two reasons that explain most of the change; where none does, how much is the parts' own and how much their mix."""
    moved = told.now - told.before
    own = [(reason.within, _own(reason, told, say)) for reason in told.reasons if not reason.by_chance]
    shifted = [(reason.mix, _shifted(reason, told, say)) for reason in told.reasons]
    leading = sorted((one for one in own + shifted if one[0] / moved >= _LEADS), key=lambda one: -abs(one[0]))
    if leading:
        return say.clauses(text for _part, text in leading[:2])
    return say(
        "{within} in the parts themselves, {mix} from their shares; no single part can be named as the main reason",
        within=effect_in_words(sum(reason.within for reason in told.reasons), told.measure, say),
        mix=effect_in_words(sum(reason.mix for reason in told.reasons), told.measure, say),
    )


def _own(reason: Reason, told: Why, say: Words) -> str:
    effect = effect_in_words(reason.within, told.measure, say)
    return say("{effect} because of {name} itself", effect=effect, name=reason.name)


def _shifted(reason: Reason, told: Why, say: Words) -> str:
    words = {"effect": effect_in_words(reason.mix, told.measure, say), "name": reason.name}
    heavier = reason.weight_now > reason.weight_before
    if heavier and reason.mix > 0:
        return say("{effect} because more of the whole is {name}, where it is higher", **words)
    if heavier:
        return say("{effect} because more of the whole is {name}, where it is lower", **words)
    if reason.mix > 0:
        return say("{effect} because less of the whole is {name}, where it is lower", **words)
    return say("{effect} because less of the whole is {name}, where it is higher", **words)


def _against_all_parts(told: Why) -> bool:
    """Whether each part that was there in both periods moved against the whole: Simpson's paradox."""
    both = [reason for reason in told.reasons if reason.before is not None and reason.now is not None]
    rose = told.now > told.before
    return len(both) > 1 and all(
        (reason.now < reason.before) if rose else (reason.now > reason.before) for reason in both
    )


def _whole(measure: Ratio, found: Decomposition, before: float, now: float) -> dict[str, float]:
    """The whole as a row of an answer."""
    under = measure.under.name
    return {measure.name: found.after, measure.name + BEFORE: found.before, under: now, under + BEFORE: before}


def _differ(measure: Ratio, row: Mapping[str, object]) -> bool:
    known = pd.notna(row[measure.name]) and pd.notna(row[measure.name + BEFORE])
    return bool(known) and differ(measure, (row, ""), (row, BEFORE))


def _known(value: object) -> float | None:
    return None if pd.isna(value) else float(value)


def _percent(weight: float, say: Words) -> str:
    return shown(weight, Unit.SHARE, say.language)
