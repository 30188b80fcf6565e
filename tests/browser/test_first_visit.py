"""A fresh server, and a warehouse that changes under it: the first visit is a link with filters, nothing was warmed up by a reader."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from data_access import demo
from data_access.access import Role, Viewer
from data_access.settings import settings
from data_access.warehouse import Warehouse
from measures.catalogue import dimension
from measures.period import Period
from measures.question import Question, where
from presentation.units import short, shown
from tests.browser.conftest import DATA_UNTIL
from tests.browser.serving import ROOT, served

pytestmark = pytest.mark.browser

PERIOD = Period(date(2026, 1, 1), date(2026, 6, 30))


@pytest.fixture
def own_file(demo_file: Path, tmp_path: Path) -> Path:
    """A demo bank that the test may replace or spoil."""
    return Path(shutil.copy(demo_file, tmp_path / "warehouse.duckdb"))


@pytest.fixture
def address(own_file: Path, tmp_path: Path) -> Iterator[str]:
    with served(ROOT / "app.py", tmp_path, WAREHOUSE_URL=f"duckdb:///{own_file}") as url:
        yield url


def test_the_first_visit_of_a_fresh_server_may_be_a_link_with_filters(page: Page, address: str, own_file: Path):
    warehouse = Warehouse(f"duckdb:///{own_file}", settings(ROOT / "config.toml").days_off)
    head_office = warehouse.root()
    branches = warehouse.branches(Viewer("tester", head_office, Role.VISITOR))
    branch = branches[branches["level"] == "branch"].iloc[0]
    product = warehouse.products().iloc[0]
    link = (
        f"{address}activation?branch={branch.branch_id}&product={product.product_id}"
        "&period=2026-01-01..2026-06-30&compare=previous&lang=zh_CN"
    )
    page.goto(link)
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"^\\s*{branch['name']}$"))
    expect(page.locator(".st-key-products")).to_contain_text(product["name"])
    expect(page.locator(".st-key-own_days")).to_contain_text("2026")
    expect(page.locator(".st-key-compare input")).to_have_value("上期")
    expect(page.locator(".st-key-lang input")).to_have_value("简体中文")
    names = ("signed", "activated", "cohort_activation_rate")
    question = Question(
        tuple(warehouse.state().catalogue.measure(name) for name in names),
        PERIOD,
        where=where({dimension("branch"): [branch.branch_id], dimension("product"): [product.product_id]}),
    )
    answer = warehouse.fetch(question, Viewer("tester", head_office, Role.VISITOR)).iloc[0]
    assert answer["signed"] > 0
    cards = page.locator(".card")
    total = page.locator(".st-key-activation_by_branch tr.total")
    for measure, label in zip(question.measures, ("签约数", "激活数", "激活率"), strict=True):
        card = cards.filter(has_text=label).filter(has_text=short(answer[measure.name], measure.unit, "zh_CN"))
        expect(card.first).to_be_visible()
        expect(total).to_contain_text(shown(answer[measure.name], measure.unit, "zh_CN"))
    warehouse.close()
    assert "lang=zh_CN" in page.url and f"branch={branch.branch_id}" in page.url


def test_a_warehouse_that_goes_and_comes_back_under_an_open_page(
    page: Page, address: str, own_file: Path, tmp_path: Path
):
    assert health(address) == (200, {"status": "ok"})
    page.goto(f"{address}complaints?period=12_months&lang=en")
    table = page.locator(".st-key-complaints_by_cause table")
    expect(table).to_be_visible()
    whole = table.text_content()
    kept = shutil.copy(own_file, tmp_path / "kept")
    choose(page, "period", "Year to date")
    expect(page).to_have_url(re.compile("period=year"))

    own_file.unlink()
    choose(page, "period", "This month")
    expect(page.get_by_role("alert")).to_contain_text("There is no warehouse at warehouse.duckdb")
    assert health(address) == (503, {"status": "warehouse unavailable"})
    own_file.write_bytes(b"half of a warehouse")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be read")
    assert "Traceback" not in page.locator("body").inner_text()
    expect(table).to_have_count(0)

    shutil.copy(kept, tmp_path / "restored")
    (tmp_path / "restored").replace(own_file)
    page.get_by_role("button", name="Try again").click()
    expect(table).to_be_visible()
    expect(page.locator(".st-key-period input")).to_have_value("This month")
    choose(page, "period", "Last 12 months")
    expect(table).to_have_js_property("textContent", whole)
    assert health(address) == (200, {"status": "ok"})

    demo.build(own_file, scale=0.08, seed=8, until=DATA_UNTIL)  # a new load: renamed into place, the server runs on
    choose(page, "compare", "No comparison")
    expect(page).to_have_url(re.compile("compare=none"))
    expect(table).not_to_have_js_property("textContent", whole)


def choose(page: Page, picker: str, option: str) -> None:
    page.locator(f".st-key-{picker} button").click()
    page.get_by_role("option", name=option, exact=True).click()


def health(address: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"{address}health") as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)
