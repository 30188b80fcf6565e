"""The naive peer: the least that a Streamlit page can do after a click."""

import streamlit as st

st.button("Again", key="again")
state = st.session_state
state["runs"] = state.get("runs", 0) + 1
st.text(f"Run {state['runs']}")
