"""What several pages are made of: an exhibit built, and drawn in its frame with what a reader chooses there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from measures.model import Dimension
from panels import exhibits, notes, views
from panels.desk import Desk
from presentation.cards import headline, panel
from presentation.exhibit import Exhibit


@notes.refusing
def opening(desk: Desk, key: str, *names: str, also: Sequence[str] = (), headed: bool = True) -> None:
    """The page's answer in a sentence, from the first measure, and all measures as cards.

    `also` are measures that other parts show at the coarsest grain: asked along, because one question costs less than two.
    """
    found, failed = exhibits.key_numbers(desk, names, also)
    shown = exhibits.figures_of(desk, found) if found else None
    if shown and headed and found[0][0].measure.name == names[0]:
        headline(shown.title, shown.meaning)
    for measures, error in failed:
        notes.say_why(desk, [measures], error)
    if shown:
        shown.draw(desk.look, key)
        if offer := views.offer(desk, f"{key}_below", shown, "figures", names=names):
            offer()


@notes.refusing
def trend(desk: Desk, name: str, key: str, by: Dimension | None = None, step: Dimension | None = None) -> None:
    """The measure over time, split by `by` where it is given, in steps that suit the period's length."""
    shown = exhibits.trend(desk, name, by, step)
    framed(desk, shown, key, views.offer(desk, key, shown, "trend", name=name, by=by, step=step))


@notes.refusing
def pareto(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by one dimension, the largest first, beside the share of each and all before it."""
    shown = exhibits.pareto(desk, name, by)
    framed(desk, shown, key, views.offer(desk, key, shown, "pareto", name=name, by=by))


@notes.refusing
def crossed(desk: Desk, name: str, x: Dimension, y: Dimension, key: str) -> None:
    """The measure by two dimensions as a matrix."""
    shown = exhibits.crossed(desk, name, x, y)
    framed(desk, shown, key, views.offer(desk, key, shown, "crossed", name=name, x=x, y=y))


@notes.refusing
def bands(desk: Desk, name: str, by: Dimension, key: str) -> None:
    """A count by ordered bands, such as the age of open items."""
    shown = exhibits.bands(desk, name, by)
    framed(desk, shown, key, views.offer(desk, key, shown, "bands", name=name, by=by))


@notes.refusing
def steps(desk: Desk, path: Sequence[tuple[str, str | None]], key: str) -> None:
    """Counts that lead from one to the next; the second of each pair is the rate of going on from the one before."""
    shown = exhibits.steps(desk, path)
    framed(desk, shown, key, views.offer(desk, key, shown, "steps", path=path))


def framed(
    desk: Desk,
    shown: Exhibit,
    key: str,
    offer: Callable[[], None] | None = None,
    above: Callable[[], None] | None = None,
) -> None:
    """An exhibit in its frame: title and meaning, what has to be known before, what `above` draws for the reader to choose, the
    chart, and its notes."""
    with panel(shown.title, shown.meaning, offer):
        notes.captions(note for note in shown.notes if notes.leads(note))
        if above:
            above()
        if shown.draw:
            shown.draw(desk.look, key)
        notes.captions(note for note in shown.notes if not notes.leads(note))


def halves() -> Sequence[st.delta_generator.DeltaGenerator]:
    """Two columns, one below the other on a phone."""
    return st.columns(2, gap="medium")
