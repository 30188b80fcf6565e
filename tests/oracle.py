"""Every measure computed again, row by row in plain Python: what an answer must be, without SQL and without our declarations.

`answer` walks the lists of dicts of `tests.bank`. It shares with the measures their names and nothing else, so that a
mistake has to be made twice, in two languages, to go unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial
from math import ceil

from measures.period import Period

Row = dict[str, object]
Bank = Mapping[str, list[Row]]
Key = tuple[object, ...]
Where = Mapping[str, tuple[object, ...]]

STEPS = ("day", "week", "month", "quarter", "year")
LEVELS = ("head_office", "branch", "sub_branch", "outlet")
TREE = {*LEVELS, "below", "region", "area"}
PRODUCTS = {"product", "family"}
CUSTOMERS = {"age_band", "gender", "tier", "payroll", "customer_kind"}


@dataclass(frozen=True)
class Asked:
    """What every row is looked at with."""

    bank: Bank
    period: Period
    data_until: date
    seen_on: date
    days_off: tuple[tuple[date, int], ...]
    parent: str
    step: str | None
    dimensions: frozenset[str] = field(default=frozenset())

    def last_days(self) -> list[date]:
        """The last day of the period that is known, or of each step up to it."""
        end = min(self.period.end, self.data_until)
        days = [self.period.start + timedelta(n) for n in range((end - self.period.start).days + 1)]
        if self.step is None or not days:
            return [end]
        return sorted({begin_of(self.step, day): day for day in days}.values())

    def named(self, table: str, value: object) -> Row:
        key = {
            "branches": "branch_id",
            "products": "product_id",
            "customers": "customer_id",
            "campaigns": "campaign_id",
        }[table]
        return next((row for row in self.bank[table] if row[key] == value), {})


def as_day(moment: object) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def was(moment: object, asked: Asked) -> bool:
    """Whether something had happened by the day on which what became of an event is looked at."""
    return moment is not None and as_day(moment) <= asked.seen_on


def begin_of(step: str, day: date) -> date:
    return {
        "day": day,
        "week": day - timedelta(days=day.isoweekday() - 1),
        "month": date(day.year, day.month, 1),
        "quarter": date(day.year, (1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10)[day.month - 1], 1),
        "year": date(day.year, 1, 1),
    }[step]


def line_up(bank: Bank, branch: object) -> list[Row]:
    """The branch and those above it, by following the parents."""
    known = {row["branch_id"]: row for row in bank["branches"]}
    line = []
    while branch in known:
        line.append(known[branch])
        branch = known[branch]["parent_id"]
    return line


def under(bank: Bank, branch: object, top: object) -> bool:
    return any(row["branch_id"] == top for row in line_up(bank, branch))


def value_of(dimension: str, row: Row, asked: Asked) -> object:
    """Where a row stands on a dimension. A row carries its branch and day beside the columns of its table."""
    if dimension in LEVELS:
        return next((b["branch_id"] for b in line_up(asked.bank, row["branch"]) if b["level"] == dimension), None)
    if dimension == "below":
        return next(
            (b["branch_id"] for b in line_up(asked.bank, row["branch"]) if b["parent_id"] == asked.parent), None
        )
    if dimension in ("region", "area"):
        return asked.named("branches", row["branch"]).get(dimension)
    if dimension in STEPS:
        return begin_of(dimension, row["day"])
    if dimension == "family":
        return asked.named("products", row["product_id"]).get("family")
    if dimension in DAYS_WATCHED:
        return DAYS_WATCHED[dimension](row, asked)
    if dimension in CUSTOMERS:
        return of_customer(dimension, asked.named("customers", row["customer_id"]), asked)
    if dimension in row:
        return row[dimension]
    return row[
        {"use_channel": "channel", "complaint_channel": "channel", "contact_kind": "kind"}.get(
            dimension, dimension + "_id"
        )
    ]


def of_customer(dimension: str, customer: Row, asked: Asked) -> object:
    if dimension == "age_band":
        if customer.get("birth_year") is None:
            return None
        age = asked.data_until.year - customer["birth_year"]
        bands = ((17, "00-17"), (25, "18-25"), (30, "26-30"), (40, "31-40"), (50, "41-50"), (60, "51-60"), (999, "61+"))
        return next(band for oldest, band in bands if age <= oldest)
    if dimension == "payroll":
        return {True: "yes", False: "no", None: None}[customer.get("payroll")]
    return customer.get({"customer_kind": "kind"}.get(dimension, dimension))


def days_watched(start: str, event: object, left: object, row: Row, asked: Asked) -> int:
    """From the start to the event; of what has not happened, to the day it left or that it is looked from."""
    seen_until = asked.seen_on if left is None else min(as_day(left), asked.seen_on)
    return ((as_day(event) if was(event, asked) else seen_until) - as_day(row[start])).days


DAYS_WATCHED: dict[str, Callable[[Row, Asked], int]] = {
    "days_to_use": lambda row, asked: days_watched("signed_on", row["activated_on"], row["closed_on"], row, asked),
    "days_to_contact": lambda row, asked: days_watched(
        "assigned_on",
        min((c["contacted_at"] for c in contacts_of(row, asked)), default=None),
        row["closed_on"],
        row,
        asked,
    ),
    "days_to_close": lambda row, asked: days_watched("received_at", row["closed_at"], None, row, asked),
    "days_run": lambda row, asked: (row["day"] - row["starts_on"]).days,
    "days_left": lambda row, asked: (row["ends_on"] - row["day"]).days,
    "days_ago": lambda row, asked: (row["day"] - row["counted_on"]).days,
}


# Facts: the rows that a measure walks over, each with its `branch` and, where it has one, its `day` -------------------------


def happened(table: str, column: str, asked: Asked) -> Iterator[Row]:
    for row in asked.bank[table]:
        day = as_day(row[column])
        if day is not None and asked.period.start <= day <= asked.period.end:
            yield {**row, "branch": row["branch_id"], "day": day}


def lasting(table: str, begin: str, end: str, asked: Asked) -> Iterator[Row]:
    for day in asked.last_days():
        for row in asked.bank[table]:
            if as_day(row[begin]) <= day and (row[end] is None or as_day(row[end]) > day):
                yield {**row, "branch": row["branch_id"], "day": day}


signed = partial(happened, "contracts", "signed_on")
held = partial(lasting, "contracts", "signed_on", "closed_on")
assigned = partial(happened, "assignments", "assigned_on")
open_assignments = partial(lasting, "assignments", "assigned_on", "closed_on")


def complaints(asked: Asked) -> Iterator[Row]:
    for row in happened("complaints", "received_at", asked):
        closed = was(row["closed_at"], asked)
        late = not closed and row["due_on"] is not None and row["due_on"] < asked.seen_on
        state = "closed" if closed else "past_due" if late else "open"
        yield row | {"complaint_state": state}


def with_open_age(rows: Callable[[Asked], Iterable[Row]], begin: str, asked: Asked) -> Iterator[Row]:
    for row in rows(asked):
        age = (row["day"] - as_day(row[begin])).days
        bands = ((3, "00-03"), (7, "04-07"), (14, "08-14"), (30, "15-30"), (10**6, "31+"))
        yield row | {"open_age": next(band for most, band in bands if age <= most)}


def open_complaints(asked: Asked) -> Iterator[Row]:
    rows = partial(lasting, "complaints", "received_at", "closed_at")
    for row in with_open_age(rows, "received_at", asked):
        yield row | {"clock": clock(row)}


def clock(row: Row) -> str | None:
    left = (row["due_on"] - row["day"]).days if row["due_on"] else None
    clocks = ((-1, "0-breached"), (3, "1-03"), (7, "2-07"), (10**6, "3-later"))
    return None if left is None else next(clock for most, clock in clocks if left <= most)


def waiting(asked: Asked) -> Iterator[Row]:
    """Open assignments, with what time they and their lists have left."""
    for row in with_open_age(open_assignments, "assigned_on", asked):
        ends = asked.named("campaigns", row["campaign_id"]).get("ends_on")
        left = (ends - row["day"]).days if ends else None
        bands = ((-1, "0-over"), (7, "1-07"), (30, "2-30"), (10**6, "3-later"))
        band = None if left is None else next(band for most, band in bands if left <= most)
        yield row | {"clock": clock(row), "list_left": band}


def all_customers(asked: Asked) -> Iterator[Row]:
    for row in asked.bank["customers"]:
        yield {**row, "branch": row["branch_id"]}


def electronic(asked: Asked) -> Iterator[Row]:
    """Open contracts for electronic products, under the branch that keeps the customer."""
    for row in held(asked):
        if asked.named("products", row["product_id"])["electronic"]:
            yield row | {"branch": asked.named("customers", row["customer_id"])["branch_id"]}


def electronic_and_used(asked: Asked) -> Iterator[Row]:
    return (row for row in electronic(asked) if row["activated_on"] and row["activated_on"] <= row["day"])


def electronic_holders(asked: Asked) -> Iterator[Row]:
    products: dict[tuple[object, ...], set[object]] = {}
    for row in electronic(asked):
        products.setdefault((row["customer_id"], row["branch"], row["day"]), set()).add(row["product_id"])
    for (customer, branch, day), several in products.items():
        yield {"customer_id": customer, "branch": branch, "day": day, "several": len(several) > 1}


def months_held(asked: Asked) -> Iterator[Row]:
    for day in asked.last_days():
        month_over = begin_of("month", begin_of("month", day + timedelta(1)) - timedelta(1))
        for row in asked.bank["contract_months"]:
            if row["month"] == month_over:
                yield {**row, "branch": row["branch_id"], "day": day}


def running_targets(measure: str, asked: Asked) -> Iterator[Row]:
    for day in asked.last_days():
        for row in asked.bank["targets"]:
            if row["measure"] == measure and row["starts_on"] <= day <= row["ends_on"]:
                yield {**row, "branch": row["branch_id"], "day": day} | {
                    "passed": working_days(row["starts_on"], day, asked),
                    "planned": working_days(row["starts_on"], row["ends_on"], asked),
                }


def working_days(start: date, end: date, asked: Asked) -> int:
    exceptions = dict(asked.days_off)
    days = [start + timedelta(n) for n in range((end - start).days + 1)]
    return sum(exceptions[day] > 0 if day in exceptions else day.weekday() < 5 for day in days)


def toward_targets(measure: str, column: str, asked: Asked) -> Iterator[Row]:
    for target in running_targets(measure, asked):
        for row in asked.bank["contracts"]:
            if (
                under(asked.bank, row["branch_id"], target["branch"])
                and row[column] is not None
                and target["starts_on"] <= row[column] <= target["day"]
                and target["product_id"] in (None, row["product_id"])
                and target["agent_id"] in (None, row["agent_id"])
            ):
                kept = ("branch", "product_id", "agent_id", "day", "starts_on", "ends_on")
                yield {name: target[name] for name in kept} | {"counted_on": row[column]}


@dataclass(frozen=True)
class Fact:
    rows: Callable[[Asked], Iterable[Row]]
    dimensions: frozenset[str]
    targets: bool = False
    whose: str | None = None
    """What tells the agent to whom a row may be shown: `customer`, who looks after the customer, `row`, its own agent, or nothing."""

    def is_of(self, agent: str, row: Row, asked: Asked) -> bool:
        if self.whose == "customer":
            return asked.named("customers", row["customer_id"]).get("agent_id") == agent
        return self.whose == "row" and row["agent_id"] == agent

    def wanted(self, row: Row, asked: Asked) -> bool:
        """A target for all products or all agents stands only where nothing is said of product or agent."""
        if not self.targets:
            return True
        for column, said in (("product_id", {"product", "family"}), ("agent_id", {"agent"})):
            if (row[column] is None) == bool(said & asked.dimensions):
                return False
        return True


def _fact(
    rows: Callable[[Asked], Iterable[Row]], *dimensions: str, targets: bool = False, whose: str | None = "customer"
) -> Fact:
    return Fact(rows, frozenset({*TREE, *dimensions}), targets, whose)


_OF_CONTRACTS = (*PRODUCTS, *CUSTOMERS, "agent", *STEPS)
_OF_COMPLAINTS = (*_OF_CONTRACTS, "cause", "complaint_channel", "severity")

SIGNED = _fact(signed, *_OF_CONTRACTS)
CLOSED = _fact(partial(happened, "contracts", "closed_on"), *_OF_CONTRACTS)
FIRST_USED = _fact(partial(happened, "contracts", "activated_on"), *_OF_CONTRACTS)
HELD = _fact(held, *_OF_CONTRACTS)
MONTHS_HELD = _fact(months_held, *PRODUCTS, *STEPS, whose=None)
CUSTOMERS_KEPT = _fact(all_customers, *CUSTOMERS, "agent")
ELECTRONIC = _fact(electronic_and_used, *PRODUCTS, *CUSTOMERS, *STEPS)
E_HOLDERS = _fact(electronic_holders, *CUSTOMERS, *STEPS)
USED = _fact(partial(happened, "usage", "month"), *PRODUCTS, *CUSTOMERS, "use_channel", *STEPS)
ASSIGNED = _fact(assigned, *_OF_CONTRACTS, "campaign", whose="row")
OPEN = _fact(waiting, *_OF_CONTRACTS, "campaign", "open_age", "clock", "list_left", whose="row")
CONTACTS = _fact(partial(happened, "contacts", "contacted_at"), *_OF_CONTRACTS, "contact_kind", whose="row")
RECEIVED = _fact(complaints, *_OF_COMPLAINTS, "complaint_state")
DONE = _fact(partial(happened, "complaints", "closed_at"), *_OF_COMPLAINTS)
OPEN_COMPLAINTS = _fact(open_complaints, *_OF_COMPLAINTS, "open_age", "clock")


def _targets(rows: Callable[[Asked], Iterable[Row]]) -> Fact:
    return _fact(rows, *PRODUCTS, "agent", *STEPS, targets=True, whose="row")


# Counts: what is made of a group of rows ------------------------------------------------------------------------------------

Of = Callable[[list[Row], Asked], object]


@dataclass(frozen=True)
class Count:
    fact: Fact
    of: Of
    nothing: object = 0


@dataclass(frozen=True)
class Ratio:
    over: str
    under: str
    per: int = 1
    whole_over: frozenset[str] = frozenset()


def how_many(meets: Callable[[Row, Asked], object] = lambda row, asked: True) -> Of:
    return lambda rows, asked: sum(1 for row in rows if meets(row, asked))


def window_end(row: Row, asked: Asked) -> date:
    return row["signed_on"] + timedelta(asked.named("products", row["product_id"])["activation_days"])


def window_over(row: Row, asked: Asked) -> bool:
    return window_end(row, asked) <= asked.seen_on


def active(days: int) -> Of:
    def count(rows: list[Row], asked: Asked) -> int | None:
        if any(row["day"] != asked.data_until for row in rows):
            return None
        first = asked.data_until - timedelta(days - 1)
        return sum(1 for row in rows if row["last_used_on"] and row["last_used_on"] >= first)

    return count


def different_customers(rows: list[Row], asked: Asked) -> int:
    return len({row["customer_id"] for row in rows})


def total(column: str, only: Callable[[Row], bool] = lambda row: True) -> Of:
    def summed(rows: list[Row], asked: Asked) -> object:
        values = [row[column] for row in rows if row[column] is not None and only(row)]
        return sum(values) if values else None

    return summed


def contacts_of(row: Row, asked: Asked) -> list[Row]:
    mine = (c for c in asked.bank["contacts"] if c["assignment_id"] == row["assignment_id"])
    return [c for c in mine if was(c["contacted_at"], asked)]


def is_due(row: Row, asked: Asked) -> bool:
    return row["due_on"] <= asked.seen_on


def is_converted(row: Row, asked: Asked) -> bool:
    days = [
        contract[column]
        for contract in asked.bank["contracts"]
        for column in ("signed_on", "activated_on")
        if contract["customer_id"] == row["customer_id"] and contract["product_id"] == row["product_id"]
    ]
    contacted = [as_day(contact["contacted_at"]) for contact in contacts_of(row, asked)]
    return any(was(day, asked) and 0 <= (day - on).days <= 30 for day in days for on in contacted)


def is_judged(row: Row, asked: Asked) -> bool:
    return row["due_on"] is not None and (was(row["closed_at"], asked) or row["due_on"] < asked.seen_on)


def closed_in_time(row: Row, asked: Asked) -> bool:
    return bool(row["due_on"] and was(row["closed_at"], asked) and as_day(row["closed_at"]) <= row["due_on"])


def days_to_close(share: Fraction) -> Of:
    def quantile(rows: list[Row], asked: Asked) -> int:
        days = sorted((as_day(row["closed_at"]) - as_day(row["received_at"])).days for row in rows)
        return days[ceil(share * len(days)) - 1]

    return quantile


def expected_by_now(rows: list[Row], asked: Asked) -> float | None:
    parts = [Fraction(row["value"]) * row["passed"] / row["planned"] for row in rows if row["planned"]]
    return sum(parts) if parts else None


def sold(row: Row, asked: Asked) -> bool:
    return row["outcome"] in ("signed", "activated")


def known(row: Row, asked: Asked) -> bool:
    """An outcome is known when the assignment is closed; one that is open has it now."""
    return row["closed_on"] is None or was(row["closed_on"], asked)


MEASURES: dict[str, Count | Ratio] = {
    "signed": Count(SIGNED, how_many()),
    "activated": Count(SIGNED, how_many(lambda row, asked: was(row["activated_on"], asked))),
    "activation_rate": Ratio("activated", "signed"),
    "mature_signed": Count(SIGNED, how_many(window_over)),
    "activated_in_window": Count(
        SIGNED,
        how_many(
            lambda row, asked: (
                window_over(row, asked) and row["activated_on"] and row["activated_on"] <= window_end(row, asked)
            )
        ),
    ),
    "cohort_activation_rate": Ratio("activated_in_window", "mature_signed"),
    "never_used": Count(
        SIGNED, how_many(lambda row, asked: window_over(row, asked) and not was(row["activated_on"], asked))
    ),
    "never_used_share": Ratio("never_used", "mature_signed"),
    "closed": Count(CLOSED, how_many()),
    "first_uses": Count(FIRST_USED, how_many()),
    "holders": Count(HELD, how_many()),
    "ever_activated": Count(
        HELD, how_many(lambda row, asked: row["activated_on"] and row["activated_on"] <= row["day"])
    ),
    "activation_stock": Ratio("ever_activated", "holders"),
    "active_30": Count(HELD, active(30), None),
    "active_rate_30": Ratio("active_30", "holders"),
    "active_90": Count(HELD, active(90), None),
    "active_rate_90": Ratio("active_90", "holders"),
    "active": Count(MONTHS_HELD, total("active"), None),
    "bank's own holders": Count(MONTHS_HELD, total("holders"), None),
    "active_rate": Ratio("active", "bank's own holders"),
    "customers": Count(HELD, different_customers),
    "all_customers": Count(CUSTOMERS_KEPT, how_many()),
    "electronic_customers": Count(ELECTRONIC, different_customers),
    "penetration": Ratio("electronic_customers", "all_customers", whole_over=frozenset(PRODUCTS)),
    "electronic_holders": Count(E_HOLDERS, how_many()),
    "several_holders": Count(E_HOLDERS, how_many(lambda row, asked: row["several"])),
    "several_products": Ratio("several_holders", "electronic_holders"),
    "transactions": Count(USED, total("transactions"), None),
    "transactions_off_counter": Count(
        USED,
        lambda rows, asked: sum(row["transactions"] for row in rows if row["channel"] in ("electronic", "atm")),
        None,
    ),
    "substitution_rate": Ratio("transactions_off_counter", "transactions"),
    "assigned": Count(ASSIGNED, how_many()),
    "contacted": Count(ASSIGNED, how_many(contacts_of)),
    "reached": Count(ASSIGNED, how_many(lambda row, asked: any(c["reached"] for c in contacts_of(row, asked)))),
    "list_signed": Count(ASSIGNED, how_many(lambda row, asked: sold(row, asked) and known(row, asked))),
    "list_activated": Count(ASSIGNED, how_many(lambda row, asked: row["outcome"] == "activated" and known(row, asked))),
    "coverage": Ratio("contacted", "assigned"),
    "effective_contact": Ratio("reached", "contacted"),
    "list_signing": Ratio("list_signed", "reached"),
    "list_activation": Ratio("list_activated", "list_signed"),
    "converted": Count(ASSIGNED, how_many(is_converted)),
    "conversion": Ratio("converted", "contacted"),
    "due": Count(ASSIGNED, how_many(is_due)),
    "contacted_on_time": Count(
        ASSIGNED,
        how_many(
            lambda row, asked: (
                is_due(row, asked) and any(as_day(c["contacted_at"]) <= row["due_on"] for c in contacts_of(row, asked))
            )
        ),
    ),
    "on_time": Ratio("contacted_on_time", "due"),
    "open_assignments": Count(OPEN, how_many()),
    "overdue_assignments": Count(OPEN, how_many(lambda row, asked: row["due_on"] < row["day"])),
    "overdue_share": Ratio("overdue_assignments", "open_assignments"),
    "contacts": Count(CONTACTS, how_many()),
    "contacts_reached": Count(CONTACTS, how_many(lambda row, asked: row["reached"])),
    "contacts_signed": Count(CONTACTS, how_many(sold)),
    "contact_success": Ratio("contacts_signed", "contacts"),
    "complaints_received": Count(RECEIVED, how_many()),
    "complaints_closed": Count(DONE, how_many()),
    "complaints_closed_since": Count(RECEIVED, how_many(lambda row, asked: was(row["closed_at"], asked))),
    "complaints_open": Count(OPEN_COMPLAINTS, how_many()),
    "complaints_past_due": Count(
        OPEN_COMPLAINTS, how_many(lambda row, asked: row["due_on"] and row["due_on"] < row["day"])
    ),
    "complaints_per_1000_contracts": Ratio(
        "complaints_received",
        "holders",
        1000,
        frozenset({"cause", "complaint_channel", "severity", "complaint_state"}),
    ),
    "complaints_per_10000_customers": Ratio(
        "complaints_received",
        "all_customers",
        10_000,
        frozenset({"cause", "complaint_channel", "severity", "complaint_state", *PRODUCTS}),
    ),
    "complaints_judged": Count(RECEIVED, how_many(is_judged)),
    "complaints_closed_on_time": Count(RECEIVED, how_many(closed_in_time)),
    "complaints_on_time": Ratio("complaints_closed_on_time", "complaints_judged"),
    "complaints_median_days": Count(DONE, days_to_close(Fraction(1, 2)), None),
    "complaints_p90_days": Count(DONE, days_to_close(Fraction(9, 10)), None),
    "complaints_repeated": Count(RECEIVED, how_many(lambda row, asked: row["repeat_of"])),
    "complaints_repeat_share": Ratio("complaints_repeated", "complaints_received"),
    "complaints_from_regulator": Count(RECEIVED, how_many(lambda row, asked: row["regulator"])),
    "complaints_regulator_share": Ratio("complaints_from_regulator", "complaints_received"),
}
for _measure, _column in (("signed", "signed_on"), ("activated", "activated_on")):
    _set = _targets(partial(running_targets, _measure))
    MEASURES |= {
        f"{_measure}_target": Count(_set, total("value"), None),
        f"{_measure}_expected": Count(_set, expected_by_now, None),
        f"{_measure}_toward_target": Count(_targets(partial(toward_targets, _measure, _column)), how_many()),
        f"{_measure}_completion": Ratio(f"{_measure}_toward_target", f"{_measure}_target"),
        f"{_measure}_pace": Ratio(f"{_measure}_toward_target", f"{_measure}_expected"),
    }


NO_HISTORY = {
    "all_customers",
    "penetration",
    "complaints_per_10000_customers",
    "active_30",
    "active_90",
    "active_rate_30",
    "active_rate_90",
}
"""Today's customers and the last use are known for today alone: nothing is compared with them."""


# The answer -----------------------------------------------------------------------------------------------------------------


def answer(
    bank: Bank,
    measures: Iterable[str],
    period: Period,
    viewer: str,
    *,
    data_until: date,
    days_off: tuple[tuple[date, int], ...] = (),
    by: tuple[str, ...] = (),
    where: Where | None = None,
    against: Period | None = None,
    parent: str | None = None,
    agent: str | None = None,
) -> dict[Key, dict[str, object]]:
    """For each key of `by` the values of the measures by name, those of the period compared with under
    `…_before`, and `…_change`. `agent`: who looks, if it is one who sees the own customers alone."""
    where = where or {}
    step = next((dimension for dimension in by if dimension in STEPS), None)
    endings = {"": period} | ({"_before": against} if against else {})
    groups: dict[tuple[str, str], dict[Key, object]] = {}

    def group(name: str, ending: str, missing: frozenset[str]) -> dict[Key, object]:
        """The count's value for each key of `by`, without the dimensions that are `missing` in it."""
        count = MEASURES[name]
        if (found := groups.get((name, ending))) is not None:
            return found
        kept = [dimension for dimension in by if dimension not in missing]
        filters = {d: ids for d, ids in where.items() if d in count.fact.dimensions}
        seen_on = data_until - (period.end - endings[ending].end)
        said = {
            *kept,
            *filters,
            *(["agent"] if agent else []),
        }  # an agent's own targets are asked for, not the branch's
        asked = Asked(bank, endings[ending], data_until, seen_on, days_off, parent or viewer, step, frozenset(said))
        rows: dict[Key, list[Row]] = {} if kept else {(): []}
        for row in count.fact.rows(asked):
            if (
                under(bank, row["branch"], viewer)
                and (agent is None or count.fact.is_of(agent, row, asked))
                and count.fact.wanted(row, asked)
                and all(_chosen(d, ids, row, asked) for d, ids in filters.items())
            ):
                rows.setdefault(tuple(value_of(d, row, asked) for d in kept), []).append(row)
        found = {key: count.of(members, asked) if members else None for key, members in rows.items()}
        found = {key: count.nothing if value is None else value for key, value in found.items()}
        groups[name, ending] = found
        return found

    def parts(name: str) -> list[tuple[str, frozenset[str]]]:
        measure = MEASURES[name]
        if isinstance(measure, Count):
            return [(name, frozenset())]
        return [
            (part, frozenset(by) & measure.whole_over - MEASURES[part].fact.dimensions)
            for part in (measure.over, measure.under)
        ]

    names = list(measures)
    for name in names:
        if name not in MEASURES:
            raise LookupError(f"The oracle does not know the measure {name}: count it in MEASURES of tests/oracle.py.")
    keys = {
        key
        for name in names
        for part, missing in parts(name)
        if not missing
        for ending in endings
        for key in group(part, ending, missing)
    }

    def value(name: str, ending: str, key: Key) -> object:
        values = []
        for part, missing in parts(name):
            short = tuple(k for k, dimension in zip(key, by, strict=True) if dimension not in missing)
            values.append(group(part, ending, missing).get(short, MEASURES[part].nothing))
        if isinstance(MEASURES[name], Count):
            return values[0]
        over, below = values
        return None if over is None or not below else float(MEASURES[name].per * Fraction(over) / Fraction(below))

    found = {key: {n + e: value(n, e, key) for n in names for e in endings} for key in keys}
    for values in found.values() if against else ():
        for name in names:
            if name in NO_HISTORY:
                values[name + "_before"] = None
            now, before = values[name], values[name + "_before"]
            values[name + "_change"] = None if now is None or before is None else now - before
    return found


def _chosen(dimension: str, ids: tuple[object, ...], row: Row, asked: Asked) -> bool:
    """A branch stands for all that lies below it."""
    if dimension in {*LEVELS, "below"} and any(under(asked.bank, row["branch"], top) for top in ids):
        return True
    return value_of(dimension, row, asked) in ids
