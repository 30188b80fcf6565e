"""Who is looking, what their role permits, and the one rule that says which rows they may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, String, and_, bindparam, false

from measures.dimensions import lies_below
from measures.model import _
from measures.question import Told
from measures.schema import LEVELS

VIEWER = bindparam("viewer_path", type_=String)
"""The path of the viewer's branch; without a value for it no statement runs, and for null none gives a row."""

AGENT = bindparam("viewer_agent", type_=String)
"""The viewer's own id as an agent, in the statements of those who are held to their own customers."""


class Refused(Told):
    """What the viewer's role does not permit."""


class Permission(StrEnum):
    """What a role may permit. What no role of a viewer names is not permitted."""

    NUMBERS = "see numbers"
    LISTINGS = "see listings"
    PERSONAL = "see personal data"
    EXPORT_NUMBERS = "export numbers"
    EXPORT_LISTINGS = "export listings"
    EXPORT_PERSONAL = "export personal data"
    LISTS = "manage lists"
    JOURNAL = "read the journal"
    VIEW_AS = "look as from a branch below"
    MEETINGS = "hold meetings"


class Role(StrEnum):
    """What a person is to the dashboard: a set of permissions by name."""

    VISITOR = "visitor"
    """Whoever opens a demo bank, or data that everybody may see: there is nobody to protect."""
    ANALYST = "head office analyst"
    MANAGER = "branch manager"
    LEADER = "team leader"
    AGENT = "agent"
    """Sees the own customers alone."""
    STEWARD = "data steward"
    AUDITOR = "auditor"


_P = Permission
PERMITTED = MappingProxyType(
    {
        Role.VISITOR: frozenset(Permission) - {_P.JOURNAL, _P.PERSONAL, _P.EXPORT_PERSONAL},
        Role.ANALYST: frozenset({_P.NUMBERS, _P.EXPORT_NUMBERS}),
        Role.MANAGER: frozenset(
            {
                _P.NUMBERS,
                _P.LISTINGS,
                _P.PERSONAL,
                _P.EXPORT_NUMBERS,
                _P.EXPORT_LISTINGS,
                _P.VIEW_AS,
                _P.MEETINGS,
            }
        ),
        Role.LEADER: frozenset({_P.NUMBERS, _P.LISTINGS, _P.PERSONAL, _P.EXPORT_NUMBERS, _P.MEETINGS}),
        Role.AGENT: frozenset({_P.NUMBERS, _P.LISTINGS, _P.PERSONAL}),
        Role.STEWARD: frozenset(Permission) - {_P.JOURNAL},
        Role.AUDITOR: frozenset({_P.NUMBERS, _P.JOURNAL}),
    }
)
"""What each role permits. Only the steward takes personal data out of the house; only the auditor reads who did. Who holds meetings
may see listings: a meeting keeps the numbers of few customers too, which are withheld from others."""


@dataclass(frozen=True)
class Viewer:
    """A person, the branch from which down they may see, and their role. There is no viewer without all three.

    `agent_id`: whose customers alone they may see, of those at or below the branch; a viewer whose role is agent has one.
    """

    person: str
    branch_id: str
    role: Role
    agent_id: str | None = None

    def __post_init__(self) -> None:
        if not self.person or not self.branch_id:
            raise ValueError("A viewer has a name and a branch; got " + repr(self))
        if not isinstance(self.role, Role):
            raise ValueError("A viewer has a role that is known; got " + repr(self))
        if (self.role is Role.AGENT) != bool(self.agent_id):
            raise ValueError("An agent, and nobody else, is held to the own customers; got " + repr(self))

    def may(self, permission: Permission) -> bool:
        """Whether the viewer's role permits it."""
        return permission in PERMITTED[self.role]


_REFUSED = {
    Permission.NUMBERS: _("Your role does not permit you to see numbers. Ask whoever gives out the roles."),
    Permission.LISTINGS: _("Your role does not permit you to see listings. Ask whoever gives out the roles."),
    Permission.PERSONAL: _(
        "Your role does not permit you to see personal data unmasked. Look at them masked, or ask whoever gives out the roles."
    ),
    Permission.JOURNAL: _("Your role does not permit you to read the journal. Ask whoever gives out the roles."),
    Permission.MEETINGS: _("Your role does not permit you to hold meetings. Ask whoever gives out the roles."),
}


def lies_within(branch_id: str, top: str, tree: Mapping[str, str]) -> bool:
    """Whether a branch is `top` or lies below it, by the paths of the tree; one that the tree does not know does neither."""
    path, above = tree.get(branch_id), tree.get(top)
    return path is not None and above is not None and path.startswith(above)


def demand(viewer: Viewer, permission: Permission) -> None:
    """Raises Refused where the viewer's role does not permit it."""
    if not viewer.may(permission):
        raise Refused(_REFUSED[permission])


def visible(path: ColumnElement[str], agent: ColumnElement[str] | None, *, held: bool) -> ColumnElement[bool]:
    """The condition on a row booked at the branch of that path under which the viewer may see it: at or below their own, and for
    a viewer who is `held` to their own customers, with their own id in `agent`.

    A branch that the warehouse does not know has no path, so its viewer sees nothing. A row with nothing in `agent`, and any
    row where there is no `agent`, is nobody's: who is held sees none of them.
    """
    return own(lies_below(path, VIEWER), agent, held=held)


def own(there: ColumnElement[bool], agent: ColumnElement[str] | None, *, held: bool) -> ColumnElement[bool]:
    """`visible`, where `there` says that a row is booked at or below the viewer's branch."""
    if not held:
        return there
    return false() if agent is None else and_(there, agent == AGENT)


def unsound(tree: Iterable[tuple[str, str | None, str, str]]) -> str | None:
    """A branch by which nobody could be told what is theirs, or None. `tree` holds branch_id, parent_id, level and path.

    Each code is there once and holds no full stop, each path is that of the parent and the own code, each level is known.
    """
    rows = list(tree)
    paths = {code: path for code, _parent, _level, path in rows}
    times = Counter(code for code, *_ in rows)
    for code, parent, level, path in rows:
        if (
            not isinstance(code, str)
            or times[code] > 1
            or "." in code
            or level not in LEVELS
            or path != f"{paths.get(parent, '')}{code}."
        ):
            return code
    return None
