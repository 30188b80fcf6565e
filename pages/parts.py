"""What several pages are made of: a question asked, its answer drawn, the title written from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from measures.catalogue import LISTINGS
from measures.dimensions import BELOW, MONTH, PRODUCT
from measures.model import Dimension, Listing, Measure, Ratio
from measures.period import Period, first_days, last_day
from measures.question import BEFORE, CHANGE, CUMULATIVE, NAME, Order
from pages.desk import Asked, Desk
from presentation import charts, fairness, findings, table_view
from presentation import frame as drawn
from presentation.cards import Card, cards, headline, panel
from presentation.export_view import titled
from presentation.tables import Column, listing_table, table_of

MATURE = "mature_signed"
"""Counts the contracts whose window is over: where it is less than those signed, a rate over it is not final."""

BATCH = 50_000
"""Rows of a listing that are held in memory at once while a file is written."""


FOLLOWED = {BELOW: "branch", PRODUCT: "product"}
"""The dimensions whose values can be filtered by, and the names of these filters in the address."""


@dataclass(frozen=True)
class View:
    """A way to show the same numbers, as a switch calls it."""

    label: str


class Labelled(Protocol):
    """What a reader can choose by its label."""

    @property
    def label(self) -> str: ...


_Shown = TypeVar("_Shown", bound=Labelled)
_Measure = TypeVar("_Measure", bound=Measure)


def opening(desk: Desk, key: str, *names: str, also: Sequence[str] = (), headed: bool = True) -> None:
    """The page's answer in a sentence, from the first measure, and all measures as cards.

    `also` are measures that other parts show at the coarsest grain: asked along, because one question costs less than two.
    Measures that are not kept by product are asked without the product filter, and their cards say so.
    """
    measures = desk.known(*names)
    kept = [m for m in measures if not desk.filters.products or PRODUCT in m.dimensions]
    shown: list[Card] = []
    for group, along in ((kept, also), ([m for m in measures if m not in kept], ())):
        if not group:
            continue
        extra = [*(m.under for m in group if isinstance(m, Ratio)), *desk.known(*along)]
        if group is kept and desk.filters.products:
            # One that is not kept by product would take the filter from all that are asked with it.
            extra = [m for m in extra if PRODUCT in m.dimensions]
        asked = desk.ask(dict.fromkeys([*group, *extra]), compared=True)
        row = asked.answer.iloc[0]
        if headed and group[0].name == names[0]:
            headline(findings.moved(group[0], asked.answer, desk.say), desk.say(group[0].meaning))
        lined = [m for m in group if m.has_history and MONTH in m.dimensions and not m.costly]
        months = desk.ask(lined, [MONTH], period=desk.year_of_months).answer if lined else None
        settled = _settled(desk, lined, months) if lined else {}
        paces = _paces(desk, group)
        for measure in group:
            few = findings.doubt(measure, row, desk.say)
            shown.append(Card(measure, row, settled.get(measure.name), paces.get(measure.name), few, asked.ignored))
    cards(sorted(shown, key=lambda card: names.index(card.measure.name)), desk.look, desk.say, key=key)


def title_by(desk: Desk, by: Dimension) -> str:
    """The title of a table by one dimension: “By cause”, “By branch below Jiangbei”."""
    if by is BELOW:
        return desk.say("By branch below {branch}", branch=desk.filters.branch.name)
    return desk.say("By {dimension}", dimension=findings.within(desk.say(by.label), desk.say))


def choice(desk: Desk, key: str, options: Mapping[str, _Shown]) -> tuple[str, _Shown]:
    """Asks which of `options`, by their keys, is to stand below, and returns its key and itself; the first at first.

    What is not chosen is neither asked of the warehouse nor drawn: most of what a reader waits for is the browser's drawing.
    """
    # Not as the widget's default: beside a choice that a link has made, Streamlit would warn of two. And what was chosen once may not
    # be offered any more.
    if st.session_state.get(key) not in options:
        st.session_state[key] = next(iter(options))
    chosen = st.segmented_control(
        desk.say("Show"),
        list(options),
        required=True,
        format_func=lambda name: desk.say(options[name].label),
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen, options[chosen]


def one_of(desk: Desk, key: str, options: Sequence[_Measure]) -> _Measure:
    """The measure that the reader picks from a list of `options`, the first at first; of one alone there is nothing to pick."""
    if len(options) == 1:
        return options[0]
    named = {measure.name: measure for measure in options}
    chosen = st.selectbox(
        desk.say("Measure"),
        list(named),
        format_func=lambda name: desk.say(named[name].label),
        key=key,
        label_visibility="collapsed",
        persist_state="session",
        width=240,
    )
    return named[chosen]


def closer(desk: Desk, key: str, looks: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
    """Asks which of `looks`, labels (msgids) and what draws them by name, the reader wants to look at closer, and draws it.

    None at first: then nothing more is asked of the warehouse or drawn, and the page stays as quick as it is without them.
    """
    chosen = st.segmented_control(
        desk.say("Look closer"),
        list(looks),
        format_func=lambda name: desk.say(looks[name][0]),
        key=key,
        persist_state="session",
    )
    if chosen:
        looks[chosen][1]()


def trend(
    desk: Desk,
    name: str,
    key: str,
    by: Dimension | None = None,
    step: Dimension | None = None,
    above: Callable[[], None] | None = None,
) -> None:
    """The measure over time, split by `by` where it is given, in steps that suit the period's length; a rate that is one line alone
    between the ends of what chance leaves open. `above` draws what is to stand above the chart, in its frame."""
    measure = desk.measure(name)
    step = step or desk.step
    if not is_kept(desk, measure, *([by] if by else []), step):
        return
    grain = [*([by] if by else []), step]
    asked = desk.ask(with_counts(desk, measure, *grain), grain)
    growing = growing_from(desk, measure, days_of(asked.answer, step), step)
    few = findings.too_few(measure, asked.answer)
    rows = asked.answer[~few]
    alone = by is None or asked.answer[by.name].nunique(dropna=False) == 1
    intervals = _intervals(measure, asked.answer, few) if alone else None
    with panel(findings.course(measure, rows, by, step, growing, desk.say), meaning(desk, measure, step)):
        if above:
            above()
        drawn_as = {"step": step, "measure": measure, "look": desk.look, "key": key, "series": by}
        if intervals is None:
            charts.lines(rows, incomplete_from=growing, **drawn_as)
            say_few(desk, measure, few, desk.say("not drawn"))
        else:
            charts.lines(asked.answer, incomplete_from=growing, intervals=intervals, **drawn_as)
            between = desk.say("The pale band, or the thin line of a point by itself, holds the rate 95 times of 100.")
            st.caption(between, help=desk.say(fairness.HOW_BETWEEN))
            say_few(desk, measure, few & asked.answer[name].notna(), desk.say("hollow, beside the line"))
        say_ignored(desk, asked)


def _intervals(measure: Measure, answer: pd.DataFrame, few: pd.Series) -> list[charts.Interval] | None:
    """What is known of each row's rate; None where chance cannot be reckoned with, or there is no rate."""
    ends = fairness.intervals(measure, answer)
    if ends is None or answer[measure.name].isna().all():
        return None
    bases = answer[measure.under.name].fillna(0).tolist()
    return [charts.Interval(*row) for row in zip(*(end.tolist() for end in ends), bases, few.tolist(), strict=True)]


def pareto(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by one dimension, the largest first, beside the share of each and all before it."""
    measure = desk.measure(name)
    if not is_kept(desk, measure, by):
        return
    asked = desk.ask([measure], [by], order=[Order(name)], cumulative=True)
    with panel(findings.first_of(measure, asked.answer, by, desk.total(asked), desk.say), meaning(desk, measure, by)):
        if asked.answer.empty:
            st.caption(nothing(desk))
            return
        charts.pareto(
            asked.answer,
            id=by.name,
            name=shown_name(by),
            measure=measure,
            look=desk.look,
            key=key,
            cumulative=name + CUMULATIVE,
        )


def crossed(desk: Desk, name: str, x: Dimension, y: Dimension, key: str) -> None:
    """The measure by two dimensions as a matrix."""
    measure = desk.measure(name)
    if not is_kept(desk, measure, x, y):
        return
    asked = desk.ask(with_counts(desk, measure, y, x), [y, x])
    with panel(say_by(desk, [measure], [y, x]), meaning(desk, measure, y, x)):
        if asked.answer.empty:
            st.caption(nothing(desk))
            return
        few = findings.too_few(measure, asked.answer)
        charts.matrix(
            asked.answer.assign(**{name: asked.answer[name].mask(few)}),
            x=x,
            y=y,
            measure=measure,
            look=desk.look,
            key=key,
        )
        say_few(desk, measure, few, desk.say("not shown"))
        say_ignored(desk, asked)


def bands(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by ordered bands, such as the age of open items."""
    measure = desk.measure(name)
    if not is_kept(desk, measure, by):
        return
    asked = desk.ask([measure], [by])
    with panel(findings.first_of(measure, asked.answer, by, desk.total(asked), desk.say), meaning(desk, measure, by)):
        if asked.answer.empty:
            st.caption(nothing(desk))
            return
        charts.columns(asked.answer, id=by.name, name=by.name, measure=measure, look=desk.look, key=key)


def table(
    desk: Desk,
    key: str,
    title: str,
    names: Sequence[str],
    by: Sequence[Dimension],
    *,
    links: dict[str, str] | None = None,
    compared: bool = False,
) -> None:
    """Measures by dimensions as a table with its total, sorted by the server, and its files. `links` leads from a measure's
    column, or from the first column under the name "", to a page; only branches and products can be followed."""
    known = desk.known(*names)
    measures = [measure for measure in known if measure.dimensions.issuperset(by)]
    if not measures:
        if known:
            is_kept(desk, known[0], *by)
        return
    first = Order(measures[0].name)
    order, keep = table_view.order_state(key, first)
    endings = ("", BEFORE, CHANGE) if compared and desk.filters.against else ("",)
    if order.column not in {m.name + e for m in measures for e in endings} | {shown_name(d) for d in by}:
        order = first  # chosen when the warehouse still had that measure, or another period was compared with
    asked = desk.ask(measures, by, order=[order], compared=compared)
    changes = asked.question.against is not None
    leads = links and by[0] in FOLLOWED
    shown = table_of(asked.question, asked.answer, desk.total(asked), desk.say, changes=changes)
    with st.container(border=True):
        titled(title, shown, desk.about(len(asked.answer), asked.ignored, compared=changes), desk.say, key)
        say_ignored(desk, asked)
        table_view.show(
            shown,
            say=desk.say,
            key=key,
            empty=nothing(desk),
            order=order,
            on_order=keep,
            link=link_to(desk, by[0], links) if leads else None,
            on_pick=go if leads else None,
        )


def rows(desk: Desk, key: str, of: Dimension | Listing, *names: str, links: dict[str, str] | None = None) -> None:
    """The measures `names` by a dimension as a table; or, of a listing, its rows."""
    if isinstance(of, Listing):
        listing(desk, key, of.name)
    else:
        table(desk, key, title_by(desk, of), names, (of,), links=links)


def listing(desk: Desk, key: str, name: str) -> None:
    """Rows of a listing, a page at a time, and all of them as a file."""
    if name not in desk.state.catalogue.listings:
        needs(desk, desk.say(LISTINGS[name].label), name)
        return
    found = desk.state.catalogue.listing(name)
    question = desk.listing_question(found)
    order, keep = table_view.order_state(key, Order("", False))
    if order.column:
        question = desk.listing_question(found, [order])
    count = desk.warehouse.count(question, desk.viewer)
    page = table_view.page_state(key, count, of=question)
    rows = desk.warehouse.listing(question, desk.viewer, limit=page.size, offset=page.offset)
    shown = listing_table(question, rows, desk.say)
    warehouse, viewer = desk.warehouse, desk.viewer

    def batches() -> Iterable[pd.DataFrame]:
        for offset in range(0, max(count, 1), BATCH):
            yield warehouse.listing(question, viewer, limit=BATCH, offset=offset)

    with st.container(border=True):
        means = desk.say(found.meaning)
        titled(desk.say(found.label), shown, desk.about(count), desk.say, key, meaning=means, batches=batches)
        table_view.show(
            shown,
            say=desk.say,
            key=key,
            empty=desk.say("Nothing is open here."),
            order=order if order.column else None,
            on_order=keep,
            page=page,
        )


def steps(desk: Desk, path: Sequence[tuple[str, str | None]], key: str) -> None:
    """Counts that lead from one to the next; the second of each pair is the rate of going on from the one before."""
    row = desk.whole(*(name for pair in path for name in pair if name))
    found = [
        charts.Step(desk.say(desk.measure(count).label), row[count], row[share] if share else None)
        for count, share in path
    ]
    with panel(findings.steepest(found, desk.say), " → ".join(step.label for step in found)):
        charts.funnel(found, look=desk.look, key=key)


def halves() -> Sequence[st.delta_generator.DeltaGenerator]:
    """Two columns, one below the other on a phone."""
    return st.columns(2, gap="medium")


def needs(desk: Desk, what: str, *names: str) -> bool:
    """Whether the warehouse can answer all of `names`; where it cannot, the sentence that says why stands on the page."""
    lacking = desk.lacks(*names)
    if lacking:
        drawn.missing(what, lacking, desk.say)
    return not lacking


def nothing(desk: Desk) -> str:
    """Why there is nothing to see."""
    if desk.filters.products:
        return desk.say("Nothing in these days for these products. Choose a longer period or all products.")
    return desk.say("Nothing in these days at this branch. Choose a longer period or a branch further up.")


def say_by(desk: Desk, measures: Iterable[Measure], by: Iterable[Dimension]) -> str:
    """“Activation rate by product × age”."""
    named = desk.say.listed([desk.say(measure.label) for measure in measures])
    dimensions = " × ".join(findings.within(desk.say(d.label), desk.say) for d in by)
    return desk.say("{measures} by {dimensions}", measures=named, dimensions=dimensions) if dimensions else named


def is_kept(desk: Desk, measure: Measure, *by: Dimension) -> bool:
    """Whether the warehouse keeps `measure` by all of `by`; where it does not, the page says so."""
    lacking = [d for d in by if d not in measure.dimensions]
    if lacking:
        st.caption(not_kept(desk, measure, lacking))
    return not lacking


def not_kept(desk: Desk, measure: Measure, by: Iterable[Dimension]) -> str:
    """The sentence for dimensions that a measure cannot be split by."""
    return desk.say(
        "{measure} is not kept by {dimensions} in this warehouse.",
        measure=desk.say(measure.label),
        dimensions=desk.say.listed([desk.say(d.label) for d in by]),
    )


def with_counts(desk: Desk, measure: Measure, *by: Dimension) -> list[Measure]:
    """A rate beside both of its counts, which its statement has anyhow, so that too few can be told from enough. Alone where one of
    them is not kept by all that the rate is split and filtered by: complaints of one cause for all contracts."""
    if not isinstance(measure, Ratio):
        return [measure]
    wanted = {*by, *(d for d, ids in desk.filters.where().items() if ids and d in measure.dimensions)}
    return [measure, *(measure.counts if all(wanted <= count.dimensions for count in measure.counts) else ())]


def say_ignored(desk: Desk, asked: Asked) -> None:
    """Says which filters the numbers are not kept by, and so are not under."""
    if asked.ignored:
        listed = desk.say.listed([desk.say(d.label) for d in asked.ignored])
        st.caption(desk.say("for all: {dimensions}", dimensions=listed))


def say_few(desk: Desk, measure: Measure, few: pd.Series, where_they_are: str) -> None:
    """Says which rates of a chart stand for too few to be judged, and where they are in it."""
    number = len(few[few])
    if number and isinstance(measure, Ratio):
        st.caption(
            desk.say.plural(
                "{n} stands for fewer than {fewest} ({base}): {where}.",
                "{n} stand for fewer than {fewest} ({base}): {where}.",
                number,
                fewest=measure.fewest,
                base=desk.say(measure.under.label),
                where=where_they_are,
            )
        )


def shown_name(dimension: Dimension) -> str:
    return dimension.name + NAME if dimension.named else dimension.name


def meaning(desk: Desk, measure: Measure, *by: Dimension) -> str:
    grain = " × ".join(desk.say(d.label) for d in by)
    return f"{desk.say(measure.label)} · {grain} · {desk.say(measure.meaning)}"


def days_of(answer: pd.DataFrame, step: Dimension) -> list[date]:
    """The first days of the steps that the rows are about."""
    return answer[step.name].dt.date.tolist()


def growing_from(desk: Desk, measure: Measure, days: Iterable[date], step: Dimension) -> date | None:
    """The first of the steps whose number still grows: the running one, or one whose contracts and assignments are too young."""
    steps = sorted(set(days))
    if not steps:
        return None
    if MATURE in {count.name for count in measure.counts}:
        period = Period(min(steps[0], desk.filters.period.end), desk.filters.period.end)
        signed = desk.ask(desk.known("signed", MATURE), [step], period=period).answer
        young = signed[signed[MATURE] < signed["signed"]]
        return young[step.name].min().date() if len(young) else None
    settled_until = desk.state.data_until - timedelta(days=measure.settles)
    return next((day for day in steps if last_day(day, step.step) > settled_until), None)


def _settled(desk: Desk, measures: Iterable[Measure], months: pd.DataFrame) -> dict[str, list[float]]:
    """The months whose number no longer grows: a running or young one at the end of a small line would look like a fall.

    A month without rows is what the measure says it is without rows: none, or not known.
    """
    days = days_of(months, MONTH)
    year = list(first_days(desk.year_of_months, "month"))
    lines = {}
    for measure in measures:
        until = growing_from(desk, measure, days, MONTH)
        known = dict(zip(days, months[measure.name].tolist(), strict=True))
        absent = getattr(measure, "absent", None)
        line = [known.get(month, absent) for month in year if until is None or month < until]
        lines[measure.name] = [float(number) for number in line if pd.notna(number)]
    return lines


def _paces(desk: Desk, measures: Iterable[Measure]) -> dict[str, str]:
    """For measures with targets, how far along they are."""
    # Of several products some may have a target and some not: a card about all of them would stand beside the target of a part.
    parts = ("toward_target", "target", "pace") if len(desk.filters.products) <= 1 else ()
    aims = {m.name: desk.known(*(f"{m.name}_{part}" for part in parts)) for m in measures}
    asked = [part for aim in aims.values() for part in aim]
    row = desk.ask(asked).answer.iloc[0] if asked else None
    return {
        name: findings.pace(*(row[part.name] for part in aim), desk.say)
        for name, aim in aims.items()
        if aim and pd.notna(row[aim[-1].name])
    }


def link_to(desk: Desk, dimension: Dimension, links: dict[str, str]) -> Callable[[dict, Column], str | None]:
    parameter = FOLLOWED[dimension]

    def link(row: dict, column: Column) -> str | None:
        id_ = row[dimension.name]
        page = links.get("" if column.name.startswith(dimension.name) else column.name)
        if page is None or pd.isna(id_):
            return None
        return f"{page}?{urlencode(desk.filters.at(**{parameter: id_}))}"

    return link


def go(pick: dict) -> None:
    st.session_state["_go"] = pick["href"]
