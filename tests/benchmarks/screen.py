"""What a reader waits for: from a click in Chromium until the answer is on screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

_NOTED = Path(__file__).with_name("screen.js").read_text()
Turns = Literal["branch", "address", "text"]
_OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]


@dataclass(frozen=True)
class Answer:
    """`ms` from the click until the last change was painted, `script` until Streamlit's script was at rest; and how many
    charts and tables changed."""

    ms: float
    script: float
    charts: int
    tables: int


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Raises RuntimeError where none is installed."""
    found = shutil.which("chromium")
    if found is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_OPTIONS)
        yield browser
        browser.close()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """A fresh tab with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-US")
    context.add_init_script(_NOTED)
    yield context.new_page()
    context.close()


def opened(page: Page, address: str) -> Answer:
    """Opens `address` and waits until all of it is drawn; counted from the navigation."""
    page.goto(address, wait_until="commit")
    return _answer(page)


def answered(page: Page, turns: Turns, act: Callable[[], object]) -> Answer:
    """Does `act`, one click or key, and waits for its answer; counted from the moment the browser got the click.

    `turns` says what must be another one afterwards: a click that missed is no fast answer, but an error after a minute.
    """
    page.evaluate(f"bench.arm({turns!r})")
    act()
    return _answer(page)


def choose(page: Page, picker: str, label: str) -> Answer:
    """Chooses `label` in the picker with the key `picker`; counted from the click on the option, when the list is open."""
    box = page.locator(f".st-key-{picker} input")
    box.click()
    box.fill(label)
    option = page.get_by_role("option", name=label, exact=True)
    option.wait_for()
    return answered(page, "branch" if picker == "branch" else "address", option.click)


def turn(page: Page, switch: str, word: str) -> Answer:
    """Turns the switch with the key `switch` to what reads `word`."""
    return answered(page, "text", page.locator(f".st-key-{switch} button", has_text=word).first.click)


def clear(page: Page, picker: str) -> Answer:
    """Takes the last choice of a picker of several away, by key."""
    page.locator(f".st-key-{picker} input").click()
    page.keyboard.press("Escape")
    return answered(page, "address", lambda: page.keyboard.press("Backspace"))


def click_bar(page: Page, key: str, at: int) -> Answer:
    """Clicks the bar number `at` (from 0) of the chart with the key `key`, whose bars lead to branches."""
    bar = page.locator(f".st-key-{key} g.mark-rect path").nth(at)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    return answered(page, "branch", lambda: page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2))


def _answer(page: Page) -> Answer:
    answer = Answer(**page.evaluate("bench.answered()"))
    if page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count():
        raise RuntimeError(f"{page.url} shows an error: {page.locator('[data-testid=stAlert]').all_inner_texts()}")
    return answer
