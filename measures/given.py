"""What every statement is given beside the warehouse's own tables: the data's date, the days looked at, days off.

Measures are declared once, before anyone knows which day it is. They name these placeholders; `data_access.sql` fills them.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, String, bindparam, case, column, literal, table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

DATA_UNTIL = bindparam("data_until", type_=Date)
"""The last day that is complete in the warehouse."""

TODAY = bindparam("today", type_=Date)
"""The day on which somebody looks, whatever the data's date: what may no longer be used today is not shown."""

SEEN_ON = bindparam("seen_on", type_=Date)
"""The day on which what became of an event is looked at: the data's date, and for a period compared with, a day as long after
that period as the data's date is after the one asked for. What happened since last year is not held against this week."""

PARENT = bindparam("parent", type_=String)
"""The path of the branch whose children the dimension `below` tells apart."""

AS_OF = table("as_of", column("day", Date))
"""The days on which balances are taken: the last day of the period, or of each week, month … in it."""

DAYS_OFF = table("days_off", column("day", Date), column("change", Integer))
"""Calendar exceptions from config.toml: -1 for a holiday on a weekday, +1 for a working day at a week-end."""

_A_MONDAY = date(1970, 1, 5)


class days_after(FunctionElement):  # noqa: N801 — reads as the SQL function it is
    """`days_after(day, number)`: the day so many days later."""

    type = Date()
    inherit_cache = True


class days_between(FunctionElement):  # noqa: N801
    """`days_between(first, second)`: how many days the second lies after the first."""

    type = Integer()
    inherit_cache = True


@compiles(days_after)
def _days_after(element, compiler, **kwargs):  # DuckDB and PostgreSQL: a date plus an integer is a date
    day, number = element.clauses
    return f"({compiler.process(day, **kwargs)} + {compiler.process(number, **kwargs)})"


@compiles(days_between)
def _days_between(element, compiler, **kwargs):
    first, second = element.clauses
    return f"({compiler.process(second, **kwargs)} - {compiler.process(first, **kwargs)})"


def weekdays(first: ColumnElement, last: ColumnElement) -> ColumnElement:
    """The number of days Monday to Friday from `first` to `last`, both included.

    With the changes of DAYS_OFF in between they are the working days. Arithmetic instead of a calendar table, because a warehouse
    that we may not write to has no calendar of the bank's holidays.
    """
    return _weekdays_until(last) - _weekdays_until(days_after(first, -1))


def _weekdays_until(day: ColumnElement) -> ColumnElement:
    """The days Monday to Friday from a fixed Monday up to and including `day`."""
    passed = days_between(literal(_A_MONDAY, Date), day)
    weekday = passed % 7
    return (passed - weekday) / 7 * 5 + case((weekday < 5, weekday + 1), else_=5)
