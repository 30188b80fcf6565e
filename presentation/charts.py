"""Charts of an answer: bars, lines, matrices, funnels, drawn from the numbers as they came and in the reader's language.

Altair is a template language here: each template is built and converted once, and holds no data. A draw hands over small
tables of rows in which everything that varies — order, labels, colours, ticks, the overall value — stands ready. So a redraw
costs no Altair, the browser keeps the chart and exchanges its rows, and a label is written by the same function as a table's.
Ticks are rows too: Vega's own axes speak English and know no 万.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import TypeVar

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st
from babel.dates import format_date

from measures.catalogue import DIMENSION
from measures.model import Count, Dimension, Measure, Ratio, Unit
from measures.question import NAME
from presentation.colours import Colours, category_colours, colours, shade
from presentation.units import MISSING, short, shown, step_shown
from presentation.words import Words, words

MOST_LINES = 7
"""More lines than this in one chart cannot be told apart: each gets a small chart of its own."""
MOST_SMALL_CHARTS = 24
MOST_BARS = 200
"""More are not looked through in a picture, and a browser would draw them for seconds; the table turns its pages."""
MOST_CELLS = 2_000
ROWS_SEEN = 25
"""A longer list of bars scrolls: thinner bars could neither be read nor hit."""

_ROW = 28
_LOWEST_ROW, _HIGHEST_ROW = 24, 40
"""Rows on a slide; a line of text takes 17."""
_HEIGHT = 250
_SMALL_HEIGHT = 96
_LABEL_HEIGHT = 15
"""The height of a line of text: labels at the ends of lines keep this distance."""
_FONT = '"Source Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
APART = "\u001f"
"""Stands between a row's position and its name: two branches of one name stay two rows."""
NAME_ONLY = f"slice(datum.value, indexof(datum.value, '{APART}') + 1)"
_NAME_IN_LINES = f"width / length(domain('x')) < 6.8 * length({NAME_ONLY}) ? split({NAME_ONLY}, ' ') : {NAME_ONLY}"
"""On a phone, names beside each other are broken at their spaces."""
_NARROW = "(width / length(domain('x')) < (length(data('rows')) ? data('rows')[0].room : 0))"
_FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
FROM_ZERO = (Unit.COUNT, Unit.AMOUNT, Unit.RATE, Unit.DAYS)
"""Lines of these begin at zero; shares and indices would lie flat under the top of the chart."""


@dataclass(frozen=True)
class Look:
    """What decides how a chart is drawn, beside its numbers: the reader's language and theme."""

    language: str
    dark: bool


@dataclass(frozen=True)
class Step:
    """A step of a funnel. `share` is its share of the step before, asked of the warehouse; None where it is not known."""

    label: str
    value: float
    share: float | None = None


@dataclass(frozen=True)
class Doubt:
    """What is known of one rate among others: the ends of its interval, both in the measure's unit (the upper may be infinite), the
    first and the last place from the top that it may really have (None: it stands for too few to have one), and its group, 1
    the highest, in which none can be told apart from the first."""

    lower: float
    upper: float
    places: tuple[int, int] | None
    group: int


@dataclass(frozen=True)
class Interval:
    """What is known of one rate over time: the ends of what holds it 95 times of 100, in the measure's unit, how many it is `of`, and
    whether those are too few to judge it by."""

    lower: float
    upper: float
    of: float
    few: bool


_Known = TypeVar("_Known")


@dataclass(frozen=True)
class Room:
    """The pixels that a chart has on a slide."""

    width: int
    height: int


_room: ContextVar[Room | None] = ContextVar("room", default=None)


# Bars ---------------------------------------------------------------------------------------------------------------


def bars(
    frame: pd.DataFrame,
    *,
    id: str,
    name: str,
    measure: Measure,
    look: Look,
    key: str,
    overall: float | None = None,
    marked: str | None = None,
    on_pick: Callable[[str], None] | None = None,
    limit_note: str | None = None,
    doubts: Sequence[Doubt] | None = None,
) -> None:
    """Bars from zero in the order of `frame`, each with its name and value; more than ROWS_SEEN scroll.

    `id` and `name` are columns; where they are the same, the dimension of that name says what its codes mean. `overall` is
    drawn as a labelled line. The bar of the id `marked` has the accent; without it, all have. A click calls `on_pick` with
    the bar's id before the page runs again. `limit_note` stands under the chart, where `frame` holds only the first rows.
    `doubts`, one for each row, draw the interval of each that has a place, and a ground under every other group.
    """
    say = words(look.language)
    named = names_of(frame, id, name, say)
    accents = [marked is None or id_ == marked for id_, _ in named]
    items = _items(frame, named, measure, look, say)
    if doubts is not None:
        _add_doubts(items, doubts, measure, look, say)
    looked_at = accents.index(True) if marked is not None and True in accents else 0
    _bars(
        items, accents, measure, overall, look, key, on_pick, limit_note, doubted=doubts is not None, always=looked_at
    )


def pareto(
    frame: pd.DataFrame,
    *,
    id: str,
    name: str,
    measure: Measure,
    look: Look,
    key: str,
    cumulative: str | None = None,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Bars in the order of `frame`, the largest first; those that together make up four fifths have the accent.

    `cumulative` is the column with the share of each bar and all above it (0–1), asked of the warehouse; without it all bars
    look the same.
    """
    say = words(look.language)
    items = _items(frame, names_of(frame, id, name, say), measure, look, say)
    accents = [True] * len(items)
    if cumulative:
        reached = _numbers(frame, cumulative)
        # The bar that crosses the line belongs to the few: without it they would not make up four fifths.
        accents = [before is None or before < 0.8 for before in [None, *reached][: len(items)]]
        for item, share in zip(items, reached, strict=True):
            item["label"] += f" · {shown(share, Unit.SHARE, look.language)}"
    note = say("Beside each number: the share of this bar and all above it together.") if cumulative else None
    _bars(items, accents, measure, None, look, key, on_pick, note)


def funnel(steps: Sequence[Step], *, look: Look, key: str) -> None:
    """The steps one under the other, each with its count and its share of the step before."""
    say = words(look.language)
    items = []
    for number, step in enumerate(steps):
        label = said = shown(step.value, Unit.COUNT, look.language)
        if step.share is not None:
            share = shown(step.share, Unit.SHARE, look.language)
            label = f"{said} · {share}"
            said = say("{value}, {share} of the step before", value=said, share=share)
        items.append(
            _item(number, None, step.label, None if pd.isna(step.value) else float(step.value), label, said, "")
        )
    alt_text = sentences([_said(item) for item in items], say)
    _draw_bars(items, [True] * len(items), _overall(None, ""), look, "", "", key, alt_text)
    if any(step.share is not None for step in steps):
        st.caption(say("Beside each count: its share of the step before."))


def columns(frame: pd.DataFrame, *, id: str, name: str, measure: Measure, look: Look, key: str) -> None:
    """Upright bars from zero in the order of `frame`: for bands that have an order, such as how long things have been open."""
    say = words(look.language)
    items = _items(frame, names_of(frame, id, name, say), measure, look, say)
    if not items:
        st.caption(say("No numbers to draw."))
        return
    spec = _columns_template(look, say(measure.label), _label_of_n(measure, say))
    draw(spec, {"rows": pa.Table.from_pylist(items)}, key, _told(items, measure, say))


def _add_doubts(items: list[dict], doubts: Sequence[Doubt], measure: Measure, look: Look, say: Words) -> None:
    ranked = sum(doubt.places is not None for doubt in doubts)
    groups = {doubt.group for doubt in doubts if doubt.places}
    for item, doubt in zip(items, doubts, strict=True):
        item["between"] = between(doubt.lower, doubt.upper, measure, look)
        item["place"] = say("none: too few")
        item["ground"], item["low"], item["high"] = "transparent", None, None
        if doubt.places:
            first, last = doubt.places
            item["place"] = say("{first}–{last} of {all}", first=first, last=last, all=ranked)
            if first == last:
                item["place"] = say("{place} of {all}", place=first, all=ranked)
            item["low"], item["high"] = doubt.lower, doubt.upper
            item["at"] = max(item["at"], doubt.upper)  # the number stands beside the interval, not on it
            if len(groups) > 1 and doubt.group % 2:
                item["ground"] = colours(look.dark).empty


def between(lower: float, upper: float, measure: Measure, look: Look) -> str:
    """“61.2 % – 64.8 %”: the ends of an interval, in the measure's unit; an infinite end is open."""
    ends = [shown(end, measure.unit, look.language) if math.isfinite(end) else "∞" for end in (lower, upper)]
    return " – ".join(ends)


def _bars(
    items,
    accents,
    measure: Measure,
    overall,
    look: Look,
    key: str,
    on_pick,
    limit_note: str | None = None,
    *,
    doubted: bool = False,
    always: int = 0,
) -> None:
    """The first MOST_BARS of `items`, and the one at the place `always`; the text alternative is about all."""
    say = words(look.language)
    rules = _overall(None, "")
    alt_text = _told(items, measure, say)
    if overall is not None and not pd.isna(overall):
        value = shown(overall, measure.unit, look.language)
        rules = _overall(float(overall), say("overall {value}", value=value))
        alt_text = sentences([alt_text, say("Overall: {value}", value=value)], say)
    labels = say(measure.label), _label_of_n(measure, say)
    count = len(items)
    drawn = [at for at in range(count) if at < MOST_BARS or at == always]
    items, accents = [items[at] for at in drawn], [accents[at] for at in drawn]
    _draw_bars(items, accents, rules, look, *labels, key, alt_text, on_pick, doubted=doubted)
    say_cut(count, say)
    if limit_note:
        st.caption(limit_note)


def say_cut(count: int, say: Words) -> None:
    """Says of a chart with `count` rows how many of them are drawn, where not all are."""
    if count > MOST_BARS:
        first = f"{MOST_BARS:,}"
        st.caption(say("Drawn are the first {n} of {count}; the table has all.", n=first, count=f"{count:,}"))


def _overall(at: float | None, label: str) -> pa.Table:
    """The line of the overall value as rows: one, or none."""
    rows = [] if at is None else [{"at": at, "label": label}]
    return pa.Table.from_pylist(rows, schema=pa.schema([("at", pa.float64()), ("label", pa.string())]))


def _draw_bars(
    items,
    accents,
    rules: pa.Table,
    look: Look,
    label: str,
    n_label: str,
    key: str,
    alt_text: str,
    on_pick=None,
    *,
    doubted: bool = False,
) -> None:
    if not items:
        st.caption(words(look.language)("No numbers to draw."))
        return
    theme = colours(look.dark)
    room = max(text_width(item["label"]) for item in items) + 8
    for item, accent in zip(items, accents, strict=True):
        item["tint"] = theme.accent if accent else theme.rest
        item["room"] = room
    rows = pa.Table.from_pylist(items)
    spec = _bars_template(look, label, n_label, on_pick is not None, doubted)
    height = ROWS_SEEN * _ROW + 40 if len(items) > ROWS_SEEN else "content"
    with st.container(key=key, height=height, border=False):
        draw(spec, {"rows": rows, "overall": rules}, f"{key}_bars", alt_text, ("id",), on_pick, rows=len(items))


def named_rows(theme: Colours) -> alt.Y:
    """A row for each name, in the order in which they come."""
    axis = alt.Axis(
        labelExpr=NAME_ONLY,
        # On a phone the names may take a third of the width; where they are cut, the tooltip has them whole.
        labelLimit=alt.ExprRef("min(220, containerSize()[0] * 0.34)"),
        labelColor=theme.text,
        labelPadding=8,
    )
    return alt.Y("row:N", sort=None, title=None, axis=axis)


def beside_labels(*, zero: bool, begin: int) -> alt.Scale:
    """Along the width from `begin`, with the room that each row says its label takes: labels that overflow would be cut."""
    room = "(length(data('rows')) ? data('rows')[0].room : 0)"
    return alt.Scale(zero=zero, nice=False, range=[begin, alt.ExprRef(f"max(20, width - {room})")])


@lru_cache(maxsize=256)
def _bars_template(look: Look, label: str, n_label: str, pickable: bool, doubted: bool = False) -> dict:
    theme, say = colours(look.dark), words(look.language)
    more = [alt.Tooltip("between:N", title=say("95 times of 100 between"))] if doubted else []
    more += [alt.Tooltip("place:N", title=say("Place from the top"))] if doubted else []
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=named_rows(theme),
        tooltip=[*tooltip(label, n_label), *more],
    )
    cursor = "pointer" if pickable else "default"
    # The whole row can be clicked and pointed at: a small bar is hard to hit, a bar of zero cannot be.
    rows = base.mark_rule(opacity=0, strokeWidth=_ROW, cursor=cursor).encode(x=alt.value(0), x2=alt.value("width"))
    if pickable:
        rows = rows.add_params(picked_by("id"))
    along = beside_labels(zero=True, begin=0)
    marks = base.mark_bar(cornerRadiusEnd=2, height={"band": 0.68}, cursor=cursor).encode(
        x=alt.X("value:Q", scale=along, axis=None), color=alt.Color("tint:N", scale=None)
    )
    overall = alt.Chart(alt.NamedData("overall")).encode(x=alt.X("at:Q", scale=along, axis=None))
    text = base.encode(x=alt.X("at:Q", scale=along, axis=None), text="label:N")
    grounds, intervals = [], []
    if doubted:
        ground = base.mark_bar(height={"band": 1}).encode(x=alt.value(0), x2=alt.value("width"))
        grounds = [ground.encode(color=alt.Color("ground:N", scale=None))]
        whole = base.encode(x=alt.X("low:Q", scale=along, axis=None), x2="high:Q")
        # A line of the page's colour around it, so that it is seen on the bar as well as beside it.
        intervals = [
            whole.mark_rule(color=theme.page, strokeWidth=4, opacity=0.7, cursor=cursor),
            whole.mark_rule(color=theme.text, strokeWidth=1.4, cursor=cursor),
        ]
    chart = alt.layer(
        *grounds,
        overall.mark_rule(color=theme.muted, strokeWidth=1.2),
        overall.mark_text(baseline="bottom", color=theme.text, fontSize=12).encode(y=alt.value(-3), text="label:N"),
        rows,
        marks,
        *intervals,
        # A halo, so that the line of the overall value does not strike through the numbers.
        text.mark_text(align="left", dx=6, stroke=theme.page, strokeWidth=4, strokeJoin="round", cursor=cursor),
        text.mark_text(align="left", dx=6, color=theme.muted, cursor=cursor),
    ).properties(height=alt.Step(_ROW))
    return converted(chart, look)


@lru_cache(maxsize=256)
def _columns_template(look: Look, label: str, n_label: str) -> dict:
    theme = colours(look.dark)
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X(
            "row:N",
            sort=None,
            title=None,
            axis=alt.Axis(
                labelExpr=_NAME_IN_LINES, labelAngle=0, labelOverlap=False, labelColor=theme.text, labelPadding=8
            ),
            scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15),
        ),
        tooltip=tooltip(label, n_label),
    )
    up = alt.Scale(zero=True, nice=False)
    marks = base.mark_bar(cornerRadiusEnd=2, color=theme.accent).encode(y=alt.Y("value:Q", scale=up, axis=None))
    text = base.encode(y=alt.Y("at:Q", scale=up, axis=None), text="label:N")
    chart = alt.layer(marks, text.mark_text(baseline="bottom", dy=-4, color=theme.text))
    return converted(chart.properties(height=_HEIGHT - 40), look)


# Lines --------------------------------------------------------------------------------------------------------------


def lines(
    frame: pd.DataFrame,
    *,
    step: Dimension,
    measure: Measure,
    look: Look,
    key: str,
    series: Dimension | None = None,
    incomplete_from: date | None = None,
    accent: str | None = None,
    rules: Sequence[tuple[date, str]] = (),
    among: Sequence[str] = (),
    intervals: Sequence[Interval] | None = None,
) -> None:
    """One line, or one for each value of `series`, over the steps of time `step`, each with its name at its end.

    Steps without a row are a gap, or what the count says it is without rows. Steps that end on or after `incomplete_from`
    are dashed. The line of the id `accent` stands out; without it, lines are told apart by colour: `among` are all ids that
    `series` can have, at most MOST_LINES and in one fixed order, so that each keeps its colour. `rules` are days with a label;
    those outside of the steps shown are left out. More than MOST_LINES lines become small charts on one scale.

    `intervals`, one for each row where one line alone is drawn, are a band around it; a rate that stands for too few is no part
    of the line but a hollow point with its interval. A step that is not complete has none: its number will be another.
    """
    say = words(look.language)
    steps = steps_of(frame, step)
    found = _series(frame, steps, step, measure, series, intervals, say)
    first_open = open_from(steps, incomplete_from)
    known = [value for line in found for value in line.values if value is not None]
    if not known:
        st.caption(say("No numbers to draw."))
        return
    if len(found) > MOST_SMALL_CHARTS:
        # Said instead of drawn: a quiet choice of some of them would hide the others.
        st.caption(say("{count} lines cannot be read as a chart. Choose fewer, or read the table.", count=len(found)))
        return
    held = [held for line in found for held in line.held(first_open) if held]
    shared = Shared(
        measure=measure,
        look=look,
        step=step.step,
        steps=steps,
        first_open=first_open,
        ticks=ticks_of([*known, *(end for each in held for end in (each.lower, each.upper))], measure.unit),
        rules=[(day, label) for day, label in rules if steps[0][0] <= day <= steps[-1][1]],
    )
    if len(found) <= MOST_LINES:
        _lines(found, _tints(found, accent, among, look), shared, key, judged=intervals is not None)
        return
    room = _room.get()
    with st.grid(3, min_column_width=190, key=key), within(room and Room(room.width // 3 - 16, 0)):
        for number, line in enumerate(found):
            with st.container(gap=None):
                st.html(f"<div class=chart-meaning>{escape(line.name)}</div>")
                tint = colours(look.dark).accent if accent in (None, line.id) else colours(look.dark).rest
                _lines([line], [tint], shared, f"{key}_{number}", small=True)


@dataclass(frozen=True)
class _Line:
    """A value, or None, for each step, and its interval where one is known."""

    id: str | None
    name: str
    values: list[float | None]
    intervals: list[Interval | None]

    @property
    def drawn(self) -> list[float | None]:
        """The values that the line goes through: those of too few are left out."""
        return [None if each and each.few else value for value, each in zip(self.values, self.intervals, strict=True)]

    def held(self, first_open: int) -> list[Interval | None]:
        """The intervals to be drawn: of the values of complete steps."""
        return [
            each if value is not None and at < first_open else None
            for at, (value, each) in enumerate(zip(self.values, self.intervals, strict=True))
        ]


@dataclass(frozen=True)
class Shared:
    """What the small charts of one answer have in common."""

    measure: Measure
    look: Look
    step: str
    steps: list[tuple[date, date]]
    """First and last day of each."""
    first_open: int
    """Where the steps that are not complete begin."""
    ticks: list[float]
    """Even; the first and the last are the ends of the scale."""
    rules: list[tuple[date, str]]


_POINTS = pa.schema(
    {name: pa.string() for name in ("series", "title", "said", "between", "n", "tint", "part")}
    | {name: pa.float64() for name in ("day", "value", "seen")}
    | {name: pa.bool_() for name in ("alone", "few")}
)
_ENDS = pa.schema(
    {name: pa.float64() for name in ("day", "value", "at")} | {name: pa.string() for name in ("label", "tint", "ink")}
)
_BANDS = pa.schema({"day": pa.float64(), "lower": pa.float64(), "upper": pa.float64(), "run": pa.int64()})


def _lines(
    found: Sequence[_Line],
    tints: Sequence[str],
    shared: Shared,
    key: str,
    *,
    small: bool = False,
    judged: bool = False,
) -> None:
    look, measure = shared.look, shared.measure
    unit, say, theme = measure.unit, words(look.language), colours(look.dark)
    names = [step_shown(start, shared.step, look.language) for start, _end in shared.steps]
    places = [(start.toordinal() + end.toordinal()) / 2 for start, end in shared.steps]
    points, ends, told = [], [], []
    for line, tint in zip(found, tints, strict=True):
        texts = [shown(value, unit, look.language) for value in line.values]
        drawn, held = line.drawn, line.held(shared.first_open)
        judged_or_all = drawn if any(value is not None for value in drawn) else line.values
        told.append(_told_of_line(line.name, judged_or_all, names, texts, say))
        for at, (value, text) in enumerate(zip(line.values, texts, strict=True)):
            when = names[at] if at < shared.first_open else say("{step}, not complete", step=names[at])
            interval = line.intervals[at]
            point = {
                "series": str(line.id),
                "title": f"{line.name} · {when}" if line.name else when,
                "day": places[at],
                "value": drawn[at],
                "seen": value,
                "said": text,
                "between": between(held[at].lower, held[at].upper, measure, look) if held[at] else MISSING,
                "n": shown(interval.of, measure.under.unit, look.language) if interval else MISSING,
                "tint": tint,
                "alone": drawn[at] is not None and _at(drawn, at - 1) is None and _at(drawn, at + 1) is None,
                "few": value is not None and drawn[at] is None,
            }
            if at < shared.first_open:
                points.append(point | {"part": "complete"})
            if shared.first_open - 1 <= at and shared.first_open < len(places):
                points.append(point | {"part": "open"})
        last = next((at for at in reversed(range(len(places))) if drawn[at] is not None), None)
        if last is not None:
            ends.append(
                {
                    # Names stand in one column; a value stands where its line ends.
                    "day": places[last] if len(found) == 1 else places[-1],
                    "value": drawn[last],
                    "label": line.name or short(drawn[last], unit, look.language),
                    "tint": tint,
                    # Text in a category's colour could not be read; its dot has the colour.
                    "ink": {theme.accent: theme.accent, theme.rest: theme.muted}.get(tint, theme.text),
                }
            )
    low, high = shared.ticks[0], shared.ticks[-1]
    ticks = shared.ticks
    if small and len(ticks) > 3:  # the first and the last stay: they hold the small charts to one scale
        ticks = ticks[::2] if len(ticks) % 2 else [low, high]
    datasets = {
        "points": pa.Table.from_pylist(points, schema=_POINTS),
        "ends": pa.Table.from_pylist(spread(ends, low, high, _SMALL_HEIGHT if small else _HEIGHT), schema=_ENDS),
        "grid": pa.table({"at": ticks, "label": [tick_label(tick, unit, look.language) for tick in ticks]}),
        "steps": step_labels(shared, places, 3 if small else 5),
        "rules": rule_rows(shared.rules, places),
    }
    if judged:
        datasets |= _bands(found[0], shared, places)
    alt_text = sentences([say(measure.label), *told, *(label for _day, label in shared.rules)], say)
    labels = say(measure.label), _label_of_n(measure, say) if judged else ""
    draw(_lines_template(look, *labels, len(found) > 1, small, judged), datasets, key, alt_text)


def _bands(line: _Line, shared: Shared, places: Sequence[float]) -> dict[str, pa.Table]:
    """The band around a line, a run for each of its pieces; and as whiskers the intervals of points that no line goes through."""
    bands, whiskers, run = [], [], 0
    held = line.held(shared.first_open)
    around = [None if each is None or each.few else each for each in held]
    for at, each in enumerate(held):
        if each is None:
            continue
        row = {"day": places[at], "lower": each.lower, "upper": each.upper}
        if around[at] is None or (_at(around, at - 1) is None and _at(around, at + 1) is None):
            whiskers.append(row | {"run": at})
            continue
        run += _at(around, at - 1) is None
        bands.append(row | {"run": run})
    return {
        "bands": pa.Table.from_pylist(bands, schema=_BANDS),
        "whiskers": pa.Table.from_pylist(whiskers, schema=_BANDS),
    }


@lru_cache(maxsize=256)
def _lines_template(look: Look, label: str, n_label: str, several: bool, small: bool, judged: bool) -> dict:
    theme, say = colours(look.dark), words(look.language)
    # Days are plain numbers: a time axis would shift them by the browser's time zone, and repeat “Oct” between two steps.
    x = alt.X("day:Q", axis=None, scale=alt.Scale(zero=False, nice=False))
    up = alt.Scale(zero=False, nice=False)
    points = alt.Chart(alt.NamedData("points")).encode(
        x=x, y=alt.Y("value:Q", scale=up, axis=None), detail="series:N", color=alt.Color("tint:N", scale=None)
    )
    seen = points.encode(y=alt.Y("seen:Q", scale=up, axis=None))
    ends = alt.Chart(alt.NamedData("ends")).encode(x=x)
    grid = alt.Chart(alt.NamedData("grid")).encode(y=alt.Y("at:Q", scale=up, axis=None))
    rules = alt.Chart(alt.NamedData("rules")).encode(x=x)
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, fields=["day", "series"], empty=False
    )
    bands, whiskers, more = [], [], []
    if judged:
        ends_of = {"x": x, "y": alt.Y("lower:Q", scale=up, axis=None), "y2": "upper:Q"}
        band = alt.Chart(alt.NamedData("bands")).encode(**ends_of, detail="run:N")
        bands = [band.mark_area(color=theme.accent, opacity=0.16)]
        whiskers = [
            alt.Chart(alt.NamedData("whiskers")).encode(**ends_of).mark_rule(color=theme.muted, strokeWidth=1.4),
            seen.transform_filter("datum.few").mark_point(size=55, fill=theme.page, opacity=1, strokeWidth=1.8),
        ]
        more = [alt.Tooltip("between:N", title=say("95 times of 100 between"))]
    layers = [
        *bands,
        grid.mark_rule(color=theme.grid),
        grid.mark_text(align="right", dx=-8, color=theme.muted).encode(x=alt.value(0), text="label:N"),
        alt.Chart(alt.NamedData("steps"))
        .mark_text(baseline="top", dy=8, lineBreak="\n", color=theme.muted)
        .encode(x=x, y=alt.value("height"), text="label:N"),
        rules.mark_rule(color=theme.muted, strokeDash=[2, 2]),
        *(
            rules.mark_text(
                align=side, baseline="bottom", dy=alt.ExprRef("datum.lift"), color=theme.text, fontSize=12
            ).encode(y=alt.value(-4), text=f"{side}:N")
            for side in ("left", "right")
            if not small
        ),
        points.mark_line(strokeWidth=2.2, strokeCap="butt", strokeJoin="round").encode(
            strokeDash=alt.StrokeDash(
                "part:N", scale=alt.Scale(domain=["complete", "open"], range=[[1, 0], [4, 3]]), legend=None
            )
        ),
        *whiskers,
        points.transform_filter("datum.alone").mark_point(filled=True, size=45, opacity=1),
        seen.mark_point(filled=True, size=60)
        .encode(opacity=alt.condition(near, alt.value(1), alt.value(0)), tooltip=[*tooltip(label, n_label), *more])
        .add_params(near),
    ]
    at_end = ends.encode(y=alt.Y("at:Q", scale=up, axis=None))
    if several:
        layers.append(
            at_end.mark_text(align="left", dx=8, text="●", fontSize=11).encode(color=alt.Color("tint:N", scale=None))
        )
    if not small:
        layers.append(
            at_end.mark_text(align="left", dx=20 if several else 8, limit=130).encode(
                text="label:N", color=alt.Color("ink:N", scale=None)
            )
        )
    return converted(alt.layer(*layers).properties(height=_SMALL_HEIGHT if small else _HEIGHT), look)


def _series(
    frame: pd.DataFrame,
    steps: Sequence[tuple[date, date]],
    step: Dimension,
    measure: Measure,
    series: Dimension | None,
    intervals: Sequence[Interval] | None,
    say: Words,
) -> list[_Line]:
    """The lines, in the order in which their ids first stand in `frame`."""
    # What a group without rows means is declared with the count; of a ratio nothing is known without rows.
    absent = measure.absent if isinstance(measure, Count) else None
    named = (
        names_of(frame, series.name, series.name + NAME if series.named else series.name, say)
        if series
        else [("", "")] * len(frame)
    )
    values: dict[str | None, dict[date, tuple[float | None, Interval | None]]] = {}
    names: dict[str | None, str] = {}
    rows = zip(frame[step.name], _numbers(frame, measure.name), intervals or [None] * len(frame), strict=True)
    for (id_, name), (day, value, interval) in zip(named, rows, strict=True):
        names[id_] = name
        values.setdefault(id_, {})[pd.Timestamp(day).date()] = value, interval
    found = []
    for id_, at in values.items():
        known = [at.get(start, (absent, None)) for start, _end in steps]
        found.append(_Line(id_, names[id_], [value for value, _each in known], [each for _value, each in known]))
    return found


def steps_of(frame: pd.DataFrame, step: Dimension) -> list[tuple[date, date]]:
    """First and last day of every step from the first in `frame` to the last."""
    if frame.empty:
        return []
    known = pd.to_datetime(frame[step.name])
    periods = pd.period_range(known.min(), known.max(), freq=_FREQUENCIES[step.step])
    return list(zip(periods.start_time.date, periods.end_time.date, strict=True))


def open_from(steps: Sequence[tuple[date, date]], incomplete_from: date | None) -> int:
    if incomplete_from is None:
        return len(steps)
    return next((at for at, (_start, end) in enumerate(steps) if end >= incomplete_from), len(steps))


def _tints(found: Sequence[_Line], accent: str | None, among: Sequence[str], look: Look) -> list[str]:
    theme = colours(look.dark)
    if accent is not None or len(found) == 1:
        return [theme.accent if accent in (None, line.id) else theme.rest for line in found]
    ids = [line.id for line in found]
    fixed = set(ids) <= set(among) and len(among) <= MOST_LINES
    tint = category_colours(list(among) if fixed else sorted(ids, key=lambda id_: id_ or ""), look.dark)
    return [tint[id_] for id_ in ids]


def ticks_of(known: Sequence[float], unit: Unit) -> list[float]:
    """The ticks of a scale that holds all of `known` and begins and ends with a tick; shares stay within 0 and 1.

    A scale that does not begin at zero spans at least five points (or a tenth): chance must not look like a landslide.
    """
    low, high = min(known), max(known)
    if unit in FROM_ZERO:
        low = min(low, 0)
        high = max(high, 0)
    else:
        lack = max(0.0, (0.05 if unit is Unit.SHARE else 0.1) - (high - low))
        low, high = low - lack / 2, high + lack / 2
        if unit is Unit.SHARE:
            low, high = max(low, min(0, *known)), min(high, max(1, *known))
    if high - low <= max(abs(high) * 1e-12, 1e-9):  # every count is zero, or nothing tells them apart
        high = low + max(1, abs(low))
    size = _tick_size((high - low) / 4)
    if unit is Unit.COUNT:
        size = max(size, 1)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [round(number * size, 10) for number in range(first, last + 1)]


def _tick_size(least: float) -> float:
    """The next 1, 2, 5 × 10ⁿ that is not less than `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def tick_label(value: float, unit: Unit, language: str) -> str:
    if unit is Unit.SHARE:
        return f"{value * 100:.10g}" + (" %" if language == "en" else "%")
    return short(value, unit, language)


def spread(ends: list[dict], low: float, high: float, height: int) -> list[dict]:
    """`ends` with the place `at` of each label: beside the line's end, moved apart as far as the text is high."""
    gap = (high - low) * _LABEL_HEIGHT / height
    ordered = sorted(ends, key=lambda end: end["value"])
    for end in ordered:
        end["at"] = end["value"]
    for lower, upper in pairwise(ordered):
        upper["at"] = max(upper["at"], lower["at"] + gap)
    if ordered:
        ordered[-1]["at"] = min(ordered[-1]["at"], max(high, ordered[-1]["value"]))
    for upper, lower in pairwise(reversed(ordered)):
        lower["at"] = min(lower["at"], upper["at"] - gap)
    return ends


def step_labels(shared: Shared, places: Sequence[float], most: int) -> pa.Table:
    """Up to `most` labels under the axis, counted back from the last step; the year stands where it changes."""
    every = -(-len(places) // most)
    labels, seen = [], None
    for at in range((len(places) - 1) % every, len(places), every):
        day = shared.steps[at][0]
        text = _step_label(day, shared.step, shared.look.language)
        if shared.step != "year" and day.year != seen:
            text += "\n" + step_shown(day, "year", shared.look.language)
        seen = day.year
        labels.append({"day": places[at], "label": text})
    return pa.Table.from_pylist(labels)


def _step_label(day: date, step: str, language: str) -> str:
    if step == "year":
        return step_shown(day, step, language)
    if step == "quarter":
        return f"Q{(day.month + 2) // 3}"
    pattern = {"en": {"month": "MMM"}, "zh": {"month": "M月"}}[language[:2]].get(
        step, "d MMM" if language == "en" else "M月d日"
    )
    return format_date(day, pattern, locale=language)


_RULES = pa.schema([("day", pa.float64()), ("left", pa.string()), ("right", pa.string()), ("lift", pa.int64())])


def rule_rows(rules: Sequence[tuple[date, str]], places: Sequence[float]) -> pa.Table:
    """The label stands on the side of its rule where there is more room, and higher than the label before it."""
    rows = []
    for number, (day, label) in enumerate(sorted(rules)):
        at = float(day.toordinal())
        on_left = at >= (places[0] + places[-1]) / 2
        sides = {"left": "", "right": label} if on_left else {"left": label, "right": ""}
        rows.append(sides | {"day": at, "lift": -_LABEL_HEIGHT * (number % 2)})
    return pa.Table.from_pylist(rows, schema=_RULES)


def _at(values: Sequence[_Known | None], at: int) -> _Known | None:
    return values[at] if 0 <= at < len(values) else None


# Matrix -------------------------------------------------------------------------------------------------------------


def matrix(
    frame: pd.DataFrame,
    *,
    x: Dimension,
    y: Dimension,
    measure: Measure,
    look: Look,
    key: str,
    on_pick: Callable[[str, str], None] | None = None,
) -> None:
    """A cell for each pair of values, darker or brighter with the number in it; “—” where there is none.

    Codes stand in their declared order, all else as in `frame`. A click calls `on_pick` with the ids of x and y.
    """
    say = words(look.language)
    across, down = _values(frame, x, say), _values(frame, y, say)
    numbers = {}
    pairs = zip(
        _ids(frame, x.name), _ids(frame, y.name), _numbers(frame, measure.name), _ns(frame, measure, look), strict=True
    )
    for x_id, y_id, value, n in pairs:
        numbers[x_id, y_id] = (value, n)
    known = [value for value, _n in numbers.values() if value is not None]
    if not known:
        st.caption(say("No numbers to draw."))
        return
    if len(across) * len(down) > MOST_CELLS:
        count = f"{len(across) * len(down):,}"
        st.caption(say("{count} cells cannot be read as a chart. Choose fewer, or read the table.", count=count))
        return
    low, span = min(known), max(known) - min(known)
    cells = []
    for row, (y_id, y_name) in enumerate(down):
        for column, (x_id, x_name) in enumerate(across):
            value, n = numbers.get((x_id, y_id), (None, ""))
            fill, ink = (
                shade((value - low) / span if span else 0.5, look.dark)
                if value is not None
                else (
                    colours(look.dark).empty,
                    colours(look.dark).muted,
                )
            )
            cells.append(
                {
                    "x": f"{column}{APART}{x_name}",
                    "y": f"{row}{APART}{y_name}",
                    "x_id": x_id,
                    "y_id": y_id,
                    "title": f"{y_name} · {x_name}",
                    "value": value,
                    "label": short(value, measure.unit, look.language),
                    "said": shown(value, measure.unit, look.language),
                    "brief": _brief(value, measure, look),
                    "n": n,
                    "fill": fill,
                    "ink": ink,
                }
            )
    room = max(text_width(word) for _id, name in across for word in name.split(" ")) + 4
    for cell in cells:
        cell["room"] = room
    told = _told([cell for cell in cells if cell["value"] is not None], measure, say, ends=False)
    spec = _matrix_template(look, say(measure.label), _label_of_n(measure, say), on_pick is not None)
    with st.container(key=key):
        picks = ("x_id", "y_id")
        draw(spec, {"rows": pa.Table.from_pylist(cells)}, f"{key}_cells", told, picks, on_pick, rows=len(down))


@lru_cache(maxsize=256)
def _matrix_template(look: Look, label: str, n_label: str, pickable: bool) -> dict:
    theme = colours(look.dark)
    names = {"labelColor": theme.text, "labelPadding": 8}
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X(
            "x:N",
            sort=None,
            title=None,
            # On a phone, names whose words do not fit beside each other are turned.
            axis=alt.Axis(
                labelExpr=f"{_NARROW} ? {NAME_ONLY} : ({_NAME_IN_LINES})",
                labelAngle=alt.ExprRef(f"{_NARROW} ? 270 : 0"),
                labelAlign=alt.ExprRef(f"{_NARROW} ? 'right' : 'center'"),
                labelBaseline=alt.ExprRef(f"{_NARROW} ? 'middle' : 'top'"),
                labelOverlap=False,
                **names,
            ),
        ),
        y=alt.Y(
            "y:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelExpr=NAME_ONLY, labelLimit=alt.ExprRef("min(160, containerSize()[0] * 0.28)"), **names),
        ),
        tooltip=tooltip(label, n_label),
    )
    cursor = "pointer" if pickable else "default"
    cells = base.mark_rect(cornerRadius=3, stroke=theme.page, strokeWidth=2, cursor=cursor).encode(
        fill=alt.Fill("fill:N", scale=None)
    )
    if pickable:
        cells = cells.add_params(picked_by("x_id", "y_id"))
    # On a phone a cell is narrower than its number: it then stands there without its unit and decimals, and whole in the tooltip.
    ink = alt.Color("ink:N", scale=None)
    texts = [
        base.mark_text(cursor=cursor, fontSize=alt.ExprRef(size)).encode(text=field, color=ink)
        for field, size in (("label:N", "bandwidth('x') < 46 ? 0 : 12"), ("brief:N", "bandwidth('x') < 46 ? 11 : 0"))
    ]
    return converted(alt.layer(cells, *texts).properties(height=alt.Step(36)), look)


def _brief(value: float | None, measure: Measure, look: Look) -> str:
    """The number as a narrow cell has room for it: a share in whole per cent, without the sign."""
    if value is not None and measure.unit is Unit.SHARE:
        return shown(round(value * 100), Unit.COUNT, look.language)
    return short(value, measure.unit, look.language)


def _values(frame: pd.DataFrame, dimension: Dimension, say: Words) -> list[tuple[str | None, str]]:
    """Id and name of each value of `dimension` that `frame` has: codes as declared, steps of time as they pass, else as they come."""
    named = dict(names_of(frame, dimension.name, dimension.name + NAME if dimension.named else dimension.name, say))
    declared = list(dimension.values)
    if dimension.step:
        return sorted(named.items(), key=lambda item: item[0] or "")
    return sorted(named.items(), key=lambda item: declared.index(item[0]) if item[0] in declared else len(declared))


# What all share -----------------------------------------------------------------------------------------------------


def _ids(frame: pd.DataFrame, column: str) -> list[str | None]:
    """The ids of a column as texts; a day as in ISO 8601."""
    found = frame[column].tolist()
    return [
        None if pd.isna(id_) else id_.date().isoformat() if isinstance(id_, pd.Timestamp) else str(id_) for id_ in found
    ]


def names_of(frame: pd.DataFrame, id: str, name: str, say: Words) -> list[tuple[str | None, str]]:
    """Id and name of each row. Where one column is both, its dimension says what the codes mean."""
    ids = _ids(frame, id)
    dimension = DIMENSION.get(id)
    if dimension is not None and dimension.step:
        return [(id_, step_shown(day, dimension.step, say.language)) for id_, day in zip(ids, frame[id], strict=True)]
    if id == name and dimension is not None:
        return [(id_, say.value(dimension, id_)) for id_ in ids]
    missing = say.value(dimension, None) if dimension is not None else MISSING
    return [(id_, missing if pd.isna(text) else str(text)) for id_, text in zip(ids, frame[name], strict=True)]


def _numbers(frame: pd.DataFrame, column: str) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in frame[column].tolist()]


def _ns(frame: pd.DataFrame, measure: Measure, look: Look) -> list[str]:
    """How many things each ratio is a ratio of, where the answer has it."""
    if not isinstance(measure, Ratio) or measure.under.name not in frame:
        return [""] * len(frame)
    return [shown(n, measure.under.unit, look.language) for n in frame[measure.under.name].tolist()]


def _label_of_n(measure: Measure, say: Words) -> str:
    return say(measure.under.label) if isinstance(measure, Ratio) else ""


def _items(frame: pd.DataFrame, named, measure: Measure, look: Look, say: Words) -> list[dict]:
    """A row for each bar. Text is made of the number as it came, not of the one that is drawn: 2⁵³ + 1 is no float."""
    exact = frame[measure.name].tolist()
    rows = zip(named, exact, _numbers(frame, measure.name), _ns(frame, measure, look), strict=True)
    return [
        _item(at, id_, name, value, short(raw, measure.unit, look.language), shown(raw, measure.unit, look.language), n)
        for at, ((id_, name), raw, value, n) in enumerate(rows)
    ]


def _item(at: int, id_: str | None, name: str, value: float | None, label: str, said: str, n: str) -> dict:
    """`at` is where the label stands: at the end of the bar, at zero where there is no number."""
    return {
        "row": f"{at}{APART}{name}",
        "id": id_,
        "title": name,
        "value": value,
        "at": max(value or 0.0, 0.0),
        "label": label,
        "said": said,
        "n": n,
    }


def text_width(text: str) -> int:
    """About how many pixels `text` takes; Chinese characters are as wide as they are high."""
    return sum(13 if ord(sign) > 0x2E80 else 7 for sign in text)


def tooltip(label: str, n_label: str) -> list[alt.Tooltip]:
    """The name as heading, the number as a table writes it, and how many it is of."""
    rows = [alt.Tooltip("title:N", title="title"), alt.Tooltip("said:N", title=label or "\u00a0")]
    return [*rows, alt.Tooltip("n:N", title=n_label)] if n_label else rows


_TOLD = {
    "data": {"name": "told"},
    "mark": {"type": "text", "text": "", "aria": True},
    "encoding": {"description": {"field": "told", "type": "nominal"}, "x": {"value": 0}, "y": {"value": 0}},
}
"""The chart in words, as an unseen mark: the browser keeps a chart whose rows alone are others, and would build one anew whose
description, which belongs to the template, is another."""


def converted(chart: alt.LayerChart, look: Look) -> dict:
    """The chart as Vega-Lite without data, in our own config. Never changed afterwards: all draws share it."""
    spec = chart.to_dict()
    theme = colours(look.dark)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    spec["padding"] = {"left": 2, "right": 6, "top": 4, "bottom": 4}
    spec["background"] = "transparent"
    spec["layer"].append(_TOLD)
    # Replaces whatever an Altair theme put there. Screen readers get one sentence (_TOLD), not one for each mark.
    spec["config"] = {
        "font": _FONT,
        "view": {"stroke": None},
        "mark": {"aria": False},
        "text": {"fontSize": 12.5, "font": _FONT},
        "axis": {
            "aria": False,
            "domain": False,
            "ticks": False,
            "grid": False,
            "labelFont": _FONT,
            "labelFontSize": 12.5,
            "labelColor": theme.muted,
        },
    }
    return spec


_TURN = "turn"
"""How often a chart was clicked, in each of its rows. A click on what is already selected tells Streamlit nothing; what is
selected is a row of a turn, or nobody could go down, up, and down the same way again."""


def picked_by(*fields: str) -> alt.Parameter:
    """What a click on a mark tells `draw`: these fields of its row."""
    return alt.selection_point(name="pick", fields=[*fields, _TURN], on="click", toggle=False)


def draw(
    spec: dict,
    datasets: Mapping[str, pa.Table],
    key: str,
    alt_text: str,
    picks: Sequence[str] = (),
    on_pick: Callable[..., None] | None = None,
    *,
    rows: int | None = None,
) -> None:
    """Draws a template with its rows, and tells screen readers `alt_text`. `on_pick` is called with the fields `picks` of what
    was clicked. `rows` is how many stand one under the other, where they may be higher on a slide."""
    told = {"told": pa.table({"told": [alt_text]})}
    room = _room.get()
    if room is not None:
        # What is enlarged is not measured: Streamlit would take the enlarged width for the room there is.
        height = _filling(spec.get("height"), rows, room.height)
        spec = spec | {"width": room.width, "height": height, "datasets": {**datasets, **told}}
        st.vega_lite_chart(None, spec, width="content", theme=None, key=key)
        return
    if on_pick is None:
        st.vega_lite_chart(None, spec | {"datasets": {**datasets, **told}}, width="stretch", theme=None, key=key)
        return
    turns = f"_{key}_turns"
    turn = st.session_state.setdefault(turns, 0)
    turned = {name: table.append_column(_TURN, pa.repeat(turn, len(table))) for name, table in datasets.items()}

    def picked() -> None:
        for item in st.session_state[key].selection.get("pick", []):
            found = [item.get(field) for field in picks]
            if None not in found:
                st.session_state[turns] = turn + 1
                on_pick(*found)
                return

    spec = spec | {"datasets": turned | told}
    st.vega_lite_chart(None, spec, width="stretch", theme=None, key=key, on_select=picked)


@contextmanager
def within(room: Room | None) -> Iterator[None]:
    """Charts drawn within fill the room, and are only looked at: on a slide, which is enlarged as a whole."""
    before = _room.set(room)
    try:
        yield
    finally:
        _room.reset(before)


def _filling(height: object, rows: int | None, room: int) -> object:
    """The height of a chart on a slide: one that is usually high fills the room, and so do rows, as far as they stay rows; one of many
    small charts stays as it is."""
    if rows is not None:
        return {"step": max(_LOWEST_ROW, min(_HIGHEST_ROW, room // max(1, rows)))}
    if isinstance(height, int) and height > _SMALL_HEIGHT:
        return max(height, room)
    return height


# The text alternative -----------------------------------------------------------------------------------------------


def _said(item: Mapping) -> str:
    return f"{item['title']} {item['said']}"


def _told(items: Sequence[Mapping], measure: Measure, say: Words, *, ends: bool = True) -> str:
    """The chart in words: its first and last item, the highest and the lowest."""
    known = [item for item in items if item["value"] is not None]
    if not known:
        return sentences([say(measure.label), say("No numbers to draw.")], say)
    extremes = [
        say("Highest: {item}", item=_said(max(known, key=lambda item: item["value"]))),
        say("Lowest: {item}", item=_said(min(known, key=lambda item: item["value"]))),
    ]
    outer = [say("First: {item}", item=_said(items[0])), say("Last: {item}", item=_said(items[-1]))] if ends else []
    return sentences([say(measure.label), *outer, *extremes], say)


def _told_of_line(
    name: str, values: Sequence[float | None], names: Sequence[str], texts: Sequence[str], say: Words
) -> str:
    items = [
        {"title": title, "value": value, "said": text}
        for title, value, text in zip(names, values, texts, strict=True)
        if value is not None
    ]
    if not items:
        return say("{name}: no numbers", name=name) if name else say("No numbers to draw.")
    told = say(
        "first {first}, last {last}, highest {highest}, lowest {lowest}",
        first=_said(items[0]),
        last=_said(items[-1]),
        highest=_said(max(items, key=lambda item: item["value"])),
        lowest=_said(min(items, key=lambda item: item["value"])),
    )
    return say("{name}: {values}", name=name, values=told) if name else told


def sentences(texts: Iterable[str], say: Words) -> str:
    end, space = (".", " ") if say.language == "en" else ("。", "")
    return space.join(text.rstrip(end) + end for text in texts)
