"""The bullet chart: each branch's target as a whole, what is reached of it, where it should be by now, and where it will end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape

import altair as alt
import pyarrow as pa
import streamlit as st

from measures.model import Unit
from measures.standings import Standing
from presentation.charts import (
    APART,
    MOST_BARS,
    ROWS_SEEN,
    Look,
    converted,
    draw,
    named_rows,
    picked_by,
    say_cut,
    sentences,
    text_width,
)
from presentation.colours import Colours, colours
from presentation.pacing import MISSING_FROM, REACHED_TO, between, progress, row_names
from presentation.units import period_shown, shown
from presentation.words import Words, words

MOST_TOLD = 8
"""Rows that screen readers are told; the table holds them all."""
FURTHEST = 1.5
"""What lies beyond this share of a target is cut, and the reader is told: one small target would press all others to the left."""

_ROW = 36
_NARROW = 420
"""Below so many pixels, on a phone, the numbers beside the bars are the share alone."""
_PLACES = ("reached", "due", "low", "high", "projected")


def bullets(
    found: Sequence[Standing],
    *,
    by_course: bool,
    look: Look,
    key: str,
    on_pick: Callable[[str], None] | None = None,
) -> list[str]:
    """A row for each of `found`, which all have a target; more than ROWS_SEEN scroll.

    The length of a bar is the share of the branch's own target that is reached, the upright stroke the share of the time that has
    passed, the line with a point what will be reached at the end, and between what. A click calls `on_pick` with the branch's id.
    Returns the names of the rows that are cut at FURTHEST.
    """
    say, theme = words(look.language), colours(look.dark)
    rows = [
        _row(at, standing, name, by_course, theme, say)
        for at, (standing, name) in enumerate(zip(found, row_names(found, say), strict=True))
    ]
    count, rows = len(rows), rows[:MOST_BARS]
    furthest = max(1.05, *(row[place] or 0.0 for row in rows for place in _PLACES))
    for row in rows:
        _keep_within(row)
        row["room"] = max(text_width(row["label"]) for row in rows) + 30
        row["narrow_room"] = max(text_width(row["brief"]) for row in rows) + 24
    whole = {"at": [1.0, min(furthest, FURTHEST)], "label": [say("target"), ""], "tint": [theme.muted, "transparent"]}
    told = [say("{name}: {values}", name=row["title"], values=row["told"]) for row in rows[:MOST_TOLD]]
    if count > MOST_TOLD:
        told.append(say.plural("{n} more in the table", "{n} more in the table", count - MOST_TOLD))
    _legend({row["tint"] for row in rows}, by_course, theme, say)
    spec = _template(look, by_course, on_pick is not None)
    height = ROWS_SEEN * _ROW + 40 if len(rows) > ROWS_SEEN else "content"
    with st.container(key=key, height=height, border=False):
        datasets = {"rows": pa.Table.from_pylist(rows, schema=_SCHEMA), "whole": pa.table(whole)}
        draw(spec, datasets, f"{key}_bullets", sentences(told, say), ("id",), on_pick)
    say_cut(count, say)
    return [row["title"] for row in rows if row["beyond"]]


def cut(found: Sequence[Standing], say: Words) -> list[str]:
    """The names of the rows that `bullets` cuts at FURTHEST."""
    drawn = zip(row_names(found, say)[:MOST_BARS], found[:MOST_BARS], strict=True)
    return [name for name, standing in drawn if max(place or 0.0 for place in _places(standing).values()) > FURTHEST]


def _places(standing: Standing) -> dict[str, float | None]:
    """Where the marks of a row stand, in shares of its target."""
    pace = standing.pace
    ends = pace.projected and pace.projected.lower < pace.projected.upper
    return {
        "reached": pace.attained,
        "due": pace.elapsed,
        "low": pace.projected.lower / pace.target if ends else None,
        "high": pace.projected.upper / pace.target if ends else None,
        "projected": pace.projected.value / pace.target if ends else None,
    }


def _keep_within(row: dict) -> None:
    """Cuts the marks of a row at FURTHEST: what goes on beyond it ends there with a sign, a point beyond it is left out."""
    if max(row[place] or 0.0 for place in _PLACES) > FURTHEST:
        point = row["projected"] if (row["projected"] or 0.0) <= FURTHEST else None
        row |= {place: None if row[place] is None else min(row[place], FURTHEST) for place in _PLACES}
        row |= {"projected": point, "beyond": "»"}


_TEXTS = (
    "row",
    "id",
    "title",
    "label",
    "brief",
    "told",
    "days",
    "due_said",
    "ending",
    "needed",
    "tint",
    "beyond",
)
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.float64()) for name in _PLACES),
        ("room", pa.int64()),
        ("narrow_room", pa.int64()),
    ]
)


def _row(at: int, standing: Standing, name: str, by_course: bool, theme: Colours, say: Words) -> dict:
    pace, language = standing.pace, say.language
    target = pace.target
    reached, of = shown(pace.reached, Unit.COUNT, language), shown(target, Unit.AMOUNT, language)
    share, due = shown(pace.attained, Unit.SHARE, language), shown(pace.elapsed, Unit.SHARE, language)
    ending = say("cannot be told yet")
    if pace.projected:
        ending = f"{shown(pace.projected.value, Unit.COUNT, language)} ({between(pace.projected, say)})"
    ends = pace.projected and pace.projected.lower < pace.projected.upper
    tint, sign = _verdict(pace.missing, theme)
    attained = say("{share} · {reached} of {target}", share=share, reached=reached, target=of)
    return {
        "row": f"{at}{APART}{name}",
        "id": standing.id,
        "title": name,
        "label": f"{sign} {attained}",
        "brief": f"{sign} {share}",
        "told": say.clauses(
            [progress(standing, by_course, say), *([say("at the end {ending}", ending=ending)] if ends else [])]
        ),
        "days": period_shown(standing.period, language),
        "due_said": due,
        "ending": ending,
        "needed": shown(standing.needed, Unit.RATE, language),
        "tint": tint,
        "beyond": "",
    } | _places(standing)


def _verdict(missing: float | None, theme: Colours) -> tuple[str, str]:
    """The bar's colour, and the sign that says the same without colour."""
    if missing is None or REACHED_TO < missing < MISSING_FROM:
        return theme.rest, "–"
    return (theme.bad, "▼") if missing >= MISSING_FROM else (theme.accent, "▲")


def _legend(tints: set[str], by_course: bool, theme: Colours, say: Words) -> None:
    """What the marks are, the bars by those of their colours that there are."""
    bars = [
        (theme.bad, "▼ ■", say("will probably be missed")),
        (theme.rest, "– ■", say("may go either way, or too early to tell")),
        (theme.accent, "▲ ■", say("will probably be reached")),
    ]
    marks = [
        *(bar for bar in bars if bar[0] in tints),
        (theme.text, "┃", say("due by now, as a year ago") if by_course else say("due by now")),
        (theme.text, "─●─", say("expected at the end")),
    ]
    drawn = " ".join(
        f'<span style="white-space:nowrap"><span aria-hidden=true style="color:{tint}">{sign}</span> {escape(text)}</span>&emsp;'
        for tint, sign, text in marks
    )
    st.html(f"<div class=chart-meaning>{drawn}</div>")


@lru_cache(maxsize=64)
def _template(look: Look, by_course: bool, pickable: bool) -> dict:
    theme, say = colours(look.dark), words(look.language)
    cursor = "pointer" if pickable else "default"
    room = f"(length(data('rows')) ? (width < {_NARROW} ? data('rows')[0].narrow_room : data('rows')[0].room) : 0)"
    end = f"max(20, width - {room})"
    along = alt.Scale(zero=True, nice=False, range=[0, alt.ExprRef(end)])
    due = say("Due by now, as a year ago") if by_course else say("Due by now")
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=named_rows(theme),
        tooltip=[
            alt.Tooltip("title:N", title="title"),
            alt.Tooltip("days:N", title=say("Target for")),
            alt.Tooltip("label:N", title=say("Attained")),
            alt.Tooltip("due_said:N", title=due),
            alt.Tooltip("ending:N", title=say("Expected at the end")),
            alt.Tooltip("needed:N", title=say("Needed a working day")),
        ],
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=along, axis=None)

    # The whole row can be clicked and pointed at: a small bar is hard to hit.
    rows = base.mark_rule(opacity=0, strokeWidth=_ROW, cursor=cursor).encode(x=alt.value(0), x2=alt.value("width"))
    if pickable:
        rows = rows.add_params(picked_by("id"))
    whole = alt.Chart(alt.NamedData("whole")).encode(x=x("at"))
    line = base.encode(x=x("low"), x2="high:Q")
    point = base.encode(x=x("projected"))
    chart = alt.layer(
        base.mark_bar(height={"band": 0.66}, color=theme.empty, cornerRadiusEnd=2).encode(
            x=alt.X(datum=0, scale=along, axis=None), x2=alt.datum(1)
        ),
        whole.mark_rule(strokeWidth=1.4).encode(color=alt.Color("tint:N", scale=None)),
        whole.mark_text(baseline="bottom", color=theme.text, fontSize=12).encode(y=alt.value(-3), text="label:N"),
        rows,
        base.mark_bar(height={"band": 0.36}, cornerRadiusEnd=2, cursor=cursor).encode(
            x=x("reached"), color=alt.Color("tint:N", scale=None)
        ),
        # Around what lies on a bar a line of the page's colour, so that it is seen there as well as beside it.
        line.mark_rule(color=theme.page, strokeWidth=4.5, opacity=0.8, cursor=cursor),
        line.mark_rule(color=theme.text, strokeWidth=1.8, cursor=cursor),
        base.mark_tick(color=theme.page, thickness=5.5, size=_ROW * 0.62, cursor=cursor).encode(x=x("due")),
        base.mark_tick(color=theme.text, thickness=2.5, size=_ROW * 0.62, cursor=cursor).encode(x=x("due")),
        point.mark_point(
            filled=True, size=58, color=theme.text, stroke=theme.page, strokeWidth=1.4, opacity=1, cursor=cursor
        ),
        base.mark_text(align="left", dx=3, fontSize=15, color=theme.text, cursor=cursor).encode(
            x=alt.XValue(alt.ExprRef(end)), text="beyond:N"
        ),
        base.mark_text(
            align="right",
            color=theme.text,
            cursor=cursor,
            text=alt.ExprRef(f"width < {_NARROW} ? datum.brief : datum.label"),
        ).encode(x=alt.value("width")),
    ).properties(height=alt.Step(_ROW))
    return converted(chart, look)
