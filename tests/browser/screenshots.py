"""Takes a picture of every page, to be looked at: two languages, light and dark, a desk's width and a phone's, what is shown when
there is nothing to show, and every slide of a meeting on two projectors. `python -m tests.browser.screenshots [--out FOLDER]`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from data_access import demo
from tests.browser.serving import NO_CHROMIUM, ROOT, browser, chromium, served

PAGES = ("overview", "activation", "follow_up", "targets", "complaints", "explorer", "glossary")
LANGUAGES = ("en", "zh_CN")
SHADES = ("light", "dark")
WIDTHS = (1440, 390)
PROJECTORS = ((1920, 1080), (1280, 720))
NOTHING = "activation?period=1999-01-01..1999-01-31&"
DATA_UNTIL = date(2026, 11, 20)
"""Always the same, so that two pictures differ only where the dashboard does."""


def main() -> int:
    """Writes the pictures; returns the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    options.add_argument("--out", type=Path, default=ROOT / "screenshots", help="folder for the pictures (screenshots)")
    out = options.parse_args().out
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "warehouse.duckdb"
        print("Building the demo bank", flush=True)
        demo.build(file, until=DATA_UNTIL)
        with served(ROOT / "app.py", Path(folder), **databases(Path(folder))) as address, browser() as opened:
            for language, shade, width in product(LANGUAGES, SHADES, WIDTHS):
                with reader(opened, shade, width) as context:
                    for name, page in shots(context, address, language):
                        save(page, out / f"{name}_{language}_{shade}_{width}.png")
            for language, size in product(LANGUAGES, PROJECTORS):
                with opened.new_context(
                    viewport=dict(zip(("width", "height"), size, strict=True)), reduced_motion="reduce"
                ) as context:
                    for name, page in presented(context, address, language):
                        write(page, out / f"{name}_{language}_light_{size[0]}.png")
            file.unlink()
            for language, width in product(LANGUAGES, WIDTHS):
                with reader(opened, "light", width) as context:
                    page = context.new_page()
                    page.goto(f"{address}?lang={language}")
                    page.get_by_role("alert").wait_for()
                    save(page, out / f"error_{language}_light_{width}.png")
    return 0


def reader(opened: Browser, shade: str, width: int) -> BrowserContext:
    return opened.new_context(
        viewport={"width": width, "height": 900}, color_scheme=shade, locale="en-US", reduced_motion="reduce"
    )


def shots(context: BrowserContext, address: str, language: str) -> Iterator[tuple[str, Page]]:
    """The name and the page of each picture, drawn to its end."""
    addresses = {name: f"{name}?".replace("overview", "") for name in PAGES} | {"nothing": NOTHING}
    for name, path in addresses.items():
        page = context.new_page()
        page.goto(f"{address}{path}lang={language}")
        page.locator(".strip").wait_for()
        drawn(page)
        yield name, page
        page.close()


def databases(folder: Path) -> dict[str, str]:
    """Where the server reads, and where it keeps meetings: a journal of its own, so that each run prepares its meeting anew."""
    return {
        "WAREHOUSE_URL": f"duckdb:///{folder / 'warehouse.duckdb'}",
        "JOURNAL_URL": f"sqlite:///{folder / 'journal.db'}",
    }


def presented(context: BrowserContext, address: str, language: str) -> Iterator[tuple[str, Page]]:
    """The name and the page of each slide of this week's meeting, which is prepared and started where it is not yet."""
    page = context.new_page()
    page.goto(f"{address}meeting?lang={language}")
    page.locator(".finding").wait_for()
    drawn(page)
    prepare = page.locator(".st-key-meeting_prepare button")
    if prepare.count():
        prepare.click()
        page.locator(".st-key-meeting_start button").click()
    page.locator(".st-key-meeting_present button").click()
    page.locator("html.presenting").wait_for(state="attached")
    page.keyboard.press("Home")  # the meeting is at the slide at which it was left
    drawn(page)
    slides = page.locator(".slide-foot span").nth(1)
    number, shown = 0, ""
    while (text := slides.inner_text()) != shown:
        number, shown = number + 1, text
        yield f"meeting_{number:02}", page
        page.keyboard.press("ArrowRight")
        drawn(page)
    page.close()


def drawn(page: Page) -> None:
    """Waits until the run is over and no chart or text is still being drawn."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_load_state("networkidle")
    before = -1
    while before != (
        height := page.locator("[data-testid=stMain]").evaluate("e => e.scrollHeight * 1e6 + e.innerHTML.length")
    ):
        before = height
        page.wait_for_timeout(400)


def save(page: Page, path: Path) -> None:
    """Writes the page in its full height."""
    # What scrolls is a part of the window, so the window is made as high as its content.
    height = page.locator("[data-testid=stMain]").evaluate("e => e.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": max(900, height)})
    drawn(page)
    write(page, path)


def write(page: Page, path: Path) -> None:
    """Writes what the window shows, in 256 colours."""
    Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"{path.name}: {path.stat().st_size / 1000:,.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
