"""The funnel plot as the browser gets it: which dots stand out, what they are called, and limits that stay in the picture."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from measures.catalogue import MEASURES
from measures.dimensions import BELOW
from presentation import fairness, funnel_chart
from presentation.charts import Look
from presentation.colours import LIGHT, colours
from presentation.words import LANGUAGES
from tests.presentation.test_charts import Drawn
from tests.presentation.test_fairness import answer

RATE = MEASURES["activation_rate"]
GRIEF = MEASURES["complaints_per_1000_contracts"]
ALIKE = [(f"B{number}", 60, 100) for number in range(9)]
ENGLISH = Look("en", dark=False)


def _script(asked):
    from presentation.funnel_chart import funnel_plot

    funnel_plot(**asked)


def drawn(*rows, measure=RATE, **asked) -> Drawn:
    found = fairness.comparison(measure, answer(*rows, measure=measure))
    overall = measure.per * sum(row[1] for row in rows) / sum(row[2] for row in rows)
    known = {"found": found, "funnel": found.funnel(overall), "id": BELOW.name, "name": f"{BELOW.name}_name"}
    page = AppTest.from_function(
        _script, kwargs={"asked": known | {"look": ENGLISH, "key": "chart"} | asked}, default_timeout=30
    ).run()
    assert not page.exception, page.exception
    (chart,) = page.get("vega_lite_chart")
    return Drawn(chart.proto)


def dots(chart: Drawn) -> dict[str, dict]:
    return {row["title"]: row for row in chart.rows["dots"]}


@pytest.mark.parametrize(
    ("measure", "worse", "better"), [(RATE, ("Out", 20), ("Up", 95)), (GRIEF, ("Up", 95), ("Out", 20))]
)
def test_what_stands_out_is_coloured_by_what_is_good_and_pointed_by_where_it_lies(measure, worse, better):
    rows = [(name, over * 10, under * 10) for name, over, under in [*ALIKE, (*worse, 100), (*better, 100)]]
    found = dots(drawn(*rows, measure=measure))
    assert found[worse[0]]["tint"] == LIGHT.bad and found[better[0]]["tint"] == LIGHT.accent
    assert found["Up"]["shape"] == "triangle-up" and found["Out"]["shape"] == "triangle-down"
    assert {(row["tint"], row["shape"]) for name, row in found.items() if name.startswith("B")} == {
        (LIGHT.rest, "circle")
    }


def test_only_what_lies_outside_has_its_name_and_the_text_alternative_names_it_too():
    chart = drawn(*ALIKE, ("Out", 20, 100), ("Near", 72, 100))
    assert [row["left"] + row["right"] for row in chart.rows["names"]] == ["Out"]
    assert "Out: 20.0 %, Below what chance explains" in chart.alt and "Near" not in chart.alt
    assert dots(chart)["Near"]["place"] == "High, to be watched"


def test_names_do_not_lie_on_each_other_and_no_more_are_written_than_can_be():
    far = [(f"Far {number}", 2000 + number, 10000) for number in range(10)]
    chart = drawn(*[(f"B{number}", 6000, 10000) for number in range(120)], *far)
    assert sum(row["shape"] != "circle" for row in chart.rows["dots"]) == 10
    places = sorted(row["at"] for row in chart.rows["names"])
    assert len(chart.rows["names"]) == funnel_chart.MOST_NAMED
    ticks = [row["at"] for row in chart.rows["grid"]]
    gap = (ticks[-1] - ticks[0]) * funnel_chart._LABEL_HEIGHT / funnel_chart._HEIGHT
    assert all(upper - lower >= gap * 0.99 for lower, upper in pairwise(places))


@pytest.mark.parametrize("measure", [RATE, GRIEF])
def test_a_head_office_beside_small_branches_leaves_them_room_and_limits_stay_in_the_picture(measure):
    small = [(f"B{number}", 190 + number, 310 + number) for number in range(9)]
    chart = drawn(*small, ("Head office", 600_000, 1_000_000), measure=measure)
    sizes = sorted(row["size"] for row in chart.rows["dots"])
    assert sizes[0] == pytest.approx(math.log10(310)) and sizes[-1] == pytest.approx(6)
    ticks = [row["at"] for row in chart.rows["grid"]]
    for row in chart.rows["bands"]:
        assert ticks[0] <= row["far_lower"] <= row["lower"] <= row["upper"] <= row["far_upper"] <= ticks[-1]
    assert chart.rows["average"][0]["value"] == pytest.approx(
        measure.per * (600_000 + sum(over for _name, over, _under in small)) / (1_000_000 + sum(s[2] for s in small))
    )


def test_one_size_for_all_none_at_all_and_all_of_all_are_drawn():
    for rows in (ALIKE, [(f"B{n}", 0, 100) for n in range(6)], [(f"B{n}", 100, 100) for n in range(6)]):
        chart = drawn(*rows)
        assert len(chart.rows["dots"]) == len(rows) and chart.rows["sizes"]
        assert "None of the" in chart.alt


def test_the_branch_looked_at_has_a_ring_and_a_click_can_be_told():
    chart = drawn(*ALIKE, marked="b3", on_pick=print)
    assert [name for name, row in dots(chart).items() if row["ring"] != "transparent"] == ["B3"]
    assert chart.selections


@pytest.mark.parametrize("look", [Look(language, dark) for language in LANGUAGES for dark in (False, True)], ids=str)
def test_the_template_is_converted_once_and_holds_no_data(look):
    spec = funnel_chart._template(look, "Rate", "n", True)
    assert funnel_chart._template(Look(look.language, look.dark), "Rate", "n", True) is spec
    text = json.dumps(spec)
    assert '"values"' not in text and '"datasets"' not in text and colours(look.dark).text in text
