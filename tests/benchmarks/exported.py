"""Writes 100,000 rows of 8 columns as XLSX in a process of its own: by the dashboard's export, or bare by the peers.

`python -m tests.benchmarks.exported WAY WAREHOUSE` prints {"ms", "mb", "bytes"}; all ways fetch the same rows in the same batches.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import xlsxwriter

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.activation import SIGNED
from measures.dimensions import PLACE
from measures.given import days_between
from measures.masks import masked_name
from measures.model import Listing, ListingColumn, Unit
from measures.period import Period
from measures.question import ListingQuestion
from measures.schema import agents, contracts, customers, products
from panels.tabular import BATCH
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


def export(warehouse: Warehouse, rows: int) -> Callable[[str], bytes]:
    """A function that writes the first `rows` contracts in the way named."""
    state = warehouse.state()
    viewer = Viewer("Visitor", warehouse.root(), Role.VISITOR)
    question = ListingQuestion(CONTRACTS, Period(datetime(1900, 1, 1).date(), state.data_until))

    def batches() -> Iterable[pd.DataFrame]:
        for offset in range(0, rows, BATCH):
            yield warehouse.listing(question, viewer, limit=min(BATCH, rows - offset), offset=offset)

    def dashboard() -> bytes:
        say = words("en")
        about = About([], "all", state.data_until, viewer.person, datetime.now(), None, rows)
        first = warehouse.listing(question, viewer, limit=100)
        return exports.xlsx(listing_table(question, first, say), about, say, batches())

    ways = {
        "dashboard": dashboard,
        "openpyxl": lambda: _openpyxl(batches()),
        "xlsxwriter": lambda: _xlsxwriter(batches()),
    }
    return lambda way: ways[way]()


def _openpyxl(batches: Iterable[pd.DataFrame]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([column.label for column in CONTRACTS.columns])
    for values in _cells(batches):
        sheet.append(values)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _xlsxwriter(batches: Iterable[pd.DataFrame]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [column.label for column in CONTRACTS.columns])
        for row, values in enumerate(_cells(batches), start=1):
            sheet.write_row(row, 0, values)
    return file.getvalue()


def _cells(batches: Iterable[pd.DataFrame]) -> Iterable[tuple]:
    for rows in batches:
        yield from rows.astype(object).where(rows.notna(), None).itertuples(index=False, name=None)


def main(way: str, path: str) -> None:
    warehouse = Warehouse(f"duckdb:///{path}")
    export(warehouse, _WARM_UP_ROWS)(way)
    # The most that was ever held must be what the export will hold: until now it was what importing took.
    Path("/proc/self/clear_refs").write_text("5")
    held = memory_mb("VmRSS")
    began = time.perf_counter()
    file = export(warehouse, ROWS)(way)
    ms = (time.perf_counter() - began) * 1000
    print(json.dumps({"ms": ms, "mb": memory_mb("VmHWM") - held, "bytes": len(file)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
