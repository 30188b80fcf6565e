"""A deck holds the exhibits' numbers in charts that can be edited, and nothing of it runs over its place."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Pt

from data_access.warehouse import Warehouse
from measures.catalogue import MEASURES
from measures.model import Unit
from measures.period import Period
from presentation import deck, template
from presentation.colours import LIGHT
from presentation.deck import TemplateError
from presentation.drawing import MOST_LINES
from presentation.exhibit import Exhibit, Kind, Note
from presentation.tables import Column, Table, cell_texts
from presentation.words import words
from tests.presentation.exhibited import ABOUT, NAMES, RATES, asked, frame, minutes, named, of_the_bank

EN, ZH = words("en"), words("zh_CN")
YEAR = Period(date(2025, 6, 1), date(2026, 5, 20))


@pytest.fixture(scope="module")
def exhibits(duckdb_warehouse: Warehouse) -> dict[Kind, Exhibit]:
    return of_the_bank(duckdb_warehouse, EN)


def opened(content: bytes):
    return Presentation(io.BytesIO(content))


def shown(*exhibits: Exhibit, say=EN, **more):
    """The slides of a deck that stand for exhibits."""
    return list(opened(deck.write(minutes(*exhibits, **more), say)).slides)[1 : 1 + len(exhibits)]


def chart_of(slide):
    (found,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    return found


def drawn(chart) -> tuple[list[str], dict[str, list]]:
    """What the chart draws: its categories, and the numbers of each series by its name."""
    plot = chart.plots[0]
    return [category.label for category in plot.categories], {s.name: list(s.values) for s in plot.series}


def behind(chart) -> tuple[list[str], dict[str, list]]:
    """The same, read from the workbook behind the chart."""
    sheet = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob)).worksheets[0]
    assert all(cell.data_type in "sn" for row in sheet.iter_rows() for cell in row)  # no formula
    heading, *rows = sheet.iter_rows(values_only=True)
    names = [row[0].replace("_x005F_", "_") for row in rows]  # Excel undoes it; openpyxl does not
    return names, {name: [row[at] for row in rows] for at, name in enumerate(heading) if at}


def cells(slide) -> list[list[str]]:
    (table,) = [shape.table for shape in slide.shapes if shape.has_table]
    return [[cell.text for cell in row.cells] for row in table.rows]


def texts(slide) -> dict[str, str]:
    return {shape.name: shape.text_frame.text for shape in slide.shapes if shape.has_text_frame}


def known(values: pd.Series) -> list:
    return [None if pd.isna(value) else value for value in values.tolist()]


# Numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.BARS, Kind.COLUMNS, Kind.PARETO, Kind.FUNNEL])
def test_bars_and_the_workbook_behind_them_hold_the_numbers_as_they_came(exhibits, kind):
    exhibit = exhibits[kind]
    (slide,) = shown(exhibit)
    names, numbers = drawn(chart_of(slide))
    (values,) = numbers.values()
    if exhibit.overall is not None:
        assert (names.pop(0), values.pop(0)) == ("Overall", exhibit.overall)
    column = next(c for c in exhibit.table.columns if c.name == exhibit.category)
    assert names == cell_texts(column, exhibit.table.rows, EN)
    assert values == known(exhibit.table.rows[exhibit.value])
    assert len(values) > 2
    assert behind(chart_of(slide)) == drawn(chart_of(slide))


def test_lines_hold_each_number_in_its_month_and_series(exhibits):
    exhibit = exhibits[Kind.LINES]
    (slide,) = shown(exhibit)
    months, numbers = drawn(chart_of(slide))
    assert months == ["Feb 2026", "Mar 2026", "Apr 2026", "May 2026"]
    expected = {name: [0] * 4 for name in exhibit.table.rows["product_name"].unique()}  # what signed is without a row
    for row in exhibit.table.rows.itertuples():
        expected[row.product_name][row.month.month - 2] = row.signed
    assert numbers == expected
    assert len(numbers) > 1
    assert behind(chart_of(slide)) == (months, numbers)


def test_a_month_without_a_rate_is_a_gap_and_no_nought():
    months = Column("month", "Month", "day", step="month")
    rows = [(pd.Timestamp(2026, 1, 1), 0.1 + 0.2), (pd.Timestamp(2026, 2, 1), None), (pd.Timestamp(2026, 4, 1), 0.5)]
    table = Table("", (months, RATES), frame((months, RATES), rows))
    (slide,) = shown(Exhibit(Kind.LINES, "A", "B", table, category="month", value="rate"))
    assert drawn(chart_of(slide)) == (
        ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"],
        {"Rate": [0.1 + 0.2, None, None, 0.5]},
    )
    assert behind(chart_of(slide)) == drawn(chart_of(slide))


def test_a_rate_of_too_few_is_a_hollow_point_and_what_is_not_complete_is_dashed(duckdb_warehouse):
    table = asked(duckdb_warehouse, EN, "activation_rate signed activated", "month", period=YEAR)
    fewest = MEASURES["activation_rate"].fewest
    rows = table.rows.assign(signed=[fewest, fewest - 1] + [fewest] * (len(table.rows) - 2), activation_rate=0.5)
    table, growing = replace(table, rows=rows), rows["month"].iloc[-1].date()
    (slide,) = shown(Exhibit(Kind.LINES, "A", "B", table, "month", None, "activation_rate", growing=growing))
    categories, numbers = drawn(chart_of(slide))
    assert categories[-1] == "May 2026, not complete"
    assert list(numbers.values()) == [[0.5] * len(rows)]
    points = list(chart_of(slide).plots[0].series[0]._element.iter(qn("c:dPt")))
    found = {int(point.find(qn("c:idx")).get("val")): point.xml for point in points}
    assert set(found) == {1, 2, len(rows) - 1}
    assert "a:noFill" in found[1]
    assert "a:noFill" in found[2]  # the line from it to the next
    assert "a:prstDash" in found[len(rows) - 1]
    assert 'schemeClr val="bg1"' in found[1]


def test_a_line_stands_for_the_overall_value_among_lines(exhibits):
    (slide,) = shown(replace(exhibits[Kind.LINES], overall=3.5))
    assert drawn(chart_of(slide))[1]["Overall"] == [3.5] * 4


def test_numbers_are_in_the_format_of_their_unit_and_language(exhibits):
    for say, code in ((EN, "#,##0.0 %"), (ZH, "#,##0.0%")):
        (slide,) = shown(exhibits[Kind.BARS], say=say)
        plot = chart_of(slide).plots[0]
        assert plot.data_labels.number_format == code
        sheet = openpyxl.load_workbook(io.BytesIO(chart_of(slide).part.chart_workbook.xlsx_part.blob)).worksheets[0]
        assert sheet["B2"].number_format == code


def test_tables_hold_the_cells_of_the_screen(exhibits):
    exhibit = exhibits[Kind.TABLE]
    heading, total, *rows = cells(shown(exhibit)[0])
    columns = exhibit.table.columns
    assert heading == [column.label for column in columns]
    assert total[0] == "Total"
    assert total[1:] == [text for c in columns[1:] for text in cell_texts(c, exhibit.table.total, EN)]
    expected = zip(*(cell_texts(column, exhibit.table.rows, EN) for column in columns), strict=True)
    assert rows == [list(row) for row in expected]
    assert len(rows) > 2


def test_a_matrix_has_a_row_for_each_cause_and_a_column_for_each_product(exhibits):
    exhibit = exhibits[Kind.MATRIX]
    heading, *rows = cells(shown(exhibit)[0])
    found = {
        (row[0], name): text for row in rows for name, text in zip(heading[1:], row[1:], strict=True) if text != "—"
    }
    cause, product, received = (cell_texts(column, exhibit.table.rows, EN) for column in exhibit.table.columns)
    assert found == dict(zip(zip(cause, product, strict=True), received, strict=True))
    assert len(found) > 3


def test_key_numbers_stand_as_they_are_read_and_without_their_raw_values(exhibits):
    assert cells(shown(exhibits[Kind.FIGURES])[0]) == [
        ["Measure", "Now", "Change"],
        ["Signed", "12.3k", "+2 %"],
        ["Rate", "66.8 %", "—"],
    ]


def test_beside_a_pareto_chart_stand_the_shares_and_the_few_have_the_accent(exhibits):
    exhibit = exhibits[Kind.PARETO]
    (slide,) = shown(exhibit)
    shares = exhibit.table.rows["complaints_received_cumulative"].tolist()
    assert [row[2] for row in cells(slide)[1:]] == [f"{100 * share:.1f} %" for share in shares]
    points = chart_of(slide).plots[0].series[0].points
    grey = [p.format.fill.fore_color.rgb for p in points if p.format.fill.type is not None]
    few = 1 + len([share for share in shares if share < 0.8])
    assert len(grey) == len(shares) - few
    assert {str(colour) for colour in grey} <= {LIGHT.rest.lstrip("#").upper()}


# What a slide says --------------------------------------------------------------------------------------------------


def test_a_slide_says_finding_meaning_scope_and_date_and_its_notes_the_remark_and_the_filters(exhibits):
    (slide,) = shown(exhibits[Kind.MATRIX], remark="Ask Jiangbei.\nBy Friday.")
    said = texts(slide)
    assert said["Title"] == "Complaints by cause × product"
    assert said["Subtitle"] == "What is measured · Grain · What that means"
    assert said["Note"] == "1 is not shown.\n重庆分行 · All products"
    assert said["Foot"] == "重庆分行 and 3 branches below it · Data until: 20 May 2026"
    assert 'type="slidenum"' in next(s for s in slide.shapes if s.name == "Number")._element.xml
    notes = slide.notes_slide.notes_text_frame.text.split("\n")
    assert notes[:2] == ["Ask Jiangbei.", "By Friday."]
    assert {"1 is not shown.", "Branch: 重庆分行", "Product: All products"} <= set(notes)


def test_the_deck_opens_with_the_meeting_and_ends_with_what_was_agreed_and_the_meanings(exhibits):
    actions = Table("Actions", (NAMES,), frame((NAMES,), [(f"Action {n}",) for n in range(40)]))
    slides = list(opened(deck.write(minutes(exhibits[Kind.FIGURES], exhibits[Kind.TABLE], actions=actions), EN)).slides)
    assert texts(slides[0])["Title"] == "Weekly meeting"
    assert texts(slides[0])["Subtitle"] == "重庆分行 · 18–24 May 2026\nData until: 20 May 2026"
    agreed = [slide for slide in slides if texts(slide)["Title"].startswith("What was agreed")]
    assert len(agreed) > 1
    assert [row[0] for slide in agreed for row in cells(slide)[1:]] == [f"Action {n}" for n in range(40)]
    told = dict(row for slide in slides[3 + len(agreed) :] for row in cells(slide))
    assert told["Data until"] == "20 May 2026"
    assert told["Open in the dashboard"] == ABOUT.link
    meanings = {column.label: column.meaning for column in exhibits[Kind.TABLE].table.columns if column.meaning}
    assert len(meanings) == 3
    key_numbers = [MEASURES["signed"], MEASURES["activation_rate"]]
    meanings |= {measure.label: measure.meaning for measure in key_numbers}
    assert meanings.items() <= told.items()


def test_how_to_read_what_the_screen_draws_is_not_said_of_another_drawing(exhibits):
    notes = (Note("The pale band holds the rate.", of_screen=True), Note("2 are not drawn.", "By a method."))
    (slide,) = shown(replace(exhibits[Kind.LINES], notes=notes))
    assert texts(slide)["Note"].split("\n")[0] == "2 are not drawn."
    assert "pale band" not in slide.notes_slide.notes_text_frame.text


def test_what_has_no_number_says_why():
    (slide,) = shown(Exhibit(Kind.BARS, "Too few to tell", "B", None, notes=("Nothing in these days.",)))
    assert texts(slide)["Content"] == "Nothing in these days."
    (slide,) = shown(named(Kind.BARS, [("A", None), ("B", None)]))
    assert cells(slide) == [["Name", "Rate"], ["A", "—"], ["B", "—"]]


def test_what_has_no_room_is_said():
    many = [(f"Branch {n}", n / 100) for n in range(60)]
    bars, rows = shown(named(Kind.BARS, many), named(Kind.TABLE, many))
    assert len(drawn(chart_of(bars))[0]) == deck.MOST_BARS
    assert f"Shown are the first {deck.MOST_BARS} of 60; the workbook has all." in texts(bars)["Note"]
    assert f"Shown are the first {len(cells(rows)) - 1} of 60; the workbook has all." in texts(rows)["Note"]
    month = Column("month", "Month", "day", step="month")
    data = frame((NAMES, month, RATES), [(f"Branch {n}", pd.Timestamp(2026, 1, 1), 0.5) for n in range(9)])
    exhibit = Exhibit(Kind.LINES, "A", "B", Table("", (NAMES, month, RATES), data), "month", "name", "rate")
    (lines,) = shown(exhibit)
    assert len(drawn(chart_of(lines))[1]) == MOST_LINES
    assert "Shown are the first 7 of 9; the workbook has all." in texts(lines)["Note"]
    wide = tuple(Column(f"c{n}", f"Measure {n}", "number", Unit.COUNT) for n in range(30))
    (slide,) = shown(Exhibit(Kind.TABLE, "A", "B", Table("", wide, frame(wide, [tuple(range(30))]))))
    assert f"Shown are the first {len(cells(slide)[0])} of 30 columns; the workbook has all." in texts(slide)["Note"]


def test_a_deck_speaks_the_readers_language(duckdb_warehouse):
    content = deck.write(minutes(*of_the_bank(duckdb_warehouse, ZH).values()), ZH)
    slides = list(opened(content).slides)
    assert "数据截至" in texts(slides[0])["Subtitle"]
    theme = next(p for p in opened(content).part.package.iter_parts() if "theme" in p.partname)
    assert b'<a:ea typeface="Microsoft YaHei"/>' in theme.blob
    assert 'lang="zh-CN"' in slides[1].shapes[0]._element.xml


def test_progress_goes_from_nothing_to_all(exhibits):
    told: list[float] = []
    deck.write(minutes(*exhibits.values()), EN, progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (0, 1, len(exhibits) + 1)


# Odd names ----------------------------------------------------------------------------------------------------------

ODD = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["=1+1", "", " ", "\x00\x1b[2J", "_x0041_", "<r>a</r>", "]]>", "\ud800", "\uffff", "😀" * 80, "江北支行" * 60]
    ),
    st.text(alphabet="wW 支", min_size=100, max_size=400),
)
NUMBERS = st.one_of(st.none(), st.floats(-1e15, 1e15))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(ODD, NUMBERS), min_size=1, max_size=8), ODD, st.sampled_from(["en", "zh_CN"]))
def test_no_name_spoils_a_deck_or_runs_over_its_place(rows, title, language):
    kinds = (Kind.BARS, Kind.COLUMNS, Kind.LINES, Kind.PARETO, Kind.TABLE)
    unique = [(f"{at}{name}", value) for at, (name, value) in enumerate(rows)]
    exhibits = [named(kind, unique if kind is Kind.LINES else rows, title) for kind in kinds]
    found = opened(deck.write(minutes(*exhibits, remark=title), words(language)))
    for slide, exhibit in zip(list(found.slides)[1:], exhibits, strict=False):
        charts = [shape.chart for shape in slide.shapes if shape.has_chart]
        if charts:
            most = None if exhibit.kind is Kind.LINES else deck.MOST_BARS
            assert drawn(charts[0])[1]["Rate"] == [value for _name, value in rows][:most]
            assert behind(charts[0]) == drawn(charts[0])
        else:
            assert exhibit.kind is Kind.TABLE or all(value is None for _name, value in rows)
        assert_in_place(slide, found)


def assert_in_place(slide, whole) -> None:
    """Every shape lies on the slide, tables end above what follows, and nothing is written smaller than it may be."""
    content = next(s for s in slide.slide_layout.placeholders if s.name == "Content")
    for shape in slide.shapes:
        assert shape.left >= 0
        assert shape.left + shape.width <= whole.slide_width
        assert shape.top + shape.height <= whole.slide_height
        if shape.has_table:
            assert shape.top + shape.height <= content.top + content.height + Pt(1)
            sizes = [
                r.font.size
                for row in shape.table.rows
                for c in row.cells
                for p in c.text_frame.paragraphs
                for r in p.runs
            ]
            assert min(sizes) >= Pt(deck.SMALLEST)
        if shape.has_text_frame:
            least = Pt(24) if shape.name == "Title" else Pt(deck.SMALLEST)
            assert all(run.font.size >= least for p in shape.text_frame.paragraphs for run in p.runs)


# The template -------------------------------------------------------------------------------------------------------


def test_the_template_is_what_its_maker_makes_and_small():
    kept, made = Presentation(template.FILE), opened(template.made())
    assert [layout.element.xml for layout in kept.slide_layouts] == [
        layout.element.xml for layout in made.slide_layouts
    ]
    assert template.FILE.stat().st_size < 100_000


def changed(folder: Path, change) -> Path:
    own = Presentation(template.FILE)
    change(own)
    path = folder / "own.pptx"
    own.save(path)
    return path


@pytest.mark.parametrize("name", template.LAYOUTS[template.FINDING])
def test_a_template_without_a_placeholder_is_refused_with_its_name(tmp_path, name):
    def without(own) -> None:
        layout = next(layout for layout in own.slide_layouts if layout.name == template.FINDING)
        (shape,) = [shape for shape in layout.placeholders if shape.name == name]
        shape._element.getparent().remove(shape._element)

    path = changed(tmp_path, without)
    with pytest.raises(TemplateError) as refused:
        deck.write(minutes(), ZH, template=path)
    said = ZH.told(refused.value)
    assert f"“{name}”" in said
    assert str(path) in said
    assert "“Finding”" in said


def test_a_template_without_a_layout_or_that_is_none_is_refused(tmp_path):
    path = changed(tmp_path, lambda own: own.slide_layouts[0].element.cSld.set("name", "Cover"))
    with pytest.raises(TemplateError, match="no layout named “Opening”"):
        deck.write(minutes(), EN, template=path)
    for content in (b"", b"no PowerPoint", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(TemplateError, match=r"own\.pptx cannot be read"):
            deck.write(minutes(), EN, template=path)
    with pytest.raises(TemplateError, match="cannot be read"):
        deck.write(minutes(), EN, template=tmp_path / "none.pptx")


def test_slides_of_a_template_are_left_out_and_its_place_for_the_chart_is_kept(tmp_path, exhibits):
    def own(deck_) -> None:
        page = deck_.slides.add_slide(deck_.slide_layouts[0])
        page.shapes.title.text = "A sample"
        (content,) = [s for s in deck_.slide_layouts[1].placeholders if s.name == "Content"]
        content.left = Pt(200)

    content = deck.write(minutes(exhibits[Kind.BARS]), EN, template=changed(tmp_path, own))
    slides = list(opened(content).slides)
    assert [texts(slide)["Title"] for slide in slides][:2] == ["Weekly meeting", "One outlet is highest"]
    assert next(shape for shape in slides[1].shapes if shape.has_chart).left == Pt(200)
