"""Every text of the program is translated, and the translations are what the code and the derivation give."""

from __future__ import annotations

import ast

import pytest
from babel.messages.catalog import Catalog

from presentation import translations
from presentation.translations import (
    DERIVED,
    MARKS,
    ROOT,
    WRITTEN,
    as_file,
    catalogue,
    derived,
    faults,
    fields,
    source_texts,
    updated,
)
from presentation.words import po_file


def of(**texts) -> Catalog:
    found = Catalog(locale=WRITTEN)
    for text, said in texts.items():
        found.add(text, said, locations=[("pages/greeting.py", 0)])
    return found


def found_in(source: Catalog, written: Catalog) -> list[str]:
    file = as_file(DERIVED, derived(updated(source, written)))
    return [fault.split(":")[0] for fault in faults(source, written, file)]


def test_the_translations_are_complete_and_fresh():
    assert list(faults(source_texts(), catalogue(WRITTEN), po_file(DERIVED).read_bytes())) == []


def test_the_kept_file_is_what_an_update_would_write():
    written = updated(source_texts(), catalogue(WRITTEN))
    assert po_file(WRITTEN).read_bytes() == as_file(WRITTEN, written)


def test_texts_are_found_where_they_are_marked():
    source = source_texts()
    assert "Complaints received" in source
    assert ("{n} branch below", "{n} branches below") in source


def test_what_the_commands_print_is_not_translated():
    places = [place for message in source_texts() for place, _line in message.locations]
    assert not any(place in ("data_access/load.py", "data_access/demo.py", "data_access/check.py") for place in places)


def test_a_text_without_translation_is_missed():
    assert found_in(of(Hello=""), of(Hello="你好")) == []
    assert found_in(of(Hello=""), of()) == ["missing"]
    assert found_in(of(Hello=""), of(Hello="")) == ["missing"]


def test_a_translation_that_nobody_says_is_found():
    assert found_in(of(Hello=""), of(Hello="你好", Goodbye="再见")) == ["unused"]


def test_a_fuzzy_translation_is_found_because_it_is_not_shown():
    written = of(Hello="你好")
    written["Hello"].flags.add("fuzzy")
    assert "fuzzy" in found_in(of(Hello=""), written)


@pytest.mark.parametrize("said", ["你好", "你好{nmae}", "{name}{name2}"])
def test_a_translation_with_other_fields_is_found(said):
    text = "Hello {name}"
    source, written = Catalog(), Catalog(locale=WRITTEN)
    source.add(text)
    written.add(text, said)
    assert found_in(source, written) == ["other fields"]


def test_traditional_characters_that_are_not_derived_are_found():
    source, written = of(Hello=""), of(Hello="网点")
    assert [fault.split(":")[0] for fault in faults(source, written, b"")] == ["stale"]
    by_hand = as_file(DERIVED, derived(written)).replace("網點".encode(), "分點".encode())
    assert [fault.split(":")[0] for fault in faults(source, written, by_hand)] == ["stale"]


def test_the_derivation_leaves_fields_as_they_are():
    for message in derived(catalogue(WRITTEN)):
        for form in message.string if message.pluralizable else [message.string]:
            many = message.id[1] if message.pluralizable else message.id
            assert fields(form) == fields(many)


def test_the_command_fails_where_something_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(translations, "catalogue", lambda language: Catalog(locale=language))
    assert translations.main(["--check"]) == 1
    assert "missing: 'Complaints received' (measures/complaints.py)" in capsys.readouterr().out


def test_no_text_is_marked_inside_of_an_f_string_where_it_is_not_found():
    marks = {"_", "say", "plural"}
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for place in MARKS
        for path in ((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in marks
        if any(isinstance(given, ast.Constant) and isinstance(given.value, str) for given in call.args)
    ]
    assert hidden == []
