"""Hands over the long files that wait for their reader: from the disk, to whoever may take them now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

NEVER_KEPT = {"Cache-Control": "no-store", "Content-Encoding": "identity"}
"""On a shared computer the next reader is not to find it; and what is packed is not packed again."""


class Waiting(Protocol):
    """A finished file that waits for its reader."""

    path: Path
    given_name: str
    mime: str

    def take(self) -> str:
        """Permits that it is handed over, and writes that down first; else why not, in the reader's language."""

    def cancel(self) -> None:
        """Takes it away."""


def hand_over(find: Callable[[str], Waiting | None], gone: Callable[[Request], str]) -> Callable:
    """The end of the route: `find` gives the file under a number, `gone` says that there is none any more. Whose number it is has
    `server.presence` looked at before."""

    async def handed_over(request: Request) -> Response:
        file = find(request.path_params["number"])
        if file is None:
            return PlainTextResponse(gone(request), 404, NEVER_KEPT)
        if refused := await asyncio.to_thread(file.take):
            return PlainTextResponse(refused, 403, NEVER_KEPT)
        return _Once(file)

    return handed_over


class _Once(FileResponse):
    """The file; when the browser has it whole, it is taken away. A browser that goes away meanwhile may come again."""

    def __init__(self, file: Waiting) -> None:
        super().__init__(file.path, headers=NEVER_KEPT, media_type=file.mime, filename=file.given_name)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        in_parts = any(name == b"range" for name, _value in scope["headers"])
        whole = False

        async def send_and_look(message: Message) -> None:
            nonlocal whole
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Asked before the last part: after it, everybody is said to have gone.
                whole = not await Request(scope, receive).is_disconnected()
            await send(message)

        await super().__call__(scope, receive, send_and_look)
        if whole and scope["method"] == "GET" and not in_parts:
            await asyncio.to_thread(self._file.cancel)
