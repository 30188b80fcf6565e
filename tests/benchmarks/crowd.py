"""Many readers at once, on real websockets, in a process of their own: each changes a filter every few seconds.

`python -m tests.benchmarks.crowd ADDRESS '{"sessions": 50, "seconds": 60, …}' FILE` writes what they waited for to FILE as JSON: see
`Order` and `Found`. It is a process of its own, so that what 200 readers take is not counted as the server's or the bench's.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.benchmarks.served import ROOT

EVERY = 5.0
"""Seconds between two changes of one reader."""
LIMIT = 60.0
"""Who waits longer for a page has met an error."""
OPENING = 300.0
"""Seconds after which no more sessions are waited for."""
APART = 0.2
"""Seconds between two readers who come in."""
FAILS = (OSError, TimeoutError, RuntimeError, WebSocketException)
"""What a reader meets as an error; whatever else goes wrong ends the crowd."""
PICKERS = ("branch", "period")
KEPT_RUNS = 50
"""How long a browser keeps a large message that is not named again: what .streamlit/config.toml says."""
LOAD = re.compile(rb"Load (\d+) ")
"""What a soak's bank writes before the name of head office, which every page shows: which load it comes from."""
RECEIVED = re.compile(r'>Complaints received</button>.*?<div class="value">([^<]*)</div>', re.DOTALL)


@dataclass(frozen=True)
class Order:
    """What the readers do: so many of them, for so many seconds, on these pages; none changes anything where `idle`.

    `exports` of them order a file again and again; `watched` is an address whose complaints received are read every second.
    """

    sessions: int
    seconds: float
    pages: Sequence[str] = ("", "activation", "follow_up", "complaints")
    idle: bool = False
    exports: int = 0
    watched: str = ""
    seed: int = 1


@dataclass
class Found:
    """What was waited for: of each run when it began (seconds since the epoch), its milliseconds, and the load it showed."""

    runs: list[tuple[float, float, int | None]] = field(default_factory=list)
    watched: list[tuple[float, int | None, str]] = field(default_factory=list)
    """Of each look when it began, the load and the number shown."""
    files: list[tuple[float, int]] = field(default_factory=list)
    """Of each file its milliseconds and bytes."""
    errors: list[str] = field(default_factory=list)
    opened: int = 0


class Tab:
    """One reader's websocket; knows the pickers that the page shows, and the address that it has written."""

    def __init__(self, socket, address: str, page: str, query: str, cookie: str = "") -> None:
        self._socket = socket
        self._address = address
        self._cookie = cookie
        self._page, self._query, self._hash = page, query, ""
        self.options: dict[str, tuple[str, list[str]]] = {}
        """Of each picker, by its key, the id and what it offers."""
        self.files: list[str] = []
        self.load: int | None = None
        self.said = ""
        self.failure = ""
        self._session = ""
        self._kept: dict[str, tuple[int, ForwardMsg]] = {}
        """Large messages, by their hash, each with the number of the last run that named it: a browser keeps them, says so, and is
        sent their hash alone."""
        self._run = 0

    @classmethod
    async def opened(cls, stack: AsyncExitStack, address: str, page: str, query: str) -> Self:
        """A new tab at `page`, which has not run yet; of a browser that comes for the first time, and is given a cookie."""

        def cookie() -> str:
            with urllib.request.urlopen(address, timeout=LIMIT) as found:
                return (found.headers["Set-Cookie"] or "").partition(";")[0]

        given = await asyncio.to_thread(cookie)
        socket = await stack.enter_async_context(
            connect(
                f"{address.replace('http', 'ws')}/_stcore/stream",
                subprotocols=["streamlit", "none"],
                origin=address,
                additional_headers={"Cookie": given},
                max_size=None,
                compression=None,
                proxy=None,
                open_timeout=LIMIT,
                ping_interval=None,
            )
        )
        return cls(socket, address, page, query, given)

    async def run(self, picker: str = "", value: str = "", button: str = "") -> float:
        """Runs the page, with `value` chosen in `picker`; returns the milliseconds until the script was at rest."""
        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        asked.rerun_script.page_name = self._page
        asked.rerun_script.page_script_hash = self._hash
        asked.rerun_script.cached_message_hashes.extend(self._kept)
        if picker:
            asked.rerun_script.widget_states.widgets.add(id=self.options[picker][0], string_value=value)
        if button:
            asked.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
        began = time.perf_counter()
        self.failure, self.said, self.files = "", "", []
        await self._socket.send(asked.SerializeToString())
        async with asyncio.timeout(LIMIT):
            while not self._noted(self._whole(raw := await self._socket.recv()), raw):
                pass
        self._run += 1
        self._kept = {hash_: kept for hash_, kept in self._kept.items() if self._run - kept[0] < KEPT_RUNS}
        if self.failure:
            raise RuntimeError(self.failure)
        return (time.perf_counter() - began) * 1000

    def _whole(self, raw: bytes) -> ForwardMsg:
        """The message, also where only its hash was sent."""
        message = ForwardMsg.FromString(raw)
        if message.WhichOneof("type") == "ref_hash":
            message = self._kept[message.ref_hash][1]
        if message.metadata.cacheable:
            self._kept[message.hash] = (self._run, message)
        return message

    def _noted(self, message: ForwardMsg, raw: bytes) -> bool:
        """Takes in a message, and says whether the run is over."""
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.failure = "the script does not compile"
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        if kind == "new_session":
            self._hash = message.new_session.page_script_hash
            self._session = message.new_session.initialize.session_id or self._session
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "delta":
            if load := LOAD.search(raw):
                self.load = int(load[1])
            self._element(message.delta.new_element)
        return False

    def _element(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "selectbox" and (key := element.selectbox.id.rpartition("-")[2]) in PICKERS:
            self.options[key] = (element.selectbox.id, list(element.selectbox.options))
        elif kind == "exception":
            self.failure = f"exception: {element.exception.message}"
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.failure = f"error: {element.alert.body}"
        elif kind in ("html", "markdown"):
            self.said += element.html.body if kind == "html" else element.markdown.body
        elif kind == "download_button" and element.download_button.id.endswith("_xlsx"):
            self.files.append(element.download_button.deferred_file_id)

    async def file(self) -> tuple[float, int]:
        """Orders a file that the page offers, and fetches it: milliseconds and bytes."""
        asked = BackMsg()
        asked.backend_operation_request.request_id = "1"
        asked.backend_operation_request.session_id = self._session
        asked.backend_operation_request.deferred_file.file_id = self.files[0]
        began = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        async with asyncio.timeout(LIMIT):
            while True:
                message = ForwardMsg.FromString(await self._socket.recv())
                if message.WhichOneof("type") == "backend_operation_response":
                    break
        answer = message.backend_operation_response
        if answer.error_msg or not answer.deferred_file.url:
            raise RuntimeError(f"no file: {answer.error_msg}")

        def fetched() -> int:
            asked = urllib.request.Request(self._address + answer.deferred_file.url, headers={"Cookie": self._cookie})
            with urllib.request.urlopen(asked, timeout=LIMIT) as found:
                return len(found.read())

        size = await asyncio.to_thread(fetched)
        return (time.perf_counter() - began) * 1000, size


class _Clock:
    """When the readers begin, which is when all of them have opened their page, and when they end."""

    def __init__(self, order: Order, found: Found) -> None:
        self._order, self._found = order, found
        self._begun = asyncio.Event()
        self.until = time.time() + OPENING + order.sessions * APART

    def opened(self) -> None:
        """One more has opened its page."""
        self._found.opened += 1
        if self._found.opened == self._order.sessions:
            self.until = time.time() + self._order.seconds
            self._begun.set()
            if self._order.idle:  # whoever ordered the crowd reads the server's memory now, and then ends it
                print("open", flush=True)

    async def begun(self) -> None:
        """Waits until all have opened their page, or it is too late for that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self.until - time.time())):
                await self._begun.wait()

    @property
    def over(self) -> bool:
        return time.time() >= self.until


async def _reader(order: Order, number: int, address: str, clock: _Clock, found: Found) -> None:
    """One reader: opens a page, then changes a filter every `EVERY` seconds until the end."""
    rng = random.Random(f"{order.seed} {number}")  # the same changes in every run
    counted = False
    while not clock.over:
        try:
            async with AsyncExitStack() as stack:
                page = order.pages[number % len(order.pages)]
                tab = await Tab.opened(stack, address, page, "lang=en")
                await tab.run()
                if not counted:
                    counted = True
                    clock.opened()
                await clock.begun()
                await asyncio.sleep(clock.until - time.time() if order.idle else rng.uniform(0, EVERY))
                while not clock.over:
                    began = time.time()
                    picker = rng.choice(PICKERS)
                    # The last of the periods are days of the reader's own, which would have to be chosen too.
                    offered = tab.options[picker][1][:-1] if picker == "period" else tab.options[picker][1]
                    ms = await tab.run(picker, rng.choice(offered))
                    found.runs.append((began, ms, tab.load))
                    if number < order.exports and tab.files:
                        found.files.append(await tab.file())
                    await asyncio.sleep(max(0.0, EVERY - (time.time() - began)))
        except FAILS as error:
            found.errors.append(f"reader {number}: {type(error).__name__}: {error}")
            await asyncio.sleep(1)


async def _watcher(order: Order, address: str, clock: _Clock, found: Found) -> None:
    """Runs one page again and again, as it is, and reads a number off it."""
    page, _, query = order.watched.partition("?")
    while not clock.over:
        try:
            async with AsyncExitStack() as stack:
                tab = await Tab.opened(stack, address, page, query)
                while not clock.over:
                    began = time.time()
                    await tab.run()
                    number = RECEIVED.search(tab.said)
                    found.watched.append((began, tab.load, number[1] if number else "nothing"))
                    await asyncio.sleep(1)
        except FAILS as error:
            found.errors.append(f"watcher: {type(error).__name__}: {error}")
            await asyncio.sleep(1)


async def crowd(address: str, order: Order) -> Found:
    """Lets the readers in, one after another, and waits until all of them have ended."""
    found = Found()
    clock = _Clock(order, found)
    async with asyncio.TaskGroup() as group:
        if order.watched:
            group.create_task(_watcher(order, address, clock, found))
        for number in range(order.sessions):
            group.create_task(_reader(order, number, address, clock, found))
            await asyncio.sleep(APART)
    if found.opened < order.sessions:
        found.errors.append(f"crowd: only {found.opened} of {order.sessions} sessions could be opened")
    return found


class Crowd:
    """A crowd in a process of its own."""

    def __init__(self, process: subprocess.Popen, answer: Path) -> None:
        self._process, self._answer = process, answer

    def all_open(self) -> bool:
        """Waits until the sessions of an idle crowd are open; False where the crowd ended before."""
        return self._process.stdout.readline().strip() == "open"

    def goes_on(self) -> bool:
        return self._process.poll() is None

    def found(self) -> Found:
        """Waits for the end. Raises RuntimeError where the crowd failed by itself."""
        if self._process.wait():
            raise RuntimeError(f"The crowd ended with {self._process.returncode}.")
        return Found(**json.loads(self._answer.read_text()))


@contextmanager
def started(address: str, order: Order) -> Iterator[Crowd]:
    """Lets a crowd in, which ends with the block at the latest."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "found.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.crowd", address, json.dumps(asdict(order)), str(answer)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Crowd(process, answer)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def asked(address: str, order: Order) -> Found:
    """What a crowd has found, when it has ended."""
    with started(address, order) as running:
        return running.found()


def main(address: str, order: str, answer: str) -> None:
    found = asyncio.run(crowd(address, Order(**json.loads(order))))
    Path(answer).write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
