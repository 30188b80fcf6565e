"""The export corner of a table: the same rows, order and total as a file, built when it is asked for and not before."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from html import escape
from typing import Protocol

import pandas as pd
import streamlit as st

from presentation import exports
from presentation.exports import About
from presentation.protection import protected, protected_name
from presentation.tables import Table
from presentation.words import Words

_LOG = logging.getLogger(__name__)

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 200
"""Characters that a purpose or a password may have."""
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

    def delivered(self, about: About, file: bytes, name: str, purpose: str) -> None:
        """Writes down that the file is taken, or raises Told; then it is not handed over."""


def export_buttons(
    table: Table,
    about: About,
    say: Words,
    key: str,
    account: Account,
    batches: Callable[[], Iterable[pd.DataFrame]] | None = None,
) -> None:
    """A button that opens the choice of formats for `table`.

    A listing, of which `table` is one page, gives `batches`: a function that fetches all its rows. It runs on a click, in a thread
    without session, so whatever it needs, the viewer above all, is bound to it. `key` names the file too: `activation_by_branch`.
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
            st.download_button(
                label,
                partial(_built, name, write, table, about, say, batches, account, purpose, password),
                file_name=given,
                mime=mime if given == name else "application/zip",
                on_click="ignore",
                key=f"{key}_{ending}",
                width="stretch",
                disabled=account.wants_purpose and not purpose,
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
    batches: Callable[[], Iterable[pd.DataFrame]] | None = None,
) -> None:
    """The head of a table: its title and what it means at the left, its files at the right."""
    below = f"<div class=chart-meaning>{escape(meaning)}</div>" if meaning else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f"<div class=chart-finding>{escape(title)}</div>{below}", width="stretch")
        export_buttons(table, about, say, key, account, batches)


def file_name(key: str, about: About, ending: str) -> str:
    """The name of the file: what it shows and the date of its data, in characters that every mail program and share keeps."""
    return f"{re.sub('[^a-z0-9]+', '_', key.lower()).strip('_')}_{about.data_until:%Y-%m-%d}.{ending}"


def _built(
    name: str,
    write: Callable[..., bytes],
    table: Table,
    about: About,
    say: Words,
    batches: Callable[[], Iterable[pd.DataFrame]] | None,
    account: Account,
    purpose: str,
    password: str,
) -> bytes:
    try:
        about = account.numbered(replace(about, made_at=datetime.now()))
        file = protected(write(table, about, say, batches and batches()), name, password)
        account.delivered(about, file, protected_name(name, password), purpose)
        return file
    except Exception as error:
        # The reader is told only that there is no file: here is which one, whose, and why.
        _LOG.error("The file %s for %s could not be made: %s", name, about.person, error)
        raise
