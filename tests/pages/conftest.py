"""A visit to the dashboard without a browser: pages run, what they show is read, their files are made."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from google.protobuf.message import Message
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ButtonGroup

from data_access import demo
from tests import bank

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("overview", "activation", "follow_up", "targets", "complaints", "meeting", "explorer", "glossary", "journal")
OPEN_CONFIG = (ROOT / "config.toml").read_text(encoding="utf-8").replace('mode = "demo"', 'mode = "public"')

SWITCHES = {
    "overview_why": ["overview_why_below", "overview_why_product"],
    "overview_why_view": ["overview_why_chart", "overview_why_table"],
    "activation_why": ["activation_why_below", "activation_why_product", "activation_why_payroll"],
    "activation_why_view": ["activation_why_chart", "activation_why_table"],
    "follow_up_why": ["follow_up_why_below", "follow_up_why_product", "follow_up_why_campaign", "follow_up_why_agent"],
    "follow_up_why_view": ["follow_up_why_chart", "follow_up_why_table"],
    "complaints_why": ["complaints_why_below", "complaints_why_product", "complaints_why_cause"],
    "complaints_why_view": ["complaints_why_chart", "complaints_why_table"],
    "activation_bars": ["activation_branches", "activation_products", "activation_payroll"],
    "activation_speed": ["use_by_product", "use_by_branch", "use_by_cohort"],
    "activation_tables": ["activation_by_branch", "activation_by_product"],
    "follow_up_speed": ["contact_by_product", "contact_by_list", "contact_by_branch"],
    "follow_up_tables": ["follow_up_lists", "follow_up_agents", "overdue_listing"],
    "targets_of": ["signed", "activated"],
    "targets_clock": ["days", "course"],
    "complaints_bars": ["complaints_branches", "complaints_products", "complaints_channels", "complaints_states"],
    "complaints_bands": ["complaints_ages", "complaints_clock"],
    "complaints_speed": ["closing_by_cause", "closing_by_branch", "closing_by_product", "closing_by_channel"],
    "complaints_tables": [
        "complaints_by_cause",
        "complaints_by_branch",
        "complaints_by_product",
        "complaints_by_channel",
        "complaints_by_state",
        "open_complaints",
        "complaint_listing",
    ],
}
"""What each switch of a page may put on it; the first at first."""

CLOSER = {
    "overview_closer": ["why"],
    "activation_closer": ["why", "speed", "ages", "reach"],
    "follow_up_closer": ["why", "speed"],
    "complaints_closer": ["why", "speed", "causes"],
}
"""What each page shows when asked to look closer; nothing at first."""

VIEWS = ["bars", "funnel"]
"""How a rate can be drawn, on the switch of each chart that compares one."""

_NO_WORDS = {
    "id",
    "key",
    "url",
    "spec",
    "json",
    "icon",
    "user_key",
    "deferred_file_id",
    "autocomplete",
    "page_script_hash",
    "color",
    "type",
    "component_name",
    "selection_mode",
    "datasets",
    "page",
    "query_string",
    "js_content",
    "css_content",
    "html_content",
}
"""Fields of what Streamlit sends to the browser that no reader sees."""


class Visit:
    """One reader's session. `show` runs a page; the rest tells what is on it."""

    def __init__(self, files: dict[str, Callable[[], bytes]], query: Mapping[str, str]) -> None:
        self.app = AppTest.from_file(str(ROOT / "pages" / "frame.py"), default_timeout=120)
        self.app.query_params.update(query)
        self._files = files
        self.app.run()

    def show(self, page: str) -> Visit:
        """Goes to the page."""
        self.app.switch_page(f"{page}.py").run()
        return self

    def look(self, page: str, closer: str) -> Visit:
        """Goes to the page and opens what it shows when asked to look closer."""
        return self.show(page).turn(f"{page}_closer", closer)

    def choose(self, widget: str, value: object) -> Visit:
        """Uses a picker of the frame."""
        kind = "multiselect" if widget == "products" else "selectbox"
        getattr(self.app, kind)(key=widget).set_value(value).run()
        return self

    def turn(self, switch: str, to: str) -> Visit:
        """Uses a switch of the page."""
        self.app.button_group(key=switch).set_value(to).run()
        return self

    def turned(self) -> Iterator[dict[str, dict]]:
        """The tables of the page, first as it is and then after each choice of each of its switches."""
        yield self.tables
        seen = {found.key for found in self.app.button_group}
        closers = [key for key in seen if key.endswith("_closer")]
        yield from self._turned([found.key for found in self.app.button_group if found.key not in closers])
        for switch in closers:
            for to in CLOSER[switch]:
                yield self.turn(switch, to).tables
                yield from self._turned([found.key for found in self.app.button_group if found.key not in seen])

    def _turned(self, switches: list[str]) -> Iterator[dict[str, dict]]:
        for switch in switches:
            group = self.app.button_group(key=switch)
            choices = [to for to in SWITCHES.get(switch, VIEWS) if _offers(group, to)]
            assert len(group.options) == len(choices)
            for to in [*choices[1:], choices[0]]:
                yield self.turn(switch, to).tables

    @property
    def cards(self) -> dict[str, str]:
        """The numbers of the cards by their labels."""
        written = "".join(text for text in self.texts if 'class="cards"' in text)
        found = re.findall(r'<button[^>]*>([^<]*)</button>.*?<div class="value">([^<]*)</div>', written)
        return {unescape(label): unescape(value) for label, value in found}

    @property
    def tables(self) -> dict[str, dict]:
        """What the browser is given to draw as tables, by their keys."""
        drawn = [
            element.proto for element in self.app.get("bidi_component") if element.proto.component_name == "table_view"
        ]
        return {_key(proto.id): json.loads(proto.json) for proto in drawn}

    def file(self, table: str, ending: str = "xlsx") -> bytes:
        """The file behind a button of the table, made as on a click: after the run, outside of it; a purpose is given."""
        for asked in self.app.text_input:
            if asked.key == f"{table}_purpose" and not asked.value:
                asked.set_value("a test").run()
        if any(button.key == f"{table}_{ending}" for button in self.app.button):
            return self.long_file(table, ending)
        (button,) = [b.proto for b in self.app.get("download_button") if _key(b.proto.id) == f"{table}_{ending}"]
        return self._files[button.deferred_file_id]()

    def long_file(self, table: str, ending: str) -> bytes:
        """The file that a process of its own writes; the page is asked how far it is until it is ready, and then it is taken."""
        self.app.button(key=f"{table}_{ending}").click().run()
        file = self.on_its_way(table)
        until = time.monotonic() + 120
        while file.state in ("waiting", "writing") and time.monotonic() < until:
            time.sleep(0.1)
            self.app.run()
        self.app.run()  # it may have become ready while the page was drawn
        (link,) = [link.proto.url for link in self.app.get("link_button") if link.proto.url == file.link]
        assert link == f"/files/{file.number}"
        assert file.take() == ""
        content = file.path.read_bytes()
        file.cancel()
        return content

    def on_its_way(self, table: str):
        """The long file of a table that was begun last."""
        return self.app.session_state[f"_{table}_on_its_way"]

    @property
    def sentences(self) -> list[str]:
        """The sentences in frames: why something is not shown."""
        return [box.value for kind in ("info", "warning", "error") for box in self.app.get(kind)]

    @property
    def texts(self) -> list[str]:
        """All texts that a reader may see or hear."""
        found: list[str] = []
        for element in (*self.app.main, *self.app.sidebar):
            if isinstance(getattr(element, "proto", None), Message):
                found += _texts(element.proto)
        for table in self.tables.values():
            found += [table["caption"], table["note"] or "", table["empty"], *(table["total"] or ())]
            found += [text for column in table["columns"] for text in (column["label"], column["meaning"] or "")]
            found += [cell for row in table["rows"] for cell in row["cells"]]
        return found

    @property
    def failures(self) -> list[str]:
        """Exceptions and errors on the page."""
        return [e.value for e in (*self.app.exception, *self.app.error)]


def _offers(group: ButtonGroup, to: str) -> bool:
    """Whether a switch offers `to`: what a rate is split by depends on the rate, and on the warehouse."""
    try:
        return group.format_func(to) in group.options
    except KeyError:
        return False


def _key(id_: str) -> str:
    return id_.split("-", 2)[2]


def _texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name in _NO_WORDS:
            continue
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                yield from _texts(each)
            elif isinstance(each, str):
                yield each


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Visit]:
    """Begins a visit to the warehouse at a URL: `visit(url, lang="en", branch="12")`; `config` is the text of config.toml."""
    files: dict[str, Callable[[], bytes]] = {}
    registered = MediaFileManager.add_deferred

    def register(manager: MediaFileManager, make: Callable[[], bytes], *args: object, **kwargs: object) -> str:
        id_ = registered(manager, make, *args, **kwargs)
        files[id_] = make
        return id_

    # Streamlit forgets a test's files after each run; in a server they wait for the click.
    monkeypatch.setattr(MediaFileManager, "add_deferred", register)

    def begin(url: str, *, config: str = OPEN_CONFIG, **query: str) -> Visit:
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
        monkeypatch.setenv("DASHBOARD_CONFIG", str(tmp_path / "config.toml"))
        monkeypatch.setenv("WAREHOUSE_URL", url)
        return Visit(files, query)

    return begin


LOADS = [
    {
        "table_name": name,
        "loaded_at": datetime(2026, 5, 21, 6),
        "rows": len(rows),
        "source": "core",
        "data_until": bank.DATA_UNTIL,
    }
    for name, rows in bank.BANK.items()
]


def written(folder: Path, tables: Mapping[str, bank.Rows]) -> str:
    """The address of an embedded warehouse with these tables, beside branches and products."""
    path = folder / "warehouse.duckdb"
    known = {"branches": bank.BANK["branches"], "products": bank.BANK["products"]}
    loads = [load for load in LOADS if load["table_name"] in tables]
    bank.write_duckdb(known | dict(tables) | {"loads": loads}, path)
    return f"duckdb:///{path}"


@pytest.fixture(scope="session")
def whole_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The test bank, with every table loaded up to the same day."""
    tables = {name: rows for name, rows in bank.BANK.items() if name != "loads"}
    return written(tmp_path_factory.mktemp("whole"), tables)


@pytest.fixture(scope="session")
def complaints_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank that has complaints and nothing else."""
    return written(tmp_path_factory.mktemp("complaints"), {"complaints": bank.BANK["complaints"]})


@pytest.fixture(scope="session")
def months_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank that has monthly counts of contracts and nothing else."""
    return written(tmp_path_factory.mktemp("months"), {"contract_months": bank.BANK["contract_months"]})


@pytest.fixture(scope="session")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank with every table, and no rows beside branches and products."""
    tables = {name: [] for name in bank.BANK if name not in ("branches", "products")}
    return written(tmp_path_factory.mktemp("empty"), tables)


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small demo bank, whose names are all Chinese."""
    path = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    demo.build(path, scale=0.05, until=bank.DATA_UNTIL)
    return f"duckdb:///{path}"
