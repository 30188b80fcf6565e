"""What of an exhibit is drawn, whatever draws it: the numbers along an axis, and the cells of a table in words.

A slide, a printed page and a report draw the same: only how it looks is theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from measures.catalogue import MEASURES
from measures.model import Unit
from measures.period import Period, first_days
from measures.question import CUMULATIVE
from measures.texts import printable
from presentation.colours import shade
from presentation.exhibit import Exhibit, Kind, Note
from presentation.exports import total_values
from presentation.findings import too_few
from presentation.tables import Column, Table, cell_text, cell_texts
from presentation.units import MISSING
from presentation.words import Words

DRAWN = (Kind.LINES, Kind.BARS, Kind.COLUMNS, Kind.PARETO, Kind.FUNNEL)
"""The kinds that are charts; all others are tables or sentences."""
MOST_LINES = 7
"""More cannot be told apart by colour."""
FEW = 0.8
"""What the few causes make up together that a Pareto chart marks."""


@dataclass(frozen=True)
class Line:
    """A name and a number, or None, for each category; `few` says which of these stand for too few to be part of a line."""

    name: str
    values: tuple[float | int | None, ...]
    few: tuple[bool, ...] = ()

    def is_few(self, place: int) -> bool:
        """Whether the number at a place stands for too few."""
        return bool(self.few) and self.few[place]


@dataclass(frozen=True)
class Plot:
    """A chart's numbers as they came. `few` says of each category of a Pareto chart whether it is of the few; steps of time from the
    place `growing` on are not complete."""

    categories: tuple[str, ...]
    lines: tuple[Line, ...]
    unit: Unit
    overall: float | None = None
    few: tuple[bool, ...] = ()
    growing: int | None = None

    @property
    def known(self) -> list[float | int]:
        """All numbers that are known."""
        return [value for line in self.lines for value in line.values if value is not None]


@dataclass(frozen=True)
class Grid:
    """A table as it is read: every cell a text. `shades` holds the fill and the ink of the cells (row, column) of a matrix."""

    heading: tuple[str, ...]
    right: tuple[bool, ...]
    """Which columns hold numbers."""
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None
    shades: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)


def plain(text: object) -> str:
    """`text` on one line, such as every XML file can hold it: a control character is shown by a sign."""
    said = printable(str(text))
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c for c in said)


def notes_of(exhibit: Exhibit) -> list[str]:
    """What has to be said of an exhibit wherever it stands."""
    return [note for note in exhibit.notes if not (isinstance(note, Note) and note.of_screen)]


def together(texts: Sequence[str], say: Words) -> str:
    """Notes as one text: behind one that ends like a sentence the next begins, behind any other it goes on."""
    told = ""
    for text in filter(None, map(str, texts)):
        joined = say.sentences if told.endswith(_ENDS) else say.clauses
        told = joined([told, text]) if told else text
    return told


_ENDS = tuple(".。!！?？…")


def name_shown(text: object) -> str:
    """The name of a bar, line or row: “—” where nothing would be seen."""
    return plain(text) if str(text).strip() else MISSING


# Charts -------------------------------------------------------------------------------------------------------------


def plot_of(exhibit: Exhibit, say: Words) -> Plot | None:
    """The numbers of a chart; None for what is no chart, and where no number is known."""
    table = exhibit.table
    if exhibit.kind not in DRAWN or table is None or exhibit.category is None or exhibit.value is None:
        return None
    along, drawn = column_of(table, exhibit.category), column_of(table, exhibit.value)
    growing = None
    if exhibit.kind is Kind.LINES:
        categories, lines, growing = _over_time(exhibit, along, table, say)
    else:
        categories = [name_shown(text) for text in cell_texts(along, table.rows, say)]
        lines = [Line(name_shown(drawn.label), _numbers(table.rows[drawn.name]))]
    unit, overall = drawn.unit or Unit.AMOUNT, _known(exhibit.overall)
    plot = Plot(tuple(categories), tuple(lines), unit, overall, _few(exhibit), growing)
    return plot if plot.known else None


def column_of(table: Table, name: str) -> Column:
    """The column of that name. Raises KeyError where the table has none."""
    found = next((column for column in table.columns if column.name == name), None)
    if found is None:
        raise KeyError(f"The table “{table.title}” has no column {name}.")
    return found


def _over_time(exhibit: Exhibit, along: Column, table: Table, say: Words) -> tuple[list[str], list[Line], int | None]:
    """The steps of time in their order, also those without a row, a line for each value of the series, and where steps begin that
    are not complete."""
    rows, drawn = table.rows, column_of(table, exhibit.value)
    steps = _steps(along, rows)
    categories = [name_shown(cell_text(along, step, say)) for step in steps]
    growing = None
    if exhibit.growing and all(isinstance(step, date) for step in steps):
        growing = next((at for at, step in enumerate(steps) if step >= exhibit.growing), None)
    if growing is not None:
        categories[growing:] = [say("{step}, not complete", step=name) for name in categories[growing:]]
    measure = MEASURES.get(drawn.name)
    absent = getattr(measure, "absent", None)  # what a count says it is where it has no row: none, or not known
    if exhibit.series is None:
        names: dict[object, str] = {None: name_shown(drawn.label)}
        ids: Sequence[object] = [None] * len(rows)
    else:
        told = column_of(table, exhibit.series)
        ids = [None if pd.isna(id_) else id_ for id_ in rows[told.name]]
        names = dict(zip(ids, map(name_shown, cell_texts(told, rows, say)), strict=True))
    found: dict[tuple[object, object], float | int | None] = {}
    doubtful = too_few(measure, rows).tolist() if measure else [False] * len(rows)
    few = set()
    places = zip(ids, map(_day_or_id, rows[along.name]), strict=True)
    for place, value, is_few in zip(places, _numbers(rows[drawn.name]), doubtful, strict=True):
        if place in found:
            raise ValueError(f"“{table.title}” has two numbers for {names[place[0]]} in {place[1]}.")
        found[place] = value
        if is_few:
            few.add(place)
    lines = [
        Line(
            name,
            tuple(found.get((id_, step), absent) for step in steps),
            tuple((id_, step) in few for step in steps),
        )
        for id_, name in names.items()
    ]
    return categories, lines, growing


def _steps(along: Column, rows: pd.DataFrame) -> list[object]:
    held = list(dict.fromkeys(map(_day_or_id, rows[along.name])))
    days = [day for day in held if isinstance(day, date)]
    if along.kind == "day" and along.step and len(days) == len(held) and days:
        return list(first_days(Period(min(days), max(days)), along.step))
    return sorted(held) if days and len(days) == len(held) else held


def _day_or_id(value: object) -> object:
    if pd.isna(value):
        return None
    return value.date() if isinstance(value, pd.Timestamp) else value


def _numbers(values: pd.Series) -> tuple[float | int | None, ...]:
    return tuple(_known(value) for value in values.tolist())


def _known(value: object) -> float | int | None:
    """A number that a file can hold; None for what is missing or has no end."""
    if pd.isna(value) or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(value)


def _few(exhibit: Exhibit) -> tuple[bool, ...]:
    """The bars up to the one that crosses four fifths: without it they would not make them up."""
    reached = exhibit.value + CUMULATIVE if exhibit.value else ""
    if exhibit.kind is not Kind.PARETO or exhibit.table is None or reached not in exhibit.table.rows:
        return ()
    shares = _numbers(exhibit.table.rows[reached])
    return tuple(before is None or before < FEW for before in [None, *shares][: len(shares)])


# Tables -------------------------------------------------------------------------------------------------------------


def grid_of(exhibit: Exhibit, say: Words) -> Grid | None:
    """The exhibit's table in words; None where it has none, or no row."""
    table = exhibit.table
    if table is None or (table.rows.empty and table.total is None):
        return None
    if exhibit.kind is Kind.MATRIX and exhibit.category and exhibit.series and exhibit.value:
        return _matrix(exhibit, table, say)
    if exhibit.kind is not Kind.FIGURES:
        return grid_of_table(table, say)
    # Raw key numbers have units of their own; they stand beside as texts.
    columns = tuple(c for c in table.columns if c.name != (exhibit.value or "value"))
    found = grid_of_table(replace(table, columns=columns), say)
    return replace(found, right=tuple(at > 0 for at in range(len(columns))))


def grid_of_table(table: Table, say: Words) -> Grid:
    """A table in words: as on the screen, with the total first."""
    texts = [[name_shown(text) for text in cell_texts(column, table.rows, say)] for column in table.columns]
    total = None
    if table.total is not None:
        values = total_values(table)
        cells = [
            "" if value is None else plain(cell_text(c, value, say))
            for c, value in zip(table.columns, values, strict=True)
        ]
        total = (say("Total"), *cells[1:])
    return Grid(
        tuple(plain(column.label) for column in table.columns),
        tuple(column.kind == "number" or column.interval for column in table.columns),
        tuple(zip(*texts, strict=True)),
        total,
    )


def _matrix(exhibit: Exhibit, table: Table, say: Words) -> Grid:
    down, across = column_of(table, exhibit.category), column_of(table, exhibit.series)
    drawn = column_of(table, exhibit.value)
    texts = cell_texts(drawn, table.rows, say)
    row_ids = [_day_or_id(id_) for id_ in table.rows[down.name]]
    column_ids = [_day_or_id(id_) for id_ in table.rows[across.name]]
    row_names = dict(zip(row_ids, map(name_shown, cell_texts(down, table.rows, say)), strict=True))
    column_names = dict(zip(column_ids, map(name_shown, cell_texts(across, table.rows, say)), strict=True))
    numbers = _numbers(table.rows[drawn.name])
    cells = dict(zip(zip(row_ids, column_ids, strict=True), zip(texts, numbers, strict=True), strict=True))
    known = [number for number in numbers if number is not None]
    lowest, highest = (min(known), max(known)) if known else (0, 0)
    rows, shades = [], {}
    for at, (row_id, row_name) in enumerate(row_names.items()):
        row = [row_name]
        for place, column_id in enumerate(column_names, start=1):
            text, number = cells.get((row_id, column_id), (MISSING, None))
            row.append(plain(text))
            if number is not None:
                part = (number - lowest) / (highest - lowest) if highest > lowest else 0
                shades[at, place] = shade(part, dark=False)
        rows.append(tuple(row))
    heading = (plain(down.label), *column_names.values())
    return Grid(heading, (False, *(True for _ in column_names)), tuple(rows), None, shades)
