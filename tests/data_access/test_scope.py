"""Nobody is shown a row from outside the branch they look from, whatever they ask for and whoever asked before."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import access
from data_access.access import AGENT, PERMITTED, VIEWER, Permission, Refused, Role, Viewer
from data_access.sql import (
    Given,
    branch_statement,
    event_statement,
    listing_count,
    listing_statement,
    statement,
    withheld_count,
)
from data_access.warehouse import Warehouse
from measures.catalogue import LISTINGS, MEASURES, dimension
from measures.dimensions import BRANCH
from measures.period import Period
from measures.question import ListingQuestion, Question, where
from measures.schema import LEVELS
from tests import oracle
from tests.asking import ask, viewer
from tests.bank import BANK, BEFORE, DATA_UNTIL, HEAD_OFFICE, PERIOD, Rows, write_duckdb

CODES = ("1", "12", "120", "1200", "2", "21", "1_", "1%", "%", "12'")
"""Each is the beginning of another, or would be taken for one by LIKE."""
few_slow_examples = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def banks(draw: st.DrawFn) -> dict[str, Rows]:
    """A random tree in which every branch has one of everything, each with the branch's code in its own."""
    codes = draw(st.permutations(CODES))[: draw(st.integers(2, len(CODES)))]
    branches: Rows = []
    for code in codes:
        above = [b for b in branches if b["level"] != LEVELS[-1]]
        parent = draw(st.sampled_from(above)) if branches else None
        depth = LEVELS.index(parent["level"]) + 1 if parent else 0
        level = LEVELS[draw(st.integers(depth, len(LEVELS) - 1))] if parent else LEVELS[0]
        path = f"{parent['path'] if parent else ''}{code}."
        known = {"branch_id": code, "name": f"name of {code}", "parent_id": parent and parent["branch_id"]}
        branches.append(_row("branches", **known, level=level, path=path))
    tables = {name: list(rows) if name in ("products", "agents", "campaigns") else [] for name, rows in BANK.items()}
    tables["branches"] = branches
    for code in codes:
        for name, row in _everything(code).items():
            tables[name].append(row)
    return tables


def _row(table: str, **known: object) -> dict[str, object]:
    empty = dict.fromkeys(BANK[table][0])
    return empty | known


def _everything(code: str) -> dict[str, dict[str, object]]:
    at = {"branch_id": code, "product_id": "mobile", "customer_id": f"c@{code}", "agent_id": "a1"}
    day, noon = date(2026, 4, 15), datetime(2026, 4, 15, 12)
    a_list = {"campaign_id": "l1", "assigned_on": day, "due_on": date(2026, 4, 20), "outcome": "open"}
    contact = {"contacted_at": noon, "kind": "call", "new_customer": False, "reached": True, "outcome": "signed"}
    grief = {"cause": "fees", "channel": "app", "received_at": noon, "due_on": date(2026, 4, 30), "regulator": True}
    goal = {"measure": "signed", "starts_on": day, "ends_on": date(2026, 6, 30), "value": 3}
    return {
        "customers": _row("customers", customer_id=f"c@{code}", branch_id=code, kind="personal", name=f"n@{code}"),
        "contracts": _row(
            "contracts", contract_id=f"k@{code}", **at, signed_on=day, activated_on=day, last_used_on=day
        ),
        "usage": _row(
            "usage", **_without(at, "agent_id"), month=date(2026, 5, 1), transactions=1, amount=1, channel="atm"
        ),
        "assignments": _row("assignments", assignment_id=f"s@{code}", **at, **a_list),
        "contacts": _row("contacts", contact_id=f"x@{code}", assignment_id=f"s@{code}", **at, **contact),
        "complaints": _row("complaints", complaint_id=f"p@{code}", **at, **grief),
        "targets": _row("targets", target_id=f"t@{code}", branch_id=code, **goal),
        "contract_months": _row(
            "contract_months",
            month=date(2026, 4, 1),
            branch_id=code,
            product_id="mobile",
            signed=1,
            closed=0,
            holders=1,
        ),
    }


def _without(row: dict[str, object], column: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != column}


@contextmanager
def opened(bank: dict[str, Rows]) -> Iterator[Warehouse]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.duckdb"
        write_duckdb(bank, path)
        found = Warehouse(f"duckdb:///{path}", today=lambda: TODAY)
        yield found
        found.close()


OWN_AGENTS = ("a1", "a2", "a1' OR '1'='1")
TODAY = date(2026, 5, 20)


@st.composite
def peopled_banks(draw: st.DrawFn) -> dict[str, Rows]:
    """Such a bank in which customers, sellers and those who are to call are drawn apart, and so is when a list may be used."""
    bank = draw(banks())
    agents, whose = st.sampled_from(OWN_AGENTS), st.sampled_from((None, *OWN_AGENTS))
    customers = [row["customer_id"] for row in bank["customers"]]
    for row in bank["customers"]:
        row["agent_id"] = draw(whose)
    for table in ("contracts", "usage", "assignments", "contacts", "complaints"):
        for row in bank[table]:
            row["customer_id"] = draw(st.sampled_from([*customers, None] if table == "complaints" else customers))
    for table in ("contracts", "contacts", "complaints", "targets"):
        for row in bank[table]:
            row["agent_id"] = draw(whose)
    for row in bank["assignments"]:
        row |= {"agent_id": draw(agents), "campaign_id": draw(st.sampled_from(("l1", "l2")))}
    days = st.sampled_from((None, date(2026, 5, 19), TODAY, date(2026, 5, 21)))
    bank["campaigns"] = [row | {"expires_on": draw(days)} for row in bank["campaigns"]]
    return bank


Seen = tuple[str, str | None]
"""From which branch somebody looks, and as which agent."""


def listed_for(bank: dict[str, Rows], listing: str, seen: Seen, today: date) -> tuple[set[str], int]:
    """The rows of a listing that such a viewer may see by name, and how many lists are withheld: without SQL."""
    branch, agent = seen
    look_after = {row["customer_id"]: row["agent_id"] for row in bank["customers"]}
    until = {row["campaign_id"]: row["expires_on"] for row in bank["campaigns"]}
    overdue = listing == "overdue_customers"
    rows = [
        row for row in bank["assignments" if overdue else "complaints"] if row["branch_id"] in seen_from(bank, branch)
    ]
    if agent is not None:
        rows = [row for row in rows if agent == (row["agent_id"] if overdue else look_after.get(row["customer_id"]))]
    over = [row for row in rows if overdue and (day := until[row["campaign_id"]]) and day < today]
    key = "assignment_id" if overdue else "complaint_id"
    return {row[key] for row in rows} - {row[key] for row in over}, len({row["campaign_id"] for row in over})


@few_slow_examples
@given(bank=peopled_banks(), data=st.data())
def test_whoever_looks_after_whomever_sees_what_the_rule_grants_and_nothing_else(
    bank: dict[str, Rows], data: st.DataObject
) -> None:
    codes = [row["branch_id"] for row in bank["branches"]]
    people = st.tuples(st.sampled_from(codes), st.sampled_from((None, *OWN_AGENTS)))
    # Each looks twice, the second time into what everybody has filled the cache with.
    several = data.draw(st.lists(people, min_size=2, max_size=3, unique=True))
    with opened(bank) as warehouse:
        known = warehouse.state()
        for branch, agent in data.draw(st.permutations([*several, *several])):
            who = viewer(branch, agent)
            by = data.draw(st.sampled_from([(), ("below",), ("agent",), ("outlet", "product")]))
            measures = [m for m in known.catalogue.measures.values() if m.dimensions >= {dimension(d) for d in by}]
            measures = data.draw(st.lists(st.sampled_from(measures), min_size=4, max_size=8, unique=True))
            found = warehouse.fetch(Question(tuple(measures), PERIOD, tuple(map(dimension, by))), who)
            expected = oracle.answer(
                bank, [m.name for m in measures], PERIOD, branch, data_until=known.data_until, by=by, agent=agent
            )
            rows = {tuple(None if pd.isna(row[d]) else row[d] for d in by): row for _, row in found.iterrows()}
            assert rows.keys() == expected.keys()
            for key, values in expected.items():
                for name, value in values.items():
                    shown = rows[key][name]
                    assert (pd.isna(shown) and value is None) or shown == pytest.approx(float(value)), name
            for name, listing in known.catalogue.listings.items():
                asked = ListingQuestion(listing, PERIOD)
                ids, withheld = listed_for(bank, name, (branch, agent), TODAY)
                assert set(warehouse.listing(asked, who, limit=50).iloc[:, 0]) == ids
                assert warehouse.count(asked, who) == len(ids)
                assert warehouse.withheld(asked, who).lists == withheld
            assert set(warehouse.branches(who)["branch_id"]) == seen_from(bank, branch)


def seen_from(bank: dict[str, Rows], branch: str) -> set[str]:
    return {row["branch_id"] for row in bank["branches"] if oracle.under(bank, row["branch_id"], branch)}


@few_slow_examples
@given(bank=banks(), data=st.data())
def test_no_measure_counts_a_row_from_outside_and_none_is_left_out(bank: dict[str, Rows], data: st.DataObject) -> None:
    codes = [row["branch_id"] for row in bank["branches"]]
    with opened(bank) as warehouse:
        everything = tuple(warehouse.state().catalogue.measures.values())
        for branch in data.draw(st.lists(st.sampled_from(codes), min_size=1, max_size=3, unique=True)):
            for by in ((), ("below",)):
                found = warehouse.fetch(Question(everything, PERIOD, tuple(map(dimension, by))), viewer(branch))
                expected = oracle.answer(
                    bank, [m.name for m in everything], PERIOD, branch, data_until=warehouse.state().data_until, by=by
                )
                keys = [None if pd.isna(row) else row for row in found["below"]] if by else [None]
                for key, (_, row) in zip(keys, found.iterrows(), strict=True):
                    for name, value in expected[(key,) if by else ()].items():
                        assert (pd.isna(row[name]) and value is None) or row[name] == pytest.approx(float(value)), name
                assert len(found) == len(expected)


@few_slow_examples
@given(bank=banks(), data=st.data())
def test_targets_of_branches_outside_change_nothing_that_is_shown(bank: dict[str, Rows], data: st.DataObject) -> None:
    branch = data.draw(st.sampled_from([row["branch_id"] for row in bank["branches"]]))
    inside = [row for row in bank["targets"] if row["branch_id"] in seen_from(bank, branch)]
    measures = "signed_target signed_toward_target signed_expected signed_completion signed_pace"
    with opened(bank) as whole, opened({**bank, "targets": inside}) as own:
        for by in ((), ("below",), ("outlet", "agent"), ("product",)):
            pd.testing.assert_frame_equal(
                ask(whole, measures, *by, branch=branch), ask(own, measures, *by, branch=branch)
            )


@few_slow_examples
@given(bank=banks(), data=st.data())
def test_listings_branches_and_foreign_filters_show_only_what_is_below(
    bank: dict[str, Rows], data: st.DataObject
) -> None:
    codes = [row["branch_id"] for row in bank["branches"]]
    branch, foreign = data.draw(st.sampled_from(codes)), data.draw(st.sampled_from(codes))
    own, both = seen_from(bank, branch), seen_from(bank, branch) & seen_from(bank, foreign)
    with opened(bank) as warehouse:
        assert set(warehouse.branches(viewer(branch))["branch_id"]) == own
        for listing in warehouse.state().catalogue.listings.values():
            for chosen, expected in (({}, own), ({"branch": (foreign,)}, both)):
                asked = ListingQuestion(listing, PERIOD, where({dimension(d): ids for d, ids in chosen.items()}))
                ids = warehouse.listing(asked, viewer(branch)).iloc[:, 0]
                assert {row.partition("@")[2] for row in ids} == expected
                assert warehouse.count(asked, viewer(branch)) == len(ids) == len(expected)
        for kept in ("branch", "outlet", "below", "head_office"):
            found = ask(warehouse, "signed all_customers", branch=branch, chosen={kept: (foreign,)}).iloc[0]
            assert found.tolist() == [len(both), len(both)]


@few_slow_examples
@given(order=st.permutations([row["branch_id"] for row in BANK["branches"]]))
def test_whoever_asked_before_changes_nothing(duckdb_url: str, order: list[str]) -> None:
    warehouse = Warehouse(duckdb_url)
    for branch in [*order, *order]:
        expected = oracle.answer(BANK, ["signed", "customers"], PERIOD, branch, data_until=DATA_UNTIL)
        assert ask(warehouse, "signed customers", branch=branch).iloc[0].to_dict() == expected[()]
        assert set(warehouse.branches(viewer(branch))["branch_id"]) == seen_from(BANK, branch)
    warehouse.close()


@pytest.mark.parametrize("branch", ["nowhere", "1.", "1.12.", "1' OR '1'='1", "%", "_", "1%", "12%"])
def test_a_viewer_of_an_unknown_branch_sees_nothing(warehouse_on: Warehouse, branch: str) -> None:
    found = ask(warehouse_on, "signed all_customers complaints_received transactions", branch=branch).iloc[0]
    assert found[["signed", "all_customers", "complaints_received"]].tolist() == [0, 0, 0]
    assert found.isna()["transactions"]
    assert ask(warehouse_on, "signed all_customers", "outlet", branch=branch).empty
    assert warehouse_on.branches(viewer(branch)).empty
    for listing in warehouse_on.state().catalogue.listings.values():
        assert warehouse_on.listing(ListingQuestion(listing, PERIOD), viewer(branch)).empty


def test_a_parent_from_outside_shows_nothing_more(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "signed", "below", branch="120", parent="12")
    assert found["below"].isna().all()
    assert found["signed"].tolist() == [4]


@pytest.mark.parametrize("name", ["fetch", "listing", "count", "withheld", "branches", "events", "sql"])
def test_no_question_is_asked_without_a_viewer(name: str) -> None:
    parameter = inspect.signature(getattr(Warehouse, name)).parameters["viewer"]
    assert parameter.default is inspect.Parameter.empty


@pytest.mark.parametrize(("person", "branch"), [("", "1"), ("me", ""), ("me", None)])
def test_there_is_no_viewer_without_a_branch(person: str, branch: str | None) -> None:
    with pytest.raises(ValueError, match="A viewer has a name and a branch"):
        Viewer(person, branch, Role.VISITOR)


def test_there_is_no_viewer_without_a_role_that_is_known() -> None:
    with pytest.raises(ValueError, match="a role that is known"):
        Viewer("me", "1", "branch manager")


@pytest.mark.parametrize(("role", "agent"), [(Role.AGENT, None), (Role.AGENT, ""), (Role.MANAGER, "a1")])
def test_an_agent_and_nobody_else_is_held_to_the_own_customers(role: Role, agent: str | None) -> None:
    with pytest.raises(ValueError, match="held to the own customers"):
        Viewer("me", "1", role, agent)


def test_a_role_permits_what_it_names_and_nothing_else() -> None:
    # The rows of the table in README: who takes personal data out, and who reads the journal, is one role each.
    assert {role for role in Role if Permission.EXPORT_PERSONAL in PERMITTED[role]} == {Role.STEWARD}
    assert {role for role in Role if Permission.JOURNAL in PERMITTED[role]} == {Role.AUDITOR}
    assert {role for role in Role if Permission.LISTINGS not in PERMITTED[role]} == {Role.ANALYST, Role.AUDITOR}
    assert set(PERMITTED) == set(Role)
    # What may be taken out may be seen.
    pairs = [
        (Permission.EXPORT_NUMBERS, Permission.NUMBERS),
        (Permission.EXPORT_LISTINGS, Permission.LISTINGS),
        (Permission.EXPORT_PERSONAL, Permission.PERSONAL),
    ]
    assert all(out not in allowed or seen in allowed for allowed in PERMITTED.values() for out, seen in pairs)
    assert not Viewer("me", "1", Role.AUDITOR).may(Permission.LISTINGS)


GIVEN = Given(DATA_UNTIL, {row["branch_id"]: row["path"] for row in BANK["branches"]})


def times_scoped(asked) -> int:
    return str(asked.select.compile()).count(f"= :{VIEWER.key}")


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("against", [None, BEFORE], ids=["alone", "compared"])
def test_every_select_over_a_fact_holds_the_viewers_branch(name: str, against: Period | None) -> None:
    measure = MEASURES[name]
    facts = {count.fact for count in measure.counts}
    upper, *lower = measure.counts
    spanned = {kept for count in lower for kept in upper.dimensions - count.dimensions if not kept.step}
    for by in ((), (BRANCH,), *((kept, BRANCH) for kept in spanned & measure.dimensions)):
        asked = statement(Question((measure,), PERIOD, by, against=against), viewer(HEAD_OFFICE), GIVEN)
        assert times_scoped(asked) >= len(facts) * (2 if against and measure.has_history else 1)
        assert asked.parameters[VIEWER.key] == f"{HEAD_OFFICE}."


@pytest.mark.parametrize("name", LISTINGS)
def test_every_listing_and_the_list_of_branches_hold_the_viewers_branch(name: str) -> None:
    asked = ListingQuestion(LISTINGS[name], PERIOD)
    assert times_scoped(listing_statement(asked, viewer("12"), GIVEN)) == 1
    assert times_scoped(listing_count(asked, viewer("12"), GIVEN)) == 1
    assert times_scoped(branch_statement(viewer("12"), GIVEN)) == 1


AGENTS_OWN = viewer(HEAD_OFFICE, "a1")


@pytest.mark.parametrize("name", MEASURES)
def test_every_select_over_a_fact_holds_the_agent_and_that_of_others_knows_of_none(name: str) -> None:
    measure = MEASURES[name]
    for by in ((), (BRANCH,)):
        question = Question((measure,), PERIOD, by)
        held, others = (statement(question, who, GIVEN) for who in (AGENTS_OWN, viewer(HEAD_OFFICE)))
        text = str(held.select.compile())
        assert text.count(f"= :{AGENT.key}") + text.count("false") >= len({count.fact for count in measure.counts})
        assert held.parameters[AGENT.key] == "a1"
        # Whoever is held to no agent is asked for none: the statement stays as quick as it was.
        assert AGENT.key not in str(others.select.compile())


@pytest.mark.parametrize("name", LISTINGS)
def test_every_listing_holds_the_agent(name: str) -> None:
    asked = ListingQuestion(LISTINGS[name], PERIOD)
    for write in (listing_statement, listing_count, *([withheld_count] if name == "overdue_customers" else [])):
        assert str(write(asked, AGENTS_OWN, GIVEN).select.compile()).count(f"= :{AGENT.key}") == 1


def test_an_agent_whose_statement_has_no_agent_gets_an_error_and_not_everything(duckdb_warehouse: Warehouse) -> None:
    duckdb_warehouse.state()  # it is opened at its first use
    asked = statement(Question((MEASURES["signed"],), PERIOD), AGENTS_OWN, GIVEN)
    _text, parameters = duckdb_warehouse._compiled(asked.select)
    with pytest.raises(Exception, match=AGENT.key):
        parameters({name: value for name, value in asked.parameters.items() if name != AGENT.key})


@pytest.mark.parametrize(
    ("table", "nothing", "still"),
    [
        # Who looks after a customer is optional in the contract: without it nobody's customers are an agent's.
        ("customers", "signed holders all_customers electronic_customers complaints_received", "assigned contacts"),
        ("contacts", "contacts", "signed assigned"),
    ],
)
def test_where_it_is_not_known_whose_a_row_is_an_agent_sees_none_of_it(
    own_file: Path, table: str, nothing: str, still: str
) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute(f"ALTER TABLE {table} DROP COLUMN agent_id")
    with closing(Warehouse(f"duckdb:///{own_file}")) as warehouse:
        assert not ask(warehouse, nothing, agent="a1").iloc[0].any()
        assert ask(warehouse, nothing).iloc[0].all()
        assert ask(warehouse, still, agent="a1").iloc[0].all()


def test_what_is_of_no_customer_is_shown_to_no_agent(own_file: Path) -> None:
    with duckdb.connect(str(own_file)) as connection:
        connection.execute("DROP TABLE contracts")
    with closing(Warehouse(f"duckdb:///{own_file}")) as months:
        assert ask(months, "signed holders").iloc[0].tolist() == [908, 50]
        assert ask(months, "signed", agent="a2")["signed"].tolist() == [0]
        assert ask(months, "holders", "outlet", agent="a2").empty
        assert not months.events(PERIOD, "1", (), viewer("1")).empty
        assert months.events(PERIOD, "1", (), viewer("1", "a1")).empty


def test_an_agents_targets_are_the_own_and_not_the_branchs(warehouse_on: Warehouse) -> None:
    assert ask(warehouse_on, "signed_target")["signed_target"].tolist() == [40]
    assert ask(warehouse_on, "signed_target", agent="a1")["signed_target"].tolist() == [12.5]
    assert ask(warehouse_on, "signed_target", "below", agent="a1")["below"].tolist() == ["12"]
    assert ask(warehouse_on, "signed_target", agent="a2")["signed_target"].isna().all()


def test_an_agents_complaints_are_those_of_the_own_customers_and_not_those_about_the_agent(
    warehouse_on: Warehouse,
) -> None:
    # p04 is about a1 and from a customer whom nobody looks after.
    asked = ListingQuestion(warehouse_on.state().catalogue.listing("complaint_list"), PERIOD)
    assert warehouse_on.listing(asked, viewer("1", "a1"))["complaint_id"].tolist() == ["p09"]
    assert warehouse_on.count(asked, viewer("1", "a1")) == 1


# What a role permits --------------------------------------------------------------------------------------------------------


def all_listings(warehouse: Warehouse, *, clear: bool = False) -> list[ListingQuestion]:
    return [ListingQuestion(kept, PERIOD, clear=clear) for kept in warehouse.state().catalogue.listings.values()]


def as_(role: Role) -> Viewer:
    return Viewer("me", HEAD_OFFICE, role, "a1" if role is Role.AGENT else None)


def is_refused(ask_: Callable[[], object]) -> bool:
    try:
        ask_()
    except Refused as told:
        assert str(told).startswith("Your role does not permit you to see")
        return True
    return False


@pytest.mark.parametrize("role", Role)
def test_rows_are_listed_counted_and_unmasked_for_roles_that_permit_it_alone(
    duckdb_warehouse: Warehouse, role: Role
) -> None:
    who, asked = as_(role), duckdb_warehouse
    for clear in (False, True):
        # Whoever may see them has asked before: the answers are kept.
        for question in all_listings(asked, clear=clear):
            asked.listing(question, as_(Role.STEWARD), limit=10)
            asked.count(question, as_(Role.STEWARD))
        permitted = who.may(Permission.LISTINGS) and (not clear or who.may(Permission.PERSONAL))
        for question in all_listings(asked, clear=clear):
            assert is_refused(lambda question=question: asked.listing(question, who)) is not permitted
            assert is_refused(lambda question=question: asked.listing(question, who, limit=10)) is not permitted
            assert is_refused(lambda question=question: asked.count(question, who)) is not permitted
        overdue = ListingQuestion(asked.state().catalogue.listing("overdue_customers"), PERIOD, clear=clear)
        assert is_refused(lambda overdue=overdue: asked.withheld(overdue, who)) is not permitted


def test_a_role_that_does_not_permit_numbers_is_given_none_now_ahead_or_as_text(
    duckdb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "PERMITTED", {Role.AUDITOR: {Permission.JOURNAL}, Role.ANALYST: {Permission.NUMBERS}})
    auditor, analyst = as_(Role.AUDITOR), as_(Role.ANALYST)
    with closing(Warehouse(duckdb_url)) as warehouse:
        question = Question((warehouse.state().catalogue.measure("signed"),), PERIOD)
        warehouse.fetch_ahead([question], auditor)
        warehouse._ahead.shutdown()
        assert not len(warehouse._answers)
        assert warehouse.fetch(question, analyst)["signed"].tolist() == [11]
        assert is_refused(lambda: warehouse.fetch(question, auditor))
        assert is_refused(lambda: warehouse.sql(question, auditor))
        assert is_refused(lambda: warehouse.events(PERIOD, "1", (), auditor))


def test_no_statement_is_written_for_who_may_not_see_what_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PERMITTED", {Role.STEWARD: frozenset()})
    nobody = as_(Role.STEWARD)
    asked = ListingQuestion(LISTINGS["overdue_customers"], PERIOD)
    assert is_refused(lambda: statement(Question((MEASURES["signed"],), PERIOD), nobody, GIVEN))
    assert is_refused(lambda: event_statement(PERIOD, "1", (), nobody, GIVEN, by_product=True))
    for write in (listing_statement, listing_count, withheld_count):
        assert is_refused(lambda write=write: write(asked, nobody, GIVEN))


def test_a_statement_without_a_viewer_does_not_run(duckdb_warehouse: Warehouse) -> None:
    asked = branch_statement(viewer("12"), GIVEN)
    text, parameters = duckdb_warehouse._compiled(asked.select)
    assert "12" not in text
    with pytest.raises(Exception, match="viewer_path"):
        parameters({})


def test_names_and_ids_of_a_reader_are_parameters_and_never_text(duckdb_warehouse: Warehouse) -> None:
    nasty = "'; DROP TABLE contracts; --"
    chosen = {"product": (nasty,), "outlet": (nasty,)}
    assert ask(duckdb_warehouse, "signed", chosen=chosen, branch=nasty)["signed"].tolist() == [0]
    assert ask(duckdb_warehouse, "signed")["signed"].tolist() == [11]
