"""The export corner of a table: the same rows, order and total as a file, built when it is asked for and not before."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from html import escape
from typing import Protocol

import streamlit as st

from measures.question import Told
from presentation import exports
from presentation.exports import About
from presentation.protection import protected, protected_name
from presentation.tables import Table
from presentation.words import Words

_LOG = logging.getLogger(__name__)

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 200
"""Characters that a purpose or a password may have."""
LOOKS_EVERY = 1
"""Seconds between two looks at how far a long file is."""
_ERROR = "[data-testid=stDownloadButtonError]"
_FORMATS = (
    ("Excel", "xlsx", _XLSX, exports.xlsx),
    ("CSV", "csv", "text/csv", exports.csv),
    ("Parquet", "parquet", "application/vnd.apache.parquet", exports.parquet),
)


class Account(Protocol):
    """What a file that leaves the dashboard is held to: who may take it, and where it is written down."""

    def refusal(self, rows: int) -> str:
        """Why this reader does not take a file of so many rows, in words; empty where they may."""

    @property
    def wants_purpose(self) -> bool:
        """Whether the reader has to say what the file is for."""

    def numbered(self, about: About) -> About:
        """`about` with the file's own number and its last day."""

    def delivered(self, about: About, sha256: str, name: str, purpose: str) -> None:
        """Writes down that the file is taken, or raises Told; then it is not handed over."""


class OnItsWay(Protocol):
    """A long file that is written elsewhere: waiting, writing, ready, failed, or gone."""

    state: str
    rows: int
    fault: Told | None
    given_name: str
    ahead: int
    link: str

    def cancel(self) -> None:
        """Stops it, and takes it away."""


Begin = Callable[[str, str, str, str, str], OnItsWay]
"""Begins a long file: its name, the name and the type it is handed over under, its purpose, its password."""


def export_buttons(
    table: Table,
    about: About,
    say: Words,
    key: str,
    account: Account,
    batches: Callable[[], Iterable[exports.Rows]] | None = None,
    begin: Begin | None = None,
) -> None:
    """A button that opens the choice of formats for `table`.

    A listing, of which `table` is one page, gives `batches`: a function that fetches all its rows. It runs on a click, in a thread
    without session, so whatever it needs, the viewer above all, is bound to it. `key` names the file too: `activation_by_branch`.
    Where the file is too long to wait for, `begin` has it written elsewhere, and `on_its_way` shows how far it is.
    """
    with st.popover(say("Export"), icon=":material/download:", key=f"{key}_export"):
        if refusal := account.refusal(about.row_count):
            st.caption(refusal)
            return
        purpose = ""
        if account.wants_purpose:
            purpose = st.text_input(
                say("What the file is for"),
                key=f"{key}_purpose",
                max_chars=LONGEST,
                help=say("It is written down beside your name."),
            ).strip()
        password = st.text_input(
            say("Password, if the file is to have one"), type="password", key=f"{key}_password", max_chars=LONGEST
        )
        for label, ending, mime, write in _FORMATS:
            name = file_name(key, about, ending)
            given = protected_name(name, password)
            mime = mime if given == name else "application/zip"
            closed = account.wants_purpose and not purpose
            if begin is not None:
                under_way = _kept(key) is not None and _kept(key).state in ("waiting", "writing")
                st.button(
                    label,
                    key=f"{key}_{ending}",
                    on_click=_begin,
                    args=(key, begin, name, given, mime, purpose, password),
                    width="stretch",
                    disabled=closed or under_way,
                )
                continue
            st.download_button(
                label,
                partial(_built, name, write, table, about, say, batches, account, purpose, password),
                file_name=given,
                mime=mime,
                on_click="ignore",
                key=f"{key}_{ending}",
                width="stretch",
                disabled=closed,
            )
        # Streamlit's own sentence is in English and tells nothing.
        failed = json.dumps(
            say("There is no file. Load the page again; it says whether you have taken as much as a day allows."),
            ensure_ascii=False,
        )
        st.html(f"<style>{_ERROR} {{font-size: 0}} {_ERROR}::after {{font-size: .875rem; content: {failed}}}</style>")
        note = exports.sheets_note(table, about.row_count, say)
        if note:
            st.caption(note)


def titled(
    title: str,
    table: Table,
    about: About,
    say: Words,
    key: str,
    account: Account,
    *,
    meaning: str = "",
    batches: Callable[[], Iterable[exports.Rows]] | None = None,
    begin: Begin | None = None,
    corner: Callable[[], None] | None = None,
) -> None:
    """The head of a table: its title and what it means at the left, its files at the right; below, a long file on its way. `corner`
    draws what stands before the files."""
    below = f"<div class=chart-meaning>{escape(meaning)}</div>" if meaning else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f"<div class=chart-finding>{escape(title)}</div>{below}", width="stretch")
        if corner:
            corner()
        export_buttons(table, about, say, key, account, batches, begin)
    on_its_way(key, about.row_count, say)


def on_its_way(key: str, row_count: int, say: Words) -> None:
    """How far the long file of a table is, with a way to stop it; when it is ready, the way to save it. Asks again by itself as long
    as it is written, and no longer."""
    file = _kept(key)
    if file is None or file.state == "gone":
        return
    under_way = file.state in ("waiting", "writing")
    st.fragment(_on_its_way, run_every=LOOKS_EVERY if under_way else None)(key, file, row_count, under_way, say)


def _on_its_way(key: str, file: OnItsWay, row_count: int, under_way: bool, say: Words) -> None:
    if under_way and file.state not in ("waiting", "writing"):
        st.rerun()  # the whole page, which then asks no more
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_on_its_way"):
        if file.state == "ready":
            st.caption(say("The file is ready, for you alone and for some minutes."), width="content")
            st.link_button(
                say("Save {name}", name=file.given_name), file.link, icon=":material/download:", type="primary"
            )
        elif file.state == "failed":
            st.error(say.told(file.fault), icon=":material/error:")
        elif under_way:
            if file.state == "waiting" and file.ahead:
                text = say.plural("Waits for {n} other file", "Waits for {n} other files", file.ahead)
            else:
                text = say("{done} of {rows} rows are written", done=f"{file.rows:,}", rows=f"{row_count:,}")
            st.progress(min(1.0, file.rows / max(1, row_count)), text=escape(text))
            st.button(say("Cancel"), key=f"{key}_cancel", on_click=file.cancel)


def _kept(key: str) -> OnItsWay | None:
    return st.session_state.get(f"_{key}_on_its_way")


def _begin(key: str, begin: Begin, *what: str) -> None:
    if (before := _kept(key)) is not None:
        before.cancel()
    st.session_state[f"_{key}_on_its_way"] = begin(*what)


def file_name(key: str, about: About, ending: str) -> str:
    """The name of the file: what it shows and the date of its data, in signs that every mail program and share keeps."""
    return f"{plain_name(key)}_{about.data_until:%Y-%m-%d}.{ending}"


def plain_name(text: str) -> str:
    """The text in signs that every mail program and share keeps; empty where nothing of it is left."""
    return re.sub("[^a-z0-9]+", "_", text.lower()).strip("_")


def _built(
    name: str,
    write: Callable[..., bytes],
    table: Table,
    about: About,
    say: Words,
    batches: Callable[[], Iterable[exports.Rows]] | None,
    account: Account,
    purpose: str,
    password: str,
) -> bytes:
    try:
        about = account.numbered(replace(about, made_at=datetime.now()))
        file = protected(write(table, about, say, batches and batches()), name, password)
        account.delivered(about, hashlib.sha256(file).hexdigest(), protected_name(name, password), purpose)
        return file
    except Exception as error:
        # The reader is told only that there is no file: here is which one, whose, and why.
        _LOG.error("The file %s for %s could not be made: %s", name, about.person, error)
        raise
