"""Weekly meetings as they were held: what was shown, remarked and agreed, and what was sent of it. Nothing written is lost.

Two people may write at once. An item and an action hold how often they were changed (`revision`); who writes over what somebody
else wrote meanwhile gets `Changed`, which holds what stands there now, and nothing is written. The order of the items is nobody's
text: moving one never conflicts. What a meeting showed is stored when it starts, all of it or nothing, and stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from data_access.own_database import OwnDatabase, Unsound, metadata, own_database, storable
from data_access.settings import Access
from measures.model import _
from measures.question import Told
from measures.texts import printable

log = logging.getLogger(__name__)

CLAIMED_FOR = timedelta(minutes=15)
"""After so long a file that somebody began to send, and neither sent nor gave up, may be sent by another: its process was killed.
Whoever sends gives up sooner."""

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class _Text(sa.TypeDecorator):
    """Any text; what a database cannot hold is spelled out, also where it is looked for."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        return value if value is None else storable(value)


class _Moment(sa.TypeDecorator):
    """A moment as a text in UTC, which sorts as the moments do: no engine has a way of its own with it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> str | None:
        return value if value is None else value.astimezone(UTC).strftime(_MOMENT)

    def process_result_value(self, value: str | None, _dialect: sa.Dialect) -> datetime | None:
        return value if value is None else datetime.fromisoformat(value)


_meetings = sa.Table(
    "meetings",
    metadata,
    sa.Column("meeting_id", sa.String(16), primary_key=True),
    sa.Column("branch_id", _Text, nullable=False),
    sa.Column("week", sa.Date, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("slide", sa.Integer, nullable=False),
    sa.Column("version", _Text, nullable=False),
    sa.Column("data_until", sa.Date),
    sa.Column("started_at", _Moment),
    sa.Column("ended_at", _Moment),
    sa.Column("started_by", _Text, nullable=False),
    sa.Column("changed_by", _Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.UniqueConstraint("branch_id", "week", name="meetings_of_a_week"),
)
_items = sa.Table(
    "meeting_items",
    metadata,
    sa.Column("item_id", sa.String(16), primary_key=True),
    sa.Column("meeting_id", sa.String(16), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("view", _Text, nullable=False),
    sa.Column("title", _Text, nullable=False),
    sa.Column("remark", _Text, nullable=False),
    sa.Column("kept", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("changed_by", _Text, nullable=False),
)
# A question may be longer than what an index holds, so it is found by its hash.
_answers = sa.Table(
    "meeting_answers",
    metadata,
    sa.Column("meeting_id", sa.String(16), primary_key=True),
    sa.Column("question_sha256", sa.String(64), primary_key=True),
    sa.Column("question", _Text, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
)
_actions = sa.Table(
    "actions",
    metadata,
    sa.Column("action_id", sa.String(16), primary_key=True),
    sa.Column("branch_id", _Text, nullable=False, index=True),
    sa.Column("meeting_id", sa.String(16), nullable=False),
    *(sa.Column(name, _Text, nullable=False) for name in ("what", "who_kind", "who", "who_name", "measure", "filters")),
    sa.Column("due_on", sa.Date, nullable=False),
    *(sa.Column(name, sa.Double) for name in ("baseline", "baseline_of", "aim")),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("agreed_on", sa.Date, nullable=False),
    sa.Column("ended_on", sa.Date),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("changed_by", _Text, nullable=False),
)
_changes = sa.Table(
    "action_changes",
    metadata,
    sa.Column("action_id", sa.String(16), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", _Moment, nullable=False),
    sa.Column("person", _Text, nullable=False),
    sa.Column("changed", _Text, nullable=False),
)
_deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("key_sha256", sa.String(64), primary_key=True),
    sa.Column("delivery_key", _Text, nullable=False),
    sa.Column("recipient", _Text, nullable=False),
    sa.Column("claim", sa.String(32), nullable=False),
    sa.Column("claimed_until", _Moment, nullable=False),
    sa.Column("sent_at", _Moment),
)


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """The meeting of a branch in a week, which is named by its Monday."""

    id: str
    branch_id: str
    week: date
    state: Literal["prepared", "running", "ended"]
    slide: int
    """The slide that a running meeting is at, or that it ended at, from 0."""
    version: str
    """The warehouse's version that its answers are of; empty before it is started."""
    data_until: date | None
    started_at: datetime | None
    """In UTC."""
    ended_at: datetime | None
    started_by: str
    revision: int
    """Grows with whatever is changed in the meeting, its items and their order."""
    by: str
    """Who changed it, its items or their order last."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a meeting looks at: a view, in JSON, with its title and what was remarked on it."""

    id: str
    meeting: str
    position: int
    view: str
    title: str
    remark: str
    kept: bool
    """False: dropped from the agenda, and kept in case somebody wants it back."""
    revision: int
    by: str
    """Who wrote last."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """What was agreed: what, who, by when, and by which measure it will be seen. `Meetings.agree` gives it its id."""

    branch_id: str
    meeting: str
    """The meeting in which it was agreed."""
    what: str
    who_kind: Literal["agent", "branch"]
    who: str
    who_name: str
    due_on: date
    measure: str
    filters: str
    """In JSON, as in an address."""
    baseline: float | None
    """The measure when it was agreed, over `baseline_of` of what it is a share of."""
    baseline_of: float | None
    aim: float | None
    agreed_on: date
    by: str
    """Who wrote last."""
    state: Literal["open", "done", "dropped"] = "open"
    ended_on: date | None = None
    revision: int = 0
    id: str = ""

    def late(self, today: date) -> bool:
        """Whether it is open, and should have been done before `today`."""
        return self.state == "open" and self.due_on < today


CHANGEABLE = frozenset({"what", "who_kind", "who", "who_name", "due_on", "measure", "filters", "baseline", "baseline_of", "aim",
                        "state", "ended_on"})  # fmt: skip
"""What can be changed of an action."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What somebody changed of an action: for each of its fields what it was, and what it became. What was agreed comes first; all
    was None before."""

    revision: int
    at: datetime
    """In UTC."""
    by: str
    changed: Mapping[str, tuple[object, object]]


class MeetingsError(Told):
    """The meetings cannot be read or written. `reference` stands in the log beside the cause."""


class NotPossible(Told):
    """What is not there, what the meeting's state does not permit, or more than a meeting holds."""


MOST_SIGNS, MOST_VIEWS, MOST_OPEN = 5_000, 60, 200
"""Signs of a remark or of what is to be done, views of a meeting, and open actions of a branch: what one person writes stands on
everybody's page and in everybody's files."""


class Changed(Told):
    """Somebody else changed it meanwhile, so nothing was written. `theirs` is what stands there now."""

    def __init__(self, theirs: Item | Action) -> None:
        super().__init__(
            _(
                "{person} has changed this meanwhile, so yours was not written. Look at what stands there now, and write again."
            ),
            person=theirs.by,
        )
        self.theirs = theirs


_CANNOT_READ = _("The meetings cannot be read. Tell the operator: {reference}.")
_CANNOT_WRITE = _("This cannot be written down, so it is not done. Tell the operator: {reference}.")
_ENDED = _("This meeting has ended: what it showed and what was remarked on it stay as they are.")
_NOT_STARTED = _("This meeting has not been started.")


class Meetings:
    """The meetings in the database at `url` (see `own_database`). Nothing is opened before it is used. Every method raises
    MeetingsError, and NotPossible for what is not there; texts are kept whole. `by` is the person who does it."""

    def __init__(self, url: str, key: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._url = url
        self._key = key
        self._clock = clock

    # What is looked at ------------------------------------------------------------------------------------------

    def prepared(self, branch_id: str, week: date, items: Iterable[tuple[str, str]], by: str) -> Meeting:
        """The meeting of the branch in the week that holds that day. Where there is none it is made, with a view and a title for each
        of `items`; of two who make it at once, both get the same."""
        if (found := self.of(branch_id, week)) is not None:
            return found
        meeting_id = _new_id()
        meeting = {
            "meeting_id": meeting_id,
            "branch_id": branch_id,
            "week": monday_of(week),
            "state": "prepared",
            "slide": 0,
            "version": "",
            "started_by": "",
            "changed_by": by,
            "revision": 1,
        }
        rows = [_new_item(meeting_id, position, *item, by) for position, item in enumerate(items)]
        with self._told(_CANNOT_WRITE) as database:
            try:
                with database.writing() as connection:
                    connection.execute(sa.insert(_meetings).values(meeting))
                    if rows:
                        connection.execute(sa.insert(_items), rows)
            except sa.exc.IntegrityError:
                if (found := self.of(branch_id, week)) is None:
                    raise
                return found  # somebody else was faster
        return self.of(branch_id, week)

    def of(self, branch_id: str, week: date) -> Meeting | None:
        """The meeting of the branch in the week that holds that day."""
        found = self._meetings(_meetings.c.branch_id == branch_id, _meetings.c.week == monday_of(week))
        return found[0] if found else None

    def listed(self, branch_id: str) -> list[Meeting]:
        """All meetings of the branch, the newest first."""
        return self._meetings(_meetings.c.branch_id == branch_id)

    def before(self, meeting: Meeting) -> Meeting | None:
        """The last meeting of the branch before this one's week that was started."""
        earlier = (_meetings.c.week < meeting.week, _meetings.c.started_at.is_not(None))
        found = self._meetings(_meetings.c.branch_id == meeting.branch_id, *earlier)
        return found[0] if found else None

    def items(self, meeting_id: str) -> list[Item]:
        """What the meeting looks at, in its order; also what was dropped."""
        with self._told() as database, database.reading() as connection:
            return _items_of(connection, meeting_id)

    def add(self, meeting_id: str, view: str, title: str, by: str) -> Item:
        """Adds a view as the last one. Raises NotPossible."""
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            meeting, there = _changeable(connection, meeting_id), len(_items_of(connection, meeting_id))
            if there >= MOST_VIEWS:
                raise NotPossible(_("A meeting holds {n} views, and this one has as many."), n=MOST_VIEWS)
            _write(connection, meeting, by)
            row = _new_item(meeting_id, there, view, title, by)
            connection.execute(sa.insert(_items).values(row))
            return _item_of(connection, meeting_id, row["item_id"])

    def change(self, item: Item, *, remark: str | None = None, kept: bool | None = None, by: str) -> Item:
        """Writes what is given, where `item` is what stands there; returns what stands there then. Raises Changed and
        NotPossible."""
        _demand_short(remark or "")
        wanted = {"remark": None if remark is None else storable(remark), "kept": kept}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            meeting = _changeable(connection, item.meeting)
            there = _item_of(connection, item.meeting, item.id)
            if all(getattr(there, name) == value for name, value in wanted.items()):
                return there  # as when a click comes twice
            if there.revision != item.revision:
                raise Changed(there)
            _write(connection, meeting, by)
            written = sa.update(_items).where(_items.c.item_id == item.id)
            connection.execute(written.values(**wanted, changed_by=by, revision=there.revision + 1))
            return _item_of(connection, item.meeting, item.id)

    def move(self, meeting_id: str, item_id: str, to: int, by: str) -> None:
        """Puts an item at the place `to`, from 0, among all; the others keep their order."""
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            meeting = _changeable(connection, meeting_id)
            before = [item.id for item in _items_of(connection, meeting_id)]
            if item_id not in before:
                raise NotPossible(_("There is no such view in this meeting."))
            after = [each for each in before if each != item_id]
            after.insert(max(to, 0), item_id)
            if after != before:
                _write(connection, meeting, by)
            for position, each in enumerate(after):
                if before[position] != each:
                    connection.execute(sa.update(_items).where(_items.c.item_id == each).values(position=position))

    # How it is held ---------------------------------------------------------------------------------------------

    def start(
        self, meeting: Meeting, version: str, data_until: date, answers: Iterable[tuple[str, bytes]], by: str
    ) -> Meeting:
        """Starts the meeting and stores a question and its answer for each of `answers`: all or nothing. A meeting that was started
        before is returned as it stands, with the answers of the first."""
        # All are there before the database is held up for them.
        held = {storable(question): answer for question, answer in answers}
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            there = _locked(connection, meeting.id)
            if there.state == "prepared":
                if held:
                    connection.execute(sa.insert(_answers), [_new_answer(there.id, *each) for each in held.items()])
                now = {"version": version, "data_until": data_until, "started_at": self._clock(), "started_by": by}
                _write(connection, there, by, state="running", slide=0, **now)
            return _locked(connection, meeting.id)

    def hold(self, meeting_id: str, question: str, answer: bytes) -> None:
        """Stores one more answer of a running meeting, such as that of a view that was added. One that is there stays as it is."""
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            if _changeable(connection, meeting_id).state == "prepared":
                raise NotPossible(_NOT_STARTED)
            row = _new_answer(meeting_id, question, answer)
            own = (_answers.c.meeting_id == meeting_id, _answers.c.question_sha256 == row["question_sha256"])
            if connection.execute(sa.select(_answers.c.meeting_id).where(*own)).first() is None:
                connection.execute(sa.insert(_answers).values(row))

    def held(self, meeting_id: str) -> dict[str, bytes]:
        """The answers that the meeting has shown, by their questions."""
        chosen = sa.select(_answers.c.question, _answers.c.answer).where(_answers.c.meeting_id == meeting_id)
        with self._told() as database, database.reading() as connection:
            return {row.question: bytes(row.answer) for row in connection.execute(chosen)}

    def at(self, meeting_id: str, slide: int) -> None:
        """Keeps which slide a running meeting is at. One that does not run stays where it is."""
        running = (_meetings.c.meeting_id == meeting_id, _meetings.c.state == "running")
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            connection.execute(sa.update(_meetings).where(*running).values(slide=slide))

    def end(self, meeting: Meeting, by: str) -> Meeting:
        """Ends a meeting that was started; one that has ended stays as it is."""
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            there = _locked(connection, meeting.id)
            if there.state == "prepared":
                raise NotPossible(_NOT_STARTED)
            if there.state == "running":
                _write(connection, there, by, state="ended", ended_at=self._clock())
            return _locked(connection, meeting.id)

    # What was agreed --------------------------------------------------------------------------------------------

    def agree(self, action: Action) -> Action:
        """Writes down a new action of the meeting's branch; one with an id that is there already is returned as it stands."""
        _demand_short(action.what)
        action = replace(action, id=action.id or _new_id(), revision=1, **_numbers(asdict(action)))
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            action = replace(action, branch_id=_locked(connection, action.meeting).branch_id)
            if (there := _action_of(connection, action.id)) is not None:
                return there
            ours = sa.select(sa.func.count()).where(
                _actions.c.branch_id == action.branch_id, _actions.c.state == "open"
            )
            if connection.execute(ours).scalar_one() >= MOST_OPEN:
                raise NotPossible(
                    _("{n} actions of this branch are open, as many as can be followed. Close some first."), n=MOST_OPEN
                )
            row = {_column_of(name): value for name, value in asdict(action).items()}
            connection.execute(sa.insert(_actions).values(row))
            written = _action_of(connection, action.id)
            agreed = {name: getattr(written, name) for name in CHANGEABLE}
            said = {name: (None, value) for name, value in agreed.items() if value is not None}
            self._remember(connection, written, said)
            return written

    def change_action(self, action: Action, by: str, **changed: object) -> Action:
        """Writes what is `changed` (names in CHANGEABLE), where `action` is what stands there; returns what stands there then. Who
        ends an action, or opens it again, need not say `ended_on`: it is today, or no day. Raises Changed."""
        if unknown := changed.keys() - CHANGEABLE:
            raise TypeError(f"Of an action these are not changed: {', '.join(sorted(unknown))}.")
        _demand_short(str(changed.get("what", "")))
        changed = {n: storable(v) if isinstance(v, str) else v for n, v in (changed | _numbers(changed)).items()}
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            there = _action_of(connection, action.id, for_update=True)
            if there is None:
                raise NotPossible(_("There is no such action."))
            if all(getattr(there, name) == value for name, value in changed.items()):
                return there
            if there.revision != action.revision:
                raise Changed(there)
            state = changed.get("state", there.state)
            if state != there.state and "ended_on" not in changed:
                changed["ended_on"] = None if state == "open" else self._clock().astimezone().date()
            row = {_column_of(name): value for name, value in changed.items()}
            written = sa.update(_actions).where(_actions.c.action_id == action.id)
            connection.execute(written.values(**row, changed_by=by, revision=there.revision + 1))
            now = _action_of(connection, action.id)
            said = {n: (getattr(there, n), getattr(now, n)) for n in changed if getattr(there, n) != getattr(now, n)}
            self._remember(connection, now, said)
            return now

    def actions(self, branch_id: str, states: Collection[str] | None = None) -> list[Action]:
        """The actions of the branch's meetings, those due first first; in one of `states`, or all."""
        chosen = sa.select(_actions).where(_actions.c.branch_id == branch_id)
        if states is not None:
            chosen = chosen.where(_actions.c.state.in_(list(states)))
        order = (_actions.c.due_on, _actions.c.agreed_on, _actions.c.action_id)
        with self._told() as database, database.reading() as connection:
            return [_action(row) for row in connection.execute(chosen.order_by(*order))]

    def history(self, action_id: str) -> list[Change]:
        """All that was changed of an action, the first first: what was agreed."""
        chosen = sa.select(_changes).where(_changes.c.action_id == action_id).order_by(_changes.c.revision)
        with self._told() as database, database.reading() as connection:
            return [
                Change(revision=row.revision, at=row.at, by=row.person, changed=_read_changes(row.changed))
                for row in connection.execute(chosen)
            ]

    # What was sent ----------------------------------------------------------------------------------------------

    def sent(self, key: str) -> datetime | None:
        """When what is named by `key` was sent, in UTC; None where it was not."""
        chosen = sa.select(_deliveries.c.sent_at).where(_deliveries.c.key_sha256 == _sha256(key))
        with self._told() as database, database.reading() as connection:
            return connection.execute(chosen).scalar()

    @contextmanager
    def sending(self, key: str, recipient: str) -> Iterator[bool]:
        """Whether it is for the block to send what is named by `key`: False where it was sent, or somebody else is sending it.

        When the block is left it is sent; an Exception leaves it unsent, and the next who asks may send it at once. Of two who ask at
        once one may. What a killed process began may be sent again after `CLAIMED_FOR`: whether it has gone out nobody knows then.
        """
        claim = secrets.token_hex(16)
        if not self._claimed(key, recipient, claim):
            yield False
            return
        try:
            yield True
        except Exception:
            with suppress(MeetingsError):  # the claim then runs out by itself
                self._released(claim)
            raise
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            own = (_deliveries.c.key_sha256 == _sha256(key), _deliveries.c.sent_at.is_(None))
            connection.execute(sa.update(_deliveries).where(*own).values(sent_at=self._clock()))

    def _claimed(self, key: str, recipient: str, claim: str) -> bool:
        now = self._clock()
        row = {"recipient": recipient, "claim": claim, "claimed_until": now + CLAIMED_FOR}
        own = _deliveries.c.key_sha256 == _sha256(key)
        left = (own, _deliveries.c.sent_at.is_(None), _deliveries.c.claimed_until <= now)
        with self._told(_CANNOT_WRITE) as database:
            try:
                with database.writing() as connection:
                    if connection.execute(sa.update(_deliveries).where(*left).values(row)).rowcount:
                        return True
                    new = {"key_sha256": _sha256(key), "delivery_key": key, **row}
                    connection.execute(sa.insert(_deliveries).values(new))
            except sa.exc.IntegrityError:
                return False  # sent, or claimed by another
        return True

    def _released(self, claim: str) -> None:
        mine = (_deliveries.c.claim == claim, _deliveries.c.sent_at.is_(None))
        with self._told(_CANNOT_WRITE) as database, database.writing() as connection:
            connection.execute(sa.delete(_deliveries).where(*mine))

    # How it is written ------------------------------------------------------------------------------------------

    def _meetings(self, *which: sa.ColumnElement[bool]) -> list[Meeting]:
        chosen = sa.select(_meetings).where(*which).order_by(_meetings.c.week.desc())
        with self._told() as database, database.reading() as connection:
            return [_meeting(row) for row in connection.execute(chosen)]

    def _remember(self, connection: sa.Connection, action: Action, said: Mapping[str, tuple[object, object]]) -> None:
        text = json.dumps(said, default=date.isoformat, sort_keys=True, ensure_ascii=False)
        row = {"action_id": action.id, "revision": action.revision, "at": self._clock(), "person": action.by}
        connection.execute(sa.insert(_changes).values(**row, changed=text))

    @contextmanager
    def _told(self, cannot: str = _CANNOT_READ) -> Iterator[OwnDatabase]:
        """What goes wrong as a sentence for the reader, who is told nothing of databases; the log has the cause."""
        try:
            yield own_database(self._url, self._key)
        except (sa.exc.SQLAlchemyError, OSError, Unsound) as error:
            reference = uuid.uuid4().hex[:8]
            # Its first line: in those below, PostgreSQL repeats what was to be written.
            log.error("%s: the meetings failed: %s", reference, printable(str(error).partition("\n")[0]))
            raise MeetingsError(cannot, reference=reference) from error


def meetings_of(access: Access) -> Meetings:
    """The meetings, in the database that the settings name for the journal."""
    return Meetings(access.journal, access.journal_key)


def monday_of(day: date) -> date:
    """The Monday that names the week of `day`."""
    return day - timedelta(days=day.weekday())


# What is kept -------------------------------------------------------------------------------------------------------


def _new_id() -> str:
    return secrets.token_hex(8)


def _sha256(text: str) -> str:
    return hashlib.sha256(storable(text).encode()).hexdigest()


def _new_item(meeting_id: str, position: int, view: str, title: str, by: str) -> dict[str, object]:
    row = {"item_id": _new_id(), "meeting_id": meeting_id, "position": position, "view": view, "title": title}
    return row | {"remark": "", "kept": True, "revision": 1, "changed_by": by}


def _new_answer(meeting_id: str, question: str, answer: bytes) -> dict[str, object]:
    row = {"meeting_id": meeting_id, "question_sha256": _sha256(question)}
    return row | {"question": question, "answer": answer}


def _numbers(fields: Mapping[str, object]) -> dict[str, float | None]:
    """The numbers among an action's fields; what pandas has for a missing one is None."""
    found = {name: fields[name] for name in ("baseline", "baseline_of", "aim") if name in fields}
    return {name: None if value is None or value != value else float(value) for name, value in found.items()}


def _locked(connection: sa.Connection, meeting_id: str) -> Meeting:
    """The meeting as it stands; on PostgreSQL nobody else writes to it, as on SQLite, until this transaction is over."""
    chosen = sa.select(_meetings).where(_meetings.c.meeting_id == meeting_id).with_for_update()
    row = connection.execute(chosen).first()
    if row is None:
        raise NotPossible(_("There is no such meeting."))
    return _meeting(row)


def _demand_short(text: str) -> None:
    """Raises NotPossible where the text is longer than `MOST_SIGNS`."""
    if len(text) > MOST_SIGNS:
        raise NotPossible(_("This text has {n} signs; {most} are kept. Shorten it."), n=len(text), most=MOST_SIGNS)


def _changeable(connection: sa.Connection, meeting_id: str) -> Meeting:
    """The same of a meeting whose items may be changed. Raises NotPossible."""
    there = _locked(connection, meeting_id)
    if there.state == "ended":
        raise NotPossible(_ENDED)
    return there


def _write(connection: sa.Connection, meeting: Meeting, by: str, **changed: object) -> None:
    written = sa.update(_meetings).where(_meetings.c.meeting_id == meeting.id)
    connection.execute(written.values(**changed, changed_by=by, revision=meeting.revision + 1))


def _items_of(connection: sa.Connection, meeting_id: str) -> list[Item]:
    chosen = sa.select(_items).where(_items.c.meeting_id == meeting_id).order_by(_items.c.position)
    return [_item(row) for row in connection.execute(chosen)]


def _item_of(connection: sa.Connection, meeting_id: str, item_id: str) -> Item:
    own = (_items.c.meeting_id == meeting_id, _items.c.item_id == item_id)
    row = connection.execute(sa.select(_items).where(*own)).first()
    if row is None:
        raise NotPossible(_("There is no such view in this meeting."))
    return _item(row)


def _action_of(connection: sa.Connection, action_id: str, *, for_update: bool = False) -> Action | None:
    chosen = sa.select(_actions).where(_actions.c.action_id == action_id)
    row = connection.execute(chosen.with_for_update() if for_update else chosen).first()
    return row and _action(row)


_NAMES = {"meeting_id": "meeting", "changed_by": "by"}
"""Columns that are called otherwise here."""
_COLUMNS = {name: column for column, name in _NAMES.items()}


def _column_of(name: str) -> str:
    return "action_id" if name == "id" else _COLUMNS.get(name, name)


def _meeting(row: sa.Row) -> Meeting:
    found = dict(row._mapping)
    return Meeting(id=found.pop("meeting_id"), by=found.pop("changed_by"), **found)


def _item(row: sa.Row) -> Item:
    found = {_NAMES.get(name, name): value for name, value in row._mapping.items()}
    return Item(id=found.pop("item_id"), **found)


def _action(row: sa.Row) -> Action:
    found = {_NAMES.get(name, name): value for name, value in row._mapping.items()}
    return Action(id=found.pop("action_id"), **found)


def _read_changes(text: str) -> dict[str, tuple[object, object]]:
    return {
        name: tuple(date.fromisoformat(v) if name in ("due_on", "ended_on") and v else v for v in values)
        for name, values in json.loads(text).items()
    }
