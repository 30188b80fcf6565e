"""The journal as a page: who took what, by person, branch and list, and whether all of it is as it was written."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from data_access.access import Permission, Refused, demand
from data_access.journal import Action
from measures.model import Unit, _
from panels.desk import Desk
from presentation import table_view
from presentation.cards import headline, panel
from presentation.sign_in import ROLES
from presentation.tables import Column, Table
from presentation.units import moment_shown

NEWEST = 5_000
"""Entries that are looked through at once; the command line has all."""
ACTIONS = {
    Action.EXPORT: _("took a file"),
    Action.UNDELIVERED: _("was not sent the file"),
    Action.UNMASK: _("saw personal data"),
    Action.VIEW_AS: _("looked as from"),
    Action.SIGN_IN: _("signed in"),
    Action.SIGN_OUT: _("signed out"),
    Action.REVOKE: _("was signed out"),
    Action.REFUSE: _("was not let in"),
}
SPANS = {7: _("Last 7 days"), 30: _("Last 30 days"), 365: _("Last 12 months")}


def journal(desk: Desk) -> None:
    """The entries about the branches that the reader sees, the newest first, for those whose role permits it."""
    say = desk.say
    try:
        demand(desk.viewer, Permission.JOURNAL)
    except Refused as refused:
        headline(say("Journal"), say.told(refused))
        return
    headline(say("Journal"), say("Who took what, when and why; nothing is ever taken out"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        span = st.selectbox(
            say("Since"), list(SPANS), format_func=lambda n: say(SPANS[n]), key="journal_since", persist_state="session"
        )
        action = st.selectbox(
            say("What was done"), ["", *ACTIONS], format_func=lambda a: say(ACTIONS[a]) if a else say("Everything"),
            key="journal_action", persist_state="session",
        )  # fmt: skip
        wanted = st.text_input(
            say("Person, branch, list or file"), key="journal_wanted", persist_state="session", max_chars=100
        ).strip()
    # An entry about nobody's branch is about somebody who was not let in: for those alone who look at the whole bank.
    chosen = desk.filters.branch
    below = [place.id for place in desk.places.values() if place.path.startswith(chosen.path)]
    branches = None if chosen.id == desk.warehouse.root() else below
    found = desk.journal.entries(
        branches=branches, action=action or None, since=date.today() - timedelta(days=span), newest=NEWEST
    )
    shown = _table(found, desk)
    if wanted:
        texts = shown.rows.drop(columns=["rows"]).fillna("").astype(str)
        holds = texts.apply(lambda column: column.str.contains(wanted, case=False, regex=False)).any(axis=1)
        shown = Table(shown.title, shown.columns, shown.rows[holds].reset_index(drop=True), None)
    with panel(
        say.plural("{n} entry", "{n} entries", len(shown.rows)), say("The newest first, in the time of the server")
    ):
        if len(found) == NEWEST:
            st.caption(
                say("Only the newest {n} are looked through; “python -m data_access journal” has all.", n=f"{NEWEST:,}")
            )
        table_view.show(shown, say=say, key="journal_entries", empty=say("Nothing was written down that is like this."))
    if st.button(say("Check that nothing was changed"), icon=":material/verified:", key="journal_verify"):
        faults = desk.journal.verify()
        for fault in faults:
            st.error(say.told(fault))
        if not faults:
            st.success(say("Every entry is as it was written."))


def _table(found: pd.DataFrame, desk: Desk) -> Table:
    say = desk.say
    rows = pd.DataFrame(
        {
            # The server's own time, as on everything else that is made here.
            "at": [
                moment_shown(at.to_pydatetime().astimezone(), say.language) if pd.notna(at) else None
                for at in found["at"]
            ],
            "person": found["person"],
            "role": [say(ROLES.get(role, role)) if role else "" for role in found["role"]],
            "branch": [desk.places[id_].name if id_ in desk.places else id_ for id_ in found["branch_id"]],
            "action": [say(ACTIONS.get(action, action)) for action in found["action"]],
            "what": found["what"],
            "purpose": found["purpose"],
            "personal": found["personal"],
            "rows": found["rows"],
            "filters": found["filters"],
            "id": found["id"],
            "number": found["number"],
        }
    )
    texts = rows.columns.drop(["rows", "number"])
    rows[texts] = rows[texts].replace("", None)
    labels = {
        "at": say("When"), "person": say("Who"), "role": say("Role"), "branch": say("Branch"), "action": say("Did"),
        "what": say("What"), "purpose": say("What for"), "personal": say("Personal data"), "rows": say("Rows"),
        "filters": say("Filters"), "id": say("File"), "number": say("No."),
    }  # fmt: skip
    columns = [
        Column(name, label, "text") if name in texts else Column(name, label, "number", Unit.COUNT)
        for name, label in labels.items()
    ]
    return Table(say("Journal"), tuple(columns), rows.reset_index(drop=True), None)
