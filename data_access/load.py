"""Builds an embedded warehouse from the files a bank has, and lists every row that it could not let in.

A folder holds `load.toml` and one SELECT a table of the contract. `load.toml` names the raw files:

    data_until = 2026-10-31        # the last complete day; a date or SQL over the raw tables; else the latest event
    max_rejected = 0.01            # of any table; more, and the old warehouse stays

    [raw.accounts]                 # the name that the SELECTs use
    file = "accounts.csv"          # in the folder of raw files; .csv and other text, .xlsx, .parquet
    encoding = "gb18030"           # of a text file. Default: utf-8, with or without a byte order mark
    delimiter = ";"                # default: a comma
    quote = "'"                    # default: "; empty for none
    header = 1                     # the line of the names; 0 for none (then column1, column2 …). Default: 1
    sheet = "2026"                 # of a workbook. Default: its first

    [tables.contracts]             # only where there is no contracts.sql, or another data_until
    sql = "SELECT …"
    data_until = 2026-09-30

Text files and workbooks are read as text: the contract says what a column is, and a value that is not is rejected.
    a date             2026-01-31, 2026/01/31 or 2026 01 31, also without the noughts (2026/1/5); a time may follow
    a date and time    such a date, a blank or T, and 09:30 or 09:30:00; without a time it is midnight. One with a time
                       zone is rejected: convert it in the SELECT, "At"::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai'
    true or false      true, t, yes, y, 1 or false, f, no, n, 0, in large or small letters; write other words in the
                       SELECT, such as 是 in ("VIP" = '是') AS payroll
    a number           1234.5 and -3, without a sign for thousands
Every raw table also has `_file` and `_line` (as a spreadsheet counts: a line break inside quotes starts no new line).
A SELECT that hands them on lets `rejected.csv` name the line; otherwise it counts the rows of the SELECT.
A line of a text file that has more or fewer fields than there are columns is rejected as well, of the table raw.NAME.
"""

from __future__ import annotations

import codecs
import csv
import errno
import glob
import mmap
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import duckdb
import pyarrow
from duckdb_sqlalchemy import Dialect
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    String,
    Table,
    case,
    column,
    literal,
    literal_column,
    select,
    table,
)

from data_access.check import Rule, event_day, orphans, row_rules
from data_access.embedded import create, holds_warehouse, insert, new_file, scratch_folder
from measures import schema
from measures.texts import disarmed, printable

MAX_REJECTED = 0.01
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
READER_OPTIONS = ("file", "encoding", "delimiter", "quote", "header", "sheet")

_SCRATCH = "_scratch"
"""The database in which raw files and rows under judgement lie: in memory, because to compress and write what goes when the load
ends took half of its time; what the memory has no room for goes to the folder beside the new warehouse."""

_BATCH = 10_000
"""Rows of a workbook handed over at once: large enough to be fast, small enough to need little memory."""

_UNPACKED = 2_000_000_000
"""Bytes that a workbook may unpack to; reading takes twice as many of memory. A full sheet of Excel's million lines has about half."""

_LONGEST_LINE = 2_000_000
"""The engine's own limit; Python's would refuse a long complaint that the engine reads."""

_DELIMITERS = (";", "\t", "|", ",")

_REJECTED = ("file", "line", "table", "column", "value", "reason")
"""The first line of `rejected.csv`, by which a list of ours is told from a file of somebody else's."""

_NO_ROOM = [os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)] + ["failed to offload data block"]
"""What the engine says where the disk, the quota or the file is full; it has no codes for that."""


class LoadError(Exception):
    """Why nothing was loaded, as a sentence with the way out. The old warehouse still stands."""


@dataclass(frozen=True)
class Count:
    """How many rows the SELECT of a table gave, and where they went: `given` = `loaded` + `rejected`, each counted.

    Of a raw file, whose `table` is raw.NAME: how many lines it holds, and how many were handed to the SELECTs.
    """

    table: str
    given: int
    loaded: int
    rejected: int


@dataclass(frozen=True)
class Result:
    """A load that succeeded: the counts of tables and of raw files, the warehouse, and the list of rejected rows."""

    counts: tuple[Count, ...]
    files: tuple[Count, ...]
    out: Path
    rejected: Path


@dataclass(frozen=True)
class _Raw:
    name: str
    path: Path
    encoding: str
    delimiter: str
    quote: str
    header: int
    sheet: str | None


@dataclass(frozen=True)
class _Select:
    contract: Table
    sql: str
    where: str
    data_until: date | str | None


@dataclass(frozen=True)
class _Plan:
    raws: tuple[_Raw, ...]
    selects: tuple[_Select, ...]
    max_rejected: float

    def loads(self, name: str) -> bool:
        return any(chosen.contract.name == name for chosen in self.selects)


def load(folder: Path, raw: Path, out: Path, *, say: Callable[[str], None]) -> Result:
    """Loads the files in `raw` as `folder` tells into the warehouse file `out`, and lists rejected rows beside it.

    `say` is told of each step. Of a row that breaks several rules, `rejected.csv` gives the first. A row that names a
    rejected row is rejected too; where none is rejected there is no such file. Raises `LoadError`, and leaves `out` as it
    was, where a file, the TOML or a SELECT is wrong, `out` or the list would take the place of another kind of file, more
    than `max_rejected` of a table or of a raw file's lines is rejected, or a required table is empty; in the last two
    cases `rejected.csv` is written all the same.
    """
    rejected = out.with_name("rejected.csv")
    try:
        plan = _plan(folder, raw)
        _spare_other_files(out, rejected)
        out.parent.mkdir(parents=True, exist_ok=True)
        rejected.unlink(missing_ok=True)  # nobody is to repair what an earlier load rejected
        with scratch_folder(out) as scratch, new_file(out) as connection:
            _prepare(connection, scratch)
            files = [_read(connection, raw_file, scratch, say) for raw_file in plan.raws]
            _shut(connection)
            loaded = [_load_table(connection, chosen, plan, say) for chosen in plan.selects]
            counts = tuple(count for count, _ in loaded)
            _note(connection, loaded, folder.resolve().name)
            if any(count.rejected for count in (*files, *counts)):
                _write_rejected(connection, rejected)
                _tell_reasons(connection, say)
            _judge_whole(files, counts, plan.max_rejected, rejected)
    except OSError as error:
        raise LoadError(f"{error.filename or out} cannot be read or written: {error.strerror or error}.") from error
    except duckdb.Error as error:
        if not _is_no_room(error):
            raise
        raise LoadError(
            f"There is no room for the new warehouse in {out.parent}: {error}. Nothing is wrong with the files; make room, or "
            "choose another folder for --out. The old warehouse stays."
        ) from error
    return Result(counts, tuple(files), out, rejected)


def _spare_other_files(out: Path, rejected: Path) -> None:
    """Raises LoadError where the warehouse or the list would take the place of a file that no load has written."""
    if out.name.casefold() == rejected.name:
        raise LoadError(f"{rejected.name} is the name of the list of rejected rows; give --out another name.")
    if out.exists() and not holds_warehouse(out):
        raise LoadError(
            f"{out} is no warehouse (no DuckDB file), so it stays; choose another --out, or move it away first."
        )
    if rejected.exists():
        with rejected.open("rb") as file:
            begins = file.read(100).removeprefix(codecs.BOM_UTF8)
        if not begins.startswith(",".join(_REJECTED).encode()):
            raise LoadError(
                f"{rejected} is no list of an earlier load, so it stays; move it away, or choose another folder for --out."
            )


# ── what is to be done ──


def _plan(folder: Path, raw: Path) -> _Plan:
    said = _toml(folder / "load.toml")
    _known(said, ("data_until", "max_rejected", "raw", "tables"), "load.toml")
    share = said.get("max_rejected", MAX_REJECTED)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise LoadError(f"max_rejected in load.toml is {share!r}; it is a share, so give a number from 0 to 1.")
    raws = tuple(_raw(name, options, raw) for name, options in _section(said, "raw").items())
    if not raws:
        raise LoadError('load.toml names no raw file; add a section [raw.NAME] with file = "…".')
    return _Plan(raws, tuple(_selects(folder, _section(said, "tables"), said.get("data_until"))), share)


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise LoadError(f"{path} is missing; it names the raw files and how to read them.")
    try:
        return tomllib.loads(_utf8(path))
    except tomllib.TOMLDecodeError as error:
        raise LoadError(f"{path} is not valid TOML: {error}.") from error


def _utf8(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise LoadError(f"{path} is not UTF-8; save it as UTF-8.") from None


def _section(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = said.get(name, {})
    if not isinstance(section, dict) or not all(isinstance(entry, dict) for entry in section.values()):
        raise LoadError(f"{name} in load.toml is no section; write [{name}.NAME] and its options below.")
    return section


def _known(said: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    for name in said:
        if name not in allowed:
            raise LoadError(f"{where} says {name}, which means nothing; it may say {', '.join(allowed)}.")


def _raw(name: str, options: Mapping[str, Any], folder: Path) -> _Raw:
    where = f"[raw.{name}] in load.toml"
    _known(options, READER_OPTIONS, where)
    header = options.get("header", 1)
    if isinstance(header, bool) or not isinstance(header, int) or not 0 <= header <= sys.maxsize:
        raise LoadError(f"{where}: header is {header!r}; give the line of the column names, or 0 where there are none.")
    texts = {"encoding": "utf-8", "delimiter": ",", "quote": '"'} | {k: v for k, v in options.items() if k != "header"}
    for option, value in texts.items():
        if not isinstance(value, str):
            raise LoadError(f"{where}: {option} is {value!r}; put it in quotes.")
    if len(texts["delimiter"]) != 1 or len(texts["quote"]) > 1:
        raise LoadError(f"{where}: delimiter is one character, quote one or none.")
    try:
        "".encode(texts["encoding"])  # refuses also what Python calls a codec and is no encoding of text, such as zlib
    except (LookupError, ValueError):
        raise LoadError(f"{where}: no encoding is called {texts['encoding']!r}; try utf-8 or gb18030.") from None
    if "file" not in texts:
        raise LoadError(f'{where} names no file; add file = "…".')
    if Path(texts["file"]).is_absolute() or ".." in Path(texts["file"]).parts:
        raise LoadError(
            f"{where}: {texts['file']} lies outside the folder of raw files, {folder}; put it there, or choose another --raw."
        )
    path = folder / texts["file"]
    if not path.is_file():
        raise LoadError(f"The raw file {path} ({where}) is missing; put it there or correct its name.")
    return _Raw(name, path, texts["encoding"], texts["delimiter"], texts["quote"], header, texts.get("sheet"))


def _selects(folder: Path, entries: Mapping[str, Mapping[str, Any]], data_until: object) -> Iterator[_Select]:
    """The SELECT of each table, a table after those that it refers to."""
    files = {path.stem: path for path in sorted(folder.glob("*.sql"))}
    offered = [contract for contract in schema.metadata.tables if contract != schema.loads.name]
    for name in (*files, *entries):
        if name not in offered:
            raise LoadError(f"There is no table {name} to load; the contract has {', '.join(offered)}.")
    for contract in schema.REQUIRED:
        if contract.name not in files and not entries.get(contract.name, {}).get("sql"):
            raise LoadError(f"The required table {contract.name} has no SELECT; write {contract.name}.sql.")
    referred = {
        name: {c.info["of"].table for c in contract.columns if "of" in c.info} - {name}
        for name, contract in schema.metadata.tables.items()
    }
    for name in TopologicalSorter(referred).static_order():
        entry = entries.get(name, {})
        _known(entry, ("sql", "data_until"), f"[tables.{name}] in load.toml")
        if "sql" in entry and name in files:
            raise LoadError(f"{name} has two SELECTs, in load.toml and in {name}.sql; keep one.")
        if name not in files and name not in entries:
            continue
        if name not in files and not isinstance(entry.get("sql"), str):
            raise LoadError(f'[tables.{name}] in load.toml has no SELECT; add sql = "…" or write {name}.sql.')
        sql = _utf8(files[name]) if name in files else entry["sql"]
        until = entry.get("data_until", data_until)
        if isinstance(until, datetime) or not isinstance(until, date | str | None):
            raise LoadError(f"data_until of {name} is {until!r}; give a date like 2026-10-31, or SQL in quotes.")
        if isinstance(until, date):
            _check_past(name, until)
        yield _Select(schema.metadata.tables[name], sql, f"{name}.sql" if name in files else "load.toml", until)


def _check_past(table: str, until: date) -> None:
    if until > date.today():
        raise LoadError(f"data_until of {table}, {until}, lies ahead; correct load.toml.")


# ── raw files ──


def _prepare(connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    connection.execute(f"ATTACH ':memory:' AS {_SCRATCH}")
    connection.execute(f"SET temp_directory = {_text(str(scratch / 'spill'))}")
    connection.execute(f"CREATE SCHEMA {_SCRATCH}.raw")
    connection.execute(
        f"CREATE TABLE {_SCRATCH}.rejected "
        '(file VARCHAR, line BIGINT, "table" VARCHAR, "column" VARCHAR, value VARCHAR, reason VARCHAR)'
    )
    create(connection, schema.loads)


def _shut(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on the SELECTs see the raw tables and nothing else of the machine."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _read(connection: duckdb.DuckDBPyConnection, source: _Raw, scratch: Path, say: Callable[[str], None]) -> Count:
    """Puts the file into the raw table of its name, with `_file` and `_line`; returns how many of its lines."""
    say(f"Reading {source.path.name}")
    held = f"{_SCRATCH}.main.{_name('raw ' + source.name)}"
    columns, line = "* EXCLUDE (_line)", "_line"
    with _telling(f"{source.path.name} cannot be read", "correct the file or its options in load.toml"):
        if source.path.suffix.lower() in WORKBOOKS:
            try:
                _read_workbook(connection, source, held)
            except (CalamineError, BadZipFile) as error:
                raise LoadError(f"{source.path.name} is no workbook that can be read: {error}.") from error
        elif source.path.suffix.lower() == ".parquet":
            from_file = f"read_parquet({_pattern(source.path)}, hive_partitioning = false)"
            connection.execute(f"CREATE TABLE {held} AS FROM {from_file}")
            columns, line = "*", "rowid + 1"
        else:
            above = _read_text(connection, source, held, scratch, say)
            if above is not None:
                columns, line = "*", f"rowid + 1 + {above}"
        connection.execute(
            f"CREATE VIEW {_SCRATCH}.raw.{_name(source.name)} AS "
            f"SELECT {columns}, {_text(source.path.name)} AS _file, {line} AS _line FROM {held}"
        )
    table_ = f"raw.{source.name}"
    rejected = _one(connection, f'SELECT count(*) FROM {_SCRATCH}.rejected WHERE "table" = {_text(table_)}')
    read = _one(connection, f"SELECT count(*) FROM {held}")
    return Count(table_, read + rejected, read, rejected)


def _read_text(
    connection: duckdb.DuckDBPyConnection, source: _Raw, held: str, scratch: Path, say: Callable[[str], None]
) -> int | None:
    """Creates the table `held`; returns the number of lines above the first row, None where each row has its `_line`."""
    path = source.path
    if codecs.lookup(source.encoding).name != "utf-8":
        path = scratch / "recoded.csv"
        with (
            _decoding(source),
            source.path.open(encoding=source.encoding, newline="") as given,
            path.open("w", encoding="utf-8", newline="") as recoded,
        ):
            shutil.copyfileobj(given, recoded, 1 << 20)
    with _decoding(source), path.open(encoding="utf-8-sig", newline="") as given:
        above = sum(1 for _ in islice(given, source.header - 1)) if source.header else 0
        reader = _records(given, source)
        first = next(reader, None)
        above += reader.line_num if source.header else 0
    if first is None:
        raise LoadError(f"{source.path.name} has no line {max(source.header, 1)}; it is empty or header is wrong.")
    if len(first) == 1 and (other := next((sign for sign in _DELIMITERS if sign in first[0]), None)):
        say(f"{source.path.name} has a single column, {first[0]!r}: is the delimiter right? Try delimiter = {other!r}.")
    names = _names(first if source.header else [""] * len(first), source)
    if not _has_empty_line(path):
        from_file = _csv_file(path, names, source.delimiter, source.quote, above)
        with suppress(duckdb.InvalidInputException):
            connection.execute(f"CREATE TABLE {held} AS FROM {from_file}")
            return above
    _split(connection, source, path, held, names, above, scratch)
    return None


def _has_empty_line(path: Path) -> bool:
    """The engine leaves such lines out, so that its rows could not be numbered as the file's lines are."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return any(held.find(ends) >= 0 for ends in (b"\n\n", b"\n\r\n", b"\r\r"))


def _csv_file(path: Path, names: Sequence[str], delimiter: str = ",", quote: str = '"', above: int = 0) -> str:
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({_pattern(path)}, auto_detect = false, hive_partitioning = false, header = false, skip = {above}, "
        f"delim = {_text(delimiter)}, quote = {_text(quote)}, escape = {_text(quote)}, nullstr = '', columns = {{{columns}}})"
    )


def _records(lines: Iterable[str], source: _Raw) -> Any:
    csv.field_size_limit(_LONGEST_LINE)
    quote = {"quotechar": source.quote} if source.quote else {"quoting": csv.QUOTE_NONE}
    return csv.reader(lines, delimiter=source.delimiter, strict=True, **quote)


def _split(
    connection: duckdb.DuckDBPyConnection,
    source: _Raw,
    path: Path,
    held: str,
    names: Sequence[str],
    above: int,
    scratch: Path,
) -> None:
    """Creates `held` of the lines that have a field for each name, with `_line`, and rejects those that have not.

    Slower than the engine, which could skip such lines too, but says nothing of others that it then leaves out with them,
    after a quote that nothing closes.
    """
    whole, broken = scratch / "whole.csv", scratch / "broken.csv"
    with (
        _decoding(source),
        path.open(encoding="utf-8-sig", newline="") as given,
        whole.open("w", encoding="utf-8", newline="") as kept,
        broken.open("w", encoding="utf-8", newline="") as left_out,
    ):
        keep, leave_out = csv.writer(kept).writerow, csv.writer(left_out).writerow
        for _ in islice(given, above):
            pass
        for line, fields in enumerate(_records(given, source), above + 1):
            if len(fields) == len(names):
                keep([line, *fields])
            elif fields:
                leave_out([line, source.delimiter.join(fields)])
    connection.execute(
        f"CREATE TABLE {held} AS SELECT * REPLACE (_line::BIGINT AS _line) FROM {_csv_file(whole, ['_line', *names])}"
    )
    file, table_, reason = map(_text, (source.path.name, f"raw.{source.name}", f"not {len(names)} fields"))
    connection.execute(
        f"INSERT INTO {_SCRATCH}.rejected SELECT {file}, _line::BIGINT, {table_}, '', value, {reason} "
        f"FROM {_csv_file(broken, ['_line', 'value'])}"
    )


def _read_workbook(connection: duckdb.DuckDBPyConnection, source: _Raw, held: str) -> None:
    _refuse_what_is_blown_up(source.path)
    workbook = CalamineWorkbook.from_path(source.path)
    if source.sheet is not None and source.sheet not in workbook.sheet_names:
        sheets = ", ".join(workbook.sheet_names)
        raise LoadError(f"{source.path.name} has no sheet {source.sheet!r}; it has {sheets}.")
    sheet = workbook.get_sheet_by_name(source.sheet or workbook.sheet_names[0])
    rows = _lines(sheet)
    first = next(((line, row) for line, row in rows if line >= source.header), None)
    if first is None or (source.header and first[0] != source.header):
        line = source.header or 1
        raise LoadError(
            f"{source.path.name}, sheet {sheet.name!r}, has nothing in line {line}; it is empty or header is wrong."
        )
    names = _names(first[1] if source.header else [None] * len(first[1]), source)
    columns = ", ".join(f"{_name(name)} VARCHAR" for name in names)
    connection.execute(f"CREATE TABLE {held} (_line BIGINT, {columns})")
    if not source.header:
        _insert_batch(connection, held, names, [first])
    while batch := list(islice(rows, _BATCH)):
        _insert_batch(connection, held, names, batch)


def _refuse_what_is_blown_up(path: Path) -> None:
    """Raises LoadError for a workbook that would fill the memory: a small file may unpack to a thousand times its size. What it says
    of its size the reader holds it to."""
    if is_zipfile(path):
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > _UNPACKED:
            raise LoadError(
                f"{path.name} unpacks to {unpacked:,} bytes, and {_UNPACKED:,} are read; save its sheet as a text file (CSV)."
            )


def _lines(sheet: CalamineSheet) -> Iterator[tuple[int, list[str | None]]]:
    """Each row that is not empty, with its line number in the sheet."""
    for line, cells in enumerate(sheet.iter_rows(), 1):
        texts = [_cell(cell) for cell in cells]
        if any(text is not None for text in texts):
            yield line, texts


def _insert_batch(
    connection: duckdb.DuckDBPyConnection, held: str, names: list[str], batch: list[tuple[int, list[str | None]]]
) -> None:
    arrays = [pyarrow.array([line for line, _ in batch], pyarrow.int64())]
    arrays += [pyarrow.array([texts[at] for _, texts in batch], pyarrow.string()) for at in range(len(names))]
    connection.register("batch", pyarrow.Table.from_arrays(arrays, names=["_line", *names]))
    connection.execute(f"INSERT INTO {held} FROM batch")
    connection.unregister("batch")


def _cell(value: object) -> str | None:
    """A cell as text. A workbook keeps every number as a fraction: the code 120 would be 120.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value != "" else None


def _names(header: Sequence[str | None], source: _Raw) -> list[str]:
    names = [(name or "").strip() or f"column{at}" for at, name in enumerate(header, 1)]
    folded = [name.casefold() for name in names]
    for name in names:
        if folded.count(name.casefold()) > 1 or name.casefold() in ("_file", "_line"):
            raise LoadError(f"{source.path.name} has a column {name!r} twice (_file and _line are added); rename one.")
    return names


# ── one table ──


def _load_table(
    connection: duckdb.DuckDBPyConnection, chosen: _Select, plan: _Plan, say: Callable[[str], None]
) -> tuple[Count, date | None]:
    """Runs the SELECT, judges its rows, and puts each into the warehouse or among the rejected.

    Returns the counts and the last day of the table's data, None where neither load.toml nor an event tells it.
    """
    contract, given = chosen.contract, f"{_SCRATCH}.main.given"
    warehouse = connection.execute("SELECT current_database()").fetchone()[0]
    with _telling(f"The SELECT of {contract.name} ({chosen.where}) cannot be run", "correct it"):
        connection.execute(f"USE {_SCRATCH}.raw")
        try:
            connection.execute(f"CREATE OR REPLACE TABLE {given} AS FROM query({_text(chosen.sql)})")
        except duckdb.Error:
            if [found.type for found in connection.extract_statements(chosen.sql)] == [duckdb.StatementType.SELECT]:
                connection.execute(chosen.sql)  # alone, it fails with a word on its own lines
            raise
    until = _until(connection, chosen)
    connection.execute(f"USE {_name(warehouse)}")
    offered = [row[0] for row in connection.execute(f"DESCRIBE {given}").fetchall()]
    _check_columns(contract, offered, chosen.where)
    judged = [c for c in contract.columns if c.name in offered]
    rules = _judge(connection, contract, judged, plan, until or date.today())
    _keep(connection, contract, judged)
    _list_rejected(connection, contract, rules, offered, chosen.where)
    count = Count(
        contract.name,
        _one(connection, f"SELECT count(*) FROM {given}"),
        _one(connection, f"SELECT count(*) FROM {contract.name}"),
        _one(connection, f'SELECT count(*) FROM {_SCRATCH}.rejected WHERE "table" = {_text(contract.name)}'),
    )
    if count.given != count.loaded + count.rejected:
        raise LoadError(
            f"{contract.name}: {count.given:,} rows in, but {count.loaded:,} loaded and {count.rejected:,} rejected. "
            "This is a fault of the loader; please report it with load.toml."
        )
    if until is None and (day := event_day(contract)) is not None:
        until = _one(connection, f"SELECT max({day.name})::DATE FROM {contract.name}")
    say(f"{contract.name}: {count.given:,} in, {count.loaded:,} loaded, {count.rejected:,} rejected")
    return count, until


def _until(connection: duckdb.DuckDBPyConnection, chosen: _Select) -> date | None:
    """The last complete day, where load.toml says it."""
    until = chosen.data_until
    if isinstance(until, str):
        with _telling(f"data_until of {chosen.contract.name} ({until}) cannot be run", "correct it in load.toml"):
            until = _one(connection, f"FROM query({_text(f'SELECT CAST(({until}) AS DATE)')})")
            if until is None:
                raise LoadError(
                    f"data_until of {chosen.contract.name} ({chosen.data_until}) gives no date; correct it."
                )
            _check_past(chosen.contract.name, until)
    return until


def _check_columns(contract: Table, offered: Sequence[str], where: str) -> None:
    # The loader alone knows the whole tree, so it says the path.
    known = [c.name for c in contract.columns if not _computed(c)]
    for name in offered:
        if name not in (*known, "_file", "_line"):
            raise LoadError(
                f"{contract.name} has no column {name} ({where}); it takes {', '.join(known)}, _file, _line."
            )
    for wanted in contract.columns:
        if not wanted.info["optional"] and not _computed(wanted) and wanted.name not in offered:
            null = f"; write NULL AS {wanted.name} where nothing is known" if wanted.nullable else ""
            raise LoadError(f"The SELECT of {contract.name} ({where}) lacks the column {wanted.name}{null}.")


def _computed(of: Column) -> bool:
    return of is schema.branches.c.path


def _judge(
    connection: duckdb.DuckDBPyConnection, contract: Table, judged: list[Column], plan: _Plan, until: date
) -> list[Rule]:
    """Leaves behind the views `typed` (each row in the contract's types) and `sound` (those that keep every rule).

    Returns the rules; the scratch table `broken` holds the number of the first one that a row breaks.
    """
    types = ", ".join(f"{_typed(c)} AS {_name(c.name)}, {_given(c)} AS {_name(c.name + '?')}" for c in judged)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW typed AS SELECT rowid AS _row, {types} FROM {_SCRATCH}.main.given")
    connection.execute(f"CREATE OR REPLACE TABLE {_SCRATCH}.main.broken (_row BIGINT, rule INTEGER)")
    names = [c.name for c in judged]
    typed, sound = (
        table(view, column("_row"), *(column(c.name, c.type) for c in judged)) for view in ("typed", "sound")
    )
    rules = [*(rule for c in judged for rule in _readable(c)), *row_rules(contract, typed, until)]
    itself: list[Rule] = []
    for referring in (c for c in judged if "of" in c.info):
        wanted = referring.info["of"].table
        if wanted == contract.name:
            key = schema.key_of(contract).name
            itself.append(orphans(referring, sound, table("sound", column(key, String())).alias("target")))
        elif plan.loads(wanted):
            # A table that is not loaded cannot be asked: the contract lets a bank have contracts without customers.
            rules.append(orphans(referring, typed, schema.metadata.tables[wanted]))
    first = case(*((rule.broken, at) for at, rule in enumerate(rules)))
    # Read into types once: to do it again for each look at the sound rows takes longer than all the rules.
    verdicts = _sql(select(*typed.c, first.label("_rule")))
    connection.execute(f"CREATE OR REPLACE TABLE {_SCRATCH}.main.judged AS {verdicts}")
    found = f"SELECT _row, _rule FROM {_SCRATCH}.main.judged WHERE _rule IS NOT NULL"
    connection.execute(f"INSERT INTO {_SCRATCH}.main.broken {found}")
    sound_rows = f"FROM {_SCRATCH}.main.judged ANTI JOIN {_SCRATCH}.main.broken USING (_row)"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW sound AS {sound_rows}")

    def reject(rule: Rule) -> int:
        rules.append(rule)
        broken = select(sound.c._row, literal(len(rules) - 1)).where(rule.broken)
        return _one(connection, f"INSERT INTO {_SCRATCH}.main.broken {_sql(broken)}")

    if (key := schema.key_of(contract)) is not None and key.name in names:
        reject(Rule(key.name, "duplicate", _duplicated(key.name), "the key of an earlier row again"))
    _reject_lost(itself, reject)
    if contract is schema.branches:
        reject(Rule("parent_id", "circle", _circular(), "its parents lead in a circle"))
        reject(Rule("level", "level", _shallow(), f"not deeper than its parent's ({' > '.join(schema.LEVELS)})"))
        _reject_lost(itself, reject)
    return rules


def _reject_lost(itself: Sequence[Rule], reject: Callable[[Rule], int]) -> None:
    """Each row that goes may be the one that another names, so it is asked until none goes."""
    while sum(reject(rule) for rule in itself):
        pass


def _duplicated(key: str) -> ColumnElement[bool]:
    return _condition(
        f"_row IN (SELECT s._row FROM sound AS s JOIN (SELECT {key}, min(_row) AS first FROM sound GROUP BY {key} "
        f"HAVING count(*) > 1) AS twice USING ({key}) WHERE s._row > twice.first)"
    )


_TREE = (
    "WITH RECURSIVE tree AS (SELECT branch_id, branch_id || '.' AS path FROM sound WHERE parent_id IS NULL "
    "UNION ALL SELECT below.branch_id, tree.path || below.branch_id || '.' "
    "FROM sound AS below JOIN tree ON below.parent_id = tree.branch_id)"
)


def _circular() -> ColumnElement[bool]:
    """A branch that nobody reaches from a branch without a parent, although every parent is there."""
    return _condition(f"branch_id NOT IN ({_TREE} SELECT branch_id FROM tree)")


def _shallow() -> ColumnElement[bool]:
    levels = "[" + ", ".join(map(_text, schema.LEVELS)) + "]"
    return _condition(
        f"EXISTS (SELECT 1 FROM sound AS above WHERE above.branch_id = sound.parent_id "
        f"AND list_position({levels}, above.level) >= list_position({levels}, sound.level))"
    )


def _keep(connection: duckdb.DuckDBPyConnection, contract: Table, judged: list[Column]) -> None:
    """Puts the sound rows into the warehouse."""
    create(connection, contract)
    for missing in contract.columns:
        if missing not in judged and not _computed(missing):
            # A column of nothing but nulls would look like an answer; a missing one says that there is none.
            connection.execute(f"ALTER TABLE {contract.name} DROP COLUMN {_name(missing.name)}")
    names = [c.name for c in judged]
    if contract is schema.branches:
        columns = ", ".join(f"sound.{_name(name)}" for name in names)
        rest = "FROM sound JOIN tree USING (branch_id) ORDER BY tree.path"
        connection.execute(f"INSERT INTO branches BY NAME {_TREE} SELECT {columns}, tree.path {rest}")
    else:
        insert(connection, contract, names, "sound")


def _list_rejected(
    connection: duckdb.DuckDBPyConnection, contract: Table, rules: Sequence[Rule], offered: Sequence[str], where: str
) -> None:
    def by_rule(of: Callable[[Rule], str]) -> str:
        return "CASE broken.rule " + " ".join(f"WHEN {at} THEN {of(rule)}" for at, rule in enumerate(rules)) + " END"

    file = "CAST(given._file AS VARCHAR)" if "_file" in offered else _text(f"row of the SELECT in {where}")
    line = "TRY_CAST(given._line AS BIGINT)" if "_line" in offered else "broken._row + 1"
    connection.execute(
        f"INSERT INTO {_SCRATCH}.rejected SELECT {file}, {line}, {_text(contract.name)}, "
        f"{by_rule(lambda rule: _text(rule.column))}, "
        f"{by_rule(lambda rule: f'CAST(given.{_name(rule.column)} AS VARCHAR)')}, "
        f"{by_rule(lambda rule: _text(rule.reason))} "
        f"FROM {_SCRATCH}.main.broken JOIN {_SCRATCH}.main.given ON given.rowid = broken._row ORDER BY broken._row"
    )


# ── values ──


def _given(of: Column) -> str:
    """The value as text; blank is missing."""
    return f"nullif(trim(CAST({_name(of.name)} AS VARCHAR)), '')"


def _typed(of: Column) -> str:
    """SQL for the value in the contract's type, null where it cannot be read exactly.

    The engine itself would read 3.7 as the whole number 4, '2022-01-05 or so' as a date, and drop a time zone.
    """
    name, text = _name(of.name), _given(of)
    target = of.type.compile(dialect=Dialect())
    if isinstance(of.type, String):
        return f"CASE WHEN {text} IS NOT NULL THEN CAST({name} AS VARCHAR) END"
    if isinstance(of.type, Integer | Numeric):
        exact = f"TRY_CAST({text} AS DECIMAL(38, 10))"
        return f"CASE WHEN {exact} = TRY_CAST({exact} AS {target}) THEN TRY_CAST({exact} AS {target}) END"
    if isinstance(of.type, Date | DateTime):
        moment = f"TRY_CAST({text} AS TIMESTAMP) IS NOT NULL AND NOT regexp_matches({text}, '{_ZONE}$')"
        return f"CASE WHEN {moment} THEN TRY_CAST({text} AS {target}) END"
    return f"TRY_CAST({text} AS {target})"


_DAY = r"\d{4}(-\d{1,2}-|/\d{1,2}/| \d{1,2} )\d{1,2}"
_ZONE = r":\d{2}(\.\d+)? *(Z|UTC|[+-]\d{1,2}(:?\d{2})?)"


def _readable(of: Column) -> Iterator[Rule]:
    kinds = {
        Integer: "a whole number that fits",
        Numeric: "a number with at most two decimals",
        Boolean: "true or false",
        DateTime: "a date and time like 2026-01-31 09:30",
        Date: "a date like 2026-01-31",
        String: "a text",
    }
    kind = next(kind for family, kind in kinds.items() if isinstance(of.type, family))
    text = _name(of.name + "?")
    unreadable = f"{text} IS NOT NULL AND {_name(of.name)} IS NULL"
    if isinstance(of.type, Date | DateTime):
        day = f"regexp_extract({text}, '^{_DAY}')"
        no_such_day = f"{unreadable} AND {day} <> '' AND TRY_CAST({day} AS DATE) IS NULL"
        yield Rule(of.name, "readable", _condition(no_such_day), "no such day")
        zone = f"{unreadable} AND regexp_matches({text}, '^{_DAY}.*{_ZONE}$')"
        yield Rule(of.name, "readable", _condition(zone), "has a time zone, which the SELECT has to convert")
    yield Rule(of.name, "readable", _condition(unreadable), f"not {kind}")


# ── the whole ──


def _note(connection: duckdb.DuckDBPyConnection, loaded: Sequence[tuple[Count, date | None]], folder: str) -> None:
    """Writes `loads`. What does not happen (branches, products …) is as old as the latest event."""
    latest = max((until for _, until in loaded if until is not None), default=date.today())
    now = datetime.now()
    connection.executemany(
        "INSERT INTO loads VALUES (?, ?, ?, ?, ?)",
        # Not the folder's bare name: a folder called demo would open the bank's own data to everybody.
        [(count.table, now, count.loaded, f"load of {folder}", until or latest) for count, until in loaded],
    )


def _write_rejected(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """A list for people, who open it in a spreadsheet: with the mark by which that reads Chinese, and without formulas."""
    found = connection.execute(f"FROM {_SCRATCH}.rejected ORDER BY rowid")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_REJECTED)
        while batch := found.fetchmany(_BATCH):
            writer.writerows([[disarmed(cell) if isinstance(cell, str) else cell for cell in row] for row in batch])


def _tell_reasons(connection: duckdb.DuckDBPyConnection, say: Callable[[str], None]) -> None:
    """What to repair first: how many rows each reason keeps out, with the first value that it met."""
    reasons = connection.execute(
        f'SELECT "table", "column", reason, count(*), first(value ORDER BY rowid) FROM {_SCRATCH}.rejected '
        "GROUP BY ALL ORDER BY min(rowid)"
    )
    for table_, column_, reason, rows, value in reasons.fetchall():
        place = f"{table_}.{column_}" if column_ else table_
        say(f"{place}: {rows:,} × {reason}" + (f", such as {printable(value)}" if value else ""))


def _judge_whole(files: Sequence[Count], counts: Sequence[Count], max_rejected: float, rejected: Path) -> None:
    beyond = [
        f"{count.rejected:,} of {count.given:,} rows of {count.table}"
        for count in (*files, *counts)
        if count.rejected > max_rejected * count.given
    ]
    if beyond:
        raise LoadError(
            f"{', '.join(beyond)} were rejected, more than max_rejected = {max_rejected:g} allows; the old warehouse "
            f"stays. {rejected} lists them: repair them, or raise it."
        )
    loaded = {count.table for count in counts if count.loaded}
    for contract in schema.REQUIRED:
        if contract.name not in loaded:
            raise LoadError(
                f"The required table {contract.name} is empty; the old warehouse stays. Look at its SELECT."
            )
    if not any(event.name in loaded for event in schema.EVENTS):
        names = ", ".join(event.name for event in schema.EVENTS)
        raise LoadError(f"No table of events has a row; the old warehouse stays. Load at least one of {names}.")


# ── SQL and errors ──


def _condition(sql: str) -> ColumnElement[bool]:
    return literal_column(sql, Boolean())


def _sql(statement: Select) -> str:
    return str(statement.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True}))


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return connection.execute(sql).fetchone()[0]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _pattern(path: Path) -> str:
    """The path as the engine's readers take it: they would read [1], * and ? as a pattern, and find other files."""
    return _text(glob.escape(str(path)))


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@contextmanager
def _telling(what: str, way_out: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if _is_no_room(error):
            raise
        # The line that the engine quotes from a statement of ours, around what the bank has written, would only mislead.
        told = re.sub(r"\n\nLINE \d+: (CREATE OR REPLACE TABLE|FROM query\().*", "", str(error), flags=re.S).strip()
        raise LoadError(f"{what}: {told}\n{way_out[0].upper()}{way_out[1:]}.") from error


def _is_no_room(error: duckdb.Error) -> bool:
    return any(words in str(error) for words in _NO_ROOM)


@contextmanager
def _decoding(source: _Raw) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise LoadError(
            f"{source.path.name} is not {source.encoding}: {error}. Say its encoding in load.toml, for example gb18030."
        ) from error
    except csv.Error as error:
        raise LoadError(f"{source.path.name} cannot be read: {error}. Look at its quotes and its delimiter.") from error
