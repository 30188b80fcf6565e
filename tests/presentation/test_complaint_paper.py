"""The report on complaints is made of Word's own headings and tables, with every number of its exhibits."""

from __future__ import annotations

import io

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from presentation.exhibit import Kind
from presentation.minutes import Complaints, Section
from presentation.report import write
from presentation.tables import cell_texts
from presentation.words import words
from tests.presentation.exhibited import ABOUT, named, of_the_bank

EN, ZH = words("en"), words("zh_CN")


def read(complaints: Complaints, say=EN):
    return Document(io.BytesIO(write(complaints, say)))


def of(*exhibits, **more) -> Complaints:
    return Complaints(
        "Complaint analysis report", "重庆分行 · Apr 2026", ABOUT, [Section("Situation", exhibits=exhibits, **more)]
    )


def rows(table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh_CN"])
def test_tables_hold_the_cells_of_the_screen(duckdb_warehouse, say):
    exhibits = [
        e for kind, e in of_the_bank(duckdb_warehouse, say).items() if kind not in (Kind.SENTENCES, Kind.MATRIX)
    ]
    paper = read(of(*exhibits), say)
    for exhibit, table in zip(exhibits, paper.tables, strict=False):
        heading, *found = rows(table)
        if exhibit.kind in (Kind.BARS, Kind.COLUMNS, Kind.PARETO, Kind.FUNNEL):  # their bars have the second column
            heading, found = [heading[0], *heading[2:]], [[row[0], *row[2:]] for row in found]
        if exhibit.table.total is not None:
            assert found.pop(0)[0] == say("Total")
        assert heading == [column.label for column in exhibit.table.columns]
        expected = zip(*(cell_texts(column, exhibit.table.rows, say) for column in exhibit.table.columns), strict=True)
        assert found == [list(row) for row in expected]
    assert len(paper.tables) == len(exhibits) + 1


def test_headings_make_the_contents_and_the_heading_of_a_table_comes_again_on_each_page(duckdb_warehouse):
    exhibit = of_the_bank(duckdb_warehouse, EN)[Kind.TABLE]
    paper = read(of(exhibit, sentences=["It rose."], points=["First."]))
    levels = [(p.style.name, p.text) for p in paper.paragraphs if p.style.name.startswith(("Heading", "Title", "List"))]
    assert levels == [
        ("Title", "Complaint analysis report"),
        ("Heading 1", "1. Situation"),
        ("List Bullet", "First."),
        ("Heading 2", "By outlet"),
        ("Heading 1", "2. Appendix: what the numbers mean"),
    ]
    assert "w:tblHeader" in paper.tables[0].rows[0]._tr.xml
    assert (round(paper.sections[0].page_width.mm), round(paper.sections[0].page_height.mm)) == (210, 297)
    told = dict(rows(paper.tables[-1]))
    assert told["Data until"] == "20 May 2026"
    assert all(told[column.label] == column.meaning for column in exhibit.table.columns if column.meaning)


def test_bars_are_drawn_in_as_far_as_their_numbers_are_less_than_the_longest():
    paper = read(of(named(Kind.BARS, [("A", 0.5), ("B", 0.25), ("C", None)])))
    cells = [row.cells[1] for row in paper.tables[0].rows[1:]]
    filled = ["w:fill=" in cell.paragraphs[0]._p.xml for cell in cells]
    assert filled == [True, True, False]
    drawn_in = [cell.paragraphs[0].paragraph_format.right_indent.pt for cell in cells[:2]]
    assert drawn_in[0] == 0
    assert drawn_in[1] > 30


def test_a_report_speaks_chinese():
    paper = read(of(), ZH)
    assert [p.text for p in paper.paragraphs if p.style.name == "Heading 1"] == ["一、Situation", "二、附录：指标含义"]
    assert 'w:eastAsia="Microsoft YaHei"' in paper.styles["Normal"].element.xml


ODD = st.one_of(
    st.text(max_size=40), st.sampled_from(["=1+1", "\x00\x1b", "\ud800", "\uffff", "_x0041_", "]]>", "W" * 400])
)
NUMBERS = st.one_of(st.none(), st.floats(-1e15, 1e15))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(ODD, NUMBERS), min_size=1, max_size=8), ODD)
def test_no_name_spoils_a_report(names, title):
    exhibits = [named(kind, names, title) for kind in (Kind.BARS, Kind.PARETO, Kind.TABLE)]
    paper = read(of(*exhibits, sentences=[title], points=[title]))
    for table in paper.tables[:3]:
        assert len(table.rows) == len(names) + 1
    # No field but the two page numbers: nothing of a name is a command to Word.
    assert paper.element.xml.count("w:instrText") == 0
    assert paper.sections[0].footer._element.xml.count("<w:instrText") == 2
