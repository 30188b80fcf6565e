"""Targets as a part of a page: who will reach them, as bullets and as a table, the likeliest to miss first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from measures.dimensions import BELOW, DAY, DAYS_AGO, DAYS_LEFT, DAYS_RUN
from measures.model import Measure, _
from measures.standings import Standing, course_in, periods, standings, together, year_before
from panels import choices, notes, tabular
from panels.accounts import Account
from panels.desk import Asked, Desk
from presentation import bullet_chart, pacing, table_view
from presentation.cards import headline, panel
from presentation.charts import sentences
from presentation.export_view import titled
from presentation.filters import choose_branch
from presentation.plain import plain
from presentation.units import day_shown

SIGNED, ACTIVATED = "signed", "activated"
OF_A_DAY = {SIGNED: "signed", ACTIVATED: "first_uses"}
"""What each day brings of what counts towards a target: a contract is activated on another day than it is signed on."""
CLOCKS = {"days": choices.View(_("By working days")), "course": choices.View(_("By last year's course"))}


@notes.refusing
def against_targets(desk: Desk) -> None:
    """Where the branches stand against the targets that run on the last day looked at."""
    say = desk.say
    counted = {
        name: desk.measure(name) for name in OF_A_DAY if not desk.lacks(f"{name}_target", f"{name}_toward_target")
    }
    # A link that leads to one of them opens it.
    if desk.came_by_link and (linked := st.query_params.get("of")) in counted:
        st.session_state["targets_of"] = linked
    above = st.container()  # for what is chosen below it
    with st.container(horizontal=True):
        of, _measure = choices.choice(desk, "targets_of", counted)
        by_course = choices.choice(desk, "targets_clock", CLOCKS)[0] == "course"
    desk.own_parameters["of"] = of
    target, toward = desk.measure(f"{of}_target"), desk.measure(f"{of}_toward_target")
    asked = desk.ask([target], [BELOW, DAYS_RUN, DAYS_LEFT])
    counts = desk.ask([toward], [BELOW, DAYS_RUN, DAYS_LEFT, DAYS_AGO])
    until = min(desk.filters.period.end, desk.state.data_until)
    if asked.answer.empty:
        with above:
            headline(say("No target runs here"), say(target.meaning))
        _table(desk, [], asked, toward, False, f"targets_{of}", empty=_why_none(desk, day_shown(until, say.language)))
        return
    course = _course(desk, OF_A_DAY[of], asked, until) if by_course else None
    if by_course and course is None:
        with above:
            headline(say("Last year's course is not known here"), say(target.meaning))
        st.info(say("Nothing is recorded a year before these targets. Choose “By working days”."))
        return
    measures, days_off = (target, toward), desk.warehouse.days_off
    known = standings(asked.answer, counts.answer, measures, until, days_off, course)
    whole, found = together(known, days_off, course), _named(desk, known)
    with above:
        headline(pacing.finding(found, by_course, say), f"{say(toward.label)} · {pacing.looked_at(found, until, say)}")
    _bullets(desk, found, whole, by_course)
    _table(desk, found, asked, toward, by_course, f"targets_{of}")


def _bullets(desk: Desk, found: Sequence[Standing], whole: Standing | None, by_course: bool) -> None:
    say = desk.say
    drawn = [standing for standing in found if standing.pace.target is not None]
    title, meaning = _title(desk, found), say("In shares of each one's own target")
    if whole:
        title = pacing.needed(whole, say)
        together_told = say("All together: {progress}", progress=pacing.progress(whole, by_course, say))
        clauses = [*([together_told] if len(drawn) > 1 else []), pacing.expected(whole, say)]
        meaning = sentences([clause for clause in clauses if clause] or [meaning], say)
    with panel(title, meaning):
        if not drawn:
            st.caption(say("No numbers to draw."))
            return
        cut = bullet_chart.bullets(
            drawn, by_course=by_course, look=desk.look, key="targets_chart", on_pick=choose_branch
        )
        notes = []
        if desk.filters.products:
            chosen = say.listed([desk.products[product] for product in desk.filters.products])
            notes.append(
                say(
                    "Only targets set for {products}; one for all products together is not among them.", products=chosen
                )
            )
        if cut:
            furthest = say.listed(cut)
            notes.append(say("Cut at 150 %: {branches}; the table has the whole numbers.", branches=furthest))
        weights = pacing.BY_COURSE if by_course else pacing.BY_WORKING_DAYS
        notes.append(say("What the days passed brought decides what is expected of the days left."))
        st.caption(plain(say.sentences(notes)), help=say.sentences([say(pacing.HOW_PROJECTED), say(weights)]))


def _table(
    desk: Desk, found: Sequence[Standing], asked: Asked, toward: Measure, by_course: bool, key: str, *, empty: str = ""
) -> None:
    say = desk.say
    question = replace(asked.question, measures=(*asked.question.measures, toward))
    shown = pacing.table(found, question, _title(desk, found), by_course, say)
    with st.container(border=True):
        titled(
            shown.title, shown, desk.about(len(found), asked.ignored), say, key, Account(desk, shown.title, question)
        )
        table_view.show(
            shown,
            say=say,
            key=key,
            empty=empty,
            link=tabular.link_to(desk, BELOW, {"": "targets"}),
            on_pick=tabular.go,
        )


def _title(desk: Desk, found: Sequence[Standing]) -> str:
    here = desk.filters.branch
    if found and all(standing.id == here.id for standing in found):
        return desk.say("Targets of {branch}", branch=here.name)
    return notes.title_by(desk, BELOW)


def _course(desk: Desk, name: str, asked: Asked, until: date) -> dict[date, float] | None:
    """What each day of a year of weeks ago brought in all of the branch looked at; None where a target has none of it."""
    days = periods(asked.answer, until)
    counted, before = desk.measure(name), year_before(days)
    if "contracts" in desk.warehouse.unknown_before(before.start):
        return None
    course = course_in(desk.ask([counted], [DAY], period=before).answer, counted)
    return course if sum(course.values()) > 0 else None


def _named(desk: Desk, found: Sequence[Standing]) -> list[Standing]:
    """With the names that the branch filter has, which tell two of one name apart; targets of the branch itself have its own."""
    here = desk.filters.branch
    return [replace(s, id=s.id or here.id, name=desk.places[s.id or here.id].name) for s in found]


def _why_none(desk: Desk, day: str) -> str:
    """Why there is no target here, and what to do."""
    if desk.filters.products:
        chosen = desk.say.listed([desk.products[product] for product in desk.filters.products])
        return desk.say(
            "No target for {products} runs on {day} at this branch or below it. Choose all products, another last day, or a branch "
            "further up.",
            products=chosen,
            day=day,
        )
    return desk.say(
        "No target for all products runs on {day} at this branch or below it. Choose another last day, a branch further up, or a "
        "product.",
        day=day,
    )
