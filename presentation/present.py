"""A meeting on a projector: one thing at a time, as large as the screen, turned by keys."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

from presentation.charts import Look, as_wide_as
from presentation.exhibit import Exhibit
from presentation.words import Words

WIDTH = 892
"""Pixels that a chart has on a slide of 960."""

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
    corrections: str,
    at: int,
    slides: int,
    look: Look,
    say: Words,
    on_turn: Callable[[int], None],
    on_leave: Callable[[], None],
    drill: Callable[[], None] | None = None,
) -> None:
    """The slide `at` (from 0) of `slides`, alone on the screen: its finding, its numbers, what has to be said of them.

    `foot` says whose numbers they are and of which day, `corrections` what the warehouse says differently by now; `drill` draws the
    link to the page that goes deeper. A key, or a button of the bar, calls `on_turn` with the slide wanted, or `on_leave`.
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
                with as_wide_as(WIDTH):
                    exhibit.draw(look, f"slide_{at}")
            notes = [*exhibit.notes, *([corrections] if corrections else [])]
            if notes:
                st.html("".join(f"<p class=slide-notes>{escape(note)}</p>" for note in notes))
            if remark:
                st.html(f"<div class=slide-remark>{escape(remark)}</div>")
            with st.container(key="slide_foot"):
                number = say("{n} of {all}", n=at + 1, all=slides)
                st.html(f"<div class=slide-foot><span>{escape(foot)}</span><span>{escape(number)}</span></div>")
        with st.container(key="present_bar"):
            if drill:
                drill()
            _turns(at, slides, say, on_turn, on_leave)


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
