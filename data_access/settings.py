"""What differs between installations, read from config.toml, the environment and .streamlit/secrets.toml."""

from __future__ import annotations

import logging
import os
import re
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from email.utils import getaddresses
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from data_access.access import Role
from measures.model import _
from measures.question import Told

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent

_PEOPLE = {role.value: role for role in Role if role is not Role.VISITOR}

_KNOWN = {
    "warehouse": {"url", "statement_seconds", "memory", "threads"},
    "access": {
        "mode",
        "people",
        "several",
        "person_claim",
        "groups_claim",
        "idle_minutes",
        "session_hours",
        "https",
        "fewest_customers",
        "whom_to_ask",
        "export_days",
        "journal",
    },
    "access.proxy": {"addresses", "secret_header", "person_header", "name_header", "groups_header"},
    "access.quotas": set(_PEOPLE),
    "calendar": {"holidays", "working_weekends"},
    "data": {"stale_after_days"},
    "mail": {"host", "port", "tls", "from", "recipients", "whom_to_ask"},
}


class SettingsError(ValueError):
    """config.toml says something that cannot be followed. A sentence for the operator: it names files and folders."""

    def for_a_reader(self) -> Told:
        """What a reader is told instead; the log has the operator's sentence under the same reference."""
        reference = uuid.uuid4().hex[:8]
        log.error("%s: %s", reference, self)
        return Told(_("The dashboard is not set up. Tell the operator: {reference}."), reference=reference)


class Mode(StrEnum):
    """How the dashboard knows who is looking."""

    DEMO = "demo"
    """Nobody is asked, so only a demo bank is shown."""
    PUBLIC = "public"
    """Nobody is asked: the data may be seen by whoever reaches the server."""
    OIDC = "oidc"
    """Everybody signs in with an OpenID provider."""
    PROXY = "proxy"
    """A reverse proxy has signed everybody in, and says in headers who they are."""


class Several(StrEnum):
    """What holds where several entries name one person."""

    MOST_RESTRICTIVE = "most restrictive"
    PERSON_FIRST = "person first"
    """A person's own entries hold instead of those of their groups."""


@dataclass(frozen=True)
class Proxy:
    """The reverse proxy whose headers are believed: where it is, what it must know, and which headers say who is looking."""

    addresses: tuple[IPv4Network | IPv6Network, ...]
    secret: str = field(repr=False)
    secret_header: str
    person_header: str
    name_header: str
    """Empty: the proxy does not say names."""
    groups_header: str


@dataclass(frozen=True)
class Quota:
    """How much one person may take away in a day: files, and rows in all of them."""

    files: int
    rows: int


@dataclass(frozen=True)
class Access:
    """Who is let in, for how long, and what they may take away."""

    mode: Mode
    people: Path | None
    """The file that says who may see what; None: the warehouse's table `viewers`."""
    several: Several
    person_claim: str
    groups_claim: str
    proxy: Proxy | None
    """There in mode proxy, and only then."""
    idle_minutes: int
    session_hours: int
    https: bool
    """Readers come by https: cookies are sent on no other way."""
    fewest_customers: int
    """Of fewer customers than these no number is shown to those who may not see customers."""
    whom_to_ask: str
    """Whom those who are not let in should ask; empty: whoever runs the dashboard."""
    quotas: Mapping[Role, Quota] = field(hash=False)
    """For every role that a person can have."""
    export_days: int
    """After so many days a file may not be used any more."""
    journal: str = field(repr=False)
    """The URL of the database of sessions and of what was taken away."""
    journal_key: str = field(repr=False)
    """What seals the journal; empty: a file beside its database does."""


@dataclass(frozen=True)
class Limits:
    """How much one statement, and the embedded engine as a whole, may take of the computer; None: as much as there is."""

    statement_seconds: int | None = None
    memory: str | None = None
    """Of the embedded engine, such as "2GB"; what does not fit is put into temporary files where the engine can do that."""
    threads: int | None = None
    """That work at once for the embedded engine."""
    rows: int | None = None
    """Of one answer. More are neither read on a page nor held in the memory that all readers share."""


UNLIMITED = Limits()


class Tls(StrEnum):
    """How a connection to the mail server is protected. In each case but the last its certificate is checked."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"
    """For a server on this computer alone."""


@dataclass(frozen=True)
class Mail:
    """Where mail is handed over, and in whose name."""

    host: str
    port: int
    tls: Tls
    sender: str
    """The address alone."""
    sender_name: str
    recipients: Path
    """The file that says who is sent what."""
    whom_to_ask: str
    """Whom a recipient should ask; empty: nobody is named."""
    user: str
    """Empty: the server asks nobody to sign in."""
    password: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """One installation."""

    url: str = field(repr=False)
    limits: Limits
    access: Access
    days_off: tuple[tuple[date, int], ...]
    stale_after_days: int
    mail: Mail | None = None
    """None: nothing is sent."""


def settings(path: Path | None = None) -> Settings:
    """The settings in `path`, else in the file that DASHBOARD_CONFIG names, else in config.toml beside app.py.

    The warehouse's URL is taken from WAREHOUSE_URL, else from secrets.toml, else from the file; so is the journal's, from
    JOURNAL_URL. Raises SettingsError.
    """
    path = path or Path(os.environ.get("DASHBOARD_CONFIG") or ROOT / "config.toml")
    said = _read(path)
    if type(access := said.get("access")) is dict:
        if "allow_anonymous" in access:
            raise SettingsError(
                f'{path.name}: [access] allow_anonymous has gone. Write mode = "public" instead of allow_anonymous = true, '
                'and mode = "demo" instead of false.'
            )
        said |= {f"access.{part}": access.pop(part) for part in ("proxy", "quotas") if part in access}
    for section, entries in said.items():
        unknown = set(entries) - _KNOWN.get(section, set()) if isinstance(entries, dict) else {section}
        if section not in _KNOWN or unknown:
            raise SettingsError(
                f"{path.name} has an entry that nothing reads: [{section}] {', '.join(sorted(unknown))}. "
                f"Known are: {'; '.join(f'[{name}] ' + ', '.join(sorted(keys)) for name, keys in _KNOWN.items())}."
            )
    secrets = ROOT / ".streamlit" / "secrets.toml"
    secret = _read(secrets) if secrets.exists() else {}
    url = (
        os.environ.get("WAREHOUSE_URL")
        or _entry(secrets, secret, "warehouse", "url", str, "")
        or _entry(path, said, "warehouse", "url", str)
    )
    calendar = said.get("calendar", {})
    return Settings(
        url=absolute(url, path.resolve().parent),
        limits=_limits(path, said),
        access=_access(path, said, secrets, secret),
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
        mail=_mail(path, said, secrets, secret) if "mail" in said else None,
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


_MEMORY = re.compile(r"(\d{1,6})(MB|GB)")
_LEAST_MEMORY_MB = 100
MOST_ROWS = 250_000
"""Half a second of the server's time for each run of the page; a longer table is asked in parts."""
_MOST_THREADS = 256


def _limits(path: Path, said: dict) -> Limits:
    memory = _entry(path, said, "warehouse", "memory", str, "")
    written = _MEMORY.fullmatch(memory)
    if memory and (not written or int(written[1]) * {"MB": 1, "GB": 1000}[written[2]] < _LEAST_MEMORY_MB):
        raise SettingsError(
            f'{path.name}: [warehouse] memory is written like "2GB" or "500MB", from {_LEAST_MEMORY_MB}MB upwards; without '
            f"it the engine takes up to four fifths of the computer's. Got {memory!r}."
        )
    threads = _entry(path, said, "warehouse", "threads", int, 0)
    if not 0 <= threads <= _MOST_THREADS:
        raise SettingsError(
            f"{path.name}: [warehouse] threads is a whole number up to {_MOST_THREADS}, or 0 for as many as the computer "
            f"has cores; got {threads}."
        )
    seconds = _at_least_one(path, said, "statement_seconds", 30, section="warehouse")
    return Limits(statement_seconds=seconds, memory=memory or None, threads=threads or None, rows=MOST_ROWS)


# Who is let in -------------------------------------------------------------------------------------------------------

PROXY_SECRET = "DASHBOARD_PROXY_SECRET"  # nosec B105
"""The name of the environment variable that holds what the proxy must know; no secret itself, as bandit takes it for."""

SECRET_LENGTH = 32
"""Characters of a secret that nobody guesses: 128 bits, written in hexadecimal digits."""

CALLBACK = "/oauth2callback"
"""Where the provider sends readers back to; Streamlit listens there alone."""

_QUOTA = Quota(files=50, rows=100_000)
_HEADER = re.compile(r"[A-Za-z0-9-]+")


def _access(path: Path, said: dict, secrets: Path, secret: dict) -> Access:
    mode = _one_of(path, said, "mode", Mode, Mode.DEMO)
    https = _entry(path, said, "access", "https", bool, True)
    if mode is Mode.OIDC:
        _check_sign_in(secrets, secret, https=https, config=path)
    people = _text(path, said, "access", "people", "access.toml")
    folder = path.resolve().parent
    return Access(
        mode=mode,
        people=None if people == "warehouse" else (folder / people).resolve(),
        several=_one_of(path, said, "several", Several, Several.MOST_RESTRICTIVE),
        person_claim=_text(path, said, "access", "person_claim", "email"),
        groups_claim=_text(path, said, "access", "groups_claim", "groups"),
        proxy=_proxy(path, said, secrets, secret) if mode is Mode.PROXY else None,
        idle_minutes=_at_least_one(path, said, "idle_minutes", 30),
        session_hours=_at_least_one(path, said, "session_hours", 10),
        https=https,
        fewest_customers=_at_least_one(path, said, "fewest_customers", 5),
        whom_to_ask=_entry(path, said, "access", "whom_to_ask", str, ""),
        quotas=MappingProxyType({role: _quota(path, said, role) for role in _PEOPLE.values()}),
        export_days=_at_least_one(path, said, "export_days", 30),
        journal=_journal(path, said, secrets, secret),
        journal_key=_journal_key(secrets, secret),
    )


def _check_sign_in(secrets: Path, secret: dict, *, https: bool, config: Path) -> None:
    """Raises SettingsError where Streamlit would not sign anybody in, or would let others listen."""
    if not secret.get("auth"):
        raise SettingsError(
            f'{config.name}: [access] mode is "oidc", and {secrets} has no [auth]. Write there redirect_uri '
            f"(https://name{CALLBACK}), cookie_secret, client_id, client_secret and server_metadata_url; README says how."
        )
    said = {
        name: _text(secrets, secret, "auth", name)
        for name in ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
    }
    if others := sorted(
        name for name, value in secret["auth"].items() if type(value) is dict and name != "client_kwargs"
    ):
        raise SettingsError(
            f"{secrets.name}: [auth.{others[0]}] is another provider. Two could give one e-mail to two people: keep one, in [auth]."
        )
    if len(said["cookie_secret"]) < SECRET_LENGTH:
        raise SettingsError(f"{secrets.name}: [auth] cookie_secret {_TOO_SHORT}")
    if not said["redirect_uri"].endswith(CALLBACK):
        raise SettingsError(f"{secrets.name}: [auth] redirect_uri ends in {CALLBACK}; write https://name{CALLBACK}.")
    for name in ("redirect_uri", "server_metadata_url"):
        if not _is_safe(said[name]):
            raise SettingsError(
                f"{secrets.name}: [auth] {name} begins with https://. Only on this computer itself (127.0.0.1, localhost) may it "
                "be http://: elsewhere others could read who signs in, and do it in their place."
            )
    if not https and not _is_loopback(said["redirect_uri"]):
        raise SettingsError(
            f"{config.name}: [access] https is false, but readers come from other computers, as redirect_uri in "
            f"{secrets.name} says. Set it to true."
        )


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or (url.startswith("http://") and _is_loopback(url))


def _is_loopback(url: str) -> bool:
    try:
        return _is_this_computer(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _is_this_computer(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _proxy(path: Path, said: dict, secrets: Path, secret: dict) -> Proxy:
    headers = {
        name: _entry(path, said, "access.proxy", name, str, *default)
        for name, default in {
            "secret_header": (),
            "person_header": (),
            "name_header": ("",),
            "groups_header": (),
        }.items()
    }
    named = [header for name, header in headers.items() if header or name != "name_header"]
    if not all(map(_HEADER.fullmatch, named)) or len({header.lower() for header in named}) < len(named):
        raise SettingsError(
            f"{path.name}: [access.proxy] names a header for each of secret_header, person_header and groups_header, in letters, "
            f"digits and hyphens, and none twice; got {', '.join(map(repr, named))}."
        )
    value = os.environ.get(PROXY_SECRET) or _entry(secrets, secret, "proxy", "secret", str, "")
    if len(value) < SECRET_LENGTH or not (value.isascii() and value.isprintable()):
        raise SettingsError(
            f'{path.name}: [access] mode is "proxy": set {PROXY_SECRET} in the environment, or [proxy] secret in {secrets}, to '
            f"what the proxy writes into {headers['secret_header']}. The secret {_TOO_SHORT}"
        )
    return Proxy(addresses=_addresses(path, said), secret=value, **headers)


_TOO_SHORT = (
    f"has {SECRET_LENGTH} characters or more, of ASCII: make one with "
    "python -c 'import secrets; print(secrets.token_hex(32))'."
)


def _addresses(path: Path, said: dict) -> tuple[IPv4Network | IPv6Network, ...]:
    listed = _entry(path, said, "access.proxy", "addresses", list)
    found = []
    for address in listed:
        try:
            if type(address) is not str:  # 2130706433 would be 127.0.0.1
                raise ValueError
            found.append(ip_network(address))
        except ValueError:
            raise SettingsError(
                f"{path.name}: [access.proxy] addresses are networks such as 127.0.0.1/32 or 10.1.2.0/24, without bits behind the "
                f"mask; got {address!r}."
            ) from None
    if not found or any(network.prefixlen == 0 for network in found):
        raise SettingsError(
            f'{path.name}: [access.proxy] addresses lists from where the proxy asks, such as ["127.0.0.1/32"]; nobody, or the '
            "whole internet, is not believed."
        )
    return tuple(found)


def _quota(path: Path, said: dict, role: Role) -> Quota:
    given = _entry(path, said, "access.quotas", role.value, dict, {"files": _QUOTA.files, "rows": _QUOTA.rows})
    if set(given) != {"files", "rows"} or any(type(number) is not int or number < 0 for number in given.values()):
        raise SettingsError(
            f'{path.name}: [access.quotas] "{role.value}" says how many files, and rows in all of them, one person takes '
            "away in a day: { files = 50, rows = 100000 }."
        )
    return Quota(**given)


def _journal(path: Path, said: dict, secrets: Path, secret: dict) -> str:
    url = (
        os.environ.get("JOURNAL_URL")
        or _entry(secrets, secret, "journal", "url", str, "")
        or _text(path, said, "access", "journal", "sqlite:///var/journal.db")
    )
    try:
        parsed = make_url(url)
        if (
            parsed.get_backend_name() not in ("sqlite", "postgresql")
            or not parsed.database
            or parsed.database == ":memory:"
        ):
            raise ValueError("no database")
    except (ArgumentError, ValueError):
        raise SettingsError(
            "The journal's address is the URL of a database: write sqlite:///path/to/file.db or "
            "postgresql+psycopg://user@host/database."
        ) from None
    if parsed.get_backend_name() == "sqlite":
        parsed = parsed.set(database=str((path.resolve().parent / parsed.database).resolve()))
    return parsed.render_as_string(hide_password=False)


def _journal_key(secrets: Path, secret: dict) -> str:
    key = os.environ.get("JOURNAL_KEY") or _entry(secrets, secret, "journal", "key", str, "")
    if key and (len(key) < SECRET_LENGTH or not key.isascii()):
        raise SettingsError(f"The journal's key, in JOURNAL_KEY or {secrets.name} [journal] key, {_TOO_SHORT}")
    return key


# Where mail is handed over --------------------------------------------------------------------------------------------

_PORTS = {Tls.STARTTLS: 587, Tls.IMPLICIT: 465, Tls.NONE: 25}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")


_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


def is_address(text: str) -> bool:
    """Whether `text` is an address that every mail server takes: no blank, line break, comma or bracket, ASCII alone."""
    return bool(_ADDRESS.fullmatch(text))


def _mail(path: Path, said: dict, secrets: Path, secret: dict) -> Mail:
    host = _text(path, said, "mail", "host")
    if not _HOST.fullmatch(host):
        raise SettingsError(
            f"{path.name}: [mail] host is the name or the address of a computer, without a port; got {host!r}."
        )
    tls = _one_of(path, said, "tls", Tls, Tls.STARTTLS, section="mail")
    if tls is Tls.NONE and not _is_this_computer(host):
        raise SettingsError(
            f'{path.name}: [mail] tls is "none", and {host} is another computer: others could read what is sent. Write '
            '"starttls" or "implicit"; "none" is for a mail server on this computer (127.0.0.1, localhost).'
        )
    port = _entry(path, said, "mail", "port", int, _PORTS[tls])
    if not 0 < port < 65536:
        raise SettingsError(f"{path.name}: [mail] port is a number from 1 to 65535; got {port}.")
    written = _text(path, said, "mail", "from")
    (name, address), *others = getaddresses([written])
    if others or not is_address(address) or not written.isprintable():
        raise SettingsError(
            f'{path.name}: [mail] from is an address, with a name before it or without: "Branch marketing '
            '<dashboard@bank.example>".'
        )
    user, password = (
        os.environ.get(f"MAIL_{each.upper()}") or _entry(secrets, secret, "mail", each, str, "")
        for each in ("user", "password")
    )
    both = user + password
    if bool(user) != bool(password) or not (both.isascii() and both.isprintable()):
        raise SettingsError(
            "Who signs in at the mail server is said by MAIL_USER and MAIL_PASSWORD in the environment, or by [mail] user and "
            f"password in {secrets}: both, in ASCII, or neither where the server asks nobody."
        )
    return Mail(
        host=host,
        port=port,
        tls=tls,
        sender=address,
        sender_name=name,
        recipients=(path.resolve().parent / _text(path, said, "mail", "recipients", "recipients.toml")).resolve(),
        whom_to_ask=_entry(path, said, "mail", "whom_to_ask", str, ""),
        user=user,
        password=password,
    )


# How entries are read -------------------------------------------------------------------------------------------------


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


def _text(path: Path, said: dict, section: str, name: str, *default: str) -> str:
    value = _entry(path, said, section, name, str, *default)
    if not value.strip():
        raise SettingsError(f"{path.name}: [{section}] {name} is empty; write what it is.")
    return value


_Choice = TypeVar("_Choice", bound=StrEnum)


def _one_of(
    path: Path, said: dict, name: str, choices: type[_Choice], default: _Choice, *, section: str = "access"
) -> _Choice:
    value = _entry(path, said, section, name, str, default.value)
    if value not in list(choices):
        allowed = ", ".join(f'"{choice}"' for choice in choices)
        raise SettingsError(f"{path.name}: [{section}] {name} is one of {allowed}; got {value!r}.")
    return choices(value)


def _at_least_one(path: Path, said: dict, name: str, default: int, *, section: str = "access") -> int:
    value = _entry(path, said, section, name, int, default)
    if value < 1:
        raise SettingsError(f"{path.name}: [{section}] {name} is a whole number from 1 upwards; got {value}.")
    return value


def _dates(path: Path, days: list) -> list[date]:
    if type(days) is not list:
        raise SettingsError(f"{path.name}: [calendar] holidays and working_weekends are lists; got {days!r}.")
    for day in days:
        if type(day) is not date:
            raise SettingsError(f"{path.name}: [calendar] holds dates such as 2026-10-01; got {day!r}.")
    return days
