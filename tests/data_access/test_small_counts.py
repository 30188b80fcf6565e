"""What readers who may not see listings can find out about few customers, by asking all they may ask and reckoning from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array

from data_access.access import PERMITTED, Permission, Role, Viewer
from data_access.small_counts import how_many, how_many_balances, last_month_over, stands_alone
from data_access.warehouse import Warehouse
from measures.catalogue import dimension
from measures.dimensions import GENDER, QUARTER, TIER, YEAR
from measures.model import Dimension
from measures.period import Period, first_days
from measures.question import WITHHELD, Order, Question, QuestionError
from tests import bank
from tests.asking import ask, question

YEARS = Period(date(2025, 1, 1), date(2026, 3, 31))
QUARTERS = first_days(YEARS, "quarter")
COUNTS = ("signed", "activated", "closed", "holders")
ANALYST = Viewer("analyst", bank.HEAD_OFFICE, Role.ANALYST)
FEW = 5
ONE_TIER = -1


def made_up(seed: int) -> dict[str, bank.Rows]:
    """A bank of a few to some hundreds of customers at head office and of their contracts since 2025, with many small numbers."""
    dice = np.random.default_rng(abs(seed))
    many = int(dice.choice([5, 50, 200, 400])) if seed >= 0 else 12
    genders = dice.choice(["female", "male", None], many, p=dice.dirichlet([2, 1, 0.4]))
    tiers = (
        ["first"] * many
        if seed == ONE_TIER
        else dice.choice(["top", "first", "second", "general", None], many, p=dice.dirichlet([0.3, 0.6, 1, 2, 0.3]))
    )
    made = {name: [] for name in bank.BANK} | {name: bank.BANK[name] for name in ("branches", "products")}
    empty_customer = dict.fromkeys(bank.BANK["customers"][0])
    empty_contract = dict.fromkeys(bank.BANK["contracts"][0])
    for number in range(many):
        own = {"customer_id": f"c{number}", "branch_id": bank.HEAD_OFFICE, "kind": "personal"}
        made["customers"].append(empty_customer | own | {"gender": genders[number], "tier": tiers[number]})
    for number in range(int(dice.integers(1, 3 * many)) if seed >= 0 else 40):
        signed = YEARS.start + timedelta(days=int(dice.integers(0, YEARS.days)))
        used, closed = (signed + timedelta(days=int(days)) for days in dice.integers(0, 300, 2))
        row = {
            "contract_id": f"k{number}",
            "customer_id": f"c{number % many}",
            "product_id": "mobile",
            "branch_id": bank.HEAD_OFFICE,
            "signed_on": signed,
            "activated_on": used if dice.random() < 0.6 else None,
            "closed_on": closed if dice.random() < 0.4 else None,
        }
        if seed == ONE_TIER:  # eight in each quarter, two of them activated, none closed
            signed = QUARTERS[number % 5] + timedelta(days=number)
            row |= {"signed_on": signed, "activated_on": signed if number < 10 else None, "closed_on": None}
        made["contracts"].append(empty_contract | row)
    made["contracts"].append(
        empty_contract
        | {"contract_id": "last", "customer_id": "c0", "product_id": "mobile", "branch_id": bank.HEAD_OFFICE}
        | {"signed_on": YEARS.end}
    )
    return made


def runs() -> Iterator[Period]:
    """All runs of whole quarters."""
    ends = [q - timedelta(days=1) for q in QUARTERS[1:]] + [YEARS.end]
    return (Period(QUARTERS[a], ends[b]) for a in range(len(QUARTERS)) for b in range(a, len(QUARTERS)))


class Attacker:
    """Writes down every number that is told as an equation between what is not told, and asks for the least and the most of each."""

    def __init__(self, warehouse: Warehouse, of: Dimension) -> None:
        self.warehouse, self.of = warehouse, of
        self.values: list[str | None] = [*of.values, None]
        self.cells = {cell: at for at, cell in enumerate(product(COUNTS, self.values, QUARTERS))}
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.withheld: set[tuple] = set()
        known = warehouse.state().catalogue
        self.counts = tuple(known.measure(name) for name in COUNTS)
        self.rate = known.measure("activation_rate")

    def told(self, count: str, values: list[str | None], quarters: list[date], number: float) -> None:
        quarters = quarters[-1:] if count == "holders" else quarters
        self.rows.append(({self.cells[count, v, q]: 1.0 for v in values for q in quarters}, number, number))

    def ask(self, period: Period, by: tuple[Dimension, ...], values: list[str | None] | None) -> None:
        chosen = ((self.of, tuple(values)),) if values else ()
        asked = Question((*self.counts, self.rate), period, by, chosen, order=(Order("signed"),))
        answer = self.warehouse.fetch(asked, ANALYST)
        steps = first_days(period, asked.step.step) if asked.step else [None]
        found = {}
        for row in answer.to_dict("records"):
            value = (None if pd.isna(row[self.of.name]) else row[self.of.name]) if self.of in by else "all"
            found[value, row[asked.step.name].date() if asked.step else None] = row
        for value, day in product(values or self.values if self.of in by else ["all"], steps):
            over = [value] if self.of in by else values or self.values
            quarters = [q for q in first_days(period, "quarter") if day is None or q in self.within(day, asked.step)]
            row = found.get((value, day), dict.fromkeys(COUNTS, 0))
            for name in COUNTS:
                if not row.get(name + WITHHELD):
                    self.told(name, over, quarters, row[name])
                elif len(over) == 1 and len(quarters) == 1:
                    self.withheld.add((name, over[0], quarters[0]))
            if not row.get("activation_rate" + WITHHELD) and pd.notna(row.get("activation_rate", np.nan)):
                both = {self.cells["activated", v, q]: 1.0 for v in over for q in quarters}
                both |= {self.cells["signed", v, q]: -row["activation_rate"] for v in over for q in quarters}
                self.rows.append((both, -1e-6, 1e-6))

    @staticmethod
    def within(day: date, step: Dimension) -> list[date]:
        return [q for q in QUARTERS if q == day] if step is QUARTER else [q for q in QUARTERS if q.year == day.year]

    def ask_all(self) -> None:
        for period in runs():
            for by in ((self.of,), (self.of, QUARTER), (self.of, YEAR), (QUARTER,)):
                self.ask(period, by, None)
        for size in range(1, len(self.values) + 1):
            for values in combinations(self.values, size):
                self.ask(YEARS, (QUARTER,), list(values))
                self.ask(YEARS, (), list(values))
                self.ask(YEARS, (self.of,), list(values))

    def knows_the_bank(self) -> None:
        """What is used is signed; what is held is what was held and signed, less what was closed; before 2025 there was nothing."""
        for value, (at, quarter) in product(self.values, enumerate(QUARTERS)):
            signed, closed, held = (self.cells[c, value, quarter] for c in ("signed", "closed", "holders"))
            flow = {held: 1.0, signed: -1.0, closed: 1.0}
            if at:
                flow[self.cells["holders", value, QUARTERS[at - 1]]] = -1.0
            self.rows.append((flow, 0.0, 0.0))
            self.rows.append(({signed: 1.0, self.cells["activated", value, quarter]: -1.0}, 0.0, np.inf))

    @cached_property
    def told_of_all(self) -> LinearConstraint:
        """All equations, each once and as narrow as it was told."""
        matrix = np.zeros((len(self.rows), len(self.cells)))
        for at, (row, _low, _high) in enumerate(self.rows):
            matrix[at, list(row)] = list(row.values())
        matrix, which = np.unique(matrix, axis=0, return_inverse=True)
        low, high = np.full(len(matrix), -np.inf), np.full(len(matrix), np.inf)
        for at, (_row, least, most) in zip(which.ravel(), self.rows, strict=True):
            low[at], high[at] = max(low[at], least), min(high[at], most)
        return LinearConstraint(csr_array(matrix), low, high)

    def range_of(self, cell: tuple) -> tuple[int, int]:
        """The least and the most that the cell can hold."""
        ends = []
        for sign in (1.0, -1.0):
            aim = np.zeros(len(self.cells))
            aim[self.cells[cell]] = sign
            found = milp(aim, constraints=self.told_of_all, integrality=np.ones(len(self.cells)))
            assert found.status in (0, 3), found.message  # 3: without an upper end
            ends.append(round(sign * found.fun) if found.status == 0 else 10**9)
        return ends[0], ends[1]


@pytest.mark.parametrize("of", [GENDER, TIER])
@settings(max_examples=3, deadline=None)
@example(seed=ONE_TIER)  # where one value alone has contracts, so that a total of few activated ones is its own
@given(seed=st.integers(0, 10**6))
def test_whoever_asks_all_they_may_and_reckons_finds_no_small_number(of: Dimension, seed: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "w.duckdb"
        bank.write_duckdb(made_up(seed), path)
        warehouse = Warehouse(f"duckdb:///{path}")
        try:
            attacker = Attacker(warehouse, of)
            attacker.ask_all()
            attacker.knows_the_bank()
            truth = true_cells(warehouse, of)
        finally:
            warehouse.close()
        for cell in product(COUNTS, attacker.values, QUARTERS):
            if 0 < truth.get(cell, 0) < FEW:
                assert cell in attacker.withheld
                least, most = attacker.range_of(cell)
                assert least <= truth[cell] <= most  # otherwise the attacker has reckoned wrong
                assert least < most, (cell, least, attacker.withheld)


def true_cells(warehouse: Warehouse, of: Dimension) -> dict[tuple, int]:
    known = warehouse.state().catalogue
    asked = Question(tuple(known.measure(c) for c in COUNTS), YEARS, (of, QUARTER))
    everything = warehouse.fetch(asked, Viewer("steward", bank.HEAD_OFFICE, Role.STEWARD))
    return {
        (c, None if pd.isna(row[of.name]) else row[of.name], row["quarter"].date()): row[c]
        for row in everything.to_dict("records")
        for c in COUNTS
    }


def test_even_who_knows_the_rule_finds_several_numbers_where_a_small_one_is_withheld() -> None:
    few, most = 3, 20
    could_be: dict[tuple, set[int]] = defaultdict(set)
    told = {}
    for numbers in product(range(most + 1), repeat=3):
        hidden = how_many([numbers], [], few)
        told[numbers] = hidden, numbers[hidden:], sum(numbers)
        for at, number in enumerate(numbers):
            could_be[told[numbers], at].add(number)
    for numbers, seen in told.items():
        # Of larger sums not all that could be is among what is tried here.
        if sum(numbers) <= most:
            for at, number in enumerate(numbers):
                if 0 < number < few:
                    assert at < seen[0]
                    assert len(could_be[seen, at]) >= 2, (numbers, could_be[seen, at])


QUARTER_1 = Period(date(2026, 1, 1), date(2026, 3, 31))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A bank of which women and men have many contracts each quarter, and those whose gender is not known have two in one."""
    made = made_up(1)
    contract, customer = made["contracts"][0], made["customers"][0]
    made["customers"] = [
        customer | {"customer_id": f"{g}{n}", "gender": g if g != "none" else None}
        for g, count in (("female", 60), ("male", 40), ("none", 30))
        for n in range(count)
    ]
    own = {"signed_on": date(2026, 2, 3), "activated_on": date(2026, 2, 4), "closed_on": None}
    signed = [
        *(contract | own | {"customer_id": f"female{n}", "activated_on": None if n < 20 else date(2026, 2, 4)} for n in range(60)),
        *(contract | own | {"customer_id": f"male{n}"} for n in range(40)),
        *(contract | own | {"customer_id": f"none{n}"} for n in range(2)),
        *(
            contract | own | {"customer_id": f"{g}{n}", "signed_on": day, "activated_on": day}
            for g in ("female", "male", "none")
            for n in range(20)
            for day in (date(2025, 11, 5), date(2026, 4, 7))
        ),
    ]  # fmt: skip
    made["contracts"] = [row | {"contract_id": f"k{n}"} for n, row in enumerate(signed)]
    path = tmp_path_factory.mktemp("many") / "w.duckdb"
    bank.write_duckdb(made, path)
    found = Warehouse(f"duckdb:///{path}")
    yield found
    found.close()


def told(warehouse: Warehouse, measures: str, *by: str, **more: object) -> pd.DataFrame:
    return warehouse.fetch(question(warehouse, measures, *by, **({"period": QUARTER_1} | more)), ANALYST)


def test_a_small_number_is_withheld_with_the_next_larger_group_and_the_others_are_told(many: Warehouse) -> None:
    found = told(many, "signed", "gender").set_index("gender")
    assert found["signed" + WITHHELD].to_dict() == {"female": False, "male": True, np.nan: True}
    assert found["signed"].to_dict()["female"] == 60
    assert found["signed"].isna().tolist() == [False, True, True]


def test_a_quarter_without_small_numbers_is_told_whole_and_a_longer_period_is_told_where_all_its_quarters_are(
    many: Warehouse,
) -> None:
    last_year = told(many, "signed", "gender", period=Period(date(2025, 10, 1), date(2025, 12, 31)))
    assert last_year["signed"].tolist() == [20, 20, 20]
    assert not last_year["signed" + WITHHELD].any()
    both = told(many, "signed", "gender", period=Period(date(2025, 10, 1), date(2026, 3, 31)))
    assert both["signed"].fillna(-1).tolist() == [80, -1, -1]


def test_a_rate_is_withheld_where_one_of_its_counts_is(many: Warehouse) -> None:
    found = told(many, "activation_rate", "gender").set_index("gender")["activation_rate"]
    assert found["female"] == pytest.approx(40 / 60)
    assert found.drop("female").isna().all()


def test_a_filter_on_a_small_group_or_on_its_only_cover_is_withheld_and_on_a_large_one_is_told(many: Warehouse) -> None:
    for values, number in ((("female",), 60), ((None,), None), (("male",), None), (("female", "male"), None)):
        (found,) = told(many, "signed", chosen={"gender": values})["signed"]
        assert (None if pd.isna(found) else found) == number


def test_what_is_withheld_stands_last_whatever_the_order(many: Warehouse) -> None:
    for descending in (True, False):
        found = told(many, "signed", "gender", order=(Order("signed", descending),))
        assert found["signed" + WITHHELD].tolist() == [False, True, True]


def test_a_cumulative_share_and_a_comparison_tell_nothing_of_what_is_withheld(many: Warehouse) -> None:
    found = told(many, "signed", "gender", cumulative=True, order=(Order("signed"),))
    assert found["signed_cumulative"].isna().all()
    against = Period(date(2025, 10, 1), date(2025, 12, 31))
    compared = told(many, "signed", "gender", against=against, order=(Order("signed_change"),))
    assert compared["signed_before"].isna().all() and compared["signed_change"].isna().all()
    assert compared["signed_before" + WITHHELD].all()


def test_who_may_see_listings_gets_what_everybody_got_before(many: Warehouse) -> None:
    asked = question(many, "signed activation_rate", "gender", period=Period(date(2026, 2, 3), date(2026, 2, 3)))
    for role in Role:
        if Permission.LISTINGS in PERMITTED[role] and role is not Role.AGENT:
            found = many.fetch(asked, Viewer("reader", bank.HEAD_OFFICE, role))
            assert list(found) == ["gender", "signed", "activation_rate"]
            assert found["signed"].tolist() == [60, 40, 2]


def test_a_reader_warmed_by_one_who_may_see_all_is_told_no_more(many: Warehouse) -> None:
    ask(many, "signed", "gender", period=QUARTER_1)
    assert told(many, "signed", "gender")["signed"].isna().sum() == 2


@pytest.mark.parametrize(
    ("by", "more", "says"),
    [
        (("gender", "tier"), {}, "Leave out: Tier."),
        (("gender", "month"), {}, "Leave out: Month."),
        (("gender", "product"), {}, "Leave out: Product."),
        (("gender", "below"), {}, "Leave out: Branch below."),
        (("gender",), {"chosen": {"tier": ("top",)}}, "Leave out: Tier."),
        (("gender",), {"chosen": {"product": ("mobile",)}}, "Leave out: Product."),
        (("gender",), {"chosen": {"branch": ("12",)}}, "Leave out: First-level branch."),
        (("product",), {"chosen": {"gender": ("male",)}}, "Leave out: Product."),
        (("gender",), {"period": Period(date(2026, 1, 2), date(2026, 3, 31))}, "such as 2026-01-01 to 2026-03-31"),
        (("gender",), {"period": Period(date(2026, 1, 1), date(2026, 2, 28))}, "Choose whole quarters"),
        (("gender",), {"period": Period(date(2026, 4, 1), date(2026, 6, 30))}, "quarters that are over"),
        ((), {"chosen": {"gender": ("male",)}, "period": Period(date(2026, 1, 1), date(2026, 1, 31))}, "By Gender you see"),
    ],
)  # fmt: skip
def test_what_would_cut_groups_smaller_is_refused_with_the_way_out(many: Warehouse, by, more, says) -> None:
    with pytest.raises(QuestionError, match=says.replace(".", r"\.")):
        told(many, "signed", *by, **more)


def test_the_own_branch_as_a_filter_and_questions_about_no_customers_are_answered(many: Warehouse) -> None:
    assert told(many, "signed", "gender", chosen={"branch": (bank.HEAD_OFFICE,)})["signed"].notna().sum() == 1
    day = Period(date(2026, 2, 3), date(2026, 2, 3))
    assert told(many, "signed", "below", "product", period=day)["signed"].sum() == 102


def test_what_became_of_contracts_is_seen_on_the_last_day_of_a_month() -> None:
    assert last_month_over(date(2026, 5, 20)) == date(2026, 4, 30)
    assert last_month_over(date(2026, 4, 30)) == date(2026, 4, 30)


def test_a_median_of_few_and_what_is_known_for_today_alone_are_never_told(warehouse_on: Warehouse) -> None:
    for measure in ("complaints_median_days", "active_30", "first_uses"):
        assert told(warehouse_on, measure, "gender")[measure].isna().all()


def test_every_measure_is_answered_on_every_engine(warehouse_on: Warehouse) -> None:
    catalogue = warehouse_on.state().catalogue
    for name, measure in catalogue.measures.items():
        if dimension("gender") in measure.dimensions:
            found = told(warehouse_on, name, "gender")
            small = found[name].dropna()
            assert name + WITHHELD in found
            assert measure.unit.value != "count" or not ((small > 0) & (small < FEW)).any()


def test_a_balance_after_a_small_flow_is_withheld_until_the_flows_between_could_be_others() -> None:
    # In the second quarter the first value gets 2: the balances before and after would tell it, as would the second value's.
    assert how_many_balances([0, 2, 0], [[[10, 20, 30], [2, 20, 30], [10, 20, 30]]], 5) == [0, 2, 2]
    # Two quarters withheld: with 2 and 20, and 9 and 9, two could have moved from the one to the other.
    assert how_many_balances([2, 2, 0], [[[2, 20, 30], [9, 9, 30], [10, 20, 30]]], 5) == [2, 2, 0]
    # But not where there is nothing to be exchanged.
    assert how_many_balances([2, 2, 0], [[[2, 20, 30], [0, 0, 30], [10, 20, 30]]], 5) == [2, 2, 2]


def test_a_small_number_that_can_be_nobody_elses_takes_all_of_its_fact_along() -> None:
    assert stands_alone([[0, 6, 0], [0, 2, 0]], 5)
    assert not stands_alone([[1, 6, 0], [0, 2, 0]], 5)  # the one contract of the first could be an activated one
    assert not stands_alone([[0, 60, 0], [0, 20, 0]], 5)
