"""Questions that have no answer say why: the measure or dimension, the rule, the way out."""

from __future__ import annotations

from datetime import date

import pytest

from measures.catalogue import DIMENSION, LISTINGS, MEASURES, WHOLE_CONTRACT, catalogue, dimension
from measures.dimensions import BELOW, CAUSE, DAY, MONTH, OUTLET, PRODUCT
from measures.model import Ratio
from measures.period import Period
from measures.question import ListingQuestion, Order, Question, QuestionError, where

PERIOD = Period(date(2026, 4, 1), date(2026, 5, 20))
BEFORE = Period(date(2026, 2, 1), date(2026, 3, 31))
SIGNED, HOLDERS = MEASURES["signed"], MEASURES["holders"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda: Question((), PERIOD), "at least one measure"),
        (lambda: Question((SIGNED, SIGNED), PERIOD), "each measure and each dimension once"),
        (lambda: Question((SIGNED,), PERIOD, (PRODUCT, PRODUCT)), "each measure and each dimension once"),
        (
            lambda: Question((SIGNED,), PERIOD, (CAUSE,)),
            "signed is not kept by cause; it can be split by: age_band, agent",
        ),
        (lambda: Question((SIGNED,), PERIOD, where={CAUSE: ("fees",)}.items()), "signed is not kept by cause"),
        (lambda: Question((SIGNED,), PERIOD, (DAY, MONTH)), "Day and Month cannot be asked together"),
        (lambda: Question((SIGNED,), PERIOD, (MONTH,), against=BEFORE), "ask for both periods apart"),
        (lambda: Question((SIGNED,), PERIOD, where=((MONTH, ("2026-04-01",)),)), "Time is chosen by the period"),
        (lambda: Question((SIGNED,), PERIOD, where=((PRODUCT, ()),)), "filter on product keeps nothing"),
        (
            lambda: Question((SIGNED,), PERIOD, order=(Order("holders"),)),
            "no column “holders” to sort by. Known are: signed",
        ),
        (lambda: Question((SIGNED,), PERIOD, order=(Order("signed_before"),)), "no column “signed_before”"),
        (lambda: Question((MEASURES["customers"],), PERIOD, (PRODUCT,), cumulative=True), "customers does not add up"),
        (lambda: ListingQuestion(LISTINGS["overdue_customers"], PERIOD, where({CAUSE: ["fees"]})), "not kept by cause"),
        (lambda: ListingQuestion(LISTINGS["complaint_list"], PERIOD, ((DAY, ("2026-04-01",)),)), "Time is chosen"),
        (lambda: ListingQuestion(LISTINGS["complaint_list"], PERIOD, order=(Order("phone"),)), "no column “phone”"),
        (lambda: dimension("postcode"), "no dimension “postcode”. Known are: head_office, branch"),
        (lambda: catalogue(WHOLE_CONTRACT).measure("profit"), "no measure “profit”. Known are: signed"),
        (lambda: catalogue(WHOLE_CONTRACT).listing("staff"), "no listing “staff”. Known are: overdue_customers"),
        (lambda: catalogue(frozenset()).measure("signed"), "“signed” cannot be shown: the warehouse has no contracts"),
    ],
)
def test_a_question_without_an_answer_is_told(asked, told: str) -> None:
    with pytest.raises(QuestionError) as error:
        asked()
    assert told in str(error.value)
    assert error.value.text.format(**error.value.parts) == str(error.value)


def test_every_column_of_the_answer_may_be_sorted_by() -> None:
    for column in ("outlet", "outlet_name", "signed", "signed_before", "signed_change"):
        asked = Question((SIGNED,), PERIOD, (OUTLET,), against=BEFORE, order=(Order(column),))
        assert asked.order == (Order(column),)


def test_the_total_is_the_same_question_at_the_coarsest_grain() -> None:
    asked = Question(
        (SIGNED, HOLDERS), PERIOD, (BELOW,), where({PRODUCT: ["card"]}), BEFORE, (Order("below"),), parent="12"
    )
    total = asked.total()
    assert (total.by, total.order) == ((), ())
    assert (total.measures, total.period, total.where, total.against) == (
        asked.measures, PERIOD, asked.where, BEFORE,
    )  # fmt: skip


def test_a_filter_without_values_does_not_filter_and_one_from_a_generator_does() -> None:
    assert where({PRODUCT: []}) == ()
    assert where({PRODUCT: (code for code in ("card", "loan"))}) == ((PRODUCT, ("card", "loan")),)


def test_names_are_unique_and_every_measure_says_what_it_means() -> None:
    for measure in MEASURES.values():
        assert measure.label
        assert len(measure.meaning) > 20
        assert measure.family
    assert all(DIMENSION[name].name == name for name in DIMENSION)
    for endings in ("_before", "_change", "_name", "_cumulative"):
        assert not any(name.endswith(endings) for name in (*MEASURES, *DIMENSION))


def test_every_ratio_can_be_split_by_what_its_upper_count_is_divided_by() -> None:
    for measure in MEASURES.values():
        if isinstance(measure, Ratio):
            assert measure.dimensions <= measure.over.dimensions
            assert measure.dimensions - measure.under.dimensions <= measure.spans
            assert not measure.adds_up
