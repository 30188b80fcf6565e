"""The server: `streamlit run app.py` serves the dashboard that pages/frame.py draws, to pages of its own and nobody else's."""

from __future__ import annotations

import gc
import logging
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # the pages import measures, data_access and presentation from here

from data_access.settings import SettingsError, settings  # noqa: E402
from data_access.warehouse import warehouse  # noqa: E402
from measures.question import Told  # noqa: E402
from presentation.words import LANGUAGES, browser_language, words  # noqa: E402

log = logging.getLogger("dashboard")

CLOSED = ("/_stcore/upload_file", "/_stcore/metrics")
"""What Streamlit serves to whoever asks, and no page of ours needs: files kept in memory, and who is here."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the address holds what was chosen
    "Content-Security-Policy": "frame-ancestors 'self'",
}


class Guard:
    """Turns away, before Streamlit looks at it, what no page of ours asks for; says how a browser is to treat what is served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not _from_own_page(Headers(scope=scope)):
            # Streamlit would let in any page on this computer, and ask a host on the internet for its own address first.
            await WebSocketClose()(scope, receive, send)  # before it is accepted: 403
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if "/media/" in scope["path"]:
                    # The page's icon, which Streamlit has the browser fetch again after every change; or else an export: on a
                    # shared computer the next reader is not to find it.
                    icon = scope["path"].endswith(".png")
                    headers["Cache-Control"] = "max-age=86400, immutable" if icon else "no-store"
            await send(message)

        closed = any(path in scope["path"] for path in CLOSED)
        await (PlainTextResponse("Not Found", 404) if closed else self._app)(scope, receive, send_with_headers)


def _from_own_page(headers: Headers) -> bool:
    """Whether a handshake comes from a page of this server, or from no page at all: a browser always names the page's origin."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def health(_request: Request) -> JSONResponse:
    """Whether the server runs and the warehouse answers; says nothing about either to a stranger.

    No coroutine: Starlette runs it in a thread, because a warehouse that is slow to answer must not hold up every session.
    """
    try:
        found = settings()
        warehouse(found.url, found.days_off, found.access.fewest_customers).state()
    except (Told, SettingsError):
        return JSONResponse({"status": "warehouse unavailable"}, status_code=503)
    return JSONResponse({"status": "ok"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Warms up, then takes what was imported out of the garbage collector's sight, which looks less long then."""
    try:
        found = settings()
        warehouse(found.url, found.days_off, found.access.fewest_customers).state()
    except (Told, SettingsError) as error:
        log.warning("%s", error)  # the pages say so too, and look again at every visit
    gc.collect()
    gc.freeze()
    yield


def tell(error: Exception) -> bool:
    """Shows one sentence for an error nobody expected; the cause goes to the log under the same reference."""
    reference = uuid.uuid4().hex[:8]
    log.error("%s: a page failed", reference, exc_info=error)
    spoken = st.session_state.get("lang")  # whatever the browser sent, and perhaps what went wrong
    say = words(spoken if spoken in LANGUAGES else browser_language(st.context.locale))
    st.error(
        say(
            "This page could not be shown. Try again; if it stays so, tell the operator: {reference}.",
            reference=reference,
        ),
        icon=":material/error:",
    )
    return True


app = st.App(
    str(ROOT / "pages" / "frame.py"),
    routes=[Route("/health", health)],
    lifespan=lifespan,
    middleware=[Middleware(Guard)],
    on_script_error=tell,
)
