"""The key numbers at the top of a page, and the frames around its charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

import pandas as pd
import streamlit as st

from measures.model import Dimension, Measure
from measures.question import BEFORE
from presentation.units import change, short, shown
from presentation.words import Words

_TINT = {True: "blue", False: "orange", None: "gray"}


@dataclass(frozen=True)
class Card:
    """One key number: its measure, the answer's row, the months that are settled, a line about its target.

    `doubt` says why its change is not to be judged; it then has no tint. `ignored` are filters that the number is
    not kept by: the card says so.
    """

    measure: Measure
    row: pd.Series
    months: list[float] | None = None
    note: str | None = None
    doubt: str | None = None
    ignored: tuple[Dimension, ...] = ()


def cards(listed: Sequence[Card], say: Words, *, key: str) -> None:
    """The key numbers beside each other, each with its change since the period compared with and its last twelve months."""
    with st.grid(4, min_column_width=160, key=key) as grid:
        for card in listed:
            with grid.cell(), st.container(border=True, height="stretch", gap="xxsmall"):
                _draw(card, say)


def _draw(card: Card, say: Words) -> None:
    measure, row = card.measure, card.row
    now, before = row[measure.name], row.get(measure.name + BEFORE)
    moved = change(now, before, measure, say.language) if measure.has_history and pd.notna(before) else None
    arrow = {"up": "up", "down": "down"}.get(moved.direction, "off") if moved else "off"
    st.metric(
        say(measure.label),
        short(now, measure.unit, say.language),
        moved.text if moved else None,
        delta_color=_TINT[None if card.doubt else moved.good] if moved else "off",
        delta_arrow=arrow,
        help=f"{say(measure.meaning)}: {shown(now, measure.unit, say.language)}",
        chart_data=card.months or None,
        chart_type="line",
    )
    if card.ignored:
        st.caption(say("for all: {dimensions}", dimensions=say.listed([say(d.label) for d in card.ignored])))
    for line in (card.doubt, card.note):
        if line:
            st.caption(line)
    if not measure.has_history:
        st.caption(say("known for the data's date alone"))


def headline(finding: str, meaning: str) -> None:
    """The page's answer in one sentence, and what it measures."""
    st.html(
        f"<div class=finding role=heading aria-level=1>{escape(finding)}</div><div class=meaning>{escape(meaning)}</div>"
    )


@contextmanager
def panel(finding: str, meaning: str) -> Iterator[None]:
    """A frame around a chart or table: its finding as title, below it measure, unit and grain."""
    with st.container(border=True, height="stretch"):
        st.html(
            f"<div class=chart-finding role=heading aria-level=2>{escape(finding)}</div>"
            f"<div class=chart-meaning>{escape(meaning)}</div>"
        )
        yield
