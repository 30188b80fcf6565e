"""What is asked of a warehouse file: values stay values, whatever they hold, and what goes wrong is told as DuckDB tells it."""

from __future__ import annotations

import gc
import math
import threading
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_access.file_reader import FileReader, filled, written

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates(date(1, 1, 1))
    | st.datetimes(datetime(1, 1, 1))
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a 'bank'.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE secrets AS SELECT 'kept' AS word")
    return path


@pytest.fixture
def reader(file: Path) -> FileReader:
    return FileReader(file, ["SET GLOBAL threads = 1"])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> FileReader:
    path = tmp_path_factory.mktemp("file") / "empty.duckdb"
    duckdb.connect(str(path)).close()
    return FileReader(path, [])


@given(st.lists(VALUES, min_size=1, max_size=6))
@example(["'", "''", "\\'", "$1", "'; DROP TABLE secrets; --", "名 \n\t %s ? :a"])
@example([-1, -(2**63), 0.1, -0.0, 5e-324, 1.7976931348623157e308])
def test_each_value_comes_back_as_it_was_whatever_it_holds(alone: FileReader, values: list[object]) -> None:
    asked = "SELECT " + ", ".join(f"${place + 1} AS v{place}" for place in range(len(values)))
    found = list(alone.ask(filled(asked, values)).to_pylist()[0].values())
    assert found == values
    for value, back in zip(values, found, strict=True):
        assert type(back) is type(value)
        assert not isinstance(value, float) or math.copysign(1, back) == math.copysign(1, value)


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_a_minus_before_a_value_begins_no_comment(alone: FileReader, one: int, other: int) -> None:
    assert alone.ask(filled("SELECT $1-$2 AS difference", [one, other])).to_pylist() == [{"difference": one - other}]


def test_marks_in_texts_and_names_are_none_and_one_value_may_be_asked_twice(alone: FileReader) -> None:
    asked = "SELECT '$1 ''$2''' AS \"a $1 \"\"b\"\"\", $2 AS second, $1 || $2 AS both"
    assert alone.ask(filled(asked, ["x", "y"])).to_pylist() == [{'a $1 "b"': "$1 '$2'", "second": "y", "both": "xy"}]


@pytest.mark.parametrize("value", ["a\0b", math.nan, math.inf, Decimal("1.5"), b"bytes", ["a"], {"a": 1}], ids=repr)
def test_what_could_be_taken_for_something_else_is_not_written(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        written(value)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5), st.text("ab'"))
def test_a_row_of_values_is_what_something_may_be_among(alone: FileReader, among: list[str], value: str) -> None:
    (found,) = alone.ask(filled("SELECT $1 IN $2 AS among", [value, tuple(among)])).to_pylist()
    assert bool(found["among"]) == (value in among)


def test_it_only_reads(reader: FileReader, file: Path) -> None:
    for change in ("DROP TABLE secrets", "INSERT INTO secrets VALUES ('more')", "CREATE TABLE more (word VARCHAR)"):
        with pytest.raises(duckdb.Error, match="read-only"):
            reader.ask(change)
    assert reader.ask("SELECT word FROM secrets").to_pylist() == [{"word": "kept"}]


def test_it_reads_no_other_file_and_is_set_to_nothing_else(reader: FileReader, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("not for readers")
    for refused, said in (
        (f"SELECT * FROM read_text({written(str(tmp_path / 'other.txt'))})", "Permission"),
        (f"COPY secrets TO {written(str(tmp_path / 'out.csv'))}", "Permission"),
        (f"ATTACH {written(str(tmp_path / 'more.duckdb'))}", "Permission"),
        ("SET GLOBAL enable_external_access = true", "Cannot"),
        ("SET GLOBAL threads = 2", "Cannot change"),
    ):
        with pytest.raises(duckdb.Error, match=said):
            reader.ask(refused)
    assert {path.name for path in tmp_path.iterdir()} == {"a 'bank'.duckdb", "other.txt"}


def test_what_is_not_a_warehouse_is_said(tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(b"something else altogether" * 400)
    for path in (other, tmp_path / "nothing.duckdb"):
        with pytest.raises(duckdb.Error):
            FileReader(path, [])


def test_what_takes_too_long_is_stopped_and_the_next_is_answered(reader: FileReader) -> None:
    @contextmanager
    def at_once(stop):
        timer = threading.Timer(0.2, stop)
        timer.start()
        yield
        timer.cancel()

    long = "SELECT count(*) FROM range(3000000) AS a JOIN range(3000000) AS b ON a.range <> b.range"
    with pytest.raises(duckdb.InterruptException):
        reader.ask(long, at_once)
    assert reader.ask("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_what_needs_too_much_memory_is_told_apart(file: Path) -> None:
    small = FileReader(file, ["SET GLOBAL memory_limit = '8MB'", "SET GLOBAL max_temp_directory_size = '0B'"])
    with pytest.raises(duckdb.OutOfMemoryException):
        small.ask("SELECT list(range ORDER BY hash(range)) AS l FROM range(3000000)")
    assert small.ask("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_several_ask_at_once_and_python_goes_on_meanwhile(reader: FileReader) -> None:
    answered = []

    def ask(number: int) -> None:
        rows = reader.ask(f"SELECT count(*) + {number} AS n FROM range(4000000) WHERE hash(range) % 2 < 2")
        answered.append(rows.to_pylist()[0]["n"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    steps = 0
    while any(thread.is_alive() for thread in threads):
        steps += 1
    assert sorted(answered) == [4_000_000 + number for number in range(4)]
    assert steps > 1_000  # a statement that kept Python's lock would leave a handful


def test_it_is_closed_with_the_last_who_asks(file: Path) -> None:
    def open_files() -> int:
        return sum(found.resolve() == file.resolve() for found in Path("/proc/self/fd").iterdir())

    reader = FileReader(file, [])
    assert reader.ask("SELECT word FROM secrets").num_rows == 1
    assert open_files() > 0
    del reader
    gc.collect()
    assert open_files() == 0
