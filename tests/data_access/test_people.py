"""Who is let in, and with what: whatever the bank has written of its people, nobody is given more than each entry for them grants."""

from __future__ import annotations

import logging
import os
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from data_access import warehouse as module
from data_access.__main__ import main
from data_access.access import PERMITTED, Permission, Role, Viewer
from data_access.people import (
    Entry,
    Identity,
    NotLetIn,
    NotPermitted,
    PeopleError,
    Rules,
    identity_of_claims,
    identity_of_headers,
    narrowed,
    rules_of,
    view_as,
    viewer_of,
    viewer_without_sign_in,
)
from data_access.settings import ROOT, Access, Several, settings
from data_access.warehouse import Warehouse
from tests import bank

TREE = {row["branch_id"]: row["path"] for row in bank.BANK["branches"]}
PROXY = """
addresses = ["127.0.0.1/32"]
secret_header = "X-Secret"
person_header = "X-Person"
name_header = "X-Name"
groups_header = "X-Groups"
"""


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Access:
    """What an installation says whose proxy signs people in, and whose access.toml does not exist yet."""
    for name in ("WAREHOUSE_URL", "JOURNAL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHBOARD_PROXY_SECRET", "s" * 32)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[warehouse]\nurl = "duckdb:///warehouse.duckdb"\n[access]\nmode = "proxy"\n[access.proxy]\n{PROXY}', "utf-8"
    )
    monkeypatch.setenv("DASHBOARD_CONFIG", str(config))
    return settings().access


@pytest.fixture
def source(own_file: Path) -> Iterator[Warehouse]:
    found = Warehouse(f"duckdb:///{own_file}")
    yield found
    found.close()


@pytest.fixture
def written(access: Access, source: Warehouse) -> Callable[..., Rules]:
    """Writes access.toml and reads it."""

    def write(text: str, **changed: object) -> Rules:
        access.people.write_text(text, "utf-8")
        return rules_of(replace(access, **changed), source)

    return write


def person(who: str, role: str = "branch manager", branch: str = "12", agent: str = "") -> Entry:
    return Entry(False, who, role, branch, agent)


def group(who: str, role: str = "branch manager", branch: str = "12", agent: str = "") -> Entry:
    return Entry(True, who, role, branch, agent)


def seen_by(identity: Identity, *entries: Entry, several: Several = Several.MOST_RESTRICTIVE) -> Viewer | NotLetIn:
    return viewer_of(identity, Rules(entries, several), TREE)


LI = Identity("li@bank.cn", "Li", frozenset({"managers", "analysts"}))


# Who somebody is ------------------------------------------------------------------------------------------------------


def test_claims_name_a_person_and_their_groups(access: Access) -> None:
    claims = {"sub": "17", "email": "Li@Bank.cn", "name": "Li Wei", "groups": ["a", "b"], "email_verified": True}
    assert identity_of_claims(claims, access) == Identity("li@bank.cn", "Li Wei", frozenset({"a", "b"}))
    by_subject = replace(access, person_claim="sub", groups_claim="roles")
    assert identity_of_claims(claims | {"roles": "one"}, by_subject) == Identity("17", "Li Wei", frozenset({"one"}))
    assert identity_of_claims({"email": "li@bank.cn", "groups": None}, access) == Identity("li@bank.cn", "li@bank.cn")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": ""},
        {"email": None},
        {"email": ["li@bank.cn"]},
        {"email": " li@bank.cn"},
        {"email": "li@bank.cn\u200b"},
        {"email": "li@bank.cn", "email_verified": False},
        {"email": "li@bank.cn", "email_verified": "false"},
        {"email": "li@bank.cn", "email_verified": None},
        {"email": "li@bank.cn", "groups": {"a": 1}},
        {"email": "li@bank.cn", "groups": ["a", {"name": "b"}]},
        {"email": "li@bank.cn", "groups": 7},
        {"email": "li@bank.cn", "_claim_names": {"groups": "src1"}},
    ],
)
def test_claims_that_do_not_say_surely_who_somebody_is_let_nobody_in(access: Access, claims: dict) -> None:
    assert isinstance(identity_of_claims(claims, access), NotLetIn)


def test_an_id_that_is_no_email_needs_no_verified_one(access: Access) -> None:
    claims = {"sub": "17", "email": "boss@bank.cn", "email_verified": False}
    assert identity_of_claims(claims, replace(access, person_claim="sub")).person == "17"


def test_headers_name_a_person_and_their_groups(access: Access) -> None:
    as_sent = "个金部".encode().decode("latin-1")  # how HTTP hands on bytes
    headers = [("x-person", "Li@Bank.cn"), ("X-NAME", "Li"), ("x-groups", f"a, {as_sent},"), ("x-groups", "b")]
    found = identity_of_headers(headers, access.proxy)
    assert found == Identity("li@bank.cn", "Li", frozenset({"a", "b", "个金部"}))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("x-person", "")],
        [("x-name", "li@bank.cn")],
        # One of them is what the browser has sent.
        [("x-person", "boss@bank.cn"), ("x-person", "li@bank.cn")],
        [("x-person", "li@bank.cn\u202e")],
    ],
)
def test_headers_that_do_not_say_surely_who_somebody_is_let_nobody_in(access: Access, headers: list) -> None:
    assert isinstance(identity_of_headers(headers, access.proxy), NotLetIn)


@pytest.mark.parametrize(
    "other",
    ["Kim@bank.cn", "kim@banK.cn".replace("K", "\u212a"), "kım@bank.cn", "kіm@bank.cn", "ｋim@bank.cn", "kim＠bank.cn"],
)
def test_an_email_that_only_looks_the_same_is_another(other: str) -> None:
    found = seen_by(Identity(other, "Kim"), person("kim@bank.cn"))
    assert isinstance(found, Viewer) == (other == "Kim@bank.cn")


def test_a_kelvin_sign_and_a_long_s_are_no_letters_of_somebody_elses_address() -> None:
    assert "\u212a".lower() == "k" and "ſ".casefold() == "s"  # what Python's own comparison would make of them
    assert isinstance(seen_by(Identity("\u212aim@bank.cn", "?"), person("kim@bank.cn")), NotLetIn)
    assert isinstance(seen_by(Identity("ſue@bank.cn", "?"), person("sue@bank.cn")), NotLetIn)


def test_ids_and_groups_are_compared_letter_by_letter_and_never_with_one_another() -> None:
    assert isinstance(seen_by(Identity("u17", "?"), person("U17")), NotLetIn)
    assert isinstance(seen_by(LI, group("Managers")), NotLetIn)
    assert isinstance(seen_by(Identity("managers", "?"), group("managers")), NotLetIn)
    assert isinstance(seen_by(Identity("group:managers", "?"), group("managers")), NotLetIn)
    assert isinstance(seen_by(LI, person("managers")), NotLetIn)


# What they may see ----------------------------------------------------------------------------------------------------


def test_whom_no_entry_names_sees_nothing() -> None:
    assert isinstance(seen_by(LI), NotLetIn)
    assert isinstance(seen_by(LI, person("wang@bank.cn"), group("tellers")), NotLetIn)
    assert isinstance(seen_by(Identity("li@bank.cn", "Li", frozenset({""})), group("x")), NotLetIn)


def test_one_entry_gives_what_it_says() -> None:
    assert seen_by(LI, person("LI@bank.cn")) == Viewer("li@bank.cn", "12", Role.MANAGER)
    assert seen_by(LI, group("analysts", "head office analyst", "1")) == Viewer("li@bank.cn", "1", Role.ANALYST)
    assert seen_by(LI, person("li@bank.cn", "agent", "1210", "a1")) == Viewer("li@bank.cn", "1210", Role.AGENT, "a1")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (person("li@bank.cn", "manager"), "branch manager"),
        (person("li@bank.cn", ""), "branch manager"),
        (person("li@bank.cn", "visitor"), "branch manager"),
        (person("li@bank.cn", branch="99"), "'99'"),
        (person("li@bank.cn", branch=""), "''"),
        (person("li@bank.cn", "agent"), "agent id"),
        (person("li@bank.cn", "agent", agent=" "), "agent id"),
        (person("li@bank.cn", agent="a1"), "agent id"),
        (person("li@bank.cn", agent=" "), "agent id"),
    ],
)
def test_an_entry_that_cannot_be_followed_shuts_out_whom_it_names_and_nobody_else(entry: Entry, named: str) -> None:
    found = seen_by(LI, entry, group("managers"))
    assert isinstance(found, NotLetIn) and named in found.reason and "li@bank.cn" in found.reason
    assert isinstance(seen_by(Identity("wang@bank.cn", "Wang", LI.groups), entry, group("managers")), Viewer)


def test_of_several_entries_the_least_role_and_the_lowest_branch_hold_together() -> None:
    found = seen_by(LI, group("managers", "branch manager", "121"), group("analysts", "head office analyst", "1"))
    assert found == Viewer("li@bank.cn", "121", Role.ANALYST)


def test_an_agent_stays_an_agent_whatever_else_the_person_is() -> None:
    found = seen_by(LI, person("li@bank.cn", "agent", "12", "a1"), group("managers", "branch manager", "1210"))
    assert found == Viewer("li@bank.cn", "1210", Role.AGENT, "a1")


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        # 12 is the beginning of 120, and not above it.
        ([group("managers", branch="12"), group("analysts", branch="120")], ["12", "120", "do not lie below"]),
        ([group("managers", "branch manager"), group("analysts", "auditor")], ["auditor", "branch manager"]),
        ([group("managers", "team leader"), group("analysts", "auditor")], ["team leader"]),
        ([group("managers", "agent", "12", "a1"), person("li@bank.cn", "agent", "12", "a2")], ["2 agents"]),
    ],
)
def test_entries_that_have_nothing_in_common_let_nobody_in_and_say_what_to_write(entries: list, named: list) -> None:
    found = seen_by(LI, *entries)
    assert isinstance(found, NotLetIn)
    for part in [*named, "person first"]:
        assert part in found.reason


def test_a_persons_own_entry_holds_instead_of_the_groups_where_the_settings_say_so() -> None:
    entries = (person("li@bank.cn", "data steward", "1"), group("managers", "team leader", "120"))
    assert seen_by(LI, *entries) == Viewer("li@bank.cn", "120", Role.LEADER)
    first = Several.PERSON_FIRST
    assert seen_by(LI, *entries, several=first) == Viewer("li@bank.cn", "1", Role.STEWARD)
    assert seen_by(LI, *entries[1:], several=first) == Viewer("li@bank.cn", "120", Role.LEADER)
    own = (*entries, person("li@bank.cn", "branch manager", "12"))
    assert seen_by(LI, *own, several=first) == Viewer("li@bank.cn", "12", Role.MANAGER)
    spoilt = (person("li@bank.cn", "no such role"), group("managers"))
    assert isinstance(seen_by(LI, *spoilt, several=first), NotLetIn)


def test_a_reader_is_told_whom_to_ask_and_the_log_why(caplog: pytest.LogCaptureFixture) -> None:
    refused = seen_by(Identity("li@bank.cn\nINFO all is well", "Li"))
    told = refused.for_a_reader("Wang Fang, tel. 17")
    assert "Wang Fang, tel. 17" in str(told) and "li@bank.cn" not in str(told)
    (logged,) = caplog.messages
    assert told.parts["reference"] in logged and "li@bank.cn" in logged and "\n" not in logged
    assert "whoever runs the dashboard" in str(refused.for_a_reader(""))


def test_groups_give_nobody_anything_who_does_not_sign_in_and_might_take_it_from_them() -> None:
    manager = Viewer("li@bank.cn", "12", Role.MANAGER)
    assert viewer_without_sign_in("Li@bank.cn", Rules((person("li@bank.cn"),)), TREE) == manager
    of_group = viewer_without_sign_in("li@bank.cn", Rules((group("managers"),)), TREE)
    assert "by themselves" in of_group.reason
    less = (person("li@bank.cn"), group("analysts", "head office analyst", "1"))
    refused = viewer_without_sign_in("li@bank.cn", Rules(less), TREE)
    assert "analysts" in refused.reason and 'several = "person first"' in refused.reason
    assert viewer_without_sign_in("li@bank.cn", Rules(less, Several.PERSON_FIRST), TREE) == manager
    as_much = (person("li@bank.cn"), group("managers", branch="1"))
    assert viewer_without_sign_in("li@bank.cn", Rules(as_much), TREE) == manager


def test_a_viewer_is_held_to_a_branch_at_or_below_their_own_whatever_their_role() -> None:
    leader = Viewer("li@bank.cn", "12", Role.LEADER)
    assert narrowed(leader, "1210", TREE) == Viewer("li@bank.cn", "1210", Role.LEADER)
    for branch in ("1", "120", "gone"):
        with pytest.raises(NotPermitted):
            narrowed(leader, branch, TREE)


# Any people, any rules, any tree --------------------------------------------------------------------------------------

CODES = ("1", "12", "120", "1200", "2", "1_", "1%")
AGENTS = ("a1", "a2")
PERSONS = ("li@bank.cn", "Li@Bank.cn", "\u212aim@bank.cn", "kim@bank.cn", "u17", "U17", "group:a", "a")
GROUPS = ("a", "A", "b", "group:a")
Parents = dict[str, str | None]


@st.composite
def parents(draw: st.DrawFn) -> Parents:
    """The branches of a random tree with the branch above each."""
    found: Parents = {}
    for code in draw(st.permutations(CODES))[: draw(st.integers(1, len(CODES)))]:
        found[code] = draw(st.sampled_from(sorted(found))) if found else None
    return found


def line_up(branch: str, above: Parents) -> list[str]:
    return [branch, *(line_up(above[branch], above) if above[branch] else [])]


def paths(above: Parents) -> dict[str, str]:
    return {code: ".".join(reversed(line_up(code, above))) + "." for code in above}


ROLES = [role.value for role in Role if role is not Role.VISITOR]
entries_ = st.lists(
    st.booleans().flatmap(
        lambda is_group: st.builds(
            lambda who, role, branch, agent, odd: Entry(
                is_group, who, role, branch, agent if (role == "agent") != (odd == 0) else ""
            ),
            st.sampled_from(GROUPS if is_group else PERSONS),
            st.sampled_from([*ROLES, *ROLES, *ROLES, *["agent"] * 6, "visitor", "manager", ""]),
            st.sampled_from([*CODES, ""]),
            st.sampled_from(AGENTS),
            st.integers(0, 20),
        )
    ),
    max_size=6,
)
identities = st.builds(
    Identity, st.sampled_from(PERSONS), st.just("?"), st.frozensets(st.sampled_from(GROUPS), max_size=len(GROUPS))
)


def compared(who: str) -> str:
    return "".join(sign.lower() if sign in string.ascii_uppercase else sign for sign in who) if "@" in who else who


def holding(identity: Identity, entries: list[Entry], several: Several) -> list[Entry]:
    own = [e for e in entries if not e.is_group and compared(e.who) == compared(identity.person)]
    of_groups = [e for e in entries if e.is_group and e.who in identity.groups]
    return own if several is Several.PERSON_FIRST and own else own + of_groups


def rows_of(branch: str, agent: str | None, above: Parents) -> set[tuple[str, str]]:
    """Which rows lie below the branch, each booked by an agent at a branch; of one agent alone, if there is one."""
    below = [code for code in above if branch in line_up(code, above)]
    return {(code, owner) for code in below for owner in AGENTS if not agent or owner == agent}


def granted_by(entry: Entry, above: Parents) -> tuple[set[Permission], set[tuple[str, str]]] | None:
    """What one entry grants by itself; None where it cannot be followed."""
    if entry.role not in ROLES or entry.branch_id not in above or (entry.role == "agent") == (entry.agent_id == ""):
        return None
    return set(PERMITTED[Role(entry.role)]), rows_of(entry.branch_id, entry.agent_id, above)


@examples(max_examples=400, deadline=None)
@given(identities, entries_, parents(), st.sampled_from(Several), st.randoms())
def test_whatever_is_written_a_person_is_granted_what_all_entries_for_them_have_in_common(
    identity: Identity, entries: list[Entry], above: Parents, several: Several, random
) -> None:
    found = viewer_of(identity, Rules(tuple(entries), several), paths(above))
    names = holding(identity, entries, several)
    grants = [granted_by(entry, above) for entry in names]
    if not names or None in grants:
        assert isinstance(found, NotLetIn)
        return
    permissions = set.intersection(*(permitted for permitted, _ in grants))
    rows = set.intersection(*(rows for _, rows in grants))
    # What all have in common is granted where it is what one role permits and nobody has to choose a branch or an agent.
    if isinstance(found, Viewer):
        assert set(PERMITTED[found.role]) == permissions
        assert rows_of(found.branch_id, found.agent_id, above) == rows
        assert found.person == compared(identity.person)
    else:
        assert not rows or all(set(PERMITTED[Role(entry.role)]) != permissions for entry in names)
    shuffled = random.sample(entries, len(entries))
    again = viewer_of(identity, Rules(tuple(shuffled), several), paths(above))
    assert again == found


@examples(max_examples=400, deadline=None)
@given(identities, entries_, parents(), st.sampled_from(Several))
def test_who_is_sent_something_without_signing_in_gets_what_they_would_see_in_whatever_groups_they_are(
    identity: Identity, entries: list[Entry], above: Parents, several: Several
) -> None:
    rules, tree = Rules(tuple(entries), several), paths(above)
    sent = viewer_without_sign_in(identity.person, rules, tree)
    alone = viewer_of(replace(identity, groups=frozenset()), rules, tree)
    assert isinstance(sent, NotLetIn) or sent == alone == viewer_of(identity, rules, tree)
    if isinstance(sent, NotLetIn) and isinstance(alone, Viewer):
        in_one = [viewer_of(replace(identity, groups=frozenset({g})), rules, tree) for g in GROUPS]
        assert any(found != alone for found in in_one)  # nobody goes without for nothing


@examples(max_examples=200, deadline=None)
@given(identities, entries_, entries_, parents())
def test_another_entry_never_gives_anybody_more(
    identity: Identity, entries: list[Entry], more: list[Entry], above: Parents
) -> None:
    before = viewer_of(identity, Rules(tuple(entries)), paths(above))
    after = viewer_of(identity, Rules(tuple(entries + more)), paths(above))
    if isinstance(after, Viewer) and holding(identity, entries, Several.MOST_RESTRICTIVE):
        assert isinstance(before, Viewer)
        assert PERMITTED[after.role] <= PERMITTED[before.role]
        rows = (rows_of(found.branch_id, found.agent_id, above) for found in (after, before))
        assert set.issubset(*rows)


# Looking as from another branch ---------------------------------------------------------------------------------------


def test_whoever_may_looks_as_from_a_branch_below_and_stays_who_they_are() -> None:
    manager = Viewer("li@bank.cn", "12", Role.MANAGER)
    assert view_as(manager, "1210", TREE) == Viewer("li@bank.cn", "1210", Role.MANAGER)
    assert view_as(manager, "12", TREE) == manager


@pytest.mark.parametrize("branch", ["1", "120", "13", "1200", "99", "", "1.12.", "12%"])
def test_nobody_looks_as_from_a_branch_above_beside_or_unknown(branch: str) -> None:
    with pytest.raises(NotPermitted):
        view_as(Viewer("li@bank.cn", "12", Role.MANAGER), branch, TREE)


def test_a_viewer_whose_branch_is_gone_looks_from_nowhere() -> None:
    with pytest.raises(NotPermitted):
        view_as(Viewer("li@bank.cn", "gone", Role.MANAGER), "1", TREE)


@pytest.mark.parametrize("role", [role for role in Role if Permission.VIEW_AS not in PERMITTED[role]])
def test_a_role_that_does_not_permit_it_looks_from_its_own_branch_alone(role: Role) -> None:
    viewer = Viewer("li@bank.cn", "12", role, "a1" if role is Role.AGENT else None)
    with pytest.raises(NotPermitted):
        view_as(viewer, "1210", TREE)


# What is said of people -----------------------------------------------------------------------------------------------

ONE = '[[viewers]]\nperson = "Li@bank.cn"\nrole = "branch manager"\nbranch = "12"\n'


def test_the_file_names_persons_groups_and_agents(written) -> None:
    rules = written(
        "\ufeff" + ONE + '[[viewers]]\ngroup = "主管"\nrole = "agent"\nbranch = "1210"\nagent = "a1"',
        several=Several.PERSON_FIRST,
    )
    assert set(rules.entries) == {person("Li@bank.cn"), group("主管", "agent", "1210", "a1")}
    assert rules.several is Several.PERSON_FIRST


def test_the_example_can_be_followed(written) -> None:
    rules = written((ROOT / "access.example.toml").read_text("utf-8"))
    assert {Role(entry.role) for entry in rules.entries} == {Role.ANALYST, Role.MANAGER, Role.AGENT}
    assert rules.faults(TREE) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[viewers]", "cannot be read"),
        ("[viewers]\nperson = 'li'", "[[viewers]]"),
        ("viewers = 3", "[[viewers]]"),
        (ONE + "[[people]]", "[[viewers]]"),
        (ONE + "[[viewers]]\nperson = 'wang'\nrole = 'auditor'\nbranch = 12", "entry 2"),
        (ONE + "[[viewers]]\nperson = 'wang'\nroles = 'auditor'\nbranch = '12'", "entry 2"),
        (ONE + "[[viewers]]\nrole = 'auditor'\nbranch = '12'", "entry 2"),
        (ONE + "[[viewers]]\nperson = 'wang'\ngroup = 'a'\nrole = 'auditor'\nbranch = '12'", "entry 2"),
        (ONE + "[[viewers]]\nperson = ''\nrole = 'auditor'\nbranch = '12'", "entry 2"),
        (ONE + "[[viewers]]\ngroup = ''\nrole = 'auditor'\nbranch = '12'", "entry 2"),
        (ONE + "[[viewers]]\ngroup = 'a '\nrole = 'auditor'\nbranch = '12'", "entry 2"),
        ("viewers = ['li@bank.cn']", "entry 1"),
    ],
)
def test_a_file_of_which_nobody_can_tell_whom_it_means_lets_nobody_in(written, text: str, named: str) -> None:
    with pytest.raises(PeopleError, match="nobody is let in") as told:
        written(text)
    assert "access.toml" in str(told.value) and named in str(told.value)


def test_a_change_holds_at_once_even_one_of_the_same_size_and_the_same_time(written, access: Access) -> None:
    before = written(ONE)
    stamp = access.people.stat()
    access.people.write_text(ONE.replace('"12"', '"13"'), "utf-8")
    os.utime(access.people, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert access.people.stat().st_size == stamp.st_size
    after = written(access.people.read_text("utf-8"))
    assert [entry.branch_id for entry in (*before.entries, *after.entries)] == ["12", "13"]


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b"\xff"), lambda path: path.write_text("[[")]
)
def test_what_was_said_before_does_not_hold_on_when_the_file_cannot_be_read(
    written, access: Access, source: Warehouse, spoil: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    assert written(ONE).entries
    spoil(access.people)
    with pytest.raises(PeopleError) as told:
        rules_of(access, source)
    reader = told.value.for_a_reader()
    assert "access.toml" not in str(reader)
    assert caplog.record_tuples == [
        ("data_access.settings", logging.ERROR, f"{reader.parts['reference']}: {told.value}")
    ]
    assert written(ONE).entries  # and it is read again as soon as it can be


def in_warehouse(*rows: tuple[str | None, ...]) -> dict[str, bank.Rows]:
    names = ("person", "role", "branch_id", "agent_id")
    return bank.BANK | {"viewers": [dict(zip(names, row, strict=True)) for row in rows]}


MANAGER = ("li@bank.cn", "branch manager", "12", None)
AGENT = ("group:tellers", "agent", "1210", "a1")


def test_the_warehouse_names_persons_groups_and_agents_and_a_new_load_holds_at_once(
    access: Access, source: Warehouse, own_file: Path
) -> None:
    bank.write_duckdb(in_warehouse(MANAGER, AGENT), own_file)
    said = replace(access, people=None)
    assert set(rules_of(said, source).entries) == {person("li@bank.cn"), group("tellers", "agent", "1210", "a1")}
    bank.write_duckdb(in_warehouse(AGENT), own_file)
    assert isinstance(viewer_of(LI, rules_of(said, source), TREE), NotLetIn)


def test_a_warehouse_without_agent_ids_names_all_others(access: Access, source: Warehouse, own_file: Path) -> None:
    bank.write_duckdb(in_warehouse(MANAGER, AGENT), own_file)
    engine = sa.create_engine(f"duckdb:///{own_file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE viewers DROP agent_id")
    engine.dispose()
    rules = rules_of(replace(access, people=None), source)
    assert isinstance(viewer_of(LI, rules, TREE), Viewer)
    assert isinstance(viewer_of(Identity("wu", "Wu", frozenset({"tellers"})), rules, TREE), NotLetIn)


@pytest.mark.parametrize("nobody", ["", " ", "group:", "group: a", "li@bank.cn "])
def test_a_row_that_names_nobody_lets_nobody_in(access: Access, source: Warehouse, own_file: Path, nobody: str) -> None:
    bank.write_duckdb(in_warehouse(MANAGER, (nobody, "auditor", "1", None)), own_file)
    with pytest.raises(PeopleError, match="nobody is let in"):
        rules_of(replace(access, people=None), source)


def test_a_warehouse_that_does_not_say_who_may_see_what_lets_nobody_in(
    access: Access, source: Warehouse, own_file: Path
) -> None:
    bank.write_duckdb({name: rows for name, rows in bank.BANK.items() if name != "viewers"}, own_file)
    with pytest.raises(PeopleError, match="no table viewers"):
        rules_of(replace(access, people=None), source)


@pytest.mark.postgres
def test_a_row_taken_from_a_server_holds_without_a_new_load(
    access: Access, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.LOOK_AGAIN_SECONDS < 10
    name = f"dashboard_people_{os.getpid()}"
    server = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    source = Warehouse(url)
    try:
        bank.write_postgres(in_warehouse(MANAGER), engine)
        said = replace(access, people=None)
        version = source.state().version
        assert isinstance(viewer_of(LI, rules_of(said, source), TREE), Viewer)
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM viewers")
        now = module.time.monotonic()
        monkeypatch.setattr(module.time, "monotonic", lambda: now + module.LOOK_AGAIN_SECONDS + 1)
        assert isinstance(viewer_of(LI, rules_of(said, source), TREE), NotLetIn)
        assert source.state().version == version
    finally:
        source.close()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_check_says_who_would_not_be_let_in(
    written, own_file: Path, capsys: pytest.CaptureFixture[str], access: Access
) -> None:
    url = f"duckdb:///{own_file}"
    written(ONE)
    main(["check", "--url", url])
    assert "Not let in" not in capsys.readouterr().out
    wu = "[[viewers]]\nperson = 'wu'\nrole = 'auditor'\nbranch = '99'\n"
    written(ONE + ONE.replace('"12"', '"13"') + wu)
    assert main(["check", "--url", url]) == 1
    _, _, said = capsys.readouterr().out.partition("Not let in:\n")
    both, unknown = said.splitlines()
    assert "Li@bank.cn" in both and "12 and 13" in both
    assert "wu" in unknown and "'99'" in unknown
    access.people.unlink()
    assert main(["check", "--url", url]) == 1
    assert "access.example.toml" in capsys.readouterr().out


def test_the_readme_shows_what_each_role_permits() -> None:
    roles = [role for role in Role if role is not Role.VISITOR]
    rows = [["role", *Permission], *([r, *("✓" if p in PERMITTED[r] else "" for p in Permission)] for r in roles)]
    shown = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        if line.startswith(tuple(f"| {first} |" for first in ("role", *roles)))
    ]
    assert shown == rows
