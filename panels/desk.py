"""What a page works with: who is looking, the filters, the words, and a way to ask.

Here the two halves of the project meet: questions go to the warehouse, answers to presentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from data_access.access import Viewer
from data_access.journal import Action, Journal, JournalError, Taken
from data_access.settings import Access
from data_access.warehouse import State, Warehouse
from measures.dimensions import BRANCH, DAY, MONTH, PRODUCT, WEEK
from measures.model import Dimension, Listing, Measure
from measures.period import Period, year_of_months
from measures.question import ListingQuestion, Order, Question, QuestionError, Where, where
from presentation.charts import Look
from presentation.filters import Filters, Place, in_words
from presentation.tables import About
from presentation.words import Words

if TYPE_CHECKING:
    from panels.views import View


@dataclass(frozen=True)
class Ask:
    """What a page asks, whatever the filters: a question without its rows and days."""

    measures: tuple[Measure, ...]
    by: tuple[Dimension, ...] = ()
    compared: bool = False
    order: tuple[Order, ...] = ()
    cumulative: bool = False
    of_a_year: bool = False
    """Whether it is asked of the year of months, not of the filters' period."""
    stepped: bool = False
    """Whether its step of time is the one that suits the period's length, and another one for another period."""


@dataclass(frozen=True)
class Asked:
    """A question of the page, its answer, and the filters that its measures are not kept by."""

    question: Question
    answer: pd.DataFrame
    ignored: tuple[Dimension, ...] = ()


@dataclass(frozen=True)
class Desk:
    """One visit's view of the warehouse."""

    warehouse: Warehouse
    state: State
    viewer: Viewer
    filters: Filters
    places: Mapping[str, Place]
    products: dict[str, str]
    say: Words
    look: Look
    scope: str
    came_by_link: bool
    access: Access
    journal: Journal
    reader: str
    """What the reader is called, beside their id."""
    holds: Callable[[], bool] = lambda: True
    """Whether the reader is still given the role and branch of this run: asked when a file is taken, which may be long after."""
    offers: Callable[[View, str], None] | None = None
    """Takes a part of the page and its title into a meeting; None where there is none to take it into."""
    url: Callable[[], str | None] = lambda: st.context.url
    """The address of the page, without parameters; None where nobody visits one."""
    own_parameters: dict[str, str] = field(default_factory=dict)
    """What a page adds to the address beside the shared filters."""
    asked: list[Ask] = field(default_factory=list)
    """What this run has asked, in its order."""
    _taken: list[Taken | JournalError] = field(default_factory=list)
    _wholes: dict[tuple[Measure, Where, Period], pd.DataFrame] = field(default_factory=dict)
    """What this run has asked at the coarsest grain: of each measure the answer that holds it."""

    def measure(self, name: str) -> Measure:
        return self.state.catalogue.measure(name)

    def known(self, *names: str) -> list[Measure]:
        """Those of the measures named that this warehouse can answer."""
        return [self.measure(name) for name in names if name in self.state.catalogue.measures]

    def lacks(self, *names: str) -> list[str]:
        """The tables and columns that are missing for any of the measures and listings named."""
        return sorted({need for name in names for need in self.state.catalogue.missing.get(name, ())})

    def ask(
        self,
        measures: Iterable[Measure],
        by: Iterable[Dimension] = (),
        *,
        compared: bool = False,
        order: Iterable[Order] = (),
        period: Period | None = None,
        cumulative: bool = False,
    ) -> Asked:
        """The measures under the page's filters, in its period, beside the period compared with if `compared`.

        A filter that one of the measures is not kept by is left out for all of them and named in `ignored`, so that numbers
        side by side are always about the same rows.
        """
        ask = Ask(tuple(measures), tuple(by), compared, tuple(order), cumulative)
        self._note(ask, period)
        question, ignored = self._question(ask, period)
        answer = self.warehouse.fetch(question, self.viewer)
        if not question.by:
            self._wholes.update({(m, question.where, question.period): answer for m in question.measures})
        return Asked(question, answer, ignored)

    def total(self, asked: Asked) -> pd.DataFrame:
        """The same question at the coarsest grain, asked of the warehouse: once a run, however many parts show it."""
        question = asked.question.total()
        keys = {m.name: (m, question.where, question.period) for m in question.measures}
        if question.against or not all(key in self._wholes for key in keys.values()):
            return self.warehouse.fetch(question, self.viewer)
        return pd.DataFrame({name: self._wholes[key][name] for name, key in keys.items()}, copy=False)

    def whole(self, *names: str) -> pd.Series:
        """The measures named under the page's filters, at the coarsest grain."""
        question, ignored = self._question(Ask(tuple(self.known(*names))))
        return self.total(Asked(question, pd.DataFrame(), ignored)).iloc[0]

    def ask_ahead(self, asked: Iterable[Ask]) -> None:
        """Begins to look for the answers to what the page has asked in its last run, under the filters of this one.

        A page asks one thing after another; most of what it will ask is known before it begins.
        """
        questions = []
        for ask in asked:
            if ask.stepped:
                ask = replace(ask, by=tuple(self.step if d.step else d for d in ask.by))
            with suppress(QuestionError):
                question, _ignored = self._question(ask, self.year_of_months if ask.of_a_year else None)
                questions.append(question)
        self.warehouse.fetch_ahead(questions, self.viewer)

    def _note(self, ask: Ask, period: Period | None) -> None:
        if period == self.year_of_months:
            self.asked.append(replace(ask, of_a_year=True))
        elif period is None:
            self.asked.append(replace(ask, stepped=self.step in ask.by))

    def _question(self, ask: Ask, period: Period | None = None) -> tuple[Question, tuple[Dimension, ...]]:
        filters = {d: ids for d, ids in self.filters.where().items() if ids}
        ignored = self.ignored(ask.measures)
        question = Question(
            measures=ask.measures,
            period=period or self.filters.period,
            by=ask.by,
            where=where({d: ids for d, ids in filters.items() if d not in ignored}),
            against=self.filters.against if ask.compared else None,
            order=ask.order,
            cumulative=ask.cumulative,
            parent=self.filters.branch.id,
        )
        return question, ignored

    def ignored(self, measures: Iterable[Measure]) -> tuple[Dimension, ...]:
        """The filters that one of the measures is not kept by."""
        chosen = [d for d, ids in self.filters.where().items() if ids]
        measures = tuple(measures)
        return tuple(d for d in chosen if any(d not in m.dimensions for m in measures))

    def under(self, ignored: Iterable[Dimension] = (), *, compared: bool = False) -> list[tuple[str, str]]:
        """The filters that numbers are under, as label and value: all but those `ignored`, and if `compared` the period for that."""
        words = {BRANCH: self.say("Branch"), PRODUCT: self.say("Product")}
        left_out = {words[d] for d in ignored} | (set() if compared else {self.say("Compared with")})
        return [f for f in in_words(self.filters, self.products, self.say) if f[0] not in left_out]

    def listing_question(self, listing: Listing, order: Iterable[Order] = ()) -> ListingQuestion:
        """The rows of `listing` under the page's filters."""
        chosen = {d: ids for d, ids in self.filters.where().items() if d in listing.fact.keys}
        return ListingQuestion(listing, self.filters.period, where(chosen), tuple(order))

    @property
    def step(self) -> Dimension:
        """The step of time that suits the length of the period: days, weeks or months."""
        days = self.filters.period.days
        return DAY if days <= 31 else WEEK if days <= 120 else MONTH

    @property
    def year_of_months(self) -> Period:
        """The twelve months up to the period's last day: what a sparkline shows."""
        return year_of_months(self.filters.period.end)

    def taken_today(self) -> Taken:
        """What the reader has taken away today; asked once a run. Raises JournalError."""
        if not self._taken:
            try:
                self._taken.append(self.journal.taken_today(self.viewer.person, Action.EXPORT))
            except JournalError as error:
                self._taken.append(error)
        if isinstance(self._taken[0], JournalError):
            raise self._taken[0]
        return self._taken[0]

    def about(self, rows: int, ignored: Iterable[Dimension] = (), *, compared: bool = False) -> About:
        """What stands on the second sheet of a file: the filters that its numbers are under, and no others."""
        url = self.url()
        return About(
            filters=self.under(ignored, compared=compared),
            scope=self.scope,
            data_until=self.state.data_until,
            person=self.viewer.person,
            made_at=datetime.now(),
            link=url and f"{url}?{urlencode({**self.filters.address, **self.own_parameters})}",
            row_count=rows,
        )


def here() -> Desk:
    """The desk that the frame has laid for this run."""
    return st.session_state["desk"]
