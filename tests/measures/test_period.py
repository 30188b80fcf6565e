"""Periods: what this month, last week or the same days last year are on any day, leap years and month ends included."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.period import (
    COMPARE_LABELS,
    PRESET_LABELS,
    Compare,
    Period,
    Preset,
    compared_period,
    last_days,
    months_later,
    preset_period,
)

days = st.dates(date(1999, 1, 1), date(2101, 12, 31))
presets = st.sampled_from(Preset)
periods = st.tuples(days, st.integers(0, 800)).map(lambda drawn: Period(drawn[0], drawn[0] + timedelta(drawn[1])))
ONE_DAY = timedelta(1)


def is_month_end(day: date) -> bool:
    return (day + ONE_DAY).day == 1


@pytest.mark.parametrize(
    ("preset", "until", "expected"),
    [
        (Preset.THIS_WEEK, "2026-05-20", ("2026-05-18", "2026-05-20")),
        (Preset.THIS_WEEK, "2026-05-18", ("2026-05-18", "2026-05-18")),
        (Preset.LAST_WEEK, "2026-01-04", ("2025-12-22", "2025-12-28")),
        (Preset.MONTH, "2024-02-29", ("2024-02-01", "2024-02-29")),
        (Preset.QUARTER, "2026-05-20", ("2026-04-01", "2026-05-20")),
        (Preset.QUARTER, "2026-12-31", ("2026-10-01", "2026-12-31")),
        (Preset.YEAR_TO_DATE, "2024-02-29", ("2024-01-01", "2024-02-29")),
        (Preset.LAST_12_MONTHS, "2024-02-29", ("2023-03-01", "2024-02-29")),
        (Preset.LAST_12_MONTHS, "2026-12-01", ("2026-01-01", "2026-12-01")),
    ],
)
def test_presets(preset: Preset, until: str, expected: tuple[str, str]) -> None:
    assert preset_period(preset, date.fromisoformat(until)) == Period(*map(date.fromisoformat, expected))


@pytest.mark.parametrize(
    ("preset", "until", "compare", "expected"),
    [
        # As many days of the month before, not all of it.
        (Preset.MONTH, "2026-05-20", Compare.PREVIOUS, ("2026-04-01", "2026-04-20")),
        # A whole month is compared with a whole one, whichever is longer.
        (Preset.MONTH, "2026-02-28", Compare.PREVIOUS, ("2026-01-01", "2026-01-31")),
        (Preset.MONTH, "2026-03-31", Compare.PREVIOUS, ("2026-02-01", "2026-02-28")),
        (Preset.MONTH, "2024-02-28", Compare.PREVIOUS, ("2024-01-01", "2024-01-28")),
        (Preset.MONTH, "2026-03-30", Compare.PREVIOUS, ("2026-02-01", "2026-02-28")),
        (Preset.MONTH, "2024-02-29", Compare.LAST_YEAR, ("2023-02-01", "2023-02-28")),
        (Preset.MONTH, "2025-02-28", Compare.LAST_YEAR, ("2024-02-01", "2024-02-29")),
        (Preset.QUARTER, "2026-02-10", Compare.PREVIOUS, ("2025-10-01", "2025-11-10")),
        (Preset.YEAR_TO_DATE, "2024-02-29", Compare.PREVIOUS, ("2023-01-01", "2023-02-28")),
        (Preset.LAST_12_MONTHS, "2026-05-20", Compare.PREVIOUS, ("2024-06-01", "2025-05-20")),
        (Preset.THIS_WEEK, "2026-05-20", Compare.PREVIOUS, ("2026-05-11", "2026-05-13")),
        (Preset.LAST_WEEK, "2026-05-20", Compare.PREVIOUS, ("2026-05-04", "2026-05-10")),
    ],
)
def test_presets_compared(preset: Preset, until: str, compare: Compare, expected: tuple[str, str]) -> None:
    period = preset_period(preset, date.fromisoformat(until))
    assert compared_period(period, preset, compare) == Period(*map(date.fromisoformat, expected))


def test_days_of_ones_own_are_compared_with_as_many_just_before() -> None:
    own = Period(date(2024, 3, 1), date(2024, 3, 10))
    assert compared_period(own, None, Compare.PREVIOUS) == Period(date(2024, 2, 20), date(2024, 2, 29))


@given(preset=presets, until=days)
def test_a_preset_ends_with_the_data_and_holds_no_day_after_it(preset: Preset, until: date) -> None:
    period = preset_period(preset, until)
    assert period.start <= period.end <= until
    assert period.end == until or (preset is Preset.LAST_WEEK and period.end.isoweekday() == 7 and period.days == 7)
    assert period.days <= 366


@given(preset=presets, until=days)
def test_what_is_compared_lies_wholly_before(preset: Preset, until: date) -> None:
    period = preset_period(preset, until)
    before = compared_period(period, preset, Compare.PREVIOUS)
    assert before.start <= before.end < period.start
    assert compared_period(period, preset, Compare.NOTHING) is None


@given(preset=presets, until=days)
def test_a_whole_month_stays_whole_in_every_comparison(preset: Preset, until: date) -> None:
    period = preset_period(preset, until)
    for compare in (Compare.PREVIOUS, Compare.LAST_YEAR):
        before = compared_period(period, preset, compare)
        if is_month_end(period.end) and preset.name not in ("THIS_WEEK", "LAST_WEEK"):
            assert is_month_end(before.end)


@given(period=periods)
def test_own_days_are_compared_with_as_many_that_touch_them(period: Period) -> None:
    before = compared_period(period, None, Compare.PREVIOUS)
    assert before.days == period.days
    assert before.end + ONE_DAY == period.start


@given(day=days, months=st.integers(-30, 30))
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int) -> None:
    moved = months_later(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and is_month_end(moved))


@given(period=periods, step=st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_last_days_cut_a_period_into_steps_that_end_where_the_step_ends(period: Period, step: str) -> None:
    cut = last_days(period, step)
    assert cut == sorted(set(cut))
    assert cut[-1] == period.end
    ends = {"day": lambda d: True, "week": lambda d: d.isoweekday() == 7, "month": is_month_end}
    ends |= {"quarter": lambda d: is_month_end(d) and d.month % 3 == 0, "year": lambda d: (d.month, d.day) == (12, 31)}
    assert cut[:-1] == [d for d in (period.start + n * ONE_DAY for n in range(period.days - 1)) if ends[step](d)]


@given(period=periods)
def test_a_balance_without_steps_is_taken_on_the_last_day(period: Period) -> None:
    assert last_days(period, None) == [period.end]


def test_a_period_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="2026-05-02 to 2026-05-01"):
        Period(date(2026, 5, 2), date(2026, 5, 1))


def test_every_preset_and_comparison_has_a_label() -> None:
    assert PRESET_LABELS.keys() == set(Preset)
    assert COMPARE_LABELS.keys() == set(Compare)
