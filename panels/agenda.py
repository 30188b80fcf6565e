"""What a weekly meeting goes through, item by item, and each as it is shown: now, or as it was held."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from data_access.held import Held, NotHeld
from data_access.meetings import Action, Item, Meeting
from measures.catalogue import DIMENSION, MEASURES
from measures.dimensions import WEEK as WEEK_STEP
from measures.model import Measure, _
from measures.period import Period
from measures.question import Question, Told
from measures.since import sample, since, wavering
from panels import actions as agreements
from panels import notes
from panels.desk import Desk
from panels.exhibits import paces
from panels.views import View
from presentation import since as told
from presentation import table_view
from presentation.charts import Look
from presentation.exhibit import Exhibit, Kind
from presentation.filters import Filters, filters_at, in_words
from presentation.frame import scope
from presentation.units import day_shown, period_shown, shown

DAY, WEEK, HALF_YEAR = timedelta(days=1), timedelta(days=7), timedelta(weeks=26)
KEY = (
    "signed", "active_rate_30", "coverage", "contacts", "contact_success", "overdue_assignments", "complaints_received",
    "complaints_past_due",
)  # fmt: skip
"""The key numbers of a week: those that seven days say something of. What is young is set beside what was as young last time."""
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

    @property
    def shown(self) -> Exhibit:
        """The exhibit, with the corrections among its notes."""
        if not self.corrections:
            return self.exhibit
        return replace(self.exhibit, notes=(*self.exhibit.notes, self.corrections))


@dataclass(frozen=True)
class Occasion:
    """A meeting as its slides are made: at a desk that sees what the meeting's branch sees, now or as it was held; beside the desk of
    the meeting before, as that was held, and what has been agreed on."""

    desk: Desk
    before: Desk | None
    agreed: Sequence[Action]
    today: date
    corrected_by: Desk | None = None
    """The desk on the warehouse as it stands, where it has been loaded again since."""


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
    held = Held(desk.warehouse, meeting.branch_id, answers, meeting.data_until)
    return replace(desk, warehouse=held, state=held.state(), asked=[], _wholes={})


def usual(desk: Desk) -> list[tuple[str, str]]:
    """The items of a new meeting at this desk, each as (view, title); what the warehouse has no numbers for is left out."""
    found = [(json.dumps({"of": own}), "") for own in OWN]
    for of, given, days in _USUAL:
        if "name" not in given or desk.known(str(given["name"])):
            found.append((View(of, given, {"branch": desk.filters.branch.id, **days}).written(), ""))
    return found


def is_agreed(item: Item) -> bool:
    """Whether an item is about what was agreed."""
    return _own(item) == AGREED


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
            found += _corrected(occasion, _shown(occasion, item))
        except Told as refused:
            found.append(
                Slide(item, Exhibit(Kind.SENTENCES, label(item, occasion.desk), occasion.desk.say.told(refused)))
            )
        tell((number + 1) / len(kept))
    return found


def label(item: Item, desk: Desk) -> str:
    """What an item is called in the agenda, in the reader's language."""
    say = desk.say
    if (own := _own(item)) in OWN:
        return say(OWN[own])
    try:
        view = View.read(item.view)
    except Told:
        return item.title or say("A view that this version does not know")
    if view.of == "attention":
        return say("What stands out")
    named = [MEASURES[name] for name in _measures(view) if name in MEASURES]
    called = notes.say_by(desk, named, [DIMENSION[name] for name in _splits(view)])
    try:
        filters = _filters(view, desk)
    except Told:
        return called  # not its title: that may hold numbers of a branch that is not seen from here
    return say.aside(called, dict(in_words(filters, desk.products, say))[say("Period")])


def leads(view: View, desk: Desk) -> tuple[str, dict[str, str]]:
    """The page where a view can be looked at closer, and its query parameters."""
    address = {**view.filters, "lang": desk.say.language}
    if view.of in ("attention", "figures"):
        return "overview", address
    return "explorer", {**address, "measures": ",".join(_measures(view)), "by": ",".join(_splits(view))}


def _corrected(occasion: Occasion, shown: list[Slide]) -> list[Slide]:
    """The slides of an item, the first with what the warehouse says differently by now about the same days, seen from the same day."""
    held, live = occasion.desk.warehouse, occasion.corrected_by
    if live is None or not isinstance(held, Held):
        return shown
    asked = list(dict.fromkeys(held.asked))
    held.asked.clear()
    differing = [each for question in asked for each in _differing(occasion.desk, live, question)]
    if not differing or not shown:
        return shown
    told_ = live.say.plural(
        "Corrected since in the warehouse: {n} number, {example}.",
        "Corrected since in the warehouse: {n} numbers, such as {example}.",
        len(differing),
        example=differing[0],
    )
    return [replace(shown[0], corrections=told_), *shown[1:]]


def _differing(held: Desk, live: Desk, question: Question) -> list[str]:
    """The numbers of an answer that are others now, each in words; what has no history is another every day, and is no correction."""
    measures = [measure for measure in question.measures if measure.has_history]
    then = held.warehouse.fetch(question, held.viewer)
    try:
        now = live.warehouse.fetch(question, live.viewer, seen_on=held.state.data_until)
    except Told:
        return []
    keys = [split.name for split in question.by]
    say = live.say
    found = []
    for measure in measures:
        before, after = (_by_key(answer, keys, measure.name) for answer in (then, now))
        for key in dict.fromkeys([*before, *after]):
            one, other = before.get(key), after.get(key)
            if not _same(one, other):
                values = [shown(each, measure.unit, say.language) for each in (one, other)]
                found.append(
                    say("{measure}: {then} → {now}", measure=say(measure.label), then=values[0], now=values[1])
                )
    return found


def _by_key(answer: pd.DataFrame, keys: Sequence[str], name: str) -> dict[tuple, object]:
    ids = [answer[key].astype(object).where(answer[key].notna(), None).tolist() for key in keys]
    places = zip(*ids, strict=True) if ids else [()] * len(answer)
    return {key: value for key, value in zip(places, answer[name].tolist(), strict=True) if not pd.isna(value)}


def _same(one: object, other: object) -> bool:
    if one is None or other is None:
        # No row and none counted are the same.
        return not one and not other
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-12)


def _own(item: Item) -> str:
    try:
        said = json.loads(item.view)
    except ValueError:
        return ""
    return str(said.get("of", "")) if isinstance(said, dict) else ""


def _measures(view: View) -> list[str]:
    given = view.given
    if "path" in given:
        return [name for name, _share in given["path"]]
    return [given["name"]] if "name" in given else list(given.get("names", ()))


def _splits(view: View) -> list[str]:
    given = view.given
    single = [given[name] for name in ("y", "x", "step") if given.get(name)]
    by = given.get("by", [])
    return [*(by if isinstance(by, (list, tuple)) else [by]), *single]


def _filters(view: View, desk: Desk) -> Filters:
    return filters_at(view.filters, desk.places, desk.products, desk.state.data_until, desk.say)


def _shown(occasion: Occasion, item: Item) -> list[Slide]:
    own = _own(item)
    desk = replace(occasion.desk, asked=[], _wholes={})
    if own == AGREED:
        return _agreed(desk, occasion, item)
    if own == KEY_NUMBERS:
        return [Slide(item, _key(desk, occasion))]
    view = View.read(item.view)
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
    desk = replace(desk, filters=replace(desk.filters, period=days, against=None))
    listed = []
    rows = _of_a_week(desk, desk.known(*KEY), days)
    earlier = {}
    if before is not None and not overlap:
        earlier = _of_a_week(before, before.known(*KEY), _week(before.state.data_until))
    elif before is None:
        # As far in their time as these seven days are now.
        earlier = _before(desk, desk.known(*KEY), replace(desk.filters, period=days, against=_week(days.start - DAY)))
    aimed_at = paces(desk, [desk.measure(name) for name in rows])
    for name, row in rows.items():
        measure, then = desk.measure(name), earlier.get(name)
        earlier_sample = None if then is None else sample(measure, then)
        found = since(sample(measure, row), earlier_sample, _wavers(desk, measure))
        listed.append(told.Moved(measure, row, then, found, aimed_at.get(name, "")))
    last = before.state.data_until if before is not None else None
    now = period_shown(days, say.language)
    heading = say("Last time, {day}", day=day_shown(last, say.language)) if last else say("The 7 days before")
    table = told.key_numbers(listed, now, heading, say)
    notes_ = told.lone_target(listed, say)
    if overlap:
        notes_.append(say("Last time was less than seven days ago: the days overlap, so no change is told."))

    def draw(_look: Look, key: str) -> None:
        table_view.show(replace(table, note=None), say=say, key=key, empty=say("No numbers to draw."))

    return Exhibit(
        Kind.FIGURES,
        told.moved_most(listed, last, say),
        say("The seven days up to {day}, beside those of last time", day=day_shown(days.end, say.language)),
        table,
        notes=tuple(notes_),
        draw=draw,
    )


def _of_a_week(desk: Desk, measures: Sequence[Measure], days: Period) -> dict[str, pd.Series]:
    """Each measure's row in these days, with the counts of a rate; what is not held is left out."""
    found = {}
    for measure in measures:
        try:
            found[measure.name] = desk.ask(_with_counts(measure), period=days).answer.iloc[0]
        except NotHeld:
            continue
    return found


def _wavers(desk: Desk, measure: Measure) -> float:
    """How much more than by chance the measure differs from week to week in the half-year before, over whole weeks that no longer
    grow; 1 where that is not known, as in a meeting that does not keep it."""
    if not measure.has_history or WEEK_STEP not in measure.dimensions:
        return 1.0
    until = desk.state.data_until - timedelta(days=measure.settles)
    sunday = until - timedelta(days=until.isoweekday() % 7)
    try:
        asked = desk.ask(_with_counts(measure), [WEEK_STEP], period=Period(sunday - HALF_YEAR + DAY, sunday))
    except NotHeld:
        return 1.0
    return wavering([sample(measure, row) for _at, row in asked.answer.iterrows()])


def _before(desk: Desk, measures: Sequence[Measure], filters: Filters) -> dict[str, pd.Series]:
    """Each measure's row in the period that `filters` compare with, under the names that it has in a period of its own."""
    at = replace(desk, filters=filters, _wholes={})
    return {
        measure.name: agreements.earlier(at.ask(_with_counts(measure), compared=True).answer).iloc[0]
        for measure in measures
    }


def _with_counts(measure: Measure) -> tuple[Measure, ...]:
    """A measure, and beside a rate the counts that say how far chance moves it."""
    return tuple(dict.fromkeys((measure, *measure.counts)))


def _week(until: date) -> Period:
    return Period(until - WEEK + DAY, until)
