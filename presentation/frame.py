"""What surrounds every page: the menu, the language, the strip with the data's date, and the sentences when nothing can be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from presentation.filters import LEVEL_LABELS, Filters, Place, told_apart
from presentation.units import day_shown, moment_shown
from presentation.words import LANGUAGES, Words, words

ICON = str(Path(__file__).with_name("icon.png"))
"""The page's icon from our own disk: Streamlit would fetch a named one from another host."""

LOOKS_FOR_NEWER = 30
"""Seconds between two looks of an open page at whether a newer load is there: each costs the server as much as a tenth of a page."""

_STYLE = """
<style>
.block-container {padding-top: 1.4rem; padding-bottom: 3rem; padding-left: 2.5rem; padding-right: 2.5rem; max-width: 1480px}
@media (max-width: 640px) {
  .block-container {padding: 4.25rem 1rem 2rem}
  .st-key-filters {gap: .5rem}
  .st-key-filters > .stElementContainer {flex: 1 1 calc(50% - .25rem); min-width: 0}
  .st-key-filters > .st-key-own_days {flex-basis: 100%}
}
.strip {font-size: .85rem; opacity: .8; margin: -.5rem 0 0}
.strip b {font-weight: 600}
.finding {font-size: 1.45rem; font-weight: 600; line-height: 1.35; margin: .3rem 0 0}
.finding, .chart-finding {text-wrap: pretty}
.sentence {font-size: 1.02rem; line-height: 1.45}
.meaning {font-size: .88rem; opacity: .8; margin: 0 0 .2rem}
.chart-finding {font-weight: 600; font-size: 1rem; line-height: 1.35; margin: 0}
.chart-meaning {font-size: .84rem; opacity: .8; margin: 0}
:root {--chinese: "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif}
.stApp, .stApp p, .stApp button, .stApp input {font-family: "Source Sans", var(--chinese)}
[class*="_sentences"] [data-testid="stPageLink-NavLink"] {background: none; padding: .3rem 0; margin: 0}
[class*="_sentences"] [data-testid="stPageLink-NavLink"] * {white-space: normal; font-weight: 400; line-height: 1.45}
[class*="_sentences"] [data-testid="stPageLink-NavLink"] p {text-decoration: underline; text-underline-offset: .2em}
[class*="_why_sentences"] button {min-height: 0; padding: .1rem 0; text-align: start; justify-content: start}
[class*="_why_sentences"] button p {text-decoration: underline; text-underline-offset: .2em; line-height: 1.45}
/* White on the dark theme's light blue could not be read. */
[data-testid="stMultiSelect"] [data-tag] {background: rgb(127 150 175 / 24%); color: inherit}
.cards {container-type: inline-size}
.cards > div {display: flex; flex-wrap: wrap; gap: .75rem; --columns: var(--narrow)}
@container (min-width: 560px) {.cards > div {--columns: var(--middle)}}
@container (min-width: 960px) {.cards > div {--columns: var(--wide)}}
.card {
  flex: 1 1 calc((100% - (var(--columns) - 1) * .75rem) / var(--columns) - 1px); min-width: 0;
  display: flex; flex-direction: column; align-items: flex-start; gap: .15rem;
  padding: .7rem .85rem; border: 1px solid var(--edge); border-radius: .5rem; break-inside: avoid
}
.card .label {
  padding: 0; border: 0; background: none; color: inherit; font-size: .875rem; line-height: 1.4; text-align: start; cursor: help;
  text-decoration: underline dotted var(--quiet); text-underline-offset: .25em
}
.card .label:focus-visible {outline: 2px solid var(--good); outline-offset: 2px; border-radius: 2px}
.card .meant {
  position-area: bottom span-right; position-try: flip-block, flip-inline; max-width: min(20rem, 90vw); margin: .3rem 0;
  padding: .5rem .75rem; border: 1px solid var(--edge); border-radius: .5rem; background: var(--page); color: var(--ink);
  font-size: .875rem; line-height: 1.4; box-shadow: 0 4px 16px rgb(0 0 0 / 18%)
}
@supports not (position-area: bottom) {.card .meant {margin: auto}}
.card .value {font-size: 1.6rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums}
.card .moved {font-size: .875rem; font-weight: 600; font-variant-numeric: tabular-nums}
.card .good {color: var(--good)}
.card .bad {color: var(--bad)}
.card .quiet, .card .note {color: var(--quiet)}
.card .note {font-size: .8rem; line-height: 1.3}
.card .months {width: 100%; height: 22px; margin: auto 0 3px; padding-top: .4rem; box-sizing: content-box}
.card .months > div {height: 22px; margin: 0 -1px; background: var(--good); print-color-adjust: exact}
/* Buttons in the corners of frames take no room: what stands in a frame stays where it is without them. */
[class*="_corner"] {width: auto; z-index: 1}
[data-testid="stVerticalBlock"]:has(> [class*="_corner"]) {position: relative}
[data-testid="stVerticalBlock"] > [class*="_corner"] {position: absolute; top: .25rem; right: .25rem}
[data-testid="stVerticalBlock"] > [class*="_below_corner"] {
  position: static; align-self: flex-end; height: 0; margin: -1.25rem 0 .25rem
}
[class*="_corner"] button {position: relative; min-height: 1.5rem; min-width: 1.5rem; padding: 0; line-height: 1}
[class*="_corner"] button [data-testid="stMarkdownContainer"] {
  position: absolute; right: 100%; top: 50%; translate: 0 -50%; width: max-content; max-width: none; padding: .35rem .5rem;
  border-radius: .25rem; background: Canvas; opacity: 0; pointer-events: none
}
[class*="_corner"] button:is(:hover, :focus-visible) [data-testid="stMarkdownContainer"] {opacity: 1}
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], .st-key-breadcrumb button, [class*="_corner"] {display: none}
}
</style>
"""


def style() -> None:
    """The few looks that the theme has no words for."""
    st.html(_STYLE)


def pages(say: Words) -> dict[str, st.Page]:
    """The pages by address, in the order of the menu."""
    listed = (
        ("overview", "", say("Overview"), ":material/space_dashboard:"),
        ("activation", "activation", say("Activation"), ":material/bolt:"),
        ("follow_up", "follow_up", say("Follow-up"), ":material/call:"),
        ("targets", "targets", say("Targets"), ":material/flag:"),
        ("complaints", "complaints", say("Complaints"), ":material/report:"),
        ("meeting", "meeting", say("Meeting"), ":material/groups:"),
        ("explorer", "explorer", say("Explorer"), ":material/table_chart:"),
        ("glossary", "glossary", say("Glossary"), ":material/menu_book:"),
        ("journal", "journal", say("Journal"), ":material/history:"),
    )
    return {
        name: st.Page(f"{name}.py", title=title, icon=icon, url_path=path or None, default=not path)
        for name, path, title, icon in listed
    }


def menu(listed: Mapping[str, st.Page], filters: Filters, say: Words) -> None:
    """The menu; each link carries the filters, so that it can be opened in a new tab or sent to somebody."""
    headings = {
        "overview": None,
        "activation": say("Marketing"),
        "complaints": say("Service"),
        "meeting": say("Together"),
        "explorer": say("Reference"),
    }
    for name, page in listed.items():
        if headings.get(name):
            st.caption(headings[name])
        st.page_link(page, query_params=dict(filters.address))


def language(say: Words) -> Words:
    """The switch of languages, each named in its own; returns the words of the one chosen."""
    with st.sidebar:
        st.selectbox(say("Language"), list(LANGUAGES), key="lang", format_func=LANGUAGES.get, persist_state="session")
    return words(st.session_state["lang"])


def places_of(branches: pd.DataFrame) -> dict[str, Place]:
    """The branches by id, in the order of the tree."""
    columns = [branches[name].tolist() for name in ("branch_id", "name", "parent_id", "level", "path")]
    names = told_apart(dict(zip(*columns[:2], strict=True)))
    return {
        id_: Place(id_, names[id_], None if pd.isna(parent) else parent, level, path)
        for id_, _name, parent, level, path in zip(*columns, strict=True)
    }


def with_levels(places: Mapping[str, Place], say: Words) -> dict[str, str]:
    """The branches' names by their ids, each with its level."""
    levels = {level: say(label) for level, label in LEVEL_LABELS.items()}
    return {id_: f"{place.name} · {levels[place.level]}" for id_, place in places.items()}


def view_as(named: Mapping[str, str], top: str, say: Words) -> str:
    """Asks from which of the branches `named` to look; head office unless said otherwise."""
    listed = list(named)
    with st.sidebar:
        return st.selectbox(
            say("View as"),
            listed,
            key="view_as",
            index=listed.index(top),
            format_func=named.get,
            persist_state="session",
            help=say("Look as somebody at that branch does: a branch sees itself and what is below it."),
        )


def scope(places: Mapping[str, Place], seen_from: str, *, own: bool, say: Words) -> str:
    """Whose rows are seen: “Jiangbei sub-branch and 43 branches below”; `own`: of these, those of the reader's own customers."""
    name = places[seen_from].name
    below = len(places) - 1
    if not below:
        seen = say("{branch} alone", branch=name)
    else:
        seen = say.plural("{branch} and {n} branch below it", "{branch} and {n} branches below it", below, branch=name)
    return say("{branches}, your own customers only", branches=seen) if own else seen


def strip(
    data_until: date,
    loaded: pd.DataFrame,
    unknown_before: Mapping[str, date],
    stale_after: int,
    filters: Filters,
    scope: str,
    say: Words,
) -> None:
    """The data's date and age, what is incomplete or late, and whose rows are seen. Numbers are never older than the load: what was
    read of another one is not shown."""
    parts = [say("Data until {day}", day=day_shown(data_until, say.language))]
    if filters.period.end == data_until and (data_until + timedelta(days=1)).day != 1:
        parts.append(say("the running month is incomplete"))
    if len(unknown_before) > 2:
        parts.append(say("the data begin too late for the comparison"))
    else:
        for table, day in unknown_before.items():
            parts.append(say("{table} only since {day}: no comparison", table=table, day=day_shown(day, say.language)))
    for table, until in zip(loaded["table_name"], loaded["data_until"], strict=True):
        if not pd.isna(until) and until.date() < data_until:
            parts.append(say("{table} only until {day}", table=table, day=day_shown(until.date(), say.language)))
    if len(loaded) and not pd.isna(latest := loaded["loaded_at"].max()):
        parts.insert(1, say("loaded {moment}", moment=moment_shown(latest, say.language)))
    parts.append(say("You see: {scope}", scope=scope))
    st.html(f"<div class=strip>{escape(' · '.join(parts))}</div>")
    days = (date.today() - data_until).days
    if days > stale_after:
        st.warning(
            say.plural(
                "The data are {n} day old; a newer load is missing.",
                "The data are {n} days old; a newer load is missing.",
                days,
            ),
            icon=":material/schedule:",
        )


@st.fragment(run_every=LOOKS_FOR_NEWER)
def newer(is_newer: Callable[[], bool], say: Words) -> None:
    """Says in a page that is left open that what it shows was loaded before, and loads it again when the reader wants it: numbers
    do not change while somebody reads them."""
    if is_newer():
        said = say("Newer data have been loaded since this page was drawn.")
        with st.container(horizontal=True, vertical_alignment="center", key="newer"):
            st.html(f"<div role=status>{escape(said)}</div>", width="content")
            if st.button(say("Show them"), icon=":material/refresh:", key="show_newer"):
                st.rerun()


def closed(say: Words) -> None:
    """The sentence instead of a warehouse that nobody has opened."""
    st.info(
        say(
            "This warehouse is not a demo bank, and sign-in is not set up: nothing is shown. Whoever runs the dashboard can "
            'open it on a computer of their own with mode = "public" in config.toml.'
        ),
        icon=":material/lock:",
    )


def failed(sentence: str, say: Words) -> None:
    """A sentence instead of a page, and a way to try again."""
    st.error(sentence, icon=":material/error:")
    st.button(say("Try again"), icon=":material/refresh:", key="retry")


def missing(what: str, tables: list[str], say: Words) -> None:
    """Why a part of a page is not there."""
    st.info(
        say("{what} cannot be shown: the warehouse has no {tables}.", what=what, tables=", ".join(tables)),
        icon=":material/database_off:",
    )
