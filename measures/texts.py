"""How a bank's own text is written where it could be taken for more: for a formula, or for a command to a terminal.

It lies here because both the loader's list and the pages' files hold such texts, and neither may know the other.
"""

from __future__ import annotations

import re

FORMULA = (
    "'*(?:[\t\r\n]|[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b]*[=+\\-@＝＋－＠])"
)
"""What a spreadsheet may take for a formula, and what `disarmed` made of it already: how such a text begins, in an expression that
Python and Arrow understand alike. The blanks are those of Unicode."""
_FORMULA = re.compile(FORMULA)

_COMMANDS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Control characters, line breaks, and the signs that turn the direction of what follows them."""

_SIGNS = {code: chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd" for code in _COMMANDS}


def disarmed(text: str) -> str:
    """`text` as a cell of a CSV file: one that begins like a formula (= + - @, also full-width, after blanks or after
    apostrophes; tab; line break) with an apostrophe before it.

    Whoever takes one apostrophe off wherever apostrophes and such a sign begin a text has the text exactly.
    """
    return "'" + text if _FORMULA.match(text) else text


def printable(text: str) -> str:
    """`text` on one line of a terminal: a control character is shown by a sign (␛ for escape), and does nothing."""
    return text.translate(_SIGNS)
