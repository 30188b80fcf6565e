"""Stores rollups in a warehouse that is there already: in the embedded file, or as tables on the bank's own engine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data_access import embedded
from data_access.warehouse import Warehouse


def statements(warehouse: Warehouse) -> tuple[str, ...]:
    """What is to be run so that the warehouse holds the rollups of its latest load and no others; nothing where it does. The loads
    are to be in `loads` last of all, so that a rollup never bears the name of a load that it does not hold. Raises WarehouseError."""
    state = warehouse.state()
    there = {rollup.name for rollup in state.rollups}
    made = (f"CREATE TABLE {name} AS {rows}" for name, rows in warehouse.rollups().items() if name not in there)
    return (*(f'DROP TABLE "{name}"' for name in state.outdated), *made)


def store(url: str) -> tuple[str, ...]:
    """Stores the rollups of the latest load in the warehouse at `url`, in place of those of others, all or none, and returns the
    names of all it then holds. Raises WarehouseError, and what the engine raises where it does not permit it."""
    where = make_url(url)
    if where.get_backend_name() == "duckdb":
        embedded.add_rollups(Path(where.database or ""))
    else:
        with closing(Warehouse(url)) as found:
            wanted = statements(found)
        engine = sa.create_engine(where, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for each in wanted:
                connection.exec_driver_sql(each)
    with closing(Warehouse(url)) as found:
        return tuple(rollup.name for rollup in found.state().rollups)
