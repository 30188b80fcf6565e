"""A Streamlit server of the bench's own: how long it takes to come up, and the memory it holds."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

from tests.processes import children

ROOT = Path(__file__).resolve().parents[2]
REPEATS = int(os.environ.get("REPEATS", "9"))
"""How often each thing is measured after it was warmed up; REPEATS=2 tries a bench out."""
MINUTES = float(os.environ.get("MINUTES", "30"))
"""How long the soak takes."""
IN_FULL = REPEATS >= 9 and MINUTES >= 30
"""Whether what is found may be written down; what was only tried out is printed alone."""
START_SECONDS = 120
_POLL_SECONDS = 0.01


def end_as_asked() -> None:
    """From now on a bench that is told to end (SIGTERM, as `timeout` sends it) ends what it has started first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Server:
    """A server that answers; `start_ms` is the time from its process to its first healthy answer."""

    def __init__(self, process: subprocess.Popen, port: int, start_ms: float) -> None:
        self._process = process
        self.address = f"http://127.0.0.1:{port}"
        self.start_ms = start_ms

    def resident_mb(self) -> float:
        """The memory that the server and the processes it has started hold now."""
        held, waiting = 0.0, [self._process.pid]
        while waiting:
            process = waiting.pop()
            with suppress(FileNotFoundError, LookupError, ProcessLookupError):  # a worker may end meanwhile
                held += memory_mb("VmRSS", process)
                waiting += children(process)
        return held

    def alive(self) -> bool:
        """Whether the server still runs."""
        return self._process.poll() is None


@contextmanager
def served(script: Path | None, warehouse: Path, **environment: str) -> Iterator[Server]:
    """Serves `script` (None: Streamlit's own `hello`) on a free port of this computer, with the warehouse at `warehouse`.

    What the server writes down about its readers goes with it. Raises RuntimeError, with the log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    by_streamlit = ["run", str(script)] if script else ["hello", "--server.headless=true"]
    command = (
        [sys.executable, "-m", "server", "--address=127.0.0.1", f"--port={port}"]
        if script == ROOT / "app.py"
        else [sys.executable, "-m", "streamlit", *by_streamlit, "--server.address=127.0.0.1", f"--server.port={port}"]
    )
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        own = {"WAREHOUSE_URL": f"duckdb:///{warehouse}", "JOURNAL_URL": f"sqlite:///{folder}/journal.db"}
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | own | environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while not _healthy(port):
                if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    log.seek(0)
                    raise RuntimeError(f"{script or 'hello'} was not served:\n{log.read().decode()}")
                time.sleep(_POLL_SECONDS)
            yield Server(process, port, (time.perf_counter() - began) * 1000)
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def memory_mb(entry: str, pid: int | str = "self") -> float:
    """What Linux keeps of a process: VmRSS, the memory it holds now, or VmHWM, the most it has held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{entry}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"/proc/{pid}/status has no {entry}.")


def _healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
