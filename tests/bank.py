"""A bank small enough to count by hand: each row is there because a wrong rule would count it differently.

The tree. 12 and 120 are siblings, and one is the beginning of the other. 12 and 13 share a name, and so does the outlet 13%
with its own parent. 12_ hangs under a branch without a sub-branch between, 13 and 12_ hold the wildcards of LIKE, 1211 is
called like a formula. 1200 is closed. 14 has complaints and no contract. 1, 12 and 120 have bookings of their own, beside
those of what lies below them. 14 is in no area, head office in no region.

Customers. c01 holds contracts in three branches, two of them for one product; c06 is a company, of which no age, sex or tier
is known; c11 holds nothing; ages stand on both sides of the bands' edges in 2026 (18, 25, 26, 30, 60, 61). Who looks after a
customer is neither always who sold to them (k02, k17), nor who is to call them (s02, s08); nobody looks after c02 and c08.
c03's telephone is too short to show two of its digits, c05 has none.

Contracts, seen from 20 May 2026. Signed on the first and the last day of April–May and a day beside (k01, k07, k08, k19);
used on the last day of the window (k02, k05, k14) and a day after it (k15, k20); the window over today (k02, k05) or
tomorrow (k03); used before the window is over (k03, which is young); never used though the window is over (k04, k06, k13);
last used 30 and 90 days ago (k08, k09) or one day less (k11, k12); closed on the last day (k08), closed before it was used
(k10); signed after the data's date (k19); two for one customer and product (k07, k18); without an agent (k04, k10, k12, k15).

Follow-up. s01 is contacted twice and s03 matches two contracts: joined as they are they would count double. s03 is contacted
on its due day, s02 after it, s04 never, s05 is not due yet, s07 is due today; s06 closes on the last day. s07 converts on
the 30th day after a contact, s09 on the 31st, which is too late. The list l2 may one day no longer be used, l1 always may. Contacts without list, product or agent: x07, x08.

Complaints. Received in the first and the last second of April–May and a second beside (p01, p02, p03); closed on the due
day in the evening (p04), a day late (p05), without a due day (p06, p07); open past due (p08), due today (p09), due later (p10).

Long ago: one row of early 2024 in each table of events (k15, s10, x11, p13 …), so that what they hold of spring 2026 can be
compared with earlier days.

Targets. t1 is for all products and t2 for one of them, t3 for one agent: they stand beside each other and are not added.
t4 is on a sub-branch, t5 and t6 on 120; t7 is over, t8 has not begun, t9 has no working day at all.

Events. One on each level around 121, at its neighbour 120 and its neighbour's neighbour 12_; one about a single product; one
the day before the period and two on one day of it.
"""

# ruff: noqa: E501 — a line of a drawn table does not break.

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine

from data_access import embedded
from measures.period import Period
from measures.schema import metadata

Rows = list[dict[str, object]]

DATA_UNTIL = date(2026, 5, 20)
PERIOD = Period(date(2026, 4, 1), DATA_UNTIL)
BEFORE = Period(date(2026, 2, 1), date(2026, 3, 31))
DAYS_OFF = ((date(2026, 5, 1), -1), (date(2026, 5, 4), -1), (date(2026, 5, 5), -1), (date(2026, 5, 9), 1))
"""Three holidays, and a Saturday that is worked instead of one."""

HEAD_OFFICE, BRANCH, OUTLET = "1", "12", "1210"

_READ = {
    str: str,
    int: int,
    bool: lambda text: {"yes": True, "no": False}[text],
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}


def drawn(name: str, picture: str) -> Rows:
    """The rows of a table of the contract from a drawing of it: a line of columns, then one line for each row; - is null.

    Columns that are not drawn are null.
    """
    columns, *rows = [[cell.strip() for cell in line.split("|")] for line in picture.strip().splitlines()]
    table = metadata.tables[name]
    read = [_READ[table.c[column].type.python_type] for column in columns]
    empty = dict.fromkeys(column.name for column in table.columns)
    return [
        empty | {c: None if cell == "-" else r(cell) for c, r, cell in zip(columns, read, row, strict=True)}
        for row in rows
    ]


_PICTURES = {
    "branches": """
        branch_id | name             | parent_id | level       | path            | region | area  | closed_on
        1         | Head office      | -         | head_office | 1.              | -      | urban | -
        12        | Riverside        | 1         | branch      | 1.12.           | North  | urban | -
        120       | Harbour          | 1         | branch      | 1.120.          | North  | rural | -
        13        | Riverside        | 1         | branch      | 1.13.           | South  | urban | -
        14        | Hill             | 1         | branch      | 1.14.           | South  | -     | -
        121       | Park             | 12        | sub_branch  | 1.12.121.       | North  | urban | -
        1210      | Park Gate        | 121       | outlet      | 1.12.121.1210.  | North  | urban | -
        1211      | =1+1             | 121       | outlet      | 1.12.121.1211.  | North  | rural | -
        12_       | 100% O'Neill "x" | 12        | outlet      | 1.12.12_.       | North  | urban | -
        1200      | Old harbour      | 120       | outlet      | 1.120.1200.     | North  | rural | 2026-03-31
        13%       | Riverside        | 13        | outlet      | 1.13.13%.       | South  | rural | -
    """,
    "products": """
        product_id | name           | family   | activation_days | electronic
        mobile     | Mobile banking | Channels | 30              | yes
        online     | Online banking | Channels | 60              | yes
        card       | Credit card    | Cards    | 90              | no
        loan       | 100% "loan"_x  | Loans    | 90              | no
    """,
    "agents": """
        agent_id | name    | branch_id
        a1       | Li Wei  | 1210
        a2       | Chen Yu | 120
        a4       | Li Wei  | 13%
    """,
    "customers": """
        customer_id | branch_id | agent_id | kind      | birth_year | gender | tier    | balance | payroll | name      | phone
        c01         | 1210      | a1       | personal  | 1990       | female | top     | 1000.50 | yes     | Wang Fang | 10100000001
        c02         | 1210      | -        | personal  | 2010       | male   | general | 20      | no      | 李娜        | 10955551234
        c03         | 1211      | a1       | personal  | 2000       | female | -       | -       | -       | =1+1      | 123456
        c04         | 12        | a1       | personal  | 1980       | male   | first   | 7       | yes     | -         | -
        c05         | 120       | a2       | personal  | 1965       | female | first   | 300     | no      | Chen      | -
        c06         | 13%       | a4       | corporate | -          | -      | -       | 9000    | -       | Acme      | -
        c07         | 13%       | a4       | personal  | 1966       | male   | second  | 80      | yes     | Zhao      | -
        c08         | 12_       | -        | personal  | 2008       | -      | general | 1       | no      | O'Neill   | -
        c09         | 120       | a2       | personal  | 2001       | male   | odd one | 50      | yes     | Sun       | 10111119933
        c10         | 1         | -        | personal  | 1985       | female | top     | 5       | no      | Qian      | -
        c11         | 14        | -        | personal  | 1975       | female | second  | 5       | no      | Wu        | -
        c12         | 1200      | a2       | personal  | 1996       | male   | general | 5       | no      | Zheng     | -
    """,
    "contracts": """
        contract_id | customer_id | product_id | branch_id | agent_id | signed_on  | activated_on | closed_on  | last_used_on
        k01         | c01         | mobile     | 1210      | a1       | 2026-04-01 | 2026-04-03   | -          | 2026-05-20
        k02         | c01         | mobile     | 120       | a2       | 2026-04-20 | 2026-05-20   | -          | 2026-05-20
        k03         | c02         | mobile     | 1210      | a1       | 2026-04-21 | 2026-04-22   | -          | 2026-04-22
        k04         | c02         | online     | 1210      | -        | 2026-03-21 | -            | -          | -
        k05         | c03         | card       | 1211      | a1       | 2026-02-19 | 2026-05-20   | -          | 2026-05-20
        k06         | c04         | mobile     | 12        | a1       | 2026-04-10 | -            | -          | -
        k07         | c05         | mobile     | 120       | a2       | 2026-05-20 | 2026-05-20   | -          | 2026-05-20
        k08         | c05         | online     | 120       | a2       | 2026-03-31 | 2026-04-01   | 2026-05-20 | 2026-04-20
        k09         | c06         | online     | 13%       | a4       | 2025-04-15 | 2025-08-01   | -          | 2026-02-19
        k10         | c07         | card       | 13%       | -        | 2026-04-15 | -            | 2026-05-01 | -
        k11         | c07         | mobile     | 13%       | a4       | 2026-04-05 | 2026-04-06   | -          | 2026-04-21
        k12         | c08         | card       | 12_       | -        | 2026-02-01 | 2026-02-20   | -          | 2026-02-20
        k13         | c09         | mobile     | 120       | a2       | 2026-04-12 | -            | -          | -
        k14         | c09         | online     | 120       | a2       | 2026-03-01 | 2026-04-30   | -          | 2026-05-05
        k15         | c10         | card       | 1         | -        | 2024-02-29 | 2024-05-30   | -          | 2026-04-20
        k16         | c12         | mobile     | 1200      | a2       | 2026-03-30 | 2026-03-30   | 2026-03-31 | 2026-03-30
        k17         | c01         | online     | 13%       | a4       | 2026-04-30 | -            | -          | -
        k18         | c05         | mobile     | 120       | a2       | 2026-05-19 | 2026-05-20   | -          | 2026-05-20
        k19         | c03         | mobile     | 1211      | a1       | 2026-05-21 | -            | -          | -
        k20         | c06         | mobile     | 13%       | a4       | 2026-04-02 | 2026-05-03   | -          | 2026-05-03
    """,
    "usage": """
        customer_id | product_id | branch_id | month      | transactions | amount | channel
        c01         | mobile     | 1210      | 2026-04-01 | 10           | 100.10 | electronic
        c01         | mobile     | 1210      | 2026-05-01 | 20           | 5      | electronic
        c01         | online     | 13%       | 2026-05-01 | 1            | 5      | atm
        c02         | card       | 1210      | 2026-05-01 | 30           | 5      | counter
        c05         | card       | 120       | 2026-03-01 | 7            | 5      | counter
        c05         | mobile     | 120       | 2026-03-01 | 1            | 5      | electronic
        c07         | card       | 13%       | 2026-04-01 | 0            | 0      | counter
        c08         | card       | 12_       | 2026-06-01 | 99           | 5      | counter
        c10         | card       | 1         | 2024-01-01 | 3            | 5      | counter
    """,
    "campaigns": """
        campaign_id | name        | product_id | branch_id | starts_on  | ends_on    | expires_on
        l1          | Spring list | mobile     | 1         | 2026-02-01 | 2026-05-31 | -
        l2          | Spring list | card       | 1         | 2026-02-01 | 2026-05-31 | 2099-12-31
    """,
    "assignments": """
        assignment_id | campaign_id | customer_id | product_id | branch_id | agent_id | assigned_on | due_on     | closed_on  | outcome
        s01           | l1          | c01         | mobile     | 1210      | a1       | 2026-04-01  | 2026-04-05 | 2026-04-10 | activated
        s02           | l1          | c02         | mobile     | 1210      | a1       | 2026-04-01  | 2026-04-05 | -          | open
        s03           | l1          | c05         | mobile     | 120       | a2       | 2026-05-01  | 2026-05-18 | -          | signed
        s04           | l2          | c09         | card       | 120       | a2       | 2026-05-10  | 2026-05-19 | -          | open
        s05           | l2          | c05         | card       | 120       | a2       | 2026-05-17  | 2026-05-21 | -          | open
        s06           | l2          | c07         | card       | 13%       | a4       | 2026-03-31  | 2026-04-10 | 2026-05-20 | refused
        s07           | l1          | c06         | mobile     | 13%       | a4       | 2026-04-01  | 2026-05-20 | -          | unreachable
        s08           | l1          | c08         | mobile     | 12_       | a1       | 2026-02-10  | 2026-02-20 | 2026-03-15 | interested
        s09           | l1          | c03         | mobile     | 1211      | a1       | 2026-04-20  | 2026-04-20 | -          | interested
        s10           | l1          | c10         | mobile     | 1         | a1       | 2024-01-10  | 2024-01-20 | 2024-02-01 | refused
    """,
    "contacts": """
        contact_id | assignment_id | customer_id | product_id | branch_id | agent_id | contacted_at        | kind    | new_customer | reached | outcome
        x01        | s01           | c01         | mobile     | 1210      | a1       | 2026-04-01T00:00:00 | call    | no           | no      | unreachable
        x02        | s01           | c01         | mobile     | 1210      | a1       | 2026-04-02T09:00:00 | visit   | no           | yes     | signed
        x03        | s02           | c02         | mobile     | 1210      | a1       | 2026-04-06T00:00:00 | call    | yes          | yes     | interested
        x04        | s03           | c05         | mobile     | 120       | a2       | 2026-05-18T23:59:59 | visit   | no           | yes     | activated
        x05        | s06           | c07         | card       | 13%       | a4       | 2026-03-31T23:59:59 | call    | no           | yes     | refused
        x06        | s07           | c06         | mobile     | 13%       | a4       | 2026-04-03T08:00:00 | sms     | no           | no      | -
        x07        | -             | c08         | -          | 12_       | -        | 2026-05-20T23:59:59 | counter | no           | yes     | -
        x08        | -             | c10         | card       | 1         | -        | 2026-05-21T00:00:00 | wechat  | no           | yes     | signed
        x09        | s09           | c03         | mobile     | 1211      | a1       | 2026-04-20T10:00:00 | call    | no           | yes     | interested
        x10        | s08           | c08         | mobile     | 12_       | a1       | 2026-02-15T10:00:00 | call    | no           | yes     | interested
        x11        | -             | c10         | card       | 1         | -        | 2024-01-10T10:00:00 | call    | no           | no      | -
    """,
    "complaints": """
        complaint_id | branch_id | product_id | customer_id | agent_id | cause    | channel   | severity | received_at         | due_on     | closed_at           | repeat_of | regulator
        p01          | 14        | mobile     | c11         | -        | queueing | hotline   | high     | 2026-04-01T00:00:00 | 2026-04-16 | 2026-04-02T09:00:00 | -         | no
        p02          | 14        | card       | -           | -        | fees     | regulator | -        | 2026-05-20T23:59:59 | 2026-06-04 | -                   | p01       | yes
        p03          | 1210      | mobile     | c01         | a1       | queueing | app       | low      | 2026-03-31T23:59:59 | 2026-04-15 | 2026-04-15T23:59:59 | -         | no
        p04          | 1210      | mobile     | c02         | a1       | attitude | hotline   | low      | 2026-04-05T12:00:00 | 2026-04-20 | 2026-04-20T20:00:00 | -         | no
        p05          | 120       | online     | c05         | a2       | fees     | counter   | normal   | 2026-04-05T12:00:00 | 2026-04-20 | 2026-04-21T00:00:00 | -         | no
        p06          | 120       | online     | c09         | a2       | queueing | letter    | normal   | 2026-04-07T12:00:00 | -          | 2026-04-27T00:00:00 | -         | no
        p07          | 13%       | card       | c07         | -        | the roof | letter    | -        | 2026-05-07T12:00:00 | -          | -                   | -         | no
        p08          | 13%       | card       | c07         | a4       | queueing | regulator | high     | 2026-05-04T12:00:00 | 2026-05-19 | -                   | -         | yes
        p09          | 12        | mobile     | c04         | a1       | queueing | app       | high     | 2026-05-05T12:00:00 | 2026-05-20 | -                   | -         | no
        p10          | 12_       | online     | c08         | -        | fees     | app       | low      | 2026-05-16T12:00:00 | 2026-05-25 | -                   | p04       | no
        p11          | 1210      | card       | c01         | a1       | fees     | app       | low      | 2026-02-01T12:00:00 | 2026-02-16 | 2026-05-20T12:00:00 | -         | no
        p12          | 1         | loan       | c10         | -        | fees     | app       | low      | 2026-03-01T12:00:00 | 2026-03-16 | 2026-03-05T12:00:00 | p11       | no
        p13          | 1         | loan       | c10         | -        | fees     | app       | low      | 2024-01-01T12:00:00 | 2024-01-16 | 2024-01-05T12:00:00 | -         | no
    """,
    "targets": """
        target_id | measure   | branch_id | product_id | agent_id | starts_on  | ends_on    | value
        t1        | signed    | 12        | -          | -        | 2026-04-01 | 2026-06-30 | 30
        t2        | signed    | 12        | mobile     | -        | 2026-04-01 | 2026-06-30 | 20
        t3        | signed    | 12        | -          | a1       | 2026-04-01 | 2026-06-30 | 12.5
        t4        | activated | 121       | -          | -        | 2026-05-01 | 2026-05-31 | 8
        t5        | activated | 120       | -          | -        | 2026-03-02 | 2026-05-20 | 6
        t6        | signed    | 120       | -          | -        | 2026-05-01 | 2026-05-31 | 10
        t7        | signed    | 13        | -          | -        | 2026-01-01 | 2026-03-31 | 9
        t8        | signed    | 13        | -          | -        | 2026-06-01 | 2026-06-30 | 9
        t9        | signed    | 14        | -          | -        | 2026-05-01 | 2026-05-05 | 4
    """,
    "contract_months": """
        month      | branch_id | product_id | signed | activated | closed | holders | active
        2026-03-01 | 120       | mobile     | 5      | 2         | 1      | 40      | 10
        2026-04-01 | 120       | mobile     | 7      | 3         | 0      | 47      | 30
        2026-04-01 | 13%       | card       | 1      | -         | 2      | 3       | 3
        2026-05-01 | 120       | mobile     | 900    | 800       | 700    | 600     | 500
        2026-04-01 | 1210      | mobile     | 0      | 0         | 0      | 0       | 0
        2024-01-01 | 120       | mobile     | 2      | 1         | 0      | 2       | 1
    """,
    "events": """
        happened_on | branch_id | product_id | label
        2026-03-31  | 12        | -          | Before
        2026-04-01  | 1         | -          | Bank-wide
        2026-04-02  | 12        | -          | Branch
        2026-04-03  | 121       | -          | Sub-branch
        2026-04-04  | 1210      | card       | Outlet
        2026-04-05  | 120       | -          | Neighbour
        2026-04-05  | 12_       | mobile     | Below Riverside
        2026-05-21  | 121       | -          | After
    """,
    "loads": """
        table_name      | loaded_at           | rows | source | data_until
        contracts       | 2026-05-14T06:00:00 | 19   | core   | 2026-05-13
        contracts       | 2026-05-21T06:00:00 | 20   | core   | 2026-05-20
        complaints      | 2026-05-21T06:00:00 | 12   | desk   | 2026-05-20
        assignments     | 2026-05-21T06:00:00 | 9    | crm    | 2026-05-21
    """,
}

BANK: dict[str, Rows] = {name: drawn(name, _PICTURES[name]) if name in _PICTURES else [] for name in metadata.tables}


def write_duckdb(bank: Mapping[str, Rows], path: Path) -> None:
    """Writes the tables that `bank` names as an embedded warehouse that takes the place of `path`."""
    with embedded.new_file(path) as connection:
        for name, rows in bank.items():
            embedded.create(connection, metadata.tables[name])
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(
                    f"INSERT INTO {name} ({', '.join(rows[0])}) VALUES ({marks})", [list(row.values()) for row in rows]
                )


def write_postgres(bank: Mapping[str, Rows], engine: Engine) -> None:
    """Writes the tables that `bank` names into an empty database."""
    tables = [metadata.tables[name] for name in bank]
    with engine.begin() as connection:
        metadata.create_all(connection, tables=tables)
        for table in tables:
            if bank[table.name]:
                connection.execute(table.insert(), bank[table.name])
