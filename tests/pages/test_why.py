"""Why a rate moved, on its pages: the finding, the links to the parts, the table and its file, and what cannot be told."""

from __future__ import annotations

from datetime import date

import pytest

from data_access import demo
from data_access.demo import STORIES
from measures.dimensions import AGENT, BELOW, CAMPAIGN, CAUSE, PAYROLL, PRODUCT
from measures.model import Ratio
from measures.question import BEFORE
from presentation.reasons import why
from presentation.units import shown
from tests.pages.test_files import opened, text_of

MIX = {"branch": STORIES["mix"]["branch_id"], "period": "2026-07-01..2026-09-30", "compare": "previous", "lang": "en"}
"""The two quarters of the story about the mix, for a bank whose last day is 20 November 2026."""


@pytest.fixture(scope="module")
def story_url(tmp_path_factory):
    """The demo bank at its usual size: in a smaller one the products of one branch are too few to tell."""
    path = tmp_path_factory.mktemp("why") / "warehouse.duckdb"
    demo.build(path, until=date(2026, 11, 20))
    return f"duckdb:///{path}"


def titles(reader) -> list[str]:
    return [text for text in reader.texts if "chart-finding" in text]


def in_file(shown: dict, workbook: bytes) -> list[list[str]]:
    """The total and the rows of the workbook, as its cells are formatted. A minus before a nought is the spreadsheet's own: the
    cell holds the small number that the screen rounds."""
    head, *rows = opened(workbook).iter_rows()
    assert [cell.value for cell in head] == [column["label"] for column in shown["columns"]]
    texts = [[text_of(cell, column) for cell, column in zip(row, shown["columns"], strict=True)] for row in rows]
    return [[text if text.strip("−0. %") else text.lstrip("−") for text in row] for row in texts]


def leading(reader) -> list[str]:
    """The keys of the sentences that lead somewhere."""
    return [button.key for button in reader.app.main.button if button.key.startswith("activation_why_")]


def test_the_planted_paradox_is_told_each_product_rose_and_the_whole_fell(visit, story_url):
    reader = visit(story_url, **MIX).look("activation", "why").turn("activation_why", "activation_why_product")
    assert any(
        "Activation rate fell by" in title
        and "though it rose in every part: more of the whole lies where it is lower" in title
        for title in titles(reader)
    )
    shown = reader.turn("activation_why_view", "activation_why_table").tables["activation_why_product"]
    products = {row["id"]: row["cells"] for row in shown["rows"] if row["id"] in STORIES["mix"]["products"]}
    assert products.keys() == STORIES["mix"]["products"].keys()
    # Own change above nought in each product; in all, below it.
    assert all(not cells[5].startswith("−") for cells in products.values())
    assert shown["total"][7].startswith("−") and shown["total"][6].startswith("−")
    assert not shown["total"][5].startswith("−")


def test_each_of_the_three_largest_parts_leads_to_the_page_under_its_filter(visit, story_url):
    for by, parameter in (("below", "branch"), ("product", "product")):
        reader = visit(story_url, lang="en", branch="15", period="12_months").look("activation", "why")
        found = leading(reader.turn("activation_why", f"activation_why_{by}"))
        assert len(found) == 3
        reader.app.button(key=found[0]).click().run()
        assert reader.failures == []
        address = {name: reader.app.query_params[name] for name in ("branch", "period", "lang", parameter)}
        part = found[0].removeprefix("activation_why_")
        assert address == {"branch": "15", "period": "12_months", "lang": "en"} | {parameter: part}
        assert any("Of the contracts signed" in text for text in reader.texts)


def test_a_part_that_nobody_can_filter_by_is_told_without_a_link(visit, story_url):
    reader = visit(story_url, lang="en").look("activation", "why").turn("activation_why", "activation_why_payroll")
    assert leading(reader) == []
    assert any("Salary paid in" in text and "class=sentence" in text for text in reader.texts)


@pytest.mark.parametrize("page", ["overview", "activation", "follow_up", "complaints"])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_table_of_parts_is_what_is_in_its_file(visit, story_url, page, language):
    reader = visit(story_url, lang=language).look(page, "why").turn(f"{page}_why_view", f"{page}_why_table")
    options = {
        "overview": ("below", "product"),
        "activation": ("below", "product", "payroll"),
        "follow_up": ("below", "product", "campaign", "agent"),
        "complaints": ("below", "product"),
    }
    for by in options[page]:
        name = f"{page}_why_{by}"
        shown = reader.turn(f"{page}_why", name).tables[name]
        assert reader.failures == [] and shown["rows"]
        if shown["pages"] is None:  # the agents are more than one page
            assert in_file(shown, reader.file(name)) == [shown["total"], *(row["cells"] for row in shown["rows"])]


def test_without_a_comparison_nothing_is_asked_and_it_is_said(visit, whole_url):
    for page in ("overview", "activation", "follow_up", "complaints"):
        reader = visit(whole_url, compare="none", lang="en").look(page, "why")
        assert any("No comparison is chosen" in title for title in titles(reader))
        assert f"{page}_why" not in [switch.key for switch in reader.app.button_group]
        assert not any(ask.compared and ask.by for ask in reader.app.session_state["desk"].asked)


def test_a_bank_too_small_to_tell_says_so_and_draws_nothing(visit, whole_url):
    reader = visit(whole_url, period="2026-04-01..2026-05-20", compare="previous", lang="en").look("activation", "why")
    assert any("Too few to tell why activation rate moved" in title for title in titles(reader))
    assert not any("Change of its share" in text for text in reader.texts)


def offered(reader, switch: str) -> list[str]:
    """The labels on a switch of the page."""
    return reader.app.button_group(key=switch).options


def test_a_rate_is_split_only_by_what_both_of_its_counts_are_kept_by(visit, whole_url, months_url):
    months = visit(months_url, lang="en").look("activation", "why")
    assert months.failures == []
    assert offered(months, "activation_why") == ["Branch below", "Product"]
    reader = visit(whole_url, lang="en").look("complaints", "why")
    # Contracts have no cause: complaints of one cause per 1,000 contracts would divide each by all of them.
    assert offered(reader, "complaints_why") == ["Branch below", "Product"]
    reader.choose("complaints_why_rate", "complaints_repeat_share")
    assert offered(reader, "complaints_why") == ["Branch below", "Product", "Cause"]
    reader.turn("complaints_why", "complaints_why_cause").choose("complaints_why_rate", "complaints_per_1000_contracts")
    assert reader.failures == []
    assert reader.app.button_group(key="complaints_why").value == "complaints_why_below"


def test_rates_are_offered_and_no_counts_nor_what_has_no_before(visit, whole_url):
    reader = visit(whole_url, lang="en").look("activation", "why")
    picker = reader.app.selectbox(key="activation_why_rate")
    assert picker.options == [
        "Activation rate",
        "Active rate, as the bank counts it",
        "Never used, share",
        "Several products",
        "Substitution rate",
    ]


def test_where_one_rate_only_can_be_explained_there_is_nothing_to_pick(visit, complaints_url):
    reader = visit(complaints_url, lang="en").look("overview", "why")
    assert reader.failures == [] and "overview_why" in [switch.key for switch in reader.app.button_group]
    assert "overview_why_rate" not in [picker.key for picker in reader.app.selectbox]


@pytest.mark.parametrize("page", ["overview", "activation", "follow_up", "complaints"])
@pytest.mark.parametrize("filtered", [{}, {"product": "mobile", "branch": "15"}])
def test_the_parts_of_every_rate_add_up_to_the_change_on_its_card(visit, story_url, page, filtered):
    reader = visit(story_url, lang="en", **filtered).look(page, "why").turn(f"{page}_why_view", f"{page}_why_table")
    desk = reader.app.session_state["desk"]
    picker = reader.app.selectbox(key=f"{page}_why_rate")
    rates = [measure for measure in desk.state.catalogue.measures.values() if measure.label in picker.options]
    for rate in (rate for rate in rates if rate.has_history and isinstance(rate, Ratio)):
        reader.choose(f"{page}_why_rate", rate.name)
        (card,) = desk.ask([rate], compared=True).answer.to_dict("records")
        for label in offered(reader, f"{page}_why"):
            by = next(d for d in (BELOW, PRODUCT, PAYROLL, CAMPAIGN, AGENT, CAUSE) if d.label == label)
            name = f"{page}_why_{by.name}"
            told = why(rate, by, desk.ask([rate, *rate.counts], [by], compared=True).answer, desk.say)
            moved = card[rate.name] - card[rate.name + BEFORE]
            assert sum(reason.effect for reason in told.reasons) == pytest.approx(moved, abs=1e-9), name
            drawn = reader.turn(f"{page}_why", name).tables[name]
            assert reader.failures == []
            assert drawn["total"][1:3] == [shown(card[rate.name + e], rate.unit, "en") for e in (BEFORE, "")], name


def test_on_the_overview_a_part_leads_to_the_page_that_shows_its_rate(visit, story_url):
    reader = visit(story_url, lang="en", period="12_months").look("overview", "why")
    reader.choose("overview_why_rate", "coverage")
    found = [button.key for button in reader.app.main.button if button.key.startswith("overview_why_")]
    assert len(found) == 3
    reader.app.button(key=found[0]).click().run()
    assert reader.failures == []
    assert reader.app.query_params["branch"] == found[0].removeprefix("overview_why_")
    assert any("Of the assignments made" in text for text in reader.texts)


def test_a_bank_without_the_numbers_explains_what_it_has_or_says_that_it_has_none(visit, complaints_url, months_url):
    reader = visit(complaints_url, lang="en").look("complaints", "why")
    assert reader.failures == []
    rates = reader.app.selectbox(key="complaints_why_rate").options
    assert rates == ["Closed on time, share", "Repeated, share", "From the regulator, share"]
    reader = visit(months_url, lang="en").look("overview", "why")
    assert reader.failures == []
    assert any("The warehouse knows no rate here for both periods" in title for title in titles(reader))
