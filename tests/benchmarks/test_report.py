"""The table says what was measured: every figure in its place, and the slow ones not hidden by the median."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.report import (
    Claim,
    Figure,
    against_goal,
    goals,
    keep,
    kept,
    machine_said,
    put_into,
    shown,
    tables,
    write_results,
)

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


def test_what_is_slower_than_its_peer_allows_has_missed_the_goal():
    slower = Claim("P1", "Overview", [130, 140, 150], "ms", "by hand", [90, 100, 500], most=1.3)
    assert slower.value == 1.4
    assert not slower.met
    cells = "| P1 | Overview | 140 ms (130–150) | by hand: 100 ms (90–500) | 1.40 × | ≤ 1.3 × | **missed** |"
    assert goals([slower]).splitlines()[2] == cells


def test_of_a_speed_the_faster_one_has_the_larger_ratio():
    faster = Claim("P5", "XLSX", [100], "ms", "Superset", [700], least=5)
    assert faster.value == 7
    assert faster.met
    assert not Claim("P5", "XLSX", [700], "ms", "a bare writer", [100], least=0.6).met


def test_without_a_peer_the_goal_is_a_value_and_not_a_ratio():
    alone = Claim("P7", "No errors", [0], "", most=0)
    assert alone.met
    assert "≤ 0 | met |" in goals([alone])
    assert not Claim("P7", "95 of 100 within", [1001], "ms", most=1000).met


@pytest.mark.parametrize(
    "more",
    [{}, {"most": 1, "least": 1}, {"most": 1, "peer": "nobody"}, {"most": 1, "theirs": [1]}, {"most": 1, "ours": []}],
)
def test_a_claim_without_a_goal_a_peer_without_samples_or_no_samples_at_all_is_refused(more):
    with pytest.raises(ValueError, match="P1, Overview"):
        Claim(**{"id": "P1", "what": "Overview", "ours": [1.0]} | more)


def test_claims_of_a_run_of_its_own_come_back_and_say_when_it_was(tmp_path):
    claims = [Claim("P2", "Overview", [100.0], "ms", "Superset", [700.0, 650.0], most=0.1, note="in parallel")]
    keep(tmp_path, "superset", "2026-11-22", claims)
    (found,) = kept(tmp_path, "superset")
    assert (found.value, found.met, found.note) == (claims[0].value, False, "in parallel; 2026-11-22")
    assert kept(tmp_path, "soak") == []


def test_a_small_value_keeps_a_digit_and_a_whole_one_does_not():
    assert shown([4.84], "MB") == "4.8 MB"
    assert shown([0], "") == "0"


def test_figures_of_other_tables_stand_apart():
    other = Figure("start", "Start", "Server", "Median", "ms", [2000, 2100])
    assert tables([COLD, other]).count("| --- |") == 2


def test_the_goal_is_held_against_every_change_and_not_against_medians():
    said = against_goal([COLD, WARM])
    assert "Of 6 changes 1 took longer than 500 ms" in said
    assert "900 ms" in said
    assert "Activation, cold" in said


def test_every_sample_is_kept_in_the_file(tmp_path):
    claim = Claim("P1", "Overview", [1.26], "ms", "by hand", [1.0, 2.0], most=1.3)
    path = write_results(tmp_path, {"date": "2026-11-21", "cpu": "a processor"}, [COLD, WARM], [claim])
    found = json.loads(path.read_text())
    assert path.name == "2026-11-21.json"
    assert found["machine"]["cpu"] == "a processor"
    assert [figure["samples"] for figure in found["figures"]] == [[300, 900, 310], [100, 110, 120]]
    assert found["claims"][0]["ours"] == [1.3]
    assert found["claims"][0]["theirs"] == [1.0, 2.0]
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


def test_a_bank_smaller_than_its_name_is_not_kept_quiet():
    machine = {
        "date": "2026-11-21", "cpu": "a processor", "cores": 2, "memory_gb": 24, "load_before": 0, "load_most": 0,
        "versions": {"Python": "3.11.7"}, "banks": {"10M": "172,052 contacts"},
    }  # fmt: skip
    assert machine_said(machine).endswith("Bank 10M: 172,052 contacts.")


def test_a_busy_machine_is_not_kept_quiet():
    machine = {
        "date": "2026-11-21", "cpu": "a processor", "cores": 2, "memory_gb": 24, "load_before": 0.3, "load_most": 5.1,
        "versions": {"Python": "3.11.7"},
    }  # fmt: skip
    assert "load 0.3 before and at most 5.1 meanwhile" in machine_said(machine)
