"""How fast things happen, as a part of a page: a curve for each group, and the values as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from measures.dimensions import QUARTER
from measures.model import Dimension
from measures.period import Period, year_of_quarters
from measures.waits import Wait, Waited, waited
from panels import choices, notes
from panels.accounts import Account
from panels.desk import Desk
from presentation import curve_chart, speed, table_view
from presentation.cards import panel
from presentation.charts import MOST_LINES
from presentation.curve_chart import Line
from presentation.export_view import titled
from presentation.tables import About
from presentation.units import period_shown
from presentation.words import Words


@notes.refusing
def how_fast(desk: Desk, key: str, wait: Wait, options: Mapping[str, Dimension]) -> None:
    """Curves by one of `options`, by the keys of their tables; cohorts are the quarters of the last year, whatever the period."""
    say, measures = desk.say, desk.known(wait.began, wait.happened)
    if len(measures) < 2 or not notes.is_kept(desk, measures[0], wait.days):
        return
    chosen, by = choices.choice(desk, key, options)
    if not notes.is_kept(desk, measures[0], by):
        return
    cohorts = year_of_quarters(desk.filters.period.end) if by is QUARTER else None
    asked = desk.ask(measures, [by, wait.days], period=cohorts)
    groups = waited(asked.answer, wait, by)
    shown = speed.table(groups, wait, by, asked.question, notes.title_by(desk, by), say)
    about = desk.about(len(groups), asked.ignored)
    with panel(speed.finding(groups, wait, by, say), speed.meaning(wait, say)):
        if groups:
            _drawn(desk, groups, wait, by, cohorts, f"{chosen}_curves")
        notes.say_ignored(desk, asked)
        titled(
            shown.title,
            shown,
            _about_cohorts(about, cohorts, say) if cohorts else about,
            say,
            chosen,
            Account(desk, shown.title, asked.question),
        )
        table_view.show(shown, say=say, key=chosen, empty=notes.nothing(desk))


def _drawn(desk: Desk, groups: Sequence[Waited], wait: Wait, by: Dimension, cohorts: Period | None, key: str) -> None:
    """The chart, and under it what has to be known to read it."""
    say = desk.say
    drawn = speed.to_draw(groups, wait, by, MOST_LINES)
    lines = [Line(speed.group_name(group, by, say) if len(groups) > 1 else "", group) for group in drawn]
    curve_chart.curves(lines, wait, look=desk.look, key=key)
    known = sum(group.curve.drawn_to is not None for group in groups)
    notes = [
        say("What has not happened yet is counted for as long as it was seen."),
        say("Dashed: known of the older ones only."),
        say("Started {period}.", period=period_shown(cohorts, say.language)) if cohorts else None,
        say("Drawn are the largest, the fastest and the slowest: {number} of {count}.", number=len(drawn), count=known)
        if known > len(drawn)
        else None,
        speed.backwards(groups, wait, say),
    ]
    st.caption(
        say.sentences(note for note in notes if note),
        help=say(
            "Kaplan–Meier curves with 95 % intervals; two curves are called apart by the log-rank test. What closes or is still "
            "open leaves the curve on its last day seen."
        ),
    )


def _about_cohorts(about: About, cohorts: Period, say: Words) -> About:
    """A file of cohorts names their days, not the period of the page."""
    period = say("Period")
    filters = [(name, period_shown(cohorts, say.language) if name == period else f) for name, f in about.filters]
    return replace(about, filters=filters)
