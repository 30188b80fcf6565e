"""A meeting on a projector: one thing at a time, as large as the screen, turned by keys."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

from presentation.charts import Look, Room, within
from presentation.exhibit import Exhibit
from presentation.fitting import lines
from presentation.words import Words

WIDTH, HEIGHT = 892, 512
"""Pixels within the margins of a slide of 960 × 540, as present.css has them."""
_AXIS, _FOOT, _GAP = 50, 17, 6
_TITLE, _MEANING, _NOTE = (27, 33), (14, 19), (12.5, 17)
"""Size of the letters, and height of a line."""

_HERE = Path(__file__).parent
_bar = st.components.v2.component(
    "present",
    html='<div class="present-bar" role="toolbar"></div>',
    css=(_HERE / "present_bar.css").read_text(encoding="utf-8"),
    js=(_HERE / "present.js").read_text(encoding="utf-8"),
)

_STYLE = f"<style>{(_HERE / 'present.css').read_text(encoding='utf-8')}</style>"


def slide(
    exhibit: Exhibit,
    *,
    remark: str,
    foot: str,
    at: int,
    slides: int,
    look: Look,
    say: Words,
    on_turn: Callable[[int], None],
    on_leave: Callable[[], None],
    drill: Callable[[], None] | None = None,
) -> None:
    """The slide `at` (from 0) of `slides`, alone on the screen: its finding, its numbers, what has to be said of them.

    `foot` says whose numbers they are and of which day; `drill` draws the link to the page that goes deeper. A key, or a button of the
    bar, calls `on_turn` with the slide wanted, or `on_leave`.
    """
    st.html(_STYLE)
    with st.container(key="present"):
        with st.container(key="slide"):
            st.html(
                f"<div class=slide-title role=heading aria-level=1>{escape(exhibit.title)}</div>"
                f"<div class=slide-meaning>{escape(exhibit.meaning)}</div>"
            )
            if exhibit.lines:
                st.html(f"<ul class=slide-lines>{''.join(f'<li>{escape(line)}</li>' for line in exhibit.lines)}</ul>")
            elif exhibit.draw:
                with within(Room(WIDTH, _left(exhibit))):
                    exhibit.draw(look, f"slide_{at}")
            if exhibit.notes:
                st.html("".join(f"<p class=slide-notes>{escape(note)}</p>" for note in exhibit.notes))
            if remark:
                st.html(f"<div class=slide-remark>{escape(remark)}</div>")
            with st.container(key="slide_foot"):
                number = say("{n} of {all}", n=at + 1, all=slides)
                st.html(f"<div class=slide-foot><span>{escape(foot)}</span><span>{escape(number)}</span></div>")
        with st.container(key="present_bar"):
            if drill:
                drill()
            _turns(at, slides, say, on_turn, on_leave)


def _left(exhibit: Exhibit) -> int:
    """About how high a chart may be, so that all texts of the slide have room too."""
    texts = [(exhibit.title, _TITLE), (exhibit.meaning, _MEANING), *((note, _NOTE) for note in exhibit.notes)]
    taken = sum(lines(text, size, WIDTH) * high for text, (size, high) in texts)
    return HEIGHT - taken - _FOOT - _AXIS - _GAP * (len(texts) + 1)


def _turns(at: int, slides: int, say: Words, on_turn: Callable[[int], None], on_leave: Callable[[], None]) -> None:
    key = "present_keys"

    def turn() -> None:
        to = st.session_state[key]["turn"]
        if isinstance(to, int) and 0 <= to < slides:
            on_turn(to)

    buttons = [
        ("before", "←", say("Back (←)"), at == 0),
        ("next", "→", say("On (→ or space)"), at == slides - 1),
        ("smaller", "−", say("Smaller (−)"), False),
        ("larger", "+", say("Larger (+)"), False),
        ("remarks", "N", say("Remarks (N)"), False),
        ("black", "B", say("Black (B)"), False),
        ("full", "⛶", say("Full screen (F)"), False),
        ("leave", "✕", say("Leave (Esc)"), False),
    ]
    listed = [{"action": action, "sign": sign, "label": label, "off": off} for action, sign, label, off in buttons]
    _bar(
        key=key,
        data={"at": at, "slides": slides, "buttons": listed},
        on_turn_change=turn,
        on_leave_change=on_leave,
    )
