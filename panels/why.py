"""Why a rate moved since the days compared with: what each part of the whole brought to the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from measures.model import Dimension, Measure, Ratio, _
from panels import choices, notes, tabular
from panels.accounts import Account
from panels.desk import Asked, Desk
from presentation import table_view, withheld
from presentation.cards import panel
from presentation.export_view import export_buttons
from presentation.plain import plain
from presentation.reasons import NAMED, Reason, Untold, Why, finding, sentence, table, why
from presentation.waterfall import waterfall

LABEL = _("Why it moved")
"""What the reader asks for."""

_CHART, _TABLE = choices.View(_("Chart")), choices.View(_("Table"))


@notes.refusing
def moved(
    desk: Desk,
    page: str,
    names: Sequence[str],
    among: Sequence[Dimension],
    leads: Mapping[str, str] | None = None,
) -> None:
    """Why that of the rates among the measures `names` moved which the reader chooses, by that of the dimensions `among` which the
    reader chooses: the finding, the way from the rate before to the rate now, and a sentence for each of the largest
    parts; or all parts as a table. A part leads to the page that `leads` names for its rate, otherwise to `page`, filtered by it.

    Where nothing can be told of a change, the sentence that says why.
    """
    rates = [measure for measure in desk.known(*names) if _splits(measure)]
    if not rates:
        _only(desk.say("The warehouse knows no rate here for both periods"), desk.say(LABEL))
        return
    if not desk.filters.against:
        _only(desk.say("No comparison is chosen"), desk.say(LABEL))
        return
    key = f"{page}_why"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        switches = st.container(horizontal=True, vertical_alignment="center", width="content")
        with switches:
            measure = choices.one_of(desk, f"{key}_rate", rates)
        # A dimension that splits only the upper count gives no parts with rates of their own.
        kept = [by for by in among if all(by in each.dimensions for each in (measure, *measure.counts))]
        if kept:
            with switches:
                chosen, by = choices.choice(desk, key, {f"{key}_{by.name}": by for by in kept})
            _key, view = choices.choice(desk, f"{key}_view", {f"{key}_chart": _CHART, f"{key}_table": _TABLE})
    if not kept:
        _only(notes.not_kept(desk, measure, among), desk.say(measure.meaning))
        return
    asked = desk.ask([measure, *measure.counts], [by], compared=True)
    meaning = desk.say("Why it moved: {measure}", measure=notes.meaning(desk, measure, by))
    if asked.answer.empty:
        _only(notes.nothing(desk), meaning)
        return
    if hidden := withheld.sentence(asked.question, asked.answer, desk.say):
        _only(hidden, meaning)  # of parts that are not all told no change is made
        return
    try:
        told = why(measure, by, asked.answer, desk.say)
    except Untold as reason:
        _only(str(reason), meaning)
        return
    leads_to = (leads or {}).get(measure.name, page)
    with panel(finding(told, desk.say), meaning):
        if view is _TABLE:
            _as_table(desk, leads_to, chosen, told, asked)
        else:
            waterfall(told, desk.filters.against, desk.filters.period, look=desk.look, key=chosen)
            with st.container(key=f"{key}_sentences", gap="xsmall"):
                for reason in told.reasons[:NAMED]:
                    _said(desk, leads_to, f"{key}_{reason.id}", told, reason)
        notes.say_ignored(desk, asked)


def _splits(measure: Measure) -> bool:
    """Whether the change of a measure is made of those of its parts: it is a rate of two counts that were known before and add up."""
    return isinstance(measure, Ratio) and measure.has_history and all(count.adds_up for count in measure.counts)


def _only(sentence: str, meaning: str) -> None:
    with panel(sentence, meaning):
        pass


def _said(desk: Desk, page: str, key: str, told: Why, reason: Reason) -> None:
    """The sentence of one part; a link where the page can be filtered by it."""
    text = sentence(reason, told.measure, desk.say)
    if told.by in tabular.FOLLOWED and reason.id is not None:
        address = f"{page}?{urlencode(desk.filters.at(**{tabular.FOLLOWED[told.by]: reason.id}))}"
        # No page link: one to the page it stands on changes the filters, and leaves the address in the browser as it was.
        st.button(plain(text), type="tertiary", key=key, on_click=tabular.go, args=({"href": address},))
    else:
        st.html(f"<div class=sentence>{escape(text)}</div>")


def _as_table(desk: Desk, page: str, key: str, told: Why, asked: Asked) -> None:
    """All parts, and their files."""
    shown = table(told, desk.filters.against, desk.filters.period, desk.say)
    leads = told.by in tabular.FOLLOWED
    with st.container(horizontal=True, horizontal_alignment="right"):
        export_buttons(
            shown,
            desk.about(len(shown.rows), asked.ignored, compared=True),
            desk.say,
            key,
            Account(desk, shown.title, asked.question),
        )
    table_view.show(
        shown,
        say=desk.say,
        key=key,
        empty=notes.nothing(desk),
        link=tabular.link_to(desk, told.by, {"": page}) if leads else None,
        on_pick=tabular.go if leads else None,
    )
