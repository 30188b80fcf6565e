"""P9: how long the demo bank takes to be built, and ten million contacts in CSV to be loaded, beside DuckDB's own reading."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.benchmarks.banks import UNTIL, bank
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.served import REPEATS, ROOT

LOADS = min(3, REPEATS)
"""Loads of ten million rows: each takes its time, and spreads little."""
TABLES = ("branches", "products", "customers", "contacts")
"""What is loaded: contacts, and what the contract wants beside them."""
PEER = """
import duckdb, sys
with duckdb.connect(sys.argv[2]) as connection:
    for table in sys.argv[3:]:
        connection.execute(f"CREATE TABLE {table} AS FROM read_csv('{sys.argv[1]}/{table}.csv')")
"""
SIZE = "10M"


def p9() -> Iterator[Figure | Claim]:
    """The demo bank, built; ten million contacts, loaded from CSV."""
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="load.") as scratch:
        folder = Path(scratch)
        demo = [
            _timed("-m", "data_access", "demo", "--out", str(folder / "demo.duckdb"), "--until", UNTIL.isoformat())
            for _ in range(LOADS)
        ]
        yield Figure("P9", "Builds and loads", "The demo bank", "Time", "ms", demo)
        tables = _written(folder)
        ours, theirs = [], []
        for _ in range(LOADS):
            (folder / "peer.duckdb").unlink(missing_ok=True)
            theirs.append(_timed("-c", PEER, str(folder), str(folder / "peer.duckdb"), *tables))
            ours.append(_timed("-m", "data_access", "load", str(folder), "--out", str(folder / "ours.duckdb")))
        with (
            duckdb.connect(str(folder / "ours.duckdb"), read_only=True) as mine,
            duckdb.connect(str(folder / "peer.duckdb"), read_only=True) as peer,
        ):
            counted = [
                [c.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables] for c in (mine, peer)
            ]
        if counted[0] != counted[1]:
            raise RuntimeError(f"Loaded were {counted[0]} rows, and {counted[1]} by the peer.")
        rows = f"{counted[0][tables.index('contacts')]:,} contacts and {sum(counted[0]):,} rows in all, CSV"
        yield Claim("P9", f"Load of {rows}", ours, "ms", "read_csv and CREATE TABLE AS", theirs, most=2.0)


def _timed(*arguments: str) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return (time.perf_counter() - began) * 1000


def _written(folder: Path) -> list[str]:
    """Writes the tables as CSV, and the load.toml that names them."""
    toml = [f"data_until = {UNTIL}"]
    with duckdb.connect(str(bank(SIZE)), read_only=True) as connection:
        for table in TABLES:
            connection.execute(f"COPY {table} TO '{folder / table}.csv' (HEADER)")
            # The loader works out the paths of branches by itself.
            found = [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall() if name != "path"]
            columns = ", ".join(json.dumps(name) for name in found)
            toml += [f"[raw.{table}_file]", f'file = "{table}.csv"']
            (folder / f"{table}.sql").write_text(f"SELECT {columns}, _file, _line FROM {table}_file\n")
    (folder / "load.toml").write_text("\n".join(toml) + "\n")
    return list(TABLES)
