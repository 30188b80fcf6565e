"""Holds an open tab to the session it belongs to: what has ended is closed, also where nobody clicks, and files go to their owner."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# Private, pinned with Streamlit's version and covered by tests/security: it joins the cookie's parts and checks its signature.
from streamlit.web.server.starlette.starlette_auth_routes import _get_cookie_value_from_request
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from data_access.people import Identity, identity_of_headers
from data_access.sessions import SESSION_HEADER, Sessions, SignIn, sign_in_of
from data_access.settings import Proxy
from server.proxy import without

log = logging.getLogger(__name__)

LOGOUT = "/auth/logout"
LOOKS_EVERY = 2
"""Seconds between two looks at whether a tab's session still holds. With those of the list itself: at most four."""
TAKEN = ("rerun_script", "stop_script", "app_heartbeat", "backend_operation_request")
"""What our pages send. Streamlit also takes orders that no reader may give, such as to empty everybody's caches."""
FILES = ("/media/", "/files/")
"""Where files are: those that Streamlit holds, and long ones, which wait on the disk."""
REMEMBERED = 1_000
"""Files that an open tab was offered and may still ask for: those of its last dozen runs at least."""
_FILE = re.compile(r"/(?:media|files)/([\w.-]+)")


class Presence:
    """`sessions` gives the list, and is None in a mode without sign-in; `proxy` is who vouches for the person of each request."""

    def __init__(
        self, app: ASGIApp, *, sessions: Callable[[], Sessions] | None = None, proxy: Proxy | None = None
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._proxy = proxy
        self._files: Counter[tuple[str, str]] = Counter()
        """Which files open tabs were offered: how many tabs, by the file's name and whose they are. Of a file that is made on a click
        the name is its number until it is made."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._tab(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith(FILES):
            name = scope["path"].split("/", 2)[2]
            if not self._files[name, await self._owner(scope)]:
                await PlainTextResponse("Not Found", 404)(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] == LOGOUT and (sign_in := self._signed_in(scope)):
            await asyncio.to_thread(self._sessions().end, sign_in)
        await self._app(scope, receive, send)

    async def _tab(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = without(scope, {SESSION_HEADER.encode()})
        owner = await self._owner(scope)
        offered: dict[tuple[str, str], None] = {}

        async def send_and_note(message: Message) -> None:
            for name in _offered(message.get("bytes") or b""):
                file = (name, owner)
                if file not in offered:
                    offered[file] = None
                    self._files[file] += 1
                    if len(offered) > REMEMBERED:
                        self._forget([next(iter(offered))], offered)
            await send(message)

        def is_taken(asked: BackMsg) -> bool:
            wanted = asked.backend_operation_request.deferred_file.file_id
            # Streamlit makes the file of whichever tab for whoever knows its number.
            return asked.WhichOneof("type") in TAKEN and (not wanted or self._files[wanted, owner] > 0)

        taken = _only(is_taken, receive)

        begun = await self._begun(scope) if self._proxy else None
        sign_in = begun or self._signed_in(scope)
        if begun:
            scope = _named(scope, begun)
        try:
            # Of a session that has ended before, the page says so: there is nothing to close.
            if sign_in and await self._holds(sign_in):
                await self._watched(sign_in, scope, taken, send_and_note)
            else:
                await self._app(scope, taken, send_and_note)
        finally:
            self._forget(list(offered), offered)
            if begun:
                await asyncio.to_thread(self._sessions().end, begun, "closed")

    def _forget(self, files: list[tuple[str, str]], offered: dict[tuple[str, str], None]) -> None:
        for file in files:
            del offered[file]
            self._files[file] -= 1
            if self._files[file] <= 0:
                del self._files[file]

    async def _watched(self, sign_in: SignIn, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the tab until its session has ended; then has the browser load the page again, and hears it no more."""
        ended = asyncio.Event()
        receiving: asyncio.Future[Message] | None = None

        async def receive_while_open() -> Message:
            nonlocal receiving
            if receiving is None:
                receiving = asyncio.ensure_future(receive())
            waiting = asyncio.ensure_future(ended.wait())
            await asyncio.wait({receiving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not ended.is_set() and _asks(message := receiving.result()):
                if await self._holds(sign_in):
                    if _is_activity(message):
                        await asyncio.to_thread(self._sessions().seen, sign_in)
                else:
                    ended.set()
            if ended.is_set():
                return {"type": "websocket.disconnect", "code": 1008}
            message, receiving = receiving.result(), None
            return message

        async def look() -> None:
            while not ended.is_set():
                await asyncio.sleep(LOOKS_EVERY)
                if not await self._holds(sign_in):
                    ended.set()
            # An empty address is the one shown: the link with its filters survives to the next sign-in.
            again = ForwardMsg()
            again.auth_redirect.url = ""
            await send({"type": "websocket.send", "bytes": again.SerializeToString()})
            await send({"type": "websocket.close", "code": 1008})

        async def send_while_open(message: Message) -> None:
            if not ended.is_set():
                await send(message)

        looking = asyncio.ensure_future(look())
        try:
            await self._app(scope, receive_while_open, send_while_open)
            if ended.is_set():
                await looking
        finally:
            for task in (looking, receiving):
                if task:
                    task.cancel()
            await asyncio.gather(*(task for task in (looking, receiving) if task), return_exceptions=True)

    async def _holds(self, sign_in: SignIn) -> bool:
        try:
            return (await asyncio.to_thread(self._sessions().standing, sign_in)).holds
        except Exception:  # whatever it is: nobody is let in of whom it is not known that they may be
            log.exception("The list of sessions cannot be read; a tab is closed")
            return False

    async def _begun(self, scope: Scope) -> SignIn | None:
        """The session of this one connection, of whom the proxy vouches for."""
        identity = self._vouched_for(scope)
        return await asyncio.to_thread(self._sessions().begin_here, identity.person) if identity else None

    def _vouched_for(self, scope: Scope) -> Identity | None:
        found = identity_of_headers(Headers(scope=scope).items(), self._proxy)
        return found if isinstance(found, Identity) else None

    def _signed_in(self, scope: Scope) -> SignIn | None:
        """The sign-in in the cookie, whether or not it still holds."""
        if self._sessions is None or self._proxy:
            return None
        value = _get_cookie_value_from_request(HTTPConnection(scope), USER_COOKIE_NAME)
        return sign_in_of(json.loads(value)) if value else None

    async def _owner(self, scope: Scope) -> str:
        """To whom a file belongs that this connection is offered; "" is whoever has not signed in."""
        if self._proxy:
            identity = self._vouched_for(scope)
            return identity.person if identity else ""
        sign_in = self._signed_in(scope)
        return sign_in.key if sign_in and await self._holds(sign_in) else ""


def _named(scope: Scope, sign_in: SignIn) -> Scope:
    """The handshake with the session's key in it, by which the page finds it in the list.

    Streamlit would hand to a connection that names a tab what that tab held, whoever asks: here each begins anew.
    """
    headers = Headers(scope=scope)
    protocol = ",".join(headers.get("sec-websocket-protocol", "").split(",")[:2])
    kept = without(scope, {b"sec-websocket-protocol"})
    added = [(b"sec-websocket-protocol", protocol.encode()), (SESSION_HEADER.encode(), sign_in.key.encode())]
    return kept | {"headers": [*kept["headers"], *added]}


def _only(is_taken: Callable[[BackMsg], bool], receive: Receive) -> Callable[[], Awaitable[Message]]:
    async def receive_taken() -> Message:
        while True:
            message = await receive()
            asked = _asked(message)
            if asked is None or is_taken(asked):
                return message

    return receive_taken


def _offered(sent: bytes) -> Iterator[str]:
    """The files that a message offers to a browser, by the fields that Streamlit puts them in: a text of the page may hold an address
    that a reader has written."""
    told = ForwardMsg.FromString(sent)
    button = told.delta.new_element.download_button
    if button.deferred_file_id:
        yield button.deferred_file_id
    link = told.delta.new_element.link_button.url
    for place in (
        button.url,
        link,
        told.backend_operation_response.deferred_file.url,
        told.page_config_changed.favicon,
    ):
        yield from _FILE.findall(place)


def _asks(message: Message) -> bool:
    return message["type"] == "websocket.receive"


def _asked(message: Message) -> BackMsg | None:
    """What a browser's message says; None for what is none, which Streamlit then closes the connection for."""
    if message["type"] != "websocket.receive" or not message.get("bytes"):
        return None
    try:
        return BackMsg.FromString(message["bytes"])
    except DecodeError:
        return None


def _is_activity(message: Message) -> bool:
    """Whether a reader did something; a part of a page that asks again by itself is nobody."""
    asked = _asked(message)
    if asked is None:
        return False
    if asked.HasField("rerun_script"):
        return not asked.rerun_script.is_auto_rerun
    return asked.HasField("backend_operation_request")
