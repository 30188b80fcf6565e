"""After a new load nobody is shown what was before it, and what readers open first is asked before they come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from data_access import warehouse as module
from data_access.settings import settings
from data_access.warehouse import Warehouse, warehouse
from panels import ready
from panels.visit import is_older
from presentation.filters import is_untouched, renewed
from tests import bank

SIGNED = "Signed"
LATER = date(2026, 5, 21)
LOADED_AGAIN = [
    {"table_name": name, "loaded_at": datetime(2026, 5, 22, 6), "rows": 1, "source": "core", "data_until": LATER}
    for name in bank.BANK
]


@pytest.fixture(autouse=True)
def nobody_came_before() -> Iterator[None]:
    ready.forget()
    yield
    for _seen_at, desk in ready._seen.values():
        desk.warehouse.end()
    ready.forget()


def the_warehouse() -> Warehouse:
    found = settings()
    return warehouse(found.url, found.days_off, found.access.fewest_customers, found.limits)


@contextmanager
def counted(source: Warehouse) -> Iterator[list[str]]:
    """The statements that the engine runs meanwhile."""
    run: list[str] = []
    source.state()
    engine, reader = source._engine, source._reader

    def count(_connection, _cursor, statement: str, *_more: object) -> None:
        run.append(statement)

    def ask(statement: str, *more: object) -> object:
        run.append(statement)
        return type(reader).ask(reader, statement, *more)

    sa.event.listen(engine, "before_cursor_execute", count)
    if reader:
        reader.ask = ask
    try:
        yield run
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
        if reader:
            del reader.ask


def until_all_is_there(source: Warehouse) -> None:
    while source._coming or source._ahead._work_queue.qsize():
        time.sleep(0.01)
    time.sleep(0.2)


def load_file_again(path: Path) -> None:
    bank.write_duckdb(bank.BANK | {"loads": LOADED_AGAIN, "contracts": bank.BANK["contracts"][:5]}, path)


def load_server_again(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM contracts WHERE contract_id > 'k05'")
        connection.execute(sa.text("DELETE FROM loads"))
        for row in LOADED_AGAIN:
            connection.execute(
                sa.text("INSERT INTO loads VALUES (:table_name, :loaded_at, :rows, :source, :data_until)"), row
            )


@pytest.fixture
def own_server(postgres_server: str) -> Iterator[str]:
    """The test bank in a database that this test may change."""
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS loaded_again WITH (FORCE)")
        connection.exec_driver_sql("CREATE DATABASE loaded_again")
    url = engine.url.set(database="loaded_again")
    bank.write_postgres(bank.BANK, sa.create_engine(url, poolclass=sa.NullPool))
    yield url.render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE loaded_again WITH (FORCE)")


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.postgres)])
def loaded(request: pytest.FixtureRequest) -> tuple[str, Callable[[], None]]:
    """A bank on each engine, and what loads it again: five contracts instead of all, up to a day later."""
    if request.param == "file":
        path = request.getfixturevalue("own_file")
        return f"duckdb:///{path}", lambda: load_file_again(path)
    url = request.getfixturevalue("own_server")
    return url, lambda: load_server_again(url)


def test_the_first_visitor_after_a_load_finds_the_answers_there(visit, loaded, monkeypatch) -> None:
    url, load_again = loaded
    reader = visit(url)
    for page in ("overview", "activation"):
        reader.show(page)
    source = the_warehouse()
    load_again()
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", -1)
    state = source.state()
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 600)
    assert state.data_until == LATER
    assert ready.ask_again(source, state) == 2
    until_all_is_there(source)
    # Only what a page asks of days that it finds in its first answers is left: when its months are settled.
    with counted(source) as run:
        warm = visit(url)
    assert warm.failures == [] and warm.cards[SIGNED] == "5"
    assert len(run) <= 3, run
    with counted(source) as run:
        warm.choose("branch", bank.BRANCH)
    assert len(run) > 5  # nobody had asked for that


def test_what_nobody_looked_at_is_not_asked(visit, own_file) -> None:
    reader = visit(f"duckdb:///{own_file}")
    source = the_warehouse()
    assert ready.ask_again(source, source.state()) == 1
    reader.show("activation").choose("period", "month")
    assert ready.ask_again(source, source.state()) == 2  # not the complaints, which nobody opened
    # Another warehouse's readers ask nothing of this one.
    assert ready.ask_again(Warehouse(f"duckdb:///{own_file}"), source.state()) == 0


def test_whoever_comes_by_a_link_to_a_branch_finds_the_whole_there(visit, own_file) -> None:
    reader = visit(f"duckdb:///{own_file}", branch=bank.BRANCH)
    source = the_warehouse()
    until_all_is_there(source)
    seen = dict(ready._seen)
    with counted(source) as run:
        reader.choose("branch", bank.HEAD_OFFICE)
    assert reader.failures == []
    # Only what a page asks of days that it finds in its first answers is left, as after a load.
    assert len(run) <= 3, run
    ready.forget()
    ready._seen |= seen
    visit(f"duckdb:///{own_file}", branch=bank.BRANCH)  # asked once: a second link asks nothing of the whole again
    assert ready._seen == seen
    assert ready.ask_again(source, source.state()) == 1


def test_whoever_opens_a_page_is_asked_ahead_what_its_first_run_asked(visit, own_file) -> None:
    reader = visit(f"duckdb:///{own_file}").show("activation")
    known = the_warehouse().state().catalogue
    first = ready.asked_first("activation", known)
    assert {"signed", "cohort_activation_rate"} <= {measure.name for ask in first for measure in ask.measures}
    reader.turn("activation_tables", "activation_by_product")
    assert ready.asked_first("activation", known) == first
    assert ready.asked_first("complaints", known) == ()
    assert ready.asked_first("activation", replace(known)) == ()  # other measures under the same names


def test_what_was_looked_at_long_ago_is_not_asked(visit, own_file, monkeypatch) -> None:
    visit(f"duckdb:///{own_file}")
    source = the_warehouse()
    assert ready.ask_again(source, source.state()) == 1
    monkeypatch.setattr(ready, "KEPT_SECONDS", -1)
    assert ready.ask_again(source, source.state()) == 0


def test_days_that_are_named_move_with_the_load_and_dated_ones_stay(visit, own_file) -> None:
    reader = visit(f"duckdb:///{own_file}")
    chosen = reader.app.session_state["desk"].filters
    assert is_untouched(chosen, bank.HEAD_OFFICE) and not is_untouched(chosen, bank.BRANCH)
    moved = renewed(chosen, LATER)
    assert (moved.period.start, moved.period.end) == (date(2025, 6, 1), LATER)
    assert moved.against.end == date(2025, 5, 21)
    dated = visit(f"duckdb:///{own_file}", period="2026-05-01..2026-05-10").app.session_state["desk"].filters
    assert not is_untouched(dated, bank.HEAD_OFFICE) and renewed(dated, LATER) == dated


def test_a_load_is_noticed_while_nobody_visits_and_the_watch_ends(visit, loaded) -> None:
    url, load_again = loaded
    visit(url)
    source, ended = the_warehouse(), threading.Event()
    watching = threading.Thread(target=ready.watch, args=(the_warehouse, ended), daemon=True)
    watching.start()
    time.sleep(0.5)
    before = source.state().version
    load_again()
    loaded_at = time.monotonic()
    # Nobody asks for the state here: only what the watch has seen is looked at.
    while (
        source._state is None
        or source._state.version == before
        or not any(key[0] == source._state.version for key in list(source._answers))
    ):
        assert time.monotonic() - loaded_at < 10, "a load is to be noticed within ten seconds"
        time.sleep(0.05)
    ended.set()
    watching.join(10)
    assert not watching.is_alive()


def test_an_old_answer_is_not_shown_ten_seconds_after_a_load(visit, loaded) -> None:
    url, load_again = loaded
    reader = visit(url)
    assert reader.cards[SIGNED] == "17"
    load_again()
    loaded_at = time.monotonic()
    while reader.app.run() and reader.cards[SIGNED] != "5":
        assert time.monotonic() - loaded_at < 10, "an old answer is not to be shown so long"
        time.sleep(0.1)


def test_an_open_page_says_that_newer_data_are_there_and_shows_them_when_asked(visit, own_file) -> None:
    reader = visit(f"duckdb:///{own_file}")
    said = "Newer data have been loaded since this page was drawn."
    assert "loaded 21 May 2026, 06:00" in " ".join(reader.texts)

    def look_again() -> list[str]:
        """Runs the one part of the page that runs by itself."""
        shown = reader.app.session_state["desk"]
        return [said] if is_older(shown.warehouse, shown.state) else []

    assert said not in reader.texts and look_again() == []
    load_file_again(own_file)
    assert look_again() == [said]
    own_file.rename(own_file.with_name("gone"))
    assert look_again() == []  # the page says what is wrong when it is used
    own_file.with_name("gone").rename(own_file)
    assert "loaded 22 May 2026, 06:00" in " ".join(reader.show("overview").texts)
    assert said not in reader.texts and look_again() == []
