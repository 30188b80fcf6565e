"""What a page asks of the warehouse, recorded while the page runs; and the same under other filters."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.dimensions import BRANCH, PRODUCT
from measures.question import Question
from tests.benchmarks.served import ROOT

PAGES = ("overview", "activation", "follow_up", "complaints")


def questions(bank: Path, query: Mapping[str, str]) -> dict[str, list[Question]]:
    """The questions of each page under the filters that an address with `query` sets, each once, in the order first asked."""
    asked: list[Question] = []
    fetch = Warehouse.fetch

    def noted(self: Warehouse, question: Question, viewer: Viewer):
        if not threading.current_thread().name.startswith("ahead"):  # of the page before, perhaps
            asked.append(question)
        return fetch(self, question, viewer)

    found = {}
    with patch.object(Warehouse, "fetch", noted), patch.dict(os.environ, {"WAREHOUSE_URL": f"duckdb:///{bank}"}):
        for page in PAGES:
            # A visit of its own for each page: on a second page, answers to the first would still be on their way.
            app = AppTest.from_file(str(ROOT / "pages" / "frame.py"), default_timeout=300)
            app.query_params.update({"lang": "en", **query})
            app.run()
            asked.clear()
            app.switch_page(f"{page}.py").run()
            if app.exception or app.error:
                raise RuntimeError(f"{page} under {dict(query)}: {[e.value for e in (*app.exception, *app.error)]}")
            found[page] = list(dict.fromkeys(asked))
            if not found[page]:
                raise RuntimeError(f"{page} asked nothing under {dict(query)}.")
    return found


def under(asked: Sequence[Question], branch: str, products: Sequence[str]) -> list[Question]:
    """The questions with another branch, and with other products where they are under any."""

    def other(question: Question) -> Question:
        ids = {BRANCH: (branch,), PRODUCT: tuple(products)}
        where = tuple((dimension, ids.get(dimension, kept)) for dimension, kept in question.where)
        return replace(question, where=where, parent=branch)

    return [other(question) for question in asked]


def head_office(warehouse: Warehouse) -> Viewer:
    """Who opens a demo bank."""
    return Viewer("Visitor", warehouse.root(), Role.VISITOR)
