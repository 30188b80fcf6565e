"""Serves the dashboard with as many processes as there are cores: `python -m server [--port 8501] [--processes 2]`.

Python works on one thing at a time in each process. Here one process listens and hands each connection, as it is, to one of the
others, so that what they see of who has connected is true, and no byte goes through a process more. A browser stays with the process
that it came to first, by a cookie, because a tab, its session and its files are there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import math
import os
import re
import resource
import signal
import socket
import subprocess  # nosec B404: Python itself, with arguments that no reader has a part in
import sys
import time
import tomllib
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from server import COOKIE, HANDED, NUMBER, OPEN

ROOT = Path(__file__).resolve().parents[1]
PEEKED = 65_536
PEEK_SECONDS = 10.0
"""Who has not said by then what is wanted is hung up on."""
MOST_PEEKED = 2_000
"""So many at once may be about to say it; whoever comes beyond that waits to be let in."""
LOOKS_AGAIN_SECONDS = 0.01
EXIT_SECONDS = 0.05
"""Between two looks at whether a process has ended. That it takes nothing any more is known at once."""
STOP_SECONDS = 30.0
AGAIN_SECONDS = 1.0
"""A process that has ended by itself is started anew after so long."""
MOST = 8
"""Each process has answers and memory of its own: more of them are not better."""

TUNED = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=1000"}
"""Small pieces of memory that a thread has given back are kept for its next ones. The embedded engine takes and gives back thousands
for each statement: more than the 7 of each size that are kept otherwise. Other C libraries do not look at this."""

_OWN = re.compile(rb"\r\ncookie:[^\r\n]*?[ ;:]" + COOKIE.encode() + rb"=(\d{1,3})(?=[;\r])", re.IGNORECASE)

log = logging.getLogger("dashboard")


@dataclass
class _Process:
    number: int
    running: subprocess.Popen
    handing: socket.socket
    """Sends connections, and receives what the process says."""
    connections: int | None = None
    """About how many are open; None until it is warm."""


class Serving:
    """One listener at `address` and `port`, and `most` processes that answer."""

    def __init__(self, address: str, port: int, most: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        both = address == "::" and socket.has_dualstack_ipv6()
        self._listener = socket.create_server((address, port), family=family, backlog=2048, dualstack_ipv6=both)
        self._listener.setblocking(False)
        self._most = most
        self._processes: dict[int, _Process] = {}
        self._ended = asyncio.Event()
        self._warm = asyncio.Event()
        self._all_warm = asyncio.Event()
        self._peeking = asyncio.Semaphore(MOST_PEEKED)
        self._waiting: set[asyncio.Task] = set()

    async def run(self) -> int:
        """Serves until it is told to end; returns what the process is to exit with."""
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, self._ended.set)
        # The others after the first is warm: what is made at the first start, it makes alone.
        kept = [asyncio.create_task(self._keep(number)) for number in range(self._most)]
        accepting = asyncio.create_task(self._accept())
        ended = asyncio.create_task(self._ended.wait())
        done, _rest = await asyncio.wait({*kept, ended, accepting}, return_when=asyncio.FIRST_COMPLETED)
        failed = [error for task in done if (error := task.exception())]
        self._ended.set()
        accepting.cancel()
        self._listener.close()
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*kept, accepting, *self._waiting, return_exceptions=True)
        for error in failed:
            log.error("The server ends: %s", error)
        return 1 if failed else 0

    async def _keep(self, number: int) -> None:
        """One process: begun, begun anew when it ends by itself, and ended with all. Raises RuntimeError where one ends before any has
        been ready: then none ever will."""
        if number:
            await self._either(self._warm.wait())
        while not self._ended.is_set():
            process = self._begun(number)
            self._processes[number] = process
            loop = asyncio.get_running_loop()
            loop.add_reader(process.handing, self._hear, process)
            try:
                await self._either(self._gone(process.running))
                if self._ended.is_set():
                    process.running.terminate()
                    await self._gone(process.running, STOP_SECONDS)
                    return
            finally:
                loop.remove_reader(process.handing)
                process.handing.close()
                del self._processes[number]
            if not self._warm.is_set():
                raise RuntimeError(f"a process ended with {process.running.returncode} before it was ready")
            self._all_warm.set()  # one that cannot be begun does not hold up the others
            log.error("Process %d ended with %s and is begun anew", number, process.running.returncode)
            await self._either(asyncio.sleep(AGAIN_SECONDS))

    async def _either(self, waited: Coroutine) -> None:
        """Waits for `waited`, or until all is to end."""
        both = {asyncio.create_task(waited), asyncio.create_task(self._ended.wait())}
        _done, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    @staticmethod
    async def _gone(running: subprocess.Popen, seconds: float = math.inf) -> None:
        """Waits until the process has ended; after so many seconds it is killed."""
        until = time.monotonic() + seconds
        while running.poll() is None:
            if time.monotonic() > until:
                running.kill()
            await asyncio.sleep(EXIT_SECONDS)

    @staticmethod
    def _begun(number: int) -> _Process:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            running = subprocess.Popen(  # nosec B603: as above
                # Whatever address it has of its own, on this computer alone: nobody is told.
                [
                    sys.executable,
                    "-m",
                    "streamlit",
                    "run",
                    str(ROOT / "app.py"),
                    "--server.address=127.0.0.1",
                    "--server.port=0",
                ],
                cwd=ROOT,
                env=TUNED | os.environ | {NUMBER: str(number), HANDED: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,  # where it says its address
                start_new_session=True,  # Ctrl-C is for us; we tell the others
            )
        return _Process(number, running, ours)

    def _hear(self, process: _Process) -> None:
        try:
            said = process.handing.recv(64)
        except BlockingIOError:
            return
        except ConnectionError:
            said = b""
        if said.startswith(OPEN):
            process.connections = int(said.removeprefix(OPEN))
            self._warm.set()
            if len(self._warm_ones()) == self._most:
                self._all_warm.set()
        elif not said:  # it ends: who waits for that knows when it has
            process.connections = None
            asyncio.get_running_loop().remove_reader(process.handing)

    def _warm_ones(self) -> list[_Process]:
        return [process for process in self._processes.values() if process.connections is not None]

    async def _accept(self) -> None:
        await self._all_warm.wait()  # a process that begins would take the time of the first readers
        print(f"The dashboard is served at http://{_shown(self._listener.getsockname())}", flush=True)
        loop = asyncio.get_running_loop()
        while True:
            await self._peeking.acquire()
            try:
                connection, _peer = await loop.sock_accept(self._listener)
            except OSError as error:  # too many files are open, or who came has gone
                self._peeking.release()
                log.warning("A connection was not let in: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            task = asyncio.create_task(self._hand_over(connection))
            self._waiting.add(task)
            task.add_done_callback(self._handed)

    def _handed(self, task: asyncio.Task) -> None:
        self._waiting.discard(task)
        self._peeking.release()

    async def _hand_over(self, connection: socket.socket) -> None:
        with connection:
            head = await self._peeked(connection)
            if head is None:
                return
            own = _OWN.search(head)
            number = int(own[1]) if own else -1
            for process in sorted(self._warm_ones(), key=lambda p: (p.number != number, p.connections)):
                with contextlib.suppress(OSError):  # it has just ended, or takes none: the next one
                    socket.send_fds(process.handing, [b"c"], [connection.fileno()])
                    process.connections += 1
                    return

    @staticmethod
    async def _peeked(connection: socket.socket) -> bytes | None:
        """What the client has said up to the end of its request's head, which is left to be read; None where nothing comes."""
        loop = asyncio.get_running_loop()
        until, pause = time.monotonic() + PEEK_SECONDS, LOOKS_AGAIN_SECONDS
        while time.monotonic() < until:
            try:
                said = connection.recv(PEEKED, socket.MSG_PEEK)
            except BlockingIOError:  # nothing yet: it costs nothing to wait
                something = asyncio.Event()
                loop.add_reader(connection, something.set)
                try:
                    await asyncio.wait_for(something.wait(), until - time.monotonic())
                except TimeoutError:
                    return None
                finally:
                    loop.remove_reader(connection)
                continue
            except OSError:
                return None
            if not said or b"\r\n\r\n" in said or len(said) == PEEKED:
                return said or None
            await asyncio.sleep(pause)  # a part of it is there, and would be told again and again
            pause = min(2 * pause, 1.0)
        return None


def _shown(address: tuple) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def main() -> int:
    """Reads where to listen, and serves. Where a browser speaks TLS with the server itself, nobody can see its cookie before: then one
    process answers alone."""
    said = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")).get("server", {})

    def option(name: str, variable: str, default: object) -> object:
        return os.environ.get(f"STREAMLIT_SERVER_{variable}") or said.get(name, default)

    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    parser.add_argument("--address", default=option("address", "ADDRESS", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=option("port", "PORT", 8501))
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, MOST))
    asked = parser.parse_args()
    if asked.processes < 1:
        parser.error("--processes is 1 or more")
    if option("sslCertFile", "SSL_CERT_FILE", "") or asked.processes == 1:
        where = [f"--server.address={asked.address}", f"--server.port={asked.port}"]
        os.chdir(ROOT)
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *where]
        os.execve(sys.executable, command, TUNED | os.environ)  # nosec B606: as above
    # A reader takes some three of them; often no more than 1,024 are given to who does not ask.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.basicConfig(format="%(asctime)s %(message)s")
    try:
        serving = Serving(asked.address, asked.port, asked.processes)
    except OSError as error:
        print(
            f"Port {asked.port} at {asked.address} cannot be used: {error.strerror}. Choose another with --port.",
            file=sys.stderr,
        )
        return 1
    return asyncio.run(serving.run())


if __name__ == "__main__":
    sys.exit(main())
