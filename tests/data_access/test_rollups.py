"""Rollups: the same numbers as their facts, or the facts themselves, on both engines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sqlalchemy.engine import make_url
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import ColumnClause

from data_access import embedded, roll_up
from data_access.__main__ import main
from data_access.access import Role, Viewer
from data_access.rollups import balance_days, looked_from, rollups_for
from data_access.sql import Given, merged, sources
from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES, WHOLE_CONTRACT, dimension
from measures.dimensions import BRANCH
from measures.model import Measure, Placed
from measures.period import Compare, Period, Preset, compared_period, preset_period
from measures.question import Question, QuestionError, where
from measures.rollups import AT_EVERY_BRANCH, ROLLUPS
from tests import asking, bank
from tests.bank import BANK, DATA_UNTIL, DAYS_OFF, HEAD_OFFICE
from tests.data_access import test_merging

PRESETS = [
    (preset_period(preset, DATA_UNTIL), compared_period(preset_period(preset, DATA_UNTIL), preset, compare))
    for preset, compare in product(Preset, Compare)
]
DECLARED = sum(map(len, [*ROLLUPS.values(), *AT_EVERY_BRANCH.values()]))
MONTH, MONTH_BEFORE = (date(2026, 5, 1), DATA_UNTIL), (date(2026, 4, 1), date(2026, 4, 20))


@pytest.fixture(scope="module")
def rolled_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    path = tmp_path_factory.mktemp("rolled") / "warehouse.duckdb"
    bank.write_duckdb(BANK, path)
    embedded.add_rollups(path)
    with closing(Warehouse(f"duckdb:///{path}", DAYS_OFF)) as found:
        assert len(found.state().rollups) == DECLARED
        yield found


@pytest.fixture(scope="module")
def plain_duckdb(duckdb_warehouse: Warehouse) -> Warehouse:
    assert not duckdb_warehouse.state().rollups
    return duckdb_warehouse


@pytest.fixture(scope="module")
def plain_postgres(postgres_warehouse: Warehouse) -> Warehouse:
    assert not postgres_warehouse.state().rollups
    return postgres_warehouse


@pytest.fixture(scope="module")
def own_postgres(postgres_server: str) -> Iterator[str]:
    """The test bank in a database in which rollups may be made."""
    name = f"rollups_{os.getpid()}"
    server = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name)
    bank.write_postgres(BANK, sa.create_engine(url, poolclass=sa.NullPool))
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def rolled_postgres(own_postgres: str) -> Iterator[Warehouse]:
    assert len(roll_up.store(own_postgres)) == DECLARED
    with closing(Warehouse(own_postgres, DAYS_OFF)) as found:
        assert len(found.state().rollups) == DECLARED
        yield found


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> tuple[Warehouse, Warehouse]:
    """The test bank with rollups and without, on each engine."""
    return request.getfixturevalue(f"rolled_{request.param}"), request.getfixturevalue(f"plain_{request.param}")


def assert_equal_answers(both: tuple[Warehouse, Warehouse], question: Question, viewer: Viewer) -> None:
    rolled, plain = (answer_or_refusal(warehouse, question, viewer) for warehouse in both)
    if isinstance(plain, str):
        assert rolled == plain
    else:
        assert_frame_equal(rolled, plain, check_exact=False, rtol=1e-9)


def answer_or_refusal(warehouse: Warehouse, question: Question, viewer: Viewer) -> pd.DataFrame | str:
    try:
        return warehouse.fetch(question, viewer)
    except QuestionError as refused:
        return str(refused)


def kept_by(warehouse: Warehouse, *names: str) -> tuple[Measure, ...]:
    wanted = {dimension(name) for name in names}
    return tuple(m for m in warehouse.state().catalogue.measures.values() if m.dimensions >= wanted)


def read(
    warehouse: Warehouse, measures: str, *by: str, branch: str = HEAD_OFFICE, agent: str | None = None, **more: object
) -> dict[str, set[str | None]]:
    """For the ending of each period where the facts are read: the dimensions of the rollup, or None for the fact itself."""
    asked = asking.question(warehouse, measures, *by, **more)
    found: dict[str, set[str | None]] = {}
    for source in warehouse.sources(asked, asking.viewer(branch, agent)):
        rolled = source.rollup and " ".join(kept.name for kept in source.rollup.by)
        found.setdefault(source.ending, set()).add(rolled)
    return found


# Equal answers ------------------------------------------------------------------------------------------------------

GRAINS = [(), ("below",), ("product", "below"), ("month",), ("family", "week"), ("payroll",), ("cause",), ("campaign",),
          ("below", "sub_branch", "product", "month")]  # fmt: skip


@pytest.mark.parametrize("by", GRAINS, ids="-".join)
def test_every_measure_in_every_period_offered_is_the_same_from_rollups(
    both: tuple[Warehouse, Warehouse], by: tuple[str, ...]
) -> None:
    stepped = {"week", "month"} & set(by)
    for number, (period, against) in enumerate(PRESETS[::3] if not by else PRESETS[::6]):
        asked = Question(kept_by(both[0], *by), period, tuple(map(dimension, by)), against=None if stepped else against)
        assert_equal_answers(both, asked, asking.viewer(("1", "12")[number % 2]))


days = st.dates(date(2026, 1, 1), date(2026, 6, 10))
periods = st.tuples(days, days).map(lambda ends: Period(min(ends), max(ends)))
compared = st.one_of(st.sampled_from(PRESETS), st.tuples(periods, st.none() | periods))
filters = st.dictionaries(
    st.sampled_from(["branch", "outlet", "product", "family", "payroll", "cause", "region", "campaign"]),
    st.sampled_from(
        [("12",), ("12", "120"), ("121",), (None, "14"), ("mobile", "card"), (None, "Cards"), ("yes",), ("l1",)]
    ),
    max_size=2,
)
viewers = st.sampled_from(
    [
        *(asking.viewer(branch) for branch in ("1", "12", "14", "121", "1210", "nowhere")),
        asking.viewer("1", "a1"),
        Viewer("tester", "1", Role.ANALYST),
    ]
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), periods=compared, chosen=filters, viewer=viewers)
def test_any_question_is_answered_the_same_from_rollups(
    both: tuple[Warehouse, Warehouse], data: st.DataObject, periods, chosen: dict, viewer: Viewer
) -> None:
    known = list(both[0].state().catalogue.measures.values())
    measures = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=5, unique=True), "measures")
    period, against = periods
    shared = frozenset.intersection(*(m.dimensions for m in measures))
    names = sorted(d.name for d in shared if not (against and d.step))
    by = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True), "by") if names else []
    if sum(DIMENSION[name].step is not None for name in by) > 1:
        by = by[:1]
    counts = {(count.name, id(count)) for measure in measures for count in (measure, *measure.counts)}
    if len({name for name, _id in counts}) < len(counts):
        measures = measures[:1]
    narrowed = where({DIMENSION[name]: ids for name, ids in chosen.items() if DIMENSION[name] in shared})
    parent = data.draw(st.sampled_from([None, "1", "12", "121"]), "parent")
    asked = Question(
        tuple(measures), period, tuple(DIMENSION[name] for name in by), narrowed, against=against, parent=parent
    )
    assert_equal_answers(both, asked, viewer)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=test_merging.pages(), periods=st.sampled_from(PRESETS), who=st.sampled_from(test_merging.VIEWERS))
def test_what_a_page_asks_together_is_the_same_from_rollups(
    both: tuple[Warehouse, Warehouse], asked: list[Question], periods: tuple[Period, Period | None], who: Viewer
) -> None:
    period, against = periods
    asked = [replace(each, period=period, against=each.against and against) for each in asked]
    rolled, plain = both
    with closing(Warehouse(rolled._url.render_as_string(hide_password=False), rolled.days_off)) as together:
        together.fetch_ahead(asked, who)
        for each in asked:
            assert_frame_equal(together.fetch(each, who), plain.fetch(each, who), check_exact=False, rtol=1e-9)


def test_a_page_s_scans_read_rollups_where_they_can(rolled_duckdb: Warehouse) -> None:
    state = rolled_duckdb.state()
    asked = [asking.question(rolled_duckdb, names) for names in ("signed activated", "signed customers", "customers")]
    known = Given(state.data_until, state.paths, rollups=state.rollups)
    scans, _answers = merged([*asked, asking.question(rolled_duckdb, "signed", "age_band")], asking.viewer("1"), known)
    texts = [str(scan.statement.select) for scan in scans]
    assert sum("rollup_contracts_signed" in text for text in texts) == 1
    assert sum("rollup_contracts_held" in text for text in texts) == 0


# What a rollup does not hold is asked of the fact -------------------------------------------------------------------


def test_head_office_is_answered_from_rollups_and_with_the_period_compared_with(rolled_duckdb: Warehouse) -> None:
    cards = "cohort_activation_rate signed active_rate_30 coverage overdue_assignments complaints_on_time contacts"
    period, against = Period(*MONTH), Period(*MONTH_BEFORE)
    found = read(rolled_duckdb, cards, period=period, against=against)
    assert None not in found[""] | found["_before"]
    assert None not in read(rolled_duckdb, cards, "below", period=period)[""]


def test_different_customers_are_never_added_up(rolled_duckdb: Warehouse) -> None:
    assert read(rolled_duckdb, "customers") == {"": {None}}
    assert read(rolled_duckdb, "complaints_median_days") == {"": {None}}
    # c01 and c05 hold several contracts: added up by product they would count again.
    assert asking.number(rolled_duckdb, "customers") < sum(
        asking.numbers(rolled_duckdb, "customers", "product").values()
    )


def test_the_period_compared_with_is_not_seen_from_the_data_s_date(both: tuple[Warehouse, Warehouse]) -> None:
    rolled, plain = both
    period, against = Period(*MONTH), Period(*MONTH_BEFORE)
    seen = {"period": period, "against": against}
    assert read(rolled, "activated", **seen) == {"": {"product payroll"}, "_before": {"product payroll"}}
    found = asking.ask(rolled, "activated", **seen)["activated_before"].item()
    # Signed 1–20 April and used by 20 May are more than those used by 20 April, the day from which April is looked at.
    assert found == asking.ask(plain, "activated", **seen)["activated_before"].item()
    assert found < asking.number(plain, "activated", period=against)


def test_a_period_compared_with_that_nobody_offers_is_asked_of_the_fact_where_it_is_looked_back_at(
    rolled_duckdb: Warehouse,
) -> None:
    seen = {"period": Period(*MONTH), "against": Period(date(2026, 3, 3), date(2026, 3, 17))}
    assert read(rolled_duckdb, "activated", **seen) == {"": {"product payroll"}, "_before": {None}}
    assert read(rolled_duckdb, "signed", **seen) == {"": {"product payroll"}, "_before": {"product payroll"}}


def test_a_balance_is_read_from_a_rollup_on_stored_days_alone(both: tuple[Warehouse, Warehouse]) -> None:
    rolled, plain = both
    stored, other = Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 3, 1), date(2026, 3, 17))
    assert stored.end in balance_days(DATA_UNTIL) and other.end not in balance_days(DATA_UNTIL)
    assert read(rolled, "holders", period=stored) == {"": {"product"}}
    assert read(rolled, "holders", period=other) == {"": {None}}
    for period in (stored, other):
        assert asking.number(rolled, "holders", period=period) == asking.number(plain, "holders", period=period) > 0
    # A series is read from there as a whole, or not at all.
    assert read(rolled, "holders", "day", period=other) == {"": {None}}


def test_the_last_use_is_told_for_the_data_s_date_alone(both: tuple[Warehouse, Warehouse]) -> None:
    rolled, _plain = both
    earlier = Period(date(2026, 3, 1), date(2026, 3, 31))
    assert read(rolled, "active_30", period=earlier) == {"": {"product"}}
    assert asking.number(rolled, "active_30", period=earlier) is None
    assert asking.number(rolled, "active_30") > 0


def test_what_is_booked_at_head_office_itself_and_without_a_product_is_not_lost(rolled_duckdb: Warehouse) -> None:
    long = Period(date(2024, 1, 1), date(2026, 5, 21))
    assert read(rolled_duckdb, "contacts", "below", period=long) == {"": {"product contact_kind"}}
    assert asking.numbers(rolled_duckdb, "contacts", "below", period=long)[None] == sum(
        row["branch_id"] == "1" and row["contacted_at"].date() >= long.start for row in BANK["contacts"]
    )
    by_product = asking.numbers(rolled_duckdb, "contacts", "product", period=long)
    assert by_product[None] == sum(row["product_id"] is None for row in BANK["contacts"])
    assert sum(by_product.values()) == len(BANK["contacts"])


@pytest.mark.parametrize("branch", ["121", "1210", "12_"])
def test_a_branch_deeper_than_rollups_go_is_asked_of_the_facts(rolled_duckdb: Warehouse, branch: str) -> None:
    assert read(rolled_duckdb, "signed", branch=branch) == {"": {None}}
    assert read(rolled_duckdb, "signed", chosen={"branch": (branch,)}) == {"": {None}}
    assert read(rolled_duckdb, "signed", chosen={"branch": ("14", branch)}) == {"": {None}}


def test_branches_below_a_branch_and_regions_are_asked_of_the_facts(rolled_duckdb: Warehouse) -> None:
    assert read(rolled_duckdb, "signed", "below", branch="12") == {"": {None}}
    assert read(rolled_duckdb, "signed", "below", parent="12") == {"": {None}}
    assert read(rolled_duckdb, "signed", branch="12") == {"": {"product payroll"}}
    assert read(rolled_duckdb, "signed", "sub_branch") == {"": {"product sub_branch"}}
    assert read(rolled_duckdb, "signed", "sub_branch", branch="12") == {"": {"product sub_branch"}}
    for by in ("outlet", "region", "area", "age_band", "agent"):
        assert read(rolled_duckdb, "signed", by) == {"": {None}}
    for by in ("region", "agent"):
        assert read(rolled_duckdb, "signed", chosen={by: ("North",)}) == {"": {None}}


def test_a_level_is_read_from_the_rollups_whose_branches_hold_all_of_it(both: tuple[Warehouse, Warehouse]) -> None:
    rolled, _plain = both
    assert read(rolled, "signed", "branch", "product") == {"": {"product payroll"}}
    assert read(rolled, "signed", "head_office", branch="12") == {"": {"product payroll"}}
    assert read(rolled, "holders", "outlet") == {"": {"product"}}
    state = rolled.state()
    asked = asking.question(rolled, "signed activated", "branch", "month")
    assert_equal_answers(both, asked, asking.viewer("1"))
    # Where a first-level branch lies deeper than the rollup goes, what is booked there stands for the branch above it.
    deeper = Given(state.data_until, state.paths, rollups=state.rollups, levels=state.levels | {BRANCH: 3})
    chosen = sources(asked, asking.viewer("1"), deeper)
    assert {source.rollup for source in chosen} == {None}


@pytest.mark.parametrize("branch", ["12", "121", "1210", "12_"])
def test_balances_are_read_from_rollups_at_every_branch(both: tuple[Warehouse, Warehouse], branch: str) -> None:
    rolled, _plain = both
    for measures in ("holders", "complaints_open", "open_assignments overdue_assignments"):
        assert None not in read(rolled, measures, branch=branch)[""]
        assert read(rolled, measures, "below", branch=branch) == {"": {"product"}}
        assert None not in read(rolled, measures, "below", chosen={"branch": (branch,)})[""]
    asked = asking.question(rolled, "holders complaints_open", "below", "month", period=Period(*MONTH))
    assert_equal_answers(both, replace(asked, parent=branch), asking.viewer(branch))


def test_what_counts_towards_targets_is_read_from_rollups_with_the_targets_it_counts_for(
    both: tuple[Warehouse, Warehouse],
) -> None:
    rolled, plain = both
    days = "product days_run days_left"
    assert read(rolled, "signed_toward_target") == {"": {days}}
    assert read(rolled, "signed_toward_target", "below", "days_run", "days_left") == {"": {days}}
    assert read(rolled, "activated_toward_target", "product") == {"": {days}}
    assert read(rolled, "signed_toward_target", "days_ago") == {"": {f"{days} days_ago"}}
    assert read(rolled, "signed_toward_target", "agent") == {"": {None}}
    # A target for all products stands beside those for one: it is counted alone, or they are.
    for by in ((), ("below",), ("product",), ("family",), ("below", "days_ago")):
        asked = asking.question(rolled, "signed_toward_target activated_toward_target", *by)
        assert_equal_answers(both, asked, asking.viewer(HEAD_OFFICE))
    assert asking.number(plain, "signed_toward_target") > 0


def test_an_agent_is_never_answered_from_rollups(rolled_duckdb: Warehouse) -> None:
    every = " ".join(m.name for m in rolled_duckdb.state().catalogue.measures.values())
    assert read(rolled_duckdb, every, agent="a1") == {"": {None}}


def test_who_stands_at_a_branch_sees_its_rows_alone_in_a_rollup(rolled_duckdb: Warehouse) -> None:
    period = Period(date(2024, 1, 1), DATA_UNTIL + timedelta(1))
    below = {"12", "121", "1210", "1211", "12_"}
    assert read(rolled_duckdb, "signed", branch="12", period=period) == {"": {"product payroll"}}
    assert asking.number(rolled_duckdb, "signed", branch="12", period=period) == sum(
        row["branch_id"] in below for row in BANK["contracts"]
    )
    assert asking.number(rolled_duckdb, "signed", branch="12", chosen={"branch": ("120",)}, period=period) == 0


# Freshness ----------------------------------------------------------------------------------------------------------


def test_a_rollup_of_another_load_is_not_read_until_it_is_made_again(own_file: Path) -> None:
    url = f"duckdb:///{own_file}"
    embedded.add_rollups(own_file)
    with closing(duckdb.connect(str(own_file))) as connection:
        connection.execute("DELETE FROM contracts WHERE contract_id = 'k06'")
        connection.execute("INSERT INTO loads VALUES ('contracts', '2026-05-21 07:00:00', 19, 'core', '2026-05-20')")
    with closing(Warehouse(url, DAYS_OFF)) as warehouse:
        assert warehouse.state().rollups == ()
        assert len(warehouse.state().outdated) == DECLARED
        assert read(warehouse, "never_used") == {"": {None}}
        wanted = asking.number(warehouse, "never_used")
        made = roll_up.store(url)
        assert len(made) == DECLARED
        assert warehouse.state().outdated == ()  # the running dashboard has moved over
        assert read(warehouse, "never_used") == {"": {"product payroll"}}
        assert asking.number(warehouse, "never_used") == wanted == 1


def test_check_says_that_rollups_are_out_of_date(own_file: Path, capsys: pytest.CaptureFixture) -> None:
    embedded.add_rollups(own_file)
    main(["check", "--url", f"duckdb:///{own_file}"])
    assert "of another load" not in capsys.readouterr().out
    with closing(duckdb.connect(str(own_file))) as connection:
        connection.execute("INSERT INTO loads VALUES ('contracts', '2026-05-21 07:00:00', 20, 'core', '2026-05-20')")
    assert main(["check", "--url", f"duckdb:///{own_file}"]) == 0
    assert f"{DECLARED} rollups are of another load" in capsys.readouterr().out


@pytest.mark.postgres
def test_a_new_load_on_a_server_is_answered_from_its_facts(own_postgres: str) -> None:
    roll_up.store(own_postgres)
    engine = sa.create_engine(own_postgres, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO loads VALUES ('contracts', '2026-05-22 07:00:00', 19, 'core', '2026-05-20')"
        )
    try:
        with closing(Warehouse(own_postgres)) as warehouse:
            assert warehouse.state().rollups == ()
            assert warehouse.state().outdated
            before = set(warehouse.state().outdated)
        assert not before & set(roll_up.store(own_postgres))
        with closing(Warehouse(own_postgres)) as warehouse:
            assert warehouse.state().outdated == ()
            assert roll_up.statements(warehouse) == ()
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM loads WHERE loaded_at = '2026-05-22 07:00:00'")
        roll_up.store(own_postgres)


def test_a_load_with_long_tables_stores_its_rollups_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setattr(embedded, "FEW_ROWS", len(BANK["contracts"]) - 1)
    bank.write_duckdb(BANK, path)
    with closing(Warehouse(f"duckdb:///{path}")) as warehouse:
        assert len(warehouse.state().rollups) == DECLARED


def test_a_load_that_no_dashboard_would_read_ends_without_rollups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setattr(embedded, "FEW_ROWS", 0)
    bank.write_duckdb({"contracts": BANK["contracts"]}, path)
    assert embedded.holds_warehouse(path)


def test_a_warehouse_that_does_not_tell_its_loads_has_no_rollups(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    bank.write_duckdb(BANK | {"loads": []}, path)
    with closing(Warehouse(f"duckdb:///{path}")) as warehouse:
        assert warehouse.rollups() == {}
    embedded.add_rollups(path)
    with closing(Warehouse(f"duckdb:///{path}")) as warehouse:
        assert warehouse.state().rollups == ()


def test_a_file_that_cannot_be_rolled_up_stays_as_it_was(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = own_file.read_bytes()

    def fails(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError):
        embedded.add_rollups(own_file)
    assert own_file.read_bytes() == before
    assert [path.name for path in own_file.parent.iterdir()] == [own_file.name]


def test_a_name_changes_with_the_load_the_day_and_what_is_counted() -> None:
    def names(*more: object) -> set[str]:
        return {rollup.name for rollup in rollups_for(WHOLE_CONTRACT, *more)}

    ours = names(DATA_UNTIL, "a load")
    assert ours.isdisjoint(names(DATA_UNTIL, "another load"))
    assert ours.isdisjoint(names(DATA_UNTIL + timedelta(1), "a load"))
    assert all(len(name) <= 63 for name in ours), "PostgreSQL cuts longer names"


# Commands -----------------------------------------------------------------------------------------------------------


def test_the_command_adds_rollups_to_a_file_once_and_ask_explains_what_answers(
    own_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"duckdb:///{own_file}"
    asked = ["ask", "signed,customers", "--from", "2026-05-01", "--against", "previous", "--explain", "--url", url]
    assert main(asked) == 0
    assert set(capsys.readouterr().out.splitlines()) == {
        "contracts_signed, 2026-05-01 to 2026-05-20: contracts, row by row",
        "contracts_held, 2026-05-01 to 2026-05-20: contracts, row by row",
        "contracts_signed, 2026-04-11 to 2026-04-30: contracts, row by row",
        "contracts_held, 2026-04-11 to 2026-04-30: contracts, row by row",
    }
    assert main(["rollup", "--url", url]) == 0
    assert f"holds {DECLARED} rollups of its latest load" in capsys.readouterr().err
    assert main(["rollup", "--url", url]) == 0
    assert "already" in capsys.readouterr().err
    assert main(asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("rollup_contracts_signed_product_payroll_" in line for line in lines) == 2
    assert sum("contracts, row by row" in line for line in lines) == 2


def test_ask_explains_that_rollups_are_of_another_load(own_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    embedded.add_rollups(own_file)
    with closing(duckdb.connect(str(own_file))) as connection:
        connection.execute("INSERT INTO loads VALUES ('contracts', '2026-05-21 07:00:00', 19, 'core', '2026-05-20')")
    assert main(["ask", "signed", "--explain", "--url", f"duckdb:///{own_file}"]) == 0
    row_by_row, why = capsys.readouterr().out.splitlines()
    assert row_by_row.endswith("contracts, row by row")
    assert f"{DECLARED} rollups are of another load" in why


def test_the_command_says_why_a_warehouse_without_loads_has_no_rollups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "warehouse.duckdb"
    bank.write_duckdb(BANK | {"loads": []}, path)
    assert main(["rollup", "--url", f"duckdb:///{path}"]) == 1
    assert "does not tell in “loads” when it was loaded" in capsys.readouterr().err
    assert main(["rollup", "--url", f"duckdb:///{tmp_path / 'nothing.duckdb'}"]) == 1
    assert "There is no warehouse" in capsys.readouterr().err


@pytest.mark.postgres
def test_the_statements_printed_for_a_server_make_the_rollups_when_they_are_run(
    own_postgres: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = sa.create_engine(own_postgres, poolclass=sa.NullPool)
    with closing(Warehouse(own_postgres)) as warehouse, engine.begin() as connection:
        for table in (*warehouse.state().outdated, *(rollup.name for rollup in warehouse.state().rollups)):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    assert main(["rollup", "--url", own_postgres]) == 0
    printed = capsys.readouterr().out
    with closing(Warehouse(own_postgres)) as warehouse:
        assert warehouse.state().rollups == (), "printed, not run"
    with engine.begin() as connection:
        connection.exec_driver_sql(printed)
    with closing(Warehouse(own_postgres)) as warehouse:
        assert len(warehouse.state().rollups) == DECLARED
    assert main(["rollup", "--execute", "--url", own_postgres]) == 0
    assert "already" in capsys.readouterr().err


# Declared -----------------------------------------------------------------------------------------------------------


def test_rows_that_stand_beside_each_other_do_so_in_their_rollups() -> None:
    """A target for all products is not the sum of those for one."""
    with_whole = 0
    for rollup in rollups_for(WHOLE_CONTRACT, DATA_UNTIL, "a load"):
        rolled, _counts = rollup.answering(rollup.counts)
        assert [*rolled.whole] == [*rollup.fact.whole]
        for dimensions, all_of_them in rolled.whole.items():
            with_whole += 1
            read = {element.table for element in visitors.iterate(all_of_them) if isinstance(element, ColumnClause)}
            assert read == ({rollup.table} if dimensions & {*rollup.by} else set())
    assert with_whole


def test_what_a_rollup_keeps_its_fact_keeps_and_no_days_that_depend_on_who_looks_when() -> None:
    for fact, kinds in [*ROLLUPS.items(), *AT_EVERY_BRANCH.items()]:
        balance = fact.placed is Placed.BALANCE
        assert all(kept in fact.keys and not kept.step and (balance or not kept.elapsed) for by in kinds for kept in by)


def test_every_count_of_a_rollup_adds_up() -> None:
    held = {count for rollup in rollups_for(WHOLE_CONTRACT, DATA_UNTIL, "a load") for count in rollup.counts}
    assert held and all(count.adds_up for count in held)
    assert MEASURES["customers"] not in held and MEASURES["complaints_median_days"] not in held


@pytest.mark.parametrize(("preset", "compare"), [*product(Preset, Compare)])
@pytest.mark.parametrize("until", [date(2026, 5, 20), date(2026, 2, 28), date(2024, 2, 29), date(2026, 12, 31)])
def test_the_days_that_are_offered_are_the_days_that_are_stored(preset: Preset, compare: Compare, until: date) -> None:
    period = preset_period(preset, until)
    assert period.end in balance_days(until)
    if against := compared_period(period, preset, compare):
        assert against.end in balance_days(until)
        of = looked_from(until)[until - (period.end - against.end)]
        assert of.start <= against.start and against.end <= of.end
