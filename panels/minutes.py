"""What a meeting leaves behind: its slides, its workbook and its print, each with the numbers that were shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import streamlit as st

from data_access.meetings import Action, Meeting
from panels import actions as agreements
from panels.accounts import Account
from panels.agenda import Slide
from panels.desk import Desk
from presentation import deck, pack, pdf, print_view
from presentation.export_view import file_name
from presentation.minutes import Minutes
from presentation.minutes import Slide as Written
from presentation.tables import About
from presentation.words import Words

_OFFICE = "application/vnd.openxmlformats-officedocument."
FORMATS: tuple[tuple[str, str, str, Callable[[Minutes, Words], bytes]], ...] = (
    ("PowerPoint", "pptx", f"{_OFFICE}presentationml.presentation", deck.write),
    ("Excel", "xlsx", f"{_OFFICE}spreadsheetml.sheet", pack.write),
    ("PDF", "pdf", "application/pdf", lambda minutes, say: pdf.of(print_view.html(minutes, say))),
)


def minutes_of(desk: Desk, title: str, shown: Sequence[Slide], actions: Sequence[Action], about: About) -> Minutes:
    """The meeting as its files have it: each slide with the remark on its item, which stands on the first of them."""
    written, remarked = [], set()
    for slide in shown:
        remark = "" if slide.item.id in remarked else slide.item.remark
        remarked.add(slide.item.id)
        exhibit = replace(
            slide.exhibit, notes=(*slide.exhibit.notes, *([slide.corrections] if slide.corrections else []))
        )
        written.append(Written(exhibit, remark))
    today = about.made_at.date()
    table = agreements.action_table(desk, actions, {}, today) if actions else None
    return Minutes(title, desk.filters.branch.name, about, written, table)


def about_of(desk: Desk, shown: Sequence[Slide]) -> About:
    """What the files say of themselves: the rows of all tables, and the day of the meeting's data."""
    rows = [len(slide.exhibit.table.rows) for slide in shown if slide.exhibit.table is not None]
    about = desk.about(sum(rows))
    return replace(about, filters=[pair for pair in about.filters if pair[0] == desk.say("Branch")])


def files(desk: Desk, found: Meeting, shown: Sequence[Slide], title: str, actions: Sequence[Action]) -> None:
    """The buttons for the meeting's files; each is written, and entered in the journal, when it is asked for."""
    say = desk.say
    about = replace(about_of(desk, shown), data_until=found.data_until)
    account = Account(desk, title, None)
    with st.popover(say("Files"), icon=":material/download:", key="meeting_files"):
        if refusal := account.refusal(about.row_count):
            st.caption(refusal)
            return
        for label, ending, mime, write in FORMATS:
            if ending == "pdf" and not pdf.chromium():
                st.caption(say("A PDF needs Chromium on the server; there is none."))
                continue
            name = file_name(f"meeting_{found.week}", about, ending)
            st.download_button(
                label,
                partial(_made, desk, account, title, shown, actions, about, name, write),
                file_name=name,
                mime=mime,
                on_click="ignore",
                key=f"meeting_{ending}",
                width="stretch",
            )


def _made(
    desk: Desk,
    account: Account,
    title: str,
    shown: Sequence[Slide],
    actions: Sequence[Action],
    about: About,
    name: str,
    write: Callable[[Minutes, Words], bytes],
) -> bytes:
    numbered = account.numbered(replace(about, made_at=datetime.now()))
    content = write(minutes_of(desk, title, shown, actions, numbered), desk.say)
    account.delivered(numbered, hashlib.sha256(content).hexdigest(), name, "")
    return content
