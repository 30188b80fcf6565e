"""Asks after each load what readers will ask first, so that the first of them is answered as quickly as the next."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from data_access.settings import SettingsError
from data_access.warehouse import State, Warehouse
from measures.catalogue import Catalogue
from measures.question import Told
from panels.desk import Ask, Desk
from presentation.filters import is_untouched, opening, renewed

log = logging.getLogger(__name__)

LOOKS_EVERY = 2
"""Seconds between two looks at whether a load has come in. A file is looked at each time, a server as often as it is for readers."""

KEPT_SECONDS = 7 * 24 * 3600
"""What nobody has looked at for a week is not asked ahead any more."""

_lock = threading.Lock()
_seen: dict[tuple[str, str], tuple[float, Desk]] = {}
"""When each page was last seen by somebody of each role, from the top of the tree and under the filters it opens with, or asked so
because it was first opened under others."""

_first: dict[str, tuple[Catalogue, tuple[Ask, ...]]] = {}
"""What each page asked in the first run of a session, before anybody turned its switches."""


def asked_first(page: str, known: Catalogue) -> tuple[Ask, ...]:
    """What `page` asks whoever opens it: as somebody's first run of it did, of a warehouse with the same measures."""
    with _lock:
        catalogue, asked = _first.get(page, (None, ()))
    return asked if catalogue is known else ()


def note(page: str, desk: Desk, *, first: bool) -> None:
    """Remembers what `page` has asked in this run as whoever opens it first will see it; and asks that, where it was opened otherwise
    and nobody has seen it so."""
    if first and desk.asked:
        with _lock:
            _first[page] = (desk.state.catalogue, tuple(desk.asked))
    top = desk.warehouse.root()
    if not desk.asked or desk.viewer.branch_id != top or desk.viewer.agent_id:
        return
    seen = page, desk.viewer.role.value
    kept = replace(desk, asked=list(desk.asked), offers=None, _wholes={})
    if is_untouched(desk.filters, top):
        with _lock:
            _seen[seen] = (time.monotonic(), kept)
        return
    # Whoever came by a link has not seen the whole yet, nor has anybody else: it takes longest to be answered.
    with _lock:
        if seen in _seen:
            return
        kept = replace(kept, filters=opening(desk.places[top], desk.state.data_until, desk.say))
        _seen[seen] = (time.monotonic(), kept)
    kept.ask_ahead(kept.asked)


def ask_again(source: Warehouse, state: State) -> int:
    """Begins to look for what the pages seen lately will ask of this load; returns of how many. Raises WarehouseError."""
    with _lock:
        lately = sorted(_seen.values(), key=lambda seen: -seen[0])
    asked = 0
    for seen_at, desk in lately:
        # A load may bring measures or take some away: then the page itself decides what it asks.
        same = desk.warehouse is source and desk.state.catalogue is state.catalogue
        if not same or time.monotonic() - seen_at > KEPT_SECONDS:
            continue
        source.branches(desk.viewer)
        filters = renewed(desk.filters, state.data_until)
        if filters.against:
            source.unknown_before(filters.against.start)
        replace(desk, state=state, filters=filters).ask_ahead(desk.asked)
        asked += 1
    if asked:
        source.products()
    return asked


def watch(found: Callable[[], Warehouse], ended: threading.Event) -> None:
    """Looks for new loads of the warehouse that `found` gives until `ended`, also while nobody visits."""
    known: tuple[Warehouse, object] | None = None
    while not ended.is_set():
        try:
            source = found()
            state = source.state()
            # Without loads nobody says when the data change, and the version changes by the clock alone.
            if known and known[0] is source and known[1] != state.version and len(state.loaded):
                ask_again(source, state)
            known = (source, state.version)
        except (Told, SettingsError) as error:
            log.debug("%s", error)  # the pages say so
        except Exception:  # whatever it is: the next load is looked for all the same
            log.exception("What readers will ask could not be asked ahead")
        ended.wait(LOOKS_EVERY)


def forget() -> None:
    """Forgets which pages were seen."""
    with _lock:
        _seen.clear()
        _first.clear()
