"""Answers and listings as tables with their files, and the links that lead on from their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from data_access.access import Permission, Refused, demand
from measures.catalogue import LISTINGS
from measures.dimensions import BELOW, PRODUCT
from measures.model import Dimension, Listing
from measures.question import ListingQuestion, Order
from panels import exhibits, notes, personal, views
from panels.accounts import Account
from panels.desk import Desk
from panels.writing import begins
from presentation import table_view
from presentation.cards import panel
from presentation.export_view import titled
from presentation.tables import Column, listing_table

LONG = 5_000
"""Rows from which on a listing's file is written by a process of its own; up to there it is made while the reader waits."""

FOLLOWED = {BELOW: "branch", PRODUCT: "product"}
"""The dimensions whose values can be filtered by, and the names of these filters in the address."""


@notes.refusing
def table(
    desk: Desk,
    key: str,
    title: str,
    names: Sequence[str],
    by: Sequence[Dimension],
    *,
    links: dict[str, str] | None = None,
    compared: bool = False,
) -> None:
    """Measures by dimensions as a table with its total, sorted by the server, and its files. `links` leads from a measure's
    column, or from the first column under the name "", to a page; only branches and products can be followed."""
    if not desk.known(*names):
        return
    order, keep = table_view.order_state(key, Order(""))
    shown = exhibits.table(desk, title, names, by, order if order.column else None, compared)
    asked, order = shown.asked, shown.asked.question.order[0]
    leads = links and by[0] in FOLLOWED
    named_by = "by" if len(by) == 1 and title == notes.title_by(desk, by[0]) else "measures"
    with st.container(border=True):
        titled(
            title,
            shown.file,
            desk.about(len(asked.answer), asked.ignored, compared=asked.question.against is not None),
            desk.say,
            key,
            Account(desk, shown.file.title, asked.question),
            corner=views.offer(
                desk, key, shown, "table", title=named_by, names=names, by=by, order=order, compared=compared
            ),
        )
        notes.say_ignored(desk, asked)
        table_view.show(
            shown.file,
            say=desk.say,
            key=key,
            empty=notes.nothing(desk),
            order=order,
            on_order=keep,
            link=link_to(desk, by[0], links) if leads else None,
            on_pick=go if leads else None,
        )


def rows(desk: Desk, key: str, of: Dimension | Listing, *names: str, links: dict[str, str] | None = None) -> None:
    """The measures `names` by a dimension as a table; or, of a listing, its rows."""
    if isinstance(of, Listing):
        listing(desk, key, of.name)
    else:
        table(desk, key, notes.title_by(desk, of), names, (of,), links=links)


@notes.refusing
def listing(desk: Desk, key: str, name: str) -> None:
    """Rows of a listing, a page at a time, and all of them as a file."""
    if name not in desk.state.catalogue.listings:
        notes.needs(desk, desk.say(LISTINGS[name].label), name)
        return
    found = desk.state.catalogue.listing(name)
    title = desk.say(found.label)
    try:
        demand(desk.viewer, Permission.LISTINGS)
    except Refused as refused:
        with panel(title, desk.say.told(refused)):
            return
    question = desk.listing_question(found)
    order, keep = table_view.order_state(key, Order("", False))
    if order.column:
        question = desk.listing_question(found, [order])
    with st.container(border=True):
        question = personal.unmasked(desk, key, question)
        # What is seen in clear goes into a file for those alone who may take it there.
        taken = replace(question, clear=question.clear and desk.viewer.may(Permission.EXPORT_PERSONAL))
        count = desk.warehouse.count(question, desk.viewer)
        page = table_view.page_state(key, count, of=question)
        personal.written_down(desk, key, question, title, min(page.size, count - page.offset), page.number)
        rows = desk.warehouse.listing(question, desk.viewer, limit=page.size, offset=page.offset)
        shown = listing_table(question, rows, desk.say)
        warehouse, viewer = desk.warehouse, desk.viewer
        account = Account(desk, shown.title, taken, personal.labels(desk, taken) if taken.clear else ())
        written = shown if taken == question else listing_table(taken, rows[:0], desk.say)
        about = desk.about(count)
        titled(
            title,
            written,
            about,
            desk.say,
            key,
            account,
            meaning=desk.say(found.meaning),
            batches=lambda: [warehouse.listing(taken, viewer)],
            begin=begins(account, taken, written, about) if count > LONG else None,
        )
        _say_withheld(desk, question)
        if taken != question:
            st.caption(desk.say("In the file personal data stay masked: your role does not permit to take them away."))
        table_view.show(
            shown,
            say=desk.say,
            key=key,
            empty=desk.say("Nothing is open here."),
            order=order if order.column else None,
            on_order=keep,
            page=page,
        )


def _say_withheld(desk: Desk, question: ListingQuestion) -> None:
    """Says how many customer lists are left out, because their last day is over."""
    left_out = desk.warehouse.withheld(question, desk.viewer)
    if left_out.lists:
        st.caption(
            desk.say.plural(
                "{n} list is past its last day: its {rows} customers are neither shown nor exported.",
                "{n} lists are past their last day: their {rows} customers are neither shown nor exported.",
                left_out.lists,
                rows=f"{left_out.rows:,}",
            )
        )


def link_to(desk: Desk, dimension: Dimension, links: dict[str, str]) -> Callable[[dict, Column], str | None]:
    parameter = FOLLOWED[dimension]

    def link(row: dict, column: Column) -> str | None:
        id_ = row[dimension.name]
        page = links.get("" if column.name.startswith(dimension.name) else column.name)
        if page is None or pd.isna(id_):
            return None
        return f"{page}?{urlencode(desk.filters.at(**{parameter: id_}))}"

    return link


def go(pick: dict) -> None:
    st.session_state["_go"] = pick["href"]
