"""Turns: when many want to work at once, a few do, and of the others whoever has waited longest goes on first.

Python runs one thread at a time, and the embedded engine has as many cores as the computer. Fifty pages drawn side by side are
all done last; one after another, half of them are done in half the time. Whoever waits for the engine lets somebody else draw
meanwhile, so a slow statement holds up nobody but its own reader.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

CORES = os.cpu_count() or 2

_own = threading.local()


@contextmanager
def begun(since: float | None = None) -> Iterator[None]:
    """What this thread takes turns for within the block has waited since now: a page, which takes many of them. Or `since` another
    moment: what is looked for on behalf of a page."""
    _own.since = time.monotonic() if since is None else since
    try:
        yield
    finally:
        del _own.since


def since() -> float:
    """When what this thread works at was begun; 0.0 where it works for several pages at once: some of them wait for it."""
    return getattr(_own, "since", 0.0)


class Turns:
    """At most `most` at a time.

    Whoever waits for a lock leaves its turn first, where the lock is held by somebody who takes turns: else both would wait.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._number = count()
        self._lock = threading.Lock()
        self._held = threading.local()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A turn for this thread, which has none yet."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def left_to_others(self) -> Iterator[None]:
        """Lets another go on while this thread waits for something; nothing happens where it has no turn."""
        if not getattr(self._held, "turn", False):
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        with self._lock:
            mine = None
            if self._free:
                self._free -= 1
            else:
                mine = threading.Lock()
                mine.acquire()
                heapq.heappush(self._waiting, (since(), next(self._number), mine))
        if mine:
            mine.acquire()  # whoever leaves hands the turn over
        self._held.turn = True

    def _leave(self) -> None:
        self._held.turn = False
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[-1].release()
            else:
                self._free += 1


drawing = Turns(1)
"""Of those who work in Python, whoever else they wait for: a second would only make the first wait for Python's lock, and be waited
for in each of the many places where that is let go for a moment."""

reading = Turns(CORES + 1)
"""Of those who ask an embedded engine; a server has its own order."""
