"""The filters that all pages share: read from the address, shown as a row of pickers, written back to the address.

Streamlit can bind a widget to the address by itself, but writes the words shown into it: two branches of one name, and a link
opened in another language, would not find their way back. Here the address holds ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from html import escape
from urllib.parse import parse_qsl

import streamlit as st

from measures.dimensions import BRANCH, PRODUCT
from measures.model import Dimension, _
from measures.period import COMPARE_LABELS, PRESET_LABELS, Compare, Period, Preset, compared_period, preset_period
from measures.question import Told
from presentation.plain import plain
from presentation.units import period_shown
from presentation.words import LANGUAGES, Words

OWN = "own"
_DEFAULT_PRESET = Preset.LAST_12_MONTHS
_DEFAULT_COMPARE = Compare.LAST_YEAR
_KEPT = "session"
"""While a warehouse does not answer no picker is drawn, and Streamlit would forget what was chosen."""
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)
"""Days of the reader's own lie between: what is further away is a slip in an address, and has no day a year before it."""


@dataclass(frozen=True)
class Place:
    """A branch as the filter offers it."""

    id: str
    name: str
    parent: str | None
    level: str
    path: str

    @cached_property
    def indented(self) -> str:
        """The name behind as many wide blanks as there are branches above: each run offers thousands."""
        return "\u2003" * (self.path.count(".") - 1) + self.name


@dataclass(frozen=True)
class Filters:
    """What the reader chose: a branch, products (none: all), the days looked at and the days compared with."""

    branch: Place
    products: tuple[str, ...]
    period: Period
    against: Period | None
    address: Mapping[str, str]
    """The choice as query parameters, for links to other pages."""

    def where(self) -> dict[Dimension, tuple[str, ...]]:
        """The choice as filters of a question."""
        return {BRANCH: (self.branch.id,), PRODUCT: self.products}

    def at(self, **changed: str) -> dict[str, str]:
        """The query parameters with some of them changed; an empty value takes one away."""
        return {name: value for name, value in {**self.address, **changed}.items() if value}


def read_language(browser: str) -> str:
    """The language to speak: the one in the address when the reader came by it, else the one switched to, else the browser's."""
    state = st.session_state
    asked = st.query_params.get("lang")
    if asked in LANGUAGES and ("lang" not in state or st.query_params.to_dict() != state.get("_address")):
        state["lang"] = asked
    elif state.get("lang") not in LANGUAGES:
        state["lang"] = browser
    return state["lang"]


def read_address(places: Mapping[str, Place], products: Mapping[str, str], top: str) -> bool:
    """Takes the choice from the address when the reader came by a link, a reload or Back; values that mean nothing are left out.

    The address is compared with the one written last: a picker that was used since has already changed the state. Returns
    whether the address was taken: a page with parameters of its own then takes those too.
    """
    state = st.session_state
    address = st.query_params.to_dict()
    turned = state.get("_page") != state.get("_page_before")
    if "branch" in state and (address == state.get("_address") or (turned and not address)):
        _keep_known(places, products, top)
        return False
    # At once: a picker used before this run ends stops it, and the next run would take the address again.
    _remember(address)
    branch = address.get("branch")
    state["branch"] = branch if branch in places else top
    state["products"] = list(dict.fromkeys(p for p in address.get("product", "").split(",") if p in products))
    period = address.get("period", _DEFAULT_PRESET.value)
    own = days_in(period)
    state["period"] = OWN if own else period if period in {p.value for p in Preset} else _DEFAULT_PRESET.value
    if own:
        state["own_days"] = own
    compare = address.get("compare", _DEFAULT_COMPARE.value)
    state["compare"] = compare if compare in {c.value for c in Compare} else _DEFAULT_COMPARE.value
    return True


def _keep_known(places: Mapping[str, Place], products: Mapping[str, str], top: str) -> None:
    """A new load or another viewer may have taken away what was chosen."""
    state = st.session_state
    if state["branch"] not in places:
        state["branch"] = top
    state["products"] = [p for p in state["products"] if p in products]


def show(places: Mapping[str, Place], products: Mapping[str, str], data_until: date, say: Words) -> Filters:
    """Draws the row of filters and returns the choice."""
    state = st.session_state
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="filters"):
        st.selectbox(
            say("Branch"),
            list(places),
            key="branch",
            format_func=lambda id_: places[id_].indented,
            label_visibility="collapsed",
            persist_state=_KEPT,
            width=260,
        )
        st.multiselect(
            say("Product"),
            list(products),
            key="products",
            format_func=products.get,
            placeholder=say("All products"),
            label_visibility="collapsed",
            persist_state=_KEPT,
            width=230,
        )
        st.selectbox(
            say("Period"),
            [*(p.value for p in Preset), OWN],
            key="period",
            format_func=lambda p: say("Own days") if p == OWN else say(PRESET_LABELS[Preset(p)]),
            label_visibility="collapsed",
            persist_state=_KEPT,
            width=160,
        )
        if state["period"] == OWN:
            state.setdefault("own_days", _days(preset_period(Preset.MONTH, data_until)))
            st.date_input(
                say("Own days"),
                min_value=FIRST_DAY,
                max_value=max([data_until, *state["own_days"]]),  # a link may name days that are still to come
                key="own_days",
                label_visibility="collapsed",
                persist_state=_KEPT,
                format="YYYY-MM-DD",
                width=240,
            )
        st.selectbox(
            say("Compare with"),
            [c.value for c in Compare],
            key="compare",
            format_func=lambda c: say(COMPARE_LABELS[Compare(c)]),
            label_visibility="collapsed",
            persist_state=_KEPT,
            width=200,
        )
    return _chosen(places, data_until, say)


def breadcrumb(places: Mapping[str, Place], chosen: Place, say: Words) -> None:
    """The way down from the top of what the viewer sees to the branch chosen; each step leads up, the last picker down."""
    way = [places[id_] for id_ in chosen.path.strip(".").split(".") if id_ in places]
    below = [place.id for place in places.values() if place.parent == chosen.id]
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center", key="breadcrumb"):
        for place in way[:-1]:
            st.button(
                plain(place.name), type="tertiary", key=f"up_{place.id}", on_click=choose_branch, args=(place.id,)
            )
            st.markdown("›", width="content")
        st.html(f"<strong>{escape(way[-1].name)}</strong>", width="content")
        if below:
            st.markdown("›", width="content")
            st.selectbox(
                say("One level down"),
                below,
                index=None,
                key=f"down_{chosen.id}",
                format_func=lambda id_: places[id_].name,
                placeholder=say.plural("{n} branch below", "{n} branches below", len(below)),
                label_visibility="collapsed",
                on_change=lambda: choose_branch(st.session_state[f"down_{chosen.id}"]),
                width=200,
            )


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """The names by id, with the id behind a name that several have: a picker sends the words shown, and would mix them up."""
    often = Counter(names.values())
    return {id_: f"{name} ({id_})" if often[name] > 1 else name for id_, name in names.items()}


def choose_branch(id_: str | None) -> None:
    """Chooses a branch from outside the picker; only from a callback, because the picker is drawn later."""
    if id_:
        st.session_state["branch"] = id_


def choose_product(id_: str | None) -> None:
    """Chooses one product from outside the picker; only from a callback."""
    if id_:
        st.session_state["products"] = [id_]


def in_words(filters: Filters, products: Mapping[str, str], say: Words) -> list[tuple[str, str]]:
    """The filters as label and value: above the charts, and on the second sheet of every file."""
    chosen = ", ".join(products[p] for p in filters.products) or say("All products")
    compared = period_shown(filters.against, say.language) if filters.against else say("No comparison")
    return [
        (say("Branch"), filters.branch.name),
        (say("Product"), chosen),
        (say("Period"), period_shown(filters.period, say.language)),
        (say("Compared with"), compared),
    ]


def write_address(filters: Filters, own: Mapping[str, str]) -> None:
    """Puts the choice, and the page's `own` parameters, into the address where they are not already.

    The reader's Back then leads to the choice before: Streamlit makes an entry of the history of each address written.
    """
    address = {**filters.address, **own}
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)
    _remember(address)


def _remember(address: dict[str, str]) -> None:
    st.session_state["_address"] = address
    st.session_state["_page_before"] = st.session_state.get("_page")


def follow(address: str, pages: Mapping[str, st.Page], shown: st.Page) -> None:
    """Goes to the page of an address such as `activation?branch=10`, inside the session; `shown` is the page it stands on."""
    path, _mark, query = address.partition("?")
    parameters = dict(parse_qsl(query))
    page = pages[path or "overview"]
    if page.url_path == shown.url_path:
        st.query_params.from_dict(parameters)  # read by this run: to switch would begin another one
    else:
        st.switch_page(page, query_params=parameters)


class NotThere(Told):
    """A filter that names what is not there, or not to be seen by who asks."""


def filters_at(
    address: Mapping[str, str], places: Mapping[str, Place], products: Mapping[str, str], data_until: date, say: Words
) -> Filters:
    """The filters that the parameters of an address mean when the data end on `data_until`; what is not said is as a page opens.

    Raises NotThere for what is not among `places` or `products`, or means nothing: numbers under fewer filters than were asked for
    would be about something else.
    """
    branch = address.get("branch", "")
    if branch not in places:
        raise NotThere(_("There is no branch “{branch}”, or you may not see it."), branch=branch)
    chosen = [product for product in address.get("product", "").split(",") if product]
    for product in chosen:
        if product not in products:
            raise NotThere(_("There is no product “{product}”."), product=product)
    period, compare = address.get("period", _DEFAULT_PRESET.value), address.get("compare", _DEFAULT_COMPARE.value)
    return _filters(places[branch], tuple(dict.fromkeys(chosen)), period, compare, data_until, say)


def _chosen(places: Mapping[str, Place], data_until: date, say: Words) -> Filters:
    state = st.session_state
    period = state["period"]
    if period == OWN:
        # While the reader has clicked only the first of two days, the second is missing; a field can be emptied too.
        days = state["own_days"] or _days(preset_period(Preset.MONTH, data_until))
        period = days_written(Period(days[0], days[-1]))
    return _filters(places[state["branch"]], tuple(state["products"]), period, state["compare"], data_until, say)


def _filters(
    branch: Place, products: tuple[str, ...], period: str, compare: str, data_until: date, say: Words
) -> Filters:
    """The choice, with days and comparison as they stand in an address."""
    looked_at, against = _days_looked_at(period, compare, data_until)
    address = {"branch": branch.id, "product": ",".join(products), "period": period}
    address |= {"compare": compare, "lang": say.language}
    return Filters(branch, products, looked_at, against, {name: value for name, value in address.items() if value})


def _days_looked_at(written: str, compare: str, data_until: date) -> tuple[Period, Period | None]:
    """The days `written` in an address, and those they are compared with: dated ones, or named ones that move with the data's date."""
    if compare not in {c.value for c in Compare}:
        raise NotThere(_("“{compare}” names nothing to compare with."), compare=compare)
    preset = next((preset for preset in Preset if preset.value == written), None)
    own = days_in(written)
    if not preset and not own:
        raise NotThere(_("“{period}” names no days."), period=written)
    period = preset_period(preset, data_until) if preset else Period(*own)
    return period, compared_period(period, preset, Compare(compare))


def opening(top: Place, data_until: date, say: Words) -> Filters:
    """The choice that a page opens with for who sees all from the branch `top`."""
    return _filters(top, (), _DEFAULT_PRESET.value, _DEFAULT_COMPARE.value, data_until, say)


def is_untouched(filters: Filters, top: str) -> bool:
    """Whether the choice is the one that a page opens with for who sees all from the branch `top`."""
    usual = {"branch": top, "period": _DEFAULT_PRESET.value, "compare": _DEFAULT_COMPARE.value}
    return {name: value for name, value in filters.address.items() if name != "lang"} == usual


def renewed(filters: Filters, data_until: date) -> Filters:
    """The same choice after a load: days that are named instead of dated end where the data do."""
    period, against = _days_looked_at(filters.address["period"], filters.address["compare"], data_until)
    return replace(filters, period=period, against=against)


def days_written(period: Period) -> str:
    """The days as they stand in an address."""
    return f"{period.start}..{period.end}"


def days_in(written: str) -> tuple[date, date] | None:
    """The first and the last of the days in an address, `2026-01-01..2026-03-31`; None where they mean nothing."""
    start, dots, end = written.partition("..")
    try:
        days = _days(Period(date.fromisoformat(start), date.fromisoformat(end))) if dots else None
    except ValueError:
        return None
    return days if days and days[0] >= FIRST_DAY and days[1] <= LAST_DAY else None


def _days(period: Period) -> tuple[date, date]:
    return period.start, period.end


LEVEL_LABELS: dict[str, str] = {
    "head_office": _("Head office"),
    "branch": _("First-level branch"),
    "sub_branch": _("Sub-branch"),
    "outlet": _("Outlet"),
}
"""What a branch on each level is called."""
