"""The dashboard as a bank runs it, on this computer: a copy of the project with its own config.toml and secrets, beside a provider."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.served import memory_mb
from tests.browser.serving import ROOT, free_port, running
from tests.security.provider import CLIENT_ID, CLIENT_SECRET

PARTS = ("data_access", "measures", "presentation", "panels", "pages", "server", "locales", ".streamlit")
PROXY_SECRET = "s3cret-" + "0123456789abcdef" * 2


@dataclass
class Bank:
    """A running dashboard, and the provider that its readers sign in with."""

    address: str
    """Ends in a slash."""
    provider: str
    folder: Path
    environment: dict[str, str]
    cookie_secret: str
    process: subprocess.Popen = field(repr=False)

    def next_sign_in(self, **told: Any) -> None:
        """Who signs in next (`person`), for how many `seconds`, and whether the provider is `down`."""
        request = urllib.request.Request(f"{self.provider}/next", json.dumps(told).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def command(self, *words: str) -> str:
        """What `python -m data_access …` prints, run beside the server as an administrator would."""
        done = subprocess.run(
            [sys.executable, "-m", "data_access", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def memory(self) -> int:
        """Bytes that the server holds."""
        return int(memory_mb("VmRSS", self.process.pid) * 2**20)


@contextmanager
def bank(folder: Path, warehouse_url: str, access: str, people: str, **environment: str) -> Iterator[Bank]:
    """Serves the dashboard with these lines under [access] and these people; both processes end with the block."""
    port, provider_port = free_port(), free_port()
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
    shutil.copy(ROOT / "app.py", folder)
    (folder / "config.toml").write_text(
        f'[warehouse]\nurl = "duckdb:///var/none.duckdb"\n[access]\n{access}\n', encoding="utf-8"
    )
    (folder / "access.toml").write_text(people, encoding="utf-8")
    cookie_secret = secrets.token_hex(32)
    (folder / ".streamlit" / "secrets.toml").write_text(
        "[auth]\n"
        f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
        f'cookie_secret = "{cookie_secret}"\n'
        f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n'
        f'server_metadata_url = "http://127.0.0.1:{provider_port}/.well-known/openid-configuration"\n'
        'client_kwargs = { scope = "openid email profile groups" }\n',
        encoding="utf-8",
    )
    inherited = {k: v for k, v in os.environ.items() if k not in ("DASHBOARD_CONFIG", "JOURNAL_URL")}
    known = inherited | {"PYTHONPATH": str(folder), "WAREHOUSE_URL": warehouse_url} | environment

    def health(of: int) -> str:
        return f"http://127.0.0.1:{of}/health"

    provider = [sys.executable, "-m", "tests.security.provider", str(provider_port)]
    server = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    with (
        running(provider, ROOT, os.environ | {"PYTHONPATH": str(ROOT)}, folder / "provider.log", health(provider_port)),
        running(server, folder, known, folder / "server.log", health(port)) as process,
    ):
        yield Bank(
            f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{provider_port}", folder, known, cookie_secret, process
        )
