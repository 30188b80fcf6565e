"""A Streamlit server of the bench's own: how long it takes to come up, and the memory it holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
_POLL_SECONDS = 0.01


class Server:
    """A server that answers; `start_ms` is the time from its process to its first healthy answer."""

    def __init__(self, process: subprocess.Popen, port: int, start_ms: float) -> None:
        self._process = process
        self.address = f"http://127.0.0.1:{port}"
        self.start_ms = start_ms

    def resident_mb(self) -> float:
        """The memory that the process holds now."""
        return memory_mb("VmRSS", self._process.pid)


@contextmanager
def served(script: Path, warehouse: Path) -> Iterator[Server]:
    """Serves `script` on a free port of this computer, with the warehouse at `warehouse`. Raises RuntimeError, with the log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.address=127.0.0.1",
        f"--server.port={port}",
    ]
    with tempfile.TemporaryFile() as log:
        environment = os.environ | {"WAREHOUSE_URL": f"duckdb:///{warehouse}"}
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _healthy(port):
                if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    log.seek(0)
                    raise RuntimeError(f"{script.name} was not served:\n{log.read().decode()}")
                time.sleep(_POLL_SECONDS)
            yield Server(process, port, (time.perf_counter() - began) * 1000)
        finally:
            process.terminate()
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
