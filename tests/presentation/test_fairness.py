"""What is said of rates side by side and over time: small ones do not lead by luck, and no more is claimed than is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from measures.catalogue import MEASURES
from measures.control import control_chart
from measures.dimensions import BELOW
from measures.model import Ratio, Spread
from measures.statistics import garwood, wilson
from presentation import fairness
from presentation.words import LANGUAGES, words

RATE = MEASURES["activation_rate"]
GRIEF = MEASURES["complaints_per_1000_contracts"]
SAY = words("en")


def answer(*rows: tuple[str, float | None, float | None], measure: Ratio = RATE) -> pd.DataFrame:
    """An answer by branch: the name, the upper and the lower count; the highest rate first, as it is asked."""
    found = pd.DataFrame(
        {
            BELOW.name: [name.lower() for name, _over, _under in rows],
            f"{BELOW.name}_name": [name for name, _over, _under in rows],
            measure.over.name: pd.array([over for _name, over, _under in rows], dtype="Int64"),
            measure.under.name: pd.array([under for _name, _over, under in rows], dtype="Int64"),
        }
    )
    over, under = (found[c.name].astype("Float64").to_numpy(float, na_value=np.nan) for c in measure.counts)
    found[measure.name] = np.divide(over * measure.per, under, out=np.full(len(found), np.nan), where=under > 0)
    return found.sort_values(measure.name, ascending=False, kind="stable", ignore_index=True)


LUCKY = [("Three", 3, 3), ("Small", 25, 30), ("Large", 810, 1000), ("Middle", 280, 400), ("Low", 500, 900)]
"""Three and Small have the highest rates, and both may have them by luck."""


def order(found: fairness.Comparison) -> list[str]:
    return found.rows[f"{BELOW.name}_name"].tolist()


def test_a_small_branch_does_not_lead_by_luck_and_one_of_three_has_no_place() -> None:
    found = fairness.comparison(RATE, answer(*LUCKY))
    assert order(found) == ["Large", "Small", "Middle", "Low", "Three"]
    assert found.judged == 4
    assert found.doubts[-1].places is None and found.doubts[0].places is not None


def test_the_intervals_are_those_of_the_rate_itself_in_its_own_unit() -> None:
    share = fairness.comparison(RATE, answer(("A", 8, 40), ("B", 30, 50))).doubts
    assert (share[1].lower, share[1].upper) == pytest.approx([float(end) for end in wilson(8, 40)])
    rate = fairness.comparison(GRIEF, answer(("A", 5, 1000), ("B", 9, 900), measure=GRIEF)).doubts
    assert (rate[1].lower, rate[1].upper) == pytest.approx([float(end) for end in garwood(5, 1.0)])


def test_places_are_counted_from_the_top_whichever_way_is_better() -> None:
    found = fairness.comparison(GRIEF, answer(("Many", 400, 1000), ("Few", 10, 1000), measure=GRIEF))
    assert order(found) == ["Many", "Few"]
    assert [doubt.places for doubt in found.doubts] == [(1, 1), (2, 2)]


@given(some.lists(some.tuples(some.integers(0, 200), some.integers(0, 200)), min_size=1, max_size=12))
def test_every_row_is_kept_once_and_those_with_too_few_come_last(counts: list[tuple[int, int]]) -> None:
    rows = answer(*((f"B{number}", min(pair), max(pair)) for number, pair in enumerate(counts)))
    found = fairness.comparison(RATE, rows)
    if found is None:
        assert not any(max(pair) for pair in counts)
        return
    assert sorted(order(found)) == sorted(rows[f"{BELOW.name}_name"])
    enough = (found.rows[RATE.under.name] >= RATE.fewest).tolist()
    assert enough == sorted(enough, reverse=True) and sum(enough) == found.judged
    for doubt, of in zip(found.doubts, found.rows[RATE.under.name], strict=True):
        assert (doubt.places is not None) == (of >= RATE.fewest)
        assert 0 <= doubt.lower <= doubt.upper <= 1


def test_a_row_of_which_a_count_is_not_known_has_no_place() -> None:
    found = fairness.comparison(RATE, answer(("A", 50, 100), ("B", None, 100), ("C", 60, None)))
    assert found.judged == 1 and order(found)[0] == "A"


@pytest.mark.parametrize("name", ["signed_completion", "signed_pace", "substitution_rate", "signed"])
def test_what_chance_cannot_be_reckoned_of_is_left_in_the_order_it_came(name: str) -> None:
    measure = MEASURES[name]
    columns = [measure.name, *(count.name for count in measure.counts)]
    assert fairness.comparison(measure, pd.DataFrame([[50.0] * len(columns)], columns=columns)) is None


def test_a_share_of_more_than_all_is_no_share_and_a_rate_without_its_counts_is_not_judged() -> None:
    assert fairness.comparison(RATE, answer(("A", 50, 40))) is None
    assert fairness.comparison(RATE, answer(("A", 30, 40)).drop(columns=RATE.over.name)) is None
    assert fairness.comparison(GRIEF, answer(("A", 50, 40), measure=GRIEF)) is not None


def test_every_rate_of_events_declares_that_one_may_have_several() -> None:
    for measure in MEASURES.values():
        if isinstance(measure, Ratio) and measure.per > 1:
            assert measure.spread is Spread.RATES, measure


def test_the_title_names_the_ends_of_the_order_and_not_of_the_rates() -> None:
    found = fairness.comparison(RATE, answer(*LUCKY))
    assert fairness.title(found, BELOW, SAY) == "Large (81.0 %) is highest, Low (55.6 %) lowest"
    close = fairness.comparison(RATE, answer(("A", 52, 100), ("B", 50, 100)))
    assert fairness.title(close, BELOW, SAY) == "From B (50.0 %) to A (52.0 %): too close to tell apart"
    one = fairness.comparison(RATE, answer(("A", 52, 100), ("B", 5, 10)))
    assert fairness.title(one, BELOW, SAY) == "Only A (52.0 %) has enough to tell"
    none = fairness.comparison(RATE, answer(("B", 5, 10)))
    assert fairness.title(none, BELOW, SAY).startswith("Too few")


def test_the_order_says_when_it_may_be_chance_and_why_a_longer_bar_stands_lower() -> None:
    close = fairness.comparison(RATE, answer(("A", 52, 100), ("B", 50, 100)))
    told = fairness.order_told(close, SAY)
    assert told == "None of these 2 can be told apart from the first: their order may be chance."
    far = fairness.comparison(RATE, answer(*LUCKY))
    assert "allows for size" in fairness.order_told(far, SAY)
    assert fairness.order_told(fairness.comparison(RATE, answer(("A", 52, 100))), SAY) is None


def funnel_of(*rows: tuple[str, int, int]):
    found = fairness.comparison(RATE, answer(*rows))
    return found, found.funnel(sum(row[1] for row in rows) / sum(row[2] for row in rows))


def test_who_differs_by_more_than_chance_is_counted_and_who_only_might_is_not() -> None:
    alike = [(f"B{number}", 60, 100) for number in range(9)]
    found, funnel = funnel_of(*alike)
    assert fairness.differing_told(funnel, SAY) == "None of the 9 differs from the average by more than chance."
    assert fairness.standing_out(found, funnel, BELOW, SAY) == "None stands out from the average"
    found, funnel = funnel_of(*alike, ("Out", 20, 100), ("Near", 72, 100))
    told = fairness.differing_told(funnel, SAY)
    assert told.startswith("1 of 11 differs from the average by more than chance; the others cannot be told apart")
    assert "to be watched but no proof: 1." in told
    assert fairness.standing_out(found, funnel, BELOW, SAY) == "Out (20.0 %) stands out from the average"


def test_of_branches_that_differ_anyhow_the_limits_are_said_to_be_wider() -> None:
    rng = np.random.default_rng(5)
    rows = [(f"B{at}", int(rng.binomial(2000, share)), 2000) for at, share in enumerate(rng.normal(0.6, 0.06, 40))]
    _found, funnel = funnel_of(*rows)
    told = fairness.differing_told(funnel, SAY)
    assert told.startswith("Together these 40 vary by more than chance, but none of them stands out.")
    assert told.endswith("The limits are widened for what they vary by among each other.")


MONTHS = [f"month {number}" for number in range(1, 25)]


def course(counts: list[int], language: str = "en") -> list[str]:
    names = MONTHS[: len(counts)]
    return fairness.course_told(control_chart(counts, [10.0] * len(counts)), names, words(language))


def test_a_point_above_the_limits_is_named_and_a_steady_course_is_called_so() -> None:
    steady = [30, 33, 28, 31, 29, 34, 27, 32, 30, 31, 29, 33]
    assert course(steady) == ["Every step lies within what chance explains."]
    high = course([*steady[:6], 75, *steady[6:]])
    assert high[0] == "month 7 lies above what chance explains: look for what was different then."
    assert not any("Every step" in sentence for sentence in high)


def test_a_level_that_has_moved_is_told_by_its_run_though_no_point_is_outside() -> None:
    told = course([34, 36, 35, 37, 34, 36, 35, 36, 27, 28, 26, 29, 27, 28, 27, 26])
    assert told == ["8 in a row above the average, month 1 to month 8: the level has moved."]


def test_too_few_steps_are_a_sentence_and_not_a_finding() -> None:
    assert course([3, 90, 2]) == ["Too few steps, or nothing happened in them, to tell chance from change."]
    assert course([0] * 12) == course([3, 90, 2])


def test_wide_limits_are_said_to_be_wide() -> None:
    assert "widened" in course([300, 420, 280, 500, 310, 450, 260, 480, 320, 410])[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_its_fields_filled(language: str) -> None:
    say = words(language)
    found, funnel = funnel_of(*((f"B{n}", 60, 100) for n in range(9)), ("Out", 20, 100), ("Near", 72, 100))
    told = [fairness.title(found, BELOW, say), fairness.order_told(found, say), fairness.differing_told(funnel, say)]
    told += course([30, 33, 28, 31, 29, 34, 90, 27, 32, 30], language)
    assert not any("{" in sentence for sentence in told)
