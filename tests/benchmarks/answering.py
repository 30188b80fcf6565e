"""P1 and P4: all questions of a page under changed filters, none asked before, beside the same numbers by hand-written SQL."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from data_access.settings import settings
from data_access.warehouse import Warehouse
from measures.model import Ratio
from measures.question import BEFORE, Question
from tests.benchmarks import peers
from tests.benchmarks.banks import bank
from tests.benchmarks.pages_asked import PAGES, head_office, questions, under
from tests.benchmarks.report import Claim
from tests.benchmarks.served import REPEATS

LEVELS = ("branch", "sub_branch", "head_office")
KINDS = 6
"""A change is of one of so many kinds: of each level, with all products and with one. A running server has been asked all of them."""
CONNECTIONS = 2
"""Statements at once: the best for the peer on two cores, where more take longer and one leaves a core idle between them."""


@dataclass(frozen=True)
class Change:
    """One change of the filters: the questions of each page, and what the peers are asked."""

    questions: dict[str, list[Question]]
    asked: peers.Asked


def changes(bank: Path, small: Path, repeats: int) -> list[Change]:
    """The first `KINDS` are for warming up, one of each kind. Branches of all levels, with all products and with one.

    The pages run on the bank at `small`, once for each kind of change: what they ask is then asked of the bank at `bank`.
    """
    warehouse = Warehouse(f"duckdb:///{bank}")
    state, products = warehouse.state(), sorted(warehouse.products()["product_id"])
    branches = warehouse.branches(head_office(warehouse)).sort_values("branch_id")
    warehouse.close()
    level = {of: list(branches.loc[branches["level"] == of, "branch_id"]) for of in LEVELS}
    recorded: dict[tuple[str, bool], dict[str, list[Question]]] = {}
    found = []
    for number in range(KINDS + repeats):
        of = LEVELS[number % len(LEVELS)]
        place = level[of][number // len(LEVELS) % len(level[of])]
        turn = number // len(LEVELS)
        # Head office is measured once with all products, and then with one after the other: what was asked before is known.
        chosen = (products[turn % len(products)],) if turn % 2 or (turn > 2 and of == "head_office") else ()
        if (of, bool(chosen)) not in recorded:
            recorded[of, bool(chosen)] = questions(small, _query(small, of, chosen))
        asked = {page: under(each, place, chosen) for page, each in recorded[of, bool(chosen)].items()}
        compared = next(q for q in asked["complaints"] if q.against)
        given = peers.Asked(
            path=state.paths[place],
            products=chosen,
            period=compared.period,
            against=compared.against,
            data_until=state.data_until,
            days_off=settings().days_off,
            top=of == "head_office",
        )
        found.append(Change(asked, given))
    return found


def _query(small: Path, level: str, products: Sequence[str]) -> dict[str, str]:
    """An address of the bank at `small` with a branch of `level`, twelve months and the twelve before."""
    with duckdb.connect(str(small), read_only=True) as connection:
        (branch,) = connection.execute("SELECT min(branch_id) FROM branches WHERE level = ?", [level]).fetchone()
    query = {"branch": branch, "period": "12_months", "compare": "last_year"}
    return query | ({"product": ",".join(products)} if products else {})


def ours(warehouse: Warehouse, asked: Sequence[Question]) -> tuple[float, list[pd.DataFrame]]:
    """Milliseconds for all answers, and the answers."""
    viewer = head_office(warehouse)
    began = time.perf_counter()
    warehouse.fetch_ahead(asked, viewer)
    answers = [warehouse.fetch(question, viewer) for question in asked]
    return (time.perf_counter() - began) * 1000, answers


def by_hand(
    connections: Sequence[duckdb.DuckDBPyConnection], page: str, asked: peers.Asked
) -> tuple[float, peers.Cells]:
    """Milliseconds for all of the page's statements, the longest first, and what they found."""
    scans = peers.PEERS[page]
    texts = [scan.text(asked) for scan in scans]
    waiting = list(connections)

    def run(text: str) -> list[tuple]:
        connection = waiting.pop()
        try:
            return connection.execute(text).fetchall()
        finally:
            waiting.append(connection)

    with ThreadPoolExecutor(len(connections)) as pool:
        began = time.perf_counter()
        rows = list(pool.map(run, texts))
        ms = (time.perf_counter() - began) * 1000
    cells: peers.Cells = {}
    for scan, found in zip(scans, rows, strict=True):
        for of, numbers in scan.cells(asked, found).items():
            cells.setdefault(of, {}).update(numbers)
    return ms, cells


def compared(asked: Sequence[Question], answers: Sequence[pd.DataFrame], cells: peers.Cells) -> int:
    """How many numbers of the answers are the same in `cells`. Raises RuntimeError for the first that is another or is missing."""
    same = 0
    for question, answer in zip(asked, answers, strict=True):
        rows = answer.to_dict("records")
        found = [{d.name: _key(row[d.name]) for d in question.by} for row in rows]
        counted = {
            count for measure in question.measures for count in measure.counts if count.dimensions >= {*question.by}
        }
        grain = frozenset(d.name for d in question.by)
        by_hand_ = set().union(*(cells.get((count.name, grain, False), {}) for count in counted))
        if grain and by_hand_ != {frozenset(at.items()) for at in found}:
            other = by_hand_ ^ {frozenset(at.items()) for at in found}
            raise RuntimeError(
                f"{question.measures[0].name} by {question.by}: {len(other)} rows are not in both: {list(other)[:3]} …"
            )
        for row, at in zip(rows, found, strict=True):
            for measure in question.measures:
                for ending in ("", BEFORE) if question.against else ("",):
                    if ending and (not measure.has_history or pd.isna(row[measure.name + ending])):
                        continue  # what is not known is left open by the warehouse, whatever is counted
                    expected = _value(measure, question, at, bool(ending), cells)
                    if not _alike(row[measure.name + ending], expected):
                        raise RuntimeError(
                            f"{measure.name}{ending} at {at}: {row[measure.name + ending]}, and by hand {expected}"
                        )
                    same += 1
    return same


def _value(measure, question: Question, at: dict, before: bool, cells: peers.Cells) -> object:
    def counted(count) -> object:
        keys = {name: at[name] for name in (d.name for d in question.by) if measure is count or _splits(count, name)}
        grain = (count.name, frozenset(keys), before)
        if (count.name, frozenset(keys), False) not in cells:
            raise RuntimeError(f"By hand {count.name} is not counted by {sorted(keys) or 'nothing'}.")
        found = cells.get(grain, {}).get(frozenset(keys.items()))
        return count.absent if found is None else found

    if not isinstance(measure, Ratio):
        return counted(measure)
    over, under = counted(measure.over), counted(measure.under)
    return None if over is None or not under else float(over) * measure.per / float(under)


def _splits(count, dimension: str) -> bool:
    return dimension in {d.name for d in count.dimensions}


def _key(value: object) -> object:
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    return value.date() if isinstance(value, pd.Timestamp) else value


def _alike(ours: object, theirs: object) -> bool:
    if pd.isna(ours) or theirs is None:
        return pd.isna(ours) and theirs is None
    return math.isclose(float(ours), float(theirs), rel_tol=1e-9)


def answered(bank: Path, small: Path, repeats: int) -> Iterator[tuple[str, list[float], list[float]]]:
    """For each page the milliseconds of each change, ours and by hand, taken in turn; the first of each kind warm up, and what was
    found for them is forgotten."""
    asked = changes(bank, small, repeats)
    connection = duckdb.connect(str(bank), read_only=True)
    connections = [connection.cursor() for _ in range(CONNECTIONS)]
    warehouse = Warehouse(f"duckdb:///{bank}", settings().days_off)
    warehouse.state()
    try:
        for page in PAGES:
            ours_ms, peers_ms = [], []
            for number, change in enumerate(asked):
                if number == KINDS:
                    warehouse._answers.clear()
                theirs, cells = by_hand(connections, page, change.asked)
                mine, answers = ours(warehouse, change.questions[page])
                compared(change.questions[page], answers, cells)
                ours_ms.append(mine)
                peers_ms.append(theirs)
            yield page, ours_ms[KINDS:], peers_ms[KINDS:]
    finally:
        warehouse.close()
        connection.close()


def p1() -> Iterator[Claim]:
    """All questions of a page under changed filters, none asked before, on ten million contacts."""
    for page, ms, peers_ms in answered(bank("10M"), bank(), REPEATS):
        yield Claim("P1", f"All answers of {page}, 10M contacts", ms, "ms", "by hand", peers_ms, most=1.3)


def p4() -> Iterator[Claim]:
    """The same on a hundred million contacts beside one million."""
    sizes = os.environ.get("SIZES", "1M,10M,100M").split(",")
    times = {size: {page: ms for page, ms, _peer in answered(bank(size), bank(), REPEATS)} for size in sizes}
    for size in sizes[1:]:
        for page in PAGES:
            yield Claim(
                "P4", f"All answers of {page}, {size} contacts", times[size][page], "ms",
                sizes[0], times[sizes[0]][page], most=3.0,
            )  # fmt: skip
