"""Numbers, days and changes are written as the reader's language writes them, and never say more or less than is known."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.catalogue import MEASURES
from measures.model import Unit
from measures.period import Period
from presentation.units import (
    axis_format,
    change,
    day_shown,
    excel_day_format,
    excel_format,
    moment_shown,
    period_shown,
    short,
    shown,
    step_shown,
)
from presentation.words import LANGUAGES

D = date


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (1234567, Unit.COUNT, "1,234,567", "1,234,567"),
        (0, Unit.COUNT, "0", "0"),
        (-3, Unit.COUNT, "−3", "−3"),
        (0.668, Unit.SHARE, "66.8 %", "66.8%"),
        (1.0, Unit.SHARE, "100.0 %", "100.0%"),
        (-0.00001, Unit.SHARE, "0.0 %", "0.0%"),
        (12345.678, Unit.AMOUNT, "12,346", "12,346"),
        (3.25, Unit.RATE, "3.3", "3.3"),  # half up, as Excel shows it; half to even would be 3.2
        (4.5, Unit.DAYS, "4.5", "4.5"),
        (0.875, Unit.INDEX, "0.88", "0.88"),
    ],
)
def test_a_number_is_shown_in_its_unit(value, unit, english, chinese):
    assert shown(value, unit, "en") == english
    assert shown(value, unit, "zh_CN") == shown(value, unit, "zh_TW") == chinese


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
@pytest.mark.parametrize("unit", list(Unit))
def test_what_is_missing_is_a_dash_and_never_a_zero(missing, unit):
    assert shown(missing, unit, "en") == short(missing, unit, "zh_CN") == "—"


@given(st.integers(-(10**15), 10**15))
def test_a_count_is_shown_to_the_last_digit(count):
    for language in LANGUAGES:
        assert int(shown(count, Unit.COUNT, language).replace(",", "").replace("−", "-")) == count


@pytest.mark.parametrize(
    ("value", "english", "chinese", "traditional"),
    [
        (9_999, "9,999", "9,999", "9,999"),
        (10_000, "10k", "1万", "1萬"),
        (12_345, "12.3k", "1.23万", "1.23萬"),
        (995_000, "995k", "99.5万", "99.5萬"),
        (999_950, "1m", "100万", "100萬"),  # not 1,000k
        (1_234_567, "1.23m", "123万", "123萬"),
        (12_345_678, "12.3m", "1,235万", "1,235萬"),
        (99_999_999, "100m", "1亿", "1億"),
        (120_000_000, "120m", "1.2亿", "1.2億"),
        (-18_400, "−18.4k", "−1.84万", "−1.84萬"),
        (2_500_000_000_000, "2,500bn", "25,000亿", "25,000億"),
    ],
)
def test_a_large_count_is_short_in_the_languages_own_steps(value, english, chinese, traditional):
    assert [short(value, Unit.COUNT, language) for language in LANGUAGES] == [english, chinese, traditional]


@given(st.integers(10_000, 10**14))
def test_a_short_number_is_within_half_a_per_cent_of_the_exact_one(count):
    sizes = {"k": 10**3, "m": 10**6, "bn": 10**9, "万": 10**4, "亿": 10**8, "萬": 10**4, "億": 10**8}
    for language in LANGUAGES:
        text = short(count, Unit.COUNT, language)
        name = text.lstrip("0123456789.,")
        assert abs(float(text.removesuffix(name).replace(",", "")) * sizes[name] - count) <= 0.005001 * count


def test_shares_and_rates_are_not_shortened():
    assert short(0.668, Unit.SHARE, "en") == "66.8 %"
    assert short(23_456.78, Unit.RATE, "en") == "23,456.8"


def of(name, now, before, language="en"):
    found = change(now, before, MEASURES[name], language)
    return found.text, found.direction, found.good


def test_a_share_moves_in_points_not_in_per_cent():
    assert of("activation_rate", 0.668, 0.647) == ("+2.1 points", "up", True)
    assert of("activation_rate", 0.647, 0.668, "zh_CN") == ("−2.1 个百分点", "down", False)


def test_a_count_moves_in_per_cent():
    assert of("signed", 120, 100) == ("+20.0 %", "up", True)
    assert of("signed", 80, 100, "zh_TW") == ("−20.0%", "down", False)


def test_fewer_complaints_are_good_and_more_are_not():
    assert of("complaints_received", 80, 100)[2] is True
    assert of("complaints_received", 100, 80)[2] is False


def test_a_measure_without_a_direction_is_neither_good_nor_bad():
    assert of("transactions", 120, 100) == ("+20.0 %", "up", None)


def test_a_count_that_was_zero_moves_by_a_number_because_it_has_no_per_cent():
    assert of("complaints_received", 5, 0) == ("+5", "up", False)
    assert of("complaints_received", 0, 0) == ("0", "same", None)


def test_days_move_by_a_difference():
    assert of("complaints_median_days", 4.5, 6.0) == ("−1.5", "down", True)


def test_a_change_too_small_to_be_read_is_no_change():
    assert of("activation_rate", 0.66801, 0.668) == ("0.0 points", "same", None)
    assert of("signed", 99_999, 100_000) == ("0.0 %", "same", None)


@pytest.mark.parametrize(("now", "before"), [(None, 1), (1, None), (pd.NA, 1), (float("nan"), float("nan"))])
def test_where_one_side_is_missing_there_is_no_change(now, before):
    assert of("signed", now, before) == ("—", None, None)


@pytest.mark.parametrize(
    ("start", "end", "english", "chinese"),
    [
        (D(2026, 10, 1), D(2026, 10, 31), "Oct 2026", "2026年10月"),
        (D(2024, 2, 1), D(2024, 2, 29), "Feb 2024", "2024年2月"),
        (D(2024, 2, 1), D(2024, 2, 28), "1–28 Feb 2024", "2024年2月1日至28日"),  # a leap year: not the whole month
        (D(2026, 11, 1), D(2026, 11, 20), "1–20 Nov 2026", "2026年11月1日至20日"),
        (D(2026, 11, 20), D(2026, 11, 20), "20 Nov 2026", "2026年11月20日"),
        (D(2026, 10, 1), D(2026, 11, 20), "1 Oct – 20 Nov 2026", "2026年10月1日至11月20日"),
        (D(2025, 12, 1), D(2026, 11, 20), "1 Dec 2025 – 20 Nov 2026", "2025年12月1日至2026年11月20日"),
        (D(2025, 12, 1), D(2026, 11, 30), "Dec 2025 – Nov 2026", "2025年12月至2026年11月"),
        (D(2026, 7, 1), D(2026, 9, 30), "Jul – Sep 2026", "2026年7月至9月"),
        (D(2026, 1, 1), D(2026, 12, 31), "2026", "2026年"),
        (D(2025, 1, 1), D(2026, 12, 31), "Jan 2025 – Dec 2026", "2025年1月至2026年12月"),
        (D(2025, 11, 5), D(2026, 11, 20), "5 Nov 2025 – 20 Nov 2026", "2025年11月5日至2026年11月20日"),
    ],
)
def test_a_period_is_said_as_short_as_it_can_be(start, end, english, chinese):
    assert period_shown(Period(start, end), "en") == english
    assert period_shown(Period(start, end), "zh_CN") == chinese


@given(
    st.dates(D(2000, 1, 1), D(2050, 1, 1)),
    st.integers(0, 900),
    st.dates(D(2000, 1, 1), D(2050, 1, 1)),
    st.integers(0, 900),
)
def test_two_periods_are_never_said_the_same(first, days, second, more):
    one = Period(first, D.fromordinal(first.toordinal() + days))
    other = Period(second, D.fromordinal(second.toordinal() + more))
    for language in LANGUAGES:
        assert (period_shown(one, language) == period_shown(other, language)) == (one == other)


def test_days_and_moments_are_written_as_the_language_writes_them():
    assert day_shown(D(2026, 11, 2), "en") == "2 Nov 2026"
    assert day_shown(D(2026, 11, 2), "zh_TW") == "2026年11月2日"
    assert day_shown(pd.NaT, "en") == "—"
    assert moment_shown(datetime(2026, 11, 2, 9, 5), "en") == "2 Nov 2026, 09:05"
    assert moment_shown(datetime(2026, 11, 2, 9, 5), "zh_CN") == "2026年11月2日 09:05"


@pytest.mark.parametrize(
    ("step", "english", "chinese"),
    [
        ("day", "1 Oct 2026", "2026年10月1日"),
        ("week", "1 Oct 2026", "2026年10月1日"),
        ("month", "Oct 2026", "2026年10月"),
        ("quarter", "Q4 2026", "2026年4季度"),
        ("year", "2026", "2026年"),
    ],
)
def test_a_step_of_time_is_named_by_what_it_is(step, english, chinese):
    assert step_shown(pd.Timestamp(2026, 10, 1), step, "en") == english
    assert step_shown(pd.Timestamp(2026, 10, 1), step, "zh_CN") == chinese


def test_excel_shows_what_the_screen_shows():
    assert excel_format(Unit.COUNT, "en") == "#,##0"
    assert excel_format(Unit.SHARE, "en") == "#,##0.0 %"
    assert excel_format(Unit.SHARE, "zh_CN") == "#,##0.0%"
    assert excel_format(Unit.INDEX, "en") == "#,##0.00"
    assert excel_day_format(None, "en") == "[$-409]d mmm yyyy"
    assert excel_day_format("month", "zh_CN") == 'yyyy"年"m"月"'
    assert excel_day_format("year", "zh_CN") == 'yyyy"年"'


def test_an_axis_has_no_more_decimals_than_its_ticks_need():
    assert axis_format(Unit.SHARE, "en") == "~%"
    assert axis_format(Unit.COUNT, "zh_CN") == ",~f"
