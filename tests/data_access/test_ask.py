"""A question said in words: what it is understood as, and what is said when it has no answer."""

from __future__ import annotations

from datetime import date

import pytest

from data_access.access import Role, Viewer
from data_access.ask import (
    check_ids,
    dimensions_said,
    filters_said,
    found_nowhere,
    measures_said,
    period_said,
    viewer_said,
)
from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES, WHOLE_CONTRACT, catalogue
from measures.dimensions import AGE_BAND, AREA, BRANCH, CAUSE, COMPLAINT_STATE, PRODUCT, REGION
from measures.model import Dimension
from measures.period import Compare, Period
from measures.question import Question, QuestionError, where
from tests import bank

WHOLE = catalogue(WHOLE_CONTRACT)


def complaints_of(chosen: dict[Dimension, list[str | None]]) -> Question:
    return Question((WHOLE.measure("complaints_received"),), bank.PERIOD, where=where(chosen))


def test_measures_come_in_the_order_in_which_they_are_said():
    said = measures_said("signed, activation_rate", WHOLE)
    assert [measure.name for measure in said] == ["signed", "activation_rate"]


@pytest.mark.parametrize(("written", "meant"), [("signd", "signed"), ("complaint_open", "complaints_open")])
def test_a_slip_of_the_pen_in_a_measure_names_the_close_one(written: str, meant: str):
    with pytest.raises(QuestionError, match=rf"{written}.*{meant}"):
        measures_said(written, WHOLE)


def test_a_measure_far_from_all_others_is_answered_with_all_of_them():
    with pytest.raises(QuestionError) as error:
        measures_said("xyzzy", WHOLE)
    assert all(name in str(error.value) for name in MEASURES)


def test_a_measure_that_the_warehouse_lacks_is_not_answered_with_a_close_one():
    without_agents = catalogue(frozenset(need for need in WHOLE_CONTRACT if need[0] != "assignments"))
    with pytest.raises(QuestionError, match=r"“coverage” cannot be shown: the warehouse has no assignments"):
        measures_said("coverage", without_agents)


def test_no_dimension_is_said_by_an_empty_text():
    assert dimensions_said("") == ()
    assert dimensions_said("region,product") == (REGION, PRODUCT)


def test_every_dimension_can_be_said():
    assert dimensions_said(",".join(DIMENSION)) == tuple(DIMENSION.values())


def test_a_slip_of_the_pen_in_a_dimension_names_the_close_one_also_in_a_filter():
    with pytest.raises(QuestionError, match=r"regoin.*region"):
        dimensions_said("regoin")
    with pytest.raises(QuestionError, match=r"regoin.*region"):
        filters_said(["regoin=east"])


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["cause=fees,queueing"], ("fees", "queueing")),
        (["cause=fees", "cause=queueing"], ("fees", "queueing")),
        (["cause=fees,fees"], ("fees",)),
        (["cause="], (None,)),
        (["cause=fees,"], ("fees", None)),
        (['cause="lost, or stolen",fees'], ("lost, or stolen", "fees")),
        (["cause=a=b"], ("a=b",)),
    ],
)
def test_a_filter_holds_the_ids_that_are_said(words: list[str], ids: tuple[str | None, ...]):
    assert filters_said(words) == where({CAUSE: ids})


def test_a_filter_without_its_sign_says_how_it_is_written():
    with pytest.raises(QuestionError, match=r"DIMENSION=ID.*got “cause”"):
        filters_said(["cause"])


def test_days_left_out_are_the_last_twelve_months_of_the_data():
    found, against = period_said(None, None, Compare.NOTHING, date(2026, 5, 20))
    assert (found, against) == (Period(date(2025, 6, 1), date(2026, 5, 20)), None)


def test_one_day_said_leaves_the_other_to_the_data_or_to_twelve_months():
    assert period_said(date(2026, 1, 5), None, Compare.NOTHING, date(2026, 5, 20))[0] == Period(
        date(2026, 1, 5), date(2026, 5, 20)
    )
    assert period_said(None, date(2025, 12, 31), Compare.NOTHING, date(2026, 5, 20))[0] == Period(
        date(2025, 1, 1), date(2025, 12, 31)
    )


def test_own_days_are_compared_with_as_many_days_before_them():
    _found, against = period_said(date(2026, 5, 11), date(2026, 5, 20), Compare.PREVIOUS, date(2026, 5, 20))
    assert against == Period(date(2026, 5, 1), date(2026, 5, 10))


def test_a_period_that_starts_after_its_end_is_told_so():
    with pytest.raises(QuestionError, match="2026-06-01, after its end on 2026-05-20"):
        period_said(date(2026, 6, 1), None, Compare.NOTHING, date(2026, 5, 20))


def test_without_a_branch_the_viewer_stands_at_head_office(duckdb_warehouse: Warehouse):
    assert viewer_said("me", None, duckdb_warehouse).branch_id == bank.HEAD_OFFICE
    assert viewer_said("me", bank.OUTLET, duckdb_warehouse).branch_id == bank.OUTLET


def test_a_viewer_at_a_branch_that_is_not_there_is_refused_and_not_answered_with_nought(duckdb_warehouse: Warehouse):
    with pytest.raises(QuestionError, match="no branch with the id “nowhere”"):
        viewer_said("me", "nowhere", duckdb_warehouse)


def test_a_branch_out_of_sight_and_one_that_is_not_there_are_told_in_the_same_words(duckdb_warehouse: Warehouse):
    viewer = Viewer("me", "12", Role.VISITOR)
    told = set()
    for id_ in ("120", "nowhere"):
        with pytest.raises(QuestionError) as error:
            check_ids(complaints_of({BRANCH: [id_]}), viewer, duckdb_warehouse)
        told.add(str(error.value).replace(id_, "…"))
    assert len(told) == 1


def test_a_product_that_is_not_there_is_answered_with_those_that_are(duckdb_warehouse: Warehouse):
    with pytest.raises(QuestionError) as error:
        check_ids(complaints_of({PRODUCT: ["nothing"]}), Viewer("me", bank.HEAD_OFFICE, Role.VISITOR), duckdb_warehouse)
    for row in duckdb_warehouse.products().itertuples():
        assert f"{row.product_id} ({row.name})" in str(error.value)


def test_branches_and_products_that_are_there_pass_and_so_does_what_is_not_recorded(duckdb_warehouse: Warehouse):
    product = duckdb_warehouse.products()["product_id"].iloc[0]
    known = {BRANCH: [bank.OUTLET], PRODUCT: [product, None], CAUSE: ["anything"], AREA: ["rural", None]}
    check_ids(complaints_of(known), Viewer("me", bank.BRANCH, Role.VISITOR), duckdb_warehouse)


@pytest.mark.parametrize("closed", [AREA, AGE_BAND, COMPLAINT_STATE])
def test_a_code_outside_a_closed_list_is_answered_with_the_list(duckdb_warehouse: Warehouse, closed: Dimension):
    with pytest.raises(QuestionError, match=f"“rual” is no value of {closed.name}") as error:
        check_ids(complaints_of({closed: ["rual"]}), Viewer("me", bank.HEAD_OFFICE, Role.VISITOR), duckdb_warehouse)
    assert all(code in str(error.value) for code in closed.values)


def test_a_filter_that_no_row_meets_is_found_where_the_bank_writes_what_it_likes(duckdb_warehouse: Warehouse):
    head_office = Viewer("me", bank.HEAD_OFFICE, Role.VISITOR)
    causes = {row["cause"] for row in bank.BANK["complaints"] if row["received_at"].date() >= bank.PERIOD.start}
    asked = complaints_of({CAUSE: [*causes, "quueing", None], AREA: ["rural"], PRODUCT: ["mobile"]})
    # The product is no part of it: that a known product has no rows is an answer.
    assert found_nowhere(asked, head_office, duckdb_warehouse) == [(CAUSE, "quueing"), (CAUSE, None)]
