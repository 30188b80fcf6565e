"""How long it takes to start: P8 and a question on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.benchmarks import screen
from tests.benchmarks.banks import bank
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.served import REPEATS, ROOT, served

_APP = ROOT / "app.py"
PROCESSES = REPEATS
"""Starts of what takes a fresh process each time."""


def start() -> Iterator[Figure]:
    """From the server's process to its first healthy answer."""
    samples = []
    for _ in range(PROCESSES + 1):
        with served(_APP, bank()) as server:
            samples.append(server.start_ms)
    yield Figure("start", "Start", "Server: process → answers", "Median (least–most)", "ms", samples[1:])


def p8() -> Iterator[Claim]:
    """From the server's process to the first page with its numbers, beside `streamlit hello` to its first page."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with screen.chromium() as browser:
        for _ in range(REPEATS + 1):
            for ours in (True, False):  # in turn, so that both meet the same machine
                began = time.perf_counter()
                with served(_APP if ours else None, bank()) as server, screen.tab(browser) as page:
                    screen.opened(page, f"{server.address}/?lang=en")
                    times[ours].append((time.perf_counter() - began) * 1000)
    yield Claim(
        "P8",
        "Start: process → first page with numbers",
        times[True][1:],
        "ms",
        "streamlit hello",
        times[False][1:],
        most=1.5,
    )


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
        subprocess.check_output(command, cwd=ROOT, env=os.environ | {"WAREHOUSE_URL": f"duckdb:///{bank()}"})
        samples.append((time.perf_counter() - began) * 1000)
    yield Figure("ask", "Start", "`ask` in a fresh process", "Median (least–most)", "ms", samples[1:])
