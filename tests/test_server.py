"""What the server lets in: its own pages, and no other page, no upload and no message that none of ours would send."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.browser.serving import ROOT, served


@pytest.fixture(scope="module")
def outside() -> Iterator[socket.socket]:
    """Where the server's calls to other hosts would arrive: it takes this for its proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="module")
def address(outside: socket.socket, duckdb_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    proxy = f"http://127.0.0.1:{outside.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("served")
    with served(ROOT / "app.py", folder, WAREHOUSE_URL=duckdb_url, http_proxy=proxy, https_proxy=proxy) as url:
        yield url


def connected(address: str, origin: str | None = None, host: str = "") -> tuple[int, socket.socket]:
    """The status with which a websocket's handshake is answered, and the connection."""
    at = urlsplit(address)
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host or at.netloc}",
        *([f"Origin: {origin}"] if origin else []),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Protocol: streamlit",
    ]
    connection = socket.create_connection((at.hostname, at.port), timeout=30)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
        head += more
    return int(head.split()[1]), connection


def handshake(address: str, origin: str | None = None, host: str = "") -> int:
    status, connection = connected(address, origin, host)
    connection.close()
    return status


def answer(address: str, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, HTTPMessage]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(urllib.request.Request(address + path, body, method=method)) as found:
            return found.status, found.headers
    except urllib.error.HTTPError as found:
        return found.code, found.headers


def test_a_page_of_the_server_is_let_in_and_so_is_a_program(address: str) -> None:
    assert handshake(address, origin=address.rstrip("/")) == 101
    assert handshake(address) == 101
    port = urlsplit(address).port
    assert handshake(address, origin=f"http://localhost:{port}", host=f"localhost:{port}") == 101


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "https://evil.example", "null", "http://[", "evil.example"]
)
def test_another_page_is_turned_away_even_one_on_this_computer(address: str, origin: str) -> None:
    assert handshake(address, origin) == 403


def test_a_name_that_somebody_gave_this_computer_is_turned_away(address: str) -> None:
    port = urlsplit(address).port
    for host in (f"evil.example:{port}", "evil.example"):
        assert handshake(address, origin=f"http://{host}", host=host) == 403
        assert handshake(address, host=host) == 403


def test_whoever_knocks_no_other_host_is_asked_anything(address: str, outside: socket.socket) -> None:
    assert handshake(address, origin="https://evil.example") == 403
    with pytest.raises(BlockingIOError):
        outside.accept()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_no_file_can_be_left_with_the_server(address: str, method: str) -> None:
    assert answer(address, "_stcore/upload_file/session/file", method, b"x" * 1000)[0] == 404


def test_who_is_here_is_not_told(address: str) -> None:
    assert answer(address, "_stcore/metrics")[0] == 404


def test_a_message_that_no_page_would_send_is_not_taken_in(address: str) -> None:
    status, connection = connected(address)
    assert status == 101
    with connection:
        connection.sendall(b"\x82\xff" + (11_000_000).to_bytes(8, "big") + bytes(4))  # the frame's head alone
        said = b""
        while more := connection.recv(4096):
            said += more
    assert (1009).to_bytes(2, "big") in said  # closed as too big


@pytest.mark.parametrize("path", ["", "activation", "health", "_stcore/health", "_stcore/metrics", "media/none.xlsx"])
def test_a_browser_is_told_how_to_treat_what_is_served(address: str, path: str) -> None:
    _status, headers = answer(address, path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert (headers["Cache-Control"] == "no-store") == path.startswith("media/")


def test_an_error_is_told_even_to_a_browser_that_sent_a_language_nobody_speaks() -> None:
    def script() -> None:
        import streamlit as st

        from app import tell

        st.session_state["lang"] = "xx"
        tell(ValueError("something went wrong"))

    ran = AppTest.from_function(script).run()
    assert not ran.exception
    assert ran.error[0].value.startswith("This page could not be shown.")


STARTED = """
import asyncio, gc, threading, time, weakref
import app

app.ALL_LOOKED_THROUGH = 0.05

class Closed:
    pass

def closed():
    # A session: nothing holds it but itself.
    session = Closed()
    session.itself = session
    return weakref.ref(session)

async def serve():
    def names():
        return {thread.name for thread in threading.enumerate()}
    before = gc.get_freeze_count()
    async with app.lifespan(app.app):
        assert before == 0 and gc.get_freeze_count() > 100_000, gc.get_freeze_count()
        assert {"new loads", "circles"} <= names()
        assert gc.get_threshold()[0] > 10_000  # Python's own 700 has it look through everything while pages are drawn
        session, end = closed(), time.monotonic() + 30
        while session() is not None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        assert session() is None
    assert not names() & {"new loads", "circles"}

asyncio.run(serve())
"""


def test_what_was_imported_is_out_of_the_collectors_sight_and_the_look_for_loads_ends_with_the_server(
    duckdb_url: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT,
        env=os.environ | {"WAREHOUSE_URL": duckdb_url, "JOURNAL_URL": f"sqlite:///{tmp_path / 'journal.db'}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_streamlit_does_not_collect_after_each_run() -> None:
    said = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert said["runner"]["postScriptGC"] is False
