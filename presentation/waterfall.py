"""The way from one rate to another, part by part: what each part brought by its own change, and what by that of its share."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import altair as alt
import pyarrow as pa
import streamlit as st

from measures.period import Period
from presentation.charts import APART, Look, beside_labels, converted, draw, named_rows, sentences, text_width
from presentation.colours import colours
from presentation.reasons import Why, effect_in_short
from presentation.units import period_shown, shown
from presentation.words import Words, words

MOST_PARTS = 7
"""Parts that have a row of their own; the rest are one row together."""

_ROW = 30
_BAR = 9
"""Half a row's bar: that of the part's own change above, that of its share below."""


def waterfall(told: Why, before: Period, now: Period, *, look: Look, key: str) -> None:
    """The rate `before`, what the parts brought to it, those of the largest effect first and the rest together, and the rate `now`.

    The scale does not begin at zero, because the parts are small beside the whole: so the whole is a line, not a bar.
    """
    say = words(look.language)
    rows = _rows(told, before, now, say)
    theme = colours(look.dark)
    for row in rows:
        row["room"] = max(text_width(row["label"]) for row in rows) + 14
    wholes = pa.table({"at": [told.before, told.now]})
    spec = _template(look, say("Own change"), say("Change of its share"))
    told_aloud = sentences([say(told.measure.label), *(f"{row['title']}: {row['label']}" for row in rows)], say)
    draw(spec, {"rows": pa.Table.from_pylist(rows), "wholes": wholes}, key, told_aloud)
    kinds = ((theme.accent, say("Own change")), (theme.rest, say("Change of its share")))
    legend = " ".join(f'<span style="color:{tint}">■</span> {escape(kind)}&emsp;' for tint, kind in kinds)
    method = say(
        "Own change: that of a part's rate, at its average share. Change of its share: at how far its rate lies from that of the "
        "whole. Together they are the change exactly (averages of both periods, Marshall and Edgeworth)."
    )
    st.html(f'<div class=chart-meaning title="{escape(method)}">{legend}</div>')


def _rows(told: Why, before: Period, now: Period, say: Words) -> list[dict]:
    """A row for each end of the way and for each part between, each beginning where the one before ends."""
    unit, language = told.measure.unit, say.language
    shown_alone, rest = told.reasons[:MOST_PARTS], told.reasons[MOST_PARTS:]
    steps: list[tuple[str, float, float]] = [(reason.name, reason.within, reason.mix) for reason in shown_alone]
    if rest:
        name = say.plural("{n} other part", "{n} other parts", len(rest))
        steps.append((name, sum(reason.within for reason in rest), sum(reason.mix for reason in rest)))
    reached = told.before
    rows = [_end(0, say("Before"), period_shown(before, language), told.before, shown(told.before, unit, language))]
    for at, (name, within, mix) in enumerate(steps, 1):
        between, then = reached + within, reached + within + mix
        rows.append(
            {
                "row": f"{at}{APART}{name}",
                "title": name,
                "begin": reached,
                "between": between,
                "then": then,
                "whole": None,
                "furthest": max(reached, between, then),
                "label": effect_in_short(within + mix, told.measure, say),
                "own": effect_in_short(within, told.measure, say),
                "share": effect_in_short(mix, told.measure, say),
            }
        )
        reached = then
    return [*rows, _end(len(rows), say("Now"), period_shown(now, language), told.now, shown(told.now, unit, language))]


def _end(at: int, name: str, days: str, value: float, label: str) -> dict:
    missing = {"begin": None, "between": None, "then": None, "own": "", "share": ""}
    return {
        "row": f"{at}{APART}{name}",
        "title": f"{name} · {days}",
        "whole": value,
        "furthest": value,
        "label": label,
    } | missing


@lru_cache(maxsize=64)
def _template(look: Look, own: str, share: str) -> dict:
    theme = colours(look.dark)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=named_rows(theme),
        tooltip=[
            alt.Tooltip("title:N", title="title"),
            alt.Tooltip("label:N", title="\u00a0"),
            alt.Tooltip("own:N", title=own),
            alt.Tooltip("share:N", title=share),
        ],
    )
    along = beside_labels(zero=False, begin=6)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=along, axis=None)

    ends = base.transform_filter("isValid(datum.whole)")
    parts = base.transform_filter("isValid(datum.begin)")
    wholes = alt.Chart(alt.NamedData("wholes")).encode(x=x("at"))
    half = _BAR / 2 + 0.5
    text = base.encode(x=x("furthest"), text="label:N")
    chart = alt.layer(
        wholes.mark_rule(color=theme.grid),
        # The whole row can be pointed at: a small bar is hard to hit.
        base.mark_rule(opacity=0, strokeWidth=_ROW).encode(x=alt.value(0), x2=alt.value("width")),
        parts.mark_bar(size=_BAR, yOffset=-half, color=theme.accent).encode(x=x("begin"), x2="between:Q"),
        parts.mark_bar(size=_BAR, yOffset=half, color=theme.rest).encode(x=x("between"), x2="then:Q"),
        ends.mark_tick(thickness=4, size=2 * _BAR + 2, color=theme.text).encode(x=x("whole")),
        text.mark_text(align="left", dx=8, stroke=theme.page, strokeWidth=4, strokeJoin="round"),
        text.mark_text(align="left", dx=8, color=theme.muted),
    ).properties(height=alt.Step(_ROW))
    return converted(chart, look)
