"""What a meeting leaves behind: its slides, its workbook and its print, each with the numbers that were shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from data_access.access import Permission
from data_access.meetings import Action, Meeting, meetings_of
from measures.period import week_from
from panels import actions as agreements
from panels import held
from panels.accounts import Account
from panels.agenda import Slide
from panels.complaint_report import LENGTH_LABELS, Length
from panels.complaint_report import report as complaints
from panels.desk import Desk
from panels.papers import PAPERS, Paper, made
from presentation import pdf
from presentation.minutes import Complaints, Minutes
from presentation.minutes import Slide as Written
from presentation.tables import About
from presentation.units import period_shown


def minutes_of(desk: Desk, title: str, shown: Sequence[Slide], actions: Sequence[Action], about: About) -> Minutes:
    """The meeting as its files have it: each slide with the remark on its item, which stands on the first of them."""
    written, remarked = [], set()
    for slide in shown:
        remark = "" if slide.item.id in remarked else slide.item.remark
        remarked.add(slide.item.id)
        written.append(Written(slide.shown, remark))
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
    days = period_shown(week_from(week), desk.say.language)
    return desk.say("Meeting of {branch}, {days}", branch=desk.filters.branch.name, days=days)


def files(desk: Desk, found: Meeting, shown: Sequence[Slide], actions: Sequence[Action]) -> None:
    """The buttons for the meeting's files; each is written, and entered in the journal, when it is asked for."""
    say = desk.say
    about = replace(about_of(desk, shown), data_until=found.data_until)
    called = title(desk, found.week)
    with st.popover(say("Files"), icon=":material/download:", key="meeting_files"):
        if refusal := Account(desk, called, None).refusal(about.row_count):
            st.caption(refusal)
            return
        for kind in ("deck", "workbook", "print"):
            if kind == "print" and not pdf.chromium():
                st.caption(say("A PDF needs Chromium on the server; there is none."))
                continue
            _button(desk, PAPERS[kind], found.week, lambda: minutes_of(desk, called, shown, actions, about))
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
    _button(desk, PAPERS["report"], desk.state.data_until, lambda: complaints(desk, lengths[chosen]))


def _button(desk: Desk, paper: Paper, day: date, held: Callable[[], Minutes | Complaints]) -> None:
    """The button that hands a file over, which is made, and entered in the journal, when it is asked for."""

    def content() -> bytes:
        file = made(desk, paper, day, held)
        file.enter("")
        return file.content

    st.download_button(
        paper.program,
        content,
        file_name=paper.name(desk, day),
        mime=paper.mime,
        on_click="ignore",
        key=f"meeting_{paper.ending[1:]}",
        width="stretch",
    )
