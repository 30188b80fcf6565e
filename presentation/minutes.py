"""A meeting as its files have it: what was shown, what was remarked, what was agreed, and what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from presentation.exhibit import Exhibit
from presentation.exports import made_lines, scope_lines
from presentation.tables import About, Table
from presentation.words import Words


@dataclass(frozen=True)
class Slide:
    """One thing that is shown, and what was remarked on it."""

    exhibit: Exhibit
    remark: str = ""


@dataclass(frozen=True)
class Minutes:
    """All that a meeting's files hold, in the reader's language. `subtitle` is the branch and the week."""

    title: str
    subtitle: str
    about: About
    slides: Sequence[Slide]
    actions: Table | None = None


def definitions(tables: Iterable[Table | None]) -> list[tuple[str, str]]:
    """What the columns of the tables mean, each once: label and meaning."""
    columns = (column for table in tables if table is not None for column in table.columns)
    return list(dict.fromkeys((column.label, column.meaning) for column in columns if column.meaning))


def about_lines(minutes: Minutes, say: Words) -> list[tuple[str, str]]:
    """What the files of a meeting say of themselves: scope, data's date, meanings, who made them, when, and the way back."""
    tables = [*(slide.exhibit.table for slide in minutes.slides), minutes.actions]
    return [*scope_lines(minutes.about, say), *definitions(tables), *made_lines(minutes.about, say)]
