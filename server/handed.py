"""What one of several processes does with the connections that `python -m server` hands it: it answers them as its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Private, pinned with Streamlit's version: what it makes its own server with.
from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs
from uvicorn.server import ServerState

from server import COOKIE, HANDED, NUMBER, OPEN

SAYS_EVERY = 1.0
"""Seconds between two times that a process says how many connections it has."""
CLOSE_SECONDS = 5.0


@asynccontextmanager
async def handed_over(app: ASGIApp) -> AsyncIterator[None]:
    """While it lasts, connections that are handed to this process are answered by `app`; nothing happens in one that has none
    handed. When whoever hands them over is gone, this process ends as if it were told to."""
    if HANDED not in os.environ:
        yield
        return
    config = uvicorn.Config(app, lifespan="off", **_get_uvicorn_config_kwargs())
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    handing = socket.socket(fileno=int(os.environ[HANDED]))
    handing.setblocking(False)
    taken: set[asyncio.Task] = set()

    async def take(connection: socket.socket) -> None:
        with suppress(OSError):  # it was closed meanwhile
            await loop.connect_accepted_socket(
                lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), connection
            )

    def receive() -> None:
        try:
            said, found, _flags, _address = socket.recv_fds(handing, 16, 1)
        except BlockingIOError:
            return
        except OSError:
            said, found = b"", []
        if not said:
            loop.remove_reader(handing)
            os.kill(os.getpid(), signal.SIGTERM)
        for descriptor in found:
            connection = socket.socket(fileno=descriptor)
            connection.setblocking(False)
            task = loop.create_task(take(connection))
            taken.add(task)
            task.add_done_callback(taken.discard)

    async def say() -> None:
        while True:
            with suppress(OSError):
                handing.send(OPEN + str(len(state.connections)).encode())
            await asyncio.sleep(SAYS_EVERY)

    loop.add_reader(handing, receive)
    saying = loop.create_task(say())
    try:
        yield
    finally:
        saying.cancel()
        loop.remove_reader(handing)
        handing.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=CLOSE_SECONDS)


class Stays:
    """Has a browser come back to this process, of several, and ask for each thing on a connection of its own: a reverse proxy may
    send what others ask on the same one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._number = os.environ.get(NUMBER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._number is None:
            await self._app(scope, receive, send)
            return
        is_own = HTTPConnection(scope).cookies.get(COOKIE) == self._number

        async def send_and_keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Connection"] = "close"
                if not is_own:
                    headers.append("Set-Cookie", f"{COOKIE}={self._number}; Path=/; HttpOnly; SameSite=Lax")
            await send(message)

        await self._app(scope, receive, send_and_keep)
