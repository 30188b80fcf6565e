"""What every visit runs first: who is looking, in which language, through which filters; then the page."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from data_access.access import Permission
from data_access.journal import journal_of
from data_access.settings import SettingsError, settings
from data_access.turns import begun, drawing
from data_access.warehouse import warehouse
from measures.question import Told
from panels import meeting, ready
from panels.desk import Desk
from panels.visit import is_older, let_in
from presentation import filters as shared
from presentation import frame as drawn
from presentation.charts import Look
from presentation.words import browser_language, words

# Pages that stand in the menu of those alone whose role permits them.
CLOSED = {"journal": Permission.JOURNAL, "meeting": Permission.MEETINGS}

with begun(), drawing.one():
    st.set_page_config(page_title="Branch marketing", page_icon=drawn.ICON, layout="wide")
    state = st.session_state
    drawn.style()
    menu = st.sidebar.container()

    say = words(shared.read_language(browser_language(st.context.locale)))
    pages = drawn.pages(say)
    page = st.navigation(list(pages.values()), position="hidden")
    state["_page"] = page.url_path
    if leads_to := state.pop("_go", None):
        shared.follow(leads_to, pages, page)

    try:
        found = settings()
        source = warehouse(found.url, found.days_off, found.access.fewest_customers, found.limits)
        reader, now = let_in(found, source, menu, say)
        viewer, places = reader.viewer, reader.places
        sold = source.products()
        products = shared.told_apart(dict(zip(sold["product_id"], sold["name"], strict=True)))
    except SettingsError as error:
        drawn.failed(say.told(error.for_a_reader()), say)
        st.stop()
    except Told as error:
        drawn.failed(say.told(error), say)
        st.stop()

    came_by_link = shared.read_address(places, products, viewer.branch_id)
    say = drawn.language(say)
    chosen = shared.show(places, products, now.data_until, say)
    shared.breadcrumb(places, chosen.branch, say)
    with menu:
        drawn.menu(
            {name: p for name, p in pages.items() if name not in CLOSED or viewer.may(CLOSED[name])}, chosen, say
        )
    scope = drawn.scope(places, viewer.branch_id, own=viewer.agent_id is not None, say=say)
    try:
        unknown = source.unknown_before(chosen.against.start) if chosen.against else {}
    except Told as error:
        drawn.failed(say.told(error), say)
        st.stop()
    drawn.newer(lambda: is_older(source, now), say)
    drawn.strip(now.data_until, now.loaded, unknown, found.stale_after_days, chosen, scope, say)

    look = Look(language=say.language, dark=st.context.theme.type == "dark")
    desk = Desk(
        source,
        now,
        viewer,
        chosen,
        places,
        products,
        say,
        look,
        scope,
        came_by_link,
        found.access,
        journal_of(found.access),
        reader.name,
        reader.holds,
    )
    desk = state["desk"] = replace(desk, offers=meeting.taken_into(desk))
    if page.url_path != "meeting":
        meeting.way_back(desk)
    before = state.get(f"_asked_{page.url_path}")
    desk.ask_ahead(ready.asked_first(page.url_path, now.catalogue) if before is None else before)
    try:
        page.run()
        ready.note(page.url_path, desk, first=before is None)
    except Told as error:
        drawn.failed(say.told(error), say)
    state[f"_asked_{page.url_path}"] = desk.asked
    shared.write_address(chosen, desk.own_parameters)
