"""Figures as a table for people, and as a file that keeps every sample."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

GOAL_MS = 500
"""No change of a filter is to take longer."""
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(frozen=True)
class Figure:
    """What was measured: all samples in `unit` (ms, MB), and the time at which the script was at rest where that is known.

    Figures of one `table` with the same `row` stand beside each other, one in each `column`.
    """

    bench: str
    table: str
    row: str
    column: str
    unit: str
    samples: Sequence[float]
    script: Sequence[float] = field(default=())


def shown(samples: Sequence[float], unit: str) -> str:
    """The median, and in brackets the least and the most: “412 ms (380–509)”; from 10 s on in seconds."""
    scale, unit, digits = (1000, "s", 1) if unit == "ms" and median(samples) >= 10_000 else (1, unit, 0)
    middle, least, most = (f"{value / scale:,.{digits}f}" for value in (median(samples), min(samples), max(samples)))
    return f"{middle} {unit}" if len(samples) == 1 else f"{middle} {unit} ({least}–{most})"


def tables(figures: Sequence[Figure]) -> str:
    """The figures as Markdown tables, in the order in which they come."""
    parts = []
    for title in dict.fromkeys(figure.table for figure in figures):
        here = [figure for figure in figures if figure.table == title]
        columns = list(dict.fromkeys(figure.column for figure in here))
        cells = {(figure.row, figure.column): shown(figure.samples, figure.unit) for figure in here}
        rows = [[title, *columns], ["---", *["---:"] * len(columns)]]
        for row in dict.fromkeys(figure.row for figure in here):
            rows.append([row, *(cells.get((row, column), "") for column in columns)])
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return "\n\n".join(parts)


def against_goal(changes: Iterable[Figure]) -> str:
    """How many of the single changes of a filter took longer than the goal, and which took longest."""
    samples = [(ms, figure) for figure in changes for ms in figure.samples]
    if not samples:
        return ""
    over = sum(ms > GOAL_MS for ms, _figure in samples)
    most, slowest = max(samples, key=lambda sample: sample[0])
    return (
        f"Of {len(samples)} changes {over} took longer than {GOAL_MS} ms; the longest, {most:,.0f} ms, was "
        f"“{slowest.row}”, {slowest.column.lower()}."
    )


def machine_said(machine: Mapping[str, object]) -> str:
    """The machine, the day and the versions in one sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"Measured on {machine['date']}: {machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, "
        f"load {machine['load_before']} before and at most {machine['load_most']} meanwhile; {versions}."
    )


def write_results(folder: Path, machine: Mapping[str, object], figures: Sequence[Figure]) -> Path:
    """Writes the machine and every sample to `folder`/<date>.json, in place of what was measured that day before."""
    rounded = [
        asdict(figure) | {name: [round(value, 1) for value in getattr(figure, name)] for name in ("samples", "script")}
        for figure in figures
    ]
    path = folder / f"{machine['date']}.json"
    lines = ",\n".join(json.dumps(figure, ensure_ascii=False) for figure in rounded)
    path.write_text(f'{{"machine": {json.dumps(machine, ensure_ascii=False)},\n"figures": [\n{lines}\n]}}\n')
    return path


def put_into(readme: Path, text: str) -> None:
    """Puts `text` between the two marks of `readme`, in place of what is there. Raises ValueError where a mark is missing."""
    before, begin, rest = readme.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} has no place for the table: write {BEGIN} and {END} on lines of their own.")
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
