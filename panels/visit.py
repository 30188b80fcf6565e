"""Who is looking: what the sign-in says, held to what the list of sessions still lets through."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from data_access.people import Identity, Refused, identity_of_claims, identity_of_headers
from data_access.sessions import SESSION_HEADER, Sessions, sessions, sign_in_of, sign_in_of_key
from data_access.settings import Access, Mode, Settings

OUTCOME = "sign_in"
"""The parameter in which the server says that signing in did not succeed, and why."""


@dataclass(frozen=True)
class Absent:
    """Nobody is looking. `why`: nobody has signed in yet (""), the session is "expired", "idle" or "ended", signing in has
    "failed", or the provider is "unavailable"."""

    why: str = ""


def who(found: Settings) -> Identity | Refused | Absent:
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


def _behind_proxy(access: Access, known: Sessions) -> Identity | Refused | Absent:
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
