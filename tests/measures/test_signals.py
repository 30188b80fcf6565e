"""The list of signals: empty where nothing is the matter, whatever branches differ by, and whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from measures.dimensions import BELOW, CAUSE, SUB_BRANCH
from measures.model import Dimension
from measures.period import Period, first_days
from measures.question import NAME
from measures.signals import Kind, Signals, signals

UNTIL = date(2026, 11, 20)
BRANCHES, SUB_BRANCHES, AGENTS = 12, 2, 10
PRODUCTS = (0.3, 0.5, 0.6, 0.7, 0.85)
"""The share of each product's contracts that is used."""
LISTS = 30


@dataclass
class SimulatedBank:
    """Answers made of counts that only chance scatters.

    `apart` is how far the log-odds of branches and agents, and the logarithm of their complaints, lie from each other for good,
    `restless` how far the logarithm of complaints and signings does from week to week and from month to month.
    """

    seed: int
    apart: float = 0.0
    restless: float = 0.0
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        self.mood = self.chance.normal(0, self.apart, BRANCHES) if self.apart else np.zeros(BRANCHES)

    def ask(self, names: Sequence[str], by: Sequence[Dimension], period: Period) -> pd.DataFrame:
        self.asked.append(tuple(d.name for d in by))
        answers = {
            "agent": self._agents,
            "cause": self._complaints,
            "product": self._contracts,
            "campaign": self._waiting if "open_assignments" in names else self._lists,
            "below": self._branches,
        }
        answer = answers[next(d.name for d in reversed(by) if d.name in answers)](period)
        for dimension in by:
            if dimension.named:
                answer[dimension.name + NAME] = "the " + answer[dimension.name].astype("str")
        return answer[[c for c in answer if c in names or any(c.startswith(d.name) for d in by)]]

    def found(self) -> Signals:
        return signals(self.ask, UNTIL, in_sub_branches=True)

    def _share(self, share: object, branch: object) -> object:
        odds = np.log(share / (1 - np.asarray(share))) + self.mood[branch]
        return 1 / (1 + np.exp(-odds))

    def _contracts(self, period: Period) -> pd.DataFrame:
        months = first_days(period, "month")
        branch, sub, product, month = _crossed(BRANCHES, SUB_BRANCHES, len(PRODUCTS), len(months))
        busy = self.chance.lognormal(0, self.restless, (BRANCHES, len(months)))
        signed = self.chance.poisson(12 * busy[branch, month])
        # The window is over for all but the last two months, and for half of the third from the end.
        mature = np.where(month < len(months) - 3, signed, np.where(month == len(months) - 3, signed // 2, 0))
        return pd.DataFrame(
            {
                "below": _coded("b", branch),
                "sub_branch": pd.Series(_coded("b", branch)) + "-" + pd.Series(_coded("", sub)),
                "product": _coded("p", product),
                "month": pd.to_datetime([months[i] for i in month]),
                "signed": signed,
                "mature_signed": mature,
                "activated_in_window": self.chance.binomial(mature, self._share(np.array(PRODUCTS)[product], branch)),
            }
        )

    def _agents(self, period: Period) -> pd.DataFrame:
        branch, agent = _crossed(BRANCHES, AGENTS)
        n = self.chance.poisson(50, len(branch))
        odds = self.chance.normal(0, self.apart, len(branch)) + 0.6
        k = self.chance.binomial(n, 1 / (1 + np.exp(-odds)))
        names = pd.Series(_coded("b", branch)) + "/" + pd.Series(_coded("", agent))
        return pd.DataFrame(
            {"below": _coded("b", branch), "agent": names, "mature_signed": n, "activated_in_window": k}
        )

    def _complaints(self, period: Period) -> pd.DataFrame:
        weeks = first_days(period, "week")
        branch, cause, week = _crossed(BRANCHES, 8, len(weeks))
        busy = self.chance.lognormal(0, self.restless, len(weeks))[week] * np.exp(self.mood[branch])
        known = [*CAUSE.values]
        count = self.chance.poisson(np.array([0.2, 0.3, 0.5, 0.8, 1, 1.2, 2, 3])[cause] * busy)
        return pd.DataFrame(
            {
                "below": _coded("b", branch),
                "cause": [known[i] for i in cause],
                "week": pd.to_datetime([weeks[i] for i in week]),
                "complaints_received": count,
            }
        )[count > 0].reset_index(drop=True)

    def _lists(self, period: Period) -> pd.DataFrame:
        weeks = first_days(period, "week")
        branch, campaign, part = _crossed(BRANCHES, LISTS, 3)
        week = (campaign * (len(weeks) - 3)) // LISTS + part
        n = self.chance.poisson(8, len(branch))
        return pd.DataFrame(
            {
                "below": _coded("b", branch),
                "campaign": _coded("k", campaign),
                "week": pd.to_datetime([weeks[i] for i in week]),
                "assigned": n,
                "contacted": self.chance.binomial(n, self._share(0.87, branch)),
            }
        )

    def _waiting(self, period: Period) -> pd.DataFrame:
        branch, campaign = _crossed(BRANCHES, LISTS)
        return pd.DataFrame(
            {"below": _coded("b", branch), "campaign": _coded("k", campaign), "open_assignments": 1 + campaign % 3}
        )

    def _branches(self, period: Period) -> pd.DataFrame:
        expected = np.linspace(120, 600, BRANCHES)
        rows = {"below": _coded("b", np.arange(BRANCHES)), "holders": np.full(BRANCHES, 9_000)}
        for of in ("signed", "activated"):
            busy = self.chance.lognormal(0, self.restless, BRANCHES)
            rows |= {f"{of}_toward_target": self.chance.poisson(expected * busy), f"{of}_expected": expected}
        return pd.DataFrame(rows)


def _crossed(*sizes: int) -> list[np.ndarray]:
    """The places of all combinations, one array for each of the sizes."""
    return [places.ravel() for places in np.meshgrid(*(np.arange(size) for size in sizes), indexing="ij")]


def _coded(letter: str, places: np.ndarray) -> list[str]:
    return [f"{letter}{place}" for place in places]


def test_where_nothing_is_the_matter_the_list_is_empty_at_nine_of_ten_banks():
    found = [SimulatedBank(seed).found() for seed in range(200)]
    assert min(one.tests for one in found) > 300
    assert sum(not one.found for one in found) >= 180


def test_branches_and_weeks_that_differ_anyhow_do_not_flood_the_list():
    found = [SimulatedBank(seed, apart=0.35, restless=0.15).found() for seed in range(40)]
    assert sum(len(one.found) for one in found) <= 20


class ChangedBank(SimulatedBank):
    """A bank in which what `changed` says is done to the answers that hold the dimension it names."""

    def __init__(self, seed: int, **changed: object) -> None:
        self.changed = changed
        super().__init__(seed)

    def ask(self, names: Sequence[str], by: Sequence[Dimension], period: Period) -> pd.DataFrame:
        answer = super().ask(names, by, period)
        for dimension, change in self.changed.items():
            if dimension in answer:
                answer = change(answer)
        return answer


def _faulty(answer: pd.DataFrame) -> pd.DataFrame:
    hit = (answer["sub_branch"] == "b3-1") & (answer["product"] == "p3") & (answer["month"] >= "2026-08-01")
    return answer.assign(activated_in_window=answer["activated_in_window"].mask(hit, 0))


def test_contracts_that_are_used_no_more_are_told_with_their_branch_product_and_months():
    (signal,) = ChangedBank(5, sub_branch=_faulty).found().found
    assert (signal.kind, signal.at.id, signal.of.id) == (Kind.COHORT_WORSE, "b3-1", "p3")
    assert signal.value == 0 and 0.5 < signal.usual < 0.9
    assert (signal.since, signal.until) == (date(2026, 8, 1), date(2026, 9, 30))


def test_what_one_branch_brings_is_not_told_of_the_whole_as_well():
    def fallen(among: tuple[str, ...]):
        def change(answer: pd.DataFrame) -> pd.DataFrame:
            hit = answer["below"].isin(among) & (answer["product"] == "p3") & (answer["month"] >= "2026-08-01")
            return answer.assign(activated_in_window=answer["activated_in_window"].mask(hit, 0))

        return change

    one = ChangedBank(6, product=fallen(("b3",))).found()
    assert {signal.at and signal.at.id for signal in one.found} == {"b3-0", "b3-1"}

    def a_little_everywhere(answer: pd.DataFrame) -> pd.DataFrame:
        hit = (answer["product"] == "p3") & (answer["month"] >= "2026-08-01")
        return answer.assign(activated_in_window=answer["activated_in_window"].mask(hit, answer["mature_signed"] // 2))

    everywhere = ChangedBank(6, product=a_little_everywhere).found().found
    assert None in {signal.at for signal in everywhere}
    assert {signal.of.id for signal in everywhere} == {"p3"}


def test_only_what_is_worse_is_told():
    def better(answer: pd.DataFrame) -> pd.DataFrame:
        hit = (answer["sub_branch"] == "b3-1") & (answer["product"] == "p0") & (answer["month"] >= "2026-08-01")
        return answer.assign(activated_in_window=answer["activated_in_window"].mask(hit, answer["mature_signed"]))

    assert ChangedBank(5, sub_branch=better).found().found == ()


def _untouched(answer: pd.DataFrame) -> pd.DataFrame:
    if "contacted" not in answer:
        return answer
    return answer.assign(contacted=answer["contacted"].mask(answer["campaign"] == "k20", 0))


def test_a_list_is_idle_only_while_somebody_waits_on_it():
    def finished(answer: pd.DataFrame) -> pd.DataFrame:
        if "open_assignments" in answer:
            return answer.assign(open_assignments=answer["open_assignments"].mask(answer["campaign"] == "k20", 0))
        return _untouched(answer)

    (signal,) = ChangedBank(7, campaign=_untouched).found().found
    assert (signal.kind, signal.at.id, signal.of.id, signal.value) == (Kind.LIST_IDLE, None, "k20", 0.0)
    assert ChangedBank(7, campaign=finished).found().found == ()


def test_customers_given_out_last_week_do_not_make_a_list_idle():
    def fresh(answer: pd.DataFrame) -> pd.DataFrame:
        if "week" not in answer:
            return answer
        last_week = pd.Timestamp("2026-11-09")
        return _untouched(answer).assign(week=answer["week"].mask(answer["campaign"] == "k20", last_week))

    assert ChangedBank(7, campaign=fresh).found().found == ()


def test_the_running_week_and_weeks_before_the_data_do_not_look_like_a_leap():
    def begun_late(answer: pd.DataFrame) -> pd.DataFrame:
        running = answer["week"] == "2026-11-16"
        count = answer["complaints_received"].mask(running, answer["complaints_received"] * 30)
        return answer.assign(complaints_received=count)[answer["week"] >= "2026-02-16"]

    assert not any(s.kind is Kind.COMPLAINTS_LEAPT for s in ChangedBank(8, cause=begun_late).found().found)


def test_the_largest_stands_first_by_how_many_are_concerned():
    def leapt(answer: pd.DataFrame) -> pd.DataFrame:
        late = answer["week"].between("2026-10-19", "2026-11-15") & (answer["cause"] == "misselling")
        more = answer["below"].map({"b1": 4, "b2": 8}).where(late).fillna(0).astype(int)
        return answer.assign(complaints_received=answer["complaints_received"] + more)

    found = ChangedBank(9, cause=leapt, sub_branch=_faulty).found().found
    assert [signal.at.id for signal in found if signal.kind is Kind.COMPLAINTS_LEAPT] == ["b2", "b1"]
    assert len(found) == 3
    assert [signal.size for signal in found] == sorted((signal.size for signal in found), reverse=True)


def test_branches_too_few_to_tell_what_they_differ_by_are_not_judged_against_each_other():
    def neglected(among: tuple[str, ...]):
        def change(answer: pd.DataFrame) -> pd.DataFrame:
            if "contacted" in answer:
                half = answer["contacted"].mask(answer["below"] == "b0", answer["contacted"] // 2)
                answer = answer.assign(contacted=half)
            return answer[answer["below"].isin(among)]

        return change

    def apart(*among: str) -> list[str]:
        found = ChangedBank(10, below=neglected(among)).found().found
        return [signal.at.id for signal in found if signal.kind is Kind.BRANCH_APART]

    assert apart("b0", "b1", "b2") == []
    assert apart(*(f"b{place}" for place in range(BRANCHES))) == ["b0"]


def test_a_branch_behind_its_target_is_told_unless_its_months_waver_as_much():
    def behind(answer: pd.DataFrame) -> pd.DataFrame:
        if "signed_expected" not in answer:
            return answer
        late = answer["signed_expected"].mask(answer["below"] == "b11", answer["signed_expected"] * 1.4)
        return answer.assign(signed_expected=late)

    def restless(answer: pd.DataFrame) -> pd.DataFrame:
        if "signed" in answer:
            often = answer["month"].dt.month % 2 == 0
            answer = answer.assign(signed=answer["signed"].mask(often, answer["signed"] * 4))
        return behind(answer)

    (signal,) = ChangedBank(11, below=behind).found().found
    assert (signal.kind, signal.at.id) == (Kind.BEHIND_PACE, "b11")
    assert ChangedBank(11, below=restless).found().found == ()


def test_six_questions_are_asked_and_none_twice():
    bank = SimulatedBank(1)
    bank.found()
    assert len(bank.asked) == 6
    assert (BELOW.name, SUB_BRANCH.name, "product", "month") in bank.asked


def test_a_warehouse_that_can_answer_nothing_has_nothing_to_tell():
    assert signals(lambda names, by, period: pd.DataFrame(), UNTIL) == Signals((), 0, Period(date(2025, 12, 1), UNTIL))
