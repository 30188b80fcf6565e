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

from measures.catalogue import DERIVED
from measures.model import reads


@contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a connection to an empty warehouse file that takes the place of `path` when the block ends without error.

    The derived tables are worked out from what the block has written, and stored with it.

    On an error the new file goes and the old one stays. The new file lies in the same folder, because a rename is
    atomic only within one file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    _remove(fresh)
    connection = duckdb.connect(str(fresh))
    try:
        yield connection
        _store_derived(connection)
        connection.execute("CHECKPOINT")
        connection.close()
        fresh.replace(path)
    finally:
        connection.close()
        _remove(fresh)


def create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Creates `table` of the contract, empty, with its types and NOT NULL columns."""
    connection.execute(str(CreateTable(table).compile(dialect=Dialect())))


def _store_derived(connection: duckdb.DuckDBPyConnection) -> None:
    present = frozenset(connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall())
    for derived in DERIVED:
        if reads(derived.of) <= present:
            worked_out = derived.of.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True})
            connection.execute(f"CREATE TABLE {derived.name} AS {worked_out}")


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
