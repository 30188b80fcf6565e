"""Personal data in clear: who asks says what for, and each look is written down before anything is shown."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from data_access.access import Permission
from data_access.journal import Action
from measures.question import ListingQuestion
from panels.accounts import entry
from panels.desk import Desk
from presentation.export_view import LONGEST


def unmasked(desk: Desk, key: str, question: ListingQuestion) -> ListingQuestion:
    """`question` asked in clear, where the reader's role permits it and the reader has said what for; else as it is."""
    say, state = desk.say, st.session_state
    if not desk.viewer.may(Permission.PERSONAL) or not labels(desk, question):
        return question
    purpose = _purpose(key)
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.get(purpose):
            shown = say("Personal data are shown for: {purpose}. Each look is written down.", purpose=state[purpose])
            st.html(f"<div class=meaning>{escape(shown)}</div>")
            st.button(say("Mask again"), key=f"{key}_mask", on_click=state.pop, args=(purpose, None))
            return replace(question, clear=True)
        with st.popover(say("Show personal data"), icon=":material/visibility:", key=f"{key}_unmask"):
            said = st.text_input(
                say("What you look at them for"), key=f"{key}_reason", max_chars=LONGEST,
                help=say("It is written down beside your name."),
            ).strip()  # fmt: skip
            st.button(
                say("Show"), key=f"{key}_show", disabled=not said, on_click=state.__setitem__, args=(purpose, said)
            )
    return question


def written_down(desk: Desk, key: str, question: ListingQuestion, title: str, rows: int, page: int) -> None:
    """Writes a look at personal data into the journal: once for each page of each question. Raises JournalError; then nothing is
    to be fetched."""
    if not question.clear:
        return
    looked: set = st.session_state.setdefault(f"{key}_looked", set())
    purpose = st.session_state[_purpose(key)]
    look = (desk.warehouse.fingerprint(question, desk.viewer), page, purpose)
    if look in looked:
        return
    desk.journal.add(
        replace(
            entry(desk, Action.UNMASK, title, question, desk.about(rows)),
            personal=labels(desk, question),
            purpose=purpose,
        )
    )
    looked.add(look)


def labels(desk: Desk, question: ListingQuestion) -> tuple[str, ...]:
    """The labels of the listing's columns with personal data."""
    return tuple(desk.say(column.label) for column in question.listing.columns if column.personal)


def _purpose(key: str) -> str:
    return f"_{key}_purpose"
