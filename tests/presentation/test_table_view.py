"""The table on screen: the texts that the browser is given, what a click asks for, and which page is shown.

The component runs its JavaScript in a browser only; `AppTest` sees what was sent to it: `at.get("bidi_component")[0].proto.json`.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from measures.model import Unit
from measures.question import Order
from presentation.export_view import file_name
from presentation.table_view import PAGE_SIZE, Page, payload, turned
from presentation.tables import About, Column, Table
from presentation.units import shown
from presentation.words import words

BRANCH = Column("below_name", "Branch", "text", missing="booked on the branch itself")
SIGNED = Column("signed", "Contracts signed", "number", Unit.COUNT, "Contracts signed in the period")
RATE = Column("activation_rate", "Activation rate", "number", Unit.SHARE)
DUE = Column("due", "Due", "day")

ROWS = pd.DataFrame(
    {
        "below": ["b2", "b1", None, "b3"],
        "below_name": ["=1+1", "<img src=x onerror=alert(1)>", None, "观音桥"],
        "signed": [12_345, 200, 3, 0],
        "activation_rate": [0.66849, 0.5, 1.0, None],
    }
)
TOTAL = pd.DataFrame({"signed": [12_500], "activation_rate": [0.6665]})
TABLE = Table("Activation by branch", (BRANCH, SIGNED, RATE), ROWS, TOTAL, "Parts overlap.")


def sent(table: Table = TABLE, drawn: pd.DataFrame | None = None, language: str = "en", **changed) -> dict:
    """What the browser is given, as it arrives there: through JSON."""
    asked = {
        "say": words(language),
        "empty": "Nothing was signed.",
        "order": None,
        "sortable": True,
        "link": None,
        "picks": False,
        "marked": None,
        "page": None,
    }
    return json.loads(json.dumps(payload(table, table.rows if drawn is None else drawn, **asked | changed)))


# Texts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh_CN", "zh_TW"])
def test_cells_are_written_as_in_every_other_table_of_the_reader(language):
    cells = [row["cells"] for row in sent(language=language)["rows"]]
    assert [row[1] for row in cells] == [shown(value, Unit.COUNT, language) for value in ROWS["signed"]]
    assert [row[2] for row in cells] == [shown(value, Unit.SHARE, language) for value in ROWS["activation_rate"]]


def test_the_rows_stand_in_the_order_of_the_table_and_nothing_in_a_name_is_changed():
    names = [row["cells"][0] for row in sent()["rows"]]
    assert names == ["=1+1", "<img src=x onerror=alert(1)>", "booked on the branch itself", "观音桥"]


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_name_reaches_the_browser_letter_by_letter(names):
    rows = pd.DataFrame({"below": names, "below_name": pd.Series(names, dtype=object)})
    assert [row["cells"][0] for row in sent(Table("Any", (BRANCH,), rows))["rows"]] == names


def test_a_table_by_day_can_be_sent():
    rows = pd.DataFrame({"due": pd.to_datetime(["2026-11-20", None]), "signed": [1, 2]})
    data = sent(Table("By day", (DUE, SIGNED), rows))
    assert [row["cells"] for row in data["rows"]] == [["20 Nov 2026", "1"], ["—", "2"]]


def test_the_total_is_the_one_asked_of_the_warehouse_not_the_sum_of_the_rows():
    assert sent()["total"] == ["Total", "12,500", "66.7 %"]  # the rows would add up to 12,548


def test_a_table_without_total_has_no_total_row():
    assert sent(Table("Listing", TABLE.columns, ROWS))["total"] is None


def test_a_column_without_total_stays_blank_in_the_total_row_rather_than_missing():
    table = Table("Two texts", (BRANCH, DUE, SIGNED), ROWS.assign(due=date(2026, 11, 20)), TOTAL)
    assert sent(table)["total"] == ["Total", "", "12,500"]


def test_no_data_can_become_html():
    script = Path("presentation/table_view.js").read_text(encoding="utf-8")
    writes_html = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "eval(",
    )
    assert [word for word in writes_html if word in script] == []


# Bars, marks, links ---------------------------------------------------------------------------------------------------


def test_bars_measure_the_sorted_column_from_zero():
    data = sent(order=Order("activation_rate"))
    assert data["bar"] == 2
    assert [row.get("bar") for row in data["rows"]] == [0.6685, 0.5, 1.0, None]


def test_a_column_with_values_below_zero_has_no_bars():
    table = Table("Change", (BRANCH, SIGNED), ROWS.assign(signed=[5, -1, 0, 2]))
    assert sent(table, order=Order("signed"))["bar"] is None


def test_a_page_of_a_listing_has_no_bars_because_the_longest_is_not_known():
    assert sent(order=Order("signed"), page=Page(1, PAGE_SIZE, 3_412))["bar"] is None


def test_the_bars_of_a_turned_page_are_measured_against_the_whole_table():
    data = sent(drawn=ROWS.iloc[1:2], order=Order("signed"), page=Page(2, 1, 4))
    assert [row["bar"] for row in data["rows"]] == [round(200 / 12_345, 4)]


def test_the_row_looked_at_is_found_by_its_id_not_by_its_name():
    twins = Table("Twins", (BRANCH,), pd.DataFrame({"below": ["b1", "b2"], "below_name": ["East", "East"]}))
    assert [row.get("marked", False) for row in sent(twins, marked="b2")["rows"]] == [False, True]


def test_a_link_is_made_from_the_raw_row_and_its_column():
    def link(row, column):
        return f"activation?branch={row['below']}" if column is RATE and row["below"] is not None else None

    links = [row["links"] for row in sent(link=link)["rows"]]
    assert links == [{"2": "activation?branch=b2"}, {"2": "activation?branch=b1"}, {}, {"2": "activation?branch=b3"}]


@pytest.mark.parametrize(
    "href", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "java\nscript:x"]
)
def test_a_link_that_leaves_the_app_is_refused(href):
    with pytest.raises(ValueError, match="pages of the app"):
        sent(link=lambda row, column: href)


# Order ----------------------------------------------------------------------------------------------------------------


def test_numbers_and_days_are_first_sorted_from_the_greatest_and_texts_from_a():
    assert turned(None, SIGNED) == Order("signed", descending=True)
    assert turned(Order("signed"), DUE) == Order("due", descending=True)
    assert turned(Order("signed"), BRANCH) == Order("below_name", descending=False)


def test_a_second_click_turns_the_order_round_and_a_third_turns_it_back():
    once = turned(None, BRANCH)
    assert turned(once, BRANCH) == Order("below_name", descending=True)
    assert turned(turned(once, BRANCH), BRANCH) == once


def test_only_the_sorted_heading_says_so():
    headings = sent(order=Order("signed", descending=False))["columns"]
    assert [heading.get("sorted") for heading in headings] == [None, "ascending", None]


# Pages ----------------------------------------------------------------------------------------------------------------


@given(rows=st.integers(0, 1_000), size=st.integers(1, 120))
def test_the_pages_together_hold_every_row_once(rows, size):
    pages = [Page(number, size, rows) for number in range(1, Page(1, size, rows).last + 1)]
    held = [row for page in pages for row in range(page.offset, min(rows, page.offset + page.size))]
    assert held == list(range(rows))


def test_the_last_page_says_where_it_ends():
    assert sent(page=Page(35, 100, 3_412))["pages"]["text"] == "Rows 3,401–3,412 of 3,412"


def test_one_page_needs_no_turning():
    assert sent(page=Page(1, 100, 100))["pages"] is None


# In the app -----------------------------------------------------------------------------------------------------------


def listing_script(rows: int, marker: str) -> None:
    """A script as AppTest runs it: it knows no name from outside."""
    import pandas as pd
    import streamlit as st

    from measures.model import Unit
    from measures.question import Order
    from presentation import table_view
    from presentation.tables import Column, Table
    from presentation.words import words

    order, keep = table_view.order_state("t", Order("name", descending=False))
    found = pd.DataFrame({"name": [f"{marker}{n}" for n in range(rows)], "signed": range(rows)})
    found = found.sort_values(order.column, ascending=not order.descending, kind="stable")
    columns = (Column("name", "Name", "text"), Column("signed", "Signed", "number", Unit.COUNT))
    table_view.show(
        Table("A table", columns, found), say=words("en"), key="t", empty="Nobody signed.", order=order, on_order=keep
    )
    st.button("Newest", on_click=keep, args=(Order("signed"),))
    st.button("Third page", on_click=lambda: st.session_state["t_page"].update(number=3))


def drawn(at: AppTest) -> dict:
    assert not at.exception
    return json.loads(at.get("bidi_component")[0].proto.json)


def test_up_to_two_hundred_rows_are_drawn_at_once():
    data = drawn(AppTest.from_function(listing_script, args=(200, "a")).run())
    assert len(data["rows"]) == 200
    assert data["pages"] is None


def test_a_longer_table_is_turned_over_in_pages_and_another_order_begins_at_the_first():
    at = AppTest.from_function(listing_script, args=(201, "a")).run()
    assert drawn(at)["pages"]["text"] == "Rows 1–100 of 201"
    third = drawn(at.button[1].click().run())
    assert (len(third["rows"]), third["pages"]["text"]) == (1, "Rows 201–201 of 201")
    newest = drawn(at.button[0].click().run())
    assert newest["rows"][0]["cells"] == ["a200", "200"]
    assert newest["pages"]["text"] == "Rows 1–100 of 201"


def test_other_rows_begin_at_the_first_page():
    at = AppTest.from_function(listing_script, args=(201, "a")).run()
    at.button[1].click().run()
    at.args = (201, "b")
    assert drawn(at.run())["pages"]["number"] == 1


def test_a_table_without_rows_is_a_sentence_and_not_an_error():
    data = drawn(AppTest.from_function(listing_script, args=(0, "a")).run())
    assert (data["rows"], data["empty"]) == ([], "Nobody signed.")


# Export ---------------------------------------------------------------------------------------------------------------


def test_the_file_is_named_after_the_table_and_the_date_of_its_data():
    about = About([], "All", date(2026, 11, 20), "me", datetime(2026, 11, 21, 9, 0), None, 0)
    assert file_name("activation_by_branch", about, "xlsx") == "activation_by_branch_2026-11-20.xlsx"
    assert file_name("投诉 Overview/../x", about, "csv") == "overview_x_2026-11-20.csv"


def export_script() -> None:
    from datetime import date, datetime

    import pandas as pd
    import streamlit as st

    from presentation.export_view import export_buttons
    from presentation.tables import About, Column, Table
    from presentation.words import words

    def never():
        raise AssertionError("a file was built before it was asked for")

    class Open:
        wants_purpose = st.session_state.get("asks", False)

        def refusal(self, rows):
            return ""

    about = About([], "All", date(2026, 11, 20), "me", datetime(2026, 11, 21, 9, 0), None, 1)
    table = Table("A table", (Column("name", "Name", "text"),), pd.DataFrame({"name": ["x"]}))
    export_buttons(table, about, words("en"), "a_table", Open(), batches=never)


def test_the_corner_offers_three_formats_and_builds_none_before_a_click():
    at = AppTest.from_function(export_script).run()
    assert not at.exception
    assert [button.proto.label for button in at.get("download_button")] == ["Excel", "CSV", "Parquet"]


def test_where_a_purpose_is_asked_nothing_can_be_taken_before_it_is_given():
    at = AppTest.from_function(export_script)
    at.session_state["asks"] = True
    at.run()
    assert all(button.proto.disabled for button in at.get("download_button"))
    at.text_input(key="a_table_purpose").set_value("to call them").run()
    assert not any(button.proto.disabled for button in at.get("download_button"))
