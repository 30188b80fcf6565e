"""What every visit runs first: who is looking, in which language, through which filters; then the page."""

from __future__ import annotations

import streamlit as st

from data_access.access import Role, Viewer
from data_access.journal import Journal
from data_access.people import Identity, Refused, rules_of, viewer_of
from data_access.settings import Mode, SettingsError, settings
from data_access.warehouse import warehouse
from measures.question import Told
from panels.desk import Desk
from panels.visit import Absent, sign_out, who
from presentation import filters as shared
from presentation import frame as drawn
from presentation.charts import Look
from presentation.plain import plain
from presentation.sign_in import behind_proxy, entrance, sign_out_button, turned_away
from presentation.words import browser_language, words

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
    source = warehouse(found.url, found.days_off, found.access.fewest_customers)
    now = source.state()
    asks = found.access.mode in (Mode.OIDC, Mode.PROXY)
    identity = who(found) if asks else None
    if isinstance(identity, Absent):
        entrance(identity.why, say) if found.access.mode is Mode.OIDC else behind_proxy(say)
        st.stop()
    if not asks and found.access.mode is not Mode.PUBLIC and not now.is_demo:
        drawn.closed(say)
        st.stop()
    top = source.root()
    whole = drawn.places_of(source.branches(Viewer("anonymous", top, Role.VISITOR)))
    if asks:
        viewer = identity
        if isinstance(identity, Identity):
            tree = {place.id: place.path for place in whole.values()}
            viewer = viewer_of(identity, rules_of(found.access, source), tree)
        if isinstance(viewer, Refused):
            if turned_away(getattr(identity, "name", ""), say.told(viewer.for_a_reader(found.access.whom_to_ask)), say):
                sign_out(found)
            st.stop()
        with menu:
            st.caption(plain(f"{identity.name} · {viewer.role.value}"))
            if sign_out_button(say):
                sign_out(found)
                st.stop()
        seen_from = viewer.branch_id
    else:
        seen_from = drawn.view_as(whole, top, say)
        viewer = Viewer(say("Visitor"), seen_from, Role.VISITOR)
    places = whole if seen_from == top else drawn.places_of(source.branches(viewer))
    products = shared.told_apart(dict(source.products()[["product_id", "name"]].itertuples(index=False)))
except SettingsError as error:
    drawn.failed(say.told(error.for_a_reader()), say)
    st.stop()
except Told as error:
    drawn.failed(say.told(error), say)
    st.stop()

came_by_link = shared.read_address(places, products, seen_from)
say = drawn.language(say)
chosen = shared.show(places, products, now.data_until, say)
shared.breadcrumb(places, chosen.branch, say)
with menu:
    drawn.menu(pages, chosen, say)
scope = drawn.scope(places, seen_from, say)
unknown = source.unknown_before(chosen.against.start) if chosen.against else {}
drawn.strip(now.data_until, now.loaded, unknown, found.stale_after_days, chosen, scope, say)

look = Look(language=say.language, dark=st.context.theme.type == "dark")
journal = Journal(found.access.journal, found.access.journal_key)
state["desk"] = desk = Desk(
    source, now, viewer, chosen, places, products, say, look, scope, came_by_link, found.access, journal, say("Visitor")
)
desk.ask_ahead(state.get(f"_asked_{page.url_path}", ()))
try:
    page.run()
except Told as error:
    drawn.failed(say.told(error), say)
state[f"_asked_{page.url_path}"] = desk.asked
shared.write_address(chosen, desk.own_parameters)
