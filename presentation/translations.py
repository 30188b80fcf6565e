"""Keeps locales/ in step with the code: `python -m presentation.translations [--check]`.

Without `--check`: texts new in the code are added to zh_CN without translation, texts gone from the code are taken out,
and zh_TW is derived from zh_CN. With `--check`: nothing is written; what is missing, fuzzy, unused, stale or has other
fields than the English text is listed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from opencc import OpenCC

from presentation.words import po_file

ROOT = Path(__file__).resolve().parent.parent

# What `say` means in data_access is another thing: the lines that its commands print stay English.
MARKS: dict[str, dict] = {"measures": {"_": None}, "data_access": {"_": None}} | {
    place: {"_": None, "say": None, "plural": (1, 2)}
    for place in ("presentation", "panels", "pages", "app.py", "deliver.py")
}

WRITTEN, DERIVED = "zh_CN", "zh_TW"


def source_texts() -> Catalog:
    """Every text that is marked in the code, with the files it stands in."""
    found = Catalog(charset="utf-8")
    for place, marks in MARKS.items():
        top = ROOT / place
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top] * top.exists():
            for _line, text, _comments, context in extract_from_file("python", path, keywords=marks):
                found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)], context=context)
    return found


def catalogue(language: str) -> Catalog:
    """The translations as they are kept; empty where there are none yet."""
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open(encoding="utf-8") as file:
        return read_po(file, locale=language)


def updated(source: Catalog, kept: Catalog) -> Catalog:
    """`source` with the translations that are `kept`."""
    new = Catalog(locale=WRITTEN, charset="utf-8")
    for message in _messages(source):
        old = kept.get(message.id)
        new.add(message.id, old.string if old else None, message.locations, flags=old.flags if old else ())
    return new


def derived(written: Catalog) -> Catalog:
    """`written` in Traditional characters with Taiwan's words."""
    converter = OpenCC("s2twp")
    new = Catalog(locale=DERIVED, charset="utf-8")
    for message in _messages(written):
        said = message.string
        said = tuple(map(converter.convert, said)) if message.pluralizable else converter.convert(said or "")
        new.add(message.id, said, message.locations)
    return new


def as_file(language: str, translations: Catalog) -> bytes:
    """The .po file of a language: the same bytes for the same translations, wherever in the code they are said and when."""
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    body = io.BytesIO()
    write_po(body, translations, width=0, omit_header=True, no_location=True, sort_output=True)
    return header.encode() + body.getvalue()


def faults(source: Catalog, written: Catalog, derived_file: bytes) -> Iterator[str]:
    """What is wrong with the translations `written`, and with `derived_file` that is made from them: a line for each."""
    known = {message.id for message in _messages(source)}
    for message in _messages(source):
        kept = written.get(message.id)
        if kept is None or not all(_forms(kept)):
            yield f"missing: {message.id!r} ({message.locations[0][0]})"
    for message in _messages(written):
        if message.id not in known:
            yield f"unused: {message.id!r}"
        if message.fuzzy:
            yield f"fuzzy: {message.id!r}"
        many = message.id[1] if message.pluralizable else message.id
        for form in _forms(message):
            if form and fields(form) != fields(many):
                yield f"other fields: {message.id!r} is translated as {form!r}"
    if derived_file != as_file(DERIVED, derived(updated(source, written))):
        yield f"stale: {po_file(DERIVED).relative_to(ROOT)} is not what {WRITTEN} gives; run “python -m presentation.translations”"


def fields(text: str) -> set[str]:
    """The names in braces in `text`."""
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def _messages(translations: Catalog) -> Iterator[Message]:
    return (message for message in translations if message.id)


def _forms(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if message.pluralizable else (message.string or "",)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m presentation.translations", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; list what is wrong, and exit 1 if anything is"
    )
    options = parser.parse_args(arguments)
    source, written = source_texts(), catalogue(WRITTEN)
    if not options.check:
        written = updated(source, written)
        for language, translations in ((WRITTEN, written), (DERIVED, derived(written))):
            path = po_file(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_file(language, translations))
    path = po_file(DERIVED)
    found = list(faults(source, written, path.read_bytes() if path.exists() else b""))
    for fault in found:
        print(fault)
    print(f"{len(list(_messages(source)))} texts, {len(found)} faults.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
