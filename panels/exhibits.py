"""What parts of pages show, before it is drawn: each builder asks, and makes of the answer an exhibit.

A page, a slide and a file get the same title, numbers and notes, because there is one place that makes them. What a reader chooses
inside a part (bars or a funnel, which measure) comes as an argument; the switches stand in the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from data_access.access import Refused
from measures.dimensions import BELOW, CLOCK, DAY, DAYS_AGO, DAYS_LEFT, DAYS_RUN, LIST_LEFT, MONTH, PRODUCT, QUARTER
from measures.funnel import Funnel
from measures.model import Dimension, Measure, Ratio, Spread, Unit
from measures.period import Period, first_days, last_day, year_of_quarters
from measures.question import BEFORE, CHANGE, CUMULATIVE, NAME, Order, QuestionError, Told
from measures.standings import Standing, course_in, periods, standings, together, year_before
from measures.waits import Wait, Waited, waited
from panels import notes, signals
from panels.desk import Asked, Desk
from presentation import charts, fairness, findings, pacing, reasons, speed, table_view, withheld
from presentation.bullet_chart import bullets, cut
from presentation.cards import Card, cards, noted
from presentation.control_chart import Event, control
from presentation.curve_chart import Line, curves
from presentation.exhibit import Exhibit, Kind, Note
from presentation.funnel_chart import MOST_NAMED, funnel_plot, unnamed
from presentation.reasons import Why
from presentation.tables import Column, Table, table_of
from presentation.units import change, day_shown, period_shown, short, step_shown
from presentation.waterfall import waterfall

BARS, FUNNEL = "bars", "funnel"
"""The ways to draw a rate of several side by side."""

MATURE = "mature_signed"
"""Counts the contracts whose window is over: where it is less than those signed, a rate over it is not final."""

attention = signals.exhibit


@dataclass(frozen=True)
class Answered(Exhibit):
    """An exhibit with the question it answers, for a page that offers the numbers as a file."""

    asked: Asked | None = None
    file: Table | None = None
    """The table as a file holds it: also where it has no rows."""
    ways: tuple[str, ...] = ()
    """The ways in which the same can be drawn, where there are several."""


# Key numbers --------------------------------------------------------------------------------------------------------

Figure = tuple[Card, pd.DataFrame]
"""A key number, and the answer of one row that it comes from."""
Failed = tuple[list[Measure], Told]
"""Measures that could not be read, and why."""


def figures(desk: Desk, names: Sequence[str], also: Sequence[str] = ()) -> Exhibit:
    """The measures named as key numbers, with what was found of the first. Those of a table that cannot be read are named in the
    notes; raises Told where none can be read, or the warehouse knows none."""
    if not desk.known(*names):
        desk.measure(names[0])
    found, failed = key_numbers(desk, names, also)
    if not found:
        raise failed[0][1]
    return figures_of(desk, found, failed)


def key_numbers(desk: Desk, names: Sequence[str], also: Sequence[str] = ()) -> tuple[list[Figure], list[Failed]]:
    """The measures named that the warehouse knows, in their order, and those that could not be read.

    `also` are measures that other parts show at the coarsest grain: asked along, because one question costs less than two.
    Measures that are not kept by product are asked without the product filter, and their cards say so.
    """
    measures = desk.known(*names)
    kept = [m for m in measures if not desk.filters.products or PRODUCT in m.dimensions]
    found: list[Figure] = []
    failed: list[Failed] = []
    for group, along in ((kept, also), ([m for m in measures if m not in kept], ())):
        if not group:
            continue
        extra = [*(m.under for m in group if isinstance(m, Ratio)), *desk.known(*along)]
        if group is kept and desk.filters.products:
            # One that is not kept by product would take the filter from all that are asked with it.
            extra = [m for m in extra if PRODUCT in m.dimensions]
        try:
            found += _figures(desk, group, extra)
        except (QuestionError, Refused):
            raise
        except Told:
            # One table that cannot be read, or was not when answers were stored, takes from the others neither their numbers nor
            # their place.
            for alone in _by_tables(group):
                try:
                    found += _figures(desk, alone, ())
                except Told as error:
                    failed.append((alone, error))
    return sorted(found, key=lambda figure: names.index(figure[0].measure.name)), failed


def figures_of(desk: Desk, found: Sequence[Figure], failed: Sequence[Failed] = ()) -> Exhibit:
    """The exhibit of key numbers, of which there is at least one."""
    say, language = desk.say, desk.say.language
    listed = [card for card, _answer in found]
    first, answer = found[0]
    against = desk.filters.against
    rows = []
    for card in listed:
        now, before = card.row[card.measure.name], card.row.get(card.measure.name + BEFORE)
        unit = card.measure.unit
        row = {"name": card.measure.name, "measure": say(card.measure.label), "now": short(now, unit, language)}
        if against:
            row["before"] = short(before, unit, language)
            row["change"] = change(now, before, card.measure, language).text
        rows.append(row | {"value": None if pd.isna(now) else float(now)})
    columns = [
        Column("measure", say("Measure"), "text"),
        Column("now", period_shown(desk.filters.period, language), "text"),
    ]
    if against:
        columns += [
            Column("before", period_shown(against, language), "text"),
            Column("change", say("Change"), "text"),
        ]
    title = findings.moved(first.measure, answer, say)
    said = [
        say("{name}: {values}", name=say(card.measure.label), values=say.clauses(about))
        for card in listed
        if (about := noted(card, say))
    ]
    said += [notes.named(desk, [measures], error) for measures, error in failed]
    without = tuple(d for d in listed[0].ignored if all(d in card.ignored for card in listed))
    return Exhibit(
        Kind.FIGURES,
        title,
        say(first.measure.meaning),
        Table(title, tuple(columns), pd.DataFrame(rows)),
        value="value",
        notes=tuple(said),
        filters=tuple(desk.under(without, compared=True)),
        draw=lambda look, key: cards(listed, look, say, key=key),
    )


def _figures(desk: Desk, group: Sequence[Measure], extra: Iterable[Measure]) -> list[Figure]:
    """The key numbers of measures that are asked together."""
    asked = desk.ask(dict.fromkeys([*group, *extra]), compared=True)
    row = asked.answer.iloc[0]
    lined = [m for m in group if m.has_history and MONTH in m.dimensions and not m.costly]
    months = desk.ask(lined, [MONTH], period=desk.year_of_months).answer if lined else None
    settled = _settled(desk, lined, months) if lined else {}
    aimed_at = paces(desk, group)
    return [
        (
            Card(m, row, settled.get(m.name), aimed_at.get(m.name), findings.doubt(m, row, desk.say), asked.ignored),
            asked.answer,
        )
        for m in group
    ]


def _by_tables(measures: Iterable[Measure]) -> list[list[Measure]]:
    """The measures in groups of those that are read from the same tables."""
    groups: dict[frozenset[str], list[Measure]] = {}
    for measure in measures:
        tables = frozenset(table for count in measure.counts for table in count.fact.tables)
        groups.setdefault(tables, []).append(measure)
    return list(groups.values())


def _settled(desk: Desk, measures: Iterable[Measure], months: pd.DataFrame) -> dict[str, list[float]]:
    """The months whose number no longer grows: a running or young one at the end of a small line would look like a fall.

    A month without rows is what the measure says it is without rows: none, or not known.
    """
    days = _days_of(months, MONTH)
    year = list(first_days(desk.year_of_months, "month"))
    lines = {}
    for measure in measures:
        until = _growing_from(desk, measure, days, MONTH)
        known = dict(zip(days, months[measure.name].tolist(), strict=True))
        absent = getattr(measure, "absent", None)
        line = [known.get(month, absent) for month in year if until is None or month < until]
        lines[measure.name] = [float(number) for number in line if pd.notna(number)]
    return lines


def paces(desk: Desk, measures: Iterable[Measure]) -> dict[str, str]:
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


# Side by side -------------------------------------------------------------------------------------------------------


def compared(
    desk: Desk,
    name: str,
    by: Dimension,
    drawn_as: str = BARS,
    *,
    on_pick: Callable[[str], None] | None = None,
) -> Answered:
    """The measure by one dimension, the highest first, beside the overall value: as bars, or a rate as a funnel.

    A branch with none below it is shown among its neighbours, as far as the viewer may see them. A click calls `on_pick` with an id.
    """
    measure, say = desk.measure(name), desk.say
    notes.demand_kept(desk, measure, by)
    place = desk.filters.branch
    above = desk.places.get(place.parent) if by is BELOW and not _has_below(desk) else None
    around = replace(desk, filters=replace(desk.filters, branch=above)) if above else desk
    asked = around.ask(notes.with_counts(around, measure, by), [by], order=[Order(name)])
    answer, total = asked.answer, around.total(asked)
    overall = total.iloc[0][name]
    found = fairness.comparison(measure, answer)
    as_funnel = found is not None and drawn_as == FUNNEL
    funnel = found.funnel(overall) if as_funnel and found.judged >= fairness.FEWEST_UNITS else None
    if measure.adds_up:
        title = findings.first_of(measure, answer, by, total, say)
    elif funnel:
        title = fairness.standing_out(found, funnel, by, say)
    elif found:
        title = fairness.title(found, by, say)
    else:
        title = findings.spread(measure, answer, by, say)
    if answer.empty:
        return _nothing(desk, Kind.BARS, title, notes.meaning(desk, measure, by))
    few = findings.too_few(measure, answer)
    rows = found.rows if found else pd.concat([answer[~few], answer[few]])
    looks = {"id": by.name, "name": notes.shown_name(by), "marked": place.id if above else None, "on_pick": on_pick}
    said: list[str] = []
    if above:
        beside = say("{branch} beside its neighbours below {above}.", branch=place.name, above=above.name)
        said.append(Note(beside, named=True, leads=True))
    if as_funnel:
        said += _funnel_told(desk, found, funnel)
        draw = _funnel_of(found, funnel, looks)
        said += notes.few(desk, measure, few, say("not drawn"))
    else:
        if found and (told := fairness.order_told(found, say)):
            said.append(Note(told, say(fairness.HOW_ORDERED)))
        draw = _bars_of(measure, rows, found, overall if isinstance(measure, Ratio) else None, looks)
        said += notes.few(desk, measure, few, say("at the end, without rank"))
    return Answered(
        Kind.BARS,
        title,
        notes.meaning(desk, measure, by),
        table_of(asked.question, rows, total, say),
        category=notes.shown_name(by),
        value=name,
        overall=float(overall) if isinstance(measure, Ratio) and pd.notna(overall) else None,
        notes=(*said, *notes.young(desk, measure), *notes.ignored(desk, asked)),
        filters=tuple(around.under(asked.ignored)),
        draw=draw,
        asked=asked,
        ways=(BARS, FUNNEL) if found else (),
    )


def _bars_of(measure: Measure, rows: pd.DataFrame, found: fairness.Comparison | None, overall, looks: dict):
    doubts = found.doubts if found else None
    return lambda look, key: charts.bars(
        rows, measure=measure, key=key, look=look, overall=overall, doubts=doubts, **looks
    )


def _funnel_of(found: fairness.Comparison, funnel: Funnel | None, looks: dict):
    """What draws the funnel; None where there are too few units for one."""
    return funnel and (lambda look, key: funnel_plot(found, funnel, key=key, look=look, **looks))


def _funnel_told(desk: Desk, found: fairness.Comparison, funnel: Funnel | None) -> list[str]:
    if funnel is None:
        return [
            desk.say(
                "Of fewer than {fewest} with enough to tell no average says much: there is no funnel to draw.",
                fewest=fairness.FEWEST_UNITS,
            )
        ]
    told: list[str] = [Note(fairness.differing_told(funnel, desk.say), desk.say(fairness.HOW_JUDGED))]
    if unnamed(funnel):
        pointed = desk.say("The {n} furthest have their names; point at the others.", n=MOST_NAMED)
        told.append(Note(pointed, of_screen=True))
    return told


def _has_below(desk: Desk) -> bool:
    return any(place.parent == desk.filters.branch.id for place in desk.places.values())


def pareto(desk: Desk, name: str, by: Dimension) -> Answered:
    """A count by one dimension, the largest first, beside the share of each and all before it."""
    measure, say = desk.measure(name), desk.say
    notes.demand_kept(desk, measure, by)
    asked = desk.ask([measure], [by], order=[Order(name)], cumulative=True)
    total = desk.total(asked)
    title = findings.first_of(measure, asked.answer, by, total, say)
    meaning = notes.meaning(desk, measure, by)
    if asked.answer.empty:
        return _nothing(desk, Kind.PARETO, title, meaning)
    table = table_of(asked.question, asked.answer, total, say)
    reached = name + CUMULATIVE
    together = Column(reached, say("Share of this row and all above it"), "number", Unit.SHARE)
    drawn = {"id": by.name, "name": notes.shown_name(by), "measure": measure, "cumulative": reached}
    return Answered(
        Kind.PARETO,
        title,
        meaning,
        replace(table, columns=(*table.columns, together)),
        category=notes.shown_name(by),
        value=name,
        filters=tuple(desk.under(asked.ignored)),
        draw=lambda look, key: charts.pareto(asked.answer, look=look, key=key, **drawn),
        asked=asked,
    )


def bands(desk: Desk, name: str, by: Dimension) -> Answered:
    """A count by ordered bands, such as the age of open items."""
    measure, say = desk.measure(name), desk.say
    notes.demand_kept(desk, measure, by)
    asked = desk.ask([measure], [by])
    total = desk.total(asked)
    told = findings.running_out if by in (CLOCK, LIST_LEFT) else findings.first_of
    title = told(measure, asked.answer, by, total, say)
    meaning = notes.meaning(desk, measure, by)
    if asked.answer.empty:
        return _nothing(desk, Kind.COLUMNS, title, meaning)
    return Answered(
        Kind.COLUMNS,
        title,
        meaning,
        table_of(asked.question, asked.answer, total, say),
        category=notes.shown_name(by),
        value=name,
        filters=tuple(desk.under(asked.ignored)),
        draw=lambda look, key: charts.columns(
            asked.answer, id=by.name, name=by.name, measure=measure, look=look, key=key
        ),
        asked=asked,
    )


def crossed(desk: Desk, name: str, x: Dimension, y: Dimension) -> Answered:
    """The measure by two dimensions as a matrix: `x` across, `y` down."""
    measure, say = desk.measure(name), desk.say
    notes.demand_kept(desk, measure, x, y)
    asked = desk.ask(notes.with_counts(desk, measure, y, x), [y, x])
    title, meaning = notes.say_by(desk, [measure], [y, x]), notes.meaning(desk, measure, y, x)
    if asked.answer.empty:
        return _nothing(desk, Kind.MATRIX, title, meaning)
    few = findings.too_few(measure, asked.answer)
    rows = asked.answer.assign(**{name: asked.answer[name].mask(few)})
    return Answered(
        Kind.MATRIX,
        title,
        meaning,
        table_of(asked.question, rows, None, say),
        category=notes.shown_name(y),
        series=notes.shown_name(x),
        value=name,
        notes=(*notes.few(desk, measure, few, say("not shown")), *notes.ignored(desk, asked)),
        filters=tuple(desk.under(asked.ignored)),
        draw=lambda look, key: charts.matrix(rows, x=x, y=y, measure=measure, look=look, key=key),
        asked=asked,
    )


def steps(desk: Desk, path: Sequence[tuple[str, str | None]]) -> Exhibit:
    """Counts that lead from one to the next; the second of each pair is the rate of going on from the one before."""
    say = desk.say
    measures = [desk.measure(name) for pair in path for name in pair if name]
    row = desk.whole(*(measure.name for measure in measures))
    found = [
        charts.Step(say(desk.measure(count).label), row[count], row[share] if share else None) for count, share in path
    ]
    title, meaning = findings.steepest(found, say), " → ".join(step.label for step in found)
    rows = pd.DataFrame(
        {
            "step": pd.Series([step.label for step in found], dtype="str"),
            "count": pd.Series([None if pd.isna(step.value) else step.value for step in found], dtype="float64"),
            "share": pd.Series([None if pd.isna(step.share) else step.share for step in found], dtype="float64"),
        }
    )
    columns = (
        Column("step", say("Step"), "text"),
        Column("count", say("Number"), "number", Unit.COUNT),
        Column("share", say("Share of the step before"), "number", Unit.SHARE),
    )
    return Exhibit(
        Kind.FUNNEL,
        title,
        meaning,
        Table(title, columns, rows),
        category="step",
        value="count",
        filters=tuple(desk.under(desk.ignored(measures))),
        draw=lambda look, key: charts.funnel(found, look=look, key=key),
    )


# Over time ----------------------------------------------------------------------------------------------------------


def trend(desk: Desk, name: str, by: Dimension | None = None, step: Dimension | None = None) -> Answered:
    """The measure over time, split by `by` where it is given, in steps that suit the period's length; a rate that is one line alone
    between the ends of what chance leaves open."""
    measure, say = desk.measure(name), desk.say
    step = step or desk.step
    grain = [*([by] if by else []), step]
    notes.demand_kept(desk, measure, *grain)
    asked = desk.ask(notes.with_counts(desk, measure, *grain), grain)
    growing = _growing_from(desk, measure, _days_of(asked.answer, step), step)
    few = findings.too_few(measure, asked.answer)
    judged = asked.answer[~few]
    alone = by is None or asked.answer[by.name].nunique(dropna=False) == 1
    intervals = _intervals(measure, asked.answer, few) if alone else None
    rows = judged if intervals is None else asked.answer
    drawn = {"step": step, "measure": measure, "series": by, "incomplete_from": growing, "intervals": intervals}
    said: list[str] = [] if len(rows) else [say("No numbers to draw.")]
    if intervals is None:
        said += notes.few(desk, measure, few, say("not drawn"))
    else:
        between = say("The pale band, or the thin line of a point by itself, holds the rate 95 times of 100.")
        said.append(Note(between, say(fairness.HOW_BETWEEN), of_screen=True))
        said += notes.few(desk, measure, few & asked.answer[name].notna(), say("hollow, beside the line"))
    return Answered(
        Kind.LINES,
        findings.course(measure, judged, by, step, growing, say),
        notes.meaning(desk, measure, step),
        table_of(asked.question, rows, None, say) if len(rows) else None,
        category=step.name,
        series=notes.shown_name(by) if by else None,
        value=name,
        notes=(*said, *notes.ignored(desk, asked)),
        filters=tuple(desk.under(asked.ignored)),
        draw=(lambda look, key: charts.lines(rows, look=look, key=key, **drawn)) if len(rows) else None,
        growing=growing,
        asked=asked,
    )


def controlled(desk: Desk, name: str, limits_from: Period | None = None) -> Answered:
    """The measure over time: a rate of events between the limits of chance, with what happened in those days; any other as a line.

    The limits come from the days `limits_from`, or else from all steps whose number no longer grows.
    """
    measure, say, step = desk.measure(name), desk.say, desk.step
    if not has_limits(desk, measure):
        return trend(desk, name)
    notes.demand_kept(desk, measure, step)
    asked = desk.ask(notes.with_counts(desk, measure, step), [step])
    answer = asked.answer
    growing = _growing_from(desk, measure, _days_of(answer, step), step)
    title, meaning = findings.course(measure, answer, None, step, growing, say), notes.meaning(desk, measure, step)
    if answer.empty:
        return _nothing(desk, Kind.LINES, title, meaning)
    # A step that begins before the period holds only some of its days, as one that still grows does.
    whole = (answer[step.name].dt.date >= desk.filters.period.start) & (
        answer[step.name].dt.date < (growing or date.max)
    )
    settled = answer[whole]
    days = _days_of(settled, step)
    chart = fairness.charted(measure, settled, days, limits_from)
    told = fairness.course_told(chart, [step_shown(day, step.step, say.language) for day in days], say)
    if limits_from:
        told.append(say("Limits from {days}.", days=period_shown(limits_from, say.language)))
    events = _events(desk)
    drawn = {"step": step, "measure": measure, "told": told, "incomplete_from": growing, "events": events}
    return Answered(
        Kind.LINES,
        title,
        meaning,
        table_of(asked.question, answer, None, say),
        category=step.name,
        value=name,
        notes=(Note(say.sentences(told), say(fairness.HOW_CONTROLLED)), *notes.ignored(desk, asked)),
        filters=tuple(desk.under(asked.ignored)),
        draw=lambda look, key: control(answer, settled, chart, look=look, key=key, **drawn),
        growing=growing,
        asked=asked,
    )


def has_limits(desk: Desk, measure: Measure) -> bool:
    """Whether the measure is a rate of events with both of its counts, so that it has limits of chance over time."""
    return len(notes.with_counts(desk, measure, desk.step)) > 1 and measure.spread is Spread.RATES


def _events(desk: Desk) -> list[Event]:
    found = desk.warehouse.events(desk.filters.period, desk.filters.branch.id, desk.filters.products, desk.viewer)
    return [
        Event(day, label, desk.places[branch].name, below=branch not in desk.filters.branch.path.split("."))
        for day, branch, label in zip(found["happened_on"].dt.date, found["branch_id"], found["label"], strict=True)
    ]


def _intervals(measure: Measure, answer: pd.DataFrame, few: pd.Series) -> list[charts.Interval] | None:
    """What is known of each row's rate; None where chance cannot be reckoned with, or there is no rate."""
    ends = fairness.intervals(measure, answer)
    if ends is None or answer[measure.name].isna().all():
        return None
    bases = answer[measure.under.name].fillna(0).tolist()
    return [charts.Interval(*row) for row in zip(*(end.tolist() for end in ends), bases, few.tolist(), strict=True)]


def _days_of(answer: pd.DataFrame, step: Dimension) -> list[date]:
    """The first days of the steps that the rows are about."""
    return answer[step.name].dt.date.tolist()


def _growing_from(desk: Desk, measure: Measure, days: Iterable[date], step: Dimension) -> date | None:
    """The first of the steps whose number still grows: the running one, or one whose contracts and assignments are too young."""
    found = sorted(set(days))
    if not found:
        return None
    if MATURE in {count.name for count in measure.counts}:
        period = Period(min(found[0], desk.filters.period.end), desk.filters.period.end)
        signed = desk.ask(desk.known("signed", MATURE), [step], period=period).answer
        young = signed[signed[MATURE] < signed["signed"]]
        return young[step.name].min().date() if len(young) else None
    settled_until = desk.state.data_until - timedelta(days=measure.settles)
    return next((day for day in found if last_day(day, step.step) > settled_until), None)


# Changes, waits, targets --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moved(Answered):
    """Why a rate moved; `told` is None where nothing can be told."""

    told: Why | None = None


def moved(desk: Desk, name: str, by: Dimension) -> Moved:
    """Why the rate moved since the days compared with, by the parts that `by` makes: the way from the rate before to the rate now.

    Where nothing can be told of a change, the title says why.
    """
    measure, say = desk.measure(name), desk.say
    if not splits(measure):
        return _untold(say("The warehouse knows no rate here for both periods"), say("Why it moved"))
    if not desk.filters.against:
        return _untold(say("No comparison is chosen"), say("Why it moved"))
    if any(by not in each.dimensions for each in (measure, *measure.counts)):
        return _untold(notes.not_kept(desk, measure, [by]), say(measure.meaning))
    asked = desk.ask([measure, *measure.counts], [by], compared=True)
    meaning = say("Why it moved: {measure}", measure=notes.meaning(desk, measure, by))
    if asked.answer.empty:
        return _untold(notes.nothing(desk), meaning)
    if hidden := withheld.sentence(asked.question, asked.answer, say):
        return _untold(hidden, meaning)  # of parts that are not all told no change is made
    try:
        told = reasons.why(measure, by, asked.answer, say)
    except reasons.Untold as untold:
        return _untold(str(untold), meaning)
    days = desk.filters.against, desk.filters.period
    shown = reasons.table(told, *days, say)
    sentences = [reasons.sentence(reason, measure, say) for reason in told.reasons[: reasons.NAMED]]
    return Moved(
        Kind.TABLE,
        reasons.finding(told, say),
        meaning,
        shown,
        category=by.name + NAME,
        value="effect",
        notes=(*sentences, *notes.ignored(desk, asked)),
        filters=tuple(desk.under(asked.ignored, compared=True)),
        draw=lambda look, key: waterfall(told, *days, look=look, key=key),
        asked=asked,
        file=shown,
        told=told,
    )


def splits(measure: Measure) -> bool:
    """Whether the change of a measure is made of those of its parts: it is a rate of two counts that were known before and add up."""
    return isinstance(measure, Ratio) and measure.has_history and all(count.adds_up for count in measure.counts)


def _untold(sentence: str, meaning: str) -> Moved:
    return Moved(Kind.TABLE, sentence, meaning)


def how_fast(desk: Desk, wait: Wait, by: Dimension) -> Answered:
    """How soon things happen, a curve for each group; cohorts are the quarters of the last year, whatever the period."""
    say, measures = desk.say, [desk.measure(wait.began), desk.measure(wait.happened)]
    notes.demand_kept(desk, measures[0], wait.days)
    notes.demand_kept(desk, measures[0], by)
    cohorts = year_of_quarters(desk.filters.period.end) if by is QUARTER else None
    asked = desk.ask(measures, [by, wait.days], period=cohorts)
    groups = waited(asked.answer, wait, by)
    shown = speed.table(groups, wait, by, asked.question, notes.title_by(desk, by), say)
    drawn = speed.to_draw(groups, wait, by, charts.MOST_LINES)
    lines = [Line(speed.group_name(group, by, say) if len(groups) > 1 else "", group) for group in drawn]
    filters = desk.under(asked.ignored)
    if cohorts:
        days = period_shown(cohorts, say.language)
        filters = [(label, days if label == say("Period") else value) for label, value in filters]
    said = [_how_to_read(desk, groups, drawn, wait, cohorts)] if groups else [notes.nothing(desk)]
    return Answered(
        Kind.TABLE,
        speed.finding(groups, wait, by, say),
        speed.meaning(wait, say),
        shown if groups else None,
        notes=(*said, *notes.ignored(desk, asked)),
        filters=tuple(filters),
        draw=(lambda look, key: curves(lines, wait, look=look, key=key)) if groups else None,
        asked=asked,
        file=shown,
    )


def _how_to_read(
    desk: Desk, groups: Sequence[Waited], drawn: Sequence[Waited], wait: Wait, cohorts: Period | None
) -> Note:
    """What has to be known to read the curves."""
    say = desk.say
    known = sum(group.curve.drawn_to is not None for group in groups)
    told = [
        say("What has not happened yet is counted for as long as it was seen."),
        say("Dashed: known of the older ones only."),
        say("Started {period}.", period=period_shown(cohorts, say.language)) if cohorts else None,
        say("Drawn are the largest, the fastest and the slowest: {number} of {count}.", number=len(drawn), count=known)
        if known > len(drawn)
        else None,
        speed.backwards(groups, wait, say),
    ]
    hint = say(
        "Kaplan–Meier curves with 95 % intervals; two curves are called apart by the log-rank test. What closes or is still "
        "open leaves the curve on its last day seen."
    )
    return Note(say.sentences(note for note in told if note), hint)


OF_A_DAY = {"signed": "signed", "activated": "first_uses"}
"""What each day brings of what counts towards a target: a contract is activated on another day than it is signed on."""


@dataclass(frozen=True)
class Targets(Answered):
    """Where the branches stand, with the answer for a whole page, and what is looked at for it."""

    headline: str = ""
    looked_at: str = ""


def targets(desk: Desk, of: str, by_course: bool = False, *, on_pick: Callable[[str], None] | None = None) -> Targets:
    """Where the branches stand against the targets that run on the last day looked at, for what is counted as `of`, by working days or
    by the course that the same days took a year ago. A click calls `on_pick` with an id."""
    say = desk.say
    target, toward = desk.measure(f"{of}_target"), desk.measure(f"{of}_toward_target")
    asked = desk.ask([target], [BELOW, DAYS_RUN, DAYS_LEFT])
    counts = desk.ask([toward], [BELOW, DAYS_RUN, DAYS_LEFT, DAYS_AGO])
    until = min(desk.filters.period.end, desk.state.data_until)
    filters, question = tuple(desk.under(asked.ignored)), replace(asked.question, measures=(target, toward))
    both = replace(asked, question=question)
    if asked.answer.empty:
        title, why_none = say("No target runs here"), _why_no_target(desk, day_shown(until, say.language))
        empty = pacing.table([], question, _title_of_targets(desk, []), False, say)
        return Targets(
            Kind.TABLE, title, say(target.meaning), notes=(why_none,), filters=filters, asked=both, file=empty
        )
    course = _course(desk, OF_A_DAY[of], asked, until) if by_course else None
    if by_course and course is None:
        told = say("Nothing is recorded a year before these targets. Choose “By working days”.")
        title = say("Last year's course is not known here")
        return Targets(Kind.TABLE, title, say(target.meaning), notes=(told,), filters=filters, asked=both)
    days_off = desk.warehouse.days_off
    known = standings(asked.answer, counts.answer, (target, toward), until, days_off, course)
    whole, found = together(known, days_off, course), _named_as_in_filters(desk, known)
    drawn = [standing for standing in found if standing.pace.target is not None]
    title, meaning = _title_of_targets(desk, found), say("In shares of each one's own target")
    shown = pacing.table(found, question, title, by_course, say)
    if whole:
        title = pacing.needed(whole, say)
        together_told = say("All together: {progress}", progress=pacing.progress(whole, by_course, say))
        clauses = [*([together_told] if len(drawn) > 1 else []), pacing.expected(whole, say)]
        meaning = charts.sentences([clause for clause in clauses if clause] or [meaning], say)
    return Targets(
        Kind.TABLE,
        title,
        meaning,
        shown,
        notes=(_how_projected(desk, drawn, by_course) if drawn else say("No numbers to draw."),),
        filters=filters,
        draw=(lambda look, key: bullets(drawn, by_course=by_course, look=look, key=key, on_pick=on_pick))
        if drawn
        else None,
        asked=both,
        file=shown,
        headline=pacing.finding(found, by_course, say),
        looked_at=f"{say(toward.label)} · {pacing.looked_at(found, until, say)}",
    )


def _how_projected(desk: Desk, drawn: Sequence[Standing], by_course: bool) -> Note:
    say, told = desk.say, []
    if desk.filters.products:
        chosen = say.listed([desk.products[product] for product in desk.filters.products])
        told.append(
            say("Only targets set for {products}; one for all products together is not among them.", products=chosen)
        )
    if beyond := cut(drawn, say):
        furthest = say.listed(beyond)
        told.append(say("Cut at 150 %: {branches}; the table has the whole numbers.", branches=furthest))
    weights = pacing.BY_COURSE if by_course else pacing.BY_WORKING_DAYS
    told.append(say("What the days passed brought decides what is expected of the days left."))
    return Note(say.sentences(told), say.sentences([say(pacing.HOW_PROJECTED), say(weights)]), named=True)


def _title_of_targets(desk: Desk, found: Sequence[Standing]) -> str:
    here = desk.filters.branch
    if found and all(standing.id == here.id for standing in found):
        return desk.say("Targets of {branch}", branch=here.name)
    return notes.title_by(desk, BELOW)


def _course(desk: Desk, name: str, asked: Asked, until: date) -> dict[date, float] | None:
    """What each day of a year of weeks ago brought in all of the branch looked at; None where a target has none of it."""
    counted, before = desk.measure(name), year_before(periods(asked.answer, until))
    if "contracts" in desk.warehouse.unknown_before(before.start):
        return None
    course = course_in(desk.ask([counted], [DAY], period=before).answer, counted)
    return course if sum(course.values()) > 0 else None


def _named_as_in_filters(desk: Desk, found: Sequence[Standing]) -> list[Standing]:
    """With the names that the branch filter has, which tell two of one name apart; targets of the branch itself have its own."""
    here = desk.filters.branch
    return [replace(s, id=s.id or here.id, name=desk.places[s.id or here.id].name) for s in found]


def _why_no_target(desk: Desk, day: str) -> str:
    """Why there is no target here, and what to do."""
    if desk.filters.products:
        chosen = desk.say.listed([desk.products[product] for product in desk.filters.products])
        return desk.say(
            "No target for {products} runs on {day} at this branch or below it. Choose all products, another last day, or a branch "
            "further up.",
            products=chosen,
            day=day,
        )
    return desk.say(
        "No target for all products runs on {day} at this branch or below it. Choose another last day, a branch further up, or a "
        "product.",
        day=day,
    )


# Tables -------------------------------------------------------------------------------------------------------------


def table(
    desk: Desk,
    title: str,
    names: Sequence[str],
    by: Sequence[Dimension],
    order: Order | None = None,
    compared: bool = False,
) -> Answered:
    """Measures by dimensions as a table with its total; at first in the order of the first measure."""
    say = desk.say
    known = desk.known(*names)
    measures = [measure for measure in known if measure.dimensions.issuperset(by)]
    if not known:
        desk.measure(names[0])
    if not measures:
        notes.demand_kept(desk, known[0], *by)
    endings = ("", BEFORE, CHANGE) if compared and desk.filters.against else ("",)
    columns = {m.name + e for m in measures for e in endings} | {notes.shown_name(d) for d in by}
    if not order or order.column not in columns:
        # Chosen when the warehouse still had that measure, or another period was compared with.
        order = Order(measures[0].name)
    asked = desk.ask(measures, by, order=[order], compared=compared)
    changes = asked.question.against is not None
    shown = table_of(asked.question, asked.answer, desk.total(asked), say, changes=changes)
    empty = notes.nothing(desk)
    said = notes.ignored(desk, asked)
    return Answered(
        Kind.TABLE,
        title,
        "" if title == notes.say_by(desk, measures, by) else shown.title,
        shown if len(shown.rows) else None,
        notes=tuple(said if len(shown.rows) else [*said, empty]),
        filters=tuple(desk.under(asked.ignored, compared=changes)),
        draw=lambda _look, key: table_view.show(shown, say=say, key=key, empty=empty, order=order),
        asked=asked,
        file=shown,
    )


def _nothing(desk: Desk, kind: Kind, title: str, meaning: str) -> Answered:
    return Answered(kind, title, meaning, notes=(notes.nothing(desk),), filters=tuple(desk.under()))
