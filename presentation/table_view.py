"""Draws a table on screen as it is exported: a real <table>, sorted and paged by the server, read by screen readers, printed whole.

A canvas grid would sort in the browser, where the export cannot follow, and has no total row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from measures.question import NAME, Order
from presentation.tables import Column, Table, cell_text, cell_texts
from presentation.units import MISSING
from presentation.words import Words

WHOLE = 200
"""Rows up to which a table is drawn in one piece; beyond it a reader scrolls without finding and a browser begins to lag."""
PAGE_SIZE = 100

Row = Mapping[str, Any]
Pick = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """One page of a longer table: `number` counts from 1, `rows` are the rows of all pages."""

    number: int
    size: int
    rows: int

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last page; a table without rows has one page."""
        return max(1, -(-self.rows // self.size))


# The component --------------------------------------------------------------------------------------------------------

_HERE = Path(__file__).parent
_draw = st.components.v2.component(
    "table_view",
    html='<div class="table-view"></div>',
    css=(_HERE / "table_view.css").read_text(encoding="utf-8"),
    js=(_HERE / "table_view.js").read_text(encoding="utf-8"),
)


def show(
    table: Table,
    *,
    say: Words,
    key: str,
    empty: str,
    order: Order | None = None,
    on_order: Callable[[Order], None] | None = None,
    link: Callable[[Row, Column], str | None] | None = None,
    on_pick: Callable[[Pick], None] | None = None,
    marked: str | None = None,
    page: Page | None = None,
) -> None:
    """Draws `table`.

    `empty` is the sentence that stands in its place when there are no rows. A click on a heading calls `on_order` with the
    order wanted, before the page runs again; without `on_order` the headings are no buttons. `link` gives the address behind
    a cell, within the app, from the raw row (None where a value is missing); a plain click on it calls
    `on_pick({"row": id, "column": name, "href": address})`, and without `on_pick` it is followed. `marked` is the id of the
    row that is looked at. `page` says which page of a longer listing the rows are (see `page_state`); without it the rows
    are all there are, and more than 200 of them are turned over in pages here.
    """
    if page is None and len(table.rows) > WHOLE:
        page = page_state(key, len(table.rows), of=hash(tuple(_ids(table, table.rows))))
        drawn = table.rows.iloc[page.offset : page.offset + page.size]
    else:
        drawn = table.rows
    sent = payload(
        table,
        drawn,
        say=say,
        empty=empty,
        order=order,
        sortable=on_order is not None,
        link=link,
        picks=on_pick is not None,
        marked=marked,
        page=page,
    )
    columns = {column.name: column for column in table.columns}

    def sort() -> None:
        column = columns.get(st.session_state[key]["sort"])
        if column and on_order:
            on_order(turned(order, column))

    def turn() -> None:
        asked = st.session_state[key]["turn"]
        if page and isinstance(asked, int):
            st.session_state[_page_key(key)] |= {"number": asked}

    def pick() -> None:
        if on_pick:
            on_pick(dict(st.session_state[key]["pick"]))

    _draw(key=key, data=sent, on_sort_change=sort, on_turn_change=turn, on_pick_change=pick)


def payload(
    table: Table,
    drawn: pd.DataFrame,
    *,
    say: Words,
    empty: str,
    order: Order | None,
    sortable: bool,
    link: Callable[[Row, Column], str | None] | None,
    picks: bool,
    marked: str | None,
    page: Page | None,
) -> dict[str, Any]:
    """What the browser draws: the rows `drawn` of `table` as finished texts. It formats, sorts and counts nothing itself.

    Raises ValueError for a link that leaves the app.
    """
    texts = [cell_texts(column, drawn, say) for column in table.columns]
    ids = _ids(table, drawn)
    bar, fractions = _bars(table, drawn, order, page)
    rows = []
    for at, cells in enumerate(zip(*texts, strict=True)):
        row: dict[str, Any] = {"id": ids[at], "cells": cells, "links": {}}
        if marked is not None and ids[at] == marked:
            row["marked"] = True
        if bar is not None and fractions[at] is not None:
            row["bar"] = fractions[at]
        rows.append(row)
    if link:
        for row, values in zip(rows, _raw_rows(drawn), strict=True):
            for at, column in enumerate(table.columns):
                href = link(values, column)
                if href is not None:
                    row["links"][at] = _within(href)
    return {
        "language": say.language.replace("_", "-"),
        "caption": table.title,
        "columns": [_heading(column, order, sortable) for column in table.columns],
        "total": None if table.total is None else _total(table, say),
        "rows": rows,
        "bar": bar,
        "picks": picks,
        "note": table.note,
        "empty": empty,
        "marked": say("looked at"),
        "pages": None if page is None or page.last == 1 else _pages(page, say),
    }


def _heading(column: Column, order: Order | None, sortable: bool) -> dict[str, Any]:
    heading = {
        "name": column.name,
        "label": column.label,
        "kind": "number" if column.interval else column.kind,
        "meaning": column.meaning,
        "missing": column.missing or MISSING,
        "sortable": sortable,
    }
    if order and order.column == column.name:
        heading["sorted"] = "descending" if order.descending else "ascending"
    return heading


def _total(table: Table, say: Words) -> list[str]:
    """The texts of the total row; a text column says nothing there, the first one says what the row is."""
    assert table.total is not None
    values = table.total.iloc[0]
    texts = [
        cell_text(column, values[column.name], say) if column.name in values.index else "" for column in table.columns
    ]
    return [texts[0] or say("Total"), *texts[1:]]


def _bars(
    table: Table, drawn: pd.DataFrame, order: Order | None, page: Page | None
) -> tuple[int | None, list[float | None]]:
    """Which column carries bars, the sorted one, and the length of each as a part of the longest, from zero.

    None where lengths would mislead: values below zero, or rows of other pages that are not known here.
    """
    sorted_by = [at for at, column in enumerate(table.columns) if order and column.name == order.column]
    if not sorted_by or table.columns[sorted_by[0]].kind != "number":
        return None, []
    if page is not None and len(table.rows) < page.rows:
        return None, []
    name = table.columns[sorted_by[0]].name
    longest, least = table.rows[name].max(), table.rows[name].min()
    if pd.isna(longest) or longest <= 0 or least < 0:
        return None, []
    fractions = [None if pd.isna(value) else round(float(value) / float(longest), 4) for value in drawn[name]]
    return sorted_by[0], fractions


def _pages(page: Page, say: Words) -> dict[str, Any]:
    first, last = page.offset + 1, min(page.rows, page.offset + page.size)
    return {
        "number": page.number,
        "last": page.last,
        "text": say("Rows {first}–{last} of {count}", first=f"{first:,}", last=f"{last:,}", count=f"{page.rows:,}"),
        "previous": say("Previous"),
        "next": say("Next"),
    }


def _raw_rows(rows: pd.DataFrame) -> Iterator[Row]:
    names = list(rows.columns)
    for values in zip(*(_raw(rows[name]) for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _raw(values: pd.Series) -> list[Any]:
    """The values, and None where there is none: a missing text comes as NaN, and would be written into addresses as “nan”."""
    return [None if missing else value for value, missing in zip(values, values.isna(), strict=True)]


def _ids(table: Table, rows: pd.DataFrame) -> list[str | None]:
    """The ids of the rows as texts: a first column that shows names has the ids beside it, another is its own id."""
    first = table.columns[0].name
    beside = first.removesuffix(NAME)
    values = _raw(rows[beside if beside in rows.columns else first])
    # A day is no JSON, and Streamlit would send the whole table as one text instead of failing.
    return [None if value is None else str(value) for value in values]


def _within(href: str) -> str:
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        raise ValueError(f"A table links to pages of the app only, such as “activation?branch=1”; got {href!r}.")
    return href


# What is remembered while the reader stays ---------------------------------------------------------------------------


def turned(order: Order | None, column: Column) -> Order:
    """The order that a click on the heading of `column` asks for: the other way round, or at first texts from A and numbers and
    days from the greatest."""
    if order and order.column == column.name:
        return Order(column.name, not order.descending)
    return Order(column.name, descending=column.kind != "text")


def order_state(key: str, default: Order) -> tuple[Order, Callable[[Order], None]]:
    """The order chosen for the table `key`, at first `default`, and what keeps another: `on_order` of `show`.

    A table whose columns change needs another key for them: an order is by a column that is there.
    """
    kept = f"{key}_order"

    def keep(order: Order) -> None:
        st.session_state[kept] = order

    return st.session_state.get(kept, default), keep


def page_state(key: str, rows: int, of: Hashable) -> Page:
    """The page that the table `key` of a listing with `rows` rows in all is at.

    `of` is what is listed, such as the listing's question: other rows, or another order, begin at the first page.
    """
    kept = st.session_state.get(_page_key(key))
    if kept is None or kept["of"] != of:
        kept = st.session_state[_page_key(key)] = {"of": of, "number": 1}
    page = Page(1, PAGE_SIZE, rows)
    return replace(page, number=min(max(1, kept["number"]), page.last))


def _page_key(key: str) -> str:
    return f"{key}_page"
