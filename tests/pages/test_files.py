"""A file says what the screen says: each table's workbook is read back and compared with what the browser was given to draw."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zipfile import ZipFile

import duckdb
import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from data_access import embedded
from measures.question import Order
from measures.schema import metadata
from tests import bank

TABLES = {
    "overview": ["overview_branches"],
    "activation": ["activation_by_branch", "activation_by_product", "use_by_product", "use_by_branch", "use_by_cohort"],
    "follow_up": [
        "follow_up_lists",
        "follow_up_agents",
        "overdue_listing",
        "contact_by_product",
        "contact_by_list",
        "contact_by_branch",
    ],
    "targets": ["targets_signed", "targets_activated"],
    "complaints": [
        "complaints_by_cause",
        "complaints_by_branch",
        "complaints_by_product",
        "complaints_by_channel",
        "complaints_by_state",
        "open_complaints",
        "complaint_listing",
        "closing_by_cause",
        "closing_by_branch",
        "closing_by_product",
        "closing_by_channel",
    ],
    "explorer": ["explorer_signed_below"],
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BUSY_ROWS = 200_000


FILTERED = {"branch": "12", "product": "mobile,online", "period": "2026-04-01..2026-05-20", "compare": "previous"}


# Rows do not depend on the language, nor words on the filters: each is seen with some of the other.
@pytest.mark.parametrize(
    ("filters", "language"),
    [
        ({}, "en"),
        ({}, "zh_CN"),
        ({}, "zh_TW"),
        (FILTERED, "zh_CN"),
        ({"branch": "1211", "period": "month"}, "zh_TW"),
        ({"branch": "14", "product": "loan", "period": "week", "compare": "none"}, "en"),
    ],
    ids=["everything-en", "everything-zh_CN", "everything-zh_TW", "filtered", "one row", "no row"],
)
def test_the_workbook_of_every_table_is_what_is_on_screen(visit, whole_url, filters, language):
    reader = visit(whole_url, lang=language, **filters)
    for page, names in TABLES.items():
        written = []
        for on_screen in reader.show(page).turned():
            for name in on_screen.keys() - written:
                assert_same(on_screen[name], reader.file(name), language)
            written += [name for name in on_screen if name not in written]
        assert written == names


def test_a_table_sorted_on_screen_is_sorted_in_the_file(visit, whole_url):
    reader = visit(whole_url).show("activation").turn("activation_tables", "activation_by_product")
    before = [row["id"] for row in reader.tables["activation_by_product"]["rows"]]
    reader.app.session_state["activation_by_product_order"] = Order("product_name", descending=False)
    reader.app.run()
    table = reader.tables["activation_by_product"]
    assert [row["id"] for row in table["rows"]] == sorted(before) != before
    assert_same(table, reader.file("activation_by_product"), "en")


def test_a_table_sorted_by_a_change_is_shown_when_nothing_is_compared_any_more(visit, whole_url):
    reader = visit(whole_url).show("explorer")
    reader.app.session_state["explorer_signed_below_order"] = Order("signed_change")
    reader.app.run()
    (sorted_by,) = [c["name"] for c in reader.tables["explorer_signed_below"]["columns"] if "sorted" in c]
    assert sorted_by == "signed_change"
    reader.choose("compare", "none")
    assert reader.failures == []
    assert reader.tables["explorer_signed_below"]["rows"]


def test_names_like_formulas_stay_texts(visit, whole_url):
    reader = visit(whole_url, branch="12").show("complaints")
    sheet = opened(visit(whole_url, branch="121").file("overview_branches"))
    assert "=1+1" in [row[0].value for row in sheet.iter_rows()]
    for on_screen in reader.turned():
        for name in on_screen:
            assert not any(cell.data_type == "f" for row in opened(reader.file(name)).iter_rows() for cell in row)


def test_a_viewer_of_a_branch_takes_along_nothing_of_another(visit, whole_url):
    reader = visit(whole_url, branch="120").choose("view_as", bank.BRANCH)
    own = {row["branch_id"] for row in bank.BANK["branches"] if row["path"].startswith("1.12.")}
    foreign = {row["complaint_id"] for row in bank.BANK["complaints"] if row["branch_id"] not in own}
    for page, names in TABLES.items():
        reader.show(page)
        written = {name: reader.file(name) for on_screen in reader.turned() for name in on_screen}
        assert sorted(written) == sorted(names)
        for name, workbook in written.items():
            for row in opened(workbook).iter_rows(values_only=True):
                assert not {"Harbour", "Old harbour", "Hill", *foreign} & set(row), name


def test_a_listing_of_200_000_rows_is_written_whole_and_in_the_order_of_the_screen(visit, tmp_path):
    reader = visit(f"duckdb:///{busy_bank(tmp_path)}", lang="zh_CN").show("follow_up")
    table = reader.turn("follow_up_tables", "overdue_listing").tables["overdue_listing"]
    assert table["pages"]["last"] == BUSY_ROWS // 100
    workbook = reader.file("overdue_listing")
    first = [
        [text_of(cell, column) for cell, column in zip(row, table["columns"], strict=True)]
        for row in opened(workbook).iter_rows(min_row=2, max_row=101)
    ]
    assert first == [row["cells"] for row in table["rows"]]
    assert {"观音桥支行", "=1+1"} <= {text for row in first for text in row}
    with ZipFile(io.BytesIO(workbook)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_index(0).to_python()
    assert head == [column["label"] for column in table["columns"]]
    assert len(rows) == len({row[0] for row in rows}) == BUSY_ROWS
    reader.app.session_state["overdue_listing_page"] |= {"number": BUSY_ROWS // 100}
    reader.app.run()
    last = reader.tables["overdue_listing"]["rows"]
    for written, drawn in zip(rows[-100:], last, strict=True):
        assert [plain(value) for value in written] == drawn["cells"]


def plain(value: object) -> str:
    """A cell as it is read in Chinese, without a look at its format."""
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value:,.0f}" if isinstance(value, float) else str(value) or "—"


def busy_bank(folder: Path) -> Path:
    """An embedded warehouse in which 200,000 customers of lists are overdue, some with names like formulas."""
    path = folder / "busy.duckdb"
    with embedded.new_file(path) as connection:
        for table in ("branches", "products", "agents", "customers", "campaigns", "assignments", "contacts", "loads"):
            embedded.create(connection, metadata.tables[table])
        fill(connection)
    return path


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"""
        INSERT INTO branches (branch_id, name, parent_id, level, path) VALUES
            ('1', '总行', NULL, 'head_office', '1.'), ('2', '观音桥支行', '1', 'branch', '1.2.'), ('3', '=1+1', '1', 'branch', '1.3.');
        INSERT INTO products VALUES ('m', '手机银行', '电子渠道', 30, true);
        INSERT INTO agents (agent_id, name, branch_id) VALUES ('a', '@李伟', '2');
        INSERT INTO campaigns VALUES ('l', '=1+1', 'm', '1', '2026-01-01', '2026-12-31', NULL);
        INSERT INTO customers (customer_id, branch_id, kind, name)
            SELECT 'c' || i, '2', 'personal', CASE i % 3 WHEN 0 THEN '=1+1' WHEN 1 THEN '王芳' ELSE NULL END
            FROM range({BUSY_ROWS}) t(i);
        INSERT INTO assignments SELECT 's' || i, 'l', 'c' || i, 'm', CASE i % 2 WHEN 0 THEN '2' ELSE '3' END, 'a',
            DATE '2026-01-05', DATE '2026-02-01' + CAST(i % 50 AS INTEGER), NULL, 'open' FROM range({BUSY_ROWS}) t(i);
        INSERT INTO loads SELECT t, TIMESTAMP '2026-05-21 06:00:00', 0, 'core', DATE '2026-05-20'
            FROM (VALUES ('assignments'), ('contacts')) loaded(t);
    """)


def assert_same(table: dict, workbook: bytes, language: str) -> None:
    """Headings, total, rows, order and the look of each cell are those of the screen; numbers and days are no texts."""
    assert table["pages"] is None, "the test bank fits on one page"
    rows = opened(workbook).iter_rows()
    assert [cell.value for cell in next(rows)] == [column["label"] for column in table["columns"]]
    expected = ([table["total"]] if table["total"] else []) + [row["cells"] for row in table["rows"]]
    found = [[text_of(cell, column) for cell, column in zip(row, table["columns"], strict=True)] for row in rows]
    if table["total"]:
        assert found[0][0] == {"en": "Total", "zh_CN": "合计", "zh_TW": "合計"}[language]
        texts = [at for at, column in enumerate(table["columns"]) if at and column["kind"] == "text"]
        assert {found[0][at] for at in texts} <= {"—"}  # a second text column has no total: nothing stands there
        expected[0] = [found[0][at] if at in texts else text for at, text in enumerate(expected[0])]
    assert found == expected


def opened(workbook: bytes):
    return openpyxl.load_workbook(io.BytesIO(workbook), read_only=True).worksheets[0]


def text_of(cell, column: dict) -> str:
    """What Excel shows in the cell, after its type was looked at."""
    value, look = cell.value, getattr(cell, "number_format", "General")
    if value is None:
        return "—"
    if column["kind"] == "text":
        assert cell.data_type in ("s", "inlineStr") and isinstance(value, str)
        return value
    if isinstance(value, str):  # the total's own word, where the first column is a day
        return value
    if column["kind"] == "day":
        assert isinstance(value, datetime)
        return day(value, look)
    assert isinstance(value, int | float)
    return number(value, look)


def number(value: float, look: str) -> str:
    form = re.fullmatch(r"#,##0(?:\.(0+))?( ?%)?", look)
    assert form, look
    exact = Decimal(repr(value)) * (100 if form[2] else 1)
    text = f"{exact.quantize(Decimal(1).scaleb(-len(form[1] or '')), ROUND_HALF_UP):,}"
    return text.replace("-", "−") + (form[2] or "")


def day(value: datetime, look: str) -> str:
    if look == "[$-409]d mmm yyyy":
        return f"{value.day} {MONTHS[value.month - 1]} {value.year}"
    assert look == 'yyyy"年"m"月"d"日"', look
    return f"{value.year}年{value.month}月{value.day}日"
