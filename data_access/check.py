"""Whether a warehouse keeps the contract: the rules for its rows, told once, and the report on a whole warehouse.

The loader asks the same rules of every row before it lets it in; `check` asks them of a warehouse that stands. They are
SQLAlchemy expressions, so that they mean the same on every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Engine,
    Float,
    FromClause,
    Integer,
    Numeric,
    String,
    Table,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    inspect,
    or_,
    select,
    table,
)
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from measures import schema

EARLIEST = date(1900, 1, 1)
"""A day before it is a spreadsheet's zero or a slip of the pen."""

FOUNDED = date(1400, 1, 1)
"""`branches.opened_on` may be older than `EARLIEST`: the oldest bank that still trades opened in 1472."""

LATEST = date(9999, 12, 31)
"""The last day that Python can hold; some banks write it where nothing ends."""

STALE_DAYS = 7

ORDER: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "branches": (("closed_on", "opened_on", "closed before opened"),),
    "agents": (("left_on", "joined_on", "left before joined"),),
    "contracts": (
        ("activated_on", "signed_on", "activated before signed"),
        ("closed_on", "signed_on", "closed before signed"),
        ("last_used_on", "signed_on", "last used before signed"),
    ),
    "campaigns": (
        ("ends_on", "starts_on", "ends before it starts"),
        ("expires_on", "starts_on", "expires before it starts"),
    ),
    "assignments": (("closed_on", "assigned_on", "closed before assigned"),),
    "complaints": (("closed_at", "received_at", "closed before received"),),
    "targets": (("ends_on", "starts_on", "ends before it starts"),),
}
"""Which day of a row does not come before which other: (later, earlier, what it is called when it does)."""

_AHEAD = ("due_on", "next_contact_on")
"""Days that an event promises; all its other days have happened."""


@dataclass(frozen=True)
class Rule:
    """What a row must keep: `broken` is true of a row that does not, `reason` says so in words."""

    column: str
    name: str
    broken: ColumnElement[bool]
    reason: str


@dataclass(frozen=True)
class Finding:
    """One thing that a check found; `breach` is False where the dashboard works on with less, or with older data.

    `column` is empty where the whole table is meant; `rows` says how many rows are concerned, 0 where it is no row.
    """

    table: str
    column: str
    rule: str
    rows: int
    breach: bool
    sentence: str


def event_day(contract: Table) -> Column | None:
    """The column that says when a row of `contract` happened; None for what does not happen (branches, products …)."""
    if contract not in schema.EVENTS and contract is not schema.events:
        return None
    return next(c for c in contract.columns if _is_day(c) and not c.nullable)


def row_rules(contract: Table, rows: FromClause, until: date) -> list[Rule]:
    """The rules that a row of `contract` keeps or breaks by itself, for those of its columns that `rows` offers.

    `until` is the last day on which anything can have happened.
    """
    offered = [column for column in contract.columns if column.name in rows.c]
    return [
        *(rule for column in offered for rule in _column_rules(contract, column, rows.c[column.name], until)),
        *(
            Rule(later, "order", _day(rows.c[later]) < _day(rows.c[earlier]), f"{reason} ({later} < {earlier})")
            for later, earlier, reason in ORDER.get(contract.name, ())
            if later in rows.c and earlier in rows.c
        ),
    ]


def orphans(column: Column, rows: FromClause, target: FromClause) -> Rule:
    """The rule that `column` of `rows` names a row of `target`, the table that the contract says it refers to."""
    wanted = column.info["of"].table
    key = schema.key_of(schema.metadata.tables[wanted]).name
    held = rows.c[column.name]
    broken = and_(held.is_not(None), ~exists(select(1).select_from(target).where(target.c[key] == held)))
    return Rule(column.name, "reference", broken, f"no such row in {wanted}")


def check(engine: Engine, *, today: date) -> list[Finding]:
    """What the warehouse behind `engine` lacks or breaks of the contract, table by table; empty when all is well.

    `today` is the day on which it is asked: nothing can have happened later. SQLAlchemy's errors pass through.
    """
    with engine.connect() as connection:
        return list(_findings(connection, today))


def _findings(connection: Connection, today: date) -> Iterator[Finding]:
    held: dict[str, FromClause] = {}
    inspector = inspect(connection)
    for contract in schema.metadata.tables.values():
        if not inspector.has_table(contract.name):
            yield _table_missing(contract)
            continue
        found = {column["name"]: column["type"] for column in inspector.get_columns(contract.name)}
        yield from _columns(contract, found)
        # A rule is asked only of columns that are what they should be: an engine refuses to compare a text with a day.
        sound = [c for c in contract.columns if c.name in found and _same_family(c.type, found[c.name])]
        held[contract.name] = table(contract.name, *(Column(c.name, c.type) for c in sound))
    if not any(event.name in held for event in schema.EVENTS):
        names = ", ".join(event.name for event in schema.EVENTS)
        yield Finding("", "", "table", 0, True, f"There is no table of events: offer at least one of {names}.")
    for name, rows in held.items():
        contract = schema.metadata.tables[name]
        yield from _rows(connection, contract, rows, today)
        yield from _references(connection, contract, rows, held)
        yield from _key(connection, contract, rows)
    if "branches" in held:
        yield from _tree(connection, held["branches"])
    if "targets" in held and "branches" in held:
        yield from _targets(connection, held["targets"], held["branches"])
    if "contract_months" in held:
        yield from _more_active_than_held(connection, held["contract_months"])
    if "loads" in held:
        yield from _freshness(connection, held["loads"], today)


# ── what is there ──


def _table_missing(contract: Table) -> Finding:
    required = contract in schema.REQUIRED
    rest = "nothing can be shown without it." if required else "what needs it is not shown."
    sentence = f"The table {contract.name} (each row {contract.info['grain']}) is missing; {rest}"
    return Finding(contract.name, "", "table", 0, required, sentence)


def _columns(contract: Table, found: Mapping[str, TypeEngine]) -> Iterator[Finding]:
    for column in contract.columns:
        name = f"{contract.name}.{column.name}"
        if column.name not in found:
            yield _column_missing(contract, column)
        elif not _same_family(column.type, found[column.name]):
            sentence = (
                f"{name} is {found[column.name]}; the contract wants {_family(column.type)}: cast it in the view."
            )
            yield Finding(contract.name, column.name, "type", 0, True, sentence)


def _column_missing(contract: Table, column: Column) -> Finding:
    name, optional = f"{contract.name}.{column.name}", column.info["optional"]
    meaning, _, said_by_null = column.info["meaning"].partition("; null: ")
    rest = "what needs it is not shown." if optional else "every row must have it; add it to the table or view."
    if optional and said_by_null:
        # Left out, it takes away what could be told: with nothing but nulls, a contract without closing day counts as open.
        null = f"CAST(NULL AS {column.type.compile()}) AS {column.name}"
        rest += f" If it is known for none, offer {null}: each row then counts as “{said_by_null}”."
    return Finding(
        contract.name, column.name, "column", 0, not optional, f"The column {name} ({meaning}) is missing; {rest}"
    )


def _family(type_: TypeEngine) -> str:
    families = (
        (Boolean, "true or false"),
        (DateTime, "a date with a time"),
        (Date, "a date"),
        (Integer, "a whole number"),
    )
    return next((name for family, name in families if isinstance(type_, family)), _number_or_text(type_))


def _number_or_text(type_: TypeEngine) -> str:
    if isinstance(type_, Numeric | Float):
        return "a number"
    return "a text" if isinstance(type_, String) else "something else"


def _same_family(wanted: TypeEngine, found: TypeEngine) -> bool:
    if isinstance(wanted, Numeric):
        return isinstance(found, Numeric | Float | Integer)
    if isinstance(wanted, Integer):
        # A sum of whole numbers is NUMERIC without digits behind the point on some engines.
        return isinstance(found, Integer) or (isinstance(found, Numeric) and not found.scale)
    return _family(wanted) == _family(found)


# ── what a row must keep ──


def _column_rules(contract: Table, column: Column, held: ColumnElement, until: date) -> Iterator[Rule]:
    name, text = column.name, isinstance(column.type, String)
    if not column.nullable:
        yield Rule(name, "missing", or_(held.is_(None), func.trim(held) == "") if text else held.is_(None), "missing")
    if column.info["one_of"]:
        allowed = column.info["one_of"]
        yield Rule(name, "allowed", held.not_in(allowed), f"not one of {', '.join(allowed)}")
    if contract is schema.branches and name == "branch_id":
        # The path sets a full stop behind every code: 1.2 would be two branches.
        yield Rule(name, "code", func.replace(held, ".", "") != held, "a branch's code has no full stop in it")
    if _is_day(column):
        yield from _day_rules(contract, column, held, until)
    if name == "birth_year":
        broken = ~held.between(EARLIEST.year, until.year)
        yield Rule(name, "range", broken, f"out of range: not between {EARLIEST.year} and {until.year}")
    if name == "score":
        yield Rule(name, "range", ~held.between(0, 10), "out of range: not between 0 and 10")


def _day_rules(contract: Table, column: Column, held: ColumnElement, until: date) -> Iterator[Rule]:
    happens = event_day(contract) is not None and column.name not in _AHEAD
    first = FOUNDED if (contract.name, column.name) == ("branches", "opened_on") else EARLIEST
    last = until if happens else LATEST
    reason = f"date out of range: not between {first.isoformat()} and {last.isoformat()}"
    yield Rule(column.name, "range", ~_day(held).between(first, last), reason)
    if column.name == "month":
        yield Rule(column.name, "month", extract("day", held) != 1, "not the first day of a month")


def _is_day(column: Column) -> bool:
    return isinstance(column.type, Date | DateTime)


def _day(held: ColumnElement) -> ColumnElement:
    """A complaint received at 10:30 and closed on a date without a time was not closed before it came in."""
    return cast(held, Date) if isinstance(held.type, DateTime) else held


def _rows(connection: Connection, contract: Table, rows: FromClause, today: date) -> Iterator[Finding]:
    if contract in schema.REQUIRED and not connection.scalar(select(func.count()).select_from(rows)):
        sentence = f"The table {contract.name} is empty; nothing can be shown without it."
        yield Finding(contract.name, "", "empty", 0, True, sentence)
    rules = row_rules(contract, rows, today)
    if rules:
        counts = select(*(func.sum(case((rule.broken, 1), else_=0)) for rule in rules)).select_from(rows)
        for rule, broken in zip(rules, connection.execute(counts).one(), strict=True):
            yield from _broken(contract, rule, int(broken or 0))


def _references(
    connection: Connection, contract: Table, rows: FromClause, held: Mapping[str, FromClause]
) -> Iterator[Finding]:
    for column in contract.columns:
        if "of" not in column.info or column.name not in rows.c or column.info["of"].table not in held:
            continue
        target = held[column.info["of"].table].alias("target")
        if schema.key_of(schema.metadata.tables[column.info["of"].table]).name in target.c:
            rule = orphans(column, rows, target)
            broken = connection.scalar(select(func.count()).select_from(rows).where(rule.broken))
            yield from _broken(contract, rule, broken)


def _key(connection: Connection, contract: Table, rows: FromClause) -> Iterator[Finding]:
    key = schema.key_of(contract)
    if key is not None and key.name in rows.c:
        held = rows.c[key.name]
        beyond = connection.scalar(select(func.count(held) - func.count(held.distinct())).select_from(rows))
        yield from _broken(
            contract, Rule(key.name, "duplicate", held.is_(None), "the key of an earlier row again"), beyond
        )


def _broken(contract: Table, rule: Rule, rows: int) -> Iterator[Finding]:
    if rows:
        verb = "row breaks" if rows == 1 else "rows break"
        sentence = f"{rows:,} {verb} the rule for {contract.name}.{rule.column}: {rule.reason}."
        yield Finding(contract.name, rule.column, rule.name, rows, True, sentence)


# ── what rows must keep together ──


def _tree(connection: Connection, branches: FromClause) -> Iterator[Finding]:
    if not {"branch_id", "parent_id", "level", "path"} <= set(branches.c.keys()):
        return  # said already: a column is missing or of another type
    columns = (branches.c.branch_id, branches.c.parent_id, branches.c.level, branches.c.path)
    nodes = {row.branch_id: row for row in connection.execute(select(*columns)) if row.branch_id is not None}
    rank = {level: depth for depth, level in enumerate(schema.LEVELS)}
    chains = {code: _chain(code, lambda c: nodes[c].parent_id if c in nodes else None) for code in nodes}
    circular = [code for code, chain in chains.items() if chain is None]
    shallow = [
        node.branch_id
        for node in nodes.values()
        if node.parent_id in nodes and rank.get(node.level, 0) <= rank.get(nodes[node.parent_id].level, -1)
    ]
    astray = [
        code
        for code, chain in chains.items()
        if chain is not None and chain[0] in nodes and nodes[code].path != "".join(f"{step}." for step in chain)
    ]
    yield from _of_branches(circular, "parent_id", "circle", "lie in a circle of parents, or below one")
    yield from _of_branches(shallow, "level", "level", "do not lie on a deeper level than their parent")
    yield from _of_branches(
        astray, "path", "path", "have a path that is not the codes from head office down, each followed by a full stop"
    )


def _chain(code: str, parent: Callable[[str], str | None]) -> list[str] | None:
    """The codes from the top down to `code`; None when following the parents leads back to where one was."""
    chain = [code]
    while (above := parent(chain[-1])) is not None:
        if above in chain:
            return None
        chain.append(above)
    return chain[::-1]


def _of_branches(codes: list[str], column: str, rule: str, what: str) -> Iterator[Finding]:
    if codes:
        named = ", ".join(sorted(codes)[:5]) + (" …" if len(codes) > 5 else "")
        sentence = f"{len(codes):,} branches {what}: {named}."
        yield Finding("branches", column, rule, len(codes), True, sentence)


def _targets(connection: Connection, targets: FromClause, branches: FromClause) -> Iterator[Finding]:
    """A branch's target that stands beside one of a branch above it would be reached, and counted, twice."""
    of = ("measure", "starts_on", "ends_on", *(c for c in ("product_id", "agent_id") if c in targets.c))
    if not {*of, "branch_id"} <= set(targets.c.keys()) or not {"branch_id", "path"} <= set(branches.c.keys()):
        return
    lower, upper = targets.alias("lower_target"), targets.alias("upper_target")
    below, above = branches.alias("below"), branches.alias("above")
    same = [
        or_(lower.c[c] == upper.c[c], and_(lower.c[c].is_(None), upper.c[c].is_(None)))
        if c in ("product_id", "agent_id")
        else lower.c[c] == upper.c[c]
        for c in of
    ]
    ancestor = and_(
        below.c.path != above.c.path, func.substr(below.c.path, 1, func.length(above.c.path)) == above.c.path
    )
    twice = (
        select(lower.c.target_id)
        .select_from(
            lower.join(below, lower.c.branch_id == below.c.branch_id)
            .join(upper, and_(*same))
            .join(above, and_(upper.c.branch_id == above.c.branch_id, ancestor))
        )
        .distinct()
        .subquery()
    )
    rows = connection.scalar(select(func.count()).select_from(twice))
    if rows:
        sentence = (
            f"{rows:,} targets stand below a target for the same measure, product and period on a branch above; "
            "keep one level, or their sum counts twice."
        )
        yield Finding("targets", "branch_id", "one level", rows, True, sentence)


def _more_active_than_held(connection: Connection, months: FromClause) -> Iterator[Finding]:
    if {"active", "holders"} <= set(months.c.keys()):
        rows = connection.scalar(select(func.count()).select_from(months).where(months.c.active > months.c.holders))
        if rows:
            sentence = (
                f"{rows:,} rows of contract_months count more active than holders; their active rate is above 100 %."
            )
            yield Finding("contract_months", "active", "share", rows, False, sentence)


def _freshness(connection: Connection, loads: FromClause, today: date) -> Iterator[Finding]:
    if not {"table_name", "data_until"} <= set(loads.c.keys()):
        return
    latest = (
        select(loads.c.table_name, func.max(loads.c.data_until))
        .group_by(loads.c.table_name)
        .order_by(loads.c.table_name)
    )
    for name, until in connection.execute(latest):
        if until is not None and (today - until).days > STALE_DAYS:
            days = (today - until).days
            sentence = f"The data of {name} end on {until.isoformat()}, {days:,} days ago."
            yield Finding(name, "", "freshness", 0, False, sentence)
