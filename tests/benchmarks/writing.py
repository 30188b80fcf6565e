"""P5 and P6: files of many rows, each written in a process of its own, beside the bare writers and DuckDB's own COPY."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from statistics import median

from panels.writing import LEAN
from tests.benchmarks.banks import bank
from tests.benchmarks.exported import ROWS
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.served import REPEATS, ROOT

DASHBOARD = {"dashboard": "The dashboard: formats, masks, second sheet"}
BARE = {
    "rustpy": "rustpy-xlsxwriter, bare cells",
    "xlsxwriter": "XlsxWriter, constant memory, bare cells",
    "openpyxl": "openpyxl, write-only, bare cells",
}
LONG = {*DASHBOARD, "csv", "parquet"}
"""What the dashboard writes in a process like that of its long files."""
SHEET = 1_048_575
"""Rows of the longest sheet that Excel opens, beneath its header."""
FILE = 1_000_000
EXPORTS = min(3, REPEATS)
"""Files that take long: their times spread little."""


def export() -> Iterator[Figure]:
    """The same rows through the dashboard's export and, bare, through other libraries; each time in a fresh process."""
    ways = [way for way in DASHBOARD | BARE if way != "rustpy" or find_spec("rustpy_xlsxwriter")]
    yield from _figures("", ROWS, ran(ways, ROWS, EXPORTS, size=""))


def p5() -> Iterator[Figure | Claim]:
    """A workbook beside the fastest of the bare writers, and the memory that the longest sheet takes."""
    bare, note = BARE, ""
    if find_spec("rustpy_xlsxwriter") is None:
        bare, note = {way: said for way, said in BARE.items() if way != "rustpy"}, "rustpy-xlsxwriter is not installed"
    runs = ran(DASHBOARD | bare, ROWS, REPEATS)
    yield from _figures("P5", ROWS, runs)
    times = {way: [run["ms"] for run in found] for way, found in runs.items()}
    fastest = min(bare, key=lambda way: median(times[way]))
    yield Claim(
        "P5", f"Workbook of {ROWS:,} rows × 8 columns", times["dashboard"], "ms",
        BARE[fastest], times[fastest], least=0.6, note=note,
    )  # fmt: skip
    longest = ran(DASHBOARD, SHEET, EXPORTS)
    yield from _figures("P5", SHEET, longest)
    held = [run["mb"] for run in longest["dashboard"]]
    yield Claim("P5", f"Workbook of {SHEET:,} rows: memory on top", held, "MB", most=200)


def p6() -> Iterator[Figure | Claim]:
    """CSV and Parquet of a million rows, beside DuckDB's COPY of the same rows."""
    for kind in ("csv", "parquet"):
        ways = {kind: f"The dashboard: {kind.upper()}, streamed", f"copy_{kind}": f"DuckDB's COPY to {kind.upper()}"}
        runs = ran(ways, FILE, REPEATS)
        yield from _figures("P6", FILE, runs, ways)
        ours, copy = ([run["ms"] for run in runs[way]] for way in ways)
        yield Claim("P6", f"{kind.upper()} of {FILE:,} rows", ours, "ms", "DuckDB's COPY", copy, least=0.5)


def ran(ways: Sequence[str], rows: int, times: int, size: str = "10M") -> dict[str, list[dict]]:
    """What exported.py says of each way; the ways take turns, so that all meet the same machine."""
    more = [] if rows == ROWS else [str(rows)]
    command = [sys.executable, "-m", "tests.benchmarks.exported"]
    found: dict[str, list[dict]] = {way: [] for way in ways}
    for _ in range(times):
        for way in ways:
            own = LEAN if way in LONG else {}
            said = subprocess.check_output([*command, way, str(bank(size)), *more], cwd=ROOT, env=os.environ | own)
            found[way].append(json.loads(said))
    return found


def _figures(
    id_: str, rows: int, runs: dict[str, list[dict]], labels: dict[str, str] | None = None
) -> Iterator[Figure]:
    table = f"Export of {rows:,} rows × 8 columns{'' if labels else ' as XLSX'}"
    for way, found in runs.items():
        row = ((labels or {}) | DASHBOARD | BARE).get(way, way)
        yield Figure(id_ or "export", table, row, "Time", "ms", [run["ms"] for run in found])
        yield Figure(id_ or "export", table, row, "Memory on top", "MB", [run["mb"] for run in found])
