"""The way from one rate to another as it reaches the browser: each part begins where the one before ends."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from measures.period import Period
from presentation.charts import Look
from presentation.colours import colours
from presentation.reasons import Why
from presentation.waterfall import MOST_PARTS, _rows, _template
from presentation.words import words
from tests.presentation.test_charts import Drawn
from tests.presentation.test_reasons import MIXED, told

SAY = words("en")
BEFORE, NOW = Period(date(2026, 4, 1), date(2026, 6, 30)), Period(date(2026, 7, 1), date(2026, 9, 30))
ENGLISH = Look("en", dark=False)


def rows(found: Why) -> list[dict]:
    return _rows(found, BEFORE, NOW, SAY)


def test_the_way_leads_from_before_to_now_without_a_gap():
    first, *parts, last = rows(told(*MIXED))
    assert (first["label"], last["label"]) == ("81.3 %", "68.5 %")
    assert (first["title"], last["title"]) == ("Before · Apr – Jun 2026", "Now · Jul – Sep 2026")
    assert parts[0]["begin"] == first["whole"]
    assert parts[1]["begin"] == parts[0]["then"]
    assert parts[-1]["then"] == pytest.approx(last["whole"], abs=1e-9)


def test_own_change_and_that_of_the_share_are_told_apart_and_may_point_apart():
    card = rows(told(*MIXED))[1]
    assert card["title"] == "Card"
    assert card["between"] > card["begin"] > card["then"]
    assert card["own"].startswith("+") and card["share"].startswith("−") and card["label"].startswith("−")


@given(some.integers(1, 30))
def test_the_parts_without_a_row_of_their_own_are_one_row_together(number):
    found = told(*((f"p{at}", 700, 1000, 600 - at, 1000) for at in range(number)))
    _first, *parts, last = rows(found)
    assert len(parts) == min(number, MOST_PARTS + 1)
    if number > MOST_PARTS:
        rest = number - MOST_PARTS
        assert parts[-1]["title"] == ("1 other part" if rest == 1 else f"{rest} other parts")
    assert parts[-1]["then"] == pytest.approx(last["whole"], abs=1e-9)


def test_the_template_holds_no_numbers_and_both_themes_draw_the_two_kinds_apart():
    for dark in (False, True):
        spec = _template(Look("en", dark), "Own change", "Change of its share")
        assert not spec.get("datasets") and "values" not in str(spec.get("data", {}))
        assert colours(dark).accent in str(spec) and colours(dark).rest in str(spec)


def _script(found, before, now, look):
    from presentation.waterfall import waterfall

    waterfall(found, before, now, look=look, key="why")


def test_the_chart_is_told_to_who_cannot_see_it():
    from streamlit.testing.v1 import AppTest

    kwargs = {"found": told(*MIXED), "before": BEFORE, "now": NOW, "look": ENGLISH}
    app = AppTest.from_function(_script, kwargs=kwargs).run()
    assert not app.exception
    (chart,) = app.get("vega_lite_chart")
    assert Drawn(chart.proto).alt.startswith("Activation rate. Before · Apr – Jun 2026: 81.3 %. Card: −")
