"""The signals of the demo bank: its stories are found, hardly anything else is, and nobody is told of another's branches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from data_access.__main__ import main
from data_access.access import Role, Viewer
from data_access.ask import signals_seen
from data_access.demo import STORIES, build
from data_access.settings import settings
from data_access.warehouse import Warehouse
from measures.signals import Kind, Signal, Signals

BANKS = [(7, date(2026, 11, 20)), (3, date(2025, 1, 31))]
"""A usual day, and a day in the long spring holiday; a story must not be found by one throw of the dice alone."""


@pytest.fixture(scope="module", params=BANKS, ids=lambda param: f"seed {param[0]}, {param[1]}")
def warehouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The demo bank in full: at a smaller scale a sub-branch signs too little for the fault to be seen in it."""
    seed, until = request.param
    path = tmp_path_factory.mktemp("demo") / "bank.duckdb"
    build(path, seed=seed, until=until)
    found = Warehouse(f"duckdb:///{path}", settings().days_off)
    yield found
    found.close()


@pytest.fixture(scope="module")
def found(warehouse: Warehouse) -> Signals:
    return signals_seen(Viewer("me", warehouse.root(), Role.VISITOR), warehouse)


def about(story: str, signal: Signal) -> bool:
    """Whether the signal tells of the story: of its branch or one above it, and of what happened there."""
    planted, of = STORIES[story], signal.of.id if signal.of else None
    above = signal.at and signal.at.id and planted.get("branch_id", "").startswith(signal.at.id)
    match story:
        case "fault":
            return signal.kind is Kind.COHORT_WORSE and bool(above) and of == planted["product_id"]
        case "queueing":
            return signal.kind is Kind.COMPLAINTS_LEAPT and bool(above) and of == planted["cause"]
        case "paper_agent":
            return signal.kind is Kind.AGENT_UNUSED and of == planted["agent_id"]
        case "idle_list":
            # A list of which nothing is worked on also weighs on the coverage of its branch.
            return of == planted["campaign_id"] or (signal.measure == "coverage" and of is None and bool(above))
    return False


@pytest.mark.parametrize("story", ["fault", "queueing", "paper_agent", "idle_list"])
def test_a_story_that_is_out_of_the_ordinary_is_found_for_head_office(found: Signals, story: str):
    assert any(about(story, signal) for signal in found.found)


def test_at_most_two_signals_are_of_no_story(found: Signals):
    of_none = [signal for signal in found.found if not any(about(story, signal) for story in STORIES)]
    assert len(of_none) <= 2, of_none
    assert found.tests > 700


def test_three_of_three_is_no_signal_and_a_moved_mix_is_no_worse_product(found: Signals):
    places = {STORIES[story]["branch_id"] for story in ("three_of_three", "mix")}
    assert not any(signal.at and signal.at.id in places for signal in found.found)


def test_a_viewer_is_told_of_what_lies_below_and_of_nothing_else(warehouse: Warehouse, found: Signals):
    told: dict[str, Signals] = {}
    for branch in ("13", "14", "17"):
        viewer = Viewer("me", branch, Role.VISITOR)
        below = set(warehouse.branches(viewer)["branch_id"])
        told[branch] = signals_seen(viewer, warehouse)
        assert told[branch].found
        assert {signal.at.id for signal in told[branch].found if signal.at and signal.at.id} <= below
    assert all(about("queueing", signal) for signal in told["13"].found if signal.of and signal.of.id == "queueing")
    assert not any(about("idle_list", signal) and signal.of for signal in told["14"].found)
    assert any(about("idle_list", signal) for signal in told["17"].found)
    assert any(signal.at and signal.at.id == "1401" for signal in told["14"].found)
    assert all(one.tests < found.tests for one in told.values())


def test_the_command_prints_each_signal_with_the_page_that_shows_it(
    warehouse: Warehouse, found: Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.where)
    assert main(["ask", "--signals"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{len(found.found)} things need attention" and f"{found.tests} comparisons" in printed[1]
    assert len([line for line in printed if line.startswith("  /")]) == len(found.found)
    assert any("complaints about “Queueing”" in line for line in printed)
    assert main(["ask", "--signals", "--viewer", "13", "--lang", "zh_CN"]) == 0
    addresses = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  /")]
    assert addresses and all("branch=13" in line and "lang=zh_CN" in line for line in addresses)


@pytest.mark.parametrize("more", [["signed"], ["--by", "product"], ["--format", "csv"], ["--from", "2026-01-01"]])
def test_the_command_refuses_what_signals_have_no_use_for(more: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["ask", *more, "--signals"]) == 2
    assert "--viewer" in capsys.readouterr().err
