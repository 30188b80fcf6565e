"""Measures what a reader and an operator wait for, beside peers in the same run: `make bench`, or `make bench ID=P1` for one part.

All parts together write every sample to results/<date>.json and the tables into the README; a single part is printed only. Nothing is
asserted but that peers give the same numbers: how fast is fast enough depends on the machine. REPEATS=2 tries a part out, and what it
finds is written nowhere.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import answering, banks, clicks, crowds, loading, meetings, report, screen, starting, writing
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
KEPT = ("browse", "soak", "superset")
"""What was found in a run of its own is kept, and stands in the table of all."""


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
    known = BENCHES | APART
    if chosen and chosen not in known:
        print(f"There is no bench “{chosen}”. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    end_as_asked()
    machine = _machine()
    figures: list[Figure] = []
    claims: list[Claim] = []
    for name in [chosen] if chosen else BENCHES:
        for found in known[name]():
            machine["load_most"] = max(machine["load_most"], round(os.getloadavg()[0], 1))
            if isinstance(found, Claim):
                claims.append(found)
                said = report.goals([found]).splitlines()[-1]
            else:
                figures.append(found)
                said = f"{found.row} · {found.column}: {report.shown(found.samples, found.unit)}"
            print(said, file=sys.stderr, flush=True)
    # What a bank is called is what it should hold; what it holds is said too.
    machine["banks"] = {size or "small": banks.size_of(path) for size, path in banks.USED.items()}
    if chosen in KEPT and IN_FULL:
        report.keep(RESULTS, chosen, machine["date"], claims)
    elif not chosen:
        claims += [claim for id_ in KEPT for claim in report.kept(RESULTS, id_)]
    text = "\n\n".join(
        part
        for part in (
            report.goals(claims),
            report.tables(figures),
            report.against_goal([figure for figure in figures if figure.bench in ("filter", "opened", "P3")]),
            report.machine_said(machine),
        )
        if part
    )
    print(text)
    if not chosen and IN_FULL:
        path = report.write_results(RESULTS, machine, figures, claims)
        report.put_into(ROOT / "README.md", text)
        print(f"Written: {path.relative_to(ROOT)}, README.md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
