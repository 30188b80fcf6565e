"""What the report on complaints asks: a month, a quarter or a half-year of one branch beside the one before, in the order in which
such reports are written: situation, causes, what customers need, what could be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum

import pandas as pd

from measures.dimensions import BELOW, CAUSE, COMPLAINT_CHANNEL, COMPLAINT_STATE, PRODUCT
from measures.model import Dimension, _
from measures.period import whole_months
from measures.question import Order
from panels import exhibits, notes
from panels.desk import Desk
from presentation import causes, findings
from presentation.exhibit import Exhibit, Kind
from presentation.minutes import Complaints, Section
from presentation.units import day_shown, period_shown

RECEIVED = "complaints_received"
_KEY_NUMBERS = (
    RECEIVED, "complaints_per_1000_contracts", "complaints_per_10000_customers", "complaints_open", "complaints_past_due",
    "complaints_on_time", "complaints_median_days", "complaints_p90_days", "complaints_repeat_share", "complaints_regulator_share",
)  # fmt: skip
_CLOSING = (RECEIVED, "complaints_open", "complaints_past_due", "complaints_on_time", "complaints_median_days")


class Length(Enum):
    """How long a time a report is about, in months."""

    MONTH = 1
    QUARTER = 3
    HALF_YEAR = 6


LENGTH_LABELS = {
    Length.MONTH: _("Last month"),
    Length.QUARTER: _("Last quarter"),
    Length.HALF_YEAR: _("Last half-year"),
}


def report(desk: Desk, length: Length) -> Complaints:
    """The last month, quarter or half-year that is over, of the desk's branch and products, beside the one before.

    Raises QuestionError and WarehouseError as the desk does.
    """
    own, say = _over(desk, length), desk.say
    measure, filters = own.measure(RECEIVED), own.filters
    reached = own.ask([measure], [CAUSE], order=[Order(RECEIVED)], cumulative=True)
    rows = [row for _at, row in causes.few(reached.answer, measure).iterrows()]
    days = period_shown(filters.period, say.language)
    before = period_shown(filters.against, say.language)
    none = say("No complaints in these days.")
    sections = [
        _situation(own),
        _causes(own, rows, reached.answer),
        Section(
            say("What customers need"),
            sentences=[say("Each complaint tells what a customer wants and did not get.") if rows else none],
            points=causes.needs(rows, measure, say),
        ),
        Section(
            say("Measures proposed"),
            sentences=[] if rows else [none],
            exhibits=[causes.proposals(rows, measure, say)] if rows else [],
        ),
    ]
    tables = [exhibit.table for section in sections for exhibit in section.exhibits if exhibit.table]
    return Complaints(
        title=say("Complaint analysis report"),
        subtitle=say("{branch} · {period}, against {before}", branch=filters.branch.name, period=days, before=before),
        about=replace(
            desk.about(sum(len(table.rows) for table in tables)), filters=own.under(reached.ignored, compared=True)
        ),
        sections=sections,
    )


def _over(desk: Desk, length: Length) -> Desk:
    """The desk with the report's days in its filters."""
    period = whole_months(length.value, desk.state.data_until)
    against = whole_months(length.value, period.start - timedelta(days=1))
    filters = replace(desk.filters, period=period, against=against)
    return replace(desk, filters=filters, offers=None, own_parameters={}, asked=[], _wholes={})


def _situation(desk: Desk) -> Section:
    """How many, how fast closed, and the tallies by branch, product, channel and state beside the period before."""
    say = desk.say
    found, failed = exhibits.key_numbers(desk, _KEY_NUMBERS)
    if not found:
        raise failed[0][1]
    sentences = [findings.moved(card.measure, answer, say) for card, answer in found]
    shown = [exhibits.figures_of(desk, found, failed)]
    for by in (BELOW, PRODUCT, COMPLAINT_CHANNEL, COMPLAINT_STATE):
        shown.append(_tally(desk, (RECEIVED,), by, compared=True))
        if by is BELOW:
            shown.append(_tally(desk, _CLOSING, by, compared=False))
    # Findings are titles: they have no full stop of their own.
    told = say("{sentence}.", sentence=say.clauses(sentences))
    return Section(say("Situation"), [told], [exhibit for exhibit in shown if exhibit])


def _tally(desk: Desk, names: tuple[str, ...], by: Dimension, *, compared: bool) -> Exhibit | None:
    """A table by one dimension; None for branches below a branch that has none, and a sentence where it is not kept."""
    title = notes.title_by(desk, by)
    try:
        shown = exhibits.table(desk, title, names, [by], compared=compared)
    except notes.NotKept as refused:
        return Exhibit(Kind.TABLE, title, "", notes=(desk.say.told(refused),))
    if by is BELOW and shown.table is not None and len(shown.table.rows) < 2:
        return None
    if by is COMPLAINT_STATE and (against := desk.filters.against):
        # As every comparison has it; of a state a reader would take it for today's.
        then = desk.state.data_until - (desk.filters.period.end - against.end)
        words = {"period": period_shown(against, desk.say.language), "day": day_shown(then, desk.say.language)}
        note = desk.say(
            "Those of {period} as they stood on {day}, when they were as old as the others are now.", **words
        )
        return replace(shown, notes=(*shown.notes, note))
    return shown


def _causes(desk: Desk, rows: list[pd.Series], answer: pd.DataFrame) -> Section:
    """The causes by how many they are, a sentence for each of the few, and which products they are about."""
    say, measure, against = desk.say, desk.measure(RECEIVED), desk.filters.against
    beside = desk.ask([measure], [CAUSE], compared=True).answer
    total = desk.whole(RECEIVED)[RECEIVED]
    most = [(by, desk.ask([measure], [CAUSE, by]).answer) for by in (PRODUCT, BELOW) if by in measure.dimensions]
    points = [causes.told(measure, row, _row_of(beside, row[CAUSE.name]), total, against, most, say) for row in rows]
    shown: list[Exhibit] = [exhibits.pareto(desk, RECEIVED, CAUSE)]
    if PRODUCT in measure.dimensions and rows:
        shown.append(exhibits.crossed(desk, RECEIVED, PRODUCT, CAUSE))
    known = len(answer[answer[RECEIVED] > 0])
    few = say("{n} of {all} causes make up four fifths of the complaints.", n=len(rows), all=known)
    return Section(say("Causes"), [few] if rows else [], shown, points)


def _row_of(answer: pd.DataFrame, cause: object) -> pd.Series | None:
    rows = answer[answer[CAUSE.name].isna() if pd.isna(cause) else answer[CAUSE.name] == cause]
    return rows.iloc[0] if len(rows) else None
