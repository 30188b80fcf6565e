"""The dashboard as a reader uses it: by mouse, by keyboard, on a phone, through links, Back and reload."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from tests.browser.serving import ROOT, served

pytestmark = pytest.mark.browser

PAGES = ("", "activation", "follow_up", "targets", "complaints", "explorer", "glossary")
BARS = 'g.mark-rect.role-mark path[fill="#0b5cad"]'
"""The bars in the accent of the light theme; behind them lies the ground of those that cannot be told apart."""


@pytest.fixture(scope="module")
def address(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(ROOT / "app.py", tmp_path_factory.mktemp("served"), WAREHOUSE_URL=f"duckdb:///{demo_file}") as url:
        yield url


@pytest.fixture(scope="module")
def branches(demo_file: Path) -> pd.DataFrame:
    """The branches of the demo bank by id."""
    warehouse = Warehouse(f"duckdb:///{demo_file}")
    found = warehouse.branches(Viewer("tester", warehouse.root(), Role.VISITOR)).set_index("branch_id", drop=False)
    warehouse.close()
    return found


@pytest.fixture(scope="module")
def branch(branches: pd.DataFrame) -> pd.Series:
    """A branch with others below it."""
    return branches[branches["level"] == "branch"].iloc[0]


def test_a_filter_changes_the_address_the_charts_and_the_table(page: Page, address: str):
    page.goto(f"{address}activation?lang=en&period=12_months")
    table, chart = body(page, "activation_by_branch"), page.locator(".st-key-activation_branches svg.marks")
    expect(table).to_be_visible()
    expect(chart).to_be_visible()
    before, drawn = table.inner_text(), chart.inner_html()
    choose(page, "period", "This quarter")
    expect(page).to_have_url(re.compile("period=quarter"))
    expect(table).not_to_have_text(before, use_inner_text=True)
    expect(page.locator(".st-key-activation_branches")).not_to_contain_text("Choose a longer")
    wait_until(page, lambda: chart.inner_html() != drawn)


def test_a_chart_is_kept_and_its_rows_and_words_exchanged(page: Page, address: str):
    page.goto(f"{address}complaints?lang=en&period=12_months")
    charts, told = (
        page.locator("svg.marks"),
        page.locator(".st-key-complaints_causes [aria-roledescription='text mark']"),
    )
    expect(page.locator(".st-key-complaints_by_cause tbody")).to_be_attached()
    drawn = charts.evaluate_all("found => found.map(each => (each.drawn = true)).length")
    before = told.get_attribute("aria-label")
    assert drawn > 3 and before.startswith("Complaints received. First: ")
    choose(page, "period", "This quarter")
    wait_until(page, lambda: told.get_attribute("aria-label") != before)
    assert charts.evaluate_all("found => found.filter(each => each.drawn).length") == drawn


def test_a_click_on_a_bar_drills_and_the_breadcrumb_leads_up(page: Page, address: str, branches: pd.DataFrame):
    page.goto(f"{address}activation?lang=en")
    page.locator(f".st-key-activation_branches {BARS}").first.click()
    page.wait_for_url(lambda url: chosen(url) in branches[branches["level"] == "branch"].index)
    branch = branches.loc[chosen(page.url)]
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"{branch['name']}$"))
    listed = page.locator(".st-key-activation_by_branch tbody th")
    children = set(branches[branches["parent_id"] == branch.branch_id]["name"])
    wait_until(page, lambda: set(listed.all_text_contents()) & children)  # off the screen there is no inner text
    assert set(listed.all_text_contents()) <= children | {"booked on the branch itself"}
    page.locator(".st-key-breadcrumb").get_by_role("button").first.click()
    page.wait_for_url(lambda url: chosen(url) == branch["parent_id"])
    settled(page)
    page.locator(f".st-key-activation_branches {BARS}").first.click()  # the same bar once more
    page.wait_for_url(lambda url: chosen(url) == branch.branch_id)
    page.locator(".st-key-breadcrumb").get_by_role("button").first.click()
    page.wait_for_url(lambda url: chosen(url) == branch["parent_id"])
    page.locator(f".st-key-down_{branch['parent_id']} input").click()
    page.get_by_role("option", name=branch["name"]).click()
    page.wait_for_url(lambda url: chosen(url) == branch.branch_id)


def test_a_link_in_a_table_leads_to_its_page_and_back_forward_and_reload_keep_the_choice(page: Page, address: str):
    page.goto(f"{address}?lang=en&period=year&compare=previous")
    cell = page.locator(".st-key-overview_branches tbody tr").nth(1)
    name = cell.locator("th").inner_text()
    cell.get_by_role("link").nth(3).click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/")
    first = page.url
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"{name}$"))
    assert "period=year" in first and "compare=previous" in first
    choose(page, "period", "This quarter")  # the same page, another choice
    expect(page).to_have_url(re.compile("period=quarter"))
    page.get_by_role("link", name="Complaints").click()  # another page, the same choice
    page.wait_for_url(re.compile("/complaints.*period=quarter"))
    expect(body(page, "complaints_by_cause")).to_be_visible()
    there = page.url
    page.go_back()
    page.wait_for_url(re.compile(f"^{re.escape(first.split('?')[0])}.*period=quarter"))
    expect(page.locator(".st-key-period input")).to_have_value("This quarter")
    page.go_back()
    page.wait_for_url(re.compile("period=year"))
    expect(page.locator(".st-key-period input")).to_have_value("Year to date")
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"{name}$"))
    page.go_forward()
    page.wait_for_url(re.compile("period=quarter"))
    expect(page.locator(".st-key-period input")).to_have_value("This quarter")
    page.go_forward()
    page.wait_for_url(re.compile("/complaints"))
    expect(body(page, "complaints_by_cause")).to_be_visible()
    page.reload()
    expect(body(page, "complaints_by_cause")).to_be_visible()
    expect(page.locator(".st-key-period input")).to_have_value("This quarter")
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"{name}$"))
    assert page.url == there


def test_the_language_is_switched_and_stays_in_the_address(page: Page, address: str):
    page.goto(f"{address}activation")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Activation rate")
    choose(page, "lang", "简体中文")
    expect(page.get_by_role("heading", level=1)).to_contain_text("激活率")
    expect(page).to_have_url(re.compile("lang=zh_CN"))
    expect(page.locator("svg.marks").filter(has_text="月").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("激活率")
    choose(page, "lang", "繁體中文")
    expect(page.get_by_role("heading", level=1)).to_contain_text("啟用率")


@pytest.mark.parametrize(("locale", "said"), [("zh-CN", "总览"), ("zh-TW", "總覽"), ("de-DE", "Overview")])
def test_the_browser_is_spoken_to_in_its_language(browser: Browser, address: str, locale: str, said: str):
    with browser.new_context(locale=locale) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("link", name=said)).to_be_visible()


def test_every_page_fits_a_phone_in_dark(browser: Browser, address: str):
    with browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="zh-CN") as context:
        page = context.new_page()
        for name in PAGES:
            page.goto(f"{address}{name}")
            expect(page.locator(".strip")).to_be_visible()
            settled(page)
            widths = page.evaluate(
                "['html', '[data-testid=stMain]'].map(s => document.querySelector(s)).map(e => e.scrollWidth)"
            )
            assert max(widths) <= 390, name
            shade = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
            assert sum(map(int, re.findall(r"\d+", shade)[:3])) < 3 * 80, shade


def test_the_keyboard_reaches_filters_and_headings(page: Page, address: str):
    page.goto(f"{address}activation?lang=en")
    show(page, "activation_tables", "Product")
    expect(body(page, "activation_by_product")).to_be_visible()
    page.locator(".st-key-branch input").focus()
    reached = []
    for _step in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))
    assert [label for label in reached if label in ("Product", "Period", "Compare with")] == [
        "Product",
        "Period",
        "Compare with",
    ]
    table = page.locator(".st-key-activation_by_product")
    heading = table.get_by_role("button", name="Product", exact=True)
    heading.focus()
    page.keyboard.press("Enter")
    expect(table.get_by_role("columnheader", name="Product", exact=True)).to_have_attribute("aria-sort", "ascending")
    expect(heading).to_be_focused()
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names)


def test_the_keyboard_opens_what_a_card_means_and_turns_a_switch(page: Page, address: str):
    page.goto(f"{address}complaints?lang=en")
    label = page.locator(".card").get_by_role("button", name="Complaints received", exact=True)
    meaning = page.locator(".card .meant").first
    expect(label).to_have_accessible_description(re.compile("Complaints received in the period: [0-9,]+"))
    expect(meaning).to_be_hidden()
    label.focus()
    page.keyboard.press("Enter")
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    switch = page.locator(".st-key-complaints_tables")
    switch.get_by_role("radio", name="Cause", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(body(page, "complaints_by_branch")).to_be_visible()
    expect(body(page, "complaints_by_cause")).to_have_count(0)


def test_a_switch_stays_as_it_is_in_another_language_and_after_another_page(page: Page, address: str):
    page.goto(f"{address}complaints?lang=en")
    show(page, "complaints_tables", "Product")
    expect(body(page, "complaints_by_product")).to_be_visible()
    choose(page, "lang", "简体中文")
    expect(page.get_by_role("heading", level=1)).to_contain_text("投诉")
    settled(page)
    expect(body(page, "complaints_by_product")).to_be_visible()
    show(page, "complaints_tables", "产品")
    expect(body(page, "complaints_by_product")).to_be_visible()
    page.get_by_role("link", name="总览").click()
    expect(body(page, "overview_branches")).to_be_visible()
    page.locator("[data-testid=stSidebar]").get_by_role("link", name="投诉").click()
    expect(body(page, "complaints_by_product")).to_be_visible()
    assert page.locator(".st-key-complaints_tables").get_by_role("radio", name="产品", exact=True).is_checked()


def test_a_downloaded_workbook_is_what_is_on_screen(page: Page, address: str, branch: pd.Series):
    page.goto(f"{address}activation?lang=en&branch={branch.branch_id}&period=year")
    table = page.locator(".st-key-activation_by_branch")
    expect(table.locator("tbody tr").first).to_be_visible()
    table.get_by_role("button", name="Activated").click()
    expect(table.get_by_role("columnheader", name="Activated")).to_have_attribute("aria-sort", "descending")
    sheet = openpyxl.load_workbook(io.BytesIO(downloaded(page, "activation_by_branch"))).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == table.locator("thead tr").first.locator("th .label").all_inner_texts()
    assert [row[0] for row in rows[2:]] == table.locator("tbody th").all_inner_texts()
    for written, drawn in zip(rows[1:], table.locator("tr").all()[1:], strict=True):
        cells = drawn.locator("th, td").all_inner_texts()
        assert [written[0], f"{written[1]:,}", f"{written[2]:,}"] == cells[:3]


def test_a_viewer_of_a_branch_sees_its_own_through_another_branches_link(
    page: Page, address: str, branches: pd.DataFrame, branch: pd.Series
):
    page.goto(f"{address}?lang=en")
    page.locator(".st-key-view_as input").fill(branch["name"])
    page.get_by_role("option", name=re.compile(f"^{branch['name']}")).first.click()
    expect(page.locator(".strip")).to_contain_text(f"You see: {branch['name']}")
    own = branches[branches["path"].str.startswith(branch["path"])]["name"]
    other = branches[(branches["level"] == "branch") & (branches.index != branch.branch_id)].iloc[0]
    foreign = f"/activation?branch={other.branch_id}&lang=en"
    page.evaluate(
        "address => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')) }", foreign
    )
    expect(page.locator(".st-key-activation_by_branch tbody th").first).to_be_visible()
    expect(page.locator(".st-key-branch input")).to_have_value(re.compile(f"{branch['name']}$"))
    assert chosen(page.url) == branch.branch_id
    listed = set(page.locator(".st-key-activation_by_branch tbody th").all_inner_texts())
    assert listed <= set(own) | {"booked on the branch itself"}
    assert other["name"] not in page.locator("[data-testid=stMain]").inner_text()


def body(page: Page, table: str) -> Locator:
    return page.locator(f".st-key-{table} tbody")


def show(page: Page, switch: str, option: str) -> None:
    page.locator(f".st-key-{switch}").get_by_role("radio", name=option, exact=True).click()


def choose(page: Page, picker: str, option: str) -> None:
    page.locator(f".st-key-{picker} button").click()
    page.get_by_role("option", name=option, exact=True).click()


def chosen(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("branch", [""])[0]


def downloaded(page: Page, table: str) -> bytes:
    page.locator(f".st-key-{table}_export button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    return Path(download.value.path()).read_bytes()


def settled(page: Page) -> None:
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def wait_until(page: Page, holds) -> None:
    for _try in range(100):
        if holds():
            return
        page.wait_for_timeout(100)
    pytest.fail("It did not come to hold within 10 s.")
