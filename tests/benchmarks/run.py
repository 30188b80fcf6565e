"""Measures what a reader and an operator wait for, beside peers in the same run: `make bench`, or `make bench ID=P1` for one part.

Each part writes every sample to results/<part>.json, and what all parts found last into the README. Nothing is asserted but that
peers give the same numbers: how fast is fast enough depends on the machine. REPEATS=2 tries a part out, and what it finds is written
nowhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import answering, banks, clicks, crowds, loading, meetings, report, starting, writing
from tests.benchmarks.machine import machine
from tests.benchmarks.report import Claim, Figure
from tests.benchmarks.served import IN_FULL, ROOT, end_as_asked

RESULTS = Path(__file__).with_name("results")
BENCHES: dict[str, Callable[[], Iterator[Figure | Claim]]] = {
    "P1": answering.p1,
    "P3": clicks.p3,
    "P4": answering.p4,
    "P5": writing.p5,
    "P6": writing.p6,
    "P7": crowds.p7,
    "P8": starting.p8,
    "P9": loading.p9,
    "ask": starting.ask,
    "first_page": clicks.first_page,
    "opened": clicks.opened,
    "naive": clicks.naive,
    "meeting": meetings.meeting,
}
APART: dict[str, Callable[[], Iterator[Figure | Claim]]] = {
    "start": starting.start,
    "filter": clicks.changes,
    "export": writing.export,
    "browse": clicks.browse,
    "soak": crowds.soak,
}
"""What is run by name alone: it takes long, or is part of another."""
KEPT = ("P1", "superset", *(part for part in BENCHES if part != "P1"), "browse", "soak")
"""What stands in the README, in this order."""


def main() -> int:
    chosen = os.environ.get("ID", "")
    known = BENCHES | APART
    if chosen and chosen not in known:
        print(f"There is no bench “{chosen}”. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    end_as_asked()
    parts = [_measured(part, known[part]) for part in ([chosen] if chosen else BENCHES)]
    print(report.together(parts))
    if IN_FULL:
        report.put_into(
            ROOT / "README.md", report.together(filter(None, (report.kept(RESULTS, part) for part in KEPT)))
        )
        print("Written: README.md", file=sys.stderr)
    return 0


def _measured(part: str, bench: Callable[[], Iterator[Figure | Claim]]) -> report.Kept:
    """What the part finds, said as it is found, and kept where it was measured in full."""
    on, claims, figures = machine(), [], []
    for found in bench():
        on["load_most"] = max(on["load_most"], round(os.getloadavg()[0], 1))
        if isinstance(found, Claim):
            claims.append(found)
            said = report.goals([found]).splitlines()[-1]
        else:
            figures.append(found)
            said = f"{found.row} · {found.column}: {report.shown(found.samples, found.unit)}"
        print(said, file=sys.stderr, flush=True)
    # What a bank is called is what it should hold; what it holds is said too.
    on["banks"] = {size or "small": banks.size_of(path) for size, path in banks.USED.items()}
    kept = report.Kept(claims, figures, on)
    if IN_FULL and part in KEPT:
        report.keep(RESULTS, part, kept)
    return kept


if __name__ == "__main__":
    sys.exit(main())
