"""A page with nothing but a table, whose names would do harm as HTML, for `test_table_in_browser.py`."""

import pandas as pd
import streamlit as st

from measures.model import Unit
from measures.question import Order
from presentation import table_view
from presentation.tables import Column, Table
from presentation.words import words

order, keep = table_view.order_state("branches", Order("signed"))
rows = pd.DataFrame(
    {
        "branch": ["b1", "b2", "b3"],
        "branch_name": ["<img src=x onerror=document.title='harmed'>", "=1+1", "观音桥"],
        "signed": [10, 200, 3],
    }
).sort_values(order.column, ascending=not order.descending)
columns = (
    Column("branch_name", "Branch", "text"),
    Column("signed", "Contracts signed", "number", Unit.COUNT, "Signed in the period"),
)


def pick(picked: dict) -> None:
    st.session_state["runs_before"] = st.session_state["runs"]
    st.query_params["branch"] = picked["row"]


st.session_state["runs"] = st.session_state.get("runs", 0) + 1
table_view.show(
    Table("Signed by branch", columns, rows, pd.DataFrame({"signed": [213]})),
    say=words("en"),
    key="branches",
    empty="Nothing was signed.",
    order=order,
    on_order=keep,
    link=lambda row, column: f"?branch={row['branch']}" if column.name == "branch_name" else None,
    on_pick=pick,
    marked="b2",
)
st.text(f"Looked at: {st.query_params.get('branch', 'all')} in run {st.session_state['runs']}")

listed = table_view.page_state("listing", 250, of="all")
numbers = range(listed.offset, min(listed.rows, listed.offset + listed.size))
table_view.show(
    Table("A listing", (Column("number", "Number", "text"),), pd.DataFrame({"number": [f"No. {n}" for n in numbers]})),
    say=words("en"),
    key="listing",
    empty="Nothing is listed.",
    page=listed,
)
