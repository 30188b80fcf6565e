"""Long files on a running server: handed over once, to the reader whose page offers them, after they were written down."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.pages.test_files import busy_bank
from tests.security.bank_server import Bank, bank
from tests.security.conftest import ACCESS
from tests.security.tab import Reader, Tab

QUOTA = '\n[access.quotas]\n"branch manager" = { files = 50, rows = 10000000 }\n'
PEOPLE = """
[[viewers]]
group = "analysts"
role = "branch manager"
branch = "1"

[[viewers]]
group = "managers"
role = "branch manager"
branch = "2"
"""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, temporary: Path) -> Iterator[Bank]:
    warehouse = busy_bank(tmp_path_factory.mktemp("busy"))
    folder = tmp_path_factory.mktemp("bank")
    with bank(folder, f"duckdb:///{warehouse}", ACCESS + QUOTA, PEOPLE, TMPDIR=str(temporary)) as running:
        yield running
    assert files_on(temporary) == []  # also the folder goes when the server does


def files_on(temporary: Path) -> list[str]:
    return [found.name for found in temporary.glob("*dashboard-files*/*") if found.name != "lock"]


def signed_in(served: Bank, person: str) -> Reader:
    reader = Reader(served)
    reader.sign_in(person)
    return reader


def link_on(tab: Tab) -> str:
    """Has the overdue customers written, and returns where they are handed over."""
    chosen: dict[str, object] = {tab.id_of("button_group", "follow_up_tables"): ["Overdue customers"]}
    tab.run(states=chosen)
    chosen[tab.id_of("text_input", "overdue_listing_purpose")] = "a test"
    tab.run(states=chosen)
    begun = len(tab.messages)
    tab.run(states=chosen, pressed=tab.widget("overdue_listing_csv"))
    until = time.monotonic() + 120
    while time.monotonic() < until:
        links = [m.delta.new_element.link_button.url for m in tab.messages[begun:]]
        if found := [link for link in links if link]:
            return found[-1]
        time.sleep(0.5)
        tab.run(states=chosen)
    raise AssertionError("the file was never ready")


def fetched(reader: Reader, link: str) -> tuple[int, bytes]:
    asked = urllib.request.Request(reader.bank.address + link[1:], headers={"Cookie": reader.cookies})
    try:
        with urllib.request.urlopen(asked, timeout=60) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_a_long_file_is_handed_over_once_to_its_reader_alone(served: Bank, temporary: Path) -> None:
    owner, other = signed_in(served, "head"), signed_in(served, "manager")
    with owner.tab("follow_up") as tab, other.tab("follow_up"):
        link = link_on(tab)
        for thief in (other, Reader(served)):
            assert fetched(thief, link)[0] == 404
        assert " export " not in served.command("journal", "list")
        # A browser that goes away in the middle may come again, and is written down once.
        connection = http.client.HTTPConnection(urlsplit(served.address).netloc, timeout=30)
        connection.request("GET", link, headers={"Cookie": owner.cookies})
        assert connection.getresponse().read(1000).startswith(b"\xef\xbb\xbf")
        connection.close()
        status, content = fetched(owner, link)
        assert (status, content.count(b"\r\n")) == (200, 200_001)
        status, told = fetched(owner, link)
        assert (status, told.decode()) == (404, "This file is not kept any more. Make it again in the dashboard.")
    assert files_on(temporary) == []
    assert served.command("journal", "list").count(" export ") == 1
    assert hashlib.sha256(content).hexdigest() in served.command("journal", "export")


def test_a_long_file_of_a_closed_tab_is_not_handed_over(served: Bank) -> None:
    owner = signed_in(served, "head")
    with owner.tab("follow_up") as tab:
        link = link_on(tab)
    time.sleep(1)
    assert fetched(owner, link)[0] == 404


def test_whose_role_was_taken_away_between_the_click_and_the_save_gets_nothing(served: Bank, temporary: Path) -> None:
    owner = signed_in(served, "head")
    people = served.folder / "access.toml"
    before = served.command("journal", "list").count(" export ")
    with owner.tab("follow_up") as tab:
        link = link_on(tab)
        people.write_text(PEOPLE.replace('group = "analysts"', 'group = "nobody"'), encoding="utf-8")
        try:
            status, told = fetched(owner, link)
            assert (status, told.decode()) == (403, "Your role does not permit to take this away.")
            assert link.rpartition("/")[2] not in files_on(temporary)
        finally:
            people.write_text(PEOPLE, encoding="utf-8")
        assert fetched(owner, link)[0] == 404
    assert served.command("journal", "list").count(" export ") == before


def test_the_folder_of_files_is_for_the_server_alone(temporary: Path) -> None:
    (folder,) = temporary.glob("dashboard-files-*")
    assert folder.stat().st_mode & 0o077 == 0
    assert tempfile.gettempdir() != str(temporary)
