"""What `check` says of a warehouse that keeps the contract, and of one that breaks it in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, create_engine, insert, text

from data_access.check import Finding, check
from measures import schema

TODAY = date(2026, 3, 31)
Rows = dict[str, list[dict[str, Any]]]


def sound() -> Rows:
    """A row or two of every table, none of which breaks a rule; dates on the edges of what is allowed."""
    at = datetime(2026, 3, 31, 23, 59)
    return {
        "branches": [
            {"branch_id": "1", "name": "Head office", "parent_id": None, "level": "head_office", "path": "1."}
            | {"region": None, "area": None, "opened_on": date(1472, 1, 1), "closed_on": None},
            # 12 and 120: a path without its full stops would make one the other's child.
            _branch("12", "1", "branch", "1.12."),
            _branch("120", "1", "sub_branch", "1.120."),
            _branch("121", "12", "outlet", "1.12.121."),
        ],
        "products": [
            {"product_id": "mobile", "name": "手机银行", "family": "e", "activation_days": 60, "electronic": True}
        ],
        "agents": [{"agent_id": "a", "name": "Li", "branch_id": "121", "joined_on": TODAY, "left_on": TODAY}],
        "customers": [
            {"customer_id": "c", "branch_id": "121", "kind": "personal", "agent_id": "a", "birth_year": 1900}
            | {"gender": "female", "pool": "keep", "lifecycle": "trial"}
        ],
        "contracts": [_contract("k1"), _contract("k2") | {"activated_on": TODAY, "closed_on": TODAY, "agent_id": "a"}],
        "usage": [
            {"customer_id": "c", "product_id": "mobile", "branch_id": "121", "month": date(2026, 3, 1)}
            | {"transactions": 3, "amount": 12.5, "channel": "atm"}
        ],
        "campaigns": [
            {"campaign_id": "p", "name": "List", "product_id": "mobile", "branch_id": "12"}
            | {"starts_on": TODAY, "ends_on": date(2027, 1, 1), "expires_on": date(9999, 12, 31)}
        ],
        "assignments": [
            {"assignment_id": "s", "campaign_id": "p", "customer_id": "c", "product_id": "mobile", "branch_id": "121"}
            | {"agent_id": "a", "assigned_on": TODAY, "due_on": date(2027, 1, 1), "closed_on": None, "outcome": "open"}
        ],
        "contacts": [
            {"contact_id": "t", "assignment_id": "s", "customer_id": "c", "branch_id": "121", "contacted_at": at}
            | {"kind": "visit", "new_customer": False, "reached": True, "next_contact_on": date(2027, 1, 1)}
        ],
        "complaints": [_complaint("q1"), _complaint("q2") | {"repeat_of": "q1", "closed_at": datetime(2026, 3, 31)}],
        "targets": [_target("x1", "12"), _target("x2", "120")],
        "surveys": [{"survey_id": "v", "branch_id": "121", "answered_on": TODAY, "score": 10}],
        "events": [{"happened_on": TODAY, "branch_id": "1", "product_id": None, "label": "Flood"}],
        "viewers": [
            {"person": "li@bank", "role": "branch manager", "branch_id": "12", "agent_id": None},
            {"person": "group:team", "role": "agent", "branch_id": "121", "agent_id": "a"},
        ],
        "loads": [_load("contracts", TODAY - timedelta(days=7))],
        "contract_months": [
            {"month": date(2026, 3, 1), "branch_id": "121", "product_id": "mobile"}
            | {"signed": 2, "activated": 1, "closed": 1, "holders": 5, "active": 5}
        ],
    }


def _branch(code: str, parent: str, level: str, path: str) -> dict[str, Any]:
    return {"branch_id": code, "name": "Branch", "parent_id": parent, "level": level, "path": path} | {
        "region": "North",
        "area": "rural",
        "opened_on": None,
        "closed_on": None,
    }


def _contract(key: str) -> dict[str, Any]:
    return {"contract_id": key, "customer_id": "c", "product_id": "mobile", "branch_id": "121", "agent_id": None} | {
        "signed_on": TODAY,
        "activated_on": None,
        "closed_on": None,
    }


def _complaint(key: str) -> dict[str, Any]:
    received = {"received_at": datetime(2026, 3, 31, 10, 30), "due_on": date(2026, 4, 15), "closed_at": None}
    who = {"complaint_id": key, "branch_id": "121", "product_id": "mobile", "repeat_of": None}
    return who | received | {"cause": "queue", "channel": "letter", "regulator": False}


def _target(key: str, branch: str) -> dict[str, Any]:
    what = {"target_id": key, "measure": "signed", "branch_id": branch, "product_id": None, "agent_id": None}
    return what | {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "value": 10}


def _load(table: str, until: date) -> dict[str, Any]:
    return {"table_name": table, "loaded_at": datetime(2026, 4, 1), "rows": 1, "source": "test", "data_until": until}


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty warehouse on either engine; on PostgreSQL in a schema of its own."""
    if request.param == "duckdb":
        engine = create_engine(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
        yield engine
        engine.dispose()
        return
    url, name = request.getfixturevalue("postgres_url"), f"check_{uuid4().hex}"
    outside = create_engine(url)
    with outside.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine = create_engine(url, connect_args={"options": f"-csearch_path={name}"})
    yield engine
    engine.dispose()
    with outside.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    outside.dispose()


def build(engine: Engine, rows: Rows, columns: Mapping[str, list[Column]] | None = None) -> None:
    """The tables of `rows` with all columns of the contract, or with those of `columns`, and without constraints."""
    metadata = MetaData()
    for name in rows:
        offered = (columns or {}).get(name, schema.metadata.tables[name].columns)
        Table(name, metadata, *(Column(column.name, column.type) for column in offered))
    metadata.create_all(engine)
    with engine.begin() as connection:
        for name, held in rows.items():
            for row in held:
                connection.execute(insert(metadata.tables[name]).values(row))


def breaches(findings: list[Finding]) -> list[tuple[str, str, str, int]]:
    return [(finding.table, finding.column, finding.rule, finding.rows) for finding in findings if finding.breach]


def test_a_warehouse_that_keeps_the_contract_gives_no_finding(engine: Engine) -> None:
    build(engine, sound())
    assert check(engine, today=TODAY) == []


LATER = TODAY + timedelta(days=1)

BROKEN = [
    ("branches", 1, {"name": None}, ("name", "missing", 1)),
    ("branches", 1, {"name": "  "}, ("name", "missing", 1)),
    ("branches", 1, {"area": "suburb"}, ("area", "allowed", 1)),
    ("branches", 3, {"path": "1.12.121"}, ("path", "path", 1)),
    ("branches", 1, {"opened_on": date(1399, 12, 31)}, ("opened_on", "range", 1)),
    ("branches", 3, {"level": "branch"}, ("level", "level", 1)),
    ("branches", 3, {"parent_id": "9"}, ("parent_id", "reference", 1)),
    ("branches", 2, {"opened_on": TODAY, "closed_on": date(2026, 3, 30)}, ("closed_on", "order", 1)),
    ("products", 0, {"electronic": None}, ("electronic", "missing", 1)),
    ("agents", 0, {"left_on": date(2026, 3, 30)}, ("left_on", "order", 1)),
    ("agents", 0, {"branch_id": "9"}, ("branch_id", "reference", 1)),
    ("customers", 0, {"birth_year": 1899}, ("birth_year", "range", 1)),
    ("customers", 0, {"birth_year": 2027}, ("birth_year", "range", 1)),
    ("customers", 0, {"gender": "f"}, ("gender", "allowed", 1)),
    ("contracts", 1, {"contract_id": "k1"}, ("contract_id", "duplicate", 1)),
    ("contracts", 1, {"activated_on": date(2026, 3, 30)}, ("activated_on", "order", 1)),
    ("contracts", 1, {"closed_on": date(2026, 3, 30)}, ("closed_on", "order", 1)),
    ("contracts", 1, {"last_used_on": date(2026, 3, 30)}, ("last_used_on", "order", 1)),
    ("contracts", 1, {"last_used_on": LATER}, ("last_used_on", "range", 1)),
    ("contracts", 1, {"agent_id": "b"}, ("agent_id", "reference", 1)),
    ("contracts", 1, {"customer_id": "C"}, ("customer_id", "reference", 1)),
    ("usage", 0, {"month": date(2026, 3, 2)}, ("month", "month", 1)),
    ("usage", 0, {"channel": "fax"}, ("channel", "allowed", 1)),
    ("campaigns", 0, {"ends_on": date(2026, 3, 30)}, ("ends_on", "order", 1)),
    ("assignments", 0, {"assigned_on": LATER}, ("assigned_on", "range", 1)),
    ("assignments", 0, {"campaign_id": "none"}, ("campaign_id", "reference", 1)),
    ("contacts", 0, {"contacted_at": datetime(2026, 4, 1)}, ("contacted_at", "range", 1)),
    ("contacts", 0, {"assignment_id": "none"}, ("assignment_id", "reference", 1)),
    ("complaints", 1, {"closed_at": datetime(2026, 3, 30, 23, 59)}, ("closed_at", "order", 1)),
    ("complaints", 1, {"repeat_of": "q9"}, ("repeat_of", "reference", 1)),
    ("targets", 1, {"branch_id": "121"}, ("branch_id", "one level", 1)),
    ("surveys", 0, {"score": 11}, ("score", "range", 1)),
    ("events", 0, {"happened_on": LATER}, ("happened_on", "range", 1)),
    ("viewers", 0, {"branch_id": "99"}, ("branch_id", "reference", 1)),
    ("viewers", 1, {"agent_id": "99"}, ("agent_id", "reference", 1)),
    ("loads", 0, {"data_until": None}, ("data_until", "missing", 1)),
    ("contract_months", 0, {"holders": None}, ("holders", "missing", 1)),
]


@pytest.mark.parametrize(("table", "row", "change", "found"), BROKEN)
def test_a_row_that_breaks_a_rule_is_found_and_nothing_else(
    engine: Engine, table: str, row: int, change: dict[str, Any], found: tuple[str, str, int]
) -> None:
    rows = sound()
    rows[table][row] |= change
    build(engine, rows)
    findings = check(engine, today=TODAY)
    assert breaches(findings) == [(table, *found)]
    assert f"{table}.{found[0]}" in findings[0].sentence or table in findings[0].sentence


def test_a_code_with_a_full_stop_is_found(engine: Engine) -> None:
    rows = sound()
    rows["branches"].append(_branch("1.2", "1", "outlet", "1.1.2."))
    build(engine, rows)
    assert breaches(check(engine, today=TODAY)) == [("branches", "branch_id", "code", 1)]


def test_a_circle_of_branches_is_found_with_all_below_it(engine: Engine) -> None:
    rows = sound()
    rows["branches"] += [
        _branch("7", "8", "branch", "7."),
        _branch("8", "7", "sub_branch", "8."),
        _branch("9", "8", "outlet", "9."),
    ]
    build(engine, rows)
    found = breaches(check(engine, today=TODAY))
    assert ("branches", "parent_id", "circle", 3) in found
    assert ("branches", "level", "level", 1) in found  # no circle goes down all the way round


def test_targets_on_two_levels_are_no_breach_for_another_measure_period_or_product(engine: Engine) -> None:
    rows = sound()
    rows["targets"] += [
        _target("x3", "121") | {"measure": "closed"},
        _target("x4", "121") | {"ends_on": date(2026, 3, 31)},
        _target("x5", "121") | {"product_id": "mobile"},
        _target("x6", "121") | {"agent_id": "a"},
    ]
    build(engine, rows)
    assert check(engine, today=TODAY) == []


def test_a_missing_required_table_or_all_events_is_a_breach_and_an_optional_one_is_none(engine: Engine) -> None:
    rows = {name: held for name, held in sound().items() if name in ("branches", "customers")}
    for customer in rows["customers"]:
        customer["agent_id"] = None
    build(engine, rows)
    findings = check(engine, today=TODAY)
    assert breaches(findings) == [("products", "", "table", 0), ("", "", "table", 0)]
    missing = {finding.table for finding in findings if not finding.breach and finding.rule == "table"}
    assert missing == set(schema.metadata.tables) - {"branches", "customers", "products"}
    assert "The table contracts" in next(f.sentence for f in findings if f.table == "contracts")


def test_an_empty_required_table_is_a_breach(engine: Engine) -> None:
    build(engine, {"branches": [], "products": [], "surveys": []})
    found = breaches(check(engine, today=TODAY))
    assert found == [("branches", "", "empty", 0), ("products", "", "empty", 0)]


def test_a_missing_column_is_a_breach_unless_it_is_optional(engine: Engine) -> None:
    rows = sound()
    columns = {"surveys": [schema.surveys.c.survey_id, schema.surveys.c.branch_id, schema.surveys.c.answered_on]}
    rows["surveys"] = [{"survey_id": "v", "branch_id": "121", "answered_on": TODAY}]
    build(engine, rows, columns)
    found = [(f.column, f.breach) for f in check(engine, today=TODAY)]
    assert found == [("product_id", False), ("score", True)]


def test_where_null_says_something_a_missing_column_is_told_how_to_say_it(engine: Engine) -> None:
    rows = sound()
    columns = {"contracts": [c for c in schema.contracts.columns if c.name not in ("closed_on", "last_used_on")]}
    for contract in rows["contracts"]:
        contract.pop("closed_on")
    build(engine, rows, columns)
    said = {finding.column: finding.sentence for finding in check(engine, today=TODAY)}
    assert (
        "If it is known for none, offer CAST(NULL AS DATE) AS closed_on: each row then counts as “open”"
        in said["closed_on"]
    )
    assert "NULL" not in said["last_used_on"]


def test_a_column_of_another_kind_is_a_breach_and_is_not_compared(engine: Engine) -> None:
    rows = sound()
    columns = [
        Column(c.name, schema.branches.c.name.type if c.name in ("signed_on", "branch_id") else c.type)
        for c in schema.contracts.columns
    ]
    for contract in rows["contracts"]:
        contract["signed_on"] = "last spring"
    build(engine, rows, {"contracts": columns})
    (finding,) = check(engine, today=TODAY)
    assert breaches([finding]) == [("contracts", "signed_on", "type", 0)]
    assert finding.sentence == "contracts.signed_on is VARCHAR; the contract wants a date: cast it in the view."


def test_views_over_a_banks_own_tables_keep_the_contract_too(engine: Engine) -> None:
    rows = sound()
    build(engine, rows)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE contract_months RENAME TO months_of_the_bank"))
        connection.execute(
            text(
                "CREATE VIEW contract_months AS SELECT month, branch_id, product_id, sum(signed) AS signed, "
                "sum(activated) AS activated, sum(closed) AS closed, sum(holders) AS holders, sum(active) AS active "
                "FROM months_of_the_bank GROUP BY month, branch_id, product_id"
            )
        )
    assert check(engine, today=TODAY) == []


def test_old_data_and_more_active_than_holders_are_said_but_are_no_breach(engine: Engine) -> None:
    rows = sound()
    rows["loads"] = [_load("contracts", TODAY - timedelta(days=8)), _load("usage", TODAY)]
    rows["contract_months"][0]["active"] = 6
    build(engine, rows)
    found = [(f.table, f.rule, f.rows, f.breach) for f in check(engine, today=TODAY)]
    assert found == [("contract_months", "share", 1, False), ("contracts", "freshness", 0, False)]
