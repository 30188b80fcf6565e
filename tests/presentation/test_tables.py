"""A table holds what the answer holds, in its order, and tells the reader what every row and the total are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from measures.catalogue import DIMENSION, LISTINGS, MEASURES
from measures.dimensions import BELOW, CAUSE, MONTH, OUTLET, PRODUCT, QUARTER
from measures.model import Unit
from measures.period import Period
from measures.question import ListingQuestion, Question
from presentation.tables import Column, cell_text, listing_table, table_of
from presentation.words import words

OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))
SEPTEMBER = Period(date(2026, 9, 1), date(2026, 9, 30))
EN, ZH = words("en"), words("zh_CN")


def question(names: str, *by, against=None) -> Question:
    return Question(tuple(MEASURES[name] for name in names.split()), OCTOBER, by, against=against)


def answer(**columns) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=kind) for name, (kind, values) in columns.items()})


def by_outlet(ids, names, signed) -> pd.DataFrame:
    return answer(outlet=("str", ids), outlet_name=("str", names), signed=("Int64", signed))


def shown_names(table) -> list[str]:
    return [cell_text(table.columns[0], value, EN) for value in table.rows[table.columns[0].name]]


def test_rows_keep_the_order_and_the_values_of_the_answer():
    found = by_outlet(["2", "1", "3"], ["Beta", "Alpha", "Gamma"], [5, 9, None])
    table = table_of(question("signed", OUTLET), found, None, EN)
    assert table.rows["signed"].tolist() == [5, 9, pd.NA]
    assert [column.name for column in table.columns] == ["outlet_name", "signed"]
    assert [column.label for column in table.columns] == ["Outlet", "Signed"]


def test_ids_are_kept_for_links_but_are_no_column():
    table = table_of(question("signed", OUTLET), by_outlet(["2"], ["Beta"], [5]), None, EN)
    assert table.rows["outlet"].tolist() == ["2"]
    assert "outlet" not in [column.name for column in table.columns]


def test_an_id_without_a_name_shows_itself_and_no_id_says_so():
    table = table_of(question("signed", OUTLET), by_outlet(["7", None], [None, None], [5, 1]), None, EN)
    assert shown_names(table) == ["7", "not recorded"]


def test_two_branches_of_one_name_are_told_apart_by_their_ids():
    found = by_outlet(["1", "2", "3"], ["Renmin Road", "Renmin Road", "Gulou"], [1, 2, 3])
    table = table_of(question("signed", OUTLET), found, None, EN)
    assert shown_names(table) == ["Renmin Road (1)", "Renmin Road (2)", "Gulou"]


def test_one_branch_on_several_rows_keeps_its_bare_name():
    found = answer(
        outlet=("str", ["1", "1"]),
        outlet_name=("str", ["Gulou", "Gulou"]),
        product=("str", ["a", "b"]),
        product_name=("str", ["Mobile", "Net"]),
        signed=("Int64", [1, 2]),
    )
    assert shown_names(table_of(question("signed", OUTLET, PRODUCT), found, None, EN)) == ["Gulou", "Gulou"]


def test_the_answer_itself_is_left_as_it_was():
    found = by_outlet(["7", "8"], [None, None], [5, 1])
    before = found.copy()
    table_of(question("signed", OUTLET), found, None, EN)
    pd.testing.assert_frame_equal(found, before)


def test_what_is_booked_on_the_branch_itself_is_no_missing_name():
    found = answer(below=("str", [None]), below_name=("str", [None]), signed=("Int64", [3]))
    assert shown_names(table_of(question("signed", BELOW), found, None, EN)) == ["booked on the branch itself"]


def test_codes_are_shown_in_words_and_kept_as_codes():
    found = answer(cause=("str", ["queueing", "unheard_of", None]), complaints_received=("Int64", [3, 2, 1]))
    table = table_of(question("complaints_received", CAUSE), found, None, ZH)
    column = table.columns[0]
    assert [cell_text(column, value, ZH) for value in table.rows["cause"]] == ["排队等候", "unheard_of", "未登记"]
    assert table.rows["cause"].tolist()[0] == "queueing"


def test_a_step_of_time_is_a_day_that_is_read_as_its_step():
    found = answer(month=("datetime64[s]", [pd.Timestamp(2026, 10, 1)]), signed=("Int64", [3]))
    column = table_of(question("signed", MONTH), found, None, EN).columns[0]
    assert (column.kind, column.step) == ("day", "month")
    assert cell_text(column, pd.Timestamp(2026, 10, 1), EN) == "Oct 2026"


def test_a_measures_column_carries_its_unit_and_its_meaning():
    found = answer(activation_rate=("float64", [0.5]))
    column = table_of(question("activation_rate"), found, None, ZH).columns[0]
    assert (column.kind, column.unit) == ("number", Unit.SHARE)
    assert column.meaning == ZH(MEASURES["activation_rate"].meaning)


COMPARED = answer(
    outlet=("str", ["1"]), outlet_name=("str", ["Gulou"]),
    activation_rate=("float64", [0.6]), activation_rate_before=("float64", [0.5]), activation_rate_change=("float64", [0.1]),
)  # fmt: skip


def test_the_period_compared_with_is_shown_only_when_asked_for():
    asked = question("activation_rate", OUTLET, against=SEPTEMBER)
    bare = table_of(asked, COMPARED, None, EN)
    assert [column.name for column in bare.columns] == ["outlet_name", "activation_rate"]
    table = table_of(asked, COMPARED, None, EN, changes=True)
    assert [column.label for column in table.columns[1:]] == [
        "Activation rate to date",
        "Activation rate to date, Sep 2026",
        "Activation rate to date, change in points",
    ]
    assert [table.rows[column.name].tolist() for column in table.columns[1:]] == [[0.6], [0.5], [10.0]]


@pytest.mark.parametrize(
    ("names", "by", "says"),
    [
        ("signed", OUTLET, None),
        ("customers", OUTLET, "Customers: who is counted in several rows is counted once in the total."),
        ("holders", OUTLET, None),
        ("holders", MONTH, "Contracts held: the total is the state on the last day, not a sum over time."),
        ("signed_target", PRODUCT, "Target, signed: the total has targets of its own and is not the sum of the rows."),
        ("signed_target", OUTLET, None),
        ("activation_rate", OUTLET, None),
        ("complaints_median_days", OUTLET, None),
    ],
)
def test_the_note_says_where_the_total_is_not_the_sum_that_a_reader_expects(names, by, says):
    asked = question(names, by)
    rows = answer(**{by.name: ("str", []), f"{by.name}_name": ("str", []), names: ("float64", [])})
    assert table_of(asked, rows, pd.DataFrame({names: [1.0]}), EN).note == says


def test_without_a_total_there_is_nothing_to_note():
    rows = by_outlet([], [], []).rename(columns={"signed": "customers"})
    assert table_of(question("customers", OUTLET), rows, None, EN).note is None


def test_the_title_names_the_measures_and_the_grain():
    rows = by_outlet(["1"], ["Gulou"], [1])
    assert table_of(question("signed", OUTLET), rows, None, EN).title == "Signed by Outlet"
    assert table_of(question("signed", OUTLET), rows, None, ZH).title == "签约数（按网点）"
    assert table_of(question("signed"), rows, None, EN).title == "Signed"


def test_many_measures_are_named_by_their_families():
    asked = question("signed activated never_used complaints_received", QUARTER)
    rows = pd.DataFrame(columns=["quarter", "signed", "activated", "never_used", "complaints_received"])
    assert table_of(asked, rows, None, EN).title == "Activation, Complaints by Quarter"


def test_a_listing_has_its_declared_columns_in_their_kinds():
    asked = ListingQuestion(LISTINGS["open_complaint_list"], OCTOBER)
    names = [column.name for column in asked.listing.columns]
    table = listing_table(asked, pd.DataFrame({name: [] for name in names}), ZH)
    kinds = {column.name: column.kind for column in table.columns}
    assert list(kinds) == names
    assert (kinds["complaint_id"], kinds["due_on"], kinds["days_left"]) == ("text", "day", "number")
    assert next(c for c in table.columns if c.name == "cause").values["queueing"] == "排队等候"
    assert table.title == "未结投诉"
    assert table.meaning == ZH(asked.listing.meaning)


def test_a_masked_column_says_that_it_is_masked_and_a_clear_one_does_not():
    asked = ListingQuestion(LISTINGS["overdue_customers"], OCTOBER)
    rows = pd.DataFrame({column.name: [] for column in asked.listing.columns})
    assert [column.name for column in listing_table(asked, rows, EN).columns if column.masked] == ["customer", "phone"]
    clear = replace(asked, clear=True)
    assert not any(column.masked for column in listing_table(clear, rows, EN).columns)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (Column("n", "N", "number", Unit.SHARE), 0.668, "66.8 %"),
        (Column("n", "N", "number", Unit.COUNT), pd.NA, "—"),
        (Column("t", "T", "text"), None, "—"),
        (Column("t", "T", "text"), "=1+1", "=1+1"),
        (Column("t", "T", "text", missing="none"), float("nan"), "none"),
        (Column("d", "D", "day"), pd.Timestamp(2026, 11, 20), "20 Nov 2026"),
        (Column("d", "D", "day"), pd.NaT, "—"),
    ],
)
def test_a_cell_reads_as_its_column_says(column, value, text):
    assert cell_text(column, value, EN) == text


@pytest.mark.parametrize("name", sorted(DIMENSION))
def test_every_dimension_has_one_column(name):
    dimension = DIMENSION[name]
    measure = next(m for m in MEASURES.values() if dimension in m.dimensions)
    kind = "datetime64[s]" if dimension.step else "str"
    columns = {name: (kind, [])} | ({f"{name}_name": ("str", [])} if dimension.named else {})
    found = answer(**columns, **{measure.name: ("float64", [])})
    table = table_of(Question((measure,), OCTOBER, (dimension,)), found, None, EN)
    assert len(table.columns) == 2
    assert table.columns[0].kind == ("day" if dimension.step else "text")
