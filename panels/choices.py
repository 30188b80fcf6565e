"""What a reader chooses inside a page: which of several parts stands there, of which measure, or none yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import streamlit as st

from measures.catalogue import DIMENSION
from measures.model import Dimension, Measure
from panels.desk import Desk

MOST_MEASURES, MOST_DIMENSIONS = 8, 4
"""A table wider or deeper than this is not read but exported, and then asked in parts."""


@dataclass(frozen=True)
class View:
    """A way to show the same numbers, as a switch calls it."""

    label: str


class Labelled(Protocol):
    """What a reader can choose by its label."""

    @property
    def label(self) -> str: ...


_Shown = TypeVar("_Shown", bound=Labelled)
_Measure = TypeVar("_Measure", bound=Measure)


def choice(desk: Desk, key: str, options: Mapping[str, _Shown]) -> tuple[str, _Shown]:
    """Asks which of `options`, by their keys, is to stand below, and returns its key and itself; the first at first.

    What is not chosen is neither asked of the warehouse nor drawn: most of what a reader waits for is the browser's drawing.
    """
    # Not as the widget's default: beside a choice that a link has made, Streamlit would warn of two. And what was chosen once may not
    # be offered any more.
    if st.session_state.get(key) not in options:
        st.session_state[key] = next(iter(options))
    chosen = st.segmented_control(
        desk.say("Show"),
        list(options),
        required=True,
        format_func=lambda name: desk.say(options[name].label),
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen, options[chosen]


def one_of(desk: Desk, key: str, options: Sequence[_Measure]) -> _Measure:
    """The measure that the reader picks from a list of `options`, the first at first; of one alone there is nothing to pick."""
    if len(options) == 1:
        return options[0]
    named = {measure.name: measure for measure in options}
    chosen = st.selectbox(
        desk.say("Measure"),
        list(named),
        format_func=lambda name: desk.say(named[name].label),
        key=key,
        label_visibility="collapsed",
        persist_state="session",
        width=240,
    )
    return named[chosen]


def closer(desk: Desk, key: str, looks: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
    """Asks which of `looks`, labels (msgids) and what draws them by name, the reader wants to look at closer, and draws it.

    None at first: then nothing more is asked of the warehouse or drawn, and the page stays as quick as it is without them.
    """
    chosen = st.segmented_control(
        desk.say("Look closer"),
        list(looks),
        format_func=lambda name: desk.say(looks[name][0]),
        key=key,
        persist_state="session",
    )
    if chosen:
        looks[chosen][1]()


def measures_split(desk: Desk, key: str) -> tuple[list[Measure], list[Dimension]]:
    """The measures that the reader picks, and those of the dimensions they share that split them; both are in the address."""
    known, state, say = desk.state.catalogue.measures, st.session_state, desk.say
    of, split = f"{key}_measures", f"{key}_by"
    if desk.came_by_link or of not in state:
        asked = st.query_params.get("measures", "").split(",")
        state[of] = (list(dict.fromkeys(m for m in asked if m in known)) or list(known)[:1])[:MOST_MEASURES]
        asked = st.query_params.get("by", "below").split(",")
        state[split] = list(dict.fromkeys(d for d in asked if d in DIMENSION))[:MOST_DIMENSIONS]
    left, right = st.columns(2, gap="medium")
    with left:
        st.multiselect(
            say("Measures"), list(known), key=of, format_func=lambda m: say(known[m].label), max_selections=MOST_MEASURES,
            placeholder=say("Choose measures"), persist_state="session",
        )  # fmt: skip
    measures = [known[name] for name in state[of]]
    shared = [
        name for name, d in DIMENSION.items() if measures and not d.elapsed and all(d in m.dimensions for m in measures)
    ]
    state[split] = [name for name in state[split] if name in shared]
    with right:
        st.multiselect(
            say("Split by"), shared, key=split, format_func=lambda d: say(DIMENSION[d].label), max_selections=MOST_DIMENSIONS,
            placeholder=say("Choose what to split by"), persist_state="session",
        )  # fmt: skip
    desk.own_parameters.update(measures=",".join(state[of]), by=",".join(state[split]))
    return measures, [DIMENSION[name] for name in state[split]]
