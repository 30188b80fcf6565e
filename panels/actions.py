"""What was agreed in meetings: each action beside what became of its measure, at whoever is to do it and at those comparable."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from data_access.meetings import Action
from measures.alike import Unit, comparable
from measures.catalogue import DIMENSION
from measures.dimensions import AGENT, BRANCH, PRODUCT, WEEK
from measures.model import Better, Dimension, Ratio, _
from measures.period import Period
from measures.question import BEFORE, NAME, Question, where
from measures.since import NOT_TOLD, Sample, Since, brought, sample, since, unlike
from panels.desk import Desk
from presentation import charts, table_view
from presentation import since as told
from presentation.exhibit import Exhibit, Kind
from presentation.tables import Column, Table, table_of
from presentation.units import MISSING, day_shown, shown

START = timedelta(days=28)
"""What an action starts from, and what is alike: the four weeks before it was agreed on."""
SHOWN_BEFORE = timedelta(weeks=8)
"""So much of the course is drawn before the action, for who wants to see whether something moved already."""
WHO = Dimension("who", _("Who"), named=True)
ACTED, ALIKE = "acted", "alike"

STATES = {"late": _("late"), "open": _("open"), "done": _("done"), "dropped": _("dropped")}


@dataclass(frozen=True)
class Followed:
    """What became of an action's measure since, its own change, and by how much that is more than at `alike`, the ids of those
    comparable. `now` is an answer's row, None where no days have passed or nothing is recorded."""

    action: Action
    measure: Ratio
    by: Dimension
    now: pd.Series | None
    own: Since
    more: Since
    alike: tuple[str, ...]


def offered(desk: Desk) -> list[Ratio]:
    """The measures that an action can be followed on: rates of counts that are kept by week. Only rates of branches of unlike size can
    be set against each other."""
    return [
        measure
        for measure in desk.state.catalogue.measures.values()
        if isinstance(measure, Ratio)
        and measure.spread is not None
        and measure.better is not Better.NEITHER
        and WEEK in measure.dimensions
        and measure.has_history
        and all(count.adds_up for count in measure.counts)
    ]


def baseline(
    desk: Desk, measure: Ratio, kind: str, who: str, product: str, agreed_on: date
) -> tuple[float | None, float | None]:
    """The rate, and of how many, in the four weeks before `agreed_on` at the branch or agent `who`."""
    by = _dimension(desk, kind, who)
    answer = _fetched(
        desk, measure, (), {by: (who,), PRODUCT: (product,) if product else ()}, _before(agreed_on, START)
    )
    row = None if answer.empty else answer.iloc[0]
    if row is None or pd.isna(row[measure.name]):
        return None, None
    return float(row[measure.name]), float(row[measure.under.name])


def followed(desk: Desk, action: Action, others: Sequence[Action]) -> Followed | None:
    """What became of the action's measure up to the data's date; None where this warehouse does not know the measure any more.

    The days since are set beside as many just before, looked at when they were as young: of what was given out last week fewer are
    contacted than of what was given out last month, and in a week fewer complain than in a month, whatever was agreed.

    Comparable are units of the same kind that were most like it in the four weeks before, as these stood then, and about which none
    of `others` was agreed on the same measure. The branches or agents of one meeting are looked at, as far as its branch sees.
    """
    measure = desk.state.catalogue.measures.get(action.measure)
    by = _dimension(desk, action.who_kind, action.who)
    if not isinstance(measure, Ratio) or by not in measure.dimensions:
        return None
    product = _products(action)
    own = {by: (action.who,), PRODUCT: product}
    days = _since(desk, action.agreed_on)
    if days is None:
        return Followed(action, measure, by, None, NOT_TOLD, NOT_TOLD, ())
    before = _before(action.agreed_on, timedelta(days=days.days))
    now, then = _rows(desk, measure, own, days, before)
    acted = {other.who for other in others if other.measure == action.measure}
    alike = _alike(desk, measure, by, action.who, acted, product, days, _before(action.agreed_on, START))
    more = _more(desk, measure, (now, then), by, {by: alike, PRODUCT: product}, days, before) if alike else NOT_TOLD
    return Followed(action, measure, by, now, _changed(measure, now, then), more, alike)


def course(desk: Desk, found: Followed) -> Exhibit:
    """The action's measure week by week beside those comparable, with the day on which it was agreed."""
    say, action, measure = desk.say, found.action, found.measure
    product = _products(action)
    days = Period(action.agreed_on - SHOWN_BEFORE, max(desk.state.data_until, action.agreed_on))
    named = {ACTED: action.who_name}
    if found.alike:
        named[ALIKE] = say.plural("{n} comparable", "{n} comparable", len(found.alike))
    units = {ACTED: (action.who,), ALIKE: found.alike}
    answers = []
    for id_, name in named.items():
        answer = _fetched(desk, measure, (WEEK,), {found.by: units[id_], PRODUCT: product}, days)
        answers.append(answer.assign(**{WHO.name: id_, WHO.name + NAME: name}))
    rows = pd.concat(answers, ignore_index=True)
    few = rows[measure.under.name].fillna(0) < measure.fewest
    agreed = say("agreed {day}", day=day_shown(action.agreed_on, say.language))

    def draw(look: charts.Look, key: str) -> None:
        charts.lines(
            rows[~few], step=WEEK, measure=measure, look=look, key=key, series=WHO, accent=ACTED, rules=[(action.agreed_on, agreed)]
        )  # fmt: skip

    question = Question((measure, *measure.counts), days, (WEEK,))
    table = table_of(question, rows, None, say)
    table = replace(table, columns=(Column(WHO.name + NAME, say(WHO.label), "text"), *table.columns))
    notes = [say("{what} · until {day}", what=action.what, day=day_shown(action.due_on, say.language))]
    if found.alike:
        notes.append(
            say("Comparable: most alike in rate and size in the four weeks before. It is no proof of a cause.")
        )
    if len(few[few]):
        notes.append(say("Weeks of fewer than {fewest} are not drawn.", fewest=measure.fewest))
    return Exhibit(
        Kind.LINES,
        f"{action.who_name}: {told.brought(found.own, found.more, measure, action.agreed_on, say)}",
        f"{say(measure.label)} · {say(WEEK.label)} · {say(measure.meaning)}",
        table,
        category=WEEK.name,
        series=WHO.name + NAME,
        value=measure.name,
        notes=tuple(notes),
        draw=draw if len(rows) else None,
    )


def agreed(desk: Desk, actions: Sequence[Action], found: Sequence[Followed], today: date) -> Exhibit:
    """What was agreed and what became of it, those to be looked at first: late ones, open ones, then what is over."""
    say = desk.say
    by_id = {each.action.id: each for each in found}
    order = sorted(actions, key=lambda action: (list(STATES).index(state(action, today)), action.due_on))
    table = action_table(desk, order, by_id, today)
    left = [action for action in actions if action.state == "open"]
    late = [action for action in left if action.late(today)]
    if not actions:
        title = say("Nothing has been agreed yet")
    elif not left:
        title = say("All that was agreed is done or dropped")
    else:
        title = say.plural(
            "{n} action is open, {late} of them late",
            "{n} actions are open, {late} of them late",
            len(left),
            late=len(late),
        )

    def draw(_look: charts.Look, key: str) -> None:
        table_view.show(table, say=say, key=key, empty=title)

    meaning = say("What was agreed, by when, and what became of it")
    if not actions:
        told_ = say("What is agreed on in a meeting stands here in the next, with what became of it.")
        return Exhibit(Kind.SENTENCES, title, meaning, lines=(told_,))
    return Exhibit(Kind.TABLE, title, meaning, table, draw=draw)


def action_table(desk: Desk, actions: Sequence[Action], found: Mapping[str, Followed], today: date) -> Table:
    """The actions as a table in the reader's language, with what became of those that are `found`, by their ids, if any is."""
    say = desk.say
    heads = {
        "what": say("What"), "who": say(WHO.label), "due_on": say("By"), "measure": say("Measure"),
        "baseline": say("4 weeks before"), "aim": say("Aim"), "now": say("Since then"), "state": say("State"),
    }  # fmt: skip
    rows = []
    for action in actions:
        measure = desk.state.catalogue.measures.get(action.measure)
        followed_ = found.get(action.id)

        def number(value: float | None, measure=measure) -> str:
            return MISSING if value is None or measure is None else shown(value, measure.unit, say.language)

        rows.append(
            {
                "what": action.what,
                "who": action.who_name,
                "due_on": pd.Timestamp(action.due_on),
                "measure": say(measure.label) if measure else action.measure,
                "baseline": number(action.baseline),
                "aim": number(action.aim),
                "now": told.value(measure, followed_.now, say) if followed_ and measure else MISSING,
                "state": say(STATES[state(action, today)]),
            }
        )
    columns = [
        Column(name, label, "day" if name == "due_on" else "text", interval=name in ("baseline", "aim", "now"))
        for name, label in heads.items()
        if (name != "aim" or any(action.aim is not None for action in actions)) and (name != "now" or found)
    ]
    return Table(say("Actions"), tuple(columns), pd.DataFrame(rows, columns=list(heads)))


def state(action: Action, today: date) -> str:
    """One of STATES: an open action past its day is late."""
    return "late" if action.late(today) else action.state


def _changed(measure: Ratio, now: pd.Series | None, then: pd.Series | None) -> Since:
    return since(_sample(measure, now), _sample(measure, then))


def _more(
    desk: Desk,
    measure: Ratio,
    own: tuple[pd.Series | None, pd.Series | None],
    by: Dimension,
    theirs: dict,
    days: Period,
    before: Period,
) -> Since:
    """By how much more `own`, its rows of now and then, moved than `theirs`, who differ from each other as well."""
    together = _rows(desk, measure, theirs, days, before)
    each = _fetched(desk, measure, (by,), theirs, days, before)
    apart = [
        (sample(measure, now), sample(measure, then))
        for (_at, now), (_at_then, then) in zip(each.iterrows(), earlier(each).iterrows(), strict=True)
    ]
    return brought(*(_sample(measure, row) for row in (*own, *together)), unlike(apart))


def _sample(measure: Ratio, row: pd.Series | None) -> Sample | None:
    return None if row is None else sample(measure, row)


def _alike(
    desk: Desk,
    measure: Ratio,
    by: Dimension,
    who: str,
    acted: Collection[str],
    product: tuple[str, ...],
    days: Period,
    before: Period,
) -> tuple[str, ...]:
    found = earlier(_fetched(desk, measure, (by,), {PRODUCT: product}, days, before))
    known = found[found[by.name].notna() & found[measure.name].notna()]
    units = [
        Unit(str(id_), float(value), float(of))
        for id_, value, of in zip(known[by.name], known[measure.name], known[measure.under.name], strict=True)
    ]
    own = next((unit for unit in units if unit.id == who), None)
    if own is None:
        return ()
    free = [unit for unit in units if unit.id not in acted]
    return tuple(unit.id for unit in comparable(own, free, fewest=measure.fewest))


def _rows(
    desk: Desk, measure: Ratio, chosen: dict, days: Period, before: Period
) -> tuple[pd.Series | None, pd.Series | None]:
    """The rows of both periods, the earlier looked at when it was as young as `days` are now."""
    answer = _fetched(desk, measure, (), chosen, days, before)
    return (None, None) if answer.empty else (answer.iloc[0], earlier(answer).iloc[0])


def earlier(answer: pd.DataFrame) -> pd.DataFrame:
    """An answer's numbers of the period compared with, under the names that they have in a period of their own."""
    named = {name: name.removesuffix(BEFORE) for name in answer.columns if name.endswith(BEFORE)}
    return answer.drop(columns=[*named.values()]).rename(columns=named)


def _fetched(
    desk: Desk,
    measure: Ratio,
    by: tuple[Dimension, ...],
    chosen: dict,
    days: Period,
    against: Period | None = None,
) -> pd.DataFrame:
    kept = {d: ids for d, ids in chosen.items() if ids and d in measure.dimensions}
    question = Question((measure, *measure.counts), days, by, where(kept), against, parent=desk.viewer.branch_id)
    return desk.warehouse.fetch(question, desk.viewer)


def _dimension(desk: Desk, kind: str, who: str) -> Dimension:
    """What tells those apart that `who` is one of: agents, or the branches of its level."""
    place = desk.places.get(who)
    return AGENT if kind == "agent" else DIMENSION[place.level] if place else BRANCH


def _products(action: Action) -> tuple[str, ...]:
    product = json.loads(action.filters).get("product", "")
    return (product,) if product else ()


def _before(agreed_on: date, long: timedelta) -> Period:
    return Period(agreed_on - long, agreed_on - timedelta(days=1))


def _since(desk: Desk, agreed_on: date) -> Period | None:
    until = desk.state.data_until
    return Period(agreed_on, until) if until >= agreed_on else None
