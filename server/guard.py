"""Turns away what no page of ours asks for, and says how a browser is to treat what is served."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

CLOSED = ("/_stcore/upload_file", "/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
"""What Streamlit serves to whoever asks, and no page of ours needs: files kept in memory, who is here, a page for programs."""


def _scripts_in_the_page() -> str:
    """The hashes of what Streamlit's own page runs inline, so that nothing else inline may run."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    found = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found)


POLICY = {
    "default-src": "'none'",
    "script-src": "'self' blob: " + _scripts_in_the_page(),
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the address holds what was chosen
    "Content-Security-Policy": "; ".join(f"{what} {where}" for what, where in POLICY.items()),
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT_TRANSPORT = "max-age=31536000"


class Guard:
    """The outermost layer. `https`: browsers reach the server by https alone, so that cookies travel no other way."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

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
                if scope["path"].startswith("/media/"):
                    # The page's icon, which Streamlit has the browser fetch again after every change; or else an export: on a
                    # shared computer the next reader is not to find it.
                    icon = scope["path"].endswith(".png")
                    headers["Cache-Control"] = "max-age=86400, immutable" if icon else "no-store"
                if self._https:
                    headers["Strict-Transport-Security"] = STRICT_TRANSPORT
                    message["headers"] = [(name, _secure(name, value)) for name, value in message["headers"]]
            await send(message)

        closed = any(path in scope["path"] for path in CLOSED)
        await (PlainTextResponse("Not Found", 404) if closed else self._app)(scope, receive, send_with_headers)


def _from_own_page(headers: Headers) -> bool:
    """Whether a handshake comes from a page of this server, or from no page at all: a browser always names the page's origin."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def _secure(name: bytes, value: bytes) -> bytes:
    flags = {part.strip().lower() for part in value.split(b";")[1:]}
    return value + b"; Secure" if name.lower() == b"set-cookie" and b"secure" not in flags else value
