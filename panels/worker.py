"""Writes one long file in a process of its own, so that pages stay fast: `python -m panels.worker`, told what to do by its parent."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import pickle  # nosec B403: what is read was written by the process that started this one
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from data_access.warehouse import Asked, Warehouse
from measures.model import _
from measures.question import Told
from presentation import exports
from presentation.protection import protected
from presentation.tables import About, Table
from presentation.words import words

log = logging.getLogger(__name__)

POLITE = 10
"""How far a file stands back when pages want the processor too (`nice`)."""

WRITE = {"xlsx": exports.write_xlsx, "csv": exports.write_csv, "parquet": exports.write_parquet}


@dataclass(frozen=True)
class Task:
    """What is to be written: all that another process needs for it. Who sees what is decided already, in `asked`."""

    asked: Asked
    table: Table
    about: About
    language: str
    name: str
    password: str = field(repr=False)
    folder: Path
    """Where the file is to be, named `FILE`; what else lies there is for nobody."""


FILE = "file"

FULL = _("There is no room for this file on the server. Narrow the filters, or tell the operator.")


def write(task: Task, tell: Callable[[dict], None]) -> None:
    """Writes the file, and tells how many rows it has so far; at the end its hash."""
    target, scratch = task.folder / FILE, task.folder / "scratch"
    scratch.mkdir(mode=0o700)

    def counted() -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in warehouse.stream(task.asked, scratch):
            yield batch
            rows += batch.num_rows
            tell({"rows": rows})

    ending = task.name.rpartition(".")[2]
    with closing(Warehouse(task.asked.url)) as warehouse, target.open("xb") as file:
        WRITE[ending](file, task.table, task.about, words(task.language), counted())
    if task.password:
        target.write_bytes(protected(target.read_bytes(), task.name, task.password))
    with target.open("rb") as file:
        tell({"sha256": hashlib.file_digest(file, "sha256").hexdigest()})


def main() -> None:
    os.nice(POLITE)
    os.umask(0o077)
    task = pickle.load(sys.stdin.buffer)  # nosec B301: as above
    tempfile.tempdir = str(task.folder)  # whatever is laid aside goes with the file's folder
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else prints does not talk in between

    def tell(news: dict) -> None:
        print(json.dumps(news, ensure_ascii=False), file=said, flush=True)

    try:
        write(task, tell)
    except Told as fault:
        tell({"fault": fault.text, "parts": fault.parts})
    except Exception as error:
        log.exception("The file %s for %s could not be written", task.name, task.about.person)
        if _is_for_want_of_room(error):
            tell({"fault": FULL, "parts": {}})


def _is_for_want_of_room(error: BaseException | None) -> bool:
    """Also where closing what was begun failed for the same reason, with a word of its own."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        error = error.__cause__ or error.__context__
    return False


def _end_with_the_parent() -> None:
    """The parent says no more; that its pipe is closed means that it is gone, and nobody waits for the file."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main()
