"""A meeting's deck as PPTX: one finding a slide, in charts and tables that PowerPoint can edit.

Charts hold in their workbook the numbers as they came. What does not fit on a slide is cut where it is said, and stands whole in
the slide's notes or in the workbook (`presentation/pack.py`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

from pptx import Presentation
from pptx.chart.chart import Chart
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE, MSO_THEME_COLOR
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.exc import PackageNotFoundError
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.presentation import Presentation as Deck
from pptx.shapes.autoshape import Shape
from pptx.slide import Slide as Page
from pptx.slide import SlideLayout
from pptx.table import _Cell
from pptx.text.text import TextFrame
from pptx.util import Emu, Pt
from xlsxwriter import Workbook

from measures.model import Unit, _
from measures.question import Told
from presentation.charts import FROM_ZERO
from presentation.colours import LIGHT
from presentation.drawing import (
    MOST_LINES,
    Grid,
    Line,
    Plot,
    grid_of,
    grid_of_table,
    notes_of,
    plain,
    plot_of,
    together,
)
from presentation.exhibit import Exhibit, Kind
from presentation.exports import FONTS, ExactSheet
from presentation.fitting import LINE, SPARE, column_widths, fitted, lines, shortened, width
from presentation.minutes import Minutes, Slide, about_lines
from presentation.template import CONTENT, FILE, FINDING, FOOT, LAYOUTS, NOTE, NUMBER, OPENING, SUBTITLE, TITLE
from presentation.units import day_shown, excel_format
from presentation.words import Words

__all__ = ["Minutes", "Slide", "TemplateError", "write"]

MOST_BARS = 18
"""More do not leave each a line of 12 points on a slide."""
SMALLEST = 12
"""Points: 24 pixels of a projector's 1,080 lines, which is read from the back of a room."""

_TITLES, _SUBTITLES, _CELLS, _SENTENCES = (28, 26, 24), (14, 12), (20, 18, 16, 14, 12), (20, 18, 16, 14, 12)
_READ = 14
"""Points: in larger letters no row is to need a second line."""
_FIGURES = (28, 24, *_CELLS)
_OPENING_TITLES, _OPENING_SUBTITLES = (40, 36, 32, 28, 24), (20, 18, 16, 14)
_NAME_SIGNS = 48
"""Signs of a name beside a bar or in a legend: in one line, beside not less than half of the slide's width."""
_CELL_LINES = 6
"""Lines of a cell: one that is longer would take a slide by itself."""
_BESIDE = 0.42
"""The part of the width that a table takes beside its chart."""
_PADDING, _ABOVE = 7.0, 3.0
"""Points left and right of a cell's text, and above and below it."""
_LANGUAGES = {"en": "en-US", "zh_CN": "zh-CN", "zh_TW": "zh-TW"}
_POINT = 12_700
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's table without lines and colours: the lines are ours."""


_NO_DECK = (OSError, BadZipFile, PackageNotFoundError, KeyError, ValueError, SyntaxError)
"""What python-pptx raises for a file that is none of its own; a SyntaxError is of its XML."""


class TemplateError(Told):
    """The template cannot be read, or lacks what a deck needs."""


def write(
    minutes: Minutes, say: Words, template: Path | None = None, progress: Callable[[float], None] | None = None
) -> bytes:
    """The deck: an opening, a slide for each of the minutes', what was agreed, and what the numbers mean.

    `template` is a PPTX file with the layouts and placeholders of `template.LAYOUTS`, ours where there is none; slides in it
    are left out. `progress` is told how much is done, 0–1. Raises TemplateError.
    """
    deck, layouts = _opened(template or FILE)
    _name_font(deck, say)
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = plain(minutes.title), plain(minutes.about.person), ""
    about.created = about.modified = minutes.about.made_at
    about.language = _LANGUAGES[say.language]
    maker = _Maker(deck, layouts, minutes, say)
    maker.opening()
    for at, slide in enumerate(minutes.slides):
        if progress:
            progress(at / len(minutes.slides))
        maker.finding(slide)
    if minutes.actions is not None:
        maker.table_whole(say("What was agreed"), minutes.actions.meaning or "", grid_of_table(minutes.actions, say))
    said = tuple((plain(name), plain(value)) for name, value in about_lines(minutes, say))
    maker.table_whole(
        say("What the numbers mean, and where they come from"),
        "",
        Grid((say("Name"), say("Meaning")), (False, False), said),
    )
    file = io.BytesIO()
    deck.save(file)
    if progress:
        progress(1.0)
    return file.getvalue()


# The template -------------------------------------------------------------------------------------------------------


def _opened(template: Path) -> tuple[Deck, dict[str, SlideLayout]]:
    """The template without slides, and its layouts by name. Raises TemplateError."""
    try:
        deck = Presentation(io.BytesIO(template.read_bytes()))
    except _NO_DECK as error:
        raise TemplateError(
            _("The template {file} cannot be read as a PowerPoint file (.pptx). Put one there that can."),
            file=str(template),
        ) from error
    layouts = {layout.name: layout for layout in deck.slide_layouts}
    for name, needed in LAYOUTS.items():
        if name not in layouts:
            raise TemplateError(
                _("The template {file} has no layout named “{layout}”. Name one so in PowerPoint's slide master."),
                file=str(template),
                layout=name,
            )
        there = {shape.name for shape in layouts[name].placeholders}
        for placeholder in needed:
            if placeholder not in there:
                raise TemplateError(
                    _(
                        "The layout “{layout}” of the template {file} has no placeholder named “{placeholder}”. Name one so in "
                        "PowerPoint's slide master (Home, Select, Selection Pane)."
                    ),
                    layout=name,
                    file=str(template),
                    placeholder=placeholder,
                )
    listed = deck.slides._sldIdLst
    for slide in list(listed):
        deck.part.drop_rel(slide.rId)
        listed.remove(slide)
    return deck, layouts


def _name_font(deck: Deck, say: Words) -> None:
    """Names the language's font for Chinese characters where the template's theme leaves it to the program that shows the deck."""
    for master in deck.slide_masters:
        theme = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
        named = f'<a:ea typeface="{FONTS[say.language]}"/>'.encode()
        theme.blob = theme.blob.replace(b'<a:ea typeface=""/>', named)


# Slides -------------------------------------------------------------------------------------------------------------


@dataclass
class _Maker:
    """Adds slides to a deck."""

    deck: Deck
    layouts: dict[str, SlideLayout]
    minutes: Minutes
    say: Words

    def opening(self) -> None:
        page, placed = self._page(OPENING)
        about, say = self.minutes.about, self.say
        until = say("{name}: {values}", name=say("Data until"), values=day_shown(about.data_until, say.language))
        cut = self._write(placed[TITLE], [self.minutes.title], _OPENING_TITLES, bold=True)
        self._write(placed[SUBTITLE], [self.minutes.subtitle, until], _OPENING_SUBTITLES)
        self._write(placed[FOOT], [about.scope], (SMALLEST,))
        self._notes(page, [self.minutes.title] if cut else [], about.filters)

    def finding(self, slide: Slide) -> None:
        """A slide for one exhibit: its chart, its table or its sentences."""
        exhibit, say = slide.exhibit, self.say
        page, placed = self._titled(exhibit.title, exhibit.meaning)
        said = self._draw(page, placed[CONTENT], exhibit)
        if said is not None:
            said = [*said, *notes_of(exhibit)]
        filters = " · ".join(plain(value) for _name, value in exhibit.filters)
        told = [text for text in (together(said or (), say), filters) if text]
        if told:
            self._write(placed[NOTE], told, (SMALLEST,))
        else:
            _drop(placed[NOTE].shape)
        self._notes(page, [slide.remark, exhibit.title, exhibit.meaning, *notes_of(exhibit)], exhibit.filters)

    def table_whole(self, title: str, meaning: str, grid: Grid) -> None:
        """A table on as many slides as it takes, so that no row is left out; cells that are cut stand whole in the slide's notes."""
        rest, pages = grid, []
        while True:
            fit = _fit(rest, *self._place(FINDING, CONTENT).room, squeezed=True)
            pages.append(fit)
            if len(fit.rows) >= len(rest.rows):
                break
            rest = Grid(rest.heading, rest.right, rest.rows[len(fit.rows) :])
        for number, fit in enumerate(pages, start=1):
            named = title if len(pages) == 1 else self.say.aside(title, f"{number}/{len(pages)}")
            page, placed = self._titled(named, meaning)
            self._table(page, placed[CONTENT], fit)
            _drop(placed[CONTENT].shape)
            _drop(placed[NOTE].shape)
            self._notes(page, fit.cut, ())

    def _titled(self, title: str, meaning: str) -> tuple[Page, dict[str, _Place]]:
        page, placed = self._page(FINDING)
        about, say = self.minutes.about, self.say
        until = say("{name}: {values}", name=say("Data until"), values=day_shown(about.data_until, say.language))
        self._write(placed[TITLE], [title], _TITLES, bold=True)
        self._write(placed[SUBTITLE], [meaning], _SUBTITLES)
        self._write(placed[FOOT], [f"{about.scope} · {until}"], (SMALLEST,))
        return page, placed

    def _page(self, layout: str) -> tuple[Page, dict[str, _Place]]:
        """A new slide, and what of it is filled, by name; the layout's other placeholders are taken off it."""
        page = self.deck.slides.add_slide(self.layouts[layout])
        for shape in list(page.placeholders):
            _drop(shape)
        placed = {}
        for name in LAYOUTS[layout]:
            placed[name] = self._place(layout, name)
            page.shapes.clone_placeholder(placed[name].shape)
            placed[name].put(page.shapes[-1], name)
        if NUMBER in placed:
            _number(placed[NUMBER].shape, len(self.deck.slides))
        return page, placed

    def _place(self, layout: str, name: str) -> _Place:
        shape = next(shape for shape in self.layouts[layout].placeholders if shape.name == name)
        frame = shape.text_frame
        beside, above = frame.margin_left + frame.margin_right, frame.margin_top + frame.margin_bottom
        room = (shape.width - beside) / _POINT, (shape.height - above) / _POINT
        return _Place(shape, shape.left, shape.top, shape.width, shape.height, room)

    def _write(self, place: _Place, texts: Sequence[str], sizes: Sequence[float], *, bold: bool = False) -> bool:
        """Fills a placeholder with paragraphs as large as they fit. Returns whether anything had to be cut."""
        texts = [plain(text) for text in texts if text.strip()]
        room, height = place.room
        kept, size = fitted(texts, room / SPARE, height, sizes, bold=bold)
        self._paragraphs(place.shape.text_frame, kept or [""], size)
        return kept != texts

    def _paragraphs(self, frame: TextFrame, texts: Iterable[str], size: float, *, bullets: bool = False) -> None:
        for at, text in enumerate(texts):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            run = paragraph.add_run()
            run.text, run.font.size = text, Pt(size)
            run._r.get_or_add_rPr().set("lang", _LANGUAGES[self.say.language])
            if bullets:
                properties = paragraph._p.get_or_add_pPr()
                properties.set("marL", str(int(Pt(size))))
                properties.set("indent", str(-int(Pt(size))))
                paragraph.space_after = Pt(size / 2)
                properties.append(parse_xml(f'<a:buFont {nsdecls("a")} typeface="Arial"/>'))
                properties.append(parse_xml(f'<a:buChar {nsdecls("a")} char="•"/>'))

    def _notes(self, page: Page, texts: Iterable[str], filters: Iterable[tuple[str, str]]) -> None:
        """What the speaker reads: the remark first, then all that is said of the slide, whole, and the filters in words."""
        told = [plain(line) for text in texts for line in text.splitlines() if line.strip()]
        told += [plain(self.say("{name}: {values}", name=name, values=value)) for name, value in filters]
        if told:
            page.notes_slide.notes_text_frame.text = "\n".join(told)

    # What is shown on a slide

    def _draw(self, page: Page, place: _Place, exhibit: Exhibit) -> list[str] | None:
        """Puts the exhibit in its place. Returns what has to be said under it: what is left out, and where it stands. None where its
        notes take its place, because there is nothing else."""
        if exhibit.kind is Kind.SENTENCES:
            return self._sentences(place, exhibit.lines)
        if (plot := plot_of(exhibit, self.say)) is not None:
            said = self._chart(page, place, exhibit, plot)
        elif (grid := grid_of(exhibit, self.say)) is not None:
            fit = _fit(grid, *place.room, sizes=_FIGURES if exhibit.kind is Kind.FIGURES else _CELLS)
            self._table(page, place, fit)
            said = self._left_out(grid, fit)
        else:
            self._sentences(place, notes_of(exhibit))
            return None
        _drop(place.shape)
        return said

    def _sentences(self, place: _Place, texts: Sequence[str]) -> list[str]:
        told = [plain(text) for text in texts if text.strip()] or [self.say("No numbers to draw.")]
        room, height = place.room
        for size in _SENTENCES:
            # A bullet takes the width of a letter, and each sentence half a line's distance.
            taken = [lines(text, size, (room - size) / SPARE) * size * LINE + size / 2 for text in told]
            if sum(taken) <= height:
                break
        shown = len([at for at in range(len(taken)) if sum(taken[: at + 1]) <= height])
        kept = told[:shown]
        if not kept:
            shown = 1
            kept, size = fitted(told[:1], (room - size) / SPARE, height - size, _SENTENCES)
        self._paragraphs(place.shape.text_frame, kept, size, bullets=True)
        return [] if shown >= len(told) else [self._first(shown, len(told))]

    def _first(self, shown: int, count: int) -> str:
        return self.say("Shown are the first {n} of {count}; the workbook has all.", n=f"{shown:,}", count=f"{count:,}")

    def _left_out(self, grid: Grid, fit: _Fit) -> list[str]:
        said = []
        if len(fit.rows) < len(grid.rows):
            said.append(self._first(len(fit.rows), len(grid.rows)))
        if len(fit.widths) < len(grid.heading):
            said.append(
                self.say(
                    "Shown are the first {n} of {count} columns; the workbook has all.",
                    n=len(fit.widths),
                    count=len(grid.heading),
                )
            )
        return said

    # Charts

    def _chart(self, page: Page, place: _Place, exhibit: Exhibit, plot: Plot) -> list[str]:
        said, shown, wide = [], plot, place.width
        beside = grid_of(exhibit, self.say) if exhibit.kind in (Kind.PARETO, Kind.FUNNEL) else None
        most = MOST_BARS - (plot.overall is not None)
        if beside and len(beside.heading) > 2:
            # A second axis for shares would be read against the bars: the shares stand beside them.
            room = Emu(int(place.width * _BESIDE))
            wide = Emu(int(place.width * (1 - _BESIDE - 0.02)))
            fit = _fit(beside, room / _POINT, place.room[1])
            self._table(page, place, fit, left=place.left + place.width - room, wide=room)
            most = min(most, len(fit.rows))
            said += self._left_out(beside, fit)[len(fit.rows) < len(beside.rows) :]
        if exhibit.kind is not Kind.LINES and len(plot.categories) > most:
            shown = _part(plot, bars=most)
            said.append(self._first(most, len(plot.categories)))
        elif exhibit.kind is Kind.LINES and len(plot.lines) > MOST_LINES:
            shown = _part(plot, lines=MOST_LINES)
            said.append(self._first(MOST_LINES, len(plot.lines)))
        data = _Data(shown, exhibit.kind, self.say)
        kind = {Kind.LINES: XL_CHART_TYPE.LINE_MARKERS, Kind.COLUMNS: XL_CHART_TYPE.COLUMN_CLUSTERED}
        frame = page.shapes.add_chart(
            kind.get(exhibit.kind, XL_CHART_TYPE.BAR_CLUSTERED), place.left, place.top, wide, place.height, data
        )
        frame.name = exhibit.kind.name.capitalize()
        frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(f"{exhibit.title}. {exhibit.meaning}"))
        chart = frame.chart
        chart.has_title = False
        chart.font.size = Pt(SMALLEST)
        if exhibit.kind is Kind.LINES:
            _style_lines(chart, shown, data, self.say, wide / _POINT)
        else:
            _style_bars(chart, shown, data, self.say, upright=exhibit.kind is Kind.COLUMNS)
        if kind.get(exhibit.kind) is None:
            _room_for_names(chart, data.named, wide / _POINT)
        return said

    # Tables

    def _table(self, page: Page, place: _Place, fit: _Fit, *, left: int | None = None, wide: int | None = None) -> None:
        """What has room of a table, at the head of a place or of a part of it."""
        texts = [*fit.heads, *fit.rows]
        left, wide = place.left if left is None else left, place.width if wide is None else wide
        frame = page.shapes.add_table(len(texts), len(fit.widths), left, place.top, wide, 0)
        frame.name = "Table"
        table = frame.table
        table.horz_banding = False
        table._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
        for column, room in zip(table.columns, fit.widths, strict=True):
            column.width = Emu(int(room * _POINT))
        for row, high in zip(table.rows, fit.heights, strict=True):
            row.height = Emu(int(high * _POINT))
        for row, cells in enumerate(texts):
            for column, text in enumerate(cells):
                shade = fit.shades.get((row - len(fit.heads), column))
                _cell(
                    table.cell(row, column),
                    text,
                    size=fit.size,
                    bold=row < len(fit.heads),
                    right=fit.right[column],
                    shade=(LIGHT.empty, None) if 0 < row < len(fit.heads) else shade,
                    head=row == 0,
                    language=_LANGUAGES[self.say.language],
                )


@dataclass
class _Place:
    """A placeholder: its shape on the slide, where it lies (EMU), and the width and height that its text has (points)."""

    shape: Shape
    left: int
    top: int
    width: int
    height: int
    room: tuple[float, float]

    def put(self, shape: Shape, name: str) -> None:
        """Lays the slide's own shape where the layout has it, in so many words: LibreOffice looks a title's place up in the master."""
        shape.name = name
        shape.left, shape.top, shape.width, shape.height = self.left, self.top, self.width, self.height
        self.shape = shape


def _drop(shape: Shape) -> None:
    shape._element.getparent().remove(shape._element)


def _number(shape: Shape, number: int) -> None:
    """The slide's number as a field, which follows when slides are moved."""
    paragraph = shape.text_frame.paragraphs[0]._p
    paragraph.insert(
        0,
        parse_xml(
            f'<a:fld {nsdecls("a")} id="{{5A0B4A3E-6C0F-4B8E-9E57-0D7F6C1B2A11}}" type="slidenum"><a:rPr lang="en-US"/>'
            f"<a:t>{number}</a:t></a:fld>"
        ),
    )


# Charts -------------------------------------------------------------------------------------------------------------


class _Data(CategoryChartData):
    """A chart's numbers, with a workbook in which they are exact and every text is a text."""

    def __init__(self, plot: Plot, kind: Kind, say: Words) -> None:
        super().__init__(number_format=excel_format(plot.unit, say.language))
        named = [shortened(name, _NAME_SIGNS) for name in plot.categories]
        drawn = [Line(shortened(line.name, _NAME_SIGNS), line.values) for line in plot.lines]
        self.overall = None
        """The line of the overall value among lines, or the first of the bars."""
        if plot.overall is not None and kind is Kind.LINES:
            self.overall = len(drawn)
            drawn.append(Line(say("Overall"), (plot.overall,) * len(named)))
        elif plot.overall is not None:
            self.overall = 0
            named = [say("Overall"), *named]
            drawn = [Line(line.name, (plot.overall, *line.values)) for line in drawn]
        self.named, self.drawn = named, drawn
        self.categories = named
        for line in drawn:
            self.add_series(line.name, line.values)

    @property
    def xlsx_blob(self) -> bytes:
        """The workbook behind the chart, laid out as the chart's references expect it."""
        file = io.BytesIO()
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(file, options) as book:
            sheet = book.add_worksheet("Sheet1", worksheet_class=ExactSheet)
            number, text = book.add_format({"num_format": self.number_format}), book.add_format({"num_format": "@"})
            sheet.set_column(0, 0, 30)
            for column, line in enumerate(self.drawn, start=1):
                sheet.write_string(0, column, line.name, text)
            for row, name in enumerate(self.named):
                sheet.write_string(row + 1, 0, name, text)
                for column, line in enumerate(self.drawn, start=1):
                    if line.values[row] is not None:
                        sheet.write_number(row + 1, column, line.values[row], number)
        return file.getvalue()


def _part(plot: Plot, *, lines: int | None = None, bars: int | None = None) -> Plot:
    """The first lines, or the first bars, of a plot."""
    drawn = tuple(replace(line, values=line.values[:bars], few=line.few[:bars]) for line in plot.lines[:lines])
    return replace(plot, categories=plot.categories[:bars], lines=drawn, few=plot.few[:bars])


def _style_bars(chart: Chart, plot: Plot, data: _Data, say: Words, *, upright: bool) -> None:
    """Bars from zero with their numbers at their ends; no axis of numbers, no legend."""
    chart.has_legend = False
    body, values, names = chart.plots[0], chart.value_axis, chart.category_axis
    body.gap_width, body.vary_by_categories = 45, False
    series = body.series[0]
    _fill(series.format, MSO_THEME_COLOR.ACCENT_1)
    shift = 0 if data.overall is None else 1
    for at, few in enumerate(plot.few):
        if not few:
            _fill(series.points[at + shift].format, LIGHT.rest)
    if data.overall is not None:
        _fill(series.points[0].format, MSO_THEME_COLOR.TEXT_1)
    body.has_data_labels = True
    labels = body.data_labels
    labels.number_format, labels.number_format_is_linked = excel_format(plot.unit, say.language), False
    labels.position, labels.show_value = XL_LABEL_POSITION.OUTSIDE_END, True
    labels.font.size = names.tick_labels.font.size = Pt(_name_size(data.named))
    known = [*plot.known, *([plot.overall] if plot.overall is not None else [])]
    if min(known) >= 0:
        values.minimum_scale = 0
        if max(known) > 0:
            values.maximum_scale = min(max(known) * 1.15, 1e300)  # room for the numbers
    values.visible = values.has_major_gridlines = False
    names.has_major_gridlines, names.major_tick_mark = False, XL_TICK_MARK.NONE
    names.format.line.color.rgb = _rgb(LIGHT.rest)
    names.reverse_order = not upright  # the first on top
    _turn(names, 0)


def _room_for_names(chart: Chart, names: Sequence[str], wide: float) -> None:
    """Gives the names of lying bars the room that they take in one line, if that is less than half."""
    part = min(0.45, (max(width(name, _name_size(names)) for name in names) * SPARE + 10) / wide)
    area = chart._chartSpace.chart.plotArea
    for old in area.findall(qn("c:layout")):
        area.remove(old)
    sizes = "".join(
        f'<c:{tag} val="{value:.4f}"/>' for tag, value in (("x", part), ("y", 0.02), ("w", 0.99 - part), ("h", 0.96))
    )
    modes = '<c:layoutTarget val="inner"/><c:xMode val="edge"/><c:yMode val="edge"/>'
    area.insert(0, parse_xml(f"<c:layout {nsdecls('c')}><c:manualLayout>{modes}{sizes}</c:manualLayout></c:layout>"))


def _name_size(names: Sequence[str]) -> int:
    return SMALLEST if len(names) > 10 else 14


def _style_lines(chart: Chart, plot: Plot, data: _Data, say: Words, room: float) -> None:
    """Lines with gaps where nothing is known; the overall value as a thin one; a legend where there is more than one."""
    values, names = chart.value_axis, chart.category_axis
    several = len(data.drawn) > 1
    chart.has_legend = several
    if several:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        chart.legend.font.size = Pt(SMALLEST)
    for at, series in enumerate(chart.plots[0].series):
        series.smooth = False
        colour = LIGHT.categories[at % len(LIGHT.categories)] if len(plot.lines) > 1 else MSO_THEME_COLOR.ACCENT_1
        series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 6
        series.format.line.width = Pt(2.5)
        if at == data.overall:
            colour, series.format.line.width, series.format.line.dash_style = LIGHT.rest, Pt(1.5), MSO_LINE.DASH
            series.marker.style = XL_MARKER_STYLE.NONE
        else:
            _fill(series.marker.format, colour)
            series.marker.format.line.fill.background()
        _paint(series.format.line.color, colour)
        if at != data.overall:
            _style_parts(series, plot, plot.lines[at], colour)
    known = [*plot.known, *([plot.overall] if plot.overall is not None else [])]
    if plot.unit in FROM_ZERO and min(known) >= 0:
        values.minimum_scale = 0
    whole = plot.unit is Unit.SHARE and max(known) - min(known) >= 0.05
    code = excel_format(plot.unit, say.language)
    values.tick_labels.number_format = code.replace("0.0", "0") if whole else code
    values.tick_labels.number_format_is_linked = False
    values.format.line.fill.background()
    values.major_tick_mark = XL_TICK_MARK.NONE
    values.has_major_gridlines = True
    values.major_gridlines.format.line.color.rgb = _rgb(LIGHT.grid)
    names.major_tick_mark, names.has_major_gridlines = XL_TICK_MARK.NONE, False
    names.format.line.color.rgb = _rgb(LIGHT.rest)
    names.tick_labels.font.size = values.tick_labels.font.size = Pt(SMALLEST)
    widest = max(width(name, SMALLEST) for name in data.named) + SMALLEST
    _every(names, -(-len(data.named) // max(1, int((room - 60) // widest))))
    _turn(names, 0 if len(data.named) <= _STEPS_LEVEL else _AS_THERE_IS_ROOM)
    if not several:
        _label_ends(chart, data, code)


def _style_parts(series, plot: Plot, line: Line, colour: str | MSO_THEME_COLOR) -> None:
    """Steps that are not complete are dashed; a rate of too few is a hollow point, to which no line leads."""
    count = len(plot.categories)
    growing = count if plot.growing is None else plot.growing
    for place in range(count):
        apart = line.is_few(place) or (place > 0 and line.is_few(place - 1))
        if not apart and place < growing:
            continue
        point = series.points[place]
        if apart:
            point.format.line.fill.background()
        else:
            point.format.line.dash_style, point.format.line.width = MSO_LINE.DASH, Pt(2.5)
            _paint(point.format.line.color, colour)
        point.marker.style, point.marker.size = XL_MARKER_STYLE.CIRCLE, 6
        _fill(point.marker.format, MSO_THEME_COLOR.BACKGROUND_1 if line.is_few(place) else colour)
        _paint(point.marker.format.line.color, colour)


def _label_ends(chart: Chart, data: _Data, code: str) -> None:
    """The first and the last number that are known stand beside their points."""
    known = [at for at, value in enumerate(data.drawn[0].values) if value is not None]
    series = chart.plots[0].series[0]
    for at in {known[0], known[-1]}:
        label = series.points[at].data_label
        label.font.size, label.font.bold, label.position = Pt(14), True, XL_LABEL_POSITION.ABOVE
    for shown in series._element.iter(qn("c:dLbl")):
        coded = parse_xml(f'<c:numFmt {nsdecls("c")} sourceLinked="0"/>')
        coded.set("formatCode", code)
        shown.insert(1, coded)  # behind the point's number: PowerPoint minds the order


def _every(names, count: int) -> None:
    """Labels only each so-manieth category, so that none is turned or laid over the next."""
    axis = names._element
    for tag in ("tickLblSkip", "tickMarkSkip"):
        made = parse_xml(f'<c:{tag} {nsdecls("c")} val="{max(1, count)}"/>')
        after = axis.find(qn("c:noMultiLvlLbl"))
        after.addprevious(made) if after is not None else axis.append(made)


_STEPS_LEVEL = 14
"""So many steps have room for their names in two or three lines, one beside the other."""
_AS_THERE_IS_ROOM = -60_000_000
"""Office's own sign for names that stand as there is room. At 0 LibreOffice breaks each into as many lines as it takes instead of
leaving some out."""


def _turn(names, degrees: int) -> None:
    names._element.get_or_add_txPr().bodyPr.set("rot", str(degrees))
    names._element.txPr.bodyPr.set("vert", "horz")


def _fill(part, colour: str | MSO_THEME_COLOR) -> None:
    part.fill.solid()
    _paint(part.fill.fore_color, colour)


def _paint(colour, given: str | MSO_THEME_COLOR) -> None:
    if isinstance(given, str):
        colour.rgb = _rgb(given)
    else:
        colour.theme_color = given


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#").upper())


# Tables -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fit:
    """How much of a table has room, and how: the size of its letters, the widths of the columns shown, the heights of the rows, their
    texts, and those texts whole that had to be cut."""

    size: float
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    heads: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    shades: dict[tuple[int, int], tuple[str, str]]
    cut: tuple[str, ...]


def _fit(grid: Grid, room: float, height: float, *, squeezed: bool = False, sizes: Sequence[float] = _CELLS) -> _Fit:
    """The largest letters of `sizes` in which all of `grid` has room; in the smallest, as many columns and rows as do, or
    with `squeezed` all columns, however narrow."""
    for size in sizes:
        found = _fit_in(grid, room, height, size, squeezed)
        whole = len(found.widths) == len(grid.heading) and len(found.rows) == len(grid.rows)
        tallest = max(found.heights[len(found.heads) :], default=0.0)
        if whole and (size <= _READ or tallest < 2 * size):
            break
    return found


def _fit_in(grid: Grid, room: float, height: float, size: float, squeezed: bool) -> _Fit:
    bodies = [*grid.rows[:60], *([grid.total] if grid.total else [])]
    widths = column_widths(grid.heading, bodies, grid.right, room, size, padding=_PADDING, squeezed=squeezed)
    heads, rows, heights, cut, used = [], [], [], [], 0.0
    for at, cells in enumerate([grid.heading, *([grid.total] if grid.total else []), *grid.rows]):
        is_head = at < 1 + (grid.total is not None)
        texts, high = _row(cells, widths, size, bold=is_head)
        if not is_head and used + high > height and (rows or not squeezed):
            break
        used += high
        heights.append(high)
        (heads if is_head else rows).append(texts)
        cut += [whole for text, whole in zip(texts, cells, strict=False) if text != whole]
    return _Fit(size, tuple(widths), tuple(heights), tuple(heads), tuple(rows), grid.right, grid.shades, tuple(cut))


def _row(cells: Sequence[str], widths: Sequence[float], size: float, *, bold: bool) -> tuple[tuple[str, ...], float]:
    """The texts of a row as far as they have room, and its height."""
    texts, count = [], 1
    for text, wide in zip(cells, widths, strict=False):
        room = (wide - 2 * _PADDING) / SPARE
        kept, _size = fitted([text], room, _CELL_LINES * size * LINE + 0.1, (size,), bold=bold)
        texts.append(kept[0] if kept else "…")
        count = max(count, lines(texts[-1], size, room, bold=bold))
    return tuple(texts), count * size * LINE + 2 * _ABOVE


def _cell(
    cell: _Cell, text: str, *, size: float, bold: bool, right: bool, shade: tuple | None, head: bool, language: str
) -> None:
    cell.margin_left = cell.margin_right = Emu(int(_PADDING * _POINT))
    cell.margin_top = cell.margin_bottom = Emu(int((_ABOVE - 1) * _POINT))
    cell.vertical_anchor = MSO_ANCHOR.BOTTOM if head else MSO_ANCHOR.MIDDLE
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
    run = paragraph.add_run()
    run.text = text
    font = run.font
    font.size, font.bold = Pt(size), bold
    run._r.get_or_add_rPr().set("lang", language)
    if head:
        font.color.theme_color = MSO_THEME_COLOR.TEXT_2
    if shade:
        fill, ink = shade
        _fill(cell, fill)
        if ink:
            font.color.rgb = _rgb(ink)
    line = _LINE_BELOW["head" if head else "row"]
    cell._tc.get_or_add_tcPr().insert(0, deepcopy(line))


_LINE_BELOW = {
    kind: parse_xml(
        f'<a:lnB {nsdecls("a")} w="{size}"><a:solidFill><a:srgbClr val="{colour.lstrip("#")}"/></a:solidFill></a:lnB>'
    )
    for kind, size, colour in (("head", 12_700, LIGHT.rest), ("row", 6_350, LIGHT.grid))
}
