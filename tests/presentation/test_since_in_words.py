"""Changes since the last meeting in words: never more than the numbers can tell, each in its measure's unit."""

from __future__ import annotations

from datetime import date

import pytest

from measures.catalogue import MEASURES
from measures.since import NOT_TOLD, sample, since
from presentation.since import Moved, brought, difference, key_numbers, lone_target, moved_most, value, with_ends
from presentation.words import words

COVERAGE, RECEIVED, PER_1000 = (
    MEASURES[name] for name in ("coverage", "complaints_received", "complaints_per_1000_contracts")
)
EN, ZH = words("en"), words("zh_CN")
DAY = date(2026, 11, 13)


def moved(measure, now: dict, before: dict | None) -> Moved:
    found = since(sample(measure, now), None if before is None else sample(measure, before))
    return Moved(measure, now, before, found)


def covered(k: int, n: int) -> dict:
    return {"coverage": k / n, "contacted": k, "assigned": n}


def received(n: int) -> dict:
    return {"complaints_received": n}


UP = moved(COVERAGE, covered(700, 1000), covered(600, 1000))
SAME = moved(COVERAGE, covered(605, 1000), covered(600, 1000))
DOWN = moved(RECEIVED, received(300), received(420))
FEW = moved(COVERAGE, covered(5, 8), covered(600, 1000))


def test_only_what_moved_beyond_chance_is_in_the_title():
    assert moved_most([UP, SAME, DOWN, FEW], DAY, EN) == "Since 13 Nov 2026: up coverage; down complaints received"
    assert moved_most([SAME, FEW], DAY, EN) == "Since 13 Nov 2026: no change that can be told from chance"
    assert moved_most([UP], None, EN) == "Against the 7 days before: up coverage"
    assert moved_most([UP, DOWN], DAY, ZH).startswith("自2026年11月13日以来：跟进覆盖率上升；")


def test_a_share_changes_in_points_a_count_in_whole_numbers_and_both_with_their_ends():
    text = with_ends(UP.found, COVERAGE, EN)
    assert text.startswith("+10.0 points (+") and " to +" in text
    text = with_ends(DOWN.found, RECEIVED, EN)
    assert text.startswith("−120 (−") and "." not in text
    assert with_ends(NOT_TOLD, COVERAGE, EN) == "—"
    assert difference(0.0, COVERAGE, EN) == "0.0" and difference(-0.25, PER_1000, EN) == "−0.3"


def test_too_few_are_said_beside_the_number_and_missing_ones_are_not_nought():
    assert value(COVERAGE, covered(5, 8), EN) == "62.5 % (n < 30)"
    assert value(COVERAGE, None, EN) == "—"


def test_the_table_holds_the_raw_numbers_beside_the_texts_and_targets_only_where_there_are_several():
    table = key_numbers([UP, FEW], "now", "then", EN)
    assert [column.name for column in table.columns] == ["measure", "now", "before", "change", "told"]
    assert table.rows["value"].tolist() == [0.7, 0.625] and table.rows["told"].tolist() == ["up", "cannot be judged"]
    aimed = Moved(COVERAGE, covered(7, 10), None, NOT_TOLD, "Target: 7 of 10")
    assert key_numbers([aimed, aimed, FEW], "now", "then", EN).columns[-1].name == "target"
    assert lone_target([aimed, aimed, FEW], EN) == lone_target([FEW], EN) == []
    assert key_numbers([aimed, FEW], "now", "then", EN).columns[-1].name == "told"
    assert lone_target([aimed, FEW], EN) == ["Coverage · Target: 7 of 10"]


@pytest.mark.parametrize(
    ("own", "more", "said"),
    [
        (UP.found, UP.found, "more than where nothing was agreed"),
        (UP.found, DOWN.found, "less than where nothing was agreed"),
        (UP.found, SAME.found, "not told apart from where nothing was agreed"),
        (SAME.found, NOT_TOLD, "nothing comparable to set it against"),
    ],
)
def test_what_an_action_brought_is_set_against_where_nothing_was_agreed(own, more, said):
    text = brought(own, more, COVERAGE, DAY, EN)
    assert text.startswith("Coverage since 13 Nov 2026: +") and text.endswith(said)
    assert ("may be chance" in text) is (own is SAME.found)


def test_of_an_action_without_days_since_nothing_is_told():
    assert brought(NOT_TOLD, NOT_TOLD, COVERAGE, DAY, EN) == "Coverage since 13 Nov 2026: too little yet to tell"
