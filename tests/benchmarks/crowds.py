"""Many sessions: P7, fifty and two hundred readers who change filters, and a soak with new loads and exports beside them."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median

import duckdb
import numpy as np

from tests.benchmarks.banks import bank
from tests.benchmarks.crowd import Found, Order, asked, started
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.served import MINUTES, REPEATS, ROOT, served

SECONDS = 10.0 * min(9, REPEATS + 1)
"""For how long a crowd changes filters."""
IDLE = 50
STALE_SECONDS = 10
"""A run that begins so long after a load shows that load."""
LOAD_EVERY = 300.0
WATCHED = "complaints?lang=en&period=month&compare=none&branch={branch}"
_APP = ROOT / "app.py"
_EMPTY = Path(__file__).with_name("empty_page.py")


def p7() -> Iterator[Figure | Claim]:
    """Readers who change a filter every five seconds: one, fifty, two hundred; and what an idle session holds."""
    size = os.environ.get("CROWD_BANK", "10M")
    table = f"Readers at once, each with a change every 5 s, {size} contacts"
    for sessions in (1, 50, 200):
        with served(_APP, bank(size)) as server:
            found = asked(server.address, Order(sessions, SECONDS))
            times = [ms for _began, ms, _load in found.runs]
            if not times:
                raise RuntimeError(f"None of {sessions} sessions got an answer: {found.errors[:3]}")
            p95 = float(np.percentile(times, 95))
            row = f"{sessions} sessions, {len(found.runs)} changes"
            yield Figure("P7", table, row, "Half of them within", "ms", [median(times)])
            yield Figure("P7", table, row, "95 of 100 within", "ms", [p95])
            yield Figure("P7", table, row, "Longest", "ms", [max(times)])
            yield Figure("P7", table, row, "Server's memory", "MB", [server.resident_mb()])
            if sessions == 50:
                yield Claim("P7", f"50 sessions, 95 of 100 changes within, {size} contacts", [p95], "ms", most=1_000)
            if sessions > 1:
                note = "; ".join(dict.fromkeys(error.partition(": ")[2] for error in found.errors[:5]))
                yield Claim(
                    "P7", f"{sessions} sessions, errors in {len(found.runs)} changes", [len(found.errors)], "", most=0, note=note
                )  # fmt: skip
    held = {script: _idle_mb(script) for script in (_APP, _EMPTY)}
    more = held[_APP] - held[_EMPTY]
    yield Figure("P7", "Memory of an idle session", "The dashboard", "MB", "MB", [held[_APP]])
    yield Figure("P7", "Memory of an idle session", "An empty Streamlit page", "MB", "MB", [held[_EMPTY]])
    yield Claim("P7", "Memory of an idle session beyond an empty page's", [more], "MB", most=5)


def _idle_mb(script: Path) -> float:
    """Memory for each of `IDLE` sessions that have opened a page and do nothing."""
    with served(script, bank()) as server:
        asked(
            server.address, Order(4, 2, pages=("",), idle=True)
        )  # what the first sessions leave behind is there before
        before = server.resident_mb()
        with started(server.address, Order(IDLE, 600, pages=("",), idle=True)) as crowd:
            if not crowd.all_open():
                raise RuntimeError(f"{IDLE} idle sessions could not be opened.")
            time.sleep(5)
            return (server.resident_mb() - before) / IDLE


def soak() -> Iterator[Figure | Claim]:
    """Fifty readers, two of whom take files, and a new load every five minutes. MINUTES=30 says for how long."""
    seconds = 60 * MINUTES
    size = os.environ.get("SOAK_BANK", "1M")
    every = min(LOAD_EVERY, seconds / 5)
    with _folder() as folder:
        file, base = folder / "bank" / "warehouse.duckdb", bank(size)
        file.parent.mkdir()
        branch, known = _watched(base)
        loads = {0: 0.0}
        _load(base, file, 0, branch)
        temporary = folder / "temporary"
        temporary.mkdir()
        with served(_APP, file, TMPDIR=str(temporary)) as server:
            order = Order(50, seconds, exports=2, watched=WATCHED.format(branch=branch))
            began, memory = time.time(), []
            with started(server.address, order) as crowd:
                while crowd.goes_on():
                    if time.time() - began > every * len(loads) and len(loads) * every < seconds:
                        number = len(loads)
                        _load(base, file, number, branch)
                        loads[number] = time.time()
                    memory.append((time.time() - began, server.resident_mb()))
                    if not server.alive():
                        raise RuntimeError("The server has ended.")
                    time.sleep(2)
                found = crowd.found()
            time.sleep(5)
            left = _left(temporary) + _left(file.parent, file)
        left += [f for f in _left(temporary) + _left(file.parent, file) if f not in left]
    yield from _told(found, loads, known, memory, left, seconds, size)


def _told(
    found: Found, loads: dict[int, float], known: int, memory: list[tuple[float, float]], left: list[str],
    seconds: float, size: str,
) -> Iterator[Figure | Claim]:  # fmt: skip
    title = f"{seconds / 60:.0f} minutes, 50 sessions, {len(loads)} loads, {size} contacts"
    times = [ms for _began, ms, _load in found.runs]
    if not times or not found.watched:
        raise RuntimeError(f"Nothing was measured in the soak: {found.errors[:3]}")
    yield Figure("soak", title, f"{len(times)} changes", "Time", "ms", times)
    yield Figure("soak", title, f"{len(found.files)} files", "Time", "ms", [ms for ms, _bytes in found.files] or [0])
    note = "; ".join(dict.fromkeys(error.partition(": ")[2] for error in found.errors[:5]))
    yield Claim("soak", f"Errors, {title}", [len(found.errors)], "", most=0, note=note)
    old, late = stale(found, loads, known)
    yield Claim(
        "soak",
        f"Answers older than a load {STALE_SECONDS} s ago",
        [len(old)],
        "",
        most=0,
        note="; ".join(old[:2]),
    )
    yield Figure(
        "soak", title, "From a load until it was seen", "Time", "ms", [1000 * seconds for seconds in late] or [0]
    )
    settled = [(at, mb) for at, mb in memory if at > seconds / 3] or memory
    slope = float(np.polyfit(*zip(*settled, strict=True), 1)[0]) * 3600 if len(settled) > 2 else 0.0
    yield Figure("soak", title, "Server's memory", "Held", "MB", [mb for _at, mb in settled])
    growth = abs(slope) * seconds / 3600 / median(mb for _at, mb in settled) * 100
    yield Claim(
        "soak",
        "Memory's slope over the last two thirds, of what is held",
        [growth],
        "%",
        most=10,
        note=f"{slope:+,.0f} MB an hour",
    )
    yield Claim("soak", "Temporary files left", [len(left)], "", most=0, note=", ".join(left[:3]))


def stale(found: Found, loads: dict[int, float], known: int) -> tuple[list[str], list[float]]:
    """The runs that showed an older load than the newest of `STALE_SECONDS` before they began, or its name beside numbers of
    another; and after how many seconds each load was seen first. `known` is the number watched in load 0: each load adds one."""
    old = []
    looks = [(began, load, None) for began, _ms, load in found.runs] + [tuple(look) for look in found.watched]
    for began, load, number in looks:
        due = max(n for n, at in loads.items() if at <= began - STALE_SECONDS)
        if load is None or load < due:
            old.append(f"load {load} where {due} was due")
        elif number is not None and not known + due <= _number(number) <= known + max(loads):
            old.append(f"{number} complaints in load {load} where {known + due} were due")
    first = {
        n: [began for began, load, _number in looks if load is not None and load >= n and began > at]
        for n, at in loads.items()
    }
    return old, [min(first[n]) - at for n, at in loads.items() if n and first[n]]


def _number(shown: str) -> int:
    digits = shown.replace(",", "")
    return int(digits) if digits.isdigit() else -1


def _watched(base: Path) -> tuple[str, int]:
    """An outlet with few complaints this month, and how many: so few that each is shown."""
    with duckdb.connect(str(base), read_only=True) as connection:
        return connection.execute(
            """SELECT branch_id, count(*) FROM complaints JOIN branches USING (branch_id)
               WHERE level = 'outlet' AND received_at >= (SELECT date_trunc('month', min(data_until)) FROM loads
                   WHERE table_name IN ('contracts', 'assignments', 'contacts', 'complaints'))
               GROUP BY ALL ORDER BY abs(count(*) - 5), 1 LIMIT 1"""
        ).fetchone()


def _load(base: Path, file: Path, number: int, branch: str) -> None:
    """Puts a new load into the place of `file`: head office's name says which one, and `branch` has `number` complaints more."""
    fresh = file.with_name("next")
    shutil.copyfile(base, fresh)
    with duckdb.connect(str(fresh)) as connection:
        connection.execute(f"UPDATE branches SET name = 'Load {number} · ' || name WHERE parent_id IS NULL")
        connection.execute("UPDATE loads SET loaded_at = ?", [datetime.now()])
        connection.execute(
            """INSERT INTO complaints BY NAME SELECT * REPLACE (complaint_id || '+' || n AS complaint_id)
               FROM (SELECT * FROM complaints WHERE branch_id = $branch ORDER BY received_at DESC, complaint_id LIMIT 1),
                    range($number) r(n)""".replace("SELECT * REPLACE", "SELECT * EXCLUDE (n) REPLACE"),
            {"branch": branch, "number": number},
        )
    fresh.replace(file)


def _left(folder: Path, *known: Path) -> list[str]:
    return [str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file() and found not in known]


@contextmanager
def _folder() -> Iterator[Path]:
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="soak.") as folder:
        yield Path(folder)
