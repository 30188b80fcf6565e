"""Processes of a test: each waits when it has imported what it needs, so that several go on at once."""

from __future__ import annotations

import subprocess
import sys
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
