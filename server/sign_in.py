"""Sign-in as Streamlit leaves it, made whole: the link somebody came by is kept, tries are counted, failures are told in the page."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
COOKIE = "sign_in_from"
COOKIE_SECONDS = 600
OUTCOME = "sign_in"
"""The parameter by which a page is told that signing in failed: `failed`, or `unavailable` where the provider is."""
TRIES, SECONDS = 60, 60
"""So many requests in so many seconds from one address: thirty people of one outlet behind one address, each in two steps."""
ADDRESSES = 10_000
"""Of so many addresses the tries are remembered, some 2 MB; beyond, the one that tried longest ago is forgotten."""
LONGEST = 2000
"""Characters of a link that is kept: a cookie holds 4 kB."""
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$'()*+,;:@/?%=&]*")


class SignIn:
    """Wraps the three addresses of a sign-in. `own_pages`: the addresses of our pages without the leading slash; "" is the first."""

    def __init__(
        self, app: ASGIApp, *, own_pages: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._own_pages = frozenset(own_pages)
        self._tries = Tries(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (LOGIN, CALLBACK):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if wait := self._tries.too_many(request.client.host if request.client else ""):
            told = "Too many sign-in attempts from this address. Try again in a minute."
            await PlainTextResponse(told, 429, {"Retry-After": str(wait)})(scope, receive, send)
            return
        if scope["path"] == LOGIN:
            await self._login(request, receive, send)
        else:
            await self._callback(request, receive, send)

    async def _login(self, request: Request, receive: Receive, send: Send) -> None:
        link = self._came_from(request.headers)
        told = RedirectResponse(_with_outcome(link, "unavailable"), 303)
        failed = False

        async def send_with_link(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                failed = message["status"] >= 400
                if not failed:
                    _set_cookie(MutableHeaders(scope=message), _packed(link), COOKIE_SECONDS)
            if not failed:
                await send(message)

        try:
            await self._app(request.scope, receive, send_with_link)
        except Exception:  # logged where it is handled, further out; the reader is told in the page
            await told(request.scope, receive, send)
            raise
        if failed:
            await told(request.scope, receive, send)

    async def _callback(self, request: Request, receive: Receive, send: Send) -> None:
        link = self._unpacked(request.cookies.get(COOKIE, ""))
        # The provider leads here too after signing out, and then without what belongs to a sign-in.
        tried = "state" in request.query_params or "error" in request.query_params

        async def send_to_link(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers and tried:
                    signed_in = any(_is_identity(value) for value in headers.getlist("set-cookie"))
                    headers["location"] = link if signed_in else _with_outcome(link, "failed")
                _set_cookie(headers, "", 0)
            await send(message)

        await self._app(request.scope, receive, send_to_link)

    def _came_from(self, headers: Headers) -> str:
        """The link of the page on which somebody pressed “Sign in”."""
        try:
            came = urlsplit(headers.get("referer", ""))
        except ValueError:
            return "/"
        if came.netloc != headers.get("host"):
            return "/"
        query = urlencode([(k, v) for k, v in parse_qsl(came.query, keep_blank_values=True) if k != OUTCOME])
        return self._own(f"{came.path}?{query}" if query else came.path)

    def _own(self, link: str) -> str:
        """`link` where it leads to a page of ours, else the first page: a host, a scheme or another path is none of them."""
        path, _, query = link.partition("?")
        if not path.startswith("/") or path[1:] not in self._own_pages:
            return "/"
        if len(link) > LONGEST or not _QUERY.fullmatch(query):
            return path
        return link

    def _unpacked(self, cookie: str) -> str:
        """The link in a cookie, which may be anything: it is held to the same rule again."""
        try:
            return self._own(base64.urlsafe_b64decode(cookie.encode("ascii")).decode("ascii"))
        except (binascii.Error, UnicodeError, ValueError):
            return "/"


class Tries:
    """How often each address tried to sign in of late, for a bounded number of addresses."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def too_many(self, address: str) -> int:
        """Counts one try; the seconds to wait before the next is looked at, or 0 where this one may go on."""
        now, whose = self._clock(), _household(address)
        began, count = self._seen.pop(whose, (now, 0))
        if now - began >= SECONDS:
            began, count = now, 0
        self._seen[whose] = began, count + 1
        if len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        return max(1, int(began + SECONDS - now)) if count >= TRIES else 0


def _household(address: str) -> str:
    """An IPv6 customer has 2^64 addresses: they count as one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _is_identity(cookie: str) -> bool:
    """Whether a Set-Cookie header sets Streamlit's cookie of the person, and does not remove it."""
    name, _, rest = cookie.partition("=")
    return name == "_streamlit_user" and not rest.startswith(('"";', ";"))


def _with_outcome(link: str, outcome: str) -> str:
    return f"{link}{'&' if '?' in link else '?'}{urlencode({OUTCOME: outcome})}"


def _packed(link: str) -> str:
    return base64.urlsafe_b64encode(link.encode("ascii")).decode("ascii")


def _set_cookie(headers: MutableHeaders, value: str, seconds: int) -> None:
    headers.append("set-cookie", f"{COOKIE}={value}; Path={CALLBACK}; Max-Age={seconds}; HttpOnly; SameSite=Lax")
