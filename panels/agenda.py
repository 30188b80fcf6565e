"""What a weekly meeting goes through, item by item, and each as it is shown: now, or as it was held."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pandas as pd

from data_access.held import Held, NotHeld
from data_access.meetings import Action, Item, Meeting
from measures.model import Measure, Ratio, _
from measures.period import Period
from measures.question import Question, Told
from measures.since import sample, since
from panels import actions as agreements
from panels.desk import Desk
from panels.exhibits import pace_of
from panels.views import View
from presentation import since as told
from presentation import table_view
from presentation.charts import Look
from presentation.exhibit import Exhibit, Kind
from presentation.filters import Filters
from presentation.frame import scope
from presentation.units import day_shown, period_shown

WEEK = timedelta(days=7)
KEY = (
    "signed", "cohort_activation_rate", "coverage", "on_time", "contacts", "contact_success", "overdue_assignments",
    "complaints_received", "complaints_past_due",
)  # fmt: skip
"""The key numbers of a week. A rate that is too young to tell is told from when it was as young last time."""
AGREED, KEY_NUMBERS = "agreed", "key"
OWN = {AGREED: _("What was agreed"), KEY_NUMBERS: _("Key numbers since last time")}
"""Items that only a meeting has."""
MOST_ACTIONS = 12
"""Actions with a slide of their own; the table has all."""
_YEAR, _QUARTER = {"period": "12_months", "compare": "last_year"}, {"period": "quarter", "compare": "previous"}
_USUAL: tuple[tuple[str, Mapping[str, object], Mapping[str, str]], ...] = (
    ("attention", {}, _YEAR),
    ("compared", {"name": "cohort_activation_rate", "by": "below"}, _YEAR),
    ("compared", {"name": "coverage", "by": "below"}, _QUARTER),
    ("trend", {"name": "coverage"}, _QUARTER),
    ("pareto", {"name": "complaints_received", "by": "cause"}, _QUARTER),
    ("bands", {"name": "complaints_open", "by": "clock"}, _QUARTER),
    ("bands", {"name": "open_assignments", "by": "clock"}, _QUARTER),
    ("bands", {"name": "open_assignments", "by": "list_left"}, _QUARTER),
    ("compared", {"name": "overdue_assignments", "by": "below"}, _QUARTER),
)


@dataclass(frozen=True)
class Slide:
    """One thing of the meeting: the item it belongs to, what it shows, and what the warehouse says differently by now."""

    item: Item
    exhibit: Exhibit
    corrections: str = ""
    view: View | None = None
    """Where it goes deeper; None where there is no page for it."""


@dataclass(frozen=True)
class Occasion:
    """A meeting as its slides are made: at a desk that sees what the meeting's branch sees, now or as it was held; beside the desk of
    the meeting before, as that was held, and what has been agreed on."""

    desk: Desk
    before: Desk | None
    agreed: Sequence[Action]
    today: date
    _asked: list[Question] = field(default_factory=list)


def seen_from(desk: Desk, branch_id: str) -> Desk:
    """The desk as it is for who looks from `branch_id`, a branch that the reader sees: so what a meeting shows may be seen by all who
    see its branch. Raises Told where the reader does not."""
    place = desk.places.get(branch_id)
    if place is None:
        raise Told(_("You do not see this branch."))
    places = {id_: below for id_, below in desk.places.items() if below.path.startswith(place.path)}
    viewer = replace(desk.viewer, branch_id=branch_id)
    own = viewer.agent_id is not None
    seen = scope(places, branch_id, own=own, say=desk.say)
    return replace(
        desk, viewer=viewer, places=places, scope=seen, filters=at_branch(desk, branch_id), asked=[], _wholes={}
    )


def at_branch(desk: Desk, branch_id: str) -> Filters:
    """The filters a meeting begins with: its branch, and no product."""
    address = {name: value for name, value in desk.filters.address.items() if name != "product"} | {"branch": branch_id}
    return replace(desk.filters, branch=desk.places[branch_id], products=(), address=address)


def held_at(desk: Desk, meeting: Meeting, answers: Mapping[str, bytes]) -> Desk:
    """The desk on the answers that a started meeting keeps: nothing of the warehouse is read."""
    state = replace(desk.state, version=meeting.version, data_until=meeting.data_until)
    return replace(desk, warehouse=Held(answers, state, desk.warehouse), state=state, asked=[], _wholes={})


def usual(desk: Desk) -> list[tuple[str, str]]:
    """The items of a new meeting at this desk, each as (view, title); what the warehouse has no numbers for is left out."""
    found = [(json.dumps({"of": own}), "") for own in OWN]
    for of, given, days in _USUAL:
        view = View(of, given, {"branch": desk.viewer.branch_id, **days})
        try:
            View.read(view.written(), desk)
        except Told:
            continue
        found.append((view.written(), ""))
    return found


def slides(
    occasion: Occasion, items: Sequence[Item], tell: Callable[[float], None] = lambda _share: None
) -> list[Slide]:
    """What the meeting shows, in its order; an item that was dropped is left out. `tell` hears how far it is.

    An item that cannot be shown says why in its place: nothing else of the meeting is lost for it.
    """
    kept = [item for item in items if item.kept]
    found: list[Slide] = []
    for number, item in enumerate(kept):
        try:
            found += _shown(occasion, item)
        except Told as refused:
            found.append(
                Slide(item, Exhibit(Kind.SENTENCES, label(item, occasion.desk), occasion.desk.say.told(refused)))
            )
        tell((number + 1) / len(kept))
    return found


def label(item: Item, desk: Desk) -> str:
    """What an item is called in the agenda, in the reader's language."""
    own = json.loads(item.view).get("of")
    if own in OWN:
        return desk.say(OWN[own])
    try:
        return View.read(item.view, desk).label(desk)
    except Told:
        return item.title or desk.say("A view that this warehouse does not know")


def _shown(occasion: Occasion, item: Item) -> list[Slide]:
    own = json.loads(item.view).get("of")
    desk = replace(occasion.desk, asked=[], _wholes={})
    if own == AGREED:
        return _agreed(desk, occasion, item)
    if own == KEY_NUMBERS:
        return [Slide(item, _key(desk, occasion))]
    view = View.read(item.view, desk)
    return [Slide(item, view.build(desk), view=view)]


def _agreed(desk: Desk, occasion: Occasion, item: Item) -> list[Slide]:
    actions = occasion.agreed
    found = [each for action in actions if (each := agreements.followed(desk, action, actions))]
    first = Slide(item, agreements.agreed(desk, actions, found, occasion.today))
    live = [each for each in found if each.action.state == "open"][:MOST_ACTIONS]
    return [first, *(Slide(item, agreements.course(desk, each)) for each in live)]


def _key(desk: Desk, occasion: Occasion) -> Exhibit:
    say = desk.say
    days = _week(desk.state.data_until)
    before = occasion.before
    overlap = before is not None and before.state.data_until > desk.state.data_until - WEEK
    listed = []
    rows = _of_a_week(desk, desk.known(*KEY), days)
    earlier = {}
    if before is not None and not overlap:
        earlier = _of_a_week(before, before.known(*KEY), _week(before.state.data_until))
    elif before is None:
        earlier = _of_a_week(desk, desk.known(*KEY), _week(days.start - timedelta(days=1)))
    for name, row in rows.items():
        measure, then = desk.measure(name), earlier.get(name)
        found = since(sample(measure, row), None if then is None else sample(measure, then))
        listed.append(told.Moved(measure, row, then, found, pace_of(desk, measure)))
    last = before.state.data_until if before is not None else None
    now = period_shown(days, say.language)
    heading = say("Last time, {day}", day=day_shown(last, say.language)) if last else say("The 7 days before")
    table = told.key_numbers(listed, now, heading, say)
    notes = [say(told.HOW)]
    if overlap:
        notes.insert(0, say("Last time was less than seven days ago: the days overlap, so no change is told."))

    def draw(_look: Look, key: str) -> None:
        table_view.show(replace(table, note=None), say=say, key=key, empty=say("No numbers to draw."))

    return Exhibit(
        Kind.FIGURES,
        told.moved_most(listed, last, say),
        say("The seven days up to {day}, beside those of last time", day=day_shown(days.end, say.language)),
        table,
        notes=tuple(notes),
        draw=draw,
    )


def _of_a_week(desk: Desk, measures: Sequence[Measure], days: Period) -> dict[str, pd.Series]:
    """Each measure's row in these days, with the counts of a rate; what is not held is left out."""
    found = {}
    for measure in measures:
        counts = measure.counts if isinstance(measure, Ratio) else ()
        try:
            found[measure.name] = desk.ask((measure, *counts), period=days).answer.iloc[0]
        except NotHeld:
            continue
    return found


def _week(until: date) -> Period:
    return Period(until - WEEK + timedelta(days=1), until)
