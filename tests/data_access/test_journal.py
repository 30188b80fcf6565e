"""The journal: nothing that was recorded is lost, and nothing is changed or removed without being found."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import logging
import random
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import own_database
from data_access.__main__ import main
from data_access.journal import Action, Entry, Fault, Journal, JournalError, Taken, new_id
from measures.question import Told
from tests.processes import ended, let_go, waiting

KEY = "a key of the tests, which is long enough"
COLUMNS = (
    *("number", "id", "at", "person", "name", "role", "branch_id", "action", "what", "sql_hash", "filters", "scope"),
    *("rows", "personal", "purpose", "file_name", "file_sha256", "expires_on", "previous", "hash"),
)
CHANGEABLE = tuple(name for name in COLUMNS if name != "number")


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    own_database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "journal.db"


@pytest.fixture
def journal(url: str) -> Journal:
    return Journal(url, KEY)


def entry(person: str = "li@bank.example", action: Action = Action.EXPORT, **more) -> Entry:
    full = {
        "name": "李雷",
        "role": "branch manager",
        "branch_id": "14",
        "what": "Contracts signed by product",
        "sql_hash": "5" * 64,
        "filters": (("Product", "Mobile banking"), ("Area", "rural")),
        "scope": "Jiangbei sub-branch and 43 outlets",
        "rows": 120,
        "personal": ("name", "phone"),
        "purpose": "Visits in week 47",
        "file_name": "contracts.xlsx",
        "file_sha256": "a" * 64,
        "expires_on": date(2026, 12, 22),
    }
    return Entry(person=person, action=action, **(full | more))


def sentences(faults: list[Fault]) -> list[str]:
    return [str(fault) for fault in faults]


_BEGINS = """
import sys
from pathlib import Path
from data_access.journal import Action, Entry, Journal
from concurrent.futures import ThreadPoolExecutor
url, key, *more = sys.argv[1:]
entry = lambda **more: Entry(person='p', name='', role='', branch_id='1', action=Action.EXPORT, **more)
"""
process = partial(waiting, _BEGINS)


# What is recorded ---------------------------------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was_written(journal: Journal) -> None:
    before = datetime.now(UTC)
    recorded = journal.add(entry(id="EXPORT000001"))
    (row,) = journal.entries().to_dict("records")
    assert tuple(row) == COLUMNS
    assert before <= recorded.at <= datetime.now(UTC)
    assert (row["number"], row["id"], row["hash"]) == (recorded.number, recorded.id, recorded.hash)
    assert (recorded.number, recorded.id, row["at"]) == (1, "EXPORT000001", recorded.at)
    assert (row["person"], row["name"], row["role"]) == ("li@bank.example", "李雷", "branch manager")
    assert (row["branch_id"], row["action"], row["rows"]) == ("14", "export", 120)
    assert (row["what"], row["purpose"]) == ("Contracts signed by product", "Visits in week 47")
    assert (row["filters"], row["personal"]) == ("Product: Mobile banking; Area: rural", "name; phone")
    assert (row["scope"], row["file_name"]) == ("Jiangbei sub-branch and 43 outlets", "contracts.xlsx")
    assert (row["sql_hash"], row["file_sha256"]) == ("5" * 64, "a" * 64)
    assert row["expires_on"] == date(2026, 12, 22)
    assert journal.verify() == []


def test_what_an_action_has_not_is_empty(journal: Journal) -> None:
    journal.add(Entry(person="li", name="", role="", branch_id="", action=Action.REFUSE))
    (row,) = journal.entries().to_dict("records")
    assert (row["what"], row["filters"], row["personal"], row["expires_on"]) == ("", "", "", None)
    assert journal.entries()["rows"].isna().all()


def test_a_journal_without_entries_is_whole(journal: Journal) -> None:
    assert journal.verify() == []
    assert list(journal.entries()) == list(COLUMNS)
    assert journal.last() == (0, "0" * 64)
    assert journal.taken_today("li", Action.EXPORT) == Taken(0, 0, 0)


def test_the_chain_is_what_is_written_down(journal: Journal, url: str) -> None:
    # Whoever wants to check the journal without this program can: SHA-256 over JSON, HMAC over number and hash.
    for person in ("li", "王"):
        journal.add(entry(person))
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM journal ORDER BY number")).mappings().all()
        head = connection.execute(sa.text("SELECT * FROM journal_head")).mappings().one()
    engine.dispose()
    last = "0" * 64
    for row in rows:
        said = {name: value for name, value in row.items() if name != "hash"}
        assert said["previous"] == last
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        last = hashlib.sha256(text.encode()).hexdigest()
        assert row["hash"] == last
    assert (head["number"], head["hash"]) == (2, last) == journal.last()
    assert head["seal"] == hmac.new(KEY.encode(), f"2 {last}".encode(), hashlib.sha256).hexdigest()


def test_an_id_is_recorded_once(journal: Journal) -> None:
    journal.add(entry(id="TWICE"))
    with pytest.raises(JournalError):
        journal.add(entry(id="TWICE"))
    assert journal.add(entry()).number == 2  # the refused one took no number
    assert journal.verify() == []


def test_ids_are_short_and_read_out_without_doubt() -> None:
    made = {new_id() for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(one) for one in made} == {12}
    assert not set("".join(made)) & set("01IO")


UGLY = (
    "quote ' \" `; DROP TABLE journal; --",
    "line\r\nline\u2028line",
    "江北支行 𠮷",
    "nul\0l",
    "half \ud83d",
    "\udc80",
    "",
)


def test_no_text_breaks_the_chain_or_the_log(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "data_access")
    for text in UGLY:
        journal.add(
            entry(text, name=text, role=text, branch_id=text, what=text, scope=text, purpose=text, file_name=text,
                  id=text or "E", filters=((text, text),), personal=(text, text))
        )  # fmt: skip
    assert journal.verify() == []
    found = journal.entries()["what"].tolist()[::-1]
    assert found == [*UGLY[:3], "nul\\x00l", "half \\ud83d", "\\udc80", ""]  # half a character is spelled out
    assert journal.entries(person="half \ud83d")["filters"].tolist() == ["half \\ud83d: half \\ud83d"]
    assert journal.taken_today("nul\0l", Action.EXPORT).times == 1
    assert [record.getMessage().split()[:2] for record in caplog.records if record.name == "data_access.journal"] == [
        ["journal", "entry"]
    ] * len(UGLY)
    assert not any(text in caplog.text for text in UGLY[:6])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None)), label=st.text(st.characters(categories=["Cs", "Cc", "Lo"])))
def test_any_text_can_be_recorded(journal: Journal, text: str, label: str) -> None:
    journal.add(entry(text, what=label, filters=((label, text),), personal=(text, label)))
    assert journal.verify() == []
    assert len(journal.entries(person=text)) >= 1


def test_entries_are_filtered_and_the_newest_come_first(journal: Journal) -> None:
    for person, branch, action in (
        ("li", "14", Action.EXPORT),
        ("li", "15", Action.UNMASK),
        ("wang", "14", Action.EXPORT),
    ):
        journal.add(entry(person, action, branch_id=branch))
    assert journal.entries()["number"].tolist() == [3, 2, 1]
    assert journal.entries(newest=2)["number"].tolist() == [3, 2]
    assert journal.entries(person="li")["number"].tolist() == [2, 1]
    assert journal.entries(branches=["14"])["number"].tolist() == [3, 1]
    assert journal.entries(branches=[])["number"].tolist() == []  # nothing permitted is not everything
    assert journal.entries(action=Action.UNMASK)["number"].tolist() == [2]
    assert journal.entries(person="l%")["number"].tolist() == []
    assert len(journal.entries(since=date.today())) == 3
    assert len(journal.entries(since=date.today() + timedelta(days=1))) == 0


def test_what_was_taken_today_is_of_this_day_this_person_and_this_kind(journal: Journal, url: str) -> None:
    journal.add(entry("li", rows=10))
    journal.add(entry("li", rows=None, personal=()))
    journal.add(entry("li", Action.UNMASK, rows=1_000))
    journal.add(entry("wang", rows=100))
    with changed(url) as connection:  # added behind the journal's back, as of the last moment of yesterday
        moment = datetime.combine(date.today(), datetime.min.time()).astimezone(UTC) - timedelta(microseconds=1)
        connection.execute(
            sa.text(
                f"INSERT INTO journal ({', '.join(COLUMNS)}) "
                f"SELECT 99, 'Y', :at, {', '.join(COLUMNS[3:])} FROM journal WHERE number = 1"
            ),
            {"at": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        )
    assert journal.taken_today("li", Action.EXPORT) == Taken(times=2, rows=10, with_personal=1)


def test_a_quota_holds_for_those_who_ask_at_once(journal: Journal) -> None:
    class TooMuch(Told):
        pass

    def permit(taken: Taken) -> None:
        if taken.times >= 3:
            raise TooMuch("Enough.")

    def ask(_: int) -> bool:
        try:
            journal.add(entry(), permit)
        except TooMuch:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers.count(True) == 3
    assert journal.entries()["number"].tolist() == [3, 2, 1]
    assert journal.verify() == []


# At once, and killed ------------------------------------------------------------------------------------------------


def test_many_threads_and_processes_that_begin_at_once_make_one_unbroken_chain(url: str) -> None:
    processes, threads = 4, 5
    each = 50 if url.startswith("sqlite") else 15
    code = f"""
journal = Journal(url, key)
def some(thread):
    for n in range({each}):
        journal.add(entry(what=f"{{more[0]}} {{thread}} {{n}}"))
with ThreadPoolExecutor({threads}) as pool:
    list(pool.map(some, range({threads})))
"""
    started = [process(code, url, KEY, str(number)) for number in range(processes)]
    let_go(*started)  # nobody has made the database yet
    assert [ended(one) for one in started] == [0] * processes
    journal = Journal(url, KEY)
    assert journal.verify() == []
    found = journal.entries()
    assert found["number"].tolist() == list(range(processes * threads * each, 0, -1))
    wanted = {f"{p} {t} {n}" for p in range(processes) for t in range(threads) for n in range(each)}
    assert set(found["what"]) == wanted
    assert found["at"].is_monotonic_decreasing  # the moment is taken when its turn has come


def test_what_was_delivered_before_a_kill_is_recorded(url: str, tmp_path: Path) -> None:
    deliver = """
journal = Journal(url, key)
while True:
    recorded = journal.add(entry())
    Path(more[0], recorded.id).write_text(recorded.hash)
"""
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    chance = random.Random(20261122)
    # The first are killed while they make the database and its key.
    for longest in (0.02, 0.3, 0.6, 0.6, 0.6):
        started = [process(deliver, url, KEY, str(delivered)) for _ in range(2)]
        let_go(*started)
        time.sleep(longest * chance.random())
        for one in started:
            one.send_signal(signal.SIGKILL)
            assert ended(one) == -signal.SIGKILL
    # Whatever else happened, someone has delivered something.
    last = process(deliver.replace("while True", "for _ in range(5)"), url, KEY, str(delivered))
    let_go(last)
    assert ended(last) == 0
    journal = Journal(url, KEY)
    assert journal.verify() == []
    entries = journal.entries()
    files = {file.name: file.read_text() for file in delivered.iterdir()}
    # A kill may come between the opening of the marker and its writing.
    recorded = dict(zip(entries["id"], entries["hash"], strict=True))
    assert len(files) >= 5
    assert set(files) <= set(recorded)
    assert all(text in ("", recorded[name]) for name, text in files.items())


def test_a_key_that_was_made_before_a_kill_is_the_key_afterwards(path: Path) -> None:
    path.parent.mkdir()
    key_file = path.with_name("journal.db.key")
    key_file.with_name(key_file.name + ".new").write_text("half a ke")  # killed while it wrote the key
    journal = Journal(f"sqlite:///{path}", "")
    journal.add(entry())
    assert journal.verify() == []
    own_database.close()
    for file in path.parent.iterdir():  # killed after the key was made, and before the tables were
        if file != key_file:
            file.unlink()
    kept = key_file.read_text()
    journal.add(entry())
    assert (key_file.read_text(), journal.verify()) == (kept, [])


# What is refused ----------------------------------------------------------------------------------------------------


ON_BOTH, IN_A_FILE, ON_A_SERVER = (
    [
        "UPDATE journal SET rows = 1",
        "UPDATE journal SET what = what WHERE number = 2",
        "DELETE FROM journal",
        "DELETE FROM journal WHERE number = 3",
        "DELETE FROM journal_head",
        "INSERT INTO journal ({all}) SELECT {all} FROM journal WHERE number = 2 ON CONFLICT (number) DO UPDATE SET rows = 1",
    ],
    [
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE number = 2",
        "REPLACE INTO journal (number, id, {rest}) SELECT 9, id, {rest} FROM journal WHERE number = 2",
        "UPDATE OR REPLACE journal SET number = 1 WHERE number = 2",
    ],
    ["TRUNCATE journal", "TRUNCATE journal_head"],
)


@pytest.mark.parametrize(
    ("url", "statement"),
    [
        *(("sqlite", statement) for statement in ON_BOTH + IN_A_FILE),
        *(pytest.param("postgresql", s, marks=pytest.mark.postgres) for s in ON_BOTH + ON_A_SERVER),
    ],
    indirect=["url"],
)
def test_the_database_refuses_to_change_or_remove(journal: Journal, url: str, statement: str) -> None:
    for _ in range(3):
        journal.add(entry())
    engine = sa.create_engine(url)
    with pytest.raises(sa.exc.DatabaseError, match="only added to"), engine.begin() as connection:
        connection.exec_driver_sql(statement.format(all=", ".join(COLUMNS), rest=", ".join(COLUMNS[2:])))
    engine.dispose()
    assert journal.verify() == []
    assert len(journal.entries()) == 3


# What is found ------------------------------------------------------------------------------------------------------


class changed:  # noqa: N801
    """A connection behind the journal's back, with the triggers off; they are back afterwards, as if nothing had been."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)
        self._in_file = url.startswith("sqlite")

    def __enter__(self) -> sa.Connection:
        self._begun = self._engine.begin()
        self._connection = self._begun.__enter__()
        if self._in_file:
            self._triggers = self._connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).all()
            for name, _sql in self._triggers:
                self._connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            self._connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return self._connection

    def __exit__(self, *error: object) -> None:
        if self._in_file:
            for _name, sql in self._triggers:
                self._connection.exec_driver_sql(sql)
        self._begun.__exit__(*error)
        self._engine.dispose()


def tampered(url: str, *statements: str) -> None:
    with changed(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


LENGTH = 6


@pytest.fixture
def filled(journal: Journal) -> Journal:
    for number in range(1, LENGTH + 1):
        journal.add(entry(f"person {number}", rows=number, what=f"Question {number}"))
    assert journal.verify() == []
    return journal


@pytest.mark.parametrize("number", [1, 3, LENGTH])
def test_a_change_of_any_field_is_found_where_it_is(filled: Journal, url: str, number: int) -> None:
    for column in CHANGEABLE:
        value = 7 if column == "rows" else "x"
        with changed(url) as connection:
            was = connection.exec_driver_sql(f"SELECT {column} FROM journal WHERE number = {number}").scalar_one()
            update = sa.text(f"UPDATE journal SET {column} = :value WHERE number = {number}")
            connection.execute(update, {"value": value})
        assert any(f"Entry {number} was changed" in said for said in sentences(filled.verify())), column
        with changed(url) as connection:
            connection.execute(update, {"value": was})
        assert filled.verify() == [], column


@pytest.mark.parametrize("column", ["rows", "expires_on"])
def test_a_field_that_is_emptied_is_found(filled: Journal, url: str, column: str) -> None:
    tampered(url, f"UPDATE journal SET {column} = NULL WHERE number = 2")
    assert sentences(filled.verify()) == ["Entry 2 was changed: what it says is not what was written."]


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("number = 1", ["Entry 1 is missing."]),
        ("number IN (3, 4)", ["Entries 3 to 4 are missing."]),
        ("number = 6", ["Entry 6 is missing."]),
        ("number > 4", ["Entries 5 to 6 are missing."]),
        ("number IN (1, 3, 6)", ["Entry 1 is missing.", "Entry 3 is missing.", "Entry 6 is missing."]),
        ("number > 0", ["Entries 1 to 6 are missing."]),
    ],
)
def test_removed_entries_are_found_wherever_they_stood(filled: Journal, url: str, gone: str, said: list[str]) -> None:
    tampered(url, f"DELETE FROM journal WHERE {gone}")
    assert sentences(filled.verify()) == said


def test_a_gap_is_not_closed_by_what_is_added_afterwards(filled: Journal, url: str) -> None:
    tampered(url, "DELETE FROM journal WHERE number > 4")
    assert filled.add(entry()).number == 7
    assert sentences(filled.verify()) == ["Entries 5 to 6 are missing."]


def test_a_journal_that_was_emptied_with_its_head_does_not_begin_anew(filled: Journal, url: str) -> None:
    tampered(url, "DELETE FROM journal", "DELETE FROM journal_head")
    assert sentences(filled.verify()) == [
        "The journal's head was removed or doubled: how many entries there were is not known."
    ]
    with pytest.raises(JournalError):
        filled.add(entry())


def test_a_head_moved_back_over_removed_entries_does_not_bear_the_seal(filled: Journal, url: str) -> None:
    tampered(
        url,
        "UPDATE journal_head SET number = 4, hash = (SELECT hash FROM journal WHERE number = 4)",
        "DELETE FROM journal WHERE number > 4",
    )
    assert sentences(filled.verify()) == ["The journal's head was changed, or sealed with another key."]
    with pytest.raises(JournalError):
        filled.add(entry())


def test_a_chain_reckoned_anew_does_not_bear_the_seal(filled: Journal, url: str) -> None:
    # Whoever knows how hashes are made can make them all again, but the seal needs the key.
    with changed(url) as connection:
        connection.exec_driver_sql("UPDATE journal SET rows = 1 WHERE number = 2")
        last = "0" * 64
        for row in connection.exec_driver_sql("SELECT * FROM journal ORDER BY number").mappings().all():
            said = {**row, "previous": last}
            said.pop("hash")
            text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            before, last = last, hashlib.sha256(text.encode()).hexdigest()
            connection.exec_driver_sql(
                f"UPDATE journal SET previous = '{before}', hash = '{last}' WHERE number = {row['number']}"
            )
    assert sentences(filled.verify()) == ["The journal's last entry is not the one that was written."]
    tampered(url, f"UPDATE journal_head SET hash = '{last}'")
    assert sentences(filled.verify()) == ["The journal's head was changed, or sealed with another key."]


def test_an_older_state_of_all_is_told_by_the_hash_that_was_noted(filled: Journal, url: str) -> None:
    # What no chain can find: everything as it truly was, once. The docstring and `journal verify` say so.
    noted = filled.last()
    with changed(url) as connection:
        last = connection.exec_driver_sql("SELECT hash FROM journal WHERE number = 4").scalar_one()
        seal = hmac.new(KEY.encode(), f"4 {last}".encode(), hashlib.sha256).hexdigest()  # as it stood in a backup
        connection.exec_driver_sql("DELETE FROM journal WHERE number > 4")
        connection.exec_driver_sql(f"UPDATE journal_head SET number = 4, hash = '{last}', seal = '{seal}'")
    assert filled.verify() == []
    assert filled.last() == (4, last) != noted


KEPT = ", ".join(COLUMNS)


def edits(draw: Callable, rows: list[dict]) -> None:
    row = draw(st.sampled_from(rows))
    column = draw(st.sampled_from(CHANGEABLE))
    if column == "rows":
        value = draw(st.none() | st.integers(-(2**63), 2**63 - 1) | st.text("ab", min_size=1) | st.just(b"\xff"))
    else:
        value = draw(st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.binary(max_size=4))
    row[column] = value


def removes(draw: Callable, rows: list[dict]) -> None:
    del rows[draw(st.integers(0, len(rows) - 1))]


def exchanges(draw: Callable, rows: list[dict]) -> None:
    one, other = draw(st.permutations(rows))[:2]
    one["number"], other["number"] = other["number"], one["number"]


def inserts(draw: Callable, rows: list[dict]) -> None:
    number = draw(st.integers(-1, len(rows) + 3))
    for row in rows:
        if row["number"] >= number:
            row["number"] += 1
    rows.append({**draw(st.sampled_from(rows)), "number": number, "id": new_id()})


def shifts(draw: Callable, rows: list[dict]) -> None:
    by = draw(st.sampled_from([-3, -1, 1, 5]))
    for row in rows:
        row["number"] += by


def chained_anew(rows: list[dict]) -> None:
    last = "0" * 64
    for row in sorted(rows, key=lambda row: row["number"]):
        row["previous"] = last
        said = {name: value for name, value in row.items() if name != "hash"}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=repr)
        row["hash"] = last = hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[dict]]]:
    """A journal of six entries, without triggers, and what stands in it."""
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    journal = Journal(f"sqlite:///{path}", KEY)
    for number in range(1, LENGTH + 1):
        journal.add(entry(f"person {number}", rows=number, what=f"Question {number}"))
    own_database.close()
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        rows = [dict(row) for row in connection.execute(f"SELECT {KEPT} FROM journal")]
    connection.close()
    yield path, rows


def put(path: Path, rows: list[dict]) -> list[dict]:
    """Makes `rows` the journal's entries; returns what SQLite has made of them."""
    connection = sqlite3.connect(path)
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    connection.row_factory = sqlite3.Row
    with connection:
        connection.execute("DELETE FROM journal")
        places = ", ".join("?" * len(COLUMNS))
        connection.executemany(
            f"INSERT INTO journal ({KEPT}) VALUES ({places})", [[row[name] for name in COLUMNS] for row in rows]
        )
    found = [dict(row) for row in connection.execute(f"SELECT {KEPT} FROM journal ORDER BY number")]
    connection.close()
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_the_entries_is_found(raw: tuple[Path, list[dict]], data: st.DataObject) -> None:
    path, written = raw
    rows = [dict(row) for row in written]
    for _ in range(data.draw(st.integers(1, 3))):
        done = data.draw(st.sampled_from([edits, removes, exchanges, inserts, shifts]))
        if len(rows) > 1:
            done(data.draw, rows)
    if data.draw(st.booleans()):  # by one who knows how hashes are made
        chained_anew(rows)
    if len({row["number"] for row in rows}) < len(rows) or len({str(row["id"]) for row in rows}) < len(rows):
        return  # the database's keys refuse it
    found = put(path, rows)
    assert bool(Journal(f"sqlite:///{path}", KEY).verify()) == (found != written)
    Journal(f"sqlite:///{path}", KEY).entries()  # an auditor still sees what is there


@pytest.mark.parametrize("column", ["number = number + 1", "number = 0", "hash = 'x'", "seal = 'x'", "seal = '汉'"])
def test_a_changed_head_is_found_and_nothing_is_added_to_it(filled: Journal, url: str, column: str) -> None:
    tampered(url, f"UPDATE journal_head SET {column}")
    assert "The journal's head was changed, or sealed with another key." in sentences(filled.verify())
    with pytest.raises(JournalError):
        filled.add(entry())


def test_an_entry_added_past_the_dashboard_is_found(filled: Journal, url: str) -> None:
    rest = ", ".join(COLUMNS[2:])
    tampered(url, f"INSERT INTO journal (number, id, {rest}) SELECT 7, 'NEW', {rest} FROM journal WHERE number = 6")
    assert "The entries after 6 were not added by the dashboard." in sentences(filled.verify())
    with pytest.raises(JournalError):  # its number is taken
        filled.add(entry())


# What cannot be written ---------------------------------------------------------------------------------------------


def test_a_journal_that_cannot_be_reached_says_so_without_saying_where(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    for url, key in (
        (f"sqlite:///{tmp_path}/file/journal.db", ""),
        (f"postgresql+psycopg://me:geheim@/journal?host={tmp_path}", KEY),
    ):
        with pytest.raises(JournalError, match="cannot be recorded") as told:
            Journal(url, key).add(entry())
        assert str(tmp_path) not in str(told.value)
        assert told.value.parts["reference"] in caplog.text
        assert "geheim" not in caplog.text


def test_what_is_to_be_recorded_does_not_go_to_the_log_when_it_fails(
    journal: Journal, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    journal.add(entry(id="ONCE"))
    for refused in ({"id": "ONCE"}, {"scope": None}):
        with pytest.raises(JournalError):
            journal.add(entry("secret@bank.example", purpose="a secret purpose", **refused))
    assert len(caplog.records) == 2
    assert "secret" not in "".join(record.getMessage() for record in caplog.records)


def test_a_file_removed_under_a_running_server_is_noticed_before_anything_is_handed_out(path: Path) -> None:
    journal = Journal(f"sqlite:///{path}", "")
    journal.add(entry())
    path.rename(path.with_name("away.db"))  # SQLite would go on writing to it
    with pytest.raises(JournalError):
        journal.add(entry())
    path.with_name("away.db").rename(path)
    assert journal.add(entry()).number == 2
    assert journal.verify() == []


def test_a_writer_that_was_refused_leaves_the_way_free(journal: Journal) -> None:
    class No(Told):
        pass

    def permit(_taken: Taken) -> None:
        raise No("No.")

    for _ in range(20):  # more than there are connections
        with pytest.raises(No):
            journal.add(entry(), permit)
    waiting = threading.Thread(target=lambda: journal.add(entry()))
    waiting.start()
    waiting.join(20)
    assert journal.entries()["number"].tolist() == [1]


# The key ------------------------------------------------------------------------------------------------------------


def test_a_journal_in_a_file_makes_a_key_that_nobody_else_reads(path: Path) -> None:
    journal = Journal(f"sqlite:///{path}", "")
    journal.add(entry())
    key = path.with_name("journal.db.key")
    assert stat.S_IMODE(key.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(bytes.fromhex(key.read_text())) == 32
    own_database.close()
    assert Journal(f"sqlite:///{path}", "").add(entry()).number == 2


def test_without_its_key_a_journal_is_neither_written_nor_taken_for_whole(path: Path) -> None:
    url = f"sqlite:///{path}"
    Journal(url, "").add(entry())
    own_database.close()
    key = path.with_name("journal.db.key")
    key.rename(key.with_name("away"))
    for use in (lambda: Journal(url, "").add(entry()), Journal(url, "").verify):
        with pytest.raises(JournalError) as told:
            use()
        assert "restore" in str(told.value.__cause__)
    assert not key.exists()  # a new one would seal whatever stands there now
    assert len(Journal(url, "").entries()) == 1


def test_another_key_neither_writes_nor_agrees(journal: Journal, url: str) -> None:
    journal.add(entry())
    other = Journal(url, KEY[::-1])
    with pytest.raises(JournalError):
        other.add(entry())
    assert sentences(other.verify()) == ["The journal's head was changed, or sealed with another key."]
    assert journal.verify() == []


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_journal_on_a_server_needs_a_key(url: str) -> None:
    with pytest.raises(JournalError) as told:
        Journal(url, "").add(entry())
    assert "JOURNAL_KEY" in str(told.value.__cause__)
    assert Journal(url, KEY).add(entry()).number == 1


# The database -------------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_program_declares(journal: Journal, url: str) -> None:
    journal.add(entry())
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        options = {
            "version_table": "dashboard_version",
            # A table that another module declares, and that is not imported here, is none of the journal's.
            "include_object": lambda thing, name, kind, reflected, other: kind != "table" or name.startswith("journal"),
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), own_database.metadata)
    engine.dispose()
    assert differences == []


def test_a_database_of_a_later_version_is_left_alone(journal: Journal, url: str) -> None:
    journal.add(entry())
    own_database.close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dashboard_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(JournalError) as told:
        journal.add(entry())
    assert "another version of the dashboard" in str(told.value.__cause__)


def test_what_a_file_has_recorded_survives_a_loss_of_power(path: Path) -> None:
    database = own_database.own_database(f"sqlite:///{path}", "")
    with database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL: on disk before the commit returns
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.postgres
def test_what_a_server_has_recorded_is_on_its_disk(postgres_server: str) -> None:
    url = sa.make_url(postgres_server).update_query_dict({"options": "-c synchronous_commit=off -c jit=off"})
    database = own_database.OwnDatabase(url.render_as_string(hide_password=False), KEY)
    with database.writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW jit").scalar() == "off"  # what the operator asked for else is kept
    database.engine.dispose()


# The commands -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `journal …`; returns its exit code, what it printed, and its errors."""
    monkeypatch.setenv("JOURNAL_URL", url)
    monkeypatch.setenv("JOURNAL_KEY", KEY)

    def command(*words: str) -> tuple[int, str, str]:
        code = main(["journal", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def test_verify_says_that_a_journal_is_whole_and_how_it_ends(run, filled: Journal) -> None:
    code, printed, _ = run("verify")
    assert code == 0
    assert f"is whole. 6 entries; the last hash is {filled.last()[1]}." in printed


def test_verify_ends_with_1_and_a_sentence_for_each_fault(run, filled: Journal, url: str) -> None:
    tampered(url, "DELETE FROM journal WHERE number = 6", "UPDATE journal SET what = '' WHERE number = 2")
    code, printed, _ = run("verify")
    assert code == 1
    assert printed.splitlines()[1:] == [
        "- Entry 2 was changed: what it says is not what was written.",
        "- Entry 6 is missing.",
    ]


def test_list_shows_what_was_asked_for_in_one_line_each(run, journal: Journal) -> None:
    journal.add(entry("li", branch_id="14"))
    journal.add(entry("wang", Action.UNMASK, branch_id="15", what="two\nlines\x1b[31m"))
    assert [line.split()[0] for line in run("list")[1].splitlines()[2:]] == ["2", "1"]
    assert "two␊lines␛[31m" in run("list")[1]
    for words, number in (
        (("--person", "li"), "1"),
        (("--branch", "15"), "2"),
        (("--action", "unmask"), "2"),
        (("--person", "li", "--since", "2020-01-01"), "1"),
    ):
        assert [line.split()[0] for line in run("list", *words)[1].splitlines()[2:]] == [number]
    assert len(run("list", "--since", "2099-01-01")[1].splitlines()) == 2


def test_export_is_a_table_that_a_spreadsheet_opens_without_running_it(run, journal: Journal, tmp_path: Path) -> None:
    journal.add(entry("=cmd|'/c calc'!A1", what="@SUM(1)", filters=(("=1+1", "+2"),), purpose="江北"))
    out = tmp_path / "journal.csv"
    assert run("export", "--out", str(out))[0] == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    assert (row["person"], row["what"], row["filters"]) == ("'=cmd|'/c calc'!A1", "'@SUM(1)", "'=1+1: +2")
    assert (row["purpose"], row["rows"], row["expires_on"]) == ("江北", "120", "2026-12-22")
    assert datetime.fromisoformat(row["at"].replace(" UTC", "+00:00")) == journal.entries()["at"].iloc[0]
    assert (row["number"], row["hash"]) == ("1", journal.last()[1])


def test_a_journal_that_is_not_there_is_not_made_by_looking(path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{path}")
    for what in ("list", "verify", "export"):
        assert main(["journal", what]) == 1
        assert f"There is no journal at {path}" in capsys.readouterr().err
    assert not path.parent.exists()


def test_a_command_says_why_the_journal_cannot_be_read(path: Path, monkeypatch, capsys) -> None:
    path.parent.mkdir()
    path.write_text("no database " * 100)
    monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{path}")
    assert main(["journal", "verify"]) == 1
    assert "The journal cannot be read: file is not a database" in capsys.readouterr().err
