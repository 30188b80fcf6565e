"""Looked at again as of an earlier day: what a warehouse said that was loaded up to then, and nothing that came later."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal
from sqlalchemy.engine import make_url

from data_access import embedded
from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import WHOLE_CONTRACT, catalogue
from measures.model import Measure
from measures.period import Period
from measures.question import QuestionError
from tests import bank
from tests.asking import question, viewer
from tests.bank import BANK, DATA_UNTIL, DAYS_OFF

THEN = date(2026, 5, 10)
PERIOD, BEFORE = Period(date(2026, 4, 1), THEN), Period(date(2026, 2, 20), date(2026, 3, 31))
MEASURES = [measure for measure in catalogue(WHOLE_CONTRACT).measures.values() if measure.has_history]
HAPPENED = {
    "contracts": "signed_on",
    "assignments": "assigned_on",
    "contacts": "contacted_at",
    "complaints": "received_at",
}
BECAME = {"contracts": ("activated_on", "closed_on"), "assignments": ("closed_on",), "complaints": ("closed_at",)}


def day_of(moment: date | datetime | None) -> date:
    return date.min if moment is None else moment.date() if isinstance(moment, datetime) else moment


def known_on(day: date) -> dict[str, bank.Rows]:
    """The test bank as a load up to `day` would have brought it."""
    known = dict(BANK)
    for table, happened in HAPPENED.items():
        known[table] = []
        for row in BANK[table]:
            if day_of(row[happened]) <= day:
                later = {name: None for name in BECAME.get(table, ()) if day_of(row[name]) > day}
                if table == "assignments" and later:
                    later["outcome"] = "open"
                known[table].append(row | later)
    known["loads"] = [row | {"data_until": day} for row in BANK["loads"]]
    return known


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Warehouse]]:
    """The test bank as it is now, and as it was, on each engine."""
    now = request.getfixturevalue(f"{request.param}_warehouse")
    if request.param == "duckdb":
        path = tmp_path_factory.mktemp("then") / "warehouse.duckdb"
        bank.write_duckdb(known_on(THEN), path)
        with closing(Warehouse(f"duckdb:///{path}", DAYS_OFF)) as then:
            yield now, then
        return
    name = f"then_{os.getpid()}_{secrets.token_hex(4)}"
    address = make_url(request.getfixturevalue("postgres_server"))
    server = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = address.set(database=name)
    bank.write_postgres(known_on(THEN), sa.create_engine(url, poolclass=sa.NullPool))
    with closing(Warehouse(url.render_as_string(hide_password=False), DAYS_OFF)) as then:
        yield now, then
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_data_were_at_that_day(both: tuple[Warehouse, Warehouse]) -> None:
    now, then = both
    assert (now.state().data_until, then.state().data_until) == (DATA_UNTIL, THEN)


def test_a_cohort_is_seen_as_it_was_seen_then(both: tuple[Warehouse, Warehouse]) -> None:
    now, then = both
    asked = question(now, "activated mature_signed cohort_activation_rate", "below", "month", period=PERIOD)
    seen_then = then.fetch(asked, viewer("1"))
    for _time in range(2):  # each has an entry of its own among the answers that are kept
        assert_frame_equal(now.fetch(asked, viewer("1"), seen_on=THEN), seen_then)
        assert now.fetch(asked, viewer("1"))["activated"].sum() > seen_then["activated"].sum()


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_every_measure_with_a_history_is_as_it_was(both: tuple[Warehouse, Warehouse], measure: Measure) -> None:
    now, then = both
    for by in ((), ("below",), ("below", "week"), ("product",)):
        try:
            asked = question(now, measure.name, *by, period=PERIOD)
        except QuestionError:
            continue
        assert_frame_equal(
            now.fetch(asked, viewer("1"), seen_on=THEN), then.fetch(asked, viewer("1")), check_exact=True
        )
        if "week" not in by:
            compared = replace(asked, against=BEFORE)
            assert_frame_equal(
                now.fetch(compared, viewer("1"), THEN), then.fetch(compared, viewer("1")), check_exact=True
            )


def test_rollups_of_the_datas_own_date_change_nothing(both: tuple[Warehouse, Warehouse], tmp_path: Path) -> None:
    _now, then = both
    path = tmp_path / "warehouse.duckdb"
    bank.write_duckdb(BANK, path)
    embedded.add_rollups(path)
    with closing(Warehouse(f"duckdb:///{path}", DAYS_OFF)) as rolled:
        assert rolled.state().rollups
        asked = question(rolled, "signed activated complaints_open", "below", period=PERIOD)
        assert_frame_equal(rolled.fetch(asked, viewer("1"), seen_on=THEN), then.fetch(asked, viewer("1")))


def test_a_day_after_the_datas_date_is_that_date(both: tuple[Warehouse, Warehouse]) -> None:
    now, _then = both
    asked = question(now, "mature_signed activated_in_window cohort_activation_rate", period=bank.PERIOD)
    assert_frame_equal(now.fetch(asked, viewer("1"), seen_on=date(2027, 1, 1)), now.fetch(asked, viewer("1")))


def test_small_numbers_are_withheld_as_of_that_day(both: tuple[Warehouse, Warehouse]) -> None:
    now, then = both
    li, quarter = Viewer("li", "1", Role.ANALYST), Period(date(2026, 1, 1), date(2026, 3, 31))
    asked = question(now, "signed activated", "gender", period=quarter)
    assert_frame_equal(now.fetch(asked, li, seen_on=THEN), then.fetch(asked, li))
    now.fetch(asked, li, seen_on=quarter.end)
    with pytest.raises(QuestionError, match="whole quarters that are over"):
        now.fetch(asked, li, seen_on=date(2026, 3, 30))
