"""The weekly meeting: prepared, started, held still, presented, and what is agreed in it."""

from __future__ import annotations

from tests.pages.conftest import Visit


def prepared(reader: Visit) -> Visit:
    reader.show("meeting")
    button(reader, "Prepare the meeting").click().run()
    return reader


def started(reader: Visit) -> Visit:
    prepared(reader)
    reader.app.button(key="meeting_start").click().run()
    return reader


def button(reader: Visit, label: str):
    return next(found for found in reader.app.button if found.label == label)


def test_a_meeting_is_prepared_started_and_shows_its_findings(visit, demo_url):
    reader = started(visit(demo_url, lang="en"))
    assert reader.failures == []
    texts = " ".join(reader.texts)
    print(texts[:6000])
    assert "under way" in texts
