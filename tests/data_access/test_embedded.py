"""How rows lie in an embedded warehouse: all that were given, those of a branch together, in the order of the tree and the days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from data_access.check import event_day
from data_access.demo import build
from data_access.embedded import create, insert
from measures import schema

TREE = {"1": "1.", "b": "1.b.", "B": "1.B.", "支行": "1.b.支行.", "9": "1.b.9.", " ": "1. ."}
"""Codes in another order than their paths; two differ in case alone, one is a blank."""

IN_TREE = [
    table for table in schema.metadata.tables.values() if "branch_id" in table.c and table is not schema.branches
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """A small demo bank."""
    path = tmp_path_factory.mktemp("demo") / "bank.duckdb"
    build(path, scale=0.02, until=date(2026, 11, 20))
    return path


def stored(table: Table, rows: list[dict]) -> list[dict]:
    """`rows` as they lie in a fresh warehouse with the branches of TREE."""
    with duckdb.connect() as connection:
        create(connection, schema.branches)
        connection.executemany(
            "INSERT INTO branches (branch_id, name, level, path) VALUES (?, '', '', ?)", TREE.items()
        )
        create(connection, table)
        connection.register("given", pa.Table.from_pylist([row | {"_row": at} for at, row in enumerate(rows)]))
        insert(connection, table, tuple(rows[0]), "given")
        names = ", ".join(rows[0])
        found = connection.execute(f"SELECT {names} FROM {table.name} ORDER BY rowid").to_arrow_table()
        return found.to_pylist()


SURVEYS = st.lists(
    st.fixed_dictionaries(
        {
            "survey_id": st.sampled_from(["", "a", "A", "问卷", "0", "it's"]),
            "branch_id": st.sampled_from([*TREE, "unknown"]),
            "answered_on": st.dates(date(2026, 1, 1), date(2026, 1, 5)),
            "score": st.integers(0, 10),
        }
    ),
    min_size=1,
    max_size=30,
)


@given(rows=SURVEYS)
@settings(deadline=None)
def test_what_is_stored_is_what_was_given_by_place_then_day_then_as_it_came(rows):
    def place(row):
        return row["branch_id"] not in TREE, TREE.get(row["branch_id"], "").encode(), row["answered_on"]

    assert stored(schema.surveys, rows) == sorted(rows, key=place)


def test_rows_without_a_day_keep_their_order_within_the_branch():
    people = [("z", "支行"), ("a", "1"), ("b", "支行"), ("c", "b"), ("d", "1")]
    rows = [
        {"agent_id": agent, "name": "", "branch_id": branch, "joined_on": date(2026, 1, 9) - timedelta(days=at)}
        for at, (agent, branch) in enumerate(people)
    ]
    assert [row["agent_id"] for row in stored(schema.agents, rows)] == ["a", "d", "c", "z", "b"]


@pytest.mark.parametrize(
    "table", [t for t in IN_TREE if t not in (schema.viewers, schema.contract_months)], ids=lambda table: table.name
)
def test_the_demo_banks_rows_lie_in_the_order_of_the_tree_and_the_days(table, demo):
    with duckdb.connect(str(demo), read_only=True) as connection:
        day = event_day(table)
        by_day = f", {day.name}" if day is not None else ""
        lie = f"SELECT path{by_day} FROM {table.name} AS t JOIN branches USING (branch_id) ORDER BY"
        rows = connection.execute(f"{lie} t.rowid").fetchall()
        assert rows == connection.execute(f"{lie} path{by_day}").fetchall()
        assert len(rows) == connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] > 0


def test_a_branchs_rows_lie_in_few_blocks_of_a_large_table():
    """Given by day, as a bank's file is: each block would hold rows of every branch."""
    count = 6 * 122_880
    with duckdb.connect() as connection:
        create(connection, schema.branches)
        connection.execute(
            "INSERT INTO branches (branch_id, name, level, path) SELECT 'b' || i, '', '', '1.b' || i || '.' FROM range(480) t(i)"
        )
        create(connection, schema.surveys)
        connection.execute(
            "CREATE TABLE given AS SELECT i AS _row, 's' || i AS survey_id, 'b' || i % 480 AS branch_id, "
            f"DATE '2026-01-01' + (i * 300 // {count})::INTEGER AS answered_on, 5 AS score FROM range({count}) t(i)"
        )
        insert(connection, schema.surveys, ("survey_id", "branch_id", "answered_on", "score"), "given")
        found = "SELECT count(DISTINCT rowid // 122880), count(*) FROM surveys WHERE branch_id = 'b7'"
        blocks, rows = connection.execute(found).fetchone()
        assert rows == count // 480
        assert blocks <= 2
