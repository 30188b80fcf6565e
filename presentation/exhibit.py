"""One thing to look at, before it is drawn: what was found, its numbers, and what has to be said of them.

A page, a slide and a file are made of the same exhibits, so that they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from presentation.charts import Look
from presentation.tables import Table


class Kind(Enum):
    """How the numbers are drawn."""

    FIGURES = auto()
    """Key numbers, a row for each."""
    SENTENCES = auto()
    LINES = auto()
    BARS = auto()
    """Lying, the highest first."""
    COLUMNS = auto()
    """Upright, in an order of their own."""
    PARETO = auto()
    FUNNEL = auto()
    MATRIX = auto()
    TABLE = auto()


class Note(str):
    """What has to be said of an exhibit. `hint` is said on hover: by which method. One that is `named` holds names from the warehouse,
    whatever signs they hold; one that `leads` says whose numbers these are, and stands above them. One `of_screen` says how to
    read what is drawn on the screen alone: files leave it out."""

    hint: str | None
    named: bool
    leads: bool
    of_screen: bool

    def __new__(
        cls, text: str, hint: str | None = None, *, named: bool = False, leads: bool = False, of_screen: bool = False
    ) -> Note:
        note = super().__new__(cls, text)
        note.hint, note.named, note.leads, note.of_screen = hint, named, leads, of_screen
        return note


@dataclass(frozen=True)
class Exhibit:
    """What is shown, in the reader's language. `table` holds the numbers as they came, in the order in which they are drawn."""

    kind: Kind
    title: str
    """The finding in one sentence."""
    meaning: str
    """What is measured, by what, and what that means."""
    table: Table | None = None
    """None where there is nothing to show: `notes` then say why."""
    category: str | None = None
    """The column of names or days along which a chart is drawn."""
    series: str | None = None
    """The column that tells lines, or the columns of a matrix, apart."""
    value: str | None = None
    """The column that is drawn; others stand beside it."""
    overall: float | None = None
    """The value of all together, where it is drawn as a line among the parts."""
    notes: tuple[str, ...] = ()
    """What is missing, too few or not filtered."""
    filters: tuple[tuple[str, str], ...] = ()
    """Label and value of what the numbers are under."""
    lines: tuple[str, ...] = ()
    """The sentences of `Kind.SENTENCES`."""
    draw: Callable[[Look, str], None] | None = None
    """Draws it on the screen under a key, without title and frame."""
    growing: date | None = None
    """Of lines: the first day of the first step whose number is not final."""
