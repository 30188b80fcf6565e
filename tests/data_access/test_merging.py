"""Questions asked together read each fact once, and have the answers that each has alone, in the same order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access.access import Viewer
from data_access.sql import Given, merged
from data_access.warehouse import Warehouse
from measures.activation import HELD, SIGNED
from measures.catalogue import MEASURES, dimension
from measures.question import Order, Question, QuestionError, where
from tests.asking import question, viewer
from tests.bank import BEFORE, DATA_UNTIL, PERIOD

GRAINS = [
    (), ("below",), ("product",), ("family",), ("month",), ("week",), ("below", "product"), ("below", "month"), ("cause",), ("agent",),
    ("campaign",), ("open_age",), ("age_band", "product"), ("outlet",), ("area",), ("product", "days_to_use"),
]  # fmt: skip
FILTERS = [{}, {"product": ("mobile",)}, {"branch": ("120", "12")}, {"branch": ("120",), "product": ("online", None)}]
VIEWERS = [viewer("1"), viewer("12"), viewer("1201"), viewer("1", "a1"), viewer("no such branch")]


@st.composite
def pages(draw: st.DrawFn) -> list[Question]:
    """Some questions, mostly under the same filters, as a page asks them."""
    shared = draw(st.sampled_from(FILTERS))
    found = []
    for _ in range(draw(st.integers(2, 6))):
        by = tuple(dimension(name) for name in draw(st.sampled_from(GRAINS)))
        chosen = where({dimension(n): ids for n, ids in draw(st.sampled_from([shared, shared, {}])).items()})
        kept = [m for m in MEASURES.values() if m.dimensions.issuperset([*by, *(d for d, _ids in chosen)])]
        measures = tuple(draw(st.lists(st.sampled_from(kept), min_size=1, max_size=5, unique=True))) if kept else ()
        steps = any(d.step for d in by)
        order = (Order(measures[0].name, draw(st.booleans())),) if measures and draw(st.booleans()) else ()
        against = draw(st.sampled_from([None, None if steps else BEFORE]))
        cumulative = bool(measures) and getattr(measures[0], "adds_up", False) and draw(st.booleans())
        parent = draw(st.sampled_from([None, "120"]))
        try:
            asked = Question(measures, PERIOD, by, chosen, against, order, cumulative, parent=parent)
        except QuestionError:
            continue
        found.append(asked)
    return found


def both_ways(warehouse_on: Warehouse, asked: Sequence[Question], who: Viewer) -> None:
    """Asks on a warehouse of its own, whose cache is empty, together; and beside it each alone."""
    url = warehouse_on._url.render_as_string(hide_password=False)
    known = warehouse_on.state().catalogue.measures
    asked = [q for q in asked if all(m.name in known for m in q.measures)]
    asked = [replace(q, measures=tuple(known[m.name] for m in q.measures)) for q in asked]
    together = Warehouse(url, warehouse_on.days_off)
    try:
        together.fetch_ahead(asked, who)
        for q in asked:
            found, alone = together.fetch(q, who), warehouse_on.fetch(q, who)
            pd.testing.assert_frame_equal(found, alone, rtol=1e-12, obj=f"{q.measures} by {q.by} for {who}")
    finally:
        together.close()


@pytest.fixture
def no_way_round(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Fails the test where what was to be read together had to be asked alone."""
    caplog.set_level(logging.WARNING, logger="data_access.warehouse")
    return caplog


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=pages(), who=st.sampled_from(VIEWERS))
def test_together_as_alone(
    warehouse_on: Warehouse, no_way_round: pytest.LogCaptureFixture, asked: list[Question], who: Viewer
) -> None:
    both_ways(warehouse_on, asked, who)
    assert not no_way_round.records


@pytest.mark.parametrize("by", GRAINS, ids="-".join)
def test_every_measure_together_with_its_total(
    warehouse_on: Warehouse, no_way_round: pytest.LogCaptureFixture, by: tuple[str, ...]
) -> None:
    kept = [m for m in warehouse_on.state().catalogue.measures.values() if m.dimensions >= {dimension(n) for n in by}]
    names = " ".join(m.name for m in kept)
    split, whole = question(warehouse_on, names, *by), question(warehouse_on, names)
    both_ways(warehouse_on, [split, whole, question(warehouse_on, names, against=BEFORE)], viewer("1"))
    assert not no_way_round.records


def test_a_fact_is_read_once_for_all_who_ask_for_the_same_rows_of_it(duckdb_warehouse: Warehouse) -> None:
    asked = [
        question(duckdb_warehouse, "signed holders"),
        question(duckdb_warehouse, "signed holders", "below"),
        question(duckdb_warehouse, "signed activated", "product", "month"),
        question(duckdb_warehouse, "signed", chosen={"product": ("mobile",)}),
    ]
    paths = duckdb_warehouse.state().paths
    scans, answers = merged(asked, viewer("1"), Given(DATA_UNTIL, paths))
    read = [(scan.tables[0].name.split("|")[0], sorted(table.question for table in scan.tables)) for scan in scans]
    # Balances of months are taken on other days, and the rows of one product are other rows.
    assert read == [(SIGNED.name, [0, 1, 2]), (HELD.name, [0, 1])]
    assert answers.keys() == {0, 1, 2}


def test_what_cannot_be_read_together_is_read_alone(duckdb_warehouse: Warehouse) -> None:
    alone = [question(duckdb_warehouse, "signed"), question(duckdb_warehouse, "contacts", "month")]
    assert merged(alone, viewer("1"), Given(DATA_UNTIL)) == ([], {})
    both_ways(duckdb_warehouse, alone, viewer("1"))
