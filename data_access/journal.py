"""Who took what, when and why: entries that can be added, and neither changed nor removed without being found out.

Each entry holds the hash of the one before, and its own over all it says. How long the journal is, and the hash of its last
entry, stand in a head that bears a seal: an HMAC with a key that is not in the database. `Journal.verify` finds

- an entry changed, removed, exchanged, inserted or added past `Journal.add`, wherever it stands, the last and all included;
- a head changed, removed, or sealed with another key.

Triggers refuse such changes in the first place, to whoever has not the right to drop them. What is *not* found: what is done
by somebody who has the database and the key, and the return of the whole database to what it was at an earlier moment, or its
loss as a whole. Against these, every number and hash goes to the server's log as well, `verify` says the last of them, and a
delivered file bears the id of its entry: keep the log elsewhere, and the key where the database's administrator is not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from data_access.own_database import OwnDatabase, Unsound, metadata, own_database, storable
from data_access.settings import Access
from measures.model import _
from measures.question import Told
from measures.texts import printable

log = logging.getLogger(__name__)

NOTHING = "0" * 64
"""The hash before the first entry."""

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are read as others: an id is told over the telephone."""

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Action(StrEnum):
    """What was done."""

    EXPORT = "export"
    UNDELIVERED = "not delivered"
    """A file that was to be sent, and is in the journal as such, did not go; or nobody knows whether it did."""
    UNMASK = "unmask"
    VIEW_AS = "view as"
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    REVOKE = "revoke"
    REFUSE = "refuse"


def _text() -> sa.Column:
    return sa.Column(sa.Text, nullable=False)


# Everything is kept as it is hashed: a moment as a text in UTC, filters and columns as JSON. No engine has a way of its own
# with texts and whole numbers.
_entries = sa.Table(
    "journal",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    *(
        sa.Column(name, sa.Text, nullable=False)
        for name in ("at", "person", "name", "role", "branch_id", "action", "what", "sql_hash", "filters", "scope")
    ),
    sa.Column("rows", sa.BigInteger),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("personal", "purpose", "file_name", "file_sha256")),
    sa.Column("expires_on", sa.Text),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("previous", "hash")),
    sa.Index("journal_by_person", "person", "at"),
)
_head = sa.Table(
    "journal_head",
    metadata,
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("seal", sa.Text, nullable=False),
)


def new_id() -> str:
    """A short id that is read out without doubt, and will not come twice."""
    return "".join(secrets.choice(_LETTERS) for _place in range(12))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be recorded. Texts are kept as given; what a database cannot hold (NUL, half a character) as \\x00, \\udc80."""

    person: str
    name: str
    role: str
    branch_id: str
    action: Action
    what: str = ""
    """The question in words."""
    sql_hash: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    """Label and value, as on the About sheet."""
    scope: str = ""
    """Whose rows, in words."""
    rows: int | None = None
    personal: tuple[str, ...] = ()
    """The columns with personal data."""
    purpose: str = ""
    file_name: str = ""
    file_sha256: str = ""
    expires_on: date | None = None
    id: str = field(default_factory=new_id)


class Recorded(NamedTuple):
    """An entry that is on disk."""

    number: int
    id: str
    at: datetime
    hash: str


class Taken(NamedTuple):
    """What a person did of one kind since midnight; without files that were not delivered."""

    times: int
    rows: int
    with_personal: int
    """How many of the times with personal data."""


class JournalError(Told):
    """The journal cannot be written or read, so nothing is handed out. `reference` stands in the log beside the cause."""


class Fault(Told):
    """Where the journal is not what was written: a sentence for the reader."""


class Journal:
    """The journal at `url`, sealed with `key` (see `own_database`). Nothing is opened before it is used."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def add(self, entry: Entry, permit: Callable[[Taken], None] | None = None) -> Recorded:
        """Records `entry`, and returns when it is on disk. One at a time, over all threads, processes and servers.

        `permit` is asked under the same lock, with what the person did of this kind today: where it raises, nothing is
        recorded and its error is raised. So a quota holds for two who ask at once. Raises JournalError; the entry may then
        be there or not, and what it was to account for is not handed out.
        """
        cannot = _("This cannot be recorded in the journal, so it is not done. Tell the operator: {reference}.")
        with self._told(cannot) as database, database.writing() as connection:
            # On PostgreSQL this row is the lock: the next who adds waits here, and then reads what was committed.
            heads = connection.execute(sa.select(_head).with_for_update()).all()
            if len(heads) != 1 or not _sealed(heads[0], database.key):
                raise Unsound(
                    "The journal's head was changed, or the key is not the one it was sealed with. “python -m data_access "
                    "journal verify” says more. Nothing is added to it: restore the key, or both from a backup."
                )
            if permit is not None:
                permit(_taken(connection, entry.person, entry.action))
            # What follows the head follows a last entry that is gone, too: then the gap stays to be found.
            at = datetime.now(UTC)
            row = _row(entry, heads[0].number + 1, at, heads[0].hash)
            connection.execute(sa.insert(_entries).values(row))
            connection.execute(
                sa.update(_head).values(
                    number=row["number"], hash=row["hash"], seal=_seal(database.key, row["number"], row["hash"])
                )
            )
        log.info("journal entry %d %s", row["number"], row["hash"])
        return Recorded(row["number"], row["id"], at, row["hash"])

    def taken_today(self, person: str, kind: Action) -> Taken:
        """What `person` did of this kind since midnight on the server's clock. Raises JournalError."""
        with self._told() as database, database.reading() as connection:
            return _taken(connection, person, kind)

    def entries(
        self,
        *,
        person: str | None = None,
        branches: Collection[str] | None = None,
        action: Action | None = None,
        since: date | None = None,
        newest: int | None = None,
    ) -> pd.DataFrame:
        """Entries as they were written, the newest first; `newest` of them. None does not filter, no branches give no entry.

        Columns: number, id, at (UTC), person, name, role, branch_id, action, what, sql_hash, filters and personal in words,
        scope, rows, purpose, file_name, file_sha256, expires_on, previous, hash. Raises JournalError.
        """
        query = sa.select(_entries).order_by(_entries.c.number.desc()).limit(newest)
        if person is not None:
            query = query.where(_entries.c.person == storable(person))
        if branches is not None:
            query = query.where(_entries.c.branch_id.in_([storable(branch) for branch in branches]))
        if action is not None:
            query = query.where(_entries.c.action == action.value)
        if since is not None:
            query = query.where(_entries.c.at >= _midnight(since))
        with self._told() as database, database.reading() as connection:
            found = pd.DataFrame(connection.execute(query).all(), columns=_entries.c.keys(), dtype=object)
        # What was tampered with is shown as far as it can be: `verify` says so, a page does not fail over it.
        return found.assign(
            number=found["number"].astype("int64"),
            at=pd.to_datetime(found["at"], utc=True, format="ISO8601", errors="coerce"),
            filters=[_in_words(text) for text in found["filters"]],
            personal=[_in_words(text) for text in found["personal"]],
            rows=pd.array([n if isinstance(n, int) else None for n in found["rows"]], dtype="Int64"),
            expires_on=[_day(text) for text in found["expires_on"]],
        )

    def verify(self) -> list[Fault]:
        """Everything by which the journal differs from what was written, in the order of the entries. Raises JournalError."""
        with self._told() as database, database.reading() as connection:
            heads = connection.execute(sa.select(_head)).all()
            rows = connection.execute(
                sa.select(_entries).order_by(_entries.c.number).execution_options(yield_per=1_000)
            )
            return list(_faults(heads, (row._mapping for row in rows), database.key))

    def last(self) -> tuple[int, str]:
        """The number and hash of the last entry, by the head: to be noted where nobody can change both. Raises JournalError."""
        with self._told() as database, database.reading() as connection:
            head = connection.execute(sa.select(_head.c.number, _head.c.hash)).first()
            return (0, NOTHING) if head is None else (head.number, head.hash)

    @contextmanager
    def _told(
        self, cannot: str = _("The journal cannot be read. Tell the operator: {reference}.")
    ) -> Iterator[OwnDatabase]:
        """What goes wrong as a sentence for the reader, who is told nothing of databases; the log has the cause."""
        try:
            yield own_database(self._url, self._key)
        except (sa.exc.SQLAlchemyError, OSError, Unsound) as error:
            reference = uuid.uuid4().hex[:8]
            # Its first line: in those below, PostgreSQL repeats what was to be written.
            log.error("%s: the journal failed: %s", reference, printable(str(error).partition("\n")[0]))
            raise JournalError(cannot, reference=reference) from error


def journal_of(access: Access) -> Journal:
    """The journal that the settings name."""
    return Journal(access.journal, access.journal_key)


# What is kept -------------------------------------------------------------------------------------------------------


def _row(entry: Entry, number: int, at: datetime, previous: str) -> dict[str, object]:
    row = {
        "number": number,
        "id": entry.id,
        "at": at.strftime(_MOMENT),
        "person": entry.person,
        "name": entry.name,
        "role": str(entry.role),
        "branch_id": entry.branch_id,
        "action": entry.action.value,
        "what": entry.what,
        "sql_hash": entry.sql_hash,
        "filters": _list([[storable(label), storable(value)] for label, value in entry.filters]),
        "scope": entry.scope,
        "rows": None if entry.rows is None else int(entry.rows),
        "personal": _list(map(storable, entry.personal)),
        "purpose": entry.purpose,
        "file_name": entry.file_name,
        "file_sha256": entry.file_sha256,
        "expires_on": entry.expires_on and entry.expires_on.isoformat(),
        "previous": previous,
    }
    row = {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
    return row | {"hash": _hash(row)}


def _list(parts: Iterable[object]) -> str:
    return json.dumps(list(parts), ensure_ascii=False)


def _hash(row: dict[str, object]) -> str:
    """SHA-256 of all fields but the hash itself, the hash before among them: JSON with sorted keys, in UTF-8."""
    said = {name: value for name, value in row.items() if name != "hash"}
    # `default`: what was tampered with can be of any type; it only has to be something else.
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _seal(key: bytes, number: object, last: object) -> str:
    return hmac.new(key, f"{number} {last}".encode(), hashlib.sha256).hexdigest()


def _sealed(head: sa.Row, key: bytes) -> bool:
    return hmac.compare_digest(_seal(key, head.number, head.hash).encode(), str(head.seal).encode())


_came_back = sa.select(_entries.c.file_sha256).where(
    _entries.c.person == sa.bindparam("person"),
    _entries.c.action == Action.UNDELIVERED.value,
    _entries.c.at >= sa.bindparam("since"),
)
_taken_since = sa.select(
    sa.func.count(),
    sa.func.coalesce(sa.func.sum(_entries.c.rows), 0),
    sa.func.count(sa.case((_entries.c.personal != "[]", 1))),
).where(
    _entries.c.person == sa.bindparam("person"),
    _entries.c.action == sa.bindparam("kind"),
    _entries.c.at >= sa.bindparam("since"),
    _entries.c.file_sha256.not_in(_came_back),
)
"""Each page asks for it, with each change of a filter: it is put together once."""


def _taken(connection: sa.Connection, person: str, kind: Action) -> Taken:
    wanted = {"person": storable(person), "kind": kind.value, "since": _midnight(date.today())}
    return Taken(*map(int, connection.execute(_taken_since, wanted).one()))


def _midnight(day: date) -> str:
    """When `day` begins on the server's clock, as entries hold a moment."""
    return datetime.combine(day, time()).astimezone(UTC).strftime(_MOMENT)


def _in_words(text: str) -> str:
    """A list, or labels with values, as it is read; what is no such list any more, as it stands."""
    try:
        parts = json.loads(text)
        return storable("; ".join(part if isinstance(part, str) else ": ".join(part) for part in parts))
    except (ValueError, TypeError):
        return str(text)


def _day(text: str | None) -> date | None:
    try:
        return text and date.fromisoformat(text)
    except (ValueError, TypeError):
        return None


# What is found ------------------------------------------------------------------------------------------------------


def _faults(heads: list[sa.Row], rows: Iterator[sa.RowMapping], key: bytes) -> Iterator[Fault]:
    number, last = 0, NOTHING
    for row in rows:
        if row["number"] <= number:
            yield Fault(_("Entry {number} was inserted: there is no place for it."), number=str(row["number"]))
            continue
        if row["number"] > number + 1:
            yield _missing(number + 1, row["number"] - 1)
        elif row["previous"] != last:
            yield Fault(_("Entry {number} does not follow from the one before it."), number=str(row["number"]))
        if row["hash"] != _hash(dict(row)):
            yield Fault(
                _("Entry {number} was changed: what it says is not what was written."), number=str(row["number"])
            )
        number, last = row["number"], row["hash"]
    if len(heads) != 1:
        yield Fault(_("The journal's head was removed or doubled: how many entries there were is not known."))
        return
    head = heads[0]
    if not _sealed(head, key):
        yield Fault(_("The journal's head was changed, or sealed with another key."))
    if head.number > number:
        yield _missing(number + 1, head.number)
    elif head.number < number:
        yield Fault(_("The entries after {number} were not added by the dashboard."), number=str(head.number))
    elif head.hash != last:
        yield Fault(_("The journal's last entry is not the one that was written."))


def _missing(first: int, last: int) -> Fault:
    if first == last:
        return Fault(_("Entry {number} is missing."), number=str(first))
    return Fault(_("Entries {first} to {last} are missing."), first=str(first), last=str(last))
