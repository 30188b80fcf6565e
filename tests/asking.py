"""Short ways to ask a warehouse in a test."""

from __future__ import annotations

import pandas as pd

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import dimension
from measures.period import Period
from measures.question import Order, Question, where
from tests.bank import HEAD_OFFICE, PERIOD


def viewer(branch: str, agent: str | None = None) -> Viewer:
    return Viewer("tester", branch, Role.AGENT if agent else Role.VISITOR, agent)


def question(
    warehouse: Warehouse,
    measures: str,
    *by: str,
    period: Period = PERIOD,
    chosen: dict[str, tuple[str | None, ...]] | None = None,
    order: tuple[Order, ...] = (),
    **more: object,
) -> Question:
    """A question for measures named with blanks between, by dimensions named one by one."""
    known = warehouse.state().catalogue
    return Question(
        tuple(known.measure(name) for name in measures.split()),
        period,
        tuple(dimension(name) for name in by),
        where({dimension(name): ids for name, ids in (chosen or {}).items()}),
        order=order,
        **more,
    )


def ask(
    warehouse: Warehouse,
    measures: str,
    *by: str,
    branch: str = HEAD_OFFICE,
    agent: str | None = None,
    **more: object,
) -> pd.DataFrame:
    """The answer to `question`, for a viewer of `branch`, or of the own customers of an agent there."""
    return warehouse.fetch(question(warehouse, measures, *by, **more), viewer(branch, agent))


def number(warehouse: Warehouse, measure: str, **more: object) -> float | None:
    """One measure's total, or None where it is missing."""
    (found,) = ask(warehouse, measure, **more)[measure]
    return None if pd.isna(found) else float(found)


def numbers(warehouse: Warehouse, measure: str, by: str, **more: object) -> dict[object, float | None]:
    """One measure by one dimension: a number, or None where it is missing, for each id (None: nothing is recorded)."""
    found = ask(warehouse, measure, by, **more)
    keys = [None if pd.isna(key) else key for key in found[by]]
    return dict(zip(keys, [None if pd.isna(v) else float(v) for v in found[measure]], strict=True))
