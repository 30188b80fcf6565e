"""The link kept over sign-in: back to a page of ours with its filters, and never to anywhere else."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sign_in import COOKIE, LONGEST, SignIn
from tests.security.asking import Inner, asked

HOST = "dash.bank.example"
PAGES = {"", "activation", "follow_up"}
SIGNED_IN = [("Location", "/"), ("Set-Cookie", "_streamlit_user=abc; Path=/; HttpOnly")]


def kept(referer: str, host: str = HOST) -> str:
    """The cookie with which the way back is remembered, as the browser keeps it."""
    layer = SignIn(Inner(302, [("Location", "https://idp.example/authorize?state=1")]), own_pages=PAGES)
    answer = asked(layer, "/auth/login", [("Host", host), ("Referer", referer)])
    assert answer.status == 302
    return answer.headers["set-cookie"].partition(";")[0].removeprefix(f"{COOKIE}=")


def back(cookie: str, query: str = "code=1&state=2", headers: list = SIGNED_IN) -> str:
    """Where the browser is sent after the provider has sent it back."""
    layer = SignIn(Inner(302, headers), own_pages=PAGES)
    answer = asked(layer, "/oauth2callback", [("Cookie", f"{COOKIE}={cookie}")], query=query)
    assert f"{COOKIE}=; Path=/oauth2callback; Max-Age=0; HttpOnly; SameSite=Lax" in answer.headers.getlist("set-cookie")
    return answer.headers["location"]


def packed(link: str) -> str:
    return base64.urlsafe_b64encode(link.encode()).decode()


@pytest.mark.parametrize(
    "link",
    [
        "/",
        "/activation",
        "/activation?branch=12&products=a&products=b&period=2026-01-01..2026-06-30",
        "/?branch=%E6%B1%9F%E5%8C%97&lang=zh_CN",
        "/follow_up?q=%2F%2Fevil.example",
    ],
)
def test_the_page_and_its_filters_are_back_after_sign_in(link: str) -> None:
    found = back(kept(f"http://{HOST}{link}"))
    assert urlsplit(found).path == urlsplit(link).path
    assert found.replace("%2E", ".") == link


ELSEWHERE = [
    "//evil.example",
    "//evil.example/activation",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example/activation",
    "/%2F%2Fevil.example",
    "/%5Cevil.example",
    "/%252F%252Fevil.example",
    "/activation/../..//evil.example",
    "/activation%0d%0aLocation:%20https://evil.example",
    "/activation\r\nLocation: https://evil.example",
    "/\tactivation",
    "/ /evil.example",
    "/.//evil.example",
    "/activation/",
    "/auth/logout",
    "/export/file",
    "/_stcore/stream",
    "https://evil.example/activation",
    "https:evil.example",
    "javascript:alert(1)",
    "//evil.example@dash.bank.example/activation",
    "/@evil.example",
    "/;@evil.example",
    "",
    "activation",
    "/activation#@evil.example",
    "/ａctivation",
    "\u2028/activation",
]


@pytest.mark.parametrize("link", ELSEWHERE)
def test_a_cookie_that_somebody_made_leads_nowhere_else(link: str) -> None:
    assert back(packed(link)) in ("/", "/activation")


@pytest.mark.parametrize("link", [link for link in ELSEWHERE if link.isascii() and link.isprintable()])
def test_a_referer_that_somebody_made_leads_nowhere_else(link: str) -> None:
    assert back(kept(f"http://{HOST}{link}")) in ("/", "/activation")
    assert back(kept(link)) in ("/", "/activation")


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("https://evil.example/activation?branch=1", HOST),
        (f"https://{HOST}.evil.example/activation?branch=1", HOST),
        (f"https://{HOST}@evil.example/activation?branch=1", HOST),
        (f"https://evil.example@{HOST}/activation?branch=1", HOST),
        (f"https://{HOST}:8443/activation?branch=1", HOST),
        ("https://[/activation?branch=1", HOST),
        ("about:blank", HOST),
        ("", ""),
    ],
)
def test_a_page_of_another_host_is_not_remembered(referer: str, host: str) -> None:
    assert back(kept(referer, host)) == "/"


def test_a_false_host_is_not_repeated() -> None:
    assert back(kept("https://evil.example/activation?branch=1", "evil.example")) == "/activation?branch=1"


@given(st.text())
def test_wherever_a_cookie_points_the_way_back_is_a_page_of_ours(link: str) -> None:
    found = urlsplit(back(packed(link)))
    assert (found.scheme, found.netloc, found.fragment) == ("", "", "")
    assert found.path.removeprefix("/") in PAGES
    assert re.fullmatch(r"[\x21-\x7e]*", found.query) and "\\" not in found.query


@given(st.binary(max_size=60))
def test_a_cookie_of_any_signs_breaks_nothing(cookie: bytes) -> None:
    assert back(cookie.decode("latin-1").translate({ord(c): "x" for c in ";\r\n\x00"})).startswith("/")


def test_a_link_too_long_for_a_cookie_keeps_its_page() -> None:
    assert back(kept(f"http://{HOST}/activation?branch={'1' * LONGEST}")) == "/activation"


def test_the_cookie_is_short_lived_and_out_of_reach_of_scripts() -> None:
    layer = SignIn(Inner(302, [("Location", "https://idp.example/")]), own_pages=PAGES)
    answer = asked(layer, "/auth/login", [("Host", HOST), ("Referer", f"http://{HOST}/activation")])
    flags = answer.headers["set-cookie"].partition(";")[2]
    assert flags == " Path=/oauth2callback; Max-Age=600; HttpOnly; SameSite=Lax"


def test_a_sign_in_that_failed_is_told_in_the_page_it_began_on() -> None:
    cookie = packed("/activation?branch=1")
    removed = [("Location", "/"), ("Set-Cookie", '_streamlit_user=""; Max-Age=0; Path=/')]
    assert back(cookie, headers=removed) == "/activation?branch=1&sign_in=failed"
    assert back(cookie, query="error=access_denied&state=2", headers=removed) == "/activation?branch=1&sign_in=failed"
    assert back("", headers=removed) == "/?sign_in=failed"


def test_the_way_back_from_signing_out_is_no_failed_sign_in() -> None:
    assert back("", query="", headers=[("Location", "/")]) == "/"


def test_a_failure_is_not_told_again_after_the_next_try() -> None:
    assert back(kept(f"http://{HOST}/activation?branch=1&sign_in=failed")) == "/activation?branch=1"


@pytest.mark.parametrize("status", [400, 500])
def test_a_provider_that_is_down_is_told_in_the_page(status: int) -> None:
    layer = SignIn(Inner(status), own_pages=PAGES)
    answer = asked(layer, "/auth/login", [("Host", HOST), ("Referer", f"http://{HOST}/activation?branch=1")])
    assert (answer.status, answer.headers["location"]) == (303, "/activation?branch=1&sign_in=unavailable")
