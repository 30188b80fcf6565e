"""Files to take along: the table as it is on screen, as XLSX, CSV or Parquet.

All three hold the same rows in the same order with full precision, and speak the reader's language. A listing too long
for memory comes in `batches` of raw rows, which then stand for `table.rows`.
"""

from __future__ import annotations

import csv as csv_module
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from unicodedata import east_asian_width
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from measures.model import Unit, _
from measures.question import Told
from measures.texts import disarmed
from presentation.tables import About, Column, Table, cell_text
from presentation.units import day_shown, excel_day_format, excel_format, moment_shown
from presentation.withheld import CELL, is_withheld
from presentation.words import Words

SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, the heading among them."""
CELL_CHARACTERS = 32_767
"""Characters of an Excel cell, counted in UTF-16 as Excel does."""

_FONTS = {"en": "Arial", "zh_CN": "Microsoft YaHei", "zh_TW": "Microsoft JhengHei"}
_SAMPLED_ROWS = 200
_LINE_HEIGHT = 15
_LEFT, _RIGHT = {"align": "left", "indent": 1}, {"align": "right", "indent": 1}
"""Indented, or a text would touch the number that stands right-aligned before it."""
_FOOTER = 110
"""Characters at the foot's left: with each & written twice, and with the page, no more than the 255 that Excel takes."""
_FIRST_DAY = pd.Timestamp(1900, 3, 1)
"""Excel takes 1900 for a leap year: earlier days would be shown as others, or cannot be written at all."""
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
"""What no XML file can hold, not even escaped, though it is UTF-8."""


class ExportError(Told):
    """The file cannot be written without losing something."""


# XLSX ---------------------------------------------------------------------------------------------------------------


class _ExactSheet(Worksheet):
    """A sheet that writes what it is given: XlsxWriter cuts floats to 16 digits, and takes a text like <r>…</r> for XML."""

    def _xml_number_element(self, number, attributes=()):
        styled = "".join(f' {name}="{value}"' for name, value in attributes)
        self.fh.write(f"<c{styled}><v>{number!r}</v></c>")

    def _xml_rich_inline_string(self, string, attributes=()):
        self._xml_inline_string(string, True, attributes)


def xlsx(table: Table, about: About, say: Words, batches: Iterable[pd.DataFrame] | None = None) -> bytes:
    """An Excel workbook: the data with real numbers and dates under a frozen heading, the total first; then a sheet about them.

    Rows beyond what a sheet holds go on to further sheets. Days before March 1900, which Excel does not know, are
    written as text. Raises ExportError for a text that a cell cannot hold, and for more or fewer rows than
    `about.row_count`.
    """
    file = io.BytesIO()
    # Whatever a text begins with, it is written as a text: nothing is turned into a formula, a link or a number.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(file, options) as book:
        font = {"font_name": _FONTS[say.language], "font_size": 10, "valign": "vcenter"}
        book.formats[0].set_font_name(font["font_name"])
        book.formats[0].set_font_size(font["font_size"])
        book.set_properties({"title": table.title, "author": about.person, "created": about.made_at})
        sheets = _write_data(book, table, about, say, font, batches)
        _write_about(book, table, about, say, font, sheets)
    return file.getvalue()


def sheets_note(table: Table, row_count: int, say: Words) -> str | None:
    """The sentence for screen and file where `row_count` rows need more than one sheet, else None."""
    sheets = _sheets(table, row_count)
    if sheets == 1:
        return None
    return say(
        "An Excel sheet holds {limit} rows, so the {rows} rows stand on {sheets} sheets.",
        limit=f"{SHEET_ROWS:,}",
        rows=f"{row_count:,}",
        sheets=sheets,
    )


def _sheets(table: Table, row_count: int) -> int:
    in_first = SHEET_ROWS - 1 - (table.total is not None)
    further = max(0, row_count - in_first)
    return 1 + -(-further // (SHEET_ROWS - 1))


def _write_data(
    book: Workbook, table: Table, about: About, say: Words, font: dict, batches: Iterable[pd.DataFrame] | None
) -> int:
    """Writes the data sheets, and returns how many they are."""
    heading = {
        "text": book.add_format(font | {"bold": True, "text_wrap": True, "bottom": 1} | _LEFT),
        "number": book.add_format(font | {"bold": True, "text_wrap": True, "bottom": 1} | _RIGHT),
    }
    cells = [book.add_format(font | _number_format(column, say)) for column in table.columns]
    totals = [
        book.add_format(font | _number_format(column, say) | {"bold": True, "bottom": 1, "bg_color": "#F2F2F2"})
        for column in table.columns
    ]
    labels, widths = headings(table), []
    sheet, next_row, written, sheets = None, SHEET_ROWS, 0, 0

    def new_sheet() -> None:
        nonlocal sheet, next_row, sheets
        if sheet is not None:
            sheet.autofilter(0, 0, next_row - 1, len(table.columns) - 1)
        sheets += 1
        sheet = book.add_worksheet(say("Data") + (f" {sheets}" if sheets > 1 else ""), worksheet_class=_ExactSheet)
        for at, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(
                0, at, labels[at], heading["number" if column.kind == "number" or column.interval else "text"]
            )
        sheet.set_row(0, _LINE_HEIGHT * max(map(_lines, labels, widths)))
        next_row = 1
        if sheets == 1 and table.total is not None:
            for at, (column, value) in enumerate(zip(table.columns, _total_values(table), strict=True)):
                _write_cell(sheet, 1, at, column, value, totals[at])
            sheet.write_string(1, 0, say("Total"), totals[0])
            next_row = 2
        sheet.freeze_panes(next_row, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(_footer(about, say))

    for rows in _batches(table, about, batches):
        if not widths:
            widths = [_width(column, rows, say) for column in table.columns]
            new_sheet()
        for values in _values(table.columns, rows, say):
            if next_row == SHEET_ROWS:
                new_sheet()
            for at, value in enumerate(values):
                if value is None:
                    continue
                column = table.columns[at]
                if column.kind == "text":
                    _refuse_what_no_cell_holds(value, column.label, written + 1)
                _write_cell(sheet, next_row, at, column, value, cells[at])
            next_row += 1
            written += 1
    sheet.autofilter(0, 0, next_row - 1, len(table.columns) - 1)
    return sheets


def _write_cell(sheet: Worksheet, row: int, at: int, column: Column, value: object, cell: Format) -> None:
    if value is None:
        sheet.write_blank(row, at, None, cell)
    elif column.kind == "text" or isinstance(value, str):
        sheet.write_string(row, at, value, cell)
    elif column.kind == "number":
        sheet.write_number(row, at, value, cell)
    elif pd.Timestamp(value) < _FIRST_DAY:
        sheet.write_string(row, at, value.isoformat()[:10], cell)
    else:
        sheet.write_datetime(row, at, value, cell)


def _refuse_what_no_cell_holds(text: str, column: str, row: int) -> None:
    if len(text) * 2 > CELL_CHARACTERS and (length := len(text.encode("utf-16-le")) // 2) > CELL_CHARACTERS:
        raise ExportError(
            _("“{column}” in row {row} has {length} characters, and an Excel cell holds {limit}. Take the CSV file."),
            column=column,
            row=f"{row:,}",
            length=f"{length:,}",
            limit=f"{CELL_CHARACTERS:,}",
        )
    if found := _NO_CHARACTER.search(text):
        raise ExportError(
            _("“{column}” in row {row} holds the code point {code}, which no Excel file can hold. Take the CSV file."),
            column=column,
            row=f"{row:,}",
            code=f"U+{ord(found[0]):04X}",
        )


def _number_format(column: Column, say: Words) -> dict:
    if column.kind == "number":
        return {"num_format": excel_format(column.unit, say.language)} | _RIGHT
    if column.kind == "day":
        return {"num_format": excel_day_format(column.step, say.language)} | _LEFT
    return {"num_format": "@"} | _LEFT


def _width(column: Column, rows: pd.DataFrame, say: Words) -> float:
    """The width of a column in digits: as wide as its first rows, and wide enough for a heading in two or three lines."""
    texts = [cell_text(column, value, say) for value in rows[column.name].head(_SAMPLED_ROWS)]
    longest = max(map(_breadth, texts), default=0)
    return min(60, 4 + max(longest, 8, min(_breadth(column.label), 14)))


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column; the four digits less are for words, which do not break."""
    return -(-_breadth(text) // int(width - 4))


def _breadth(text: str) -> int:
    """How many Latin letters wide: Chinese characters count twice."""
    return max((sum(2 if east_asian_width(c) in "WF" else 1 for c in line) for line in text.splitlines()), default=0)


def _write_about(book: Workbook, table: Table, about: About, say: Words, font: dict, sheets: int) -> None:
    sheet = book.add_worksheet(say("About"), worksheet_class=_ExactSheet)
    named = book.add_format(font | {"bold": True, "valign": "top"})
    text = book.add_format(font | {"text_wrap": True, "valign": "top"})
    title = book.add_format(font | {"bold": True, "font_size": 14})
    link = book.add_format(font | {"font_color": "#0563C1", "underline": 1, "valign": "top"})
    sheet.set_footer(_footer(about, say))
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 90)
    sheet.hide_gridlines(2)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for row, (name, value) in enumerate(about_lines(table, about, say)):
        _refuse_what_no_cell_holds(value, name, row + 1)
        sheet.set_row(row, _LINE_HEIGHT * (2 if row == 0 else max(1, _lines(name, 28), _lines(value, 90))))
        sheet.write_string(row, 0, name, title if row == 0 else named)
        # Three times: signs that are escaped grow, and a link beyond Excel's limit would not be written at all.
        if (
            value == about.link
            and urlsplit(value).scheme in ("http", "https")
            and 3 * len(value) < sheet.max_url_length
        ):
            sheet.write_url(row, 1, value, link, value)
        else:
            sheet.write_string(row, 1, value, text)


def _footer(about: About, say: Words) -> str:
    """The foot of each printed page: whose file it is and until when, the file's name, the page."""
    left = [say("Confidential"), about.file_id, _until(about, say) if about.expires_on else "", about.person]
    # In a footer & begins a code.
    said = " · ".join(part for part in left if part)[:_FOOTER].replace("&", "&&")
    return f"&L{said}&R&F  &P / &N"


def _until(about: About, say: Words) -> str:
    return say("to be destroyed after {day}", day=day_shown(about.expires_on, say.language))


def about_lines(table: Table, about: About, say: Words) -> list[tuple[str, str]]:
    """What a file says of itself, as names and texts: title, filters, scope, date, rows, meanings, who, when, link."""
    lines = [(table.title, "")]
    if table.meaning:
        lines.append((say("What it shows"), table.meaning))
    lines += about.filters
    lines += [
        (say("Scope"), about.scope),
        (say("Data until"), day_shown(about.data_until, say.language)),
        (say("Rows"), f"{about.row_count:,}"),
    ]
    notes = [table.note, sheets_note(table, about.row_count, say)]
    lines += [(say("Note"), note) for note in notes if note]
    lines += [(column.label, column.meaning) for column in table.columns if column.meaning]
    lines += [(say("Made by"), about.person), (say("Made on"), moment_shown(about.made_at, say.language))]
    kept = say.clauses(
        [say("for {person} alone", person=about.person), *([_until(about, say)] if about.expires_on else [])]
    )
    lines.append((say("Confidential"), kept))
    if about.file_id:
        lines.append((say("File"), about.file_id))
    if about.link:
        lines.append((say("Open in the dashboard"), about.link))
    return lines


# CSV ----------------------------------------------------------------------------------------------------------------


def csv(table: Table, about: About, say: Words, batches: Iterable[pd.DataFrame] | None = None) -> bytes:
    """Comma-separated UTF-8 with a byte-order mark, so that Excel reads Chinese: a heading, the total if there is one, the rows.

    Numbers have full precision (shares 0–1), days are 2026-11-20. A CSV file has no types, and Excel runs a text such as
    =1+1 as a formula; so a text cell that begins like one (= + - @, also full-width or after blanks; tab; line break) has
    an apostrophe put before it, and so has one that begins with apostrophes before such a sign. Who reads the file by
    program takes one apostrophe off wherever apostrophes and such a sign begin a text column, and has the texts exactly.
    Raises ExportError for more or fewer rows than `about.row_count`.
    """
    file = io.StringIO(newline="")
    writer = csv_module.writer(file)
    writer.writerow([disarmed(label) for label in headings(table)])
    if table.total is not None:
        writer.writerow([say("Total"), *map(_plain, _total_values(table)[1:])])
    kinds = [column.kind for column in table.columns]
    for rows in _batches(table, about, batches):
        for values in _values(table.columns, rows, say):
            writer.writerow(
                [
                    disarmed(value or "") if kind == "text" else _plain(value)
                    for kind, value in zip(kinds, values, strict=True)
                ]
            )
    return file.getvalue().encode("utf-8-sig")


def _plain(value: object) -> object:
    if value is None:
        return ""
    return value.isoformat()[:10] if isinstance(value, date) else value


# Parquet ------------------------------------------------------------------------------------------------------------


def parquet(table: Table, about: About, say: Words, batches: Iterable[pd.DataFrame] | None = None) -> bytes:
    """A Parquet file with typed columns under readable names; what the other files say about themselves is its metadata `about`.

    The total is in the metadata, not among the rows: whoever reads this file adds them up. Raises ExportError for more
    or fewer rows than `about.row_count`.
    """
    fields = [
        pa.field(name, _arrow_type(column), metadata={"name": column.name, "meaning": column.meaning or ""})
        for name, column in zip(headings(table), table.columns, strict=True)
    ]
    said = {"about": json.dumps(about_lines(table, about, say), ensure_ascii=False)}
    if table.total is not None:
        total = dict(zip(headings(table), _total_values(table), strict=True))
        said["total"] = json.dumps(total, ensure_ascii=False)
    schema = pa.schema(fields, metadata=said)
    file = io.BytesIO()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _batches(table, about, batches):
            columns = [
                pa.array(values, type=field.type)
                for field, values in zip(fields, _column_values(table.columns, rows), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return file.getvalue()


def _arrow_type(column: Column) -> pa.DataType:
    if column.kind == "number":
        return pa.int64() if column.unit is Unit.COUNT else pa.float64()
    return pa.date32() if column.kind == "day" else pa.string()


# What all three write -----------------------------------------------------------------------------------------------


def headings(table: Table) -> list[str]:
    """The labels; where two columns have the same, the second one has its number behind it, because readers go by name."""
    found: list[str] = []
    for column in table.columns:
        heading, number = column.label, 1
        while heading in found:
            number += 1
            heading = f"{column.label} {number}"
        found.append(heading)
    return found


def _batches(table: Table, about: About, batches: Iterable[pd.DataFrame] | None) -> Iterator[pd.DataFrame]:
    """The rows as they come, the table's own (perhaps empty) frame if there are none; counted, so that none is lost unseen."""
    written = 0
    for rows in batches if batches is not None else (table.rows,):
        written += len(rows)
        yield rows
    if batches is not None and written == 0:
        yield table.rows.iloc[:0]
    if written != about.row_count:
        raise ExportError(
            _("{expected} rows were to be written, and {written} came: the data changed meanwhile. Export again."),
            expected=f"{about.row_count:,}",
            written=f"{written:,}",
        )


def _values(columns: tuple[Column, ...], rows: pd.DataFrame, say: Words) -> Iterator[tuple]:
    """The rows as Python values, codes in words, None for what is missing, a word for a number that is withheld."""
    found = _column_values(columns, rows)
    for at, column in enumerate(columns):
        hidden = is_withheld(rows, column.name)
        found[at] = [say(CELL) if h else value for h, value in zip(hidden, found[at], strict=True)]
    return zip(*found, strict=True)


def _total_values(table: Table) -> list:
    """The total row as Python values, None where a column has no total. Column by column: a row would make counts floats."""
    found = [table.total[c.name].tolist()[0] if c.name in table.total else None for c in table.columns]
    return [None if pd.isna(value) else value for value in found]


def _column_values(columns: tuple[Column, ...], rows: pd.DataFrame) -> list[list]:
    found = []
    for column in columns:
        values = rows[column.name].astype(object)
        values = values.where(values.notna(), column.missing if column.kind == "text" else None).tolist()
        if column.values:
            values = [column.values.get(value, value) for value in values]
        found.append(values)
    return found
