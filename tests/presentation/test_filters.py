"""Filters as an address holds them: the same days, branch and products again, and nothing in the place of what is not there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from measures.period import Compare, Period, Preset, compared_period, preset_period
from presentation.filters import Filters, NotThere, Place, days_written, filters_at, renewed
from presentation.words import words

UNTIL = date(2026, 5, 20)
PLACES = {
    "1": Place("1", "Head office", None, "head_office", "1."),
    "12": Place("12", "Riverside", "1", "branch", "1.12."),
}
PRODUCTS = {"mobile": "Mobile banking", "card": "Card"}

days = some.dates(date(1991, 1, 1), date(2099, 1, 1))
dated = some.builds(lambda start, more: Period(start, start + timedelta(more)), days, some.integers(0, 800))
chosen = some.lists(some.sampled_from(sorted(PRODUCTS)), unique=True)
compares = some.sampled_from(list(Compare))


def at(until: date = UNTIL, **address: str) -> Filters:
    return filters_at(address, PLACES, PRODUCTS, until, words("en"))


@settings(deadline=None)
@given(some.sampled_from(sorted(PLACES)), chosen, some.sampled_from(list(Preset)), compares, days)
def test_named_days_are_those_up_to_the_datas_date(branch, products, preset, compare, until):
    found = at(until, branch=branch, product=",".join(products), period=preset.value, compare=compare.value)
    assert (found.branch, found.products) == (PLACES[branch], tuple(products))
    assert found.period == preset_period(preset, until)
    assert found.against == compared_period(found.period, preset, compare)
    later = until + timedelta(40)
    moved = renewed(found, later)
    assert moved.period == preset_period(preset, later)
    assert moved == at(later, **found.address)


@settings(deadline=None)
@given(dated, compares, days)
def test_dated_days_stay_whenever_the_data_end(period, compare, until):
    found = at(until, branch="1", period=days_written(period), compare=compare.value)
    assert found.period == period and found.against == compared_period(period, None, compare)
    assert renewed(found, until + timedelta(40)) == found
    assert at(until + timedelta(40), **found.address) == found


def test_what_is_not_said_is_as_a_page_opens():
    found = at(branch="12")
    assert found.period == preset_period(Preset.LAST_12_MONTHS, UNTIL) and found.products == ()
    assert found.address == {"branch": "12", "period": "12_months", "compare": "last_year", "lang": "en"}


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"branch": "120"},
        {"branch": "1", "product": "mobile,loan"},
        {"branch": "1", "period": "2026-02-30..2026-03-01"},
        {"branch": "1", "period": "own"},
        {"branch": "1", "compare": "nothing"},
    ],
)
@pytest.mark.parametrize("language", ["en", "zh_CN", "zh_TW"])
def test_what_is_not_there_is_refused_in_a_sentence(address, language):
    with pytest.raises(NotThere) as refused:
        at(**address)
    sentence = words(language).told(refused.value)
    assert language == "en" or any("一" <= sign <= "鿿" for sign in sentence)
