"""Believes a reverse proxy of the listed addresses that knows the secret, and turns everybody else away."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from data_access.settings import Proxy as Trusted

LOOPBACK = ("127.0.0.1", "::1")
OPEN_PATHS = ("/health", "/_stcore/health")
"""What a monitor asks for, which is nobody; they tell nothing."""


class BehindProxy:
    """In mode `proxy`: a request from elsewhere, without the secret or without a person gets 403. The page never sees the secret.

    In the other modes nobody reads what a proxy says, so that a client which says it is not heard.
    """

    def __init__(self, app: ASGIApp, *, trusted: Trusted) -> None:
        self._app = app
        self._addresses = trusted.addresses
        self._secret = trusted.secret.encode()
        self._secret_header = trusted.secret_header.lower().encode()
        self._person_header = trusted.person_header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif self._is_vouched_for(scope) or (scope["type"] == "http" and scope["path"] in OPEN_PATHS):
            await self._app(without(scope, {self._secret_header}), receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)  # before it is accepted: 403
        else:
            await PlainTextResponse("Forbidden", 403)(scope, receive, send)

    def _is_vouched_for(self, scope: Scope) -> bool:
        secrets = _values(scope, self._secret_header)
        persons = _values(scope, self._person_header)
        return (
            self._is_listed(scope)
            and len(secrets) == 1
            and hmac.compare_digest(secrets[0], self._secret)
            and len(persons) == 1  # twice: a client's own beside the proxy's
            and bool(persons[0].strip())
        )

    def _is_listed(self, scope: Scope) -> bool:
        try:
            host, port = scope["client"]
            # No connection has port 0: uvicorn has put there the address that a proxy on this computer names, its reader's.
            # Which proxies uvicorn believes can be changed by the environment; then nobody knows whose connection it was.
            if port == 0 and "FORWARDED_ALLOW_IPS" in os.environ:
                return False
            peers = [ipaddress.ip_address(one) for one in (LOOPBACK if port == 0 else (host,))]
        except (TypeError, ValueError):
            return False
        peers = [getattr(peer, "ipv4_mapped", None) or peer for peer in peers]
        return any(peer in network for peer in peers for network in self._addresses)


def without(scope: Scope, names: Collection[bytes]) -> Scope:
    """The same request without the headers of these names, which are in small letters."""
    return scope | {"headers": [(key, value) for key, value in scope["headers"] if key.lower() not in names]}


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key.lower() == name]
