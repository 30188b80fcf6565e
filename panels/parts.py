"""What several pages are made of: a question asked, its answer drawn, the title written from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from data_access.warehouse import WarehouseError
from measures.dimensions import DAYS_LEFT, DAYS_RUN, MONTH, PRODUCT
from measures.model import Dimension, Measure, Ratio
from measures.period import Period, first_days, last_day
from measures.question import CUMULATIVE, Order
from panels import notes
from panels.desk import Desk
from presentation import charts, fairness, findings
from presentation.cards import Card, cards, headline, panel

MATURE = "mature_signed"
"""Counts the contracts whose window is over: where it is less than those signed, a rate over it is not final."""


@notes.refusing
def opening(desk: Desk, key: str, *names: str, also: Sequence[str] = (), headed: bool = True) -> None:
    """The page's answer in a sentence, from the first measure, and all measures as cards.

    `also` are measures that other parts show at the coarsest grain: asked along, because one question costs less than two.
    Measures that are not kept by product are asked without the product filter, and their cards say so.
    """
    measures = desk.known(*names)
    kept = [m for m in measures if not desk.filters.products or PRODUCT in m.dimensions]
    shown: list[Card] = []
    for group, along in ((kept, also), ([m for m in measures if m not in kept], ())):
        if not group:
            continue
        extra = [*(m.under for m in group if isinstance(m, Ratio)), *desk.known(*along)]
        if group is kept and desk.filters.products:
            # One that is not kept by product would take the filter from all that are asked with it.
            extra = [m for m in extra if PRODUCT in m.dimensions]
        told = names[0] if headed else ""
        try:
            shown += _cards(desk, group, extra, told)
        except WarehouseError:
            # One table that cannot be read takes from the others neither their numbers nor their place.
            for alone in _by_tables(group):
                _if_it_can(desk, alone, shown, told)
    if shown:
        cards(sorted(shown, key=lambda card: names.index(card.measure.name)), desk.look, desk.say, key=key)


def _cards(desk: Desk, group: Sequence[Measure], extra: Iterable[Measure], told: str) -> list[Card]:
    """The cards of measures that are asked together; that named `told` is the page's answer in a sentence."""
    asked = desk.ask(dict.fromkeys([*group, *extra]), compared=True)
    row = asked.answer.iloc[0]
    lined = [m for m in group if m.has_history and MONTH in m.dimensions and not m.costly]
    months = desk.ask(lined, [MONTH], period=desk.year_of_months).answer if lined else None
    settled = _settled(desk, lined, months) if lined else {}
    paces = _paces(desk, group)
    if group[0].name == told:
        headline(findings.moved(group[0], asked.answer, desk.say), desk.say(group[0].meaning))
    return [
        Card(m, row, settled.get(m.name), paces.get(m.name), findings.doubt(m, row, desk.say), asked.ignored)
        for m in group
    ]


def _by_tables(measures: Iterable[Measure]) -> list[list[Measure]]:
    """The measures in groups of those that are read from the same tables."""
    groups: dict[frozenset[str], list[Measure]] = {}
    for measure in measures:
        tables = frozenset(table for count in measure.counts for table in count.fact.tables)
        groups.setdefault(tables, []).append(measure)
    return list(groups.values())


@notes.refusing
def _if_it_can(desk: Desk, group: Sequence[Measure], shown: list[Card], told: str) -> None:
    shown += _cards(desk, group, (), told)


@notes.refusing
def trend(
    desk: Desk,
    name: str,
    key: str,
    by: Dimension | None = None,
    step: Dimension | None = None,
    above: Callable[[], None] | None = None,
) -> None:
    """The measure over time, split by `by` where it is given, in steps that suit the period's length; a rate that is one line alone
    between the ends of what chance leaves open. `above` draws what is to stand above the chart, in its frame."""
    measure = desk.measure(name)
    step = step or desk.step
    if not notes.is_kept(desk, measure, *([by] if by else []), step):
        return
    grain = [*([by] if by else []), step]
    asked = desk.ask(notes.with_counts(desk, measure, *grain), grain)
    growing = growing_from(desk, measure, days_of(asked.answer, step), step)
    few = findings.too_few(measure, asked.answer)
    rows = asked.answer[~few]
    alone = by is None or asked.answer[by.name].nunique(dropna=False) == 1
    intervals = _intervals(measure, asked.answer, few) if alone else None
    with panel(findings.course(measure, rows, by, step, growing, desk.say), notes.meaning(desk, measure, step)):
        if above:
            above()
        drawn_as = {"step": step, "measure": measure, "look": desk.look, "key": key, "series": by}
        if intervals is None:
            charts.lines(rows, incomplete_from=growing, **drawn_as)
            notes.say_few(desk, measure, few, desk.say("not drawn"))
        else:
            charts.lines(asked.answer, incomplete_from=growing, intervals=intervals, **drawn_as)
            between = desk.say("The pale band, or the thin line of a point by itself, holds the rate 95 times of 100.")
            st.caption(between, help=desk.say(fairness.HOW_BETWEEN))
            notes.say_few(desk, measure, few & asked.answer[name].notna(), desk.say("hollow, beside the line"))
        notes.say_ignored(desk, asked)


def _intervals(measure: Measure, answer: pd.DataFrame, few: pd.Series) -> list[charts.Interval] | None:
    """What is known of each row's rate; None where chance cannot be reckoned with, or there is no rate."""
    ends = fairness.intervals(measure, answer)
    if ends is None or answer[measure.name].isna().all():
        return None
    bases = answer[measure.under.name].fillna(0).tolist()
    return [charts.Interval(*row) for row in zip(*(end.tolist() for end in ends), bases, few.tolist(), strict=True)]


@notes.refusing
def pareto(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by one dimension, the largest first, beside the share of each and all before it."""
    measure = desk.measure(name)
    if not notes.is_kept(desk, measure, by):
        return
    asked = desk.ask([measure], [by], order=[Order(name)], cumulative=True)
    with panel(
        findings.first_of(measure, asked.answer, by, desk.total(asked), desk.say), notes.meaning(desk, measure, by)
    ):
        if asked.answer.empty:
            st.caption(notes.nothing(desk))
            return
        charts.pareto(
            asked.answer,
            id=by.name,
            name=notes.shown_name(by),
            measure=measure,
            look=desk.look,
            key=key,
            cumulative=name + CUMULATIVE,
        )


@notes.refusing
def crossed(desk: Desk, name: str, x: Dimension, y: Dimension, key: str) -> None:
    """The measure by two dimensions as a matrix."""
    measure = desk.measure(name)
    if not notes.is_kept(desk, measure, x, y):
        return
    asked = desk.ask(notes.with_counts(desk, measure, y, x), [y, x])
    with panel(notes.say_by(desk, [measure], [y, x]), notes.meaning(desk, measure, y, x)):
        if asked.answer.empty:
            st.caption(notes.nothing(desk))
            return
        few = findings.too_few(measure, asked.answer)
        charts.matrix(
            asked.answer.assign(**{name: asked.answer[name].mask(few)}),
            x=x,
            y=y,
            measure=measure,
            look=desk.look,
            key=key,
        )
        notes.say_few(desk, measure, few, desk.say("not shown"))
        notes.say_ignored(desk, asked)


@notes.refusing
def bands(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by ordered bands, such as the age of open items."""
    measure = desk.measure(name)
    if not notes.is_kept(desk, measure, by):
        return
    asked = desk.ask([measure], [by])
    with panel(
        findings.first_of(measure, asked.answer, by, desk.total(asked), desk.say), notes.meaning(desk, measure, by)
    ):
        if asked.answer.empty:
            st.caption(notes.nothing(desk))
            return
        charts.columns(asked.answer, id=by.name, name=by.name, measure=measure, look=desk.look, key=key)


@notes.refusing
def steps(desk: Desk, path: Sequence[tuple[str, str | None]], key: str) -> None:
    """Counts that lead from one to the next; the second of each pair is the rate of going on from the one before."""
    row = desk.whole(*(name for pair in path for name in pair if name))
    found = [
        charts.Step(desk.say(desk.measure(count).label), row[count], row[share] if share else None)
        for count, share in path
    ]
    with panel(findings.steepest(found, desk.say), " → ".join(step.label for step in found)):
        charts.funnel(found, look=desk.look, key=key)


def halves() -> Sequence[st.delta_generator.DeltaGenerator]:
    """Two columns, one below the other on a phone."""
    return st.columns(2, gap="medium")


def days_of(answer: pd.DataFrame, step: Dimension) -> list[date]:
    """The first days of the steps that the rows are about."""
    return answer[step.name].dt.date.tolist()


def growing_from(desk: Desk, measure: Measure, days: Iterable[date], step: Dimension) -> date | None:
    """The first of the steps whose number still grows: the running one, or one whose contracts and assignments are too young."""
    steps = sorted(set(days))
    if not steps:
        return None
    if MATURE in {count.name for count in measure.counts}:
        period = Period(min(steps[0], desk.filters.period.end), desk.filters.period.end)
        signed = desk.ask(desk.known("signed", MATURE), [step], period=period).answer
        young = signed[signed[MATURE] < signed["signed"]]
        return young[step.name].min().date() if len(young) else None
    settled_until = desk.state.data_until - timedelta(days=measure.settles)
    return next((day for day in steps if last_day(day, step.step) > settled_until), None)


def _settled(desk: Desk, measures: Iterable[Measure], months: pd.DataFrame) -> dict[str, list[float]]:
    """The months whose number no longer grows: a running or young one at the end of a small line would look like a fall.

    A month without rows is what the measure says it is without rows: none, or not known.
    """
    days = days_of(months, MONTH)
    year = list(first_days(desk.year_of_months, "month"))
    lines = {}
    for measure in measures:
        until = growing_from(desk, measure, days, MONTH)
        known = dict(zip(days, months[measure.name].tolist(), strict=True))
        absent = getattr(measure, "absent", None)
        line = [known.get(month, absent) for month in year if until is None or month < until]
        lines[measure.name] = [float(number) for number in line if pd.notna(number)]
    return lines


def _paces(desk: Desk, measures: Iterable[Measure]) -> dict[str, str]:
    """For measures with targets, how far along they are; none where targets for different days run: what counts for one of a quarter
    and one of its month would be counted twice."""
    # Of several products some may have a target and some not: a card about all of them would stand beside the target of a part.
    parts = ("toward_target", "target", "pace") if len(desk.filters.products) <= 1 else ()
    aims = {m.name: desk.known(*(f"{m.name}_{part}" for part in parts)) for m in measures}
    asked = [part for aim in aims.values() for part in aim]
    rows = desk.ask(asked, [DAYS_RUN, DAYS_LEFT]).answer if asked else pd.DataFrame()
    told = {}
    for name, aim in aims.items():
        known = rows[rows[aim[-1].name].notna()] if aim and len(rows) else rows[:0]
        if len(known) == 1:
            told[name] = findings.pace(*(known.iloc[0][part.name] for part in aim), desk.say)
    return told
