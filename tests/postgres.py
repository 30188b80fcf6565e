"""A PostgreSQL of the tests' own: started in a temporary folder, reached by a socket in it, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))


class Server:
    """A private server; `stop` and `start` do what a restart of the bank's database does."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.url = f"postgresql+psycopg://postgres@/postgres?host={folder}"

    def run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_postgres, str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        # Not piped: the server keeps the pipe open, and its reader would wait for ever.
        with (self._folder / "log").open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self._folder)

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c full_page_writes=off -c max_connections=40"
        self.run("pg_ctl", "start", "-w", "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-m", "immediate")


def is_installed() -> bool:
    return bool(_INSTALLED)


@contextmanager
def private_server() -> Iterator[Server]:
    """Yields a running server. Raises CalledProcessError where it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Server(_INSTALLED[-1].parent, folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
