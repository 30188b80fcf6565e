"""A meeting on paper: one HTML document without scripts, in which nothing is fetched, each finding on a page of its own.

Bars are rows of a table, so that long names wrap; lines and columns are SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from presentation.charts import ticks_of
from presentation.colours import LIGHT
from presentation.drawing import MOST_LINES, Grid, Plot, grid_of, grid_of_table, notes_of, plain, plot_of, together
from presentation.exhibit import Exhibit, Kind
from presentation.fitting import column_widths, shortened, width
from presentation.minutes import Minutes, Slide, about_lines
from presentation.units import day_shown, shown
from presentation.words import Words

_WIDE, _HIGH = 1000, 360
"""The room of an SVG, in its own units."""
_LEFT, _BOTTOM, _TOP, _SIZE = 90, 30, 24, 14
_PAPER, _LETTERS, _PADDING = 267 * 72 / 25.4, 11, 6
"""The width of A4 lying within its margins, the size of a table's letters and what lies beside them, in points."""
_FONTS = {
    "en": 'Arial, "Liberation Sans", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
    "zh_CN": '"Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", sans-serif',
    "zh_TW": '"Microsoft JhengHei", "PingFang TC", "Noto Sans CJK TC", sans-serif',
}
_LANGUAGES = {"en": "en", "zh_CN": "zh-Hans", "zh_TW": "zh-Hant"}
_STYLE = f"""
@page {{ size: A4 landscape; margin: 14mm 15mm 16mm;
  @bottom-right {{ content: counter(page) " / " counter(pages); font-size: 9pt; color: {LIGHT.muted}; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; color: {LIGHT.text}; font-size: 11pt; line-height: 1.35; -webkit-print-color-adjust: exact; }}
section {{ break-after: page; }}
section:last-child {{ break-after: auto; }}
h1 {{ font-size: 26pt; line-height: 1.2; margin: 45mm 0 6mm; padding-left: 5mm; border-left: 1.2mm solid {LIGHT.accent}; }}
h2 {{ font-size: 18pt; line-height: 1.2; margin: 0 0 1.5mm; overflow-wrap: anywhere; }}
p {{ margin: 0 0 2mm; overflow-wrap: anywhere; }}
.meaning, .note, .foot {{ color: {LIGHT.muted}; }}
.meaning {{ margin-bottom: 5mm; }}
.note {{ font-size: 9.5pt; margin-top: 3mm; }}
.foot {{ font-size: 9pt; margin-top: 3mm; border-top: 0.3mm solid {LIGHT.grid}; padding-top: 1.5mm; }}
.remark {{ border-left: 0.8mm solid {LIGHT.accent}; padding-left: 3mm; margin-top: 4mm; white-space: pre-wrap; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: 1mm 2mm; border-bottom: 0.2mm solid {LIGHT.grid}; overflow-wrap: anywhere; vertical-align: top; }}
th {{ color: {LIGHT.muted}; border-bottom: 0.3mm solid {LIGHT.rest}; vertical-align: bottom; overflow-wrap: break-word; }}
tr {{ break-inside: avoid; }}
.number {{ text-align: right; white-space: nowrap; }}
th.number, .squeezed .number {{ white-space: normal; }}
.total td {{ font-weight: bold; background: {LIGHT.empty}; }}
.bars td {{ border: 0; vertical-align: middle; }}
.bars .name {{ width: 28%; }}
.bars .track {{ width: 58%; padding-left: 0; }}
.bar {{ height: 4.6mm; background: {LIGHT.accent}; }}
.bar.rest {{ background: {LIGHT.rest}; }}
.bar.overall {{ background: {LIGHT.text}; }}
li {{ margin-bottom: 3mm; font-size: 13pt; overflow-wrap: anywhere; }}
svg {{ display: block; width: 100%; height: auto; }}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(minutes: Minutes, say: Words) -> str:
    """The document: an opening, a page for each slide with its remark, what was agreed, and what the numbers mean."""
    about = minutes.about
    until = say("{name}: {values}", name=say("Data until"), values=day_shown(about.data_until, say.language))
    foot = f'<p class="foot">{_text(about.scope)} · {_text(until)}</p>'
    opening = f"<h1>{_text(minutes.title)}</h1><p>{_text(minutes.subtitle)}</p><p>{_text(until)}</p>{foot}"
    pages = [opening, *(_page(slide, say) + foot for slide in minutes.slides)]
    if minutes.actions is not None:
        agreed = say("What was agreed")
        table = f'<div class="squeezed">{_table(grid_of_table(minutes.actions, say))}</div>'
        pages.append(f"<h2>{_text(agreed)}</h2>{table}{foot}")
    said = tuple((plain(name), plain(value)) for name, value in about_lines(minutes, say))
    meanings = _table(Grid((say("Name"), say("Meaning")), (False, False), said))
    title = say("What the numbers mean, and where they come from")
    pages.append(f"<h2>{_text(title)}</h2>{meanings}")
    return (
        f'<!DOCTYPE html><html lang="{_LANGUAGES[say.language]}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{_text(minutes.title)}</title>'
        f"<style>{_STYLE}body {{ font-family: {_FONTS[say.language]}; }}</style></head><body>"
        + "".join(f"<section>{page}</section>" for page in pages)
        + "</body></html>"
    )


def _page(slide: Slide, say: Words) -> str:
    exhibit = slide.exhibit
    parts = [f'<h2>{_text(exhibit.title)}</h2><p class="meaning">{_text(exhibit.meaning)}</p>', _drawn(exhibit, say)]
    filters = [say("{name}: {values}", name=name, values=value) for name, value in exhibit.filters]
    notes = [note for note in (together(notes_of(exhibit), say), " · ".join(filters)) if note]
    parts += [f'<p class="note">{_text(note)}</p>' for note in notes]
    if slide.remark.strip():
        lines = "\n".join(_text(line) for line in slide.remark.strip().splitlines())
        parts.append(f'<p class="remark">{lines}</p>')
    return "".join(parts)


def _drawn(exhibit: Exhibit, say: Words) -> str:
    if exhibit.kind is Kind.SENTENCES:
        return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in exhibit.lines)}</ul>"
    if (plot := plot_of(exhibit, say)) is not None:
        if exhibit.kind is Kind.LINES:
            return _lines(exhibit, plot, say)
        if exhibit.kind is Kind.COLUMNS and len(plot.categories) <= _COLUMNS:
            return _columns(exhibit, plot, say)
        return _bars(exhibit, plot, say)
    grid = grid_of(exhibit, say)
    if grid is not None:
        return _whole_table(grid, say)
    none = say("No numbers to draw.")
    return "" if notes_of(exhibit) else f"<p>{_text(none)}</p>"


def _text(text: str) -> str:
    return escape(plain(text))


# Tables and bars ----------------------------------------------------------------------------------------------------


def _columns_that_fit(grid: Grid) -> int:
    """How many columns have room on paper: wider than the paper, Chromium would make the letters of the whole document smaller."""
    bodies = [*grid.rows, *([grid.total] if grid.total else [])]
    return len(column_widths(grid.heading, bodies, grid.right, _PAPER, _LETTERS, padding=_PADDING))


def _whole_table(grid: Grid, say: Words) -> str:
    """A table's first columns, as many as have room, and a sentence where these are not all."""
    count, shown = len(grid.heading), _columns_that_fit(grid)
    if shown == count:
        return _table(grid)
    rows = tuple(cells[:shown] for cells in grid.rows)
    total = grid.total[:shown] if grid.total else None
    said = say("Shown are the first {n} of {count} columns; the workbook has all.", n=shown, count=count)
    part = replace(grid, heading=grid.heading[:shown], right=grid.right[:shown], rows=rows, total=total)
    return f'{_table(part)}<p class="note">{_text(said)}</p>'


def _table(grid: Grid) -> str:
    kinds = ['class="number"' if right else "" for right in grid.right]

    def row(cells: Sequence[str], at: int | None) -> str:
        shades = [grid.shades.get((at, column)) if at is not None else None for column in range(len(cells))]
        styles = [f' style="background:{shade[0]};color:{shade[1]}"' if shade else "" for shade in shades]
        return "".join(
            f"<td {kind}{style}>{_text(cell)}</td>" for kind, style, cell in zip(kinds, styles, cells, strict=True)
        )

    heading = "".join(f"<th {kind}>{_text(name)}</th>" for kind, name in zip(kinds, grid.heading, strict=True))
    total = f'<tr class="total">{row(grid.total, None)}</tr>' if grid.total else ""
    rows = "".join(f"<tr>{row(cells, at)}</tr>" for at, cells in enumerate(grid.rows))
    return f"<table><thead><tr>{heading}</tr></thead><tbody>{total}{rows}</tbody></table>"


def _bars(exhibit: Exhibit, plot: Plot, say: Words) -> str:
    """A row for each bar: name, bar, number; and what else the exhibit's table has of it."""
    grid = grid_of(exhibit, say)
    (line,) = plot.lines
    rows = [(name, value, "") for name, value in zip(plot.categories, line.values, strict=True)]
    for at, few in enumerate(plot.few):
        rows[at] = (*rows[at][:2], "" if few else "rest")
    more = _beside(exhibit, grid) if grid else []
    others = [[cells[column] for column in more] for cells in grid.rows] if grid else [[] for _ in rows]
    if plot.overall is not None:
        rows.insert(0, (say("Overall"), plot.overall, "overall"))
        others.insert(0, ["" for _ in more])
    longest = max(abs(value) for _name, value, _kind in rows if value is not None) or 1
    written = []
    for (name, value, kind), beside in zip(rows, others, strict=True):
        wide = 0 if value is None else max(0.0, 100 * value / longest)
        cells = "".join(f'<td class="number">{_text(cell)}</td>' for cell in beside)
        bar = f'<div class="bar {kind}" style="width:{wide:.2f}%"></div>' if wide else ""
        number = f'<td class="number">{_text(shown(value, plot.unit, say.language))}</td>'
        written.append(f'<tr><td class="name">{_text(name)}</td><td class="track">{bar}</td>{number}{cells}</tr>')
    heads = ["", "", line.name, *(grid.heading[column] for column in more)] if grid and more else []
    head = "".join(f'<th class="{"number" if at > 1 else ""}">{_text(name)}</th>' for at, name in enumerate(heads))
    return f'<table class="bars"><thead><tr>{head}</tr></thead><tbody>{"".join(written)}</tbody></table>'


def _beside(exhibit: Exhibit, grid: Grid) -> list[int]:
    """The columns of a Pareto chart or a funnel that are neither the name nor the bar: its shares."""
    if exhibit.kind not in (Kind.PARETO, Kind.FUNNEL) or exhibit.table is None:
        return []
    drawn = [at for at, c in enumerate(exhibit.table.columns) if c.name in (exhibit.category, exhibit.value)]
    return [at for at in range(len(grid.heading)) if at not in drawn]


# SVG ----------------------------------------------------------------------------------------------------------------

_COLUMNS = 16
"""More columns have no room for their names under them, and lie as bars."""


def _columns(exhibit: Exhibit, plot: Plot, say: Words) -> str:
    (line,) = plot.lines
    low, high = min(0, *plot.known), max(0, *plot.known)
    scale = (_HIGH - _TOP - _BOTTOM) / ((high - low) or 1)
    step = _WIDE / len(plot.categories)
    marks = []
    for at, (name, value) in enumerate(zip(plot.categories, line.values, strict=True)):
        middle = (at + 0.5) * step
        marks.append(_label(middle, _HIGH - 10, _in(name, step), "middle"))
        if value is not None:
            top, bottom = (max(value, 0), min(value, 0))
            y = _TOP + (high - top) * scale
            marks.append(
                f'<rect x="{middle - step * 0.3:.1f}" y="{y:.1f}" width="{step * 0.6:.1f}" '
                f'height="{(top - bottom) * scale:.1f}" fill="{LIGHT.accent}"/>'
            )
            marks.append(_label(middle, y - 6, shown(value, plot.unit, say.language), "middle", LIGHT.text))
    return _svg(marks, _HIGH, exhibit)


def _lines(exhibit: Exhibit, plot: Plot, say: Words) -> str:
    """Lines with gaps, their names under the chart; more than can be told apart by colour are a table as well."""
    drawn = plot.lines[:MOST_LINES]
    known = [v for line in drawn for v in line.values if v is not None]
    if not known:
        grid = grid_of(exhibit, say)
        return _whole_table(grid, say) if grid else ""
    known += [plot.overall] if plot.overall is not None else []
    ticks = ticks_of(known, plot.unit)
    low, high = ticks[0], ticks[-1]
    scale, count = (_HIGH - _TOP - _BOTTOM) / (high - low), len(plot.categories)
    along = (_WIDE - _LEFT - 60) / max(1, count - 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return (_LEFT + 20 + place * along, _TOP + (high - value) * scale)

    marks = []
    for tick in ticks:
        _x, y = at(0, tick)
        marks.append(f'<line x1="{_LEFT}" x2="{_WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LIGHT.grid}"/>')
        marks.append(_label(_LEFT - 8, y + 5, shown(tick, plot.unit, say.language), "end"))
    widest = max(width(name, _SIZE) for name in plot.categories) + 16
    every = max(1, math.ceil(widest / along))
    for place in range(0, count, every):
        marks.append(_label(at(place, low)[0], _HIGH - 8, plot.categories[place], "middle"))
    if plot.overall is not None:
        y = at(0, plot.overall)[1]
        overall = say("overall {value}", value=shown(plot.overall, plot.unit, say.language))
        marks.append(
            f'<line x1="{_LEFT}" x2="{_WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LIGHT.muted}" stroke-dasharray="6 5"/>'
        )
        marks.append(_label(_WIDE, y - 6, overall, "end"))
    legend = []
    for number, line in enumerate(drawn):
        colour = LIGHT.accent if len(drawn) == 1 else LIGHT.categories[number]
        points = list(enumerate(line.values))
        # A rate of too few is a hollow point, to which no line leads.
        for place, value in points:
            if value is not None and line.is_few(place):
                x, y = at(place, value)
                marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{LIGHT.page}" stroke="{colour}"/>')
        for run in _runs([(place, None if line.is_few(place) else value) for place, value in points]):
            for part, dashes in _parts(run, plot.growing):
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in part))
                marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>')
            marks += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>' for x, y in (at(*p) for p in run)]
        ends = [(place, value) for place, value in points if value is not None]
        if len(drawn) == 1:
            for place, value in {ends[0], ends[-1]}:
                x, y = at(place, value)
                marks.append(_label(x, y - 10, shown(value, plot.unit, say.language), "middle", LIGHT.text))
        else:
            legend.append(f'<span style="color:{colour}">■</span> {_text(line.name)}')
    named = f'<p class="note">{" &nbsp; ".join(legend)}</p>' if legend else ""
    rest = ""
    if len(plot.lines) > MOST_LINES:
        said = say(
            "Shown are the first {n} of {count}; the workbook has all.", n=MOST_LINES, count=f"{len(plot.lines):,}"
        )
        rest = f'<p class="note">{_text(said)}</p>'
    return _svg(marks, _HIGH, exhibit) + named + rest


def _runs(points: Sequence[tuple[int, float | None]]) -> list[list[tuple[int, float]]]:
    """The parts of a line between its gaps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]


def _parts(run: list[tuple[int, float]], growing: int | None) -> list[tuple[list[tuple[int, float]], str]]:
    """A run up to its last complete step, and dashed from there."""
    if growing is None:
        return [(run, "")]
    whole = [point for point in run if point[0] < growing]
    rest = [point for point in run if point[0] >= growing]
    return [(whole, ""), ([*whole[-1:], *rest], ' stroke-dasharray="6 5"')]


def _label(x: float, y: float, text: str, anchor: str, colour: str = LIGHT.muted) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{_text(text)}</text>'


def _in(name: str, room: float) -> str:
    """A name as far as it has room under its column."""
    most = len(name)
    while most > 3 and width(shortened(name, most), _SIZE) > room - 6:
        most -= 1
    return shortened(name, most)


def _svg(marks: Sequence[str], high: int, exhibit: Exhibit) -> str:
    said = _text(f"{exhibit.title}. {exhibit.meaning}")
    return (
        f'<svg viewBox="0 0 {_WIDE} {high}" font-size="{_SIZE}" role="img" aria-label="{said}">{"".join(marks)}</svg>'
    )
