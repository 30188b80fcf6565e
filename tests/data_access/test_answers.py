"""Every measure, at several grains, for several viewers, under several filters, on both engines: equal to the oracle."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pytest

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES, dimension
from measures.model import Dimension, Measure
from measures.period import Period
from measures.question import NAME, Question, where
from tests import asking, oracle
from tests.bank import BANK, BEFORE, BRANCH, DATA_UNTIL, DAYS_OFF, HEAD_OFFICE, OUTLET, PERIOD

FILTERS = {
    "no filter": {},
    "a product": {"product": ("mobile",)},
    "two branches, one below the other": {"branch": ("12", "120"), "outlet": ("1210", "120")},
    "a branch and products": {"branch": ("120",), "product": ("online", "card")},
}
GRAINS = [(), *((name,) for name in DIMENSION)]
GRAINS_OF_SEVERAL = [
    ("below", "product"),
    ("outlet", "month"),
    ("age_band", "product"),
    ("cause", "product"),
    ("region", "cause"),
    ("agent", "contact_kind"),
    ("quarter", "days_to_use"),
    ("below", "days_to_contact"),
    ("cause", "days_to_close"),
    ("below", "days_run", "days_left"),
    ("below", "days_run", "days_left", "days_ago"),
]


def measures_kept_by(warehouse: Warehouse, names: Iterable[str]) -> tuple[Measure, ...]:
    known = warehouse.state().catalogue.measures.values()
    return tuple(m for m in known if m.dimensions >= {dimension(name) for name in names})


def assert_equal_to_the_oracle(
    warehouse: Warehouse,
    measures: Iterable[Measure],
    viewer: str,
    *,
    by: tuple[str, ...] = (),
    chosen: dict[str, tuple[str | None, ...]] | None = None,
    against: Period | None = None,
    period: Period = PERIOD,
    agent: str | None = None,
) -> None:
    measures = tuple(measures)
    filters = where({dimension(name): ids for name, ids in (chosen or {}).items()})
    question = Question(measures, period, tuple(dimension(name) for name in by), filters, against)
    found = warehouse.fetch(question, asking.viewer(viewer, agent))
    expected = oracle.answer(
        BANK,
        [measure.name for measure in measures],
        period,
        viewer,
        data_until=DATA_UNTIL,
        days_off=DAYS_OFF,
        by=by,
        where=chosen,
        against=against,
        agent=agent,
    )
    rows = {key_of(row, by): row for row in found.to_dict("records")}
    assert len(rows) == len(found), "two rows of one key"
    assert rows.keys() == expected.keys()
    wrong = {
        (key, column): (rows[key][column], value)
        for key, values in expected.items()
        for column, value in values.items()
        if not same(rows[key][column], value)
    }
    assert not wrong, f"(key, column): (the warehouse's, the oracle's): {wrong}"
    assert_named(question.by, found)


def key_of(row: dict[str, object], by: tuple[str, ...]) -> tuple[object, ...]:
    values = [None if pd.isna(row[name]) else row[name] for name in by]
    return tuple(v.date() if isinstance(v, pd.Timestamp) else v for v in values)


def same(found: object, expected: object) -> bool:
    if expected is None or pd.isna(found):
        return expected is None and bool(pd.isna(found))
    return float(found) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


def assert_named(by: tuple[Dimension, ...], found: pd.DataFrame) -> None:
    tables = {"product": "products", "agent": "agents", "campaign": "campaigns"}
    for kept in by:
        if kept.named:
            table = tables.get(kept.name, "branches")
            key = {"branches": "branch_id"}.get(table, f"{kept.name}_id")
            names = {row[key]: row["name"] for row in BANK[table]}
            shown = found[[kept.name, kept.name + NAME]].astype(object)
            for known, name in shown.where(shown.notna(), None).itertuples(index=False):
                assert names.get(known) == name


def test_the_oracle_knows_every_measure() -> None:
    assert MEASURES.keys() <= oracle.MEASURES.keys()


@pytest.mark.parametrize("by", [*GRAINS, *GRAINS_OF_SEVERAL], ids="-".join)
def test_every_measure_at_every_grain(warehouse_on: Warehouse, by: tuple[str, ...]) -> None:
    against = None if set(by) & set(oracle.STEPS) else BEFORE
    measures = measures_kept_by(warehouse_on, by)
    assert measures
    assert_equal_to_the_oracle(warehouse_on, measures, HEAD_OFFICE, by=by, against=against)


@pytest.mark.parametrize("viewer", [HEAD_OFFICE, BRANCH, OUTLET])
@pytest.mark.parametrize("chosen", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("by", [(), ("below",), ("product",), ("month",), ("cause",)], ids="-".join)
def test_every_measure_for_every_viewer_under_every_filter(
    warehouse_on: Warehouse, by: tuple[str, ...], chosen: dict[str, tuple[str, ...]], viewer: str
) -> None:
    measures = measures_kept_by(warehouse_on, [*by, *chosen])
    assert_equal_to_the_oracle(warehouse_on, measures, viewer, by=by, chosen=chosen)


AGENTS = [("1", "a1"), ("12", "a1"), ("120", "a2"), ("1", "a4"), ("1", "nobody")]
"""a1 looks after a customer with a contract at 120, and calls customers whom nobody looks after; an agent may see head office."""
GRAINS_FOR_AGENTS = [
    (),
    ("below",),
    ("product",),
    ("agent",),
    ("month",),
    ("age_band",),
    ("cause",),
    ("outlet", "agent"),
]


@pytest.mark.parametrize(("branch", "agent"), AGENTS)
@pytest.mark.parametrize("by", GRAINS_FOR_AGENTS, ids="-".join)
def test_every_measure_for_an_agent_counts_the_own_customers_alone(
    warehouse_on: Warehouse, by: tuple[str, ...], branch: str, agent: str
) -> None:
    against = None if set(by) & set(oracle.STEPS) else BEFORE
    measures = measures_kept_by(warehouse_on, by)
    assert_equal_to_the_oracle(warehouse_on, measures, branch, by=by, against=against, agent=agent)


@pytest.mark.parametrize("chosen", list(FILTERS.values())[1:], ids=list(FILTERS)[1:])
def test_every_measure_for_an_agent_under_every_filter(
    warehouse_on: Warehouse, chosen: dict[str, tuple[str, ...]]
) -> None:
    measures = measures_kept_by(warehouse_on, ["below", *chosen])
    assert_equal_to_the_oracle(warehouse_on, measures, HEAD_OFFICE, by=("below",), chosen=chosen, agent="a1")


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_asked_alone_is_the_same_as_among_others(duckdb_warehouse: Warehouse, name: str) -> None:
    asked = [duckdb_warehouse.state().catalogue.measure(name)]
    assert_equal_to_the_oracle(duckdb_warehouse, asked, HEAD_OFFICE, against=BEFORE)
    assert_equal_to_the_oracle(duckdb_warehouse, asked, BRANCH, by=("below",), against=BEFORE)


@pytest.mark.parametrize(
    "name",
    sorted({d.name for m in MEASURES.values() for d in m.dimensions if not d.elapsed} - set(oracle.STEPS)),
)
def test_a_filter_on_any_dimension_keeps_the_rows_with_that_value_and_those_with_none(
    warehouse_on: Warehouse, name: str
) -> None:
    measures = measures_kept_by(warehouse_on, [name])
    values = warehouse_on.fetch(
        Question(measures, PERIOD, (dimension(name),)), Viewer("tester", HEAD_OFFICE, Role.VISITOR)
    )[name]
    known = next(value for value in values if not pd.isna(value))
    assert_equal_to_the_oracle(warehouse_on, measures, HEAD_OFFICE, chosen={name: (None, known)})
