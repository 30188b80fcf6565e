"""A part of a page as an exhibit: the same title, numbers and notes wherever it is shown, also from what is written down of it."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape, unescape

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from measures.catalogue import DIMENSION, MEASURES
from measures.dimensions import AGE_BAND, BELOW, CAUSE, MONTH, OPEN_AGE, PRODUCT, QUARTER, TIME
from measures.question import Order, QuestionError, Told
from measures.waits import CLOSING, FIRST_USE
from panels import exhibits, notes
from panels.exhibits import Answered
from panels.views import BUILDERS, FILTERS, View, view
from presentation.charts import MOST_BARS
from presentation.exhibit import Exhibit, Kind, Note
from presentation.filters import NotThere, filters_at
from presentation.plain import plain
from presentation.words import LANGUAGES, words
from tests import bank

PERIOD = "2025-06-01..2026-05-20"
PATH = (("assigned", None), ("contacted", "coverage"), ("reached", "effective_contact"))
BUILT = {
    "attention": {},
    "figures": {"names": ["cohort_activation_rate", "signed", "complaints_received"]},
    "compared": {"name": "activation_rate", "by": BELOW},
    "compared, a count": {"name": "signed", "by": PRODUCT},
    "compared, a funnel": {"name": "activation_rate", "by": BELOW, "drawn_as": "funnel"},
    "trend": {"name": "signed"},
    "trend, of products": {"name": "signed", "by": PRODUCT, "step": MONTH},
    "controlled": {"name": "complaints_per_1000_contracts"},
    "controlled, a share": {"name": "complaints_on_time"},
    "pareto": {"name": "complaints_received", "by": CAUSE},
    "crossed": {"name": "activation_rate", "x": AGE_BAND, "y": PRODUCT},
    "bands": {"name": "open_assignments", "by": OPEN_AGE},
    "steps": {"path": PATH},
    "moved": {"name": "activation_rate", "by": PRODUCT},
    "how_fast": {"wait": FIRST_USE, "by": PRODUCT},
    "how_fast, of quarters": {"wait": CLOSING, "by": QUARTER},
    "targets": {"of": "signed", "by_course": False},
    "table": {"names": ["signed", "activated", "activation_rate"], "by": [BELOW], "title": "by", "compared": True},
    "table, in another order": {
        "names": ["signed"],
        "by": [PRODUCT, MONTH],
        "order": Order("product_name", descending=False),
    },
}
"""What is built of the test bank; every builder at least once."""

CORNER = "_corner"


@pytest.fixture
def desk(visit, whole_url):
    """The desk of somebody who looks at the whole test bank."""
    return visit(whole_url, lang="en", period=PERIOD).app.session_state["desk"]


def built(desk, what: str) -> Exhibit:
    return view(desk, what.partition(",")[0], **BUILT[what]).build(desk)


def test_every_builder_is_built_here():
    assert {what.partition(",")[0] for what in BUILT} == BUILDERS.keys()


# What a page shows is what is built ---------------------------------------------------------------------------------


def _page(page: str, desk) -> None:
    import runpy

    import streamlit as st

    st.session_state["desk"] = desk
    runpy.run_path(f"pages/{page}.py")


def _drawn(desk, exhibit) -> None:
    from panels import parts

    parts.framed(desk, exhibit, "drawn")


def shown(app: AppTest) -> list[str]:
    """The texts of titles and captions."""
    return [unescape(html.proto.body) for html in app.get("html")] + [caption.value for caption in app.caption]


@pytest.mark.parametrize("page", ["overview", "activation", "follow_up", "targets", "complaints", "explorer"])
@pytest.mark.parametrize(("language", "branch"), [("en", bank.HEAD_OFFICE), ("zh_CN", bank.OUTLET)])
def test_each_part_of_a_page_is_offered_and_built_again_with_the_title_that_the_page_shows(
    visit, whole_url, monkeypatch, page, language, branch
):
    monkeypatch.chdir(bank_root())
    desk = visit(whole_url, lang=language, period=PERIOD, branch=branch).app.session_state["desk"]
    taken: list[tuple[View, str]] = []
    offering = replace(desk, offers=lambda part, title: taken.append((part, title)))
    app = AppTest.from_function(_page, kwargs={"page": page, "desk": offering}, default_timeout=60).run()
    assert not app.exception
    buttons = [button for button in app.button if button.key and button.key.endswith(CORNER)]
    fewest = {"targets": branch == bank.HEAD_OFFICE}.get(page, 2)  # no target runs at the outlet
    assert len(buttons) >= fewest
    assert {button.label for button in buttons} <= {desk.say("Add to meeting")}
    texts = shown(app)
    for button in buttons:
        taken.clear()
        app.button(key=button.key).click().run()
        ((part, title),) = taken
        again = View.read(part.written())
        assert again == part and again.filters == {k: v for k, v in desk.filters.address.items() if k != "lang"}
        exhibit = again.build(desk)
        assert exhibit.title == title
        if page != "overview" or exhibit.kind is not Kind.FIGURES:  # there, what deserves attention stands above them
            assert any(escape(title) in text or title in text for text in texts), title
        for note in exhibit.notes if exhibit.kind is not Kind.FIGURES else ():
            assert note in texts or plain(note) in texts or exhibit.table is None, note


def bank_root() -> str:
    from tests.pages.conftest import ROOT

    return str(ROOT)


@pytest.mark.parametrize("page", ["overview", "activation", "complaints"])
def test_where_there_is_no_meeting_to_take_it_into_no_button_is_drawn(visit, whole_url, monkeypatch, page):
    monkeypatch.chdir(bank_root())
    desk = replace(visit(whole_url, lang="en").app.session_state["desk"], offers=None)
    app = AppTest.from_function(_page, kwargs={"page": page, "desk": desk}, default_timeout=60).run()
    assert not app.exception
    assert not [button.key for button in app.button if button.key and CORNER in button.key]


def test_a_listing_has_no_button_because_rows_of_customers_are_not_kept(visit, whole_url, monkeypatch):
    monkeypatch.chdir(bank_root())
    desk = visit(whole_url, lang="en").app.session_state["desk"]
    app = AppTest.from_function(
        _page, kwargs={"page": "complaints", "desk": replace(desk, offers=print)}, default_timeout=60
    ).run()
    app.button_group(key="complaints_tables").set_value("complaint_listing").run()
    assert not app.exception
    assert [element.proto.id for element in app.get("bidi_component")]
    assert not [b.key for b in app.button if b.key and b.key.startswith("complaint_listing") and CORNER in b.key]


@pytest.mark.parametrize("what", [what for what in BUILT if what != "attention"])
def test_an_exhibit_is_drawn_with_its_title_meaning_and_notes(desk, what):
    exhibit = built(desk, what)
    app = AppTest.from_function(_drawn, kwargs={"desk": desk, "exhibit": exhibit}, default_timeout=60).run()
    assert not app.exception
    texts = shown(app)
    assert any(f">{exhibit.title}<" in text for text in texts)
    assert any(f">{exhibit.meaning}<" in text for text in texts)
    assert all(str(note) in texts or plain(note) in texts for note in exhibit.notes)


# Its table is the answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", BUILT)
def test_the_rows_of_its_table_are_those_of_the_answer(desk, what):
    exhibit = built(desk, what)
    if not isinstance(exhibit, Answered) or what.partition(",")[0] in ("moved", "how_fast", "targets"):
        return  # what is reckoned from an answer: its own tests compare it
    question, rows = exhibit.asked.question, exhibit.table.rows
    answer = desk.warehouse.fetch(question, desk.viewer)
    keys = [d.name for d in question.by]
    few = exhibits.findings.too_few(question.measures[0], answer)
    if exhibit.kind is Kind.MATRIX:  # what stands for too few is not shown
        answer = answer.assign(**{exhibit.value: answer[exhibit.value].mask(few)})
    if exhibit.kind is Kind.LINES and any("not drawn" in note for note in exhibit.notes):
        answer = answer[~few]
    columns = [*keys, *(m.name for m in question.measures)]
    # Reordered at most: the same rows with the same values.
    both = [frame[columns].sort_values(keys, na_position="first").reset_index(drop=True) for frame in (rows, answer)]
    pd.testing.assert_frame_equal(*both)
    assert {c.name for c in exhibit.table.columns} >= {m.name for m in question.measures}
    for column in (exhibit.category, exhibit.series, exhibit.value):
        assert column is None or column in {c.name for c in exhibit.table.columns}


@pytest.mark.parametrize("what", ["compared", "compared, a count", "pareto", "bands"])
def test_the_rows_of_its_table_are_drawn_in_their_order(desk, what):
    exhibit = built(desk, what)
    app = AppTest.from_function(_drawn, kwargs={"desk": desk, "exhibit": exhibit}, default_timeout=60).run()
    (chart,) = app.get("vega_lite_chart")
    rows = {d.name: pa.ipc.open_stream(d.data.data).read_all().to_pylist() for d in chart.proto.datasets}["rows"]
    values = [None if pd.isna(value) else float(value) for value in exhibit.table.rows[exhibit.value]]
    assert [row["value"] for row in rows] == values[:MOST_BARS] != []


def test_a_rate_has_its_overall_value_and_a_count_has_none(desk):
    rate = built(desk, "compared")
    assert rate.overall == desk.whole("activation_rate")["activation_rate"]
    assert rate.table.total.iloc[0]["activation_rate"] == rate.overall
    assert built(desk, "compared, a count").overall is None


def test_key_numbers_are_written_as_on_their_cards(visit, whole_url):
    reader = visit(whole_url, lang="en", period=PERIOD)
    desk = reader.app.session_state["desk"]
    cards = reader.cards
    exhibit = view(desk, "figures", names=["signed", "complaints_received", "coverage"]).build(desk)
    rows = {row["measure"]: row for row in exhibit.table.rows.to_dict("records")}
    assert len(rows) == 3
    for label, row in rows.items():
        assert row["now"] == cards[label]
    assert rows["Signed"]["value"] == desk.whole("signed")["signed"]
    assert {"before", "change"} <= set(exhibit.table.rows.columns)


def test_key_numbers_that_are_not_compared_have_no_column_for_it(visit, whole_url):
    desk = visit(whole_url, lang="en", compare="none").app.session_state["desk"]
    exhibit = view(desk, "figures", names=["signed"]).build(desk)
    assert [column.name for column in exhibit.table.columns] == ["measure", "now"]


def test_where_nothing_is_there_the_notes_say_so_and_there_is_no_table(visit, empty_url):
    desk = visit(empty_url, lang="en", period=PERIOD).app.session_state["desk"]
    for what in BUILT:
        if what in ("attention", "figures", "steps"):
            continue
        exhibit = built(desk, what)
        assert exhibit.table is None and exhibit.title and (exhibit.notes or what == "moved"), what


@pytest.mark.parametrize(
    "filters",
    [
        {"branch": "14", "product": "loan"},
        {"branch": bank.OUTLET, "period": "2026-05-19..2026-05-20"},
        {"product": "card"},
    ],
)
def test_of_next_to_nothing_everything_is_built(visit, whole_url, filters):
    desk = visit(whole_url, lang="en", **filters).app.session_state["desk"]
    for what in BUILT:
        exhibit = built(desk, what)
        assert exhibit.title and (exhibit.table is None or len(exhibit.table.rows)), what


def test_a_measure_that_is_not_kept_by_a_dimension_is_told_in_words(desk):
    for build in (
        lambda: exhibits.compared(desk, "penetration", CAUSE),
        lambda: exhibits.trend(desk, "penetration"),
        lambda: exhibits.crossed(desk, "penetration", CAUSE, PRODUCT),
        lambda: exhibits.bands(desk, "signed", CAUSE),
        lambda: exhibits.table(desk, "t", ["signed"], [CAUSE]),
    ):
        with pytest.raises(notes.NotKept) as refused:
            build()
        assert "is not kept by" in desk.say.told(refused.value)


def test_the_filters_said_are_those_that_the_numbers_are_under(visit, whole_url):
    desk = visit(whole_url, lang="en", product="card", period=PERIOD).app.session_state["desk"]
    whole = view(desk, "table", names=["several_products"], by=[BELOW]).build(desk)
    assert ("Product", "Card") not in whole.filters and not any(name == "Product" for name, _ in whole.filters)
    assert any("for all: Product" in note for note in whole.notes)
    under = view(desk, "trend", name="signed").build(desk)
    assert any(name == "Product" for name, _value in under.filters)


# Written down -------------------------------------------------------------------------------------------------------

names, dimensions, times = (
    some.sampled_from(sorted(MEASURES)),
    some.sampled_from(sorted(DIMENSION)),
    some.sampled_from([d.name for d in TIME]),
)
ARGUMENTS = {
    "name": names,
    "names": some.lists(names, min_size=1, max_size=4),
    "path": some.lists(some.tuples(names, names | some.none()).map(list), min_size=1, max_size=4),
    "by": dimensions,
    "x": dimensions,
    "y": dimensions,
    "step": times,
    "drawn_as": some.sampled_from(["bars", "funnel"]),
    "limits_from": some.sampled_from(["2025-06-01..2026-02-28", "2026-01-01..2026-01-01"]),
    "title": some.sampled_from(["by", "measures"]),
    "wait": some.sampled_from(["use", "contact", "closing"]),
    "of": some.sampled_from(["signed", "activated"]),
    "by_course": some.booleans(),
    "order": some.fixed_dictionaries({"column": names, "descending": some.booleans()}),
    "compared": some.booleans(),
}
FILTERED = some.dictionaries(some.sampled_from(FILTERS), some.text(max_size=8))


@some.composite
def views(draw) -> View:
    of = draw(some.sampled_from(sorted(BUILDERS)))
    takes = {name: ARGUMENTS[name] for name in BUILDERS[of].takes}
    if of == "table":
        takes["by"] = some.lists(dimensions, max_size=3)
    given_to = {
        name: draw(value) for name, value in takes.items() if name in BUILDERS[of].needs or draw(some.booleans())
    }
    return View(of, given_to, draw(FILTERED))


@settings(deadline=None)
@given(views())
def test_a_view_is_read_as_it_was_written(part):
    written = part.written()
    assert View.read(written) == part and View.read(written).written() == written
    assert View.read(json.dumps(json.loads(written), indent=2)) == part


@settings(deadline=None)
@given(views(), some.data())
def test_a_view_that_names_something_unknown_or_lacks_something_is_refused(part, data):
    found = json.loads(part.written())
    where = data.draw(some.sampled_from(["of", "given", "filters", "more"]))
    if where == "of":
        found["of"] = data.draw(some.sampled_from(["", "eval", "__class__", "key_numbers", "Trend", None, 3, []]))
    elif where == "given" and found["given"]:
        name = data.draw(some.sampled_from(sorted(found["given"])))
        found["given"][name] = data.draw(
            some.sampled_from(["1; DROP TABLE contracts", {}, 7, None, [[]], ["signed", 7]])
        )
    elif where == "filters":
        found["filters"] = data.draw(some.sampled_from([{"lang": "en"}, {"branch": 1}, {"where": "1=1"}, [], None]))
    else:
        found["more"] = 1
    with pytest.raises(Told):
        View.read(json.dumps(found))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        '{"of":"trend"}',
        '{"of":"os.system","given":{},"filters":{}}',
        '{"of":"trend","given":{},"filters":{}}',
        '{"of":"trend","given":{"name":"profit"},"filters":{}}',
        '{"of":"trend","given":{"name":"signed","by":"star_sign"},"filters":{}}',
        '{"of":"trend","given":{"name":"signed","step":"product"},"filters":{}}',
        '{"of":"trend","given":{"name":"signed","key":"x"},"filters":{}}',
        '{"of":"table","given":{"names":["signed"],"by":["below"],"order":{"column":"1"}},"filters":{}}',
        '{"of":"controlled","given":{"name":"signed","limits_from":"2026-02-28..2025-06-01"},"filters":{}}',
    ],
)
def test_what_is_no_view_is_refused_in_a_sentence(text, language):
    with pytest.raises(Told) as refused:
        View.read(text)
    sentence = words(language).told(refused.value)
    assert len(sentence) > 8 and "{" not in sentence
    assert language == "en" or any("一" <= sign <= "鿿" for sign in sentence)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"branch": "no such"},
        {"branch": "1", "product": "mobile,no such"},
        {"branch": "1", "period": "2026-13-01..x"},
        {"branch": "1", "compare": "y"},
    ],
)
def test_filters_on_what_is_not_there_are_refused_and_not_left_out(desk, filters):
    with pytest.raises(NotThere):
        View("trend", {"name": "signed"}, filters).build(desk)


def test_a_view_of_another_branch_is_refused_to_who_may_not_see_it(visit, whole_url):
    everything = visit(whole_url, lang="en", branch="14").app.session_state["desk"]
    part = view(everything, "trend", name="signed")
    part.build(everything)
    own = visit(whole_url, lang="en").choose("view_as", bank.BRANCH).app.session_state["desk"]
    with pytest.raises(NotThere):
        part.build(own)


def test_a_view_is_under_its_own_filters_wherever_it_is_built(visit, whole_url):
    there = visit(whole_url, lang="en", branch="12", period="2026-01-01..2026-05-20", compare="none")
    there = there.app.session_state["desk"]
    here = visit(whole_url, lang="en", branch="1", period="month", product="card").app.session_state["desk"]
    for what in BUILT:
        part = view(there, what.partition(",")[0], **BUILT[what])
        first, again = part.build(there), part.build(here)
        assert (first.title, first.meaning, first.notes, first.filters) == (
            again.title,
            again.meaning,
            again.notes,
            again.filters,
        )
        if first.table is not None:
            pd.testing.assert_frame_equal(first.table.rows, again.table.rows)


@pytest.mark.parametrize(
    "address",
    [{}, {"branch": "12", "product": "card,mobile", "period": "month", "compare": "previous"}, {"period": PERIOD}],
)
def test_an_address_means_to_a_view_what_it_means_to_a_page(visit, whole_url, address):
    desk = visit(whole_url, lang="en", **address).app.session_state["desk"]
    chosen = filters_at(desk.filters.address, desk.places, desk.products, desk.state.data_until, desk.say)
    assert chosen == desk.filters


def test_what_a_view_asks_is_not_asked_ahead_for_the_page_around_it(desk):
    before = list(desk.asked)
    built(desk, "compared")
    assert desk.asked == before


def test_days_that_are_named_move_with_the_data_and_dated_ones_stay(desk):
    later = replace(desk, state=replace(desk.state, data_until=desk.state.data_until.replace(day=1)))
    named = View("trend", {"name": "signed"}, {"branch": "1", "period": "month"})
    dated = View("trend", {"name": "signed"}, {"branch": "1", "period": "2026-05-01..2026-05-20"})
    assert named.build(desk).filters == dated.build(desk).filters
    assert named.build(later).filters != named.build(desk).filters
    assert dated.build(later).filters == dated.build(desk).filters


def test_an_order_by_what_is_not_there_any_more_gives_way(desk):
    part = view(desk, "table", names=["signed"], by=[BELOW], order=Order("activated"))
    assert part.build(desk).asked.question.order == (Order("signed"),)


def test_a_measure_that_this_warehouse_lacks_is_told(visit, complaints_url):
    desk = visit(complaints_url, lang="en").app.session_state["desk"]
    for of, given_to in (("figures", {"names": ["signed"]}), ("trend", {"name": "signed"}), ("steps", {"path": PATH})):
        with pytest.raises(QuestionError):
            view(desk, of, **given_to).build(desk)


def test_a_note_is_a_text_with_a_hint():
    note = Note("said", "how")
    assert note == "said" and note.hint == "how" and not note.leads and Note("said").hint is None
