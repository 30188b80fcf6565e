"""The same numbers as a page's questions, as somebody would write them by hand who knows this page and this engine.

One statement for each table of events and way of counting, each reading its table once: rows are counted at the finest grain that
is small, and then again for all grains of the page with GROUPING SETS. Balances over months are taken from how many came and
went between their days. They serve what P1 asks for, twelve months beside the twelve before; nothing else is to be read into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import Template

from measures.follow_up import ASSIGNMENT_CONTACTS, ASSIGNMENT_RESULTS
from measures.period import Period, last_days

Grain = tuple[str, ...]
Cells = dict[tuple[str, frozenset[str], bool], dict[frozenset, object]]
"""By count, grain, and whether it is of the period compared with: numbers by the values of the keys."""
_NOW, _BEFORE, _BETWEEN = 0, 1, 2
"""What `p` says of a row: of the period, of the one compared with, or a balance on another day of the period than its last."""


@dataclass(frozen=True)
class Asked:
    """The filters of a page: the branch's path, products' ids (none: all), both periods; and what the warehouse is given."""

    path: str
    products: tuple[str, ...]
    period: Period
    against: Period
    data_until: date
    days_off: tuple[tuple[date, int], ...]
    top: bool
    """Whether the branch is head office: then the Overview looks into sub-branches too."""


@dataclass(frozen=True)
class Scan:
    """One statement: `sql` with a $name for what is asked, its columns of numbers, and what these are grouped by."""

    sql: str
    counts: tuple[str, ...]
    grains: tuple[Grain, ...]
    only_at_top: frozenset[str] = frozenset()
    """Keys that are asked for at head office alone: at other branches it is the same grain without them."""

    def _grains(self, asked: Asked) -> list[Grain]:
        left_out = frozenset() if asked.top else self.only_at_top
        # Of a few products each has a line of its own; of many their families.
        other = {"family": "product"} if asked.products else {}
        return [tuple(other.get(key, key) for key in grain if key not in left_out) for grain in self.grains]

    def _keys(self, asked: Asked) -> list[str]:
        return sorted({key for grain in self._grains(asked) for key in grain})

    def text(self, asked: Asked) -> str:
        """The statement for these filters."""
        keys = self._keys(asked)
        given = {
            "keys": "".join(f"{key}, " for key in keys),
            "sets": ", ".join(f"({', '.join(('p', *grain))})" for grain in self._grains(asked)),
            "grain": f"GROUPING({', '.join(keys)})" if keys else "0",
        }
        return Template(self.sql).substitute(_values(asked) | given)

    def cells(self, asked: Asked, rows: Iterable[tuple]) -> Cells:
        """What the statement has found."""
        keys = self._keys(asked)
        # A grain without rows is an answer too.
        found: Cells = {(name, frozenset(grain), False): {} for name in self.counts for grain in self._grains(asked)}
        for grain, p, *rest in rows:
            at = {key: rest[n] for n, key in enumerate(keys) if not grain >> (len(keys) - 1 - n) & 1}
            if p == (_BEFORE if "month" in at else _BETWEEN):
                continue
            for name, value in zip(self.counts, rest[len(keys) :], strict=True):
                found.setdefault((name, frozenset(at), p == _BEFORE), {})[frozenset(at.items())] = value
        return found


def _values(asked: Asked) -> dict[str, str]:
    def day(of: date) -> str:
        return f"DATE '{of}'"

    start, last, before = asked.period.start, asked.period.end, asked.against.end
    chosen = ", ".join(f"'{id_}'" for id_ in asked.products)
    days = [(each, _NOW if each == last else _BETWEEN) for each in last_days(asked.period, "month")]
    off = asked.days_off or ((date(1900, 1, 1), 0),)
    return {
        "place": f"""place AS MATERIALIZED (
            SELECT b.branch_id, b.path, s.branch_id AS sub_branch,
                   nullif(split_part(substr(b.path, {len(asked.path) + 1}), '.', 1), '') AS below
            FROM branches b LEFT JOIN branches s ON s.level = 'sub_branch' AND starts_with(b.path, s.path)
            WHERE starts_with(b.path, '{asked.path}'))""",
        "product": f"product_id IN ({chosen})" if chosen else "true",
        "target": f"t.product_id IN ({chosen})" if chosen else "t.product_id IS NULL",
        "days": ", ".join(f"({day(each)}, {p})" for each, p in [*days, (before, _BEFORE)]),
        "ends": f"({day(last)}, {_NOW}), ({day(before)}, {_BEFORE})",
        "from": day(start),
        "to": day(last),
        "from_before": day(asked.against.start),
        "to_before": day(before),
        "seen": day(asked.data_until),
        "seen_before": day(asked.data_until - (last - before)),
        "active_30": day(last - timedelta(30)),
        "active_90": day(last - timedelta(90)),
        "off": ", ".join(f"({day(each)}, {change})" for each, change in off),
        "first_on": f"a.{ASSIGNMENT_CONTACTS.name}_first_on",
        "first_reached_on": f"a.{ASSIGNMENT_CONTACTS.name}_first_reached_on",
        "converted_on": f"a.{ASSIGNMENT_RESULTS.name}_converted_on",
    }


# What they have in common -------------------------------------------------------------------------------------------


def _within(day: str) -> str:
    return f"({day} BETWEEN $from AND $to OR {day} BETWEEN $from_before AND $to_before)"


def _seen(day: str) -> str:
    return f"CASE WHEN {day} < $from THEN $seen_before ELSE $seen END"


def _steps(day: str) -> dict[str, str]:
    return {step: f"date_trunc('{step}', {day})::DATE AS {step}" for step in ("month", "week")}


def _added_up(rows: str, counts: Mapping[str, str], grains: Sequence[Grain], only_at_top: Sequence[str] = ()) -> Scan:
    """`rows` counted once at their finest grain, and added up to each of `grains`."""
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in counts)
    return Scan(
        f"WITH $place, cube AS ({rows}) SELECT $grain, p, $keys {sums} FROM cube GROUP BY GROUPING SETS ($sets)",
        tuple(counts),
        tuple(grains),
        frozenset(only_at_top),
    )


def _counted(counts: Mapping[str, str]) -> str:
    return ", ".join(f"{of} AS {name}" for name, of in counts.items())


# One for each table of events and way of counting -------------------------------------------------------------------

_MATURE = f"signed_on + activation_days <= {_seen('signed_on')}"
_SIGNED = {
    "signed": "count(*)",
    "mature_signed": f"count(*) FILTER ({_MATURE})",
    "activated_in_window": f"count(*) FILTER ({_MATURE} AND activated_on <= signed_on + activation_days)",
}
_USED = _SIGNED | {
    "activated": f"count(*) FILTER (activated_on <= {_seen('signed_on')})",
    "never_used": f"count(*) FILTER ({_MATURE} AND (activated_on IS NULL OR activated_on > {_seen('signed_on')}))",
}


def _signed(counts: Mapping[str, str], finest: str, grains: Sequence[Grain], only_at_top: Sequence[str] = ()) -> Scan:
    rows = f"""
        SELECT (signed_on < $from)::INT AS p, {finest}, {_counted(counts)}
        FROM contracts JOIN place USING (branch_id) JOIN products USING (product_id)
        WHERE {_within("signed_on")} AND $product GROUP BY ALL"""
    return _added_up(rows, counts, grains, only_at_top)


def _closed(grains: Sequence[Grain]) -> Scan:
    counts = {"closed": "count(*)"}
    rows = f"""
        SELECT (closed_on < $from)::INT AS p, below, {_counted(counts)} FROM contracts JOIN place USING (branch_id)
        WHERE {_within("closed_on")} AND $product GROUP BY ALL"""
    return _added_up(rows, counts, grains)


def _held(grains: Sequence[Grain], *, used: bool) -> Scan:
    """Contracts open on days. How many came and went between these days is counted by one reading."""

    def step(day: str) -> str:
        """The number of the first of the days that is not before `day`; 0 is the one compared with."""
        months = f"1 + greatest(0, datediff('month', $from, {day}))"
        return f"CASE WHEN {day} <= $to_before THEN 0 WHEN {day} > $to THEN 99 ELSE {months} END"

    counts = {"holders": "sum(n)"}
    more = ""
    if used:
        more = """, count(*) FILTER (activated_on <= $to) AS used_now,
            count(*) FILTER (activated_on <= $to_before) AS used_before,
            count(*) FILTER (last_used_on > $active_30) AS used_30, count(*) FILTER (last_used_on > $active_90) AS used_90"""
        counts |= {
            "ever_activated": f"sum(CASE p WHEN {_NOW} THEN used_now WHEN {_BEFORE} THEN used_before END)",
            "active_30": f"sum(CASE WHEN p = {_NOW} THEN used_30 END)",
            "active_90": f"sum(CASE WHEN p = {_NOW} THEN used_90 END)",
        }
    return Scan(
        f"""
        WITH $place, moved AS (
            SELECT below, {step("signed_on")} AS came,
                   CASE WHEN closed_on IS NULL THEN 99 ELSE {step("closed_on")} END AS went, count(*) AS n {more}
            FROM contracts JOIN place USING (branch_id)
            WHERE signed_on <= $to AND (closed_on IS NULL OR closed_on > $to_before) AND $product GROUP BY ALL),
        days AS (SELECT p, {step("day")} AS nth, date_trunc('month', day)::DATE AS month FROM (VALUES $days) v(day, p))
        SELECT $grain, p, $keys {", ".join(f"({of})::BIGINT AS {name}" for name, of in counts.items())}
        FROM moved JOIN days ON came <= nth AND went > nth GROUP BY GROUPING SETS ($sets)""",
        tuple(counts),
        tuple(grains),
    )


_KNOWN = f"(a.closed_on IS NULL OR a.closed_on <= {_seen('assigned_on')})"
_DUE = f"a.due_on <= {_seen('assigned_on')}"
_COVERED = {
    "assigned": "count(*)",
    "contacted": f"count(*) FILTER ($first_on <= {_seen('assigned_on')})",
}
_FOLLOWED = _COVERED | {
    "reached": f"count(*) FILTER ($first_reached_on <= {_seen('assigned_on')})",
    "list_signed": f"count(*) FILTER (a.outcome IN ('signed', 'activated') AND {_KNOWN})",
    "list_activated": f"count(*) FILTER (a.outcome = 'activated' AND {_KNOWN})",
    "due": f"count(*) FILTER ({_DUE})",
    "contacted_on_time": f"count(*) FILTER ({_DUE} AND $first_on <= a.due_on)",
    "converted": f"count(*) FILTER ($converted_on <= {_seen('assigned_on')})",
}


def _assigned(counts: Mapping[str, str], finest: str, grains: Sequence[Grain]) -> Scan:
    rows = f"""
        SELECT (assigned_on < $from)::INT AS p, {finest}, {_counted(counts)}
        FROM assignments a JOIN place USING (branch_id)
        WHERE {_within("assigned_on")} AND $product GROUP BY ALL"""
    return _added_up(rows, counts, grains)


_AGE = """CASE WHEN day - {0} <= 3 THEN '00-03' WHEN day - {0} <= 7 THEN '04-07' WHEN day - {0} <= 14 THEN '08-14'
    WHEN day - {0} <= 30 THEN '15-30' ELSE '31+' END AS open_age"""


def _open_assignments(days: str, grains: Sequence[Grain]) -> Scan:
    # Few are open for long: each meets a day or two.
    return Scan(
        f"""
        WITH $place, days AS (SELECT * FROM (VALUES {days}) v(day, p)), rows AS (
            SELECT p, date_trunc('month', day)::DATE AS month, below, campaign_id AS campaign, {_AGE.format("assigned_on")},
                   due_on < day AS overdue
            FROM assignments JOIN place USING (branch_id)
            JOIN days ON assigned_on <= day AND (closed_on IS NULL OR closed_on > day)
            WHERE assigned_on <= $to AND (closed_on IS NULL OR closed_on > $to_before) AND $product)
        SELECT $grain, p, $keys count(*) AS open_assignments, count(*) FILTER (overdue) AS overdue_assignments
        FROM rows GROUP BY GROUPING SETS ($sets)""",
        ("open_assignments", "overdue_assignments"),
        tuple(grains),
    )


def _contacts() -> Scan:
    counts = {"contacts": "count(*)", "contacts_signed": "count(*) FILTER (outcome IN ('signed', 'activated'))"}
    day = "contacted_at::DATE"
    rows = f"""
        SELECT ({day} < $from)::INT AS p, {_steps(day)["month"]}, {_counted(counts)}
        FROM contacts JOIN place USING (branch_id) WHERE {_within(day)} AND $product GROUP BY ALL"""
    return _added_up(rows, counts, [(), ("month",)])


_RECEIVED_ON, _CLOSED_ON = "received_at::DATE", "closed_at::DATE"
_OPEN_THEN = f"(closed_at IS NULL OR {_CLOSED_ON} > {_seen(_RECEIVED_ON)})"
_RECEIVED = {
    "complaints_received": "count(*)",
    "complaints_judged": f"count(*) FILTER (due_on IS NOT NULL AND (NOT {_OPEN_THEN} OR due_on < {_seen(_RECEIVED_ON)}))",
    "complaints_closed_on_time": f"count(*) FILTER ({_CLOSED_ON} <= due_on AND NOT {_OPEN_THEN})",
    "complaints_repeated": "count(repeat_of)",
    "complaints_from_regulator": "count(*) FILTER (regulator)",
}


def _received(finest: str, grains: Sequence[Grain]) -> Scan:
    rows = f"""
        SELECT ({_RECEIVED_ON} < $from)::INT AS p, {finest}, {_counted(_RECEIVED)}
        FROM complaints JOIN place USING (branch_id) WHERE {_within(_RECEIVED_ON)} AND $product GROUP BY ALL"""
    return _added_up(rows, _RECEIVED, grains)


def _days_to_close(grains: Sequence[Grain]) -> Scan:
    days = f"{_CLOSED_ON} - {_RECEIVED_ON}"
    return Scan(
        f"""
        WITH $place, rows AS (
            SELECT ({_CLOSED_ON} < $from)::INT AS p, {_steps(_CLOSED_ON)["month"]}, cause, {days} AS days
            FROM complaints JOIN place USING (branch_id) WHERE {_within(_CLOSED_ON)} AND $product)
        SELECT $grain, p, $keys percentile_disc(0.5) WITHIN GROUP (ORDER BY days),
               percentile_disc(0.9) WITHIN GROUP (ORDER BY days)
        FROM rows GROUP BY GROUPING SETS ($sets)""",
        ("complaints_median_days", "complaints_p90_days"),
        tuple(grains),
    )


def _open_complaints(grains: Sequence[Grain]) -> Scan:
    return Scan(
        f"""
        WITH $place, days AS (SELECT * FROM (VALUES $days) v(day, p)), rows AS (
            SELECT p, date_trunc('month', day)::DATE AS month, cause, {_AGE.format(_RECEIVED_ON)}, due_on < day AS past
            FROM complaints JOIN place USING (branch_id)
            JOIN days ON {_RECEIVED_ON} <= day AND (closed_at IS NULL OR {_CLOSED_ON} > day)
            WHERE {_RECEIVED_ON} <= $to AND (closed_at IS NULL OR {_CLOSED_ON} > $to_before) AND $product)
        SELECT $grain, p, $keys count(*), count(*) FILTER (past) FROM rows GROUP BY GROUPING SETS ($sets)""",
        ("complaints_open", "complaints_past_due"),
        tuple(grains),
    )


def _customers() -> Scan:
    rows = f"SELECT {_NOW} AS p, count(*) AS all_customers FROM customers JOIN place USING (branch_id)"
    return _added_up(rows, {"all_customers": ""}, [()])


_RUNNING = """running AS (
    SELECT t.*, o.path, o.below FROM targets t JOIN place o USING (branch_id)
    WHERE t.measure = '{0}' AND t.starts_on <= $to AND t.ends_on >= $to AND t.agent_id IS NULL AND $target)"""
_TARGET_KEYS = "below, $to - r.starts_on AS days_run, r.ends_on - $to AS days_left"


def _toward_target(measure: str, day: str, grains: Sequence[Grain]) -> Scan:
    counts = {f"{measure}_toward_target": "count(*)"}
    rows = f"""
        SELECT {_NOW} AS p, {_TARGET_KEYS.replace("below", "r.below")}, {_counted(counts)}
        FROM running r JOIN branches b ON starts_with(b.path, r.path)
        JOIN contracts c ON c.branch_id = b.branch_id AND {day} BETWEEN r.starts_on AND $to
            AND (r.product_id IS NULL OR r.product_id = c.product_id)
        WHERE {day} >= (SELECT min(starts_on) FROM running) GROUP BY ALL"""
    scan = _added_up(rows, counts, grains)
    return Scan(scan.sql.replace("WITH $place,", f"WITH $place, {_RUNNING.format(measure)},"), scan.counts, scan.grains)


def _target(measure: str, grains: Sequence[Grain]) -> Scan:
    working = """(SELECT count(*) FILTER (isodow(d) <= 5) FROM range({0}, {1} + 1, INTERVAL 1 DAY) g(d))
        + coalesce((SELECT sum(change) FROM (VALUES $off) o(day, change) WHERE o.day BETWEEN {0} AND {1}), 0)"""
    return Scan(
        f"""
        WITH $place, {_RUNNING.format(measure)}, spans AS (
            SELECT starts_on, ends_on, {working.format("starts_on", "$to")} AS passed,
                   {working.format("starts_on", "ends_on")} AS planned
            FROM (SELECT DISTINCT starts_on, ends_on FROM running)),
        rows AS (SELECT {_NOW} AS p, {_TARGET_KEYS}, value, passed, planned FROM running r JOIN spans USING (starts_on, ends_on))
        SELECT $grain, p, $keys sum(value)::DOUBLE, sum(value * passed / nullif(planned, 0))::DOUBLE
        FROM rows GROUP BY GROUPING SETS ($sets)""",
        (f"{measure}_target", f"{measure}_expected"),
        tuple(grains),
    )


# What each page needs -----------------------------------------------------------------------------------------------

_IN_MONTHS: list[Grain] = [(), ("month",)]
_RUN = [("days_run", "days_left")]
PEERS: Mapping[str, tuple[Scan, ...]] = {
    "overview": (
        _signed(
            _SIGNED,
            f"below, sub_branch, product_id AS product, {_steps('signed_on')['month']}",
            [(), ("month",), ("below",), ("below", "sub_branch", "product", "month")],
            ["sub_branch"],
        ),
        _signed(_SIGNED, "below, agent_id AS agent", [("below", "agent")]),
        _held([(), ("below",)], used=True),
        _assigned(
            _COVERED,
            f"below, campaign_id AS campaign, {', '.join(_steps('assigned_on').values())}",
            [(), ("month",), ("below",), ("below", "campaign", "week")],
        ),
        _open_assignments("$days", [(), ("month",), ("below",), ("campaign",)]),
        _received(
            f"below, cause, {', '.join(_steps(_RECEIVED_ON).values())}",
            [(), ("month",), ("below",), ("below", "cause", "week")],
        ),
        _target("signed", [("below",), *_RUN]),
        _target("activated", [("below",)]),
        _toward_target("signed", "signed_on", [("below",), *_RUN]),
        _toward_target("activated", "activated_on", [("below",)]),
    ),
    "activation": (
        _signed(
            _USED,
            f"below, family, product_id AS product, {_steps('signed_on')['month']}",
            [(), ("month",), ("below",), ("family", "month")],
        ),
        _held([(), ("month",), ("below",)], used=True),
        _closed([(), ("below",)]),
        _target("signed", _RUN),
        _target("activated", _RUN),
        _toward_target("signed", "signed_on", _RUN),
        _toward_target("activated", "activated_on", _RUN),
    ),
    "follow_up": (
        _assigned(
            _FOLLOWED,
            f"below, campaign_id AS campaign, {_steps('assigned_on')['month']}",
            [(), ("month",), ("below",), ("campaign",)],
        ),
        _open_assignments("$days", [(), ("month",), ("open_age",), ("campaign",)]),
        _contacts(),
    ),
    "complaints": (
        _received(f"below, cause, {_steps(_RECEIVED_ON)['month']}", [(), ("month",), ("below",), ("cause",)]),
        _days_to_close([(), ("month",), ("cause",)]),
        _open_complaints([(), ("month",), ("open_age",), ("cause",)]),
        _held([(), ("month",), ("below",)], used=False),
        _customers(),
    ),
}
