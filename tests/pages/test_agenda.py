"""What a meeting's key numbers tell of a week: nothing that weeks do anyhow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from data_access.meetings import Item
from panels.agenda import KEY_NUMBERS, Occasion, slides
from tests import bank
from tests.pages.conftest import Visit, written


def key_numbers(visit, folder, signed: Sequence[int]) -> dict[str, str]:
    """What can be told of each key number, in a bank that signed so many contracts in each of its last weeks."""
    empty = dict.fromkeys(bank.BANK["contracts"][0])
    contracts = [
        empty
        | {
            "contract_id": f"{ago}-{number}",
            "customer_id": "c01",
            "product_id": "mobile",
            "branch_id": "12",
            "signed_on": bank.DATA_UNTIL - timedelta(weeks=ago),
        }
        for ago, how_many in enumerate(reversed(signed))
        for number in range(how_many)
    ]
    reader: Visit = visit(written(folder, {"contracts": contracts}), lang="en")
    item = Item(
        id="i",
        meeting="m",
        view=f'{{"of": "{KEY_NUMBERS}"}}',
        title="",
        position=0,
        kept=True,
        remark="",
        by="li",
        revision=0,
    )
    (slide,) = slides(Occasion(reader.app.session_state["desk"], None, [], date.today()), [item])
    rows = slide.exhibit.table.rows
    return dict(zip(rows["measure"], rows["told"], strict=True))


@pytest.mark.parametrize(
    ("weeks_before", "told"),
    [([60, 10] * 13, "may be chance"), ([12, 10] * 13, "up")],
    ids=["as every other week", "as no other week"],
)
def test_a_week_with_many_signed_is_told_where_weeks_are_otherwise_alike(visit, tmp_path, weeks_before, told):
    assert key_numbers(visit, tmp_path, [*weeks_before, 60])["Signed"] == told
