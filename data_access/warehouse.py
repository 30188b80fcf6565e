"""The one place where the warehouse is read: its engine, its state, and the answers to questions."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from cachetools import LRUCache
from pandas.api.extensions import ExtensionArray
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.engine.reflection import ObjectKind

from data_access import small_counts
from data_access.access import Viewer, unsound
from data_access.deadlines import Deadlines
from data_access.file_reader import FileReader, filled, written
from data_access.merging import answered, counted
from data_access.rollups import NEAR_THE_TOP, PREFIX, Rollup, depth, rollups_for
from data_access.settings import UNLIMITED, Limits
from data_access.sql import (
    Given,
    Scan,
    Source,
    Statement,
    Tree,
    branch_statement,
    event_statement,
    first_days_statement,
    listing_count,
    listing_statement,
    merged,
    product_statement,
    rollup_statement,
    root_statement,
    select_of,
    sources,
    statement,
    stored_beside,
    tree_statement,
    viewers_statement,
    withheld_count,
)
from data_access.turns import begun, drawing, reading, since
from measures.catalogue import DERIVED, Catalogue, catalogue
from measures.dimensions import OF_LEVEL
from measures.model import Derived, Dimension, Need, Unit, _
from measures.period import Period
from measures.question import BEFORE, CHANGE, CUMULATIVE, NAME, WITHHELD, ListingQuestion, Question, Told
from measures.schema import DAILY_EVENTS, DAY_OF, DEMO_SOURCE, EVENTS, REQUIRED, events, loads, metadata, viewers

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 5
"""How often a server is asked whether a new load has come in. A file is looked at before each answer: that costs nothing."""

POSTGRES_OPTIONS = {"connect_timeout": "5", "options": "-c jit=off"}
"""A server that is not there is not waited for; compiling statements of many small parts takes longer than running them."""

QUIET_START = timedelta(days=7)
"""A table that begins so much later than a period may have had a week without events; later, the days before are not known."""

TRIED_AGAIN_SECONDS = 60
"""A table that could not be read is not tried again at once: each try may take as long as a statement may."""

PAGE_KEPT = 1_000
"""A page of a listing on the screen is asked again at every click and kept; the batches of a file are not."""

STREAMED = 50_000
"""Rows of a file that are held at once."""

ROOMS = ("144MB", "288MB", "1GB")
"""What DuckDB may hold in a process that writes a file; what it sorts beyond that lies on the disk meanwhile. What cannot be answered
with the one is tried again with the next."""

LONGEST = "15min"
"""How long PostgreSQL may take for a file, however long for a page."""

AHEAD = max(2, os.cpu_count() or 2)
"""How many answers are looked for at once before they are fetched: more would make the first ones wait."""

SMALL_FILE = 1024**3
"""A page asks several questions at once. In a file below this size they are answered sooner each by one thread than each by all in
turn: of ten million contacts (0.9 GB, two cores) the Overview's took 102 ms instead of 88, but Activation's 84 instead of 121,
Follow-up's 56 instead of 86 and Complaints' 70 instead of 82; and sixty readers got a sixth more pages."""

NEAR = 200
"""So few branches are named one by one to an embedded engine, instead of being looked for among all in each part of a statement: a
quarter of the time of one about an outlet."""

BY_HAND = 50
"""An answer of so few rows is made column by column in Python in half the time that it takes what Arrow has for millions."""

CACHED_BYTES = 256 * 1024 * 1024

STATEMENTS = 4_096
"""So many finished texts are kept, of some ten thousand characters each: about as many as pages have under all periods and levels of
branches. To write one anew takes longer than to answer it."""

_ARROW = {"str": pa.string(), "Int64": pa.int64(), "float64": pa.float64(), "datetime64[s]": pa.timestamp("s")}
_STRING = pd.StringDtype("python", na_value=np.nan)
_PANDAS = {pa.string(): _STRING, pa.int64(): pd.Int64Dtype()}
"""Types of columns by the names that pandas has for them; a cast in Arrow takes a tenth of the time of one in pandas. Texts are
Python's own: to draw a page from its few rows takes three quarters of the time that it takes from Arrow's."""

pd.options.mode.string_storage = "python"  # what pandas makes of them is not to be Arrow's either

_ANSWER, _COLUMN, _CELL, _TEXT = 6_000, 2_000, 16, 100
"""About how many bytes an answer takes by itself, with the values it was asked with; each of its columns; a number and a text in it.
Most answers are short, and most of their bytes are not in their rows."""


class WarehouseError(Told):
    """The warehouse cannot be read. `reference` stands in the log beside the cause."""


class TooMuch(WarehouseError):
    """A question took more time, memory or rows than the limits permit. The warehouse is well, and answers a narrower one."""


_NO_ANSWER = _("The warehouse does not answer. Try again in a minute; if it stays so, tell the operator: {reference}.")
_TOO_LONG = _(
    "This took longer than {seconds} s and was stopped. Choose a branch further down or a shorter period; if it stays so, tell the "
    "operator: {reference}."
)
_TOO_LARGE = _(
    "This needs more memory than the warehouse may take. Choose a branch further down or a shorter period; if it stays so, tell the "
    "operator: {reference}."
)
_TOO_MANY = _(
    "This splits into more than {most} rows, which no page can show. Choose fewer dimensions, a branch further down or a shorter "
    "period."
)


@dataclass(frozen=True)
class State:
    """What is known of the warehouse as it stands: `version` changes with every load."""

    version: object
    data_until: date
    loaded: pd.DataFrame
    """One row for each table that a load names: table_name, loaded_at, rows, source, data_until."""
    is_demo: bool
    present: frozenset[Need]
    paths: Mapping[str, str]
    """The paths of all branches by their ids."""
    tree: Tree
    """The branches in the order of their paths."""
    levels: Mapping[Dimension, int]
    """How deep the deepest branch of each level lies."""
    stored: frozenset[str]
    """The derived tables that the warehouse holds."""
    rollups: tuple[Rollup, ...]
    """The rollups that the warehouse holds for this load."""
    outdated: tuple[str, ...]
    """The tables with rollups of another load, or of another version of the project; none of them is read."""
    catalogue: Catalogue


class Withheld(NamedTuple):
    """How many customer lists, with how many rows, are left out of a listing, because they may no longer be used."""

    lists: int
    rows: int


@dataclass(frozen=True)
class Asked:
    """What is to be asked for a file: the finished statement, in which is decided who sees what. Another process can ask it."""

    url: str = field(repr=False)  # it may hold a password
    text: str
    parameters: object
    types: Mapping[str, str]
    version: object


class _Kept(NamedTuple):
    answer: pd.DataFrame
    bytes: int


@dataclass
class _Together:
    """A question that is read together with others: its statement alone, its statement over the tables that the scans give,
    how many of these are missing yet, and those that are there (None: could not be read)."""

    state: State
    alone: Statement
    answer: Statement
    types: Mapping[str, str]
    coming: Future
    missing: int = 0
    tables: dict[str, pa.Table | None] = field(default_factory=dict)


class Warehouse:
    """A warehouse at a URL. It is read-only; a file that is replaced by a new load is picked up by the next question.

    `today` tells the date at each question: lists that may no longer be used then are not listed. Who may see what is asked is
    decided by the viewer's role; what it does not permit is Refused. Of fewer than `fewest_customers` no number is told to who may
    not see listings. What takes more than `limits` is TooMuch, and disturbs nothing else that is asked.
    """

    def __init__(
        self,
        url: str,
        days_off: tuple[tuple[date, int], ...] = (),
        fewest_customers: int = small_counts.FEWEST_CUSTOMERS,
        today: Callable[[], date] = date.today,
        limits: Limits = UNLIMITED,
    ) -> None:
        self._url = make_url(url)
        self._days_off = days_off
        self._fewest_customers = fewest_customers
        self._today = today
        self._limits = limits
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._reader: FileReader | None = None
        self._temporary: str | None = None
        self._version: object = None
        self._state: State | None = None
        self._looked_at = 0.0
        self._first_known: tuple[object, frozenset[str], dict[str, date]] = (None, frozenset(), {})
        self._unreadable: tuple[object, float, dict[str, date]] = (None, 0.0, {})
        self._unreadable_lock = threading.RLock()
        self._viewers: tuple[object, float, tuple[tuple[str, ...], ...]] | None = None
        self._answers: LRUCache = LRUCache(CACHED_BYTES, getsizeof=lambda kept: kept.bytes)
        self._coming: dict[object, Future] = {}
        self._ahead = ThreadPoolExecutor(max_workers=AHEAD, thread_name_prefix="ahead")
        self._deadlines = Deadlines()
        self._compiled = lru_cache(maxsize=STATEMENTS)(self._compile)

    # What is asked ----------------------------------------------------------------------------------------------

    def state(self) -> State:
        """What is known of the warehouse now. Raises WarehouseError."""
        if (known := self._state) is not None:
            if self._is_file:
                if self._file_version() == self._version:
                    return known
            elif time.monotonic() - self._looked_at <= LOOK_AGAIN_SECONDS:
                return known
        with drawing.left_to_others(), self._lock:  # in this order: see Turns
            if self._is_file or time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS or self._state is None:
                self._move_to_newest()
                self._looked_at = time.monotonic()
            return self._state

    def fetch(self, question: Question, viewer: Viewer, seen_on: date | None = None) -> pd.DataFrame:
        """The answer: for each dimension a column of ids (days for a step of time) and, where it has one, `…_name`; for each measure
        a column, and `…_before` for the period compared with. Counts are whole numbers, shares 0–1, missing where nothing
        can be told. Numbers of few customers are withheld from viewers who may not see listings, and for each measure a column
        `…_withheld` says where. `seen_on`: as it would have been answered when the data ended on that day, had they said of the days
        up to then what they say now; what is known for one day alone (customers, the last use) is as of now. The period ends by
        that day. Raises Refused, WarehouseError, QuestionError."""
        state = self.state()
        if seen_on is not None:
            # Rollups were made of what is seen on the data's own date.
            state = replace(state, data_until=min(seen_on, state.data_until), rollups=())
        if small_counts.is_guarded(question, viewer):
            return self._withheld(state, question, viewer)
        answer = self._cached(state, statement(question, viewer, self._given(state)), _types_of(question))
        # Before a table's first day no number is known: 0 would be read as one.
        if question.against and (unknown := self._begin_after(question.against.start)):
            for measure in question.measures:
                if any(unknown.keys() & count.fact.tables for count in measure.counts):
                    for column in (measure.name + BEFORE, measure.name + CHANGE):
                        answer[column] = answer[column].mask(answer[column].notna())
        return answer

    def _withheld(self, state: State, question: Question, viewer: Viewer) -> pd.DataFrame:
        """The answer for a viewer who may not know of few customers."""
        given = replace(self._given(state), data_until=small_counts.last_month_over(state.data_until))
        put = small_counts.guarded(question, viewer, given.data_until)
        looks = small_counts.looks(
            put, state.catalogue, min(self._first_days(state).values(), default=put.period.start)
        )
        found = [self._cached(state, statement(look, viewer, given), _types_of(look)) for look in looks]
        cells = small_counts.cells(put, state.catalogue, found, looks, self._fewest_customers)
        answer = self._cached(state, statement(put, viewer, given), _types_of(put))
        answer = small_counts.withhold(put, answer, cells)
        if question.against:
            for measure in question.measures:
                for ending in (BEFORE, CHANGE):
                    answer[measure.name + ending] = answer[measure.name].mask(answer[measure.name].notna())
                    answer[measure.name + ending + WITHHELD] = True
        return answer

    def fetch_ahead(self, questions: Iterable[Question], viewer: Viewer) -> None:
        """Begins to look for answers that will be fetched soon, several at a time; whoever fetches one waits for it alone.

        What goes wrong is told to whoever fetches.
        """
        with suppress(Told):
            self._read_ahead(questions, viewer)

    def _read_ahead(self, questions: Iterable[Question], viewer: Viewer) -> None:
        state = self.state()
        given = self._given(state)
        alone, shared = [], []
        for question in dict.fromkeys(questions):
            together = not small_counts.is_guarded(question, viewer) and _reads_much(question, viewer, state)
            (shared if together else alone).append(question)
        # What is known, or coming, needs no scan.
        unread = [q for q in shared if not self._is_kept(state, statement(q, viewer, given))]
        scans, answers = merged(unread, viewer, given)
        wanted = {
            place: _Together(state, statement(unread[place], viewer, given), answer, _types_of(unread[place]), Future())
            for place, answer in answers.items()
        }
        with self._lock:
            for together in wanted.values():
                self._coming.setdefault(self._key(state, together.alone), together.coming)
        for scan in scans:
            for table in scan.tables:
                wanted[table.question].missing += 1
        for scan in scans:
            self._ahead.submit(self._on_behalf, since(), self._scan, scan, wanted)
        for question in [*alone, *(q for place, q in enumerate(unread) if place not in answers)]:
            self._ahead.submit(self._on_behalf, since(), self.fetch, question, viewer)

    @staticmethod
    def _on_behalf(began: float, work: Callable[..., object], *what: object) -> None:
        """Works for a page that was begun at `began`: in its turn."""
        with begun(began), drawing.one():
            work(*what)

    def _scan(self, scan: Scan, wanted: Mapping[int, _Together]) -> None:
        """Reads for several questions. Whichever has all its tables then gets its answer; one that lacks any is asked alone."""
        try:
            read = self._arrow(scan.statement, pa.schema([(n, _arrow_type(t)) for n, t in scan.columns.items()]))
            tables = [counted(read, table) for table in scan.tables]
        except TooMuch as error:
            # To ask each alone would let its readers wait as long again, one after the other.
            for question in {table.question for table in scan.tables}:
                self._give_up(wanted[question], error)
            return
        except Exception as error:
            log.warning("What was asked together is asked alone: %s", error)
            tables = [None] * len(scan.tables)
        for table, rows in zip(scan.tables, tables, strict=True):
            question = wanted[table.question]
            with self._lock:
                question.tables[table.name] = rows
                question.missing -= 1
                complete = not question.missing
            if complete:
                self._answer(question)

    def _give_up(self, question: _Together, error: TooMuch) -> None:
        key = self._key(question.state, question.alone)
        with self._lock:
            if self._coming.get(key) is question.coming:
                del self._coming[key]
            if not question.coming.done():  # another scan for it may have taken too much as well
                question.coming.set_exception(error)

    def _answer(self, question: _Together) -> None:
        key = self._key(question.state, question.alone)
        try:
            if any(rows is None for rows in question.tables.values()):
                raise LookupError("a scan failed")
            rows = answered(question.answer.text, question.tables)
            _demand_few(rows.num_rows, self._limits.rows)
            answer = _in_pandas(rows, question.types)
        except Exception as error:
            log.warning("What was asked together is asked alone: %s", error)
            with suppress(Exception):  # told to whoever fetches
                self._read_for_all(key, question.coming, question.alone, question.types)
        else:
            self._keep(key, question.coming, answer)

    def unknown_before(self, day: date) -> dict[str, date]:
        """The tables of events that begin after `day`, each with the first day on which it holds anything. Raises WarehouseError."""
        return {table: first for table, first in self._begin_after(day).items() if first < date.max}

    def listing(
        self, question: ListingQuestion, viewer: Viewer, *, limit: int | None = None, offset: int = 0
    ) -> pd.DataFrame:
        """`limit` rows of the listing after the first `offset`, one column for each of its columns. Raises Refused, WarehouseError."""
        state = self.state()
        asked, types = listing_statement(question, viewer, self._given(state)), _types_of_listing(question)
        if limit is not None or offset:
            # Only the digits of two integers join the text; a statement with LIMIT as a parameter is not known to all engines.
            asked = Statement(_page(asked.select, limit, offset), asked.parameters)
        if limit is not None and limit <= PAGE_KEPT:
            return self._cached(state, asked, types)
        return self._read(asked, types)

    def asked(self, question: ListingQuestion, viewer: Viewer) -> Asked:
        """All rows of the listing, to be asked later by `stream`, in another process too. Raises Refused, WarehouseError."""
        state = self.state()
        found = listing_statement(question, viewer, self._given(state))
        text, parameters = self._compiled(found.text)
        url = self._url.render_as_string(hide_password=False)
        return Asked(url, text, parameters(found.parameters), _types_of_listing(question), state.version)

    def stream(self, asked: Asked, scratch: Path | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as the engine finds them, `STREAMED` at a time: one statement, sorted once. With a folder `scratch` the engine
        holds little, and takes one core. Raises WarehouseError, also where a load has come in since it was asked."""
        with self._lock:
            if self._engine is None:
                self._open()
        if self._is_file and self._file_version() != asked.version:
            raise WarehouseError(_("New data were loaded meanwhile. Make the file again."))
        with self._connected() as connection:
            yield from (_batches if self._is_file else _partitions)(connection, asked, scratch)

    def count(self, question: ListingQuestion, viewer: Viewer) -> int:
        """How many rows the listing has. Raises Refused, WarehouseError."""
        state = self.state()
        found = self._cached(state, listing_count(question, viewer, self._given(state)), {"rows": "Int64"})
        return int(found["rows"].iloc[0])

    def withheld(self, question: ListingQuestion, viewer: Viewer) -> Withheld:
        """How much is left out of the listing, because it is of customer lists that may no longer be used: the rest of what
        `viewer` would see. Raises Refused, WarehouseError."""
        if question.listing.fact.customer_list is None:
            return Withheld(0, 0)
        state = self.state()
        asked = withheld_count(question, viewer, self._given(state))
        (found,) = self._cached(state, asked, {"lists": "Int64", "rows": "Int64"}).itertuples(index=False)
        return Withheld(int(found.lists), int(found.rows))

    def branches(self, viewer: Viewer) -> pd.DataFrame:
        """The branches that `viewer` may see, top down: branch_id, name, parent_id, level, path. Raises WarehouseError."""
        state = self.state()
        asked = branch_statement(viewer, self._given(state))
        return self._cached(state, asked, dict.fromkeys(("branch_id", "name", "parent_id", "level", "path"), "str"))

    def events(self, period: Period, branch_id: str, product_ids: Iterable[str], viewer: Viewer) -> pd.DataFrame:
        """What happened in `period` to the branch, or to one below or above it that `viewer` may see, and to one of the products or
        to all (none: to any): happened_on, branch_id, label, the earliest first. Empty where the warehouse keeps no events.
        Raises Refused, WarehouseError."""
        state = self.state()
        types = {"happened_on": "datetime64[s]", "branch_id": "str", "label": "str"}
        if not {(events.name, name) for name in types} <= state.present:
            return pd.DataFrame({name: pd.Series(dtype=type_) for name, type_ in types.items()})
        by_product = (events.name, events.c.product_id.name) in state.present
        given = self._given(state)
        asked = event_statement(period, branch_id, tuple(product_ids), viewer, given, by_product=by_product)
        return self._cached(state, asked, types)

    def products(self) -> pd.DataFrame:
        """The products: product_id, name, family. Raises WarehouseError."""
        return self._cached(self.state(), product_statement(), dict.fromkeys(("product_id", "name", "family"), "str"))

    def sql(self, question: Question, viewer: Viewer) -> str:
        """The statement that answers `question`, its values written into it, as it can be pasted into the engine's own shell:
        for people, never for running. Raises Refused."""
        given = replace(self._given(self.state()), near=0)
        return f"{self._written(statement(question, viewer, given))};"

    def _written(self, asked: Statement) -> str:
        """The statement with its values in it."""
        # A driver that marks parameters with % has every other % doubled; "named" leaves them as they are.
        dialect = type(self._engine.dialect)(paramstyle="named")
        filled = asked.select.params(asked.parameters)
        return str(_with_values(dialect)(dialect, filled, compile_kwargs={"literal_binds": True}))

    def sources(self, question: Question, viewer: Viewer) -> tuple[Source, ...]:
        """Where the answer to `question` is read: each fact in each period, or a rollup of it. Raises WarehouseError."""
        return sources(question, viewer, self._given(self.state()))

    def rollups(self) -> dict[str, str]:
        """For each rollup that this warehouse can have of its latest load its name, and the SELECT that gives its rows. None where
        nothing says which load is the latest: nobody could tell when they are out of date. Raises WarehouseError."""
        state = self.state()
        return {
            rollup.name: self._written(rollup_statement(rollup, self._given(state)))
            for rollup in rollups_for(state.present, state.data_until, _load_of(state.loaded))
        }

    def fingerprint(self, question: Question | ListingQuestion, viewer: Viewer) -> str:
        """The SHA-256 of what is asked of the engine for `question`: the statement and its values. Raises WarehouseError."""
        given = self._given(self.state())
        asked = (
            statement(question, viewer, given)
            if isinstance(question, Question)
            else listing_statement(question, viewer, given)
        )
        values = json.dumps(sorted(asked.parameters.items()), default=str, ensure_ascii=False)
        text, _parameters = self._compiled(asked.text)
        return hashlib.sha256(f"{text}\n{values}".encode()).hexdigest()

    def root(self) -> str:
        """The branch at the top of the tree: where a viewer of head office stands. Raises WarehouseError."""
        found = self._cached(self.state(), root_statement(), {"branch_id": "str"})
        if found.empty:
            raise WarehouseError(_("The warehouse has no head office: no branch without a parent."))
        return str(found["branch_id"].iloc[0])

    def viewers(self) -> tuple[tuple[str, ...], ...] | None:
        """Who may see what, as the warehouse says it: person, role, branch_id, agent_id, each empty where null. None where it does
        not say so. Not older than `LOOK_AGAIN_SECONDS`, whether or not a load has come in. Raises WarehouseError."""
        state, now = self.state(), time.monotonic()
        if self._viewers and self._viewers[0] == state.version and now - self._viewers[1] < LOOK_AGAIN_SECONDS:
            return self._viewers[2]
        if not {(viewers.name, c.name) for c in viewers.c if not c.info["optional"]} <= state.present:
            return None
        agents = (viewers.name, viewers.c.agent_id.name) in state.present
        found = self._read(viewers_statement(agents=agents), dict.fromkeys((c.name for c in viewers.c), "str"))
        rows = tuple(found.fillna("").itertuples(index=False, name=None))
        # With the time before the reading: of two that read at once, the one that ends last may have begun first.
        self._viewers = (state.version, now, rows)
        return rows

    @property
    def where(self) -> str:
        """The address, without a password, and without options: a driver may be given one among them."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @property
    def days_off(self) -> tuple[tuple[date, int], ...]:
        """The calendar's exceptions: -1 for a holiday on a weekday, +1 for a working day at a week-end."""
        return self._days_off

    # How it is read ---------------------------------------------------------------------------------------------

    @property
    def _is_file(self) -> bool:
        return self._url.get_backend_name() == "duckdb"

    def _first_days(self, state: State, tables: frozenset[str] | None = None) -> dict[str, date]:
        """For each table of events, or of `tables`, that holds anything, the first day on which it does."""
        tables = tables or _tables_with_days(state)
        if not tables:
            return {}
        version, of, known = self._first_known
        if version == state.version and of == tables:  # each question asks for them
            return known
        asked = first_days_statement(tables)
        found = self._cached(state, asked, {"table_name": "str", "first_day": "datetime64[s]"}).dropna()
        known = dict(zip(found["table_name"], found["first_day"].dt.date, strict=True))
        self._first_known = (state.version, tables, known)
        return known

    def _begin_after(self, day: date) -> dict[str, date]:
        """What `unknown_before` says; with the tables that cannot be read, under the last day there is: one of them is no reason to
        answer nothing about the others."""
        state = self.state()
        found = self._around_unreadable(state)
        if found is None:
            try:
                found = self._first_days(state)
            except WarehouseError:
                with drawing.left_to_others(), self._unreadable_lock:
                    found = self._around_unreadable(state) or self._each_first_day(state)
        return {table: first for table, first in found.items() if first > day + QUIET_START}

    def _around_unreadable(self, state: State) -> dict[str, date] | None:
        """The first days as they were read lately, one table after the other, because not all of them could be."""
        version, tried_at, found = self._unreadable
        return found if version == state.version and time.monotonic() - tried_at < TRIED_AGAIN_SECONDS else None

    def _each_first_day(self, state: State) -> dict[str, date]:
        self.state()  # where the whole warehouse is gone, each table would say so again
        found: dict[str, date] = {}
        for table in sorted(_tables_with_days(state)):
            try:
                found |= self._first_days(state, frozenset({table}))
            except WarehouseError:
                found[table] = date.max
        self._unreadable = (state.version, time.monotonic(), found)
        return found

    def _given(self, state: State) -> Given:
        near = NEAR if self._is_file else 0
        return Given(
            state.data_until,
            state.paths,
            self._days_off,
            state.stored,
            self._today(),
            state.rollups,
            state.levels,
            state.tree,
            near,
        )

    def _cached(self, state: State, asked: Statement, types: Mapping[str, str]) -> pd.DataFrame:
        """The answer from the cache, whose key is the finished statement: below the viewer's scope, so that nobody is handed
        another's rows."""
        key = self._key(state, asked)
        coming = None
        with self._lock:
            if (kept := self._answers.get(key)) is None and (coming := self._coming.get(key)) is None:
                self._coming[key] = mine = Future()
        if kept is None:
            if coming:
                with drawing.left_to_others():
                    kept = coming.result()
            else:
                kept = self._read_for_all(key, mine, asked, types)
        return kept.answer.copy(deep=False)  # pandas copies on write: what a page changes stays its own

    def _key(self, state: State, asked: Statement) -> object:
        text, parameters = self._compiled(asked.text)
        return (state.version, text, _hashable(parameters(asked.parameters)))

    def _is_kept(self, state: State, asked: Statement) -> bool:
        key = self._key(state, asked)
        with self._lock:
            return key in self._answers or key in self._coming

    def _read_for_all(self, key: object, coming: Future, asked: Statement, types: Mapping[str, str]) -> _Kept:
        """Reads what nobody has read yet, for the cache and for whoever asks the same in the meantime."""
        try:
            answer = self._read(asked, types, self._limits.rows, in_turn=True)
        except BaseException as error:
            with self._lock:
                self._coming.pop(key, None)
            coming.set_exception(error)
            raise
        return self._keep(key, coming, answer)

    def _keep(self, key: object, coming: Future, answer: pd.DataFrame) -> _Kept:
        row = sum(_TEXT if isinstance(type_, pd.StringDtype) else _CELL for type_ in answer.dtypes)
        kept = _Kept(answer, _ANSWER + _COLUMN * len(answer.columns) + row * len(answer))
        with self._lock:
            self._coming.pop(key, None)
            if kept.bytes < CACHED_BYTES:
                self._answers[key] = kept
        coming.set_result(kept)
        return kept

    def _read(
        self, asked: Statement, types: Mapping[str, str], most: int | None = None, *, in_turn: bool = False
    ) -> pd.DataFrame:
        """The rows; raises TooMuch where they are more than `most`: a part of them would be taken for all."""
        text, parameters = self._compiled(asked.text)
        values = parameters(asked.parameters)
        with self._failing():
            if self._is_file:
                rows = self._from_file(text, values, in_turn=in_turn)
                _demand_few(rows.num_rows, most)
                return _in_pandas(rows, types)
            with drawing.left_to_others(), self._connected() as connection:
                rows = connection.exec_driver_sql(text, values)
                found = rows.fetchall()
            _demand_few(len(found), most)
            return pd.DataFrame(found, columns=list(rows.keys()), dtype=object).astype(types)

    def _arrow(self, asked: Statement, columns: pa.Schema) -> pa.Table:
        text, parameters = self._compiled(asked.text)
        values = parameters(asked.parameters)
        with self._failing():
            if self._is_file:
                return self._from_file(text, values, in_turn=True).cast(columns)
            with drawing.left_to_others(), self._connected() as connection:
                rows = connection.exec_driver_sql(text, values).mappings().fetchall()
            return pa.Table.from_pylist([dict(row) for row in rows], columns)

    def _from_file(self, text: str, values: Sequence[object], *, in_turn: bool) -> pa.Table:
        """`in_turn`: as what pages ask. Whether a load has come in is looked at out of turn: everybody waits for it."""
        if (reader := self._reader) is None:
            raise duckdb.ConnectionException("The warehouse was let go of.")
        asked = filled(text, values)
        with drawing.left_to_others(), reading.one() if in_turn else nullcontext():
            return reader.ask(asked, self._in_time)

    def _compile(self, text: sa.Select | Hashable) -> tuple[str, Callable[[Mapping[str, object]], object]]:
        """The finished text, and what makes its parameters of the values that a statement has. Of the SELECT nothing is kept."""
        compiled = select_of(text).compile(dialect=self._engine.dialect)
        spelt = compiled.escaped_bind_names or {}
        wanted = [
            (spelt.get(name, name), bind.key, bind.effective_value, bind.required)
            for bind, name in compiled.bind_names.items()
        ]
        order = tuple(compiled.positiontup) if compiled.positional else None

        def parameters(values: Mapping[str, object]) -> object:
            found = {name: values[key] if required else values.get(key, value) for name, key, value, required in wanted}
            return found if order is None else tuple(found[name] for name in order)

        return compiled.string, parameters

    @contextmanager
    def _connected(self, engine: Engine | None = None) -> Iterator[sa.Connection]:
        """A connection; what goes wrong on it becomes a sentence."""
        with self._failing(), (engine or self._engine).connect() as connection:
            yield connection

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What goes wrong within the block becomes a sentence with a reference, the cause goes to the log."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, duckdb.Error, OSError, ValueError, TypeError) as error:
            reference = uuid.uuid4().hex[:8]
            log.error("%s: the warehouse %s failed: %s", reference, self.where, error)
            if too_much := _exceeded(error):
                raise TooMuch(too_much, reference=reference, seconds=f"{self._limits.statement_seconds}") from error
            self._looked_at, self._version = 0.0, None  # the next question opens it anew
            raise WarehouseError(_NO_ANSWER, reference=reference) from error

    def _in_time(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """Stops what the embedded engine does in the block when it takes too long; servers stop by themselves."""
        seconds = self._limits.statement_seconds
        return nullcontext() if seconds is None else self._deadlines.within(seconds, stop)

    def _move_to_newest(self) -> None:
        version = self._file_version() if self._is_file else None
        if self._state is not None and version is not None and version == self._version:
            return
        if self._state is None or self._is_file:
            self._open()
        try:
            state = self._look()
        except Told as error:
            self.close()
            if isinstance(error, TooMuch):  # nothing was chosen yet that could be narrowed
                raise WarehouseError(_NO_ANSWER, reference=error.parts.get("reference", "")) from error
            raise
        if version is None:
            version = (state.loaded.to_csv(), state.data_until) if len(state.loaded) else time.monotonic() // 60
        if version != self._version:
            self._answers.clear()  # those of an older version are hardly ever asked for again
        self._version = version
        self._state = State(**{**state.__dict__, "version": version})

    def _file_version(self) -> object:
        path = Path(self._url.database or "")
        try:
            found = path.stat()
        except OSError:
            self.close()
            raise WarehouseError(
                _(
                    "There is no warehouse at {path}. Build the demo bank with “make demo”, load your own files with "
                    "“python -m data_access load”, or set the address in config.toml."
                ),
                path=path.name,
            ) from None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _open(self) -> None:
        before, self._engine = self._engine, self._server() if not self._is_file else self._file()
        self._state, self._version = None, None
        if before is not None:  # only now: a reader in between is answered by the old one
            before.dispose()

    def _file(self) -> Engine:
        path = Path(self._url.database)
        # DuckDB hands out one database for each path of a process, so a file renamed into place would not be noticed: each
        # version is opened under a name of its own, which is taken away as soon as the file is open.
        link = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.open")
        try:
            os.link(path, link)
        except OSError:  # a folder that may not be written to: the new file is seen once all readers have let go
            link = path
            self.close()
        engine = _read_only(self._url.set(database=str(link)))
        try:
            with self._connected(engine) as connection:
                for setting in self._settings(path, "streams"):
                    connection.exec_driver_sql(setting)
                self._reader = FileReader(link, self._settings(path, "pages"))
        except WarehouseError as error:
            engine.dispose()
            self.close()
            raise WarehouseError(
                _("The warehouse {path} cannot be read; load it again. Tell the operator: {reference}."),
                path=path.name,
                reference=error.parts["reference"],
            ) from error
        finally:
            if link != path:
                link.unlink(missing_ok=True)
        return engine

    def _settings(self, path: Path, purpose: str) -> Iterator[str]:
        """What is set in an engine that has the file at `path` open. What does not fit into its memory lies in a folder of its own,
        named by its `purpose`: it would use the warehouse's, which may be read-only or served from elsewhere."""
        # The days of balances lie in many rows' lifetimes each: to sort all rows for so few of them takes twice as long.
        yield "SET GLOBAL nested_loop_join_threshold = 64"
        yield f"SET GLOBAL temp_directory = {written(f'{self._overflow()}/{purpose}-{uuid.uuid4().hex[:8]}')}"
        if self._limits.memory:
            yield f"SET GLOBAL memory_limit = {written(self._limits.memory)}"
        if path.stat().st_size < SMALL_FILE:
            yield "SET GLOBAL threads = 1"
        elif self._limits.threads:
            yield f"SET GLOBAL threads = {self._limits.threads}"

    def _overflow(self) -> str:
        """The folder for what does not fit into memory, gone with this warehouse or the process."""
        if self._temporary is None:
            self._temporary = tempfile.mkdtemp(prefix="dashboard-overflow-")
            self._gone = weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        return self._temporary

    def end(self) -> None:
        """Lets go of the warehouse for good, at the end of the process: what was to be looked for ahead is not begun any more, and
        temporary files go."""
        self._ahead.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for coming in self._coming.values():  # whoever waits for what nobody will look for
                if not coming.done():
                    coming.set_exception(WarehouseError(_NO_ANSWER, reference=""))
            self._coming.clear()
        self.close()
        if self._temporary:
            self._gone()

    def close(self) -> None:
        """Lets go of the warehouse; the next question opens it again."""
        # The engine stays: another thread may be about to ask it, and gets an error that is a sentence.
        if self._engine is not None:
            self._engine.dispose()
        self._reader = None
        self._state, self._version = None, None

    def _server(self) -> Engine:
        url = self._url
        if url.get_backend_name() == "postgresql":
            options = [POSTGRES_OPTIONS["options"]]
            if seconds := self._limits.statement_seconds:
                options.append(f"-c statement_timeout={seconds}s")
            given = dict(url.query)
            # The address comes last: what it says holds.
            given["options"] = " ".join([*options, given.get("options", "")]).strip()
            url = url.update_query_dict(POSTGRES_OPTIONS | given)
        try:
            return sa.create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8)
        except (sa.exc.ArgumentError, ImportError) as error:
            raise WarehouseError(
                _(
                    "Nothing here can read a warehouse of the kind {kind}: install its SQLAlchemy driver, or correct the address."
                ),
                kind=url.drivername,
            ) from error

    def _look(self) -> State:
        present = self._present()
        tables = {table for table, _column in present}
        lacking = [
            needed
            for table in REQUIRED
            for needed in (
                [
                    f"{table.name}.{c.name}"
                    for c in table.c
                    if not c.info["optional"] and (table.name, c.name) not in present
                ]
                if table.name in tables
                else [table.name]
            )
        ]
        if lacking:
            raise WarehouseError(
                _(
                    "The warehouse lacks {tables}; without it nothing can be shown. “python -m data_access check” lists all."
                ),
                tables=", ".join(lacking),
            )
        tree = self._read(tree_statement(), dict.fromkeys(("branch_id", "parent_id", "level", "path"), "str"))
        if (branch := unsound(tree.itertuples(index=False))) is not None:
            raise WarehouseError(
                _(
                    "The tree of branches is not sound at {branch}, so nobody can be told what is theirs; “python -m data_access "
                    "check” lists all that is wrong."
                ),
                branch=str(branch),
            )
        names = [column.name for column in loads.columns]
        if {(loads.name, name) for name in names} <= present:
            types = {"loaded_at": "datetime64[s]", "data_until": "datetime64[s]", "rows": "Int64"}
            loaded = self._read(Statement(sa.select(loads), {}), {name: types.get(name, "str") for name in names})
        else:
            loaded = pd.DataFrame(columns=names)
        data_until = self._data_until(loaded, present)
        held = self._rollup_tables()
        usable = tuple(r for r in rollups_for(present, data_until, _load_of(loaded)) if r.name in held)
        return State(
            version=None,
            data_until=data_until,
            loaded=loaded,
            is_demo=len(loaded) > 0 and bool((loaded["source"] == DEMO_SOURCE).all()),
            present=present,
            paths=(paths := dict(zip(tree["branch_id"], tree["path"], strict=True))),
            tree=Tree(paths),
            levels={OF_LEVEL[level]: max(map(depth, paths)) for level, paths in tree["path"].groupby(tree["level"])},
            stored=frozenset(derived.name for derived in DERIVED if _is_stored(derived, present)),
            rollups=usable,
            outdated=tuple(sorted(held - {rollup.name for rollup in usable})),
            catalogue=catalogue(present),
        )

    def _rollup_tables(self) -> set[str]:
        with self._connected() as connection:
            return {name for name in sa.inspect(connection).get_table_names() if name.startswith(PREFIX)}

    def _data_until(self, loaded: pd.DataFrame, present: frozenset[Need]) -> date:
        """The last day that all daily tables have in full; without loads, the last day on which anything is recorded.

        Monthly counts and surveys run late by nature: they decide only where nothing else is there.
        """
        for tables in (DAILY_EVENTS, EVENTS):
            known = loaded.loc[loaded["table_name"].isin([table.name for table in tables])].dropna(subset="data_until")
            if len(known):
                # A bank may keep its earlier loads: of each table the latest counts.
                return known.groupby("table_name")["data_until"].max().min().date()
        days = [
            sa.select(sa.func.max(sa.cast(day, sa.Date)).label("day"))
            for table, day in DAY_OF.items()
            if (table, day.name) in present
        ]
        yesterday = self._today() - timedelta(days=1)
        if not days:
            return yesterday
        last = self._read(Statement(sa.union_all(*days), {}), {"day": "datetime64[s]"})["day"].max()
        return yesterday if pd.isna(last) else min(last.date(), yesterday)

    def _present(self) -> frozenset[Need]:
        with self._connected() as connection:
            names = [*metadata.tables]
            found = sa.inspect(connection).get_multi_columns(kind=ObjectKind.ANY, filter_names=names)
            return frozenset((name, column["name"]) for (_schema, name), columns in found.items() for column in columns)


def _load_of(loaded: pd.DataFrame) -> str:
    """What tells the latest load from every other; empty where the warehouse does not say."""
    return loaded.sort_values([*loaded.columns]).to_csv(index=False) if len(loaded) else ""


@lru_cache(maxsize=4)
def warehouse(
    url: str,
    days_off: tuple[tuple[date, int], ...] = (),
    fewest_customers: int = small_counts.FEWEST_CUSTOMERS,
    limits: Limits = UNLIMITED,
) -> Warehouse:
    """The warehouse at `url`, one for the whole process."""
    return Warehouse(url, days_off, fewest_customers, limits=limits)


def _tables_with_days(state: State) -> frozenset[str]:
    return frozenset(table for table, column in state.present if table in DAY_OF and DAY_OF[table].name == column)


def _demand_few(rows: int, most: int | None) -> None:
    if most is not None and rows > most:
        raise TooMuch(_TOO_MANY, most=f"{most:,}")


def _exceeded(error: Exception) -> str | None:
    """The sentence for a statement that was stopped because it took too much; None for any other failure."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, duckdb.InterruptException) or getattr(cause, "sqlstate", None) == "57014":
        return _TOO_LONG
    if isinstance(cause, duckdb.OutOfMemoryException) or getattr(cause, "sqlstate", None) in ("53200", "53400"):
        return _TOO_LARGE
    return None


def _read_only(url: URL) -> Engine:
    # Each statement stands alone: to begin and end a transaction around it takes a tenth of the time of a small one.
    return sa.create_engine(
        url,
        connect_args={"read_only": True},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_size=8,
        max_overflow=16,
        pool_reset_on_return=None,
    )


def _with_values(dialect: sa.Dialect) -> type[sa.Compiled]:
    """The compiler of `dialect`, with days written as days: in a list of values a bare text would stay a text."""

    class Compiler(dialect.statement_compiler):
        def render_literal_value(self, value: object, type_: sa.types.TypeEngine) -> str:
            return (
                f"DATE '{value.isoformat()}'" if isinstance(value, date) else super().render_literal_value(value, type_)
            )

    return Compiler


@lru_cache(maxsize=512)
def _page(rows: sa.Select, limit: int | None, offset: int) -> sa.Select:
    return rows.limit(sa.literal_column(str(int(limit))) if limit is not None else None).offset(
        sa.literal_column(str(int(offset))) if offset else None
    )


def _batches(connection: sa.Connection, asked: Asked, scratch: Path | None) -> Iterator[pa.RecordBatch]:
    """The rows from DuckDB."""
    wanted = _schema(asked)
    if scratch is None:
        rows = connection.exec_driver_sql(asked.text, asked.parameters)
    else:
        folder = str(scratch).replace("'", "''")
        for what in ("threads = 1", "preserve_insertion_order = false", f"temp_directory = '{folder}'"):
            connection.exec_driver_sql(f"SET GLOBAL {what}")
        # Arrow's own keeps what was let go for the next batch, beside what DuckDB holds.
        pa.set_memory_pool(pa.system_memory_pool())
        rows = _in_little_room(connection, asked)
    for batch in rows.cursor.to_arrow_reader(STREAMED):
        yield batch.cast(wanted, safe=False)


def _in_little_room(connection: sa.Connection, asked: Asked) -> sa.CursorResult:
    """The rows, found in the least of the rooms that is enough."""
    for room in ROOMS:
        connection.exec_driver_sql(f"SET GLOBAL memory_limit = '{room}'")
        try:
            return connection.exec_driver_sql(asked.text, asked.parameters)
        except sa.exc.DBAPIError as error:
            failed = error
            if not isinstance(error.orig, duckdb.OutOfMemoryException):
                break
    raise failed


def _partitions(connection: sa.Connection, asked: Asked, _scratch: Path | None) -> Iterator[pa.RecordBatch]:
    """The rows from a server, by a cursor of its own where it has such."""
    wanted = _schema(asked)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LONGEST}'")
    rows = connection.execution_options(stream_results=True).exec_driver_sql(asked.text, asked.parameters)
    for part in rows.partitions(STREAMED):
        frame = pd.DataFrame(part, columns=list(asked.types), dtype=object).astype(asked.types)
        yield pa.RecordBatch.from_pandas(frame, wanted, preserve_index=False)


def _schema(asked: Asked) -> pa.Schema:
    return pa.schema([(name, _ARROW[type_]) for name, type_ in asked.types.items()])


def _types_of_listing(question: ListingQuestion) -> dict[str, str]:
    return {c.name: "Int64" if c.unit is Unit.COUNT else _type_of(c.of.type) for c in question.listing.columns}


def _reads_much(question: Question, viewer: Viewer, state: State) -> bool:
    """Whether a question reads so many rows that reading them once for several questions pays: near the top of the tree, and without
    rollups. Elsewhere two statements are planned and answered sooner than one for both."""
    tops = [(viewer.branch_id,), *(ids for dimension, ids in question.where if dimension.in_tree)]
    return not state.rollups and all(min(depth(state.paths.get(i or "")) for i in ids) <= NEAR_THE_TOP for ids in tops)


def _is_stored(derived: Derived, present: frozenset[Need]) -> bool:
    beside, names = stored_beside(derived)
    return {(beside.name, name) for name in names.values()} <= present


def _types_of(question: Question) -> dict[str, str]:
    types = {}
    for dimension in question.by:
        types[dimension.name] = "datetime64[s]" if dimension.step else "Int64" if dimension.elapsed else "str"
        if dimension.named:
            types[dimension.name + NAME] = "str"
    for ending in ("", BEFORE, CHANGE) if question.against else ("",):
        types |= {m.name + ending: "Int64" if m.unit is Unit.COUNT else "float64" for m in question.measures}
    if question.cumulative:
        types[question.measures[0].name + CUMULATIVE] = "float64"
    return types


def _in_pandas(rows: pa.Table, types: Mapping[str, str]) -> pd.DataFrame:
    if rows.num_rows <= BY_HAND:
        columns = zip(rows.column_names, rows.columns, strict=True)
        return pd.DataFrame({name: _by_hand(found, types[name]) for name, found in columns}, copy=False)
    wanted = pa.schema([(name, _ARROW[types[name]]) for name in rows.column_names])
    # Not safe: a time keeps its seconds alone, as it does in pandas.
    return rows.cast(wanted, safe=False).to_pandas(types_mapper=_PANDAS.get, use_threads=False)


def _by_hand(found: pa.ChunkedArray, type_: str) -> np.ndarray | ExtensionArray:
    """A column of an answer, of the type that pandas calls so."""
    if type_ == "datetime64[s]":
        return found.cast(_ARROW[type_], safe=False).to_numpy()
    values = found.to_pylist()
    if type_ == "str":
        return pd.array(values, dtype=_STRING)
    if type_ == "Int64":
        missing = np.array([value is None for value in values], dtype=bool)
        return pd.arrays.IntegerArray(np.array([value or 0 for value in values], dtype=np.int64), missing)
    return np.array(values, dtype=type_)


def _arrow_type(kind: sa.types.TypeEngine) -> pa.DataType:
    if isinstance(kind, sa.Date):
        return pa.date32()
    if isinstance(kind, sa.Integer):
        return pa.int64()
    return pa.float64() if isinstance(kind, (sa.Numeric, sa.Float)) else pa.string()


def _type_of(kind: sa.types.TypeEngine) -> str:
    if isinstance(kind, (sa.Date, sa.DateTime)):
        return "datetime64[s]"
    if isinstance(kind, sa.Integer):
        return "Int64"
    return "float64" if isinstance(kind, sa.Numeric) else "str"


def _hashable(parameters: object) -> object:
    return tuple(sorted(parameters.items())) if isinstance(parameters, dict) else parameters
