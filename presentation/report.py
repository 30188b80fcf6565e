"""The report on complaints as DOCX: headings, sentences and tables of Word's own, on A4, to be edited before it is sent."""

from __future__ import annotations

import io
from collections.abc import Sequence

from docx import Document
from docx.document import Document as Written
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from presentation.colours import LIGHT
from presentation.drawing import Grid, grid_of, notes_of, plain, plot_of, together
from presentation.exhibit import Exhibit, Kind
from presentation.exports import FONTS, made_lines, scope_lines
from presentation.fitting import column_widths
from presentation.minutes import Complaints, definitions
from presentation.tables import About
from presentation.units import day_shown
from presentation.words import Words

_MARGIN, _WIDTH, _HEIGHT = 20, 210, 297
_ROOM = (_WIDTH - 2 * _MARGIN) * 72 / 25.4
"""The width of the text, in points."""
_TEXT, _CELL, _SMALL = 10.5, 9, 8.5
_PADDING = 5.4
_BAR = 90.0
"""The width of the column with the bars, in points."""
_LANGUAGES = {"en": "en-US", "zh_CN": "zh-CN", "zh_TW": "zh-TW"}
_CHINESE = {"en": FONTS["zh_CN"], "zh_CN": FONTS["zh_CN"], "zh_TW": FONTS["zh_TW"]}
_NUMERALS = "一二三四五六七八九"


def write(complaints: Complaints, say: Words) -> bytes:
    """The report: its sections in their order, and an appendix that says what the numbers mean and where they come from."""
    paper = Document()
    _set_up(paper, complaints, say)
    paper.add_paragraph(plain(complaints.title), style="Title")
    paper.add_paragraph(plain(complaints.subtitle), style="Subtitle")
    _small(paper, _of_what(complaints.about, say))
    for number, section in enumerate(complaints.sections, start=1):
        paper.add_heading(_numbered(number, section.heading, say), level=1)
        for sentence in section.sentences:
            paper.add_paragraph(plain(sentence))
        for point in section.points:
            paper.add_paragraph(plain(point), style="List Bullet")
        for exhibit in section.exhibits:
            _exhibit(paper, exhibit, say)
    paper.add_heading(_numbered(len(complaints.sections) + 1, say("Appendix: what the numbers mean"), say), level=1)
    shown = (exhibit for section in complaints.sections for exhibit in section.exhibits)
    lines = [*scope_lines(complaints.about, say), *definitions(shown, say), *made_lines(complaints.about, say)]
    rows = tuple((plain(name), plain(value)) for name, value in lines)
    _table(paper, Grid((say("Name"), say("Meaning")), (False, False), rows))
    file = io.BytesIO()
    paper.save(file)
    return file.getvalue()


def _numbered(number: int, heading: str, say: Words) -> str:
    if say.language == "en" or number > len(_NUMERALS):
        return f"{number}. {plain(heading)}"
    return f"{_NUMERALS[number - 1]}、{plain(heading)}"


def _of_what(about: About, say: Words) -> str:
    until = say("{name}: {values}", name=say("Data until"), values=day_shown(about.data_until, say.language))
    return f"{about.scope} · {until}"


# The page -----------------------------------------------------------------------------------------------------------


def _set_up(paper: Written, complaints: Complaints, say: Words) -> None:
    """A4, the language and its fonts, the colours of the headings, foot and properties."""
    page = paper.sections[0]
    page.page_width, page.page_height = Mm(_WIDTH), Mm(_HEIGHT)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(_MARGIN)
    language = _LANGUAGES[say.language]
    for lang in paper.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), language)
        lang.set(qn("w:eastAsia"), language if say.language != "en" else "zh-CN")
    sizes = {"Normal": _TEXT, "Title": 22, "Subtitle": 12, "Heading 1": 15, "Heading 2": 11.5, "List Bullet": _TEXT}
    for name, size in sizes.items():
        style = paper.styles[name]
        style.font.size, style.font.italic = Pt(size), False
        _name_fonts(style.element.get_or_add_rPr(), say)
        if name in ("Title", "Subtitle", "Heading 1", "Heading 2"):
            style.font.color.rgb = _rgb(LIGHT.muted if name == "Subtitle" else LIGHT.text)
            style.font.bold = name != "Subtitle"
        style.paragraph_format.space_after = Pt(4)
        style.paragraph_format.line_spacing = 1.15
    paper.styles["Heading 1"].paragraph_format.space_before = Pt(16)
    paper.styles["Heading 2"].paragraph_format.space_before = Pt(10)
    for line in paper.styles["Title"].element.iter(qn("w:pBdr")):
        line.getparent().remove(line)
        break
    foot = page.footer.paragraphs[0]
    said = (say("Confidential"), plain(complaints.about.person), plain(complaints.title))
    foot.add_run(" · ".join(said) + "\t\t")
    _field(foot, "PAGE")
    foot.add_run(" / ")
    _field(foot, "NUMPAGES")
    foot.paragraph_format.tab_stops.add_tab_stop(Pt(_ROOM / 2))
    for run in foot.runs:
        run.font.size, run.font.color.rgb = Pt(8), _rgb(LIGHT.muted)
    said = paper.core_properties
    said.title, said.author, said.last_modified_by = plain(complaints.title), plain(complaints.about.person), ""
    said.created = said.modified = complaints.about.made_at
    said.language, said.comments = language, ""


def _name_fonts(properties, say: Words) -> None:
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name, font in (("ascii", "Arial"), ("hAnsi", "Arial"), ("cs", "Arial"), ("eastAsia", _CHINESE[say.language])):
        fonts.set(qn(f"w:{name}"), font)


def _field(paragraph: Paragraph, code: str) -> None:
    """A number that Word counts: of the page, or of all pages."""
    for kind, text in (("begin", None), (None, code), ("separate", None), ("text", "1"), ("end", None)):
        if kind in (None, "text"):
            made = OxmlElement("w:t" if kind else "w:instrText")
            made.text = text
        else:
            made = OxmlElement("w:fldChar")
            made.set(qn("w:fldCharType"), kind)
        paragraph.add_run()._r.append(made)  # each in a run of its own, or LibreOffice forgets how it is to look


def _small(paper: Written, text: str) -> None:
    paragraph = paper.add_paragraph()
    run = paragraph.add_run(plain(text))
    run.font.size, run.font.color.rgb = Pt(_SMALL), _rgb(LIGHT.muted)


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#").upper())


# What is shown ------------------------------------------------------------------------------------------------------


def _exhibit(paper: Written, exhibit: Exhibit, say: Words) -> None:
    """Finding, meaning, table or sentences, and what has to be said of them."""
    paper.add_heading(plain(exhibit.title), level=2)
    if exhibit.meaning:
        _small(paper, exhibit.meaning)
    grid = None if exhibit.kind is Kind.SENTENCES else grid_of(exhibit, say)
    for line in exhibit.lines if exhibit.kind is Kind.SENTENCES else ():
        paper.add_paragraph(plain(line), style="List Bullet")
    if grid is not None:
        _table(paper, grid, _parts(exhibit, say))
    filters = [say("{name}: {values}", name=name, values=value) for name, value in exhibit.filters]
    for note in (together(notes_of(exhibit), say), " · ".join(filters)):
        if note:
            _small(paper, note)


def _parts(exhibit: Exhibit, say: Words) -> list[float] | None:
    """How long each row's bar is, 0–1 of the longest, where the rows are bars."""
    if exhibit.kind not in (Kind.BARS, Kind.PARETO, Kind.FUNNEL, Kind.COLUMNS):
        return None
    plot = plot_of(exhibit, say)
    if plot is None:
        return None
    longest = max(plot.known)
    return [max(0.0, (value or 0) / longest) if longest > 0 else 0.0 for value in plot.lines[0].values]


def _table(paper: Written, grid: Grid, parts: Sequence[float] | None = None) -> None:
    """A table of Word's own: the heading comes again on every page, no row is parted, bars stand in a column of their own."""
    heads = [grid.heading, *([grid.total] if grid.total else [])]
    bodies = [*grid.rows[:60], *heads[1:]]
    room = _ROOM - (_BAR if parts else 0)
    widths = column_widths(grid.heading, bodies, grid.right, room, _CELL, padding=_PADDING, squeezed=True)
    if parts:
        widths.insert(1, _BAR)
    table = paper.add_table(rows=0, cols=len(widths))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    for column, wide in zip(table.columns, widths, strict=True):
        column.width = Pt(wide)
    shift = 1 if parts else 0
    for row, cells in enumerate([*heads, *grid.rows]):
        at = row - len(heads)
        made = table.add_row()
        places = made.cells
        _keep_together(made._tr, heading=row == 0)
        for column, text in enumerate(cells):
            place = places[column + shift if column else 0]
            shade = grid.shades.get((at, column)) if at >= 0 else None
            if row < len(heads) and row > 0:
                shade = (LIGHT.empty, None)
            _cell(place, text, bold=row < len(heads), right=grid.right[column], shade=shade, head=row == 0)
        if parts:
            _cell(
                places[1],
                "",
                bold=False,
                right=False,
                shade=(LIGHT.empty, None) if at == -1 and row else None,
                head=row == 0,
            )
            if at >= 0 and parts[at] > 0:
                _bar(places[1], parts[at])
        for place, wide in zip(places, widths, strict=True):
            place.width = Pt(wide)
    paper.add_paragraph().paragraph_format.space_after = Pt(2)


def _keep_together(row, *, heading: bool) -> None:
    properties = row.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if heading:
        properties.append(OxmlElement("w:tblHeader"))


def _cell(place: _Cell, text: str, *, bold: bool, right: bool, shade: tuple | None, head: bool) -> None:
    paragraph = place.paragraphs[0]
    paragraph.paragraph_format.space_after = paragraph.paragraph_format.space_before = Pt(1.5)
    paragraph.paragraph_format.line_spacing = 1.0
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT
    run = paragraph.add_run(plain(text))
    run.font.size, run.font.bold = Pt(_CELL), bold
    if head:
        run.font.color.rgb = _rgb(LIGHT.muted)
    properties = place._tc.get_or_add_tcPr()
    line = (LIGHT.rest if head else LIGHT.grid).lstrip("#")
    properties.append(
        parse_xml(
            f'<w:tcBorders {nsdecls("w")}><w:bottom w:val="single" w:sz="{8 if head else 4}" w:space="0" w:color="{line}"/>'
            "</w:tcBorders>"
        )
    )
    if shade:
        fill, ink = shade
        properties.append(
            parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill.lstrip("#").upper()}"/>')
        )
        if ink:
            run.font.color.rgb = _rgb(ink)


def _bar(place: _Cell, part: float) -> None:
    """A bar of its own right: a shaded line whose right end is drawn in. It needs no picture and prints as it is."""
    paragraph = place.paragraphs[0]
    paragraph.paragraph_format.right_indent = Pt((_BAR - 2 * _PADDING - 4) * (1 - part))
    properties = paragraph._p.get_or_add_pPr()
    shading = parse_xml(
        f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{LIGHT.accent.lstrip("#").upper()}"/>'
    )
    properties.find(qn("w:spacing")).addprevious(shading)  # Word minds the order
