"""Who is looking, and the one rule that says which rows they may see."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, bindparam

from measures.dimensions import subtree

VIEWER = bindparam("viewer_branch", type_=String)
"""The branch of the viewer; without a value for it no statement runs."""


@dataclass(frozen=True)
class Viewer:
    """A person and the branch from which down they may see. There is no viewer without a branch."""

    person: str
    branch_id: str

    def __post_init__(self) -> None:
        if not self.person or not self.branch_id:
            raise ValueError("A viewer has a name and a branch; got " + repr(self))


def visible(branch: ColumnElement) -> ColumnElement[bool]:
    """The condition on a row booked at `branch` under which the viewer may see it: at or below the viewer's own branch.

    A branch that the warehouse does not know has no sub-tree, so its viewer sees nothing.
    """
    return branch.in_(subtree([VIEWER]))
