"""The table says what was measured: every figure in its place, and the slow ones not hidden by the median."""

from __future__ import annotations

import pytest

from tests.benchmarks.report import (
    BEGIN,
    END,
    Claim,
    Figure,
    Kept,
    against_goal,
    goals,
    keep,
    kept,
    machines_said,
    put_into,
    shown,
    tables,
    together,
)
from tests.benchmarks.run import KEPT, RESULTS
from tests.benchmarks.served import ROOT

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


MACHINE = {
    "date": "2026-11-21", "cpu": "a processor", "cores": 2, "memory_gb": 24, "load_before": 0.3, "load_most": 0.4,
    "versions": {"Python": "3.11.7"},
}  # fmt: skip


def test_what_a_part_found_comes_back_with_every_sample(tmp_path):
    claim = Claim("P1", "Overview", [1.26], "ms", "by hand", [1.0, 2.0], most=1.3, note="in parallel")
    path = keep(tmp_path, "P1", Kept([claim], [COLD, WARM], MACHINE))
    assert path.name == "P1.json"
    found = kept(tmp_path, "P1")
    assert found.machine == MACHINE
    assert [figure.samples for figure in found.figures] == [[300, 900, 310], [100, 110, 120]]
    assert found.figures[1].script == [90, 95, 99]
    assert (found.claims[0].ours, found.claims[0].theirs) == ([1.3], [1.0, 2.0])
    assert (found.claims[0].most, found.claims[0].note) == (1.3, "in parallel")
    assert kept(tmp_path, "soak") is None


def test_each_goal_says_on_which_day_it_was_measured():
    claim = Claim("P2", "Overview", [100.0], "ms", "Superset", [700.0, 650.0], most=0.1, note="in parallel")
    other = Claim("P3", "A click", [300.0], "ms", most=300)
    text = together([Kept([claim], [], {"date": "2026-11-20"}), Kept([other], [COLD], MACHINE)])
    assert "| Overview (in parallel; 2026-11-20) |" in text and "| A click (2026-11-21) |" in text
    assert text.index("| P2 |") < text.index("| P3 |") < text.index("| Activation, cold |") < text.index("Measured on")
    assert text.count("Measured on 2026-11-21:") == 1 and "Measured on 2026-11-20" not in text


def test_what_the_readme_says_is_what_was_kept():
    block = (ROOT / "README.md").read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert block == together(filter(None, (kept(RESULTS, part) for part in KEPT)))


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
    assert machines_said([MACHINE | {"banks": {"10M": "172,052 contacts"}}]).endswith("Bank 10M: 172,052 contacts.")


def test_a_busy_machine_is_not_kept_quiet():
    said = machines_said([MACHINE, MACHINE | {"load_most": 5.1, "date": "2026-11-22"}])
    assert said.count("Measured on") == 1
    assert "2026-11-21, 2026-11-22" in said and "at most 0.3 before a part and 5.1 meanwhile" in said


def test_parts_measured_on_different_machines_say_so():
    assert machines_said([MACHINE, MACHINE | {"cores": 64}]).count("Measured on") == 2
