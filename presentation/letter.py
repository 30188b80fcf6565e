"""The mail that the meeting's files come with, in the recipient's language. It holds no number: those are in the files alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from presentation.tables import About
from presentation.units import day_shown
from presentation.words import Words


def subject(branch: str, week: date, say: Words) -> str:
    """What the mail is about. `week` is its Monday."""
    return say("Weekly meeting: {branch}, week of {day}", branch=branch, day=day_shown(week, say.language))


def text(branch: str, week: date, files: Sequence[tuple[str, About]], whom_to_ask: str, say: Words) -> str:
    """The mail's text: which files these are, of which day, whose, and until when. `files` are names with what each says of itself."""
    about = files[0][1]
    listed = [f"- {name} ({each.file_id})" for name, each in files]
    lines = [
        say("Here are the files for the weekly meeting of {branch}.", branch=branch),
        "",
        *listed,
        "",
        say("Data until {day}", day=day_shown(about.data_until, say.language)),
        say("You see: {scope}", scope=about.scope),
        "",
        say("The files hold what you may see, and are for you alone. Each bears its number and is recorded under it."),
    ]
    if about.expires_on:
        lines.append(say("They are to be destroyed after {day}.", day=day_shown(about.expires_on, say.language)))
    if whom_to_ask:
        lines += ["", say("Questions: {whom}", whom=whom_to_ask)]
    return "\n".join(lines) + "\n"
