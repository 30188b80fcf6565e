"""What a person obtains through any surface is what the rule grants, reckoned here again in plain Python, for random people.

Numbers, listings masked and clear, branches, events, files and `ask` are asked by several people in any order, twice, so that each
meets what others have filled the cache with. The same for random rows and questions of one viewer is in data_access/test_scope.py,
for withheld numbers in data_access/test_small_counts.py.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import duckdb
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from data_access.access import Role, Viewer
from data_access.ask import check_ids, viewer_said
from data_access.journal import Journal
from data_access.people import Entry, Identity, Rules, viewer_of
from data_access.settings import settings as read_settings
from data_access.warehouse import Warehouse
from measures.catalogue import LISTINGS, dimension
from measures.question import ListingQuestion, Question, QuestionError, Told, where
from panels.accounts import Account
from panels.desk import Desk
from presentation import exports
from presentation.export_view import _built
from presentation.exports import About
from presentation.tables import listing_table, table_of
from presentation.words import words
from tests import oracle
from tests.bank import PERIOD, Rows
from tests.data_access.test_scope import OWN_AGENTS, TODAY, listed_for, opened, peopled_banks, seen_from
from tests.security.bank_server import Bank
from tests.security.tab import Reader, Tab

few_slow_examples = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
say = words("en")

MAY = {
    "head office analyst": {"numbers", "take numbers"},
    "branch manager": {"numbers", "rows", "clear", "take numbers", "take rows", "look as"},
    "team leader": {"numbers", "rows", "clear", "take numbers"},
    "agent": {"numbers", "rows", "clear"},
    "data steward": {"numbers", "rows", "clear", "take numbers", "take rows", "take clear", "lists", "look as"},
    "auditor": {"numbers", "journal"},
}
"""The table of roles in the README, said again."""

# Who may see what, without the dashboard ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    role: str
    branch: str
    agent: str | None

    def may(self, what: str) -> bool:
        return what in MAY[self.role]


def granted(lines: list[Entry], person: str, groups: set[str], bank: dict[str, Rows]) -> Grant | None:
    """What all lines about a person have in common, or None where that is not one role, one branch and at most one agent."""
    own = [line for line in lines if line.who in (groups if line.is_group else {person})]
    if not own:
        return None
    known = {row["branch_id"] for row in bank["branches"]}
    if any(
        line.role not in MAY or line.branch_id not in known or (line.role == "agent") != bool(line.agent_id)
        for line in own
    ):
        return None
    roles = {line.role for line in own}
    common = set.intersection(*(MAY[role] for role in roles))
    fitting = [role for role in roles if MAY[role] == common and (role == "agent" or "agent" not in roles)]
    seen = set.intersection(*(seen_from(bank, line.branch_id) for line in own))
    tops = [line.branch_id for line in own if seen_from(bank, line.branch_id) == seen]
    agents = {line.agent_id for line in own} - {""}
    if not fitting or not tops or len(agents) > 1:
        return None
    return Grant(fitting[0], tops[0], next(iter(agents), None))


@st.composite
def banks_with_people(draw: st.DrawFn) -> tuple[dict[str, Rows], list[Entry], dict[str, set[str]]]:
    """A random bank whose customers have names and telephones that stand nowhere else, what it says of people, and their groups."""
    bank = draw(peopled_banks())
    for number, row in enumerate(bank["customers"]):
        row |= {"name": f"Klartext{number:03}Name", "phone": f"5550{number:03}7391{number:02}"}
    for number, code in enumerate(row["branch_id"] for row in bank["branches"]):
        for day in (14, 15):
            event = {
                "happened_on": date(2026, 4, day),
                "branch_id": code,
                "product_id": None,
                "label": f"{number}@{code}",
            }
            bank["events"].append(event)
    codes = [row["branch_id"] for row in bank["branches"]]
    lines = []
    for who, is_group in [("ann", False), ("bob", False), ("cy", False), ("one", True), ("two", True)]:
        for _ in range(draw(st.integers(0, 1 if is_group else 2))):
            role = draw(st.sampled_from([*MAY, "branch manager", "data steward", "agent", "visitor"]))
            agent = draw(st.sampled_from(OWN_AGENTS)) if role == "agent" else ""
            lines.append(Entry(is_group, who, role, draw(st.sampled_from([*codes, "nowhere"])), agent))
    groups = st.sets(st.sampled_from(["one", "two", "three"]), max_size=2)
    people = {who: draw(groups) for who in ("ann", "bob", "cy", "dora")}
    # Somebody who may see and take everything, so that all of it lies in the cache.
    return bank, [*lines, Entry(False, "eve", "data steward", codes[0])], people | {"eve": set()}


def is_refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Told as told:
        assert "Your role does not permit" in str(told)
        return True
    return False


def clear_of(bank: dict[str, Rows]) -> set[str]:
    return {text for row in bank["customers"] for text in (row["name"], row["phone"])}


def looked_up(bank: dict[str, Rows], assignment: str, *, clear: bool) -> tuple[str | None, str | None]:
    """The name and the telephone that stand beside an assignment."""
    customers = {row["customer_id"]: (row["name"], row["phone"]) for row in bank["customers"]}
    whose = {row["assignment_id"]: row["customer_id"] for row in bank["assignments"]}
    name, phone = customers[whose[assignment]]
    return (name, phone) if clear else (f"{name[0]}**", f"**{phone[-2:]}")


@few_slow_examples
@given(drawn=banks_with_people(), data=st.data())
def test_everybody_obtains_what_the_rule_grants_and_nothing_else(drawn, data: st.DataObject) -> None:
    bank, lines, people = drawn
    with opened(bank) as warehouse, journal() as written:
        for person in data.draw(st.permutations([*people, *people])):
            found = viewer_of(
                Identity(person, person, frozenset(people[person])), Rules(tuple(lines)), warehouse.state().paths
            )
            grant = granted(lines, person, people[person], bank)
            assert isinstance(found, Viewer) == (grant is not None), (person, lines)
            if grant is None:
                continue
            assert (found.role.value, found.branch_id, found.agent_id) == (grant.role, grant.branch, grant.agent)
            assert set(warehouse.branches(found)["branch_id"]) == seen_from(bank, grant.branch)
            numbers_are_granted(bank, warehouse, found, grant, data)
            events_are_granted(bank, warehouse, found, grant, data)
            asking_is_held_to_the_branch(bank, warehouse, found, grant)
            for name in ("overdue_customers", "complaint_list"):
                rows_are_granted(bank, warehouse, found, grant, name)
                files_are_granted(bank, warehouse, written, found, grant, name, data)


def numbers_are_granted(bank, warehouse: Warehouse, viewer: Viewer, grant: Grant, data: st.DataObject) -> None:
    known = warehouse.state().catalogue
    by = data.draw(st.sampled_from([(), ("below",), ("outlet", "product"), ("month",)]))
    offered = [m for m in known.measures.values() if m.dimensions >= {dimension(d) for d in by}]
    measures = data.draw(st.lists(st.sampled_from(offered), min_size=2, max_size=4, unique=True))
    chosen = data.draw(st.sampled_from([None, *(row["branch_id"] for row in bank["branches"])]))
    kept = {"branch": (chosen,)} if chosen and all(dimension("branch") in m.dimensions for m in measures) else {}
    asked = Question(
        tuple(measures), PERIOD, tuple(map(dimension, by)), where({dimension(d): ids for d, ids in kept.items()})
    )
    found = warehouse.fetch(asked, viewer)
    expected = oracle.answer(
        bank,
        [m.name for m in measures],
        PERIOD,
        grant.branch,
        data_until=warehouse.state().data_until,
        by=by,
        agent=grant.agent,
        where=kept,
    )
    keys = [tuple(_plain(row[d]) for d in by) for _, row in found.iterrows()]
    assert set(keys) == set(expected)
    for key, (_, row) in zip(keys, found.iterrows(), strict=True):
        for name, value in expected[key].items():
            assert (pd.isna(row[name]) and value is None) or row[name] == pytest.approx(float(value)), name


def _plain(value: object) -> object:
    return None if pd.isna(value) else value.date() if isinstance(value, datetime) else value


def events_are_granted(bank, warehouse: Warehouse, viewer: Viewer, grant: Grant, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([row["branch_id"] for row in bank["branches"]]))
    near = {b["branch_id"] for b in bank["branches"] if at in seen_from(bank, b["branch_id"])} | seen_from(bank, at)
    own = set() if grant.agent else near & seen_from(bank, grant.branch)
    expected = {row["label"] for row in bank["events"] if row["branch_id"] in own and row["happened_on"] in PERIOD_DAYS}
    assert set(warehouse.events(PERIOD, at, (), viewer)["label"]) == expected


PERIOD_DAYS = {day.date() for day in pd.date_range(PERIOD.start, PERIOD.end)}


def asking_is_held_to_the_branch(bank, warehouse: Warehouse, viewer: Viewer, grant: Grant) -> None:
    """A branch that one does not see is told as one that is not there; `ask` itself stands where it is told to."""
    signed = warehouse.state().catalogue.measure("signed")
    for code in [*(row["branch_id"] for row in bank["branches"]), "nowhere"]:
        question = Question((signed,), PERIOD, (), where({dimension("branch"): (code,)}))
        try:
            check_ids(question, viewer, warehouse)
            passed = True
        except QuestionError as told:
            assert str(told) == f"There is no branch with the id “{code}” here."
            passed = False
        assert passed == (code in seen_from(bank, grant.branch))
    assert viewer_said("operator", grant.branch, warehouse) == Viewer("operator", grant.branch, Role.VISITOR)


def rows_are_granted(bank, warehouse: Warehouse, viewer: Viewer, grant: Grant, name: str) -> None:
    ids, withheld = listed_for(bank, name, (grant.branch, grant.agent), TODAY)
    for clear in (False, True):
        asked = ListingQuestion(warehouse.state().catalogue.listing(name), PERIOD, clear=clear)
        permitted = grant.may("rows") and (not clear or grant.may("clear"))
        for ask in (warehouse.listing, warehouse.count, partial(warehouse.listing, limit=50)):
            assert is_refused(lambda ask=ask, asked=asked: ask(asked, viewer)) is not permitted
        if not permitted:
            continue
        found = warehouse.listing(asked, viewer, limit=50)
        assert set(found.iloc[:, 0]) == ids
        assert warehouse.count(asked, viewer) == len(ids)
        assert warehouse.withheld(asked, viewer).lists == withheld
        if name == "overdue_customers":
            shown = {row.assignment_id: (row.customer, row.phone) for row in found.itertuples()}
            assert shown == {id_: looked_up(bank, id_, clear=clear) for id_ in ids}
        if not clear:
            assert not clear_of(bank) & set(found.astype(str).to_numpy().ravel())


# Files -------------------------------------------------------------------------------------------------------------------------

WRITE = {"xlsx": exports.xlsx, "csv": exports.csv, "parquet": exports.parquet}


@contextmanager
def journal():
    with tempfile.TemporaryDirectory() as folder:
        yield Journal(f"sqlite:///{Path(folder) / 'journal.db'}", "")


def files_are_granted(
    bank, warehouse: Warehouse, written: Journal, viewer: Viewer, grant: Grant, name: str, data: st.DataObject
) -> None:
    """What the button of a table hands over, with its account, as panels/tabular.py puts them together."""
    desk = Desk(
        warehouse, warehouse.state(), viewer, None, {}, {}, say, None, "", False, read_settings().access, written, "name"
    )  # fmt: skip
    ending = data.draw(st.sampled_from(sorted(WRITE)))

    def taken(table, question, count: int, batches=None, personal=()) -> bytes:
        about = About((), "scope", warehouse.state().data_until, viewer.person, datetime.now(), "", count)
        account = Account(desk, table.title, question, personal)
        assert bool(account.refusal(len(answer))) is not allowed
        return _built(f"a.{ending}", WRITE[ending], table, about, say, batches, account, "a purpose", "")

    by = (dimension("outlet"),)
    question = Question((warehouse.state().catalogue.measure("signed"),), PERIOD, by)
    answer = warehouse.fetch(question, viewer)
    allowed = grant.may("take numbers")
    before = written.last()[0]
    table = table_of(question, answer, None, say)
    assert is_refused(lambda: taken(table, question, len(answer))) is not allowed
    assert written.last()[0] == before + allowed
    if not grant.may("rows"):
        return
    ids, _withheld = listed_for(bank, name, (grant.branch, grant.agent), TODAY)
    for clear in (False, True):
        allowed = grant.may("take clear" if clear else "take rows")
        question = ListingQuestion(warehouse.state().catalogue.listing(name), PERIOD, clear=clear)
        if not grant.may("clear") and clear:
            continue
        rows = warehouse.listing(question, viewer)
        table = listing_table(question, rows.iloc[:0], say)
        personal = ("Customer",) if clear else ()
        make = partial(taken, table, question, len(rows), lambda rows=rows: [rows], personal)
        before = written.last()[0]
        assert is_refused(make) is not allowed
        assert written.last()[0] == before + allowed
        if not allowed:
            continue
        file = make()
        assert ids_in(file, ending) == ids
        own = {looked_up(bank, id_, clear=True) for id_ in ids} if clear and name == "overdue_customers" else set()
        inside = unzipped(file) + "\n".join(map(str, cells_of(file, ending)))
        assert {text for text in clear_of(bank) if text in inside} == {text for pair in own for text in pair}


def unzipped(file: bytes) -> str:
    if not is_zipfile(io.BytesIO(file)):
        return file.decode("utf-8", "replace")
    with ZipFile(io.BytesIO(file)) as parts:
        return "\n".join(parts.read(part).decode("utf-8", "replace") for part in parts.namelist())


def cells_of(file: bytes, ending: str) -> list[object]:
    return [cell for row in rows_of(file, ending) for cell in row]


def rows_of(file: bytes, ending: str) -> list[tuple]:
    if ending == "csv":
        return [tuple(row) for row in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""))][1:]
    if ending == "parquet":
        return [tuple(row.values()) for row in parquet.read_table(io.BytesIO(file)).to_pylist()]
    return list(openpyxl.load_workbook(io.BytesIO(file)).worksheets[0].iter_rows(values_only=True))[1:]


def ids_in(file: bytes, ending: str) -> set[str]:
    return {row[0] for row in rows_of(file, ending) if row[0]}


# Every message of a running server ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clear_words(warehouse_file: Path) -> set[str]:
    """Names and telephones of customers as they are: those of which none is, or is part of, a name of somebody or something else."""
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        rows = connection.sql("SELECT name, phone FROM customers").fetchall()
        tables = ("branches", "products", "agents", "campaigns")
        others = "\n".join(name for t in tables for (name,) in connection.sql(f"SELECT name FROM {t}").fetchall())
    found = {text for row in rows for text in row if text and len(text) > 1 and text not in others}
    assert len(found) > 1000
    return found


def told(tab: Tab, clear: set[str]) -> set[str]:
    """Which of the words reached the tab: as they are, or as JSON writes them."""
    everything = b"\n".join(tab.raw)
    return {word for word in clear if word.encode() in everything or json.dumps(word)[1:-1].encode() in everything}


PAGES = ("", "activation", "follow_up", "targets", "complaints", "explorer", "glossary", "journal")


def test_no_message_of_the_server_holds_personal_data_before_somebody_has_said_what_for(
    served: Bank, clear_words: set[str]
) -> None:
    reader = Reader(served)
    reader.sign_in("manager")
    for page in PAGES:
        with reader.tab(page) as tab:
            if page == "follow_up":
                tab.run(states={tab.id_of("button_group", "follow_up_tables"): [LISTINGS["overdue_customers"].label]})
                assert "**" in tab.said  # the masked rows are there
                assert told(tab, clear_words) == set()
                # The reader says what for, and there they are: so they would have been found.
                tab.run(states={tab.id_of("text_input", "overdue_listing_reason"): "calls"})
                assert told(tab, clear_words) == set()
                tab.run(pressed=tab.widget("overdue_listing_show"))
                found = told(tab, clear_words)
                assert {word.isdigit() for word in found} == {True, False}
            else:
                assert told(tab, clear_words) == set(), page
    assert "unmask" in served.command("journal", "list")
    assert [word for word in clear_words if word in served.log()] == []
