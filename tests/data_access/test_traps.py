"""The traps of such a dashboard, one test each: the bank is drawn so that the right and the tempting answer differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import MEASURES
from measures.period import Period
from measures.question import Order, Question, QuestionError
from tests.asking import ask, number, numbers
from tests.bank import BANK, BEFORE, BRANCH, DATA_UNTIL, DAYS_OFF, OUTLET, PERIOD, drawn, write_duckdb

APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))


def test_the_rate_of_all_is_not_the_mean_of_the_rates_of_its_parts(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "activation_rate", "region") == {"North": pytest.approx(5 / 7), "South": 2 / 4}
    assert number(warehouse_on, "activation_rate") == pytest.approx(7 / 11)


def test_different_customers_of_branches_are_not_added_up(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "customers", "branch") == {"12": 5, "120": 3, "13": 3, None: 1}
    assert number(warehouse_on, "customers") == 10


def test_balances_are_not_added_up_over_months(warehouse_on: Warehouse) -> None:
    by_month = numbers(warehouse_on, "holders", "month")
    assert by_month == {pd.Timestamp(2026, 4, 1): 16, pd.Timestamp(2026, 5, 1): 16}
    assert number(warehouse_on, "holders") == 16


def test_facts_asked_together_do_not_multiply_each_other(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "signed contacts complaints_received transactions assigned").iloc[0].to_dict()
    assert found == {"signed": 11, "contacts": 7, "complaints_received": 9, "transactions": 61, "assigned": 7}


def test_an_assignment_with_two_contacts_and_two_contracts_counts_once(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "assigned contacted reached converted", "outlet", chosen={"agent": ("a1",)})
    gate = found.set_index("outlet").loc["1210"]
    assert gate[["assigned", "contacted", "reached", "converted"]].tolist() == [2, 2, 2, 2]
    assert number(warehouse_on, "converted", branch="120") == 1


def test_a_contract_on_the_30th_day_after_a_contact_is_its_result_and_on_the_31st_is_not(
    warehouse_on: Warehouse,
) -> None:
    assert number(warehouse_on, "converted", branch="13%") == 1
    assert number(warehouse_on, "converted", branch="1211") == 0


def test_a_total_is_what_the_warehouse_says_for_everybody_and_not_a_sum_of_rows(warehouse_on: Warehouse) -> None:
    rows = ask(warehouse_on, "customers complaints_median_days activation_rate", "branch")
    total = ask(warehouse_on, "customers complaints_median_days activation_rate").iloc[0]
    assert total["customers"] < rows["customers"].sum()
    assert total["complaints_median_days"] != pytest.approx(rows["complaints_median_days"].mean())
    assert total["activation_rate"] != pytest.approx(rows["activation_rate"].mean())


def test_branch_12_does_not_see_120_whose_code_begins_like_its_own(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "signed", branch="12") == 3
    assert number(warehouse_on, "signed", chosen={"branch": ("12",)}) == 3
    assert number(warehouse_on, "signed", branch="120") == 4


@pytest.mark.parametrize(("branch", "holders"), [("12_", 1), ("13%", 4)])
def test_the_wildcards_of_like_in_a_code_are_letters(warehouse_on: Warehouse, branch: str, holders: int) -> None:
    assert number(warehouse_on, "holders", branch=branch) == holders
    assert number(warehouse_on, "holders", chosen={"outlet": (branch,)}) == holders


def test_two_branches_of_one_name_stay_two_rows(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "holders", "below").set_index("below")
    assert found.loc[["12", "13"], "below_name"].tolist() == ["Riverside", "Riverside"]
    assert found.loc[["12", "13"], "holders"].tolist() == [6, 4]


def test_two_agents_and_two_lists_of_one_name_stay_two_rows(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "signed", "agent") == {"a1": 3, "a2": 4, "a4": 3, None: 1}
    assert numbers(warehouse_on, "assigned", "campaign") == {"l1": 5, "l2": 2}


def test_what_is_booked_on_a_branch_itself_is_neither_lost_nor_given_to_an_outlet(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "signed", "below", branch="12") == {"121": 2, None: 1}
    assert numbers(warehouse_on, "signed", "outlet", branch="12") == {"1210": 2, None: 1}
    assert number(warehouse_on, "signed", branch="12", chosen={"below": (None,)}) == 1


def test_an_outlet_directly_below_a_branch_has_no_sub_branch(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "holders", "sub_branch", branch="12") == {"121": 4, None: 2}
    assert numbers(warehouse_on, "holders", "below", branch="12") == {"121": 4, "12_": 1, None: 1}


def test_a_ratio_over_nothing_is_missing_and_not_zero(warehouse_on: Warehouse) -> None:
    nothing = {"product": ("loan",)}
    assert number(warehouse_on, "signed", chosen=nothing) == 0
    assert number(warehouse_on, "activation_rate", chosen=nothing) is None
    assert number(warehouse_on, "complaints_received", branch="14") == 2
    assert number(warehouse_on, "complaints_per_1000_contracts", branch="14") is None


def test_a_branch_of_complaints_without_contracts_is_a_row_of_its_own(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "complaints_received signed", "branch").set_index("branch").loc["14"]
    assert found[["complaints_received", "signed"]].tolist() == [2, 0]


def test_complaints_of_one_cause_are_divided_by_all_contracts(warehouse_on: Warehouse) -> None:
    by_cause = numbers(warehouse_on, "complaints_per_1000_contracts", "cause")
    assert by_cause["queueing"] == 1000 * 4 / 16
    assert sum(by_cause.values()) == number(warehouse_on, "complaints_per_1000_contracts")
    assert number(warehouse_on, "complaints_per_1000_contracts", chosen={"cause": ("queueing",)}) == 250


def test_complaints_of_one_cause_at_one_branch_are_divided_by_the_contracts_of_that_branch(
    warehouse_on: Warehouse,
) -> None:
    found = ask(warehouse_on, "complaints_per_1000_contracts", "branch", "cause").set_index(["branch", "cause"])
    per_1000 = found["complaints_per_1000_contracts"]
    assert per_1000["12", "fees"] == pytest.approx(1000 / 6)
    assert pd.isna(per_1000["14", "fees"])


def test_contracts_whose_window_is_not_over_are_not_in_the_cohort_rate(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "mature_signed") == 6
    assert number(warehouse_on, "activated_in_window") == 3
    assert number(warehouse_on, "cohort_activation_rate") == 3 / 6


def test_a_contract_used_after_its_window_is_late_but_not_never_used(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "never_used") == 2
    assert number(warehouse_on, "never_used_share") == pytest.approx(2 / 6)


def test_complaints_open_past_their_due_day_count_as_not_on_time(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "complaints_closed_on_time") == 2
    assert number(warehouse_on, "complaints_on_time") == 2 / 4


def test_a_complaint_without_a_due_day_is_neither_on_time_nor_late(warehouse_on: Warehouse) -> None:
    only = {"cause": ("queueing",), "agent": ("a2",)}
    assert number(warehouse_on, "complaints_received", chosen=only) == 1
    assert number(warehouse_on, "complaints_on_time", chosen=only) is None


def test_what_is_due_today_is_not_overdue(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "complaints_past_due") == 1
    assert numbers(warehouse_on, "overdue_assignments", "outlet") == {"1210": 1, "1211": 1, None: 2}


def test_the_active_rate_is_unknown_for_the_past(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "active_rate_30") == 9 / 16
    assert number(warehouse_on, "active_rate_30", period=APRIL) is None
    assert list(numbers(warehouse_on, "active_30", "month").values()) == [None, 9]


def test_used_30_days_ago_is_no_longer_active_in_30_days(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "active_30", "head_office", chosen={"product": ("card",)}) == {"1": 1}
    assert number(warehouse_on, "active_90", branch="12_") == 1
    assert number(warehouse_on, "active_90", chosen={"product": ("online",)}, branch="13%") == 0


def test_a_target_for_all_products_is_not_added_to_that_of_one_product_or_one_agent(warehouse_on: Warehouse) -> None:
    assert number(warehouse_on, "signed_target", branch="12") == 30
    assert number(warehouse_on, "signed_target") == 40
    assert numbers(warehouse_on, "signed_target", "product") == {"mobile": 20}
    assert number(warehouse_on, "signed_target", chosen={"family": ("Channels",)}) == 20
    assert numbers(warehouse_on, "signed_target", "agent") == {"a1": 12.5}


def test_completion_counts_only_what_was_signed_where_a_target_runs(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "signed_toward_target", "branch") == {"12": 3, "120": 2}
    assert numbers(warehouse_on, "signed_completion", "branch") == {"12": 3 / 30, "120": 2 / 10}


def test_a_target_of_a_sub_branch_stands_on_it_and_not_on_its_outlets(warehouse_on: Warehouse) -> None:
    assert numbers(warehouse_on, "activated_target", "sub_branch", branch="12") == {"121": 8}
    assert numbers(warehouse_on, "activated_toward_target", "sub_branch", branch="12") == {"121": 1}
    assert numbers(warehouse_on, "activated_toward_target", "outlet", branch="12") == {None: 1}
    assert number(warehouse_on, "activated_target", branch="1211") is None
    assert number(warehouse_on, "activated_toward_target", branch="1211") == 0


@pytest.fixture
def targets_above_and_below(tmp_path: Path) -> Iterator[Warehouse]:
    """Targets of head office and of a sub-branch, for all products and for one, with a branch without any between them."""
    targets = drawn(
        "targets",
        """
        target_id | measure   | branch_id | product_id | agent_id | starts_on  | ends_on    | value
        t1        | signed    | 1         | -          | -        | 2026-04-01 | 2026-06-30 | 100
        t2        | signed    | 1         | mobile     | -        | 2026-04-01 | 2026-06-30 | 90
        t3        | signed    | 121       | -          | -        | 2026-04-01 | 2026-06-30 | 20
        t4        | activated | 1         | -          | a1       | 2026-04-01 | 2026-06-30 | 10
        t5        | activated | 121       | mobile     | -        | 2026-04-01 | 2026-06-30 | 4
        """,
    )
    write_duckdb({**BANK, "targets": targets}, tmp_path / "targets.duckdb")
    found = Warehouse(f"duckdb:///{tmp_path / 'targets.duckdb'}", DAYS_OFF)
    yield found
    found.close()


OF_121 = [{"branch": "121"}, {"branch": "12"}, {"chosen": {"sub_branch": ("121",)}}, {"chosen": {"branch": ("12",)}}]


@pytest.mark.parametrize("asked", OF_121, ids=["seen from it", "seen from above it", "chosen", "chosen above it"])
def test_a_branch_is_held_against_its_own_target_and_not_against_that_of_a_branch_above(
    targets_above_and_below: Warehouse, asked: dict
) -> None:
    found = ask(targets_above_and_below, "signed_target signed_toward_target signed_completion", **asked).iloc[0]
    assert found.tolist() == [20, 2, 2 / 20]
    pace = number(targets_above_and_below, "signed_pace", **asked)
    assert pace == pytest.approx(2 / number(targets_above_and_below, "signed_expected", **asked))


@pytest.mark.parametrize("asked", OF_121, ids=["seen from it", "seen from above it", "chosen", "chosen above it"])
def test_for_which_products_and_agents_a_branch_above_has_targets_is_not_told(
    targets_above_and_below: Warehouse, asked: dict
) -> None:
    assert ask(targets_above_and_below, "signed_toward_target signed_target", "product", **asked).empty
    assert ask(targets_above_and_below, "activated_toward_target activated_pace", "agent", **asked).empty
    assert numbers(targets_above_and_below, "activated_toward_target", "product", **asked) == {"mobile": 2}
    assert numbers(targets_above_and_below, "activated_completion", "product", **asked) == {"mobile": 2 / 4}


def test_a_branch_without_a_target_has_reached_nothing_of_one(targets_above_and_below: Warehouse) -> None:
    for asked in ({"branch": OUTLET}, {"branch": "13"}, {"chosen": {"outlet": (OUTLET,)}}):
        found = ask(targets_above_and_below, "signed_target signed_toward_target signed_completion", **asked).iloc[0]
        assert found["signed_toward_target"] == 0
        assert found[["signed_target", "signed_completion"]].isna().all()


def test_what_is_reached_stands_beside_its_target_however_it_is_split(targets_above_and_below: Warehouse) -> None:
    for level, owner in (("below", "12"), ("sub_branch", "121")):
        assert numbers(targets_above_and_below, "signed_target", level) == {owner: 20, None: 100}
        assert numbers(targets_above_and_below, "signed_toward_target", level) == {owner: 2, None: 11}


def test_pace_counts_working_days_without_holidays_and_with_worked_weekends(warehouse_on: Warehouse) -> None:
    # April to June 2026 has 65 weekdays, 36 of them until 20 May; three are holidays, and one Saturday is worked.
    assert number(warehouse_on, "signed_expected", branch="12") == pytest.approx(30 * 34 / 63)
    assert number(warehouse_on, "signed_pace", branch="12") == pytest.approx(3 / (30 * 34 / 63))


def test_a_target_without_a_working_day_has_no_pace(warehouse_on: Warehouse) -> None:
    holidays = Period(date(2026, 5, 1), date(2026, 5, 5))
    assert number(warehouse_on, "signed_target", branch="14", period=holidays) == 4
    assert number(warehouse_on, "signed_pace", branch="14", period=holidays) is None


@pytest.mark.parametrize(
    "period", [Period(PERIOD.start, date(2026, 6, 30)), Period(date(2026, 6, 1), date(2026, 6, 30))]
)
def test_a_balance_after_the_datas_date_is_the_one_on_that_date(warehouse_on: Warehouse, period: Period) -> None:
    assert number(warehouse_on, "holders", period=period) == 16
    assert number(warehouse_on, "active_30", period=period) == 9
    assert number(warehouse_on, "overdue_assignments", period=period) == 4


def test_the_datas_date_is_that_of_the_table_which_is_behind_by_its_latest_load(warehouse_on: Warehouse) -> None:
    assert warehouse_on.state().data_until == DATA_UNTIL


def test_both_edges_of_a_period_belong_to_it(warehouse_on: Warehouse) -> None:
    days = numbers(warehouse_on, "complaints_received", "day")
    assert days[pd.Timestamp(2026, 4, 1)] == days[pd.Timestamp(2026, 5, 20)] == 1
    assert number(warehouse_on, "complaints_received", period=Period(PERIOD.end, PERIOD.end)) == 1


def test_a_week_begins_on_monday_even_before_the_period(warehouse_on: Warehouse) -> None:
    weeks = numbers(warehouse_on, "signed", "week", period=Period(date(2026, 4, 1), date(2026, 4, 6)))
    assert weeks == {pd.Timestamp(2026, 3, 30): 3}


def test_the_period_compared_with_has_columns_of_its_own_and_its_own_last_day(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "signed holders activation_rate", "region", against=BEFORE)
    assert list(found.columns) == [
        "region",
        *("signed", "holders", "activation_rate"),
        *("signed_before", "holders_before", "activation_rate_before"),
        *("signed_change", "holders_change", "activation_rate_change"),
    ]
    north = found.set_index("region").loc["North"]
    assert north[["signed", "signed_before", "signed_change"]].tolist() == [7, 6, 1]
    assert north[["holders", "holders_before", "holders_change"]].tolist() == [11, 5, 6]
    assert north["activation_rate_change"] == pytest.approx(5 / 7 - 2 / 6)


def test_what_became_of_last_year_since_is_not_held_against_this_week(warehouse_on: Warehouse) -> None:
    # Of six contracts of February and March two were used by 31 March, as long after that period as today is after this one;
    # three more have been used since.
    found = ask(warehouse_on, "activated mature_signed", "region", against=BEFORE).set_index("region").loc["North"]
    assert found["activated_before"] == 2
    later = ask(warehouse_on, "activated mature_signed", "region", period=BEFORE).set_index("region").loc["North"]
    assert later["activated"] == 5
    assert found["mature_signed_before"] < later["mature_signed"]


def test_a_change_from_nothing_known_is_missing(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "complaints_on_time", against=Period(date(2020, 1, 1), date(2020, 1, 31))).iloc[0]
    assert found["complaints_on_time"] == 0.5
    assert pd.isna(found["complaints_on_time_before"])
    assert pd.isna(found["complaints_on_time_change"])


@pytest.mark.parametrize(("descending", "first"), [(True, "1210"), (False, "13%")])
def test_missing_values_come_last_whichever_way_is_sorted(
    warehouse_on: Warehouse, descending: bool, first: str
) -> None:
    order = (Order("activation_rate", descending),)
    found = ask(warehouse_on, "activation_rate holders", "outlet", order=order, chosen={"area": ("urban", "rural")})
    rates = found["activation_rate"].tolist()
    known = [rate for rate in rates if not pd.isna(rate)]
    assert found["outlet"].iloc[0] == first
    assert known == sorted(known, reverse=descending)
    assert all(pd.isna(rate) for rate in rates[len(known) :])
    assert len(known) < len(rates)


def test_rows_of_one_value_stand_in_the_order_of_their_ids(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "all_customers", "outlet", order=(Order("all_customers"),))
    assert found["all_customers"].tolist() == sorted(found["all_customers"], reverse=True)
    ones = found.loc[found["all_customers"] == 1, "outlet"].tolist()
    assert ones == sorted(ones)


def test_a_cumulative_share_is_of_the_whole_and_follows_the_order_asked_for(warehouse_on: Warehouse) -> None:
    found = ask(warehouse_on, "complaints_received", "cause", order=(Order("complaints_received"),), cumulative=True)
    assert found["cause"].tolist() == ["queueing", "fees", "attitude", "the roof"]
    assert found["complaints_received_cumulative"].tolist() == pytest.approx([4 / 9, 7 / 9, 8 / 9, 1])


# What a warehouse lacks -----------------------------------------------------------------------------------------------------


def warehouse_of(path: Path, *lacking: str, without_column: str = "") -> Warehouse:
    write_duckdb({name: rows for name, rows in BANK.items() if name not in lacking}, path)
    if without_column:
        table, column = without_column.split(".")
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    return Warehouse(f"duckdb:///{path}", DAYS_OFF)


def test_counts_answer_where_a_bank_has_no_contracts(tmp_path: Path) -> None:
    counts = warehouse_of(tmp_path / "counts.duckdb", "contracts")
    assert number(counts, "signed", period=APRIL) == 8
    assert numbers(counts, "closed", "product", period=APRIL) == {"card": 2, "mobile": 0}
    assert number(counts, "activation_rate", period=APRIL) == 3 / 8
    assert number(counts, "complaints_per_1000_contracts", period=APRIL, branch="120") == pytest.approx(1000 * 2 / 47)
    counts.close()


def test_monthly_counts_hold_the_last_month_that_is_over_and_not_the_running_one(tmp_path: Path) -> None:
    counts = warehouse_of(tmp_path / "counts.duckdb", "contracts")
    assert number(counts, "holders") == number(counts, "holders", period=APRIL) == 50
    assert number(counts, "holders", period=Period(date(2026, 4, 1), date(2026, 4, 29))) == 40
    assert number(counts, "active_rate") == 33 / 50
    assert list(numbers(counts, "holders", "month").values()) == [50, 50]
    counts.close()


def test_a_measure_is_missing_with_its_table_and_says_which(tmp_path: Path) -> None:
    found = warehouse_of(tmp_path / "less.duckdb", "complaints", "targets")
    assert number(found, "signed") == 11
    with pytest.raises(
        QuestionError, match=r"“complaints_received” cannot be shown: the warehouse has no complaints\."
    ):
        number(found, "complaints_received")
    with pytest.raises(QuestionError, match="the warehouse has no targets"):
        number(found, "signed_pace")
    with pytest.raises(QuestionError, match="the warehouse has no complaints"):
        found.state().catalogue.listing("complaint_list")
    found.close()


def test_a_missing_column_takes_only_what_needs_it(tmp_path: Path) -> None:
    found = warehouse_of(tmp_path / "less.duckdb", without_column="contracts.last_used_on")
    assert number(found, "holders") == 16
    with pytest.raises(QuestionError, match=r"the warehouse has no contracts\.last_used_on"):
        number(found, "active_rate_30")
    found.close()


def test_without_agents_numbers_are_still_told_by_product(tmp_path: Path) -> None:
    found = warehouse_of(tmp_path / "less.duckdb", "agents")
    assert numbers(found, "signed", "product") == {"card": 1, "mobile": 9, "online": 1}
    with pytest.raises(QuestionError, match="signed is not kept by agent"):
        numbers(found, "signed", "agent")
    found.close()


def test_an_empty_bank_has_zeros_and_missing_rates_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    write_duckdb({name: rows if name in ("branches", "products") else [] for name, rows in BANK.items()}, path)
    empty = Warehouse(f"duckdb:///{path}")
    everything = " ".join(empty.state().catalogue.measures)
    found = ask(empty, everything).iloc[0]
    assert (found["signed"], found["holders"], found["complaints_received"]) == (0, 0, 0)
    assert found[["activation_rate", "complaints_on_time", "signed_pace", "active_30"]].isna().all()
    assert ask(empty, "signed", "outlet").empty
    assert number(empty, "signed", branch=BRANCH) == 0
    empty.close()


def test_what_was_before_a_tables_first_day_is_not_known_and_not_nought(tmp_path):
    young = {**BANK, "complaints": [row for row in BANK["complaints"] if row["received_at"].year == 2026]}
    write_duckdb(young, tmp_path / "young.duckdb")
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'young.duckdb'}", DAYS_OFF)
    measures = [MEASURES[name] for name in ("complaints_received", "complaints_per_1000_contracts", "signed")]
    last_year = Period(date(2025, 4, 1), date(2025, 5, 20))
    found = warehouse.fetch(
        Question(tuple(measures), PERIOD, against=last_year), Viewer("tester", "1", Role.VISITOR)
    ).iloc[0]
    assert found["complaints_received"] == 9
    assert pd.isna(found["complaints_received_before"]) and pd.isna(found["complaints_received_change"])
    assert pd.isna(found["complaints_per_1000_contracts_before"])
    assert found["signed_before"] == 1
    warehouse.close()


def test_a_list_is_over_on_the_day_after_its_last(tmp_path: Path) -> None:
    days = (-1, 0, 7, 8, 30, 31)
    (a_list, *_), (given, *_) = BANK["campaigns"], (row for row in BANK["assignments"] if row["closed_on"] is None)
    ends = [a_list | {"campaign_id": f"{left}", "ends_on": DATA_UNTIL + timedelta(days=left)} for left in days]
    of_each = [given | {"assignment_id": f"{left}", "campaign_id": f"{left}"} for left in days]
    write_duckdb({**BANK, "campaigns": ends, "assignments": of_each}, tmp_path / "own.duckdb")
    with closing(Warehouse(f"duckdb:///{tmp_path}/own.duckdb")) as warehouse:
        assert numbers(warehouse, "open_assignments", "list_left") == {"0-over": 1, "1-07": 2, "2-30": 2, "3-later": 1}
