"""Nobody is shown a row from outside the branch they look from, whatever they ask for and whoever asked before."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access.access import PERMITTED, VIEWER, Permission, Role, Viewer
from data_access.sql import Given, branch_statement, listing_count, listing_statement, statement
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
        found = Warehouse(f"duckdb:///{path}")
        yield found
        found.close()


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


@pytest.mark.parametrize("name", ["fetch", "listing", "count", "branches", "sql"])
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
