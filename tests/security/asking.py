"""A request to a layer of the server alone, without a network: what is sent, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Given = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What a browser would get. `status` of a websocket: 101 accepted, 403 closed before."""

    status: int
    headers: Headers


def asked(
    app: ASGIApp,
    path: str = "/",
    headers: Given = (),
    *,
    kind: str = "http",
    client: str = "127.0.0.1",
    query: str = "",
) -> Answer:
    """Puts one request to `app`."""
    scope: Scope = {
        "type": kind,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": (client, 50_000),
        "server": ("127.0.0.1", 8501),
        "scheme": "ws" if kind == "websocket" else "http",
        "subprotocols": [],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    first = sent[0]
    if kind == "websocket":
        return Answer(101 if first["type"] == "websocket.accept" else 403, Headers())
    return Answer(first["status"], Headers(raw=first["headers"]))


class Inner:
    """What a layer guards: notes what reaches it, and answers as Streamlit does."""

    def __init__(self, status: int = 200, headers: Given = ()) -> None:
        self.status = status
        self.headers = headers
        self.seen: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        raw = [(name.lower().encode(), value.encode()) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": b""})
