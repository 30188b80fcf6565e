"""The control chart: a rate over time between the limits of chance, with the points that lie outside and what happened then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st

from measures.control import ControlChart, Method, Point, Runs
from measures.model import Better, Dimension, Ratio
from presentation import charts
from presentation.charts import Look
from presentation.colours import colours
from presentation.units import day_shown, short, shown, step_shown
from presentation.words import words

MOST_LABELLED = 4
"""More days with events than this are short marks at the top, to be read on pointing: labels would lie on each other. Those on
which something happened at the branch itself or above it keep line and label, as long as they are not more either."""

_HEIGHT = 250
_LIMITS = pa.schema([(name, pa.float64()) for name in ("from", "to", "lower", "upper")])
_CENTRE = pa.schema([("value", pa.float64())])
_EVENTS = pa.schema([("day", pa.float64()), ("title", pa.string()), ("said", pa.string())])


@dataclass(frozen=True)
class Event:
    """Something that happened on a day at a branch, by its name; `below` the branch looked at, or at it or above it."""

    day: date
    label: str
    branch: str
    below: bool


def control(
    frame: pd.DataFrame,
    judged: pd.DataFrame,
    chart: ControlChart,
    *,
    step: Dimension,
    measure: Ratio,
    look: Look,
    key: str,
    told: Sequence[str],
    incomplete_from: date | None = None,
    events: Sequence[Event] = (),
) -> None:
    """The rate of each step of `frame` as a line, and the limits of `chart` around those of the steps in `judged`.

    `chart` has a point for each row of `judged`, in the measure's unit. Points outside point up or down; those of a run that is
    too long have a dot. Steps that end on or after `incomplete_from` are dashed. `told` is what the chart says, for those who
    cannot see it. Events outside of the steps shown are left out.
    """
    say, theme = words(look.language), colours(look.dark)
    steps = charts.steps_of(frame, step)
    places = {start: (start.toordinal() + end.toordinal()) / 2 for start, end in steps}
    first_open = charts.open_from(steps, incomplete_from)
    at_day = {day: at for at, day in enumerate(judged[step.name].dt.date)}
    values = dict(zip(frame[step.name].dt.date, frame[measure.name].tolist(), strict=True))
    limited = chart.method is not Method.NOT_TOLD
    run = range(chart.longest.start, chart.longest.stop) if chart.runs is Runs.SHIFTED else range(0)
    points, limits = [], []
    for at, (start, end) in enumerate(steps):
        value, judge = values.get(start), at_day.get(start)
        name = step_shown(start, step.step, look.language)
        place = chart.points[judge] if judge is not None else Point.NOT_TOLD
        out = place in (Point.ABOVE, Point.BELOW)
        worse = (place is Point.ABOVE) == (measure.better is Better.LOWER)
        told_limits = limited and judge is not None and place is not Point.NOT_TOLD
        if told_limits:
            ends = float(chart.lower[judge]), float(chart.upper[judge])
            limits.append(
                {"from": start.toordinal() - 0.5, "to": end.toordinal() + 0.5, "lower": ends[0], "upper": ends[1]}
            )
        point = {
            "title": name if at < first_open else say("{step}, not complete", step=name),
            "day": places[start],
            "value": None if pd.isna(value) else float(value),
            "said": shown(value, measure.unit, look.language),
            "between": charts.between(*ends, measure, look) if told_limits else "—",
            "mark": ("triangle-up" if place is Point.ABOVE else "triangle-down") if out else "circle",
            "tint": (theme.bad if worse else theme.accent) if out else theme.accent,
            "size": 110 if out else 34 if judge is not None and judge in run else 0,
        }
        if at < first_open:
            points.append(point | {"part": "complete"})
        if first_open - 1 <= at and first_open < len(steps):
            points.append(point | {"part": "open"})
    known = [point["value"] for point in points if point["value"] is not None]
    if not known:
        st.caption(say("No numbers to draw."))
        return
    ticks = charts.ticks_of([*known, *(end for row in limits for end in (row["lower"], row["upper"]))], measure.unit)
    days = _by_day([event for event in events if steps[0][0] <= event.day <= steps[-1][1]])
    shared = charts.Shared(measure, look, step.step, steps, first_open, ticks, [])
    lined = (
        days
        if len(days) <= MOST_LABELLED
        else _by_day([event for found in days.values() for event in found if not event.below])
    )
    lined = lined if len(lined) <= MOST_LABELLED else {}
    labelled = [(day, " · ".join(event.label for event in found)) for day, found in lined.items()]
    datasets = {
        "points": pa.Table.from_pylist(points),
        "limits": pa.Table.from_pylist(limits, schema=_LIMITS),
        "centre": pa.Table.from_pylist([{"value": chart.centre}] if limited else [], schema=_CENTRE),
        "ends": pa.Table.from_pylist(_ends(points, chart.centre if limited else None, limits, ticks, measure, look)),
        "grid": pa.table(
            {"at": ticks, "label": [charts.tick_label(tick, measure.unit, look.language) for tick in ticks]}
        ),
        "steps": charts.step_labels(shared, list(places.values()), 5),
        "rules": charts.rule_rows(labelled, list(places.values())),
        "events": pa.Table.from_pylist(
            [
                {
                    "day": float(day.toordinal()),
                    "title": day_shown(day, look.language),
                    "said": " · ".join(f"{event.label} ({event.branch})" for event in found),
                }
                for day, found in days.items()
            ],
            schema=_EVENTS,
        ),
    }
    alt_text = charts.sentences([say(measure.label), *told, *(label for _day, label in labelled)], say)
    charts.draw(_template(look, say(measure.label)), datasets, key, alt_text)
    unlined = len(days) - len(lined)
    if unlined and lined:
        st.caption(
            say("Something happened on {n} more of these days: point at a mark at the top to read it.", n=unlined)
        )
    elif unlined:
        st.caption(say("Something happened on {n} of these days: point at a mark at the top to read it.", n=unlined))


def _by_day(events: Sequence[Event]) -> dict[date, list[Event]]:
    found: dict[date, list[Event]] = {}
    for event in sorted(events, key=lambda event: (event.day, event.label)):
        found.setdefault(event.day, []).append(event)
    return found


def _ends(
    points: list[dict], centre: float | None, limits: list[dict], ticks: list[float], measure, look: Look
) -> list:
    """What stands at the right end: the last value, and what the lines are."""
    say = words(look.language)
    last = next(point for point in reversed(points) if point["value"] is not None)
    ends = [{"value": last["value"], "label": short(last["value"], measure.unit, look.language), "strong": True}]
    if centre is not None:
        average = short(centre, measure.unit, look.language)
        ends.append({"value": centre, "label": say("average {value}", value=average), "strong": False})
    if limits:
        upper = short(limits[-1]["upper"], measure.unit, look.language)
        ends.append({"value": limits[-1]["upper"], "label": say("limit {value}", value=upper), "strong": False})
    return charts.spread(ends, ticks[0], ticks[-1], _HEIGHT)


@lru_cache(maxsize=64)
def _template(look: Look, label: str) -> dict:
    theme, say = colours(look.dark), words(look.language)
    across, up = alt.Scale(zero=False, nice=False), alt.Scale(zero=False, nice=False)
    x = alt.X("day:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=up, axis=None)

    limits = alt.Chart(alt.NamedData("limits")).encode(x=alt.X("from:Q", axis=None, scale=across), x2="to:Q")
    points = alt.Chart(alt.NamedData("points")).encode(x=x, y=y("value"))
    centre = alt.Chart(alt.NamedData("centre")).encode(y=y("value"))
    ends = alt.Chart(alt.NamedData("ends")).encode(x=alt.value("width"), y=y("at"), text="label:N")
    grid = alt.Chart(alt.NamedData("grid")).encode(y=y("at"))
    rules, events = (alt.Chart(alt.NamedData(name)).encode(x=x) for name in ("rules", "events"))
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, fields=["day"], empty=False
    )
    tooltip = [*charts.tooltip(label, ""), alt.Tooltip("between:N", title=say("Limits of chance"))]
    layers = [
        limits.mark_rect(color=theme.rest, opacity=0.13).encode(y=y("lower"), y2="upper"),
        grid.mark_rule(color=theme.grid),
        grid.mark_text(align="right", dx=-8, color=theme.muted).encode(x=alt.value(0), text="label:N"),
        *(limits.mark_rule(color=theme.muted, strokeWidth=1).encode(y=y(end)) for end in ("lower", "upper")),
        centre.mark_rule(color=theme.muted, strokeWidth=1.2),
        alt.Chart(alt.NamedData("steps"))
        .mark_text(baseline="top", dy=8, lineBreak="\n", color=theme.muted)
        .encode(x=x, y=alt.value("height"), text="label:N"),
        rules.mark_rule(color=theme.muted, strokeDash=[2, 2]),
        events.mark_rule(color=theme.muted, strokeWidth=2).encode(y=alt.value(0), y2=alt.value(8)),
        *(
            rules.mark_text(
                align=side, baseline="bottom", dy=alt.ExprRef("datum.lift"), color=theme.text, fontSize=12, limit=200
            ).encode(y=alt.value(-4), text=f"{side}:N")
            for side in ("left", "right")
        ),
        points.mark_line(strokeWidth=2.2, strokeCap="butt", strokeJoin="round", color=theme.accent).encode(
            strokeDash=alt.StrokeDash(
                "part:N", scale=alt.Scale(domain=["complete", "open"], range=[[1, 0], [4, 3]]), legend=None
            )
        ),
        points.mark_point(filled=True, opacity=1).encode(
            size=alt.Size("size:Q", scale=None),
            shape=alt.Shape("mark:N", scale=None),
            color=alt.Color("tint:N", scale=None),
        ),
        points.mark_point(filled=True, size=60, color=theme.accent)
        .encode(opacity=alt.condition(near, alt.value(1), alt.value(0)), tooltip=tooltip)
        .add_params(near),
        events.mark_rule(strokeWidth=12, opacity=0).encode(
            tooltip=[alt.Tooltip("title:N", title="title"), alt.Tooltip("said:N", title="\u00a0")]
        ),
        ends.transform_filter("datum.strong").mark_text(align="left", dx=8, color=theme.accent),
        ends.transform_filter("!datum.strong").mark_text(align="left", dx=8, color=theme.muted),
    ]
    return charts.converted(alt.layer(*layers).properties(height=_HEIGHT), look)
