"""What differs between installations, read from config.toml, the environment and .streamlit/secrets.toml."""

from __future__ import annotations

import logging
import os
import tomllib
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from measures.model import _
from measures.question import Told

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent

_KNOWN = {
    "warehouse": {"url"},
    "access": {"allow_anonymous"},
    "calendar": {"holidays", "working_weekends"},
    "data": {"stale_after_days"},
}


class SettingsError(ValueError):
    """config.toml says something that cannot be followed. A sentence for the operator: it names files and folders."""

    def for_a_reader(self) -> Told:
        """What a reader is told instead; the log has the operator's sentence under the same reference."""
        reference = uuid.uuid4().hex[:8]
        log.error("%s: %s", reference, self)
        return Told(_("The dashboard is not set up. Tell the operator: {reference}."), reference=reference)


@dataclass(frozen=True)
class Settings:
    """One installation."""

    url: str
    allow_anonymous: bool
    days_off: tuple[tuple[date, int], ...]
    stale_after_days: int


def settings(path: Path | None = None) -> Settings:
    """The settings in `path`, else in the file that DASHBOARD_CONFIG names, else in config.toml beside app.py.

    The warehouse's URL is taken from WAREHOUSE_URL, else from secrets.toml, else from the file. Raises SettingsError.
    """
    path = path or Path(os.environ.get("DASHBOARD_CONFIG") or ROOT / "config.toml")
    said = _read(path)
    for section, entries in said.items():
        unknown = set(entries) - _KNOWN.get(section, set()) if isinstance(entries, dict) else {section}
        if section not in _KNOWN or unknown:
            raise SettingsError(
                f"{path.name} has an entry that nothing reads: [{section}] {', '.join(sorted(unknown))}. "
                f"Known are: {'; '.join(f'[{name}] ' + ', '.join(sorted(keys)) for name, keys in _KNOWN.items())}."
            )
    secrets = ROOT / ".streamlit" / "secrets.toml"
    secret = _entry(secrets, _read(secrets), "warehouse", "url", str, "") if secrets.exists() else ""
    url = os.environ.get("WAREHOUSE_URL") or secret or _entry(path, said, "warehouse", "url", str)
    calendar = said.get("calendar", {})
    return Settings(
        url=absolute(url, path.resolve().parent),
        allow_anonymous=_entry(path, said, "access", "allow_anonymous", bool, False),
        days_off=tuple(
            sorted(
                (day, change)
                for days, change in ((calendar.get("holidays", []), -1), (calendar.get("working_weekends", []), 1))
                for day in _dates(path, days)
                # A holiday on a Saturday takes nothing away, and a working Monday adds nothing.
                if (day.weekday() < 5) == (change < 0)
            )
        ),
        stale_after_days=_entry(path, said, "data", "stale_after_days", int, 7),
    )


def absolute(url: str, folder: Path) -> str:
    """`url` with the path of an embedded warehouse made absolute from `folder`. Raises SettingsError for what is no URL."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "duckdb" and not parsed.database:
            raise ValueError("no file")
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise SettingsError(
            "The warehouse's address is not a URL. Write duckdb:///path/to/file.duckdb or "
            "postgresql+psycopg://user@host/database."
        ) from None
    if parsed.get_backend_name() == "duckdb":
        parsed = parsed.set(database=str((folder / parsed.database).resolve()))
    return parsed.render_as_string(hide_password=False)


def _read(path: Path) -> dict:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(f"There is no {path.name} at {path.parent}; restore it from the repository.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}.") from None


_NEEDED = object()


def _entry(path: Path, said: dict, section: str, name: str, kind: type, default: object = _NEEDED):
    entries = said.get(section, {})
    if type(entries) is not dict:
        raise SettingsError(f"{path.name}: {section} is a section; write [{section}] and its entries beneath it.")
    value = entries.get(name, default)
    if value is _NEEDED:
        raise SettingsError(f"{path.name} lacks [{section}] {name}.")
    if type(value) is not kind:  # its type alone is told: the value may hold a password
        raise SettingsError(f"{path.name}: [{section}] {name} is a {kind.__name__}; got a {type(value).__name__}.")
    return value


def _dates(path: Path, days: list) -> list[date]:
    if type(days) is not list:
        raise SettingsError(f"{path.name}: [calendar] holidays and working_weekends are lists; got {days!r}.")
    for day in days:
        if type(day) is not date:
            raise SettingsError(f"{path.name}: [calendar] holds dates such as 2026-10-01; got {day!r}.")
    return days
