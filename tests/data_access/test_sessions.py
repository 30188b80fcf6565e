"""Which sign-ins still hold: time that runs out, an end that holds everywhere, and what nobody began."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from data_access.own_database import OwnDatabase, own_database
from data_access.sessions import FRESH, LOOKED_EVERY, WRITTEN_EVERY, Sessions, Standing, sign_in_of

IDLE_MINUTES, HOURS = 30, 10
NOON = 1_800_000_000


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnDatabase]:
    """An empty one on each engine."""
    if request.param == "sqlite":
        yield own_database(f"sqlite:///{tmp_path / 'journal.db'}", "")
        return
    server = sa.create_engine(
        request.getfixturevalue("postgres_server"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    name = f"sessions_{secrets.token_hex(8)}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    found = own_database(server.url.set(database=name).render_as_string(hide_password=False), "k" * 32)
    yield found
    found.engine.dispose()
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def process(database: OwnDatabase, clock: Clock) -> Callable[[], Sessions]:
    """Begins another process that serves readers: it has its own copy of the list."""
    return lambda: Sessions(database, IDLE_MINUTES, HOURS, clock)


def claims(person: str = "li", nonce: str = "n1", issued: int = NOON, seconds: int = 36_000, **more: object) -> dict:
    return {"iss": "idp", "sub": person, "iat": issued, "exp": issued + seconds, "nonce": nonce, **more}


def test_a_copy_of_a_cookie_is_the_same_session_and_another_sign_in_is_not() -> None:
    assert sign_in_of(claims(name="Li")) == sign_in_of(claims(name="Li Wei"))
    others = [
        claims(nonce="n2"),
        claims(person="wang"),
        claims(issued=NOON + 1),
        claims() | {"iss": "another"},
    ]
    assert len({sign_in_of(one).key for one in [claims(), *others]}) == 5


@given(parts=st.lists(st.text(max_size=3), min_size=2, max_size=2))
def test_no_two_people_share_a_key_however_their_names_are_cut(parts: list[str]) -> None:
    whole = "".join(parts)
    keys = {
        sign_in_of({"iss": whole[:cut], "sub": whole[cut:] or "x", "iat": 1, "exp": 2, "nonce": ""}).key
        for cut in range(len(whole))
    }
    assert len(keys) == len(whole)


@pytest.mark.parametrize("missing", ["sub", "iat", "exp"])
def test_claims_that_do_not_say_who_or_when_are_no_sign_in(missing: str, process) -> None:
    told = {name: value for name, value in claims().items() if name != missing}
    assert sign_in_of(told) is None
    assert process().standing(sign_in_of(told)) is Standing.ENDED
    assert sign_in_of(claims() | {missing: True if missing != "sub" else ""}) is None
    assert missing == "sub" or sign_in_of(claims() | {missing: "1800000000"}) is None


def test_a_sign_in_is_new_then_open_until_its_token_runs_out(process, clock: Clock) -> None:
    sessions, one = process(), sign_in_of(claims(seconds=300))
    assert sessions.standing(one) is Standing.NEW
    assert sessions.begin(one, "li") is Standing.OPEN
    clock.now = NOON + 299
    assert sessions.standing(one) is Standing.OPEN
    clock.now = NOON + 300
    assert sessions.standing(one) is Standing.EXPIRED
    assert process().begin(one, "li") is Standing.EXPIRED


def test_no_session_outlasts_the_hours_however_long_its_token_and_however_busy_its_reader(
    process, clock: Clock
) -> None:
    sessions, one = process(), sign_in_of(claims(seconds=30 * 86_400))
    sessions.begin(one, "li")
    while clock.now < NOON + HOURS * 3600 - 600:
        clock.now += 600
        assert sessions.standing(one) is Standing.OPEN
        sessions.seen(one)
    clock.now = NOON + HOURS * 3600
    assert sessions.standing(one) is Standing.EXPIRED
    clock.now += 20 * 86_400  # the list has forgotten it, the cookie would still be good
    assert process().begin(one, "li") is Standing.ENDED


def test_to_ask_is_no_activity(process, clock: Clock) -> None:
    sessions, one = process(), sign_in_of(claims())
    sessions.begin(one, "li")
    for _ in range(IDLE_MINUTES * 12 + 6):
        clock.now += 5
        found = sessions.standing(one)
    assert found is Standing.IDLE
    sessions.seen(one)
    assert sessions.standing(one) is Standing.IDLE
    assert process().standing(one) is Standing.IDLE


def test_who_clicks_in_one_process_is_not_idle_in_another(process, clock: Clock) -> None:
    here, there, one = process(), process(), sign_in_of(claims())
    here.begin(one, "li")
    for _ in range(IDLE_MINUTES * 60 // 300 * 2):
        clock.now += 300
        here.seen(one)
        assert there.standing(one) is Standing.OPEN
    clock.now += IDLE_MINUTES * 60 + WRITTEN_EVERY + LOOKED_EVERY + 1
    assert there.standing(one) is Standing.IDLE
    assert here.standing(one) is Standing.IDLE


def test_an_end_holds_for_copies_here_at_once_and_elsewhere_within_seconds(process, clock: Clock) -> None:
    here, there, one = process(), process(), sign_in_of(claims())
    here.begin(one, "li")
    assert there.standing(one) is Standing.OPEN
    here.end(one)
    assert here.standing(one) is Standing.ENDED
    clock.now += LOOKED_EVERY
    assert there.standing(one) is Standing.ENDED
    assert there.begin(one, "li") is Standing.ENDED


def test_an_end_holds_also_for_a_sign_in_that_no_page_has_seen_yet(process) -> None:
    sessions, one = process(), sign_in_of(claims())
    sessions.end(one)
    assert sessions.begin(one, "li") is Standing.ENDED


def test_an_administrator_ends_all_of_one_person_and_nothing_of_another(process, clock: Clock) -> None:
    serving, beside = process(), process()
    of_li = [sign_in_of(claims(nonce=str(n))) for n in range(3)]
    of_wang = sign_in_of(claims(person="wang"))
    for one in of_li:
        serving.begin(one, "li@bank.example")
    serving.begin(of_wang, "wang@bank.example")
    assert [found.person for found in beside.listed()] == ["li@bank.example"] * 3 + ["wang@bank.example"]
    assert beside.end_all("li@bank.example") == 3
    assert beside.end_all("li@bank.example") == 0
    clock.now += LOOKED_EVERY
    assert {serving.standing(one) for one in of_li} == {Standing.ENDED}
    assert serving.standing(of_wang) is Standing.OPEN
    assert [found.person for found in beside.listed()] == ["wang@bank.example"]


def test_an_old_cookie_that_the_list_does_not_know_is_no_new_session(process, clock: Clock) -> None:
    one = sign_in_of(claims())
    clock.now = NOON + FRESH + 1
    assert process().begin(one, "li") is Standing.ENDED


def test_two_tabs_that_begin_one_session_at_once_find_it_open(process) -> None:
    here, there, one = process(), process(), sign_in_of(claims())
    assert here.standing(one) is there.standing(one) is Standing.NEW
    assert here.begin(one, "li") is there.begin(one, "li") is Standing.OPEN
    assert len(here.listed()) == 1


def test_who_is_vouched_for_by_a_proxy_has_a_session_for_each_connection(process) -> None:
    sessions = process()
    one, other = sessions.begin_here("li"), sessions.begin_here("li")
    assert one.key != other.key
    sessions.end(one, "closed")
    assert (sessions.standing(one), sessions.standing(other)) == (Standing.ENDED, Standing.OPEN)


def test_a_page_that_runs_often_asks_the_database_seldom(process, clock: Clock, database: OwnDatabase) -> None:
    sessions, one = process(), sign_in_of(claims())
    sessions.begin(one, "li")
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(100):
        sessions.standing(one)
        sessions.seen(one)
        clock.now += 0.01
    assert sum(text.startswith("SELECT") for text in asked) <= 2
    assert sum(text.startswith("UPDATE") for text in asked) == 1


def test_what_is_long_over_does_not_stay(process, clock: Clock) -> None:
    sessions = process()
    for n in range(5):
        sessions.begin(sign_in_of(claims(nonce=str(n))), "li")
    clock.now += 3 * 86_400
    sessions.begin(sign_in_of(claims(nonce="new", issued=int(clock.now))), "li")
    assert len(sessions._rows(clock.now)) == 1
