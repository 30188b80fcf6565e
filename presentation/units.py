"""How numbers, days and changes are written in the reader's language, on screen and in files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from measures.model import Better, Measure, Unit, _
from measures.period import Period
from presentation.words import words

MISSING = "—"

_DECIMALS = {Unit.COUNT: 0, Unit.AMOUNT: 0, Unit.SHARE: 1, Unit.RATE: 1, Unit.DAYS: 1, Unit.INDEX: 2}
_STEPS = {
    "en": ((10**3, "k"), (10**6, "m"), (10**9, "bn")),
    "zh_CN": ((10**4, "万"), (10**8, "亿")),
    "zh_TW": ((10**4, "萬"), (10**8, "億")),
}
_SHORT_FROM = 10_000
"""Numbers below are written out: four digits are read as fast as an abbreviation."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Change:
    """A change in words, where it points, and whether that is good (None: neither, or nothing can be told)."""

    text: str
    direction: str | None
    good: bool | None


# Numbers ------------------------------------------------------------------------------------------------------------


def shown(value: object, unit: Unit, language: str) -> str:
    """`value` as it stands in a table: counts exact and grouped, shares with one decimal; “—” where there is none."""
    if pd.isna(value):
        return MISSING
    text = _fixed(Decimal(str(value)) * (100 if unit is Unit.SHARE else 1), _DECIMALS[unit])
    if unit is not Unit.SHARE:
        return text
    return f"{text} %" if language == "en" else f"{text}%"


def short(value: object, unit: Unit, language: str) -> str:
    """`value` as it stands on a card or a mark: large counts and amounts with three digits, 12.3k or 1.23万."""
    if pd.isna(value) or unit not in (Unit.COUNT, Unit.AMOUNT) or abs(value) < _SHORT_FROM:
        return shown(value, unit, language)
    exact = Decimal(str(value))
    steps = _STEPS[language]
    for (size, name), (next_size, _name) in zip(steps, (*steps[1:], (float("inf"), "")), strict=True):
        parts = _three_digits(exact / size)
        if abs(parts) * size < next_size:  # asked of the rounded number: 999,950 is 1m, not 1,000k
            return _fixed(parts, max(0, -parts.normalize().as_tuple().exponent)) + name
    raise AssertionError("no number is above the last step")


def change(now: object, before: object, measure: Measure, language: str) -> Change:
    """How `measure` moved: counts and amounts in per cent, shares in points, all else as a difference.

    A count that was 0 has no per cent: its difference is written.
    """
    if pd.isna(now) or pd.isna(before):
        return Change(MISSING, None, None)
    moved = now - before
    if measure.unit is Unit.SHARE:
        text = words(language)(_("{number} points"), number=_signed(shown(100 * moved, Unit.RATE, language)))
    elif measure.unit in (Unit.COUNT, Unit.AMOUNT) and before:
        text = _signed(shown(moved / abs(before), Unit.SHARE, language))
    else:
        text = _signed(shown(moved, measure.unit, language))
    # What is read decides: an arrow beside 0.0 would contradict it.
    if not any(digit in text for digit in "123456789"):
        return Change(text.lstrip("+"), "same", None)
    direction = "down" if text.startswith("−") else "up"
    if measure.better is Better.NEITHER:
        return Change(text, direction, None)
    return Change(text, direction, (direction == "up") == (measure.better is Better.HIGHER))


def _fixed(number: Decimal, decimals: int) -> str:
    # Half up, as Excel does: rounding half to even would show another last digit on screen than in the file.
    text = f"{number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"
    if not any(digit in text for digit in "123456789"):
        return text.lstrip("-")
    return text.replace("-", "−")


def _three_digits(number: Decimal) -> Decimal:
    whole = len(str(int(abs(number)))) if abs(number) >= 1 else 1
    return number.quantize(Decimal(1).scaleb(-max(0, 3 - whole)), ROUND_HALF_UP)


def _signed(text: str) -> str:
    return text if text.startswith("−") else f"+{text}"


# Days ---------------------------------------------------------------------------------------------------------------


def day_shown(day: date, language: str) -> str:
    """20 Nov 2026, 2026年11月20日; “—” where there is none."""
    if pd.isna(day):
        return MISSING
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def month_shown(day: date, language: str) -> str:
    """Nov 2026, 2026年11月."""
    return f"{_MONTHS[day.month - 1]} {day.year}" if language == "en" else f"{day.year}年{day.month}月"


def step_shown(day: date, step: str, language: str) -> str:
    """A step of time that is named by its first `day`: a day, week (by its Monday), month, quarter or year."""
    if pd.isna(day):
        return MISSING
    if step == "month":
        return month_shown(day, language)
    if step == "quarter":
        quarter = (day.month + 2) // 3
        return f"Q{quarter} {day.year}" if language == "en" else f"{day.year}年{quarter}季度"
    if step == "year":
        return str(day.year) if language == "en" else f"{day.year}年"
    return day_shown(day, language)


def moment_shown(moment: datetime, language: str) -> str:
    """20 Nov 2026, 14:05."""
    return f"{day_shown(moment, language)}{', ' if language == 'en' else ' '}{moment:%H:%M}"


def period_shown(period: Period, language: str) -> str:
    """The days of `period`, as short as they can be said: Oct 2026 · 1–20 Nov 2026 · 1 Dec 2025 – 20 Nov 2026."""
    start, end = period.start, period.end
    whole_months = start.day == 1 and (end + timedelta(days=1)).day == 1
    if whole_months and (start.month, end.month) == (1, 12) and start.year == end.year:
        return step_shown(start, "year", language)
    if start == end:
        return day_shown(start, language)
    same_year = start.year == end.year
    same_month = same_year and start.month == end.month
    if whole_months and same_month:
        return month_shown(start, language)
    if language == "en":
        first = month_shown(start, language) if whole_months else day_shown(start, language)
        last = month_shown(end, language) if whole_months else day_shown(end, language)
        if same_month:
            return f"{start.day}–{last}"
        return f"{first.removesuffix(f' {start.year}') if same_year else first} – {last}"
    last_year = "" if same_year else f"{end.year}年"
    if whole_months:
        return f"{month_shown(start, language)}至{last_year}{end.month}月"
    last_month = "" if same_month else f"{end.month}月"
    return f"{day_shown(start, language)}至{last_year}{last_month}{end.day}日"


# Formats ------------------------------------------------------------------------------------------------------------


def excel_format(unit: Unit, language: str) -> str:
    """The number format of an Excel cell that shows what `shown` writes."""
    decimals = _DECIMALS[unit]
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    if unit is not Unit.SHARE:
        return number
    return f"{number} %" if language == "en" else f"{number}%"


def excel_day_format(step: str | None, language: str) -> str:
    """The date format of an Excel cell that shows a day, or a step of time by its first day."""
    if step == "year":
        return "yyyy" if language == "en" else 'yyyy"年"'
    if step in ("month", "quarter"):
        # 409: English month names in an Excel of any language, because the file speaks the reader's.
        return "[$-409]mmm yyyy" if language == "en" else 'yyyy"年"m"月"'
    return "[$-409]d mmm yyyy" if language == "en" else 'yyyy"年"m"月"d"日"'


def axis_format(unit: Unit, language: str) -> str:
    """The d3 format of an axis: as many decimals as its ticks need, and no more."""
    return "~%" if unit is Unit.SHARE else ",~f"
