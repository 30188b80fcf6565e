"""Rates on the pages: bars beside a funnel, a course with its limits, and nothing of a branch that the viewer may not see."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from measures.dimensions import BELOW
from panels import exhibits
from presentation.plain import plain
from tests import bank
from tests.pages.conftest import written

UNTIL = date(2026, 5, 20)
OUTLETS = {"big": (540, 900), "a": (60, 100), "b": (62, 100), "c": (58, 100), "out": (2, 40)}
"""Outlets below 12 beside those of the test bank: activated and signed. `out` is far below the others."""


def charts(reader) -> list[dict[str, list[dict]]]:
    """The tables that each chart on the page is drawn from."""
    return [
        {d.name: pa.ipc.open_stream(d.data.data).read_all().to_pylist() for d in element.proto.datasets}
        for element in reader.app.get("vega_lite_chart")
    ]


def chart_with(reader, *names: str) -> dict[str, list[dict]]:
    """The one chart that has tables of these names."""
    (found,) = [rows for rows in charts(reader) if set(names) <= set(rows)]
    return found


def bars_of(reader) -> list[dict]:
    """The rows of the bars that have intervals."""
    (found,) = [rows["rows"] for rows in charts(reader) if "overall" in rows and "between" in rows["rows"][0]]
    return found


def row_of(table: str, **known: object) -> dict[str, object]:
    return dict.fromkeys(column.name for column in bank.metadata.tables[table].columns) | known


@pytest.fixture(scope="module")
def outlets_url(tmp_path_factory) -> str:
    """The test bank's tree with outlets of different size, contracts of two years, complaints of each month, and events."""
    places = [
        row_of("branches", branch_id=code, name=code.upper(), parent_id="12", level="outlet", path=f"1.12.{code}.")
        for code in OUTLETS
    ]
    contracts = [
        row_of(
            "contracts",
            contract_id=f"{code}{number}",
            customer_id=f"c{number}",
            product_id="mobile",
            branch_id=code,
            signed_on=date(2025, 6, 1) + timedelta(number % 200),
            activated_on=date(2025, 6, 1) + timedelta(number % 200 + 1) if number < activated else None,
        )
        for code, (activated, signed) in OUTLETS.items()
        for number in range(signed)
    ]
    complaints = [
        row_of(
            "complaints",
            complaint_id=f"p{month}-{number}",
            branch_id="big",
            product_id="mobile",
            cause="fees",
            channel="app",
            received_at=datetime(2025 + month // 12, month % 12 + 1, 1 + number % 20, 9),
            regulator=False,
        )
        for month in range(5, 17)
        for number in range(40 if month == 14 else 8)
    ]
    events = [
        row_of("events", happened_on=date(2026, 3, 10), branch_id=code, label=label)
        for code, label in (("1", "Bank-wide"), ("12", "Fault"), ("120", "Harbour closed"), ("a", "Opening"))
    ]
    tables = {"contracts": contracts, "complaints": complaints, "events": events}
    return written(tmp_path_factory.mktemp("outlets"), tables | {"branches": bank.BANK["branches"] + places})


def test_a_rate_is_drawn_as_bars_with_intervals_and_on_wish_as_a_funnel(visit, outlets_url):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20").show("activation")
    assert reader.failures == []
    bars = bars_of(reader)
    assert [row["id"] for row in bars[-1:]] == ["out"] and all(row["high"] > row["low"] for row in bars)
    assert any("Those on one ground" in text.value for text in reader.app.caption)
    reader.turn("activation_branches_view", "funnel")
    assert reader.failures == []
    dots = {row["id"]: row for row in chart_with(reader, "dots")["dots"]}
    assert dots.keys() == OUTLETS.keys()
    assert [id_ for id_, row in dots.items() if row["shape"] != "circle"] == ["out"]
    assert any(text.value.startswith("1 of 5 differs from the average") for text in reader.app.caption)
    assert any("OUT (5.0 %) stands out from the average" in text for text in reader.texts)


def test_the_choice_of_the_funnel_is_remembered(visit, outlets_url):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20").show("activation")
    reader.turn("activation_branches_view", "funnel").show("complaints").show("activation")
    assert chart_with(reader, "dots")["dots"]


def test_of_too_few_units_there_is_a_sentence_instead_of_a_funnel(visit, outlets_url):
    reader = visit(outlets_url, branch="1", period="2025-06-01..2026-05-20").show("activation")
    reader.turn("activation_branches_view", "funnel")
    assert reader.failures == []
    assert any("there is no funnel to draw" in text.value for text in reader.app.caption)


def test_an_outlet_is_marked_among_its_neighbours(visit, outlets_url):
    reader = visit(outlets_url, branch="a", period="2025-06-01..2026-05-20").show("activation")
    bars = bars_of(reader)
    assert {row["id"] for row in bars} == OUTLETS.keys()
    (marked,) = {row["tint"] for row in bars if row["id"] == "a"}
    assert [row["id"] for row in bars if row["tint"] == marked] == ["a"]
    assert any(text.value == plain("A beside its neighbours below Riverside (12).") for text in reader.app.caption)
    reader.turn("activation_branches_view", "funnel")
    assert [row["id"] for row in chart_with(reader, "dots")["dots"] if row["ring"] != "transparent"] == ["a"]


def test_an_outlet_has_no_neighbours_for_a_viewer_who_sees_nothing_else(visit, outlets_url):
    reader = visit(outlets_url, period="2025-06-01..2026-05-20").choose("view_as", "a").show("activation")
    assert reader.failures == []
    bars = bars_of(reader)
    assert len(bars) == 1 and not any("neighbours" in text.value for text in reader.app.caption)
    reader.show("complaints")
    assert "Opening" in json.dumps(charts(reader)) and "Fault" not in json.dumps(charts(reader))


def test_complaints_have_limits_and_the_month_outside_is_told_beside_what_happened(visit, outlets_url):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20").show("complaints")
    assert reader.failures == []
    chart = chart_with(reader, "limits")
    assert [row["title"] for row in chart["points"] if row["mark"] != "circle"] == ["Mar 2026"]
    assert [row["title"] for row in chart["points"] if row["part"] == "open"] == ["Apr 2026", "May 2026, not complete"]
    assert any("Mar 2026 lies above what chance explains" in text.value for text in reader.app.caption)
    (event,) = chart["events"]
    assert event["said"] == "Bank-wide (Head office) · Fault (Riverside (12)) · Opening (A)"


def test_limits_come_from_the_days_in_the_address_and_stay_there(visit, outlets_url):
    whole = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20").show("complaints")
    before = {row["upper"] for row in chart_with(whole, "limits")["limits"]}
    own = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20", baseline="2025-06-01..2026-02-28")
    own.app.switch_page("complaints.py")
    own.app.query_params["baseline"] = "2025-06-01..2026-02-28"
    own.app.run()
    assert own.failures == []
    after = {row["upper"] for row in chart_with(own, "limits")["limits"]}
    assert max(after) < max(before)  # without March, of which 40 were received
    assert own.app.query_params["baseline"] == "2025-06-01..2026-02-28"
    assert any("Limits from" in text.value for text in own.app.caption)


@pytest.mark.parametrize("written_days", ["x", "2026-02-28..2025-06-01", "2025-06-01", "0001-01-01..9999-12-31"])
def test_days_that_mean_nothing_leave_the_limits_to_all_steps(visit, outlets_url, written_days):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20")
    reader.app.switch_page("complaints.py")
    reader.app.query_params["baseline"] = written_days
    reader.app.run()
    assert reader.failures == []
    assert "baseline" not in reader.app.query_params
    assert not any("Limits from" in text.value for text in reader.app.caption)


def test_days_picked_for_the_limits_are_written_to_the_address_and_emptied_again(visit, outlets_url):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20").show("complaints")
    reader.app.date_input(key="baseline").set_value((date(2025, 6, 1), date(2026, 2, 28))).run()
    assert reader.app.query_params["baseline"] == "2025-06-01..2026-02-28"
    assert reader.show("activation").failures == [] and "baseline" not in reader.app.query_params
    assert reader.show("complaints").app.query_params["baseline"] == "2025-06-01..2026-02-28"
    reader.app.date_input(key="baseline").set_value(()).run()
    assert reader.failures == [] and "baseline" not in reader.app.query_params


@pytest.fixture(scope="module")
def calls_url(tmp_path_factory) -> str:
    """A bank that has contacts and nothing else: 400 in each of three months, and 13 in February."""
    calls = [
        row_of(
            "contacts",
            contact_id=f"k{month}-{number}",
            customer_id=f"c{number}",
            product_id="mobile",
            branch_id="12",
            contacted_at=datetime(2026, month, 1 + number % 20, 9),
            kind="call",
            reached=True,
            new_customer=False,
            outcome="signed" if number < signed else "refused",
        )
        for month, number_of, signed in ((1, 400, 80), (2, 13, 12), (3, 400, 160), (4, 100, 20))
        for number in range(number_of)
    ]
    return written(tmp_path_factory.mktemp("calls"), {"contacts": calls})


def test_a_rate_over_time_stands_in_its_interval_and_a_month_of_thirteen_calls_beside_the_line(visit, calls_url):
    reader = visit(calls_url, branch="1", period="2026-01-01..2026-05-20", lang="en").show("follow_up")
    assert reader.failures == []
    chart = chart_with(reader, "bands")
    assert [row["title"] for row in chart["points"] if row["few"]] == ["Feb 2026"]
    assert [row["value"] for row in chart["points"]] == [0.2, None, 0.4, 0.2]
    widths = {row["day"]: row["upper"] - row["lower"] for row in chart["bands"]}
    march, april = sorted(widths)
    assert widths[april] > widths[march]  # a quarter of the calls
    whiskers = sorted(chart["whiskers"], key=lambda row: row["day"])
    assert [round(row["upper"] - row["lower"], 2) for row in whiskers] == [0.08, 0.32]
    assert any("1 stands for fewer than 30 (Contacts): hollow, beside the line." in t.value for t in reader.app.caption)
    assert any("From 20.0 % in Jan 2026 to 20.0 % in Apr 2026" in text for text in reader.texts)


def test_months_in_order_give_no_rank_to_one_of_thirteen_calls_though_it_is_the_highest(visit, calls_url):
    reader = visit(calls_url, branch="1", period="2026-01-01..2026-05-20", lang="en").show("follow_up")
    reader.turn("contact_views", "contact_months")
    assert reader.failures == []
    bars = bars_of(reader)
    assert [row["title"] for row in bars] == ["Mar 2026", "Apr 2026", "Jan 2026", "Feb 2026"]
    assert bars[-1]["place"] == "none: too few"
    assert any("Mar 2026 (40.0 %) is highest" in text for text in reader.texts)


def test_the_course_of_complaints_is_that_of_the_rate_picked_and_limits_are_drawn_for_events_only(visit, outlets_url):
    reader = visit(outlets_url, branch="12", period="2025-06-01..2026-05-20", lang="en").show("complaints")
    picker = reader.app.selectbox(key="complaints_trend_measure")
    # Of customers only today's number is known: by month there is no rate per 10,000 of them.
    assert picker.options == [
        "Per 1,000 contracts",
        "Closed on time, share",
        "Repeated, share",
        "From the regulator, share",
    ]
    assert chart_with(reader, "limits")
    reader.choose("complaints_trend_measure", "complaints_regulator_share")
    assert reader.failures == [] and chart_with(reader, "bands")["whiskers"]
    assert not [rows for rows in charts(reader) if "limits" in rows]
    assert reader.app.selectbox(key="complaints_trend_measure").value == "complaints_regulator_share"
    assert any("From the regulator, share · Month" in text for text in reader.texts)
    reader.choose("complaints_trend_measure", "complaints_per_1000_contracts")
    assert reader.failures == [] and chart_with(reader, "limits")


@pytest.mark.parametrize(
    ("days", "told"),
    [("2026-04-01..2026-04-20", []), ("2026-04-01..2026-04-21", ["20 Apr 2026"])],
    ids=["old", "young"],
)
def test_branches_of_which_one_may_have_more_young_cases_are_not_compared_without_saying_so(
    visit, whole_url, days, told
):
    desk = visit(whole_url, lang="en", period=days).app.session_state["desk"]
    shown = exhibits.compared(desk, "coverage", BELOW)
    said = [note for note in shown.notes if note.startswith("More is still to come")]
    assert [note.partition("after ")[2].partition(":")[0] for note in said] == told
    counted = exhibits.compared(desk, "contacts", BELOW)
    assert not any(note.startswith("More is still to come") for note in counted.notes)
