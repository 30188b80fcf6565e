"""What a reader waits for in Chromium, from a click until all is painted: P3, the run over all pages, and each kind of change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import duckdb

from tests.benchmarks import answering, screen
from tests.benchmarks.banks import bank
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.screen import Answer
from tests.benchmarks.served import REPEATS, ROOT, served

PAGES = {"Overview": "", "Activation": "activation", "Follow-up": "follow_up", "Complaints": "complaints"}
ALL_PAGES = PAGES | {"Targets": "targets", "Explorer": "explorer", "Glossary": "glossary"}
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
REPEATS_OPENED = min(5, REPEATS)
VISITS = 10
LIMIT_MS = 1_000
"""No click on any page of a bank with ten million contacts is to take longer."""
_APP = ROOT / "app.py"
_EMPTY = Path(__file__).with_name("empty_page.py")
_COLD, _WARM = "not asked before", "asked before"


def first_page() -> Iterator[Figure]:
    """From the address, in a tab with an empty cache, to the last chart; and the memory that visits leave behind."""
    with screen.chromium() as browser, served(_APP, bank()) as server:
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


def changes(size: str = "") -> Iterator[Figure]:
    """From a click on a filter's option, or on a bar, until the last chart and table is painted."""
    file = bank(size)
    title = f"Click → all painted{f', {size} contacts' if size else ''}"
    for name, path in PAGES.items():
        for column, (cold, warm) in _found_on(name, path, file).items():
            for answers, samples in ((_COLD, cold), (_WARM, warm)):
                yield Figure(
                    "filter", title, f"{name}, {answers}", column, "ms",
                    [answer.ms for answer in samples], [answer.script for answer in samples],
                )  # fmt: skip
    yield Figure("empty_page", title, "For comparison: an empty Streamlit page, a button", "Branch", "ms", _empty())


def _found_on(name: str, path: str, file: Path) -> dict[str, tuple[list[Answer], list[Answer]]]:
    # A server of its own for each page: otherwise one page asks before what another is to be asked first.
    with screen.chromium() as browser, served(_APP, file) as server, screen.tab(browser) as page:
        return _changes_of(page, f"{server.address}/{path}", BARS.get(name), _places(file))


def _empty() -> list[float]:
    """Milliseconds of an empty page's rerun."""
    with screen.chromium() as browser, served(_EMPTY, bank()) as server, screen.tab(browser) as page:
        screen.opened(page, server.address)
        again = page.get_by_role("button", name="Again").click
        return [screen.answered(page, "text", again).ms for _ in range(REPEATS + 2)][2:]


def p3() -> Iterator[Figure | Claim]:
    """A filter's click on ten million contacts, beside an empty page's rerun and what the page asks; and the same asked before."""
    file = bank("10M")
    empty = _empty()
    yield Figure(
        "empty_page", "Click → all painted, 10M contacts", "An empty Streamlit page, a button", "Branch", "ms", empty
    )
    answers = {page: ms for page, ms, _peer in answering.answered(file, bank(), REPEATS)}
    for name, path in PAGES.items():
        found = _found_on(name, path, file)
        for column, both in found.items():
            for said, samples in zip((_COLD, _WARM), both, strict=True):
                yield Figure(
                    "P3", "Click → all painted, 10M contacts", f"{name}, {said}", column, "ms",
                    [answer.ms for answer in samples], [answer.script for answer in samples],
                )  # fmt: skip
        cold, warm = ([answer.ms for both in found.values() for answer in both[n]] for n in (0, 1))
        floor = [median(empty) + ms for ms in answers[path or "overview"]]
        yield Claim("P3", f"{name}, click → painted, {_COLD}", cold, "ms", "empty page + P1", floor, most=1.5)
        yield Claim("P3", f"{name}, click → painted, {_WARM}", warm, "ms", most=300)


def naive() -> Iterator[Figure]:
    """A page that reads all rows and groups them in pandas: what the server takes for one change of a filter."""
    size = os.environ.get("NAIVE_BANK", "10M")
    runs = max(1, min(3, REPEATS))
    command = [sys.executable, "-m", "tests.benchmarks.naive_page", str(bank(size)), str(runs)]
    found = json.loads(subprocess.check_output(command, cwd=ROOT))
    table = f"Streamlit and pandas, {size} contacts, server alone"
    yield Figure("naive", table, "All rows read and grouped in each run", "Time", "ms", found["read"])
    yield Figure("naive", table, "All rows kept in memory, grouped in each run", "Time", "ms", found["kept"])
    yield Figure("naive", table, "All rows kept in memory, grouped in each run", "Memory", "MB", [found["mb"]])


def browse() -> Iterator[Figure | Claim]:
    """Every page, every period that has a name, at head office and at one outlet, on ten million contacts; nothing asked before."""
    file = bank("10M")
    places = _places(file)
    slowest: list[tuple[float, str]] = []
    with screen.chromium() as browser:
        for name, path in ALL_PAGES.items():
            for where, elsewhere in ((places["top"], places["further"][0]), (places["outlet"], places["further"][1])):
                # A fresh server: no other page has asked anything, and of this page's places each is asked once.
                with served(_APP, file) as server, screen.tab(browser) as page:
                    screen.opened(page, f"{server.address}/{path}?lang=en&branch={elsewhere[0]}")
                    acts = [("branch", where[1], "Last 12 months"), *(("period", preset, preset) for preset in PRESETS)]
                    for picker, option, period in acts:
                        ms = screen.choose(page, picker, option).ms
                        slowest.append((ms, f"{name}, {where[1]}, {period}"))
    slowest.sort(reverse=True)
    times = [ms for ms, _what in slowest]
    for ms, what in slowest[:10]:
        yield Figure(
            "browse", "The slowest of all pages and periods, not asked before", what, "Click → all painted", "ms", [ms]
        )
    over = 100 * sum(ms > LIMIT_MS for ms in times) / len(times)
    yield Figure("browse", "All pages and periods", f"{len(times)} interactions", "Click → all painted", "ms", times)
    yield Claim("browse", f"Slowest of {len(times)} interactions over all pages", times[:1], "ms", most=LIMIT_MS)
    yield Claim("browse", f"Share of interactions above {LIMIT_MS:,} ms", [over], "%", most=0)


def opened() -> Iterator[Figure]:
    """From a click on a filter's option until all is painted, on Targets and with more of a page open than at first."""
    places = _places(bank())
    for name, (path, *switch) in OPENED.items():
        with screen.chromium() as browser, served(_APP, bank()) as server, screen.tab(browser) as page:
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
    repeats = max(2, repeats)  # to choose again what is chosen is no change
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


def _places(file: Path) -> dict:
    """A demo bank's top, the branches just below, those a level further down, an outlet, and the products: ids and names."""
    with duckdb.connect(str(file), read_only=True) as connection:

        def rows(of: str) -> list[tuple[str, str]]:
            return connection.execute(f"SELECT branch_id, name FROM branches WHERE {of} ORDER BY branch_id").fetchall()

        (top,) = rows("parent_id IS NULL")
        products = [name for (name,) in connection.execute("SELECT name FROM products ORDER BY product_id").fetchall()]
        return {
            "top": top,
            "below": rows(f"parent_id = '{top[0]}'"),
            "further": rows("level = 'sub_branch'"),
            "outlet": rows("level = 'outlet'")[0],
            "products": products,
        }
