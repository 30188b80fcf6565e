"""Long files, with real processes: whatever dies in the middle, nothing half-written is handed over, and the next try works."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import pyzipper
from python_calamine import CalamineWorkbook

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import LISTINGS
from measures.period import Period
from measures.question import ListingQuestion, Told
from panels import writing
from panels.writing import LEAN, LongFile, Queue, queue, remove_leftovers
from presentation.tables import About, listing_table
from presentation.words import words
from server.__main__ import TUNED
from tests.pages.conftest import Visit
from tests.pages.test_files import BUSY_ROWS, busy_bank
from tests.processes import came, runs

EN = words("en")
TABLE = "overdue_listing"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return busy_bank(tmp_path_factory.mktemp("busy"))


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue whose folder lies in one of the test's own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    made = Queue()
    yield made
    made.close()
    assert list((tmp_path / "tmp").glob("*dashboard-files*")) == []


def begun(
    lines: Queue, warehouse: Path, name: str = "a.parquet", person: str = "me", password: str = "", **other: object
) -> LongFile:
    """The overdue customers of the busy bank, whose file is begun."""
    source = Warehouse(f"duckdb:///{warehouse}")
    viewer = Viewer(person, "1", Role.VISITOR)
    question = ListingQuestion(LISTINGS["overdue_customers"], Period(date(2026, 1, 1), date(2026, 5, 20)))
    table = listing_table(question, source.listing(question, viewer, limit=1), EN)
    about = About([], "all", date(2026, 5, 20), person, datetime(2026, 5, 21), None, source.count(question, viewer))
    handed = {"given_name": name, "mime": "x/y", "enter": ignore, "permit": lambda: None, "told": EN.told}
    asked = source.asked(question, viewer)
    source.close()
    return lines.begin(person, asked, table, about, "en", name, password, **handed | other)


def ignore(_sha256: str) -> None:
    pass


def over(file: LongFile) -> str:
    assert came(lambda: file.state not in ("waiting", "writing"))
    return file.state


def left(lines: Queue) -> list[str]:
    """What lies in the queue's folder, beside its lock."""
    return [found.name for found in lines._own_folder().iterdir() if found.name != "lock"]


def test_a_long_file_is_written_whole_and_entered_before_it_is_handed_over(lines: Queue, busy: Path) -> None:
    entered: list[str] = []
    file = begun(lines, busy, enter=entered.append)
    assert over(file) == "ready"
    assert lines.ready(file.number) is file
    assert entered == []
    assert [file.take(), file.take()] == ["", ""]
    assert entered == [hashlib.sha256(file.path.read_bytes()).hexdigest()]  # once, however often it is fetched
    assert pq.read_metadata(file.path).num_rows == BUSY_ROWS == file.rows
    assert file.path.stat().st_mode & 0o077 == file.path.parent.stat().st_mode & 0o077 == 0
    file.cancel()
    assert lines.ready(file.number) is None
    assert left(lines) == []


@pytest.mark.parametrize("begins", [False, True], ids=["at once", "in the middle"])
def test_a_writer_that_is_killed_leaves_nothing_and_the_next_try_works(lines: Queue, busy: Path, begins: bool) -> None:
    file = begun(lines, busy, "a.xlsx")
    assert came(lambda: file.process is not None and (file.rows > 0 or not begins))
    os.kill(file.process.pid, signal.SIGKILL)
    assert over(file) == "failed"
    assert EN.told(file.fault) == "The file could not be made. Nothing was kept; try again."
    assert lines.ready(file.number) is None
    assert left(lines) == []
    assert over(begun(lines, busy)) == "ready"


def test_a_writer_gives_back_the_memory_that_the_server_would_keep(
    lines: Queue, busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", TUNED["GLIBC_TUNABLES"])
    file = begun(lines, busy)
    assert came(lambda: file.process is not None)
    told = Path(f"/proc/{file.process.pid}/environ").read_text()
    first = LEAN["GLIBC_TUNABLES"].partition(":")[0]  # the C library ends the text after it as soon as it has read it
    assert f"GLIBC_TUNABLES={first}" in told
    assert TUNED["GLIBC_TUNABLES"] not in told
    assert over(file) == "ready"


def test_the_page_says_that_a_writer_was_killed_and_the_next_try_works(visit, busy: Path) -> None:
    reader: Visit = visit(f"duckdb:///{busy}").show("follow_up").turn("follow_up_tables", TABLE)
    reader.app.text_input(key=f"{TABLE}_purpose").set_value("a test").run()
    reader.app.button(key=f"{TABLE}_xlsx").click().run()
    assert reader.app.button(key=f"{TABLE}_xlsx").disabled
    file = reader.on_its_way(TABLE)
    assert came(lambda: file.process is not None)
    os.kill(file.process.pid, signal.SIGKILL)
    over(file)
    reader.app.run()
    assert "The file could not be made. Nothing was kept; try again." in reader.sentences
    book = CalamineWorkbook.from_filelike(io.BytesIO(reader.file(TABLE)))
    assert len(book.get_sheet_by_index(0).to_python()) == BUSY_ROWS + 1
    reader.app.run()
    assert not [said for said in reader.sentences if "file" in said]


def test_the_page_stops_a_file_that_the_reader_cancels(visit, busy: Path) -> None:
    reader: Visit = visit(f"duckdb:///{busy}").show("follow_up").turn("follow_up_tables", TABLE)
    reader.app.text_input(key=f"{TABLE}_purpose").set_value("a test").run()
    reader.app.button(key=f"{TABLE}_csv").click().run()
    file = reader.on_its_way(TABLE)
    assert came(lambda: file.process is not None)
    process = file.process
    reader.app.button(key=f"{TABLE}_cancel").click().run()
    assert process.wait(30) == -signal.SIGKILL
    assert file.state == "gone"
    assert came(lambda: not file.task.folder.exists())
    assert not reader.app.button(key=f"{TABLE}_csv").disabled
    assert queue().ready(file.number) is None


def test_a_warehouse_that_is_loaded_again_before_the_writer_has_opened_it_is_told(lines: Queue, tmp_path: Path) -> None:
    path = busy_bank(tmp_path)
    (tmp_path / "again").mkdir()
    again = busy_bank(tmp_path / "again")
    file = begun(lines, path)
    again.replace(path)
    assert over(file) == "failed"
    assert EN.told(file.fault) == "New data were loaded meanwhile. Make the file again."
    assert over(begun(lines, path)) == "ready"


def test_a_warehouse_that_is_taken_away_is_told_and_one_that_is_open_is_read_to_its_end(
    lines: Queue, tmp_path: Path
) -> None:
    path = busy_bank(tmp_path)
    first, second = begun(lines, path), begun(lines, path)
    assert came(lambda: first.rows > 0)
    path.unlink()
    assert over(first) == "ready"
    assert pq.read_metadata(first.path).num_rows == BUSY_ROWS
    assert over(second) == "failed"
    assert EN.told(second.fault).startswith("The warehouse busy.duckdb cannot be read; load it again.")
    first.cancel()
    assert left(lines) == []


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.parquet"])
def test_a_full_disk_is_told_and_leaves_nothing(lines: Queue, busy: Path, name: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lines._own_folder()
    blocked = begun(lines, busy)  # while it is written, what comes next is not begun yet
    file = begun(lines, busy, name)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        blocked.cancel()
        assert came(lambda: file.process is not None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert over(file) == "failed"
    assert EN.told(file.fault).startswith("There is no room for this file on the server.")
    assert left(lines) == []
    assert over(begun(lines, busy)) == "ready"


def test_what_the_reader_may_no_longer_take_is_refused_and_taken_away(lines: Queue, busy: Path) -> None:
    def refuse(*_any: object) -> None:
        raise Told("Your role does not permit to take this away.")

    file = begun(lines, busy, enter=refuse)
    assert over(file) == "ready"
    assert file.take() == "Your role does not permit to take this away."
    assert lines.ready(file.number) is None
    again = begun(lines, busy)
    assert over(again) == "ready"
    assert again.take() == ""
    again.permit = refuse  # between two tries to save it
    assert again.take() == "Your role does not permit to take this away."
    assert left(lines) == []


def test_a_file_that_nobody_saves_is_taken_away(lines: Queue, busy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "KEPT_MINUTES", 0.01)
    file = begun(lines, busy)
    assert came(lambda: file.state == "gone")
    assert lines.ready(file.number) is None
    assert left(lines) == []


def test_who_was_served_waits_for_who_was_not(lines: Queue, busy: Path) -> None:
    files = [begun(lines, busy, person=person) for person in ("greedy", "greedy", "greedy", "modest")]
    assert [file.ahead for file in files] == [0, 1, 2, 3]
    started: list[LongFile] = []
    while len(started) < len(files):
        started += [file for file in files if file.state != "waiting" and file not in started]
        time.sleep(0.005)
    assert [file.person for file in started] == ["greedy", "modest", "greedy", "greedy"]
    assert {over(file) for file in files} == {"ready"}


def test_more_than_may_wait_are_told_so(lines: Queue, busy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "WAITING", 1)
    _writing, _waiting, refused = (begun(lines, busy) for _file in range(3))
    assert refused.state == "failed"
    assert EN.told(refused.fault) == "Too many files are being made. Try again in some minutes."


SERVER = """
import sys, time, tempfile
from pathlib import Path
from tests.pages.test_long_files import begun
from tests.processes import came
from panels.writing import Queue
lines = Queue()
file = begun(lines, Path(sys.argv[1]))
assert came(lambda: file.process is not None)
print(lines._own_folder(), file.process.pid, flush=True)
time.sleep(600)
"""


def test_what_a_killed_server_left_is_gone_at_the_next_start_and_its_writer_with_it(lines: Queue, busy: Path) -> None:
    mine = lines._own_folder()
    environment = os.environ | {"TMPDIR": str(mine.parent), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(busy)], stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        folder, writer = server.stdout.readline().split()
        remove_leftovers()
        assert Path(folder).exists()  # it lives
        server.kill()
    assert came(lambda: not runs(writer))
    assert Path(folder).exists()
    remove_leftovers()
    assert not Path(folder).exists()
    assert mine.exists()


def test_a_file_with_a_password_opens_with_it_alone_and_nothing_else_tells_it(lines: Queue, busy: Path) -> None:
    file = begun(lines, busy, "a.csv", password="a secret")
    assert over(file) == "ready"
    assert "a secret" not in repr(file)
    assert [found.name for found in file.path.parent.iterdir() if found.is_file()] == [writing.FILE]
    with pyzipper.AESZipFile(file.path) as archive:
        with pytest.raises(RuntimeError, match="password"):
            archive.read("a.csv")
        archive.setpassword(b"a secret")
        assert archive.read("a.csv").count(b"\r\n") == BUSY_ROWS + 1
