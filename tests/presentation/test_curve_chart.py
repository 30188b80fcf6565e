"""What reaches the browser of a curve: as far as it can be told, dashed where it is young, with its band."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from measures.dimensions import PRODUCT
from measures.waits import FIRST_USE, Waited, waited
from presentation import curve_chart
from presentation.charts import Look
from presentation.colours import category_colours
from presentation.words import LANGUAGES
from tests.presentation.test_charts import Drawn

ENGLISH = Look("en", dark=False)


def groups(**counts: list[tuple[int, int, int]]) -> list[Waited]:
    rows = [(group, None, *row) for group, listed in counts.items() for row in listed]
    columns = ["product", "product_name", FIRST_USE.days.name, FIRST_USE.began, FIRST_USE.happened]
    return waited(pd.DataFrame(rows, columns=columns), FIRST_USE, PRODUCT)


def _script(lines, look):
    from measures.waits import FIRST_USE
    from presentation import curve_chart

    curve_chart.curves(lines, FIRST_USE, look=look, key="chart")


def draw(found: list[Waited], look: Look = ENGLISH) -> Drawn:
    from streamlit.testing.v1 import AppTest

    lines = [curve_chart.Line(str(group.id) if len(found) > 1 else "", group) for group in found]
    page = AppTest.from_function(_script, kwargs={"lines": lines, "look": look}).run()
    assert not page.exception, page.exception
    (chart,) = page.get("vega_lite_chart")
    return Drawn(chart.proto)


OLD = [(0, 10, 10), (5, 400, 400), (30, 90, 90), (170, 500, 0)]
YOUNG = [(0, 10, 10), (5, 100, 100), (20, 200, 0), (43, 60, 0), (49, 20, 0)]


def series(drawn: Drawn, id_: str) -> list[dict]:
    return [point for point in drawn.rows["points"] if point["series"] == id_]


def test_a_line_ends_where_too_few_were_followed_so_long():
    drawn = draw(groups(old=OLD, young=YOUNG))
    assert max(point["day"] for point in series(drawn, "young")) == 43
    assert max(point["day"] for point in series(drawn, "old")) == 170
    (stop,) = [end for end in drawn.rows["ends"] if end["label"] == "young"]
    assert stop["stop"] == 43 < stop["day"] == 180


def test_a_line_is_dashed_from_where_it_stands_for_less_than_half():
    points = series(draw(groups(old=OLD, young=YOUNG)), "young")
    assert max(point["day"] for point in points if point["part"] == "settled") == 20
    assert [point["day"] for point in points if point["part"] == "young"] == [20, 43]
    assert not any(point["part"] == "young" for point in series(draw(groups(old=OLD, young=YOUNG)), "old"))


def test_what_has_happened_to_all_stays_so_to_the_edge():
    points = series(draw(groups(done=[(5, 50, 50)], old=OLD)), "done")
    assert [(point["day"], point["value"]) for point in points] == [(0, 0), (5, 1), (180, 1)]


def test_steps_too_small_to_be_seen_wait_for_one_that_can_be():
    creeping = [(day, 20000, 1 + 99 * (day == 1)) for day in range(1, 80)] + [(80, 10**6, 0)]
    found = groups(slow=creeping)
    values = [point["value"] for point in draw(found).rows["points"]]
    assert len(values) < 6 < len(creeping)
    assert values[-1] == found[0].curve.share[-1]


def test_a_point_says_the_share_and_its_interval():
    (point,) = [point for point in series(draw(groups(old=OLD, young=YOUNG)), "old") if point["day"] == 5]
    assert point["value"] == pytest.approx(0.41)
    assert point["said"] == "41.0 % (38.0–44.1 %)"
    assert point["title"] == "old · 5 days"


def test_young_lines_alone_are_given_half_of_the_days():
    assert [row["label"] for row in draw(groups(young=YOUNG)).rows["days"]] == [
        "0 days",
        "15",
        "30",
        "45",
        "60",
        "75",
        "90",
    ]
    assert draw(groups(old=OLD)).rows["days"][-1]["label"] == "180"


def test_the_only_line_has_its_value_at_its_end_and_no_name():
    (end,) = draw(groups(old=OLD)).rows["ends"]
    assert (end["label"], end["day"]) == ("50.0 %", 170)


def test_each_line_has_a_colour_of_its_own_whatever_the_order():
    found = groups(old=OLD, young=YOUNG)
    one, other = (
        {point["series"]: point["tint"] for point in draw(lines).rows["points"]} for lines in (found, found[::-1])
    )
    assert one == other == category_colours(["old", "young"], dark=False)


@pytest.mark.parametrize("look", [Look(language, dark) for language in LANGUAGES for dark in (False, True)], ids=str)
@pytest.mark.parametrize("several", [False, True])
def test_a_template_is_converted_once_and_holds_no_data(look, several):
    spec = curve_chart._template(look, "Share", several)
    assert curve_chart._template(Look(look.language, look.dark), "Share", several) is spec
    assert '"values"' not in json.dumps(spec) and '"datasets"' not in json.dumps(spec)


def test_the_chart_in_words_names_each_line_and_the_shares_that_can_be_told():
    old, young = draw(groups(old=OLD, young=YOUNG)).alt.split(". ")
    assert old.count("by day") == 3 and old.startswith("old: 50.0 % (46.9–53.1 %) by day 30")
    assert young.count("by day") == 1 and young.startswith("young: ")


def test_where_nothing_can_be_told_it_is_said():
    from streamlit.testing.v1 import AppTest

    lines = [curve_chart.Line("", group) for group in groups(few=[(3, 9, 9)])]
    page = AppTest.from_function(_script, kwargs={"lines": lines, "look": ENGLISH}).run()
    assert not page.get("vega_lite_chart")
    assert [caption.value for caption in page.caption] == ["No numbers to draw."]
