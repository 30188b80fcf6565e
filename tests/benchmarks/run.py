"""Measures what a reader and an operator wait for, on the demo bank: `make bench`, or `make bench ID=filter` for one part.

All parts together write every sample to results/<date>.json and the table into the README; a single part is printed only.
Nothing is asserted: how fast is fast enough depends on the machine.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import duckdb

from data_access.demo import build
from tests.benchmarks import report, screen
from tests.benchmarks.exported import ROWS
from tests.benchmarks.report import Figure
from tests.benchmarks.screen import Answer
from tests.benchmarks.served import ROOT, served

UNTIL = date(2026, 11, 20)
"""The demo bank's last day is always the same, so that runs of different days ask the same."""
BANK = ROOT / "var" / "bench.duckdb"
RESULTS = Path(__file__).with_name("results")
PAGES = {"Overview": "", "Activation": "activation", "Follow-up": "follow_up", "Complaints": "complaints"}
BARS = {"Activation": "activation_branches", "Follow-up": "follow_up_branches", "Complaints": "complaints_branches"}
"""The chart of each page whose bars lead down; the Overview has links in a table instead."""
OPENED = {
    "Targets": ("targets",),
    "Overview, why it moved": ("", "overview_closer", "Why it moved"),
    "Activation, why it moved": ("activation", "activation_closer", "Why it moved"),
    "Activation, how soon used": ("activation", "activation_closer", "How soon contracts are used"),
    "Activation, funnel": ("activation", "activation_branches_view", "Funnel"),
    "Follow-up, why it moved": ("follow_up", "follow_up_closer", "Why it moved"),
    "Follow-up, how soon contacted": ("follow_up", "follow_up_closer", "How soon customers are contacted"),
    "Complaints, why it moved": ("complaints", "complaints_closer", "Why it moved"),
    "Complaints, how soon closed": ("complaints", "complaints_closer", "How soon complaints are closed"),
}
"""What a page shows only when it is asked to: the page, the switch, and the word on it."""
PRESETS = ("This quarter", "This month", "Year to date", "Last week", "This week")
REPEATS = 9
"""Changes of each kind on each page; the Period's are five at each of two branches."""
REPEATS_OPENED = 5
PROCESSES = 5
"""Starts of what takes a fresh process each time."""
EXPORTS = 3
VISITS = 10
_APP = ROOT / "app.py"
_EMPTY = Path(__file__).with_name("empty_page.py")
_COLD, _WARM = "not asked before", "asked before"


def start() -> Iterator[Figure]:
    """From the server's process to its first healthy answer."""
    samples = []
    for _ in range(PROCESSES + 1):
        with served(_APP, BANK) as server:
            samples.append(server.start_ms)
    yield Figure("start", "Start", "Server: process → answers", "Median (least–most)", "ms", samples[1:])


def first_page() -> Iterator[Figure]:
    """From the address, in a tab with an empty cache, to the last chart; and the memory that visits leave behind."""
    with screen.chromium() as browser, served(_APP, BANK) as server:
        memory = [server.resident_mb()]
        samples = []
        for _ in range(VISITS):
            with screen.tab(browser) as page:
                samples.append(screen.opened(page, f"{server.address}/?lang=en").ms)
        time.sleep(1)
        memory.append(server.resident_mb())
    column = "Median (least–most)"
    yield Figure("first_page", "Start", "Overview of a fresh server, its first visitor", column, "ms", samples[:1])
    yield Figure("first_page", "Start", "Overview in a fresh tab, later visitors", column, "ms", samples[1:])
    yield Figure("first_page", "Start", "Server's memory after its start", column, "MB", memory[:1])
    yield Figure("first_page", "Start", f"Server's memory after {VISITS} visits", column, "MB", memory[1:])


def changes() -> Iterator[Figure]:
    """From a click on a filter's option, or on a bar, until the last chart and table is painted."""
    places = _places()
    for name, path in PAGES.items():
        # A server of its own for each page: otherwise one page asks before what another is to be asked first.
        with screen.chromium() as browser, served(_APP, BANK) as server, screen.tab(browser) as page:
            found = _changes_of(page, f"{server.address}/{path}", BARS.get(name), places)
            for answers in (_COLD, _WARM):
                for column, (cold, warm) in found.items():
                    samples = cold if answers == _COLD else warm
                    yield Figure(
                        "filter", "Click → all painted", f"{name}, {answers}", column, "ms",
                        [answer.ms for answer in samples], [answer.script for answer in samples],
                    )  # fmt: skip
    with screen.chromium() as browser, served(_EMPTY, BANK) as server, screen.tab(browser) as page:
        screen.opened(page, server.address)
        again = page.get_by_role("button", name="Again").click
        samples = [screen.answered(page, "text", again) for _ in range(REPEATS + 2)][2:]
        yield Figure(
            "empty_page", "Click → all painted", "For comparison: an empty Streamlit page, a button", "Branch", "ms",
            [answer.ms for answer in samples], [answer.script for answer in samples],
        )  # fmt: skip


def opened() -> Iterator[Figure]:
    """From a click on a filter's option until all is painted, on Targets and with more of a page open than at first."""
    places = _places()
    for name, (path, *switch) in OPENED.items():
        with screen.chromium() as browser, served(_APP, BANK) as server, screen.tab(browser) as page:
            found = _filtered(page, f"{server.address}/{path}", places, REPEATS_OPENED, switch)
            for column, (cold, _warm) in found.items():
                yield Figure(
                    "opened", "Click → all painted, not asked before", name, column, "ms",
                    [answer.ms for answer in cold], [answer.script for answer in cold],
                )  # fmt: skip


def _changes_of(page, address: str, bars: str | None, places: dict) -> dict[str, tuple[list[Answer], list[Answer]]]:
    """The answers to each kind of change on one page, those not asked before and those asked before."""
    found = _filtered(page, address, places, REPEATS)
    top, below = places["top"], places["below"]
    drill = tuple([_drilled(page, bars, at, top) for at in range(min(REPEATS, len(below)))] for _ in range(2))
    return found | {"Click on a branch": drill}


def _filtered(
    page, address: str, places: dict, repeats: int, switch: Sequence[str] = ()
) -> dict[str, tuple[list[Answer], list[Answer]]]:
    """The answers to each filter; the page is opened, `switch` (its key and its word) turned, and warmed up."""
    top, further = places["top"], places["further"]
    warm_up, asked = further[:2], further[2 : repeats + 2]
    screen.opened(page, f"{address}?lang=en&branch={warm_up[0][0]}")
    if switch:
        screen.turn(page, *switch)
    screen.choose(page, "branch", warm_up[1][1])
    screen.choose(page, "products", places["products"][-1])
    screen.clear(page, "products")
    screen.choose(page, "period", PRESETS[0])
    screen.choose(page, "period", "Last 12 months")
    screen.choose(page, "branch", top[1])

    branch = tuple([screen.choose(page, "branch", name) for _id, name in asked] for _ in range(2))
    screen.choose(page, "branch", top[1])
    # All products were asked for; each one alone was not.
    product = ([], [])
    for name in places["products"][:repeats]:
        product[0].append(screen.choose(page, "products", name))
        product[1].append(screen.clear(page, "products"))
    period = ([], [])
    for place in (top, warm_up[0]):
        for answers in period:
            answers += [screen.choose(page, "period", preset) for preset in PRESETS]
        screen.choose(page, "period", "Last 12 months")
        screen.choose(page, "branch", warm_up[0][1] if place is top else top[1])
    return {"Branch": branch, "Product": product, "Period": period}


def _drilled(page, bars: str | None, at: int, top: tuple[str, str]) -> Answer:
    """A click that leads to a branch below; and, not counted, the way back."""
    if bars:
        answer = screen.click_bar(page, bars, at)
    else:
        link = page.locator(".st-key-overview_branches tbody th a").nth(at)
        link.scroll_into_view_if_needed()
        answer = screen.answered(page, "branch", link.click)
    up = page.locator(f".st-key-up_{top[0]} button")
    up.scroll_into_view_if_needed()
    screen.answered(page, "branch", up.click)
    return answer


def export() -> Iterator[Figure]:
    """The same rows through the dashboard's export and, bare, through two libraries; each time in a fresh process."""
    ways = {
        "dashboard": "The dashboard: formats, masks, second sheet",
        "xlsxwriter": "XlsxWriter, constant memory, bare cells",
        "openpyxl": "openpyxl, write-only, bare cells",
    }
    table = f"Export of {ROWS:,} rows × 8 columns as XLSX"
    for way, row in ways.items():
        runs = [
            json.loads(
                subprocess.check_output([sys.executable, "-m", "tests.benchmarks.exported", way, str(BANK)], cwd=ROOT)
            )
            for _ in range(EXPORTS)
        ]
        yield Figure("export", table, row, "Time", "ms", [run["ms"] for run in runs])
        yield Figure("export", table, row, "Memory on top", "MB", [run["mb"] for run in runs])


def ask() -> Iterator[Figure]:
    """A question on the command line, in a fresh process each time."""
    command = [
        sys.executable,
        "-m",
        "data_access",
        "ask",
        "cohort_activation_rate,signed",
        "--by",
        "product",
        "--total",
    ]
    samples = []
    for _ in range(PROCESSES + 1):
        began = time.perf_counter()
        subprocess.check_output(command, cwd=ROOT, env=os.environ | {"WAREHOUSE_URL": f"duckdb:///{BANK}"})
        samples.append((time.perf_counter() - began) * 1000)
    yield Figure("ask", "Start", "`ask` in a fresh process", "Median (least–most)", "ms", samples[1:])


BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "start": start,
    "first_page": first_page,
    "ask": ask,
    "filter": changes,
    "opened": opened,
    "export": export,
}


def _places() -> dict:
    """The demo bank's top, the branches just below, those a level further down, and the products: ids and names."""
    with duckdb.connect(str(BANK), read_only=True) as bank:

        def rows(of: str) -> list[tuple[str, str]]:
            return bank.execute(f"SELECT branch_id, name FROM branches WHERE {of} ORDER BY branch_id").fetchall()

        (top,) = rows("parent_id IS NULL")
        products = [name for (name,) in bank.execute("SELECT name FROM products ORDER BY product_id").fetchall()]
        return {
            "top": top,
            "below": rows(f"parent_id = '{top[0]}'"),
            "further": rows("level = 'sub_branch'"),
            "products": products,
        }


def _machine() -> dict[str, object]:
    cpu = next(
        line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    packages = ("streamlit", "duckdb", "pandas", "SQLAlchemy", "altair", "XlsxWriter", "openpyxl")
    with screen.chromium() as browser:
        chromium = browser.version
    return {
        "date": date.today().isoformat(),
        "cpu": cpu.strip(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "system": platform.platform(),
        "load_before": (load := round(os.getloadavg()[0], 1)),
        "load_most": load,
        "versions": {"Python": platform.python_version()}
        | {name: version(name) for name in packages}
        | {"Chromium": chromium},
    }


def main() -> int:
    chosen = os.environ.get("ID", "")
    if chosen and chosen not in BENCHES:
        print(f"There is no bench “{chosen}”. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    if not BANK.exists():
        print("Building the demo bank for the benches.", file=sys.stderr)
        BANK.parent.mkdir(exist_ok=True)
        build(BANK, until=UNTIL)
    machine = _machine()
    figures = []
    for name in [chosen] if chosen else BENCHES:
        for figure in BENCHES[name]():
            figures.append(figure)
            machine["load_most"] = max(machine["load_most"], round(os.getloadavg()[0], 1))
            said = report.shown(figure.samples, figure.unit)
            print(f"{figure.row} · {figure.column}: {said}", file=sys.stderr, flush=True)
    text = "\n\n".join(
        part
        for part in (
            report.tables(figures),
            report.against_goal([figure for figure in figures if figure.bench in ("filter", "opened")]),
            report.machine_said(machine),
        )
        if part
    )
    print(text)
    if not chosen:
        path = report.write_results(RESULTS, machine, figures)
        report.put_into(ROOT / "README.md", text)
        print(f"Written: {path.relative_to(ROOT)}, README.md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
