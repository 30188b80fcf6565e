"""MEASURES.md says what is declared."""

from __future__ import annotations

import pytest

from measures import document
from measures.catalogue import DIMENSION, LISTINGS, MEASURES


def test_measures_md_is_what_the_declarations_say_now(capsys: pytest.CaptureFixture[str]):
    assert document.main(["--check"]) == 0, capsys.readouterr().err


def test_every_measure_stands_there_with_its_meaning_and_every_dimension_and_listing_with_its_name():
    text = document.FILE.read_text(encoding="utf-8")
    for measure in MEASURES.values():
        assert f"### {measure.label} · `{measure.name}`\n\n{measure.meaning}\n" in text
    for name in (*DIMENSION, *LISTINGS):
        assert f"`{name}`" in text


def test_a_stale_file_is_told_with_the_way_out_and_is_not_written(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    stale = tmp_path / "MEASURES.md"
    stale.write_text("# Measures\n", encoding="utf-8")
    monkeypatch.setattr(document, "FILE", stale)
    assert document.main(["--check"]) == 1
    assert "python -m measures.document" in capsys.readouterr().err
    assert stale.read_text(encoding="utf-8") == "# Measures\n"
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0
