"""A bank's dashboard for attacks on it: a provider, people with roles, and words that nobody may see who is not let in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from data_access import demo
from tests.browser.conftest import browser, context, page  # noqa: F401
from tests.pages.conftest import visit, whole_url  # noqa: F401
from tests.security.bank_server import Bank, bank

ACCESS = """
mode = "oidc"
https = false
whom_to_ask = "Ms Chen (1234)"
"""

PEOPLE = """
[[viewers]]
group = "analysts"
role = "head office analyst"
branch = "1"

[[viewers]]
group = "managers"
role = "branch manager"
branch = "10"
"""


@pytest.fixture(scope="session")
def warehouse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo bank, so that there is something to see."""
    path = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    demo.build(path, scale=0.05, until=date(2026, 11, 20))
    return path


@pytest.fixture(scope="module")
def served(warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """The dashboard in mode oidc: one server for the tests of a module."""
    with bank(tmp_path_factory.mktemp("bank"), f"duckdb:///{warehouse_file}", ACCESS, PEOPLE) as running:
        yield running


@pytest.fixture(scope="session")
def secret_words(warehouse_file: Path) -> set[str]:
    """Names of branches, products, agents and customers: whoever reads one of them has seen the warehouse."""
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        found: set[str] = set()
        for table in ("branches", "products", "agents", "customers"):
            found |= {name for (name,) in connection.sql(f"SELECT name FROM {table}").fetchall() if name}
    return found
