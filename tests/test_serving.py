"""Several processes that serve as one: who is answered by whom, and what happens when one of them, or what holds them, ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from data_access import demo
from server import COOKIE
from server.__main__ import TUNED
from tests.bank import DATA_UNTIL
from tests.benchmarks.crowd import Tab
from tests.browser.serving import ROOT, free_port, running
from tests.processes import came, children, runs

SECONDS = 60


class Served:
    """`python -m server` with two processes, on a port of this computer."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process, self.port = process, port

    def answered(self, path: str = "/health", number: int | None = None) -> dict[str, str]:
        """The headers of an answer, by their names in small letters; of a browser that has been with a process of this `number`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Cookie": f"a=b; {COOKIE}={number}"} if number is not None else {})
            found = connection.getresponse()
            found.read()
            assert found.status == 200
            return {name.lower(): value for name, value in found.getheaders()}
        finally:
            connection.close()

    def given(self, number: int | None = None) -> str | None:
        """The cookie that an answer brings; None where the browser keeps its own."""
        return self.answered(number=number).get("set-cookie", "").partition(";")[0] or None

    def children(self) -> list[int]:
        """The processes that answer."""
        return children(self.process.pid)


def at_home(served: Served) -> bool:
    """Whether each of two processes answers the browsers that were with it."""
    try:
        return {served.given(number) for number in (0, 1)} == {None}
    except (OSError, HTTPException):
        return False


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small demo bank."""
    path = tmp_path_factory.mktemp("serving") / "warehouse.duckdb"
    demo.build(path, scale=0.05, until=DATA_UNTIL)
    return f"duckdb:///{path}"


@contextmanager
def serving(url: str, folder: Path) -> Iterator[Served]:
    port = free_port()
    own = {"WAREHOUSE_URL": url, "JOURNAL_URL": f"sqlite:///{folder}/journal.db"}
    command = [sys.executable, "-m", "server", "--address=127.0.0.1", f"--port={port}", "--processes=2"]
    begun: list[int] = []
    try:
        with running(command, ROOT, os.environ | own, folder / "log", f"http://127.0.0.1:{port}/health") as process:
            found = Served(process, port)
            assert came(lambda: at_home(found))
            begun = found.children()
            yield found
    finally:
        for pid in filter(runs, begun):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def served(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(url, tmp_path_factory.mktemp("served")) as found:
        yield found


def test_new_browsers_are_shared_out_and_told_where_they_are(served: Served) -> None:
    # The one that has answered less in the last second is given more, so that it may take a moment.
    assert came(lambda: {served.given() for _time in range(20)} == {f"{COOKIE}=0", f"{COOKIE}=1"})


def test_a_browser_stays_where_it_was_first(served: Served) -> None:
    assert {served.given(number) for number in (0, 1) for _time in range(10)} == {None}


def test_a_browser_of_a_process_that_is_not_there_is_given_another(served: Served) -> None:
    assert served.given(number=7) in (f"{COOKIE}=0", f"{COOKIE}=1")


def test_the_cookie_is_for_no_script_and_for_no_other_page(served: Served) -> None:
    told = {part.strip() for part in served.answered("/")["set-cookie"].split(";")[1:]}
    assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= told


def test_each_thing_is_asked_for_on_a_connection_of_its_own(served: Served) -> None:
    # On one that a reverse proxy keeps, the next request may be another reader's.
    assert served.answered()["connection"] == "close"


def test_a_page_is_shown_and_its_file_fetched(served: Served) -> None:
    async def visited() -> tuple[float, int]:
        async with AsyncExitStack() as stack:
            tab = await Tab.opened(stack, f"http://127.0.0.1:{served.port}", "complaints", "lang=en")
            await tab.run()
            return await tab.file()

    for _time in range(4):  # both processes are met
        _ms, size = asyncio.run(visited())
        assert size > 5_000


def test_each_process_keeps_the_memory_that_a_statement_gives_back(served: Served) -> None:
    for process in served.children():
        told = Path(f"/proc/{process}/environ").read_text().split("\0")
        assert {f"{name}={value}" for name, value in TUNED.items()} <= {*told}


def test_who_says_half_a_request_holds_up_nobody(served: Served) -> None:
    with (
        socket.create_connection(("127.0.0.1", served.port)) as slow,
        socket.create_connection(("127.0.0.1", served.port)),
    ):
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: x=")
        assert at_home(served)
        slow.sendall(b"1\r\nConnection: close\r\n\r\n")
        assert slow.recv(15) == b"HTTP/1.1 200 OK"


def test_hundreds_who_say_nothing_hold_up_nobody(served: Served) -> None:
    with ExitStack() as silent:
        for _time in range(300):
            silent.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        assert at_home(served)


def test_a_taken_port_is_a_sentence(served: Served) -> None:
    command = [sys.executable, "-m", "server", f"--port={served.port}", "--address=127.0.0.1", "--processes=2"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 1
    assert f"Port {served.port} at 127.0.0.1 cannot be used" in ended.stderr


def test_of_a_process_that_ends_the_others_serve_until_it_is_there_again(served: Served) -> None:
    before = served.children()
    os.kill(before[0], signal.SIGKILL)
    assert came(lambda: not runs(before[0]))
    assert served.given() == served.given(number=0) == f"{COOKIE}=1"
    assert came(lambda: len(served.children()) == 2)
    assert came(lambda: at_home(served))


def test_all_end_when_it_is_told_to(url: str, tmp_path: Path) -> None:
    with serving(url, tmp_path) as found:
        begun = found.children()
        assert len(begun) == 2
        found.process.terminate()
        assert found.process.wait(SECONDS) == 0
        assert not any(map(runs, begun))


def test_none_is_left_when_what_holds_them_is_killed(url: str, tmp_path: Path) -> None:
    with serving(url, tmp_path) as found:
        begun = found.children()
        found.process.kill()
        assert came(lambda: not any(map(runs, begun)))
