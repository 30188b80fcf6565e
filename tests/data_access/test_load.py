"""What the loader lets in, what it lists as rejected, and when it leaves the old warehouse alone."""

from __future__ import annotations

import csv
import gzip
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pyarrow import parquet
from pyarrow.csv import read_csv

from data_access.load import LoadError, Result, load

BRANCHES = "branch_id,name,parent_id,level\nHO,Head office,,head_office\n1,North,HO,branch\n12,Harbour,1,outlet\n"
PRODUCTS = "product_id,name,family,activation_days,electronic\nmobile,Mobile banking,electronic,60,true\n"
CUSTOMERS = "customer_id,branch_id,kind\nc1,12,personal\nc2,12,personal\n"
CONTRACTS = (
    "contract_id,customer_id,product_id,branch_id,signed_on,activated_on\n"
    "k1,c1,mobile,12,2026-01-05,2026-01-09\n"
    "k2,c2,mobile,12,2026-01-06,\n"
)
SOUND = {"branches": BRANCHES, "products": PRODUCTS, "customers": CUSTOMERS, "contracts": CONTRACTS}


class Bank:
    """A folder of raw files, a folder with load.toml, and the warehouse that comes of them."""

    def __init__(self, root: Path) -> None:
        self.folder, self.raw, self.out = root / "how", root / "raw", root / "var" / "warehouse.duckdb"
        self.folder.mkdir()
        self.raw.mkdir()
        self.top: list[str] = []
        self.said: list[str] = []
        self.sections: dict[str, str] = {}
        for name, text in SOUND.items():
            self.offer(name, text)

    def offer(self, name: str, text: str, *options: str, encoding: str = "utf-8") -> None:
        """A CSV file of the table's name, taken over as it is."""
        (self.raw / f"{name}.csv").write_text(text, encoding=encoding, newline="")
        self.read(name, f"{name}.csv", *options)
        self.select(name, f"SELECT * FROM {name}")

    def read(self, name: str, file: str, *options: str) -> None:
        self.sections[name] = "\n".join([f"[raw.{name}]", f'file = "{file}"', *options])

    def select(self, name: str, sql: str) -> None:
        (self.folder / f"{name}.sql").write_text(sql, encoding="utf-8")

    def load(self) -> Result:
        text = "\n".join([*self.top, *self.sections.values()])
        (self.folder / "load.toml").write_text(text, encoding="utf-8")
        self.said.clear()
        return load(self.folder, self.raw, self.out, say=self.said.append)

    def rejected(self) -> list[tuple[str, ...]]:
        """(file, line, table, column, value, reason) of each rejected row; without such rows there is no file."""
        if not (self.out.parent / "rejected.csv").exists():
            return []
        with (self.out.parent / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
            header, *rows = map(tuple, csv.reader(file))
        assert header == ("file", "line", "table", "column", "value", "reason")
        return rows

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.out), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def counts(result: Result) -> dict[str, tuple[int, int, int]]:
    return {count.table: (count.given, count.loaded, count.rejected) for count in result.counts}


def test_sound_files_are_loaded_whole_and_paths_are_computed(bank: Bank) -> None:
    assert counts(bank.load()) == {
        "branches": (3, 3, 0),
        "products": (1, 1, 0),
        "customers": (2, 2, 0),
        "contracts": (2, 2, 0),
    }
    assert bank.rows("SELECT branch_id, path FROM branches") == [("HO", "HO."), ("1", "HO.1."), ("12", "HO.1.12.")]
    assert bank.rows("SELECT contract_id, activated_on FROM contracts") == [("k1", date(2026, 1, 9)), ("k2", None)]
    assert bank.rejected() == []


def test_an_optional_column_that_nobody_offers_is_missing_and_not_full_of_nulls(bank: Bank) -> None:
    bank.load()
    columns = [row[0] for row in bank.rows("DESCRIBE contracts")]
    assert columns == ["contract_id", "customer_id", "product_id", "branch_id", "signed_on", "activated_on"]


AHEAD = (date.today() + timedelta(days=3)).isoformat()

BAD_CONTRACTS = [
    (",c1,mobile,12,2026-01-05,", "contract_id", "", "missing"),
    ("  ,c1,mobile,12,2026-01-05,", "contract_id", "  ", "missing"),
    ("k9,c1,mobile,12,,", "signed_on", "", "missing"),
    ("k9,c1,mobile,99,2026-01-05,", "branch_id", "99", "no such row in branches"),
    ("k9,c1,tv,12,2026-01-05,", "product_id", "tv", "no such row in products"),
    ("k9,nobody,mobile,12,2026-01-05,", "customer_id", "nobody", "no such row in customers"),
    ("k9,c1,mobile,12,2026-02-30,", "signed_on", "2026-02-30", "no such day"),
    ("k9,c1,mobile,12,2026/2/30 10:00,", "signed_on", "2026/2/30 10:00", "no such day"),
    ("k9,c1,mobile,12,2026-01-05 25:00,", "signed_on", "2026-01-05 25:00", "not a date like 2026-01-31"),
    ("k9,c1,mobile,12,05/01/2026,", "signed_on", "05/01/2026", "not a date like 2026-01-31"),
    ("k9,c1,mobile,12,2026-01-05 or so,", "signed_on", "2026-01-05 or so", "not a date like 2026-01-31"),
    ("k9,c1,mobile,12,2026-01-05,2026-01-04", "activated_on", "2026-01-04", "activated before signed"),
    ("k9,c1,mobile,12,1899-12-31,", "signed_on", "1899-12-31", "date out of range"),
    (f"k9,c1,mobile,12,{AHEAD},", "signed_on", AHEAD, "date out of range"),
    ("k9,c1,mobile,12,infinity,", "signed_on", "infinity", "date out of range"),
    ("k1,c2,mobile,12,2026-01-07,", "contract_id", "k1", "the key of an earlier row again"),
    *(
        (f"k9,c1,mobile,12,{written},", "signed_on", written, "has a time zone")
        for written in (
            "2026-01-31T23:30:00+08:00",
            "2026-01-31 23:30:00Z",
            "2026/1/31 9:30 -0500",
            "2026-01-31 09:30:00.5 UTC",
        )
    ),
]


@pytest.mark.parametrize(("row", "column", "value", "reason"), BAD_CONTRACTS)
def test_a_contract_that_breaks_a_rule_is_listed_with_file_line_column_value_and_reason(
    bank: Bank, row: str, column: str, value: str, reason: str
) -> None:
    bank.top = ["max_rejected = 0.5"]
    bank.offer("contracts", CONTRACTS + row + "\n")
    assert counts(bank.load())["contracts"] == (3, 2, 1)
    (rejected,) = bank.rejected()
    assert rejected[:5] == ("contracts.csv", "4", "contracts", column, value)
    assert rejected[5].startswith(reason)


OTHERS = {
    "contracts": (
        "contract_id,customer_id,product_id,branch_id,signed_on,activated_on,closed_on,last_used_on",
        [
            ("k1,c1,mobile,12,2026-01-05,,2026-01-04,", "closed_on", "closed before signed"),
            ("k1,c1,mobile,12,2026-01-05,,,2026-01-04", "last_used_on", "last used before signed"),
        ],
    ),
    "campaigns": (
        "campaign_id,name,product_id,branch_id,starts_on,ends_on",
        [("a,Spring,mobile,1,2026-03-01,2026-02-01", "ends_on", "ends before it starts")],
    ),
    "complaints": (
        "complaint_id,branch_id,product_id,cause,channel,received_at,closed_at,regulator",
        [
            ("q,12,mobile,queue,letter,2026-01-05 10:30,2026-01-04,no", "closed_at", "closed before received"),
            ("q,12,mobile,,letter,2026-01-05,,no", "cause", "missing"),
            ("q,12,mobile,queue,letter,2026-01-05,,perhaps", "regulator", "not true or false"),
        ],
    ),
    "contacts": (
        "contact_id,customer_id,branch_id,contacted_at,kind,new_customer,reached",
        [("t,c1,12,2026-01-05,pigeon,false,true", "kind", "not one of visit, call, sms, wechat, counter")],
    ),
    "contract_months": (
        "month,branch_id,product_id,signed,closed,holders",
        [
            ("2026-01-02,12,mobile,1,0,1", "month", "not the first day of a month"),
            ("2026-01-01,12,mobile,3.7,0,1", "signed", "not a whole number"),
        ],
    ),
    "usage": (
        "customer_id,product_id,branch_id,month,transactions,amount,channel",
        [("c1,mobile,12,2026-01-01,1,0.005,electronic", "amount", "not a number with at most two decimals")],
    ),
    "surveys": ("survey_id,branch_id,answered_on,score", [("s,12,2026-01-05,11", "score", "out of range")]),
    "branches": (
        "branch_id,name,parent_id,level",
        [
            ("2.1,Dot,HO,branch", "branch_id", "a branch's code has no full stop in it"),
            ("2,Lost,77,branch", "parent_id", "no such row in branches"),
            ("2,Twist,2,branch", "parent_id", "its parents lead in a circle"),
            ("2,Flat,1,branch", "level", "not deeper than its parent's"),
            ("2,Odd,1,kiosk", "level", "not one of head_office"),
            ("1,Again,HO,branch", "branch_id", "the key of an earlier row again"),
        ],
    ),
}


@pytest.mark.parametrize(
    ("table", "header", "row", "column", "reason"),
    [(table, header, *bad) for table, (header, rows) in OTHERS.items() for bad in rows],
)
def test_a_row_of_another_table_that_breaks_a_rule_is_rejected(
    bank: Bank, table: str, header: str, row: str, column: str, reason: str
) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer(table, f"{BRANCHES}{row}\n" if table == "branches" else f"{header}\n{row}\n")
    if table == "contracts":  # some table of events has to have a row
        bank.offer("surveys", "survey_id,branch_id,answered_on,score\ns,12,2026-01-05,9\n")
    assert counts(bank.load())[table][2] == 1
    (rejected,) = bank.rejected()
    assert rejected[2:4] == (table, column)
    assert rejected[5].startswith(reason)


def test_what_was_promised_may_lie_ahead_and_what_happened_may_not(bank: Bank) -> None:
    header = "complaint_id,branch_id,product_id,cause,channel,received_at,due_on,closed_at,regulator\n"
    bank.top = ["data_until = 2026-01-31", "max_rejected = 0.5"]
    bank.offer(
        "complaints",
        f"{header}q1,12,mobile,queue,letter,2026-01-31 18:00,2099-02-15,,no\n"
        "q2,12,mobile,queue,letter,2026-02-01 00:10,2026-02-16,,no\n",
    )
    assert counts(bank.load())["complaints"] == (2, 1, 1)
    assert bank.rejected()[0][3:5] == ("received_at", "2026-02-01 00:10")


def test_a_complaint_closed_on_the_day_it_came_in_is_not_closed_before(bank: Bank) -> None:
    header = "complaint_id,branch_id,product_id,cause,channel,received_at,closed_at,regulator\n"
    bank.offer("complaints", f"{header}q,12,mobile,queue,letter,2026-01-05 10:30,2026-01-05,no\n")
    assert counts(bank.load())["complaints"] == (1, 1, 0)


def test_rows_that_name_a_rejected_row_are_rejected_down_to_the_last_grandchild(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer(
        "branches",
        BRANCHES + "2,Bad,HO,nowhere\n21,Below,2,sub_branch\n211,Lower,21,outlet\n",
    )
    bank.offer("customers", CUSTOMERS + "c9,211,personal\n")
    bank.offer("contracts", CONTRACTS + "k9,c9,mobile,12,2026-01-05,\n")
    bank.load()
    assert [(row[2], row[1], row[3], row[4]) for row in bank.rejected()] == [
        ("branches", "5", "level", "nowhere"),
        ("branches", "6", "parent_id", "2"),
        ("branches", "7", "parent_id", "21"),
        ("customers", "4", "branch_id", "211"),
        ("contracts", "4", "customer_id", "c9"),
    ]


def test_a_circle_of_branches_and_all_below_it_are_rejected_and_the_rest_stays(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("branches", BRANCHES + "a,A,b,branch\nb,B,a,sub_branch\nc,C,b,outlet\n")
    bank.load()
    assert {(row[1], row[5]) for row in bank.rejected()} == {(line, "its parents lead in a circle") for line in "567"}
    assert len(bank.rows("FROM branches")) == 3


def test_a_complaint_that_repeats_a_rejected_one_is_rejected(bank: Bank) -> None:
    header = "complaint_id,branch_id,product_id,cause,channel,received_at,closed_at,regulator,repeat_of\n"
    rest = "12,mobile,queue,letter,2026-01-05,,no"
    bank.top = ["max_rejected = 1"]
    bank.offer(
        "complaints",
        f"{header}q1,12,tv,queue,letter,2026-01-05,,no,\nq2,{rest},q1\nq3,{rest},q2\nq4,{rest},\nq5,{rest},q4\n",
    )
    assert counts(bank.load())["complaints"] == (5, 2, 3)


def test_of_rows_with_one_key_the_first_sound_one_stays(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("products", PRODUCTS + "tv,Bad,electronic,many,true\ntv,Good,electronic,30,true\ntv,Third,e,30,true\n")
    bank.load()
    assert bank.rows("SELECT name FROM products WHERE product_id = 'tv'") == [("Good",)]
    assert [(row[1], row[3]) for row in bank.rejected()] == [("3", "activation_days"), ("5", "product_id")]


def test_without_a_line_the_row_of_the_select_is_named(bank: Bank) -> None:
    bank.top = ["max_rejected = 0.5"]
    bank.offer("contracts", CONTRACTS + "k9,c1,mobile,99,2026-01-05,\n")
    bank.select("contracts", "SELECT * EXCLUDE (_file, _line) FROM contracts")
    bank.load()
    assert bank.rejected()[0][:2] == ("row of the SELECT in contracts.sql", "3")


def test_references_to_a_table_that_is_not_loaded_at_all_are_let_be(bank: Bank) -> None:
    (bank.folder / "customers.sql").unlink()
    assert counts(bank.load())["contracts"] == (2, 2, 0)


def test_facts_lie_by_branch_and_day(bank: Bank) -> None:
    bank.offer(
        "contracts",
        CONTRACTS + "k3,c1,mobile,1,2026-03-01,\nk4,c1,mobile,12,2025-01-01,\nk5,c1,mobile,1,2026-02-01,\n",
    )
    bank.load()
    assert [row[0] for row in bank.rows("SELECT contract_id FROM contracts")] == ["k5", "k3", "k4", "k1", "k2"]


@pytest.mark.parametrize("written", ["2026-01-31", "2026/01/31", "2026 01 31", "2026/1/31", "2026-1-31 9:30"])
def test_a_date_may_be_written_in_each_of_the_ways_that_the_loader_lists(bank: Bank, written: str) -> None:
    bank.offer("contracts", f"{CONTRACTS}k9,c1,mobile,12,{written},\n")
    bank.load()
    assert bank.rows("SELECT signed_on FROM contracts WHERE contract_id = 'k9'") == [(date(2026, 1, 31),)]


@pytest.mark.parametrize(
    ("words", "meant"), [(("true", "T", "yes", "Y", "1"), True), (("false", "f", "No", "n", "0"), False)]
)
def test_true_and_false_may_be_written_in_each_of_the_ways_that_the_loader_lists(
    bank: Bank, words: tuple[str, ...], meant: bool
) -> None:
    bank.offer("products", PRODUCTS + "".join(f"p{at},P,e,60,{word}\n" for at, word in enumerate(words)))
    bank.load()
    found = bank.rows("SELECT electronic FROM products WHERE product_id <> 'mobile'")
    assert found == [(meant,)] * len(words)


def test_reasons_are_told_with_their_number_and_a_value(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("products", PRODUCTS + "a,A,e,60,否\nb,B,e,60,是\nc,,e,60,true\n")
    bank.load()
    assert bank.said[-2:] == ["products.electronic: 2 × not true or false, such as 否", "products.name: 1 × missing"]


def test_no_value_commands_the_terminal_or_breaks_its_line(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("products", PRODUCTS + 'a,A,e,60,"\x1b[2J\nall is well\x9b1m"\n')
    bank.load()
    assert bank.said[-1] == "products.electronic: 1 × not true or false, such as ␛[2J␊all is well\ufffd1m"


def test_no_cell_of_the_list_is_a_formula_in_a_spreadsheet(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("products", PRODUCTS + 'a,A,e,60,=1+1\nb,B,e,60,"\t@x"\nc,C,e,60,\'no\n')
    (bank.raw / "products.csv").rename(bank.raw / "=products.csv")
    bank.read("products", "=products.csv")
    bank.load()
    assert [(row[0], row[4]) for row in bank.rejected()] == [
        ("'=products.csv", "'=1+1"),
        ("'=products.csv", "'\t@x"),
        ("'=products.csv", "'no"),
    ]


def test_the_list_of_an_earlier_load_goes_when_nothing_is_rejected(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer("products", PRODUCTS + "a,A,e,60,否\n")
    bank.load()
    assert bank.rejected()
    bank.offer("products", PRODUCTS)
    bank.load()
    assert not (bank.out.parent / "rejected.csv").exists()


# ── files ──


def test_a_single_column_that_holds_a_delimiter_is_asked_about(bank: Bank) -> None:
    bank.offer("branches", BRANCHES.replace(",", ";"))
    with pytest.raises(LoadError):
        bank.load()
    assert any("is the delimiter right? Try delimiter = ';'" in line for line in bank.said)
    bank.offer("branches", BRANCHES.replace(",", ";"), 'delimiter = ";"')
    bank.load()
    assert not any("is the delimiter right?" in line for line in bank.said)


def test_gb18030_is_read_with_chinese_names_and_so_is_the_list_of_rejected_rows(bank: Bank) -> None:
    bank.top = ["max_rejected = 1"]
    bank.offer(
        "branches",
        BRANCHES + "2,朝阳支行𠮷,1,outlet\n3,镕泰支行,1,分理处\n",
        'encoding = "gb18030"',
        encoding="gb18030",
    )
    bank.load()
    assert bank.rows("SELECT name FROM branches WHERE branch_id = '2'") == [("朝阳支行𠮷",)]
    assert (bank.out.parent / "rejected.csv").read_bytes().startswith(b"\xef\xbb\xbffile,")
    assert bank.rejected()[0][4] == "分理处"


@pytest.mark.parametrize("name", ["contracts[1]", "contract*", "contract?", "[!x]", "day=5/contracts"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_whose_name_looks_like_a_pattern_is_read_and_no_other(bank: Bank, name: str, kind: str) -> None:
    meant, rows = bank.raw / f"{name}.{kind}", CONTRACTS.split("\n", 2)
    meant.parent.mkdir(exist_ok=True)
    for path, text in (
        *((bank.raw / f"{other}.{kind}", CONTRACTS) for other in ("contracts1", "contracts", "c")),
        (meant, "\n".join([rows[0], "meant,c1,mobile,12,2026-01-05,", ""])),
    ):
        path.write_text(text, encoding="utf-8")
        if kind == "parquet":
            parquet.write_table(read_csv(path), path)
    bank.read("contracts", f"{name}.{kind}")
    bank.load()
    assert bank.rows("SELECT contract_id FROM contracts") == [("meant",)]


def test_a_warehouse_may_lie_in_a_folder_whose_name_looks_like_a_pattern(bank: Bank) -> None:
    bank.out = bank.out.parent.with_name("var[1]*") / "w[1]*.duckdb"
    bank.offer("branches", BRANCHES, 'encoding = "gb18030"', encoding="gb18030")
    assert counts(bank.load())["branches"] == (3, 3, 0)


def test_a_link_that_the_operator_put_among_the_raw_files_is_followed(bank: Bank) -> None:
    (bank.raw / "branches.csv").rename(bank.folder.parent / "elsewhere.csv")
    (bank.raw / "branches.csv").symlink_to(bank.folder.parent / "elsewhere.csv")
    assert counts(bank.load())["branches"] == (3, 3, 0)


def test_a_line_with_too_many_or_too_few_fields_is_rejected_and_the_others_keep_their_lines(bank: Bank) -> None:
    bank.top = ["max_rejected = 0.5"]
    lines = [
        "k3,c1,mobile,12,2026-01-05,,",
        '"k4","c1",mobile,12,2026-01-05',
        "",
        "k5,c1,mobile,99,2026-01-05,",
        '"k\n6","c1",mobile,12,2026-01-05,',
        "k7",
        "k8,c1,tv,12,2026-01-05,",
    ]
    bank.offer("contracts", CONTRACTS + "\n".join(lines) + "\n")
    result = bank.load()
    assert [(row[1], row[2], row[4], row[5]) for row in bank.rejected()] == [
        ("4", "raw.contracts", "k3,c1,mobile,12,2026-01-05,,", "not 6 fields"),
        ("5", "raw.contracts", "k4,c1,mobile,12,2026-01-05", "not 6 fields"),
        ("9", "raw.contracts", "k7", "not 6 fields"),
        ("7", "contracts", "99", "no such row in branches"),
        ("10", "contracts", "tv", "no such row in products"),
    ]
    assert counts(result)["contracts"] == (5, 3, 2)
    assert {(file.table, file.given, file.loaded, file.rejected) for file in result.files if file.rejected} == {
        ("raw.contracts", 8, 5, 3)
    }
    assert bank.rows("SELECT contract_id FROM contracts ORDER BY ALL") == [("k\n6",), ("k1",), ("k2",)]
    assert "raw.contracts: 3 × not 6 fields, such as k3,c1,mobile,12,2026-01-05,," in bank.said


def test_an_empty_line_moves_the_number_of_no_line_below_it(bank: Bank) -> None:
    bank.top = ["max_rejected = 0.5"]
    bank.offer("contracts", CONTRACTS.replace("\n", "\r\n") + "\r\n\r\nk9,c1,mobile,99,2026-01-05,\r\n")
    bank.load()
    assert bank.rejected()[0][1] == "6"


def test_a_long_text_with_empty_lines_in_it_is_read_whole(bank: Bank) -> None:
    text = "a story\n\n" * 20_000
    bank.offer("products", f'{PRODUCTS}tv,"{text}",e,60,true\n')
    bank.load()
    assert bank.rows("SELECT name FROM products WHERE product_id = 'tv'") == [(text,)]


def test_a_moment_with_a_time_zone_can_be_converted_by_the_select(bank: Bank) -> None:
    header = "complaint_id,branch_id,product_id,cause,channel,received_at,closed_at,regulator\n"
    bank.offer("complaints", f"{header}q,12,mobile,queue,letter,2026-01-31T20:30:00Z,,no\n")
    bank.select(
        "complaints",
        "SELECT * REPLACE (received_at::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai' AS received_at) FROM complaints",
    )
    bank.load()
    assert bank.rows("SELECT received_at FROM complaints") == [(datetime(2026, 2, 1, 4, 30),)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(bank: Bank) -> None:
    bank.offer("branches", BRANCHES, encoding="utf-8-sig")
    assert counts(bank.load())["branches"] == (3, 3, 0)


def test_semicolons_other_quotes_line_ends_and_a_title_above_the_names_are_read(bank: Bank) -> None:
    text = (
        "Our branches\r\n\r\n" + BRANCHES.replace(",", ";").replace("\n", "\r\n") + "2;'Quay; west\nside';1;outlet\r\n"
    )
    bank.offer("branches", text + "3;Bad;1;\r\n", 'delimiter = ";"', 'quote = "\'"', "header = 3")
    bank.top = ["max_rejected = 1"]
    bank.load()
    assert bank.rows("SELECT name FROM branches WHERE branch_id = '2'") == [("Quay; west\nside",)]
    assert bank.rejected()[0][:2] == ("branches.csv", "8")


def test_a_file_without_names_is_read_by_position(bank: Bank) -> None:
    bank.offer("products", PRODUCTS.split("\n", 1)[1], "header = 0")
    bank.select(
        "products",
        "SELECT column1 AS product_id, column2 AS name, column3 AS family, column4 AS activation_days, "
        "column5 AS electronic, _file, _line FROM products",
    )
    assert counts(bank.load())["products"] == (1, 1, 0)


def _workbook(path: Path, rows: Sequence[Sequence[object]], *, above: int = 0) -> None:
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Data")
    for at, row in enumerate(rows, above + 1):
        for column, value in enumerate(row, 1):
            sheet.cell(at, column, value)
    book.save(path)


def test_a_workbook_is_read_from_its_sheet_with_codes_dates_and_true_lines(bank: Bank) -> None:
    header = ["contract_id", "customer_id", "product_id", "branch_id", "signed_on", "activated_on"]
    rows = [
        header,
        [4848023, "c1", "mobile", 12, date(2026, 1, 5), datetime(2026, 1, 9, 8, 30)],
        [None] * 6,
        [4848024, "c1", "mobile", 99, date(2026, 1, 5), None],
    ]
    _workbook(bank.raw / "contracts.xlsx", rows, above=2)
    bank.read("contracts", "contracts.xlsx", 'sheet = "Data"', "header = 3")
    bank.top = ["max_rejected = 0.5"]
    assert counts(bank.load())["contracts"] == (2, 1, 1)
    held = bank.rows("SELECT contract_id, branch_id, signed_on, activated_on FROM contracts")
    assert held == [("4848023", "12", date(2026, 1, 5), date(2026, 1, 9))]
    assert bank.rejected()[0][:2] == ("contracts.xlsx", "6")


def workbook(bank: Bank, rows: int = 2) -> bytes:
    """Branches in a workbook, below them rows of one name."""
    book = Workbook()
    for line in [*csv.reader(BRANCHES.splitlines()), *([["x" * 1000]] * rows)]:
        book.active.append(line)
    book.save(bank.raw / "branches.xlsx")
    bank.read("branches", "branches.xlsx")
    return (bank.raw / "branches.xlsx").read_bytes()


def test_a_workbook_that_is_blown_up_is_told_before_it_fills_the_memory(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.load()
    size = len(workbook(bank, rows=5_000))
    monkeypatch.setattr("data_access.load._UNPACKED", 3 * size)
    with pytest.raises(LoadError, match=r"branches\.xlsx unpacks to .* save its sheet as a text file"):
        bank.load()
    assert bank.rows("SELECT count(*) FROM branches") == [(3,)]


def test_a_workbook_that_says_it_is_smaller_than_it_is_is_not_read(bank: Bank) -> None:
    written = bytearray(workbook(bank))
    entry = written.rfind(b"PK\x01\x02", 0, written.find(b"xl/worksheets/sheet1.xml", written.find(b"PK\x01\x02")))
    written[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    (bank.raw / "branches.xlsx").write_bytes(written)
    with pytest.raises(LoadError, match=r"branches\.xlsx is no workbook that can be read"):
        bank.load()


@pytest.mark.parametrize("content", [gzip.compress(BRANCHES.encode()), BRANCHES.encode()], ids=["packed", "plain"])
@pytest.mark.parametrize("name", ["branches.csv.gz", "branches.csv", "branches.zip"])
def test_a_packed_text_file_is_not_unpacked(bank: Bank, name: str, content: bytes) -> None:
    (bank.raw / "branches.csv").unlink()
    (bank.raw / name).write_bytes(content)
    bank.read("branches", name)
    if content == BRANCHES.encode() and not name.endswith(".gz"):
        assert counts(bank.load())["branches"] == (3, 3, 0)
        return
    with pytest.raises(LoadError, match=name):
        bank.load()


def test_parquet_is_read_with_its_types(bank: Bank) -> None:
    path = bank.raw / "contracts.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'k1' AS contract_id, 'c1' AS customer_id, 'mobile' AS product_id, 12 AS branch_id, "
            f"DATE '2026-01-05' AS signed_on, NULL::DATE AS activated_on) TO '{path}' (FORMAT PARQUET)"
        )
    bank.read("contracts", "contracts.parquet")
    bank.load()
    assert bank.rows("SELECT branch_id, signed_on FROM contracts") == [("12", date(2026, 1, 5))]


# ── dates of the data ──


def test_loads_say_until_when_the_data_reach_and_never_from_the_demo_bank(bank: Bank) -> None:
    bank.folder = bank.folder.rename(bank.folder.with_name("demo"))
    bank.load()
    assert bank.rows("SELECT table_name, rows, source, data_until FROM loads ORDER BY table_name") == [
        ("branches", 3, "load of demo", date(2026, 1, 6)),
        ("contracts", 2, "load of demo", date(2026, 1, 6)),
        ("customers", 2, "load of demo", date(2026, 1, 6)),
        ("products", 1, "load of demo", date(2026, 1, 6)),
    ]


def test_data_until_can_be_asked_of_the_raw_tables_and_set_for_one_table(bank: Bank) -> None:
    bank.top = ['data_until = "(SELECT max(signed_on)::DATE + 5 FROM contracts)"']
    bank.sections["tables.products"] = "[tables.products]\ndata_until = 2025-12-31"
    bank.load()
    held = dict(bank.rows("SELECT table_name, data_until FROM loads"))
    assert held["contracts"] == held["branches"] == date(2026, 1, 11)
    assert held["products"] == date(2025, 12, 31)


# ── when nothing is loaded ──


def refusal(bank: Bank) -> str:
    """Why the next load is refused; it has to be, and to leave no trace of itself beside the warehouse."""
    before = bank.out.read_bytes()
    with pytest.raises(LoadError) as raised:
        bank.load()
    assert bank.out.read_bytes() == before
    assert {path.name for path in bank.out.parent.iterdir()} - {"rejected.csv"} == {"warehouse.duckdb"}
    return str(raised.value)


def test_more_rejected_rows_than_allowed_keep_the_old_warehouse_and_are_listed(bank: Bank) -> None:
    bank.load()
    good = "".join(f"g{at},c1,mobile,12,2026-01-05,\n" for at in range(97))
    header = CONTRACTS.split("\n")[0] + "\n"
    bank.offer("contracts", header + good + "k8,c1,tv,12,2026-01-05,\n")
    assert counts(_reload_with(bank, "max_rejected = 0.0103"))["contracts"] == (98, 97, 1)
    bank.top = []
    assert "1 of 98 rows of contracts were rejected, more than max_rejected = 0.01 allows" in refusal(bank)
    assert [row[4] for row in bank.rejected()] == ["tv"]


@pytest.mark.parametrize("content", [b"", b"my thesis", b"12345678DUC"])
def test_a_file_that_is_no_warehouse_is_not_replaced(bank: Bank, content: bytes) -> None:
    bank.out.parent.mkdir()
    bank.out.write_bytes(content)
    assert f"{bank.out} is no warehouse (no DuckDB file), so it stays" in refusal(bank)


def test_a_folder_is_not_replaced(bank: Bank) -> None:
    bank.out.mkdir(parents=True)
    with pytest.raises(LoadError, match="is no warehouse"):
        bank.load()
    assert bank.out.is_dir()


def test_no_warehouse_takes_the_name_of_the_list(bank: Bank) -> None:
    bank.load()
    bank.out = bank.out.rename(bank.out.with_name("rejected.csv"))
    before = bank.out.read_bytes()
    with pytest.raises(LoadError, match=r"rejected\.csv is the name of the list of rejected rows"):
        bank.load()
    assert bank.out.read_bytes() == before


def test_a_list_of_somebody_else_is_not_replaced(bank: Bank) -> None:
    bank.load()
    theirs = bank.out.with_name("rejected.csv")
    theirs.write_text("loan,reason\n1,income\n", encoding="utf-8")
    assert "rejected.csv is no list of an earlier load, so it stays" in refusal(bank)
    assert theirs.read_text(encoding="utf-8") == "loan,reason\n1,income\n"


def test_what_a_killed_load_left_behind_goes_with_the_next_one_and_what_others_write_stays(bank: Bank) -> None:
    bank.out.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    for number, whose in ((ended.pid, "gone"), (os.getppid(), "living")):
        left = bank.out.with_name(f".warehouse.duckdb.{number}.scratch")
        left.mkdir()
        (left / "scratch.duckdb").write_text(whose, encoding="utf-8")
        for ending in ("new", "new.wal"):
            bank.out.with_name(f".warehouse.duckdb.{number}.{ending}").write_text(whose, encoding="utf-8")
    bank.out.with_name(f".other.duckdb.{ended.pid}.new").write_text("another warehouse's", encoding="utf-8")
    bank.load()
    assert {path.name for path in bank.out.parent.iterdir()} == {
        "warehouse.duckdb",
        f".other.duckdb.{ended.pid}.new",
        *(f".warehouse.duckdb.{os.getppid()}.{ending}" for ending in ("new", "new.wal", "scratch")),
    }


def test_every_table_with_too_many_rejected_rows_is_named_at_once(bank: Bank) -> None:
    bank.load()
    bank.offer("products", PRODUCTS + "tv,TV,e,60,否\n")
    bank.offer("contracts", CONTRACTS + "k8,c1,tv,12,2026-01-05,\n")
    assert "1 of 2 rows of products, 1 of 3 rows of contracts were rejected" in refusal(bank)


def test_a_day_ahead_is_told_before_any_file_is_read(bank: Bank) -> None:
    bank.top = ["data_until = 2999-01-01"]
    with pytest.raises(LoadError, match="lies ahead"):
        bank.load()
    assert bank.said == []


def test_a_wrong_select_is_quoted_as_it_was_written(bank: Bank) -> None:
    for sql in ("SELECT contract_id,\n  signed_no\nFROM contracts", "SELECT contract_id\nFROM contracts\nGRUOP BY ALL"):
        bank.select("contracts", sql)
        with pytest.raises(LoadError, match=r"contracts\.sql") as told:
            bank.load()
        assert re.search(r"LINE [23]: +(signed_no|GRUOP)", str(told.value))
        assert "query(" not in str(told.value)


def _reload_with(bank: Bank, *top: str) -> Result:
    bank.top = list(top)
    return bank.load()


@pytest.mark.parametrize("table", ["branches", "products"])
def test_an_empty_required_table_keeps_the_old_warehouse(bank: Bank, table: str) -> None:
    bank.load()
    for name in ("contracts", "customers"):
        (bank.folder / f"{name}.sql").unlink()
    bank.offer("surveys", "survey_id,branch_id,answered_on,score\ns,12,2026-01-05,9\n")
    bank.select(table, f"SELECT * FROM {table} WHERE false")
    if table == "branches":
        bank.top = ["max_rejected = 1"]
    assert f"The required table {table} is empty" in refusal(bank)


def test_no_event_at_all_keeps_the_old_warehouse(bank: Bank) -> None:
    bank.load()
    (bank.folder / "contracts.sql").unlink()
    assert "No table of events has a row" in refusal(bank)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM nothing", "nothing does not exist"),
        ("SELECT 1; SELECT 2", "single SELECT"),
        ("DROP TABLE contracts", "single SELECT"),
        ("SELECT * FROM read_csv('/etc/hostname')", "file system operations are disabled"),
        ("SELECT *, 1 AS shoe_size FROM contracts", "contracts has no column shoe_size"),
        ("SELECT * EXCLUDE (signed_on) FROM contracts", "lacks the column signed_on"),
        ("SELECT * EXCLUDE (activated_on) FROM contracts", "NULL AS activated_on where nothing is known"),
        ("SELECT * REPLACE (error('no rate') AS signed_on) FROM contracts", "no rate"),
    ],
)
def test_a_wrong_select_is_told_by_table_and_file(bank: Bank, sql: str, words: str) -> None:
    bank.load()
    bank.select("contracts", sql)
    assert words in refusal(bank)


def test_a_select_cannot_see_what_was_loaded_before_it(bank: Bank) -> None:
    bank.load()
    bank.select("contracts", "SELECT contracts.* FROM contracts JOIN loads ON true")
    assert "loads" in refusal(bank)


def test_a_select_may_not_bring_its_own_paths(bank: Bank) -> None:
    bank.load()
    bank.select("branches", "SELECT *, branch_id || '.' AS path FROM branches")
    assert "branches has no column path" in refusal(bank)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("max_rejected = 2", "give a number from 0 to 1"),
        ("data_til = 2026-01-01", "load.toml says data_til, which means nothing"),
        ("data_until = 2999-01-01", "lies ahead"),
        ("data_until = 5", "give a date like"),
        ("data_until = 'max(x)'", "data_until of"),
        ("= 3", "is not valid TOML"),
        ("raw = 3", "is not valid TOML"),
        ("tables = 3", "tables in load.toml is no section"),
        ("[tables.shops]\nsql = 'SELECT 1'", "There is no table shops"),
        ("[tables.contracts]\nsql = 'SELECT 1'", "contracts has two SELECTs"),
        ("[tables.usage]", "[tables.usage] in load.toml has no SELECT"),
        ("[raw.x]\nfile = 'gone.csv'", "gone.csv ([raw.x] in load.toml) is missing"),
        ("[raw.x]\nfile = 'branches.csv'\nsheets = 'a'", "[raw.x] in load.toml says sheets"),
        ("[raw.x]\nfile = 'branches.csv'\nencoding = 'klingon'", "no encoding is called 'klingon'"),
        ("[raw.x]\nfile = 'branches.csv'\nencoding = 'zlib'", "no encoding is called 'zlib'"),
        ("[raw.x]\nfile = 'branches.csv'\nencoding = 'rot13'", "no encoding is called 'rot13'"),
        ('[raw.x]\nfile = "branches.csv"\nencoding = "a\\u0000"', "no encoding is called 'a\\x00'"),
        ("[raw.x]\nfile = '../how/load.toml'", "../how/load.toml lies outside the folder of raw files"),
        ("[raw.x]\nfile = '/etc/hostname'", "/etc/hostname lies outside the folder of raw files"),
        ("[raw.x]\nfile = 'branches.csv'\nheader = 99999999999999999999999", "give the line of the column names"),
        ("[raw.x]\nfile = 'branches.csv'\nheader = true", "give the line of the column names"),
        ("[raw.x]\nfile = 'branches.csv'\nheader = 9", "has no line 9"),
        ("[raw.x]\nfile = 'branches.csv'\ndelimiter = '||'", "delimiter is one character"),
        ("[raw.x]\nfile = 'latin.csv'", "latin.csv is not utf-8"),
        ("[raw.x]\nfile = 'late.csv'", "late.csv is not utf-8"),
        ("[raw.x]\nfile = 'open.csv'", "open.csv cannot be read: unexpected end of data. Look at its quotes"),
        ("[raw.x]\nfile = 'latin.csv'\nencoding = 'gb18030'", "latin.csv is not gb18030"),
        ("[raw.x]\nfile = 'twice.csv'", "has a column 'A' twice"),
        ("[raw.x]\nfile = 'ragged.csv'", "1 of 2 rows of raw.x were rejected"),
        ("[raw.x]\nfile = 'no.xlsx'", "no.xlsx is no workbook that can be read"),
        ("[raw.x]\nfile = 'book.xlsx'\nsheet = 'Gone'", "has no sheet 'Gone'; it has Notes, Data"),
        ("[raw.x]\nfile = 'book.xlsx'\nsheet = 'Notes'", "has nothing in line 1"),
        ("[raw.x]\nfile = 'no.parquet'", "no.parquet cannot be read"),
    ],
)
def test_a_wrong_line_of_load_toml_or_a_wrong_file_is_told_in_a_sentence(bank: Bank, section: str, words: str) -> None:
    bank.load()
    (bank.raw / "latin.csv").write_bytes("a,b\nMünchen,\xff".encode("latin-1"))
    (bank.raw / "late.csv").write_bytes(b"a,b\n" + b"x,y\n" * 100_000 + b"\xfc,y\n")
    (bank.raw / "twice.csv").write_text("A,a\n1,2\n", encoding="utf-8")
    (bank.raw / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    (bank.raw / "open.csv").write_text('a,b\n1,2\n1,"2\n1,2\n', encoding="utf-8")
    (bank.raw / "no.xlsx").write_bytes(b"not a workbook")
    (bank.raw / "no.parquet").write_bytes(b"not parquet")
    _workbook(bank.raw / "book.xlsx", [["a"], [1]])
    if section.startswith("["):
        bank.sections["wrong"] = section
    else:
        bank.top = [section]
    assert words in refusal(bank)


def test_a_folder_without_load_toml_and_a_required_table_without_select_are_told(bank: Bank) -> None:
    with pytest.raises(LoadError, match=r"load\.toml is missing"):
        load(bank.folder, bank.raw, bank.out, say=lambda _: None)
    (bank.folder / "products.sql").unlink()
    with pytest.raises(LoadError, match="The required table products has no SELECT"):
        bank.load()
    assert not bank.out.exists()


# ── nothing is lost ──

ID = st.sampled_from(["k1", "k2", "k3", "", " ", "k,4", 'k"5', "客户", "1e3"])
DAY = st.sampled_from(
    ["2026-01-05", "2026-01-06 10:00", "1066-10-14", "9999-12-31", "", "soon", "20260105", "infinity", "2026-13-01"]
)
ROW = st.tuples(
    ID,
    st.sampled_from(["c1", "c2", "c9", ""]),
    st.sampled_from(["mobile", "tv", "", "MOBILE"]),
    st.sampled_from(["12", "1", "HO", "120", "1.", ""]),
    DAY,
    DAY,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ROW, max_size=40), st.lists(st.tuples(*[st.sampled_from(["HO", "1", "12", "a", "b", ""])] * 2), max_size=8)
)
def test_whatever_comes_in_is_loaded_or_rejected_once(
    rows: list[tuple[str, ...]], edges: list[tuple[str, str]]
) -> None:
    with TemporaryDirectory() as folder:
        bank = Bank(Path(folder))
        bank.top = ["max_rejected = 1"]
        header = CONTRACTS.split("\n")[0].split(",")
        with (bank.raw / "contracts.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, ["k0", "c1", "mobile", "HO", "2026-01-05", ""], *rows])
        branches = "".join(f"{code},Name,{parent},sub_branch\n" for code, parent in edges)
        bank.offer("branches", BRANCHES + branches)
        result = bank.load()
        listed = [(row[2], row[1]) for row in bank.rejected()]
        assert len(set(listed)) == len(listed) == sum(count.rejected for count in result.counts)
        assert counts(result)["contracts"][0] == len(rows) + 1
        assert counts(result)["branches"][0] == len(edges) + 3
        for count in result.counts:
            assert count.given == count.loaded + count.rejected
            assert bank.rows(f"SELECT count(*) FROM {count.table}") == [(count.loaded,)]
        keys = [row[0] for row in bank.rows("SELECT contract_id FROM contracts")]
        assert len(set(keys)) == len(keys)
