"""Who is looking, and the one rule that says which rows they may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, bindparam

from measures.dimensions import lies_below
from measures.schema import LEVELS

VIEWER = bindparam("viewer_path", type_=String)
"""The path of the viewer's branch; without a value for it no statement runs, and for null none gives a row."""


@dataclass(frozen=True)
class Viewer:
    """A person and the branch from which down they may see. There is no viewer without a branch."""

    person: str
    branch_id: str

    def __post_init__(self) -> None:
        if not self.person or not self.branch_id:
            raise ValueError("A viewer has a name and a branch; got " + repr(self))


def visible(path: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition on a row booked at the branch of that path under which the viewer may see it: at or below their own.

    A branch that the warehouse does not know has no path, so its viewer sees nothing.
    """
    return lies_below(path, VIEWER)


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
