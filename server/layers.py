"""Which layers stand before the dashboard in the mode that config.toml names, from the outermost inwards."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from starlette.middleware import Middleware

from data_access.sessions import sessions
from data_access.settings import ROOT, Mode, SettingsError, settings
from server.guard import Guard
from server.handed import Stays
from server.presence import Presence
from server.proxy import BehindProxy
from server.sign_in import SignIn

log = logging.getLogger(__name__)


def layers(pages: Path = ROOT / "pages") -> list[Middleware]:
    """The layers for this start of the server. Where the settings cannot be read, nobody is heard who would be somebody: the
    pages tell the operator's sentence, and serve no data."""
    try:
        found = settings()
    except SettingsError as error:
        log.error("%s", error)
        return [*_before_all(https=False), Middleware(Presence)]
    known, access = partial(sessions, found), found.access
    first = _before_all(https=access.https)
    if access.mode is Mode.OIDC:
        own_pages = {path.stem for path in pages.glob("*.py")} - {"frame", "overview"} | {""}
        return [*first, Middleware(SignIn, own_pages=own_pages), Middleware(Presence, sessions=known)]
    if access.mode is Mode.PROXY:
        return [
            *first,
            Middleware(BehindProxy, trusted=access.proxy),
            Middleware(Presence, sessions=known, proxy=access.proxy),
        ]
    return [*first, Middleware(Presence)]


def _before_all(*, https: bool) -> list[Middleware]:
    return [Middleware(Guard, https=https), Middleware(Stays)]
