"""A meeting as it is held: started with all its numbers, shown from what was kept, ended; no page is needed for any of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date

from data_access.held import Holding
from data_access.meetings import Action, Item, Meeting, Meetings
from panels import agenda
from panels.desk import Desk

_AT_START, _AT_END = (json.dumps({"agreed": when}) for when in ("at the start", "at the end"))
"""Under these names a meeting keeps the actions that it looks at, beside its answers."""


def start(
    desk: Desk,
    store: Meetings,
    found: Meeting,
    items: Sequence[Item],
    tell: Callable[[float], None] = lambda _share: None,
) -> Meeting:
    """Asks for everything that the meeting shows, at the desk of its branch, and keeps it. `tell` hears how far it is."""
    actions = store.actions(found.branch_id)
    asked = _asked(desk, store, found, items, actions, None, tell)
    kept = [*asked.answers.items(), (_AT_START, _as_json(actions))]
    loaded = asked.state()  # a load may have come in since the desk was laid
    return store.start(found, str(loaded.version), loaded.data_until, kept, desk.viewer.person)


def add(desk: Desk, store: Meetings, found: Meeting, items: Sequence[Item]) -> None:
    """Keeps what these items show beside what a running meeting has, as of the meeting's own date."""
    for question, answer in _asked(desk, store, found, items, (), found.data_until).answers.items():
        store.hold(found.id, question, answer)


def end(desk: Desk, store: Meetings, found: Meeting) -> Meeting:
    """Keeps what became of the actions in the meeting, and ends it."""
    looked_at = {action.id for action in _kept(store.held(found.id), _AT_START)}
    store.hold(found.id, _AT_END, _as_json(each for each in store.actions(found.branch_id) if each.id in looked_at))
    return store.end(found, desk.viewer.person)


def slides(desk: Desk, store: Meetings, found: Meeting, items: Sequence[Item]) -> list[agenda.Slide]:
    """What a started meeting shows, from what it keeps; beside it, what the warehouse says differently where it was loaded since."""
    answers = store.held(found.id)
    loaded_again = desk if str(desk.state.version) != found.version else None
    occasion = agenda.Occasion(
        agenda.held_at(desk, found, answers),
        _before(desk, store, found),
        _looked_at(store, found, answers),
        found.started_at.date(),
        loaded_again,
    )
    return agenda.slides(occasion, items)


def live(desk: Desk, store: Meetings | None, week: date) -> list[agenda.Slide]:
    """What a meeting of the desk's branch in that week would show now: the items of the one that is prepared, else the usual ones.
    Without `store`, for who takes no part in meetings, what was agreed is left out."""
    branch = desk.filters.branch.id
    found = store.of(branch, week) if store else None
    items = store.items(found.id) if found else _unwritten(agenda.usual(desk))
    if store is None:
        items = [item for item in items if not agenda.is_agreed(item)]
    actions = store.actions(branch) if store else []
    return agenda.slides(agenda.Occasion(desk, None, actions, date.today()), items)


def _asked(
    desk: Desk,
    store: Meetings,
    found: Meeting,
    items: Sequence[Item],
    actions: Sequence[Action],
    as_of: date | None,
    tell: Callable[[float], None] = lambda _share: None,
) -> Holding:
    holding = Holding(desk.warehouse, desk.viewer.branch_id, as_of)
    at = replace(desk, warehouse=holding, state=holding.state(), asked=[], _wholes={})
    agenda.slides(agenda.Occasion(at, _before(desk, store, found), actions, date.today()), items, tell)
    return holding


def _before(desk: Desk, store: Meetings, found: Meeting) -> Desk | None:
    before = store.before(found)
    return None if before is None else agenda.held_at(desk, before, store.held(before.id))


def _looked_at(store: Meetings, found: Meeting, answers: Mapping[str, bytes]) -> list[Action]:
    """The actions that the meeting looks at: those there were when it started; as they stand now, or stood when it ended."""
    kept = _kept(answers, _AT_END if _AT_END in answers else _AT_START)
    if found.state == "ended":
        return kept
    now = {action.id: action for action in store.actions(found.branch_id)}
    return [now.get(action.id, action) for action in kept]


def _unwritten(views: Iterable[tuple[str, str]]) -> list[Item]:
    return [
        Item(id=str(at), meeting="", position=at, view=view, title=title, remark="", kept=True, revision=0, by="")
        for at, (view, title) in enumerate(views)
    ]


def _as_json(actions: Iterable[Action]) -> bytes:
    return json.dumps([asdict(action) for action in actions], default=str).encode()


def _kept(answers: Mapping[str, bytes], name: str) -> list[Action]:
    days = ("due_on", "agreed_on", "ended_on")
    return [
        Action(**{key: date.fromisoformat(value) if key in days and value else value for key, value in each.items()})
        for each in json.loads(answers.get(name, b"[]"))
    ]
