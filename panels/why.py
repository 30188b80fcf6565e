"""Why a rate moved since the days compared with: what each part of the whole brought to the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from measures.model import Dimension, _
from panels import choices, exhibits, notes, tabular, views
from panels.accounts import Account
from panels.desk import Desk
from presentation import table_view
from presentation.cards import panel
from presentation.export_view import export_buttons
from presentation.plain import plain
from presentation.reasons import NAMED, Reason, Why, sentence

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
    rates = [measure for measure in desk.known(*names) if exhibits.splits(measure)]
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
    shown = exhibits.moved(desk, measure.name, by)
    if shown.told is None:
        _only(shown.title, shown.meaning)
        return
    leads_to = (leads or {}).get(measure.name, page)
    with panel(shown.title, shown.meaning, views.offer(desk, key, shown, "moved", name=measure.name, by=by)):
        if view is _TABLE:
            _as_table(desk, leads_to, chosen, shown)
        else:
            shown.draw(desk.look, chosen)
            with st.container(key=f"{key}_sentences", gap="xsmall"):
                for reason in shown.told.reasons[:NAMED]:
                    _said(desk, leads_to, f"{key}_{reason.id}", shown.told, reason)
        notes.say_ignored(desk, shown.asked)


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


def _as_table(desk: Desk, page: str, key: str, shown: exhibits.Moved) -> None:
    """All parts, and their files."""
    by = shown.told.by
    leads = by in tabular.FOLLOWED
    with st.container(horizontal=True, horizontal_alignment="right"):
        export_buttons(
            shown.file,
            desk.about(len(shown.file.rows), shown.asked.ignored, compared=True),
            desk.say,
            key,
            Account(desk, shown.file.title, shown.asked.question),
        )
    table_view.show(
        shown.file,
        say=desk.say,
        key=key,
        empty=notes.nothing(desk),
        link=tabular.link_to(desk, by, {"": page}) if leads else None,
        on_pick=tabular.go if leads else None,
    )
