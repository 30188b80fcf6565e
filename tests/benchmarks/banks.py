"""The demo banks that are measured on: built once under var/, or taken from where an environment variable points.

BENCH_BANK_1M, BENCH_BANK_10M and BENCH_BANK_100M name files that are there already, so that nothing is built twice; BENCH_BANK is
the small one.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import duckdb

from data_access import demo
from data_access.embedded import new_file
from measures.schema import metadata
from tests.benchmarks.served import ROOT

UNTIL = date(2026, 11, 20)
"""The demo bank's last day is always the same, so that runs of different days ask the same."""
SCALES = {"": 1.0, "1M": 6.0, "10M": 58.0}
"""What each bank's name says is how many contacts it has; the small one has 170 thousand."""
TIMES = 10
"""So many times the bank of ten million is the one of a hundred."""
_ORDER = {
    "contracts": "signed_on",
    "assignments": "assigned_on",
    "contacts": "contacted_at",
    "complaints": "received_at",
    "usage": "month",
    "surveys": "answered_on",
    "customers": "customer_id",
}
"""The tables that grow, and the day by which each is sorted after its branch."""
_IDS = ("contract_id", "assignment_id", "contact_id", "complaint_id", "survey_id", "customer_id", "repeat_of")
"""What gets another value in each copy; branches, agents, products and lists stay as many as they are."""


USED: dict[str, Path] = {}
"""The banks that this run was asked for, by size."""


def bank(size: str = "") -> Path:
    """The bank of that size (1M, 10M, 100M; the small one without); it is built where there is none."""
    if size not in USED:
        USED[size] = _bank(size)
    return USED[size]


def _bank(size: str) -> Path:
    variable = f"BENCH_BANK_{size}" if size else "BENCH_BANK"
    if given := os.environ.get(variable):
        path = Path(given).resolve()
        if not path.is_file():
            raise FileNotFoundError(f"{variable} names {path}, where no file is.")
        return path
    path = ROOT / "var" / (f"bench_{size}.duckdb" if size else "bench.duckdb")
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        print(f"Building {path.relative_to(ROOT)}, once.", file=sys.stderr, flush=True)
        if size == "100M":
            multiplied(bank("10M"), path)
        else:
            demo.build(path, scale=SCALES[size], until=UNTIL)
    return path


def multiplied(small: Path, path: Path) -> None:
    """Writes to `path` the bank at `small` with each of its customers, and all that they did, `TIMES` times.

    The demo bank is made in memory, which a hundred million contacts do not fit into: so this one is made inside DuckDB. Every
    copy has ids of its own; what happened is the same in each.
    """
    with new_file(path) as connection:
        connection.execute(f"SET temp_directory = '{path.parent}'")
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(f"ATTACH '{small}' AS small (READ_ONLY)")
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'small' ORDER BY estimated_size"
        ).fetchall()
        # By a number, because to compare paths takes twice as long.
        connection.execute(
            "CREATE TEMP TABLE places AS SELECT branch_id, CAST(row_number() OVER (ORDER BY path) AS INTEGER) AS place "
            "FROM small.branches"
        )
        for (table,) in tables:
            # What was worked out from others, tables and columns, is worked out anew when the block ends.
            if table not in metadata.tables:
                continue
            there = [name for name, *_ in connection.execute(f"DESCRIBE small.{table}").fetchall()]
            columns = [name for name in there if name in metadata.tables[table].columns]
            if table not in _ORDER:
                connection.execute(f"CREATE TABLE {table} AS FROM small.{table}")
                continue
            copied = ", ".join(f"{c} || '.' || copy AS {c}" if c in _IDS else f"r.{c}" for c in columns)
            connection.execute(
                f"""CREATE TABLE {table} AS
                    SELECT {copied} FROM small.{table} r LEFT JOIN places USING (branch_id), range({TIMES}) g(copy)
                    ORDER BY place, {_ORDER[table]}"""
            )
        connection.execute(
            "UPDATE loads SET rows = rows * ? WHERE table_name IN (SELECT unnest(?))", [TIMES, [*_ORDER]]
        )
        connection.execute("DETACH small")


def size_of(path: Path) -> str:
    """How much there is in a bank, in words."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = dict(connection.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall())
    return ", ".join(f"{found[name]:,} {name}" for name in ("contacts", "contracts", "usage", "customers"))
