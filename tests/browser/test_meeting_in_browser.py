"""The weekly meeting as it is held: prepared, started, presented by keys alone, with an action; and again a week later."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from data_access import demo
from tests.browser.conftest import DATA_UNTIL, PATIENCE
from tests.browser.serving import ROOT, free_port, running
from tests.processes import came

pytestmark = pytest.mark.browser

PROJECTOR, LAPTOP = {"width": 1920, "height": 1080}, {"width": 1280, "height": 720}
LEAST_PIXELS = {1080: 24, 720: 16}
"""Text that is read from the back of a room; on a laptop's screen the same slide is two thirds as large. Where remarks are shown
beside it, a slide is made smaller as a whole, and here by no more than a seventh."""
REMARKS = "present-remarks"

_TEXTS = """() => {
  const found = [];
  const look = (root) => root.querySelectorAll("*").forEach((element) => {
    if (element.shadowRoot) look(element.shadowRoot);
    if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())) return;
    const box = element.getBoundingClientRect();
    if (!box.width || getComputedStyle(element).visibility === "hidden") return;
    const zoom = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--present-zoom"));
    const size = parseFloat(getComputedStyle(element).fontSize) * zoom;
    found.push({text: element.textContent.trim().slice(0, 40), size, right: box.right, bottom: box.bottom, left: box.left});
  });
  look(document.querySelector(".st-key-slide"));
  return found;
}"""


@pytest.fixture(scope="module")
def bank_file(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank of its own, which the test loads again."""
    path = tmp_path_factory.mktemp("bank") / "warehouse.duckdb"
    shutil.copy(demo_file, path)
    return path


class Server:
    """The dashboard on one port, started anew where it was killed."""

    def __init__(self, bank_file: Path, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._known = os.environ | {
            "WAREHOUSE_URL": f"duckdb:///{bank_file}",
            "JOURNAL_URL": f"sqlite:///{folder}/journal.db",
            "PYTHONPATH": str(ROOT),
        }

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def remarks(self) -> list[str]:
        """What has been remarked in any meeting."""
        with sqlite3.connect(f"file:{self._folder}/journal.db?mode=ro", uri=True) as connection:
            return [text for (text,) in connection.execute("SELECT remark FROM meeting_items")]

    @contextmanager
    def up(self) -> Iterator[object]:
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={self.port}"]
        log = self._folder / "server.log"
        with running(command, ROOT, self._known, log, f"{self.address}_stcore/health") as process:
            yield process


def at_rest(page: Page) -> None:
    """Nothing of the page is still to be exchanged: until then a place in it may be another one's."""
    page.wait_for_function(
        "() => document.querySelector('[data-test-script-state]')?.dataset.testScriptState === 'notRunning' && "
        "!document.querySelector('[data-testid=stMain] [data-stale=true]')"
    )


def position(page: Page) -> tuple[int, int]:
    text = page.locator(".slide-foot span").last.inner_text()
    at, of = re.findall(r"\d+", text)
    return int(at), int(of)


def to_the_first(page: Page) -> None:
    expect(page.locator("html")).to_have_class(re.compile("presenting"))  # from then on keys are heard
    page.keyboard.press("Home")


def titles(page: Page) -> list[str]:
    """All slides' titles, turned through by keys from the first to the last."""
    to_the_first(page)
    expect(page.locator(".slide-foot span").last).to_have_text(re.compile(r"^1 "))
    found = []
    _at, of = position(page)
    for number in range(1, of + 1):
        expect(page.locator(".slide-foot span").last).to_have_text(re.compile(rf"^{number} "))
        page.wait_for_function("() => !document.querySelector('.st-key-slide [data-stale=true]')")
        found.append(page.locator(".slide-title").inner_text())
        if number < of:
            page.keyboard.press("ArrowRight")
    return found


def readable(page: Page) -> None:
    """Nothing of the slide is cut off, and nothing is too small to be read; it may take a moment until the slide before has gone."""
    size = page.viewport_size
    least = LEAST_PIXELS[size["height"]] * (6 / 7 if REMARKS in page.locator("html").get_attribute("class") else 1)

    def unread() -> list[dict]:
        return [
            each
            for each in page.evaluate(_TEXTS)
            if each["size"] < least - 0.1
            or min(each["left"], size["width"] + 1 - each["right"], size["height"] + 1 - each["bottom"]) < 0
        ]

    until = time.monotonic() + PATIENCE / 1000
    while (found := unread()) and time.monotonic() < until:
        time.sleep(0.1)
    assert found == []


def each_slide(page: Page) -> None:
    to_the_first(page)
    expect(page.locator(".slide-foot span").last).to_have_text(re.compile(r"^1 "))
    _at, of = position(page)
    for number in range(1, of + 1):
        expect(page.locator(".slide-foot span").last).to_have_text(re.compile(rf"^{number} "))
        page.wait_for_function(
            "() => !document.querySelector('.st-key-slide [data-stale=true]') && "
            "[...document.querySelectorAll('.st-key-slide [data-testid=stVegaLiteChart]')].every((c) => c.querySelector('svg.marks'))"
        )
        readable(page)
        page.keyboard.press(" ")


def test_a_meeting_is_held_by_keys_and_followed_a_week_later(context: BrowserContext, bank_file: Path, tmp_path: Path):
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))  # the console tells of the server that is killed
    server = Server(bank_file, tmp_path)
    with server.up() as process:
        page.set_viewport_size(PROJECTOR)
        page.goto(f"{server.address}meeting?lang=en")
        page.get_by_role("button", name="Prepare the meeting").click()
        page.get_by_role("button", name="Start the meeting").click()
        present = page.locator(".st-key-meeting_present button")
        expect(present).to_be_visible()

        # An action, with a remark beside it.
        page.get_by_text("Agree on an action").click()
        page.get_by_label("What", exact=True).fill("Call all customers that are overdue")
        page.get_by_role("button", name="Agree", exact=True).click()
        expect(page.get_by_text("Call all customers that are overdue").first).to_be_visible()
        at_rest(page)
        remark = page.get_by_placeholder("What is to be said about it").nth(1)
        remark.fill("Look at Jiangbei first")
        remark.press("Control+Enter")
        assert came(lambda: "Look at Jiangbei first" in server.remarks(), PATIENCE / 1000)

        # Presented, with keys only.
        present.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".slide-title")).to_be_visible()
        expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()
        each_slide(page)
        first = titles(page)
        for _ in range(8):  # faster than slides are drawn: no run that is left half done stops the page
            for key in ("End", "Home", "ArrowRight"):
                page.keyboard.press(key)
            expect(page.locator(".slide-foot span").last).to_have_text(re.compile("^2 "))
        page.keyboard.press("n")
        expect(page.get_by_text("Look at Jiangbei first")).to_be_visible()
        page.mouse.move(400, 400, steps=3)
        expect(page.locator("html")).not_to_have_class(re.compile("present-resting"))
        expect(page.locator("html")).to_have_class(
            re.compile("present-resting")
        )  # from then on the pointer marks nothing
        row = page.locator(".st-key-slide tbody tr").first
        assert row.evaluate("(row) => getComputedStyle(row).pointerEvents") == "none"
        page.keyboard.press("b")
        expect(page.locator(".slide-title")).to_be_hidden()
        page.keyboard.press("b")
        expect(page.locator(".slide-title")).to_be_visible()
        page.set_viewport_size(LAPTOP)
        each_slide(page)
        page.keyboard.press("Home")
        for _ in range(3):
            page.keyboard.press("PageDown")
        expect(page.locator(".slide-foot span").last).to_have_text(re.compile("^4 "))
        shown = page.locator(".slide-title").inner_text()
        process.send_signal(signal.SIGKILL)
        process.wait()

    # The server was killed in the middle of it: it is reopened where it was, with what it showed.
    with server.up():
        page.set_viewport_size(PROJECTOR)
        page.goto(f"{server.address}meeting?lang=en&present=1")
        expect(page.locator(".slide-title")).to_have_text(shown)
        expect(page.locator(".slide-foot span").last).to_have_text(re.compile("^4 "))
        assert titles(page) == first
        page.keyboard.press("Escape")
        page.get_by_role("button", name="End the meeting").click()
        expect(page.get_by_text("has ended")).to_be_visible()

        # A week later: a new load, and the next meeting.
        demo.build(bank_file, scale=0.05, until=DATA_UNTIL + timedelta(days=7))
        page.goto(f"{server.address}meeting?lang=en&present=1")
        expect(page.locator(".slide-title")).to_be_visible()
        assert titles(page) == first
        page.keyboard.press("Escape")
        following = date.today() - timedelta(days=date.today().weekday()) + timedelta(days=7)
        page.goto(f"{server.address}meeting?lang=en&week={following}")
        page.get_by_role("button", name="Prepare the meeting").click()
        page.get_by_role("button", name="Start the meeting").click()
        expect(page.locator(".st-key-meeting_present button")).to_be_visible()
        page.locator(".st-key-meeting_present button").click()
        second = titles(page)
        assert "1 action is open" in second[0]
        assert any("since 21 Nov 2026" in title for title in second)
        assert any(title.startswith("Since 20 Nov 2026: ") for title in second)
        each_slide(page)
        assert first != second
    assert errors == []
