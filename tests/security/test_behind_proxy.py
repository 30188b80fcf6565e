"""Mode proxy: what a proxy says is believed of its address with its secret; from anywhere else it is worth nothing."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from data_access.settings import Proxy
from server.proxy import BehindProxy
from tests.security.asking import Given, Inner, asked

SECRET = "0123456789abcdef" * 2
TRUSTED = Proxy(
    addresses=(ip_network("10.1.2.0/24"), ip_network("fd00::/64")),
    secret=SECRET,
    secret_header="X-Dashboard-Secret",
    person_header="X-Forwarded-Email",
    name_header="X-Forwarded-User",
    groups_header="X-Forwarded-Groups",
)
PERSON = ("X-Forwarded-Email", "li@bank.example")
KNOWS = ("X-Dashboard-Secret", SECRET)
PROXY = "10.1.2.3"


@pytest.fixture(params=["http", "websocket"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def got(kind: str, headers: Given, client: str = PROXY) -> tuple[bool, Inner]:
    inner = Inner()
    status = asked(BehindProxy(inner, trusted=TRUSTED), "/activation", headers, kind=kind, client=client).status
    assert status == ((101 if kind == "websocket" else 200) if inner.seen else 403)
    return bool(inner.seen), inner


@pytest.mark.parametrize("client", [PROXY, "::ffff:10.1.2.3", "fd00::5"])
def test_the_proxy_is_believed_and_its_secret_stays_outside(kind: str, client: str) -> None:
    passed, inner = got(kind, [KNOWS, PERSON, ("Accept", "x")], client)
    assert passed
    headers = dict(inner.seen[0]["headers"])
    assert headers == {b"x-forwarded-email": b"li@bank.example", b"accept": b"x"}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [PERSON],
        [KNOWS],
        [KNOWS, ("X-Forwarded-Email", " ")],
        [KNOWS, PERSON, ("x-forwarded-email", "head@bank.example")],
        [KNOWS, KNOWS, PERSON],
        [("X-Dashboard-Secret", SECRET[:-1]), PERSON],
        [("X-Dashboard-Secret", SECRET + "0"), PERSON],
        [("X-Dashboard-Secret", SECRET.upper()), PERSON],
        [("X-Dashboard-Secret", ""), PERSON],
        [("X-Dashboard-Secret", "\xe9" * 32), PERSON],
        [("X_Dashboard_Secret", SECRET), PERSON],
    ],
)
def test_without_the_secret_or_one_person_nobody_gets_in(kind: str, headers: Given) -> None:
    assert not got(kind, headers)[0]


@pytest.mark.parametrize("client", ["10.1.3.1", "127.0.0.1", "fd00:0:0:1::1", "", "unix:/socket"])
def test_from_another_address_even_the_secret_opens_nothing(kind: str, client: str) -> None:
    assert not got(kind, [KNOWS, PERSON, ("X-Forwarded-For", PROXY), ("Forwarded", f"for={PROXY}")], client)[0]


def test_a_monitor_may_ask_whether_the_server_runs_and_nothing_else() -> None:
    layer = BehindProxy(Inner(), trusted=TRUSTED)
    assert asked(layer, "/health", client="10.9.9.9").status == 200
    assert asked(layer, "/_stcore/health", client="10.9.9.9").status == 200
    assert asked(layer, "/healthy", client="10.9.9.9").status == 403
    assert asked(layer, "/media/x.xlsx", client="10.9.9.9").status == 403
    assert asked(layer, "/health", kind="websocket", client="10.9.9.9").status == 403


@pytest.mark.parametrize(
    ("peer", "forwarded", "passes"),
    [
        ("127.0.0.1", "203.0.113.9", True),  # a proxy on this computer names its reader
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", True),
        ("203.0.113.9", "127.0.0.1", False),  # a reader names the proxy
        ("203.0.113.9", "127.0.0.1:0", False),
        ("203.0.113.9", "203.0.113.9", False),
        ("127.0.0.1", "203.0.113.9:4711", False),  # with a port nobody can tell any more: rather not
    ],
)
def test_whom_uvicorn_names_is_not_taken_for_the_connection(kind: str, peer: str, forwarded: str, passes: bool) -> None:
    inner, here = Inner(), replace(TRUSTED, addresses=(ip_network("127.0.0.1/32"),))
    app = ProxyHeadersMiddleware(BehindProxy(inner, trusted=here), "127.0.0.1,::1")
    asked(app, "/activation", [KNOWS, PERSON, ("X-Forwarded-For", forwarded)], kind=kind, client=peer)
    assert bool(inner.seen) == passes


def test_where_uvicorn_believes_others_nobody_named_by_them_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    inner, here = Inner(), replace(TRUSTED, addresses=(ip_network("127.0.0.1/32"),))
    app = ProxyHeadersMiddleware(BehindProxy(inner, trusted=here), "*")
    asked(app, "/", [KNOWS, PERSON, ("X-Forwarded-For", "127.0.0.1")], client="203.0.113.9")
    assert inner.seen == []
