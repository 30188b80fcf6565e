"""The page of targets: whose, until when, by which clock; a click leads down, and where there is none it is said why."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pyarrow as pa
import pytest

from tests import bank
from tests.pages.conftest import Visit, written

SIGNED = "targets_signed"


def bars(reader: Visit) -> pd.DataFrame:
    """The rows of the one bullet chart of the page; none where there is none."""
    found = [
        pa.ipc.open_stream(dataset.data.data).read_pandas()
        for chart in reader.app.get("vega_lite_chart")
        for dataset in chart.proto.datasets
        if dataset.name == "rows"
    ]
    assert len(found) <= 1
    return found[0] if found else pd.DataFrame({"title": []})


def headline(reader: Visit) -> str:
    return next(text for text in reader.texts if "class=finding" in text)


def cells(reader: Visit, table: str = SIGNED) -> list[dict[str, str]]:
    found = reader.tables[table]
    names = [column["name"] for column in found["columns"]]
    return [dict(zip(names, row["cells"], strict=True)) for row in found["rows"]]


def test_all_branches_stand_in_the_order_of_the_chance_to_miss_and_the_chart_has_the_same(visit, demo_url):
    reader = visit(demo_url, lang="en").show("targets")
    assert reader.failures == []
    rows = cells(reader)
    assert len(rows) > 8 and bars(reader)["title"].tolist() == [row["below_name"] for row in rows]
    chances = [float(row["missing"].rstrip(" %")) for row in rows]
    assert chances == sorted(chances, reverse=True)
    assert "branches" in headline(reader) and "Targets for Apr – Jun 2026, looked at on 20 May 2026" in headline(reader)


def test_what_is_reached_and_aimed_at_is_what_the_explorer_says(visit, demo_url):
    reader = visit(demo_url, lang="en").show("targets")
    mine = {row["below_name"]: row for row in cells(reader)}
    reader.app.query_params.update({"measures": "signed_toward_target,signed_target,signed_pace", "by": "below"})
    reader.show("explorer")
    (name,) = reader.tables
    theirs = {row["below_name"]: row for row in cells(reader, name)}
    assert mine.keys() == theirs.keys()
    for branch, row in mine.items():
        for column, other in (
            ("signed_target", "signed_target"),
            ("signed_toward_target", "signed_toward_target"),
            ("index", "signed_pace"),  # worked out apart from ours, by the statement, from the same calendar
        ):
            assert row[column] == theirs[branch][other], (branch, column)


def test_the_clock_changes_what_is_due_but_not_what_is_reached_or_needed(visit, demo_url):
    reader = visit(demo_url, lang="en").show("targets")
    by_days = {row["below_name"]: row for row in cells(reader)}
    by_course = {row["below_name"]: row for row in cells(reader.turn("targets_clock", "course"))}
    assert reader.failures == []
    for branch, row in by_course.items():
        assert row["elapsed"] != by_days[branch]["elapsed"]
        for column in ("signed_target", "signed_toward_target", "attained", "needed", "a_day"):
            assert row[column] == by_days[branch][column]
    assert any("a year ago" in told for told in bars(reader)["told"])
    assert not any("working days" in text for text in [headline(reader)])


def test_last_years_course_of_activations_is_that_of_first_uses_and_not_of_signings(visit, demo_url):
    reader = visit(demo_url, lang="en").show("targets").turn("targets_clock", "course")
    signed = {row["elapsed"] for row in cells(reader)}
    reader.turn("targets_of", "activated")
    assert reader.failures == [] and reader.app.query_params["of"] == "activated"
    activated = {row["elapsed"] for row in cells(reader, "targets_activated")}
    # One course for all branches: that of the whole that is looked at.
    assert len(signed) == len(activated) == 1 and signed != activated


def test_a_link_opens_the_targets_it_is_about(visit, demo_url):
    reader = visit(demo_url, lang="en")
    reader.app.query_params["of"] = "activated"
    reader.show("targets")
    assert reader.failures == []
    assert reader.app.button_group(key="targets_of").value == "activated"
    assert "Activated towards target" in headline(reader)
    assert list(reader.tables) == ["targets_activated"]


def test_targets_of_the_branch_itself_bear_its_name(visit, demo_url):
    below = cells(visit(demo_url, lang="en").show("targets"))
    reader = visit(demo_url, lang="en", branch="13").show("targets")
    assert reader.failures == []
    (row,) = cells(reader)
    assert row["below_name"] in headline(reader) and row in below
    assert bars(reader)["id"].tolist() == ["13"]
    assert any("Targets of " in text for text in reader.texts)


def test_a_row_leads_to_the_targets_of_its_branch(visit, demo_url):
    table = visit(demo_url, lang="en").show("targets").tables[SIGNED]
    links = [urlsplit(link) for row in table["rows"] for link in row["links"].values()]
    assert len(links) == len(table["rows"]) > 8
    assert {link.path for link in links} == {"targets"}
    assert [parse_qs(link.query)["branch"][0] for link in links] == [row["id"] for row in table["rows"]]


def test_under_a_product_only_its_own_targets_count_and_the_page_says_so(visit, whole_url):
    # t1 is for all products, t2 for one of them: k06 alone was signed for it at 12 itself, k01, k03 below.
    reader = visit(whole_url, lang="en", product="mobile").show("targets")
    assert [(row["below_name"], row["signed_target"], row["signed_toward_target"]) for row in cells(reader)] == [
        ("Riverside (12)", "20", "3")
    ]
    assert any("Only targets set for Mobile banking" in text for text in reader.texts)
    reader = visit(whole_url, lang="en").show("targets")
    assert ("Riverside (12)", "30") in [(row["below_name"], row["signed_target"]) for row in cells(reader)]
    assert not any("Only targets set for" in text for text in reader.texts)


def test_targets_for_different_days_say_which(visit, whole_url):
    reader = visit(whole_url, lang="en").show("targets")
    assert {row["days"] for row in cells(reader)} == {"Apr – Jun 2026", "May 2026"}
    assert "Targets for different days" in headline(reader)
    assert {row["days"] for row in bars(reader).to_dict("records")} == {"Apr – Jun 2026", "May 2026"}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"branch": bank.OUTLET}, "No target for all products runs on 20 May 2026 at this branch or below it."),
        ({"product": "loan"}, "No target for 100% "),
        ({"period": "2025-05-01..2025-05-31"}, "No target for all products runs on 31 May 2025"),
    ],
)
def test_where_no_target_runs_it_is_said_why(visit, whole_url, query, why):
    reader = visit(whole_url, lang="en", **query).show("targets")
    assert reader.failures == [] and "No target runs here" in headline(reader)
    table = reader.tables[SIGNED]
    assert table["rows"] == [] and table["empty"].startswith(why) and "Choose" in table["empty"]


def test_without_a_course_of_last_year_the_page_says_so_and_leads_back(visit, tmp_path):
    start = bank.date(2026, 4, 1)
    contracts = [row for row in bank.BANK["contracts"] if row["signed_on"] >= start]
    url = written(tmp_path, {"contracts": contracts, "targets": bank.BANK["targets"]})
    reader = visit(url, lang="en").show("targets").turn("targets_clock", "course")
    assert reader.failures == []
    assert "Nothing is recorded a year before these targets. Choose “By working days”." in reader.sentences
    assert bars(reader).empty


def test_a_warehouse_without_targets_names_the_table(visit, complaints_url):
    reader = visit(complaints_url, lang="en").show("targets")
    assert any("targets" in sentence for sentence in reader.sentences) and not reader.tables
