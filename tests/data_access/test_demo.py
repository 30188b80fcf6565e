"""The demo bank keeps the contract, looks like the bank whose figures it follows, and holds its stories."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Date, DateTime

from data_access.demo import STORIES, build
from data_access.sql import stored_beside
from measures import schema
from measures.catalogue import DERIVED

SMALL = 0.05
# A usual day; the first day of a quarter's successor, when the last complete quarter ended on the last day itself; and
# a day in the long spring holiday. Other seeds too: a story must not hang on one throw of the dice.
BANKS = [(7, date(2026, 11, 20)), (11, date(2026, 6, 30)), (3, date(2025, 1, 31))]


class Bank:
    """A built demo bank to be asked in SQL, where $until is its last day."""

    def __init__(self, path: Path, until: date) -> None:
        self.until = until
        self.connection = duckdb.connect(str(path), read_only=True)

    def rows(self, sql: str, **values: object) -> list[tuple]:
        named = {name: value for name, value in ({"until": self.until} | values).items() if f"${name}" in sql}
        return self.connection.execute(sql, named).fetchall()

    def one(self, sql: str, **values: object) -> object:
        ((value,),) = self.rows(sql, **values)
        return value

    @property
    def tables(self) -> list[str]:
        """The tables of the bank."""
        return sorted(name for (name,) in self.rows("SELECT table_name FROM information_schema.tables"))


@pytest.fixture(scope="module", params=BANKS, ids=lambda param: f"seed {param[0]}, {param[1]}")
def bank(request, tmp_path_factory):
    seed, until = request.param
    path = tmp_path_factory.mktemp("demo") / "bank.duckdb"
    build(path, scale=0.2, seed=seed, until=until)
    built = Bank(path, until)
    yield built
    built.connection.close()


@pytest.fixture(scope="module")
def usual_bank(tmp_path_factory):
    """The bank that a command without options builds."""
    path, until = tmp_path_factory.mktemp("demo") / "usual.duckdb", date(2026, 11, 20)
    build(path, until=until)
    built = Bank(path, until)
    yield built
    built.connection.close()


def digest(path: Path) -> dict[str, tuple]:
    """Rows and checksum of every table; the order of the rows does not count."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()]
        return {
            name: connection.execute(f'SELECT count(*), sum(hash(t)) FROM "{name}" AS t').fetchone()
            for name in sorted(names)
        }


# Building -----------------------------------------------------------------------------------------


def test_the_same_scale_seed_and_day_give_the_same_bank_whoever_listens(tmp_path):
    heard: list[str] = []
    build(tmp_path / "a.duckdb", scale=SMALL, seed=5, until=date(2026, 11, 20))
    build(tmp_path / "b.duckdb", scale=SMALL, seed=5, until=date(2026, 11, 20), say=heard.append)
    assert digest(tmp_path / "a.duckdb") == digest(tmp_path / "b.duckdb")
    assert [line.split(":")[0] for line in heard][:3] == ["branches", "products", "agents"]


@pytest.mark.parametrize("other", [{"seed": 6}, {"until": date(2026, 11, 19)}, {"scale": 0.06}], ids=str)
def test_another_seed_day_or_scale_gives_another_bank(tmp_path, other):
    usual = {"scale": SMALL, "seed": 5, "until": date(2026, 11, 20)}
    build(tmp_path / "a.duckdb", **usual)
    build(tmp_path / "b.duckdb", **usual | other)
    one, two = digest(tmp_path / "a.duckdb"), digest(tmp_path / "b.duckdb")
    assert all(one[name] != two[name] for name in ("contracts", "usage", "contacts", "complaints"))


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_not_above_zero_is_refused_and_leaves_the_old_file(tmp_path, scale):
    (tmp_path / "bank.duckdb").write_text("old")
    with pytest.raises(ValueError, match="above 0"):
        build(tmp_path / "bank.duckdb", scale=scale, until=date(2026, 11, 20))
    assert (tmp_path / "bank.duckdb").read_text() == "old"


@pytest.mark.parametrize("until", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 4, 1), date(2027, 2, 7)], ids=str)
@pytest.mark.parametrize("scale", [0.001, SMALL])
def test_a_tiny_bank_still_has_all_its_branches_each_with_an_outlet(tmp_path, until, scale):
    build(tmp_path / "bank.duckdb", scale=scale, until=until)
    bank = Bank(tmp_path / "bank.duckdb", until)
    assert bank.one("SELECT count(*) FROM branches WHERE level IN ('branch', 'sub_branch')") == 41
    assert bank.one("SELECT count(DISTINCT parent_id) FROM branches WHERE level = 'outlet'") == 41
    assert all(bank.one(f'SELECT count(*) FROM "{name}"') > 0 for name in bank.tables)
    bank.connection.close()


# The contract -------------------------------------------------------------------------------------


def test_every_table_has_the_columns_and_types_of_the_contract(bank):
    assert set(bank.tables) == set(schema.metadata.tables) - {"viewers", "contract_months"}
    for name in bank.tables:
        table = schema.metadata.tables[name]
        found = dict(
            bank.rows(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $name", name=name
            )
        )
        beside = {
            there
            for derived in DERIVED
            if stored_beside(derived)[0] is table
            for there in stored_beside(derived)[1].values()
        }
        assert [column for column in found if column not in beside] == [column.name for column in table.columns]
        for column in table.columns:
            if isinstance(column.type, Date):
                assert found[column.name] == "DATE"
            if isinstance(column.type, DateTime):
                assert found[column.name].startswith("TIMESTAMP")


def test_keys_are_unique_and_references_lead_somewhere(bank):
    for name in bank.tables:
        table = schema.metadata.tables[name]
        key = schema.key_of(table)
        if key is not None:
            assert bank.one(f'SELECT count(*) - count(DISTINCT "{key.name}") FROM "{name}"') == 0, name
        for column in table.columns:
            if "of" in column.info:
                other = column.info["of"].table
                missing = bank.one(
                    f'SELECT count(*) FROM "{name}" WHERE "{column.name}" NOT IN '
                    f'(SELECT "{schema.key_of(schema.metadata.tables[other]).name}" FROM "{other}")'
                )
                assert missing == 0, f"{name}.{column.name}"


def test_columns_with_a_list_of_words_hold_only_these_and_all_of_these(bank):
    for name in bank.tables:
        for column in schema.metadata.tables[name].columns:
            if words := column.info["one_of"]:
                found = {word for (word,) in bank.rows(f'SELECT DISTINCT "{column.name}" FROM "{name}"')} - {None}
                assert found == set(words), f"{name}.{column.name}"


def test_paths_are_built_from_the_parents(bank):
    wrong = bank.rows(
        """SELECT b.path FROM branches b LEFT JOIN branches p ON b.parent_id = p.branch_id
        WHERE b.path <> coalesce(p.path, '') || b.branch_id || '.' OR b.branch_id LIKE '%.%'
           OR b.opened_on < p.opened_on"""
    )
    assert wrong == []
    assert bank.one("SELECT count(*) FROM branches WHERE parent_id IS NULL AND level = 'head_office'") == 1
    assert bank.one("SELECT count(*) FROM branches WHERE region IS NULL OR area IS NULL") == 0


EVENT_DAYS = {
    "contracts": ("signed_on", "activated_on", "closed_on", "last_used_on"),
    "assignments": ("assigned_on", "closed_on"),
    "contacts": ("contacted_at",),
    "complaints": ("received_at", "closed_at"),
    "surveys": ("answered_on",),
    "events": ("happened_on",),
}


def test_everything_happens_while_its_branch_is_open_and_not_after_the_last_day(bank):
    for name, columns in EVENT_DAYS.items():
        for column in columns:
            wrong = bank.one(
                f"""SELECT count(*) FROM "{name}" f JOIN branches b USING (branch_id) WHERE f."{column}"::date > $until
                OR f."{column}"::date < b.opened_on OR f."{column}"::date > coalesce(b.closed_on, $until)"""
            )
            assert wrong == 0, f"{name}.{column}"
    assert bank.one(
        """SELECT count(*) FROM usage JOIN branches b USING (branch_id)
        WHERE month <> date_trunc('month', month) OR month > $until OR month > b.closed_on
           OR month < date_trunc('month', b.opened_on)"""
    ) == 0  # fmt: skip


def test_the_dates_of_a_contract_follow_each_other(bank):
    assert bank.one("SELECT count(*) FROM contracts WHERE activated_on < signed_on OR last_used_on < activated_on") == 0
    assert bank.one("SELECT count(*) FROM contracts WHERE closed_on < signed_on OR closed_on < last_used_on") == 0
    assert bank.one("SELECT count(*) FROM contracts WHERE (activated_on IS NULL) <> (last_used_on IS NULL)") == 0
    assert bank.one("SELECT count(*) - count(DISTINCT (customer_id, product_id)) FROM contracts") == 0


def test_agents_sign_and_contact_only_while_they_work_and_where_they_work(bank):
    for name, column in (("contracts", "signed_on"), ("contacts", "contacted_at"), ("assignments", "assigned_on")):
        wrong = bank.one(
            f"""SELECT count(*) FROM {name} f JOIN agents a USING (agent_id) WHERE a.branch_id <> f.branch_id
            OR f.{column}::date < a.joined_on OR f.{column}::date > coalesce(a.left_on, $until)"""
        )
        assert wrong == 0, name


def test_usage_agrees_with_the_contracts(bank):
    """The first and the last month of use on record are the contract's, and nobody uses what was not activated."""
    start = bank.one("SELECT min(month) FROM usage")
    wrong = bank.one(
        """WITH u AS (SELECT customer_id, product_id, min(month) AS first, max(month) AS last FROM usage GROUP BY ALL)
        SELECT count(*) FROM u LEFT JOIN contracts c USING (customer_id, product_id)
        WHERE c.activated_on IS NULL OR last <> date_trunc('month', last_used_on)
           OR first <> greatest(date_trunc('month', activated_on), $start)""",
        start=start,
    )
    assert wrong == 0


def test_an_assignment_that_was_won_has_the_contract_within_30_days_of_a_contact(bank):
    for outcome, day in (("signed", "signed_on"), ("activated", "activated_on")):
        won, kept = bank.rows(
            f"""SELECT count(DISTINCT a.assignment_id),
                count(DISTINCT a.assignment_id)
                    FILTER (c.{day} = a.closed_on AND c.{day} - contacted_at::date BETWEEN 0 AND 30)
            FROM assignments a LEFT JOIN contacts k USING (assignment_id)
            LEFT JOIN contracts c ON c.customer_id = a.customer_id AND c.product_id = a.product_id
            WHERE a.outcome = $outcome""",
            outcome=outcome,
        )[0]
        assert won == kept > 30, outcome


def test_assignments_and_contacts_agree(bank):
    assert bank.one("SELECT count(*) FROM assignments WHERE closed_on IS NOT NULL AND outcome = 'open'") == 0
    assert bank.one("SELECT count(*) FROM assignments WHERE due_on < assigned_on OR closed_on < assigned_on") == 0
    # Without a contact nothing comes of it, but that after the list's end it is written off.
    assert bank.one(
        """SELECT count(*) FROM assignments a JOIN campaigns c USING (campaign_id)
        WHERE a.outcome <> 'open' AND NOT (a.outcome = 'unreachable' AND a.closed_on > c.ends_on)
        AND NOT EXISTS (SELECT 1 FROM contacts k WHERE k.assignment_id = a.assignment_id)"""
    ) == 0  # fmt: skip
    assert bank.one(
        """SELECT count(*) FROM contacts k JOIN assignments a USING (assignment_id)
        JOIN contracts c ON c.customer_id = a.customer_id AND c.product_id = a.product_id
        WHERE k.outcome = 'signed' AND c.signed_on <> k.contacted_at::date
           OR k.outcome = 'activated' AND c.activated_on <> k.contacted_at::date"""
    ) == 0  # fmt: skip
    # One who ended as unreachable was never spoken to.
    assert bank.one(
        "SELECT count(*) FROM contacts JOIN assignments a USING (assignment_id) WHERE reached AND a.outcome = 'unreachable'"
    ) == 0  # fmt: skip
    assert bank.one(
        """SELECT count(*) FROM contacts k JOIN assignments a USING (assignment_id)
        WHERE k.contacted_at::date < a.assigned_on OR k.contacted_at::date > a.closed_on
           OR k.customer_id <> a.customer_id OR k.product_id <> a.product_id OR k.agent_id <> a.agent_id
           OR k.branch_id <> a.branch_id"""
    ) == 0  # fmt: skip
    assert bank.one("SELECT count(*) FROM contacts WHERE reached AND outcome = 'unreachable'") == 0
    assert bank.one("SELECT count(*) FROM contacts WHERE next_contact_on <= contacted_at::date") == 0


def test_complaints_are_due_after_15_30_or_60_days_and_repeat_an_earlier_one(bank):
    assert bank.one("SELECT count(*) FROM complaints WHERE due_on - received_at::date NOT IN (15, 30, 60)") == 0
    assert bank.one("SELECT count(*) FROM complaints WHERE closed_at < received_at") == 0
    assert bank.one("SELECT count(*) FROM complaints WHERE (closed_at IS NULL) <> (outcome IS NULL)") == 0
    repeats = bank.rows(
        """SELECT b.received_at < a.received_at AND b.branch_id = a.branch_id AND b.product_id = a.product_id
        FROM complaints a JOIN complaints b ON a.repeat_of = b.complaint_id"""
    )
    assert repeats and all(fine for (fine,) in repeats)
    due, late = bank.rows(
        """SELECT count(*) FILTER (due_on >= $until), count(*) FILTER (due_on < $until)
        FROM complaints WHERE closed_at IS NULL"""
    )[0]
    assert due > 0 and late > 0


def test_targets_stand_on_one_level_and_cover_the_running_quarter(bank):
    levels = bank.rows("SELECT DISTINCT level, measure FROM targets JOIN branches USING (branch_id) ORDER BY 2")
    assert levels == [("branch", "activated"), ("branch", "signed")]
    assert bank.one("SELECT count(DISTINCT branch_id) FROM targets") == bank.one(
        "SELECT count(*) FROM branches WHERE level = 'branch'"
    )
    assert bank.one("SELECT count(*) FROM targets WHERE $until BETWEEN starts_on AND ends_on") > 0
    assert bank.one("SELECT count(*) - count(DISTINCT (measure, branch_id, product_id, starts_on)) FROM targets") == 0


def test_every_load_is_marked_as_demo_with_the_last_day(bank):
    found = bank.rows("SELECT table_name, rows, source, data_until, loaded_at FROM loads ORDER BY 1")
    assert [name for name, *_ in found] == bank.tables
    for name, rows, source, until, at in found:
        assert rows == bank.one(f'SELECT count(*) FROM "{name}"')
        assert (source, until) == (schema.DEMO_SOURCE, bank.until)
        assert at == datetime.combine(bank.until + timedelta(days=1), time(6, 10))


# The shape ----------------------------------------------------------------------------------------


def test_the_tree_has_siblings_whose_codes_begin_alike_and_outlets_of_one_name(bank):
    assert bank.rows(
        """SELECT a.path, b.path FROM branches a JOIN branches b USING (parent_id)
        WHERE a.branch_id <> b.branch_id AND starts_with(b.branch_id, a.branch_id)"""
    ) == [("1.12.", "1.120.")]  # fmt: skip
    same = bank.rows("SELECT name, count(DISTINCT parent_id) FROM branches GROUP BY 1 HAVING count(*) > 1")
    # The one deliberate pair; elsewhere no road is in most branches.
    assert same == [("人民路支行", 2)]
    assert bank.one("SELECT avg((name LIKE '%人民路%')::int) FROM branches WHERE level = 'outlet'") < 0.15
    assert bank.one("SELECT count(*) FROM branches WHERE closed_on IS NOT NULL") == 1


def test_nobody_signs_or_contacts_on_weekends_and_holidays(bank):
    for name, column in (("contracts", "signed_on"), ("contacts", "contacted_at"), ("assignments", "assigned_on")):
        assert bank.one(f"SELECT count(*) FROM {name} WHERE isodow({column}) > 5") == 0, name
        assert bank.one(
            f"SELECT count(*) FROM {name} WHERE strftime({column}, '%m%d') BETWEEN '1001' AND '1007'"
            f" OR {column}::date BETWEEN '2025-01-28' AND '2025-02-04'"
        ) == 0, name  # fmt: skip


# What it is, how much it should be, by how much it may differ, and how it is counted.
FIGURES = {
    "rural outlets": (0.68, 0.005, "SELECT avg((area = 'rural')::int) FROM branches WHERE level = 'outlet'"),
    "customers active in e-banking": (0.089, 0.005,
        "SELECT count(DISTINCT customer_id) / (SELECT count(*) FROM customers) FROM active"),
    "of these with net banking": (0.69, 0.03, "SELECT avg(net::int) FROM holder"),
    "of these with mobile banking": (0.34, 0.03, "SELECT avg(mobile::int) FROM holder"),
    "of these with several products": (0.30, 0.03, "SELECT avg((products > 1)::int) FROM holder"),
    "men among them": (0.542, 0.02,
        "SELECT avg((gender = 'male')::int) FROM holder JOIN customers USING (customer_id)"),
    "customers of 18 to 40": (0.1992, 0.006, "SELECT avg((age BETWEEN 18 AND 39)::int) FROM person"),
    "customers of 40 to 60": (0.4146, 0.01, "SELECT avg((age BETWEEN 40 AND 59)::int) FROM person"),
    "balances of 18 to 40": (0.065, 0.005,
        "SELECT sum(balance) FILTER (age BETWEEN 18 AND 39) / sum(balance) FROM person"),
    "balances of 40 to 60": (0.4323, 0.015,
        "SELECT sum(balance) FILTER (age BETWEEN 40 AND 59) / sum(balance) FROM person"),
    "net banking of 18 to 25": (0.3382, 0.02,
        "SELECT avg((age BETWEEN 18 AND 24)::int) FROM activated WHERE product_id = 'P01'"),
    "net banking of 40 to 50": (0.18, 0.02,
        "SELECT avg((age BETWEEN 40 AND 49)::int) FROM activated WHERE product_id = 'P01'"),
    "mobile banking of 18 to 25": (0.3758, 0.025,
        "SELECT avg((age BETWEEN 18 AND 24)::int) FROM activated WHERE product_id = 'P02'"),
    "phone banking of 18 to 25": (0.2782, 0.04,
        "SELECT avg((age BETWEEN 18 AND 24)::int) FROM activated WHERE product_id = 'P03'"),
    "payroll customers": (0.4274, 0.01, "SELECT avg(payroll::int) FROM customers"),
    "balances of payroll customers": (0.4956, 0.015,
        "SELECT sum(balance) FILTER (payroll) / sum(balance) FROM customers"),
    "payroll customers active in net banking": (0.06, 0.01,
        """SELECT avg((customer_id IN (SELECT customer_id FROM active WHERE product_id = 'P01'))::int)
         FROM customers WHERE payroll"""),
    "substitution rate": (0.4004, 0.01,
        "SELECT sum(transactions) FILTER (channel <> 'counter') / sum(transactions) FROM usage"),
    "corporate customers with e-banking": (0.0793, 0.01,
        """SELECT avg((customer_id IN (SELECT customer_id FROM contracts WHERE product_id IN ('P07', 'P08')))::int)
         FROM customers WHERE kind = 'corporate'"""),
}  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES)
def test_the_bank_looks_like_the_one_whose_figures_it_follows(usual_bank, figure):
    expected, tolerance, sql = FIGURES[figure]
    views = """WITH person AS (SELECT *, year($until) - birth_year AS age FROM customers WHERE kind = 'personal'),
    active AS (SELECT customer_id, product_id FROM contracts JOIN products USING (product_id)
               WHERE electronic AND closed_on IS NULL AND last_used_on > $until - 90),
    activated AS (SELECT product_id, age FROM contracts JOIN person USING (customer_id) WHERE activated_on IS NOT NULL),
    holder AS (SELECT customer_id, count(*) AS products, bool_or(product_id = 'P01') AS net,
               bool_or(product_id = 'P02') AS mobile FROM active GROUP BY 1) """
    assert float(usual_bank.one(views + sql)) == pytest.approx(expected, abs=tolerance)


def test_the_substitution_rate_and_the_signings_grow_year_by_year(bank):
    rates = bank.rows(
        """SELECT sum(transactions) FILTER (channel <> 'counter') / sum(transactions) FROM usage
        WHERE month > $until - 1095 GROUP BY datediff('day', month, $until) // 365
        ORDER BY datediff('day', month, $until) // 365 DESC"""
    )
    signings = bank.rows(
        """SELECT count(*) FROM contracts WHERE signed_on > $until - 1095
        GROUP BY ($until - signed_on) // 365 ORDER BY ($until - signed_on) // 365 DESC"""
    )
    assert len(rates) == len(signings) == 3
    assert rates == sorted(rates) and signings == sorted(signings)


def test_more_is_signed_and_less_of_it_used_at_the_end_of_a_month(bank):
    late, usual = bank.rows(
        """WITH days AS (SELECT signed_on, count(*) AS signed, count(activated_on) AS activated FROM contracts
            WHERE signed_on BETWEEN $until - 900 AND $until - 120 GROUP BY 1),
        ranked AS (SELECT *, row_number() OVER month <= 3 AS late FROM days
            WINDOW month AS (PARTITION BY date_trunc('month', signed_on) ORDER BY signed_on DESC))
        SELECT avg(signed), sum(activated) / sum(signed) FROM ranked GROUP BY late ORDER BY late DESC"""
    )
    assert late[0] > usual[0] * 1.2
    assert late[1] < usual[1] - 0.03


def test_some_contracts_are_never_used_and_the_fresh_ones_not_yet(bank):
    mature, fresh = bank.rows(
        """SELECT avg((activated_on IS NULL)::int) FROM contracts WHERE signed_on > $until - 365
        GROUP BY signed_on > $until - 15 ORDER BY signed_on > $until - 15"""
    )
    assert 0.15 < mature[0] < 0.45
    assert fresh[0] > mature[0] + 0.1


# Follow-up ----------------------------------------------------------------------------------------

TOUCHED = """WITH touches AS (SELECT assignment_id, min(contacted_at::date) AS first_on, bool_or(reached) AS reached
    FROM contacts WHERE assignment_id IS NOT NULL GROUP BY 1),
a AS (SELECT * FROM assignments LEFT JOIN touches USING (assignment_id) JOIN campaigns USING (campaign_id)) """


def test_lists_start_every_month_and_are_handed_out_in_weekly_parts_while_they_run(bank):
    assert bank.one("SELECT count(DISTINCT date_trunc('month', starts_on)) FROM campaigns") >= 36
    assert bank.one("SELECT count(*) FROM campaigns WHERE starts_on > $until") == 0
    assert bank.one("SELECT count(*) FROM campaigns WHERE starts_on <= $until AND ends_on >= $until") >= 5
    assert bank.one(TOUCHED + "SELECT count(*) FROM a WHERE assigned_on NOT BETWEEN starts_on AND ends_on") == 0
    weeks = TOUCHED + "SELECT count(DISTINCT date_trunc('week', assigned_on)) FROM a WHERE starts_on < $until - 40"
    assert bank.one(weeks + " GROUP BY campaign_id HAVING count(*) >= 50 ORDER BY 1 LIMIT 1") >= 3
    assert bank.one(weeks) > 100


OPEN_AND_OVERDUE = "SELECT count(*), count(*) FILTER (due_on < $until) FROM assignments WHERE closed_on IS NULL"


def test_some_open_assignments_are_overdue_and_more_are_not(bank):
    ((opened, overdue),) = bank.rows(OPEN_AND_OVERDUE)
    assert 0.02 < opened / bank.one("SELECT count(*) FROM assignments") < 0.10
    assert 0.15 < overdue / opened < 0.50


def test_a_quarter_to_a_third_of_the_open_assignments_is_overdue(usual_bank):
    ((opened, overdue),) = usual_bank.rows(OPEN_AND_OVERDUE)
    assert 4_000 < opened < 7_000
    assert 0.25 < overdue / opened < 0.34


def test_open_assignments_have_all_ages(usual_bank):
    ages = usual_bank.rows(
        """SELECT count(*) / sum(count(*)) OVER () FROM
        (SELECT $until - assigned_on AS days FROM assignments WHERE closed_on IS NULL)
        GROUP BY CASE WHEN days <= 3 THEN 1 WHEN days <= 7 THEN 2 WHEN days <= 14 THEN 3 WHEN days <= 30 THEN 4 END"""
    )
    assert len(ages) == 5
    assert all(0.05 < share < 0.45 for (share,) in ages)


def test_few_assignments_stay_open_long_after_their_list_has_ended(bank):
    still_open, ended = bank.rows(
        TOUCHED + "SELECT count(*) FILTER (closed_on IS NULL), count(*) FROM a WHERE ends_on < $until - 30"
    )[0]
    assert 0 < still_open < 0.005 * ended
    late = "SELECT count(*) FROM a WHERE closed_on > ends_on + 30 AND outcome NOT IN ('signed', 'activated')"
    assert bank.one(TOUCHED + late) == 0


def test_running_lists_are_less_covered_than_ended_ones(bank):
    coverage = "SELECT count(first_on) / count(*) FROM a WHERE campaign_id <> $idle AND ends_on "
    idle = STORIES["idle_list"]["campaign_id"]
    running, ended = (bank.one(TOUCHED + coverage + when, idle=idle) for when in (">= $until", "< $until - 30"))
    assert 0.3 < running < ended - 0.1
    assert 0.85 < ended < 0.97


def test_three_of_four_first_contacts_are_in_time_and_some_agents_are_far_behind(usual_bank):
    in_time = "count(*) FILTER (first_on <= due_on) / count(*)"
    assert 0.70 < usual_bank.one(TOUCHED + f"SELECT {in_time} FROM a WHERE due_on <= $until") < 0.82
    shares = usual_bank.rows(
        TOUCHED + f"SELECT {in_time} FROM a WHERE due_on <= $until GROUP BY agent_id HAVING count(*) >= 40"
    )
    behind = sum(share < 0.5 for (share,) in shares) / len(shares)
    assert 0.03 < behind < 0.15


def test_each_step_of_the_funnel_is_narrower_and_one_in_ten_contacted_is_won(usual_bank):
    assigned, contacted, reached, signed, activated = usual_bank.rows(
        TOUCHED
        + """SELECT count(*), count(first_on), count(*) FILTER (reached),
            count(*) FILTER (outcome IN ('signed', 'activated')), count(*) FILTER (outcome = 'activated') FROM a"""
    )[0]
    assert 0.80 < contacted / assigned < 0.95
    assert 0.65 < reached / contacted < 0.85
    assert 0.09 < signed / reached < 0.15
    assert 0.50 < activated / signed < 0.70
    converted = usual_bank.one(
        TOUCHED
        + """SELECT count(DISTINCT assignment_id) FROM a JOIN contacts k USING (assignment_id)
        JOIN contracts c ON c.customer_id = a.customer_id AND c.product_id = a.product_id
        WHERE c.signed_on - contacted_at::date BETWEEN 0 AND 30 OR c.activated_on - contacted_at::date BETWEEN 0 AND 30"""
    )
    assert 0.08 < converted / contacted < 0.12
    success = "SELECT avg((outcome IN ('signed', 'activated'))::int) FROM contacts"
    assert 0.03 < usual_bank.one(success) < 0.05


def test_the_names_of_the_lists_say_when_who_what_and_what_for(bank):
    assert bank.rows(
        """SELECT c.name FROM campaigns c JOIN products p USING (product_id)
        WHERE NOT regexp_matches(c.name, '^20[0-9]{2}年1?[0-9]月.+(营销|激活)名单$') OR NOT contains(c.name, p.name)"""
    ) == []  # fmt: skip


def test_complaints_are_not_the_same_every_month_nor_wildly_different(usual_bank):
    counts = [
        count
        for (count,) in usual_bank.rows(
            """SELECT count(*) FROM complaints WHERE received_at < date_trunc('month', $until)
            GROUP BY date_trunc('month', received_at)"""
        )
    ]
    mean = sum(counts) / len(counts)
    spread = (sum((count - mean) ** 2 for count in counts) / len(counts)) ** 0.5 / mean
    # Chance alone, with as many complaints a month, would spread them by about 0.055.
    assert 0.08 < spread < 0.2


# The stories --------------------------------------------------------------------------------------


def test_every_story_says_in_one_sentence_what_there_is_to_see():
    assert set(STORIES) == {"fault", "queueing", "paper_agent", "idle_list", "three_of_three", "mix"}
    assert all(story["sentence"].endswith(".") for story in STORIES.values())


def test_mobile_banking_is_hardly_activated_after_the_fault(bank):
    story = STORIES["fault"]
    after, before = bank.rows(
        """SELECT avg((activated_on IS NOT NULL)::int), count(*) FROM contracts JOIN branches USING (branch_id)
        WHERE contains(path, '.' || $branch_id || '.') AND product_id = $product_id AND signed_on > $until - 4 * $days
        GROUP BY signed_on >= $until - $days ORDER BY signed_on >= $until - $days DESC""",
        **{name: story[name] for name in ("branch_id", "product_id", "days")},
    )
    assert after[1] >= 3
    assert after[0] < before[0] / 2
    assert bank.one(
        """SELECT count(*) FROM events
        WHERE branch_id = $branch_id AND product_id = $product_id AND happened_on = $until - $days""",
        **{name: story[name] for name in ("branch_id", "product_id", "days")},
    ) == 1  # fmt: skip


def test_complaints_about_queueing_leap_at_one_branch_only(bank):
    story = STORIES["queueing"]
    found = bank.rows(
        """SELECT p.branch_id, count(*) FILTER (received_at::date > $until - $days) AS late,
            count(*) FILTER (received_at::date <= $until - $days) * $days / 1050.0 AS usual
        FROM complaints JOIN branches b USING (branch_id) JOIN branches p ON b.parent_id = p.branch_id
        WHERE cause = $cause GROUP BY 1 ORDER BY late DESC""",
        days=story["days"],
        cause=story["cause"],
    )
    assert found[0][0] == story["branch_id"]
    assert found[0][1] > 10 * found[0][2] and found[0][1] >= story["complaints"]
    assert found[0][1] > 3 * found[1][1]


def test_one_agent_signs_more_than_any_other_and_nothing_is_used(bank):
    story = STORIES["paper_agent"]
    found = bank.rows(
        """SELECT agent_id, count(*), count(activated_on) FROM contracts JOIN products USING (product_id)
        WHERE electronic AND signed_on >= $until - $days GROUP BY 1 ORDER BY 2 DESC LIMIT 2""",
        days=story["days"],
    )
    assert found[0][0] == story["agent_id"] and found[0][2] == 0
    assert found[1][2] > 0
    signed = "SELECT count(activated_on) FROM contracts WHERE agent_id = $agent"
    assert bank.one(signed, agent=story["agent_id"]) == 0


def test_one_running_list_is_assigned_and_nobody_works_on_it(bank):
    story = STORIES["idle_list"]
    idle = bank.rows(
        """SELECT c.campaign_id, c.branch_id, c.product_id, c.starts_on, count(DISTINCT a.assignment_id)
        FROM campaigns c JOIN assignments a USING (campaign_id) LEFT JOIN contacts k USING (assignment_id)
        WHERE c.ends_on > $until AND c.starts_on < $until - 14 GROUP BY ALL HAVING count(k.contact_id) = 0"""
    )
    assert len(idle) == 1
    assert idle[0][:3] == (story["campaign_id"], story["branch_id"], story["product_id"])
    assert idle[0][3] == bank.until - timedelta(days=story["days"]) and idle[0][4] >= story["assignments"]


def test_one_small_outlet_has_activated_three_of_three(bank):
    story = STORIES["three_of_three"]
    found = bank.rows(
        """SELECT branch_id, count(*), count(activated_on) FROM contracts GROUP BY 1
        HAVING count(*) = count(activated_on)"""
    )
    assert found == [(story["branch_id"], story["contracts"], story["contracts"])]


def test_at_one_branch_every_rate_rises_and_the_whole_falls(bank):
    story = STORIES["mix"]
    found = bank.rows(
        """WITH c AS (SELECT product_id, activated_on, date_trunc('quarter', signed_on) AS quarter
            FROM contracts JOIN branches USING (branch_id) WHERE contains(path, '.' || $branch_id || '.')),
        q AS (SELECT date_trunc('quarter', $until + 1) AS after)
        SELECT product_id, count(activated_on) FILTER (quarter < after - INTERVAL 3 MONTH) AS k1,
            count(*) FILTER (quarter < after - INTERVAL 3 MONTH) AS n1,
            count(activated_on) FILTER (quarter >= after - INTERVAL 3 MONTH) AS k2,
            count(*) FILTER (quarter >= after - INTERVAL 3 MONTH) AS n2
        FROM c, q WHERE quarter >= after - INTERVAL 6 MONTH AND quarter < after GROUP BY 1 ORDER BY 1""",
        branch_id=story["branch_id"],
    )
    assert [product for product, *_ in found] == sorted(story["products"])
    assert all(k1 / n1 < k2 / n2 for _, k1, n1, k2, n2 in found)
    before, now = (sum(row[k] for row in found) / sum(row[n] for row in found) for k, n in ((1, 2), (3, 4)))
    assert now < before - 0.05
