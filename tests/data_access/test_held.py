"""Answers that are stored: the same when they come back, of one load, and for those alone who may see them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data_access import embedded
from data_access.access import Refused, Role, Viewer
from data_access.held import Held, Holding, NotHeld, arrow, audience, frame, read, written
from data_access.warehouse import Warehouse, WarehouseError
from measures.catalogue import WHOLE_CONTRACT, catalogue
from measures.dimensions import DIMENSIONS
from measures.model import Dimension
from measures.period import Period
from measures.question import WITHHELD, Order, Question, QuestionError
from tests import bank
from tests.asking import question, viewer
from tests.bank import BANK, DAYS_OFF, PERIOD

KNOWN = catalogue(WHOLE_CONTRACT)
QUARTER = Period(date(2026, 1, 1), date(2026, 3, 31))
MANAGER = Viewer("manager", "1", Role.MANAGER)


@pytest.fixture
def file(own_file: Path) -> Iterator[Warehouse]:
    with closing(Warehouse(f"duckdb:///{own_file}", DAYS_OFF)) as found:
        yield found


# Questions ----------------------------------------------------------------------------------------------------------

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
periods = st.tuples(days, days).map(lambda found: Period(*sorted(found)))
ids = st.none() | st.text(st.characters(codec=None), max_size=5)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any question that the catalogue can be asked."""
    measures = draw(st.lists(st.sampled_from(list(KNOWN.measures.values())), min_size=1, max_size=3, unique=True))
    shared = sorted(frozenset.intersection(*(m.dimensions for m in measures)), key=DIMENSIONS.index)
    some = st.lists(st.sampled_from(shared), max_size=2, unique=True) if shared else st.just([])
    split: list[Dimension] = draw(some)
    columns = [measures[0].name, *(d.name for d in split)]
    try:
        return Question(
            tuple(measures),
            draw(periods),
            tuple(split),
            tuple(
                (d, tuple(draw(st.lists(ids, min_size=1, max_size=3))))
                for d in draw(some)
                if not d.step and not d.elapsed
            ),
            draw(st.none() | periods) if not any(d.step for d in split) else None,
            tuple(
                Order(column, draw(st.booleans())) for column in draw(st.lists(st.sampled_from(columns), max_size=2))
            ),
            draw(st.booleans()) if getattr(measures[0], "adds_up", False) else False,
            parent=draw(st.none() | st.text(max_size=3)),
        )
    except QuestionError:  # two steps of time, and the like
        return Question(tuple(measures[:1]), draw(periods))


@settings(max_examples=300, deadline=None)
@given(asked=questions())
def test_any_question_comes_back_as_it_was_asked(asked: Question) -> None:
    text = written(asked)
    assert text.isascii()
    assert read(text, KNOWN) == asked
    assert written(read(text, KNOWN)) == text


def test_two_questions_that_differ_are_written_differently() -> None:
    signed, closed = KNOWN.measure("signed"), KNOWN.measure("closed")
    below, product = (next(d for d in DIMENSIONS if d.name == name) for name in ("below", "product"))
    found = [
        Question((signed,), PERIOD),
        Question((closed,), PERIOD),
        Question((signed, closed), PERIOD),
        Question((closed, signed), PERIOD),
        Question((signed,), bank.BEFORE),
        Question((signed,), PERIOD, against=bank.BEFORE),
        Question((signed,), PERIOD, (below,)),
        Question((signed,), PERIOD, (below,), parent="12"),
        Question((signed,), PERIOD, (below, product)),
        Question((signed,), PERIOD, (below,), order=(Order("signed"),)),
        Question((signed,), PERIOD, (below,), order=(Order("signed", descending=False),)),
        Question((signed,), PERIOD, (below,), order=(Order("signed"),), cumulative=True),
        Question((signed,), PERIOD, where=((product, ("card",)),)),
        Question((signed,), PERIOD, where=((product, ("None",)),)),
        Question((signed,), PERIOD, where=((product, (None,)),)),
    ]
    assert len({written(each) for each in found}) == len(found)


def test_a_measure_or_dimension_that_nobody_knows_any_more_is_told() -> None:
    text = written(Question((KNOWN.measure("signed"),), PERIOD))
    with pytest.raises(QuestionError, match="There is no measure “signd”"):
        read(text.replace("signed", "signd"), KNOWN)
    with pytest.raises(QuestionError, match="There is no dimension “region_of_old”"):
        read(text.replace('"by":[]', '"by":["region_of_old"]'), KNOWN)
    without = catalogue(frozenset(need for need in WHOLE_CONTRACT if need[0] != "complaints"))
    with pytest.raises(QuestionError, match="the warehouse has no complaints"):
        read(written(Question((KNOWN.measure("complaints_received"),), PERIOD)), without)


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", "null", '{"measures":7}', "{", '"signed"'])
def test_what_is_no_question_is_told(text: str) -> None:
    with pytest.raises(QuestionError, match="no question that this version can read"):
        read(text, KNOWN)


@pytest.mark.parametrize("spoilt", ['"2026-13-01"', "7", '"2027-01-01"', "null"])
def test_days_that_are_none_are_told(spoilt: str) -> None:
    text = written(Question((KNOWN.measure("signed"),), PERIOD))
    with pytest.raises(QuestionError, match="no question that this version can read"):
        read(text.replace('"2026-04-01"', spoilt), KNOWN)


# Answers ------------------------------------------------------------------------------------------------------------

TEXT, ARROW_TEXT = pd.StringDtype("python", na_value=np.nan), pd.StringDtype("pyarrow", na_value=np.nan)
unicode = st.text(st.characters(codec="utf-8"), max_size=8)
values_of = {
    TEXT: st.none() | unicode,
    ARROW_TEXT: st.none() | unicode,
    pd.Int64Dtype(): st.none() | st.integers(-(2**63), 2**63 - 1),
    np.dtype("float64"): st.floats(),
    np.dtype("bool"): st.booleans(),
    np.dtype("datetime64[s]"): st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
}


@st.composite
def answers(draw: st.DrawFn) -> pd.DataFrame:
    names = draw(st.lists(unicode, min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(0, 5))
    columns = {}
    for name in names:
        dtype = draw(st.sampled_from(list(values_of)))
        values = draw(st.lists(values_of[dtype], min_size=rows, max_size=rows))
        columns[name] = pd.Series(values, dtype=object).astype(dtype)
    return pd.DataFrame(columns)


def assert_the_same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    assert_frame_equal(found, wanted, check_exact=True)
    assert list(found.dtypes) == list(wanted.dtypes)
    for name, dtype in wanted.dtypes.items():
        if dtype == "float64":  # -0.0 is not 0.0
            assert np.signbit(found[name].dropna()).equals(np.signbit(wanted[name].dropna()))


@settings(max_examples=300, deadline=None)
@given(answer=answers())
def test_any_answer_comes_back_as_it_was(answer: pd.DataFrame) -> None:
    assert_the_same(frame(arrow(answer)), answer)


ASKED = (
    ("signed activation_rate", ("below", "month"), {}),
    ("signed activation_rate", ("below",), {"against": bank.BEFORE, "order": (Order("activation_rate"),)}),
    ("signed", ("product",), {"order": (Order("signed"),), "cumulative": True}),
    ("signed", (), {}),
    ("complaints_open", ("cause",), {"chosen": {"branch": ("14",)}}),
    ("signed", ("day",), {"period": Period(date(2023, 1, 1), date(2023, 1, 2))}),
    ("signed activated", ("days_to_use",), {}),
    ("signed activation_rate", ("gender", "quarter"), {"period": QUARTER}),
    ("signed", ("gender",), {"period": QUARTER, "against": Period(date(2025, 1, 1), date(2025, 3, 31))}),
    ("signed", ("gender",), {"period": Period(date(2020, 1, 1), date(2020, 3, 31))}),
)


@pytest.mark.parametrize(("measures", "by", "more"), ASKED)
def test_what_the_warehouse_answers_comes_back_as_it_was(
    warehouse_on: Warehouse, measures: str, by: tuple[str, ...], more: dict
) -> None:
    asked = question(warehouse_on, measures, *by, **more)
    for who in (MANAGER, audience("li", "1")):
        answer = warehouse_on.fetch(asked, who)
        assert_the_same(frame(arrow(answer)), answer)


def test_what_no_answer_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="Int32"):
        arrow(pd.DataFrame({"n": pd.array([1], dtype="Int32")}))
    with pytest.raises(TypeError, match="object"):
        arrow(pd.DataFrame({"n": pd.Series([date(2026, 1, 1)], dtype=object)}))


# In the warehouse's place -------------------------------------------------------------------------------------------


def held_of(holding: Holding, warehouse: Warehouse, branch: str = "12") -> Held:
    return Held(warehouse, branch, holding.answers, bank.DATA_UNTIL)


def test_what_was_held_stays_when_the_warehouse_changes(file: Warehouse, own_file: Path) -> None:
    holding, li = Holding(file, "12"), viewer("12")
    asked = question(file, "signed activation_rate", "below", against=bank.BEFORE)
    answer = holding.fetch(asked, li)
    happened = holding.events(PERIOD, "12", ["mobile"], li)
    unknown = holding.unknown_before(date(2024, 1, 1))
    assert len(happened) == 3
    assert "usage" not in unknown  # it begins on that day
    assert unknown
    later = {**BANK, "contracts": BANK["contracts"][:1], "events": [], "loads": []}
    bank.write_duckdb(later, own_file)
    assert not file.fetch(asked, li).equals(answer)
    held = held_of(holding, file)
    assert_the_same(held.fetch(asked, li), answer)
    assert_the_same(held.fetch(read(written(asked), held.state().catalogue), li), answer)
    assert_the_same(held.events(PERIOD, "12", ("mobile",), li), happened)
    assert held.unknown_before(date(2024, 1, 1)) == unknown
    assert held.state().data_until == bank.DATA_UNTIL
    assert held.days_off == holding.days_off == DAYS_OFF


def test_what_was_not_asked_is_not_held(file: Warehouse) -> None:
    holding, li = Holding(file, "12"), viewer("12")
    holding.fetch_ahead([question(file, "signed")], li)
    holding.fetch(question(file, "signed"), li)
    held = held_of(holding, file)
    held.fetch_ahead([question(file, "closed")], li)
    assert held.fetch(question(file, "signed"), li)["signed"].tolist() == [3]
    for call in (
        lambda: held.fetch(question(file, "closed"), li),
        lambda: held.fetch(question(file, "signed", period=bank.BEFORE), li),
        lambda: held.events(PERIOD, "12", (), li),
        lambda: held.unknown_before(date(2024, 1, 1)),
    ):
        with pytest.raises(NotHeld, match="This was not shown in the meeting"):
            call()


def test_what_is_held_is_the_branchs_whoever_asks(file: Warehouse) -> None:
    asked = question(file, "signed", "below")
    holding = Holding(file, "12")
    assert holding.fetch(asked, viewer("1")).equals(file.fetch(asked, audience("li", "12")))
    assert not holding.fetch(asked, viewer("1")).equals(file.fetch(asked, viewer("1")))


def test_few_customers_are_withheld_in_what_is_held_whoever_started_the_meeting(file: Warehouse) -> None:
    asked = question(file, "signed", "gender", period=QUARTER)
    told = file.fetch(asked, MANAGER)["signed"]
    assert told.sum() > 0
    holding = Holding(file, "1")
    holding.fetch(asked, MANAGER)
    held = held_of(holding, file, "1").fetch(asked, Viewer("analyst", "1", Role.ANALYST))
    assert held["signed" + WITHHELD].any()
    assert held["signed"][held["signed" + WITHHELD]].isna().all()


@pytest.mark.parametrize("branch", ["1", "12"])
def test_whoever_may_see_the_branch_is_answered(file: Warehouse, branch: str) -> None:
    holding = Holding(file, "12")
    holding.fetch(question(file, "signed"), viewer("12"))
    assert held_of(holding, file).fetch(question(file, "signed"), viewer(branch))["signed"].tolist() == [3]


@pytest.mark.parametrize(
    ("branch", "agent"), [("120", None), ("121", None), ("1210", None), ("no such", None), ("12", "a1")]
)
def test_nobody_else_is_answered(file: Warehouse, branch: str, agent: str | None) -> None:
    holding = Holding(file, "12")
    holding.fetch(question(file, "signed"), viewer("12"))
    holding.events(PERIOD, "12", (), viewer("12"))
    held = held_of(holding, file)
    for call in (
        lambda: held.fetch(question(file, "signed"), viewer(branch, agent)),
        lambda: held.events(PERIOD, "12", (), viewer(branch, agent)),
    ):
        with pytest.raises(Refused, match="of a branch that you do not see as a whole"):
            call()


def test_a_meeting_of_a_branch_that_is_not_known_any_more_is_shown_to_nobody(file: Warehouse, own_file: Path) -> None:
    holding = Holding(file, "1200")
    holding.fetch(question(file, "signed"), viewer("1200"))
    bank.write_duckdb({**BANK, "branches": [b for b in BANK["branches"] if b["branch_id"] != "1200"]}, own_file)
    for branch in ("1", "1200"):
        with pytest.raises(Refused):
            held_of(holding, file, "1200").fetch(question(file, "signed"), viewer(branch))


def test_what_is_added_after_another_load_is_asked_as_of_the_meetings_date(file: Warehouse, own_file: Path) -> None:
    asked = question(file, "activated mature_signed cohort_activation_rate", "below", period=PERIOD)
    answer = Holding(file, "1").fetch(asked, viewer("1"))
    later = [row | {"data_until": date(2026, 8, 20)} for row in BANK["loads"]]
    used = [
        row | {"activated_on": date(2026, 6, 1)} if row["contract_id"] == "k06" else row for row in BANK["contracts"]
    ]
    bank.write_duckdb({**BANK, "loads": later, "contracts": used}, own_file)
    embedded.add_rollups(own_file)
    assert not file.fetch(asked, viewer("1")).equals(answer)
    added = Holding(file, "1", bank.DATA_UNTIL)
    added.fetch_ahead([asked], viewer("1"))
    assert added.state().data_until == bank.DATA_UNTIL
    assert_the_same(added.fetch(asked, viewer("1")), answer)
    assert_the_same(held_of(added, file, "1").fetch(asked, viewer("1")), answer)


def test_answers_of_two_loads_are_not_held_together(file: Warehouse, own_file: Path) -> None:
    holding, li = Holding(file, "12"), viewer("12")
    holding.fetch(question(file, "signed"), li)
    os.utime(own_file)
    embedded.add_rollups(own_file)
    holding.fetch(question(file, "closed"), li)  # another file, and the same load
    before = dict(holding.answers)
    loads = [row | {"rows": 21} for row in BANK["loads"]]
    bank.write_duckdb({**BANK, "loads": loads}, own_file)
    for call in (
        lambda: holding.fetch(question(file, "activated"), li),
        lambda: holding.events(PERIOD, "12", (), li),
        lambda: holding.unknown_before(date(2024, 1, 1)),
    ):
        with pytest.raises(WarehouseError, match="New data were loaded meanwhile"):
            call()
    assert holding.answers == before
