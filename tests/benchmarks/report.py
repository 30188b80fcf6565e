"""Figures as a table for people, and as a file that keeps every sample."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

GOAL_MS = 500
"""No change of a filter is to take longer."""
CHANGES = ("filter", "opened", "P3")
"""The benches whose samples are single changes of a filter."""
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


@dataclass(frozen=True)
class Claim:
    """What a goal is held against: samples of ours beside a peer's of the same run, medians divided; or ours alone.

    `most` is the goal: the ratio, or where there is no peer the value in `unit`, is at most that. With `least` the goal is a speed:
    the ratio is the peer's time over ours, and is at least that.
    """

    id: str
    what: str
    ours: Sequence[float]
    unit: str = "ms"
    peer: str = ""
    theirs: Sequence[float] = ()
    most: float | None = None
    least: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.most is None) == (self.least is None):
            raise ValueError(f"{self.id}, {self.what}: a claim has one goal, `most` or `least`.")
        if bool(self.peer) != bool(self.theirs) or not self.ours:
            raise ValueError(f"{self.id}, {self.what}: a peer has a name and samples, and so have we.")

    @property
    def value(self) -> float:
        """What is held against the goal."""
        if not self.theirs:
            return median(self.ours)
        return median(self.ours) / median(self.theirs) if self.most else median(self.theirs) / median(self.ours)

    @property
    def met(self) -> bool:
        return self.value <= self.most if self.most is not None else self.value >= self.least

    @property
    def goal(self) -> str:
        """The goal as people write it."""
        bound = f"≤ {self.most:,g}" if self.most is not None else f"≥ {self.least:,g}"
        return f"{bound} ×" if self.theirs else f"{bound} {self.unit}".rstrip()


def goals(claims: Sequence[Claim]) -> str:
    """The claims as one Markdown table: ours, the peer's, the ratio, the goal, and whether it is met."""
    if not claims:
        return ""
    rows = [["", "What", "Here", "Beside", "Ratio", "Goal", ""], ["---", "---", "---:", "---:", "---:", "---:", "---"]]
    for claim in claims:
        peer = f"{claim.peer}: {shown(claim.theirs, claim.unit)}" if claim.theirs else ""
        ratio = f"{claim.value:,.2f} ×" if claim.theirs else ""
        said = "met" if claim.met else "**missed**"
        what = f"{claim.what} ({claim.note})" if claim.note else claim.what
        rows.append([claim.id, what, shown(claim.ours, claim.unit), peer, ratio, claim.goal, said])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(samples: Sequence[float], unit: str) -> str:
    """The median, and in brackets the least and the most: “412 ms (380–509)”; from 10 s on in seconds, below 10 with a digit more."""
    scale, unit, digits = (1000, "s", 1) if unit == "ms" and median(samples) >= 10_000 else (1, unit, 0)
    digits = 1 if not digits and median(samples) < 10 and any(value % 1 for value in samples) else digits
    middle, least, most = (f"{value / scale:,.{digits}f}" for value in (median(samples), min(samples), max(samples)))
    return f"{middle} {unit}".rstrip() if len(samples) == 1 else f"{middle} {unit} ({least}–{most})"


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


def machines_said(machines: Iterable[Mapping[str, object]]) -> str:
    """The machines, the days, the versions, and what the banks held that were measured on; a line for each that differs in more than
    its load and its banks."""
    alike: dict[str, list[Mapping[str, object]]] = {}
    for machine in machines:
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        alike.setdefault(
            f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB; {versions}.", []
        ).append(machine)
    said = []
    for what, here in alike.items():
        days = ", ".join(sorted({str(machine["date"]) for machine in here}))
        before, most = (max(machine[load] for machine in here) for load in ("load_before", "load_most"))
        banks = {f" Bank {size}: {held}." for machine in here for size, held in machine.get("banks", {}).items()}
        load = f"Load at most {before} before a part and {most} meanwhile."
        said.append(f"Measured on {days}: {what} {load}{''.join(sorted(banks))}")
    return "\n\n".join(said)


@dataclass(frozen=True)
class Kept:
    """What one part found when it was last measured in full. `machine` holds its date, and what `machines_said` tells; of what was
    kept before that was written down, the date alone."""

    claims: Sequence[Claim]
    figures: Sequence[Figure]
    machine: Mapping[str, object]


def keep(folder: Path, part: str, found: Kept) -> Path:
    """Writes every sample of a part to `folder`/<part>.json, in place of what it found before."""

    def lines(of: Sequence[Figure | Claim], *names: str) -> str:
        rounded = [asdict(one) | {name: [round(v, 1) for v in getattr(one, name)] for name in names} for one in of]
        return ",\n".join(json.dumps(one, ensure_ascii=False) for one in rounded)

    path = folder / f"{part}.json"
    path.write_text(
        f'{{"machine": {json.dumps(found.machine, ensure_ascii=False)},\n'
        f'"claims": [\n{lines(found.claims, "ours", "theirs")}\n],\n'
        f'"figures": [\n{lines(found.figures, "samples", "script")}\n]}}\n'
    )
    return path


def kept(folder: Path, part: str) -> Kept | None:
    """What `keep` wrote of that part; None where it was never measured in full."""
    path = folder / f"{part}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Kept(
        [Claim(**claim) for claim in found["claims"]], [Figure(**f) for f in found["figures"]], found["machine"]
    )


def together(parts: Iterable[Kept]) -> str:
    """What all parts found as one text: the goals, each with the day on which it was measured, the figures, and the machines."""
    parts = list(parts)
    claims = [
        replace(claim, note="; ".join(filter(None, (claim.note, part.machine["date"]))))
        for part in parts
        for claim in part.claims
    ]
    figures = [figure for part in parts for figure in part.figures]
    changes = [figure for figure in figures if figure.bench in CHANGES]
    machines = machines_said(part.machine for part in parts if "versions" in part.machine)
    return "\n\n".join(filter(None, (goals(claims), tables(figures), against_goal(changes), machines)))


def put_into(readme: Path, text: str) -> None:
    """Puts `text` between the two marks of `readme`, in place of what is there. Raises ValueError where a mark is missing."""
    before, begin, rest = readme.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} has no place for the table: write {BEGIN} and {END} on lines of their own.")
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
