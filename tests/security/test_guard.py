"""What every answer tells a browser, and what is not answered."""

from __future__ import annotations

import pytest

from server.guard import HEADERS, POLICY, Guard
from tests.security.asking import Inner, asked

COOKIES = [
    ("Set-Cookie", "_streamlit_user=a; HttpOnly; Path=/"),
    ("Set-Cookie", "already=b; secure; Path=/"),
    ("Set-Cookie", "named=secure"),
]


def test_over_https_no_cookie_travels_otherwise_and_the_browser_stays_with_it() -> None:
    headers = asked(Guard(Inner(200, COOKIES), https=True)).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers.getlist("set-cookie") == [
        "_streamlit_user=a; HttpOnly; Path=/; Secure",
        "already=b; secure; Path=/",
        "named=secure; Secure",
    ]


def test_without_https_cookies_are_left_as_they_are() -> None:
    headers = asked(Guard(Inner(200, COOKIES), https=False)).headers
    assert "Strict-Transport-Security" not in headers
    assert headers.getlist("set-cookie") == [value for _name, value in COOKIES]


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_every_answer_says_how_it_is_to_be_treated(status: int) -> None:
    headers = asked(Guard(Inner(status), https=True)).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS


def test_the_policy_lets_no_script_run_that_the_server_does_not_serve() -> None:
    scripts = POLICY["script-src"].split()
    assert "'unsafe-inline'" not in scripts and "'unsafe-eval'" not in scripts
    assert not {"*", "data:", "https:", "http:"} & set(scripts)
    assert POLICY["default-src"] == POLICY["object-src"] == POLICY["base-uri"] == POLICY["form-action"] == "'none'"
    assert POLICY["frame-ancestors"] == "'self'"
    assert sum(source.startswith("'sha256-") for source in scripts) == 1, (
        "Streamlit's page has other scripts inline now"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/upload_file/a/b",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
        "/_stcore/script-health-check",
        "/app/_stcore/metrics",
    ],
)
def test_what_no_page_needs_is_closed(path: str) -> None:
    inner = Inner()
    assert asked(Guard(inner, https=True), path).status == 404
    assert not inner.seen


@pytest.mark.parametrize("https", [True, False])
def test_only_files_are_kept_out_of_the_browsers_store(https: bool) -> None:
    guard = Guard(Inner(), https=https)
    assert asked(guard, "/media/abc.xlsx").headers["Cache-Control"] == "no-store"
    assert asked(guard, "/media/abc.png").headers["Cache-Control"] == "max-age=86400, immutable"
    assert "Cache-Control" not in asked(guard, "/static/media/font.woff2").headers
