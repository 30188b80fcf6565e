"""The top of the Overview: what deserves attention, as sentences that lead to where it is seen."""

from __future__ import annotations

from urllib.parse import parse_qs

from tests import bank


def links(reader) -> list[tuple[str, str, dict[str, str]]]:
    """The sentences that are links: text, page, and what the page is filtered by."""
    found = [link.proto for link in reader.app.main.get("page_link")]
    return [
        (link.label, link.page, {k: v[0] for k, v in parse_qs(link.query_string.removeprefix("?")).items()})
        for link in found
    ]


def headline(reader) -> str:
    return next(text for text in reader.texts if "class=finding" in text)


def test_the_overview_begins_with_what_deserves_attention_each_a_link_to_what_shows_it(visit, demo_url):
    reader = visit(demo_url, lang="en")
    assert reader.failures == []
    assert "attention" in headline(reader) and "false alarm" in headline(reader) and "Benjamini" in headline(reader)
    (leap,) = [link for link in links(reader) if "complaints about" in link[0]]
    assert "“Queueing”" in leap[0] and leap[1].endswith("explorer")
    assert leap[2]["branch"] == "13" and leap[2]["by"] == "cause,month" and leap[2]["lang"] == "en"


def test_the_link_opens_the_page_on_its_numbers(visit, demo_url):
    reader = visit(demo_url, lang="en")
    (leap,) = [link for link in links(reader) if "complaints about" in link[0]]
    reader.app.query_params.update(leap[2])
    reader.show("explorer")
    assert reader.failures == []
    assert reader.app.selectbox(key="branch").value == "13"
    assert reader.app.multiselect(key="explore_by").value == ["cause", "month"]


def test_a_period_that_is_not_the_year_looked_at_is_changed_by_the_link(visit, demo_url):
    same = links(visit(demo_url, lang="en", period="12_months"))
    other = links(visit(demo_url, lang="en", period="month"))
    assert [text for text, *_ in same] == [text for text, *_ in other] != []
    assert {parameters["period"] for *_, parameters in same} == {"12_months"}
    assert {parameters["period"] for *_, parameters in other} == {"2025-06-01..2026-05-20"}


def test_a_viewer_of_a_branch_is_led_only_to_branches_below(visit, demo_url):
    reader = visit(demo_url, lang="en").choose("view_as", "13")
    found = links(reader)
    assert any("complaints about" in text for text, *_ in found)
    offered = reader.app.selectbox(key="branch").options
    assert len(offered) < 40
    assert all(parameters["branch"].startswith("13") for *_, parameters in found)


def test_where_nothing_can_be_told_the_overview_says_so(visit, complaints_url, months_url, empty_url, whole_url):
    for url in (complaints_url, months_url, empty_url, whole_url):
        reader = visit(url, lang="en")
        assert reader.failures == []
        assert "Nothing stands out beyond chance" in headline(reader)
        assert links(reader) == []
    assert "too little here" in headline(visit(empty_url, lang="en"))


def test_an_outlet_of_its_own_is_not_compared_with_itself(visit, whole_url):
    reader = visit(whole_url, lang="en").choose("view_as", bank.OUTLET)
    assert reader.failures == [] and links(reader) == []


def test_other_filters_other_signals_and_the_first_ones_come_back(visit, demo_url):
    reader = visit(demo_url, lang="en")
    first = links(reader)
    below = links(reader.choose("branch", "13"))
    again = links(reader.choose("branch", "1"))
    assert first == again != below
    assert links(visit(demo_url, lang="en", branch="13")) == below
