"""The dashboard's own small database, which holds journal, sessions and meetings: opened, brought up to date, read and written.

SQLite by default, PostgreSQL by URL. Of the warehouse it holds the answers that meetings have shown; the warehouse holds nothing
of it.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

metadata = sa.MetaData()
"""The tables as the modules that keep them declare them; the migrations make the same, which a test holds."""

WAITS_SECONDS = 30
"""How long a writer waits for others. A thousand at once are through in less; whoever waits longer is told that it failed."""

MIGRATIONS = Path(__file__).parent / "migrations"

_UPGRADE = 4_711_204
"""The lock under which PostgreSQL is brought up to date: any number that nothing else there uses."""

_opening = threading.Lock()
_opened: dict[tuple[str, str], OwnDatabase] = {}


class Unsound(Exception):
    """The database cannot be used as it stands. A sentence for the operator: it names files and settings."""


def own_database(url: str, key: str) -> OwnDatabase:
    """The database at `url`, brought up to date; one for the process. Its first use makes it, with all tables.

    `key` seals the journal: whoever opens the database first, for whatever, begins the journal with it. Where it is empty,
    SQLite keeps one in a file beside the database; PostgreSQL has no such place that all servers share, and needs one.
    Raises Unsound, SQLAlchemyError and OSError.
    """
    with _opening:  # Alembic's context is one for the process
        if (url, key) not in _opened:
            found = OwnDatabase(url, key)
            try:
                found.bring_up_to_date()
            except BaseException:
                found.engine.dispose()
                raise
            _opened[url, key] = found
        return _opened[url, key]


def close() -> None:
    """Closes what this process has opened; what is used again is opened again."""
    with _opening:
        for database in _opened.values():
            database.engine.dispose()
        _opened.clear()


class OwnDatabase:
    """An engine, and who may write when. Made by `own_database`."""

    def __init__(self, url: str, key: str) -> None:
        self._url = make_url(url)
        self._given = key
        self._in_file = self._url.get_backend_name() == "sqlite"
        self._turn = threading.Lock()
        self._made: int | None = None
        if self._in_file:
            manner: dict = {"connect_args": {"timeout": WAITS_SECONDS}}
        else:
            options = f"{self._url.query.get('options', '')} -c lock_timeout={WAITS_SECONDS}s -c synchronous_commit=on"
            # Who waited for a row reads what was committed meanwhile, whatever the server's own habit is.
            manner = {
                "connect_args": {"connect_timeout": 5, "options": options},
                "isolation_level": "READ COMMITTED",
                "pool_pre_ping": True,
            }
        # What is written names people, so an error's text, which goes to the log, does not repeat it.
        self.engine = sa.create_engine(self._url, hide_parameters=True, **manner)
        if self._in_file:
            sa.event.listen(self.engine, "connect", _durable)
            sa.event.listen(self.engine, "begin", _begin)

    @property
    def path(self) -> Path:
        """The file of a database in SQLite."""
        return Path(self._url.database)

    @cached_property
    def key(self) -> bytes:
        """What seals the journal. Raises Unsound where there is none."""
        if self._given:
            return self._given.encode()
        if not self._in_file:
            raise Unsound(
                "The journal in PostgreSQL needs a key. Put 32 characters or more into JOURNAL_KEY or [journal] key "
                "in .streamlit/secrets.toml, the same for every server; "
                "python -c 'import secrets; print(secrets.token_hex(32))' makes one."
            )
        try:
            return bytes.fromhex(self._key_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            raise Unsound(f"The journal's key is missing: restore {self._key_file} from a backup.") from None
        except ValueError:
            raise Unsound(f"{self._key_file} is not the journal's key; restore it from a backup.") from None

    @property
    def _key_file(self) -> Path:
        return self.path.with_name(self.path.name + ".key")

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that has SQLite to itself from its first statement on; it is on disk when the block is left."""
        with self._turn, self._connected() as connection, connection.execution_options(writes=True).begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database, whatever others write meanwhile."""
        with self._connected() as connection:
            if not self._in_file:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        # An open connection goes on writing to a file that was deleted or exchanged, and nobody would ever read it.
        if self._in_file and self._made is not None and _inode(self.path) != self._made:
            raise Unsound(
                f"{self.path} was deleted or exchanged while it was in use. Put it back and start the server anew."
            )
        with self.engine.connect() as connection:
            yield connection

    def bring_up_to_date(self) -> None:
        """Makes the database and its tables where they are missing. Two processes that start at once take turns."""
        from alembic import command  # a third of a second, at the first use and not at every start
        from alembic.config import Config
        from alembic.util import CommandError

        if self._in_file:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # It names people and what they looked for: nobody else on the computer reads it.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._made = _inode(self.path)
        with self.writing() as connection:
            if not self._in_file:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE})")
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            config.attributes["new_key"] = self._new_key
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Unsound(
                    f"{self._url.render_as_string(hide_password=True)} was last used by another version of the dashboard, which "
                    f"this one does not know: {error}. Go back to that version."
                ) from error

    def _new_key(self) -> bytes:
        """The key of a journal that begins now; makes the key file where no key is given and none is left from before."""
        if self._in_file and not self._given and not self._key_file.exists():
            # Under the write lock. Written beside and renamed: a kill never leaves half a key.
            fresh = self._key_file.with_name(self._key_file.name + ".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(self._key_file)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return self.key


def storable(text: str) -> str:
    """`text` with what PostgreSQL (NUL) or UTF-8 (half a character) cannot hold spelled out: \\x00, \\udc80."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _durable(connection, _record: object) -> None:
    connection.isolation_level = None  # Python's driver would begin a transaction itself, late and without the lock
    connection.execute("PRAGMA journal_mode=WAL")  # who reads does not wait for who writes
    connection.execute("PRAGMA synchronous=FULL")
    # A text that is no UTF-8 any more was tampered with; it is shown and found, where Python's driver would stop.
    connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
