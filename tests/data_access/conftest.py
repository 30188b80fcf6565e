"""What several tests of data access need."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from data_access import own_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of our own that holds nothing yet, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'var' / 'journal.db'}"
        return
    name = f"own_{os.getpid()}_{secrets.token_hex(6)}"
    address = sa.make_url(request.getfixturevalue("postgres_server"))
    server = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield address.set(database=name).render_as_string(hide_password=False)
    own_database.close()
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
