"""Every file that leaves the dashboard is written down first, and bears the number under which it is."""

from __future__ import annotations

import hashlib
import io
import re

import msoffcrypto
import openpyxl

from data_access.journal import Journal
from data_access.settings import settings
from tests import bank
from tests.pages.test_files import TABLES


def journal() -> Journal:
    access = settings().access
    return Journal(access.journal, access.journal_key)


def newest():
    return journal().entries(newest=1).iloc[0]


def said_of(workbook: bytes) -> dict[str, str]:
    return dict(openpyxl.load_workbook(io.BytesIO(workbook))["About"].iter_rows(values_only=True, max_col=2))


def test_each_file_of_each_table_is_one_entry_that_says_what_it_is(visit, whole_url):
    reader = visit(whole_url, lang="en", branch=bank.BRANCH)
    for page in TABLES:
        for name in reader.show(page).tables:
            before = journal().last()[0]
            file = reader.file(name)
            entry, about = newest(), said_of(file)
            assert entry["number"] == before + 1
            assert (entry["id"], entry["file_sha256"]) == (about["File"], hashlib.sha256(file).hexdigest())
            assert (entry["action"], entry["person"], entry["role"]) == ("export", "Visitor", "visitor")
            assert entry["rows"] == int(about["Rows"].replace(",", ""))
            assert entry["scope"] == about["Scope"]
            assert f"Branch: {about['Branch']}" in entry["filters"]
            assert entry["what"] in about
            assert (entry["expires_on"] - entry["at"].date()).days == 30
            assert len(entry["sql_hash"]) == 64
    assert journal().verify() == []


def test_the_same_question_of_another_branch_is_another_statement(visit, whole_url):
    reader = visit(whole_url, lang="en").show("activation")
    hashes = set()
    for branch in (bank.HEAD_OFFICE, bank.BRANCH, bank.HEAD_OFFICE):
        reader.choose("branch", branch).file("activation_by_branch")
        hashes.add(newest()["sql_hash"])
    assert len(hashes) == 2


def test_what_a_listing_is_taken_for_is_written_down(visit, whole_url):
    reader = visit(whole_url, lang="en").show("follow_up").turn("follow_up_tables", "overdue_listing")
    reader.app.text_input(key="overdue_listing_purpose").set_value("=calls on Monday").run()
    reader.file("overdue_listing", "csv")
    entry = newest()
    assert entry["purpose"] == "=calls on Monday"
    assert re.fullmatch(r"overdue_listing_\d{4}-\d\d-\d\d\.csv", entry["file_name"])


def test_the_file_with_a_password_is_the_one_that_is_written_down(visit, whole_url):
    reader = visit(whole_url, lang="en").show("activation")
    reader.app.text_input(key="activation_by_branch_password").set_value("secret").run()
    file = reader.file("activation_by_branch")
    assert newest()["file_sha256"] == hashlib.sha256(file).hexdigest()
    assert "secret" not in str(newest().to_dict())
    office, clear = msoffcrypto.OfficeFile(io.BytesIO(file)), io.BytesIO()
    office.load_key(password="secret", verify_password=True)
    office.decrypt(clear)
    assert said_of(clear.getvalue())["File"] == newest()["id"]


def test_without_a_journal_nothing_is_handed_over(visit, whole_url, monkeypatch, tmp_path, caplog):
    (tmp_path / "journal.db").mkdir()
    monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{tmp_path / 'journal.db'}")
    reader = visit(whole_url, lang="en").show("activation")
    assert not reader.app.get("download_button")
    assert any("The journal" in text for text in reader.texts)
    assert len(caplog.records) < 4  # it is asked once a run, not once a table
    # The numbers are there all the same.
    assert reader.tables["activation_by_branch"]["rows"]
