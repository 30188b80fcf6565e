"""A desk where nobody visits: what a command works with that makes files in somebody's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from data_access.access import Permission, Viewer
from data_access.journal import journal_of
from data_access.people import narrowed
from data_access.settings import Settings
from data_access.warehouse import Warehouse
from panels.desk import Desk
from presentation.charts import Look
from presentation.filters import filters_at, told_apart
from presentation.frame import places_of, scope
from presentation.words import words


def desk_of(
    found: Settings,
    source: Warehouse,
    viewer: Viewer,
    reader: str,
    branch_id: str,
    language: str,
    address: Mapping[str, str],
    holds: Callable[[], bool] = lambda: True,
) -> Desk:
    """The desk of a viewer who looks at `branch_id`, at or below their own, under the filters of `address` (as in a page's, without
    branch and language).

    Who may see listings is held to that branch itself. To all others it is a filter, as on their pages: small numbers of
    customers are withheld from them by their whole branch, and two branches would together tell what each withholds. `holds` says
    whether they are still given their role and branch. Raises NotPermitted, WarehouseError.
    """
    state = source.state()
    at_branch = narrowed(viewer, branch_id, state.paths)
    if viewer.may(Permission.LISTINGS):
        viewer = at_branch
    say = words(language)
    places = places_of(source.branches(viewer))
    products = told_apart(dict(source.products()[["product_id", "name"]].itertuples(index=False)))
    return Desk(
        source,
        state,
        viewer,
        filters_at({**address, "branch": branch_id}, places, products, state.data_until, say),
        places,
        products,
        say,
        Look(language=language, dark=False),
        scope(places, viewer.branch_id, own=viewer.agent_id is not None, say=say),
        came_by_link=False,
        access=found.access,
        journal=journal_of(found.access),
        reader=reader,
        holds=holds,
        url=lambda: None,
    )
