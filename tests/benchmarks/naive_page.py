"""A page as it is usually written: reads all rows, groups them in pandas, draws. Activation's numbers, without comparison or signals.

`python -m tests.benchmarks.naive_page BANK RUNS` prints the milliseconds of runs that read ("read"), of runs that kept what was
read before ("kept"), and the memory held. It is a Streamlit script too: `streamlit run` shows it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.benchmarks.served import memory_mb


def rows() -> pd.DataFrame:
    """All contracts beside their branches and products."""
    with duckdb.connect(os.environ["NAIVE_FILE"], read_only=True) as connection:
        found = connection.execute("SELECT * FROM contracts").df()
        branches = connection.execute("SELECT branch_id, path FROM branches").df()
        products = connection.execute("SELECT product_id, family, activation_days FROM products").df()
    return found.merge(branches, on="branch_id").merge(products, on="product_id")


def page() -> None:
    """What Streamlit runs again after each choice."""
    keep = os.environ.get("NAIVE_KEEP") == "yes"
    found = st.cache_resource(rows)() if keep else rows()
    branch = st.selectbox("Branch", sorted(found["path"].str.split(".").str[1].dropna().unique()), key="branch")
    until = found["signed_on"].max()
    chosen = found[found["path"].str.startswith(f"1.{branch}.") & (found["signed_on"] > until - pd.DateOffset(years=1))]
    mature = chosen["signed_on"] + pd.to_timedelta(chosen["activation_days"], "D") <= until
    used = chosen["activated_on"] <= chosen["signed_on"] + pd.to_timedelta(chosen["activation_days"], "D")
    chosen = chosen.assign(mature=mature, used=mature & used, month=chosen["signed_on"].dt.to_period("M").dt.start_time)
    for left, label in ((len(chosen), "Signed"), (chosen["activated_on"].notna().sum(), "Activated")):
        st.metric(label, int(left))
    for by in (["month"], ["family", "month"], ["path"]):
        grouped = chosen.groupby(by)[["mature", "used"]].sum()
        shares = (grouped["used"] / grouped["mature"]).rename("share").reset_index()
        if by == ["path"]:
            st.dataframe(shares)
        else:
            st.line_chart(shares, x="month", y="share", color="family" if "family" in by else None)


def main(file: str, runs: str) -> None:
    os.environ["NAIVE_FILE"] = file
    found: dict[str, list[float]] = {}
    for kind, keep in (("read", "no"), ("kept", "yes")):
        os.environ["NAIVE_KEEP"] = keep
        app = AppTest.from_file(str(Path(__file__)), default_timeout=600).run()
        options = app.selectbox[0].options
        found[kind] = []
        for number in range(int(runs)):
            began = time.perf_counter()
            app.selectbox(key="branch").select(options[(number + 1) % len(options)]).run()
            found[kind].append((time.perf_counter() - began) * 1000)
            if app.exception:
                raise RuntimeError(app.exception[0].value)
    print(json.dumps(found | {"mb": memory_mb("VmRSS")}))


if __name__ == "__main__":
    # AppTest and Streamlit run this file as a script, too; they give it no arguments of ours.
    main(*sys.argv[1:]) if len(sys.argv) == 3 and "NAIVE_KEEP" not in os.environ else page()
