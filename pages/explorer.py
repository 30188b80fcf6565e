"""Explorer: any measures at any grain, as a chart and as a table."""

import streamlit as st

from panels import choices, fair, notes, tabular
from panels.desk import here

desk = here()
measures, by = choices.measures_split(desk, "explore")
names, key = [m.name for m in measures], "_".join(d.name for d in by)
if measures:
    fair.drawn_as_fits(desk, names[0], by, f"explorer_chart_{names[0]}_{key}")
    # A series over time is compared along itself.
    compared = not any(d.step for d in by)
    title = notes.say_by(desk, measures, by)
    tabular.table(desk, f"explorer_{'_'.join([*names, *(d.name for d in by)])}", title, names, by, compared=compared)
else:
    st.info(desk.say("Choose at least one measure."))
