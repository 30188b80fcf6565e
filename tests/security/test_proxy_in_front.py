"""The dashboard behind a proxy: the identity reaches the page by the websocket's handshake, and only from the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.security.bank_server import PROXY_SECRET, Bank, bank
from tests.security.conftest import PEOPLE
from tests.security.tab import Reader

ACCESS = """
mode = "proxy"
https = false
whom_to_ask = "Ms Chen (1234)"
[access.proxy]
addresses = ["127.0.0.1/32"]
secret_header = "X-Dashboard-Secret"
person_header = "X-Forwarded-Email"
name_header = "X-Forwarded-User"
groups_header = "X-Forwarded-Groups"
"""
HEAD = {
    "X-Forwarded-Email": "head@bank.example",
    "X-Forwarded-Groups": "everybody, analysts",
    "X-Forwarded-User": "Head Office",
}
KNOWS = {"X-Dashboard-Secret": PROXY_SECRET}


@pytest.fixture(scope="module")
def behind(warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("proxied")
    url = f"duckdb:///{warehouse_file}"
    with bank(folder, url, ACCESS, PEOPLE, DASHBOARD_PROXY_SECRET=PROXY_SECRET) as running:
        yield running


def reached(tab, secret_words: set[str]) -> int:
    return sum(word in tab.said for word in secret_words)


def test_who_comes_by_the_proxy_is_who_it_says(behind: Bank, secret_words: set[str]) -> None:
    with Reader(behind, headers=HEAD | KNOWS).tab("complaints") as tab:
        assert "Head Office" in tab.said and reached(tab, secret_words) > 10
        assert PROXY_SECRET not in tab.said
        assert "head@bank.example" in behind.command("sessions", "list")
    with Reader(behind, headers=HEAD | KNOWS | {"X-Forwarded-Groups": "nobody"}).tab("complaints") as tab:
        assert "Ms Chen" in tab.said and reached(tab, secret_words) == 0


@pytest.mark.parametrize("secret", [{}, {"X-Dashboard-Secret": "guessed"}, {"X-Dashboard-Secret": PROXY_SECRET[:-1]}])
def test_whoever_does_not_know_the_secret_gets_nothing_at_all(behind: Bank, secret: dict[str, str]) -> None:
    reader = Reader(behind, headers=HEAD | secret)
    for path in ("", "complaints", "media/x.xlsx", "static/index.html", "_stcore/host-config", "auth/login"):
        assert reader.get(path)[0] == 403
    with pytest.raises(InvalidStatus) as refused, reader.tab("complaints"):
        pass
    assert refused.value.response.status_code == 403
    assert reader.get("_stcore/health")[0] == reader.get("health")[0] == 200


def test_an_address_is_the_one_of_the_connection_and_not_one_in_a_header(behind: Bank, secret_words: set[str]) -> None:
    # A proxy on this computer names the reader's address; put in the place of its own, the proxy would be turned away.
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with Reader(behind, headers=HEAD | KNOWS | forwarded).tab("complaints") as tab:
        assert reached(tab, secret_words) > 10


def test_an_administrator_closes_tabs_behind_a_proxy_too(behind: Bank) -> None:
    with Reader(behind, headers=HEAD | KNOWS).tab("complaints") as tab:
        behind.command("sessions", "end", "head@bank.example")
        assert tab.until_closed(10)[-1].HasField("auth_redirect")


def test_a_session_that_a_reader_names_is_not_taken_for_the_servers_word(behind: Bank, secret_words: set[str]) -> None:
    manager = {"X-Forwarded-Email": "manager@bank.example", "X-Forwarded-Groups": "managers"}
    with Reader(behind, headers=HEAD | KNOWS).tab("complaints") as tab:
        number = tab.session_id
        named = manager | KNOWS | {"X-Dashboard-Session": "0" * 64}
        with Reader(behind, headers=named).tab("complaints", session=number) as other:
            assert other.session_id != number
            assert "Head Office" not in other.said
