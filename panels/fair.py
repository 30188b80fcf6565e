"""Rates as they are to be read: bars that say which cannot be told apart, a funnel beside them, and a course with its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from measures.dimensions import BELOW, PRODUCT
from measures.funnel import Funnel
from measures.model import Dimension, Measure, Ratio, Spread, _
from measures.period import Period
from measures.question import Order
from panels import choices, notes, parts
from panels.desk import Asked, Desk
from presentation import charts, fairness, findings
from presentation.cards import panel
from presentation.control_chart import Event, control
from presentation.filters import FIRST_DAY, LAST_DAY, choose_branch, choose_product, days_in, days_written
from presentation.funnel_chart import MOST_NAMED, funnel_plot
from presentation.plain import plain
from presentation.units import period_shown, step_shown

VIEWS = {"bars": choices.View(_("Bars")), "funnel": choices.View(_("Funnel"))}


@notes.refusing
def compared(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """The measure by one dimension as bars, the highest first, beside the overall value; a rate as a funnel if the reader likes.

    A branch with none below it is shown among its neighbours, as far as the viewer may see them.
    """
    measure = desk.measure(name)
    if not notes.is_kept(desk, measure, by):
        return
    place = desk.filters.branch
    above = desk.places.get(place.parent) if by is BELOW and not _has_below(desk) else None
    around = replace(desk, filters=replace(desk.filters, branch=above)) if above else desk
    asked = around.ask(notes.with_counts(around, measure, by), [by], order=[Order(name)])
    total = around.total(asked)
    overall = total.iloc[0][name]
    found = fairness.comparison(measure, asked.answer)
    # The title stands above the switch that decides what it is about.
    wanted = found is not None and st.session_state.get(_view_key(key)) == "funnel"
    funnel = found.funnel(overall) if wanted and found.judged >= fairness.FEWEST_UNITS else None
    if measure.adds_up:
        title = findings.first_of(measure, asked.answer, by, total, desk.say)
    elif funnel:
        title = fairness.standing_out(found, funnel, by, desk.say)
    elif found:
        title = fairness.title(found, by, desk.say)
    else:
        title = findings.spread(measure, asked.answer, by, desk.say)
    with panel(title, notes.meaning(desk, measure, by)):
        if asked.answer.empty:
            st.caption(notes.nothing(desk))
            return
        if above:
            beside = desk.say("{branch} beside its neighbours below {above}.", branch=place.name, above=above.name)
            st.caption(plain(beside))
        looks = {"id": by.name, "name": notes.shown_name(by), "look": desk.look, "marked": place.id if above else None}
        looks["on_pick"] = {BELOW: choose_branch, PRODUCT: choose_product}.get(by)
        if found and choices.choice(desk, _view_key(key), VIEWS)[0] == "funnel":
            _funnel(desk, found, funnel, f"{key}_funnel", looks)
            where_they_are = desk.say("not drawn")
        else:
            _bars(desk, measure, asked, found, overall if isinstance(measure, Ratio) else None, key, looks)
            where_they_are = desk.say("at the end, without rank")
        notes.say_few(desk, measure, findings.too_few(measure, asked.answer), where_they_are)
        notes.say_ignored(desk, asked)


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

    def pick() -> None:
        choices.one_of(desk, f"{key}_measure", offered)

    measures = notes.with_counts(desk, measure, step)
    if len(measures) == 1 or measure.spread is not Spread.RATES:
        parts.trend(desk, measure.name, key, above=pick)
        return
    asked = desk.ask(measures, [step])
    answer = asked.answer
    growing = parts.growing_from(desk, measure, parts.days_of(answer, step), step)
    # A step that begins before the period holds only some of its days, as one that still grows does.
    whole = (answer[step.name].dt.date >= desk.filters.period.start) & (
        answer[step.name].dt.date < (growing or date.max)
    )
    settled = answer[whole]
    days = parts.days_of(settled, step)
    with panel(findings.course(measure, answer, None, step, growing, desk.say), notes.meaning(desk, measure, step)):
        with st.container(horizontal=True, vertical_alignment="center"):
            pick()
            chosen = _baseline(desk, key) if len(answer) else None
        if answer.empty:
            st.caption(notes.nothing(desk))
            return
        chart = fairness.charted(measure, settled, days, chosen)
        names = [step_shown(day, step.step, desk.say.language) for day in days]
        told = fairness.course_told(chart, names, desk.say)
        if chosen:
            told.append(desk.say("Limits from {days}.", days=period_shown(chosen, desk.say.language)))
        control(
            answer,
            settled,
            chart,
            step=step,
            measure=measure,
            look=desk.look,
            key=key,
            told=told,
            incomplete_from=growing,
            events=_events(desk),
        )
        st.caption(desk.say.sentences(told), help=desk.say(fairness.HOW_CONTROLLED))
        notes.say_ignored(desk, asked)


def _bars(desk: Desk, measure: Measure, asked: Asked, found, overall, key: str, looks: dict) -> None:
    rows = asked.answer
    if found:
        rows = found.rows
    else:
        few = findings.too_few(measure, rows)
        rows = pd.concat([rows[~few], rows[few]])
    doubts = found.doubts if found else None
    charts.bars(rows, measure=measure, key=key, overall=overall, doubts=doubts, **looks)
    if found and (told := fairness.order_told(found, desk.say)):
        st.caption(told, help=desk.say(fairness.HOW_ORDERED))


def _funnel(desk: Desk, found: fairness.Comparison, funnel: Funnel | None, key: str, looks: dict) -> None:
    if funnel is None:
        st.caption(
            desk.say(
                "Of fewer than {fewest} with enough to tell no average says much: there is no funnel to draw.",
                fewest=fairness.FEWEST_UNITS,
            )
        )
        return
    unnamed = funnel_plot(found, funnel, key=key, **looks)
    st.caption(fairness.differing_told(funnel, desk.say), help=desk.say(fairness.HOW_JUDGED))
    if unnamed:
        st.caption(desk.say("The {n} furthest have their names; point at the others.", n=MOST_NAMED))


def _view_key(key: str) -> str:
    return f"{key}_view"


def _has_below(desk: Desk) -> bool:
    return any(place.parent == desk.filters.branch.id for place in desk.places.values())


def _events(desk: Desk) -> list[Event]:
    found = desk.warehouse.events(desk.filters.period, desk.filters.branch.id, desk.filters.products, desk.viewer)
    return [
        Event(day, label, desk.places[branch].name, below=branch not in desk.filters.branch.path.split("."))
        for day, branch, label in zip(found["happened_on"].dt.date, found["branch_id"], found["label"], strict=True)
    ]


def _baseline(desk: Desk, key: str) -> Period | None:
    """The days that the reader wants the limits to come from, kept in the address; None: all that are settled."""
    state = st.session_state
    if desk.came_by_link or "baseline" not in state:
        state["baseline"] = days_in(st.query_params.get("baseline", "")) or ()
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
    days = state["baseline"]
    # While the reader has clicked only the first of two days, the second is missing.
    if not days or len(days) < 2:
        return None
    chosen = Period(*days)
    desk.own_parameters["baseline"] = days_written(chosen)
    return chosen
