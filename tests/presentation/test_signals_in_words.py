"""Signals in words: each says its numbers, and leads to where they are seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from measures.dimensions import AGENT, BELOW, CAMPAIGN, CAUSE, PRODUCT, SUB_BRANCH
from measures.period import Period
from measures.signals import Kind, Part, Signal, Signals
from presentation.signals import evidence, judged, sentence, title
from presentation.words import words

SAY = words("en")
YEAR = Period(date(2025, 12, 1), date(2026, 11, 20))
DAYS = {"period": "2025-12-01..2026-11-20"}
PLACE = Part(BELOW, "13", "Fuling")


def signal(
    kind: Kind, measure: str, of: Part | None, value: float, usual: float, base: float, **more: object
) -> Signal:
    days = {"since": date(2026, 9, 1), "until": date(2026, 11, 15)}
    return Signal(kind, measure, PLACE, of, value, usual, base, **days, p=1e-6, **more)


RATE = "cohort_activation_rate"
LEAP = signal(Kind.COMPLAINTS_LEAPT, "complaints_received", Part(CAUSE, "queueing", None), 32.0, 5.04, 1.0)
COHORT = signal(Kind.COHORT_WORSE, RATE, Part(PRODUCT, "P02", "Mobile"), 0.03125, 0.628, 32.0)
LIST = signal(Kind.LIST_IDLE, "coverage", Part(CAMPAIGN, "K1", "Spring list"), 0.0, 0.904, 80.0)
OF_AN_AGENT = signal(Kind.AGENT_UNUSED, RATE, Part(AGENT, "A7", None), 0.1, 0.676, 53.0)
APART = signal(Kind.BRANCH_APART, "complaints_per_1000_contracts", None, 0.0712, 0.035, 4_000.0)
PACE = signal(Kind.BEHIND_PACE, "signed_toward_target", None, 672.0, 771.8, 1.0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (LEAP, "Fuling: 32 complaints about “Queueing” in the 4 weeks up to 15 Nov 2026; 5.0 are usual."),
        (
            COHORT,
            "Fuling, Mobile: of 32 contracts signed since Sep 2026, 3.1 % were used in time; of those before, 62.8 %.",
        ),
        (
            LIST,
            "Fuling: of 80 customers given out more than 14 days ago on the list “Spring list”, none has been contacted; "
            "on all lists, 90.4 % have.",
        ),
        (
            replace(LIST, value=0.25),
            "Fuling: of 80 customers given out more than 14 days ago on the list “Spring list”, 25.0 % have been contacted; "
            "on all lists, 90.4 % have.",
        ),
        (
            OF_AN_AGENT,
            "Fuling, agent A7: of 53 contracts signed, 10.0 % were used in time; of those of all agents, 67.6 %.",
        ),
        (
            APART,
            "Fuling: 71.2 complaints per 1,000 contracts, overall 35.0; branches do not differ so much by chance, nor as they "
            "usually do.",
        ),
        (
            signal(Kind.BRANCH_APART, "coverage", None, 0.667, 0.854, 135.0),
            "Fuling: coverage 66.7 %, overall 85.4 %; branches do not differ so much by chance, nor as they usually do.",
        ),
        (PACE, "Fuling: signed towards target 672; to be on pace it would be 772 by now."),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Signal) else "",
)
def test_a_signal_is_one_sentence_with_its_numbers(found: Signal, said: str):
    assert sentence(found, "Head office", SAY) == said


def test_what_is_not_of_one_branch_below_is_told_of_all_that_is_looked_at():
    assert sentence(replace(COHORT, at=None), "Jiangbei", SAY).startswith("Jiangbei, Mobile: of 32")
    assert sentence(replace(COHORT, at=Part(BELOW, None, None)), "Jiangbei", SAY).startswith("Jiangbei, Mobile: of 32")


def test_the_link_leads_to_the_page_filtered_to_what_it_is_about():
    place = Part(SUB_BRANCH, "1401", "Dazu")
    assert evidence(replace(COHORT, at=place), YEAR) == ("activation", {"branch": "1401", "product": "P02", **DAYS})
    assert evidence(replace(COHORT, at=None), YEAR) == ("activation", {"product": "P02", **DAYS})
    assert evidence(LIST, YEAR) == ("follow_up", {"branch": "13", **DAYS})
    page, parameters = evidence(LEAP, YEAR)
    assert (page, parameters["branch"], parameters["by"]) == ("explorer", "13", "cause,month")


def test_what_lies_apart_from_others_is_shown_among_them():
    assert evidence(APART, YEAR) == ("complaints", DAYS)
    assert evidence(PACE, YEAR) == ("targets", {"of": "signed", **DAYS})
    activated = replace(PACE, measure="activated_toward_target")
    assert evidence(activated, YEAR) == ("targets", {"of": "activated", **DAYS})


def test_the_list_says_how_many_stand_out_and_how_often_that_is_a_false_alarm():
    assert title(Signals((LEAP,), 800, YEAR), SAY) == "1 thing needs attention"
    assert title(Signals((LEAP, LIST), 800, YEAR), SAY) == "2 things need attention"
    assert judged(Signals((LEAP,), 800, YEAR), SAY).startswith(
        "800 comparisons were made. On average at most 5 of 100 "
    )


def test_nothing_found_and_nothing_to_compare_are_told_apart():
    assert title(Signals((), 800, YEAR), SAY) == title(Signals((), 0, YEAR), SAY) == "Nothing stands out beyond chance"
    assert judged(Signals((), 0, YEAR), SAY) == "There is too little here to compare anything with."
