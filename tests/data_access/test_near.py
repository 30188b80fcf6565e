"""Where few branches are asked about they are named one by one: the answers are those of looking for them in the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data_access import embedded
from data_access.access import Viewer
from data_access.sql import Statement, Tree, statement
from data_access.warehouse import NEAR, Warehouse, _types_of
from measures.question import Question
from tests import bank
from tests.asking import question, viewer
from tests.bank import BANK, DAYS_OFF
from tests.data_access import test_merging

PATHS = st.lists(
    st.lists(st.sampled_from(["1", "12", "1-", "1!", "/", "名", "0"]), min_size=1, max_size=4), max_size=12
)


@pytest.fixture(scope="module", params=["facts", "rollups"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    path = tmp_path_factory.mktemp("near") / "warehouse.duckdb"
    bank.write_duckdb(BANK, path)
    if request.param == "rollups":
        embedded.add_rollups(path)
    with closing(Warehouse(f"duckdb:///{path}", DAYS_OFF)) as opened:
        yield opened


def put(found: Warehouse, asked: Question, who: Viewer, near: int) -> Statement:
    return statement(asked, who, replace(found._given(found.state()), near=near))


def text(found: Warehouse, asked: Question, who: Viewer, near: int = NEAR) -> str:
    return found._compiled(put(found, asked, who, near).text)[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=test_merging.pages(), who=st.sampled_from(test_merging.VIEWERS))
def test_named_one_by_one_or_looked_for_the_answers_are_the_same(
    found: Warehouse, asked: list[Question], who: Viewer
) -> None:
    known = found.state().catalogue.measures
    for q in asked:
        if all(m.name in known for m in q.measures):
            q = replace(q, measures=tuple(known[m.name] for m in q.measures))
            near, far = (found._read(put(found, q, who, most), _types_of(q)) for most in (NEAR, 0))
            assert_frame_equal(near, far, rtol=1e-12)


def test_an_outlet_needs_no_look_at_the_other_branches(found: Warehouse) -> None:
    asked = question(found, "signed activated", chosen={"branch": ("1210",)})
    assert "branches" not in text(found, asked, viewer("1"))
    assert "branches" in text(found, asked, viewer("1"), near=0)


def test_of_more_than_a_few_branches_none_is_named(found: Warehouse) -> None:
    asked = question(found, "signed activated", chosen={"branch": ("12",)})
    below = [id_ for id_, path in found.state().paths.items() if path.startswith(found.state().paths["12"])]
    assert len(below) > 1
    assert put(found, asked, viewer("1"), len(below)).parameters["places"] == tuple(
        sorted(below, key=found.state().paths.get)
    )
    assert "places" not in put(found, asked, viewer("1"), len(below) - 1).parameters


def test_a_branch_that_the_viewer_may_not_see_is_not_among_those_named(found: Warehouse) -> None:
    named = put(found, question(found, "signed", chosen={"branch": ("13", "1210")}), viewer("12"), NEAR).parameters[
        "places"
    ]
    assert named == ("1210",)
    assert (
        put(found, question(found, "signed", chosen={"branch": ("13",)}), viewer("12"), NEAR).parameters["places"] == ()
    )


def test_what_is_shown_to_people_can_be_pasted(found: Warehouse) -> None:
    assert "places" not in found.sql(question(found, "signed", chosen={"branch": ("1210",)}), viewer("1"))


@given(paths=PATHS)
@example(paths=[["1"], ["1", "2"], ["1", "20"], ["1-"], ["1!"], ["10"]])
def test_all_below_a_branch_come_right_after_it(paths: list[list[str]]) -> None:
    by_id = {str(number): ".".join(codes) + "." for number, codes in enumerate(paths)}
    tree = Tree(by_id)
    for path in by_id.values():
        below = [id_ for id_, other in by_id.items() if other.startswith(path)]
        assert sorted(tree.named(tree.below(path))) == sorted(below)
