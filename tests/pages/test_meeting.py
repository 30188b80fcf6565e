"""The weekly meeting: prepared, started, held still, followed by actions, taken along as files; and closed to who may not hold it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import openpyxl
import pytest
from docx import Document
from pptx import Presentation
from streamlit.testing.v1 import AppTest

from data_access.journal import journal_of
from data_access.meetings import meetings_of, monday_of
from data_access.settings import settings
from tests import bank
from tests.pages.conftest import Visit

HEAD_OFFICE = "1"


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{tmp_path}/journal.db")


@pytest.fixture
def own_url(tmp_path: Path) -> str:
    """The test bank, in a file that a test may change."""
    path = tmp_path / "own.duckdb"
    bank.write_duckdb(bank.BANK, path)
    return f"duckdb:///{path}"


def button(reader: Visit, label: str):
    found = [each for each in reader.app.button if each.label == label]
    assert found, f"no button {label!r}; there are {[each.label for each in reader.app.button]}"
    return found[0]


def prepared(reader: Visit) -> Visit:
    reader.show("meeting")
    button(reader, "Prepare the meeting").click().run()
    return reader


def started(reader: Visit) -> Visit:
    prepared(reader)
    reader.app.button(key="meeting_start").click().run()
    return reader


def store():
    return meetings_of(settings().access)


def this_week(branch: str = HEAD_OFFICE):
    return store().of(branch, date.today())


def findings(reader: Visit) -> list[str]:
    return [
        text.split(">", 1)[1].rpartition("<")[0]
        for text in reader.texts
        if text.startswith("<div class=chart-finding>")
    ]


def presented(reader: Visit) -> Visit:
    reader.app.button(key="meeting_present").click().run()
    return reader


def slide(reader: Visit) -> str:
    return next(text for text in reader.texts if "slide-title" in text)


def turn(reader: Visit, to: int) -> None:
    """What the browser sends when a key turns the slide."""
    found = this_week()
    reader.app.session_state["_meeting_at"][found.id] = to
    store().at(found.id, to)
    reader.app.run()


def test_a_meeting_is_prepared_with_what_the_bank_has_numbers_for(visit, own_url):
    reader = prepared(visit(own_url, lang="en"))
    assert reader.failures == []
    items = store().items(this_week().id)
    views = [json.loads(item.view) for item in items]
    assert [view["of"] for view in views][:3] == ["agreed", "key", "attention"]
    assert {"cohort_activation_rate", "coverage", "complaints_received"} <= {
        view.get("given", {}).get("name") for view in views
    }
    assert all(view["filters"]["branch"] == HEAD_OFFICE for view in views[2:])


def test_a_bank_with_complaints_alone_has_a_meeting_about_complaints(visit, complaints_url):
    reader = started(visit(complaints_url, lang="en"))
    assert reader.failures == []
    named = {json.loads(item.view).get("given", {}).get("name") for item in store().items(this_week().id)}
    assert named - {None} == {"complaints_received", "complaints_open"}


def test_every_slide_is_shown_where_nothing_stands_out(visit, empty_url):
    reader = presented(started(visit(empty_url, lang="en")))
    slides = len(store().items(this_week().id))
    shown = []
    for to in range(slides):
        turn(reader, to)
        assert reader.failures == []
        shown.append(slide(reader))
    assert len(set(shown)) > 2


def test_a_bank_without_rows_has_a_meeting_all_the_same(visit, empty_url):
    reader = started(visit(empty_url, lang="en"))
    assert reader.failures == [] and "under way" in " ".join(reader.texts)


def test_what_a_meeting_shows_stays_when_the_warehouse_changes_and_what_was_corrected_is_said(visit, own_url):
    reader = started(visit(own_url, lang="en"))
    before = findings(reader)
    assert len(before) >= 9
    path = own_url.removeprefix("duckdb:///")
    closed = [row | {"cause": "fees"} for row in bank.BANK["complaints"]]
    bank.write_duckdb(bank.BANK | {"complaints": closed}, Path(path))
    later = visit(own_url, lang="en").show("meeting")
    assert findings(later) == before
    presented(later)
    at = next(n for n, item in enumerate(store().items(this_week().id)) if '"pareto"' in item.view)
    turn(later, at)
    assert "Queueing" in slide(later)
    assert any("Corrected since in the warehouse" in text and "Complaints received" in text for text in later.texts)


def test_a_load_that_changes_nothing_of_those_days_corrects_nothing(visit, own_url):
    started(visit(own_url, lang="en"))
    again = [row | {"rows": row["rows"] + 1} for row in bank.BANK["loads"]]
    bank.write_duckdb(bank.BANK | {"loads": again}, Path(own_url.removeprefix("duckdb:///")))
    reader = presented(visit(own_url, lang="en").show("meeting"))
    for at in range(9):
        turn(reader, at)
        assert not any("Corrected since" in text for text in reader.texts)


def test_a_meeting_is_reopened_at_the_slide_it_was_at(visit, own_url):
    reader = presented(started(visit(own_url, lang="en")))
    turn(reader, 4)
    shown = slide(reader)
    other = presented(visit(own_url, lang="en").show("meeting"))
    assert slide(other) == shown
    assert any("5 of" in text for text in other.texts)


def test_from_a_slide_the_way_leads_to_its_page_and_back(visit, own_url):
    reader = presented(started(visit(own_url, lang="en")))
    at = next(n for n, item in enumerate(store().items(this_week().id)) if '"pareto"' in item.view)
    turn(reader, at)
    shown = slide(reader)
    reader.app.button(key="present_deeper").click().run()
    assert "complaints_received" in reader.app.query_params["measures"]
    assert "complaints_received" in next(iter(reader.tables))
    button(reader, "Back to the meeting").click().run()
    assert slide(reader) == shown


def test_items_are_left_out_moved_and_remarked_on(visit, own_url):
    reader = prepared(visit(own_url, lang="en"))
    items = store().items(this_week().id)
    reader.app.button(key=f"keep_{items[3].id}").click().run()
    reader.app.button(key=f"move_↑_{items[5].id}").click().run()
    reader.app.text_area(key=f"remark_{items[1].id}_{items[1].revision}").set_value("Ask 李 about =1+1 <b>").run()
    now = store().items(this_week().id)
    assert [item.id for item in now][4] == items[5].id
    assert not next(item for item in now if item.id == items[3].id).kept
    assert next(item for item in now if item.id == items[1].id).remark == "Ask 李 about =1+1 <b>"
    reader.app.button(key="meeting_start").click().run()
    assert len(findings(reader)) >= len(items) - 1


def test_of_two_who_write_a_remark_nothing_is_lost_and_the_second_sees_it(visit, own_url):
    first = prepared(visit(own_url, lang="en"))
    second = visit(own_url, lang="en").show("meeting")
    item = store().items(this_week().id)[1]
    key = f"remark_{item.id}_{item.revision}"
    first.app.text_area(key=key).set_value("first").run()
    second.app.text_area(key=key).set_value("second").run()
    assert store().items(this_week().id)[1].remark == "first"
    assert any("has changed this remark meanwhile" in text for text in second.sentences)
    assert "second" in [code.value for code in second.app.code]
    now = store().items(this_week().id)[1]
    assert second.app.text_area(key=f"remark_{now.id}_{now.revision}").value == "first"
    second.app.button(key=f"join_{item.id}").click().run()
    assert store().items(this_week().id)[1].remark == "first\nsecond"


def test_an_ended_meeting_is_read_and_not_written(visit, own_url):
    reader = started(visit(own_url, lang="en"))
    before = findings(reader)
    reader.app.button(key="meeting_end").click().run()
    assert this_week().state == "ended"
    assert findings(reader) == before
    assert not [each for each in reader.app.button if str(each.key).startswith(("keep_", "move_"))]


def agreed(reader: Visit, **given: object) -> None:
    app = reader.app
    app.text_area(key="agree_what").set_value(given.get("what", "Call those overdue"))
    app.selectbox(key="agree_who").set_value(given.get("who", "branch:12"))
    app.selectbox(key="agree_measure").set_value(given.get("measure", "coverage"))
    button(reader, "Agree").click().run()


def test_an_action_is_agreed_on_with_its_baseline_and_shown_the_next_week(visit, own_url, monkeypatch):
    reader = started(visit(own_url, lang="en"))
    agreed(reader)
    assert reader.failures == []
    (action,) = store().actions(HEAD_OFFICE)
    assert (action.what, action.who, action.measure, action.state) == ("Call those overdue", "12", "coverage", "open")
    assert action.agreed_on == bank.DATA_UNTIL + timedelta(days=1)
    # The next week: another meeting looks at what was agreed, this one does not.
    weeks = store()
    following = weeks.prepared(HEAD_OFFICE, date.today() + timedelta(days=7), [('{"of": "agreed"}', "")], "li")
    later = visit(own_url, lang="en", week=monday_of(date.today() + timedelta(days=7)).isoformat()).show("meeting")
    assert following.id
    later.app.selectbox(key=f"meeting_week_{HEAD_OFFICE}").set_value(following.week.isoformat()).run()
    later.app.button(key="meeting_start").click().run()
    assert any("1 action is open" in text for text in findings(later))
    assert any("too little yet to tell" in text for text in findings(later))
    later.app.button(key=f"done_{action.id}").click().run()
    assert store().actions(HEAD_OFFICE)[0].state == "done"
    assert any("All that was agreed is done or dropped" in text for text in findings(later))


def test_an_action_without_a_word_is_not_agreed_on(visit, own_url):
    reader = started(visit(own_url, lang="en"))
    agreed(reader, what="  ")
    assert store().actions(HEAD_OFFICE) == []
    assert "Say what is to be done." in reader.sentences


def test_the_files_of_a_meeting_hold_its_slides_and_stand_in_the_journal(visit, own_url):
    reader = started(visit(own_url, lang="en"))
    titles = findings(reader)
    deck = Presentation(io.BytesIO(reader.file("meeting", "pptx")))
    written = [shape.text_frame.text for each in deck.slides for shape in each.placeholders if shape.has_text_frame]
    assert set(titles) <= set(written)
    book = openpyxl.load_workbook(io.BytesIO(reader.file("meeting", "xlsx")))
    assert len(book.sheetnames) >= len(titles)
    report = Document(io.BytesIO(reader.file("meeting", "docx")))
    assert report.tables
    entries = journal_of(settings().access).entries()
    taken = entries[entries["file_name"] != ""]
    assert {name.rpartition(".")[2] for name in taken["file_name"]} == {"pptx", "xlsx", "docx"}
    assert (taken["rows"] > 0).all()


def test_a_chart_of_any_page_is_taken_into_the_meeting(visit, own_url):
    reader = prepared(visit(own_url, lang="en"))
    before = len(store().items(this_week().id))
    reader.show("activation")
    corner = next(each for each in reader.app.button if str(each.key).endswith("_corner"))
    corner.click().run()
    items = store().items(this_week().id)
    assert len(items) == before + 1 and items[-1].title
    reader.show("meeting")
    reader.app.button(key="meeting_start").click().run()
    assert items[-1].title in findings(reader)


def test_what_is_taken_into_a_running_meeting_is_kept_too(visit, own_url):
    reader = started(visit(own_url, lang="en"))
    reader.show("activation")
    next(each for each in reader.app.button if str(each.key).endswith("_corner")).click().run()
    title = store().items(this_week().id)[-1].title
    bank.write_duckdb(bank.BANK | {"contracts": bank.BANK["contracts"][:2]}, Path(own_url.removeprefix("duckdb:///")))
    assert title in findings(visit(own_url, lang="en").show("meeting"))


def meeting_alone() -> None:
    import streamlit as st

    from panels.meeting import meeting

    meeting(st.session_state["desk"])


def test_who_has_lost_the_right_since_the_page_was_drawn_changes_nothing_more(visit, own_url):
    reader, still = started(visit(own_url, lang="en")), [True]
    app = AppTest.from_function(meeting_alone, default_timeout=30)
    app.session_state["desk"] = replace(reader.app.session_state["desk"], holds=lambda: still[0])
    app.run()
    items = store().items(this_week().id)
    still[0] = False
    app.button(key=f"keep_{items[0].id}").click().run()
    app.text_area(key=f"remark_{items[0].id}_{items[0].revision}").set_value("mine").run()
    app.button(key="meeting_end").click().run()
    assert store().items(this_week().id) == items and this_week().state == "running"
    assert any("has changed. Load the page again." in each.value for each in app.warning)
    still[0] = True
    app.button(key=f"keep_{items[0].id}").click().run()
    assert not store().items(this_week().id)[0].kept


def test_no_page_offers_a_meeting_to_who_has_none(visit, own_url):
    reader = visit(own_url, lang="en").show("activation")
    assert not [each for each in reader.app.button if str(each.key).endswith("_corner")]


@pytest.mark.parametrize("language", ["zh_CN", "zh_TW"])
def test_a_meeting_speaks_the_readers_language(visit, own_url, language):
    reader = visit(own_url, lang=language).show("meeting")
    reader.app.main.button[0].click().run()
    reader.app.button(key="meeting_start").click().run()
    assert reader.failures == []
    assert not any(word in text for text in findings(reader) for word in ("Against", "Coverage", "of the"))


def test_the_database_of_a_test_is_its_own(visit, own_url, tmp_path):
    prepared(visit(own_url, lang="en"))
    assert duckdb.connect(own_url.removeprefix("duckdb:///")).execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'meeting%'"
    ).fetchone() == (0,)


def test_a_view_that_is_not_seen_from_the_meetings_branch_costs_the_meeting_nothing_else(visit, own_url):
    reader = prepared(visit(own_url, lang="en"))
    view = {"of": "trend", "given": {"name": "coverage"}, "filters": {"branch": "not seen"}}
    store().add(this_week().id, json.dumps(view), "coverage is 17.3% above", "somebody")
    reader.show("meeting")
    assert len([each for each in reader.app.button if each.label == "Leave out"]) == len(store().items(this_week().id))
    assert not [text for text in reader.texts if "17.3%" in text]
