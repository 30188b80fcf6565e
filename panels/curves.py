"""How fast things happen, as a part of a page: a curve for each group, and the values as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from measures.model import Dimension
from measures.waits import Wait
from panels import choices, exhibits, notes, views
from panels.accounts import Account
from panels.desk import Desk
from presentation import table_view
from presentation.cards import panel
from presentation.export_view import titled


@notes.refusing
def how_fast(desk: Desk, key: str, wait: Wait, options: Mapping[str, Dimension]) -> None:
    """Curves by one of `options`, by the keys of their tables; cohorts are the quarters of the last year, whatever the period."""
    measures = desk.known(wait.began, wait.happened)
    if len(measures) < 2 or not notes.is_kept(desk, measures[0], wait.days):
        return
    chosen, by = choices.choice(desk, key, options)
    shown = exhibits.how_fast(desk, wait, by)
    with panel(shown.title, shown.meaning, views.offer(desk, chosen, shown, "how_fast", wait=wait, by=by)):
        if shown.draw:
            shown.draw(desk.look, f"{chosen}_curves")
            notes.captions(shown.notes)
        else:
            notes.say_ignored(desk, shown.asked)
        # A file of cohorts names their days, not the period of the page.
        about = replace(desk.about(len(shown.file.rows), shown.asked.ignored), filters=list(shown.filters))
        titled(
            shown.file.title,
            shown.file,
            about,
            desk.say,
            chosen,
            Account(desk, shown.file.title, shown.asked.question),
        )
        table_view.show(shown.file, say=desk.say, key=chosen, empty=notes.nothing(desk))
