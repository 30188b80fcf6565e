"""Who may know whom: the dependency rule, held by reading the imports and the calls of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("measures", "data_access", "presentation", "panels", "pages", "server")
MODULES = [
    Path("app.py"),
    Path("deliver.py"),
    *(path.relative_to(ROOT) for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py"))),
]

FORBIDDEN = {
    "measures": {"data_access", "presentation", "panels", "pages", "server", "streamlit"},
    "data_access": {"presentation", "panels", "pages", "server", "streamlit"},
    "presentation": {"data_access", "panels", "pages", "server"},
    "panels": {"pages", "server"},
    "pages": {"server"},
    "server": {"measures", "presentation", "panels", "pages"},
}
ENTRIES = {Path("app.py"), Path("deliver.py"), Path("data_access/__main__.py")}
"""Entry points see everything."""
CACHES_ANSWERS = Path("data_access/warehouse.py")
"""The one module of data_access that may import streamlit, for its cache decorators."""
WRITERS = {Path("data_access") / f"{name}.py" for name in ("embedded", "demo", "load", "check", "roll_up")}
"""They write, or examine, a warehouse on a connection of their own."""
PUTS_TOGETHER = Path("data_access/merging.py")
"""Runs statements on tables in memory that the warehouse has read."""
KEEPERS = {
    Path("data_access/own_database.py"),
    Path("data_access/journal.py"),
    Path("data_access/meetings.py"),
    Path("data_access/sessions.py"),
    *(module for module in MODULES if module.is_relative_to("data_access/migrations")),
}
"""They hold connections to the dashboard's own database, where it writes who took what, who is signed in and what meetings have shown.
Of the warehouse it holds these answers, which are handed to it; what its keepers need of the dashboard's other modules
(`KEEPERS_KNOW`) gives them no way to read there."""
KEEPERS_KNOW = {
    "data_access.own_database",
    "data_access.settings",
    "measures.model",
    "measures.question",
    "measures.texts",
}
READS = {"read_sql", "execute", "exec_driver_sql", "scalars", "read_sql_query", "read_sql_table"}
COMPUTES = {"groupby", "pivot_table", "sum", "mean", "merge"}


def parsed(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), str(module))


def imported(module: Path) -> Iterator[str]:
    """The top packages that a module imports, inside functions too."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield module.parts[0] if node.level else node.module.partition(".")[0]


def called(module: Path) -> Iterator[str]:
    """What a module calls, by its last name: `frame.groupby(…)` and `groupby(…)` are both groupby."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


@pytest.mark.parametrize("module", [m for m in MODULES if m not in ENTRIES], ids=str)
def test_a_module_imports_only_what_its_folder_may_see(module: Path) -> None:
    forbidden = FORBIDDEN[module.parts[0]] - ({"streamlit"} if module == CACHES_ANSWERS else set())
    assert not set(imported(module)) & {*forbidden, "app", "tests"}


def test_only_the_warehouse_reads_and_only_writers_hold_a_connection_beside_it() -> None:
    readers = {module for module in MODULES if READS & set(called(module))}
    assert CACHES_ANSWERS in readers
    assert readers <= {CACHES_ANSWERS, PUTS_TOGETHER, *WRITERS, *KEEPERS}


@pytest.mark.parametrize("module", sorted(KEEPERS), ids=str)
def test_who_keeps_the_own_database_knows_nothing_of_the_warehouse(module: Path) -> None:
    known = {
        node.module
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in FOLDERS
    }
    assert known <= KEEPERS_KNOW
    assert not set(imported(module)) & {"duckdb"}


def test_the_rule_of_access_is_called_where_statements_are_written_and_nowhere_else() -> None:
    assert {module for module in MODULES if "visible" in called(module)} == {Path("data_access/sql.py")}


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] in ("pages", "panels", "presentation")], ids=str)
def test_no_number_on_a_screen_is_computed_from_another(module: Path) -> None:
    # The built-in sum and str-like calls are of names, not of frames: only what is called on something counts.
    on_something = {
        node.func.attr
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not on_something & COMPUTES
