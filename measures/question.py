"""A question: which measures, split by what, of which rows, in which days. What is asked, not how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from measures.dimensions import TIME
from measures.model import Dimension, Listing, Measure, _
from measures.period import Period

BEFORE = "_before"
"""Ends the name of an answer's column that holds the measure in the period compared with."""
CHANGE = "_change"
"""Ends the name of an answer's column that holds the measure less what it was before."""
CUMULATIVE = "_cumulative"
"""Ends the name of an answer's column that holds the share of a row and all rows before it in their sum."""
WITHHELD = "_withheld"
"""Ends the name of an answer's column that says of which rows the measure is withheld, because it is about few customers."""
NAME = "_name"
"""Ends the name of an answer's column that holds the name shown for an id."""


class Told(Exception):
    """An error that is a sentence for the reader: `text` is a msgid with the fields of `parts`, shown in the reader's language."""

    def __init__(self, text: str, **parts: str) -> None:
        super().__init__(text.format(**parts))
        self.text = text
        self.parts = parts


class QuestionError(Told):
    """A question that has no answer."""


@dataclass(frozen=True)
class Order:
    """A column of the answer to sort by: a measure's or a dimension's name, or one of them with an ending above."""

    column: str
    descending: bool = True


Where = tuple[tuple[Dimension, tuple[str | None, ...]], ...]
"""Dimension and the ids to keep; None keeps the rows where nothing is recorded."""


def where(chosen: Mapping[Dimension, Iterable[str | None]]) -> Where:
    """`chosen` as a question holds it; a dimension without values does not filter."""
    listed = ((dimension, tuple(values)) for dimension, values in chosen.items())
    return tuple((dimension, values) for dimension, values in listed if values)


@dataclass(frozen=True)
class Question:
    """Measures at a grain, of some rows, in a period, beside another period where it is compared.

    Raises QuestionError where a measure is not kept by a dimension asked for, or a balance is asked over more than one step.
    """

    measures: tuple[Measure, ...]
    period: Period
    by: tuple[Dimension, ...] = ()
    where: Where = ()
    against: Period | None = None
    order: tuple[Order, ...] = ()
    cumulative: bool = False
    """Whether the first measure's share of its sum, of each row and all before it, comes along; the measure adds up."""
    parent: str | None = field(default=None, kw_only=True)
    """The branch whose children `below` tells apart; where it is None, the branch of the viewer."""

    def __post_init__(self) -> None:
        if not self.measures:
            raise QuestionError(_("A question asks for at least one measure."))
        if len({d.name for d in self.by}) < len(self.by) or len({m.name for m in self.measures}) < len(self.measures):
            raise QuestionError(_("A question names each measure and each dimension once."))
        counts = {(count.name, id(count)) for measure in self.measures for count in (measure, *measure.counts)}
        if len({name for name, _id in counts}) < len(counts):
            raise QuestionError(_("A question names each measure and each dimension once."))
        if self.cumulative and not getattr(self.measures[0], "adds_up", False):
            raise QuestionError(
                _("{measure} does not add up, so it has no cumulative share."), measure=self.measures[0].name
            )
        steps = [dimension for dimension in self.by if dimension.step]
        if len(steps) > 1:
            raise QuestionError(
                _("{first} and {second} cannot be asked together; choose one step of time."),
                first=steps[0].label,
                second=steps[1].label,
            )
        if steps and self.against:
            raise QuestionError(
                _("A series over time is not compared with another period; ask for both periods apart.")
            )
        for measure in self.measures:
            for dimension in self.by:
                if dimension not in measure.dimensions:
                    raise _unsplit(measure, dimension)
            for dimension, _values in self.where:
                if dimension not in measure.dimensions:
                    raise _unsplit(measure, dimension)
        _check_filters(self.where)
        endings = ("", BEFORE, CHANGE) if self.against else ("",)
        columns = [d.name + ending for d in self.by for ending in (("", NAME) if d.named else ("",))]
        _check_order(self.order, [*columns, *(m.name + ending for m in self.measures for ending in endings)])

    @property
    def step(self) -> Dimension | None:
        """The time dimension asked for, or None."""
        return next((dimension for dimension in self.by if dimension.step), None)

    def total(self) -> Question:
        """The same question at the coarsest grain: what stands in the total row."""
        return replace(self, by=(), order=(), cumulative=False)


@dataclass(frozen=True)
class ListingQuestion:
    """Rows of a listing, of some branches and products, in a period. `order` is a column's name; empty: the listing's own.

    `clear` asks for personal data as they are, instead of masked.
    """

    listing: Listing
    period: Period
    where: Where = ()
    order: tuple[Order, ...] = ()
    clear: bool = False

    def __post_init__(self) -> None:
        for dimension, _values in self.where:
            if dimension not in self.listing.fact.keys:
                raise QuestionError(
                    _("The listing “{listing}” is not kept by {dimension}."),
                    listing=self.listing.name,
                    dimension=dimension.name,
                )
        _check_filters(self.where)
        _check_order(self.order, [column.name for column in self.listing.columns])


def _check_filters(chosen: Where) -> None:
    for dimension, ids in chosen:
        if dimension.elapsed:
            raise QuestionError(_("{name} makes curves; numbers are not filtered by it."), name=dimension.name)
        if dimension in TIME:
            raise QuestionError(_("Time is chosen by the period, not by a filter on {name}."), name=dimension.name)
        if not ids:
            raise QuestionError(_("The filter on {name} keeps nothing; leave it out to keep all."), name=dimension.name)


def _check_order(order: tuple[Order, ...], columns: list[str]) -> None:
    for by in order:
        if by.column not in columns:
            raise QuestionError(
                _("There is no column “{column}” to sort by. Known are: {known}."),
                column=by.column,
                known=", ".join(columns),
            )


def _unsplit(measure: Measure, dimension: Dimension) -> QuestionError:
    return QuestionError(
        _("{measure} is not kept by {dimension}; it can be split by: {known}."),
        measure=measure.name,
        dimension=dimension.name,
        known=", ".join(sorted(known.name for known in measure.dimensions)),
    )
