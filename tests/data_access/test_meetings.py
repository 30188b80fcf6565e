"""Meetings: nothing that somebody wrote is lost, what was shown stays, and what is sent is sent once."""

from __future__ import annotations

import json
import logging
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import own_database
from data_access.journal import Action as Done
from data_access.journal import Entry, Journal
from data_access.meetings import (
    CLAIMED_FOR,
    MOST_OPEN,
    MOST_SIGNS,
    MOST_VIEWS,
    Action,
    Changed,
    Item,
    Meeting,
    Meetings,
    MeetingsError,
    NotPossible,
)
from data_access.own_database import storable
from tests.processes import ended, let_go, waiting

KEY = "a key of the tests, which is long enough"
MONDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 18)
VIEWS = (
    ('{"of":"figures"}', "Signed fell by 12"),
    ('{"of":"trend"}', "江北支行低于平均"),
    ('{"of":"pareto"}', "Queueing"),
)
ANSWERS = (('{"q":1}', b"\0one"), ('{"q":2}', b""))
UNTIL = date(2026, 11, 15)
OWN_TABLES = {"meetings", "meeting_items", "meeting_answers", "actions", "action_changes", "deliveries"}


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, 9, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    own_database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meetings(url: str, clock: Clock) -> Meetings:
    return Meetings(url, KEY, clock)


@pytest.fixture
def meeting(meetings: Meetings) -> Meeting:
    """A meeting that is prepared, with three views."""
    return meetings.prepared("12", WEDNESDAY, VIEWS, "li")


def started(meetings: Meetings, meeting: Meeting) -> Meeting:
    return meetings.start(meeting, "load 7", UNTIL, ANSWERS, "li")


def servers(url: str) -> list[Meetings]:
    """Several, each with connections of its own: within one process, those who write to one database take turns."""
    found = [Meetings(url, f"{KEY} {number}") for number in range(4)]
    for each in found:
        each.listed("")
    return found


def agreed(meeting: Meeting, **more: object) -> Action:
    full = {
        "branch_id": meeting.branch_id,
        "meeting": meeting.id,
        "what": "Call all 43 customers of the list",
        "who_kind": "agent",
        "who": "a1",
        "who_name": "李伟",
        "due_on": date(2026, 12, 1),
        "measure": "activation_rate",
        "filters": '{"branch":"12"}',
        "baseline": 0.25,
        "baseline_of": 120,
        "aim": 0.3,
        "agreed_on": WEDNESDAY,
        "by": "li",
    }
    return Action(**(full | more))


_BEGINS = """
import os, signal, sys, time
from datetime import date
from pathlib import Path
import sqlalchemy as sa
from data_access.meetings import Meetings
from data_access.own_database import own_database
url, key, *more = sys.argv[1:]
meetings = Meetings(url, key)
"""
process = partial(waiting, _BEGINS)


# What is looked at --------------------------------------------------------------------------------------------------


def test_a_meeting_is_prepared_once_and_found_by_any_day_of_its_week(meetings: Meetings, meeting: Meeting) -> None:
    assert (meeting.branch_id, meeting.week, meeting.state, meeting.slide) == ("12", MONDAY, "prepared", 0)
    assert (meeting.version, meeting.data_until, meeting.started_at, meeting.by) == ("", None, None, "li")
    assert meetings.prepared("12", MONDAY + timedelta(6), [("{}", "another agenda")], "wang") == meeting
    assert meetings.of("12", MONDAY + timedelta(6)) == meeting
    assert meetings.of("12", MONDAY - timedelta(1)) is None
    assert meetings.of("120", MONDAY) is None
    found = meetings.items(meeting.id)
    assert [(item.view, item.title) for item in found] == list(VIEWS)
    assert [(item.position, item.remark, item.kept, item.revision, item.by) for item in found] == [
        (place, "", True, 1, "li") for place in range(3)
    ]


def test_the_meeting_before_is_the_last_that_was_started(meetings: Meetings) -> None:
    made = [meetings.prepared("12", MONDAY - timedelta(weeks=n), [], "li") for n in range(4)]
    other = meetings.prepared("120", MONDAY - timedelta(weeks=1), [], "li")
    for each in (made[3], made[2], other, made[0]):
        meetings.start(each, "1", UNTIL, [], "li")
    assert [each.week for each in meetings.listed("12")] == [each.week for each in made]
    assert meetings.before(made[0]).id == made[2].id  # last week's was prepared, and not held
    assert meetings.before(made[2]).id == made[3].id
    assert meetings.before(made[3]) is None


def test_many_who_prepare_a_meeting_at_once_get_the_same(url: str, tmp_path: Path) -> None:
    code = """
for week in range(5):
    found = meetings.prepared("12", date(2026, 11, 16 + 7 * (week % 2)), [("{}", more[0] + str(n)) for n in range(4)], more[0])
    Path(more[1], f"{more[0]} {week}").write_text(found.id)
"""
    folder = tmp_path / "found"
    folder.mkdir()
    begun = [process(code, url, KEY, str(number), str(folder)) for number in range(3)]
    let_go(*begun)  # nobody has made the database yet
    assert [ended(one) for one in begun] == [0] * 3
    ids = {week: {(folder / f"{n} {week}").read_text() for n in range(3)} for week in range(5)}
    assert all(len(found) == 1 for found in ids.values())
    found = Meetings(url, KEY)
    for meeting in found.listed("12"):
        titles = [item.title for item in found.items(meeting.id)]
        assert titles == [titles[0][0] + str(n) for n in range(4)]  # one agenda, not two mixed


UGLY = (
    "quote ' \" `; DROP TABLE meetings; --",
    "line\r\nline\u2028 ",
    "江北支行 𠮷 {person} %s",
    "nul\0l",
    "half \ud83d",
    "x" * 200_000,
)


def test_texts_come_back_whole(meetings: Meetings, meeting: Meeting) -> None:
    for text in UGLY:
        made = meetings.prepared(text[:9], MONDAY, [(text, text)], text)
        assert meetings.of(text[:9], MONDAY) == made
        (item,) = meetings.items(made.id)
        assert {item.view, item.title, item.by} == {storable(text)}
        text = text[: MOST_SIGNS - 1]
        assert meetings.change(item, remark=text, by=text).remark == storable(text)
        action = meetings.agree(agreed(made, what=text, who=text, who_name=text, filters=text, by=text))
        assert {action.what, action.who, action.who_name, action.filters, action.by} == {storable(text)}
        assert meetings.change_action(action, text, what=text + "!").what == storable(text + "!")
        (_first, second) = meetings.history(action.id)
        assert dict(second.changed) == {"what": (storable(text), storable(text + "!"))}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None)), title=st.text(st.characters(categories=["Cs", "Cc", "Lo"])))
def test_any_text_can_be_remarked(meetings: Meetings, meeting: Meeting, text: str, title: str) -> None:
    item = meetings.add(meeting.id, text, title, "li")
    assert meetings.change(item, remark=text, by=title).remark == storable(text)
    assert meetings.items(meeting.id)[-1].title == storable(title)


# Two at once --------------------------------------------------------------------------------------------------------


def test_who_writes_second_is_told_what_stands_there_and_nothing_is_lost(meetings: Meetings, meeting: Meeting) -> None:
    seen = meetings.items(meeting.id)[0]
    theirs = meetings.change(seen, remark="Queues at noon", by="wang")
    with pytest.raises(Changed, match="wang has changed this meanwhile") as told:
        meetings.change(seen, remark="Nothing to say", by="li")
    assert told.value.theirs == theirs == meetings.items(meeting.id)[0]
    mine = meetings.change(told.value.theirs, remark="Queues at noon; nothing else", by="li")
    assert (mine.revision, mine.by) == (3, "li")
    assert meetings.items(meeting.id)[0] == mine


def test_what_stands_there_already_is_no_conflict(meetings: Meetings, meeting: Meeting) -> None:
    seen = meetings.items(meeting.id)[0]
    written = meetings.change(seen, remark="Twice", kept=False, by="li")
    revision = meetings.of("12", MONDAY).revision
    assert meetings.change(seen, remark="Twice", kept=False, by="wang") == written  # a click that came twice
    assert meetings.of("12", MONDAY).revision == revision
    with pytest.raises(Changed):
        meetings.change(seen, remark="Twice", kept=True, by="wang")


def test_what_is_dropped_is_kept_and_comes_back_with_its_remark(meetings: Meetings, meeting: Meeting) -> None:
    item = meetings.change(meetings.items(meeting.id)[1], remark="Later", by="li")
    dropped = meetings.change(item, kept=False, by="li")
    assert [each.kept for each in meetings.items(meeting.id)] == [True, False, True]
    assert meetings.change(dropped, kept=True, by="li").remark == "Later"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 4)), max_size=6))
def test_moving_puts_one_item_at_its_place_and_keeps_the_order_of_the_others(
    meetings: Meetings, meeting: Meeting, moves: list[tuple[int, int]]
) -> None:
    order = [item.id for item in meetings.items(meeting.id)]
    for which, to in moves:
        item = order.pop(which)
        order.insert(max(to, 0), item)
        meetings.move(meeting.id, item, to, "li")
        found = meetings.items(meeting.id)
        assert [each.id for each in found] == order
        assert [each.position for each in found] == [0, 1, 2]
        assert {each.revision for each in found} == {1}  # whoever writes a remark meanwhile is in nobody's way


def test_people_who_move_add_and_write_at_once_lose_nothing(meetings: Meetings, meeting: Meeting, url: str) -> None:
    each_server = cycle(servers(url))
    chance = random.Random(20261122)
    work = [("move", chance.randrange(3), chance.randrange(6)) for _ in range(20)]
    work += [("add", number, 0) for number in range(6)] + [
        ("write", number, n) for number in range(3) for n in range(6)
    ]
    chance.shuffle(work)
    ids = [item.id for item in meetings.items(meeting.id)]

    def do(what: tuple[str, int, int]) -> None:
        kind, number, to = what
        meetings = next(each_server)
        if kind == "move":
            meetings.move(meeting.id, ids[number], to, "li")
        elif kind == "add":
            meetings.add(meeting.id, "{}", f"added {number}", "li")
        else:
            item = next(each for each in meetings.items(meeting.id) if each.id == ids[number])
            while True:
                try:
                    meetings.change(item, remark=f"{item.remark} {to}", by="li")
                    return
                except Changed as told:
                    item = told.theirs

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(do, work))
    found = meetings.items(meeting.id)
    assert [item.position for item in found] == list(range(9))
    assert sorted(item.title for item in found if item.id not in ids) == [f"added {n}" for n in range(6)]
    for item in found:
        if item.id in ids:
            assert sorted(item.remark.split()) == [str(n) for n in range(6)]


def test_the_revision_of_a_meeting_grows_with_every_change(meetings: Meetings, meeting: Meeting) -> None:
    def revision() -> int:
        return meetings.of("12", MONDAY).revision

    first, second, _third = meetings.items(meeting.id)
    seen = [revision()]
    for change in (
        lambda: meetings.change(first, remark="x", by="wang"),
        lambda: meetings.move(meeting.id, second.id, 0, "wang"),
        lambda: meetings.add(meeting.id, "{}", "", "wang"),
        lambda: meetings.start(meeting, "1", UNTIL, [], "wang"),
        lambda: meetings.end(meeting, "wang"),
    ):
        change()
        seen.append(revision())
    assert seen == sorted(set(seen))
    assert meetings.of("12", MONDAY).by == "wang"


def test_what_is_not_there_is_told(meetings: Meetings, meeting: Meeting) -> None:
    other = meetings.prepared("120", MONDAY, VIEWS, "li")
    mine = meetings.items(meeting.id)[0]
    for call in (
        lambda: meetings.add("no meeting", "{}", "", "li"),
        lambda: meetings.move(other.id, mine.id, 0, "li"),
        lambda: meetings.change(replace(mine, meeting=other.id), remark="x", by="li"),
        lambda: meetings.change(replace(mine, id="none"), remark="x", by="li"),
        lambda: meetings.change_action(agreed(meeting, id="none"), "li", state="done"),
        lambda: meetings.agree(agreed(replace(meeting, id="none"))),
    ):
        with pytest.raises(NotPossible, match="There is no such"):
            call()


# How it is held -----------------------------------------------------------------------------------------------------


def test_a_started_meeting_keeps_what_it_was_started_with(
    meetings: Meetings, meeting: Meeting, clock: Clock, url: str
) -> None:
    running = started(meetings, meeting)
    assert (running.state, running.version, running.data_until) == ("running", "load 7", UNTIL)
    assert (running.started_at, running.started_by, running.ended_at) == (clock.now, "li", None)
    clock.now += timedelta(hours=1)
    again = meetings.start(meeting, "load 8", date(2026, 11, 22), [('{"q":1}', b"other"), ("more", b"")], "wang")
    assert again == running
    assert meetings.held(meeting.id) == dict(ANSWERS)
    meetings.at(meeting.id, 4)
    own_database.close()  # the server was killed
    reopened = Meetings(url, KEY)
    assert reopened.of("12", MONDAY) == replace(running, slide=4)
    assert reopened.held(meeting.id) == dict(ANSWERS)


def test_what_is_held_of_one_meeting_is_not_another_ones(meetings: Meetings, meeting: Meeting) -> None:
    other = meetings.prepared("120", MONDAY, [], "li")
    started(meetings, meeting)
    assert meetings.held(other.id) == {}
    meetings.start(other, "1", UNTIL, [(ANSWERS[0][0], b"of 120")], "li")
    assert meetings.held(meeting.id) == dict(ANSWERS)


def test_a_long_question_is_held_like_a_short_one(meetings: Meetings, meeting: Meeting) -> None:
    long = [(json.dumps({"ids": ["branch"] * 20_000, "n": n}), bytes([n]) * 100_000) for n in range(2)]
    meetings.start(meeting, "1", UNTIL, long, "li")
    assert meetings.held(meeting.id) == dict(long)


def test_of_two_who_start_at_once_all_is_of_the_first(meetings: Meetings, meeting: Meeting, url: str) -> None:
    begun = servers(url)

    def start(number: int) -> Meeting:
        answers = [(f"q{n}", str(number).encode()) for n in range(20)]
        return begun[number].start(meeting, str(number), UNTIL, answers, str(number))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(start, range(4)))
    assert len({each.version for each in found}) == 1
    assert found[0].version == found[0].started_by
    assert meetings.held(meeting.id) == {f"q{n}": found[0].version.encode() for n in range(20)}


def test_of_processes_that_start_at_once_all_is_of_the_first(meetings: Meetings, meeting: Meeting, url: str) -> None:
    code = """
meeting = meetings.of("12", date(2026, 11, 16))
meetings.start(meeting, more[0], date(2026, 11, 15), [(f"q{n}", more[0].encode()) for n in range(20)], more[0])
"""
    begun = [process(code, url, KEY, str(number)) for number in range(3)]
    let_go(*begun)
    assert [ended(one) for one in begun] == [0] * 3
    found = meetings.of("12", MONDAY)
    assert meetings.held(meeting.id) == {f"q{n}": found.version.encode() for n in range(20)}


def test_an_answer_that_cannot_be_had_leaves_the_meeting_unstarted(meetings: Meetings, meeting: Meeting) -> None:
    def answers() -> Iterator[tuple[str, bytes]]:
        yield ANSWERS[0]
        raise LookupError("the warehouse is gone")

    with pytest.raises(LookupError):
        meetings.start(meeting, "1", UNTIL, answers(), "li")
    assert meetings.of("12", MONDAY) == meeting
    assert meetings.held(meeting.id) == {}


@pytest.mark.parametrize("at", ["INSERT INTO meeting_answers", "UPDATE meetings"])
def test_a_kill_within_the_start_leaves_no_half_started_meeting(
    meetings: Meetings, meeting: Meeting, url: str, at: str
) -> None:
    code = """
def kill(connection, cursor, statement, *_):
    if statement.startswith(more[0]):
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(own_database(url, key).engine, "after_cursor_execute", kill)
meeting = meetings.of("12", date(2026, 11, 16))
meetings.start(meeting, "1", date(2026, 11, 15), [(f"q{n}", b"x" * 10_000) for n in range(50)], "killed")
"""
    killed = process(code, url, KEY, at)
    let_go(killed)
    assert ended(killed) == -signal.SIGKILL
    assert meetings.of("12", MONDAY) == meeting
    assert meetings.held(meeting.id) == {}
    assert started(meetings, meeting).started_by == "li"  # and nobody is kept waiting by what it had locked
    assert meetings.held(meeting.id) == dict(ANSWERS)


def test_a_kill_at_any_moment_leaves_a_meeting_with_all_its_answers_or_none(meetings: Meetings, url: str) -> None:
    code = """
for week in range(1_000):
    day = date.fromordinal(date(2030, 1, 7).toordinal() + 7 * week)
    meeting = meetings.prepared(more[0], day, [("{}", str(n)) for n in range(5)], "li")
    meetings.start(meeting, "1", day, [(f"q{n}", b"x" * 2_000) for n in range(20)], "li")
    if not week:
        print("first", flush=True)
"""
    chance = random.Random(20261122)
    for branch in ("a", "b"):
        one = process(code, url, KEY, branch)
        let_go(one)
        assert one.stdout.readline() == "first\n"
        time.sleep(chance.random())
        one.send_signal(signal.SIGKILL)
        assert ended(one) == -signal.SIGKILL
        found = meetings.listed(branch)
        assert found
        for each in found:
            assert len(meetings.items(each.id)) == 5
            assert len(meetings.held(each.id)) == (0 if each.state == "prepared" else 20)


def test_what_one_person_writes_has_an_end(meetings: Meetings, meeting: Meeting) -> None:
    item = meetings.items(meeting.id)[0]
    assert meetings.change(item, remark="字" * MOST_SIGNS, by="li").remark == "字" * MOST_SIGNS
    with pytest.raises(NotPossible, match="5001 signs; 5000 are kept"):
        meetings.change(meetings.items(meeting.id)[0], remark="字" * (MOST_SIGNS + 1), by="li")
    assert meetings.items(meeting.id)[0].remark == "字" * MOST_SIGNS
    action = meetings.agree(agreed(meeting))
    with pytest.raises(NotPossible, match="5001 signs"):
        meetings.agree(agreed(meeting, what="x" * (MOST_SIGNS + 1)))
    with pytest.raises(NotPossible, match="5001 signs"):
        meetings.change_action(action, "li", what="x" * (MOST_SIGNS + 1))
    for _ in range(MOST_VIEWS - len(VIEWS)):
        meetings.add(meeting.id, "{}", "", "li")
    with pytest.raises(NotPossible, match="holds 60 views"):
        meetings.add(meeting.id, "{}", "", "li")
    for _ in range(MOST_OPEN - 1):
        meetings.agree(agreed(meeting))
    with pytest.raises(NotPossible, match="200 actions of this branch are open"):
        meetings.agree(agreed(meeting))
    meetings.change_action(action, "li", state="done")
    assert meetings.agree(agreed(meeting)).state == "open"


def test_an_answer_is_added_to_a_running_meeting_alone_and_the_first_stays(
    meetings: Meetings, meeting: Meeting
) -> None:
    with pytest.raises(NotPossible, match="has not been started"):
        meetings.hold(meeting.id, "added", b"1")
    started(meetings, meeting)
    meetings.hold(meeting.id, "added", b"1")
    meetings.hold(meeting.id, "added", b"2")
    meetings.hold(meeting.id, ANSWERS[0][0], b"3")
    assert meetings.held(meeting.id) == {**dict(ANSWERS), "added": b"1"}
    meetings.end(meeting, "li")
    with pytest.raises(NotPossible, match="has ended"):
        meetings.hold(meeting.id, "later", b"1")


def test_an_ended_meeting_stays_as_it_is(meetings: Meetings, meeting: Meeting, clock: Clock) -> None:
    with pytest.raises(NotPossible, match="has not been started"):
        meetings.end(meeting, "li")
    meetings.at(meeting.id, 2)
    assert meetings.of("12", MONDAY).slide == 0  # it is not shown yet
    running = started(meetings, meeting)
    meetings.at(meeting.id, 2)
    item = meetings.change(meetings.items(meeting.id)[0], remark="Said while it ran", by="li")
    clock.now += timedelta(hours=1)
    over = meetings.end(running, "li")
    assert (over.state, over.ended_at, over.slide) == ("ended", clock.now, 2)
    clock.now += timedelta(hours=1)
    for call in (
        lambda: meetings.change(item, remark="Said afterwards", by="li"),
        lambda: meetings.change(item, kept=False, by="li"),
        lambda: meetings.move(meeting.id, item.id, 2, "li"),
        lambda: meetings.add(meeting.id, "{}", "", "li"),
    ):
        with pytest.raises(NotPossible, match="This meeting has ended"):
            call()
    meetings.at(meeting.id, 7)
    assert meetings.end(running, "wang") == meetings.of("12", MONDAY) == over
    assert started(meetings, running) == over
    assert meetings.items(meeting.id)[0] == item
    assert meetings.agree(agreed(meeting)).state == "open"  # what follows from it goes on


# What was agreed ----------------------------------------------------------------------------------------------------


def test_an_action_comes_back_as_it_was_agreed(meetings: Meetings, meeting: Meeting) -> None:
    action = meetings.agree(agreed(meeting, branch_id="another"))
    assert action == agreed(meeting, id=action.id, revision=1)  # it is the meeting's branch's, whatever was said
    assert meetings.actions("12") == [action]
    assert meetings.actions("another") == []
    bare = meetings.agree(agreed(meeting, baseline=float("nan"), baseline_of=None, aim=None))
    assert (bare.baseline, bare.baseline_of, bare.aim) == (None, None, None)
    assert bare in meetings.actions("12")


def test_an_action_that_is_sent_twice_is_agreed_once(meetings: Meetings, meeting: Meeting) -> None:
    first = meetings.agree(agreed(meeting, id="0123456789abcdef"))
    assert meetings.agree(agreed(meeting, id="0123456789abcdef", what="again")) == first
    assert meetings.actions("12") == [first]
    assert len(meetings.history(first.id)) == 1


def test_only_an_open_action_is_late_and_from_the_day_after_it_was_due(meetings: Meetings, meeting: Meeting) -> None:
    action = meetings.agree(agreed(meeting))
    assert not action.late(date(2026, 12, 1))
    assert action.late(date(2026, 12, 2))
    done = meetings.change_action(action, "li", state="done")
    assert not done.late(date(2026, 12, 2))
    assert done.state == "done"


def test_every_change_of_an_action_is_remembered(meetings: Meetings, meeting: Meeting, clock: Clock) -> None:
    action = meetings.agree(agreed(meeting, aim=None))
    began = clock.now
    clock.now += timedelta(days=1)
    action = meetings.change_action(action, "wang", due_on=date(2026, 12, 8), aim=0.35, who="a1")
    clock.now += timedelta(days=1)
    action = meetings.change_action(action, "li", state="dropped")
    assert action.ended_on == clock.now.astimezone().date()
    action = meetings.change_action(action, "li", state="open")
    assert (action.ended_on, action.revision) == (None, 4)
    action = meetings.change_action(action, "li", state="done", ended_on=date(2026, 11, 19))
    first, second, third, _fourth, fifth = meetings.history(action.id)
    assert (first.revision, first.at, first.by) == (1, began, "li")
    assert first.changed["what"] == (None, "Call all 43 customers of the list")
    assert first.changed["due_on"] == (None, date(2026, 12, 1))
    assert (second.by, second.at) == ("wang", began + timedelta(days=1))
    assert dict(second.changed) == {"due_on": (date(2026, 12, 1), date(2026, 12, 8)), "aim": (None, 0.35)}
    assert dict(third.changed) == {"state": ("open", "dropped"), "ended_on": (None, clock.now.astimezone().date())}
    assert dict(fifth.changed) == {"state": ("open", "done"), "ended_on": (None, date(2026, 11, 19))}


def test_who_changes_an_action_second_is_told_and_nothing_is_remembered(meetings: Meetings, meeting: Meeting) -> None:
    seen = meetings.agree(agreed(meeting))
    theirs = meetings.change_action(seen, "wang", what="Visit them")
    with pytest.raises(Changed) as told:
        meetings.change_action(seen, "li", what="Write to them")
    assert told.value.theirs == theirs
    assert meetings.change_action(seen, "li", what="Visit them") == theirs
    assert [change.by for change in meetings.history(seen.id)] == ["li", "wang"]
    with pytest.raises(TypeError, match="agreed_on"):
        meetings.change_action(theirs, "li", agreed_on=WEDNESDAY)


def test_of_many_who_change_an_action_at_once_one_writes(meetings: Meetings, meeting: Meeting, url: str) -> None:
    begun = servers(url)
    seen = meetings.agree(agreed(meeting))

    def change(number: int) -> bool:
        try:
            begun[number % 4].change_action(seen, str(number), what=str(number))
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        wrote = list(pool.map(change, range(12)))
    assert wrote.count(True) == 1
    assert meetings.actions("12")[0].what == str(wrote.index(True))
    assert [change.by for change in meetings.history(seen.id)] == ["li", str(wrote.index(True))]


def test_actions_are_listed_by_state_and_those_due_first_come_first(meetings: Meetings, meeting: Meeting) -> None:
    later = meetings.agree(agreed(meeting, due_on=date(2026, 12, 9)))
    sooner = meetings.agree(agreed(meeting, due_on=date(2026, 11, 20)))
    done = meetings.change_action(meetings.agree(agreed(meeting)), "li", state="done")
    assert meetings.actions("12") == [sooner, done, later]
    assert meetings.actions("12", ["open"]) == [sooner, later]
    assert meetings.actions("12", ["done", "dropped"]) == [done]
    assert meetings.actions("12", []) == []


# What was sent ------------------------------------------------------------------------------------------------------


def test_what_was_sent_is_not_sent_again(meetings: Meetings, clock: Clock) -> None:
    assert meetings.sent("week 47 to li") is None
    with meetings.sending("week 47 to li", "li@bank.example") as mine:
        assert mine
        assert meetings.sent("week 47 to li") is None
        with meetings.sending("week 47 to li", "li@bank.example") as also:
            assert not also  # while one sends, nobody else does
    assert meetings.sent("week 47 to li") == clock.now
    clock.now += timedelta(days=30)
    with meetings.sending("week 47 to li", "li@bank.example") as mine:
        assert not mine
    with meetings.sending("week 48 to li", "li@bank.example") as mine:
        assert mine


def test_what_could_not_be_sent_is_sent_by_the_next_who_asks(meetings: Meetings) -> None:
    with pytest.raises(ConnectionError), meetings.sending("k\0 \ud83d", "li"):
        raise ConnectionError("refused")
    assert meetings.sent("k\0 \ud83d") is None
    with meetings.sending("k\0 \ud83d", "li") as mine:
        assert mine
    assert meetings.sent("k\0 \ud83d") is not None


def test_what_a_killed_process_began_is_sent_by_another_after_the_time_stated(
    meetings: Meetings, clock: Clock, url: str
) -> None:
    code = """
meetings = Meetings(url, key, clock=lambda: __import__("datetime").datetime.fromisoformat(more[0]))
with meetings.sending("k", "li") as mine:
    print(mine, flush=True)
    time.sleep(60)
"""
    killed = process(code, url, KEY, clock.now.isoformat())
    let_go(killed)
    assert killed.stdout.readline() == "True\n"
    killed.send_signal(signal.SIGKILL)
    assert ended(killed) == -signal.SIGKILL
    clock.now += CLAIMED_FOR - timedelta(microseconds=1)
    with meetings.sending("k", "li") as mine:
        assert not mine
    clock.now += timedelta(microseconds=1)
    with meetings.sending("k", "li") as mine:
        assert mine
        with meetings.sending("k", "li") as also:
            assert not also
    assert meetings.sent("k") == clock.now


def test_who_fails_long_after_its_claim_ran_out_takes_nothing_from_the_next(meetings: Meetings, clock: Clock) -> None:
    with pytest.raises(ConnectionError), meetings.sending("k", "li"):
        clock.now += CLAIMED_FOR
        with meetings.sending("k", "li") as mine:
            assert mine
        raise ConnectionError
    assert meetings.sent("k") == clock.now
    with meetings.sending("k", "li") as mine:
        assert not mine


def test_a_mail_run_that_is_started_several_times_at_once_sends_each_once(url: str, tmp_path: Path) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
def send(number):
    with meetings.sending(f"to {number}", "li") as mine:
        if mine:
            with open(Path(more[0], str(number)), "a") as file:
                file.write("sent\\n")
            time.sleep(0.002)
with ThreadPoolExecutor(3) as pool:
    list(pool.map(send, [n // 2 for n in range(40)]))
"""
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    begun = [process(code, url, KEY, str(outbox)) for _ in range(3)]
    let_go(*begun)
    assert [ended(one) for one in begun] == [0] * 3
    assert {file.name: file.read_text() for file in outbox.iterdir()} == {str(n): "sent\n" for n in range(20)}


# The database -------------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_program_declares(meetings: Meetings, url: str) -> None:
    meetings.listed("12")
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        options = {
            "version_table": "dashboard_version",
            "include_object": lambda thing, name, kind, reflected, other: kind != "table" or name in OWN_TABLES,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), own_database.metadata)
        assert set(sa.inspect(connection).get_table_names()) >= OWN_TABLES
    engine.dispose()
    assert differences == []


def test_a_journal_from_before_there_were_meetings_is_kept(url: str) -> None:
    journal = Journal(url, KEY)
    recorded = journal.add(Entry(person="li", name="", role="", branch_id="12", action=Done.SIGN_IN))
    own_database.close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for name in OWN_TABLES:
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.exec_driver_sql("UPDATE dashboard_version SET version_num = '0002'")
    engine.dispose()
    assert Meetings(url, KEY).prepared("12", MONDAY, VIEWS, "li").state == "prepared"
    assert journal.verify() == []
    assert journal.last() == (recorded.number, recorded.hash)


def test_a_database_that_fails_is_told_without_what_was_to_be_written(
    meetings: Meetings, meeting: Meeting, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(url)
    item: Item = meetings.items(meeting.id)[0]
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE meeting_items RENAME COLUMN remark TO elsewhere")
    engine.dispose()
    for call in (
        lambda: meetings.change(item, remark="a secret", by="somebody"),
        lambda: meetings.items(meeting.id),
    ):
        with pytest.raises(MeetingsError, match="Tell the operator") as told:
            call()
        assert told.value.parts["reference"] in caplog.text
    assert "a secret" not in caplog.text
    assert "somebody" not in caplog.text
    assert {record.levelno for record in caplog.records if record.name == "data_access.meetings"} == {logging.ERROR}


def test_a_place_where_no_database_can_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(MeetingsError, match="cannot be read"):
        Meetings(f"sqlite:///{tmp_path}", KEY).listed("12")
