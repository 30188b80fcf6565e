"""A meeting on paper holds what the exhibits hold, runs nothing and fetches nothing, and is printed where Chromium is."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.model import Unit
from presentation import pdf, print_view
from presentation.exhibit import Exhibit, Kind
from presentation.pdf import PrintError
from presentation.tables import Column, Table, cell_texts
from presentation.units import shown
from presentation.words import words
from tests.presentation.exhibited import RATES, frame, minutes, named, of_the_bank
from tests.processes import came, runs

EN, ZH = words("en"), words("zh_CN")
SAFE = """
html head meta title style body section h1 h2 p ul li table thead tbody tr th td div span svg rect text line polyline circle
"""
TAGS = set(SAFE.split())


class Read(HTMLParser):
    """The tags, the attributes and the texts of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        if self.tags[-1] != "style":
            self.texts.append(data)


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh_CN"])
def test_each_exhibit_has_a_page_with_its_numbers(duckdb_warehouse, say):
    exhibits = list(of_the_bank(duckdb_warehouse, say).values())
    written = print_view.html(minutes(*exhibits, remark="Ask <b>Jiangbei</b>."), say)
    pages = written.split("<section>")[2:]
    for exhibit, page in zip(exhibits, pages, strict=False):
        texts = Read(f"<section>{page}").texts
        assert exhibit.title in texts
        assert "Ask <b>Jiangbei</b>." in texts
        if exhibit.kind in (Kind.LINES, Kind.SENTENCES):
            continue
        column = (
            next(c for c in exhibit.table.columns if c.name == (exhibit.value or "signed"))
            if exhibit.value != "value"
            else None
        )
        if column is not None:
            assert set(cell_texts(column, exhibit.table.rows, say)) <= set(texts)
    assert len(pages) == len(exhibits) + 1


def test_a_line_is_drawn_through_its_numbers_and_not_through_gaps():
    months = Column("month", "Month", "day", step="month")
    rows = [(pd.Timestamp(2026, 1, 1), 0.1), (pd.Timestamp(2026, 2, 1), 0.2), (pd.Timestamp(2026, 4, 1), 0.5)]
    exhibit = Exhibit(
        Kind.LINES, "A", "B", Table("", (months, RATES), frame((months, RATES), rows)), "month", None, "rate"
    )
    written = print_view.html(minutes(exhibit), EN)
    runs = [points.split() for points in re.findall(r'<polyline points="([^"]*)"', written)]
    assert [len(run) for run in runs] == [2, 1]
    heights = [float(point.split(",")[1]) for run in runs for point in run]
    assert (heights[0] - heights[1]) / (heights[1] - heights[2]) == pytest.approx(1 / 3, abs=0.01)
    assert shown(0.5, Unit.SHARE, "en") in Read(written).texts


def test_bars_are_as_long_as_their_numbers():
    written = print_view.html(minutes(named(Kind.BARS, [("A", 0.5), ("B", 0.25), ("C", None)])), EN)
    assert re.findall(r"width:([\d.]+)%", written) == ["100.00", "50.00"]


def test_a_table_wider_than_the_paper_ends_where_it_is_said():
    wide = tuple(Column(f"c{n}", f"Measure {n}", "number", Unit.COUNT) for n in range(40))
    exhibit = Exhibit(Kind.TABLE, "A", "B", Table("", wide, frame(wide, [tuple(range(10**8, 10**8 + 40))])))
    read = Read(print_view.html(minutes(exhibit), EN))
    shown_columns = len([text for text in read.texts if text.startswith("Measure ")])
    assert 3 < shown_columns < 40
    assert f"Shown are the first {shown_columns} of 40 columns; the workbook has all." in read.texts


ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;", "\x00", "\ud800", "]]>", "</style>"]
    ),
)
NUMBERS = st.one_of(st.none(), st.floats(-1e15, 1e15))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(ODD, NUMBERS), min_size=1, max_size=20), ODD, st.sampled_from(["en", "zh_CN"]))
def test_no_text_becomes_more_than_text(rows, title, language):
    kinds = (Kind.BARS, Kind.COLUMNS, Kind.LINES, Kind.PARETO, Kind.TABLE)
    unique = [(f"{at}{name}", value) for at, (name, value) in enumerate(rows)]
    exhibits = [named(kind, unique if kind is Kind.LINES else rows, title) for kind in kinds]
    written = print_view.html(minutes(*exhibits, remark=title), words(language))
    written.encode("utf-8")
    read = Read(written)
    assert set(read.tags) <= TAGS
    names = {name for name, _value in read.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "href"})


def test_the_document_forbids_scripts_and_requests():
    written = print_view.html(minutes(), EN)
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in written
    assert "url(" not in written
    assert "@import" not in written


# PDF ----------------------------------------------------------------------------------------------------------------


def test_without_chromium_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrintError, match="Chromium is not installed"):
        pdf.of("<p>A</p>")


def program(folder: Path, lines: str) -> None:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def test_a_chromium_that_hangs_is_stopped_with_its_children_and_leaves_nothing(monkeypatch, tmp_path):
    kept = tmp_path / "temporary"
    kept.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(kept))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(PrintError, match=r"took longer than 0\.5 seconds"):
        pdf.of("<p>A</p>", seconds=0.5)
    child = (tmp_path / "child").read_text().strip()
    # It is told to end at once; a busy computer takes a moment to have it end.
    assert came(lambda: not runs(child), 10)
    assert list(kept.iterdir()) == []


def test_a_chromium_that_fails_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program(tmp_path, "exit 1")
    with pytest.raises(PrintError, match="made no PDF"):
        pdf.of("<p>A</p>")


@pytest.mark.browser
def test_a_meeting_is_printed(duckdb_warehouse):
    if pdf.chromium() is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: apt-get install chromium.")
        pytest.skip("Chromium is not installed: apt-get install chromium.")
    exhibits = list(of_the_bank(duckdb_warehouse, ZH).values())
    printed = pdf.of(print_view.html(minutes(*exhibits, named(Kind.TABLE, [("江北支行", 0.5)], "A")), ZH))
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= len(exhibits) + 3
