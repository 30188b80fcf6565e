"""The control chart as the browser gets it: limits where they hold, points outside of them, what happened and when."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from measures.catalogue import MEASURES
from measures.control import control_chart
from measures.dimensions import MONTH
from presentation import control_chart as drawing
from presentation.charts import Look
from presentation.colours import LIGHT, colours
from presentation.control_chart import Event
from presentation.words import LANGUAGES
from tests.presentation.test_charts import Drawn

GRIEF = MEASURES["complaints_per_1000_contracts"]
STEADY = [30, 33, 28, 31, 29, 34, 75, 27, 32, 30, 31, 29]
JUNE = date(2026, 6, 1)


def _script(asked):
    from presentation.control_chart import control

    control(**asked)


def page(counts=STEADY, *, whole: int | None = None, events=(), **asked) -> AppTest:
    frame = pd.DataFrame(
        {
            MONTH.name: pd.date_range("2026-01-01", periods=len(counts), freq="MS"),
            GRIEF.name: [count / 10 for count in counts],
        }
    )
    whole = len(counts) if whole is None else whole
    chart = control_chart(counts[:whole], [10.0] * whole)
    known = {"frame": frame, "judged": frame.iloc[:whole], "chart": chart, "step": MONTH, "measure": GRIEF}
    known |= {"look": Look("en", dark=False), "key": "chart", "told": ["It is told."], "events": events}
    found = AppTest.from_function(_script, kwargs={"asked": known | asked}, default_timeout=30).run()
    assert not found.exception, found.exception
    return found


def drawn(*args, **asked) -> Drawn:
    (chart,) = page(*args, **asked).get("vega_lite_chart")
    return Drawn(chart.proto)


def test_the_point_outside_points_to_where_it_lies_in_the_colour_of_worse():
    out = [row for row in drawn().rows["points"] if row["mark"] != "circle"]
    assert [(row["title"], row["mark"], row["tint"]) for row in out] == [("Jul 2026", "triangle-up", LIGHT.bad)]
    low = [row for row in drawn([60, 62, 59, 61, 60, 63, 5, 60, 61, 62]).rows["points"] if row["mark"] != "circle"]
    assert [(row["mark"], row["tint"]) for row in low] == [("triangle-down", LIGHT.accent)]


def test_limits_stand_around_whole_steps_and_none_around_one_that_still_grows():
    chart = drawn([*STEADY, 12], whole=12, incomplete_from=date(2027, 1, 1))
    assert len(chart.rows["limits"]) == 12
    first, last = chart.rows["limits"][0], chart.rows["limits"][-1]
    assert first["from"] == date(2026, 1, 1).toordinal() - 0.5 and last["to"] == date(2026, 12, 31).toordinal() + 0.5
    # The running month counts 12 for half of its days: against limits it would seem to be far below.
    (running,) = [row for row in chart.rows["points"] if row["title"] == "Jan 2027, not complete"]
    assert (running["part"], running["mark"], running["between"]) == ("open", "circle", "—")
    assert {row["label"] for row in chart.rows["ends"]} == {"1.2", "average 3.4", "limit 6.2"}


def test_the_points_of_a_run_that_is_too_long_are_seen():
    rows = drawn([34, 36, 35, 37, 34, 36, 35, 36, 27, 28, 26, 29, 27, 28, 27, 26]).rows["points"]
    assert [row["size"] > 0 for row in rows] == [True] * 8 + [False] * 8


def test_too_few_steps_have_a_line_and_no_limits():
    chart = drawn([3, 90, 2])
    assert chart.rows["limits"] == [] and chart.rows["centre"] == [] and len(chart.rows["points"]) == 3


def test_what_happened_is_written_at_its_line_and_read_to_those_who_cannot_see_it():
    events = [
        Event(JUNE, "Fault", "Park", False),
        Event(JUNE, "Opening", "Gate", True),
        Event(date(2020, 1, 1), "Old", "Park", False),
    ]
    chart = drawn(events=events)
    assert [row["said"] for row in chart.rows["events"]] == ["Fault (Park) · Opening (Gate)"]
    assert [row["left"] + row["right"] for row in chart.rows["rules"]] == ["Fault · Opening"]
    assert "It is told." in chart.alt and "Fault · Opening" in chart.alt and "Old" not in chart.alt


def test_of_many_events_those_at_or_above_the_branch_keep_their_line_and_the_others_are_counted():
    many = [Event(date(2026, month, 3), f"List {month}", "Gate", True) for month in range(1, 10)]
    found = page(events=[*many, Event(JUNE, "Fault", "Park", False)])
    chart = Drawn(found.get("vega_lite_chart")[0].proto)
    assert [row["left"] + row["right"] for row in chart.rows["rules"]] == ["Fault"]
    assert len(chart.rows["events"]) == 10
    assert [box.value for box in found.caption] == [
        "Something happened on 9 more of these days: point at a mark at the top to read it."
    ]


def test_without_numbers_there_is_a_sentence():
    frame = pd.DataFrame({MONTH.name: pd.to_datetime([]), GRIEF.name: []})
    empty = page(frame=frame, judged=frame, chart=control_chart([], []))
    assert not empty.get("vega_lite_chart") and empty.caption[0].value == "No numbers to draw."


@pytest.mark.parametrize("look", [Look(language, dark) for language in LANGUAGES for dark in (False, True)], ids=str)
def test_the_template_is_converted_once_and_holds_no_data(look):
    spec = drawing._template(look, "Rate")
    assert drawing._template(Look(look.language, look.dark), "Rate") is spec
    text = json.dumps(spec)
    assert '"values"' not in text and '"datasets"' not in text and colours(look.dark).accent in text
