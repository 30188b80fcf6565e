"""P2, and Superset's part of P5: six tiles of one page and a workbook, over Superset's chart-data API on the same file.

`make bench-superset` installs Superset into var/superset-venv and runs this; what is found is kept for the table of `make bench`. Both
are asked what they have not been asked before, for the same numbers, which are compared. Superset runs with its own server, one
process with threads, caches of its own in memory, and no cache for what is measured (`force`).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date
from itertools import chain
from pathlib import Path

import duckdb
import pandas as pd

from data_access.warehouse import Warehouse
from measures.catalogue import dimension
from measures.dimensions import BRANCH
from measures.period import Period
from measures.question import Question, where
from tests.benchmarks import report, writing
from tests.benchmarks.banks import bank, size_of
from tests.benchmarks.exported import ROWS, first_day
from tests.benchmarks.machine import machine
from tests.benchmarks.pages_asked import head_office
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.run import RESULTS
from tests.benchmarks.served import IN_FULL, REPEATS, ROOT, end_as_asked
from tests.browser.serving import free_port

PROGRAM = ROOT / "var" / "superset-venv" / "bin" / "superset"
START_SECONDS = 300
"""To import Superset takes half a minute on a quiet computer."""
PERIOD = Period(date(2025, 5, 1), date(2026, 10, 31))
TILES: tuple[tuple[str, ...], ...] = (
    (),
    ("month",),
    ("branch",),
    ("product",),
    ("contact_kind",),
    ("branch", "product"),
)
"""What the contacts, and the share of them that ended in a signing, are split by in each tile."""
COLUMNS = {
    "month": "month",
    "branch": "branch",
    "product": "product",
    "contact_kind": "kind",
}
CONTACTS = """
SELECT date_trunc('month', c.contacted_at)::DATE AS month, c.contacted_at, c.outcome, c.kind, c.product_id AS product,
       split_part(b.path, '.', 2) AS branch
FROM contacts c JOIN branches b USING (branch_id)
"""
CONTRACTS = """
SELECT k.contract_id, c.name AS customer, p.name AS product, b.name AS branch, a.name AS agent, k.signed_on, k.activated_on,
       k.activated_on - k.signed_on AS days
FROM contracts k LEFT JOIN customers c USING (customer_id) LEFT JOIN products p USING (product_id)
LEFT JOIN branches b ON b.branch_id = k.branch_id LEFT JOIN agents a ON a.agent_id = k.agent_id
WHERE k.signed_on >= DATE '{since}'
"""
CONFIG = """
SECRET_KEY = "{key}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
ROW_LIMIT = SQL_MAX_ROW = {rows}
CACHE_CONFIG = DATA_CACHE_CONFIG = {{"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 3600}}
FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = CACHE_CONFIG
"""


class Superset:
    """A running Superset, and an administrator who is signed in."""

    def __init__(self, address: str, password: str) -> None:
        self._address = address
        self._token = ""
        self._token = self.asked(
            "security/login", {"username": "bench", "password": password, "provider": "db", "refresh": False}
        )["access_token"]

    def asked(self, path: str, body: dict) -> dict:
        """The answer to what is posted, read as JSON."""
        return json.loads(self.posted(path, body))

    def posted(self, path: str, body: dict) -> bytes:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        request = urllib.request.Request(f"{self._address}/api/v1/{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as found:
                return found.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"Superset refused {path}: {error.code} {error.read()[:2000]!r}") from error

    def dataset(self, name: str, sql: str, database: int) -> int:
        """A dataset over a SELECT, as somebody makes who joins the names to a table of events."""
        return self.asked("dataset/", {"database": database, "table_name": name, "sql": sql})["id"]

    def database(self, file: Path) -> int:
        """The warehouse's file, read only."""
        extra = json.dumps({"engine_params": {"connect_args": {"read_only": True}}})
        body = {"database_name": "bank", "sqlalchemy_uri": f"duckdb:///{file}", "extra": extra}
        return self.asked("database/", body)["id"]

    def tile(self, dataset: int, by: Sequence[str], branches: Sequence[str]) -> list[dict]:
        """The rows of one tile."""
        query = {
            "columns": [COLUMNS[name] for name in by],
            "metrics": [_metric("contacts", "COUNT(*)"), _metric("success", _SUCCESS)],
            "filters": [
                {"col": "branch", "op": "IN", "val": list(branches)},
                {"col": "contacted_at", "op": ">=", "val": PERIOD.start.isoformat()},
                {"col": "contacted_at", "op": "<", "val": "2026-11-01"},
            ],
            "row_limit": 10_000,
            "orderby": [],
        }
        body = {"datasource": {"id": dataset, "type": "table"}, "force": True, "queries": [query]}
        body |= {"result_format": "json", "result_type": "full"}
        return self.asked("chart/data", body)["result"][0]["data"]

    def workbook(self, dataset: int, rows: int) -> bytes:
        """`rows` rows as XLSX."""
        columns = ["contract_id", "customer", "product", "branch", "agent", "signed_on", "activated_on", "days"]
        query = {"columns": columns, "metrics": [], "filters": [], "row_limit": rows, "orderby": [["signed_on", True]]}
        body = {"datasource": {"id": dataset, "type": "table"}, "force": True, "queries": [query]}
        return self.posted("chart/data", body | {"result_format": "xlsx", "result_type": "full"})


_SUCCESS = "SUM(CASE WHEN outcome IN ('signed', 'activated') THEN 1 ELSE 0 END) * 1.0 / COUNT(*)"


def _metric(label: str, sql: str) -> dict:
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


@contextmanager
def superset() -> Iterator[Superset]:
    """A fresh Superset with a database of its own, for as long as the block runs."""
    if not PROGRAM.exists():
        raise FileNotFoundError(f"There is no Superset at {PROGRAM.relative_to(ROOT)}: run make bench-superset.")
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="superset.") as scratch:
        folder, password, port = Path(scratch), secrets.token_hex(16), free_port()
        config = folder / "superset_config.py"
        config.write_text(CONFIG.format(key=secrets.token_hex(32), folder=folder, rows=2_000_000))
        environment = os.environ | {"SUPERSET_CONFIG_PATH": str(config), "FLASK_APP": "superset.app:create_app()"}
        environment |= {"SUPERSET_HOME": str(folder)}
        person = ["--username", "bench", "--firstname", "B", "--lastname", "B", "--email", "bench@bank.example"]
        for words in (["db", "upgrade"], ["fab", "create-admin", *person, "--password", password], ["init"]):
            done = subprocess.run([PROGRAM, *words], cwd=folder, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"superset {words[0]}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        command = [str(PROGRAM), "run", "--port", str(port), "--with-threads"]
        address = f"http://127.0.0.1:{port}"
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, address, folder / "server.log")
            yield Superset(address, password)
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen, address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=10):
            return
        time.sleep(1)
    raise RuntimeError(f"Superset does not answer:\n{log.read_text()[-3000:]}")


def tiles(served: Superset, database: int, file: Path) -> Iterator[Figure | Claim]:
    """The six tiles for other branches each time: by us, by Superset at once, and by Superset one after another."""
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("SELECT branch_id FROM branches WHERE level = 'branch' ORDER BY 1").fetchall()
    branches = [id_ for (id_,) in found]
    dataset = served.dataset("contacts_named", CONTACTS, database)
    warehouse = Warehouse(f"duckdb:///{file}")
    viewer, known = head_office(warehouse), warehouse.state().catalogue
    times: dict[str, list[float]] = {"ours": [], "at once": [], "in turn": []}
    with ThreadPoolExecutor(len(TILES)) as pool:
        for number in range(REPEATS + 1):
            chosen = [branches[(number + step) % len(branches)] for step in (0, 5, 11)]
            asked = [
                Question(
                    (known.measure("contacts"), known.measure("contact_success")),
                    PERIOD,
                    tuple(dimension(name) for name in by),
                    where({BRANCH: chosen}),
                )
                for by in TILES
            ]
            began = time.perf_counter()
            theirs = list(pool.map(lambda by: served.tile(dataset, by, chosen), TILES))  # noqa: B023 — done before the next
            times["at once"].append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            for by in TILES:
                served.tile(dataset, by, chosen)
            times["in turn"].append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            warehouse.fetch_ahead(asked, viewer)
            ours = [warehouse.fetch(question, viewer) for question in asked]
            times["ours"].append((time.perf_counter() - began) * 1000)
            for by, mine, peer in zip(TILES, ours, theirs, strict=True):
                _same(by, mine, peer)
    warehouse.close()
    ours, at_once, in_turn = (samples[1:] for samples in times.values())
    yield Claim("P2", "Six tiles of one page, 10M contacts", ours, "ms", "Superset, all at once", at_once, most=0.1)
    yield Claim(
        "P2", "Six tiles of one page, 10M contacts", ours, "ms", "Superset, one after another", in_turn, most=0.1
    )


def _same(by: Sequence[str], mine: pd.DataFrame, peer: Sequence[dict]) -> None:
    """Raises RuntimeError where Superset counts other contacts than we do."""

    def key(value: object) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 1e11:
            return str(pd.Timestamp(value, unit="ms").date())  # Superset's days
        return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)[:10]

    ours = {tuple(key(row[name]) for name in by): row for row in mine.to_dict("records")}
    theirs = {tuple(key(row[COLUMNS[name]]) for name in by): row for row in peer}
    numbers = [
        {at: (int(row["contacts"]), round(float(row[share]), 9)) for at, row in rows.items()}
        for rows, share in ((ours, "contact_success"), (theirs, "success"))
    ]
    if numbers[0] != numbers[1]:
        other = [(at, numbers[0].get(at), numbers[1].get(at)) for at in numbers[0].keys() | numbers[1].keys()]
        raise RuntimeError(f"by {by}: {[three for three in other if three[1] != three[2]][:3]}")


def workbooks(served: Superset, database: int, file: Path) -> Iterator[Claim]:
    """A workbook of the same contracts, by Superset's API and by the dashboard."""
    dataset = served.dataset("contracts_named", CONTRACTS.format(since=first_day(str(file), ROWS)), database)
    runs, peers = min(3, REPEATS), []
    for _ in range(runs + 1):
        began = time.perf_counter()
        size = len(served.workbook(dataset, ROWS))
        peers.append((time.perf_counter() - began) * 1000)
        if size < 1_000_000:
            raise RuntimeError(f"Superset's workbook has {size:,} bytes: {ROWS:,} rows are not in it.")
    ours = [run["ms"] for run in writing.ran(writing.DASHBOARD, ROWS, runs)["dashboard"]]
    yield Claim("P5", f"Workbook of {ROWS:,} rows × 8 columns", ours, "ms", "Superset's API", peers[1:], least=5)


def main() -> int:
    end_as_asked()
    file, claims, on = bank("10M"), [], machine()
    with superset() as served:
        database = served.database(file)
        for claim in chain(tiles(served, database, file), workbooks(served, database, file)):
            claims.append(claim)
            print(report.goals([claim]).splitlines()[-1], file=sys.stderr, flush=True)
    print(report.goals(claims))
    if IN_FULL:
        path = report.keep(RESULTS, "superset", report.Kept(claims, [], on | {"banks": {"10M": size_of(file)}}))
        print(f"Written: {path.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
