"""What is told of the causes of complaints: the few that make up most, and never one for another that is as large."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from measures.catalogue import MEASURES
from measures.dimensions import CAUSE, PRODUCT
from measures.question import CUMULATIVE, NAME
from presentation.causes import few, told
from presentation.words import words

RECEIVED = MEASURES["complaints_received"]


def by_cause(counts: Sequence[int]) -> pd.DataFrame:
    counted = pd.Series(counts, dtype="Int64")
    share = counted.cumsum().astype(float) / max(sum(counts), 1)
    return pd.DataFrame(
        {CAUSE.name: list("abcdefgh")[: len(counts)], RECEIVED.name: counted, RECEIVED.name + CUMULATIVE: share}
    )


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ([5, 3, 1, 1], "ab"),
        ([10, 6, 4, 4, 1], "abcd"),
        ([1, 1, 1, 1, 1, 1], "abcdef"),
        ([3, 0, 0], "a"),
        ([0, 0], ""),
        ([], ""),
    ],
    ids=["up to four fifths", "two that cross them", "all alike", "with none", "none of any", "no rows"],
)
def test_the_few_are_those_that_make_up_four_fifths_and_those_as_large(counts, named):
    assert "".join(few(by_cause(counts), RECEIVED)[CAUSE.name]) == named


@pytest.mark.parametrize(("second", "is_named"), [(4, True), (5, False)])
def test_of_two_products_with_as_many_neither_has_the_most(second, is_named):
    products = pd.DataFrame(
        {
            CAUSE.name: ["fees", "fees", "delivery"],
            PRODUCT.name: ["card", "loan", "loan"],
            PRODUCT.name + NAME: ["Credit card", "Loan", "Loan"],
            RECEIVED.name: pd.Series([5, second, 9], dtype="Int64"),
        }
    )
    row = {CAUSE.name: "fees", RECEIVED.name: 10, RECEIVED.name + CUMULATIVE: 0.5}
    sentence = told(RECEIVED, row, None, 20, None, [(PRODUCT, products)], words("en"))
    assert ("Credit card (5)" in sentence) is is_named
