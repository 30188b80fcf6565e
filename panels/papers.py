"""The files that leave a meeting: slides, workbook, print, and the report on complaints; each numbered, and in the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from measures.model import _
from panels.accounts import Account
from panels.desk import Desk
from presentation.export_view import plain_name
from presentation.minutes import Complaints, Minutes
from presentation.tables import About
from presentation.words import Words

Held = Minutes | Complaints
_OFFICE = "application/vnd.openxmlformats-officedocument."


# The writers are imported by the first file of their kind: what they need costs a third of a second, which every start would pay.


def _deck(minutes: Minutes, say: Words) -> bytes:
    from presentation import deck

    return deck.write(minutes, say)


def _workbook(minutes: Minutes, say: Words) -> bytes:
    from presentation import pack

    return pack.write(minutes, say)


def _print(minutes: Minutes, say: Words) -> bytes:
    from presentation import pdf, print_view

    return pdf.of(print_view.html(minutes, say))


def _report(complaints: Complaints, say: Words) -> bytes:
    from presentation import report

    return report.write(complaints, say)


@dataclass(frozen=True)
class Paper:
    """A kind of file: the program it is for, what it is called in the journal, how its name begins and ends, and how it is written."""

    program: str
    called: str
    begins: str
    ending: str
    mime: str
    write: Callable[[Held, Words], bytes]

    def name(self, desk: Desk, day: date) -> str:
        """The file's name: what it is, the branch's id as far as its signs are kept by every mail program and share, and a day."""
        return (
            "_".join(part for part in (self.begins, plain_name(desk.filters.branch.id), str(day)) if part) + self.ending
        )


PAPERS = {
    "deck": Paper(
        "PowerPoint",
        _("Weekly meeting, slides"),
        "weekly_meeting",
        ".pptx",
        f"{_OFFICE}presentationml.presentation",
        _deck,
    ),
    "workbook": Paper(
        "Excel", _("Weekly meeting, workbook"), "weekly_meeting", ".xlsx", f"{_OFFICE}spreadsheetml.sheet", _workbook
    ),
    "print": Paper("PDF", _("Weekly meeting, print"), "weekly_meeting", ".pdf", "application/pdf", _print),
    "report": Paper(
        "Word",
        _("Complaint analysis report"),
        "complaints",
        ".docx",
        f"{_OFFICE}wordprocessingml.document",
        _report,
    ),
}


@dataclass(frozen=True)
class Made:
    """A file that is made, and not handed over yet."""

    name: str
    mime: str
    content: bytes
    about: About
    account: Account

    def enter(self, purpose: str) -> None:
        """Enters it in the journal, without which it is not handed over. Raises Told."""
        self.account.delivered(self.about, self._sha256, self.name, purpose)

    def came_back(self, why: str) -> None:
        """Enters that it was not handed over after all. Raises JournalError."""
        self.account.undelivered(self.about, self._sha256, self.name, why)

    @property
    def _sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def made(desk: Desk, paper: Paper, day: date, held: Callable[[], Held]) -> Made:
    """The file of what `held` looks up. Raises Told where the reader's role or the day's quota forbids it: before anything is looked
    up, where nothing may be taken away at all."""
    Account(desk, "", None).demand(0)
    found = held()
    account = Account(desk, f"{desk.say(paper.called)}: {found.subtitle}", None)
    account.demand(found.about.row_count)
    about = account.numbered(replace(found.about, made_at=datetime.now()))
    content = paper.write(replace(found, about=about), desk.say)
    return Made(paper.name(desk, day), paper.mime, content, about, account)
