"""Chromium for the tests that need a real browser, and what every page is held to in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from data_access import demo
from tests.browser import serving

DATA_UNTIL = date(2026, 11, 20)
PATIENCE = 20_000
"""Milliseconds: the first page of a fresh server takes 3 s; the rest is for a computer that runs other tests."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. One for each module: while it is open, no other test of this process may run an event loop of its own."""
    if serving.chromium() is None:
        if os.environ.get("CI"):
            pytest.fail(serving.NO_CHROMIUM)
        pytest.skip(serving.NO_CHROMIUM)
    with serving.browser() as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader of their own: no cookies, no history."""
    opened = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-US", accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab in which the console stays silent and nothing is asked of another host."""
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    errors: list[str] = []
    asked: set[str] = set()
    tab.on("console", lambda message: errors.append(_told(message)) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))  # data: and blob: have none
    yield tab
    assert [error for error in errors if not _probes(error)] == []
    assert asked <= {"127.0.0.1", ""}


def _told(message) -> str:
    return f"{message.text} {message.location.get('url', '')}"


def _probes(error: str) -> bool:
    """On a deep link Streamlit looks for its server beside the page before it looks at the root."""
    return "404" in error and error.endswith(("/_stcore/health", "/_stcore/host-config"))


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo bank."""
    path = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    demo.build(path, scale=0.05, until=DATA_UNTIL)
    return path
