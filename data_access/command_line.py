"""How the project's commands speak: what is wrong in one sentence, progress beside the result, a file written whole or not at all."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from data_access.journal import JournalError
from data_access.meetings import MeetingsError
from data_access.warehouse import WarehouseError
from measures.question import Told
from measures.texts import printable

WRONG_USE = 2
INTERRUPTED, NOBODY_READS = 130, 141  # 128 and the signal's number, as a shell reports them


class Failure(Exception):
    """Why a command ends without a result, as a sentence."""


class WrongUse(Exception):
    """What is wrong with the words of a command, as a sentence."""


class Parser(argparse.ArgumentParser):
    """Tells a wrong use in one sentence, where argparse repeats the whole usage."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)
        self.set_defaults(prog=self.prog)

    def error(self, message: str):
        self.exit(WRONG_USE, f"{self.prog}: {message}. “{self.prog} --help” shows how it is used.\n")


def day(text: str) -> date:
    """The day that a word means, for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no day; write it as 2026-10-31") from None


def progress(text: str) -> None:
    """Says on stderr how far a command is."""
    print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)


def for_the_operator(error: Exception, told: Callable[[Told], str]) -> str:
    """What an operator is told of an error: of the warehouse and the journal the cause, which readers find in no sentence of theirs.

    `told` says a sentence that is meant for readers.
    """
    if isinstance(error, WarehouseError) and error.__cause__ is not None:
        return unreadable(error)
    if isinstance(error, JournalError):
        return f"The journal cannot be read: {_at_the_bottom(error)}"
    if isinstance(error, MeetingsError):
        return f"What was sent cannot be looked up or noted: {_at_the_bottom(error)}"
    if isinstance(error, Told):
        return told(error)
    return str(error)


def unreadable(error: BaseException) -> str:
    """Why the warehouse cannot be read."""
    said = _at_the_bottom(error)
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, (sa.exc.NoSuchModuleError, ImportError)):
        return f"This kind of warehouse needs a driver that is not installed ({said}); install its SQLAlchemy dialect with pip."
    return f"The warehouse cannot be read: {said}"


def _at_the_bottom(error: BaseException) -> str:
    """The first line of what went wrong at the bottom: what wraps it explains at length."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def stoppable() -> Iterator[None]:
    """A request to end (SIGTERM) is met as an interrupt is, so that what is half done is taken back."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write_whole(content: bytes, out: Path) -> None:
    """Takes the place of `out` when all is written: on a full disk, the old file stays as it was. Raises Failure."""
    in_place = out.exists() and not out.is_file()  # such as /dev/stdout
    fresh = out if in_place else out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        if not in_place:
            if out.exists():
                shutil.copymode(out, fresh)
            fresh.replace(out)
    except OSError as error:
        raise Failure(f"{out} cannot be written: {error.strerror}. What was there before stays.") from error
    finally:
        if not in_place:
            fresh.unlink(missing_ok=True)
