"""What a page says about what it shows: titles and meanings, and the sentences for what is missing, ignored or too few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

import pandas as pd
import streamlit as st

from data_access.warehouse import TooMuch, WarehouseError
from measures.dimensions import BELOW
from measures.model import Dimension, Measure, Ratio, _
from measures.question import NAME, QuestionError, Told
from panels.desk import Asked, Desk
from presentation import findings, withheld
from presentation import frame as drawn
from presentation.exhibit import Note
from presentation.plain import plain
from presentation.units import day_shown

_Given = ParamSpec("_Given")
_NOT_KEPT = _("{measure} is not kept by {dimensions} in this warehouse.")


class NotKept(QuestionError):
    """A measure that cannot be split by what is asked for; the names in it are in the reader's words already."""


def refusing(part: Callable[Concatenate[Desk, _Given], None]) -> Callable[Concatenate[Desk, _Given], None]:
    """A part of a page that says in its place why its question has no answer, for this reader or at all; the rest of the page
    stands. Where the whole warehouse is gone, the page ends."""

    @wraps(part)
    def drawn_or_told(desk: Desk, *given: _Given.args, **named: _Given.kwargs) -> None:
        try:
            part(desk, *given, **named)
        except (QuestionError, WarehouseError) as error:
            say_why(desk, given, error)

    return drawn_or_told


def say_why(desk: Desk, given: Iterable[object], error: Told) -> None:
    """Says why a part that was `given` its measures, or their names, is not shown. Raises WarehouseError where the whole warehouse is
    gone."""
    if isinstance(error, NotKept):
        st.caption(desk.say.told(error))
    elif isinstance(error, QuestionError):
        st.info(desk.say.told(error), icon=":material/visibility_off:")
    elif isinstance(error, TooMuch):
        st.warning(named(desk, given, error), icon=":material/hourglass_disabled:")
    else:
        desk.warehouse.state()
        st.error(named(desk, given, error), icon=":material/error:")


def named(desk: Desk, given: Iterable[object], failed: Told) -> str:
    """The sentence of a part that failed, after what it is about: the measures it was given, or the first one it was told to show."""
    known = desk.state.catalogue.measures
    flat = [part for each in given for part in (each if isinstance(each, list | tuple) else [each])]
    about = [part for part in flat if isinstance(part, Measure)]
    about = about or [known[part] for part in flat if isinstance(part, str) and part in known][:1]
    sentence = desk.say.told(failed)
    if not about:
        return sentence
    return desk.say("{name}: {values}", name=desk.say.listed([desk.say(m.label) for m in about]), values=sentence)


def nothing(desk: Desk) -> str:
    """Why there is nothing to see."""
    if desk.filters.products:
        return desk.say("Nothing in these days for these products. Choose a longer period or all products.")
    return desk.say("Nothing in these days at this branch. Choose a longer period or a branch further up.")


def needs(desk: Desk, what: str, *names: str) -> bool:
    """Whether the warehouse can answer all of `names`; where it cannot, the sentence that says why stands on the page."""
    lacking = desk.lacks(*names)
    if lacking:
        drawn.missing(what, lacking, desk.say)
    return not lacking


def is_kept(desk: Desk, measure: Measure, *by: Dimension) -> bool:
    """Whether the warehouse keeps `measure` by all of `by`; where it does not, the page says so."""
    lacking = [d for d in by if d not in measure.dimensions]
    if lacking:
        st.caption(not_kept(desk, measure, lacking))
    return not lacking


def demand_kept(desk: Desk, measure: Measure, *by: Dimension) -> None:
    """Raises NotKept where the warehouse does not keep `measure` by all of `by`."""
    lacking = [d for d in by if d not in measure.dimensions]
    if lacking:
        raise _not_kept(desk, measure, lacking)


def not_kept(desk: Desk, measure: Measure, by: Iterable[Dimension]) -> str:
    """The sentence for dimensions that a measure cannot be split by."""
    return desk.say.told(_not_kept(desk, measure, by))


def _not_kept(desk: Desk, measure: Measure, by: Iterable[Dimension]) -> NotKept:
    listed = desk.say.listed([desk.say(d.label) for d in by])
    return NotKept(_NOT_KEPT, measure=desk.say(measure.label), dimensions=listed)


def title_by(desk: Desk, by: Dimension) -> str:
    """The title of a table by one dimension: “By cause”, “By branch below Jiangbei”."""
    if by is BELOW:
        return desk.say("By branch below {branch}", branch=desk.filters.branch.name)
    return desk.say("By {dimension}", dimension=findings.within(desk.say(by.label), desk.say))


def say_by(desk: Desk, measures: Iterable[Measure], by: Iterable[Dimension]) -> str:
    """“Activation rate by product × age”."""
    named = desk.say.listed([desk.say(measure.label) for measure in measures])
    dimensions = " × ".join(findings.within(desk.say(d.label), desk.say) for d in by)
    return desk.say("{measures} by {dimensions}", measures=named, dimensions=dimensions) if dimensions else named


def meaning(desk: Desk, measure: Measure, *by: Dimension) -> str:
    grain = " × ".join(desk.say(d.label) for d in by)
    return f"{desk.say(measure.label)} · {grain} · {desk.say(measure.meaning)}"


def shown_name(dimension: Dimension) -> str:
    return dimension.name + NAME if dimension.named else dimension.name


def with_counts(desk: Desk, measure: Measure, *by: Dimension) -> list[Measure]:
    """A rate beside both of its counts, which its statement has anyhow, so that too few can be told from enough. Alone where one of
    them is not kept by all that the rate is split and filtered by: complaints of one cause for all contracts."""
    if not isinstance(measure, Ratio):
        return [measure]
    wanted = {*by, *(d for d, ids in desk.filters.where().items() if ids and d in measure.dimensions)}
    return [measure, *(measure.counts if all(wanted <= count.dimensions for count in measure.counts) else ())]


def say_ignored(desk: Desk, asked: Asked) -> None:
    """Says which filters the numbers are not kept by, and so are not under; and which numbers are withheld."""
    captions(ignored(desk, asked))


def ignored(desk: Desk, asked: Asked) -> list[str]:
    """Which numbers are withheld, and which filters the numbers are not under."""
    said = []
    if hidden := withheld.sentence(asked.question, asked.answer, desk.say):
        said.append(hidden)
    if asked.ignored:
        listed = desk.say.listed([desk.say(d.label) for d in asked.ignored])
        said.append(desk.say("for all: {dimensions}", dimensions=listed))
    return said


def young(desk: Desk, measure: Measure) -> list[str]:
    """That a rate is compared while a part of what it is of is too young, of which one may have more than another."""
    final = desk.state.data_until - timedelta(days=measure.settles)
    if not isinstance(measure, Ratio) or not measure.settles or desk.filters.period.end <= final:
        return []
    return [
        desk.say(
            "More is still to come of what began after {day}: whoever has much of it stands lower than in the end.",
            day=day_shown(final, desk.say.language),
        )
    ]


def few(desk: Desk, measure: Measure, found: pd.Series, where_they_are: str) -> list[str]:
    """Which rates of a chart stand for too few to be judged, and where they are in it."""
    number = len(found[found])
    if not number or not isinstance(measure, Ratio):
        return []
    return [
        desk.say.plural(
            "{n} stands for fewer than {fewest} ({base}): {where}.",
            "{n} stand for fewer than {fewest} ({base}): {where}.",
            number,
            fewest=measure.fewest,
            base=desk.say(measure.under.label),
            where=where_they_are,
        )
    ]


def captions(said: Iterable[str]) -> None:
    """The notes of an exhibit under each other."""
    for note in said:
        known = note if isinstance(note, Note) else Note(note)
        st.caption(plain(known) if known.named else known, help=known.hint)


def leads(note: str) -> bool:
    """Whether a note stands above what it is about."""
    return isinstance(note, Note) and note.leads
