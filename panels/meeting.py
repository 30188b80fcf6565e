"""The weekly meeting as a page: prepared, started, presented, and what is agreed in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from html import escape
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from data_access.access import Permission, Refused, demand
from data_access.meetings import MOST_SIGNS, Action, Changed, Item, Meeting, Meetings, meetings_of, monday_of
from measures.dimensions import AGENT
from measures.model import Ratio, Unit, _
from measures.period import week_from
from measures.question import NAME, Told
from panels import actions as agreements
from panels import agenda, held, minutes, notes
from panels.desk import Desk
from panels.views import View
from presentation import present
from presentation.cards import headline
from presentation.plain import plain
from presentation.units import day_shown, period_shown

PRESENTED = "present"
"""The parameter of the address under which the meeting fills the screen."""
STATES = {"prepared": _("in preparation"), "running": _("under way"), "ended": _("has ended")}


@notes.refusing
def meeting(desk: Desk) -> None:
    """The meeting of the branch looked at, in the week chosen; presented alone on the screen where the address says so."""
    say = desk.say
    try:
        demand(desk.viewer, Permission.MEETINGS)
    except Refused as refused:
        headline(say("Weekly meeting"), say.told(refused))
        return
    st.session_state.pop("_way_back", None)
    if told := st.session_state.pop("_meeting_told", ""):
        st.warning(told, icon=":material/info:")
    store = meetings_of(desk.access)
    here = agenda.seen_from(desk, desk.filters.branch.id)
    week = _week(desk, store)
    found = store.of(here.viewer.branch_id, week)
    if found is None:
        _none_yet(here, store, week)
        return
    items = store.items(found.id)
    _remember_open(found)
    if found.state == "prepared":
        _prepared(here, store, found, items)
        return
    actions = store.actions(found.branch_id)
    shown = _slides(here, store, found, items, actions)
    if st.query_params.get(PRESENTED) and shown:
        desk.own_parameters[PRESENTED] = "1"
        _presented(here, store, found, shown)
        return
    _held(here, store, found, items, actions, shown)


def taken_into(desk: Desk) -> Callable[[View, str], None] | None:
    """What takes a part of any page into the meeting that this reader has opened last; None where there is none, or it has ended."""
    opened = st.session_state.get("_meeting_open")
    if opened is None or opened.branch_id not in desk.places or not desk.viewer.may(Permission.MEETINGS):
        return None

    def take(view: View, called: str) -> None:
        store = meetings_of(desk.access)
        try:
            _demand_still(desk)
            added = store.add(opened.id, view.written(), called, desk.viewer.person)
            now = store.of(opened.branch_id, opened.week)
            if now is not None and now.state == "running":
                held.add(agenda.seen_from(desk, opened.branch_id), store, now, [added])
        except Told as refused:
            st.toast(desk.say.told(refused), icon=":material/error:")
        else:
            st.toast(desk.say("Added to the meeting: {title}", title=plain(called)), icon=":material/groups:")

    return take


# The page -----------------------------------------------------------------------------------------------------------


def _week(desk: Desk, store: Meetings) -> date:
    """The week whose meeting is looked at: this week's, the next one's, or that of an earlier meeting; kept in the address."""
    this = monday_of(date.today())
    weeks = {this, this + timedelta(days=7), *(each.week for each in store.listed(desk.filters.branch.id))}
    named = {each.isoformat(): each for each in sorted(weeks, reverse=True)}
    key = f"meeting_week_{desk.filters.branch.id}"
    linked = st.query_params.get("week", "")
    if desk.came_by_link and linked in named:
        st.session_state[key] = linked
    if st.session_state.get(key) not in named:
        st.session_state[key] = this.isoformat()
    if st.query_params.get(PRESENTED):
        chosen = st.session_state[key]
    else:
        chosen = st.selectbox(
            desk.say("Week"),
            list(named),
            format_func=lambda iso: period_shown(week_from(named[iso]), desk.say.language),
            key=key,
            persist_state="session",
            width=260,
        )
    desk.own_parameters["week"] = chosen
    return named[chosen]


def _remember_open(found: Meeting) -> None:
    if found.state == "ended":
        st.session_state.pop("_meeting_open", None)
    else:
        st.session_state["_meeting_open"] = found


def _none_yet(desk: Desk, store: Meetings, week: date) -> None:
    say = desk.say
    headline(
        say("No meeting has been prepared for this week"),
        say("Results, what stands out, what was agreed, and what comes next"),
    )

    def prepare() -> None:
        store.prepared(desk.viewer.branch_id, week, agenda.usual(desk), desk.viewer.person)

    st.button(
        say("Prepare the meeting"),
        type="primary",
        icon=":material/event:",
        key="meeting_prepare",
        on_click=_told(desk, prepare),
    )


def _prepared(desk: Desk, store: Meetings, found: Meeting, items: Sequence[Item]) -> None:
    say = desk.say
    headline(
        minutes.title(desk, found.week),
        say("Choose what is looked at. When it starts, all numbers are kept as they are then."),
    )
    if st.button(say("Start the meeting"), type="primary", icon=":material/play_arrow:", key="meeting_start"):
        _start(desk, store, found, items)
        st.rerun()
    _agenda(desk, store, items)


def _held(
    desk: Desk,
    store: Meetings,
    found: Meeting,
    items: Sequence[Item],
    actions: Sequence[Action],
    shown: Sequence[agenda.Slide],
) -> None:
    say = desk.say
    headline(
        minutes.title(desk, found.week),
        say(
            "{state} · numbers as of {day} · {n} slides",
            state=say(STATES[found.state]),
            day=day_shown(found.data_until, say.language),
            n=len(shown),
        ),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(say("Present"), type="primary", icon=":material/slideshow:", key="meeting_present"):
            st.query_params[PRESENTED] = "1"
            st.rerun()
        minutes.files(desk, found, shown, actions)
        if found.state == "running":
            st.button(
                say("End the meeting"),
                icon=":material/stop:",
                key="meeting_end",
                on_click=_told(desk, lambda: held.end(desk, store, found)),
            )
    if found.state == "running":
        _agreeing(desk, store, found)
    _agreed(desk, store, actions)
    _agenda(desk, store, items, shown, closed=found.state == "ended")


def _agenda(
    desk: Desk, store: Meetings, items: Sequence[Item], shown: Sequence[agenda.Slide] = (), *, closed: bool = False
) -> None:
    """The items in their order, each with its remark; what has ended is read, all else can be changed."""
    say = desk.say
    st.subheader(say("Agenda"))
    findings = {}
    for slide in shown:
        findings.setdefault(slide.item.id, []).append(slide)
    for number, item in enumerate(items):
        with st.container(border=True, key=f"item_{item.id}"):
            called = f"{number + 1}. {plain(agenda.label(item, desk))}"
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{called}**" if item.kept else f"~~{called}~~")
                if not closed:
                    _order(desk, store, item, number, len(items))
            for slide in findings.get(item.id, []):
                st.html(f"<div class=chart-finding>{escape(slide.exhibit.title)}</div>")
            if closed and item.remark:
                st.text(item.remark)
            elif item.kept and not closed:
                _remarks(desk, store, item)


def _order(desk: Desk, store: Meetings, item: Item, number: int, of: int) -> None:
    """What moves an item, and takes it out or in."""
    say, person = desk.say, desk.viewer.person
    for sign, name, to in (("↑", say("Earlier"), number - 1), ("↓", say("Later"), number + 1)):
        st.button(
            sign,
            key=f"move_{sign}_{item.id}",
            help=name,
            type="tertiary",
            disabled=not 0 <= to < of,
            on_click=_told(desk, lambda to=to: store.move(item.meeting, item.id, to, person)),
        )
    st.button(
        say("Leave out") if item.kept else say("Take in"),
        key=f"keep_{item.id}",
        type="tertiary",
        on_click=_told(desk, lambda: store.change(item, by=person, kept=not item.kept)),
    )


def _remarks(desk: Desk, store: Meetings, item: Item) -> None:
    say = desk.say
    key = f"remark_{item.id}_{item.revision}"
    st.text_area(
        say("Remark"),
        item.remark,
        key=key,
        height=68,
        max_chars=MOST_SIGNS,
        placeholder=say("What is to be said about it"),
        label_visibility="collapsed",
        on_change=lambda: _remark(desk, store, item, key),
    )
    _conflict(desk, store, item)


def _remark(desk: Desk, store: Meetings, item: Item, key: str) -> None:
    """Writes the remark; where somebody has written meanwhile, both texts stay: theirs in the box, this one beside it."""
    mine = st.session_state[key]
    try:
        _demand_still(desk)
        store.change(item, remark=mine, by=desk.viewer.person)
        st.session_state.pop(f"_mine_{item.id}", None)
    except Changed:
        st.session_state[f"_mine_{item.id}"] = mine
    except Told as refused:
        st.session_state[f"_mine_{item.id}"] = mine
        st.session_state["_meeting_told"] = desk.say.told(refused)


def _conflict(desk: Desk, store: Meetings, item: Item) -> None:
    say = desk.say
    mine = st.session_state.get(f"_mine_{item.id}")
    if mine is None:
        return
    st.warning(
        say(
            "{person} has changed this remark meanwhile. Theirs stands above; yours was not written:",
            person=plain(item.by),
        )
    )
    st.code(mine, language=None, wrap_lines=True)

    def join() -> None:
        both = f"{item.remark}\n{mine}" if item.remark else mine
        store.change(item, by=desk.viewer.person, remark=both)
        st.session_state.pop(f"_mine_{item.id}", None)

    with st.container(horizontal=True):
        st.button(say("Write mine below it"), key=f"join_{item.id}", on_click=_told(desk, join))
        st.button(
            say("Keep theirs"),
            key=f"theirs_{item.id}",
            on_click=lambda: st.session_state.pop(f"_mine_{item.id}", None),
        )


# Showing --------------------------------------------------------------------------------------------------------------


def _start(desk: Desk, store: Meetings, found: Meeting, items: Sequence[Item]) -> None:
    told = desk.say("All numbers are looked up and kept …")
    bar = st.progress(0.0, told)
    held.start(desk, store, found, items, lambda share: bar.progress(share, told))


def _slides(
    desk: Desk, store: Meetings, found: Meeting, items: Sequence[Item], actions: Sequence[Action]
) -> list[agenda.Slide]:
    """The meeting as it was held; made again when something of it has changed, and not in each run."""
    known = tuple((item.id, item.position, item.kept, item.remark) for item in items)
    known += tuple((action.id, action.revision) for action in actions)
    key = (found.id, found.state, known, desk.say.language, desk.look.dark, str(desk.state.version))
    kept = st.session_state.get("_meeting_slides")
    if kept is None or kept[0] != key:
        kept = st.session_state["_meeting_slides"] = (key, held.slides(desk, store, found, items))
    return kept[1]


def _presented(desk: Desk, store: Meetings, found: Meeting, shown: Sequence[agenda.Slide]) -> None:
    """The slide that the meeting is at, alone on the screen. Turning runs this part alone."""
    st.session_state.setdefault("_meeting_at", {})

    @st.fragment
    def slide() -> None:
        if not desk.holds():
            st.rerun(scope="app")  # the page then asks who is looking
        kept = st.session_state["_meeting_at"]
        at = min(kept.setdefault(found.id, found.slide), len(shown) - 1)
        each = shown[at]

        def turn(to: int) -> None:
            kept[found.id] = to
            store.at(found.id, to)

        def leave() -> None:
            st.query_params.pop(PRESENTED, None)
            st.session_state["_meeting_left"] = True

        say = desk.say
        if st.session_state.pop("_meeting_left", False):
            st.rerun(scope="app")
        foot = say("{scope} · data until {day}", scope=desk.scope, day=day_shown(found.data_until, say.language))
        present.slide(
            each.shown,
            remark=each.item.remark,
            foot=foot,
            at=at,
            slides=len(shown),
            look=desk.look,
            say=say,
            on_turn=turn,
            on_leave=leave,
            drill=None if each.view is None else lambda: _drill(desk, found, each.view),
        )

    slide()


def _drill(desk: Desk, found: Meeting, view: View) -> None:
    """The way from a slide to the page where its numbers are looked at closer; `way_back` leads back."""
    if st.button(desk.say("Look closer (D)"), key="present_deeper", type="tertiary"):
        page, parameters = agenda.leads(view, desk)
        st.session_state["_go"] = f"{page}?{urlencode(parameters)}"
        back = {**desk.filters.address, "week": found.week.isoformat(), PRESENTED: "1"}
        st.session_state["_way_back"] = f"meeting?{urlencode(back)}"
        st.rerun(scope="app")


def way_back(desk: Desk) -> None:
    """On a page that a slide led to: the way back to the slide."""
    back = st.session_state.get("_way_back")
    if back is not None:
        st.button(
            desk.say("Back to the meeting"),
            icon=":material/arrow_back:",
            key="way_back",
            on_click=lambda: st.session_state.update({"_go": back, "_way_back": None}),
        )


# What is agreed -------------------------------------------------------------------------------------------------------


def _agreeing(desk: Desk, store: Meetings, found: Meeting) -> None:
    """The form for a new action: what, who, by when, followed on which measure, with what aim."""
    say = desk.say
    measures = {measure.name: measure for measure in agreements.offered(desk)}
    who = _who(desk)
    with (
        st.expander(say("Agree on an action"), icon=":material/add_task:"),
        st.form("agree", clear_on_submit=True, border=False),
    ):
        what = st.text_area(say("What"), key="agree_what", height=68, max_chars=500)
        left, middle, right = st.columns(3)
        person = left.selectbox(say("Who"), list(who), format_func=lambda key: who[key], key="agree_who")
        due = middle.date_input(
            say("By"), date.today() + timedelta(days=7), min_value=date.today(), key="agree_due", format="YYYY-MM-DD"
        )
        name = right.selectbox(
            say("Followed on"), list(measures), format_func=lambda name: say(measures[name].label), key="agree_measure"
        )
        product = left.selectbox(
            say("Product"),
            ["", *desk.products],
            format_func=lambda id_: desk.products.get(id_, say("All products")),
            key="agree_product",
        )
        aim = middle.number_input(
            say("Aim, in the measure's unit (per cent for a share)"), value=None, min_value=0.0, key="agree_aim"
        )
        if st.form_submit_button(say("Agree"), type="primary"):
            if not what.strip():
                st.warning(say("Say what is to be done."))
                return
            kind, _sep, id_ = person.partition(":")
            _agree(desk, store, found, what.strip(), (kind, id_, who[person]), due, measures[name], product, aim)
            st.rerun()


def _agree(
    desk: Desk,
    store: Meetings,
    found: Meeting,
    what: str,
    who: tuple[str, str, str],
    due: date,
    measure: Ratio,
    product: str,
    aim: float | None,
) -> None:
    kind, id_, name = who
    # Days that were loaded when it was agreed on are before it.
    agreed_on = min(date.today(), desk.state.data_until + timedelta(days=1))
    rate, of = agreements.baseline(desk, measure, kind, id_, product, agreed_on)
    store.agree(
        Action(
            branch_id=found.branch_id,
            meeting=found.id,
            what=what,
            who_kind=kind,
            who=id_,
            who_name=name,
            due_on=due,
            measure=measure.name,
            filters=json.dumps({"product": product} if product else {}),
            baseline=rate,
            baseline_of=of,
            aim=None if aim is None else aim / 100 if measure.unit is Unit.SHARE else aim,
            agreed_on=agreed_on,
            by=desk.viewer.person,
        )
    )


def _who(desk: Desk) -> dict[str, str]:
    """Branches below, the branch itself, and, where they are few enough to choose from, the agents."""
    here = desk.filters.branch
    found = {f"branch:{place.id}": place.name for place in desk.places.values() if here.id in (place.id, place.parent)}
    measure = next(iter(desk.known("assigned", "contacts")), None)
    if here.level in ("sub_branch", "outlet") and measure is not None and AGENT in measure.dimensions:
        agents = desk.ask([measure], [AGENT], period=desk.year_of_months).answer.dropna(subset=[AGENT.name])
        for id_, name in zip(agents[AGENT.name], agents[AGENT.name + NAME], strict=True):
            found[f"agent:{id_}"] = str(id_) if pd.isna(name) else str(name)
    return found


def _agreed(desk: Desk, store: Meetings, actions: Sequence[Action]) -> None:
    """All actions of the branch, the open ones with what can be done about them."""
    say = desk.say
    if not actions:
        return
    st.subheader(say("Actions"))
    today = date.today()
    for action in actions:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"action_{action.id}"):
            state = say(agreements.STATES[agreements.state(action, today)])
            due = say("by {day}", day=day_shown(action.due_on, say.language))
            st.markdown(f"**{plain(action.what)}** · {plain(action.who_name)} · {due} · {state}")
            changes = {"open": ("done", "dropped")}.get(action.state, ("open",))
            named = {"done": say("Done"), "dropped": say("Drop"), "open": say("Open again")}
            for to in changes:
                st.button(
                    named[to],
                    key=f"{to}_{action.id}",
                    type="tertiary",
                    on_click=_told(
                        desk, lambda action=action, to=to: store.change_action(action, desk.viewer.person, state=to)
                    ),
                )


def _told(desk: Desk, act: Callable[[], object]) -> Callable[[], None]:
    """`act` as a button's callback: what it raises is said on the page."""

    def done() -> None:
        try:
            _demand_still(desk)
            act()
        except Told as refused:
            st.session_state["_meeting_told"] = desk.say.told(refused)

    return done


def _demand_still(desk: Desk) -> None:
    """Raises Refused where the reader is not given the same role and branch any more: callbacks, and parts that run alone, run before
    a page asks who is looking."""
    if not desk.holds():
        raise Refused(_("What you may see has changed. Load the page again."))
