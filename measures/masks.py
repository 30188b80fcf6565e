"""What is shown of personal data to those who may not see it, or did not ask: masked in SQL, so that the rest never leaves it.

A mask hides how much it hides, and a value too short to be masked is hidden whole. What is left is for telling two rows of one
list apart. Beside a branch and an agent it can still be enough for somebody who knows the customer: a masked row is no
anonymous one, and who may see listings at all is decided by the role.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, String, case, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

HIDDEN = "**"
FEWEST_DIGITS = 7
"""A telephone of fewer characters is an extension or a slip: its last two would be most of it."""


class Mask(FunctionElement):
    """An expression that may read personal data, because it gives away only a part of it. Nothing else may."""

    type = String()
    inherit_cache = True


@compiles(Mask)
def _masked(element, compiler, **kwargs):
    (shown,) = element.clauses
    return compiler.process(shown, **kwargs)


def masked_name(name: ColumnElement[str]) -> Mask:
    """The first character of a personal name: in Chinese the surname, which millions share. One of a single character is hidden."""
    whole = func.trim(name, type_=String)
    first = func.substr(whole, 1, 1, type_=String)
    return Mask(case((func.length(whole) > 1, first + HIDDEN), (name.is_not(None), HIDDEN)))


def masked_phone(phone: ColumnElement[str]) -> Mask:
    """The last two characters of a telephone number: those before them tell the operator and the town, and four would be
    enough to find the number in a list."""
    whole = func.trim(phone, type_=String)
    last = func.substr(whole, func.length(whole) - 1, 2, type_=String)
    return Mask(case((func.length(whole) >= FEWEST_DIGITS, HIDDEN + last), (phone.is_not(None), HIDDEN)))
