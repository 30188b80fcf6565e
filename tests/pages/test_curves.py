"""How fast things happen, on the pages: no further than the data reach, open cases counted, one question and one chart."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from tests import bank
from tests.data_access.test_curves_of_rows import at_noon, filled
from tests.pages.conftest import Visit, written

PLACES = [("activation", "activation_speed"), ("follow_up", "follow_up_speed"), ("complaints", "complaints_speed")]


def points(reader: Visit) -> pd.DataFrame:
    """The points of the curves on the page; of one page, no more than one chart of them."""
    found = [
        pa.ipc.open_stream(dataset.data.data).read_pandas()
        for chart in reader.app.get("vega_lite_chart")
        for dataset in chart.proto.datasets
        if dataset.name == "points" and b"upper" in dataset.data.data
    ]
    assert len(found) <= 1
    return found[0] if found else pd.DataFrame({"series": []})


def title(reader: Visit, of: str) -> str:
    return next(text for text in reader.texts if "chart-finding" in text and of in text)


def test_the_youngest_cohort_of_the_demo_bank_is_drawn_only_as_far_as_it_can_be(visit, demo_url):
    reader = visit(demo_url, lang="en").look("activation", "speed").turn("activation_speed", "use_by_cohort")
    lines = points(reader)
    drawn_to = lines.groupby("series")["day"].max()
    begun = date(2026, 4, 1)
    assert f"{begun} 00:00:00" == drawn_to.index[-1]
    days = (bank.DATA_UNTIL - begun).days
    assert 20 < drawn_to.iloc[-1] <= days
    # A line drawn on would be level where nobody has been followed: it would look as if no more were to come.
    assert drawn_to.iloc[-2] > days
    assert set(lines["part"][lines["series"] == drawn_to.index[-1]]) == {"settled", "young"}
    table = reader.tables["use_by_cohort"]
    assert [row["cells"][0] for row in table["rows"]] == ["Q2 2025", "Q3 2025", "Q4 2025", "Q1 2026", "Q2 2026"]
    at = [column["name"] for column in table["columns"]].index("by_60")
    assert table["rows"][-1]["cells"][at : at + 2] == ["—", "not yet known"]
    assert "Started 1 Apr 2025 – 20 May 2026." in " ".join(reader.texts)


@pytest.mark.parametrize(("page", "switch"), PLACES)
@pytest.mark.parametrize("branch", ["", "12"])
def test_every_choice_draws_at_most_seven_lines_and_one_table(visit, demo_url, page, switch, branch):
    reader = visit(demo_url, lang="en", **({"branch": branch} if branch else {})).look(page, "speed")
    for _tables in reader.turned():
        assert reader.failures == []
        assert points(reader)["series"].nunique() <= 7
    assert switch in [found.key for found in reader.look(page, "speed").app.button_group]


@pytest.mark.parametrize(
    ("page", "table"),
    [("activation", "use_by_product"), ("follow_up", "contact_by_product"), ("complaints", "closing_by_cause")],
)
def test_too_few_have_no_curve_and_a_row_that_says_so(visit, whole_url, page, table):
    reader = visit(whole_url, lang="en").look(page, "speed")
    assert points(reader).empty
    assert any("Too few" in text and "to tell how fast they" in text for text in reader.texts)
    rows = reader.tables[table]["rows"]
    assert rows
    assert all("fewer than 30" in row["cells"] for row in rows)


def test_complaints_that_run_backwards_are_left_out_aloud(visit, tmp_path):
    day = bank.DATA_UNTIL - timedelta(days=60)
    common = {"branch_id": "120", "product_id": "mobile", "cause": "fees", "channel": "app", "regulator": False}
    closed = [day + timedelta(days=4)] * 40 + [None] * 40 + [day - timedelta(days=1)] * 3
    complaints = [
        filled("complaints", complaint_id=f"p{n}", received_at=at_noon(day), closed_at=at_noon(end), **common)
        for n, end in enumerate(closed)
    ]
    url = written(tmp_path, {"complaints": complaints})
    reader = visit(url, lang="en").look("complaints", "speed")
    assert reader.failures == []
    said = " ".join(reader.texts)
    assert "Left out because they were closed before they came in: 3." in said
    # Of the 83 that came in, 43 count as closed; of the 80 that can be believed, exactly half by the fourth day.
    assert "Half of the complaints are closed within 4 days (4 or more)" in title(reader, "Half of")
    assert reader.tables["closing_by_cause"]["rows"][0]["cells"][:4] == ["Fees", "80", "4", "4 or more"]


def test_the_file_of_cohorts_names_their_days(visit, demo_url):
    import io

    import openpyxl

    reader = (
        visit(demo_url, lang="en", period="month").look("activation", "speed").turn("activation_speed", "use_by_cohort")
    )
    book = openpyxl.load_workbook(io.BytesIO(reader.file("use_by_cohort")))
    about = {row[0]: row[1] for row in book.worksheets[1].iter_rows(values_only=True)}
    assert about["Period"] == "1 Apr 2025 – 20 May 2026"


def test_a_bank_without_single_contracts_is_told_why_there_are_no_curves(visit, months_url):
    reader = visit(months_url, lang="en").look("activation", "speed")
    assert "Signed is not kept by Days to first use in this warehouse." in reader.texts
