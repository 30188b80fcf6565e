"""Rates as they are to be read: bars that say which cannot be told apart, a funnel beside them, and a course with its limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from measures.dimensions import BELOW, PRODUCT
from measures.model import Dimension, _
from measures.period import Period
from panels import choices, exhibits, notes, parts, views
from panels.desk import Desk
from presentation.filters import FIRST_DAY, LAST_DAY, choose_branch, choose_product, days_in, days_written

VIEWS = {exhibits.BARS: choices.View(_("Bars")), exhibits.FUNNEL: choices.View(_("Funnel"))}


@notes.refusing
def compared(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """The measure by one dimension as bars, the highest first, beside the overall value; a rate as a funnel if the reader likes."""
    switch = f"{key}_view"
    # The title stands above the switch that decides what it is about.
    wanted = st.session_state.get(switch)
    leads_to = {BELOW: choose_branch, PRODUCT: choose_product}.get(by)
    shown = exhibits.compared(desk, name, by, wanted, on_pick=leads_to)
    drawn_as = wanted if wanted in shown.ways else exhibits.BARS

    def ways() -> None:
        if shown.ways:
            choices.choice(desk, switch, VIEWS)

    offer = views.offer(desk, key, shown, "compared", name=name, by=by, drawn_as=drawn_as)
    parts.framed(desk, shown, key if drawn_as == exhibits.BARS else f"{key}_{drawn_as}", offer, ways)


def drawn_as_fits(desk: Desk, name: str, by: Sequence[Dimension], key: str) -> None:
    """The chart that a question's grain calls for; with three dimensions or more the table alone can show it."""
    steps_asked = [d for d in by if d.step]
    others = [d for d in by if not d.step]
    if len(by) == 1 and others:
        compared(desk, name, others[0], key)
    elif len(steps_asked) == 1 and len(others) <= 1:
        parts.trend(desk, name, key, by=others[0] if others else None, step=steps_asked[0])
    elif len(others) == 2 and not steps_asked:
        parts.crossed(desk, name, others[1], others[0], key)


@notes.refusing
def controlled(desk: Desk, names: Sequence[str], key: str) -> None:
    """The one of the measures `names` that the reader picks over time: a rate of events between the limits of chance, with what
    happened in those days; any other as a line.

    The limits come from the days the reader chose, or else from all steps whose number no longer grows. A rate whose base is not
    kept over time is not offered.
    """
    step = desk.step
    offered = [measure for measure in desk.known(*names) if step in measure.dimensions]
    if not offered:
        notes.is_kept(desk, desk.measure(names[0]), step)
        return
    # The title stands above the list that decides what it is about.
    picked = st.session_state.get(f"{key}_measure")
    measure = next((each for each in offered if each.name == picked), offered[0])
    _course(desk, measure.name, key, lambda: choices.one_of(desk, f"{key}_measure", offered))


@notes.refusing
def _course(desk: Desk, name: str, key: str, pick: Callable[[], object]) -> None:
    """The course of one measure, under what `pick` draws to choose another."""
    limited = exhibits.has_limits(desk, desk.measure(name))
    chosen = _baseline(desk) if limited else None
    shown = exhibits.controlled(desk, name, chosen)

    def above() -> None:
        if not limited:
            pick()
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            pick()
            if shown.table is not None:
                _pick_baseline(desk, key, chosen)

    offer = views.offer(desk, key, shown, "controlled", name=name, limits_from=chosen)
    parts.framed(desk, shown, key, offer, above)


def _baseline(desk: Desk) -> Period | None:
    """The days that the reader wants the limits to come from; None: all that are settled."""
    state = st.session_state
    if desk.came_by_link or "baseline" not in state:
        state["baseline"] = days_in(st.query_params.get("baseline", "")) or ()
    days = state["baseline"]
    # While the reader has clicked only the first of two days, the second is missing.
    return Period(*days) if days and len(days) == 2 else None


def _pick_baseline(desk: Desk, key: str, chosen: Period | None) -> None:
    """Asks for these days, and keeps those `chosen` in the address."""
    with st.popover(desk.say("Limits from …"), key=f"{key}_baseline"):
        st.date_input(
            desk.say("Limits from the days"),
            key="baseline",
            help=desk.say("Choose days in which nothing particular happened. Empty: all that are complete."),
            min_value=FIRST_DAY,
            max_value=LAST_DAY,
            format="YYYY-MM-DD",
            persist_state="session",
        )
    if chosen:
        desk.own_parameters["baseline"] = days_written(chosen)
