"""Who is sent what: the file of recipients. It says where to, in which language and which files, and never what they may see.

It is a file of its own because the one that says who may see what lets nobody in when it cannot be followed, and may be a table of
the warehouse: a slip in an address is to cost one mail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from data_access.people import Identity
from data_access.settings import SettingsError, is_address

_KEYS = {"person", "address", "language", "files"}


class RecipientsError(SettingsError):
    """Who is sent what cannot be read, so nothing is sent. A sentence for the operator."""


@dataclass(frozen=True)
class Recipient:
    """A person, as the sign-in would name them, and what is sent to them."""

    person: str
    address: str
    language: str | None
    """None: the one that the command says."""
    files: tuple[str, ...]
    """Empty: those that are usual."""


def recipients(path: Path, languages: Collection[str], files: Collection[str]) -> tuple[Recipient, ...]:
    """All recipients in the file, which knows these languages and kinds of files. Raises RecipientsError for what cannot be
    followed: with an entry that nobody understands, nobody is sent anything."""
    try:
        said = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise RecipientsError(
            f"{path} cannot be read ({error.strerror}), so nothing is sent; recipients.example.toml shows what it says."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipientsError(f"{path.name} cannot be read, so nothing is sent: {error}.") from None
    lines = said.pop("recipients", [])
    if said or not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines) or not lines:
        raise RecipientsError(
            f"{path.name} holds entries that each begin with [[recipients]], one or more, and nothing else."
        )
    found = tuple(_recipient(line, f"{path.name}: entry {n}", languages, files) for n, line in enumerate(lines, 1))
    twice = {one.person for one in found if [other.person for other in found].count(one.person) > 1}
    if twice:
        raise RecipientsError(f"{path.name} names {', '.join(sorted(twice))} twice; keep one entry for each person.")
    return found


def _recipient(line: dict, where: str, languages: Collection[str], files: Collection[str]) -> Recipient:
    if unknown := sorted(set(line) - _KEYS):
        raise RecipientsError(
            f"{where} has {', '.join(unknown)}, which nothing reads. Known are {', '.join(sorted(_KEYS))}; what a person may see "
            "is said where it is said who may see what ([access] people)."
        )
    person, address, language = line.get("person"), line.get("address"), line.get("language")
    if not isinstance(person, str) or not person or person != person.strip() or not person.isprintable():
        raise RecipientsError(f"{where} names in person, in quotes, whom it is for, as [access] people does.")
    if not isinstance(address, str) or not is_address(address):
        raise RecipientsError(f"{where} has in address one e-mail address in ASCII; got {address!r}.")
    if language is not None and (not isinstance(language, str) or language not in languages):
        raise RecipientsError(f"{where} has a language of {', '.join(languages)}; got {language!r}.")
    wanted = line.get("files", [])
    known = isinstance(wanted, list) and all(isinstance(each, str) and each in files for each in wanted)
    if not known or ("files" in line and not wanted):
        raise RecipientsError(f"{where} lists in files what is sent, of {', '.join(files)}; got {wanted!r}.")
    return Recipient(Identity(person, person).person, address, language, tuple(dict.fromkeys(wanted)))
