"""Periods: the days a question is about, and the days it is compared with."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from measures.model import _


@dataclass(frozen=True, order=True)
class Period:
    """The days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"A period ends on or after the day it starts; got {self.start} to {self.end}.")

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


class Preset(Enum):
    """Periods that are named instead of dated; they move with the data's date."""

    THIS_WEEK = "week"
    LAST_WEEK = "last_week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR_TO_DATE = "year"
    LAST_12_MONTHS = "12_months"


PRESET_LABELS = {
    Preset.THIS_WEEK: _("This week"),
    Preset.LAST_WEEK: _("Last week"),
    Preset.MONTH: _("This month"),
    Preset.QUARTER: _("This quarter"),
    Preset.YEAR_TO_DATE: _("Year to date"),
    Preset.LAST_12_MONTHS: _("Last 12 months"),
}


class Compare(Enum):
    """What a period is compared with."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"
    NOTHING = "none"


COMPARE_LABELS = {
    Compare.PREVIOUS: _("Previous period"),
    Compare.LAST_YEAR: _("Same period last year"),
    Compare.NOTHING: _("No comparison"),
}


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the last day of the month where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def week_from(monday: date) -> Period:
    """The seven days from `monday` on."""
    return Period(monday, monday + timedelta(days=6))


def preset_period(preset: Preset, data_until: date) -> Period:
    """The days that `preset` means when the data end on `data_until`. The running week, month, … ends there too."""
    monday = data_until - timedelta(days=data_until.weekday())
    first = data_until.replace(day=1)
    match preset:
        case Preset.THIS_WEEK:
            return Period(monday, data_until)
        case Preset.LAST_WEEK:
            return Period(monday - timedelta(days=7), monday - timedelta(days=1))
        case Preset.MONTH:
            return Period(first, data_until)
        case Preset.QUARTER:
            return Period(first.replace(month=(first.month - 1) // 3 * 3 + 1), data_until)
        case Preset.YEAR_TO_DATE:
            return Period(first.replace(month=1), data_until)
        case Preset.LAST_12_MONTHS:
            return year_of_months(data_until)


_LENGTH_IN_MONTHS = {Preset.MONTH: 1, Preset.QUARTER: 3, Preset.YEAR_TO_DATE: 12, Preset.LAST_12_MONTHS: 12}


def compared_period(period: Period, preset: Preset | None, compare: Compare) -> Period | None:
    """The period that `period` is compared with, or None.

    Running months, quarters and years are compared with as many days of the one before, not with all of it; a period of
    the reader's own with as many days just before it. A month looked at up to its last day is compared with a whole one.
    """
    if compare is Compare.NOTHING:
        return None
    if compare is Compare.LAST_YEAR and preset in (Preset.THIS_WEEK, Preset.LAST_WEEK):
        return Period(period.start - timedelta(days=364), period.end - timedelta(days=364))  # the same weekdays
    if compare is Compare.LAST_YEAR:
        return Period(months_later(period.start, -12), _end_moved(period.end, -12))
    if preset in (Preset.THIS_WEEK, Preset.LAST_WEEK):
        return Period(period.start - timedelta(days=7), period.end - timedelta(days=7))
    if preset in _LENGTH_IN_MONTHS:
        months = -_LENGTH_IN_MONTHS[preset]
        return Period(months_later(period.start, months), _end_moved(period.end, months))
    return Period(period.start - timedelta(days=period.days), period.start - timedelta(days=1))


def _end_moved(end: date, months: int) -> date:
    moved = months_later(end, months)
    if (end + timedelta(days=1)).day == 1:  # a whole month stays whole: 28 February against 31 January
        moved = moved.replace(day=monthrange(moved.year, moved.month)[1])
    return moved


def whole_months(months: int, until: date) -> Period:
    """The last calendar month (1), quarter (3), half-year (6) or year (12) that is over on `until`."""
    first = until.replace(month=(until.month - 1) // months * months + 1, day=1)
    if months_later(first, months) - timedelta(days=1) > until:
        first = months_later(first, -months)
    return Period(first, months_later(first, months) - timedelta(days=1))


def year_of_months(until: date) -> Period:
    """The month of `until`, up to that day, and the eleven before it."""
    return Period(months_later(until.replace(day=1), -11), until)


def year_of_quarters(until: date) -> Period:
    """The quarter of `until`, up to that day, and the four before it."""
    return Period(months_later(_first_of(until, "quarter"), -12), until)


def first_days(period: Period, step: str) -> list[date]:
    """The first day of each `step` that the period touches, as a time dimension names it."""
    days = []
    day = period.start
    while day <= period.end:
        days.append(_first_of(day, step))
        day = last_day(day, step) + timedelta(days=1)
    return days


def last_days(period: Period, step: str | None) -> list[date]:
    """The day on which a balance is taken: the last of the period, or the last of each `step` in it."""
    if step is None:
        return [period.end]
    days = []
    day = period.start
    while day <= period.end:
        last = min(last_day(day, step), period.end)
        days.append(last)
        day = last + timedelta(days=1)
    return days


def _first_of(day: date, step: str) -> date:
    match step:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1)


def last_day(day: date, step: str) -> date:
    """The last day of the `step` (day, week, month, quarter, year) that holds `day`."""
    match step:
        case "day":
            return day
        case "week":
            return day + timedelta(days=6 - day.weekday())
        case "month":
            month = day.month
        case "quarter":
            month = (day.month - 1) // 3 * 3 + 3
        case "year":
            month = 12
    return date(day.year, month, monthrange(day.year, month)[1])
