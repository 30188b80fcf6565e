"""What a meeting leaves behind: its slides, its workbook and its print, each with the numbers that were shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import streamlit as st

from data_access.access import Permission
from data_access.meetings import Action, Meeting, meetings_of
from measures.period import Period
from panels import actions as agreements
from panels import held
from panels.accounts import Account
from panels.agenda import Slide
from panels.complaint_report import LENGTH_LABELS, Length
from panels.complaint_report import report as complaints
from panels.desk import Desk
from presentation import deck, pack, pdf, print_view, report
from presentation.export_view import file_name
from presentation.minutes import Minutes
from presentation.minutes import Slide as Written
from presentation.tables import About
from presentation.units import period_shown
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


def of_week(desk: Desk, week: date) -> Minutes:
    """The minutes of the meeting of the desk's branch in that week, for a file made where no page is open.

    As it was held, with its remarks, where it was started and the viewer may hold meetings; else what it would show now.
    """
    branch, store = desk.filters.branch, meetings_of(desk.access)
    takes_part = desk.viewer.may(Permission.MEETINGS)
    found = store.of(branch.id, week) if takes_part else None
    if found is not None and found.state != "prepared":
        shown = held.slides(desk, store, found, store.items(found.id))
        about = replace(about_of(desk, shown), data_until=found.data_until)
    else:
        shown = held.live(desk, store if takes_part else None, week)
        about = about_of(desk, shown)
    actions = store.actions(branch.id) if takes_part else []
    return minutes_of(desk, title(desk, week), shown, actions, about)


def title(desk: Desk, week: date) -> str:
    """“Meeting of Jiangbei, 16–22 Nov 2026”."""
    days = Period(week, week + timedelta(days=6))
    return desk.say(
        "Meeting of {branch}, {days}", branch=desk.filters.branch.name, days=period_shown(days, desk.say.language)
    )


def files(desk: Desk, found: Meeting, shown: Sequence[Slide], actions: Sequence[Action]) -> None:
    """The buttons for the meeting's files; each is written, and entered in the journal, when it is asked for."""
    say = desk.say
    about = replace(about_of(desk, shown), data_until=found.data_until)
    called = title(desk, found.week)
    account = Account(desk, called, None)
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
                partial(
                    _made,
                    account,
                    about,
                    name,
                    lambda numbered, write=write: write(minutes_of(desk, called, shown, actions, numbered), say),
                ),
                file_name=name,
                mime=mime,
                on_click="ignore",
                key=f"meeting_{ending}",
                width="stretch",
            )
        _report(desk)


def _report(desk: Desk) -> None:
    """The complaint analysis report of the branch, of the last month, quarter or half-year that is over."""
    say = desk.say
    if desk.lacks("complaints_received"):
        return
    lengths = {length.name: length for length in Length}
    chosen = st.selectbox(
        say("Complaint analysis report"),
        list(lengths),
        format_func=lambda name: say(LENGTH_LABELS[lengths[name]]),
        key="report_length",
    )
    called = say("Complaint analysis report")
    account, about = Account(desk, called, None), desk.about(0)
    name = file_name("complaints", about, "docx")
    st.download_button(
        "Word",
        partial(
            _made, account, about, name, lambda numbered: report.write(complaints(desk, lengths[chosen], numbered), say)
        ),
        file_name=name,
        mime=f"{_OFFICE}wordprocessingml.document",
        on_click="ignore",
        key="meeting_docx",
        width="stretch",
    )


def _made(account: Account, about: About, name: str, write: Callable[[About], bytes]) -> bytes:
    """The file as it is handed over, after it has been entered in the journal."""
    numbered = account.numbered(replace(about, made_at=datetime.now()))
    content = write(numbered)
    account.delivered(numbered, hashlib.sha256(content).hexdigest(), name, "")
    return content
