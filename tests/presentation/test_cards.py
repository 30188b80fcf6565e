"""The cards as the browser gets them: one piece of HTML that says what st.metric would say, and nothing that a name could break."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from measures.catalogue import MEASURES
from measures.dimensions import PRODUCT
from measures.question import BEFORE
from presentation.cards import Card, columns_for
from presentation.charts import Look
from presentation.colours import DARK, LIGHT, contrast

OVERDUE = MEASURES["overdue_assignments"]  # fewer are better
SIGNED = MEASURES["signed"]
PENETRATION = MEASURES["penetration"]


def _script(listed, look):
    from presentation.cards import cards
    from presentation.words import words

    cards(listed, look, words(look.language), key="cards")


def html(*listed: Card, language: str = "en") -> str:
    found = AppTest.from_function(_script, kwargs={"listed": listed, "look": Look(language, dark=False)}).run()
    assert not found.exception, found.exception
    (drawn,) = found.get("html")
    return drawn.proto.body


def row(measure, now, before=None) -> pd.Series:
    return pd.Series({measure.name: now, measure.name + BEFORE: before})


@pytest.mark.parametrize(
    ("measure", "now", "before", "doubt", "told"),
    [
        (SIGNED, 120, 100, None, ("good", "↑", "+20.0 %")),
        (SIGNED, 80, 100, None, ("bad", "↓", "−20.0 %")),
        (OVERDUE, 120, 100, None, ("bad", "↑", "+20.0 %")),
        (SIGNED, 120, 100, "the change may be chance", ("quiet", "↑", "+20.0 %")),
    ],
)
def test_a_change_says_with_arrow_and_tint_whether_it_is_good(measure, now, before, doubt, told):
    tint, arrow, text = told
    drawn = html(Card(measure, row(measure, now, before), doubt=doubt))
    assert f'<div class="moved {tint}"><span aria-hidden=true>{arrow}</span> {text}</div>' in drawn


def test_without_a_number_to_compare_with_nothing_is_said_to_have_moved():
    assert "moved" not in html(Card(SIGNED, row(SIGNED, 120)))
    assert "0.0 %</div>" in html(Card(SIGNED, row(SIGNED, 100, 100)))
    assert "↑" not in html(Card(SIGNED, row(SIGNED, 100, 100)))


def test_the_label_opens_the_meaning_with_the_whole_number_and_is_described_by_it():
    drawn = html(Card(SIGNED, row(SIGNED, 35_528)))
    assert '<div class="value">35.5k</div>' in drawn
    (label,) = re.findall("<button[^>]*>", drawn)
    described = re.search('aria-describedby="([^"]*)"', label)[1]
    assert f'popovertarget="{described}"' in label and 'title="' in label and ": 35,528" in label
    assert re.search(f'<div id="{described}" class="meant" popover>[^<]*: 35,528</div>', drawn)


def test_a_card_says_what_its_number_is_not_under_and_when_it_is_known():
    drawn = html(Card(PENETRATION, row(PENETRATION, 10), note="a line", doubt="a doubt", ignored=(PRODUCT,)))
    notes = re.findall("<div class=note>([^<]*)</div>", drawn)
    assert notes == ["for all: Product", "a doubt", "a line", "known for the data&#x27;s date alone"]


def test_text_is_shown_as_it_is_written():
    drawn = html(Card(SIGNED, row(SIGNED, 1), note="<img src=x onerror=alert(1)> =1+1 & more"))
    assert "<img" not in drawn
    assert "&lt;img src=x onerror=alert(1)&gt; =1+1 &amp; more" in drawn


def test_all_cards_are_one_element_and_each_is_named_once():
    listed = [Card(m, row(m, 5, 4)) for m in (SIGNED, OVERDUE, PENETRATION)]
    drawn = html(*listed, language="zh_CN")
    assert drawn.count('role="listitem"') == 3
    ids = re.findall('id="([^"]*)"', drawn)
    assert len(set(ids)) == len(ids) == 3


def corners(months: list[float]) -> list[tuple[float, float, float]]:
    """The places of the line's edge: across and down in per cent, and how many pixels up (−) or down from there."""
    (cut,) = re.findall(r"polygon\((.*?)\)\"", html(Card(SIGNED, row(SIGNED, 1), months=months)))
    return [
        (float(x), float(y), float(sign + by))
        for x, y, sign, by in re.findall(r"([\d.]+)% calc\(([\d.]+)% ([-+]) ([\d.]+)px\)", cut)
    ]


def test_the_small_line_runs_from_the_first_month_to_the_last_with_the_greatest_on_top():
    upper = corners([10.0, 30.0, 20.0])[:3]
    assert [(x, y) for x, y, _by in upper] == [(0, 100), (50, 0), (100, 50)]


@given(some.lists(some.floats(-1e9, 1e9), min_size=1, max_size=12))
def test_the_small_line_stays_within_its_box_and_has_a_width_everywhere(months):
    from presentation.cards import _line

    found = re.findall(r"([\d.]+)% calc\(([\d.]+)% ([-+]) ([\d.]+)px\)", _line(months))
    assert len(found) == 2 * max(2, len(months))
    for x, y, _sign, by in found:
        assert 0 <= float(x) <= 100 and 0 <= float(y) <= 100 and float(by) > 0


@given(count=some.integers(1, 40), most=some.integers(1, 8))
def test_no_other_number_of_columns_leaves_fewer_places_empty(count, most):
    columns = columns_for(count, most)
    assert 1 <= columns <= most

    def empty(beside: int) -> int:
        return -count % beside

    assert all(empty(columns) <= empty(other) for other in range(most // 2 + 1, min(count, most) + 1))


@pytest.mark.parametrize(
    ("count", "most", "columns"), [(12, 6, 6), (10, 6, 5), (8, 6, 4), (12, 4, 4), (10, 4, 4), (3, 6, 3)]
)
def test_the_cards_of_the_pages_fill_their_rows(count, most, columns):
    assert columns_for(count, most) == columns


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_what_a_card_says_can_be_read(theme):
    assert min(contrast(ink, theme.page) for ink in (theme.accent, theme.bad, theme.muted)) >= 4.5
