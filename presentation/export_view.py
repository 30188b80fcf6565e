"""The export corner of a table: the same rows, order and total as a file, built when it is asked for and not before."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from functools import partial
from html import escape

import pandas as pd
import streamlit as st

from presentation import exports
from presentation.exports import About
from presentation.tables import Table
from presentation.words import Words

_LOG = logging.getLogger(__name__)

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMATS = (
    ("Excel", "xlsx", _XLSX, exports.xlsx),
    ("CSV", "csv", "text/csv", exports.csv),
    ("Parquet", "parquet", "application/vnd.apache.parquet", exports.parquet),
)


def export_buttons(
    table: Table, about: About, say: Words, key: str, batches: Callable[[], Iterable[pd.DataFrame]] | None = None
) -> None:
    """A button that opens the choice of formats for `table`.

    A listing, of which `table` is one page, gives `batches`: a function that fetches all its rows. It runs on a click, in a thread
    without session, so whatever it needs, the viewer above all, is bound to it. `key` names the file too: `activation_by_branch`.
    """
    with st.popover(say("Export"), icon=":material/download:", key=f"{key}_export"):
        for label, ending, mime, write in _FORMATS:
            name = file_name(key, about, ending)
            st.download_button(
                label,
                partial(_built, name, write, table, about, say, batches),
                file_name=name,
                mime=mime,
                on_click="ignore",
                key=f"{key}_{ending}",
                width="stretch",
            )
        note = exports.sheets_note(table, about.row_count, say)
        if note:
            st.caption(note)


def titled(
    title: str,
    table: Table,
    about: About,
    say: Words,
    key: str,
    *,
    meaning: str = "",
    batches: Callable[[], Iterable[pd.DataFrame]] | None = None,
) -> None:
    """The head of a table: its title and what it means at the left, its files at the right."""
    below = f"<div class=chart-meaning>{escape(meaning)}</div>" if meaning else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f"<div class=chart-finding>{escape(title)}</div>{below}", width="stretch")
        export_buttons(table, about, say, key, batches)


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
) -> bytes:
    try:
        return write(table, about, say, batches and batches())
    except Exception as error:
        # The reader is told only that there is no file: here is which one, whose, and why.
        _LOG.error("The file %s for %s could not be made: %s", name, about.person, error)
        raise
