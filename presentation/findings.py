"""Titles that say what the numbers show, written by rule from the answers themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import pandas as pd

from measures.model import Dimension, Measure, Ratio, Unit
from measures.question import BEFORE, NAME
from measures.statistics import counts_differ, shares_differ
from presentation.charts import Step
from presentation.units import change, short, shown, step_shown
from presentation.words import Words


def moved(measure: Measure, answer: pd.DataFrame, say: Words) -> str:
    """“Activation rate fell 2.1 points to 66.8 %”: the one-row answer against the period compared with."""
    row = answer.iloc[0]
    label, value = say(measure.label), short(row[measure.name], measure.unit, say.language)
    if pd.isna(row[measure.name]):
        return say("{measure} cannot be told for these days", measure=label)
    if few := few_in_words(measure, row, say):
        return say("{measure}: {value}, {few}", measure=label, value=value, few=few)
    before = row.get(measure.name + BEFORE)
    known = pd.notna(before) and not too_few(measure, answer).iloc[0]
    found = change(row[measure.name], before, measure, say.language) if known else None
    if found is None:
        return say("{measure}: {value}", measure=label, value=value)
    if found.direction != "same" and not differ(measure, (row, ""), (row, BEFORE)):
        return say(
            "{measure} at {value}: a change of {change} may be chance", measure=label, value=value, change=found.text
        )
    if found.direction == "up":
        return say("{measure} rose by {change} to {value}", measure=label, change=_size(found.text), value=value)
    if found.direction == "down":
        return say("{measure} fell by {change} to {value}", measure=label, change=_size(found.text), value=value)
    return say("{measure} stayed at {value}", measure=label, value=value)


def spread(measure: Measure, answer: pd.DataFrame, dimension: Dimension, say: Words) -> str:
    """“Highest in A (72 %), lowest in B (41 %)”; rows that stand for too few to judge are left out of it."""
    rows = _known(judged(measure, answer), measure.name)
    if len(rows) == 0:
        return say("Too few to tell by {dimension}", dimension=within(say(dimension.label), say))
    first, last = rows.loc[rows[measure.name].idxmax()], rows.loc[rows[measure.name].idxmin()]

    def named(row: pd.Series) -> str:
        return say.aside(name_of(row, dimension, say), short(row[measure.name], measure.unit, say.language))

    if len(rows) == 1:
        return say("Only {one} has enough to tell", one=named(first))
    if first[measure.name] == last[measure.name]:
        return say("The same everywhere: {value}", value=short(first[measure.name], measure.unit, say.language))
    if not differ(measure, (first, ""), (last, "")):
        return say("From {lowest} to {highest}: too close to tell apart", highest=named(first), lowest=named(last))
    return say("{highest} is highest, {lowest} lowest", highest=named(first), lowest=named(last))


def course(
    measure: Measure, answer: pd.DataFrame, series: Dimension | None, step: Dimension, growing: date | None, say: Words
) -> str:
    """“From 70.1 % in Dec 2025 to 64.3 % in Aug 2026”: one line's way; of several, that of the one that moved most among those that
    moved by more than chance.

    Steps from `growing` on are left out: their numbers are not final.
    """
    rows = _known(answer, measure.name)
    if growing:
        rows = rows[rows[step.name].dt.date < growing]
    lines = (
        {None: rows} if series is None else {id_: rows[rows[series.name] == id_] for id_ in rows[series.name].unique()}
    )
    ends = {id_: (line.iloc[0], line.iloc[-1]) for id_, line in lines.items() if len(line) > 1}
    if not ends:
        return say("{measure}: too little to tell a course", measure=say(measure.label))
    if series is not None:
        ends = {id_: (first, last) for id_, (first, last) in ends.items() if differ(measure, (last, ""), (first, ""))}
        if not ends:
            return say("{measure}: from first to last none moved by more than chance", measure=say(measure.label))
    first, last = max(ends.values(), key=lambda pair: abs(float(pair[1][measure.name]) - float(pair[0][measure.name])))

    def told(row: pd.Series) -> str:
        value = short(row[measure.name], measure.unit, say.language)
        named = step_shown(row[step.name].date(), step.step, say.language)
        if step.step in ("month", "quarter", "year"):
            return say("{value} in {step}", value=value, step=named)
        return say("{value} on {step}", value=value, step=named)

    way = {"from_": told(first), "to": told(last)}
    if series is None:
        return say("From {from_} to {to}", **way)
    return say("{name} moved most: from {from_} to {to}", name=name_of(first, series, say), **way)


def first_of(measure: Measure, answer: pd.DataFrame, dimension: Dimension, total: pd.DataFrame, say: Words) -> str:
    """“Queueing has the most: 120 of 480”: for counts that add up; where several have as many, that these do."""
    rows = _known(answer, measure.name)
    rows = rows[rows[measure.name] > 0]
    if rows.empty:
        return say("None in these days")
    most = rows[rows[measure.name] == rows[measure.name].max()]
    value, whole = (
        short(each, measure.unit, say.language) for each in (most.iloc[0][measure.name], total.iloc[0][measure.name])
    )
    if len(most) > 1:
        return say("{n} share the most: {value} of {total} each", n=len(most), value=value, total=whole)
    name = name_of(most.iloc[0], dimension, say)
    return say("{name} has the most: {value} of {total}", name=name, value=value, total=whole)


def running_out(measure: Measure, answer: pd.DataFrame, dimension: Dimension, total: pd.DataFrame, say: Words) -> str:
    """“Complaints open, past due: 68 of 159; 3 days or less: 3”: of bands of time left, those that are over and the next to be."""
    known = dict(zip(answer[dimension.name], answer[measure.name], strict=True))
    over, soon = ([code, label] for code, label in list(dimension.values.items())[:2])
    return say(
        "{measure}, {first}: {n} of {total}; {second}: {more}",
        measure=say(measure.label),
        first=say(over[1]),
        n=short(known.get(over[0], 0), measure.unit, say.language),
        total=short(total.iloc[0][measure.name], measure.unit, say.language),
        second=say(soon[1]),
        more=short(known.get(soon[0], 0), measure.unit, say.language),
    )


def steepest(steps: Sequence[Step], say: Words) -> str:
    """“The fewest go on from reached to signed”: the step of a funnel with the smallest share."""
    known = [(then.share, first.label, then.label) for first, then in pairwise(steps) if pd.notna(then.share)]
    if not known:
        return say("None in these days")
    share, first, then = min(known)
    goes_on = short(share, Unit.SHARE, say.language)
    return say("The fewest go on from “{first}” to “{then}”: {share}", first=first, then=then, share=goes_on)


def pace(reached: float, target: float, index: float, say: Words) -> str:
    """“Target: 6,400 of 11,449, pace 1.05”: how far along the running target is, and whether the time passed asks for more."""
    return say(
        "Target: {reached} of {target}, pace {index}",
        reached=shown(reached, Unit.COUNT, say.language),
        target=shown(target, Unit.COUNT, say.language),
        index=shown(index, Unit.INDEX, say.language),
    )


def judged(measure: Measure, answer: pd.DataFrame) -> pd.DataFrame:
    """The rows whose rate stands for enough to be judged; all of them where the answer does not say how many they are."""
    return answer[~too_few(measure, answer)]


def too_few(measure: Measure, answer: pd.DataFrame) -> pd.Series:
    """For each row whether its rate stands for too few to be judged, in the period or in the one compared with."""
    few = pd.Series(False, index=answer.index)
    if isinstance(measure, Ratio):
        for base in (measure.under.name, measure.under.name + BEFORE):
            if base in answer:
                few |= (answer[base] < measure.fewest).fillna(True).astype(bool)
    return few


def _known(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows[name].notna()]


def few_in_words(measure: Measure, row: pd.Series, say: Words) -> str | None:
    """“of only 12: too few to judge” for the row of an answer whose rate stands for too few now; None where it does not."""
    base = row.get(measure.under.name) if isinstance(measure, Ratio) else None
    if base is None or pd.isna(base) or base >= measure.fewest:
        return None
    return say("of only {count}: too few to judge", count=shown(base, Unit.COUNT, say.language))


def doubt(measure: Measure, row: pd.Series, say: Words) -> str | None:
    """Why the change in a row of an answer is not to be judged: too few, or no more than chance. None where it is."""
    if few := few_in_words(measure, row, say):
        return few
    known = measure.has_history and pd.notna(row[measure.name]) and pd.notna(row.get(measure.name + BEFORE))
    if known and row[measure.name] != row[measure.name + BEFORE] and not differ(measure, (row, ""), (row, BEFORE)):
        return say("the change may be chance")
    return None


def differ(measure: Measure, first: tuple[Mapping, str], second: tuple[Mapping, str]) -> bool:
    """Whether two numbers of `measure` differ by more than chance; each is a row and the ending of its period's columns."""
    (one, ending), (other, other_ending) = first, second
    a, b = float(one[measure.name + ending]), float(other[measure.name + other_ending])
    if not isinstance(measure, Ratio):
        return measure.unit is not Unit.COUNT or counts_differ(a, b)  # of a median of days no spread is known here
    if measure.under.name + ending not in one or measure.under.name + other_ending not in other:
        return True
    of_a, of_b = float(one[measure.under.name + ending]), float(other[measure.under.name + other_ending])
    if measure.unit is Unit.SHARE:
        return shares_differ(a, of_a, b, of_b)
    return counts_differ(a * of_a / measure.per, b * of_b / measure.per, of_first=of_a, of_second=of_b)


def name_of(row: Mapping, dimension: Dimension, say: Words) -> str:
    if dimension.named and pd.notna(row[dimension.name + NAME]):
        return str(row[dimension.name + NAME])
    if dimension.step and pd.notna(row[dimension.name]):
        return step_shown(pd.Timestamp(row[dimension.name]).date(), dimension.step, say.language)
    return say.value(dimension, row[dimension.name])


def within(label: str, say: Words) -> str:
    """`label` as it stands within a sentence: in English without the capital it begins with, unless it is an abbreviation."""
    return label[:1].lower() + label[1:] if say.language == "en" and label[1:2].islower() else label


def _size(text: str) -> str:
    return text.lstrip("+-−")
