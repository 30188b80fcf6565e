"""Why a rate moved, in words: the reasons add up, and none is told that the numbers do not bear."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from measures.activation import cohort_activation_rate
from measures.complaints import per_1000_contracts
from measures.dimensions import BELOW, PAYROLL, PRODUCT
from measures.model import Dimension, Ratio
from measures.period import Period
from presentation.reasons import Untold, effect_in_short, finding, sentence, table, why
from presentation.words import words

SAY = words("en")
BEFORE, NOW = Period(date(2026, 4, 1), date(2026, 6, 30)), Period(date(2026, 7, 1), date(2026, 9, 30))

Part = tuple[str | None, float | None, float | None, float | None, float | None]
"""Id, upper and lower count before, upper and lower count now."""


def answered(*parts: Part, measure: Ratio = cohort_activation_rate, by: Dimension = PRODUCT) -> pd.DataFrame:
    """The parts as the warehouse answers them."""
    rows = []
    for id_, over0, under0, over1, under1 in parts:
        row = {by.name: id_} | ({f"{by.name}_name": id_ and id_.title()} if by.named else {})
        for ending, over, under in (("_before", over0, under0), ("", over1, under1)):
            rate = over * measure.per / under if over is not None and under else None
            row |= {measure.over.name + ending: over, measure.under.name + ending: under, measure.name + ending: rate}
        rows.append(row)
    numbers = {name: "Int64" for count in measure.counts for name in (count.name, count.name + "_before")}
    return pd.DataFrame(rows).astype(numbers | {measure.name: "float64", f"{measure.name}_before": "float64"})


def told(*parts: Part, measure: Ratio = cohort_activation_rate, by: Dimension = PRODUCT):
    return why(measure, by, answered(*parts, measure=measure, by=by), SAY)


def lines(found) -> dict[str, str]:
    return {reason.name: sentence(reason, found.measure, SAY) for reason in found.reasons}


MIXED = (("card", 860, 1000, 182, 200), ("mobile", 116, 200, 640, 1000))
"""Each product rose, and the whole fell from 81.3 % to 68.5 %: the cards are no longer most of it."""


def test_where_each_part_rose_and_the_whole_fell_the_mix_is_named_and_no_part():
    found = told(*MIXED)
    assert finding(found, SAY) == (
        "Activation rate fell by 12.8 points to 68.5 %, though it rose in every part: more of the whole lies where it is lower"
    )
    assert all(reason.now > reason.before and reason.within > 0 for reason in found.reasons)
    assert sum(reason.mix for reason in found.reasons) < -0.15


def test_where_each_part_fell_and_the_whole_rose_the_mix_is_named_too():
    turned = [(id_, over1, under1, over0, under0) for id_, over0, under0, over1, under1 in MIXED]
    assert finding(told(*turned), SAY) == (
        "Activation rate rose by 12.8 points to 81.3 %, though it fell in every part: more of the whole lies where it is higher"
    )


def test_a_change_within_one_part_is_told_of_that_part():
    found = told(("card", 800, 1000, 800, 1000), ("mobile", 600, 1000, 400, 1000))
    assert finding(found, SAY) == "Activation rate fell by 10.0 points to 60.0 %: −10.0 points because of Mobile itself"
    assert lines(found)["Mobile"] == (
        "Mobile: −10.0 points. It fell from 60.0 % to 40.0 % (−10.0); its share of the whole stayed at 50.0 % (0.0)."
    )


def test_a_change_of_the_mix_is_told_with_what_there_is_more_of():
    found = told(("card", 800, 1000, 400, 500), ("mobile", 400, 1000, 1000, 2500))
    assert finding(found, SAY) == (
        "Activation rate fell by 13.3 points to 46.7 %: "
        "−8.9 points because less of the whole is Card, where it is higher; "
        "−4.4 points because more of the whole is Mobile, where it is lower"
    )
    assert lines(found)["Mobile"] == (
        "Mobile: −4.4 points. It stayed at 40.0 % (0.0); its share of the whole grew from 50.0 % to 83.3 % (−4.4)."
    )


def test_a_change_that_may_be_chance_gets_no_reason_in_the_title():
    found = told(("card", 80, 100, 76, 100), ("mobile", 60, 100, 58, 100))
    assert finding(found, SAY) == "Activation rate at 67.0 %: a change of −3.0 points may be chance"
    assert "may be chance (−2.0)" in lines(found)["Card"]


def test_a_part_of_too_few_is_never_the_reason_by_itself():
    # Of 29 in the outlet all are lost: beyond chance by the numbers, and still too few to be named as the cause.
    found = told(("outlet", 29, 29, 0, 29), ("b", 70, 100, 69, 100), ("c", 70, 100, 69, 100))
    assert not found.by_chance
    assert "Outlet" not in finding(found, SAY)
    assert "Its own change from 100.0 % to 0.0 % may be chance" in lines(found)["Outlet"]


def test_many_small_reasons_are_told_together():
    found = told(*((f"b{at}", 700, 1000, 650, 1000) for at in range(8)))
    assert finding(found, SAY) == (
        "Activation rate fell by 5.0 points to 65.0 %: −5.0 points in the parts themselves, 0.0 points from their shares; "
        "no single part can be named as the main reason"
    )


def test_what_did_not_change_stayed_though_its_parts_moved():
    found = told(("card", 800, 1000, 600, 1000), ("mobile", 600, 1000, 800, 1000))
    assert finding(found, SAY) == "Activation rate stayed at 70.0 %"
    assert lines(found)["Card"].startswith("Card: −10.0 points.")


def test_one_part_alone_is_not_its_own_reason():
    found = told((None, 800, 1000, 600, 1000), by=BELOW)
    assert finding(found, SAY) == "Activation rate fell by 20.0 points to 60.0 %"


def test_a_part_that_appears_or_vanishes_is_said_to_and_has_no_change_of_its_own():
    found = told(("card", 800, 1000, 800, 1000), ("new", 0, 0, 100, 500), ("old", 90, 100, 0, 0))
    assert lines(found)["New"].endswith("It was not there before: now 20.0 %, on 33.3 % of the whole.")
    assert lines(found)["Old"].endswith("It is no longer there: before 90.0 %, on 9.1 % of the whole.")
    assert {reason.name: reason.within for reason in found.reasons if reason.name != "Card"} == pytest.approx(
        {"New": 0, "Old": 0}, abs=1e-12
    )


def test_what_has_nothing_to_be_divided_by_is_told_without_a_rate():
    found = told(("card", 100, 2000, 90, 2000), (None, 10, 0, 80, 0), measure=per_1000_contracts, by=PRODUCT)
    assert lines(found)["not recorded"] == (
        "not recorded: +35.0. It has no contracts held of its own: all of it counts as its own change."
    )


def test_too_few_in_either_period_are_not_explained():
    for parts in ([("card", 8, 12, 800, 1000)], [("card", 800, 1000, 8, 12)]):
        with pytest.raises(Untold, match=r"Too few to tell why activation rate moved: .*12.* \(signed, window over\)"):
            told(*parts)


def test_what_is_not_known_before_is_not_taken_for_nought():
    with pytest.raises(Untold, match="not known in both periods"):
        told(("card", None, None, 800, 1000), ("mobile", None, None, 600, 1000))


def test_parts_of_one_name_are_told_apart():
    parts = answered(("a", 80, 100, 20, 100), ("b", 80, 100, 60, 100), by=BELOW).assign(below_name="Riverside")
    found = why(cohort_activation_rate, BELOW, parts, SAY)
    assert [reason.name for reason in found.reasons] == ["Riverside (a)", "Riverside (b)"]


def test_the_table_holds_all_parts_and_the_whole_as_its_total():
    found = told(*MIXED, ("new", 0, 0, 30, 50))
    shown = table(found, BEFORE, NOW, SAY)
    assert [column.label for column in shown.columns] == [
        "Product",
        "Activation rate, Apr – Jun 2026",
        "Activation rate, Jul – Sep 2026",
        "Share of the whole, Apr – Jun 2026",
        "Share of the whole, Jul – Sep 2026",
        "Own change, in points",
        "Change of its share, in points",
        "Effect in all, in points",
    ]
    assert len(shown.rows) == 3 and pd.isna(shown.rows.set_index("product").at["new", "before"])
    total = shown.total.iloc[0]
    assert total["before"] == pytest.approx(976 / 1200) and total["now"] == pytest.approx(852 / 1250)
    assert total["within"] + total["mix"] == pytest.approx(100 * (total["now"] - total["before"]), abs=1e-9)
    # Effects of a rate per 1,000 are no points.
    rates = told(("a", 10, 400, 90, 400), measure=per_1000_contracts)
    assert [column.label for column in table(rates, BEFORE, NOW, SAY).columns][-1] == "Effect in all"


def test_codes_are_said_in_words():
    found = told(("yes", 800, 1000, 600, 1000), ("no", 600, 1000, 600, 1000), by=PAYROLL)
    assert [reason.name for reason in found.reasons] == ["Salary paid in", "No salary paid in"]


@pytest.mark.parametrize(("effect", "text"), [(0.0181, "+1.8"), (-0.0181, "−1.8"), (-0.0001, "0.0"), (0.0, "0.0")])
def test_an_effect_in_short_has_its_sign_unless_it_is_read_as_none(effect, text):
    assert effect_in_short(effect, cohort_activation_rate, SAY) == text


counts = some.tuples(some.integers(0, 500), some.integers(0, 500)).map(lambda pair: (min(pair), max(pair)))


@given(some.lists(some.tuples(counts, counts), min_size=1, max_size=8), some.sampled_from(["en", "zh_CN"]))
def test_the_reasons_add_up_to_the_change_whatever_the_parts(parts, language):
    named = [(f"p{at}", *before, *now) for at, (before, now) in enumerate(parts)]
    try:
        found = why(cohort_activation_rate, PRODUCT, answered(*named), words(language))
    except Untold:
        return
    assert sum(reason.effect for reason in found.reasons) == pytest.approx(found.now - found.before, abs=1e-9)
    assert len(found.reasons) == len(parts)
    for text in (
        finding(found, words(language)),
        *(sentence(r, found.measure, words(language)) for r in found.reasons),
    ):
        assert "nan" not in text and "None" not in text and "{" not in text
