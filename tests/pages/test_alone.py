"""A part of a page that fails does so alone: it says why in its place, and all others stand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.pages.conftest import OPEN_CONFIG

LIMITED = OPEN_CONFIG.replace("statement_seconds = 30", "statement_seconds = 1")
ENDLESS = "(SELECT sum(hash(a.range * b.range)) FROM range(3000000) a, range(1000000) b) IS NOT NULL"
BROKEN = "error('out of order') IS NOT NULL"
TOO_LONG = "This took longer than 1 s and was stopped."
NO_ANSWER = "The warehouse does not answer."


def behind_view(path: Path, table: str, condition: str) -> str:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO kept_{table}")
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM kept_{table} WHERE {condition}")
    return f"duckdb:///{path}"


@pytest.mark.parametrize(("condition", "said"), [(ENDLESS, TOO_LONG), (BROKEN, NO_ANSWER)], ids=["endless", "broken"])
def test_complaints_that_cannot_be_read_leave_the_other_pages_and_say_so_on_theirs(visit, own_file, condition, said):
    reader = visit(behind_view(own_file, "complaints", condition), config=LIMITED)
    for page in ("activation", "follow_up", "targets"):
        reader.show(page)
        assert reader.failures == [] and reader.tables and not any(said in sentence for sentence in reader.sentences)
    reader.show("complaints")
    told = [sentence for sentence in reader.sentences if said in sentence]
    assert len(told) >= 4  # the cards, the causes, the course, the bars, the bands, the table
    assert not reader.app.exception
    # The switches of what failed are still there: another choice may be answered.
    assert {"complaints_tables", "complaints_closer"} <= {group.key for group in reader.app.button_group}
