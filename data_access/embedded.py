"""The embedded warehouse file: written beside its name, then renamed in place, so that a reader never meets half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Table
from sqlalchemy.schema import CreateTable


@contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a connection to an empty warehouse file that takes the place of `path` when the block ends without error.

    On an error the new file goes and the old one stays. The new file lies in the same folder, because a rename is
    atomic only within one file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    _remove(fresh)
    connection = duckdb.connect(str(fresh))
    try:
        yield connection
        connection.execute("CHECKPOINT")
        connection.close()
        fresh.replace(path)
    finally:
        connection.close()
        _remove(fresh)


def create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Creates `table` of the contract, empty, with its types and NOT NULL columns."""
    connection.execute(str(CreateTable(table).compile(dialect=Dialect())))


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
