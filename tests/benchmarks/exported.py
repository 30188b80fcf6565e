"""Writes the first 8 columns of contracts as a file in a process of its own: by the dashboard's export, or bare by the peers.

`python -m tests.benchmarks.exported WAY WAREHOUSE [ROWS]` prints {"ms", "mb", "bytes", "rows"}. All ways ask the same statement.
XLSX is written by dashboard, rustpy (where it is installed), xlsxwriter and openpyxl; csv and parquet by the dashboard, copy_csv
and copy_parquet by DuckDB itself.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import xlsxwriter

from data_access.access import Role, Viewer
from data_access.warehouse import Asked, Warehouse
from measures.activation import SIGNED
from measures.dimensions import PLACE
from measures.given import days_between
from measures.masks import masked_name
from measures.model import Listing, ListingColumn, Unit
from measures.period import Period
from measures.question import ListingQuestion
from measures.schema import agents, contracts, customers, products
from presentation import exports
from presentation.tables import About, listing_table
from presentation.words import words
from tests.benchmarks.served import memory_mb

ROWS = 100_000
_WARM_UP_ROWS = 1_000

CONTRACTS = Listing(
    name="contract_listing",
    label="Contracts signed",
    meaning="Every contract with its customer, in a listing as long as the pages' own are in a bank of many years",
    fact=SIGNED,
    columns=(
        ListingColumn("contract_id", "Contract", contracts.c.contract_id),
        ListingColumn("customer", "Customer", masked_name(customers.c.name), clear=customers.c.name),
        ListingColumn("product", "Product", products.c.name),
        ListingColumn("branch", "Branch", PLACE.c.name),
        ListingColumn("agent", "Agent", agents.c.name),
        ListingColumn("signed_on", "Signed on", contracts.c.signed_on),
        ListingColumn("activated_on", "Activated on", contracts.c.activated_on),
        ListingColumn(
            "days",
            "Days to the first use",
            days_between(contracts.c.signed_on, contracts.c.activated_on),
            unit=Unit.COUNT,
        ),
    ),
    order=(contracts.c.signed_on, contracts.c.contract_id),
)


def latest(file: str, rows: int, until: date) -> ListingQuestion:
    """The contracts of the latest days, as many days as there are so many in."""
    return ListingQuestion(CONTRACTS, Period(first_day(file, rows), until))


def first_day(file: str, rows: int) -> date:
    """The day from which on there are so many contracts: a reader takes along what they chose, and to sort all of many years for the
    first of them would be measured in place of the writing."""
    with duckdb.connect(file, read_only=True) as connection:
        latest = "SELECT signed_on FROM contracts ORDER BY signed_on DESC LIMIT 1 OFFSET ?"
        return connection.execute(latest, [rows - 1]).fetchone()[0]


def export(warehouse: Warehouse, file: str, rows: int, folder: Path) -> Callable[[str], Path]:
    """A function that writes `rows` contracts of the latest days in the way named, and returns the file."""
    viewer = Viewer("Visitor", warehouse.root(), Role.VISITOR)
    question = latest(file, rows, warehouse.state().data_until)
    found = warehouse.asked(question, viewer)
    asked = Asked(found.url, f"{found.text}\nLIMIT {rows}", found.parameters, found.types, found.version)
    target, scratch = folder / "file", folder / "scratch"

    def dashboard(write: Callable[..., None]) -> None:
        say = words("en")
        about = About([], "all", warehouse.state().data_until, "Visitor", datetime.now(), None, rows)
        none = warehouse.listing(question, viewer, limit=0)
        with closing(Warehouse(asked.url)) as own, target.open("wb") as file:
            write(file, listing_table(question, none, say), about, say, own.stream(asked, scratch))

    def copied(kind: str) -> None:
        with duckdb.connect(asked.url.removeprefix("duckdb:///"), read_only=True) as connection:
            connection.execute(f"COPY ({asked.text}) TO '{target}' ({kind})", asked.parameters)

    def batches() -> Iterator[pa.RecordBatch]:
        with closing(Warehouse(asked.url)) as own:
            yield from own.stream(asked, scratch)

    ways = {
        "dashboard": lambda: dashboard(exports.write_xlsx),
        "csv": lambda: dashboard(exports.write_csv),
        "parquet": lambda: dashboard(exports.write_parquet),
        "copy_csv": lambda: copied("FORMAT csv"),
        "copy_parquet": lambda: copied("FORMAT parquet"),
        "rustpy": lambda: _rustpy(batches(), target),
        "openpyxl": lambda: _openpyxl(batches(), target),
        "xlsxwriter": lambda: _xlsxwriter(batches(), target),
    }

    def written(way: str) -> Path:
        ways[way]()
        return target

    return written


def _rustpy(batches: Iterator[pa.RecordBatch], target: Path) -> None:
    from rustpy_xlsxwriter import FastExcel  # a peer alone, and not among what the tests need

    rows = (row for batch in batches for row in batch.to_pylist())
    FastExcel(str(target), output_format="xlsx").sheet("Data", rows).save()


def _openpyxl(batches: Iterator[pa.RecordBatch], target: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([column.label for column in CONTRACTS.columns])
    for values in _cells(batches):
        sheet.append(values)
    book.save(target)


def _xlsxwriter(batches: Iterator[pa.RecordBatch], target: Path) -> None:
    with xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [column.label for column in CONTRACTS.columns])
        for row, values in enumerate(_cells(batches), start=1):
            sheet.write_row(row, 0, values)


def _cells(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple]:
    for rows in batches:
        yield from zip(*(column.to_pylist() for column in rows.columns), strict=True)


def main(way: str, path: str, rows: int = ROWS) -> None:
    warehouse = Warehouse(f"duckdb:///{path}")
    with tempfile.TemporaryDirectory() as folder:
        export(warehouse, path, _WARM_UP_ROWS, Path(folder))(way)
        write = export(warehouse, path, rows, Path(folder))
        warehouse.close()
        # The most that was ever held must be what the export will hold: until now it was what importing took.
        Path("/proc/self/clear_refs").write_text("5")
        held = memory_mb("VmRSS")
        began = time.perf_counter()
        file = write(way)
        ms = (time.perf_counter() - began) * 1000
        print(json.dumps({"ms": ms, "mb": memory_mb("VmHWM") - held, "bytes": file.stat().st_size, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
