"""A part of a page that fails does so alone: it says why in its place, and all others stand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from panels import signals
from tests.pages.conftest import OPEN_CONFIG

LIMITED = OPEN_CONFIG.replace("statement_seconds = 30", "statement_seconds = 1")
ENDLESS = "(SELECT sum(hash(a.range * b.range)) FROM range(3000000) a, range(1000000) b) IS NOT NULL"
BROKEN = "error('out of order') IS NOT NULL"
TOO_LONG = "This took longer than 1 s and was stopped."
NO_ANSWER = "The warehouse does not answer."


def behind_view(path: Path, table: str, condition: str) -> str:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO kept_{table}")
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM kept_{table} WHERE {condition}")
    return f"duckdb:///{path}"


@pytest.mark.parametrize(("condition", "said"), [(ENDLESS, TOO_LONG), (BROKEN, NO_ANSWER)], ids=["endless", "broken"])
def test_complaints_that_cannot_be_read_leave_the_other_pages_and_say_so_on_theirs(visit, own_file, condition, said):
    reader = visit(behind_view(own_file, "complaints", condition), config=LIMITED)
    for page in ("activation", "follow_up", "targets"):
        reader.show(page)
        assert reader.failures == [] and reader.tables and not any(said in sentence for sentence in reader.sentences)
    reader.show("complaints")
    told = [sentence for sentence in reader.sentences if said in sentence]
    assert len(told) >= 4  # the cards, the causes, the course, the bars, the bands, the table
    assert not reader.app.exception
    # What it is about, and the way out.
    assert any(sentence.startswith("Complaints received") for sentence in told)
    # The switches of what failed are still there: another choice may be answered.
    assert {"complaints_tables", "complaints_closer"} <= {group.key for group in reader.app.button_group}


def test_of_the_cards_of_several_tables_those_that_can_be_read_stand(visit, own_file):
    whole = visit(f"duckdb:///{own_file}").cards
    reader = visit(behind_view(own_file, "complaints", BROKEN))
    about_complaints = {"Complaints received", "Per 1,000 contracts", "Closed on time, share"}
    assert reader.cards == {label: value for label, value in whole.items() if label not in about_complaints}
    assert len(reader.cards) == 5
    for label in about_complaints:
        assert any(label in sentence and NO_ANSWER in sentence for sentence in reader.sentences)


@pytest.mark.parametrize("language", ["zh_CN", "zh_TW"])
def test_what_failed_is_said_in_the_readers_language(visit, own_file, language):
    reader = visit(behind_view(own_file, "complaints", ENDLESS), config=LIMITED, lang=language)
    told = [sentence for sentence in reader.sentences if "1 秒" in sentence]
    assert told and not any("This took" in sentence for sentence in reader.sentences)


def test_where_the_whole_warehouse_goes_in_the_middle_of_a_page_it_is_said_once(visit, own_file, monkeypatch):
    reader = visit(f"duckdb:///{own_file}")
    drawn = signals.found_by

    def lost(desk):
        own_file.unlink(missing_ok=True)
        return drawn(desk)

    monkeypatch.setattr(signals, "found_by", lost)
    reader.show("overview")
    (sentence,) = reader.failures
    assert "There is no warehouse at warehouse.duckdb" in sentence
