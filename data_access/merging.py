"""Makes the answers to questions that were read together: from the tables of counts that the scans gave, in memory.

The statement that divides, compares and orders is the one that a question asked alone has: so there is one home for these rules.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from data_access.sql import CountedTable, select_of


def counted(scanned: pa.Table, table: CountedTable) -> pa.Table:
    """The rows of one grain of a scan, under the names that the question's statement has for its columns."""
    rows = scanned.filter(pc.equal(scanned["grain"], table.grain))
    return pa.table({name: rows[there] for name, there in table.columns.items()})


def answered(text: sa.Select | Hashable, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The answer that a statement's `text` makes of `tables`, by their names."""
    with _memory().cursor() as cursor:
        for name, rows in tables.items():
            cursor.register(name, rows)
        return cursor.execute(_finished(text)).to_arrow_table()


@lru_cache(maxsize=1)
def _memory() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # a few hundred rows
    return connection


@lru_cache(maxsize=512)
def _finished(text: sa.Select | Hashable) -> str:
    return str(select_of(text).compile(dialect=Dialect(), compile_kwargs={"literal_binds": True}))
