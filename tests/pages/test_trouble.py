"""A warehouse that cannot be shown gives a sentence, and the page comes back by itself when the warehouse does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from tests import bank
from tests.pages.conftest import ROOT

AS_DELIVERED = (ROOT / "config.toml").read_text(encoding="utf-8")


def shows_numbers(reader) -> bool:
    return bool(reader.tables or reader.cards)


@pytest.mark.parametrize("language", ["en", "zh_CN", "zh_TW"])
def test_a_warehouse_that_is_no_demo_bank_stays_closed(visit, duckdb_url, language):
    reader = visit(duckdb_url, config=AS_DELIVERED, lang=language)
    assert not shows_numbers(reader) and reader.failures == []
    (sentence,) = reader.sentences
    assert 'mode = "public"' in sentence
    names = [row["name"] for row in bank.BANK["branches"]]
    assert not any(name in text for name in names for text in reader.texts)
    assert language == "en" or re.search("[一-鿿]", sentence)


def test_the_demo_bank_is_open_as_delivered(visit, demo_url):
    assert shows_numbers(visit(demo_url, config=AS_DELIVERED))


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracle://nowhere/db",
        "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "postgresql+psycopg://nobody:secret@host:port/none",
        "duckdb://",
        "duckdb:////no/such/folder/warehouse.duckdb",
    ],
)
def test_an_address_that_leads_nowhere_is_a_sentence(visit, url):
    reader = visit(url)
    (sentence,) = reader.failures
    assert len(sentence) > 30 and "Traceback" not in sentence and "secret" not in sentence
    assert not shows_numbers(reader)


def spoil_by_removing(path: Path) -> None:
    path.unlink()


def spoil_by_writing_over(path: Path) -> None:
    path.write_bytes(b"not a warehouse" * 1000)


def spoil_by_halving(path: Path) -> None:
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.unlink()
    path.write_bytes(half)


def spoil_by_dropping_a_needed_table(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE products (product_id VARCHAR)")


@pytest.mark.parametrize(
    "spoil",
    [spoil_by_removing, spoil_by_writing_over, spoil_by_halving, spoil_by_dropping_a_needed_table],
    ids=lambda spoil: spoil.__name__,
)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_warehouse_lost_while_a_page_is_open_is_a_sentence_until_it_is_back(visit, own_file, spoil, language):
    kept = own_file.with_name("kept")
    shutil.copy(own_file, kept)
    reader = visit(f"duckdb:///{own_file}", lang=language, branch="12", product="mobile")
    before = reader.show("activation").tables
    spoil(own_file)
    reader.app.run()
    (sentence,) = reader.failures
    assert "Traceback" not in sentence and not shows_numbers(reader)
    assert language == "en" or re.search("[一-鿿]", sentence)
    shutil.copy(kept, own_file.with_name("restored"))
    own_file.with_name("restored").replace(own_file)
    reader.app.button(key="retry").click().run()
    assert reader.failures == []
    assert reader.tables == before
    assert reader.app.selectbox(key="branch").value == "12"


def test_a_broken_config_is_a_sentence(visit, duckdb_url):
    (sentence,) = visit(duckdb_url, config="[access\n").failures
    assert sentence.startswith("The dashboard is not set up. Tell the operator: ")
    assert "config.toml" not in sentence


def test_a_new_load_is_shown_with_the_next_click(visit, own_file):
    reader = visit(f"duckdb:///{own_file}").show("complaints").turn("complaints_tables", "complaint_listing")
    before = len(reader.tables["complaint_listing"]["rows"])
    more = [row | {"complaint_id": "p99"} for row in bank.BANK["complaints"] if row["complaint_id"] == "p09"]
    bank.write_duckdb(bank.BANK | {"complaints": bank.BANK["complaints"] + more}, own_file)
    reader.app.run()
    assert len(reader.tables["complaint_listing"]["rows"]) == before + 1
