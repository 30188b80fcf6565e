"""The table in a real browser: what its script draws, and what its clicks ask of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import served

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).with_name("table_script.py")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The script, served on a free port."""
    with served(SCRIPT, tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture
def table(page: Page, address: str) -> Locator:
    """The first table of a fresh session."""
    page.goto(address)
    return page.locator(".st-key-branches .table-view")


def first_column(table) -> list[str]:
    return [text.removesuffix(" (looked at)") for text in table.locator("tbody th").all_text_contents()]


def test_names_are_shown_as_they_are_written_and_run_nothing(table, page):
    expect(table.locator("tbody tr")).to_have_count(3)
    assert first_column(table) == ["=1+1", "<img src=x onerror=document.title='harmed'>", "观音桥"]
    assert table.locator("img").count() == 0
    assert page.title() != "harmed"


def test_the_total_stands_first_and_the_row_looked_at_says_so(table):
    expect(table.locator("thead tr.total")).to_have_text("Total213")
    expect(table.locator("tr[aria-current=true] th")).to_have_text("=1+1 (looked at)")


def test_a_click_on_a_heading_sorts_on_the_server_and_keeps_the_focus(table):
    heading = table.get_by_role("button", name="Contracts signed")
    expect(table.get_by_role("columnheader", name="Contracts signed")).to_have_attribute("aria-sort", "descending")
    heading.focus()
    heading.press("Enter")
    expect(table.get_by_role("columnheader", name="Contracts signed")).to_have_attribute("aria-sort", "ascending")
    assert first_column(table)[0] == "观音桥"
    expect(heading).to_be_focused()
    heading.press("Enter")
    expect(table.get_by_role("columnheader", name="Contracts signed")).to_have_attribute("aria-sort", "descending")
    assert first_column(table)[0] == "=1+1"


def test_the_meaning_of_a_column_is_shown_on_focus_and_read_with_its_heading(table):
    heading = table.get_by_role("button", name="Contracts signed")
    expect(heading).to_have_accessible_description("Signed in the period")
    expect(table.locator(".hint")).to_be_hidden()
    heading.focus()
    expect(table.locator(".hint")).to_have_text("Signed in the period")
    heading.press("Escape")
    expect(table.locator(".hint")).to_be_hidden()
    heading.hover()
    expect(table.locator(".hint")).to_have_text("Signed in the period")


def test_a_plain_click_on_a_link_stays_in_the_session(table, page):
    table.get_by_role("link", name="观音桥").click()
    expect(page.get_by_text("Looked at: b3 in run 2")).to_be_visible()  # a reload would be run 1


def test_a_click_with_control_opens_the_address_in_a_tab_of_its_own(table, page):
    with page.context.expect_page() as opened:
        table.get_by_role("link", name="观音桥").click(modifiers=["Control"])
    expect(opened.value.get_by_text("Looked at: b3 in run 1")).to_be_visible()
    opened.value.close()
    expect(page.get_by_text("Looked at: all in run 1")).to_be_visible()


def test_a_long_listing_is_turned_to_its_end_and_no_further(table, page):
    listing = page.locator(".st-key-listing .table-view")
    expect(listing.get_by_role("button", name="Previous")).to_have_attribute("aria-disabled", "true")
    for text in ("Rows 101–200 of 250", "Rows 201–250 of 250"):
        listing.get_by_role("button", name="Next").click()
        expect(listing.get_by_role("status")).to_have_text(text)
    assert first_column(listing)[-1] == "No. 249"
    expect(listing.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    expect(listing.get_by_role("button", name="Next")).to_be_focused()


def test_print_shows_every_row(table, page):
    scroll = page.locator(".st-key-listing .scroll")
    expect(scroll).to_be_visible()
    assert scroll.evaluate("box => box.clientHeight < box.scrollHeight")
    page.emulate_media(media="print")
    assert scroll.evaluate("box => box.clientHeight >= box.scrollHeight")
    page.emulate_media(media=None)
