"""The key numbers at the top of a page, and the frames around its charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import pandas as pd
import streamlit as st

from measures.model import Dimension, Measure
from measures.question import BEFORE
from presentation.charts import Look
from presentation.colours import colours
from presentation.units import Change, change, short, shown
from presentation.words import Words

_ARROWS = {"up": "↑", "down": "↓"}
_MOST = {"wide": 6, "middle": 4, "narrow": 2}
"""Cards beside each other at most, by the room there is."""
_LINE_WIDTH, _LINE_HEIGHT, _LINE_HALF = 150, 22, 0.9
"""A small line in pixels: about as wide as its box, as high, and half as thick; its box is stretched to the card's width."""


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


def cards(listed: Sequence[Card], look: Look, say: Words, *, key: str) -> None:
    """The key numbers beside each other, each with its change since the period compared with and its last twelve months.

    All are one element: the browser needs several milliseconds for each that Streamlit draws.
    """
    theme = colours(look.dark)
    columns = ";".join(f"--{room}:{columns_for(len(listed), most)}" for room, most in _MOST.items())
    tints = f"--good:{theme.accent};--bad:{theme.bad};--quiet:{theme.muted};--edge:{theme.grid};--page:{theme.page};--ink:{theme.text}"
    drawn = "".join(_drawn(card, f"{key}_{card.measure.name}", say) for card in listed)
    with st.container(key=key):
        st.html(f'<div class="cards" style="{columns};{tints}"><div role="list">{drawn}</div></div>')


def columns_for(count: int, most: int) -> int:
    """How many of `count` cards stand beside each other, `most` at most: the number that leaves the last row fullest, and of
    two that do, the larger."""
    most = max(1, min(count, most))
    return max(range(most // 2 + 1, most + 1), key=lambda columns: (-(-count % columns), columns))


def _drawn(card: Card, id_: str, say: Words) -> str:
    """The card as HTML. Its label opens what it means with the whole number, by mouse, finger or keyboard."""
    measure, row = card.measure, card.row
    now, before = row[measure.name], row.get(measure.name + BEFORE)
    moved = change(now, before, measure, say.language) if measure.has_history and pd.notna(before) else None
    meaning = escape(f"{say(measure.meaning)}: {shown(now, measure.unit, say.language)}")
    return (
        f'<div class="card" role="listitem" data-measure="{escape(measure.name)}">'
        f'<button type="button" class="label" popovertarget="{escape(id_)}" aria-describedby="{escape(id_)}" title="{meaning}">'
        f"{escape(say(measure.label))}</button>"
        f'<div id="{escape(id_)}" class="meant" popover>{meaning}</div>'
        f'<div class="value">{escape(short(now, measure.unit, say.language))}</div>'
        f"{_moved(moved, judged=not card.doubt) if moved else ''}"
        f"{''.join(f'<div class=note>{escape(note)}</div>' for note in noted(card, say))}"
        f"{_line(card.months) if card.months else ''}"
        "</div>"
    )


def noted(card: Card, say: Words) -> list[str]:
    """What has to be said of the number: whose it is, whether its change is to be judged, how its target stands."""
    ignored = [say(d.label) for d in card.ignored]
    return [
        *([say("for all: {dimensions}", dimensions=say.listed(ignored))] if ignored else []),
        *(line for line in (card.doubt, card.note) if line),
        *([] if card.measure.has_history else [say("known for the data's date alone")]),
    ]


def _moved(moved: Change, *, judged: bool) -> str:
    tint = {True: "good", False: "bad", None: "quiet"}[moved.good if judged else None]
    arrow = _ARROWS.get(moved.direction or "")
    return f'<div class="moved {tint}">{f"<span aria-hidden=true>{arrow}</span> " if arrow else ""}{escape(moved.text)}</div>'


def _line(months: Sequence[float]) -> str:
    """The months as a small line: a strip cut out of a tinted box, thicker upright where it is steep.

    A picture for each card would cost the browser as much as all the rest of the page's cards.
    """
    low, high = min(months), max(months)
    heights = [(high - month) / (high - low) if high > low else 0.5 for month in months]
    if len(heights) == 1:
        heights *= 2  # one month alone is a level line
    places = [100 * at / (len(heights) - 1) for at in range(len(heights))]
    step = _LINE_WIDTH / (len(heights) - 1)
    steep = [math.hypot(step, _LINE_HEIGHT * (then - first)) / step for first, then in pairwise(heights)]
    halves = [_LINE_HALF * min(pair) for pair in zip([*steep[:1], *steep], [*steep, *steep[-1:]], strict=True)]
    upper, lower = (
        [
            f"{x:.1f}% calc({100 * y:.1f}% {sign} {half:.1f}px)"
            for x, y, half in zip(places, heights, halves, strict=True)
        ]
        for sign in "-+"
    )
    return f'<div class="months"><div style="clip-path: polygon({", ".join([*upper, *reversed(lower)])})"></div></div>'


def headline(finding: str, meaning: str, hint: str = "") -> None:
    """The page's answer in one sentence, and what it measures; `hint` is said on hover."""
    title = f' title="{escape(hint)}"' if hint else ""
    st.html(
        f"<div class=finding role=heading aria-level=1>{escape(finding)}</div>"
        f"<div class=meaning{title}>{escape(meaning)}</div>"
    )


@contextmanager
def panel(finding: str, meaning: str, corner: Callable[[], None] | None = None) -> Iterator[None]:
    """A frame around a chart or table: its finding as title, below it measure, unit and grain. `corner` draws a `corner_button`."""
    with st.container(border=True, height="stretch"):
        beside = ' style="padding-right: 1.25rem"' if corner else ""
        st.html(
            f"<div class=chart-finding role=heading aria-level=2{beside}>{escape(finding)}</div>"
            f"<div class=chart-meaning>{escape(meaning)}</div>"
        )
        if corner:
            corner()
        yield


def corner_button(label: str, key: str, on_click: Callable[..., None], args: tuple) -> None:
    """A button in the corner of a frame that takes no room in it: a sign, whose label stands beside it while it is pointed at or has
    the focus. `key` ends in `_corner`, or in `_below_corner` for what stands below cards."""
    st.button(label, icon=":material/playlist_add:", type="tertiary", key=key, on_click=on_click, args=args)
