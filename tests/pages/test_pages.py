"""Every page for every kind of reader and warehouse: it is shown, or says in a sentence why it is not."""

from __future__ import annotations

import re
from html import unescape

import pytest

from measures.catalogue import MEASURES
from measures.schema import metadata
from presentation.words import LANGUAGES
from tests import bank

PAGES = ("overview", "activation", "follow_up", "targets", "complaints", "explorer", "glossary", "journal")
NAMES = {row["branch_id"]: row["name"] for row in bank.BANK["branches"]}


@pytest.mark.parametrize(
    ("seen_from", "languages"),
    [(bank.HEAD_OFFICE, list(LANGUAGES)), (bank.BRANCH, ["zh_CN"]), (bank.OUTLET, ["zh_TW"])],
    ids=["head office", "branch", "outlet"],
)
@pytest.mark.parametrize("holding", ["whole_url", "complaints_url", "months_url", "empty_url"])
def test_every_page_is_shown_in_every_language(visit, request, holding, seen_from, languages):
    reader = visit(request.getfixturevalue(holding)).choose("view_as", seen_from)
    for page in PAGES:
        reader.show(page)
        for language in languages:
            reader.choose("lang", language)
            assert reader.failures == [], (page, language)
            assert not any("Traceback" in text or 'File "' in text for text in reader.texts)
            strip = next(unescape(text) for text in reader.texts if "class=strip" in text)
            assert NAMES[seen_from] in strip, (page, language)
            says_why = reader.sentences if holding != "whole_url" else []
            assert page in ("glossary", "journal") or reader.tables or says_why, (page, language)
        for _tables in reader.turned():
            assert reader.failures == [], page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("holding", "page", "table"),
    [
        ("complaints_url", "activation", "contracts"),
        ("complaints_url", "follow_up", "assignments"),
        ("months_url", "follow_up", "assignments"),
        ("months_url", "complaints", "complaints"),
        ("months_url", "glossary", "usage"),
    ],
)
def test_a_page_whose_tables_are_missing_names_them(visit, request, holding, page, table, language):
    reader = visit(request.getfixturevalue(holding), lang=language).show(page)
    said = [text for text in reader.texts if re.search(rf"\b{table}\b", text)]
    assert any(language == "en" or re.search("[一-鿿]", text) for text in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_row_a_table_says_why_it_is_empty(visit, empty_url, language):
    reader = visit(empty_url, lang=language)
    reasons = {"en": ("at this branch", "Nothing is open"), "zh_CN": ("该机构", "没有"), "zh_TW": ("該機構", "沒有")}
    found = [t for page in PAGES for tables in reader.show(page).turned() for t in tables.values() if not t["rows"]]
    assert len(found) > 5
    for table in found:
        assert any(reason in table["empty"] for reason in reasons[language]), table["empty"]


def test_products_that_nobody_has_leave_tables_that_name_the_way_out(visit, whole_url):
    reader = visit(whole_url, product="loan", branch="14")
    tables = reader.show("activation").turn("activation_tables", "activation_by_product").tables
    assert tables["activation_by_product"]["rows"] == []
    assert "Choose a longer period or all products." in tables["activation_by_product"]["empty"]


def test_a_viewer_of_a_branch_is_offered_and_shown_nothing_of_another(visit, whole_url):
    reader = visit(whole_url, branch="120").choose("view_as", bank.BRANCH)
    own = {"12", "121", "1210", "1211", "12_"}
    assert reader.app.selectbox(key="branch").value == bank.BRANCH
    for page in PAGES:
        reader.show(page)
        assert len(reader.app.selectbox(key="branch").options) == len(own)
        text = "\n".join(reader.texts)
        # View as is the stand-in for sign-in and names every branch; no other place does.
        seen = text.replace("\n".join(reader.app.selectbox(key="view_as").options), "")
        assert "Harbour" not in seen and "Hill" not in seen, page
        for name, table in [item for tables in reader.turned() for item in tables.items()]:
            ids = {row["id"] for row in table["rows"] if row["id"] in NAMES}
            assert ids <= own, (page, name)
    reader.show("complaints").turn("complaints_tables", "open_complaints")
    listed = {row["cells"][0] for row in reader.tables["open_complaints"]["rows"]}
    assert listed == {"p09", "p10"}


@pytest.mark.parametrize("language", ["zh_CN", "zh_TW"])
def test_a_chinese_page_holds_no_english(visit, demo_url, language):
    known = {"Excel", "CSV", "Parquet", "P90", "WeChat", "English", "SMS", "ATM", "APP", "App", "Markdown", "YYYY"}
    known |= set(MEASURES) | set(metadata.tables)
    reader = visit(demo_url, lang=language)
    for page in PAGES:
        reader.show(page)
        texts = {text for _tables in reader.turned() for text in reader.texts}
        assert reader.failures == []
        for text in texts:
            seen = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL))
            english = {word for word in re.findall(r"[A-Za-z_]{2}[A-Za-z_0-9]+", seen) if word not in known}
            assert not english, (page, english, text)


def test_an_address_that_means_nothing_leads_to_the_whole_bank(visit, whole_url):
    reader = visit(whole_url, branch="no such", product="nor,this", period="2026-13-01..x", compare="y", lang="fr")
    assert reader.failures == []
    assert reader.app.selectbox(key="branch").value == bank.HEAD_OFFICE
    assert reader.app.multiselect(key="products").value == []
    assert reader.app.selectbox(key="period").value == "12_months"
    assert reader.app.selectbox(key="lang").value == "en"


@pytest.mark.parametrize("period", ["2026-05-01..2026-04-01", "0001-01-01..9999-12-31", "2030-01-01..2030-02-01"])
def test_days_in_the_address_that_no_data_have_do_no_harm(visit, whole_url, period):
    reader = visit(whole_url, period=period)
    for page in PAGES:
        assert reader.show(page).failures == [], page


def test_names_are_shown_as_they_are_written(visit, whole_url):
    reader = visit(whole_url, branch="1211", lang="en")
    for page in PAGES:
        reader.show(page)
        assert not any("<b>=1+1" in text for text in reader.texts)
        assert any("=1+1" in text.replace("\\", "") for text in reader.texts), page


def test_of_two_branches_of_one_name_the_one_asked_for_stays_chosen(visit, whole_url):
    reader = visit(whole_url, branch="13", lang="en")
    for branch in ("12", "13", "13%"):
        reader.choose("branch", branch)
        reader.app.run()
        assert reader.app.query_params["branch"] == branch
        assert f"Riverside ({branch})" in "".join(reader.texts)
        names = {row["id"] for row in reader.tables["overview_branches"]["rows"]}
        assert names <= {row["branch_id"] for row in bank.BANK["branches"] if row["parent_id"] == branch} | {None}


def test_days_of_the_readers_own_may_be_half_chosen_or_taken_away(visit, whole_url):
    reader = visit(whole_url, period="2026-04-01..2026-05-10")
    for chosen in ([bank.PERIOD.start], [], [bank.PERIOD.start, bank.PERIOD.end]):
        reader.app.date_input(key="own_days").set_value(chosen).run()
        assert reader.failures == [], chosen
    assert reader.app.query_params["period"] == "2026-04-01..2026-05-20"


def test_every_number_of_a_page_is_under_the_same_product_filter(visit, whole_url):
    reader = visit(whole_url, product="card", period="2026-02-01..2026-05-20", lang="en").show("activation")
    card = reader.cards["Signed"]
    for name in ("activation_by_product", "activation_by_branch"):
        table = reader.turn("activation_tables", name).tables[name]
        at = [column["name"] for column in table["columns"]].index("signed")
        assert table["total"][at] == card == "3"


def test_numbers_that_are_not_kept_by_product_say_that_they_are_for_all(visit, whole_url):
    reader = visit(whole_url, product="card", lang="en").look("activation", "reach")
    (written,) = [text for text in reader.texts if 'class="cards"' in text and "several_products" in text]
    whole = [card for card in written.split('class="card"')[1:] if "<div class=note>for all: Product</div>" in card]
    assert [re.search('data-measure="([^"]*)"', card)[1] for card in whole] == ["several_products"]


def test_the_journal_is_refused_in_a_sentence_and_not_in_the_menu_of_those_whose_role_does_not_permit_it(
    visit, whole_url
):
    reader = visit(whole_url, lang="en").show("journal")
    assert any("Your role does not permit you to read the journal." in text for text in reader.texts)
    assert reader.tables == {}
    assert not reader.app.button and not reader.app.text_input
    assert "Glossary" in reader.texts and reader.texts.count("Journal") == 0
