"""Signing in and out in Chromium, with a provider of our own: what a reader sees, and when it is over."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.security.bank_server import Bank

pytestmark = pytest.mark.browser

LINK = "complaints?branch=10&period=12_months&compare=none&lang=en"
WITHIN = 10_000
"""Milliseconds after which an end holds, also in a tab that does nothing: two looks of the server and a page's load."""


@pytest.fixture(autouse=True)
def provider_is_up(served: Bank) -> Iterator[None]:
    served.next_sign_in(person="head", seconds=3600, down=False)
    yield


def sign_in(page: Page, bank: Bank, link: str = LINK) -> None:
    page.goto(bank.address + link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".st-key-complaints_by_cause table")).to_be_visible()


def is_entrance(page: Page, timeout: int = WITHIN) -> None:
    """Nothing but the way to sign in is there, not even in grey."""
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=timeout)
    expect(page.locator("table")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(0)


def test_a_link_with_filters_is_back_after_sign_in(page: Page, served: Bank, context: BrowserContext) -> None:
    page.goto(served.address + LINK)
    expect(page.get_by_text("Sign in to see the numbers of your branch.")).to_be_visible()
    is_entrance(page)
    sign_in(page, served)
    expect(page).to_have_url(re.compile(r"/complaints\?branch=10&period=12_months&compare=none&lang=en$"))
    expect(page.locator(".st-key-period input")).to_have_value("Last 12 months")
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert "sign_in_from" not in cookies
    assert cookies["_streamlit_user"]["httpOnly"] and cookies["_streamlit_user"]["sameSite"] == "Lax"


def test_who_is_in_no_group_of_ours_is_told_whom_to_ask_and_can_leave(page: Page, served: Bank) -> None:
    served.next_sign_in(person="stranger")
    page.goto(served.address + LINK)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("You may not see anything here yet. Ask Ms Chen (1234)")).to_be_visible()
    expect(page.get_by_text("You are signed in as <b>Stranger</b> [x](http://evil.example).")).to_be_visible()
    expect(page.locator("table")).to_have_count(0)
    expect(page.locator("a[href*=evil]")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    is_entrance(page)


def test_a_session_ends_with_its_token_without_a_click_and_the_link_stays(page: Page, served: Bank) -> None:
    served.next_sign_in(seconds=12)
    sign_in(page, served)
    expect(page.get_by_text("Your session has run out.")).to_be_visible(timeout=30_000)
    is_entrance(page)
    assert page.url.endswith(LINK)
    served.next_sign_in(seconds=3600)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".st-key-complaints_by_cause table")).to_be_visible()


def test_signing_out_ends_the_other_tab_and_a_copied_cookie(
    page: Page, served: Bank, context: BrowserContext, browser: Browser
) -> None:
    sign_in(page, served)
    other = context.new_page()
    other.goto(served.address + LINK)
    expect(other.locator(".st-key-complaints_by_cause table")).to_be_visible()
    thief = browser.new_context(storage_state=context.storage_state())
    stolen = thief.new_page()
    stolen.goto(served.address + LINK)
    expect(stolen.locator(".st-key-complaints_by_cause table")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    is_entrance(page)
    is_entrance(other)
    is_entrance(stolen)
    expect(stolen.get_by_text("You have been signed out.")).to_be_visible()
    stolen.goto(served.address + "activation?lang=en")
    is_entrance(stolen)
    thief.close()


def test_what_an_administrator_ends_is_over_in_a_tab_that_does_nothing(page: Page, served: Bank) -> None:
    sign_in(page, served)
    served.command("sessions", "end", "head@bank.example")
    is_entrance(page)
    assert "revoke" in served.command("journal", "list", "--person", "head@bank.example")
    expect(page.get_by_text("You have been signed out.")).to_be_visible()
    assert page.url.endswith(LINK)


def test_a_provider_that_is_down_is_a_sentence_and_the_link_stays(page: Page, served: Bank) -> None:
    page.goto(served.address + LINK)
    served.next_sign_in(down=True)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The sign-in service cannot be reached.")).to_be_visible()
    is_entrance(page)
    assert "Traceback" not in page.locator("body").inner_text()
    served.next_sign_in(down=False)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".st-key-complaints_by_cause table")).to_be_visible()
    assert page.url.endswith(LINK)


def test_a_provider_that_refuses_is_a_sentence_too(page: Page, served: Bank) -> None:
    page.goto(served.address + "oauth2callback?error=access_denied&state=1")
    expect(page.get_by_text("Signing in did not succeed.")).to_be_visible()
    is_entrance(page)
