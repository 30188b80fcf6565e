"""Attacks on what a reader may send and on what a warehouse may hold: nothing gets in, nothing gets out, nothing runs.

Where each attack is shown that is not here:
  without sign-in, forged cookies, page hashes and widget states, another's tab, ten thousand tries   test_raw.py
  headers of a proxy                                         test_behind_proxy.py, test_proxy_in_front.py, test_raw.py
  links that lead elsewhere after sign-in                    test_deep_links.py, test_signing_in.py
  uploads (closed, so none is too large), sources of scripts test_guard.py, and here against a running server
  who sees which rows, whatever is asked                     test_surfaces.py, data_access/test_scope.py
  files of somebody else, branches outside                   test_files_of_others.py
  branches in `ask` that one may not see                     data_access/test_ask.py, data_access/test_commands.py
  a terminal's commands in `ask` and `load`                  data_access/test_commands.py, data_access/test_load.py
  a SELECT that reads the machine, patterns as file names    data_access/test_load.py
  any text in a file (any Unicode), links in a workbook      presentation/test_exports.py
  what the browser is given to draw as a table               presentation/test_table_view.py
  persons and groups that are almost those of the bank       data_access/test_people.py
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from google.protobuf.message import Message
from playwright.sync_api import Page, expect
from pyarrow import parquet

from data_access import access
from data_access.access import Permission, Role
from data_access.journal import Journal
from data_access.settings import settings
from tests import bank
from tests.bank import write_duckdb
from tests.browser.screenshots import drawn
from tests.browser.serving import ROOT
from tests.browser.serving import served as started
from tests.pages.conftest import OPEN_CONFIG, PAGES, Visit
from tests.pages.test_files import TABLES
from tests.security import hostile

TEXTS = {
    value
    for rows in hostile.bank().values()
    for row in rows
    for value in row.values()
    if isinstance(value, str) and hostile.MARKUP in value
}


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "warehouse.duckdb"
    write_duckdb(hostile.bank(), path)
    return path


# Markup in every text of the warehouse --------------------------------------------------------------------------------------

SHOWN_AS_WRITTEN = {
    "selectbox.options",
    "multiselect.options",
    "selectbox.raw_value",
    "multiselect.raw_values",
    "bidi_component.json",
    "arrow_vega_lite_chart.spec",
}
"""What Streamlit's browser part, or ours, takes for a text and nothing more; Chromium is asked below."""


def spoken(message: Message, under: str = "") -> Iterator[tuple[str, str]]:
    """All texts of what is sent to the browser, each with the last two names on the way to it."""
    for field, value in message.ListFields():
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                yield from spoken(each, field.name)
            elif isinstance(each, str):
                yield f"{under}.{field.name}", each


def markup_in(reader: Visit) -> list[tuple[str, str]]:
    """Where a text of the warehouse stands on the page so that it would be taken for markup."""
    found = []
    for element in (*reader.app.main, *reader.app.sidebar):
        proto = getattr(element, "proto", None)
        for where, text in spoken(proto, element.type) if isinstance(proto, Message) else ():
            if "LINK" not in text or where in SHOWN_AS_WRITTEN:
                continue
            harmless = "<img" not in text if where == "html.body" else text.count("LINK") == text.count(r"\[LINK\]\(")
            if not harmless:
                found.append((where, text[:200]))
    return found


def test_no_text_of_the_warehouse_is_markup_on_a_page_or_a_formula_in_a_file(visit, hostile_file):
    reader, met, taken = visit(f"duckdb:///{hostile_file}", lang="en"), set(), set()
    for page in PAGES:
        reader.show(page)
        for on_screen in reader.turned():
            assert reader.failures == [], page
            assert markup_in(reader) == [], page
            for name in on_screen.keys() - taken:
                is_harmless_workbook(reader.file(name))
                is_harmless_text(reader.file(name, "csv"))
                met |= texts_of_parquet(reader.file(name, "parquet"))
            taken |= on_screen.keys()
    assert taken == {name for names in TABLES.values() for name in names}
    # They are there, letter by letter: names of branches, products, lists and agents, causes, channels.
    assert len(met & TEXTS) > 40
    assert {text for text in met if "LINK" in text} <= TEXTS
    for branch in ("12", "1210"):
        reader.choose("branch", branch + hostile.IN_AN_ID).choose("products", ["mobile" + hostile.IN_AN_ID])
        for page in PAGES:
            reader.show(page)
            assert reader.failures == [], page
            assert markup_in(reader) == [], page


def is_harmless_workbook(file: bytes) -> None:
    for sheet in openpyxl.load_workbook(io.BytesIO(file)).worksheets:
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    with ZipFile(io.BytesIO(file)) as parts:
        for part in parts.namelist():
            assert "externalLink" not in part and "macro" not in part.lower()
            written = parts.read(part)
            assert b"<f>" not in written and b"<ddeLink" not in written
            assert not (part.endswith(".rels") and b"evil.invalid" in written)


def is_harmless_text(file: bytes) -> None:
    for row in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")):
        for cell in row:
            if re.match(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠\t\r]", cell):
                float(cell)  # a number below nought is no formula


def texts_of_parquet(file: bytes) -> set[str]:
    """Nothing runs a text of such a file, so it is there as the warehouse has it."""
    table = parquet.read_table(io.BytesIO(file))
    return {value for column in table.to_pydict().values() for value in column if isinstance(value, str)}


# The same in Chromium -------------------------------------------------------------------------------------------------------

MADE = """() => ({
    ran: window.hit ?? null,
    pictures: [...document.images].map(e => e.getAttribute('src')).filter(src => src === 'x' || src.includes('evil')),
    scripts: [...document.scripts].filter(e => e.textContent.includes('window.hit')).length,
    links: [...document.links].map(e => e.href).filter(href => new URL(href).origin !== location.origin),
    styled: [...document.querySelectorAll('strong, em, i, b, code, .katex, span[style]')].map(e => e.textContent)
        .filter(text => /^(RAW|STRONG|TEX|RED|CODE|x)$/.test(text.trim())),
})"""
"""What stands on the page that a text of the warehouse could have made: a script that ran, a picture, a link, bold letters, maths."""
NOTHING = {"ran": None, "pictures": [], "scripts": 0, "links": [], "styled": []}


HERE = "%27%22%3Ci%3E%2Ax%2A"
VISITED = (
    "",
    "activation",
    f"follow_up?branch=1210{HERE}",
    f"targets?product=mobile{HERE}",
    "complaints",
)


@pytest.mark.browser
def test_in_a_browser_nothing_runs_nothing_is_fetched_and_names_are_read_as_written(
    page: Page, hostile_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(OPEN_CONFIG, encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    environment = {"WAREHOUSE_URL": f"duckdb:///{hostile_file}", "DASHBOARD_CONFIG": str(tmp_path / "config.toml")}
    with started(ROOT / "app.py", tmp_path, **environment) as address:
        for name in VISITED:
            page.goto(f"{address}{name}{'&' if '?' in name else '?'}lang=en")
            page.locator(".strip").wait_for()
            drawn(page)
            assert page.evaluate(MADE) == NOTHING, name
            shown = page.locator("body").inner_text()
            # Where a name is shown whole it is as it was written: none of its signs was eaten.
            assert shown.count("LINK](") == len(re.findall(r"\[LINK\]\(javascript:", shown)), name
            assert hostile.MARKUP in shown, name
            if name == "complaints":
                page.locator(".st-key-complaints_branches g.mark-rect path").nth(1).hover(force=True)
                expect(page.locator("#vg-tooltip-element")).to_contain_text("LINK")
                assert page.evaluate(MADE) == NOTHING
            if name == "activation":
                page.locator(".st-key-branch button").first.click()
                expect(page.get_by_role("option").first).to_contain_text("[LINK](")
                assert page.evaluate(MADE) == NOTHING
    assert [url for url in asked if not url.startswith((address, "data:", f"blob:{address}"))] == []
    assert "evil" not in " ".join(asked)


# SQL and other languages in what a reader sends -----------------------------------------------------------------------------------

SLY = (
    "' OR '1'='1",
    "1'; DROP TABLE contracts; --",
    "1) UNION SELECT name, phone FROM customers --",
    "12\\",
    "%",
    "{branch}",
    "${7*7}",
    "\x00",
    "\u202e1",
    "../../etc/passwd",
    "x" * 5000,
)


@pytest.mark.parametrize("sly", SLY, ids=range(len(SLY)))
def test_what_an_address_may_not_name_is_read_as_if_it_were_not_there(visit, whole_url, sly, caplog):
    file = Path(whole_url.removeprefix("duckdb:///"))
    before = file.read_bytes()
    alone = dict.fromkeys(("branch", "compare", "lang", "of", "baseline", "sign_in", "nothing"), sly)
    behind = {"product": "mobile,", "period": "2026-04-01..", "measures": "signed,", "by": "below,"}
    reader = visit(whole_url, **alone, **{name: said + sly for name, said in behind.items()})
    for page in ("explorer", "targets", "follow_up", "complaints"):
        reader.show(page)
        assert reader.failures == [], page
        assert len(sly) < 3 or not any(sly in text for text in reader.texts), page
        assert len(sly) < 3 or not any(sly in str(value) for value in reader.app.query_params.values()), page
    assert reader.app.selectbox(key="branch").value == bank.HEAD_OFFICE
    assert reader.app.multiselect(key="products").value == ["mobile"]
    assert file.read_bytes() == before
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_what_is_written_into_a_field_stays_a_text(visit, whole_url, monkeypatch):
    everything = {**access.PERMITTED, Role.VISITOR: frozenset(Permission)}
    monkeypatch.setattr(access, "PERMITTED", everything)
    reader = visit(whole_url, lang="en").show("follow_up").turn("follow_up_tables", "overdue_listing")
    written = Journal(settings().access.journal, settings().access.journal_key)
    for number, sly in enumerate((*(s for s in SLY if len(s) < 200), f"=1+1{hostile.MARKUP}"[:200])):
        reader.app.text_input(key="overdue_listing_reason").set_value(sly).run()
        reader.app.button(key="overdue_listing_show").click().run()
        assert reader.failures == [] and markup_in(reader) == [], sly
        reader.app.text_input(key="overdue_listing_purpose").set_value(sly).run()
        file = reader.file("overdue_listing", "csv")
        is_harmless_text(file)
        newest = written.entries(newest=1).iloc[0]
        # What no database keeps is written in words.
        assert newest["purpose"] == sly.strip().replace("\x00", r"\x00") and newest["action"] == "export", number
        reader.app.button(key="overdue_listing_mask").click().run()
    reader.show("journal")
    for sly in SLY:
        reader.app.text_input(key="journal_wanted").set_value(sly[:100]).run()
        assert reader.failures == []
        shown = reader.tables["journal_entries"]["rows"]
        assert all(any(sly[:100].strip().lower() in cell.lower() for cell in row["cells"]) for row in shown), sly
    assert markup_in(reader) == []
    assert written.verify() == []
