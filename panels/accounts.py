"""What a reader takes away: whether their role lets them, for what, how much a day; and that it is written down first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from data_access.access import Permission
from data_access.journal import Action, Entry, Taken, new_id
from measures.model import _
from measures.question import ListingQuestion, Question, Told
from panels.desk import Desk
from presentation.exports import About


class TooMuch(Told):
    """More than one person takes away in a day."""


@dataclass(frozen=True)
class Account:
    """What the file of one table is held to (`presentation.export_view.Account`).

    It outlives the run that made it, because a file is made on a click in a thread of its own: all it needs is bound to it.
    """

    desk: Desk
    what: str
    """The table's title, or what else the file is."""
    question: Question | ListingQuestion | None
    """None: numbers that answer many questions."""
    personal: tuple[str, ...] = ()
    """The labels of the columns with personal data in clear."""

    def demand(self, rows: int) -> None:
        """Raises Told where the role, or the day's quota, does not permit a file of so many rows."""
        if not self.desk.viewer.may(self._needed):
            raise Told(_("Your role does not permit to take this away."))
        self._within(self.desk.taken_today(), rows)

    def refusal(self, rows: int) -> str:
        try:
            self.demand(rows)
        except Told as refused:
            return self.desk.say.told(refused)
        return ""

    @property
    def wants_purpose(self) -> bool:
        return isinstance(self.question, ListingQuestion)

    def numbered(self, about: About) -> About:
        return replace(
            about, file_id=new_id(), expires_on=about.made_at.date() + timedelta(days=self.desk.access.export_days)
        )

    def permit(self, purpose: str) -> None:
        """Raises Told where the role, which may have been taken away since, does not permit it, or the purpose is missing."""
        desk = self.desk
        if not desk.holds() or not desk.viewer.may(self._needed) or (self.wants_purpose and not purpose):
            raise Told(_("Your role does not permit to take this away."))

    def delivered(self, about: About, sha256: str, name: str, purpose: str) -> None:
        """Writes the file, by its hash, into the journal. Raises Told where the role or the day's quota does not permit it, where the
        purpose is missing, and where the journal cannot be written."""
        desk = self.desk
        self.permit(purpose)
        taken = replace(
            entry(desk, Action.EXPORT, self.what, self.question, about),
            id=about.file_id,
            personal=self.personal,
            purpose=purpose,
            file_name=name,
            file_sha256=sha256,
            expires_on=about.expires_on,
        )
        desk.journal.add(taken, lambda so_far: self._within(so_far, about.row_count))

    def undelivered(self, about: About, sha256: str, name: str, why: str) -> None:
        """Writes down that the file, which is in the journal as delivered, did not go. Raises JournalError."""
        came_back = entry(self.desk, Action.UNDELIVERED, self.what, self.question, about)
        self.desk.journal.add(replace(came_back, purpose=why, file_name=name, file_sha256=sha256))

    @property
    def _needed(self) -> Permission:
        if self.personal:
            return Permission.EXPORT_PERSONAL
        return Permission.EXPORT_LISTINGS if isinstance(self.question, ListingQuestion) else Permission.EXPORT_NUMBERS

    def _within(self, taken: Taken, rows: int) -> None:
        quota = self.desk.access.quotas.get(self.desk.viewer.role)
        if quota is None:
            return
        if taken.times >= quota.files:
            raise TooMuch(
                _("You have taken {n} files today, as many as a day allows. Come back tomorrow."), n=quota.files
            )
        if taken.rows + rows > quota.rows:
            raise TooMuch(
                _(
                    "With this file you would have taken more than {rows} rows today. Narrow the filters, or come back tomorrow."
                ),
                rows=f"{quota.rows:,}",
            )


def entry(desk: Desk, action: Action, what: str, question: Question | ListingQuestion | None, about: About) -> Entry:
    """What the reader does with the answer to `question`, as the journal has it."""
    return Entry(
        person=desk.viewer.person,
        name=desk.reader,
        role=desk.viewer.role.value,
        branch_id=desk.viewer.branch_id,
        action=action,
        what=what,
        sql_hash=desk.warehouse.fingerprint(question, desk.viewer) if question else "",
        filters=tuple(about.filters),
        scope=about.scope,
        rows=about.row_count,
    )
