"""How long the files of a meeting take, its answers being there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice

from data_access.access import Role, Viewer
from data_access.meetings import monday_of
from data_access.settings import settings
from data_access.warehouse import Warehouse
from panels import held
from panels.alone import desk_of
from panels.minutes import about_of, minutes_of, title
from panels.papers import PAPERS
from tests.benchmarks.banks import bank
from tests.benchmarks.report import Claim
from tests.benchmarks.served import REPEATS

SLIDES = 15
MEETING_FILES = ("deck", "workbook", "print")


def meeting() -> Iterator[Claim]:
    """Deck, workbook and print of fifteen slides of head office, on ten million contacts."""
    with closing(Warehouse(f"duckdb:///{bank('10M')}", settings().days_off)) as source:
        viewer = Viewer("bench", source.root(), Role.VISITOR)
        desk = desk_of(settings(), source, viewer, "bench", viewer.branch_id, "en", {})
        week = monday_of(desk.state.data_until)
        shown = held.live(desk, None, week)
        shown = list(islice(cycle(shown), SLIDES))  # its own slides, and again from the first
        minutes = minutes_of(desk, title(desk, week), shown, [], about_of(desk, shown))
        for kind in MEETING_FILES:
            paper, samples = PAPERS[kind], []
            for _ in range(REPEATS + 1):
                began = time.perf_counter()
                paper.write(minutes, desk.say)
                samples.append((time.perf_counter() - began) * 1000)
            yield Claim(
                "meeting", f"{paper.program} of {SLIDES} slides, the answers being there", samples[1:], most=5000
            )
