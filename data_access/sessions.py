"""Which sign-ins still hold: a list on the server, so that a copied cookie and another tab end with the session they belong to."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import sqlalchemy as sa

from data_access.own_database import OwnDatabase, metadata, own_database
from data_access.settings import Settings

LOOKED_EVERY = 2
"""Seconds: so old may be what this process knows of sessions that another process, or an administrator, has ended."""
WRITTEN_EVERY = 20
"""Seconds between two records of one session's activity: a reader who clicks does not make the database write each time."""
FRESH = 600
"""Seconds after its issue in which a sign-in may be seen for the first time; one that the list does not know later has ended."""
KEPT = 86_400
"""Seconds for which a session stays in the list after it could not hold any longer."""

SESSION_HEADER = "x-dashboard-session"
"""Behind a proxy: under which key the list knows a connection. The server writes it; a client that sends it is not heard."""

SESSIONS = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_key", sa.String(64), primary_key=True),
    sa.Column("person", sa.Text, nullable=False, index=True),
    sa.Column("began_at", sa.BigInteger, nullable=False),  # all times: whole seconds since 1970, in UTC
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("holds_until", sa.BigInteger, nullable=False, index=True),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("ended_by", sa.Text),
)


class Standing(StrEnum):
    """Whether a sign-in still holds, and if not, why."""

    NEW = "new"
    """Not in the list yet, and issued a moment ago."""
    OPEN = "open"
    EXPIRED = "expired"
    """The provider's word, or the longest time that a session may last, has run out."""
    IDLE = "idle"
    """Nobody did anything for too long."""
    ENDED = "ended"
    """Signed out, ended by an administrator, or never heard of."""

    @property
    def holds(self) -> bool:
        """Whether anything is shown to whoever has signed in so."""
        return self in (Standing.NEW, Standing.OPEN)


@dataclass(frozen=True)
class SignIn:
    """One sign-in: the same for each copy of its cookie and each tab. Times in seconds since 1970."""

    key: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True)
class Listed:
    """A session as an administrator sees it."""

    person: str
    began_at: int
    seen_at: int


def sign_in_of(claims: Mapping[str, object]) -> SignIn | None:
    """The sign-in that an ID token's claims stand for; None where they lack what tells one sign-in from another."""
    issued, expires = claims.get("iat"), claims.get("exp")
    if not claims.get("sub") or not _is_time(issued) or not _is_time(expires):
        return None
    # The nonce is drawn anew for each sign-in: two of one person in the same second are two.
    parts = [str(claims.get(name, "")) for name in ("iss", "sub", "iat", "nonce")]
    return SignIn(hashlib.sha256(json.dumps(parts).encode()).hexdigest(), issued, expires)


def sign_in_of_key(key: str) -> SignIn:
    """A sign-in that only the list knows: one that `Sessions.begin_here` has begun."""
    return SignIn(key, issued_at=0, expires_at=float("inf"))


class Sessions:
    """The list, in the journal's database.

    Readings come from a copy that is at most `LOOKED_EVERY` seconds old, so that a run of a page costs no statement. What this
    process begins or ends holds for it at once. Raises SQLAlchemyError where the database cannot be read: whoever asks then
    lets nobody in.
    """

    def __init__(
        self, database: OwnDatabase, idle_minutes: int, session_hours: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._idle = idle_minutes * 60
        self._longest = session_hours * 3600
        self._clock = clock
        self._lock = threading.Lock()
        self._copy: dict[str, sa.Row] = {}
        self._copied_at = float("-inf")
        self._active: dict[str, float] = {}
        self._written: dict[str, float] = {}

    def standing(self, sign_in: SignIn | None) -> Standing:
        """Whether `sign_in` still holds. To ask is no activity."""
        if sign_in is None:
            return Standing.ENDED
        now = self._clock()
        with self._lock:
            row = self._rows(now).get(sign_in.key)
            active = self._active.get(sign_in.key, 0)
        if row is not None and row.ended_at is not None:
            return Standing.IDLE if row.ended_by == Standing.IDLE else Standing.ENDED
        if now >= sign_in.expires_at or (row is not None and now >= row.holds_until):
            return Standing.EXPIRED
        if row is None:
            return Standing.NEW if now - sign_in.issued_at <= min(FRESH, self._longest) else Standing.ENDED
        # Another process may have seen the reader, and not yet written so.
        if now - max(row.seen_at, active) > self._idle + WRITTEN_EVERY + LOOKED_EVERY:
            self._end(Standing.IDLE, SESSIONS.c.session_key == sign_in.key)
            return Standing.IDLE
        return Standing.OPEN

    def begin(self, sign_in: SignIn, person: str) -> Standing:
        """Puts a new sign-in into the list; returns how it stands then, which is not open if it has ended meanwhile."""
        if self.standing(sign_in) is Standing.NEW:
            until = min(sign_in.expires_at, sign_in.issued_at + self._longest)
            self._add(sign_in.key, person, until)
        return self.standing(sign_in)

    def begin_here(self, person: str) -> SignIn:
        """Begins a session of whom somebody else vouches for, such as a proxy, under a key that nobody can guess."""
        key = secrets.token_hex(32)
        self._add(key, person, self._clock() + self._longest)
        return sign_in_of_key(key)

    def seen(self, sign_in: SignIn) -> None:
        """Records that the reader did something."""
        now = self._clock()
        with self._lock:
            self._active[sign_in.key] = now
            if now - self._written.get(sign_in.key, 0) < WRITTEN_EVERY:
                return
            self._written[sign_in.key] = now
        mine = sa.and_(SESSIONS.c.session_key == sign_in.key, SESSIONS.c.ended_at.is_(None))
        with self._database.writing() as connection:
            connection.execute(sa.update(SESSIONS).where(mine).values(seen_at=int(now)))

    def end(self, sign_in: SignIn, by: str = "reader") -> None:
        """Ends one session, wherever it is open. One that the list has not seen yet is put there as ended."""
        if self.standing(sign_in) is Standing.NEW:
            self._add(sign_in.key, "", min(sign_in.expires_at, sign_in.issued_at + self._longest))
        self._end(by, SESSIONS.c.session_key == sign_in.key)

    def end_all(self, person: str, by: str = "administrator") -> int:
        """Ends what a person has open; returns how many sessions that were."""
        return self._end(by, SESSIONS.c.person == person)

    def listed(self) -> list[Listed]:
        """What is open now, by person; at most `WRITTEN_EVERY` seconds late in telling when somebody was last seen."""
        now = self._clock()
        open_ = sa.and_(
            SESSIONS.c.ended_at.is_(None),
            SESSIONS.c.holds_until > now,
            SESSIONS.c.seen_at >= now - self._idle - WRITTEN_EVERY - LOOKED_EVERY,
        )
        chosen = sa.select(SESSIONS.c.person, SESSIONS.c.began_at, SESSIONS.c.seen_at).where(open_)
        with self._database.reading() as connection:
            return [Listed(*row) for row in connection.execute(chosen.order_by("person", "began_at"))]

    def _rows(self, now: float) -> dict[str, sa.Row]:
        if not 0 <= now - self._copied_at < LOOKED_EVERY:
            with self._database.reading() as connection:
                rows = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.holds_until > now - KEPT))
                self._copy = {row.session_key: row for row in rows}
            self._copied_at = now
            for known in (self._active, self._written):
                for key in known.keys() - self._copy.keys():
                    del known[key]
        return self._copy

    def _add(self, key: str, person: str, until: float) -> None:
        now = int(self._clock())
        row = {"session_key": key, "person": person, "began_at": now, "seen_at": now, "holds_until": int(until)}
        try:
            with self._database.writing() as connection:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.holds_until < now - KEPT))
                connection.execute(sa.insert(SESSIONS).values(row))
        except sa.exc.IntegrityError:
            pass  # another tab, or another process, was faster
        self._look_again()

    def _end(self, by: str, which: sa.ColumnElement[bool]) -> int:
        ended = sa.update(SESSIONS).where(which, SESSIONS.c.ended_at.is_(None))
        with self._database.writing() as connection:
            count = connection.execute(ended.values(ended_at=int(self._clock()), ended_by=str(by))).rowcount
        self._look_again()
        return count

    def _look_again(self) -> None:
        with self._lock:
            self._copied_at = float("-inf")


def sessions(found: Settings) -> Sessions:
    """The list in the journal's database, one for the whole process. Raises what `own_database` raises."""
    access = found.access
    return _sessions(access.journal, access.journal_key, access.idle_minutes, access.session_hours)


@lru_cache(maxsize=4)
def _sessions(url: str, key: str, idle_minutes: int, session_hours: int) -> Sessions:
    return Sessions(own_database(url, key), idle_minutes, session_hours)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
