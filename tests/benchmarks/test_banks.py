"""The bank of a hundred million is one that exists, each customer several times: as large, and as whole."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data_access import demo
from tests.benchmarks.banks import TIMES, UNTIL, multiplied


def test_a_bank_is_multiplied_with_all_that_is_worked_out_of_it(tmp_path: Path) -> None:
    small, large = tmp_path / "small.duckdb", tmp_path / "large.duckdb"
    demo.build(small, scale=0.02, until=UNTIL)
    multiplied(small, large)
    with duckdb.connect(str(large), read_only=True) as connection:
        connection.execute(f"ATTACH '{small}' AS small (READ_ONLY)")

        def times(measured: str, table: str) -> tuple[float, float]:
            return tuple(
                connection.execute(f"SELECT {measured} FROM {of}{table}").fetchone()[0] for of in ("", "small.")
            )

        for table in ("contacts", "contracts", "customers"):
            now, before = times("count(*)", table)
            assert now == TIMES * before > 0
        assert times("count(DISTINCT contact_id)", "contacts")[0] == times("count(*)", "contacts")[0]
        (worked_out,) = [
            name for (name,) in connection.execute(
                "SELECT column_name FROM duckdb_columns() WHERE database_name <> 'small' AND table_name = 'assignments' "
                "AND column_name LIKE '%first_on'"
            ).fetchall()
        ]  # fmt: skip
        now, before = times(f"count({worked_out})", "assignments")
        assert now == TIMES * before > 0
        assert times("count(*)", "branches")[0] == times("count(*)", "branches")[1]
