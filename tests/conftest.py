"""The test bank of `tests.bank` in a warehouse of each engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data_access import own_database
from data_access.warehouse import Warehouse, warehouse
from tests import bank, postgres


@pytest.fixture(scope="session", autouse=True)
def journal_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests take away is not written down beside what readers took."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("JOURNAL_URL", f"sqlite:///{tmp_path_factory.mktemp('journal') / 'journal.db'}")
        yield
    own_database.close()


@pytest.fixture(autouse=True)
def no_warehouse_from_another_test() -> Iterator[None]:
    """The warehouse is one for the process, and a test is not to meet that of another."""
    warehouse.cache_clear()
    yield
    warehouse.cache_clear()


@pytest.fixture(scope="session")
def duckdb_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the test bank as an embedded file."""
    path = tmp_path_factory.mktemp("bank") / "warehouse.duckdb"
    bank.write_duckdb(bank.BANK, path)
    return f"duckdb:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL on which databases may be made: POSTGRES_URL, else one of our own."""
    if given := os.environ.get("POSTGRES_URL"):
        yield given
        return
    if not postgres.is_installed():
        no_postgres()
    with postgres.private_server() as server:
        yield server.url


def no_postgres() -> None:
    """Skips the test on a computer without PostgreSQL; where everything is to be tested it fails instead."""
    reason = "PostgreSQL is not installed: apt-get install postgresql, or set POSTGRES_URL."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of the test bank in a PostgreSQL database of its own."""
    name = f"dashboard_tests_{os.getpid()}"
    server = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    bank.write_postgres(bank.BANK, engine)
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def duckdb_warehouse(duckdb_url: str) -> Iterator[Warehouse]:
    found = Warehouse(duckdb_url, bank.DAYS_OFF)
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgres_warehouse(postgres_url: str) -> Iterator[Warehouse]:
    found = Warehouse(postgres_url, bank.DAYS_OFF)
    yield found
    found.close()


@pytest.fixture(scope="session", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def warehouse_on(request: pytest.FixtureRequest) -> Warehouse:
    """The test bank on each engine."""
    return request.getfixturevalue(f"{request.param}_warehouse")


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """The test bank as an embedded file that this test may replace or spoil."""
    path = tmp_path / "warehouse.duckdb"
    bank.write_duckdb(bank.BANK, path)
    return path
