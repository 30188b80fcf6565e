"""The embedded warehouse file: written beside its name, then renamed in place, so that a reader never meets half of one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import duckdb
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Table
from sqlalchemy.schema import CreateTable

from data_access.check import event_day
from data_access.sql import stored_beside
from data_access.warehouse import Warehouse, WarehouseError
from measures.catalogue import DERIVED
from measures.model import Derived, reads
from measures.schema import branches, key_of

FEW_ROWS = 1_000_000
"""Up to so many rows in its longest table a warehouse gets no rollups by itself: its facts are counted as soon."""


@contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a connection to an empty warehouse file that takes the place of `path` when the block ends without error.

    The derived tables, and where a table is long the rollups, are worked out from what the block has written, and stored with it.

    On an error the new file goes and the old one stays. The new file lies in the same folder, because a rename is
    atomic only within one file system. What a process that was killed left there goes first: it holds customers' rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    fresh = _beside(path, "new")
    _remove(fresh)
    connection = duckdb.connect(str(fresh))
    try:
        yield connection
        _store_derived(connection)
        connection.execute("CHECKPOINT")
        long = _longest(connection) > FEW_ROWS
        connection.close()
        if long:
            with suppress(WarehouseError):  # what a dashboard would refuse to read: “check” says why
                _store_rollups(fresh)
        fresh.replace(path)
    finally:
        try:
            connection.close()
        finally:  # closing writes too, and fails on a full disk
            _remove(fresh)


def add_rollups(path: Path) -> None:
    """Stores the rollups of its load in the warehouse file `path`, in place of others. Raises WarehouseError where nobody could read
    it, and FileExistsError where a new load has taken its place in the meantime.

    They are added to a copy that then takes the place of the file, as a load does.
    """
    _remove_leftovers(path)
    fresh, before = _beside(path, "new"), path.stat()
    try:
        shutil.copyfile(path, fresh)
        _store_rollups(fresh)
        if (now := path.stat()).st_ino != before.st_ino or now.st_mtime_ns != before.st_mtime_ns:
            raise FileExistsError(f"{path} was loaded again in the meantime; nothing was changed")
        shutil.copymode(path, fresh)
        fresh.replace(path)
    finally:
        _remove(fresh)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside the warehouse file `path`, which goes with all it holds when the block ends."""
    folder = _beside(path, "scratch")
    _remove(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        _remove(folder)


def holds_warehouse(path: Path) -> bool:
    """Whether `path` is a file of DuckDB's, by its first bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Creates `table` of the contract, empty, with its types and NOT NULL columns."""
    connection.execute(str(CreateTable(table).compile(dialect=Dialect())))


def insert(connection: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[str], rows: str) -> None:
    """Puts `columns` of the relation `rows`, which numbers its rows in `_row`, into `table`, whose branches are stored already.

    Rows of a branch lie together, in the order of the tree and then of the days, so that a question about a branch and a period
    reads few of the file's blocks: the engine knows the least and the greatest value of each.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    if table is branches or branches.c.branch_id.name not in columns:
        connection.execute(f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM {rows} ORDER BY _row')
        return
    day = event_day(table)
    by_day = f'"{day.name}", ' if day is not None else ""
    # By a number, because to compare paths takes twice as long; and LEFT, so that no row can be lost here.
    connection.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM {rows} LEFT JOIN (SELECT branch_id, '
        "CAST(row_number() OVER (ORDER BY path) AS INTEGER) AS _place FROM branches) AS place USING (branch_id) "
        f"ORDER BY _place, {by_day}_row"
    )


def _store_derived(connection: duckdb.DuckDBPyConnection) -> None:
    """Writes what is derived beside the rows that it is about: joined, it would be looked through as a whole for each branch."""
    present = frozenset(connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall())
    beside: dict[Table, list[Derived]] = {}
    for derived in DERIVED:
        table, _names = stored_beside(derived)
        if reads(derived.of) | {(table.name, key_of(table).name)} <= present:
            beside.setdefault(table, []).append(derived)
    for table, all_derived in beside.items():
        columns, joins = [f"{table.name}_before.*"], ""
        for derived in all_derived:
            worked_out = derived.of.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True})
            connection.execute(f"CREATE TEMP TABLE {derived.name} AS {worked_out}")
        connection.execute(f"ALTER TABLE {table.name} RENAME TO {table.name}_before")
        create(connection, table)
        for derived in all_derived:
            joins += f" LEFT JOIN {derived.name} USING ({key_of(table).name})"
            for name, there in stored_beside(derived)[1].items():
                type_ = derived.c[name].type.compile(dialect=Dialect())
                connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {there} {type_}")
                columns.append(f"{derived.name}.{name} AS {there}")
        connection.execute(
            f"INSERT INTO {table.name} BY NAME SELECT {', '.join(columns)} FROM {table.name}_before{joins} "
            f"ORDER BY {table.name}_before.rowid"
        )
        for no_longer_needed in (f"{table.name}_before", *(derived.name for derived in all_derived)):
            connection.execute(f"DROP TABLE {no_longer_needed}")


def _longest(connection: duckdb.DuckDBPyConnection) -> int:
    (rows,) = connection.execute("SELECT max(estimated_size) FROM duckdb_tables()").fetchone()
    return rows or 0


def _store_rollups(path: Path) -> None:
    """Stores what a reader of the file would look for: the rollups of its load and its data's date."""
    with closing(Warehouse(f"duckdb:///{path}")) as found:
        outdated, rollups = found.state().outdated, found.rollups()
        there = {rollup.name for rollup in found.state().rollups}
    with closing(duckdb.connect(str(path))) as connection:
        # As the warehouse is read: few days of balances against many rows.
        connection.execute("SET nested_loop_join_threshold = 64")
        for name in outdated:
            connection.execute(f'DROP TABLE "{name}"')
        for name, rows in rollups.items():
            if name not in there:
                connection.execute(f"CREATE TABLE {name} AS {rows}")
        connection.execute("CHECKPOINT")


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{kind}")


def _remove_leftovers(path: Path) -> None:
    made = re.compile(rf"\.{re.escape(path.name)}\.(\d{{1,9}})\.(new|scratch)")
    for name in [found.name for found in path.parent.iterdir()]:
        if (ours := made.match(name)) and not _lives(int(ours[1])):
            _remove(path.with_name(ours[0]))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing, and says whether there is somebody to send it to
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal"), path.with_name(path.name + ".tmp")):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
