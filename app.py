"""One process of the server: it serves the dashboard that pages/frame.py draws, to pages of its own and nobody else's.

`python -m server` begins as many of them as there are cores; `streamlit run app.py` is one alone.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import exists, get_instance

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # the pages import measures, data_access and presentation from here

from data_access.journal import journal_of  # noqa: E402
from data_access.settings import SettingsError, settings  # noqa: E402
from data_access.warehouse import Warehouse, warehouse  # noqa: E402
from measures.question import Told  # noqa: E402
from panels import ready  # noqa: E402
from panels.writing import LINK, queue, remove_leftovers  # noqa: E402
from presentation.words import LANGUAGES, browser_language, words  # noqa: E402
from server.files import hand_over  # noqa: E402
from server.handed import handed_over  # noqa: E402
from server.layers import layers  # noqa: E402
from server.media import keep_files  # noqa: E402

log = logging.getLogger("dashboard")

COLLECTED = (100_000, 50, 1_000)
"""How many objects are left over before Python looks for circles among them, how often it then looks among older ones, and (hardly
ever) through all. A page's run makes tens of thousands and drops nearly all by itself."""

ALL_LOOKED_THROUGH = 600.0
"""Seconds between two looks through all that sessions and answers hold: tens to hundreds of milliseconds in which nobody is served.
With many readers Python by itself would look every few seconds."""


def _warehouse() -> Warehouse:
    """The warehouse as config.toml says it now. Raises SettingsError."""
    found = settings()
    return warehouse(found.url, found.days_off, found.access.fewest_customers, found.limits)


def health(_request: Request) -> JSONResponse:
    """Whether the server runs and the warehouse answers; says nothing about either to a stranger.

    No coroutine: Starlette runs it in a thread, because a warehouse that is slow to answer must not hold up every session.
    """
    try:
        _warehouse().state()
    except (Told, SettingsError):
        return JSONResponse({"status": "warehouse unavailable"}, status_code=503)
    return JSONResponse({"status": "ok"})


def look_for_circles(ended: threading.Event) -> None:
    """Frees what holds itself, such as the sessions of tabs that were closed, now and then until `ended`."""
    while not ended.wait(ALL_LOOKED_THROUGH):
        gc.collect()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Warms up, then takes what was imported out of the garbage collector's sight, which looks less long then. While it serves, new
    loads are looked for."""
    try:
        journal_of(settings().access).last()  # made at its first use, while nobody waits for it
        _warehouse().state()
    except (Told, SettingsError) as error:
        log.warning("%s", error)  # the pages say so too, and look again at every visit
    remove_leftovers()
    if exists():  # whoever runs this alone hands out no files
        keep_files(get_instance().media_file_mgr)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    ended = threading.Event()
    watching = threading.Thread(target=ready.watch, args=(_warehouse, ended), name="new loads", daemon=True)
    watching.start()
    looking = threading.Thread(target=look_for_circles, args=(ended,), name="circles", daemon=True)
    looking.start()
    async with handed_over(app):
        yield
    queue().close()
    ended.set()
    for thread in (watching, looking):
        await asyncio.to_thread(thread.join, 5)
    with suppress(Told, SettingsError):
        _warehouse().end()


def gone(request: Request) -> str:
    """What is said of a file that is saved already, cancelled, or too old."""
    language = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0]
    return words(browser_language(language))("This file is not kept any more. Make it again in the dashboard.")


def tell(error: Exception) -> bool:
    """Shows one sentence for an error nobody expected; the cause goes to the log under the same reference."""
    reference = uuid.uuid4().hex[:8]
    log.error("%s: a page failed", reference, exc_info=error)
    spoken = st.session_state.get("lang")  # whatever the browser sent, and perhaps what went wrong
    say = words(spoken if spoken in LANGUAGES else browser_language(st.context.locale))
    st.error(
        say(
            "This page could not be shown. Try again; if it stays so, tell the operator: {reference}.",
            reference=reference,
        ),
        icon=":material/error:",
    )
    return True


app = st.App(
    str(ROOT / "pages" / "frame.py"),
    routes=[Route("/health", health), Route(LINK + "{number}", hand_over(queue().ready, gone))],
    lifespan=lifespan,
    middleware=layers(),
    on_script_error=tell,
)
