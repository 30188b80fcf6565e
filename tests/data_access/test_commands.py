"""The commands as an operator types them: what they print, what they write, how they end."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from data_access.__main__ import main
from data_access.access import Role, Viewer
from data_access.settings import settings
from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES
from measures.dimensions import AREA, CAUSE, MONTH, PRODUCT, REGION
from measures.period import Period, Preset, preset_period
from measures.question import Question, where
from tests import bank, oracle

ROOT = Path(__file__).resolve().parents[2]
UNTIL = date(2026, 11, 20)
PERIOD = preset_period(Preset.LAST_12_MONTHS, UNTIL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    assert main(["demo", "--scale", "0.05", "--until", UNTIL.isoformat(), "--out", str(out)]) == 0
    return out


@pytest.fixture(autouse=True)
def from_here(demo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{demo}")


@pytest.fixture
def warehouse(demo: Path):
    found = Warehouse(f"duckdb:///{demo}", settings().days_off)
    yield found
    found.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Runs a command; returns its exit code, what it printed, and its errors."""

    def command(*words: str) -> tuple[int, str, str]:
        try:
            code = main(list(words))
        except SystemExit as end:  # argparse ends so: for --help and for words that it does not know
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def asked(warehouse: Warehouse, *measures: str, **more) -> pd.DataFrame:
    found = tuple(warehouse.state().catalogue.measure(name) for name in measures)
    return warehouse.fetch(Question(found, PERIOD, **more), Viewer("me", warehouse.root(), Role.VISITOR))


# ask ----------------------------------------------------------------------------------------------------------------


def test_csv_holds_the_answer_with_full_precision(run, warehouse):
    code, printed, _ = run("ask", "signed,activation_rate", "--by", "product,month", "--format", "csv")
    answer = asked(warehouse, "signed", "activation_rate", by=(PRODUCT, MONTH))
    read = list(csv.DictReader(io.StringIO(printed)))
    assert code == 0
    assert [row["product"] for row in read] == answer["product"].tolist()
    assert [row["product_name"] for row in read] == answer["product_name"].tolist()
    assert [row["month"] for row in read] == [f"{day:%Y-%m-%d}" for day in answer["month"]]
    assert [int(row["signed"]) for row in read] == answer["signed"].tolist()
    rates = [None if pd.isna(rate) else rate for rate in answer["activation_rate"]]
    assert [float(row["activation_rate"]) if row["activation_rate"] else None for row in read] == rates


def test_the_total_is_asked_of_the_warehouse_and_told_from_the_parts(run, warehouse):
    _, printed, _ = run("ask", "activation_rate", "--by", "region", "--total", "--format", "csv")
    total, *parts = csv.DictReader(io.StringIO(printed))
    answer = asked(warehouse, "activation_rate", by=(REGION,))
    whole = asked(warehouse, "activation_rate")["activation_rate"].iloc[0]
    assert (total["row"], float(total["activation_rate"])) == ("total", whole)
    assert whole != pytest.approx(answer["activation_rate"].mean(), rel=1e-6)
    assert [float(part["activation_rate"]) for part in parts] == answer["activation_rate"].tolist()


def test_json_tells_what_was_asked_and_what_came_back(run, warehouse):
    words = ("--by", "cause", "--where", "area=rural,", "--against", "last_year", "--total", "--format", "json")
    _, printed, _ = run("ask", "complaints_received", *words)
    told = json.loads(printed)
    chosen = {
        "where": where({AREA: ["rural", None]}),
        "against": Period(date(2024, 12, 1), date(2025, 11, 20)),
    }
    answer = asked(warehouse, "complaints_received", by=(CAUSE,), **chosen)
    assert told["rows"] == answer.to_dict("records")
    assert told["total"] == asked(warehouse, "complaints_received", **chosen).to_dict("records")[0]
    assert told["where"] == {"area": ["rural", None]}
    assert (told["period"], told["data_until"]) == (["2025-12-01", "2026-11-20"], "2026-11-20")


def test_what_cannot_be_told_is_null_in_json_and_empty_in_csv(run):
    nothing = ("--from", "2001-01-01", "--to", "2001-01-31")
    assert json.loads(run("ask", "activation_rate", *nothing, "--format", "json")[1])["rows"] == [
        {"activation_rate": None}
    ]
    assert run("ask", "activation_rate", *nothing, "--format", "csv")[1] == 'activation_rate\n""\n'


def test_the_workbook_is_the_one_that_the_pages_export(run, warehouse, tmp_path):
    out = tmp_path / "signed.xlsx"
    code, printed, _ = run("ask", "signed", "--by", "region", "--total", "--format", "xlsx", "--out", str(out))
    book = openpyxl.load_workbook(out)
    heading, total, *rows = book.worksheets[0].iter_rows(values_only=True)
    answer = asked(warehouse, "signed", by=(REGION,))
    assert (code, printed, heading) == (0, "", ("Region", "Signed"))
    assert total == ("Total", asked(warehouse, "signed")["signed"].iloc[0])
    assert rows == list(answer.itertuples(index=False, name=None))
    assert len(book.worksheets) == 2


def test_a_csv_file_carries_the_mark_that_a_spreadsheet_needs_for_chinese(run, tmp_path):
    out = tmp_path / "signed.csv"
    run("ask", "signed", "--by", "region", "--format", "csv", "--out", str(out))
    assert out.read_bytes().startswith(b"\xef\xbb\xbfregion,signed\n")


def test_no_cell_of_a_csv_is_a_formula_in_a_spreadsheet(run, own_file, tmp_path):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("UPDATE products SET name = '=1+1' WHERE product_id = 'mobile'")
    out, words = tmp_path / "signed.csv", ("ask", "signed", "--by", "product", "--url", f"duckdb:///{own_file}")
    assert run(*words, "--out", str(out))[0] == 0
    printed = run(*words, "--format", "csv")[1]
    names = [row["product_name"] for row in csv.DictReader(io.StringIO(printed))]
    assert "'=1+1" in names
    assert "=1+1" not in names
    assert out.read_text(encoding="utf-8-sig") == printed


def test_no_name_commands_the_terminal_or_breaks_the_table(run, own_file):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("UPDATE products SET name = ? WHERE product_id = 'mobile'", ["A\x1b[2J\nB\x9b"])
    _, printed, _ = run("ask", "signed", "--by", "product", "--url", f"duckdb:///{own_file}")
    assert "A␛[2J␊B\ufffd" in printed
    assert not set(printed) & {"\x1b", "\x9b"}


@pytest.mark.parametrize(("lang", "share"), [("en", r"\d\.\d %$"), ("zh_CN", r"\d\.\d%$")])
def test_the_table_speaks_the_readers_language_and_stands_in_columns(run, warehouse, lang: str, share: str):
    _, printed, _ = run("ask", "activation_rate", "--by", "product", "--total", "--lang", lang)
    lines = printed.splitlines()
    rule = next(number for number, line in enumerate(lines) if line.startswith("─"))
    rows = lines[rule + 1 :]

    def width(text: str) -> int:
        return sum(2 if "\u2e80" <= sign <= "\uffef" else 1 for sign in text)

    assert len(rows) == len(asked(warehouse, "activation_rate", by=(PRODUCT,))) + 1
    assert all(re.search(share, row) for row in rows)
    assert {width(row) for row in rows} == {len(lines[rule])}  # the last column ends at one edge, whatever the names


def test_a_branch_sees_its_own_rows_alone(run, warehouse):
    _, printed, _ = run("ask", "signed", "--viewer", "12", "--format", "json")
    mine = asked(warehouse, "signed", where=where({DIMENSION["branch"]: ["12"]}))["signed"].iloc[0]
    assert json.loads(printed)["rows"] == [{"signed": mine}]
    assert 0 < mine < asked(warehouse, "signed")["signed"].iloc[0]


def test_the_printed_sql_gives_the_answer_when_it_is_pasted(run, demo):
    words = ("ask", "signed_pace,signed", "--by", "product", "--viewer", "12")
    rows = json.loads(run(*words, "--format", "json")[1])["rows"]
    with duckdb.connect(str(demo), read_only=True) as connection:
        pasted = connection.execute(run(*words, "--sql")[1]).fetchall()
    assert len(pasted) == len(rows) > 1
    assert pasted == [tuple(row.values()) for row in rows]


def test_by_may_be_said_once_or_for_each_dimension(run):
    once, twice = (
        run("ask", "signed", *by, "--format", "csv")[1]
        for by in (["--by", "product,area"], ["--by", "product", "--by", "area"])
    )
    assert once == twice
    assert once.startswith("product,product_name,area,signed\n")


def test_the_name_of_the_file_says_what_is_written(run, tmp_path):
    for name, begin in (
        ("a.csv", b"\xef\xbb\xbfsigned\n"),
        ("a.json", b"{"),
        ("a.XLSX", b"PK"),
        ("a.txt", b"Signed\n"),
    ):
        assert run("ask", "signed", "--out", str(tmp_path / name))[0] == 0
        assert (tmp_path / name).read_bytes().startswith(begin)


def test_a_filter_that_nothing_meets_is_said_beside_the_empty_answer(run):
    code, printed, said = run("ask", "complaints_received", "--where", "cause=quueing,fees", "--format", "csv")
    assert (code, said) == (0, "No rows of this period have cause=quueing.\n")
    assert run("ask", "complaints_received", "--where", "cause=fees", "--format", "csv")[1:] == (printed, "")


def test_list_names_every_measure_with_its_meaning_and_every_dimension(run):
    code, printed, _ = run("ask", "--list")
    assert code == 0
    assert all(re.search(rf"^  {m.name} .*{re.escape(m.meaning)}$", printed, re.M) for m in MEASURES.values())
    assert all(re.search(rf"^  {name} ", printed, re.M) for name in DIMENSION)


def test_listing_needs_no_warehouse(run, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", "duckdb:////nowhere/at/all.duckdb")
    assert run("ask", "--list")[0] == 0


# What goes wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "required: COMMAND"),
        ("show", "'show'"),
        ("ask", "at least one measure"),
        ("ask signd", "Did you mean signed"),
        ("ask signed --by regoin", "Did you mean region"),
        ("ask signed --by cause", "signed is not kept by cause"),
        ("ask signed --by day,month", "choose one step of time"),
        ("ask signed --where region", "DIMENSION=ID"),
        ("ask signed --where branch=nowhere", "no branch with the id “nowhere”"),
        ("ask signed --where area=rual", "Known are: urban, rural"),
        ("ask signed --out x.csv --format xlsx", "x.csv is the name of another format than --format xlsx"),
        ("ask signed --out x.parquet", "let it end in .txt, .csv, .json, .xlsx"),
        ("ask signed --viewer nowhere", "no branch with the id “nowhere”"),
        ("ask signed --total", "--total goes with --by"),
        ("ask signed --format xlsx", "--out NAME.xlsx"),
        ("ask signed --from 2026-13-01", "“2026-13-01” is no day"),
        ("ask signed --from 2027-01-01", "after its end on 2026-11-20"),
        ("ask signed --against yesterday", "'yesterday'"),
        ("ask signed --lang fr", "'fr'"),
        ("demo --scale 0", "“0” is no number above 0"),
        ("demo --scale nan", "“nan” is no number above 0"),
        ("demo --seed -1", "--seed"),
        ("demo --until 1980-01-01", "years 2015 to 2099"),
        ("load", "FOLDER"),
    ],
)
def test_a_wrong_use_ends_with_2_and_one_sentence_that_says_what_is_wrong(run, words: str, sentence: str):
    code, printed, error = run(*words.split())
    assert (code, printed) == (2, "")
    assert sentence in error
    assert error.startswith("python -m data_access")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("ask signed --url duckdb:////nowhere/at/all.duckdb", "There is no warehouse at all.duckdb"),
        ("check --url duckdb:////nowhere/at/all.duckdb", "There is no warehouse at /nowhere/at/all.duckdb"),
        ("check --url hello", "not a URL"),
        ("ask signed --url oracle+nothing://u:s3cret@h/x", "a driver that is not installed"),
        ("check --url postgresql+psycopg://u:s3cret@127.0.0.1:1/x", "Connection refused"),
        ("ask signed --url postgresql+psycopg://u:s3cret@127.0.0.1:1/x", "Connection refused"),
        ("load /nowhere", "load.toml is missing"),
        ("ask signed --out /nowhere/x.txt", "/nowhere/x.txt cannot be written: No such file or directory"),
    ],
)
def test_a_failure_ends_with_1_and_one_sentence_without_the_password(run, words: str, sentence: str):
    code, printed, error = run(*words.split())
    assert (code, printed) == (1, "")
    assert sentence in error
    assert error.count("\n") == 1
    assert "s3cret" not in error


def test_a_demo_bank_does_not_take_the_place_of_another_file(run, tmp_path):
    for content in (b"", b"my thesis"):
        out = tmp_path / "important.csv"
        out.write_bytes(content)
        code, _, error = run("demo", "--scale", "0.01", "--out", str(out))
        assert (code, out.read_bytes()) == (1, content)
        assert "is not a demo bank, so it stays" in error


def test_a_file_that_is_no_warehouse_is_told_with_the_cause(run, tmp_path):
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"half a warehouse")
    for command in (["ask", "signed"], ["check"]):
        code, _, error = run(*command, "--url", f"duckdb:///{broken}")
        assert (code, error.count("\n")) == (1, 1)
        assert "not a valid DuckDB database file" in error


def test_an_error_about_a_question_speaks_the_readers_language(run):
    english, chinese = (run("ask", "signed", "--by", "cause", "--lang", lang)[2] for lang in ("en", "zh_CN"))
    assert "is not kept by" in english
    assert "is not kept by" not in chinese


@pytest.mark.parametrize("words", [["--help"], *([c, "--help"] for c in ("demo", "load", "check", "ask"))])
def test_help_explains_every_option(run, words: list[str]):
    code, printed, _ = run(*words)
    assert code == 0
    for option in re.findall(r"^  (--\w+)(?: .*)?$", printed, re.M):
        assert re.search(rf"^  {option}.*\n?.*[a-z]{{3}}", printed, re.M)


# demo, load, check --------------------------------------------------------------------------------------------------


def test_the_demo_bank_takes_the_place_of_a_demo_bank_and_of_nothing_else(run, tmp_path):
    out = tmp_path / "warehouse.duckdb"
    small = ("demo", "--scale", "0.01", "--until", "2026-11-20", "--out", str(out))
    assert run(*small)[0] == 0
    code, printed, progress = run(*small)
    assert (code, printed) == (0, "")
    assert "contracts:" in progress
    with duckdb.connect(str(out)) as connection:
        connection.execute("UPDATE loads SET source = 'load of our bank'")
    before = out.read_bytes()
    code, _, error = run(*small)
    assert code == 1
    assert "is not a demo bank, so it stays" in error
    assert out.read_bytes() == before


def test_a_demo_bank_keeps_the_contract_and_what_it_lacks_is_named(run):
    code, printed, _ = run("check")
    assert code == 0
    assert printed.splitlines()[0].endswith("keeps the contract.")
    assert "- Activation: active, active_rate for want of contract_months." in printed


def test_a_breach_ends_with_1_and_says_which_rows(run, own_file):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("UPDATE complaints SET branch_id = 'nowhere'")
        connection.execute("DROP TABLE agents")
        rows = connection.execute("SELECT count(*) FROM complaints").fetchone()[0]
    code, printed, _ = run("check", "--url", f"duckdb:///{own_file}")
    assert code == 1
    verdict, _, heading, breach, *rest = printed.splitlines()
    assert verdict.endswith("breaks the contract: 1 ×.")
    assert heading == "Breaches:"
    assert breach == f"- {rows:,} rows break the rule for complaints.branch_id: no such row in branches."
    assert "- Tables: agents." in rest


def test_without_any_table_of_a_family_it_is_said_that_nothing_of_it_can_be_shown(run, own_file):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("DROP TABLE complaints")
    printed = run("check", "--url", f"duckdb:///{own_file}")[1]
    assert "- Complaints: nothing at all, for want of complaints." in printed
    assert "- Activation:" not in printed


def test_what_no_measure_reads_is_not_missed_and_what_takes_measures_away_is_explained(run, own_file):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("DROP TABLE surveys; DROP TABLE events; DROP TABLE viewers")
        connection.execute("ALTER TABLE contracts DROP closed_on; ALTER TABLE customers DROP phone")
    code, printed, _ = run("check", "--url", f"duckdb:///{own_file}")
    assert code == 0
    assert not re.search("surveys|events|viewers", printed)
    assert "offer CAST(NULL AS DATE) AS closed_on" in printed
    assert "- Columns that only split or name: customers.phone." in printed


def test_the_report_is_as_wide_as_the_terminal(run, own_file, monkeypatch):
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("ALTER TABLE contracts DROP closed_on")
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("check", "--url", f"duckdb:///{own_file}")[1].splitlines()
    assert max(map(len, lines[1:])) <= 60
    assert any(line.startswith("  ") for line in lines)


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """A folder to load, with three complaints, one of which names a branch that is not there."""
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "load.toml").write_text(
        'data_until = 2026-10-31\nmax_rejected = 0.5\n[raw.tickets]\nfile = "tickets.csv"\n'
        "[tables.branches]\nsql = \"SELECT '1' AS branch_id, 'Bank' AS name, NULL AS parent_id, 'head_office' AS level\"\n"
        "[tables.products]\nsql = \"SELECT 'p' AS product_id, 'Card' AS name, 'card' AS family, 30 AS activation_days, "
        'false AS electronic"\n'
        "[tables.complaints]\nsql = \"SELECT no AS complaint_id, branch AS branch_id, 'p' AS product_id, 'fees' AS cause, "
        "'app' AS channel, DATE '2026-10-01' AS received_at, NULL AS closed_at, false AS regulator, _file, _line "
        'FROM tickets"\n',
        encoding="utf-8",
    )
    (folder / "tickets.csv").write_text("no,branch\na,1\nb,1\nc,nowhere\n", encoding="utf-8")
    return folder


def test_a_load_prints_that_nothing_was_lost(run, tickets, tmp_path):
    folder, out = tickets, tmp_path / "out" / "warehouse.duckdb"
    code, printed, progress = run("load", str(folder), "--out", str(out))
    assert code == 0, progress
    assert printed.splitlines()[:2] == [
        "5 rows in = 4 loaded + 1 rejected.",
        f"{out.parent / 'rejected.csv'} lists the rejected rows.",
    ]
    assert f"  export WAREHOUSE_URL=duckdb:///{out}\n" in printed
    assert "complaints: 3 in, 2 loaded, 1 rejected" in progress
    assert "nowhere" in (out.parent / "rejected.csv").read_text(encoding="utf-8")
    _, answer, _ = run("ask", "complaints_received", "--url", f"duckdb:///{out}", "--format", "csv")
    assert answer == "complaints_received\n2\n"
    (folder / "tickets.csv").write_text("no,branch\na,1\n", encoding="utf-8")
    assert "rejected.csv" not in run("load", str(folder), "--out", str(out))[1]
    (folder / "tickets.csv").write_text("no,branch\na,1\nb,1\nc\n", encoding="utf-8")
    code, printed, _ = run("load", str(folder), "--out", str(out))
    assert (code, printed.splitlines()[0]) == (0, "5 rows in = 4 loaded + 1 rejected.")


# As a process -------------------------------------------------------------------------------------------------------


AS_A_TERMINAL = (
    # Tests that run in the background of a shell hand on that an interrupt is to be ignored; a terminal does not. Said in the
    # child, because a process as large as this one cannot always be forked.
    "import resource, runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "most = int(sys.argv.pop(1)); most and resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)); "
    "runpy.run_module('data_access', run_name='__main__', alter_sys=True)"
)


def process(*words: str, most: int = 0) -> subprocess.Popen:
    """A command as a process of its own; where `most` is said, no file it writes can grow beyond so many bytes."""
    return subprocess.Popen(
        [sys.executable, "-c", AS_A_TERMINAL, str(most), *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},  # a terminal that has no Chinese
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_without_the_packages_it_is_said_where_they_are():
    words = [sys.executable, "-S", "-m", "data_access", "ask", "--list"]  # -S: a Python that sees no packages
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert ". .venv/bin/activate" in found.stderr
    assert found.stderr.count("\n") == 1


def test_every_part_of_make_check_is_run_when_the_first_one_fails(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "asked"}\n[ "$2" != ruff ]\n', encoding="utf-8")
    python.chmod(0o755)
    words = ["make", "check", f"PY={python}", "-o", ".venv/.requirements-dev"]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    generated = ["measures.document", "presentation.translations"]
    looked_for = ["bandit", "bandit", "tests.checks.stray_secrets", "tests.checks.pinned_packages"]
    assert [line.split()[1] for line in asked] == ["ruff", "ruff", *generated, *looked_for]


def test_chinese_reaches_a_pipe_of_another_encoding():
    printed, error = process("ask", "signed", "--by", "region", "--lang", "zh_CN").communicate(timeout=60)
    assert error == b""
    assert "主城" in printed.decode("utf-8")


def test_a_reader_who_leaves_early_is_no_error():
    with process("ask", "signed", "--by", "agent,day", "--format", "csv") as running:
        running.stdout.close()
        error = running.stderr.read()
        assert (running.wait(timeout=60), error) == (141, b"")


@pytest.mark.parametrize("asked_to_end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_leaves_no_half_file(tmp_path, asked_to_end):
    with process("demo", "--scale", "3", "--out", str(tmp_path / "warehouse.duckdb")) as running:
        first = running.stderr.readline()
        running.send_signal(asked_to_end)
        rest = running.stderr.read()
        assert running.wait(timeout=60) == 130
    assert b"Traceback" not in first + rest
    assert list(tmp_path.iterdir()) == []


def test_a_load_that_is_asked_to_end_leaves_no_customers_rows(tickets, tmp_path):
    with (tickets / "tickets.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"t{number},1\n" for number in range(2_000_000))
    out = tmp_path / "out" / "warehouse.duckdb"
    with process("load", str(tickets), "--out", str(out)) as running:
        first = running.stderr.readline()
        running.send_signal(signal.SIGTERM)
        rest = running.stderr.read()
        assert running.wait(timeout=60) == 130, rest
    assert (first, b"Traceback" in rest) == (b"Reading tickets.csv\n", False)
    assert list(out.parent.iterdir()) == []


def test_an_answer_that_cannot_be_written_whole_leaves_the_old_file_and_names_it(tmp_path):
    for name in ("signed.csv", "signed.xlsx"):
        out = tmp_path / name
        out.write_bytes(b"the old answer")
        with process("ask", "signed", "--by", "day", "--out", str(out), most=100) as running:
            told = running.stderr.read().decode()
            assert running.wait(timeout=60) == 1
        assert f"{out} cannot be written" in told
        assert "File too large" in told
        assert told.count("\n") == 1
        assert out.read_bytes() == b"the old answer"
    assert {path.name for path in tmp_path.iterdir()} == {"signed.csv", "signed.xlsx"}


def test_an_answer_may_go_to_what_is_no_file(run):
    code, _, error = run("ask", "signed", "--format", "csv", "--out", "/dev/full")
    assert (code, "/dev/full cannot be written: No space left on device" in error) == (1, True)
    assert Path("/dev/full").is_char_device()


def test_a_load_without_room_says_so_and_blames_no_file(tickets, tmp_path):
    with (tickets / "tickets.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{hash((number, 'a'))},1\n" for number in range(100_000))
    out = tmp_path / "out" / "warehouse.duckdb"
    with process("load", str(tickets), "--out", str(out), most=200_000) as running:
        told = running.stderr.read().decode()
        assert running.wait(timeout=60) == 1
    assert f"There is no room for the new warehouse in {out.parent}" in told
    assert "correct the file" not in told
    assert list(out.parent.iterdir()) == []


# The documents ------------------------------------------------------------------------------------------------------

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_command_and_every_target_of_the_makefile(run):
    commands = re.search(r"COMMAND\n((?:    \w+ .*\n)+)", run("--help")[1]).group(1)
    for command in re.findall(r"^    (\w+)", commands, re.M):
        assert f"`{command}`" in README
    targets = re.findall(r"^([a-z]+):.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for target in {*targets} - {"help"}:
        assert f"make {target}" in README
    assert {"run", "test", "check", "demo", "bench", "screenshots"} <= {*targets}


@pytest.mark.parametrize("line", re.findall(r"^    python -m data_access (ask .*)$", README, re.M))
def test_every_example_of_ask_in_the_readme_has_an_answer(run, tmp_path, monkeypatch, line: str):
    monkeypatch.chdir(tmp_path)
    code, _, error = run(*line.split())
    assert code == 0, error


def test_every_example_in_the_help_of_ask_has_an_answer(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^  python -m data_access (ask .*)$", run("ask", "--help")[1], re.M)
    assert len(lines) == 5
    for line in lines:
        code, _, error = run(*line.split())
        assert code == 0, error


def test_the_measure_that_the_readme_adds_is_what_its_oracle_counts(duckdb_warehouse, monkeypatch):
    from measures import complaints

    declared, counted_again = re.findall(r"```python\n(.*?)```", README, re.S)
    known = dict(vars(complaints))
    exec(re.sub(r"^   ", "", declared, flags=re.M), known)
    measures = (known["a_week_old"], known["closed_in_a_week"], known["in_a_week_share"])
    names = [measure.name for measure in measures]
    days = {"against": bank.BEFORE, "data_until": bank.DATA_UNTIL}
    with pytest.raises(LookupError, match=r"count it in MEASURES of tests/oracle\.py"):
        oracle.answer(bank.BANK, names, bank.PERIOD, bank.HEAD_OFFICE, **days)
    monkeypatch.setattr(oracle, "MEASURES", oracle.MEASURES | eval("{" + counted_again + "}", vars(oracle)))
    expected = oracle.answer(bank.BANK, names, bank.PERIOD, bank.HEAD_OFFICE, **days)[()]
    answer = duckdb_warehouse.fetch(
        Question(measures, bank.PERIOD, against=bank.BEFORE), Viewer("me", bank.HEAD_OFFICE, Role.VISITOR)
    )
    assert answer.iloc[0].to_dict() == expected
    assert 0 < expected[names[1]] < expected[names[0]]


def test_the_views_that_the_readme_shows_keep_the_contract(run, tmp_path):
    path = tmp_path / "warehouse.duckdb"
    (views,) = re.findall(r"```sql\n(CREATE VIEW.*?)```", README, re.S)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE SCHEMA crm; "
            "CREATE TABLE crm.organisation AS FROM (VALUES (1, 'Bank', NULL, 1), (12, 'North', 1, 2), (120, 'Pier', 12, 4)) "
            "AS o (org_code, org_name, above, kind); "
            "CREATE TABLE crm.tickets AS SELECT 7 AS ticket_no, 120 AS org_code, 'p' AS prod_code, 'Q' AS reason, "
            "'app' AS source, TIMESTAMP '2026-01-05 10:30' AS created_at, NULL::TIMESTAMP AS finished_at; "
            "CREATE TABLE products AS SELECT 'p' AS product_id, 'P' AS name, 'f' AS family, 30 AS activation_days, "
            "false AS electronic"
        )
        connection.execute(views)
        assert connection.execute("SELECT path FROM branches ORDER BY path").fetchall() == [
            ("1.",),
            ("1.12.",),
            ("1.12.120.",),
        ]
    code, printed, _ = run("check", "--url", f"duckdb:///{path}")
    assert code == 0, printed


def test_the_readme_names_every_entry_of_config_toml():
    for section, name in re.findall(r"^\[(\w+)\]|^(\w+) =", (ROOT / "config.toml").read_text(encoding="utf-8"), re.M):
        assert f"[{section}]" in README if section else f"`{name}`" in README or f" {name}`" in README
