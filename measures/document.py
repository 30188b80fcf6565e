"""Writes MEASURES.md, the catalogue for people to read, from what is declared: `python -m measures.document [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from measures.catalogue import DIMENSION, LISTINGS, MEASURES
from measures.dimensions import OF_CUSTOMERS, OF_PRODUCTS, TIME, branch_keys
from measures.model import Better, Count, Dimension, Fact, Listing, Measure, Placed, Ratio, Unit

FILE = Path(__file__).resolve().parent.parent / "MEASURES.md"

_UNITS = {
    Unit.COUNT: "a count",
    Unit.SHARE: "a share, shown as a percentage",
    Unit.RATE: "a rate",
    Unit.DAYS: "days",
    Unit.INDEX: "an index; 1.00 is on pace",
    Unit.AMOUNT: "a number, with decimals",
}
_BETTER = {Better.HIGHER: "higher is better", Better.LOWER: "lower is better", Better.NEITHER: "neither way is better"}
_PLACED = {
    Placed.EVENT: "what happened in the period",
    Placed.BALANCE: "as it stands on the period's last day; never added up over days",
    Placed.SNAPSHOT: "as it stands on the data's date, whatever the period",
}

_GROUPS = {
    "place": frozenset(branch_keys()),
    "product": frozenset(OF_PRODUCTS),
    "customer": frozenset(OF_CUSTOMERS),
    "time": frozenset(TIME),
}
"""Dimensions that are nearly always kept together, under the word that stands for them in a measure's list."""


def document() -> str:
    """The text of MEASURES.md for the measures, dimensions and listings declared now."""
    return "\n".join(_lines())


def main(arguments: list[str] | None = None) -> int:
    """Writes MEASURES.md, or with `--check` compares it. Returns the exit code: 1 when it is stale."""
    parser = argparse.ArgumentParser(
        prog="python -m measures.document", description="Writes MEASURES.md from the measures that are declared."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when MEASURES.md is stale")
    if not parser.parse_args(arguments).check:
        FILE.write_text(document(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != document():
        print("MEASURES.md is stale; run “python -m measures.document” and commit what it writes.", file=sys.stderr)
        return 1
    return 0


def _lines() -> Iterator[str]:
    yield "# Measures"
    yield ""
    yield "Written by `python -m measures.document` from the declarations in `measures/`; change those, not this file."
    yield ""
    yield (
        "Every number on a screen or in a file is one of these measures, asked of the warehouse at the grain that is shown. "
        "A total is asked anew, never added up from what is seen. Ratios are divided last, after both counts are known for "
        "the group. `python -m data_access ask NAME` asks for one without a browser."
    )
    yield ""
    yield (
        "A viewer sees the rows booked at or below their own branch. An agent sees of these the own customers alone: of "
        "contracts, their use and complaints those of the customers whom the agent looks after (not the complaints about the "
        "agent); of follow-up the customers given to the agent and the contacts that the agent made; of targets those set for "
        "the agent. What is of no agent is shown to no agent, and so are events. Branches and products have names for everybody."
    )
    for family in dict.fromkeys(measure.family for measure in MEASURES.values()):
        yield from ("", f"## {family}")
        for measure in MEASURES.values():
            if measure.family == family:
                yield from _measure(measure)
    yield from (
        "",
        "## Dimensions",
        "",
        "What measures are split and filtered by. Above, a word stands for several:",
        "",
    )
    for word, group in _GROUPS.items():
        yield f"- {word}: {', '.join(f'`{name}`' for name, dimension in DIMENSION.items() if dimension in group)}"
    yield ""
    yield from ("| name | shown as | values |", "| --- | --- | --- |")
    for dimension in DIMENSION.values():
        yield f"| `{dimension.name}` | {dimension.label} | {_values(dimension)} |"
    yield from ("", "## Listings", "", "Rows instead of numbers.")
    for listing in LISTINGS.values():
        columns = ", ".join(column.label + (" (masked)" if column.personal else "") for column in listing.columns)
        yield from ("", f"### {listing.label} · `{listing.name}`", "", listing.meaning, "")
        yield f"- columns: {columns}"
        yield f"- to an agent: {_of_an_agent(listing.fact)}"
        if listing.fact.customer_list is not None:
            yield "- left out, and told how many: rows of a list after the last day on which it may be used"
        yield f"- needs: {_needs(listing)}"
    yield ""


def _measure(measure: Measure) -> Iterator[str]:
    yield from ("", f"### {measure.label} · `{measure.name}`", "", measure.meaning, "")
    yield f"- {_UNITS[measure.unit]}; {_BETTER[measure.better]}"
    if isinstance(measure, Ratio):
        per = f", × {measure.per:,}" if measure.per != 1 else ""
        yield f"- {_count(measure.over)} ÷ {_count(measure.under)}{per}"
        if measure.spans:
            yield f"- not narrowed in what it is divided by: {_names(measure.spans)}"
    for grain, placed in dict.fromkeys((count.fact.grain, count.fact.placed) for count in measure.counts):
        yield f"- a row counted is {grain}; {_PLACED[placed]}"
    yield f"- to an agent: {'; '.join(dict.fromkeys(_of_an_agent(count.fact) for count in measure.counts))}"
    if not measure.has_history:
        yield "- known for the data's date alone: it has no series over time"
    if isinstance(measure, Count) and not measure.adds_up:
        yield "- its parts do not add up to the whole"
    yield f"- split by: {_names(measure.dimensions)}"
    yield f"- needs: {_needs(measure)}"
    for other in dict.fromkeys(count.otherwise for count in measure.counts if count.otherwise):
        yield f"- where the warehouse lacks that: {_needs(other)}"


def _of_an_agent(fact: Fact) -> str:
    if fact.agent is None:
        return "nothing"
    (told,) = fact.agent.base_columns  # that of a sub-query knows its table through the column that it stands for
    return f"the rows whose `{told.table.name}.{told.name}` is the agent"


def _count(count: Count) -> str:
    """A count that is a measure of its own is named; one that only serves a ratio has no more than its label."""
    return f"{count.label} (`{count.name}`)" if count.name in MEASURES else count.label


def _names(dimensions: frozenset[Dimension]) -> str:
    words = [word for word, group in _GROUPS.items() if group <= dimensions]
    grouped = frozenset().union(*(_GROUPS[word] for word in words))
    return ", ".join(
        [*words, *(f"`{name}`" for name, dimension in DIMENSION.items() if dimension in dimensions - grouped)]
    )


def _values(dimension: Dimension) -> str:
    if dimension.values:
        return ", ".join(f"`{code}` {label}" for code, label in dimension.values.items())
    if dimension.in_tree:
        return "ids of `branches`; a filter takes the whole sub-tree"
    if dimension.elapsed:
        return "whole days: watched until it happened or could no longer be seen, or of a target's time; for curves, no filter"
    return "the first day of each" if dimension.step else "as the data have them"


def _needs(of: Measure | Listing) -> str:
    tables: dict[str, list[str]] = {}
    for table, column in sorted(of.needs):
        tables.setdefault(table, []).append(column)
    return "; ".join(f"`{table}` ({', '.join(columns)})" for table, columns in tables.items())


if __name__ == "__main__":
    sys.exit(main())
