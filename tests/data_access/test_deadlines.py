"""What takes too long is stopped; what has ended is left alone; one thread looks after all."""

from __future__ import annotations

import threading

from data_access import deadlines
from data_access.deadlines import Deadlines

LONG = 30
"""Seconds after which a test gives up."""


def looking() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deadlines"]


def test_what_takes_longer_is_stopped_once():
    stopped, calls = threading.Event(), []

    def stop() -> None:
        calls.append(threading.current_thread())
        stopped.set()

    with Deadlines().within(0.01, stop):
        assert stopped.wait(LONG)
        threading.Event().wait(3 * deadlines.LOOKS_EVERY)  # it still runs, and is looked at again
    assert len(calls) == 1
    assert calls[0] is not threading.current_thread()


def test_what_has_ended_is_not_stopped_while_others_run():
    found = Deadlines()
    late, other = [], threading.Event()
    with found.within(0.05, other.set):
        with found.within(0.01, lambda: late.append(1)):
            pass
        assert other.wait(LONG)  # looked at after both were due
    assert late == []


def test_what_fails_is_not_stopped_afterwards():
    found = Deadlines()
    late, other = [], threading.Event()
    with found.within(0.05, other.set):
        try:
            with found.within(0.01, lambda: late.append(1)):
                raise ValueError
        except ValueError:
            pass
        assert other.wait(LONG)
    assert late == []


def test_one_that_cannot_be_stopped_does_not_keep_the_others_running(caplog):
    found = Deadlines()
    stopped = threading.Event()

    def broken() -> None:
        raise OSError("nobody there")

    with found.within(0.01, broken), found.within(0.02, stopped.set):
        assert stopped.wait(LONG)
    assert "could not be stopped" in caplog.text and "nobody there" in caplog.text


def test_one_thread_looks_after_all_and_ends_with_the_last():
    found = Deadlines()
    before = looking()
    with found.within(LONG, print), found.within(LONG, print), found.within(LONG, print):
        (mine,) = [thread for thread in looking() if thread not in before]
    mine.join(LONG)
    assert not mine.is_alive()
    stopped = threading.Event()
    with found.within(0.01, stopped.set):  # another begins when there is something to look after again
        assert stopped.wait(LONG)
