"""Deadlines: what takes too long is stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

LOOKS_EVERY = 0.1
"""Seconds between two looks at what is late."""


class Deadlines:
    """One thread looks after all that runs, and ends when nothing does: a thread for each statement of a page would take longer to
    begin than many of them to be answered, and everybody else's would wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[object, tuple[float, Callable[[], object]]] = {}
        self._looking = False

    @contextmanager
    def within(self, seconds: float, stop: Callable[[], object]) -> Iterator[None]:
        """Calls `stop`, once and from another thread, where the block takes longer; never after the block."""
        this = object()
        with self._lock:
            self._running[this] = (time.monotonic() + seconds, stop)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="deadlines", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(this, None)

    def _look(self) -> None:
        while True:
            time.sleep(LOOKS_EVERY)
            with self._lock:
                if not self._running:
                    self._looking = False
                    return
                now = time.monotonic()
                for this, (due, stop) in [*self._running.items()]:
                    if now >= due:
                        del self._running[this]
                        try:
                            stop()  # with the lock: the block cannot end meanwhile and something else begin in its place
                        except Exception:
                            log.exception(
                                "What takes too long could not be stopped."
                            )  # the others are looked after still
