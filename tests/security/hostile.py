"""A bank in whose every text somebody has put markup, a script, a formula and a quote, and in whose ids as well."""

from __future__ import annotations

from itertools import count

from sqlalchemy import String

from measures.schema import metadata
from tests.bank import BANK, Rows

MARKUP = (
    '<img src=x onerror="window.hit=1"><script>window.hit=2</script>[LINK](javascript:window.hit=3)'
    "![PIC](http://evil.invalid/p.png)**STRONG**$$TEX$$:red[RED]`CODE`"
)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0", "＝1", '=HYPERLINK("http://evil.invalid","x")')
"""As a spreadsheet would take them for a formula, a command (DDE) or a link."""
IN_AN_ID = "'\"<i>*x*"


def _id(value: str) -> str:
    return value + IN_AN_ID


def bank() -> dict[str, Rows]:
    """The test bank with such texts; what means something to the dashboard, such as a level, stays as it is."""
    number = count()
    tables = {name: [dict(row) for row in rows] for name, rows in BANK.items() if name != "loads"}
    for name, rows in tables.items():
        for column in metadata.tables[name].columns:
            if not isinstance(column.type, String) or column.info.get("one_of") or (name, column.name) == TARGETED:
                continue
            for row in rows:
                if row[column.name] is not None:
                    row[column.name] = _written(column, row[column.name], next(number))
    tables["loads"] = [
        {
            "table_name": name,
            "loaded_at": BANK["loads"][0]["loaded_at"],
            "rows": 1,
            "source": MARKUP,
            "data_until": max(row["data_until"] for row in BANK["loads"]),
        }
        for name in tables
    ]
    return tables


TARGETED = ("targets", "measure")
"""Names a measure: another name is of no measure."""


def _written(column, value: str, number: int) -> str:
    if column.name == "path":
        return "".join(f"{_id(code)}." for code in value.strip(".").split("."))
    if column.name.endswith("_id") or column.name == "repeat_of":
        return _id(value)
    return f"{FORMULAS[number % len(FORMULAS)]}{MARKUP}{number}"
