"""Long files on their way: written one after another by processes of their own, and kept for their reader until they are saved."""

from __future__ import annotations

import atexit
import fcntl
import json
import logging
import os
import pickle  # nosec B403: it is written here, never read
import secrets
import shutil
import subprocess  # nosec B404: Python itself, with arguments that no reader has a part in
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from data_access.settings import ROOT
from data_access.warehouse import Asked
from measures.model import _
from measures.question import ListingQuestion, Told
from panels.accounts import Account
from panels.worker import FILE, Task
from presentation.export_view import Begin
from presentation.tables import About, Table

log = logging.getLogger(__name__)

AT_ONCE = 1
"""Files that are written at the same time; pages keep the other processors."""
WAITING = 50
"""Files that may wait."""
KEPT_MINUTES = 10
"""How long a finished file waits to be saved."""
LEAN = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1048576:glibc.malloc.trim_threshold=1048576"}
"""What a writer lets go of, the computer gets back at once. The server keeps it for its next statement: see server/__main__.py."""
LINK = "/files/"
"""Where finished files are handed over."""
_PREFIX = "dashboard-files-"


@dataclass(eq=False)
class LongFile:
    """One file on its way. `state` is waiting, writing, ready, failed (then `fault` says why) or gone: saved, cancelled or too old."""

    number: str
    """Nobody guesses it: it is the address under which the file is handed over."""
    person: str
    task: Task
    given_name: str
    mime: str
    enter: Callable[[str], None]
    """Enters the file with its hash into the journal, or raises Told."""
    permit: Callable[[], None]
    """Raises Told where the reader may no longer take it."""
    told: Callable[[Told], str]
    queue: Queue = field(repr=False)
    state: str = "waiting"
    rows: int = 0
    fault: Told | None = None
    sha256: str = ""
    process: subprocess.Popen | None = field(default=None, repr=False)
    entered: bool = False

    @property
    def link(self) -> str:
        return LINK + self.number

    @property
    def path(self) -> Path:
        return self.task.folder / FILE

    @property
    def ahead(self) -> int:
        """How many files are written before this one."""
        return self.queue.ahead(self)

    def cancel(self) -> None:
        """Stops whatever is done for the file, and takes it away."""
        self.queue.remove(self)

    def take(self) -> str:
        """Permits that the file is handed over now, and writes that down first, once. Else why not; then the file is gone."""
        with self.queue.taking:
            try:
                if self.entered:
                    self.permit()
                else:
                    self.enter(self.sha256)
                    self.entered = True
            except Told as refused:
                self.queue.remove(self)
                return self.told(refused)
        return ""


class Queue:
    """All long files of this server. Of those that wait it takes the one whose reader was served longest ago."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.taking = threading.Lock()
        self._files: dict[str, LongFile] = {}
        self._waiting: list[LongFile] = []
        self._writing = 0
        self._served: dict[str, int] = {}
        self._folder: Path | None = None
        self._held: int | None = None

    def begin(
        self,
        person: str,
        asked: Asked,
        table: Table,
        about: About,
        language: str,
        name: str,
        password: str,
        **handed_over: object,
    ) -> LongFile:
        """Has a file written as soon as it is its turn."""
        with self._lock:
            number = secrets.token_urlsafe(32)
            folder = self._own_folder() / number
            task = Task(asked, replace(table, rows=table.rows.iloc[:0]), about, language, name, password, folder)
            file = LongFile(number, person, task, queue=self, **handed_over)
            if len(self._waiting) >= WAITING:
                file.state, file.fault = "failed", Told(_("Too many files are being made. Try again in some minutes."))
                return file
            self._files[number] = file
            self._waiting.append(file)
            self._next()
        return file

    def ahead(self, file: LongFile) -> int:
        with self._lock:
            return self._writing + self._waiting.index(file) if file in self._waiting else 0

    def ready(self, number: str) -> LongFile | None:
        """The finished file under this number."""
        file = self._files.get(number)
        return file if file and file.state == "ready" else None

    def remove(self, file: LongFile) -> None:
        """Takes a file out of everything: the queue, the process that writes it, the disk."""
        with self._lock:
            self._files.pop(file.number, None)
            if file in self._waiting:
                self._waiting.remove(file)
            if file.process is not None:
                file.process.kill()
        shutil.rmtree(file.task.folder, ignore_errors=True)
        if file.state != "failed":
            file.state = "gone"

    def close(self) -> None:
        """Stops all that is being written, and leaves nothing on the disk."""
        for file in list(self._files.values()):
            self.remove(file)
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                os.close(self._held)
                self._folder = self._held = None

    def _own_folder(self) -> Path:
        if self._folder is None:
            # Whoever holds the lock lives. It is held before the folder has the name by which others look for leftovers.
            made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}"))
            self._held = os.open(made / "lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
            self._folder = made.rename(made.with_name(made.name.removeprefix(".")))
        return self._folder

    def _next(self) -> None:
        with self._lock:
            while self._waiting and self._writing < AT_ONCE:
                file = min(self._waiting, key=lambda waiting: self._served.get(waiting.person, 0))
                self._waiting.remove(file)
                self._served[file.person] = max(self._served.values(), default=0) + 1
                self._writing += 1
                threading.Thread(target=self._write, args=(file,), daemon=True).start()

    def _write(self, file: LongFile) -> None:
        try:
            self._watch(file)
        except Exception as error:
            log.error("The file %s for %s could not be made: %s", file.task.name, file.person, error)
        finally:
            with self._lock:
                file.process = None
                self._writing -= 1
                wanted = file.number in self._files
                if wanted and file.sha256:
                    file.state = "ready"
                    timer = threading.Timer(KEPT_MINUTES * 60, self.remove, [file])
                    timer.daemon = True
                    timer.start()
                else:
                    self.remove(file)
                    if wanted:
                        file.fault = file.fault or Told(_("The file could not be made. Nothing was kept; try again."))
                        file.state = "failed"
            self._next()

    def _watch(self, file: LongFile) -> None:
        """Has the file written by another process, and hears how far it is."""
        with self._lock:
            if file.number not in self._files:  # cancelled before its turn
                return
            file.state = "writing"
            file.task.folder.mkdir(mode=0o700)
            file.process = process = subprocess.Popen(  # nosec B603
                [sys.executable, "-m", "panels.worker"],
                cwd=ROOT,
                env=os.environ | LEAN,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        with process:  # its own pipe: what it is told never lies on the disk
            process.stdin.write(pickle.dumps(file.task))
            process.stdin.flush()
            hashed = ""
            for line in process.stdout:
                news = json.loads(line)
                file.rows = news.get("rows", file.rows)
                if "fault" in news:
                    file.fault = Told(news["fault"], **news["parts"])
                hashed = news.get("sha256", hashed)
            process.wait()
            if process.returncode == 0:
                file.sha256 = hashed


def begins(account: Account, question: ListingQuestion, table: Table, about: About) -> Begin:
    """Begins the file of a listing. Who sees what is decided now, for the viewer of this run; whether they may take it is asked again
    when they do."""

    def begin(name: str, given_name: str, mime: str, purpose: str, password: str) -> LongFile:
        desk = account.desk
        numbered = account.numbered(replace(about, made_at=datetime.now()))
        return queue().begin(
            desk.viewer.person,
            desk.warehouse.asked(question, desk.viewer),
            table,
            numbered,
            desk.say.language,
            name,
            password,
            given_name=given_name,
            mime=mime,
            enter=lambda sha256: account.delivered(numbered, sha256, given_name, purpose),
            permit=lambda: account.permit(purpose),
            told=desk.say.told,
        )

    return begin


@lru_cache(maxsize=1)
def queue() -> Queue:
    """The queue of this server."""
    made = Queue()
    atexit.register(made.close)
    return made


def remove_leftovers() -> None:
    """Removes what servers left that were killed: their folders, which nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            held = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # somebody else's
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # its server lives
        finally:
            os.close(held)
