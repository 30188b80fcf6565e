"""What somebody sees who is not let in: the way to sign in, why a session is over, and whom to ask."""

from __future__ import annotations

from html import escape

import streamlit as st

from measures.model import _
from presentation.words import Words

ROLES = {
    "head office analyst": _("head office analyst"),
    "branch manager": _("branch manager"),
    "team leader": _("team leader"),
    "agent": _("agent"),
    "data steward": _("data steward"),
    "auditor": _("auditor"),
    "visitor": _("visitor"),
}
"""What the roles are called on screen. Which there are, data_access/access.py says; a test holds the two together."""


_ALONE = "<style>[data-testid=stSidebar], [data-testid=stExpandSidebarButton] {display: none}</style>"
"""There is no menu for whoever is not let in, so there is no room for one."""


def entrance(why: str, say: Words) -> None:
    """The page instead of every page until somebody has signed in. `why`: see panels/visit.py."""
    _alone(say)
    sentences = {
        "expired": say("Your session has run out. Sign in again, and you will be back here."),
        "idle": say("Nobody has used this page for a while, so you have been signed out. Sign in again to go on."),
        "ended": say("You have been signed out."),
        "failed": say("Signing in did not succeed. Try again; if it stays so, tell the operator."),
        "unavailable": say("The sign-in service cannot be reached. Nothing is shown until it can; try again later."),
    }
    if why in sentences:
        st.info(sentences[why], icon=":material/lock_clock:")
    else:
        st.write(say("Sign in to see the numbers of your branch."))
    if st.button(say("Sign in"), type="primary", icon=":material/login:", key="sign_in"):
        st.login()


def behind_proxy(say: Words) -> None:
    """The same behind a proxy, which alone can sign somebody in."""
    _alone(say)
    st.info(say("Your session has ended. Load the page again to go on."), icon=":material/lock_clock:")


def turned_away(name: str, sentence: str, say: Words) -> bool:
    """The page of somebody who has signed in and may see nothing; whether they ask to be signed out."""
    _alone(say)
    if name:
        known = say("You are signed in as {name}.", name=name)
        st.html(f"<p>{escape(known)}</p>")
    st.info(sentence, icon=":material/person_off:")
    return sign_out_button(say)


def _alone(say: Words) -> None:
    title = say("Branch marketing")
    st.html(f"{_ALONE}<p class=finding role=heading aria-level=1>{escape(title)}</p>")


def signed_in(name: str, role: str, say: Words) -> bool:
    """Who has signed in, and as what, in the menu; whether they ask to be signed out."""
    st.html(f"<div class=meaning>{escape(name)} · {escape(say(ROLES.get(role, role)))}</div>")
    return sign_out_button(say)


def sign_out_button(say: Words) -> bool:
    """Whether the reader asks to be signed out."""
    return st.button(say("Sign out"), icon=":material/logout:", key="sign_out")
