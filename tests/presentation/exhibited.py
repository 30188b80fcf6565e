"""Exhibits for the tests of files: of the test bank, asked as a page asks; and of names as nobody would want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pandas as pd

from data_access.warehouse import Warehouse
from measures.model import Unit
from measures.question import Order
from presentation.exhibit import Exhibit, Kind
from presentation.minutes import Minutes, Slide
from presentation.tables import About, Column, Table, table_of
from presentation.words import Words
from tests.asking import question, viewer
from tests.bank import HEAD_OFFICE

ABOUT = About(
    filters=[("Branch", "重庆分行"), ("Period", "May 2026")],
    scope="重庆分行 and 3 branches below it",
    data_until=date(2026, 5, 20),
    person="王芳",
    made_at=datetime(2026, 5, 21, 14, 5),
    link="https://dashboard.example/meeting?branch=1",
    row_count=0,
)
FILTERS = (("Branch", "重庆分行"), ("Product", "All products"))


def asked(warehouse: Warehouse, say: Words, measures: str, *by: str, total: bool = False, **more: object) -> Table:
    """The answer to a question as a table, with its total where `total`."""
    put = question(warehouse, measures, *by, **more)
    whole = warehouse.fetch(put.total(), viewer(HEAD_OFFICE)) if total else None
    return table_of(put, warehouse.fetch(put, viewer(HEAD_OFFICE)), whole, say)


def of_the_bank(warehouse: Warehouse, say: Words) -> dict[Kind, Exhibit]:
    """An exhibit of each kind, of the test bank."""
    year = {"period": replace(question(warehouse, "signed").period, start=date(2025, 12, 1))}
    rates = asked(warehouse, say, "activation_rate", "outlet", order=(Order("activation_rate"),))
    over_time = asked(warehouse, say, "signed", "product", "month", **year)
    causes = asked(
        warehouse, say, "complaints_received", "cause", order=(Order("complaints_received"),), cumulative=True
    )
    together = Column("complaints_received_cumulative", "Share of this row and all above it", "number", Unit.SHARE)
    causes = replace(causes, columns=(*causes.columns, together))
    steps = (
        Column("step", "Step", "text"),
        Column("count", "Count", "number", Unit.COUNT),
        Column("share", "Share of the step before", "number", Unit.SHARE),
    )
    figures = (
        Column("measure", "Measure", "text"),
        Column("now", "Now", "text"),
        Column("change", "Change", "text"),
    )
    raw = frame(figures, [("Signed", "12.3k", "+2 %"), ("Rate", "66.8 %", "—")]).assign(
        value=[12345.0, 0.668], name=["signed", "activation_rate"]
    )
    chart = {"meaning": "What is measured · Grain · What that means", "filters": FILTERS}
    found = [
        Exhibit(
            Kind.FIGURES,
            "Contracts signed rose",
            table=Table("", figures, raw),
            value="value",
            **chart,
        ),
        Exhibit(Kind.SENTENCES, "Two things stand out", lines=("江北支行: the rate fell.", "=1+1"), **chart),
        Exhibit(
            Kind.BARS,
            "One outlet is highest",
            table=rates,
            category="outlet_name",
            value="activation_rate",
            overall=0.5,
            **chart,
        ),
        Exhibit(
            Kind.LINES,
            "Cards moved most",
            table=over_time,
            category="month",
            series="product_name",
            value="signed",
            **chart,
        ),
        Exhibit(
            Kind.COLUMNS,
            "8–14 days has the most",
            table=asked(warehouse, say, "complaints_open", "open_age"),
            category="open_age",
            value="complaints_open",
            **chart,
        ),
        Exhibit(
            Kind.PARETO, "Queueing has the most", table=causes, category="cause", value="complaints_received", **chart
        ),
        Exhibit(
            Kind.FUNNEL,
            "The fewest go on to signed",
            table=Table(
                "", steps, frame(steps, [("Assigned", 120, None), ("Reached", 61, 61 / 120), ("Signed", 7, 7 / 61)])
            ),
            category="step",
            value="count",
            **chart,
        ),
        Exhibit(
            Kind.MATRIX,
            "Complaints by cause × product",
            table=asked(warehouse, say, "complaints_received", "cause", "product"),
            category="cause",
            series="product_name",
            value="complaints_received",
            notes=("1 is not shown.",),
            **chart,
        ),
        Exhibit(
            Kind.TABLE,
            "By outlet",
            table=asked(warehouse, say, "signed activation_rate complaints_median_days", "outlet", total=True),
            **chart,
        ),
    ]
    return {exhibit.kind: exhibit for exhibit in found}


def frame(columns: Sequence[Column], rows: Sequence[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column.name for column in columns])


NAMES = Column("name", "Name", "text")
RATES = Column("rate", "Rate", "number", Unit.SHARE, "Of all, the share")


def named(kind: Kind, rows: Sequence[tuple[str | None, float | None]], title: str = "Odd names") -> Exhibit:
    """An exhibit of names and numbers as they are given."""
    table = Table(title, (NAMES, RATES), frame((NAMES, RATES), rows))
    return Exhibit(kind, title, title, table, category="name", value="rate")


def minutes(*exhibits: Exhibit, remark: str = "", actions: Table | None = None) -> Minutes:
    return Minutes(
        "Weekly meeting", "重庆分行 · 18–24 May 2026", ABOUT, [Slide(exhibit, remark) for exhibit in exhibits], actions
    )
