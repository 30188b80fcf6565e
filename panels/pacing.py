"""Targets as a part of a page: who will reach them, as bullets and as a table, the likeliest to miss first."""

from __future__ import annotations

import streamlit as st

from measures.dimensions import BELOW
from measures.model import _
from panels import choices, exhibits, notes, parts, tabular, views
from panels.accounts import Account
from panels.desk import Desk
from panels.exhibits import OF_A_DAY
from presentation import table_view
from presentation.cards import headline
from presentation.export_view import titled
from presentation.filters import choose_branch

CLOCKS = {"days": choices.View(_("By working days")), "course": choices.View(_("By last year's course"))}


@notes.refusing
def against_targets(desk: Desk) -> None:
    """Where the branches stand against the targets that run on the last day looked at."""
    counted = {
        name: desk.measure(name) for name in OF_A_DAY if not desk.lacks(f"{name}_target", f"{name}_toward_target")
    }
    # A link that leads to one of them opens it.
    if desk.came_by_link and (linked := st.query_params.get("of")) in counted:
        st.session_state["targets_of"] = linked
    above = st.container()  # for what is chosen below it
    with st.container(horizontal=True):
        of, _measure = choices.choice(desk, "targets_of", counted)
        by_course = choices.choice(desk, "targets_clock", CLOCKS)[0] == "course"
    desk.own_parameters["of"] = of
    shown = exhibits.targets(desk, of, by_course, on_pick=choose_branch)
    if shown.table is None:
        with above:
            headline(shown.title, shown.meaning)
        if shown.file is None:
            st.info(shown.notes[0])
        else:
            _table(desk, shown, f"targets_{of}")
        return
    with above:
        headline(shown.headline, shown.looked_at)
    offer = views.offer(desk, "targets_chart", shown, "targets", of=of, by_course=by_course)
    parts.framed(desk, shown, "targets_chart", offer)
    _table(desk, shown, f"targets_{of}")


def _table(desk: Desk, shown: exhibits.Targets, key: str) -> None:
    file = shown.file
    with st.container(border=True):
        titled(
            file.title,
            file,
            desk.about(len(file.rows), shown.asked.ignored),
            desk.say,
            key,
            Account(desk, file.title, shown.asked.question),
        )
        table_view.show(
            file,
            say=desk.say,
            key=key,
            empty="" if len(file.rows) else shown.notes[0],
            link=tabular.link_to(desk, BELOW, {"": "targets"}),
            on_pick=tabular.go,
        )
