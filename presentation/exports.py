"""Files to take along: the table as it is on screen, as XLSX, CSV or Parquet.

All three hold the same rows in the same order with full precision, and speak the reader's language. A listing too long
for memory comes in `batches` of raw rows, which then stand for `table.rows`. Whole columns are written at once, by Arrow: cell by
cell, as a spreadsheet's library takes them, a million rows would take Python a minute.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import wraps
from itertools import chain, groupby
from operator import itemgetter
from typing import BinaryIO
from unicodedata import east_asian_width
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_range
from xlsxwriter.worksheet import Worksheet

from measures.model import Unit, _
from measures.question import WITHHELD, Told
from measures.texts import FORMULA, disarmed
from presentation.tables import About, Column, Table, cell_text
from presentation.units import day_shown, excel_day_format, excel_format, moment_shown
from presentation.withheld import CELL
from presentation.words import Words

SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, the heading among them."""
CELL_CHARACTERS = 32_767
"""Characters of an Excel cell, counted in UTF-16 as Excel does."""

FONTS = {"en": "Arial", "zh_CN": "Microsoft YaHei", "zh_TW": "Microsoft JhengHei"}
_SAMPLED_ROWS = 200
_LINE_HEIGHT = 15
_LEFT, _RIGHT = {"align": "left", "indent": 1}, {"align": "right", "indent": 1}
"""Indented, or a text would touch the number that stands right-aligned before it."""
_FOOTER = 110
"""Characters at the foot's left: with each & written twice, and with the page, no more than the 255 that Excel takes."""
_FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year: earlier days would be shown as others, or cannot be written at all."""
_DAY_ZERO = date(1899, 12, 30).toordinal()
_DAY_NOUGHT = date(1970, 1, 1).toordinal() - _DAY_ZERO
"""Excel's number for the day from which Arrow counts."""
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
"""What no XML file can hold, not even escaped, though it is UTF-8."""
_SIGNS = re.compile("[\\x00-\\x08\\x0b-\\x1f]")
_LIKE_A_SIGN = re.compile("_(?=x[0-9a-fA-F]{4}_)")
"""Excel writes a control character as _x001B_, and what looks like one with its first line as _x005F_."""
_NOT_AS_IT_IS = "[&<>\\x00-\\x08\\x0b-\\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_"
"""What has to be looked at before it is written into XML: nearly no text of a bank's."""
_BLANK_AT_AN_END = r"\A[ \t\n]|[ \t\n]\z"
_QUOTED = '[",\r\n]'
"""What a CSV file writes within quotes."""
_JOINED = 10_000
"""Rows whose XML is held at once."""
_FAST = 1
"""The level at which a workbook is packed: the usual 6 takes four times as long for a file a fifth smaller."""


class ExportError(Told):
    """The file cannot be written without losing something."""


Rows = pa.RecordBatch | pa.Table | pd.DataFrame
"""Raw rows, by the names of the columns."""


def _in_memory(write: Callable[..., None]) -> Callable[..., bytes]:
    """`write`, which writes into a file, as a function that returns what is in the file."""

    @wraps(write)
    def made(table: Table, about: About, say: Words, batches: Iterable[Rows] | None = None) -> bytes:
        file = io.BytesIO()
        write(file, table, about, say, batches)
        return file.getvalue()

    return made


# XLSX ---------------------------------------------------------------------------------------------------------------


class ExactSheet(Worksheet):
    """A sheet that writes what it is given: XlsxWriter cuts floats to 16 digits, and takes a text like <r>…</r> for XML."""

    def _xml_number_element(self, number, attributes=()):
        styled = "".join(f' {name}="{value}"' for name, value in attributes)
        self.fh.write(f"<c{styled}><v>{number!r}</v></c>")

    def _xml_rich_inline_string(self, string, attributes=()):
        self._xml_inline_string(string, True, attributes)


def write_xlsx(file: BinaryIO, table: Table, about: About, say: Words, batches: Iterable[Rows] | None = None) -> None:
    """An Excel workbook: the data with real numbers and dates under a frozen heading, the total first; then a sheet about them.

    Rows beyond what a sheet holds go on to further sheets. Days before March 1900, which Excel does not know, are
    written as text. Raises ExportError for what a cell cannot hold, and for more or fewer rows than `about.row_count`.
    """
    rows = _batches(table, about, batches)
    first = next(rows)
    book, styles = _book(table, about, say, first)
    parts = groupby(_parts(table, chain([first], rows)), itemgetter(0))
    at, on_sheet = next(parts, (None, ()))
    with ZipFile(book) as without_rows, ZipFile(file, "w") as packed:
        for part in without_rows.infolist():
            content = without_rows.read(part)
            if part.filename != f"xl/worksheets/sheet{at}.xml":
                packed.writestr(part, content, ZIP_DEFLATED, _FAST)
                continue
            head, end, tail = content.partition(b"</sheetData>")
            named = ZipInfo(part.filename, part.date_time)
            named.compress_type, named._compresslevel = ZIP_DEFLATED, _FAST
            with packed.open(named, "w") as sheet:
                sheet.write(re.sub(b'<dimension ref="[^"]*"', _reach(table, about, at), head, count=1))
                for _sheet, row, before, taken in on_sheet:
                    sheet.write(_xml(table.columns, taken, styles, say, row, before))
                sheet.write(end + tail)
            at, on_sheet = next(parts, (None, ()))
        for _more in parts:  # than was promised: they are counted to the end, and told
            pass


xlsx = _in_memory(write_xlsx)


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
    further = max(0, row_count - _room(table, 1))
    return 1 + -(-further // _room(table, 2))


def _heads(table: Table, sheet: int) -> int:
    """How many rows stand above the data of a sheet: its heading, and the total on the first."""
    return 1 + (sheet == 1 and table.total is not None)


def _room(table: Table, sheet: int) -> int:
    return SHEET_ROWS - _heads(table, sheet)


def _last_row(table: Table, about: About, sheet: int) -> int:
    """The number of the last row on a sheet."""
    before = _room(table, 1) + (sheet - 2) * _room(table, 2) if sheet > 1 else 0
    return _heads(table, sheet) + min(_room(table, sheet), about.row_count - before)


def _reach(table: Table, about: About, sheet: int) -> bytes:
    return f'<dimension ref="{xl_range(0, 0, _last_row(table, about, sheet) - 1, len(table.columns) - 1)}"'.encode()


def _parts(table: Table, batches: Iterable[pa.Table]) -> Iterator[tuple[int, int, int, pa.Table]]:
    """The rows in parts that each lie on one sheet: the sheet's number, that of the first row on it, the rows before, the part."""
    sheet, row, before = 1, _heads(table, 1) + 1, 0
    for batch in batches:
        while batch.num_rows:
            if row > SHEET_ROWS:
                sheet, row = sheet + 1, _heads(table, sheet + 1) + 1
            part = batch.slice(0, min(_JOINED, SHEET_ROWS + 1 - row))
            yield sheet, row, before, part
            row, before, batch = row + part.num_rows, before + part.num_rows, batch.slice(part.num_rows)


def _book(table: Table, about: About, say: Words, first: pa.Table) -> tuple[io.BytesIO, list[int]]:
    """The workbook without its rows, and the numbers of the styles of their cells; `first` rows decide how wide the columns are."""
    file = io.BytesIO()
    with workbook(file, table.title, about, say) as book:
        font = font_of(say)
        styles = [
            book.add_format(font | number_format(column, say))._get_xf_index()  # XlsxWriter numbers what is used
            for column in table.columns
        ]
        _write_heads(book, table, about, say, font, [_width(column, first, say) for column in table.columns])
        write_about(book, about_lines(table, about, say), about, say)
    return file, styles


def workbook(file: BinaryIO, title: str, about: About, say: Words) -> Workbook:
    """An empty workbook in which a text stays a text, whatever it begins with: nothing becomes a formula, a link or a number.

    Its sheets are `ExactSheet`s, written row by row.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(file, options)
    font = font_of(say)
    book.formats[0].set_font_name(font["font_name"])
    book.formats[0].set_font_size(font["font_size"])
    book.set_properties({"title": title, "author": about.person, "created": about.made_at})
    return book


def font_of(say: Words) -> dict:
    """The font of a workbook's cells."""
    return {"font_name": FONTS[say.language], "font_size": 10, "valign": "vcenter"}


def _write_heads(book: Workbook, table: Table, about: About, say: Words, font: dict, widths: list[float]) -> None:
    """The data sheets with their headings, and the total on the first."""
    for number in range(1, 1 + _sheets(table, about.row_count)):
        name = say("Data") + (f" {number}" if number > 1 else "")
        sheet = book.add_worksheet(name, worksheet_class=ExactSheet)
        last = _last_row(table, about, number)
        _write_head(book, sheet, table, about, say, font, widths, last, with_total=_heads(table, number) > 1)


def _write_head(
    book: Workbook,
    sheet: Worksheet,
    table: Table,
    about: About,
    say: Words,
    font: dict,
    widths: list[float],
    last_row: int,
    *,
    with_total: bool,
) -> None:
    """The frozen heading of a sheet, the total under it, and how the sheet is filtered and printed down to its `last_row`."""
    heading = {
        "text": book.add_format(font | {"bold": True, "text_wrap": True, "bottom": 1} | _LEFT),
        "number": book.add_format(font | {"bold": True, "text_wrap": True, "bottom": 1} | _RIGHT),
    }
    labels = headings(table)
    for at, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(
            0, at, labels[at], heading["number" if column.kind == "number" or column.interval else "text"]
        )
    sheet.set_row(0, _LINE_HEIGHT * max(map(_lines, labels, widths)))
    if with_total:
        totals = [
            book.add_format(font | number_format(column, say) | {"bold": True, "bottom": 1, "bg_color": "#F2F2F2"})
            for column in table.columns
        ]
        for at, (column, value) in enumerate(zip(table.columns, total_values(table), strict=True)):
            _write_total(sheet, at, column, value, totals[at])
        sheet.write_string(1, 0, say("Total"), totals[0])
    sheet.freeze_panes(2 if with_total else 1, 1)
    sheet.autofilter(0, 0, last_row - 1, len(table.columns) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(footer(about, say))


def write_table(book: Workbook, sheet: Worksheet, table: Table, about: About, say: Words) -> None:
    """A short table, whole, on a sheet of a workbook that has others: cells, formats and order as `write_xlsx` has them.

    Raises ExportError for what a cell cannot hold.
    """
    rows, font = _arrow(table, table.rows), font_of(say)
    cells = [_cells(column, rows, say) for column in table.columns]
    with_total = table.total is not None
    first = 2 if with_total else 1
    widths = [_width(column, rows, say) for column in table.columns]
    _write_head(book, sheet, table, about, say, font, widths, first + rows.num_rows, with_total=with_total)
    styles = [book.add_format(font | number_format(column, say)) for column in table.columns]
    for at, row in enumerate(zip(*cells, strict=True)):
        for column, value in enumerate(row):
            if isinstance(value, str) and value:
                sheet.write_string(first + at, column, value, styles[column])
            elif value is not None and value != "":
                sheet.write_number(first + at, column, value, styles[column])


def _cells(column: Column, rows: pa.Table, say: Words) -> list[str | float | None]:
    """What is written into the cells of a column: texts, and numbers, among them Excel's for a day."""
    values = _values(column, rows)
    if column.kind == "number":
        _refuse_what_is_no_number(values, column.label, 0)
    found = values.to_pylist()
    if column.kind == "day":
        found = [
            None if day is None else day.toordinal() - _DAY_ZERO if day >= _FIRST_DAY else day.isoformat()
            for day in found
        ]
    elif column.kind == "text":
        for at, text in enumerate(found):
            _refuse_what_no_cell_holds(text or "", column.label, at + 1)
    if (hidden := _withheld(column, rows)) is not None:
        found = [say(CELL) if h else value for h, value in zip(hidden.to_pylist(), found, strict=True)]
    return found


def _write_total(sheet: Worksheet, at: int, column: Column, value: object, cell: Format) -> None:
    if value is None:
        sheet.write_blank(1, at, None, cell)
    elif column.kind == "number":
        sheet.write_number(1, at, value, cell)
    else:
        sheet.write_string(1, at, str(value), cell)


def _xml(
    columns: tuple[Column, ...], rows: pa.Table, styles: list[int], say: Words, first: int, before: int
) -> memoryview:
    """The rows as they stand in a sheet from its row `first` on, when `before` rows were written."""
    numbers = pc.cast(pa.array(range(first, first + rows.num_rows), pa.int32()), pa.string())
    cells = []
    for at, (column, style) in enumerate(zip(columns, styles, strict=True)):
        begins, values = f'<c r="{xl_col_to_name(at)}', _values(column, rows)
        if column.kind == "number":
            _refuse_what_is_no_number(values, column.label, before)
            cell = pc.binary_join_element_wise(begins, numbers, f'" s="{style}"><v>', _text(values), "</v></c>", "")
        elif column.kind == "day":
            known = pc.greater_equal(values, pa.scalar(_FIRST_DAY))
            day = _text(pc.add(pc.cast(values, pa.int32()), pa.scalar(_DAY_NOUGHT, pa.int32())))
            cell = pc.binary_join_element_wise(begins, numbers, f'" s="{style}"><v>', day, "</v></c>", "")
            if pc.all(known).as_py() is False:
                cell = pc.if_else(known, cell, _text_cell(begins, numbers, style, _text(values)))
        else:
            cell = _text_cell(begins, numbers, style, _in_xml(values, column.label, before))
        if (hidden := _withheld(column, rows)) is not None:
            cell = pc.if_else(hidden, _text_cell(begins, numbers, style, pa.scalar(say(CELL))), cell)
        cells.append(pc.fill_null(cell, ""))
    return _content(pc.binary_join_element_wise('<row r="', numbers, '">', *cells, "</row>", ""))


def _text_cell(begins: str, numbers: pa.Array, style: int, texts: pa.Array | pa.Scalar) -> pa.Array:
    kept = '" t="inlineStr"><is><t xml:space="preserve">'
    plain = '" t="inlineStr"><is><t>'
    blank = pc.fill_null(pc.match_substring_regex(texts, _BLANK_AT_AN_END), False)
    any_blank = blank.as_py() if isinstance(blank, pa.Scalar) else pc.any(blank).as_py()
    how = pc.if_else(blank, f'" s="{style}{kept}', f'" s="{style}{plain}') if any_blank else f'" s="{style}{plain}'
    return pc.binary_join_element_wise(begins, numbers, how, texts, "</t></is></c>", "")


def _in_xml(texts: pa.Array, column: str, before: int) -> pa.Array:
    """The texts as XML has them, none for what is empty; refused is what no cell holds."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > CELL_CHARACTERS:  # bytes: there may be fewer characters
        for at, text in enumerate(texts.to_pylist()):
            _refuse_what_no_cell_holds(text or "", column, before + at + 1)
    odd = pc.match_substring_regex(texts, _NOT_AS_IT_IS)
    if pc.any(odd).as_py():
        found = pc.indices_nonzero(odd).to_pylist()
        written = []
        for at, text in zip(found, texts.take(pa.array(found)).to_pylist(), strict=True):
            _refuse_what_no_cell_holds(text, column, before + at + 1)
            text = _LIKE_A_SIGN.sub("_x005F_", text)
            text = _SIGNS.sub(lambda sign: f"_x{ord(sign[0]):04X}_", text)
            written.append(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        texts = pc.replace_with_mask(texts, pc.fill_null(odd, False), pa.array(written, pa.string()))
    return pc.if_else(pc.equal(texts, ""), None, texts)


def _refuse_what_is_no_number(numbers: pa.Array, column: str, before: int) -> None:
    if pa.types.is_floating(numbers.type) and pc.any(strange := pc.invert(pc.is_finite(numbers))).as_py():
        raise ExportError(
            _("“{column}” in row {row} is {number}, which no Excel file can hold. Take the CSV file."),
            column=column,
            row=f"{before + 1 + pc.index(strange, True).as_py():,}",
            number=str(numbers[pc.index(strange, True).as_py()].as_py()),
        )


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


def number_format(column: Column, say: Words) -> dict:
    if column.kind == "number":
        return {"num_format": excel_format(column.unit, say.language) if column.unit else "General"} | _RIGHT
    if column.kind == "day":
        return {"num_format": excel_day_format(column.step, say.language)} | _LEFT
    return {"num_format": "@"} | _LEFT


def _width(column: Column, rows: pa.Table, say: Words) -> float:
    """The width of a column in digits: as wide as its first rows, and wide enough for a heading in two or three lines."""
    texts = [cell_text(column, value, say) for value in rows.column(column.name).slice(0, _SAMPLED_ROWS).to_pylist()]
    longest = max(map(_breadth, texts), default=0)
    return min(60, 4 + max(longest, 8, min(_breadth(column.label), 14)))


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column; the four digits less are for words, which do not break."""
    return -(-_breadth(text) // int(width - 4))


def _breadth(text: str) -> int:
    """How many Latin letters wide: Chinese characters count twice."""
    return max((sum(2 if east_asian_width(c) in "WF" else 1 for c in line) for line in text.splitlines()), default=0)


def write_about(
    book: Workbook, lines: list[tuple[str, str]], about: About, say: Words, name: str | None = None
) -> None:
    """The sheet on which a file says of itself what `lines` hold, names and texts; the first is its title."""
    font = font_of(say)
    sheet = book.add_worksheet(name or say("About"), worksheet_class=ExactSheet)
    named = book.add_format(font | {"bold": True, "valign": "top"})
    text = book.add_format(font | {"text_wrap": True, "valign": "top"})
    title = book.add_format(font | {"bold": True, "font_size": 14})
    link = book.add_format(font | {"font_color": "#0563C1", "underline": 1, "valign": "top"})
    sheet.set_footer(footer(about, say))
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 90)
    sheet.hide_gridlines(2)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for row, (name, value) in enumerate(lines):
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


def footer(about: About, say: Words) -> str:
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
    lines += [*scope_lines(about, say), (say("Rows"), f"{about.row_count:,}")]
    notes = [table.note, sheets_note(table, about.row_count, say)]
    lines += [(say("Note"), note) for note in notes if note]
    lines += [(column.label, column.meaning) for column in table.columns if column.meaning]
    return lines + made_lines(about, say)


def scope_lines(about: About, say: Words) -> list[tuple[str, str]]:
    """What the numbers of a file are about: filters, scope, the data's date."""
    until = day_shown(about.data_until, say.language)
    return [*about.filters, (say("Scope"), about.scope), (say("Data until"), until)]


def made_lines(about: About, say: Words) -> list[tuple[str, str]]:
    """Who made a file and when, for whom alone and until when it is, its number, and the way back."""
    lines = [(say("Made by"), about.person), (say("Made on"), moment_shown(about.made_at, say.language))]
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


def write_csv(file: BinaryIO, table: Table, about: About, say: Words, batches: Iterable[Rows] | None = None) -> None:
    """Comma-separated UTF-8 with a byte-order mark, so that Excel reads Chinese: a heading, the total if there is one, the rows.

    Numbers have full precision (shares 0–1), days are 2026-11-20. A CSV file has no types, and Excel runs a text such as
    =1+1 as a formula; so a text cell that begins like one (= + - @, also full-width or after blanks; tab; line break) has
    an apostrophe put before it, and so has one that begins with apostrophes before such a sign. Who reads the file by
    program takes one apostrophe off wherever apostrophes and such a sign begin a text column, and has the texts exactly.
    Raises ExportError for more or fewer rows than `about.row_count`.
    """
    file.write(b"\xef\xbb\xbf")
    heads = [[disarmed(label) for label in headings(table)]]
    if table.total is not None:
        totals = [_text(pa.array([value]))[0].as_py() or "" for value in total_values(table)[1:]]
        heads.append([say("Total"), *totals])
    file.write(_lines_of([pa.array(cells, pa.string()) for cells in zip(*heads, strict=True)]))
    for rows in _batches(table, about, batches):
        cells = []
        for column in table.columns:
            values = _values(column, rows)
            texts = _disarmed(values) if column.kind == "text" else _text(values)
            if (hidden := _withheld(column, rows)) is not None:
                texts = pc.if_else(hidden, say(CELL), texts)
            cells.append(pc.fill_null(texts, ""))
        file.write(_lines_of(cells))


csv = _in_memory(write_csv)


def _disarmed(texts: pa.Array) -> pa.Array:
    """`disarmed` for many texts."""
    alike = pc.match_substring_regex(texts, rf"\A(?:{FORMULA})")
    if not pc.any(alike).as_py():
        return texts
    return pc.if_else(alike, pc.binary_join_element_wise("'", texts, ""), texts)


def _lines_of(columns: list[pa.Array]) -> memoryview:
    """The texts as lines of a CSV file."""
    written = []
    for texts in columns:
        parting = pc.match_substring_regex(texts, _QUOTED)
        if pc.any(parting).as_py():
            quoted = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
            texts = pc.if_else(parting, quoted, texts)
        written.append(texts)
    if len(written) == 1:  # an empty line would be taken for none
        written = [pc.if_else(pc.equal(written[0], ""), '""', written[0])]
    return _content(pc.binary_join_element_wise(pc.binary_join_element_wise(*written, ","), "\r\n", ""))


# Parquet ------------------------------------------------------------------------------------------------------------


def write_parquet(
    file: BinaryIO, table: Table, about: About, say: Words, batches: Iterable[Rows] | None = None
) -> None:
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
        total = dict(zip(headings(table), total_values(table), strict=True))
        said["total"] = json.dumps(total, ensure_ascii=False)
    schema = pa.schema(fields, metadata=said)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _batches(table, about, batches):
            columns = [
                pc.cast(_values(column, rows), field.type) for column, field in zip(table.columns, fields, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


parquet = _in_memory(write_parquet)


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


def _batches(table: Table, about: About, batches: Iterable[Rows] | None) -> Iterator[pa.Table]:
    """The rows as they come, the table's own (perhaps empty) frame if there are none; counted, so that none is lost unseen."""
    written = 0
    for rows in batches if batches is not None else (table.rows,):
        found = _arrow(table, rows)
        written += found.num_rows
        yield found
    if batches is not None and written == 0:
        yield _arrow(table, table.rows.iloc[:0])
    if written != about.row_count:
        raise ExportError(
            _("{expected} rows were to be written, and {written} came: the data changed meanwhile. Export again."),
            expected=f"{about.row_count:,}",
            written=f"{written:,}",
        )


def _arrow(table: Table, rows: Rows) -> pa.Table:
    """The rows in Arrow: texts, numbers as they are, days without a time; and where a number is withheld."""
    names = {column.name: column for column in table.columns}
    hidden = [name + WITHHELD for name in names if name + WITHHELD in _names(rows)]
    if isinstance(rows, pd.DataFrame):
        found = {
            name: pa.array(rows[name], type=pa.string() if column.kind == "text" else None, from_pandas=True)
            for name, column in names.items()
        } | {name: pa.array(rows[name]) for name in hidden}
    else:
        found = {name: _whole(rows.column(name)) for name in (*names, *hidden)}
    for name, column in names.items():
        if column.kind == "day" and found[name].type != pa.date32():
            found[name] = pc.cast(found[name], pa.date32(), safe=False)
        elif column.kind == "number" and pa.types.is_null(found[name].type):
            found[name] = pc.cast(found[name], pa.int64())
    return pa.table(found)


def _names(rows: Rows) -> list[str]:
    return list(rows.columns) if isinstance(rows, pd.DataFrame) else rows.schema.names


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _values(column: Column, rows: pa.Table) -> pa.Array:
    """The values of a column; codes in words, and the column's own word where a text is missing."""
    values = _whole(rows.column(column.name))
    if column.values:
        codes = values.dictionary_encode()
        told = [column.values.get(code, code) for code in codes.dictionary.to_pylist()]
        values = pa.array(told, pa.string()).take(codes.indices)
    if column.kind == "text" and column.missing is not None:
        values = pc.fill_null(values, column.missing)
    return values


def _withheld(column: Column, rows: pa.Table) -> pa.Array | None:
    """Where a number of the column is withheld."""
    name = column.name + WITHHELD
    return _whole(rows.column(name)) if name in rows.schema.names else None


def _text(values: pa.Array) -> pa.Array:
    """Numbers with as many digits as tell them from any other, days as 2026-11-20."""
    return pc.cast(values, pa.string())


def _content(texts: pa.Array) -> memoryview:
    """All texts of an array one behind the other: how Arrow has them anyway."""
    _valid, offsets, content = texts.buffers()
    at = memoryview(offsets).cast("i")
    return memoryview(content or b"")[at[texts.offset] : at[texts.offset + len(texts)]]


def total_values(table: Table) -> list:
    """The total row as Python values, None where a column has no total. Column by column: a row would make counts floats."""
    found = [table.total[c.name].tolist()[0] if c.name in table.total else None for c in table.columns]
    return [None if pd.isna(value) else value for value in found]
