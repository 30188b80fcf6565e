"""What reaches the browser of a bullet: shares of its own target, where it should be, and what is cut said aloud."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from presentation import bullet_chart
from presentation.charts import ROWS_SEEN, Look
from presentation.colours import colours
from presentation.words import LANGUAGES
from tests.presentation.test_charts import Drawn
from tests.presentation.test_pacing import EARLY, EITHER, MISSES, OCTOBER_ON, REACHES, standing

ENGLISH = Look("en", dark=False)
THEME = colours(dark=False)


def _script(found, look, pickable=False):
    import streamlit as st

    from presentation import bullet_chart

    pick = st.write if pickable else None
    st.session_state["cut"] = bullet_chart.bullets(found, by_course=False, look=look, key="chart", on_pick=pick)


def shown(found, look: Look = ENGLISH, **more):
    from streamlit.testing.v1 import AppTest

    page = AppTest.from_function(_script, kwargs={"found": found, "look": look, **more}).run()
    assert not page.exception, page.exception
    (chart,) = page.get("vega_lite_chart")
    return page, Drawn(chart.proto)


def test_each_bar_is_a_share_of_its_own_target():
    _page, drawn = shown([MISSES, standing("Small", 40, a_day=1)])
    large, small = drawn.rows["rows"]
    assert large["reached"] == small["reached"] == pytest.approx(0.25)
    assert large["due"] == pytest.approx(0.5)
    assert (large["label"], small["label"]) == ("▼ 25.0 % · 50 of 200", "▼ 25.0 % · 10 of 40")
    assert large["projected"] == pytest.approx(0.5) and large["low"] < 0.5 < large["high"]


def test_the_colour_says_what_is_probable_and_grey_what_is_not_known():
    _page, drawn = shown([MISSES, EITHER, REACHES, EARLY])
    assert [row["tint"] for row in drawn.rows["rows"]] == [THEME.bad, THEME.rest, THEME.accent, THEME.rest]


def test_before_anything_can_be_told_there_is_no_point_and_after_the_end_none_either():
    _page, drawn = shown([EARLY, standing("Over", 60, passed=11, left=0)])
    for row in drawn.rows["rows"]:
        assert row["low"] is row["high"] is row["projected"] is None
    assert drawn.rows["rows"][0]["ending"] == "cannot be told yet"
    assert drawn.rows["rows"][1]["ending"] == "55 (55)"


def test_a_small_target_reached_many_times_does_not_press_the_others_and_is_said_to_be_cut():
    page, drawn = shown([MISSES, standing("Tiny", 1)])
    tiny = drawn.rows["rows"][1]
    assert tiny["reached"] == bullet_chart.FURTHEST and tiny["beyond"] and tiny["projected"] is None
    assert tiny["label"] == "▲ 5,000.0 % · 50 of 1"
    assert page.session_state["cut"] == ["Tiny"]
    page, drawn = shown([MISSES])
    assert page.session_state["cut"] == [] and drawn.rows["rows"][0]["beyond"] == ""


def test_a_row_for_each_even_of_two_of_one_name_and_of_two_targets_of_one_branch():
    _page, drawn = shown([MISSES, replace(MISSES, id="twin"), replace(MISSES, period=OCTOBER_ON)])
    assert len({row["row"] for row in drawn.rows["rows"]}) == 3
    assert drawn.rows["rows"][2]["title"] == "Misses · Oct – Dec 2026"


def test_a_long_list_scrolls_and_a_short_one_does_not():
    many = [replace(MISSES, id=str(number)) for number in range(ROWS_SEEN + 1)]
    heights = []
    for found in (many, many[:-1]):
        page, _drawn = shown(found)
        heights.append(page.main.children[1].proto.height_config.pixel_height)
    assert heights[0] > 500 and heights[1] == 0


def test_the_chart_in_words_says_each_of_the_first_and_how_many_more():
    _page, drawn = shown([replace(MISSES, id=str(number)) for number in range(10)])
    assert drawn.alt.startswith("Misses: 25.0 % reached after 50.0 % of the working days; at the end 100 (")
    assert drawn.alt.endswith("2 more in the table.")


@pytest.mark.parametrize("look", [Look(language, dark) for language in LANGUAGES for dark in (False, True)], ids=str)
def test_a_template_is_converted_once_and_holds_no_data(look):
    spec = bullet_chart._template(look, False, True)
    assert bullet_chart._template(Look(look.language, look.dark), False, True) is spec
    assert '"values"' not in json.dumps(spec) and '"datasets"' not in json.dumps(spec)


def test_only_a_chart_that_leads_somewhere_can_be_clicked():
    _page, drawn = shown([MISSES], pickable=True)
    assert drawn.selections and "pick" in json.dumps(drawn.spec)
    _page, drawn = shown([MISSES])
    assert not drawn.selections and "pick" not in json.dumps(drawn.spec)


def test_the_legend_names_only_colours_that_are_there():
    page, _drawn = shown([REACHES])
    (legend,) = [html.proto.body for html in page.get("html")]
    assert "will probably be reached" in legend and "will probably be missed" not in legend
