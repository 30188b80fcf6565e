"""Explorer: any measures at any grain, as a chart and as a table."""

import streamlit as st

from measures.catalogue import DIMENSION
from pages import fair, parts
from pages.desk import here

MOST_MEASURES, MOST_DIMENSIONS = (
    8,
    4,
)  # a table wider or deeper than this is not read but exported, and then asked in parts
desk = here()
say = desk.say
state = st.session_state
known = desk.state.catalogue.measures

if desk.came_by_link or "explore_measures" not in state:
    asked = st.query_params.get("measures", "").split(",")
    state["explore_measures"] = (list(dict.fromkeys(m for m in asked if m in known)) or list(known)[:1])[:MOST_MEASURES]
    split = st.query_params.get("by", "below").split(",")
    state["explore_by"] = list(dict.fromkeys(d for d in split if d in DIMENSION))[:MOST_DIMENSIONS]

left, right = parts.halves()
with left:
    st.multiselect(
        say("Measures"), list(known), key="explore_measures", format_func=lambda m: say(known[m].label), max_selections=MOST_MEASURES,
        placeholder=say("Choose measures"), persist_state="session",
    )  # fmt: skip
names = state["explore_measures"]
shared = [
    name for name, d in DIMENSION.items() if names and not d.elapsed and all(d in known[m].dimensions for m in names)
]
state["explore_by"] = [name for name in state["explore_by"] if name in shared]
with right:
    st.multiselect(
        say("Split by"), shared, key="explore_by", format_func=lambda d: say(DIMENSION[d].label), max_selections=MOST_DIMENSIONS,
        placeholder=say("Choose what to split by"), persist_state="session",
    )  # fmt: skip
desk.own_parameters.update(measures=",".join(names), by=",".join(state["explore_by"]))
if names:
    by = [DIMENSION[name] for name in state["explore_by"]]
    fair.drawn_as_fits(desk, names[0], by, f"explorer_chart_{names[0]}_{'_'.join(state['explore_by'])}")
    title = parts.say_by(desk, [known[m] for m in names], by)
    # A series over time is compared along itself.
    compared = not any(d.step for d in by)
    parts.table(desk, f"explorer_{'_'.join([*names, *state['explore_by']])}", title, names, by, compared=compared)
else:
    st.info(say("Choose at least one measure."))
