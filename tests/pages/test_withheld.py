"""What a reader who may not see listings sees where numbers of few customers are withheld."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import load_workbook

from data_access import access
from data_access.access import PERMITTED, Permission, Role

LAST_YEAR = "2025-10-01..2026-03-31"
WITHHELD = "Withheld, because they are about few customers"


@pytest.fixture
def may_not_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the dashboard may see and export numbers, and nothing else."""
    numbers = {Permission.NUMBERS, Permission.EXPORT_NUMBERS}
    monkeypatch.setattr(access, "PERMITTED", {**PERMITTED, Role.VISITOR: frozenset(numbers)})


def explored(reader, measures: str, by: str):
    """The Explorer, with the measures and dimensions named picked."""
    app = reader.show("explorer").app
    app.multiselect(key="explore_by").set_value([]).run()
    app.multiselect(key="explore_measures").set_value(measures.split(",")).run()
    app.multiselect(key="explore_by").set_value(by.split(",")).run()
    return reader


@pytest.mark.usefixtures("may_not_list")
def test_screen_and_file_say_what_is_withheld(visit, whole_url) -> None:
    reader = explored(visit(whole_url, lang="en", period=LAST_YEAR), "signed,activation_rate", "tier")
    assert not reader.failures
    assert any(WITHHELD in sentence for sentence in reader.texts)
    ((name, table),) = reader.tables.items()
    assert table["rows"] and all("withheld" in row["cells"] for row in table["rows"])
    assert WITHHELD in table["note"]
    book = load_workbook(BytesIO(reader.file(name)))
    cells = [cell.value for row in book["Data"].iter_rows() for cell in row]
    assert "withheld" in cells and "0" not in cells
    assert "withheld" in reader.file(name, "csv").decode("utf-8-sig")


@pytest.mark.usefixtures("may_not_list")
@pytest.mark.parametrize("by", ["gender", "age_band,quarter", "payroll,year"])
@pytest.mark.parametrize("measures", ["signed", "cohort_activation_rate", "holders,active_30", "complaints_received"])
def test_the_explorer_draws_what_is_partly_withheld(visit, demo_url, by, measures) -> None:
    reader = explored(visit(demo_url, lang="en", period=LAST_YEAR), measures, by)
    assert not reader.failures
    assert reader.tables


@pytest.mark.usefixtures("may_not_list")
def test_what_is_refused_says_the_way_out(visit, demo_url) -> None:
    reader = explored(visit(demo_url, lang="en", period="month"), "signed", "gender")
    assert any("Choose whole quarters" in text for text in reader.texts)


@pytest.mark.usefixtures("may_not_list")
def test_why_a_rate_moved_is_not_told_by_what_is_known_of_customers(visit, demo_url) -> None:
    reader = visit(demo_url, lang="en", period=LAST_YEAR).look("activation", "why")
    reader.turn("activation_why", "activation_why_payroll")
    assert not reader.failures
    assert any("no two periods are compared" in text for text in reader.texts)


@pytest.mark.usefixtures("may_not_list")
def test_a_part_that_is_refused_leaves_the_rest_of_the_page_standing(visit, demo_url) -> None:
    reader = visit(demo_url, lang="en", period="month").look("activation", "ages")
    assert any("by nothing else beside" in sentence for sentence in reader.sentences)
    assert reader.tables["activation_by_branch"]["rows"]
