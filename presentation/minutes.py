"""A meeting as its files have it: what was shown, what was remarked, what was agreed, and what the numbers mean; and a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from measures.catalogue import MEASURES
from presentation.exhibit import Exhibit, Kind
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


@dataclass(frozen=True)
class Section:
    """A part of a report: what is said, what is shown, and points one under the other."""

    heading: str
    sentences: Sequence[str] = ()
    exhibits: Sequence[Exhibit] = ()
    points: Sequence[str] = ()


@dataclass(frozen=True)
class Complaints:
    """A report on complaints, in the reader's language. `subtitle` is the branch and the days; the exhibits make the appendix."""

    title: str
    subtitle: str
    about: About
    sections: Sequence[Section]


def definitions(exhibits: Iterable[Exhibit], say: Words) -> list[tuple[str, str]]:
    """The meanings of what is shown, each once: label and meaning of key numbers and of the columns of tables."""
    found: list[tuple[str, str]] = []
    for exhibit in exhibits:
        if exhibit.table is None:
            continue
        if exhibit.kind is Kind.FIGURES and "name" in exhibit.table.rows:
            measures = [MEASURES[name] for name in exhibit.table.rows["name"] if name in MEASURES]
            found += [(say(measure.label), say(measure.meaning)) for measure in measures]
        found += [(column.label, column.meaning) for column in exhibit.table.columns if column.meaning]
    return list(dict.fromkeys(found))


def about_lines(minutes: Minutes, say: Words) -> list[tuple[str, str]]:
    """What the files of a meeting say of themselves: scope, data's date, meanings, who made them, when, and the way back."""
    agreed = Exhibit(Kind.TABLE, "", "", minutes.actions)
    shown = [*(slide.exhibit for slide in minutes.slides), agreed]
    return [*scope_lines(minutes.about, say), *definitions(shown, say), *made_lines(minutes.about, say)]
