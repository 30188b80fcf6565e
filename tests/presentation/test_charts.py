"""What reaches the browser: the template without data, and the rows that fill it."""

from __future__ import annotations

import json
import math
from datetime import date
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from measures.catalogue import MEASURES
from measures.dimensions import AGE_BAND, BELOW, MONTH, PRODUCT
from measures.model import Unit
from presentation import charts
from presentation.charts import Doubt, Interval, Look, Step
from presentation.colours import DARK, LIGHT, category_colours, colours, contrast, shade
from presentation.words import LANGUAGES, words

RATE = MEASURES["activation_rate"]
SIGNED = MEASURES["signed"]
LOOKS = [Look(language, dark) for language in LANGUAGES for dark in (False, True)]
ENGLISH = Look("en", dark=False)
NAME = f"{BELOW.name}_name"


class Drawn:
    """One chart as the browser gets it."""

    def __init__(self, proto) -> None:
        self.spec = json.loads(proto.spec)
        self.rows = {
            dataset.name: pa.ipc.open_stream(dataset.data.data).read_all().to_pylist() for dataset in proto.datasets
        }
        ((self.alt,),) = [row.values() for row in self.rows.pop("told")]
        self.selections = list(proto.selection_mode)


def _script(which, asked):
    from presentation import charts

    getattr(charts, which)(**asked)


def page(which: str, **asked) -> AppTest:
    asked = {"look": ENGLISH, "key": "chart"} | asked
    found = AppTest.from_function(_script, kwargs={"which": which, "asked": asked}).run()
    assert not found.exception, found.exception
    return found


def draw(which: str, **asked) -> Drawn:
    (found,) = page(which, **asked).get("vega_lite_chart")
    return Drawn(found.proto)


def outlets(*rows: tuple[str | None, str | None, float | None], measure=RATE) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[BELOW.name, NAME, measure.name])


def months(values: dict[str, list[float | None]], *, start: str = "2026-01-01") -> pd.DataFrame:
    """A row for each product and month; the products stand in the order given."""
    rows = [
        (day, product, product.upper(), value)
        for product, series in values.items()
        for day, value in zip(pd.date_range(start, periods=len(series), freq="MS"), series, strict=True)
    ]
    return pd.DataFrame(rows, columns=["month", "product", "product_name", RATE.name])


BARS = {"id": BELOW.name, "name": NAME, "measure": RATE}
TWO = outlets(("a", "Ost", 0.7), ("b", "West", 0.6))
TEMPLATES = [
    lambda look: charts._bars_template(look, "Rate", "n", True),
    lambda look: charts._columns_template(look, "Rate", "n"),
    lambda look: charts._lines_template(look, "Rate", "", True, False, False),
    lambda look: charts._lines_template(look, "Rate", "n", False, False, True),
    lambda look: charts._matrix_template(look, "Rate", "n", True),
]


def scales(spec: object, axis: str) -> list[dict]:
    """Every scale that `spec` gives to a channel of position."""
    if isinstance(spec, list):
        return [scale for part in spec for scale in scales(part, axis)]
    if not isinstance(spec, dict):
        return []
    own = spec.get(axis)
    here = [own["scale"]] if isinstance(own, dict) and isinstance(own.get("scale"), dict) else []
    return here + [scale for part in spec.values() for scale in scales(part, axis)]


# Templates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_template_is_converted_once_and_holds_no_data(template, look):
    spec = template(look)
    assert template(Look(look.language, look.dark)) is spec
    text = json.dumps(spec)
    assert '"values"' not in text and '"datasets"' not in text
    assert (colours(look.dark).text in text or colours(look.dark).page in text) and "scheme" not in text


def test_drawing_leaves_the_shared_template_as_it_is():
    spec = charts._bars_template(ENGLISH, words("en")(RATE.label), words("en")(RATE.under.label), False)
    before = json.dumps(spec)
    draw("bars", frame=TWO, overall=0.65, **BARS)
    assert json.dumps(spec) == before


def test_two_draws_with_other_numbers_send_the_same_template():
    one = draw("bars", frame=TWO, overall=0.65, marked="a", **BARS)
    other = draw("bars", frame=TWO.iloc[:1], marked="b", **BARS)
    assert one.spec == other.spec
    assert one.rows != other.rows


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize(
    ("which", "asked"),
    [
        ("bars", {"frame": TWO, "overall": 0.65} | BARS),
        ("pareto", {"frame": TWO} | BARS),
        ("columns", {"frame": TWO} | BARS),
        (
            "lines",
            {"frame": months({"a": [0.5, 0.6], "b": [None, 0.4]}), "step": MONTH, "series": PRODUCT, "measure": RATE},
        ),
        (
            "matrix",
            {
                "frame": pd.DataFrame(
                    {"age_band": ["18-25"], "product": ["a"], "product_name": ["A"], RATE.name: [0.5]}
                ),
                "x": AGE_BAND,
                "y": PRODUCT,
                "measure": RATE,
            },
        ),
        ("funnel", {"steps": [Step("Assigned", 10), Step("Reached", 4, 0.4)]}),
    ],
)
def test_every_chart_is_drawn_in_every_look_with_a_text_alternative(which, asked, look):
    drawn = draw(which, **asked, look=look)
    assert drawn.alt
    assert drawn.spec["config"]["axis"]["labelColor"] == colours(look.dark).muted
    if "measure" in asked:
        assert drawn.alt.startswith(words(look.language)(RATE.label))


@pytest.mark.parametrize("which", ["bars", "columns"])
def test_bars_begin_at_zero(which):
    axis = {"bars": "x", "columns": "y"}[which]
    found = scales(draw(which, frame=TWO, **BARS).spec, axis)
    numeric = [scale for scale in found if "zero" in scale]
    assert numeric and all(scale["zero"] is True for scale in numeric)
    assert all("domain" not in scale and "domainMin" not in scale for scale in found)


# Bars ---------------------------------------------------------------------------------------------------------------


def test_bars_stand_in_the_order_of_the_answer():
    frame = outlets(("z", "Zoo", 0.2), ("a", "Alp", 0.9), ("m", "Mid", 0.5))
    drawn = draw("bars", frame=frame, **BARS)
    assert [row["title"] for row in drawn.rows["rows"]] == ["Zoo", "Alp", "Mid"]
    places = [
        layer["encoding"]["y"] for layer in drawn.spec["layer"] if layer["encoding"].get("y", {}).get("field") == "row"
    ]
    assert places and all(place["sort"] is None for place in places)


def test_two_branches_of_one_name_stay_two_bars():
    drawn = draw("bars", frame=outlets(("1", "Nord", 0.7), ("2", "Nord", 0.3)), **BARS)
    first, second = drawn.rows["rows"]
    assert first["row"] != second["row"]
    assert (first["id"], second["id"]) == ("1", "2")
    assert first["title"] == second["title"] == "Nord"


def test_a_bar_without_a_number_stays_with_a_dash_and_is_not_zero():
    drawn = draw("bars", frame=outlets(("1", "Nord", 0.0), ("2", "Süd", None)), **BARS)
    zero, missing = drawn.rows["rows"]
    assert (zero["value"], zero["label"]) == (0.0, "0.0 %")
    assert (missing["value"], missing["label"]) == (None, "—")
    assert "Lowest: Nord" in drawn.alt


def test_the_bar_that_is_looked_at_has_the_accent_and_the_others_are_grey():
    drawn = draw("bars", frame=TWO, marked="b", **BARS)
    assert [row["tint"] for row in drawn.rows["rows"]] == [LIGHT.rest, LIGHT.accent]


def test_the_overall_value_is_a_labelled_line_of_its_own():
    assert draw("bars", frame=TWO, overall=0.668, **BARS).rows["overall"] == [{"at": 0.668, "label": "overall 66.8 %"}]
    assert draw("bars", frame=TWO, overall=float("nan"), **BARS).rows["overall"] == []


def test_a_number_is_written_as_in_tables_even_where_a_float_cannot_hold_it():
    frame = outlets(("1", "Nord", 0), measure=SIGNED).astype({SIGNED.name: "Int64"})
    frame.loc[0, SIGNED.name] = 2**53 + 1
    (row,) = draw("bars", frame=frame, **BARS | {"measure": SIGNED}).rows["rows"]
    assert row["said"] == "9,007,199,254,740,993"


def test_the_tooltip_says_of_how_many_where_the_answer_has_it():
    frame = TWO.assign(**{RATE.under.name: [2400, 1900]})
    drawn = draw("bars", frame=frame, **BARS)
    assert [row["n"] for row in drawn.rows["rows"]] == ["2,400", "1,900"]


def test_codes_are_said_in_the_language_of_the_reader():
    frame = pd.DataFrame({"age_band": ["18-25", None], SIGNED.name: [3, 1]})
    for language in LANGUAGES:
        drawn = draw("columns", frame=frame, id="age_band", name="age_band", measure=SIGNED, look=Look(language, False))
        say = words(language)
        assert [row["title"] for row in drawn.rows["rows"]] == [say.value(AGE_BAND, "18-25"), say.value(AGE_BAND, None)]


def test_a_chart_can_be_clicked_only_where_a_click_means_something():
    assert draw("bars", frame=TWO, **BARS).selections == []
    drawn = draw("bars", frame=TWO, on_pick=print, **BARS)
    assert drawn.selections == ["pick"]
    assert drawn.spec["params"][0]["select"]["fields"] == ["id", "turn"]
    assert {row["turn"] for row in drawn.rows["rows"]} == {0}


def test_a_long_list_of_bars_scrolls_and_loses_none():
    frame = outlets(*((str(n), f"Outlet {n}", 0.5) for n in range(60)))
    drawn = draw("bars", frame=frame, **BARS)
    assert len(drawn.rows["rows"]) == 60
    assert drawn.spec["height"] == {"step": charts._ROW}


def test_more_bars_than_a_browser_draws_at_once_are_cut_aloud_but_for_the_one_looked_at():
    many = outlets(*((f"o{at}", f"Outlet {at}", 0.5 + at / 10_000) for at in range(2_278)))
    shown = page("bars", frame=many, id=BELOW.name, name=NAME, measure=RATE, marked="o2000")
    (found,) = shown.get("vega_lite_chart")
    ids = [row["id"] for row in Drawn(found.proto).rows["rows"]]
    assert ids == [*(f"o{at}" for at in range(charts.MOST_BARS)), "o2000"]
    assert [caption.value for caption in shown.caption] == ["Drawn are the first 200 of 2,278; the table has all."]
    # The text alternative is about all of them.
    assert "Outlet 2277" in Drawn(found.proto).alt


def test_as_many_bars_as_are_drawn_need_no_word():
    whole = outlets(*((f"o{at}", f"Outlet {at}", 0.5) for at in range(charts.MOST_BARS)))
    assert not page("bars", frame=whole, id=BELOW.name, name=NAME, measure=RATE).caption


def test_too_many_cells_are_said_and_not_drawn():
    pairs = [(f"o{at}", f"Outlet {at}", f"p{of}") for at in range(250) for of in range(9)]
    frame = pd.DataFrame(pairs, columns=[BELOW.name, NAME, "product"]).assign(
        product_name="Product", **{RATE.name: 0.5}
    )
    shown = page("matrix", frame=frame, x=PRODUCT, y=BELOW, measure=RATE)
    assert not shown.get("vega_lite_chart")
    (said,) = [caption.value for caption in shown.caption]
    assert said == "2,250 cells cannot be read as a chart. Choose fewer, or read the table."


def test_of_a_pareto_the_few_that_make_up_four_fifths_have_the_accent_with_the_bar_that_crosses():
    frame = outlets(("a", "A", 40), ("b", "B", 30), ("c", "C", 20), ("d", "D", 10), measure=SIGNED)
    frame["cumulative"] = [0.4, 0.7, 0.9, 1.0]
    drawn = draw("pareto", frame=frame, **BARS | {"measure": SIGNED, "cumulative": "cumulative"})
    assert [row["tint"] == LIGHT.accent for row in drawn.rows["rows"]] == [True, True, True, False]
    assert drawn.rows["rows"][1]["label"] == "30 · 70.0 %"


def test_a_funnel_shows_the_share_it_was_given_and_divides_nothing_itself():
    drawn = draw("funnel", steps=[Step("Assigned", 10), Step("Reached", 4, 0.5), Step("Active", 2)])
    assert [row["label"] for row in drawn.rows["rows"]] == ["10", "4 · 50.0 %", "2"]


@pytest.mark.parametrize(
    ("which", "asked"),
    [
        ("bars", {"frame": TWO.iloc[:0]} | BARS),
        ("columns", {"frame": TWO.iloc[:0]} | BARS),
        ("lines", {"frame": months({"a": [None, None]}), "step": MONTH, "series": PRODUCT, "measure": RATE}),
    ],
)
def test_where_there_is_nothing_to_draw_a_sentence_stands(which, asked):
    found = page(which, **asked)
    assert not found.get("vega_lite_chart")
    assert found.caption[0].value == "No numbers to draw."


# Lines --------------------------------------------------------------------------------------------------------------

LINES = {"step": MONTH, "series": PRODUCT, "measure": RATE}


def test_a_month_without_a_row_is_a_gap_and_not_a_bridge():
    frame = months({"a": [0.5, 0.6, 0.7]}).drop(index=1)
    drawn = draw("lines", frame=frame, **LINES)
    assert [row["value"] for row in drawn.rows["points"]] == [0.5, None, 0.7]


def test_a_month_without_a_row_is_none_of_a_count():
    frame = months({"a": [5, 6, 7]}).drop(index=1).rename(columns={RATE.name: SIGNED.name})
    drawn = draw("lines", frame=frame, **LINES | {"measure": SIGNED})
    assert [row["value"] for row in drawn.rows["points"]] == [5, 0, 7]


def test_a_number_between_two_gaps_is_drawn_as_a_point():
    drawn = draw("lines", frame=months({"a": [0.5, None, 0.7, None, 0.5, 0.6]}), **LINES)
    assert [row["alone"] for row in drawn.rows["points"]] == [True, False, True, False, False, False]


@pytest.mark.parametrize("since", [date(2026, 3, 1), date(2026, 3, 21), date(2026, 3, 31)])
def test_a_line_is_dashed_from_the_month_that_is_not_complete(since):
    drawn = draw("lines", frame=months({"a": [0.5, 0.6, 0.7]}), incomplete_from=since, **LINES)
    parts = {part: [r["value"] for r in drawn.rows["points"] if r["part"] == part] for part in ("complete", "open")}
    assert parts == {"complete": [0.5, 0.6], "open": [0.6, 0.7]}
    assert drawn.rows["points"][-1]["title"] == "A · Mar 2026, not complete"


def test_a_complete_line_has_no_dashes():
    drawn = draw("lines", frame=months({"a": [0.5, 0.6]}), incomplete_from=date(2026, 3, 1), **LINES)
    assert {row["part"] for row in drawn.rows["points"]} == {"complete"}


def test_shares_are_drawn_from_near_and_counts_from_zero():
    shares = draw("lines", frame=months({"a": [0.66, 0.68]}), **LINES).rows["grid"]
    assert 0.5 < shares[0]["at"] <= 0.66 and shares[-1]["at"] >= 0.68
    frame = months({"a": [66, 68]}).rename(columns={RATE.name: SIGNED.name})
    assert draw("lines", frame=frame, **LINES | {"measure": SIGNED}).rows["grid"][0]["at"] == 0


@given(
    some.lists(some.floats(0, 1), min_size=1, max_size=20),
    some.sampled_from([Unit.SHARE, Unit.INDEX, Unit.COUNT, Unit.RATE]),
    some.floats(1e-3, 1e7),
)
def test_a_scale_holds_every_value_and_its_ticks_are_even_and_few(values, unit, size):
    known = [round(value * (1 if unit is Unit.SHARE else size), 0 if unit is Unit.COUNT else 4) for value in values]
    ticks = charts.ticks_of(known, unit)
    low, high = ticks[0], ticks[-1]
    slack = (high - low) * 1e-6
    assert low - slack <= min(known) and max(known) <= high + slack and low < high
    assert 2 <= len(ticks) <= 7
    steps = {round((b - a) / (high - low), 6) for a, b in pairwise(ticks)}
    assert max(steps) - min(steps) < 1e-5
    if unit is Unit.SHARE:
        assert low >= 0 and high <= 1


def test_chance_does_not_look_like_a_landslide():
    ticks = charts.ticks_of([0.668, 0.669], Unit.SHARE)
    assert ticks[-1] - ticks[0] >= 0.05


@given(some.lists(some.floats(0, 100), min_size=2, max_size=7))
def test_labels_at_the_ends_of_lines_never_overlap(values):
    ends = charts.spread([{"value": value} for value in values], 0, 100, 250)
    places = sorted(end["at"] for end in ends)
    least = 100 * charts._LABEL_HEIGHT / 250
    assert all(b - a >= least - 1e-6 for a, b in pairwise(places))
    by_value = sorted(ends, key=lambda end: end["at"])
    assert [end["value"] for end in by_value] == sorted(values)


def test_an_event_is_labelled_on_the_day_it_happened_and_one_outside_does_not_stretch_the_axis():
    frame = months({"a": [0.5, 0.6, 0.7, 0.7]})
    rules = [(date(2026, 4, 17), "fault"), (date(2024, 1, 1), "long ago")]
    (rule,) = draw("lines", frame=frame, rules=rules, **LINES).rows["rules"]
    assert rule["day"] == date(2026, 4, 17).toordinal()
    assert (rule["left"], rule["right"]) == ("", "fault")


def test_a_line_stands_out_where_one_is_looked_at():
    drawn = draw("lines", frame=months({"a": [0.5, 0.6], "b": [0.3, 0.4]}), accent="b", **LINES)
    assert {row["series"]: row["tint"] for row in drawn.rows["points"]} == {"a": LIGHT.rest, "b": LIGHT.accent}


def test_a_product_keeps_its_colour_when_others_are_filtered_away():
    among = ["a", "b", "c"]
    all_of_them = draw("lines", frame=months({"c": [0.1], "b": [0.2], "a": [0.3]}), among=among, **LINES)
    some_of_them = draw("lines", frame=months({"c": [0.1], "b": [0.2]}), among=among, **LINES)
    tints = [{row["series"]: row["tint"] for row in drawn.rows["points"]} for drawn in (all_of_them, some_of_them)]
    assert tints[1].items() <= tints[0].items()


def test_more_lines_than_can_be_told_apart_become_small_charts_on_one_scale():
    frame = months({f"p{n}": [n / 10, n / 10] for n in range(9)})
    found = [Drawn(chart.proto) for chart in page("lines", frame=frame, **LINES).get("vega_lite_chart")]
    assert len(found) == 9
    assert len({json.dumps(drawn.rows["grid"]) for drawn in found}) == 1


def test_too_many_lines_are_said_and_not_cut():
    frame = months({f"p{n:02}": [0.5, 0.5] for n in range(30)})
    found = page("lines", frame=frame, **LINES)
    assert not found.get("vega_lite_chart")
    assert found.caption[0].value.startswith("30 lines")


@pytest.mark.parametrize(
    ("language", "ticks"),
    [("en", ["0", "5,000", "10k", "15k", "20k"]), ("zh_CN", ["0", "5,000", "1万", "1.5万", "2万"])],
)
def test_ticks_and_months_are_written_in_the_language_of_the_reader(language, ticks):
    frame = months({"a": [20000, 10000]}).rename(columns={RATE.name: SIGNED.name})
    drawn = draw("lines", frame=frame, **LINES | {"measure": SIGNED}, look=Look(language, False))
    assert [row["label"] for row in drawn.rows["grid"]] == ticks
    assert drawn.rows["steps"][0]["label"] == {"en": "Jan\n2026", "zh_CN": "1月\n2026年"}[language]


def held(*rows: tuple[float, float, float, bool]) -> dict:
    """What one line is drawn of beside its rows: lower and upper end, how many, and whether too few."""
    return {"intervals": [Interval(*row) for row in rows]} | LINES


def test_a_line_stands_in_the_band_of_its_intervals_and_the_scale_holds_the_band():
    asked = held((0.4, 0.6, 90, False), (0.2, 0.95, 31, False), (0.5, 0.7, 80, False))
    drawn = draw("lines", frame=months({"a": [0.5, 0.6, 0.6]}), **asked)
    assert [(row["lower"], row["upper"], row["run"]) for row in drawn.rows["bands"]] == [
        (0.4, 0.6, 1),
        (0.2, 0.95, 1),
        (0.5, 0.7, 1),
    ]
    assert drawn.rows["grid"][0]["at"] <= 0.2 and drawn.rows["grid"][-1]["at"] >= 0.95
    assert [row["between"] for row in drawn.rows["points"]] == ["40.0 % – 60.0 %", "20.0 % – 95.0 %", "50.0 % – 70.0 %"]
    assert [row["n"] for row in drawn.rows["points"]] == ["90", "31", "80"]


def test_a_rate_of_too_few_is_a_hollow_point_and_neither_line_nor_band_bridges_it():
    few = (0.1, 0.9, 13, True)
    asked = held((0.4, 0.6, 90, False), (0.4, 0.6, 90, False), few, (0.4, 0.6, 90, False), (0.4, 0.6, 90, False))
    drawn = draw("lines", frame=months({"a": [0.5, 0.5, 0.8, 0.5, 0.5]}), **asked)
    points = drawn.rows["points"]
    assert [row["value"] for row in points] == [0.5, 0.5, None, 0.5, 0.5]
    assert [row["seen"] for row in points if row["few"]] == [0.8]
    assert [row["run"] for row in drawn.rows["bands"]] == [1, 1, 2, 2]
    assert [(row["lower"], row["upper"]) for row in drawn.rows["whiskers"]] == [(0.1, 0.9)]
    assert "80.0" not in drawn.alt  # the highest of those that can be judged is told


def test_all_of_too_few_are_drawn_all_the_same():
    drawn = draw("lines", frame=months({"a": [0.5, 1.0]}), **held((0.1, 0.9, 2, True), (0.2, 1.0, 1, True)))
    assert [row["seen"] for row in drawn.rows["points"] if row["few"]] == [0.5, 1.0]
    assert len(drawn.rows["whiskers"]) == 2 and not drawn.rows["bands"] and not drawn.rows["ends"]


def test_a_month_that_is_not_complete_has_no_interval_because_its_number_will_be_another():
    asked = held((0.4, 0.6, 90, False), (0.4, 0.6, 90, False), (0.4, 0.6, 90, False))
    drawn = draw("lines", frame=months({"a": [0.5, 0.5, 0.5]}), incomplete_from=date(2026, 3, 1), **asked)
    assert len(drawn.rows["bands"]) == 2
    assert drawn.rows["points"][-1]["between"] == "—"


def test_a_line_without_intervals_has_no_band_and_with_other_rows_the_same_template():
    asked = held((0.4, 0.6, 90, False), (0.1, 0.9, 5, True))
    one = draw("lines", frame=months({"a": [0.5, 0.5]}), **asked)
    other = draw("lines", frame=months({"a": [0.2]}), **held((0.1, 0.3, 50, False)))
    assert one.spec == other.spec and other.rows["bands"] == []
    assert "bands" not in draw("lines", frame=months({"a": [0.5, 0.5]}), **LINES).rows


# Matrix -------------------------------------------------------------------------------------------------------------


def crossing() -> pd.DataFrame:
    rows = [("61+", "b", 0.9), ("18-25", "a", 0.1), (None, "a", 0.3), ("26-30", "b", None)]
    frame = pd.DataFrame(rows, columns=["age_band", "product", RATE.name])
    return frame.assign(product_name="Same name")


def test_codes_stand_in_their_declared_order_and_all_else_as_it_came():
    cells = draw("matrix", frame=crossing(), x=AGE_BAND, y=PRODUCT, measure=RATE).rows["rows"]
    assert list(dict.fromkeys(cell["x_id"] for cell in cells)) == ["18-25", "26-30", "61+", None]
    assert list(dict.fromkeys(cell["y_id"] for cell in cells)) == ["b", "a"]


def test_every_pair_has_a_cell_and_an_empty_one_has_a_dash():
    cells = draw("matrix", frame=crossing(), x=AGE_BAND, y=PRODUCT, measure=RATE).rows["rows"]
    labels = {(cell["x_id"], cell["y_id"]): cell["label"] for cell in cells}
    assert len(labels) == 8
    assert labels["61+", "b"] == "90.0 %"
    assert labels["61+", "a"] == labels["26-30", "b"] == "—"


def test_products_of_one_name_stay_two_rows_of_cells():
    cells = draw("matrix", frame=crossing(), x=AGE_BAND, y=PRODUCT, measure=RATE).rows["rows"]
    assert len({cell["y"] for cell in cells}) == 2


# Colours ------------------------------------------------------------------------------------------------------------


@given(some.floats(0, 1), some.booleans())
def test_the_number_in_a_cell_can_be_read(part, dark):
    fill, ink = shade(part, dark)
    assert contrast(fill, ink) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_page(theme):
    assert all(contrast(ink, theme.page) >= 4.5 for ink in (theme.text, theme.muted, theme.accent))
    assert contrast(theme.muted, theme.empty) >= 4.5
    assert all(contrast(mark, theme.page) >= 3 for mark in (theme.rest, *theme.categories))


def test_a_colour_never_stands_for_two_things():
    assert len(set(category_colours([*"abcdefg"], dark=False).values())) == 7
    with pytest.raises(ValueError, match="8 things"):
        category_colours([*"abcdefgh"], dark=False)


# Rates in doubt -----------------------------------------------------------------------------------------------------

DOUBTS = [Doubt(0.6, 0.9, (1, 1), 1), Doubt(0.3, 0.65, (2, 3), 2), Doubt(0.2, 0.6, (2, 3), 2), Doubt(0.0, 0.7, None, 0)]
THREE_AND_ONE = outlets(("a", "Ost", 0.8), ("b", "West", 0.5), ("c", "Nord", 0.4), ("d", "Tiny", 0.0))


def test_an_interval_is_drawn_for_what_has_a_place_and_told_for_all():
    rows = draw("bars", frame=THREE_AND_ONE, **BARS, doubts=DOUBTS).rows["rows"]
    assert [(row["low"], row["high"]) for row in rows] == [(0.6, 0.9), (0.3, 0.65), (0.2, 0.6), (None, None)]
    assert [row["between"] for row in rows][::3] == ["60.0 % – 90.0 %", "0.0 % – 70.0 %"]
    assert [row["place"] for row in rows] == ["1 of 3", "2–3 of 3", "2–3 of 3", "none: too few"]
    # The number stands beyond the interval; where none is drawn, at the end of the bar.
    assert [row["at"] for row in rows] == [0.9, 0.65, 0.6, 0.0]


def test_those_that_cannot_be_told_apart_share_a_ground_and_one_group_alone_has_none():
    rows = draw("bars", frame=THREE_AND_ONE, **BARS, doubts=DOUBTS).rows["rows"]
    assert [row["ground"] for row in rows] == [LIGHT.empty, "transparent", "transparent", "transparent"]
    alike = [Doubt(doubt.lower, doubt.upper, doubt.places, 1) for doubt in DOUBTS[:3]] + DOUBTS[3:]
    assert {row["ground"] for row in draw("bars", frame=THREE_AND_ONE, **BARS, doubts=alike).rows["rows"]} == {
        "transparent"
    }


def test_an_interval_without_an_upper_end_is_open_and_breaks_no_scale():
    open_ended = [*DOUBTS[:3], Doubt(0.0, math.inf, None, 0)]
    rows = draw("bars", frame=THREE_AND_ONE, **BARS, doubts=open_ended).rows["rows"]
    assert rows[3]["between"] == "0.0 % – ∞" and all(math.isfinite(row["at"]) for row in rows)


def test_bars_without_doubts_are_drawn_as_they_were():
    chart = draw("bars", frame=THREE_AND_ONE, **BARS)
    assert "between" not in chart.rows["rows"][0] and "between" not in json.dumps(chart.spec)


def _in_a_room(which, asked, room):
    from presentation import charts

    with charts.within(charts.Room(*room)):
        getattr(charts, which)(**asked)


@pytest.mark.parametrize(("rows", "step"), [(2, 40), (10, 34), (20, 24)])
def test_a_chart_on_a_slide_fills_the_room_and_its_rows_stay_readable(rows, step):
    bars = outlets(*((str(n), f"Outlet {n}", 0.5) for n in range(rows)))
    asked = {"frame": bars, "look": ENGLISH, "key": "chart"} | BARS
    found = AppTest.from_function(_in_a_room, kwargs={"which": "bars", "asked": asked, "room": (892, 340)}).run()
    (chart,) = found.get("vega_lite_chart")
    spec = json.loads(chart.proto.spec)
    assert (spec["width"], spec["height"]) == (892, {"step": step})


@pytest.mark.parametrize(("room", "height"), [((892, 340), 340), ((892, 100), 250)])
def test_a_course_on_a_slide_is_as_high_as_there_is_room_and_never_flatter_than_on_its_page(room, height):
    asked = {"frame": months({"a": [0.5, 0.6]}), "step": MONTH, "measure": RATE, "look": ENGLISH, "key": "chart"}
    found = AppTest.from_function(_in_a_room, kwargs={"which": "lines", "asked": asked, "room": room}).run()
    (chart,) = found.get("vega_lite_chart")
    assert json.loads(chart.proto.spec)["height"] == height


def test_small_charts_on_a_slide_share_its_width():
    many = {f"p{number}": [0.5, 0.6] for number in range(charts.MOST_LINES + 1)}
    asked = {"frame": months(many), "step": MONTH, "measure": RATE, "look": ENGLISH, "key": "chart", "series": PRODUCT}
    found = AppTest.from_function(_in_a_room, kwargs={"which": "lines", "asked": asked, "room": (900, 340)}).run()
    widths = [json.loads(chart.proto.spec)["width"] for chart in found.get("vega_lite_chart")]
    assert len(widths) == len(many) and 3 * max(widths) < 900
