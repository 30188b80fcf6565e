"""The workbook of a meeting holds every exhibit's numbers as they came, on sheets whose names Excel takes."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.model import Unit
from presentation import pack
from presentation.exhibit import Exhibit, Kind
from presentation.exports import ExportError
from presentation.tables import Column, Table, cell_texts
from presentation.words import words
from tests.presentation.exhibited import ABOUT, NAMES, RATES, frame, minutes, named, of_the_bank

EN, ZH = words("en"), words("zh_CN")


def book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def cells(sheet) -> list[list]:
    return [[v.date() if isinstance(v, datetime) else v for v in row] for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh_CN"])
def test_each_view_has_a_sheet_with_its_numbers_as_they_came(duckdb_warehouse, say):
    exhibits = list(of_the_bank(duckdb_warehouse, say).values())
    found = book(pack.write(minutes(*exhibits), say))
    assert len(found.worksheets) == len(exhibits) + 2
    for exhibit, sheet in zip(exhibits, found.worksheets[1:], strict=False):
        if exhibit.kind is Kind.SENTENCES:
            assert cells(sheet) == [[line] for line in exhibit.lines]
            continue
        table, (heading, *rows) = exhibit.table, cells(sheet)
        if table.total is not None:
            assert rows.pop(0)[0] == say("Total")
        shown = len(table.columns)
        assert heading[:shown] == [column.label for column in table.columns]
        assert len(rows) == len(table.rows) > 1
        for at, column in enumerate(table.columns):
            values = table.rows[column.name]
            expected = [None if pd.isna(value) else value for value in values.tolist()]
            if column.kind == "text":
                expected = cell_texts(column, table.rows, say)
            elif column.kind == "day":
                expected = [day.date() for day in values]
            assert [row[at] for row in rows] == expected
        if exhibit.kind is Kind.FIGURES:
            assert [row[shown] for row in rows] == [12345, 0.668]


def test_cells_have_the_formats_of_the_screen_and_days_are_days(duckdb_warehouse):
    exhibits = of_the_bank(duckdb_warehouse, EN)
    sheets = book(pack.write(minutes(exhibits[Kind.BARS], exhibits[Kind.LINES]), EN)).worksheets
    assert sheets[1]["B2"].number_format == "#,##0.0 %"
    assert [cell.number_format for cell in sheets[2][2]] == ["@", "[$-409]mmm yyyy", "#,##0"]
    assert isinstance(sheets[2]["B2"].value, datetime)
    assert sheets[1].freeze_panes == "B2"


def test_the_contents_lead_to_every_sheet_and_say_what_it_is_about(duckdb_warehouse):
    exhibits = list(of_the_bank(duckdb_warehouse, EN).values())
    actions = Table("Actions", (NAMES, RATES), frame((NAMES, RATES), [("Call them", 0.5)]))
    found = book(pack.write(minutes(*exhibits, remark="Ask Jiangbei.", actions=actions), EN))
    contents = found.worksheets[0]
    links = {row[0].value: row[0].hyperlink.location for row in contents.iter_rows(min_row=5) if row[0].hyperlink}
    assert list(links) == [*(exhibit.title for exhibit in exhibits), "Actions", "About"]
    assert [link.rpartition("!")[0].strip("'").replace("''", "'") for link in links.values()] == found.sheetnames[1:]
    said = [cell.value for cell in contents[5]]
    assert said[1:3] == ["What is measured · Grain · What that means", "Branch: 重庆分行\nProduct: All products"]
    assert said[4] == "Ask Jiangbei."
    assert cells(found["Actions"]) == [["Name", "Rate"], ["Call them", 0.5]]
    about = dict(found["About"].iter_rows(values_only=True))
    assert about["Data until"] == "20 May 2026"
    assert about["Open in the dashboard"] == ABOUT.link
    assert "Of all, the share" in about.values()


def test_a_number_that_is_withheld_is_said_and_not_told():
    table = Table(
        "", (NAMES, RATES), frame((NAMES, RATES), [("A", None), ("B", 0.5)]).assign(rate_withheld=[True, False])
    )
    sheet = book(pack.write(minutes(Exhibit(Kind.TABLE, "A", "B", table)), EN)).worksheets[1]
    assert cells(sheet)[1:] == [["A", "withheld"], ["B", 0.5]]


def test_a_day_that_excel_does_not_know_is_a_text():
    days = Column("day", "Day", "day")
    rows = frame((days,), [(pd.Timestamp(1899, 12, 31),), (pd.Timestamp(1900, 3, 1),)])
    sheet = book(pack.write(minutes(Exhibit(Kind.TABLE, "A", "B", Table("", (days,), rows))), EN)).worksheets[1]
    assert cells(sheet)[1:] == [["1899-12-31"], [date(1900, 3, 1)]]


ODD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=40),
    st.sampled_from(
        ["=1+1", "'", "History", "a/b?c*[d]:e\\f", "_x0041_", "<r>a</r>", "About", "😀" * 31, "江北支行" * 60]
    ),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=6), st.sampled_from(["en", "zh_CN"]))
def test_no_title_spoils_a_workbook(titles, language):
    exhibits = [named(Kind.TABLE, [(title, None), (title, 0.1 + 0.2)], title) for title in titles]
    found = book(pack.write(minutes(*exhibits, remark=titles[0]), words(language)))
    names = found.sheetnames
    assert len({name.casefold() for name in names}) == len(names) == len(titles) + 2
    assert all(0 < len(name.encode("utf-16-le")) // 2 <= 31 for name in names)
    for sheet in found.worksheets:
        assert all(cell.data_type in "sn" for row in sheet.iter_rows() for cell in row)
    for sheet in found.worksheets[1:-1]:
        assert [row[1] for row in cells(sheet)[1:]] == [None, 0.1 + 0.2]


def test_what_no_cell_can_hold_is_refused_and_not_changed():
    for text in ("\uffff", "x" * 32_768):
        with pytest.raises(ExportError):
            pack.write(minutes(named(Kind.TABLE, [(text, 0.5)], "A")), EN)
    with pytest.raises(ExportError):
        pack.write(minutes(named(Kind.TABLE, [("A", float("inf"))], "A")), EN)


def test_two_columns_of_one_name_are_told_apart():
    same = (replace(NAMES, name="a"), replace(RATES, name="b", label="Name", unit=Unit.COUNT))
    table = Table("", same, frame(same, [("A", 1)]))
    sheet = book(pack.write(minutes(Exhibit(Kind.TABLE, "A", "B", table)), EN)).worksheets[1]
    assert cells(sheet)[0] == ["Name", "Name 2"]
