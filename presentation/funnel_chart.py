"""The funnel plot: rates over the size of what they are rates of, between the limits that chance allows around the average."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import altair as alt
import numpy as np
import pyarrow as pa
import streamlit as st

from measures.funnel import Funnel, Limits, Place
from measures.model import Better, Unit
from presentation import charts
from presentation.charts import Look
from presentation.colours import Colours, colours
from presentation.fairness import PLACES, Comparison
from presentation.units import short, shown
from presentation.words import words

MOST_NAMED = 8
"""More names than this would lie on each other; the furthest have theirs written, all of them on pointing."""

_HEIGHT = 320
_LABEL_HEIGHT = 15
_SIZES = 60
"""In how many places along the axis the limits are reckoned."""
_FAR = (Place.FAR_ABOVE, Place.FAR_BELOW)
_HIGH = (Place.FAR_ABOVE, Place.ABOVE)
_ENDS = pa.schema([("at", pa.float64()), ("value", pa.float64()), ("label", pa.string())])
_NAMES = pa.schema([("size", pa.float64()), ("at", pa.float64()), ("left", pa.string()), ("right", pa.string())])


def funnel_plot(
    found: Comparison,
    funnel: Funnel,
    *,
    id: str,
    name: str,
    look: Look,
    key: str,
    marked: str | None = None,
    on_pick: Callable[[str], None] | None = None,
) -> int:
    """The units of `found` that have enough to be judged as dots; returns how many lie outside without their name beside them.

    Size stands along the axis in powers of ten: a head office beside its outlets would press all others to the left. What lies
    outside of 99.8 % has the colour of better or worse, points up or down, and has its name. The id `marked` has a ring. A click
    calls `on_pick` with the id. `funnel` is that of `found`, of at least one unit, with an overall rate.
    """
    measure, say, theme = found.measure, words(look.language), colours(look.dark)
    rows, per = found.enough, found.measure.per
    sizes = rows[measure.under.name].to_numpy(dtype=float)
    rates = rows[measure.name].to_numpy(dtype=float)
    low_size, high_size = math.log10(sizes.min()) - 0.05, math.log10(sizes.max()) + 0.05
    # At a size between the smallest and the largest the funnel is to be seen; at its mouth it may leave the picture.
    middle = funnel.limits([np.median(sizes)])
    known = [*rates, funnel.overall * per, *(float(end[0]) * per for end in (middle.far_lower, middle.far_upper))]
    ticks = charts.ticks_of([value for value in known if math.isfinite(value)], measure.unit)
    along = np.linspace(low_size, high_size, _SIZES)
    dots = []
    units = zip(
        charts.names_of(rows, id, name, say), sizes, rates, funnel.places, found.doubts[: found.judged], strict=True
    )
    for (id_, named), size, rate, place, doubt in units:
        dots.append(
            {
                "id": id_,
                "title": named,
                "size": math.log10(size),
                "value": rate,
                "said": shown(rate, measure.unit, look.language),
                "n": shown(size, Unit.COUNT, look.language),
                "between": charts.between(doubt.lower, doubt.upper, measure, look),
                "place": say(PLACES[place]),
                "tint": _tint(place, measure.better, theme),
                "shape": ("triangle-up" if place in _HIGH else "triangle-down") if place in _FAR else "circle",
                "ring": theme.text if id_ is not None and id_ == marked else "transparent",
            }
        )
    outside = [at for at in np.argsort(funnel.p, kind="stable").tolist() if funnel.places[at] in _FAR]
    named = [dots[at] for at in outside[:MOST_NAMED]]
    limits = _scaled(funnel.limits(10**along), per)
    datasets = {
        "dots": pa.Table.from_pylist(dots),
        "bands": pa.Table.from_pylist(_bands(along, limits, ticks[0], ticks[-1])),
        "names": pa.Table.from_pylist(_names(named, (low_size + high_size) / 2, ticks), schema=_NAMES),
        "ends": pa.Table.from_pylist(
            _ends(funnel.overall * per, limits, high_size, ticks, measure, look), schema=_ENDS
        ),
        "grid": pa.table(
            {"at": ticks, "label": [charts.tick_label(tick, measure.unit, look.language) for tick in ticks]}
        ),
        "average": pa.table({"value": [funnel.overall * per], "of": [say(measure.under.label)]}),
        "sizes": pa.Table.from_pylist(_size_ticks(low_size, high_size, look)),
    }
    told = [say(measure.label)]
    told += [say("{name}: {values}", name=d["title"], values=f"{d['said']}, {d['place']}") for d in named]
    if not named:
        told.append(say("None of the {all} differs from the average by more than chance.", all=len(dots)))
    spec = _template(look, say(measure.label), say(measure.under.label), on_pick is not None)
    with st.container(key=key):
        charts.draw(spec, datasets, f"{key}_dots", charts.sentences(told, say), ("id",), on_pick)
    return unnamed(funnel)


def unnamed(funnel: Funnel) -> int:
    """How many lie outside without their name beside them."""
    return max(0, sum(place in _FAR for place in funnel.places) - MOST_NAMED)


def _tint(place: Place, better: Better, theme: Colours) -> str:
    if place not in _FAR:
        return theme.rest
    if better is Better.NEITHER:
        return theme.text
    return theme.accent if (place in _HIGH) == (better is Better.HIGHER) else theme.bad


def _scaled(limits: Limits, per: int) -> Limits:
    return Limits(limits.far_lower * per, limits.lower * per, limits.upper * per, limits.far_upper * per)


def _bands(along: np.ndarray, limits: Limits, low: float, high: float) -> list[dict]:
    """The limits at each size, kept within the picture; a line ends where it leaves it."""
    rows = []
    for at, size in enumerate(along.tolist()):
        row = {"size": size}
        for end in ("far_lower", "lower", "upper", "far_upper"):
            value = float(getattr(limits, end)[at])
            row[end] = min(max(value, low), high)
            row[f"{end}_line"] = value if low <= value <= high else None
        rows.append(row)
    return rows


def _names(named: list[dict], middle: float, ticks: list[float]) -> list[dict]:
    """The names beside their dots, on the side where there is more room, moved apart where two would lie on each other."""
    gap = (ticks[-1] - ticks[0]) * _LABEL_HEIGHT / _HEIGHT
    rows: list[dict] = []
    for dot in sorted(named, key=lambda dot: dot["value"]):
        side, other = ("left", "right") if dot["size"] > middle else ("right", "left")
        beside = [row["at"] for row in rows if row[side]]
        at = max([dot["value"], *(lower + gap for lower in beside[-1:])])
        rows.append({"size": dot["size"], "at": at, side: dot["title"], other: ""})
    return rows


def _ends(overall: float, limits: Limits, at: float, ticks: list[float], measure, look: Look) -> list[dict]:
    """What the lines are, at their ends."""
    say = words(look.language)
    value = short(overall, measure.unit, look.language)
    ends = [
        {"value": overall, "label": say("average {value}", value=value)},
        {"value": float(limits.upper[-1]), "label": charts.tick_label(0.95, Unit.SHARE, look.language)},
        {"value": float(limits.far_upper[-1]), "label": charts.tick_label(0.998, Unit.SHARE, look.language)},
    ]
    gap = (ticks[-1] - ticks[0]) * _LABEL_HEIGHT / _HEIGHT
    for number, end in enumerate(ends):
        end["at"] = end["value"] if not number else max(end["value"], ends[number - 1]["at"] + gap)
    return [end for end in ends if end["value"] <= ticks[-1]]


def _size_ticks(low: float, high: float, look: Look) -> list[dict]:
    """1, 2, 5 × 10ⁿ within the axis, or only powers of ten where those are enough."""
    factors = (1, 2, 5) if high - low < 2.5 else (1,)
    sizes = [factor * 10**power for power in range(math.floor(low), math.ceil(high) + 1) for factor in factors]
    return [
        {"size": math.log10(size), "label": short(size, Unit.COUNT, look.language)}
        for size in sizes
        if low <= math.log10(size) <= high
    ] or [{"size": (low + high) / 2, "label": short(round(10 ** ((low + high) / 2)), Unit.COUNT, look.language)}]


@lru_cache(maxsize=256)
def _template(look: Look, label: str, n_label: str, pickable: bool) -> dict:
    theme, say = colours(look.dark), words(look.language)
    cursor = "pointer" if pickable else "default"
    x = alt.X("size:Q", axis=None, scale=alt.Scale(zero=False, nice=False))
    up = alt.Scale(zero=False, nice=False)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=up, axis=None)

    bands, dots = (alt.Chart(alt.NamedData(name)).encode(x=x) for name in ("bands", "dots"))
    grid = alt.Chart(alt.NamedData("grid")).encode(y=y("at"))
    sizes = alt.Chart(alt.NamedData("sizes")).encode(x=x, text="label:N")
    ends, average = alt.Chart(alt.NamedData("ends")), alt.Chart(alt.NamedData("average"))
    names = alt.Chart(alt.NamedData("names")).encode(x=x, y=y("at"))
    tooltip = [
        *charts.tooltip(label, n_label),
        alt.Tooltip("between:N", title=say("95 times of 100 between")),
        alt.Tooltip("place:N", title=say("Against the average")),
    ]
    # A dot is smaller than a finger: around each, as much again can be hit.
    hit = dots.mark_point(filled=True, size=320, opacity=0, cursor=cursor).encode(y=y("value"), tooltip=tooltip)
    if pickable:
        hit = hit.add_params(charts.picked_by("id"))
    shape = alt.Shape("shape:N", scale=None)
    layers = [
        bands.mark_area(color=theme.rest, opacity=0.10).encode(y=y("far_lower"), y2="far_upper"),
        bands.mark_area(color=theme.rest, opacity=0.14).encode(y=y("lower"), y2="upper"),
        grid.mark_rule(color=theme.grid),
        grid.mark_text(align="right", dx=-8, color=theme.muted).encode(x=alt.value(0), text="label:N"),
        sizes.mark_text(baseline="top", dy=8, color=theme.muted).encode(y=alt.value("height")),
        *(bands.mark_line(color=theme.muted, strokeWidth=1).encode(y=y(f"{end}_line")) for end in ("lower", "upper")),
        *(
            bands.mark_line(color=theme.muted, strokeWidth=1, strokeDash=[4, 3]).encode(y=y(f"{end}_line"))
            for end in ("far_lower", "far_upper")
        ),
        average.mark_rule(color=theme.text, strokeWidth=1.2).encode(y=y("value")),
        average.mark_text(align="right", baseline="top", dy=26, color=theme.muted).encode(
            x=alt.value("width"), y=alt.value("height"), text="of:N"
        ),
        ends.mark_text(align="left", dx=8, color=theme.muted).encode(x=alt.value("width"), y=y("at"), text="label:N"),
        dots.mark_point(size=150, strokeWidth=2).encode(
            y=y("value"), stroke=alt.Stroke("ring:N", scale=None), shape=alt.value("circle")
        ),
        dots.mark_point(filled=True, size=62, opacity=0.9).encode(
            y=y("value"), color=alt.Color("tint:N", scale=None), shape=shape
        ),
        *(
            names.mark_text(align=align, dx=dx, color=theme.text, limit=alt.ExprRef("width * 0.4"), stroke=None).encode(
                text=f"{side}:N"
            )
            for side, align, dx in (("left", "right", -10), ("right", "left", 10))
        ),
        hit,
    ]
    return charts.converted(alt.layer(*layers).properties(height=_HEIGHT), look)
