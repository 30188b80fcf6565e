"""A reader without a browser: signs in over HTTP, opens tabs on raw websockets, and sends what no browser would."""

from __future__ import annotations

import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPMessage
from http.cookiejar import CookieJar

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.security.bank_server import Bank

WAITS = 30
"""Seconds for an answer of a server on a computer that runs other tests."""


class Reader:
    """One browser's worth of cookies."""

    def __init__(self, bank: Bank, cookies: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.bank = bank
        self.jar = CookieJar()
        self.headers = dict(headers or {})
        self._given = cookies
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )

    @property
    def cookies(self) -> str:
        """What a copy of this browser would send."""
        return self._given if self._given is not None else "; ".join(f"{one.name}={one.value}" for one in self.jar)

    def get(self, path: str, **headers: str) -> tuple[int, HTTPMessage, str]:
        """The status, the headers and the address of what is found at `path` in the end."""
        more = self.headers | headers | ({"Cookie": self._given} if self._given is not None else {})
        at = path if path.startswith("http") else self.bank.address + path.removeprefix("/")
        try:
            with self._opener.open(urllib.request.Request(at, headers=more), timeout=WAITS) as found:
                return found.status, found.headers, found.url
        except urllib.error.HTTPError as found:
            with found:
                return found.code, found.headers, found.url

    def login_address(self, link: str = "") -> str:
        """Where “Sign in” on the page at `link` leads."""
        with self.tab(link) as tab:
            messages = tab.run(pressed=tab.widget("sign_in"))
        (address,) = [m.auth_redirect.url for m in messages if m.WhichOneof("type") == "auth_redirect"]
        return address

    def sign_in(self, person: str, seconds: int = 3600, link: str = "") -> str:
        """Signs in as `person`; returns the address of the page that the reader is on then."""
        self.bank.next_sign_in(person=person, seconds=seconds, down=False)
        status, _headers, address = self.get(self.login_address(link), Referer=self.bank.address + link)
        assert status == 200
        return address

    @contextlib.contextmanager
    def tab(self, link: str = "", *, headers: Sequence[tuple[str, str]] = (), session: str = "") -> Iterator[Tab]:
        """Opens `link` and runs it once. `session` names another tab, as a browser does that reconnects."""
        self.get("_stcore/health")
        xsrf = next((c.partition("=")[2] for c in self.cookies.split("; ") if c.startswith("_streamlit_xsrf=")), "")
        page, _, query = link.partition("?")
        with connect(
            self.bank.address.replace("http", "ws") + "_stcore/stream",
            subprotocols=["streamlit", xsrf or "none", *([session] if session else [])],
            origin=self.bank.address.rstrip("/"),
            additional_headers=[("Cookie", self.cookies), *self.headers.items(), *headers],
            max_size=None,
            compression=None,
            proxy=None,
        ) as socket:
            opened = Tab(socket, page, query)
            opened.run()
            yield opened


class Tab:
    """One websocket. `messages` holds all that it was ever sent."""

    def __init__(self, socket, page: str, query: str) -> None:
        self._socket = socket
        self.page, self.query = page, query
        self.hash = ""
        self.messages: list[ForwardMsg] = []
        self.raw: list[bytes] = []

    def run(self, pressed: str = "", states: Mapping[str, object] | None = None, **more: str) -> list[ForwardMsg]:
        """Runs the page; `pressed` is a button's id, `states` values by widgets' ids, `more` fields of the message."""
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_name = self.page
        asked.rerun_script.page_script_hash = self.hash
        if pressed:
            asked.rerun_script.widget_states.widgets.add(id=pressed, trigger_value=True)
        for id_, value in (states or {}).items():
            state = asked.rerun_script.widget_states.widgets.add(id=id_)
            if isinstance(value, list):
                state.string_array_value.data.extend(value)
            else:
                state.string_value = str(value)
        for name, value in more.items():
            setattr(asked.rerun_script, name, value)
        return self.send(asked)

    def send(self, asked: BackMsg, until: str = "script_finished") -> list[ForwardMsg]:
        """Sends a message, and waits for an answer of the kind `until`; raises ConnectionClosed where the server hangs up."""
        self.put(asked)
        found: list[ForwardMsg] = []
        while not found or found[-1].WhichOneof("type") != until:
            found.append(self.receive())
        return found

    def put(self, asked: BackMsg) -> None:
        """Sends a message, and waits for nothing."""
        self._socket.send(asked.SerializeToString())

    def receive(self, timeout: float = WAITS) -> ForwardMsg:
        raw = self._socket.recv(timeout=timeout)
        message = ForwardMsg.FromString(raw)
        self.raw.append(raw)
        self.messages.append(message)
        if message.WhichOneof("type") == "new_session":
            self.hash = message.new_session.page_script_hash
        if message.WhichOneof("type") == "navigation":  # which page it is, the script alone knows
            self.hash = message.navigation.page_script_hash
        return message

    def until_closed(self, seconds: float) -> list[ForwardMsg]:
        """What comes, unasked, until the server closes the tab; raises TimeoutError where it does not within `seconds`."""
        found, until = [], time.monotonic() + seconds
        while True:
            try:
                found.append(self.receive(max(0.01, until - time.monotonic())))
            except ConnectionClosed:
                return found

    @property
    def session_id(self) -> str:
        return next(m.new_session.initialize.session_id for m in self.messages if m.HasField("new_session"))

    def widget(self, key: str) -> str:
        """The id of the button whose key is `key`."""
        return next(
            m.delta.new_element.button.id
            for m in reversed(self.messages)
            if m.delta.new_element.button.id.endswith(f"-{key}")
        )

    def id_of(self, kind: str, key: str) -> str:
        """The id of the element of that kind, such as selectbox, whose key is `key`."""
        shown = (getattr(m.delta.new_element, kind).id for m in reversed(self.messages) if m.HasField("delta"))
        return next(id_ for id_ in shown if id_.endswith(f"-{key}"))

    @property
    def said(self) -> str:
        """All that it was sent, as text to look for words in."""
        return "\n".join(raw.decode("utf-8", "replace") for raw in self.raw)

    @property
    def asks_to_sign_in(self) -> bool:
        """Whether the last run showed the way to sign in, and nothing of the warehouse."""
        last = max(n for n, m in enumerate(self.messages) if m.HasField("new_session"))
        buttons = [m.delta.new_element.button.id for m in self.messages[last:]]
        return any(id_.endswith("-sign_in") for id_ in buttons)
