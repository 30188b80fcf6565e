"""Draws how long things take: for each group the share to which it has happened, by day since the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import altair as alt
import pyarrow as pa
import streamlit as st

from measures.model import Unit
from measures.statistics import Estimate
from measures.survival import share_by
from measures.waits import Wait, Waited
from presentation.charts import Look, converted, draw, sentences, spread, tick_label
from presentation.colours import category_colours, colours
from presentation.units import shown
from presentation.words import Words, words

_HEIGHT = 280
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_STEPS = 6
"""The axis of days is cut into so many equal parts: days of 30, 60 and 180 all divide by it."""
_STEP_SEEN = 0.001
"""A line steps up where it has risen by so much: a third of a pixel. What is less waits for the next step."""


@dataclass(frozen=True)
class Line:
    """A group and the name that stands at its end; empty where it is the only one."""

    name: str
    group: Waited


def curves(lines: Sequence[Line], wait: Wait, *, look: Look, key: str) -> None:
    """A stepped line for each group, from the day of the start as far as it can be told; at most as many as there are colours.

    The part that stands for less than half of a group's cases is dashed and pale. The band of 95 times in 100 is that of the only
    line, else of the one pointed at.
    """
    say = words(look.language)
    drawn = [line for line in lines if line.group.curve.drawn_to is not None]
    if not drawn:
        st.caption(say("No numbers to draw."))
        return
    last = _last_day(drawn, wait)
    tints = _tints(drawn, look)
    points = [point for line, tint in zip(drawn, tints, strict=True) for point in _points(line, tint, last, say)]
    ends = []
    for line, tint in zip(drawn, tints, strict=True):
        own = [point for point in points if point["series"] == str(line.group.id)]
        ends.append(
            {
                # Names stand in one column; the value of a line alone stands where it ends.
                "day": float(last) if len(drawn) > 1 else own[-1]["day"],
                "value": own[-1]["value"],
                "stop": own[-1]["day"],
                "label": line.name or shown(own[-1]["value"], Unit.SHARE, look.language),
                "tint": tint,
            }
        )
    places = [last * part // _STEPS for part in range(_STEPS + 1)]
    # On a phone the last one would run into the one before it, the first has no neighbour on its left.
    labels = [_days(places[0], say), *(str(day) for day in places[1:])]
    datasets = {
        "points": pa.Table.from_pylist(points),
        "ends": pa.Table.from_pylist(spread(ends, 0.0, 1.0, _HEIGHT)),
        "grid": pa.table(
            {"at": list(_TICKS), "label": [tick_label(tick, Unit.SHARE, look.language) for tick in _TICKS]}
        ),
        "days": pa.table({"day": [float(day) for day in places], "label": labels}),
    }
    told = sentences([_told(line, wait, say) for line in drawn], say)
    draw(_template(look, say("Share so far"), len(drawn) > 1), datasets, key, told)


def _last_day(lines: Sequence[Line], wait: Wait) -> int:
    """The last day of the axis: half of the horizon where no line reaches beyond it, so that young ones are not pressed together."""
    furthest = max(wait.horizon if line.group.curve.complete else line.group.curve.drawn_to for line in lines)
    return wait.horizon if furthest > wait.horizon / 2 else wait.horizon // 2


def _tints(lines: Sequence[Line], look: Look) -> list[str]:
    if len(lines) == 1:
        return [colours(look.dark).accent]
    ids = [str(line.group.id) for line in lines]
    tint = category_colours(sorted(ids), look.dark)
    return [tint[id_] for id_ in ids]


def _points(line: Line, tint: str, last: int, say: Words) -> list[dict]:
    """The days on which the line steps up by what can be seen, its start and its end: between them it is level."""
    group = line.group
    end = float(last) if group.curve.complete else min(group.curve.drawn_to, float(last))
    settled = end if group.curve.complete else min(group.settled_to if group.settled_to is not None else 0.0, end)
    ends = (0.0, settled, end)
    points, drawn = [], -1.0
    for day in sorted({*ends, *group.days[(group.events > 0) & (group.days <= end)].tolist()}):
        share = share_by(group.curve, day)
        if day not in ends and share.value - drawn < _STEP_SEEN:
            continue
        drawn = share.value
        when = _days(int(day), say)
        point = {
            "series": str(group.id),
            "title": f"{line.name} · {when}" if line.name else when,
            "day": day,
            "value": share.value,
            "lower": share.lower,
            "upper": share.upper,
            "said": _between(share, say),
            "tint": tint,
        }
        if day <= settled:
            points.append(point | {"part": "settled"})
        if day >= settled < end:
            points.append(point | {"part": "young"})
    return points


def _between(share: Estimate, say: Words) -> str:
    """“60.1 % (58.9–61.2 %)”."""
    return f"{shown(share.value, Unit.SHARE, say.language)} ({ends_of(share, say)})"


def ends_of(share: Estimate, say: Words) -> str:
    """“58.9–61.2 %”."""
    lower, upper = (shown(end, Unit.SHARE, say.language) for end in (share.lower, share.upper))
    return f"{lower.rstrip(' %')}–{upper}"


def _days(day: int, say: Words) -> str:
    return say.plural("{n} day", "{n} days", day)


def _told(line: Line, wait: Wait, say: Words) -> str:
    """The line in words: its share by each of the days told that it reaches."""
    shares = [(day, share_by(line.group.curve, day)) for day in wait.told]
    known = [say("{share} by day {day}", share=_between(share, say), day=day) for day, share in shares if share]
    known = known or [say("not yet known")]
    return say("{name}: {values}", name=line.name, values=say.listed(known)) if line.name else say.listed(known)


@lru_cache(maxsize=64)
def _template(look: Look, label: str, several: bool) -> dict:
    theme = colours(look.dark)
    x = alt.X("day:Q", axis=None, scale=alt.Scale(zero=True, nice=False))
    up = alt.Scale(zero=True, nice=False)
    points = alt.Chart(alt.NamedData("points")).encode(
        x=x,
        y=alt.Y("value:Q", scale=up, axis=None),
        detail="series:N",
        color=alt.Color("tint:N", scale=None),
    )
    grid = alt.Chart(alt.NamedData("grid")).encode(y=alt.Y("at:Q", scale=up, axis=None))
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, fields=["day", "series"], empty=False
    )
    parts = ["settled", "young"]
    band = points.mark_area(interpolate="step-after").encode(
        y=alt.Y("lower:Q", scale=up, axis=None),
        y2="upper:Q",
        opacity=alt.condition("near.series && near.series[0] === datum.series", alt.value(0.16), alt.value(0))
        if several
        else alt.value(0.16),
    )
    lines = points.mark_line(interpolate="step-after", strokeWidth=2.2, strokeCap="butt", strokeJoin="round").encode(
        strokeDash=alt.StrokeDash("part:N", scale=alt.Scale(domain=parts, range=[[1, 0], [4, 3]]), legend=None),
        opacity=alt.Opacity("part:N", scale=alt.Scale(domain=parts, range=[1, 0.6]), legend=None),
    )
    ends = alt.Chart(alt.NamedData("ends"))
    at_end = ends.encode(x=x, y=alt.Y("at:Q", scale=up, axis=None))
    # A young line ends under older ones: without a dot nobody would see how far it reaches.
    stop = (
        ends.transform_filter("datum.stop < datum.day")
        .mark_point(filled=True, size=40, opacity=1)
        .encode(
            x=alt.X("stop:Q", axis=None), y=alt.Y("value:Q", scale=up, axis=None), color=alt.Color("tint:N", scale=None)
        )
    )
    layers = [
        grid.mark_rule(color=theme.grid),
        grid.mark_text(align="right", dx=-8, color=theme.muted).encode(x=alt.value(0), text="label:N"),
        alt.Chart(alt.NamedData("days"))
        .mark_text(baseline="top", dy=8, color=theme.muted)
        .encode(x=x, y=alt.value("height"), text="label:N"),
        band,
        lines,
        stop,
        points.mark_point(filled=True, size=60)
        .encode(
            opacity=alt.condition(near, alt.value(1), alt.value(0)),
            tooltip=[alt.Tooltip("title:N", title="title"), alt.Tooltip("said:N", title=label)],
        )
        .add_params(near),
        at_end.mark_text(align="left", dx=20 if several else 8, limit=130, color=theme.text).encode(text="label:N"),
    ]
    if several:
        layers.append(
            at_end.mark_text(align="left", dx=8, text="●", fontSize=11).encode(color=alt.Color("tint:N", scale=None))
        )
    return converted(alt.layer(*layers).properties(height=_HEIGHT), look)
