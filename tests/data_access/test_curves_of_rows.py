"""Curves from what the warehouse counts by day are those of the rows themselves, worked out here without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES
from measures.dimensions import PRODUCT
from measures.period import Period
from measures.question import Question, QuestionError, where
from measures.schema import metadata
from measures.waits import CLOSING, FIRST_CONTACT, FIRST_USE, Wait, waited
from tests import bank
from tests.asking import ask

WAITS = (FIRST_USE, FIRST_CONTACT, CLOSING)
UNTIL = bank.DATA_UNTIL
PERIOD = Period(UNTIL - timedelta(days=120), UNTIL)
CASES = 400


def later(chance: Random, day: date, *, often: float) -> date | None:
    """A day after `day`, sometimes after the data's date, seldom before `day`; None as often as `often` leaves over."""
    if chance.random() > often:
        return None
    return day - timedelta(days=2) if chance.random() < 0.03 else day + timedelta(days=int(chance.expovariate(0.04)))


def at_noon(day: date | None) -> datetime | None:
    return day and datetime.combine(day, time(12))


def filled(table: str, **values: object) -> dict[str, object]:
    return dict.fromkeys(column.name for column in metadata.tables[table].columns) | values


def rows_of(seed: int) -> tuple[dict[str, bank.Rows], dict[Wait, list[tuple[str, date, date | None, date | None]]]]:
    """Tables of the contract, and for each thing waited for (product, start, event, leaving) of every case in them."""
    chance = Random(seed)
    tables: dict[str, bank.Rows] = {"contracts": [], "assignments": [], "contacts": [], "complaints": []}
    cases: dict[Wait, list] = {wait: [] for wait in WAITS}
    for number in range(CASES):
        product, start = chance.choice(("mobile", "card")), UNTIL - timedelta(days=chance.randrange(120))
        event, left = later(chance, start, often=0.6), later(chance, start, often=0.3)
        common = {"branch_id": "1210", "product_id": product, "customer_id": "c01"}
        tables["contracts"].append(
            filled(
                "contracts",
                contract_id=f"k{number}",
                signed_on=start,
                activated_on=event,
                closed_on=left,
                **common,
            )
        )
        cases[FIRST_USE].append((product, start, event, left))
        tables["assignments"].append(
            filled(
                "assignments",
                assignment_id=f"s{number}",
                campaign_id="l1",
                agent_id="a1",
                assigned_on=start,
                due_on=start,
                closed_on=left,
                outcome="open",
                **common,
            )
        )
        # Two contacts, the later one first: only the first of them is waited for.
        for at, day in enumerate([event and event + timedelta(days=9), event] if event else []):
            tables["contacts"].append(
                filled(
                    "contacts",
                    contact_id=f"x{number}_{at}",
                    assignment_id=f"s{number}",
                    contacted_at=at_noon(day),
                    kind="call",
                    new_customer=False,
                    reached=False,
                    **common,
                )
            )
        cases[FIRST_CONTACT].append((product, start, event, left))
        tables["complaints"].append(
            filled(
                "complaints",
                complaint_id=f"p{number}",
                received_at=at_noon(start),
                closed_at=at_noon(event),
                regulator=False,
                cause="fees",
                channel="app",
                **common,
            )
        )
        cases[CLOSING].append((product, start, event, None))
    return tables, cases


def watched(start: date, event: date | None, left: date | None) -> tuple[int, int]:
    """Days watched, and 1 where it happened: what has not happened by the data's date is watched until it left, or until then."""
    if event is not None and event <= UNTIL:
        return (event - start).days, 1
    return (min(left or UNTIL, UNTIL) - start).days, 0


@pytest.fixture(scope="module", params=[1, 2])
def dirty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, dict]]:
    """A bank in which contracts close before they are used, some days lie in the future and some run backwards."""
    tables, cases = rows_of(request.param)
    known = {name: bank.BANK[name] for name in ("branches", "products", "customers", "agents", "campaigns")}
    loads = [{**bank.BANK["loads"][0], "table_name": name, "data_until": UNTIL} for name in tables]
    path: Path = tmp_path_factory.mktemp("dirty") / "warehouse.duckdb"
    bank.write_duckdb(known | tables | {"loads": loads}, path)
    found = Warehouse(f"duckdb:///{path}", ())
    yield found, cases
    found.close()


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.days.name)
def test_a_curve_of_counts_is_the_curve_of_the_rows(dirty: tuple[Warehouse, dict], wait: Wait) -> None:
    warehouse, cases = dirty
    answer = ask(warehouse, f"{wait.began} {wait.happened}", "product", wait.days.name, period=PERIOD)
    groups = waited(answer, wait, PRODUCT)
    assert {group.id for group in groups} == {"mobile", "card"}
    for group in groups:
        rows = [watched(*case) for product, *case in cases[wait] if product == group.id]
        forward = [row for row in rows if row[0] >= 0]
        assert 0 < group.backwards == len(rows) - len(forward)
        assert group.cases == len(forward)
        expected = SurvfuncRight(np.array([r[0] for r in forward]), np.array([r[1] for r in forward]))
        at = np.searchsorted(group.curve.days, expected.surv_times)
        np.testing.assert_allclose(group.curve.share[at], 1 - expected.surv_prob, atol=1e-12)


def test_no_filter_is_by_days_watched() -> None:
    signed = MEASURES["signed"]
    with pytest.raises(QuestionError, match="days_to_use"):
        Question((signed,), PERIOD, (), where({DIMENSION["days_to_use"]: ("3",)}))
