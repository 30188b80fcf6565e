"""A file holds what the screen shows: the same rows in the same order, exactly, and no text ever becomes a formula."""

from __future__ import annotations

import csv as csv_module
import io
import json
import re
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from measures.catalogue import MEASURES
from measures.dimensions import OUTLET
from measures.model import Unit
from measures.period import Period
from measures.question import Question
from measures.texts import disarmed
from presentation import exports
from presentation.exports import ExportError, about_lines, csv, headings, parquet, sheets_note, xlsx
from presentation.tables import About, Column, Table, table_of
from presentation.words import LANGUAGES, words

EN = words("en")
TEXT, COUNT = Column("name", "Outlet", "text"), Column("signed", "Signed", "number", Unit.COUNT)
COLUMNS = (
    TEXT,
    Column("cause", "Cause", "text", values={"queueing": "Queueing"}, missing="not recorded"),
    Column("day", "Received on", "day"),
    COUNT,
    Column("rate", "Rate", "number", Unit.SHARE),
    Column("days", "Days", "number", Unit.DAYS),
)
TYPES = {"name": "str", "cause": "str", "day": "datetime64[s]", "signed": "Int64", "rate": "float64", "days": "float64"}
ROWS = [
    ("=1+1", "queueing", "2026-11-20", 1234, 0.1 + 0.2, 4.5),
    ("江北支行", None, None, None, None, None),
    ("\t@SUM(A1)", "unheard_of", "2024-02-29", 0, 2 / 3, -1.5),
    (None, "queueing", "2026-01-01", 7, 1.0, 0.0),
]
# What stands in the cells: codes in words, nothing where nothing is known.
SEEN = [
    ("=1+1", "Queueing", date(2026, 11, 20), 1234, 0.1 + 0.2, 4.5),
    ("江北支行", "not recorded", None, None, None, None),
    ("\t@SUM(A1)", "unheard_of", date(2024, 2, 29), 0, 2 / 3, -1.5),
    (None, "Queueing", date(2026, 1, 1), 7, 1.0, 0.0),
]


def frame(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)


def table(rows=ROWS, total=True, columns=COLUMNS) -> Table:
    whole = pd.DataFrame({"signed": pd.array([1241], dtype="Int64"), "rate": [0.5]}) if total else None
    return Table("Complaints by Outlet", columns, frame(rows), whole, note="Parts overlap.")


def about(row_count: int, **other) -> About:
    said = About(
        filters=[("Branch", "江北支行"), ("Product", "=HYPERLINK(1)")],
        scope="江北支行 and 3 branches below it",
        data_until=date(2026, 11, 20),
        person="王芳",
        made_at=datetime(2026, 11, 21, 14, 5),
        link="https://dashboard.example/activation?branch=1&period=month",
        row_count=row_count,
    )
    return replace(said, **other)


def texts(*values: str | None) -> Table:
    return Table("Names", (TEXT,), pd.DataFrame({"name": pd.Series(values, dtype=object)}))


def book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def cells(sheet) -> list[tuple]:
    return [tuple(v.date() if isinstance(v, datetime) else v for v in row) for row in sheet.iter_rows(values_only=True)]


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv_module.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_written(cell: str) -> str:
    """A CSV text read as the docstring of `csv` says."""
    return cell[1:] if re.match(r"'+(?:[\t\r\n]|[\s\ufeff\u200b]*[=+\-@＝＋－＠])", cell) else cell


# XLSX ---------------------------------------------------------------------------------------------------------------


def test_a_workbook_holds_heading_total_and_rows_in_their_order():
    sheet = book(xlsx(table(), about(4), EN)).worksheets[0]
    heading, total, *rows = cells(sheet)
    assert heading == ("Outlet", "Cause", "Received on", "Signed", "Rate", "Days")
    assert total == ("Total", None, None, 1241, 0.5, None)
    assert rows == SEEN


def test_a_table_without_total_has_none_in_the_file():
    assert cells(book(xlsx(table(total=False), about(4), EN)).worksheets[0])[1:] == SEEN


def test_numbers_are_exact_to_the_last_bit():
    value = 0.1 + 0.2  # 0.30000000000000004: sixteen digits would make it 0.3
    assert book(xlsx(table(), about(4), EN)).worksheets[0]["E3"].value == value


def test_cells_are_real_numbers_and_dates_in_the_formats_of_the_screen():
    sheet = book(xlsx(table(), about(4), EN)).worksheets[0]
    assert [cell.data_type for cell in sheet[3]] == ["s", "s", "d", "n", "n", "n"]
    assert [cell.number_format for cell in sheet[3]] == ["@", "@", "[$-409]d mmm yyyy", "#,##0", "#,##0.0 %", "#,##0.0"]


def test_a_workbook_speaks_the_readers_language():
    content = xlsx(table(), about(4), words("zh_CN"))
    assert book(content).sheetnames == ["数据", "说明"]
    sheet = book(content).worksheets[0]
    assert sheet["A2"].value == "合计"
    assert sheet["C3"].number_format == 'yyyy"年"m"月"d"日"'
    assert sheet["A3"].font.name == "Microsoft YaHei"


def test_the_heading_is_frozen_with_the_total_and_filters_reach_over_all_rows():
    sheet = book(xlsx(table(), about(4), EN)).worksheets[0]
    assert sheet.freeze_panes == "B3"
    assert sheet.auto_filter.ref == "A1:F6"
    assert sheet["A2"].font.bold
    assert not sheet["A3"].font.bold


def test_columns_are_wide_enough_for_chinese_names():
    name = "重庆市江北区人民路支行营业部"
    sheet = book(xlsx(texts(name), about(1), EN)).worksheets[0]
    assert sheet.column_dimensions["A"].width >= 2 * len(name)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("write", [xlsx, csv, parquet])
def test_a_table_without_rows_still_has_its_columns(write, total):
    content = write(table([], total), about(0), EN)
    if write is xlsx:
        assert len(cells(book(content).worksheets[0])) == 1 + total
    elif write is csv:
        assert len(read_csv(content)) == 1 + total
    else:
        assert pq.read_table(io.BytesIO(content)).num_rows == 0


def test_one_row_is_written_as_one_row():
    assert cells(book(xlsx(table(ROWS[:1], total=False), about(1), EN)).worksheets[0])[1:] == SEEN[:1]


def test_a_column_that_is_missing_everywhere_stays_empty():
    rows = [(None, None, None, None, None, None)] * 3
    got = cells(book(xlsx(table(rows, total=False), about(3), EN)).worksheets[0])[1:]
    assert got == [(None, "not recorded", None, None, None, None)] * 3
    read = pq.read_table(io.BytesIO(parquet(table(rows, total=False), about(3), EN)))
    assert read.column("Signed").to_pylist() == [None] * 3


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠A", " =1+1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", [*FORMULAS, "https://example.org", "12", "1e5", "TRUE", "<r><t>x</t></r>", "&<>\"'"])
def test_any_text_in_a_workbook_is_a_text(text):
    sheet = book(xlsx(texts(text), about(1), EN)).worksheets[0]
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].hyperlink is None
    got = CalamineWorkbook.from_filelike(io.BytesIO(xlsx(texts(text), about(1), EN))).get_sheet_by_index(0)
    assert got.to_python(skip_empty_area=False)[1] == [text]


storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), min_size=1)


@settings(deadline=None)
@given(st.lists(storable, min_size=1, max_size=5))
def test_any_text_comes_back_from_a_workbook_as_it_was(values):
    content = xlsx(texts(*values), about(len(values)), EN)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert sheet.to_python(skip_empty_area=False)[1:] == [[value] for value in values]


def test_a_text_beyond_what_a_cell_holds_is_refused_in_a_sentence_and_never_cut():
    assert cells(book(xlsx(texts("x" * 32_767), about(1), EN)).worksheets[0])[1] == ("x" * 32_767,)
    with pytest.raises(ExportError, match="“Outlet” in row 2 has 32,768 characters"):
        xlsx(texts("short", "x" * 32_768), about(2), EN)


def test_characters_are_counted_as_excel_counts_them():
    with pytest.raises(ExportError, match="has 32,768 characters"):
        xlsx(texts("😀" * 16_384), about(1), EN)


def test_a_code_point_that_no_workbook_can_hold_is_refused_and_goes_into_the_csv():
    with pytest.raises(ExportError, match=re.escape("code point U+FFFE")):
        xlsx(texts("a\ufffe"), about(1), EN)
    assert read_csv(csv(texts("a\ufffe"), about(1), EN))[1] == ["a\ufffe"]


def test_a_filter_too_long_for_a_cell_is_refused_and_not_cut():
    with pytest.raises(ExportError, match="“Product” in row"):
        xlsx(table(), about(4, filters=[("Product", "x" * 40_000)]), EN)


@pytest.mark.parametrize("number", [float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused_in_a_workbook(number):
    odd = Table("Rates", (replace(COUNT, unit=Unit.RATE),), pd.DataFrame({"signed": [1.0] * 300 + [number]}))
    with pytest.raises(ExportError, match=f"“Signed” in row 301 is {number}, which no Excel file can hold"):
        xlsx(odd, about(301), EN)


def test_days_that_excel_does_not_know_are_written_out():
    old = Table(
        "Days", (Column("day", "Day", "day"),), pd.DataFrame({"day": pd.to_datetime(["1899-12-31", "1900-03-01"])})
    )
    assert cells(book(xlsx(old, about(2), EN)).worksheets[0])[1:] == [("1899-12-31",), (date(1900, 3, 1),)]


# Several sheets and batches -----------------------------------------------------------------------------------------


def test_rows_beyond_a_sheet_go_on_to_the_next_and_the_file_says_so(monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS", 4)
    rows = [(f"row {at}", None, None, at, None, None) for at in range(8)]
    found = book(xlsx(table(rows), about(8), EN))
    assert found.sheetnames == ["Data", "Data 2", "Data 3", "About"]
    sheets = [cells(sheet) for sheet in found.worksheets[:3]]
    # The first sheet holds the total too, and every sheet its heading.
    assert [len(sheet) for sheet in sheets] == [4, 4, 4]
    assert all(sheet[0][0] == "Outlet" for sheet in sheets)
    assert sheets[0][1][0] == "Total"
    written = [row[0] for at, sheet in enumerate(sheets) for row in sheet[2 if at == 0 else 1 :]]
    assert written == [f"row {at}" for at in range(8)]
    note = "An Excel sheet holds 4 rows, so the 8 rows stand on 3 sheets."
    assert ("Note", note) in cells(found["About"])
    assert sheets_note(table(rows), 8, EN) == note


@pytest.mark.parametrize(("total", "fits"), [(False, 3), (True, 2)])
def test_a_sheet_that_is_just_full_needs_no_second(monkeypatch, total, fits):
    monkeypatch.setattr(exports, "SHEET_ROWS", 4)
    rows = [("a", None, None, 1, None, None)] * fits
    assert book(xlsx(table(rows, total), about(fits), EN)).sheetnames == ["Data", "About"]
    assert sheets_note(table(rows, total), fits, EN) is None
    assert sheets_note(table(rows, total), fits + 1, EN) is not None


def test_a_real_sheet_holds_1048575_rows_under_its_heading():
    assert sheets_note(table([], total=False), 1_048_575, EN) is None
    assert "1,048,576 rows stand on 2 sheets" in sheets_note(table([], total=False), 1_048_576, EN)


@pytest.mark.parametrize("write", [xlsx, csv, parquet])
def test_batches_give_the_same_file_as_the_rows_at_once(write):
    def content(found):
        if write is xlsx:
            return cells(book(found).worksheets[0])
        return read_csv(found) if write is csv else pq.read_table(io.BytesIO(found))

    at_once = write(table(), about(4), EN)
    # The table on screen is one page; the batches stand for it.
    one_page = table(ROWS[:1])
    in_batches = write(one_page, about(4), EN, (frame(ROWS[at : at + 2]) for at in (0, 2)))
    assert content(in_batches) == content(at_once)


@pytest.mark.parametrize("write", [xlsx, csv, parquet])
@pytest.mark.parametrize("promised", [3, 5])
def test_more_or_fewer_rows_than_promised_are_told(write, promised):
    with pytest.raises(ExportError, match=f"{promised} rows were to be written, and 4 came"):
        write(table(), about(promised), EN)


@pytest.mark.parametrize("write", [xlsx, csv, parquet])
def test_no_batches_at_all_are_an_empty_table(write):
    assert write(table(), about(0), EN, iter(()))


def test_two_hundred_thousand_rows_come_back_whole_and_in_order():
    count = 200_000
    long = Table("Long", (TEXT, COUNT), pd.DataFrame({"name": [], "signed": []}))

    def batches():
        for first in range(0, count, 20_000):
            at = range(first, first + 20_000)
            yield pd.DataFrame({"name": [f"客户 {n}" for n in at], "signed": pd.array(at, dtype="Int64")})

    content = xlsx(long, about(count), EN, batches())
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[1:]
    assert rows == [[f"客户 {n}", float(n)] for n in range(count)]


# About --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Scope", "Data until", "20 Nov 2026", "Rows", "Note", "Made by", "Made on", "21 Nov 2026, 14:05"]),
        ("zh_CN", ["范围", "数据截至", "2026年11月20日", "行数", "注意", "制表人", "制表时间", "2026年11月21日 14:05"]),
        ("zh_TW", ["範圍", "資料截至", "2026年11月20日", "行數", "注意", "製表人", "製表時間"]),
    ],
)
def test_the_second_sheet_says_what_the_file_is_in_the_readers_language(language, said):
    found = book(xlsx(table(), about(4), words(language)))
    sheet = found.worksheets[1]
    everything = [value for row in cells(sheet) for value in row]
    assert [text for text in said if text not in everything] == []
    assert everything[0] == "Complaints by Outlet"
    for text in ("江北支行", "=HYPERLINK(1)", "王芳", "Parts overlap.", "4", "江北支行 and 3 branches below it"):
        assert text in everything


def test_the_second_sheet_gives_the_meaning_of_every_measure():
    measures = (MEASURES["activation_rate"], MEASURES["signed"])
    asked = Question(measures, Period(date(2026, 10, 1), date(2026, 10, 31)), (OUTLET,))
    rows = pd.DataFrame({"outlet": ["1"], "outlet_name": ["Gulou"], "activation_rate": [0.5], "signed": [2]})
    for language in LANGUAGES:
        say = words(language)
        lines = cells(book(xlsx(table_of(asked, rows, None, say), about(1), say)).worksheets[1])
        assert all((say(m.label), say(m.meaning)) in lines for m in measures)


def test_the_link_back_can_be_clicked():
    sheet = book(xlsx(table(), about(4), EN)).worksheets[1]
    link = about(4).link
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == link)
    assert cell.hyperlink.target == link


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "https://example.org/?" + "x" * 3000])
def test_a_link_that_excel_cannot_open_safely_stands_there_as_text(link):
    sheet = book(xlsx(table(), about(4, link=link), EN)).worksheets[1]
    assert [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.value == link] == [None]


def test_without_a_link_there_is_no_line_for_it():
    lines = cells(book(xlsx(table(), about(4, link=None), EN)).worksheets[1])
    assert "Open in the dashboard" not in [line[0] for line in lines]


# CSV ----------------------------------------------------------------------------------------------------------------


def test_a_csv_file_begins_with_a_mark_so_that_excel_reads_chinese():
    assert csv(table(), about(4), EN).startswith(b"\xef\xbb\xbf")


def test_a_csv_file_holds_heading_total_and_rows_exactly():
    heading, total, *rows = read_csv(csv(table(), about(4), EN))
    assert heading == ["Outlet", "Cause", "Received on", "Signed", "Rate", "Days"]
    assert total == ["Total", "", "", "1241", "0.5", ""]
    assert rows == [
        ["'=1+1", "Queueing", "2026-11-20", "1234", "0.30000000000000004", "4.5"],
        ["江北支行", "not recorded", "", "", "", ""],
        ["'\t@SUM(A1)", "unheard_of", "2024-02-29", "0", repr(2 / 3), "-1.5"],
        ["", "Queueing", "2026-01-01", "7", "1", "0"],
    ]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_like_a_formula_is_disarmed_in_csv(text):
    assert read_csv(csv(texts(text), about(1), EN))[1] == ["'" + text]


def test_negative_numbers_are_numbers_and_not_disarmed():
    assert read_csv(csv(table(), about(4), EN))[4][5] == "-1.5"


@pytest.mark.parametrize("text", ["'quoted'", "O'Brien", "a=b", "1-2", "−3"])
def test_texts_that_no_spreadsheet_takes_for_a_formula_are_left_alone(text):
    assert read_csv(csv(texts(text), about(1), EN))[1] == [text]


@given(st.text(st.sampled_from("'=+-@＝\t\n\x0b\x1c\x85\xa0\u1680\u2003\u2029\u3000\ufeff\u200b a\\.\x00")))
def test_many_texts_are_disarmed_as_one_is(text):
    assert read_csv(csv(texts("x", text), about(2), EN))[2] == [disarmed(text)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_comes_back_from_csv_as_the_docstring_says(values):
    rows = read_csv(csv(texts(*values), about(len(values)), EN))[1:]
    assert [as_written(row[0]) if row else "" for row in rows] == values
    assert not any(row and re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", row[0]) for row in rows)


# Parquet ------------------------------------------------------------------------------------------------------------


def test_a_parquet_file_has_typed_columns_under_readable_names():
    read = pq.read_table(io.BytesIO(parquet(table(), about(4), EN)))
    assert dict(zip(read.column_names, read.schema.types, strict=True)) == {
        "Outlet": pa.string(),
        "Cause": pa.string(),
        "Received on": pa.date32(),
        "Signed": pa.int64(),
        "Rate": pa.float64(),
        "Days": pa.float64(),
    }
    assert [tuple(row.values()) for row in read.to_pylist()] == SEEN


def test_the_total_of_a_parquet_file_is_beside_its_rows_because_readers_add_them_up():
    read = pq.read_table(io.BytesIO(parquet(table(), about(4), EN)))
    assert "Total" not in read.column("Outlet").to_pylist()
    assert json.loads(read.schema.metadata[b"total"])["Signed"] == 1241


def test_a_parquet_file_says_what_it_is():
    said = json.loads(pq.read_table(io.BytesIO(parquet(table(), about(4), EN))).schema.metadata[b"about"])
    assert ["Branch", "江北支行"] in said
    assert ["Made by", "王芳"] in said


def test_two_columns_of_one_label_keep_apart():
    same = (TEXT, replace(COUNT, name="a"), replace(COUNT, name="b"), replace(COUNT, name="c", label="Signed 2"))
    assert headings(Table("T", same, pd.DataFrame())) == ["Outlet", "Signed", "Signed 2", "Signed 2 2"]


def test_a_refusal_can_be_told_in_every_language():
    with pytest.raises(ExportError) as refused:
        xlsx(table(), about(9), EN)
    assert words("zh_CN").told(refused.value) == "应写入 9 行，实得 4 行：数据在此期间已更新。请重新导出。"


def test_every_page_of_a_workbook_says_whose_it_is_until_when_and_under_which_number():
    said = about(4, person="A&B " * 80, file_id="K7Q2M9WX4RTP", expires_on=date(2026, 12, 21))
    for sheet in book(xlsx(table(), said, EN)).worksheets:
        foot = sheet.oddFooter.left.text
        # What is cut is the reader's long name, and never in the middle of an && that stands for one sign.
        assert foot.startswith("Confidential · K7Q2M9WX4RTP · to be destroyed after 21 Dec 2026 · A")
        assert not foot.replace("&&", "").count("&")
    lines = dict(about_lines(table(), said, EN))
    assert lines["File"] == "K7Q2M9WX4RTP"
    assert lines["Confidential"].endswith("to be destroyed after 21 Dec 2026")
