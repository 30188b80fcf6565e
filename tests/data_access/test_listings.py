"""Listings: the rows behind a number, in their order, page by page, as long as their list may be used."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse, WarehouseError, Withheld
from measures.catalogue import dimension
from measures.period import Period
from measures.question import ListingQuestion, Order, where
from tests.asking import number, viewer
from tests.bank import BANK, DAYS_OFF, HEAD_OFFICE, PERIOD, write_duckdb


def rows(
    warehouse: Warehouse,
    name: str,
    *,
    branch: str = HEAD_OFFICE,
    chosen: dict[str, tuple[str | None, ...]] | None = None,
    order: tuple[Order, ...] = (),
    period: Period = PERIOD,
    **page: int,
) -> pd.DataFrame:
    asked = _asked(warehouse, name, chosen, order, period)
    return warehouse.listing(asked, viewer(branch), **page)


def _asked(warehouse: Warehouse, name: str, chosen=None, order=(), period=PERIOD) -> ListingQuestion:
    filters = where({dimension(kept): ids for kept, ids in (chosen or {}).items()})
    return ListingQuestion(warehouse.state().catalogue.listing(name), period, filters, order)


def test_overdue_customers_are_the_open_ones_past_their_due_day_the_longest_first(warehouse_on: Warehouse) -> None:
    found = rows(warehouse_on, "overdue_customers")
    assert found["assignment_id"].tolist() == ["s02", "s09", "s03", "s04"]
    assert found["days_overdue"].tolist() == [45, 30, 2, 1]
    assert len(found) == number(warehouse_on, "overdue_assignments")


def test_a_row_says_who_where_and_when(warehouse_on: Warehouse) -> None:
    (row,) = rows(warehouse_on, "overdue_customers", chosen={"outlet": ("1210",)}).to_dict("records")
    assert row == {
        "assignment_id": "s02",
        "customer": "李**",
        "phone": "**34",
        "campaign": "Spring list",
        "product": "Mobile banking",
        "branch": "Park Gate",
        "agent": "Li Wei",
        "assigned_on": pd.Timestamp(2026, 4, 1),
        "due_on": pd.Timestamp(2026, 4, 5),
        "days_overdue": 45,
        "last_contact_on": pd.Timestamp(2026, 4, 6),
    }


def test_overdue_is_seen_from_the_last_day_of_the_period(warehouse_on: Warehouse) -> None:
    then = Period(date(2026, 4, 1), date(2026, 4, 10))
    found = rows(warehouse_on, "overdue_customers", period=then)
    assert found[["assignment_id", "days_overdue"]].to_numpy().tolist() == [["s02", 5]]


# Lists that may no longer be used -------------------------------------------------------------------------------------------

LAST_DAY = date(2099, 12, 31)
"""Of the list l2, from which s04 is; that of the others may always be used."""


@pytest.fixture
def calendar() -> dict[str, date]:
    """The day on which the test looks."""
    return {"today": LAST_DAY}


@pytest.fixture
def looking_on(warehouse_on: Warehouse, calendar: dict[str, date]) -> Iterator[Warehouse]:
    with closing(Warehouse(warehouse_on._url, DAYS_OFF, today=lambda: calendar["today"])) as found:
        yield found


def seen(warehouse: Warehouse, viewer: Viewer, chosen=None, *, clear: bool = False) -> tuple[list[str], int, Withheld]:
    asked = replace(_asked(warehouse, "overdue_customers", chosen), clear=clear)
    listed = warehouse.listing(asked, viewer, limit=10)["assignment_id"].tolist()
    assert warehouse.listing(asked, viewer)["assignment_id"].tolist() == listed
    return listed, warehouse.count(asked, viewer), warehouse.withheld(asked, viewer)


def test_a_list_is_shown_to_nobody_after_its_last_day_and_it_is_told_how_much_is_withheld(
    looking_on: Warehouse, calendar: dict[str, date]
) -> None:
    steward = Viewer("me", HEAD_OFFICE, Role.STEWARD)
    for _ in range(2):  # the second time with answers of both days in the cache
        calendar["today"] = LAST_DAY
        assert seen(looking_on, steward) == (["s02", "s09", "s03", "s04"], 4, (0, 0))
        calendar["today"] += timedelta(days=1)
        for clear in (False, True):
            assert seen(looking_on, steward, clear=clear) == (["s02", "s09", "s03"], 3, (1, 1))
    # How many there are stays known.
    assert number(looking_on, "overdue_assignments") == 4


def test_what_is_withheld_is_told_of_what_the_viewer_would_have_seen(
    looking_on: Warehouse, calendar: dict[str, date]
) -> None:
    calendar["today"] = LAST_DAY + timedelta(days=1)
    assert seen(looking_on, viewer("12")) == (["s02", "s09"], 2, (0, 0))
    assert seen(looking_on, viewer("120")) == (["s03"], 1, (1, 1))
    assert seen(looking_on, viewer("1", "a1")) == (["s02", "s09"], 2, (0, 0))
    assert seen(looking_on, viewer("1", "a2")) == (["s03"], 1, (1, 1))
    assert seen(looking_on, viewer("1"), {"campaign": ("l2",)}) == ([], 0, (1, 1))
    assert seen(looking_on, viewer("1"), {"product": ("mobile",)}) == (["s02", "s09", "s03"], 3, (0, 0))


def test_todays_date_decides_and_not_the_datas(tmp_path: Path) -> None:
    # Both lists were good on the data's date, and l1 is over since; looked at as of a day of then, it is over as well.
    over = {"l1": date(2026, 5, 20), "l2": date(2026, 5, 22)}
    write_duckdb(
        BANK | {"campaigns": [row | {"expires_on": over[row["campaign_id"]]} for row in BANK["campaigns"]]},
        tmp_path / "bank.duckdb",
    )
    with closing(Warehouse(f"duckdb:///{tmp_path / 'bank.duckdb'}", today=lambda: date(2026, 5, 21))) as found:
        assert seen(found, viewer("1")) == (["s04"], 1, (1, 3))
        then = Period(date(2026, 4, 1), date(2026, 4, 10))
        assert rows(found, "overdue_customers", period=then).empty
    with closing(Warehouse(f"duckdb:///{tmp_path / 'bank.duckdb'}")) as found:
        assert seen(found, viewer("1")) == ([], 0, (2, 4))  # without a day it is today's


def test_a_listing_of_no_list_and_a_bank_whose_lists_have_no_last_day_withhold_nothing(own_file: Path) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("ALTER TABLE campaigns DROP expires_on")
    with closing(Warehouse(f"duckdb:///{own_file}", today=lambda: date.max)) as found:
        assert seen(found, viewer("1")) == (["s02", "s09", "s03", "s04"], 4, (0, 0))
        assert found.withheld(_asked(found, "complaint_list"), viewer("1")) == (0, 0)
        assert len(rows(found, "complaint_list")) == 9


# The order and the pages ----------------------------------------------------------------------------------------------------


def test_complaints_are_listed_latest_first_with_their_state(warehouse_on: Warehouse) -> None:
    found = rows(warehouse_on, "complaint_list").set_index("complaint_id")
    assert found.index.tolist() == ["p02", "p10", "p07", "p09", "p08", "p06", "p04", "p05", "p01"]
    assert found["state"].to_dict() == {
        "p01": "closed", "p02": "open", "p04": "closed", "p05": "closed", "p06": "closed",
        "p07": "open", "p08": "past_due", "p09": "open", "p10": "open",
    }  # fmt: skip
    assert found.loc["p02", "received_on"] == pd.Timestamp(2026, 5, 20)
    assert pd.isna(found.loc["p06", "due_on"])


def test_open_complaints_come_next_to_breach_first_and_those_without_a_due_day_last(warehouse_on: Warehouse) -> None:
    found = rows(warehouse_on, "open_complaint_list")
    assert found["complaint_id"].tolist() == ["p08", "p09", "p10", "p02", "p07"]
    assert found["days_left"].tolist()[:4] == [-1, 0, 5, 15]
    assert pd.isna(found["days_left"].iloc[4])


@pytest.mark.parametrize("name", ["overdue_customers", "complaint_list", "open_complaint_list"])
def test_pages_laid_end_to_end_are_the_whole_listing(warehouse_on: Warehouse, name: str) -> None:
    whole = rows(warehouse_on, name)
    pages = [rows(warehouse_on, name, limit=2, offset=start) for start in range(0, len(whole) + 2, 2)]
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), whole)
    assert rows(warehouse_on, name, limit=0).empty
    assert warehouse_on.count(_asked(warehouse_on, name), viewer(HEAD_OFFICE)) == len(whole)


def test_rows_that_are_equal_in_what_is_sorted_by_stand_in_the_listings_own_order(warehouse_on: Warehouse) -> None:
    found = rows(warehouse_on, "complaint_list", order=(Order("cause", descending=False),))
    assert found["complaint_id"].tolist() == ["p04", "p02", "p10", "p05", "p09", "p08", "p06", "p01", "p07"]
    upside_down = rows(warehouse_on, "complaint_list", order=(Order("due_on"),))
    assert upside_down["complaint_id"].tolist()[-2:] == ["p07", "p06"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"product": ("online",)}, ["p10", "p06", "p05"]),
        ({"branch": ("12",), "product": ("mobile",)}, ["p09", "p04"]),
        ({"complaint_state": ("past_due",)}, ["p08"]),
        ({"severity": (None,)}, ["p02", "p07"]),
        ({"outlet": ("12_",)}, ["p10"]),
        ({"below": (None,)}, []),
        ({"agent": (None, "a4")}, ["p02", "p10", "p07", "p08", "p01"]),
        ({"age_band": (None,)}, ["p02"]),
    ],
)
def test_a_listing_is_filtered_as_its_number_is(
    warehouse_on: Warehouse, chosen: dict[str, tuple[str | None, ...]], expected: list[str]
) -> None:
    assert rows(warehouse_on, "complaint_list", chosen=chosen)["complaint_id"].tolist() == expected
    assert number(warehouse_on, "complaints_received", chosen=chosen) == len(expected)


def test_an_empty_listing_has_the_same_columns_and_types(warehouse_on: Warehouse) -> None:
    for name in warehouse_on.state().catalogue.listings:
        empty, full = rows(warehouse_on, name, branch="nowhere"), rows(warehouse_on, name)
        assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_products_are_told_by_family_and_branches_top_down(warehouse_on: Warehouse) -> None:
    assert warehouse_on.products()["product_id"].tolist() == ["card", "mobile", "online", "loan"]
    assert warehouse_on.root() == HEAD_OFFICE
    below = warehouse_on.branches(viewer("12"))
    assert below["branch_id"].tolist() == ["12", "121", "1210", "1211", "12_"]
    assert below["name"].tolist() == ["Riverside", "Park", "Park Gate", "=1+1", '100% O\'Neill "x"']


EVENTS = {
    "Bank-wide": date(2026, 4, 1),
    "Branch": date(2026, 4, 2),
    "Sub-branch": date(2026, 4, 3),
    "Outlet": date(2026, 4, 4),
    "Neighbour": date(2026, 4, 5),
    "Below Riverside": date(2026, 4, 5),
}


@pytest.mark.parametrize(
    ("seen_from", "at", "expected"),
    [
        ("1", "1", list(EVENTS)),
        ("1", "121", ["Bank-wide", "Branch", "Sub-branch", "Outlet"]),
        ("1", "1210", ["Bank-wide", "Branch", "Sub-branch", "Outlet"]),
        # What happened above a viewer's own branch is not theirs to see, nor what happened beside it.
        ("12", "1210", ["Branch", "Sub-branch", "Outlet"]),
        ("12", "12_", ["Branch", "Below Riverside"]),
        ("12", "120", []),
        ("120", "120", ["Neighbour"]),
        ("120", "1", ["Neighbour"]),
        ("12_", "12_", ["Below Riverside"]),
        ("nowhere", "1", []),
        ("1", "nowhere", []),
    ],
)
def test_events_are_those_of_the_branch_and_of_all_above_and_below_it_that_the_viewer_may_see(
    warehouse_on: Warehouse, seen_from: str, at: str, expected: list[str]
) -> None:
    found = warehouse_on.events(PERIOD, at, (), viewer(seen_from))
    assert sorted(found["label"]) == sorted(expected)
    assert {label: EVENTS[label] for label in expected} == dict(
        zip(found["label"], found["happened_on"].dt.date, strict=True)
    )


def test_events_of_a_product_are_those_that_name_it_and_those_that_name_none(warehouse_on: Warehouse) -> None:
    found = warehouse_on.events(PERIOD, "12", ("card", "loan"), viewer("1"))
    assert found["label"].tolist() == ["Bank-wide", "Branch", "Sub-branch", "Outlet"]
    assert found["branch_id"].tolist() == ["1", "12", "121", "1210"]


@pytest.mark.parametrize("lacking", ["events", "happened_on", "product_id"])
def test_a_warehouse_that_keeps_no_events_has_none_and_one_without_products_has_all(
    own_file: Path, lacking: str
) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("DROP TABLE events" if lacking == "events" else f"ALTER TABLE events DROP COLUMN {lacking}")
    found = Warehouse(f"duckdb:///{own_file}").events(PERIOD, "1", ("card",), viewer("1"))
    assert found.columns.tolist() == ["happened_on", "branch_id", "label"]
    assert len(found) == (len(EVENTS) if lacking == "product_id" else 0)


def test_a_stream_hands_on_what_a_listing_has(warehouse_on: Warehouse, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("data_access.warehouse.STREAMED", 2)
    for name in warehouse_on.state().catalogue.listings:
        for scratch in (None, tmp_path):
            question = _asked(warehouse_on, name)
            asked = warehouse_on.asked(question, viewer(HEAD_OFFICE))
            with closing(Warehouse(asked.url)) as elsewhere:
                batches = list(elsewhere.stream(asked, scratch))
            seen = warehouse_on.listing(question, viewer(HEAD_OFFICE))
            assert sum(batch.num_rows for batch in batches) == len(seen)
            streamed = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
            held = [tuple(None if pd.isna(v) else v for v in row) for row in seen.itertuples(index=False, name=None)]
            assert streamed == held


def test_a_stream_is_as_finished_as_what_was_asked_and_can_be_handed_to_another_process(
    warehouse_on: Warehouse,
) -> None:
    asked = warehouse_on.asked(_asked(warehouse_on, "overdue_customers"), viewer("12"))
    again = pickle.loads(pickle.dumps(asked))
    assert again == asked
    with closing(Warehouse(again.url)) as elsewhere:
        found = [row["branch"] for batch in elsewhere.stream(again) for row in batch.to_pylist()]
    assert found == rows(warehouse_on, "overdue_customers", branch="12")["branch"].tolist() != []
    assert "password" not in repr(asked)


def test_a_stream_of_a_warehouse_that_was_loaded_again_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    write_duckdb(BANK, path)
    with closing(Warehouse(f"duckdb:///{path}")) as before, closing(Warehouse(f"duckdb:///{path}")) as after:
        asked = before.asked(_asked(before, "overdue_customers"), viewer(HEAD_OFFICE))
        write_duckdb(BANK, tmp_path / "new.duckdb")
        (tmp_path / "new.duckdb").replace(path)
        for warehouse in (before, after):
            with pytest.raises(WarehouseError, match="New data were loaded meanwhile"):
                next(warehouse.stream(asked))
