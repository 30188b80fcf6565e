"""Prints an HTML document to PDF through Chromium, where Chromium is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess  # nosec B404: Chromium, with arguments that no reader has a part in
from pathlib import Path
from tempfile import TemporaryDirectory

from measures.model import _
from measures.question import Told

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60
"""A deck of 15 pages takes two; the rest is for a server that is busy."""


class PrintError(Told):
    """No PDF could be made."""


def chromium() -> str | None:
    """Where Chromium is installed, or None."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def of(html: str, seconds: float = SECONDS) -> bytes:
    """The document as PDF, which has to forbid scripts itself. Chromium reaches no other host; its profile is removed afterwards.

    Raises PrintError where there is no Chromium, or it fails or takes longer than `seconds`.
    """
    program = chromium()
    if program is None:
        raise PrintError(
            _(
                "There is no PDF, because Chromium is not installed on the server. Take the PowerPoint file, or print the page."
            )
        )
    with TemporaryDirectory(prefix="print-", ignore_cleanup_errors=True) as folder:
        page, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        options = [
            "--headless",
            # Chromium's own sandbox needs rights that a container rarely gives. What it opens is our own text: escaped, without
            # scripts, forbidden to fetch anything.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-first-run",
            f"--user-data-dir={Path(folder) / 'profile'}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={printed}",
            page.as_uri(),
        ]
        _run([program, *options], Path(folder), seconds)
        if not printed.is_file() or not printed.stat().st_size:
            raise PrintError(_("Chromium made no PDF. Try again, or take the PowerPoint file."))
        return printed.read_bytes()


def _run(command: list[str], folder: Path, seconds: float) -> None:
    known = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    with subprocess.Popen(  # nosec B603
        command,
        env=known,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # its children are ended with it
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise PrintError(
                _(
                    "Chromium took longer than {seconds} seconds to print, and was stopped. Try again, or take the PowerPoint file."
                ),
                seconds=f"{seconds:g}",
            ) from late
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
