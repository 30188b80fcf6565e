"""Turns: a few at a time, the longest waiting first, and nobody held up by who waits for something else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from data_access.turns import Turns, begun, since
from tests.processes import came

SECONDS = 10


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_no_more_work_at_once_than_there_are_turns_and_all_are_done() -> None:
    turns, lock, working, most, done = Turns(2), threading.Lock(), 0, 0, 0

    def work() -> None:
        nonlocal working, most, done
        with turns.one():
            with lock:
                working += 1
                most = max(most, working)
            time.sleep(0.002)
            with lock:
                working -= 1
                done += 1

    for thread in [in_thread(work) for _ in range(20)]:
        thread.join(SECONDS)
    assert (most, done) == (2, 20)


def test_who_has_waited_longest_goes_on_first_also_when_it_asks_for_a_turn_later() -> None:
    turns, went, older_began, may_ask = Turns(1), [], threading.Event(), threading.Event()

    def page(name: str, began: threading.Event | None = None, wait: threading.Event | None = None) -> None:
        with begun():
            if began:
                began.set()
            if wait:
                assert wait.wait(SECONDS)
            with turns.one():
                went.append(name)

    with turns.one():
        older = in_thread(lambda: page("older", older_began, may_ask))
        assert older_began.wait(SECONDS)
        younger = in_thread(lambda: page("younger"))
        assert came(lambda: len(turns._waiting) == 1, SECONDS)
        may_ask.set()
        assert came(lambda: len(turns._waiting) == 2, SECONDS)
        assert went == []
    for thread in (older, younger):
        thread.join(SECONDS)
    assert went == ["older", "younger"]


def test_a_turn_is_left_to_others_while_its_holder_waits() -> None:
    turns, went = Turns(1), threading.Event()

    def other() -> None:
        with turns.one():
            went.set()

    with turns.one():
        thread = in_thread(other)
        assert came(lambda: len(turns._waiting) == 1, SECONDS)
        assert not went.is_set()
        with turns.left_to_others():
            assert went.wait(SECONDS)
        thread.join(SECONDS)
        late = in_thread(other)
        assert came(lambda: len(turns._waiting) == 1, SECONDS)
    late.join(SECONDS)
    assert not late.is_alive()


def test_a_turn_ends_with_what_went_wrong_in_it_and_who_has_none_leaves_none() -> None:
    turns = Turns(1)
    with turns.left_to_others(), pytest.raises(ZeroDivisionError), turns.one():
        raise ZeroDivisionError
    with turns.one():
        thread = in_thread(lambda: turns.one().__enter__())
        assert came(lambda: len(turns._waiting) == 1, SECONDS)
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_what_is_done_for_a_page_has_waited_as_long_as_the_page() -> None:
    turns, went = Turns(1), []

    def work(name: str, began: float) -> None:
        with begun(began), turns.one():
            went.append((name, since()))

    with begun():
        now = since()
    assert (0.0 < now <= time.monotonic(), since()) == (True, 0.0)
    with turns.one():
        threads = []
        for name, began in (("younger", now + 1), ("older", now)):
            threads.append(in_thread(lambda name=name, began=began: work(name, began)))
            assert came(lambda: len(turns._waiting) == len(threads), SECONDS)
    for thread in threads:
        thread.join(SECONDS)
    assert went == [("older", now), ("younger", now + 1)]
