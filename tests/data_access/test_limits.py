"""What takes too long or too much memory is stopped and said; what else is asked of the same warehouse is not disturbed."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from data_access import warehouse as module
from data_access.file_reader import FileReader
from data_access.settings import Limits
from data_access.warehouse import TooMuch, Warehouse, WarehouseError
from tests.asking import ask, number
from tests.bank import BANK, BEFORE, DAYS_OFF, write_postgres

SECOND = Limits(statement_seconds=1)
ENDLESS = "(SELECT sum(hash(a.range * b.range)) FROM range(3000000) a, range(1000000) b) IS NOT NULL"
HEAVY = "(SELECT count(DISTINCT range::VARCHAR || 'x' || hash(range)) FROM range(20000000)) > 0"
BROKEN = "error('out of order') IS NOT NULL"


def hide_behind_view(path: Path, table: str, condition: str) -> None:
    """Puts a view in the place of the table, whose rows take as long or as much as `condition` does."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO kept_{table}")
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM kept_{table} WHERE {condition}")


@pytest.fixture
def endless(own_file: Path) -> Iterator[Warehouse]:
    """A file whose complaints are never read to their end."""
    hide_behind_view(own_file, "complaints", ENDLESS)
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF, limits=SECOND)) as found:
        yield found


@pytest.fixture
def endless_server(postgres_server: str) -> Iterator[Warehouse]:
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE endless")
    url = engine.url.set(database="endless")
    bank = sa.create_engine(url, poolclass=sa.NullPool)
    write_postgres(BANK, bank)
    with bank.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE complaints RENAME TO kept_complaints")
        connection.exec_driver_sql(
            "CREATE VIEW complaints AS SELECT * FROM kept_complaints WHERE pg_sleep(60) IS NOT NULL"
        )
    with closing(Warehouse(url.render_as_string(hide_password=False), DAYS_OFF, limits=SECOND)) as found:
        yield found
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE endless WITH (FORCE)")


@pytest.fixture(params=["endless", pytest.param("endless_server", marks=pytest.mark.postgres)])
def with_endless(request: pytest.FixtureRequest) -> Warehouse:
    """On each engine, a bank whose complaints are never read to their end."""
    return request.getfixturevalue(request.param)


def test_what_takes_too_long_is_stopped_with_a_way_out_and_the_rest_is_answered(with_endless: Warehouse) -> None:
    assert number(with_endless, "signed") == 11
    version, engine = with_endless.state().version, with_endless._engine
    with pytest.raises(TooMuch, match=r"This took longer than 1 s and was stopped\. Choose a branch further down or"):
        number(with_endless, "complaints_received")
    assert with_endless._engine is engine and with_endless.state().version == version
    # The connection that was stopped is the next one taken from the pool.
    for _ in range(3):
        assert number(with_endless, "activated") == 7


def test_others_are_answered_while_one_question_takes_too_long(with_endless: Warehouse) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(number, with_endless, "complaints_received")
        asked = 0
        while not slow.done():
            branch = f"nobody's {asked}"  # never in the cache
            assert number(with_endless, "signed", branch=branch) is not None
            asked += 1
        with pytest.raises(TooMuch):
            slow.result()
    assert asked > 1


def test_a_question_is_not_stopped_by_the_time_of_the_one_before(own_file: Path) -> None:
    # A stop that came after the answer would hit the next question: the timer ends with its own statement.
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF, limits=SECOND)) as found:
        assert number(found, "signed") == 11
        before = threading.active_count()
        for at in range(50):
            number(found, "signed", branch=str(at))
        time.sleep(0.1)
        assert threading.active_count() <= before
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert number(found, "activated") == 7


def test_comparisons_hold_though_one_table_cannot_be_read(with_endless: Warehouse) -> None:
    # The first days of all tables are asked in one statement, which the one view stops.
    found = ask(with_endless, "signed", against=BEFORE)
    assert found["signed"].tolist() == [11] and found["signed_before"].notna().all()
    # Of the table that was not read nothing is known of before, and no day is made up for it.
    assert "complaints" not in with_endless.unknown_before(BEFORE.start)


def test_a_view_that_fails_leaves_the_other_tables(own_file: Path) -> None:
    hide_behind_view(own_file, "complaints", BROKEN)
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF)) as found:
        assert ask(found, "signed", against=BEFORE)["signed"].tolist() == [11]
        with pytest.raises(WarehouseError, match="The warehouse does not answer") as told:
            number(found, "complaints_received")
        assert not isinstance(told.value, TooMuch)


def test_more_memory_than_is_permitted_is_said_and_the_rest_is_answered(own_file: Path) -> None:
    hide_behind_view(own_file, "complaints", HEAVY)
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF, limits=Limits(memory="100MB"))) as found:
        number(found, "signed")
        # Where it may, the engine goes on in temporary files.
        settings = (*found._settings(own_file, "pages"), "SET GLOBAL max_temp_directory_size = '1MB'")
        found._reader = reader = FileReader(own_file, settings)
        with pytest.raises(TooMuch, match="This needs more memory than the warehouse may take"):
            number(found, "complaints_received")
        assert found._reader is reader
        assert number(found, "activated") == 7


def test_memory_and_threads_are_those_of_the_config_in_every_connection(
    own_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL_FILE", 0)
    limits = Limits(memory="300MB", threads=3)
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF, limits=limits)) as found:
        number(found, "signed")
        asked = "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory')"
        with found._engine.connect(), found._engine.connect() as second:
            streams = tuple(second.exec_driver_sql(asked).one())
        pages = tuple(found._reader.ask(asked).to_pylist()[0].values())
        for said in (streams, pages):
            assert said[0] == "286.1 MiB" and int(said[1]) == 3
            assert Path(said[2]).parent == Path(found._temporary)
        assert streams[2] != pages[2]  # two engines would write over each other's files
    assert Path(found._temporary).parent == Path(tempfile.gettempdir())


def test_what_did_not_fit_into_memory_lies_in_a_folder_of_its_own_that_goes_with_the_warehouse(own_file: Path) -> None:
    found = Warehouse(f"duckdb:///{own_file}", DAYS_OFF, limits=Limits(memory="100MB"))
    number(found, "signed")
    folder = Path(found._temporary)
    asked = "SELECT count(*) FROM (SELECT range, hash(range) FROM range(10000000) ORDER BY 2)"
    found._reader.ask(asked)
    with found._engine.connect() as connection:
        connection.exec_driver_sql(asked)
    assert folder.is_dir() and list(own_file.parent.iterdir()) == [own_file]
    found.end()
    assert not folder.exists()


@pytest.mark.postgres
def test_an_option_in_the_address_stands_beside_ours(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).update_query_dict({"options": "-c statement_timeout=7s"})
    with closing(Warehouse(url.render_as_string(hide_password=False), DAYS_OFF, limits=SECOND)) as found:
        assert number(found, "signed") == 11
        with found._engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "7s"
            assert connection.exec_driver_sql("SHOW jit").scalar() == "off"


def test_an_answer_with_more_rows_than_a_page_can_show_is_refused_and_never_cut(warehouse_on: Warehouse) -> None:
    every = ask(warehouse_on, "signed", "outlet", "product")
    most = len(every)
    assert most > 3
    with closing(Warehouse(warehouse_on._url, DAYS_OFF, limits=Limits(rows=most))) as found:
        assert len(ask(found, "signed", "outlet", "product")) == most
    with closing(Warehouse(warehouse_on._url, DAYS_OFF, limits=Limits(rows=most - 1))) as found:
        number(found, "signed")
        engine = found._engine
        with pytest.raises(TooMuch, match=rf"This splits into more than {most - 1} rows"):
            ask(found, "signed", "outlet", "product")
        assert found._engine is engine
