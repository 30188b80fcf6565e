"""The report on complaints tells what the warehouse holds of a month, a quarter or a half-year, in the reader's scope."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pandas as pd
import pytest
from docx import Document

from measures.dimensions import CAUSE
from measures.period import Period, whole_months
from panels.complaint_report import Length, report
from presentation import causes
from presentation.exhibit import Kind
from presentation.report import write
from tests import bank

RECEIVED = "complaints_received"


def tables_of(complaints, desk) -> dict[str, list[list[str]]]:
    paper = Document(io.BytesIO(write(complaints, desk.say)))
    found, heading = {}, ""
    for part in paper.iter_inner_content():
        if hasattr(part, "rows"):
            found[heading] = [[cell.text for cell in row.cells] for row in part.rows]
        elif part.style.name.startswith("Heading"):
            heading = part.text
    return found


def counted(period: Period, branches: set[str] | None = None) -> dict[str | None, int]:
    """The complaints received by cause, counted row by row."""
    found: dict[str | None, int] = {}
    for row in bank.BANK["complaints"]:
        if period.start <= row["received_at"].date() <= period.end and (
            branches is None or row["branch_id"] in branches
        ):
            found[row.get("cause")] = found.get(row.get("cause"), 0) + 1
    return found


@pytest.mark.parametrize("length", Length)
def test_the_causes_are_those_of_the_days_of_the_report(visit, whole_url, length):
    desk = visit(whole_url, lang="en").app.session_state["desk"]
    complaints = report(desk, length)
    (pareto,) = [e for section in complaints.sections for e in section.exhibits if e.kind is Kind.PARETO]
    expected = counted(whole_months(length.value, bank.DATA_UNTIL))
    if pareto.table is None:
        assert expected == {}
        return
    rows = pareto.table.rows
    found = {None if pd.isna(c) else c: n for c, n in zip(rows["cause"], rows[RECEIVED], strict=True)}
    assert found == expected


def test_a_report_compares_with_the_period_before_and_says_so(visit, whole_url):
    desk = visit(whole_url, lang="en").app.session_state["desk"]
    complaints = report(desk, Length.MONTH)
    assert complaints.subtitle.endswith(" · Apr 2026, against Mar 2026")
    assert ("Period", "Apr 2026") in complaints.about.filters
    assert ("Compared with", "Mar 2026") in complaints.about.filters
    assert complaints.sections[0].sentences[0].startswith("Complaints received")
    by_state = complaints.sections[0].exhibits[-1]
    assert by_state.notes[-1].startswith("Those of Mar 2026 as they stood on 20 Apr 2026")


def test_the_few_causes_have_a_sentence_a_need_and_a_proposal_each(visit, demo_url):
    desk = visit(demo_url, lang="en").app.session_state["desk"]
    complaints = report(desk, Length.HALF_YEAR)
    _situation, found, needs, measures = complaints.sections
    (pareto,) = [e for e in found.exhibits if e.kind is Kind.PARETO]
    few = causes.few(pareto.table.rows, desk.measure(RECEIVED))
    assert 1 < len(few) < len(pareto.table.rows)
    assert few[RECEIVED].sum() >= 0.8 * pareto.table.rows[RECEIVED].sum()
    assert few[RECEIVED][:-1].sum() < 0.8 * pareto.table.rows[RECEIVED].sum()
    names = [desk.say.value(CAUSE, cause) for cause in few["cause"]]
    for name, point in zip(names, found.points, strict=True):
        assert point.startswith(f"{name}: ")
    assert len(needs.points) == len(names)
    (draft,) = measures.exhibits
    assert draft.table.rows["cause"].tolist() == names
    heading, *rows = next(t for h, t in tables_of(complaints, desk).items() if h.startswith("A draft"))
    assert heading == ["Cause", "Complaints received", "Proposed", "Responsible", "By when"]
    assert [row[0] for row in rows] == names
    assert {row[3] for row in rows} == {"…"}


def test_a_branch_without_complaints_is_told_so(visit, empty_url):
    desk = visit(empty_url, lang="en").app.session_state["desk"]
    complaints = report(desk, Length.MONTH)
    assert complaints.sections[2].sentences == ["No complaints in these days."]
    assert Document(io.BytesIO(write(complaints, desk.say))).paragraphs


def test_every_cause_has_a_need_and_a_proposal():
    assert causes.NEEDS.keys() == causes.PROPOSALS.keys() == CAUSE.values.keys()


@pytest.mark.parametrize(
    ("months", "until", "expected"),
    [
        (1, date(2026, 5, 20), (date(2026, 4, 1), date(2026, 4, 30))),
        (1, date(2026, 5, 31), (date(2026, 5, 1), date(2026, 5, 31))),
        (3, date(2026, 5, 20), (date(2026, 1, 1), date(2026, 3, 31))),
        (6, date(2026, 5, 20), (date(2025, 7, 1), date(2025, 12, 31))),
        (6, date(2026, 6, 30), (date(2026, 1, 1), date(2026, 6, 30))),
        (1, date(2026, 1, 1), (date(2025, 12, 1), date(2025, 12, 31))),
    ],
)
def test_whole_months_are_over(months, until, expected):
    found = whole_months(months, until)
    assert (found.start, found.end) == expected
    before = whole_months(months, found.start - timedelta(days=1))
    assert before.end + timedelta(days=1) == found.start
