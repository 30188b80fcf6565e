"""The words in which measures are declared: facts, dimensions, counts, ratios, listings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from sqlalchemy import BigInteger, ColumnElement, Double, FromClause, Select, Table, TableClause, cast, column, func
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import CTE, Alias, ColumnClause, Subquery
from sqlalchemy.types import TypeEngine

from measures import schema


def _(text: str) -> str:
    """Marks a text for translation; it is translated where it is shown, because the reader is not known here."""
    return text


class Unit(Enum):
    """What a number is a number of; decides its format on screen and in files."""

    COUNT = "count"
    SHARE = "share"  # 0–1, shown as a percentage
    RATE = "rate"  # so many per 1,000, per customer …: one decimal
    DAYS = "days"
    INDEX = "index"  # 1.00 is on pace
    AMOUNT = "amount"


class Better(Enum):
    """The direction in which a measure is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Spread(Enum):
    """How far chance alone spreads a ratio: what its intervals, its limits and its order are reckoned by."""

    SHARES = "shares"  # so many of so many, each by itself: binomial
    RATES = "rates"  # events for so much that could have had one, of which each may have several: Poisson


class Placed(Enum):
    """How a fact lies in time."""

    EVENT = "event"  # a row happened on a day: counted in the period that holds the day
    BALANCE = "balance"  # a row lasts: counted on the last day of the period, never added up over days
    SNAPSHOT = "snapshot"  # only today's state is known: the same whatever the period


@dataclass(frozen=True, eq=False)
class Dimension:
    """What numbers are split by.

    `values` maps codes to the words for them, in the order in which they are shown; without it the data's own words are shown.
    `step` is the time step that the dimension cuts days into. A dimension `in_tree` is filtered by the sub-tree of a branch.
    One that is `elapsed` is a whole number of days, such as those that something was watched: what curves and projections are made
    of, and no filter.
    """

    name: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    step: str | None = None
    in_tree: bool = False
    named: bool = False  # groups by id, shows a name
    elapsed: bool = False

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Key:
    """Where a fact keeps a dimension: the id that is grouped by, and the name that is shown for it."""

    id: ColumnElement
    name: ColumnElement | None = None


@dataclass(frozen=True, eq=False)
class CustomerList:
    """The customer list that a row comes from: its id, and the last day on which it may be used (null: any)."""

    id: ColumnElement
    usable_until: ColumnElement


@dataclass(frozen=True, eq=False)
class Fact:
    """A table of events; `grain` says what one row of it is.

    `lookups` are joined only when an expression reads them: a warehouse without agents still answers by product.
    `whole` says, for some dimensions, which rows stand for all of their values: they alone are read when a question neither
    splits nor filters by one of these dimensions, and never when it does (a target for all products beside one for cards).
    `agent` tells whose customer a row is about, or whose work: an agent who looks sees the rows with their own id alone, and
    none of a fact that cannot tell. Rows of a `customer_list` that may no longer be used are counted, and not listed.
    """

    name: str
    grain: str
    source: FromClause
    branch: ColumnElement
    placed: Placed
    keys: Mapping[Dimension, Key]
    day: ColumnElement | None = None
    lookups: Mapping[FromClause, ColumnElement] = field(default_factory=dict)
    only: tuple[ColumnElement, ...] = ()
    whole: Mapping[frozenset[Dimension], ColumnElement] = field(default_factory=dict)
    agent: ColumnElement | None = None
    customer_list: CustomerList | None = None

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables of the contract that a row of this fact comes from, without lookups."""
        return frozenset(table for table, _column in reads(self.source, self.branch))

    def joined(self, place: FromClause, expressions: Iterable[ColumnElement], *, always: bool = True) -> FromClause:
        """The source, joined with the branches as `place` (only where `expressions` read them, unless `always`), and then with the
        lookups that `expressions` read."""
        wanted = {
            element.table
            for expression in expressions
            for element in visitors.iterate(expression)
            if isinstance(element, ColumnClause)
        }
        source = self.source
        if always or place in wanted:
            source = source.join(place, place.c.branch_id == self.branch)
        for lookup, on in self.lookups.items():
            if lookup in wanted:
                source = source.outerjoin(lookup, on)
        return source

    def needs(self, expression: ColumnElement) -> frozenset[Need]:
        """The columns of the contract that must be there to compute `expression` over this fact."""
        found = reads(expression, self.branch, *self.only) | reads(self.source)
        if self.day is not None:
            found |= reads(self.day)
        wanted = {element.table for element in visitors.iterate(expression) if isinstance(element, ColumnClause)}
        for lookup, on in self.lookups.items():
            if lookup in wanted:
                found |= reads(on) | reads(lookup)
        return found


class Derived(TableClause):
    """A table worked out from tables of the contract, whoever looks and on whatever day: `of` says how.

    An embedded warehouse holds it; elsewhere each statement that reads it works it out. The name in the warehouse changes with
    `of`, so that a file written by an older version is never read for what it does not hold.
    """

    inherit_cache = True

    def __init__(self, name: str, of: Select) -> None:
        version = hashlib.sha256(str(of).encode()).hexdigest()[:8]
        super().__init__(f"{name}_{version}", *(column(c.name, c.type) for c in of.selected_columns))
        self.of = of


Need = tuple[str, str]
"""Table and column of the contract."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measure:
    """A number with a meaning. Texts are msgids: English, translated where they are shown."""

    name: str
    label: str
    meaning: str
    unit: Unit
    better: Better = Better.NEITHER
    family: str = ""
    costly: bool = False
    """Whether each step of time costs a scan of its own: not drawn as a small line beside other numbers."""

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, kw_only=True)
class Count(Measure):
    """An aggregate over one fact.

    `adds_up` is False where parts overlap (distinct customers) or have no sum (a median).
    `absent` is what a group without rows means: 0, or None where nothing is known of it.
    `only_now` marks what is known for the data's date alone, such as the last use.
    `otherwise` answers where the warehouse lacks what this count needs.
    """

    fact: Fact
    of: ColumnElement
    adds_up: bool = True
    absent: int | None = 0
    only_now: bool = False
    settles: int = 0
    """For how many days after an event its count still grows much: the last steps of a series are not final for so long."""
    unit: Unit = Unit.COUNT
    otherwise: Count | None = None

    @property
    def type(self) -> TypeEngine:
        return BigInteger() if self.unit is Unit.COUNT else Double()

    @property
    def counts(self) -> tuple[Count, ...]:
        return (self,)

    @property
    def dimensions(self) -> frozenset[Dimension]:
        return frozenset(self.fact.keys)

    @property
    def has_history(self) -> bool:
        return self.fact.placed is not Placed.SNAPSHOT and not self.only_now

    @property
    def needs(self) -> frozenset[Need]:
        return self.fact.needs(self.of)

    def value(self, found: Mapping[Count, ColumnElement]) -> ColumnElement:
        return found[self]


@dataclass(frozen=True, eq=False, kw_only=True)
class Ratio(Measure):
    """One count over another, divided last.

    `spans` are dimensions that split only the upper count: complaints of one cause over all contracts. Over less than
    `fewest` of the lower count the ratio is shown, but not ranked and not named as the highest, the lowest or the most changed.
    """

    over: Count
    under: Count
    per: int = 1
    spans: frozenset[Dimension] = frozenset()
    never_by: frozenset[Dimension] = frozenset()
    """Dimensions that mean another thing in each of the two counts: who is complained about, and who sold the contract."""
    fewest: int = 30
    spread: Spread | None = Spread.SHARES
    """None where chance has no say (a target), or one we cannot reckon with (a customer's transactions hang together)."""
    unit: Unit = Unit.SHARE
    adds_up: bool = False

    @property
    def counts(self) -> tuple[Count, ...]:
        return (self.over, self.under)

    @property
    def dimensions(self) -> frozenset[Dimension]:
        return (self.over.dimensions & (self.under.dimensions | self.spans)) - self.never_by

    @property
    def has_history(self) -> bool:
        return self.over.has_history and self.under.has_history

    @property
    def needs(self) -> frozenset[Need]:
        return self.over.needs | self.under.needs

    @property
    def settles(self) -> int:
        return max(self.over.settles, self.under.settles)

    def value(self, found: Mapping[Count, ColumnElement]) -> ColumnElement:
        return cast(found[self.over], Double) * float(self.per) / func.nullif(cast(found[self.under], Double), 0.0)


@dataclass(frozen=True, eq=False)
class ListingColumn:
    """One column of a listing. Of personal data `of` is masked; `clear` is shown to those alone who may see it and ask for it."""

    name: str
    label: str
    of: ColumnElement
    unit: Unit | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    clear: ColumnElement | None = None

    @property
    def personal(self) -> bool:
        """Whether the column holds personal data."""
        return self.clear is not None


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows instead of numbers: who is to be called, which complaint is open. `order` ends in a key, so pages never shift."""

    name: str
    label: str
    meaning: str
    fact: Fact
    columns: tuple[ListingColumn, ...]
    order: tuple[ColumnElement, ...]

    @property
    def needs(self) -> frozenset[Need]:
        """What must be there to list anything at all; a column beyond that is left out where its own needs are missing."""
        return frozenset().union(*(self.fact.needs(key) for key in self.order))

    def __repr__(self) -> str:
        return self.name


def reads(*elements) -> frozenset[Need]:
    """The columns of the contract that `elements` read, inside sub-queries too."""
    found: set[Need] = set()
    seen: set[int] = set()
    waiting = list(elements)
    while waiting:
        element = waiting.pop()
        if id(element) in seen:
            continue
        seen.add(id(element))
        if isinstance(element, (Subquery, CTE)):
            waiting.extend(visitors.iterate(element.element))
        elif isinstance(element, ColumnClause) and element.table is not None:
            origin = element.table.element if isinstance(element.table, Alias) else element.table
            if isinstance(origin, Table) and origin.metadata is schema.metadata:
                found.add((origin.name, element.name))
            elif isinstance(element.table, (Subquery, CTE)):
                waiting.append(element.table)
            elif isinstance(element.table, Derived):
                waiting.extend(visitors.iterate(element.table.of))
        elif isinstance(element, FromClause) and not isinstance(element, (Table, Alias)):
            waiting.extend(visitors.iterate(element))
        else:
            waiting.extend(child for child in element.get_children() if not isinstance(child, (Table, Alias)))
    return frozenset(found)
