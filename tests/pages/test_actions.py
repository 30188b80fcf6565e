"""What became of an action: told of what changed, and never of days that are merely younger, fewer or more than those before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest

from data_access.meetings import Action
from measures.since import Verdict
from panels.actions import Followed, followed, offered
from tests import bank
from tests.pages.conftest import written

DAY = timedelta(days=1)
AGREED_ON = bank.DATA_UNTIL - 13 * DAY
ACTED, ALIKE = "12", ("120", "13", "14")


def _like(table: str, rows: Iterable[dict]) -> bank.Rows:
    empty = dict.fromkeys(bank.BANK[table][0])
    return [empty | row for row in rows]


def _steady(days: int = 70, each_day: int = 3, waits: int = 7) -> dict[str, bank.Rows]:
    """Branches that do the same each day: of 40 contracts given to it as many customers are assigned and as many complain; and who is
    assigned is contacted a week later."""
    given = [
        {"id": f"{branch}-{ago}-{number}", "branch_id": branch, "on": bank.DATA_UNTIL - ago * DAY}
        for branch in (ACTED, *ALIKE)
        for ago in range(days)
        for number in range(each_day)
    ]
    who = {"customer_id": "c01", "product_id": "mobile"}
    return {
        "contracts": _like(
            "contracts",
            (
                {**who, "contract_id": f"{branch}-{n}", "branch_id": branch, "signed_on": date(2025, 1, 1)}
                for branch in (ACTED, *ALIKE)
                for n in range(400)
            ),
        ),
        "assignments": _like(
            "assignments",
            (
                {**who, "assignment_id": row["id"], "branch_id": row["branch_id"], "campaign_id": "l1", "agent_id": "a1",
                 "assigned_on": row["on"], "due_on": row["on"] + 14 * DAY, "outcome": "open"}
                for row in given
            ),
        ),
        "contacts": _like(
            "contacts",
            (
                {
                    **who,
                    "contact_id": row["id"],
                    "assignment_id": row["id"],
                    "branch_id": row["branch_id"],
                    "contacted_at": datetime.combine(row["on"] + waits * DAY, datetime.min.time()),
                    "kind": "call",
                    "reached": True,
                    "new_customer": False,
                }
                for row in given
                if row["on"] + waits * DAY <= bank.DATA_UNTIL
            ),
        ),
        "complaints": _like(
            "complaints",
            (
                {
                    "complaint_id": row["id"],
                    "branch_id": row["branch_id"],
                    "product_id": "mobile",
                    "received_at": datetime.combine(row["on"], datetime.min.time()),
                    "cause": "fees",
                    "channel": "app",
                    "severity": "normal",
                    "regulator": False,
                }
                for row in given
            ),
        ),
    }  # fmt: skip


def _action(measure: str, who: str = ACTED, agreed_on: date = AGREED_ON) -> Action:
    return Action(
        id=f"{who}-{measure}", branch_id=bank.HEAD_OFFICE, meeting="m", what="Call them", who_kind="branch", who=who, who_name=who,
        due_on=agreed_on, measure=measure, filters="{}", baseline=None, baseline_of=None, aim=None, agreed_on=agreed_on, by="li",
    )  # fmt: skip


@pytest.fixture
def desk(visit, tmp_path_factory):
    """The desk of somebody who looks at a bank where each day is like the day before."""
    url = written(tmp_path_factory.mktemp("steady"), _steady())
    return visit(url, lang="en").app.session_state["desk"]


def _found(desk, measure: str, others: Iterable[Action] = ()) -> Followed:
    action = _action(measure)
    found = followed(desk, action, [action, *others])
    assert found is not None
    return found


def test_where_each_day_is_like_the_day_before_nothing_has_changed_since_an_action(desk):
    # Of those given out since, half are a week old; of those of the four weeks before, all. In a fortnight half as many complain.
    for measure, now in (("coverage", 0.5), ("complaints_per_1000_contracts", 105.0)):
        found = _found(desk, measure)
        assert found.now[measure] == pytest.approx(now)
        assert found.own.change.value == pytest.approx(0)
        assert (found.own.verdict, found.more.verdict) == (Verdict.SAME, Verdict.SAME)


def test_who_has_an_action_on_the_same_measure_is_not_what_another_is_set_beside(desk):
    assert set(_found(desk, "coverage").alike) == set(ALIKE)
    assert _found(desk, "coverage", [_action("complaints_per_1000_contracts", who="13")]).alike != ()
    assert _found(desk, "coverage", [_action("coverage", who="13")]).alike == ()


def test_of_an_action_from_tomorrow_on_nothing_is_told_yet(desk):
    action = _action("coverage", agreed_on=bank.DATA_UNTIL + DAY)
    found = followed(desk, action, [action])
    assert found.now is None and (found.own.verdict, found.more.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def test_what_is_known_for_today_alone_is_not_offered_to_be_followed(desk):
    assert all(measure.has_history for measure in offered(desk)) and offered(desk)
