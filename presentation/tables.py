"""The table that is seen and exported: columns with their meaning, rows in their final order, and the total row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Date, DateTime

from measures.model import Count, Dimension, Measure, Placed, Unit, _
from measures.period import Period
from measures.question import BEFORE, CHANGE, NAME, ListingQuestion, Question
from presentation.units import MISSING, day_shown, period_shown, shown, step_shown
from presentation.withheld import CELL, is_withheld
from presentation.withheld import sentence as withheld_sentence
from presentation.words import Words, missing_value


@dataclass(frozen=True)
class Column:
    """One column. `label`, `meaning`, `values` and `missing` are in the reader's language already.

    `values` are the words for the codes that the rows hold, `missing` the word where a text column holds nothing.
    """

    name: str
    label: str
    kind: str  # "text" | "number" | "day"
    unit: Unit | None = None
    meaning: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    masked: bool = False
    missing: str | None = None
    step: str | None = None  # of a day column: the step of time that the day is the first of
    interval: bool = False  # of a text column: it holds two numbers, “11–14”, and stands as numbers do


@dataclass(frozen=True)
class Table:
    """What is seen and exported.

    `rows` hold raw values in their final order, and beside the columns shown the ids behind names. `total` is one row
    with the columns that have a total, asked of the warehouse. `note` says why rows and total differ, where they may.
    """

    title: str
    columns: tuple[Column, ...]
    rows: pd.DataFrame
    total: pd.DataFrame | None = None
    note: str | None = None
    meaning: str | None = None


@dataclass(frozen=True)
class About:
    """What a file says of itself: filters in words, whose data, until when, made by whom and when, and the way back.

    `row_count` is the number of rows that the file is to hold, without the total. `file_id` is the number under which the journal
    has it, `expires_on` the last day on which it may be kept.
    """

    filters: list[tuple[str, str]]
    scope: str
    data_until: date
    person: str
    made_at: datetime
    link: str | None
    row_count: int
    file_id: str = ""
    expires_on: date | None = None


def table_of(
    question: Question, answer: pd.DataFrame, total: pd.DataFrame | None, say: Words, *, changes: bool = False
) -> Table:
    """The answer to `question` as a table: a column for each dimension, by its name, and one for each measure.

    `total` is the answer to `question.total()`, or None for no total row. With `changes`, a question that compares has
    beside each measure the period compared with and the change.
    """
    rows = answer
    columns: list[Column] = []
    for dimension in question.by:
        column = _dimension_column(dimension, say)
        if dimension.named:
            rows = rows.assign(**{column.name: _told_apart(rows[dimension.name], rows[column.name])})
        columns.append(column)
    for measure in question.measures:
        columns += _measure_columns(measure, question.against if changes else None, say)
        if changes and question.against and measure.unit is Unit.SHARE:
            # Nothing formats a share as points, in Excel least of all: −0.017 would be read there as −1.7 %.
            moved = measure.name + CHANGE
            rows = rows.assign(**{moved: rows[moved] * 100})
            total = None if total is None else total.assign(**{moved: total[moved] * 100})
    notes = [_note(question, say)] if total is not None and question.by else []
    notes = [note for note in (*notes, withheld_sentence(question, answer, say)) if note]
    return Table(
        title=_title(question, say),
        columns=tuple(columns),
        rows=rows.reset_index(drop=True),
        total=total,
        note=say.sentences(notes) or None,
    )


def listing_table(question: ListingQuestion, rows: pd.DataFrame, say: Words) -> Table:
    """The rows of a listing as a table."""
    listing = question.listing
    columns = []
    for column in listing.columns:
        kind = "day" if isinstance(column.of.type, (Date, DateTime)) else "number" if column.unit else "text"
        values = {code: say(text) for code, text in column.values.items()}
        masked = column.personal and not question.clear
        columns.append(Column(column.name, say(column.label), kind, column.unit, values=values, masked=masked))
    return Table(say(listing.label), tuple(columns), rows.reset_index(drop=True), meaning=say(listing.meaning))


def cell_texts(column: Column, rows: pd.DataFrame, say: Words) -> list[str]:
    """The column's values as they are read in their cells; where a number is withheld, the word that says so."""
    hidden = is_withheld(rows, column.name)
    texts = (cell_text(column, value, say) for value in rows[column.name])
    return [say(CELL) if h else str(text) for h, text in zip(hidden, texts, strict=True)]


def cell_text(column: Column, value: object, say: Words) -> str:
    """`value` as it is read in a cell of `column`; “—” or the column's own word where there is none."""
    if column.kind == "number" and column.unit is None:  # of a column whose rows have units of their own
        return MISSING if pd.isna(value) else str(value)
    if column.kind == "number":
        return shown(value, column.unit, say.language)
    if pd.isna(value):
        return column.missing or MISSING
    if column.kind == "day":
        return step_shown(value, column.step, say.language) if column.step else day_shown(value, say.language)
    return column.values.get(value, value)


# Columns ------------------------------------------------------------------------------------------------------------


def _dimension_column(dimension: Dimension, say: Words) -> Column:
    return Column(
        name=dimension.name + (NAME if dimension.named else ""),
        label=say(dimension.label),
        kind="day" if dimension.step else "text",
        values={code: say(text) for code, text in dimension.values.items()},
        missing=say(missing_value(dimension)),
        step=dimension.step,
    )


def _measure_columns(measure: Measure, against: Period | None, say: Words) -> list[Column]:
    label, meaning = say(measure.label), say(measure.meaning)
    columns = [Column(measure.name, label, "number", measure.unit, meaning)]
    if against:
        before = say("{measure}, {period}", measure=label, period=period_shown(against, say.language))
        in_points = measure.unit is Unit.SHARE
        change = _("{measure}, change in points") if in_points else _("{measure}, change")
        change_unit = Unit.RATE if in_points else measure.unit
        columns += [
            Column(measure.name + BEFORE, before, "number", measure.unit),
            Column(measure.name + CHANGE, say(change, measure=label), "number", change_unit),
        ]
    return columns


def _told_apart(ids: pd.Series, names: pd.Series) -> pd.Series:
    """The names, with the id where there is no name or where another id has the same name."""
    pairs = list(zip(ids.tolist(), names.tolist(), strict=True))
    times = Counter(name for _id, name in {pair for pair in pairs if not any(map(pd.isna, pair))})
    texts = [id_ if pd.isna(name) else f"{name} ({id_})" if times[name] > 1 else name for id_, name in pairs]
    return pd.Series(texts, index=names.index, dtype="str")


# Texts --------------------------------------------------------------------------------------------------------------


def _title(question: Question, say: Words) -> str:
    names = [say(measure.label) for measure in question.measures]
    if len(names) > 2:
        names = list(dict.fromkeys(say(measure.family) for measure in question.measures))
    if not question.by:
        return say.listed(names)
    return say(
        "{measures} by {dimensions}",
        measures=say.listed(names),
        dimensions=say.listed([say(dimension.label) for dimension in question.by]),
    )


def _note(question: Question, say: Words) -> str | None:
    """Why the total is not the sum of the rows, for the counts of which a reader expects it."""
    counts = [measure for measure in question.measures if isinstance(measure, Count)]
    overlapping = [c for c in counts if not c.adds_up and c.unit is Unit.COUNT]
    standing = [c for c in counts if question.step and c.fact.placed is Placed.BALANCE and c not in overlapping]
    whole = [c for c in counts if any(d in dimensions for d in question.by for dimensions in c.fact.whole)]

    def labels(found: list[Count]) -> str:
        return say.listed([say(count.label) for count in found])

    sentences = []
    if overlapping:
        sentences.append(
            say(
                "{measures}: who is counted in several rows is counted once in the total.", measures=labels(overlapping)
            )
        )
    if standing:
        sentences.append(
            say("{measures}: the total is the state on the last day, not a sum over time.", measures=labels(standing))
        )
    if whole:
        sentences.append(
            say("{measures}: the total has targets of its own and is not the sum of the rows.", measures=labels(whole))
        )
    return say.sentences(sentences) or None
