"""An open warehouse file that many threads ask at once, and none of them holds up those that draw.

DuckDB's own connection for Python takes Python's lock after each of the many small steps of a statement, to see whether somebody has
pressed Ctrl-C. While pages are drawn each of these steps waits: beside one busy thread three others were answered 15 statements a
second, and 90 through ADBC, which takes the lock when the answer is there.

ADBC plans a statement before it is told the values, and so cannot use what the file knows of the least and the greatest value in each
block. Therefore values are written into the text, here and nowhere else: each by its type, and none that could be taken for anything
but itself.
"""

from __future__ import annotations

import math
import re
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import adbc_driver_duckdb
import adbc_driver_manager as adbc
import duckdb
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement

_PARAMETER = re.compile(r"'(?:[^']|'')*'" r'|"(?:[^"]|"")*"' r"|\$(\d+)")
"""A parameter's mark, by its number; texts and names in quotes are passed over."""

_FAILURES = {"INTERRUPT": duckdb.InterruptException, "Out of Memory": duckdb.OutOfMemoryException}
"""What DuckDB calls what its own connection raises, by the begin of the message."""


def written(value: object) -> str:
    """`value` as DuckDB reads it in a statement. Raises TypeError for what it has no word for here, and ValueError for a text that
    would end within itself."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"({int(value)})"  # a minus after another would begin a comment
    if isinstance(value, float) and math.isfinite(value):
        number = float.__repr__(value)
        return f"({number if 'e' in number else number + 'e0'})"  # without an exponent it would be a decimal
    if isinstance(value, datetime) and value.tzinfo is None:
        return f"TIMESTAMP '{value.isoformat(' ')}'"
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text with a zero byte cannot be asked for")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value)) or 'NULL'})"  # among none is nothing
    raise TypeError(f"a value of type {type(value).__name__} cannot be asked for")


def filled(text: str, values: Sequence[object]) -> str:
    """The statement `text`, whose parameters are marked $1, $2, …, with its `values` written into it. Raises what `written` does."""
    pieces = _pieces(text)
    return "".join(piece if place % 2 == 0 else written(values[int(piece) - 1]) for place, piece in enumerate(pieces))


@lru_cache(maxsize=4_096)
def _pieces(text: str) -> tuple[str, ...]:
    """What lies between the marks, and the marks' numbers, in turn."""
    pieces, end = [], 0
    for mark in _PARAMETER.finditer(text):
        if mark[1]:
            pieces += [text[end : mark.start()], mark[1]]
            end = mark.end()
    return (*pieces, text[end:])


_NOTHING_ELSE = ("SET GLOBAL enable_external_access = false", "SET GLOBAL lock_configuration = true")
"""No other file, no extension, no other setting: whatever a statement says, it reads this file alone."""


class FileReader:
    """The warehouse file at `path`, open for reading with these `settings` of the engine. It is closed with the last reference to it:
    whoever asks still is answered. Raises duckdb.Error where it cannot be opened."""

    def __init__(self, path: Path, settings: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._idle: list[AdbcConnection] = []
        try:
            self._database = AdbcDatabase(
                driver=adbc_driver_duckdb.driver_path(),
                entrypoint="duckdb_adbc_init",
                path=str(path),
                access_mode="read_only",
            )
        except adbc.Error as error:
            raise _as_duckdb_says(error) from error
        # Not at the end of the process, where others may still ask.
        weakref.finalize(self, _close, self._idle, self._database).atexit = False
        for setting in (*settings, *_NOTHING_ELSE):
            self.ask(setting)

    def ask(
        self, statement: str, within: Callable[[Callable[[], object]], AbstractContextManager] | None = None
    ) -> pa.Table:
        """The rows that `statement` gives. `within` is handed what stops it, and surrounds the asking. Raises duckdb.Error."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or AdbcConnection(self._database)
            with AdbcStatement(connection) as asked:
                asked.set_sql_query(statement)
                with within(asked.cancel) if within else nullcontext():
                    stream, _rows = asked.execute_query()
                    found = pa.RecordBatchReader.from_stream(stream).read_all()
        except (adbc.Error, pa.ArrowException) as error:
            if connection is not None:
                connection.close()
            raise _as_duckdb_says(error) from error
        with self._lock:
            self._idle.append(connection)
        return found


def _close(connections: list[AdbcConnection], database: AdbcDatabase) -> None:
    for connection in connections:
        connection.close()
    database.close()


def _as_duckdb_says(error: Exception) -> duckdb.Error:
    said = str(error)
    kind = next((kind for begin, kind in _FAILURES.items() if f"{begin} Error" in said), duckdb.Error)
    return kind(said)
