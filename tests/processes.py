"""Processes of a test: each waits when it has imported what it needs, so that several go on at once; and whether something has come
about that another process or thread does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_READY = "print('ready', flush=True)\nsys.stdin.readline()\n"


def waiting(before: str, code: str, *arguments: str) -> subprocess.Popen:
    """A process that runs `before`, which imports sys, and waits for a line before it goes on with `code`."""
    return subprocess.Popen(
        [sys.executable, "-c", before + _READY + code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def let_go(*begun: subprocess.Popen) -> None:
    """Lets processes go on, all at once."""
    for one in begun:
        assert one.stdout.readline() == "ready\n"
    for one in begun:
        one.stdin.write("\n")
        one.stdin.flush()


def ended(one: subprocess.Popen) -> int:
    """How a process ended."""
    code = one.wait(timeout=120)
    one.stdin.close()
    one.stdout.close()
    return code


def came(wanted: Callable[[], object], seconds: float = 60) -> bool:
    """Waits until what is `wanted` holds, at most so many seconds; whether it did."""
    until = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def runs(process: int | str) -> bool:
    """Whether a process still does or holds something: one that has ended may wait for its end to be read, which its first thread does
    also while others still have its files open."""
    own = Path(f"/proc/{process}")
    try:
        return ") Z " not in (own / "stat").read_text() or len(list((own / "task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(process: int) -> list[int]:
    """The processes that a process has begun. Raises FileNotFoundError or ProcessLookupError where it is not there any more."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
