"""What a browser test needs: a script served on a port of its own, and Chromium to open it in."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
"""A cold start takes 4 s; the rest is for a computer that runs other tests."""
NO_CHROMIUM = "Chromium is not installed: apt-get install chromium."


@contextmanager
def served(script: Path, folder: Path, **environment: str) -> Iterator[str]:
    """The address, ending in a slash, under which Streamlit serves `script` while the block runs; its log is written to `folder`.

    Raises RuntimeError, with the log, for a server that does not come up.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    known = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    # ROOT: there lies .streamlit/config.toml
    with running(command, ROOT, known, folder / "server.log", f"http://127.0.0.1:{port}/_stcore/health"):
        yield f"http://127.0.0.1:{port}/"


def free_port() -> int:
    """A port of this computer on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, url: str
) -> Iterator[subprocess.Popen]:
    """A server started by `command` in `folder`, once it answers at `url`; it is ended with the block.

    Raises RuntimeError, with the log, for a server that does not come up.
    """
    with log.open("wb") as written:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=written, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_answers(server, url, log)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:  # it waits for a browser that has not closed its connection
                server.kill()
                server.wait()


def _wait_until_it_answers(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:  # not up yet, or not quite
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Nothing was served at {url} within {START_SECONDS} s:\n{log.read_text()}")


def chromium() -> str | None:
    """Where Chromium is installed, or None."""
    return shutil.which("chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()
