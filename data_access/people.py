"""Who may see what: from what the sign-in says of a person, and what the bank says of people, to a viewer or to a refusal."""

from __future__ import annotations

import logging
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from data_access.access import PERMITTED, Permission, Role, Viewer, lies_within
from data_access.settings import Access, Proxy, SettingsError, Several
from data_access.warehouse import Warehouse
from measures.model import _
from measures.question import Told
from measures.texts import printable

log = logging.getLogger(__name__)

GROUP = "group:"
"""How the table `viewers` marks a group among persons."""

_ROLES = {role.value: role for role in Role if role is not Role.VISITOR}
"""The roles that a person can be given; a visitor is whom nobody asked."""

_KEYS = {"person", "group", "role", "branch", "agent"}


class PeopleError(SettingsError):
    """Who may see what cannot be read, so nobody is let in. A sentence for the operator."""


class NotPermitted(Told):
    """A viewer asks for what their role does not permit."""


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the sign-in says.

    `person` is their id, and what is written into the journal; `name` is what they call themselves, and proves nothing.
    """

    person: str
    name: str
    groups: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.person:
            raise ValueError("An identity has a person.")
        object.__setattr__(self, "person", _same(self.person))


@dataclass(frozen=True)
class NotLetIn:
    """Why somebody is not let in: a sentence for the operator."""

    reason: str

    def for_a_reader(self, whom_to_ask: str) -> Told:
        """What the person is told; the log has the reason under the same reference."""
        reference = uuid.uuid4().hex[:8]
        log.warning("%s: %s", reference, self.reason)
        if not whom_to_ask:
            return Told(
                _("You may not see anything here yet. Ask whoever runs the dashboard: {reference}."),
                reference=reference,
            )
        return Told(
            _("You may not see anything here yet. Ask {whom}: {reference}."), whom=whom_to_ask, reference=reference
        )


@dataclass(frozen=True)
class Entry:
    """One line of who may see what: a person, or all of a group, has a role from a branch down. As it was written, unchecked."""

    is_group: bool
    who: str
    role: str
    branch_id: str
    agent_id: str = ""

    def __str__(self) -> str:
        return printable(f"{'group' if self.is_group else 'person'} {self.who!r}")

    def fault(self, tree: Mapping[str, str]) -> str | None:
        """What is wrong with it, or None. `tree` holds the paths of all branches by their ids."""
        if self.role not in _ROLES:
            return f"its role is {self.role!r}; the roles are {', '.join(_ROLES)}"
        if self.branch_id not in tree:
            return f"its branch is {self.branch_id!r}, which the warehouse does not know"
        if (_ROLES[self.role] is Role.AGENT) != bool(self.agent_id) or self.agent_id != self.agent_id.strip():
            return "an agent, and nobody else, has an agent id, without blanks around it"
        return None


@dataclass(frozen=True)
class Rules:
    """Who may see what, as it is said now. In which order does not matter."""

    entries: tuple[Entry, ...]
    several: Several = Several.MOST_RESTRICTIVE
    _by_who: Mapping[tuple[bool, str], tuple[Entry, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_who: dict[tuple[bool, str], tuple[Entry, ...]] = {}
        for entry in self.entries:
            who = entry.is_group, entry.who if entry.is_group else _same(entry.who)
            by_who[who] = (*by_who.get(who, ()), entry)
        object.__setattr__(self, "_by_who", by_who)

    def of(self, identity: Identity) -> tuple[Entry, ...]:
        """The entries that hold for a person."""
        own = self._by_who.get((False, identity.person), ())
        if own and self.several is Several.PERSON_FIRST:
            return own
        groups = (entry for group in sorted(identity.groups) for entry in self._by_who.get((True, group), ()))
        return (*own, *groups)

    @property
    def groups(self) -> list[str]:
        """The groups that an entry names."""
        return sorted(who for is_group, who in self._by_who if is_group)

    def faults(self, tree: Mapping[str, str]) -> list[str]:
        """Why those whom an entry names would not be let in, one sentence for each of them."""
        granted = (_granted(entries, tree) for entries in self._by_who.values())
        return [found for found in granted if isinstance(found, str)]


# Who somebody is ------------------------------------------------------------------------------------------------------


def identity_of_claims(claims: Mapping[str, object], access: Access) -> Identity | NotLetIn:
    """Who has signed in, by the claims of an OpenID provider, in those claims that the settings name.

    An e-mail that the provider has not verified says nothing: whoever may write their own could write another's. Nor do groups
    that the provider has left out because they are many: one of them might have restricted the person.
    """
    person = claims.get(access.person_claim)
    if not isinstance(person, str) or not _is_id(person):
        return NotLetIn(f"The provider gives no {access.person_claim!r}; [access] person_claim names the claim to use.")
    if access.person_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
        return NotLetIn(f"The provider has not verified the e-mail {printable(person)}.")
    groups = claims.get(access.groups_claim) or []
    groups = [groups] if isinstance(groups, str) else groups
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and access.groups_claim in elsewhere:
        return NotLetIn(f"The provider leaves out the groups of {printable(person)}, because they are too many.")
    if not isinstance(groups, list | tuple) or not all(isinstance(group, str) for group in groups):
        return NotLetIn(f"The claim {access.groups_claim!r} of {printable(person)} is no list of names.")
    name = claims.get("name")
    return Identity(person, printable(name) if isinstance(name, str) and name else person, frozenset(groups))


def identity_of_headers(headers: Iterable[tuple[str, str]], proxy: Proxy) -> Identity | NotLetIn:
    """Who has signed in, by the headers of a proxy; groups stand between commas. Only for a request that comes from the proxy:
    that its secret and its address are right is held elsewhere, before this is asked."""
    given: dict[str, list[str]] = {}
    for header, value in headers:
        given.setdefault(header.lower(), []).append(_decoded(value).strip())
    persons, names, groups = (
        given.get(header.lower(), []) for header in (proxy.person_header, proxy.name_header, proxy.groups_header)
    )
    if len(persons) != 1 or not _is_id(persons[0]):
        return NotLetIn(f"The proxy does not say once, and readably, in {proxy.person_header} who is looking.")
    listed = (group.strip() for value in groups for group in value.split(","))
    name = printable(names[0]) if len(names) == 1 else ""
    return Identity(persons[0], name or persons[0], frozenset(group for group in listed if group))


def _decoded(value: str) -> str:
    """A header's value as it was meant: bytes of UTF-8 that HTTP hands on as if they were Latin letters."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _is_id(person: str) -> bool:
    """Whether it can be an id: a blank or an unseen sign in it would make of one person two in the journal."""
    return bool(person) and person.isprintable() and person == person.strip()


def _same(person: str) -> str:
    """A person's id as it is compared: e-mails in small letters, but A–Z alone. Python's own would turn the sign K (kelvin) into
    k and ſ into s, so that one person's address became another's."""
    return person.translate(_SMALL) if "@" in person else person


_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


# What they may see ----------------------------------------------------------------------------------------------------


def viewer_of(identity: Identity, rules: Rules, tree: Mapping[str, str]) -> Viewer | NotLetIn:
    """What the person may see. `tree` holds the paths of all branches by their ids.

    Where several entries hold, the person may see what all of them grant: the role whose permissions all the others have too,
    and the lowest branch. Where there is no such role, or the branches do not lie below one another, they may see nothing.
    """
    entries = rules.of(identity)
    if not entries:
        return NotLetIn(f"No entry names {printable(identity.person)} or one of their groups.")
    granted = _granted(entries, tree)
    if isinstance(granted, str):
        return NotLetIn(f"{printable(identity.person)} is not let in. {granted}")
    return Viewer(identity.person, *granted)


def viewer_without_sign_in(person: str, rules: Rules, tree: Mapping[str, str]) -> Viewer | NotLetIn:
    """What the person may see whatever groups they are in: the sign-in alone says which, and nobody signs in to be sent something.

    So only entries for the person give anything, and where an entry for any group would leave them less, they get nothing: they
    may be in it.
    """
    identity = Identity(person, person)
    if not rules.of(identity):
        return NotLetIn(
            f"No entry names {printable(identity.person)} by themselves; groups are known at sign-in alone."
        )
    viewer = viewer_of(identity, rules, tree)
    if isinstance(viewer, Viewer):
        for group in rules.groups:
            if viewer_of(replace(identity, groups=frozenset({group})), rules, tree) != viewer:
                return NotLetIn(
                    f"{printable(identity.person)} would see less in the group {printable(group)}, and groups are known at sign-in "
                    'alone. Under [access] several = "person first" an entry for the person holds whatever their groups are.'
                )
    return viewer


def view_as(viewer: Viewer, branch_id: str, tree: Mapping[str, str]) -> Viewer:
    """The viewer as if their branch were `branch_id`, at or below their own; role and agent stay. Raises NotPermitted."""
    if not viewer.may(Permission.VIEW_AS):
        raise NotPermitted(_("Your role does not permit to look as from another branch."))
    return narrowed(viewer, branch_id, tree)


def narrowed(viewer: Viewer, branch_id: str, tree: Mapping[str, str]) -> Viewer:
    """The viewer held to `branch_id`, at or below their own: whoever sees a branch sees all below it. Raises NotPermitted."""
    if not lies_within(branch_id, viewer.branch_id, tree):
        raise NotPermitted(_("You may look as from your own branch or one below it; choose one of these."))
    return replace(viewer, branch_id=branch_id)


def _granted(entries: tuple[Entry, ...], tree: Mapping[str, str]) -> tuple[str, Role, str | None] | str:
    """The branch, role and agent that all of the entries grant, or a sentence that says why there are none."""
    for entry in entries:
        if fault := entry.fault(tree):
            return f"The entry for {entry} cannot be followed: {printable(fault)}."
    roles = {_ROLES[entry.role] for entry in entries}
    role = next((role for role in Role if role in roles and all(_within(role, other) for other in roles)), None)
    if role is None:
        listed = " and ".join(sorted(roles))
        return f"{_listed(entries)}: none of the roles {listed} permits only what the others permit too. {_WAY_OUT}"
    branches = {entry.branch_id for entry in entries}
    lowest = max(branches, key=lambda branch: len(tree[branch]))
    if not all(lies_within(lowest, branch, tree) for branch in branches):
        listed = " and ".join(sorted(branches))
        return f"{_listed(entries)}: the branches {printable(listed)} do not lie below one another. {_WAY_OUT}"
    agents = {entry.agent_id for entry in entries if entry.agent_id}
    if len(agents) > 1:
        return f"{_listed(entries)}: they name {len(agents)} agents, who have no customer in common. {_WAY_OUT}"
    return lowest, role, next(iter(agents), None)


def _within(role: Role, other: Role) -> bool:
    """Whether the role shows and permits nothing that the other does not: an agent's rows are fewer than anybody else's."""
    return PERMITTED[role] <= PERMITTED[other] and (role is Role.AGENT or other is not Role.AGENT)


def _listed(entries: tuple[Entry, ...]) -> str:
    return ", ".join(sorted({str(entry) for entry in entries}))


_WAY_OUT = 'Write one entry that holds alone, or an entry for the person and [access] several = "person first".'


# What is said of people -----------------------------------------------------------------------------------------------


def rules_of(access: Access, source: Warehouse) -> Rules:
    """Who may see what as the settings' source says it now: the file's content is looked at each time, the warehouse's table every
    few seconds. What cannot be read leaves nothing of what was said before. Raises PeopleError, WarehouseError."""
    if access.people is None:
        rows = source.viewers()
        if rows is None:
            raise PeopleError(
                '[access] people is "warehouse", but the warehouse has no table viewers with person, role and branch_id; '
                "“python -m data_access check” compares it with the contract."
            )
        return _rules_of_rows(rows, access.several)
    try:
        content = access.people.read_bytes()
    except OSError as error:
        raise PeopleError(
            f"{access.people} cannot be read ({error.strerror}), so nobody is let in; access.example.toml shows what it says."
        ) from None
    return _rules_in(content, access.people.name, access.several)


@lru_cache(maxsize=2)
def _rules_in(content: bytes, file: str, several: Several) -> Rules:
    try:
        said = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PeopleError(f"{file} cannot be read, so nobody is let in: {error}.") from None
    lines = said.pop("viewers", [])
    if said or not isinstance(lines, list):
        raise PeopleError(
            f"{file} holds entries that each begin with [[viewers]], and nothing else; so nobody is let in."
        )
    return Rules(tuple(_entry(line, f"{file}: entry {n}") for n, line in enumerate(lines, 1)), several)


def _entry(line: object, where: str) -> Entry:
    if not isinstance(line, dict) or set(line) - _KEYS or not all(isinstance(value, str) for value in line.values()):
        raise PeopleError(
            f"{where} has person or group, role, branch, and for an agent agent, each a text in quotes, and nothing else; so "
            "nobody is let in."
        )
    if ("person" in line) == ("group" in line):
        raise PeopleError(f"{where} names either a person or a group; so nobody is let in.")
    is_group = "group" in line
    who = _named(line["group" if is_group else "person"], where)
    return Entry(is_group, who, line.get("role", ""), line.get("branch", ""), line.get("agent", ""))


@lru_cache(maxsize=2)
def _rules_of_rows(rows: tuple[tuple[str, ...], ...], several: Several) -> Rules:
    found = []
    for person, role, branch_id, agent_id in rows:
        is_group = person.startswith(GROUP)
        who = _named(person.removeprefix(GROUP), f"A row of viewers with role {role!r} and branch_id {branch_id!r}")
        found.append(Entry(is_group, who, role, branch_id, agent_id))
    return Rules(tuple(found), several)


def _named(who: str, where: str) -> str:
    # An entry that is left out because nobody can tell whom it means might have restricted somebody.
    if not who or who != who.strip():
        raise PeopleError(f"{printable(where)} names nobody, or has blanks around the name; so nobody is let in.")
    return who
