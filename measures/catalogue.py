"""Every measure, dimension and listing by name, and which of them a given warehouse can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from measures import activation, complaints, follow_up, targets
from measures.dimensions import DIMENSIONS
from measures.model import Count, Derived, Dimension, Fact, Key, Listing, Measure, Need, Ratio, _
from measures.question import QuestionError
from measures.schema import metadata

MEASURES: dict[str, Measure] = {
    measure.name: measure for family in (activation, follow_up, complaints, targets) for measure in family.MEASURES
}
LISTINGS: dict[str, Listing] = {
    listing.name: listing for family in (follow_up, complaints) for listing in family.LISTINGS
}
DERIVED: tuple[Derived, ...] = follow_up.DERIVED
DIMENSION: dict[str, Dimension] = {dimension.name: dimension for dimension in DIMENSIONS}

WHOLE_CONTRACT: frozenset[Need] = frozenset(
    (table.name, column.name) for table in metadata.tables.values() for column in table.columns
)


@dataclass(frozen=True)
class Catalogue:
    """What one warehouse can answer: measures and listings by name, and for the others what it lacks for them.

    `missing` names tables (`agents`), or columns of tables that are there (`customers.name`).
    """

    measures: Mapping[str, Measure]
    listings: Mapping[str, Listing]
    missing: Mapping[str, tuple[str, ...]]

    def measure(self, name: str) -> Measure:
        """The measure of that name. Raises QuestionError: unknown, or what the warehouse lacks for it."""
        if name in self.measures:
            return self.measures[name]
        if name in MEASURES:
            raise self._lacking(name)
        raise QuestionError(
            _("There is no measure “{name}”. Known are: {known}."), name=name, known=", ".join(MEASURES)
        )

    def listing(self, name: str) -> Listing:
        """The listing of that name. Raises QuestionError: unknown, or what the warehouse lacks for it."""
        if name in self.listings:
            return self.listings[name]
        if name in LISTINGS:
            raise self._lacking(name)
        raise QuestionError(
            _("There is no listing “{name}”. Known are: {known}."), name=name, known=", ".join(LISTINGS)
        )

    def _lacking(self, name: str) -> QuestionError:
        return QuestionError(
            _("“{name}” cannot be shown: the warehouse has no {missing}."),
            name=name,
            missing=", ".join(self.missing[name]),
        )


def dimension(name: str) -> Dimension:
    """The dimension of that name. Raises QuestionError."""
    if name not in DIMENSION:
        raise QuestionError(
            _("There is no dimension “{name}”. Known are: {known}."), name=name, known=", ".join(DIMENSION)
        )
    return DIMENSION[name]


@lru_cache(maxsize=8)
def catalogue(present: frozenset[Need]) -> Catalogue:
    """The measures and listings that need nothing beyond the columns `present`, split by what these columns allow.

    Where a count has another source (`otherwise`) and only that one is present, the catalogue hands out the other one
    under the same name, so that nobody who asks has to know which it is.
    The same columns give the same objects, because a statement is written once for the measures it is asked for.
    """
    tables = {table for table, _column in present}
    facts: dict[Fact, Fact] = {}
    counts: dict[Count, Count | None] = {}

    # One object for each fact and count, however many measures share it: the statement groups counts by their fact.
    def narrowed(fact: Fact) -> Fact:
        if fact not in facts:
            kept = {d: key for d, key in fact.keys.items() if _needs_of_key(fact, key) <= present}
            # Without the column that tells whose a row is, an agent sees none: never all.
            agent = fact.agent if fact.agent is not None and fact.needs(fact.agent) <= present else None
            from_list = fact.customer_list
            if from_list and not fact.needs(from_list.id) | fact.needs(from_list.usable_until) <= present:
                from_list = None
            same = len(kept) == len(fact.keys) and agent is fact.agent and from_list is fact.customer_list
            facts[fact] = fact if same else replace(fact, keys=kept, agent=agent, customer_list=from_list)
        return facts[fact]

    def answerable(count: Count) -> Count | None:
        if count not in counts:
            if count.needs <= present:
                fact = narrowed(count.fact)
                counts[count] = count if fact is count.fact else replace(count, fact=fact)
            else:
                counts[count] = count.otherwise and answerable(count.otherwise)
        return counts[count]

    measures: dict[str, Measure] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for name, measure in MEASURES.items():
        parts = [answerable(count) for count in measure.counts]
        if None in parts:
            missing[name] = _in_words(measure.needs - present, tables)
        elif isinstance(measure, Ratio):
            measures[name] = replace(measure, over=parts[0], under=parts[1])
        else:
            measures[name] = parts[0]
    listings: dict[str, Listing] = {}
    for name, listing in LISTINGS.items():
        if listing.needs <= present:
            columns = tuple(c for c in listing.columns if listing.fact.needs(c.of) <= present)
            listings[name] = replace(listing, fact=narrowed(listing.fact), columns=columns)
        else:
            missing[name] = _in_words(listing.needs - present, tables)
    return Catalogue(measures, listings, missing)


def _needs_of_key(fact: Fact, key: Key) -> frozenset[Need]:
    return fact.needs(key.id) | (fact.needs(key.name) if key.name is not None else frozenset())


def _in_words(needs: frozenset[Need], tables: set[str]) -> tuple[str, ...]:
    return tuple(sorted({f"{table}.{column}" if table in tables else table for table, column in needs}))
