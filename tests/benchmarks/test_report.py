"""The table says what was measured: every figure in its place, and the slow ones not hidden by the median."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.report import Figure, against_goal, machine_said, put_into, shown, tables, write_results

COLD = Figure("filter", "Click", "Activation, cold", "Branch", "ms", [300, 900, 310])
WARM = Figure("filter", "Click", "Activation, warm", "Product", "ms", [100, 110, 120], [90, 95, 99])


def test_the_middle_is_the_median_and_the_slowest_is_said_beside_it():
    assert shown([300, 900, 310], "ms") == "310 ms (300–900)"


def test_a_single_sample_does_not_pretend_to_have_a_spread():
    assert shown([1234.4], "MB") == "1,234 MB"


def test_a_long_time_is_in_seconds_but_memory_never():
    assert shown([11_840, 12_340, 20_000], "ms") == "12.3 s (11.8–20.0)"
    assert shown([11_840, 12_340, 20_000], "MB") == "12,340 MB (11,840–20,000)"


def test_each_figure_stands_in_its_row_and_column_and_what_was_not_measured_is_empty():
    assert tables([COLD, WARM]).splitlines() == [
        "| Click | Branch | Product |",
        "| --- | ---: | ---: |",
        "| Activation, cold | 310 ms (300–900) |  |",
        "| Activation, warm |  | 110 ms (100–120) |",
    ]


def test_figures_of_other_tables_stand_apart():
    other = Figure("start", "Start", "Server", "Median", "ms", [2000, 2100])
    assert tables([COLD, other]).count("| --- |") == 2


def test_the_goal_is_held_against_every_change_and_not_against_medians():
    said = against_goal([COLD, WARM])
    assert "Of 6 changes 1 took longer than 500 ms" in said
    assert "900 ms" in said
    assert "Activation, cold" in said


def test_every_sample_is_kept_in_the_file(tmp_path):
    path = write_results(tmp_path, {"date": "2026-11-21", "cpu": "a processor"}, [COLD, WARM])
    found = json.loads(path.read_text())
    assert path.name == "2026-11-21.json"
    assert found["machine"]["cpu"] == "a processor"
    assert [figure["samples"] for figure in found["figures"]] == [[300, 900, 310], [100, 110, 120]]
    assert found["figures"][1]["script"] == [90, 95, 99]


def test_the_table_takes_the_place_between_the_marks_and_nothing_else(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- bench -->\nold\n<!-- /bench -->\nAfter\n")
    for _ in range(2):
        put_into(readme, "new")
        assert readme.read_text() == "Before\n<!-- bench -->\nnew\n<!-- /bench -->\nAfter\n"


@pytest.mark.parametrize("text", ["no marks", "<!-- bench -->\nnever ends", "<!-- /bench -->"])
def test_a_readme_without_both_marks_is_left_alone(tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(ValueError, match="has no place for the table"):
        put_into(readme, "new")
    assert readme.read_text() == text


def test_a_busy_machine_is_not_kept_quiet():
    machine = {
        "date": "2026-11-21", "cpu": "a processor", "cores": 2, "memory_gb": 24, "load_before": 0.3, "load_most": 5.1,
        "versions": {"Python": "3.11.7"},
    }  # fmt: skip
    assert "load 0.3 before and at most 5.1 meanwhile" in machine_said(machine)
