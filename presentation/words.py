"""The reader's language: texts of the program translated, codes of the warehouse in words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pandas as pd
from babel.messages.pofile import read_po

from measures.dimensions import BELOW
from measures.model import Dimension, _
from measures.question import Told

LANGUAGES = {"en": "English", "zh_CN": "简体中文", "zh_TW": "繁體中文"}
"""The languages the program speaks, each by its own name. English is what the texts are written in."""

LOCALES = Path(__file__).resolve().parent.parent / "locales"

NOT_RECORDED = _("not recorded")
ON_THE_BRANCH_ITSELF = _("booked on the branch itself")


class Words:
    """Says the program's texts in one language. Made by `words`; a text without translation is said in English."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._translated: dict[object, tuple[str, ...]] = {}
        if language != "en":
            with po_file(language).open(encoding="utf-8") as file:
                for message in read_po(file, locale=language):
                    if message.id and not message.fuzzy:
                        said = message.string if message.pluralizable else (message.string,)
                        self._translated[message.id] = tuple(said)

    def __call__(self, text: str, **parts: object) -> str:
        """`text` in the language, with `parts` in its fields. Without parts, braces are left as they are."""
        said = self._translated.get(text, ("",))[0] or text
        return said.format(**parts) if parts else said

    def plural(self, one: str, many: str, n: int, **parts: object) -> str:
        """`one` or `many` of something, with `n` in the field {n}."""
        in_english = one if n == 1 else many
        said = self._translated.get((one, many), ("",))[0]  # Chinese has one form
        return (said or in_english).format(n=n, **parts)

    def told(self, error: Told) -> str:
        """The sentence of an error, in the language."""
        return self(error.text, **error.parts)

    def value(self, dimension: Dimension, value: object) -> str:
        """The word for one value of `dimension`: a code that the dimension does not know is said as it is."""
        if pd.isna(value):
            return self(missing_value(dimension))
        return self(dimension.values[value]) if value in dimension.values else str(value)

    def listed(self, texts: list[str]) -> str:
        """The texts one after the other, separated as the language does."""
        return (", " if self.language == "en" else "、").join(texts)

    def aside(self, text: str, note: str) -> str:
        """The text with a note behind it in the language's brackets: “A (72 %)”, “A（72%）”."""
        return f"{text} ({note})" if self.language == "en" else f"{text}（{note}）"

    def clauses(self, texts: Iterable[str]) -> str:
        """The clauses as one sentence."""
        return ("; " if self.language == "en" else "；").join(texts)

    def sentences(self, texts: Iterable[str]) -> str:
        """The sentences as one text."""
        return (" " if self.language == "en" else "").join(texts)


def missing_value(dimension: Dimension) -> str:
    """What a missing value of `dimension` means (msgid)."""
    return ON_THE_BRANCH_ITSELF if dimension is BELOW else NOT_RECORDED


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> Words:
    """The words of one of LANGUAGES. Raises ValueError for another."""
    if language not in LANGUAGES:
        raise ValueError(f"The program speaks {', '.join(LANGUAGES)}; got {language!r}.")
    return Words(language)


def browser_language(locale: str | None) -> str:
    """The language for a browser that asks for `locale` (BCP 47, such as zh-HK); English where it asks for neither."""
    parts = (locale or "").lower().replace("_", "-").split("-")
    if parts[0] != "zh":
        return "en"
    # The script is said before the region: zh-Hans-HK is written in simplified characters.
    if "hans" in parts:
        return "zh_CN"
    return "zh_TW" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh_CN"


def po_file(language: str) -> Path:
    """Where the translations into `language` are kept."""
    return LOCALES / language / "LC_MESSAGES" / "messages.po"
