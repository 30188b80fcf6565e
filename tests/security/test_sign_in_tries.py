"""Tries to sign in: counted for each address, in memory that does not grow."""

from __future__ import annotations

import tracemalloc

from server.sign_in import ADDRESSES, SECONDS, TRIES, SignIn, Tries
from tests.security.asking import Inner, asked


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_that_tries_too_often_waits_and_another_does_not() -> None:
    clock, inner = Clock(), Inner(302, [("Location", "/")])
    layer = SignIn(inner, own_pages={""}, clock=clock)
    statuses = [asked(layer, "/oauth2callback", client="10.0.0.1").status for _ in range(TRIES + 5)]
    assert statuses == [302] * TRIES + [429] * 5
    assert len(inner.seen) == TRIES
    refused = asked(layer, "/auth/login", client="10.0.0.1")
    assert (refused.status, refused.headers["Retry-After"]) == (429, str(SECONDS))
    assert asked(layer, "/auth/login", client="10.0.0.2").status == 302
    assert asked(layer, "/activation", client="10.0.0.1").status == 302  # only signing in is held up
    clock.now += SECONDS
    assert asked(layer, "/auth/login", client="10.0.0.1").status == 302


def test_going_on_while_refused_does_not_prolong_the_wait() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(TRIES):
        assert tries.too_many("10.0.0.1") == 0
    for second in range(1, SECONDS):
        clock.now += 1
        assert tries.too_many("10.0.0.1") == SECONDS - second
    clock.now += 1
    assert tries.too_many("10.0.0.1") == 0


def test_whoever_owns_a_network_of_the_new_protocol_is_one() -> None:
    tries = Tries(Clock())
    waits = [tries.too_many(f"2001:db8:0:1::{n:x}") for n in range(TRIES + 1)]
    assert waits[-1] > 0
    assert tries.too_many("2001:db8:0:2::1") == 0
    assert len(tries) == 2


def test_ten_thousand_tries_and_ten_times_as_many_addresses_take_no_more_memory() -> None:
    tries = Tries(Clock())
    for n in range(ADDRESSES):
        tries.too_many(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
    tracemalloc.start()
    for _ in range(10_000):
        tries.too_many("10.0.0.1")
    for n in range(ADDRESSES, 10 * ADDRESSES):
        tries.too_many(f"11.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
    grown, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(tries) == ADDRESSES
    assert grown < 4_000_000  # the last ten thousand in place of the first; a hundred thousand would be 20 MB
    assert Tries(Clock()).too_many("no address") == 0
