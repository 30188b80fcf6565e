"""Who is looking: what the sign-in says, held to what the list of sessions still lets through; and as whom they look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType

import streamlit as st
from cachetools import LRUCache, cached
from streamlit.delta_generator import DeltaGenerator

from data_access.access import Permission, Role, Viewer
from data_access.journal import Action, Entry, Journal, journal_of
from data_access.people import Identity, NotLetIn, identity_of_claims, identity_of_headers, rules_of, view_as, viewer_of
from data_access.sessions import SESSION_HEADER, Sessions, sessions, sign_in_of, sign_in_of_key
from data_access.settings import Access, Mode, Settings
from data_access.warehouse import State, Warehouse
from measures.question import Told
from presentation import frame as drawn
from presentation import sign_in as shown
from presentation.filters import Place
from presentation.words import Words

OUTCOME = "sign_in"
"""The parameter in which the server says that signing in did not succeed, and why."""


@dataclass(frozen=True)
class Absent:
    """Nobody is looking. `why`: nobody has signed in yet (""), the session is "expired", "idle" or "ended", signing in has
    "failed", or the provider is "unavailable"."""

    why: str = ""


@dataclass(frozen=True)
class Reader:
    """Who is let in: as whom they look, what they are called, and the branches that they see. `holds` says, also after the run and
    in another thread, whether they are still given the same role and branch."""

    viewer: Viewer
    name: str
    places: Mapping[str, Place]
    holds: Callable[[], bool] = lambda: True


def let_in(found: Settings, source: Warehouse, menu: DeltaGenerator, say: Words) -> tuple[Reader, State]:
    """The reader, and the warehouse's state; for whoever is not let in the page that says why, and the script ends.

    Nothing of the warehouse is touched before it is known who asks. Raises SettingsError, WarehouseError, JournalError.
    """
    access = found.access
    if access.mode in (Mode.DEMO, Mode.PUBLIC):
        state = source.state()
        if access.mode is Mode.DEMO and not state.is_demo:
            drawn.closed(say)
            st.stop()
        reader = Reader(Viewer(say("Visitor"), source.root(), Role.VISITOR), say("Visitor"), {})
        return _as_from(reader, source, state, None, say), state
    came = who(found)
    if isinstance(came, Absent):
        shown.entrance(came.why, say) if access.mode is Mode.OIDC else shown.behind_proxy(say)
        st.stop()
    state = source.state()
    journal = journal_of(access)
    viewer = viewer_of(came, rules_of(access, source), state.paths) if isinstance(came, Identity) else came
    name = came.name if isinstance(came, Identity) else ""
    if isinstance(viewer, NotLetIn):
        if isinstance(came, Identity):
            _note(journal, Action.REFUSE, came, None)
        if shown.turned_away(name, say.told(viewer.for_a_reader(access.whom_to_ask)), say):
            sign_out(found)
        st.stop()
    _note(journal, Action.SIGN_IN, came, viewer)
    with menu:
        if shown.signed_in(name, viewer.role.value, say):
            sign_out(found)
            journal.add(_entry(Action.SIGN_OUT, came, viewer))
            st.stop()

    def holds() -> bool:
        return viewer_of(came, rules_of(access, source), source.state().paths) == viewer

    return _as_from(Reader(viewer, name, {}, holds), source, state, journal, say), state


def is_older(source: Warehouse, shown: State) -> bool:
    """Whether a load has come in since `shown`. Where the warehouse does not answer, or does not say when it is loaded: no."""
    try:
        now = source.state()
    except Told:
        return False
    return now.version != shown.version and len(now.loaded) > 0


def _as_from(reader: Reader, source: Warehouse, state: State, journal: Journal | None, say: Words) -> Reader:
    """The reader as they look: from their own branch, or from one below it where their role permits that and they chose one."""
    places = _places(source, state, reader.viewer)
    viewer = reader.viewer
    if viewer.may(Permission.VIEW_AS):
        viewer = view_as(viewer, drawn.view_as(_named(source, state, viewer, say), viewer.branch_id, say), state.paths)
        if journal and viewer != reader.viewer and st.session_state.get("_viewed_as") != viewer.branch_id:
            journal.add(
                _entry(Action.VIEW_AS, Identity(viewer.person, reader.name), viewer, places[viewer.branch_id].name)
            )
        st.session_state["_viewed_as"] = viewer.branch_id
    if viewer != reader.viewer:
        places = _places(source, state, viewer)
    return replace(reader, viewer=viewer, places=places)


# Thousands of branches are put together once for all who see the same of them, and not in each run.
@cached(LRUCache(64), key=lambda source, state, viewer: (source, state.version, viewer.branch_id), lock=Lock())
def _places(source: Warehouse, state: State, viewer: Viewer) -> Mapping[str, Place]:
    return MappingProxyType(drawn.places_of(source.branches(viewer)))


@cached(
    LRUCache(64),
    key=lambda source, state, viewer, say: (source, state.version, viewer.branch_id, say.language),
    lock=Lock(),
)
def _named(source: Warehouse, state: State, viewer: Viewer, say: Words) -> Mapping[str, str]:
    return MappingProxyType(drawn.with_levels(_places(source, state, viewer), say))


def _note(journal: Journal, action: Action, identity: Identity, viewer: Viewer | None) -> None:
    """Writes down, once in each tab, that somebody has come."""
    noted = f"_noted_{action.name}"
    if st.session_state.get(noted) != identity.person:
        journal.add(_entry(action, identity, viewer))
        st.session_state[noted] = identity.person


def _entry(action: Action, identity: Identity, viewer: Viewer | None, what: str = "") -> Entry:
    return Entry(
        person=identity.person,
        name=identity.name,
        role=viewer.role.value if viewer else "",
        branch_id=viewer.branch_id if viewer else "",
        action=action,
        what=what,
    )


def who(found: Settings) -> Identity | NotLetIn | Absent:
    """Who is looking in a mode with sign-in, asked anew in each run. Raises SQLAlchemyError where the list cannot be read."""
    known, access = sessions(found), found.access
    if access.mode is Mode.PROXY:
        return _behind_proxy(access, known)
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        return Absent(_outcome())
    sign_in = sign_in_of(claims)
    standing = known.standing(sign_in)
    if not standing.holds:
        return Absent(standing.value)
    identity = identity_of_claims(claims, access)
    if isinstance(identity, Identity):
        standing = known.begin(sign_in, identity.person)
    return identity if standing.holds else Absent(standing.value)


def sign_out(found: Settings) -> None:
    """Ends the session for every tab and every copy of its cookie; then has the browser sign out with the provider."""
    if sign_in := sign_in_of(st.user.to_dict()):
        sessions(found).end(sign_in)
    st.logout()


def _behind_proxy(access: Access, known: Sessions) -> Identity | NotLetIn | Absent:
    headers = st.context.headers
    # The server has put it there after it had looked at the proxy's secret: where it is missing, nobody has looked.
    standing = known.standing(sign_in_of_key(headers.get(SESSION_HEADER) or ""))
    if not standing.holds:
        return Absent(standing.value)
    given = [(name, value) for name in headers for value in headers.get_all(name)]
    return identity_of_headers(given, access.proxy)


def _outcome() -> str:
    told = st.query_params.get(OUTCOME, "")
    return told if told in ("failed", "unavailable") else ""
