"""What deserves attention, at the top of the Overview: the largest signals as links to the page that shows them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st
from cachetools import LRUCache

from data_access.warehouse import Warehouse
from measures.model import Dimension
from measures.period import Period
from measures.question import where
from measures.signals import Signal, Signals, signals
from panels import notes
from panels.desk import Desk
from presentation.cards import headline
from presentation.exhibit import Exhibit, Kind
from presentation.plain import plain
from presentation.signals import evidence, judged, method, sentence, title
from presentation.units import period_shown

FIRST = 3

_known: LRUCache = LRUCache(256)
"""Signals, and what was asked for them, by whose rows they are about."""
_lock = threading.Lock()


@notes.refusing
def attention(desk: Desk) -> None:
    """The largest signals, each a sentence that leads to what shows it; the others on demand; how it was judged on hover."""
    found = found_by(desk)
    shown = _exhibit(desk, found)
    headline(shown.title, shown.meaning, method(desk.say))
    if not found.found:
        return
    with st.container(key="signals_sentences", gap="xsmall"):
        _links(desk, found.found[:FIRST], found.year)
        if others := found.found[FIRST:]:
            with st.expander(desk.say.plural("{n} more", "{n} more", len(others))):
                _links(desk, others, found.year)


def exhibit(desk: Desk) -> Exhibit:
    """What deserves attention, each thing as a sentence."""
    return _exhibit(desk, found_by(desk))


def _exhibit(desk: Desk, found: Signals) -> Exhibit:
    say = desk.say
    lines = tuple(sentence(signal, desk.filters.branch.name, say) for signal in found.found)
    year = period_shown(found.year, say.language)
    return Exhibit(
        Kind.SENTENCES,
        title(found, say),
        judged(found, say),
        filters=tuple((name, year if name == say("Period") else value) for name, value in desk.under()),
        lines=lines,
    )


def found_by(desk: Desk) -> Signals:
    """The signals under the page's filters, in the twelve months up to the last day of its period that has data.

    Judged once for all who see the same rows: it takes longer than everything else of a page whose answers are known.
    """
    until = min(desk.filters.period.end, desk.state.data_until)
    rows = (desk.viewer.branch_id, desk.viewer.role, desk.viewer.agent_id, desk.filters.branch.id)
    key = (desk.warehouse, desk.state.version, rows, where(desk.filters.where()), until)
    with _lock:
        known = _known.get(key)
    if known is None:
        before = len(desk.asked)
        found = _judged(desk, until)
        known = (found, tuple(desk.asked[before:]))
        if isinstance(
            desk.warehouse, Warehouse
        ):  # stored answers are asked once, and would be kept by what remembers them
            with _lock:
                _known[key] = known
    else:
        desk.asked.extend(known[1])  # asked ahead when the filters change, as if this run had asked
    return known[0]


def _judged(desk: Desk, until: date) -> Signals:
    def ask(names: Sequence[str], by: Sequence[Dimension], period: Period) -> pd.DataFrame:
        measures = [measure for measure in desk.known(*names) if measure.dimensions.issuperset(by)]
        if not measures:
            return pd.DataFrame()
        asked = desk.ask(measures, by, period=period)
        # Numbers that are not under the reader's filters are about something else.
        return pd.DataFrame() if asked.ignored else asked.answer

    return signals(ask, until, in_sub_branches=desk.filters.branch.level == "head_office")


def _links(desk: Desk, listed: Sequence[Signal], year: Period) -> None:
    for signal in listed:
        page, changed = evidence(signal, year)
        if desk.filters.period == year:
            del changed["period"]
        shared = {name: value for name, value in changed.items() if name in ("branch", "product", "period")}
        own = {name: value for name, value in changed.items() if name not in shared}
        st.page_link(
            f"{page}.py",
            label=plain(sentence(signal, desk.filters.branch.name, desk.say)),
            query_params={**desk.filters.at(**shared), **own},
            width="stretch",
        )
