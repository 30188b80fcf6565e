"""A meeting's numbers as one workbook: a sheet for each view, what was agreed, what the numbers mean, and the contents with links."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from xlsxwriter import Workbook

from presentation.drawing import notes_of, plain
from presentation.exhibit import Exhibit, Kind
from presentation.exports import CELL_CHARACTERS, ExactSheet, font_of, footer, workbook, write_about, write_table
from presentation.minutes import Minutes, Slide, about_lines
from presentation.tables import Column, Table
from presentation.words import Words

SHEET_NAME = 31
"""Characters of a sheet's name in Excel, counted in UTF-16."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_RESERVED = "history"
"""Excel keeps this name, however it is written, for itself."""
_LINE_HEIGHT = 15


def write(minutes: Minutes, say: Words) -> bytes:
    """The workbook: contents, a sheet for each slide's table with the numbers as they came, actions, and a sheet about all of them.

    Raises ExportError for what a cell cannot hold.
    """
    file = io.BytesIO()
    titles = [slide.exhibit.title for slide in minutes.slides]
    contents, about, actions = say("Contents"), say("About"), say("Actions")
    ends = [actions, about] if minutes.actions is not None else [about]
    first, *names = _names([contents, *ends, *titles])
    ends, names = names[: len(ends)], names[len(ends) :]
    with workbook(file, plain(minutes.title), minutes.about, say) as book:
        links = [*zip(names, titles, strict=True), *((name, name) for name in ends)]
        _contents(book, first, minutes, links, say)
        for name, slide in zip(names, minutes.slides, strict=True):
            _view(book, name, slide, minutes, say)
        if minutes.actions is not None:
            sheet = book.add_worksheet(ends[0], worksheet_class=ExactSheet)
            write_table(book, sheet, minutes.actions, minutes.about, say)
        lines = [(plain(minutes.title), plain(minutes.subtitle)), *about_lines(minutes, say)]
        write_about(book, lines, minutes.about, say, name=ends[-1])
    return file.getvalue()


def _names(titles: Iterable[str]) -> list[str]:
    """A sheet's name for each title: at most 31 characters that Excel allows, and no two alike, however they are written."""
    names: list[str] = []
    for title in titles:
        # Neither at the beginning nor at the end may an apostrophe stand; a link would end there.
        wanted = _FORBIDDEN.sub(" ", plain(title)).strip(" '") or "—"
        known = {name.casefold() for name in names} | {_RESERVED}
        for number in count(1):
            behind = "" if number == 1 else f" {number}"
            name = _cut(wanted, SHEET_NAME - len(behind)).rstrip(" '") + behind
            if name.casefold() not in known:
                names.append(name)
                break
    return names


def _cut(text: str, most: int) -> str:
    """The beginning of `text` that Excel counts as at most so many characters; a sign is never cut in two."""
    while len(text.encode("utf-16-le")) // 2 > most:
        text = text[:-1]
    return text


def _contents(book: Workbook, name: str, minutes: Minutes, links: list[tuple[str, str]], say: Words) -> None:
    """What is in the workbook: each sheet's title with a link to it, what it shows, under which filters, and what was remarked."""
    font = font_of(say) | {"valign": "top", "text_wrap": True}
    bold, text = book.add_format(font | {"bold": True, "bottom": 1}), book.add_format(font)
    title = book.add_format(font | {"bold": True, "font_size": 14, "text_wrap": False})
    link = book.add_format(font | {"font_color": "#0563C1", "underline": 1})
    sheet = book.add_worksheet(name, worksheet_class=ExactSheet)
    widths = (48, 44, 34, 34, 44)
    for column, wide in enumerate(widths):
        sheet.set_column(column, column, wide)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(footer(minutes.about, say))
    sheet.write_string(0, 0, plain(minutes.title), title)
    sheet.write_string(1, 0, plain(minutes.subtitle), book.add_format(font | {"text_wrap": False}))
    headings = (say("Sheet"), say("What it shows"), say("Filters"), say("Notes"), say("Remarks"))
    for column, heading in enumerate(headings):
        sheet.write_string(3, column, heading, bold)
    slides = [*minutes.slides, *(None for _ in range(len(links) - len(minutes.slides)))]
    for row, ((at, shown), slide) in enumerate(zip(links, slides, strict=True), start=4):
        cells = _said(slide, say) if slide else []
        longest = max(len(cell) / wide for cell, wide in zip((shown, *cells), widths, strict=False))
        sheet.set_row(row, _LINE_HEIGHT * min(27, max(1, 1 + int(longest * 1.2), *(1 + c.count("\n") for c in cells))))
        quoted = at.replace("'", "''")
        sheet.write_url(row, 0, f"internal:'{quoted}'!A1", link, plain(shown)[:CELL_CHARACTERS])
        for column, cell in enumerate(cells, start=1):
            if cell:
                sheet.write_string(row, column, cell, text)


def _said(slide: Slide, say: Words) -> list[str]:
    exhibit = slide.exhibit
    filters = [say("{name}: {values}", name=name, values=value) for name, value in exhibit.filters]
    cells = [[exhibit.meaning], filters, notes_of(exhibit), slide.remark.splitlines()]
    return [_cut("\n".join(plain(line) for line in lines), CELL_CHARACTERS) for lines in cells]


def _view(book: Workbook, name: str, slide: Slide, minutes: Minutes, say: Words) -> None:
    """One view's sheet: its table, or its sentences, or why it has neither."""
    sheet, exhibit = book.add_worksheet(name, worksheet_class=ExactSheet), slide.exhibit
    if (table := _table(exhibit, say)) is not None and table.columns:
        write_table(book, sheet, table, minutes.about, say)
        return
    wrapped = book.add_format(font_of(say) | {"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 110)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(footer(minutes.about, say))
    for row, line in enumerate(exhibit.lines or notes_of(exhibit)):
        sheet.write_string(row, 0, plain(line)[:CELL_CHARACTERS], wrapped)


def _table(exhibit: Exhibit, say: Words) -> Table | None:
    """The exhibit's table; beside key numbers, which are texts in units of their own, the numbers as they came."""
    table, raw = exhibit.table, exhibit.value
    if exhibit.kind is not Kind.FIGURES or table is None or raw not in table.rows:
        return table
    columns = [column for column in table.columns if column.name != raw]
    return replace(table, columns=(*columns, Column(raw, say("Number"), "number")))
