"""The warehouse comes, goes and breaks while people look: a sentence each time, and numbers again once it is whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data_access import warehouse as module
from data_access.sql import stored_beside
from data_access.turns import begun, drawing
from data_access.warehouse import Warehouse, WarehouseError, warehouse
from measures.catalogue import DERIVED, catalogue
from measures.dimensions import BELOW, CAUSE, MONTH, PRODUCT
from measures.model import Dimension
from measures.question import Order, Question, where
from tests.asking import ask, number, viewer
from tests.bank import BANK, DAYS_OFF, HEAD_OFFICE, PERIOD, write_duckdb, write_postgres
from tests.conftest import no_postgres
from tests.postgres import Server, is_installed, private_server

SMALLER = BANK | {"contracts": BANK["contracts"][:1]}
WITHOUT_LOADS = BANK | {"loads": []}


@pytest.fixture
def file(own_file: Path) -> Iterator[Warehouse]:
    found = Warehouse(f"duckdb:///{own_file}", DAYS_OFF)
    yield found
    found.close()


def put_in_place(path: Path, content: bytes) -> None:
    fresh = path.with_name("fresh")
    fresh.write_bytes(content)
    fresh.replace(path)


# A file ---------------------------------------------------------------------------------------------------------------------


def test_a_file_renamed_into_place_is_read_by_the_next_question(file: Warehouse, own_file: Path) -> None:
    assert number(file, "signed") == 11
    before = file.state().version
    write_duckdb(SMALLER, own_file)
    assert number(file, "signed") == 1
    assert file.state().version != before
    assert list(own_file.parent.iterdir()) == [own_file]


@pytest.mark.parametrize("kept", [0, 1, 100, 4096, 12_288, 200_000, 0.5, 0.99], ids=str)
def test_half_a_file_is_told_and_a_whole_one_is_read_again(file: Warehouse, own_file: Path, kept: float) -> None:
    whole = own_file.read_bytes()
    assert number(file, "signed") == 11
    put_in_place(own_file, whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    # DuckDB reads lazily: cut at its end, a file may still hold all that is asked for.
    try:
        assert number(file, "signed") == 11
    except WarehouseError as error:
        assert_is_a_sentence(error)
    put_in_place(own_file, whole)
    assert number(file, "signed") == 11


@pytest.mark.parametrize(
    "content", [b"not a warehouse", b"\0" * 50_000, b"DUCK" * 20_000], ids=["text", "zeros", "ducks"]
)
def test_a_file_that_is_no_warehouse_is_told_and_gets_better(file: Warehouse, own_file: Path, content: bytes) -> None:
    assert number(file, "signed") == 11
    put_in_place(own_file, content)
    with pytest.raises(WarehouseError, match=r"The warehouse warehouse\.duckdb cannot be read; load it again"):
        number(file, "signed")
    with pytest.raises(WarehouseError):
        file.state()
    write_duckdb(BANK, own_file)
    assert number(file, "signed") == 11


def test_a_missing_file_is_told_with_the_way_out_and_found_when_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    found = Warehouse(f"duckdb:///{path}")
    with pytest.raises(WarehouseError, match=r"There is no warehouse at warehouse\.duckdb\. Build the demo bank"):
        found.state()
    write_duckdb(BANK, path)
    assert number(found, "signed") == 11
    path.unlink()
    with pytest.raises(WarehouseError, match="There is no warehouse"):
        number(found, "signed")
    found.close()


@pytest.mark.parametrize("below", ["", "warehouse.duckdb"], ids=["a folder", "below a file"])
def test_a_path_that_cannot_be_a_warehouse_is_told(own_file: Path, below: str) -> None:
    path = own_file / below if below else own_file.parent
    with pytest.raises(WarehouseError) as told:
        Warehouse(f"duckdb:///{path}").state()
    assert_is_a_sentence(told.value)


@pytest.mark.parametrize("lacking", ["branches", "products"])
def test_a_required_table_that_is_missing_is_named(file: Warehouse, own_file: Path, lacking: str) -> None:
    assert number(file, "signed") == 11
    write_duckdb({name: rows for name, rows in BANK.items() if name != lacking}, own_file)
    with pytest.raises(WarehouseError, match=f"The warehouse lacks {lacking}; without it nothing can be shown"):
        number(file, "signed")
    write_duckdb(BANK, own_file)
    assert number(file, "signed") == 11


def test_a_table_whose_columns_have_other_types_is_told(file: Warehouse, own_file: Path) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("ALTER TABLE contracts ALTER signed_on TYPE VARCHAR USING 'once upon a time'")
    with pytest.raises(WarehouseError) as told:
        number(file, "signed")
    assert_is_a_sentence(told.value)
    write_duckdb(BANK, own_file)
    assert number(file, "signed") == 11


def test_an_engine_that_broke_is_replaced_though_the_file_is_the_same(file: Warehouse) -> None:
    assert number(file, "signed") == 11
    for connection in file._reader._idle:
        connection.close()
    file._reader._database.close()
    with pytest.raises(WarehouseError):
        number(file, "activated")
    assert number(file, "activated") == 7


def test_answers_are_kept_until_the_next_load_and_then_let_go(file: Warehouse, own_file: Path) -> None:
    assert number(file, "signed") == 11
    before = file.state().version
    kept = len(file._answers)
    assert number(file, "signed") == 11
    assert len(file._answers) == kept > 0
    assert file._answers.currsize >= 8_000 * kept  # a frame of one number is not as small as its number
    write_duckdb(BANK, own_file)
    assert number(file, "signed") == 11
    assert before not in {version for version, *_rest in file._answers}


@pytest.mark.postgres
def test_a_server_that_is_looked_at_again_without_a_new_load_keeps_what_it_answered(postgres_url: str) -> None:
    with closing(Warehouse(postgres_url)) as server:
        assert number(server, "signed") == 11
        kept = len(server._answers)
        server._looked_at = float("-inf")
        server.state()
        assert len(server._answers) == kept > 0


def test_threads_get_right_answers_while_the_file_is_replaced(file: Warehouse, own_file: Path) -> None:
    right = {
        ("signed", "1"): {11, 1},
        ("signed", "12"): {3, 1},
        ("all_customers", "120"): {3},
        ("signed", "13%"): {4, 0},
    }
    whole = own_file.read_bytes()
    write_duckdb(SMALLER, own_file)
    smaller = own_file.read_bytes()
    stop = threading.Event()

    def look(asked: tuple[str, str]) -> set[float]:
        found = set()
        while not stop.is_set():
            found.add(number(file, asked[0], branch=asked[1]))
        return found

    with ThreadPoolExecutor(4) as pool:
        looking = {asked: pool.submit(look, asked) for asked in right}
        try:
            for content, signed in ((smaller, 1), (whole, 11), (smaller, 1), (whole, 11)):
                put_in_place(own_file, content)
                assert number(file, "signed") == signed
        finally:
            stop.set()
        for asked, found in looking.items():
            assert found.result() <= right[asked]
    assert number(file, "signed") == 11


def test_a_table_that_a_page_changes_is_not_changed_for_the_next(file: Warehouse) -> None:
    first = ask(file, "signed", "product", order=(Order("signed"),))
    first.loc[0, "signed"] = 999
    first["product"] = "mine"
    del first["product_name"]
    again = ask(file, "signed", "product", order=(Order("signed"),))
    assert again["signed"].tolist() == [9, 1, 1]
    assert list(again.columns) == ["product", "product_name", "signed"]


def test_types_are_the_same_for_rows_and_for_none(warehouse_on: Warehouse) -> None:
    asked = "signed activation_rate signed_target complaints_median_days"
    full, empty = ask(warehouse_on, asked, "outlet"), ask(warehouse_on, asked, "outlet", branch="nowhere")
    assert full.dtypes.to_dict() == empty.dtypes.to_dict()
    assert full["signed"].dtype == "Int64"
    assert str(ask(warehouse_on, "signed", "month")["month"].dtype) == "datetime64[s]"


def test_without_loads_the_datas_date_is_the_last_day_on_which_anything_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    write_duckdb(WITHOUT_LOADS, path)
    found = Warehouse(f"duckdb:///{path}")
    # The usage of June is recorded under its first day, the contract and the contact of 21 May under theirs.
    assert found.state().data_until == date(2026, 6, 1)
    assert not found.state().is_demo
    found.close()


def test_only_a_bank_whose_tables_are_all_made_up_is_a_demo(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    made_up = [row | {"source": "demo"} for row in BANK["loads"]]
    found = Warehouse(f"duckdb:///{path}")
    for loads, is_demo in ((made_up, True), ([*made_up[1:], BANK["loads"][0]], False), ([], False)):
        write_duckdb(BANK | {"loads": loads}, path)
        assert found.state().is_demo is is_demo
    found.close()


def test_what_a_file_does_not_hold_ready_is_worked_out_to_the_same_answers(own_file: Path) -> None:
    def answered() -> tuple[str, list]:
        found = Warehouse(f"duckdb:///{own_file}", DAYS_OFF)
        known = found.state().catalogue.measures
        asked = Question(
            tuple(known[name] for name in ("coverage", "effective_contact", "conversion")), PERIOD, (BELOW,)
        )
        answer, text = found.fetch(asked, viewer(HEAD_OFFICE)), found.sql(asked, viewer(HEAD_OFFICE))
        found.close()
        return text, answer.to_dict("records")

    ready, with_it = answered()
    with duckdb.connect(str(own_file)) as connection:
        for derived in DERIVED:
            beside, names = stored_beside(derived)
            for name in names.values():
                connection.execute(f"ALTER TABLE {beside.name} DROP COLUMN {name}")
    worked_out, without = answered()
    assert "FROM contacts" in worked_out
    assert "FROM contacts" not in ready
    assert with_it == without
    assert any(row["conversion"] for row in with_it)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE branches SET path = rtrim(path, '.')",
        "UPDATE branches SET path = '' WHERE branch_id = '12'",
        "UPDATE branches SET path = replace(path, '.', '/')",
        "UPDATE branches SET level = 'region' WHERE branch_id = '12'",
        "INSERT INTO branches (branch_id, name, parent_id, level, path) VALUES ('12.1', 'x', '1', 'branch', '1.12.1.')",
    ],
)
def test_a_tree_by_which_nobody_can_be_told_what_is_theirs_is_not_served(
    file: Warehouse, own_file: Path, wrong: str
) -> None:
    file.close()
    with duckdb.connect(str(own_file)) as connection:
        connection.execute(wrong)
    with pytest.raises(WarehouseError, match="The tree of branches is not sound") as told:
        number(file, "signed")
    assert_is_a_sentence(told.value)
    write_duckdb(BANK, own_file)
    assert number(file, "signed") == 11


def test_there_is_one_warehouse_for_the_process(own_file: Path) -> None:
    found = warehouse(f"duckdb:///{own_file}", DAYS_OFF)
    assert warehouse(f"duckdb:///{own_file}", DAYS_OFF) is found
    found.close()


def test_a_new_look_at_the_same_tables_hands_out_the_same_measures(file: Warehouse) -> None:
    # Otherwise every statement would be written again after every load.
    assert catalogue(frozenset(file.state().present)) is file.state().catalogue


def test_a_required_column_that_is_missing_is_named_before_anything_is_asked(file: Warehouse, own_file: Path) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("ALTER TABLE branches DROP path; ALTER TABLE branches DROP area")
    with pytest.raises(WarehouseError, match=r"The warehouse lacks branches\.path; without it nothing can be shown"):
        number(file, "signed")


@pytest.mark.parametrize(
    ("names", "by", "causes"),
    [
        # Days in lists, the % of working days, and a text that would end early or be taken for a parameter.
        (["signed_pace", "signed", "holders"], (PRODUCT, BELOW), []),
        (["holders"], (MONTH,), []),
        (["complaints_received"], (CAUSE,), ["it's 100 % :late", None]),
    ],
)
def test_the_sql_for_people_gives_the_answer_when_it_is_pasted(
    warehouse_on: Warehouse, names: list[str], by: tuple[Dimension, ...], causes: list[str | None]
) -> None:
    known = warehouse_on.state().catalogue
    asked = Question(tuple(known.measure(name) for name in names), PERIOD, by, where({CAUSE: causes}))
    answer = warehouse_on.fetch(asked, viewer(HEAD_OFFICE))
    with warehouse_on._engine.connect() as connection:
        text = warehouse_on.sql(asked, viewer(HEAD_OFFICE))
        rows = connection.execution_options(no_parameters=True).exec_driver_sql(text).fetchall()
    pasted = pd.DataFrame(rows, columns=list(answer.columns), dtype=object).astype(answer.dtypes)
    pd.testing.assert_frame_equal(pasted, answer)


# A server -------------------------------------------------------------------------------------------------------------------


def assert_is_a_sentence(error: WarehouseError) -> None:
    assert str(error).endswith(".")
    assert "Traceback" not in str(error)
    assert "geheim" not in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://reader:geheim@127.0.0.1:1/bank",
        "postgresql+psycopg://reader:geheim@/bank?host=/nowhere",
        "postgresql+psycopg://reader@/bank?host=/nowhere&password=geheim",
        "postgresql+psycopg2://reader:geheim@127.0.0.1:1/bank",
        "mysql://reader:geheim@127.0.0.1:1/bank",
        "nosuch://reader:geheim@127.0.0.1:1/bank",
    ],
)
def test_a_wrong_address_is_told_without_its_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    wrong = Warehouse(url)
    for _ in range(2):
        with pytest.raises(WarehouseError) as told:
            wrong.state()
        assert_is_a_sentence(told.value)
    assert "geheim" not in wrong.where + caplog.text


def test_what_went_wrong_stands_in_the_log_beside_the_reference(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WarehouseError) as told:
        Warehouse("postgresql+psycopg://reader:geheim@127.0.0.1:1/bank").state()
    assert told.value.parts["reference"] in caplog.text
    assert "127.0.0.1" in caplog.text


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that tests may stop."""
    if not is_installed():
        no_postgres()
    with private_server() as running:
        engine = sa.create_engine(running.url, poolclass=sa.NullPool)
        write_postgres(BANK, engine)
        yield running


@pytest.fixture
def always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question looks whether a new load has come in."""
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", -1)


@pytest.mark.postgres
def test_a_server_that_stops_is_told_and_asked_again_when_it_is_back(server: Server, always_looking: None) -> None:
    found = Warehouse(server.url, DAYS_OFF)
    assert number(found, "signed") == 11
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(WarehouseError, match="The warehouse does not answer") as told:
                number(found, "signed")
            assert_is_a_sentence(told.value)
    finally:
        server.start()
    assert number(found, "signed") == 11
    found.close()


@pytest.mark.postgres
def test_a_connection_that_the_server_ends_is_not_even_noticed(server: Server) -> None:
    found = Warehouse(server.url, DAYS_OFF)
    assert number(found, "signed") == 11
    admin = sa.create_engine(server.url, poolclass=sa.NullPool)
    with admin.connect() as connection:
        ended = connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).scalar()
    assert ended >= 1
    assert number(found, "activated") == 7
    found.close()


@pytest.mark.postgres
def test_a_new_load_on_a_server_is_seen(server: Server, always_looking: None) -> None:
    found = Warehouse(server.url, DAYS_OFF)
    before = found.state().version
    assert number(found, "all_customers") == 12
    admin = sa.create_engine(server.url, poolclass=sa.NullPool)
    with admin.begin() as connection:
        connection.exec_driver_sql("DELETE FROM customers WHERE customer_id = 'c11'")
        connection.exec_driver_sql(
            "INSERT INTO loads VALUES ('customers', '2026-05-22 06:00', 11, 'core', '2026-05-20')"
        )
    assert number(found, "all_customers") == 11
    assert found.state().version != before
    found.close()


@pytest.mark.postgres
def test_a_wrong_password_or_database_is_told(postgres_server: str) -> None:
    wrong = Warehouse(make_url(postgres_server).set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(WarehouseError) as told:
        wrong.state()
    assert_is_a_sentence(told.value)


@pytest.mark.postgres
def test_a_bank_may_offer_views_instead_of_tables(server: Server) -> None:
    admin = sa.create_engine(server.url, poolclass=sa.NullPool)
    with admin.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA offered")
        for name in BANK:
            kind = "MATERIALIZED VIEW" if name == "complaints" else "VIEW"
            connection.exec_driver_sql(f"CREATE {kind} offered.{name} AS SELECT * FROM public.{name}")
    url = make_url(server.url).update_query_dict({"options": "-c search_path=offered"})
    found = Warehouse(url.render_as_string(hide_password=False), DAYS_OFF)
    assert number(found, "signed") == 11
    assert number(found, "complaints_received", branch=HEAD_OFFICE) == 9
    found.close()


def test_pages_in_their_turns_and_new_loads_do_not_wait_for_each_other(file: Warehouse, own_file: Path) -> None:
    answers = []

    def page() -> None:
        for _ in range(5):
            with begun(), drawing.one():
                answers.append(number(file, "signed"))

    pages = [threading.Thread(target=page, daemon=True) for _ in range(6)]
    for started in pages:
        started.start()
    end = time.monotonic() + 60
    while any(started.is_alive() for started in pages) and time.monotonic() < end:
        write_duckdb(BANK, own_file)
    assert answers == [11] * 30
