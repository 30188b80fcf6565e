"""A made-up bank to look at: deterministic, shaped like a provincial branch of a retail bank, with stories to discover.

Everything here is invented; the shares and rates follow published figures of one such bank (age of electronic
customers, share of payroll customers, substitution rate …), so that the screens show plausible numbers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_access.embedded import create, insert, new_file
from measures import schema

STORIES = tomllib.loads(Path(__file__).with_name("stories.toml").read_text(encoding="utf-8"))
"""What is planted, by name: the ids and sizes that both the generator and the tests read."""

Frame = dict[str, np.ndarray | pa.Array | pa.ChunkedArray]

NEVER = np.datetime64("NaT", "D")
CLOSED_OUTLET, VERY_SMALL_BRANCH = "19002", "1206"
SAME_NAME = ("13001", "14001")

HEAD = ("1", "巴岳银行重庆分行", "主城")
# Id, place, region, and how big it is beside the others. 12 and 120 are siblings, with the paths 1.12. and 1.120.: a
# rule that forgets the closing full stop lets one see the other.
NODES = (
    ("10", "渝中", "主城", 6.0), ("1001", "大渡口", "主城", 3.0), ("1002", "南岸", "主城", 4.5),
    ("11", "江北", "主城", 5.0), ("1101", "两江", "主城", 3.0),
    ("12", "万州", "渝东北", 4.0), ("1201", "开州", "渝东北", 3.2), ("1202", "云阳", "渝东北", 2.6),
    ("1203", "奉节", "渝东北", 2.4), ("1204", "巫山", "渝东北", 1.6), ("1205", "巫溪", "渝东北", 1.2),
    ("1206", "城口", "渝东北", 0.15), ("1207", "梁平", "渝东北", 2.0), ("1208", "忠县", "渝东北", 2.2),
    ("120", "直属", "主城", 4.0),
    ("13", "涪陵", "渝东南", 3.0), ("1301", "丰都", "渝东南", 1.8), ("1302", "垫江", "渝东南", 2.0),
    ("1303", "武隆", "渝东南", 1.2), ("1304", "石柱", "渝东南", 1.4), ("1305", "长寿", "主城", 2.6),
    ("14", "永川", "渝西", 3.4), ("1401", "大足", "渝西", 8.0), ("1402", "荣昌", "渝西", 2.2),
    ("1403", "璧山", "渝西", 2.4),
    ("15", "合川", "渝西", 4.5), ("1501", "铜梁", "渝西", 2.4), ("1502", "潼南", "渝西", 2.0),
    ("16", "江津", "渝西", 3.6), ("1601", "綦江", "渝西", 2.4), ("1602", "万盛", "渝西", 1.0),
    ("17", "黔江", "渝东南", 2.0), ("1701", "彭水", "渝东南", 1.6), ("1702", "酉阳", "渝东南", 1.8),
    ("1703", "秀山", "渝东南", 1.6),
    ("18", "渝北", "主城", 5.5), ("1801", "北碚", "主城", 3.2),
    ("19", "九龙坡", "主城", 5.0), ("20", "沙坪坝", "主城", 4.5),
    ("21", "巴南", "主城", 3.4), ("2101", "南川", "渝西", 1.8),
)  # fmt: skip
RURAL_SHARE = 0.68
SETTLING_DAYS = 3
"""An outlet has its customer managers, and signs, after so many days."""
OUTLETS, CUSTOMERS, ASSIGNMENTS = 400, 62_000, 132_000
OTHER_CONTACTS, COMPLAINTS, SURVEYS = 20_000, 12_000, 9_817
"""Rows at scale 1; of the assignments at most so many, because a list is shorter where few customers sign."""
CAMPAIGNS = 149
"""At every scale: with fewer and longer lists fewer customers of a list would happen to sign while it runs."""
PARTS = 4
"""A list is handed to the agents in so many weekly parts."""
BEHIND_SHARE, STRAGGLING_SHARE = 0.07, 0.004
"""Of the agents, those who do not keep up with their lists; of the assignments, those nobody closes after the end."""

# Id, name, family, days for the first use, electronic, rate of activation, growth of signing a month.
PRODUCTS = (
    ("P01", "个人网银", "个人电子银行", 60, True, 0.62, 0.010),
    ("P02", "手机银行", "个人电子银行", 30, True, 0.68, 0.035),
    ("P03", "电话银行", "个人电子银行", 60, True, 0.42, 0.000),
    ("P04", "电视银行", "个人电子银行", 90, True, 0.28, 0.010),
    ("P05", "短信通知", "支付与通知", 30, True, 0.88, 0.010),
    ("P06", "快捷支付", "支付与通知", 30, True, 0.76, 0.030),
    ("P07", "企业网银（查询版）", "企业电子银行", 60, True, 0.62, 0.018),
    ("P08", "企业网银（专业版）", "企业电子银行", 60, True, 0.76, 0.040),
    ("P09", "银企互联", "企业电子银行", 90, True, 0.85, 0.000),
    ("P10", "借记卡", "银行卡", 90, False, 0.87, 0.006),
    ("P11", "信用卡", "银行卡", 90, False, 0.64, 0.000),
    ("P12", "收单商户", "收单", 60, False, 0.72, 0.020),
)
NET, MOBILE, PHONE, TV, SMS, FAST, QUERY, PROFESSIONAL, LINK, DEBIT, CREDIT, MERCHANT = range(12)
LIST_PRODUCTS = (NET, MOBILE, PHONE, SMS, FAST, CREDIT)

# Ages: under 18, 18–24, 25–29, 30–39, 40–49, 50–59, 60 and more. 18–40 are 19.92 % of the customers, 40–60 41.46 %.
AGE_FROM = np.array([8, 18, 25, 30, 40, 50, 60])
AGE_TO = np.array([18, 25, 30, 40, 50, 60, 86])
AGE_SHARE = np.array([0.0560, 0.0900, 0.0432, 0.0660, 0.2146, 0.2000, 0.3302])
# Balances: 6.5 % of them belong to 18–40, 43.23 % to 40–60.
AGE_WEALTH = np.array([1.302, 0.326, 0.326, 0.326, 1.043, 1.043, 1.302])
AGE_OF_ELECTRONIC = np.array([0.0, 0.3350, 0.1730, 0.1750, 0.1780, 0.1000, 0.0390])
AGE_OF_HOLDERS = {
    NET: np.array([0.0, 0.3382, 0.1700, 0.1700, 0.1800, 0.1000, 0.0418]),
    MOBILE: np.array([0.0, 0.3758, 0.2100, 0.1900, 0.1200, 0.0700, 0.0342]),
    PHONE: np.array([0.0, 0.2782, 0.1300, 0.1880, 0.2190, 0.1220, 0.0628]),
}
ELECTRONIC_SHARE = 0.2217
HELD_BY_ELECTRONIC = {NET: 0.97, MOBILE: 0.44, PHONE: 0.24, TV: 0.04, SMS: 0.12, FAST: 0.08}
PAYROLL_SHARE, PAYROLL_WEALTH = 0.4274, 1.316
CORPORATE_SHARE, CORPORATE_ELECTRONIC = 0.10, 0.0793
CORPORATE_WEALTH = 1.04
"""Leaves the payroll customers 49.56 % of all balances."""
KEEN_SHARE = 0.28
"""Of the customers; the others' use of an electronic product soon goes to sleep, so that 8.9 % of all are active."""
SUBSTITUTION = (0.33, 0.455)
"""Share of transactions on electronic channels and ATM in the first and in the last month; 40 % over all of them."""

STOCK_DAYS, STOCK_SHARE = 1800, 0.45
"""How long before the bank's first day of record contracts were signed, and the share of customers who came then."""

# First day of the Chinese year. A year that is not here has no Spring Festival in the demo.
SPRING = {
    2018: "02-16", 2019: "02-05", 2020: "01-25", 2021: "02-12", 2022: "02-01", 2023: "01-22", 2024: "02-10",
    2025: "01-29", 2026: "02-17", 2027: "02-06", 2028: "01-26", 2029: "02-13", 2030: "02-03",
}  # fmt: skip

CAUSES = ("queueing", "system_fault", "attitude", "training", "premises", "delivery", "fees", "misselling")
COMPLAINT_CHANNELS = ("hotline", "counter", "app", "letter", "regulator")
SEVERITIES = ("low", "normal", "high")
COMPLAINT_OUTCOMES = ("explained", "compensated", "corrected", "rejected")
USES = ("payment", "transfer", "enquiry", "bill")
TIERS = ("general", "second", "first", "top")
PURPOSES = ("营销", "激活")

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰萍鹏辉建国志文婷雪梅宇浩欣怡晨佳慧丹波斌凯红云"
ROADS = (
    "人民路", "建设路", "解放路", "胜利路", "和平路", "中山路", "新华路", "滨江路", "学府路", "文化路", "朝阳路", "民主路",
    "广场", "体育路", "迎宾大道", "工业园", "火车站", "南门", "北街", "西城", "东湖路", "青年路", "科技路", "老街",
)  # fmt: skip
TOWNS = (
    "龙溪", "白沙", "石桥", "双河", "太平", "永兴", "大坪", "青木", "三汇", "云台", "凤山", "柏林",
    "清流", "兴隆", "黄泥", "长坝", "高峰", "桃园", "金竹", "响水", "新场", "古路", "茶店", "沙坝",
)  # fmt: skip
TRADES = ("商贸", "物流", "建材", "餐饮", "机电", "农业", "服饰", "家居")


def build(
    out: Path, *, scale: float = 1.0, seed: int = 7, until: date, say: Callable[[str], None] = lambda line: None
) -> None:
    """Writes the demo bank to the DuckDB file `out`, in place of what was there.

    `scale` multiplies customers and events (1: about 60,000 customers), `until` is the last day with data; the same
    scale, seed and day give the same rows. `say` is called with a line of progress per table. Raises ValueError for
    a scale that is not above 0.
    """
    if not 0 < scale < float("inf"):
        raise ValueError(f"The scale of the demo bank is {scale}: give a number above 0, such as 0.1 or 1.")
    with new_file(out) as connection:
        rows = {}
        for name, frame in _frames(scale, seed, until):
            table = schema.metadata.tables[name]
            create(connection, table)
            rows[name] = len(next(iter(frame.values())))
            connection.register("frame", pa.table(frame | {"_row": np.arange(rows[name])}))
            insert(connection, table, tuple(frame), "frame")
            connection.unregister("frame")
            say(f"{name}: {rows[name]:,} rows")
        create(connection, schema.loads)
        loaded_at = np.datetime64(until) + np.timedelta64(30, "h") + np.timedelta64(10, "m")
        for name, count in (rows | {"loads": len(rows) + 1}).items():
            connection.execute(
                "INSERT INTO loads VALUES (?, ?, ?, ?, ?)", [name, loaded_at.item(), count, schema.DEMO_SOURCE, until]
            )


def _frames(scale: float, seed: int, until: date) -> Iterator[tuple[str, Frame]]:
    """The tables in the order in which they need each other. Each has its own source of chance, so that a change in
    one leaves the others as they were."""

    def chance(table: str) -> np.random.Generator:
        return np.random.default_rng([seed, list(schema.metadata.tables).index(table)])

    calendar = _Calendar.up_to(until)
    tree, frame = _branches(chance("branches"), calendar, scale)
    yield "branches", frame
    yield "products", _products()
    staff, frame = _agents(chance("agents"), calendar, tree)
    yield "agents", frame
    customers, frame = _customers(chance("customers"), calendar, tree, staff, scale)
    yield "customers", frame
    contracts, frame = _contracts(chance("contracts"), calendar, tree, staff, customers)
    yield "contracts", frame
    yield "usage", _usage(chance("usage"), calendar, tree, customers, contracts)
    lists, frame = _campaigns(chance("campaigns"), calendar)
    yield "campaigns", frame
    work, frame = _assignments(chance("assignments"), calendar, tree, staff, customers, contracts, lists, scale)
    yield "assignments", frame
    yield "contacts", _contacts(chance("contacts"), calendar, tree, staff, customers, contracts, work, scale)
    yield "complaints", _complaints(chance("complaints"), calendar, tree, staff, customers, scale)
    yield "targets", _targets(chance("targets"), calendar, tree, customers, contracts)
    yield "surveys", _surveys(chance("surveys"), calendar, tree, scale)
    yield "events", _events(calendar, tree, lists)


# Time ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Calendar:
    """The days of the bank. `start` is the first of a month, three years back: from there on everything is recorded;
    of the years before there are the contracts only."""

    start: np.datetime64
    until: np.datetime64
    working: np.ndarray

    @classmethod
    def up_to(cls, until: date) -> _Calendar:
        last = np.datetime64(until, "D")
        start = (last.astype("M8[M]") - 36).astype("M8[D]")
        days = np.arange(start - STOCK_DAYS, last + 1)
        return cls(start, last, days[~_free(days)])

    def ago(self, days: int) -> np.datetime64:
        return self.until - days

    def place(self, days: np.ndarray) -> np.ndarray:
        """The place in `working` of the last working day up to each of `days`."""
        return np.maximum(np.searchsorted(self.working, days, side="right") - 1, 0)

    def on_or_before(self, days: np.ndarray) -> np.ndarray:
        """The last working day up to each of `days`, or the bank's first one."""
        return self.working[self.place(days)]

    def shift(self, days: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """So many working days later, or earlier, but no day outside the bank's."""
        return self.working[np.clip(self.place(days) + steps, 0, len(self.working) - 1)]

    def on_or_after(self, days: np.ndarray) -> np.ndarray:
        """The next working day from each of `days`, or the bank's last one."""
        return self.working[np.minimum(np.searchsorted(self.working, days), len(self.working) - 1)]

    def draw(
        self, chance: np.random.Generator, first: np.ndarray, last: np.ndarray, growth: float, pressure: float = 0.0
    ) -> np.ndarray:
        """One working day for each pair of `first` and `last`, growing by `growth` a month; `pressure` adds so much
        more on the last three working days of a month, twice that at a quarter's end."""
        month = self.working.astype("M8[M]")
        weight = (1 + growth) ** (month - month[0]).astype(int)
        weight = weight * (1 + pressure * self.near_month_end(self.working) * (1 + (month.astype(int) % 3 == 2)))
        reached = np.concatenate([[0.0], np.cumsum(weight)])
        low = np.searchsorted(self.working, first)
        high = np.maximum(np.searchsorted(self.working, last, side="right"), low + 1)
        high = np.minimum(high, len(self.working))
        low = np.minimum(low, high - 1)
        at = reached[low] + chance.random(len(first)) * (reached[high] - reached[low])
        return self.working[np.clip(np.searchsorted(reached, at, side="right") - 1, low, high - 1)]

    def near_month_end(self, days: np.ndarray) -> np.ndarray:
        """Whether each of `days` is one of the last three working days of its month, the running one included."""
        month_end = (days.astype("M8[M]") + 1).astype("M8[D]")
        known = np.arange(self.start - STOCK_DAYS, self.until + 40)
        working = known[~_free(known)]
        return np.searchsorted(working, month_end) - np.searchsorted(working, days) <= 3

    @property
    def quarters(self) -> np.ndarray:
        """First days of the quarters, from the one of `start` to the one of `until`."""
        first = self.start.astype("M8[M]").astype(int) // 3 * 3
        return np.arange(first, self.until.astype("M8[M]").astype(int) + 1, 3).astype("M8[M]").astype("M8[D]")


def _free(days: np.ndarray) -> np.ndarray:
    """Whether each day is a Saturday, a Sunday or a public holiday (moved working days are left out)."""
    month = days.astype("M8[M]").astype(int) % 12 + 1
    day = (days - days.astype("M8[M]")).astype(int) + 1
    free = ~np.is_busday(days)
    for holiday, length in ((1, 3), (5, 5), (10, 7)):
        free |= (month == holiday) & (day <= length)
    for year, first in SPRING.items():
        eve = np.datetime64(f"{year}-{first}") - 1
        free |= (days >= eve) & (days < eve + 8)
    return free


# Organisation -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tree:
    """The outlets in the order of their paths, so that a branch's outlets are neighbours."""

    ids: pa.Array
    paths: list[str]
    urban: np.ndarray
    opened: np.ndarray
    first: np.ndarray
    """First and last day of record."""
    last: np.ndarray
    size: np.ndarray
    mood: np.ndarray
    """How much easier (above 0) or harder activation is here, in log odds."""
    steady: np.ndarray
    """Open all the time."""

    def under(self, branch_id: str) -> np.ndarray:
        """Whether each outlet is `branch_id` or lies below it."""
        return np.array([f".{branch_id}." in f".{path}" for path in self.paths])

    def position(self, branch_id: str) -> int:
        return self.ids.to_pylist().index(branch_id)


def _path(branch_id: str) -> str:
    """The path of head office or of one of NODES."""
    if branch_id == HEAD[0]:
        return f"{branch_id}."
    return f"{_path(HEAD[0] if len(branch_id) < 4 else branch_id[:2])}{branch_id}."


def _branches(chance: np.random.Generator, calendar: _Calendar, scale: float) -> tuple[_Tree, Frame]:
    planted = STORIES["three_of_three"]
    founded = np.datetime64("2008-03-06")
    sizes = np.array([size for *_, size in NODES])
    # Every branch has an outlet; the rest is shared out by size.
    least = np.array([1 + (id_ in (CLOSED_OUTLET[:2], VERY_SMALL_BRANCH)) for id_, *_ in NODES])
    spare = max(0, round(OUTLETS * min(scale, 4)) - least.sum())
    shared = np.where([id_ == VERY_SMALL_BRANCH for id_, *_ in NODES], 0, sizes)
    shares = np.concatenate([[0], np.cumsum(shared)]) / shared.sum()
    counts = least + np.diff(np.floor(shares * spare + 1e-9)).astype(int)

    rows = [(HEAD[0], HEAD[1], None, "head_office", _path(HEAD[0]), HEAD[2], "urban")]
    outlets = []
    for (id_, place, region, size), count in zip(NODES, counts, strict=True):
        level, parent = ("branch", HEAD[0]) if len(id_) < 4 else ("sub_branch", id_[:2])
        name = "重庆直属支行" if place == "直属" else place + ("分行" if level == "branch" else "支行")
        rows.append((id_, name, parent, level, _path(id_), region, "urban" if region == "主城" else "rural"))
        for number in range(1, count + 1):
            outlets.append((f"{id_}{number:03d}", id_, place, region, number, size / count))

    # The most rural outlets are far from the city and not the first of their branch, which lies in the county town.
    remote = np.array([(region != "主城") * 1.0 - (number == 1) * 0.6 for _, _, _, region, number, _ in outlets])
    most_rural = np.argsort(-(remote + chance.random(len(outlets)) * 0.9), kind="stable")
    urban = np.ones(len(outlets), bool)
    urban[most_rural[: round(RURAL_SHARE * len(outlets))]] = False
    urban[[id_ == planted["branch_id"] for id_, *_ in outlets]] = False
    node_at = {id_: position for position, (id_, *_) in enumerate(NODES)}
    for (id_, parent, place, region, number, _), in_town in zip(outlets, urban, strict=True):
        words = ROADS if in_town else TOWNS
        again, word = divmod(number - 1, len(words))
        # Each branch begins elsewhere in the words, or the first outlet of all of them would be in the same road.
        word = (word + 5 * node_at[parent]) % len(words)
        name = f"{place}{words[word]}{f'第{again + 1}' if again else ''}{'支行' if in_town else '营业所'}"
        name = "人民路支行" if id_ in SAME_NAME else name
        rows.append((id_, name, parent, "outlet", f"{_path(parent)}{id_}.", region, "urban" if in_town else "rural"))
    rows.sort(key=lambda row: row[4])

    ids = [row[0] for row in rows]
    opened = founded + chance.integers(0, 4200, len(rows))
    opened[0] = founded
    opened[1:] = np.minimum(opened[1:], calendar.start - 200)
    closed = np.full(len(rows), NEVER)
    closed[ids.index(CLOSED_OUTLET)] = calendar.ago(240)
    opened[ids.index(planted["branch_id"])] = calendar.ago(planted["days"])
    place_of = {id_: position for position, id_ in enumerate(ids)}
    for position, row in enumerate(rows):
        if row[2] is not None and row[0] != planted["branch_id"]:
            # A branch opens no earlier than the one above it.
            opened[position] = max(opened[position], opened[place_of[row[2]]])

    is_outlet = np.array([row[3] == "outlet" for row in rows])
    size_of = {id_: size for id_, *_, size in outlets}
    mood_of_node = dict(zip((id_ for id_, *_ in NODES), chance.normal(0, 0.22, len(NODES)), strict=True))
    paths = [row[4] for row in rows if row[3] == "outlet"]
    outlet_ids = [row[0] for row in rows if row[3] == "outlet"]
    size = np.array([size_of[id_] for id_ in outlet_ids]) * chance.lognormal(0, 0.35, len(outlet_ids))
    # The outlet of the paper agent is a big one, or there would be little for that agent to sign.
    size[outlet_ids.index(STORIES["paper_agent"]["branch_id"])] = size.max()
    size[outlet_ids.index(planted["branch_id"])] = 0
    mood = np.array([mood_of_node[row[2]] for row in rows if row[3] == "outlet"])
    mood = mood + chance.normal(0, 0.15, len(outlet_ids))
    tree = _Tree(
        ids=pa.array(outlet_ids),
        paths=paths,
        urban=np.array([row[6] == "urban" for row in rows])[is_outlet],
        opened=opened[is_outlet],
        first=np.maximum(opened[is_outlet], calendar.start),
        last=np.where(np.isnat(closed), calendar.until, closed)[is_outlet],
        size=size,
        mood=mood,
        steady=np.isnat(closed)[is_outlet] & (opened[is_outlet] <= calendar.start),
    )
    names = ("branch_id", "name", "parent_id", "level", "path", "region", "area")
    frame: Frame = {name: pa.array([row[place] for row in rows]) for place, name in enumerate(names)}
    return tree, frame | {"opened_on": opened, "closed_on": _days(closed)}


def _products() -> Frame:
    names = ("product_id", "name", "family", "activation_days", "electronic")
    return {name: pa.array([product[place] for product in PRODUCTS]) for place, name in enumerate(names)}


PRODUCT_IDS = pa.array([product[0] for product in PRODUCTS])
PRODUCT_AT = {product[0]: place for place, product in enumerate(PRODUCTS)}


@dataclass(frozen=True)
class _Staff:
    """Who works where. Customer managers stay all the time and stand in the order of their outlets."""

    ids: pa.Array
    manager_from: np.ndarray
    """By outlet: the place of its first manager in `ids`."""
    managers: np.ndarray
    """By outlet: how many."""
    teller: np.ndarray
    """By outlet: the place of its teller, or -1."""
    joined: np.ndarray
    left: np.ndarray

    def manager(self, chance: np.random.Generator, outlet: np.ndarray) -> np.ndarray:
        """A manager of each outlet."""
        return self.manager_from[outlet] + (chance.random(len(outlet)) * self.managers[outlet]).astype(int)


def _agents(chance: np.random.Generator, calendar: _Calendar, tree: _Tree) -> tuple[_Staff, Frame]:
    outlets = tree.ids.to_pylist()
    managers = 1 + (tree.size > np.quantile(tree.size, 0.75)).astype(int)
    has_teller = (chance.random(len(outlets)) < 0.15) & tree.steady
    rows = [
        (f"A{id_}-{number}", id_, "customer_manager")
        for id_, count in zip(outlets, managers, strict=True)
        for number in range(1, count + 1)
    ]
    first_teller = len(rows)
    rows += [(f"A{id_}-7", id_, "teller") for id_, has in zip(outlets, has_teller, strict=True) if has]
    rows += [(f"A{id_}-8", id_, "product_manager") for id_, *_ in NODES]
    paper = STORIES["paper_agent"]
    rows.append((paper["agent_id"], paper["branch_id"], "customer_manager"))

    joined = calendar.start - chance.integers(1, 190, len(rows))
    joined[:first_teller] = np.repeat(tree.opened, managers) + chance.integers(0, SETTLING_DAYS, first_teller)
    left = np.full(len(rows), NEVER)
    tellers = np.arange(first_teller, first_teller + has_teller.sum())
    moving = tellers[chance.random(len(tellers)) < 0.5]
    joined[moving] = calendar.start + chance.integers(0, 500, len(moving))
    stay = chance.integers(100, 520, len(moving))
    left[moving] = np.where(chance.random(len(moving)) < 0.5, joined[moving] + stay, NEVER)
    joined[-1] = calendar.ago(paper["days"])
    closing = np.array([row[1] == CLOSED_OUTLET for row in rows])
    left[closing] = tree.last[tree.position(CLOSED_OUTLET)]
    teller = np.full(len(outlets), -1)
    teller[has_teller] = tellers
    staff = _Staff(
        ids=pa.array([row[0] for row in rows]),
        manager_from=np.cumsum(managers) - managers,
        managers=managers,
        teller=teller,
        joined=joined,
        left=np.where(np.isnat(left), calendar.until, left),
    )
    frame: Frame = {
        "agent_id": staff.ids,
        "name": _people(chance, len(rows)),
        "branch_id": pa.array([row[1] for row in rows]),
        "role": pa.array([row[2] for row in rows]),
        "joined_on": joined,
        "left_on": _days(left),
    }
    return staff, frame


# Customers ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Customers:
    """In the order of their outlets, so that a branch's customers are neighbours."""

    ids: pa.Array
    outlet: np.ndarray
    manager: np.ndarray
    corporate: np.ndarray
    band: np.ndarray
    electronic: np.ndarray
    keen: np.ndarray
    planted: np.ndarray
    """The customers of the outlet with three of three."""

    def __len__(self) -> int:
        return len(self.outlet)


def _customers(
    chance: np.random.Generator, calendar: _Calendar, tree: _Tree, staff: _Staff, scale: float
) -> tuple[_Customers, Frame]:
    planted = STORIES["three_of_three"]
    count = max(500, round(CUSTOMERS * scale))
    per_outlet = chance.multinomial(count, tree.size / tree.size.sum())
    per_outlet[tree.position(planted["branch_id"])] = planted["contracts"]
    outlet = np.repeat(np.arange(len(per_outlet)), per_outlet)
    count = len(outlet)
    is_planted = outlet == tree.position(planted["branch_id"])
    corporate = (chance.random(count) < CORPORATE_SHARE) & ~is_planted
    band = chance.choice(len(AGE_SHARE), count, p=AGE_SHARE)
    band[is_planted] = 4
    age = AGE_FROM[band] + (chance.random(count) * (AGE_TO - AGE_FROM)[band]).astype(int)
    wanted = ELECTRONIC_SHARE * AGE_OF_ELECTRONIC / ((1 - CORPORATE_SHARE) * AGE_SHARE)
    electronic = chance.random(count) < np.where(corporate, CORPORATE_ELECTRONIC, wanted[band])
    # Men are 54.2 % of the electronic customers.
    male = chance.random(count) < np.where(electronic, 0.542, 0.485)
    # Fewer payroll customers use electronic channels than others: about 6 % of them net banking.
    paid_here = PAYROLL_SHARE / (1 - CORPORATE_SHARE) * np.where(electronic, 0.88, 1.038)
    payroll = (chance.random(count) < paid_here) & ~corporate
    wealth = np.where(corporate, CORPORATE_WEALTH, AGE_WEALTH[band] * np.where(payroll, PAYROLL_WEALTH, 1.0))
    balance = np.round(chance.lognormal(9.2, 1.1, count) * wealth, 2)
    ranks = np.argsort(np.argsort(balance, kind="stable"), kind="stable") / count
    tier = np.searchsorted([0.80, 0.95, 0.99], ranks, side="right")
    lifecycle = chance.choice(4, count, p=[0.15, 0.35, 0.35, 0.15])
    pool = np.where(lifecycle == 3, chance.choice([2, 3], count, p=[0.7, 0.3]), np.where(tier > 0, 0, 1))
    customers = _Customers(
        ids=_numbered("C", count, 7),
        outlet=outlet,
        manager=staff.manager(chance, outlet),
        corporate=corporate,
        band=band,
        electronic=electronic & ~is_planted,
        keen=chance.random(count) < KEEN_SHARE,
        planted=is_planted,
    )
    firms = _pick(GIVEN, chance, count, 2) + _pick(TRADES, chance, count, 1) + "有限公司"
    frame: Frame = {
        "customer_id": customers.ids,
        "branch_id": tree.ids.take(outlet),
        "agent_id": staff.ids.take(customers.manager),
        "kind": _words(("personal", "corporate"), corporate),
        "birth_year": pa.array(calendar.until.item().year - age, mask=corporate),
        "gender": _words(("female", "male"), male, missing=corporate),
        "tier": _words(TIERS, tier),
        "balance": balance,
        "payroll": payroll,
        "lifecycle": _words(("trial", "growth", "mature", "decline"), lifecycle),
        "pool": _words(("support", "keep", "reduce", "leave"), pool),
        "name": pa.array(np.where(corporate, firms, _people(chance, count))),
        # No Chinese mobile number begins with 10: nobody's telephone rings.
        "phone": pa.array([f"10{number:09d}" for number in chance.integers(0, 10**9, count)]),
    }
    return customers, frame


# Contracts and their use --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Contracts:
    customer: np.ndarray
    product: np.ndarray
    agent: np.ndarray
    signed: np.ndarray
    activated: np.ndarray
    last_used: np.ndarray


def _holdings(chance: np.random.Generator, customers: _Customers) -> np.ndarray:
    """Customer × product: who holds what."""
    count = len(customers)
    personal = ~customers.corporate & ~customers.planted
    online, firms = personal & customers.electronic, customers.corporate & customers.electronic
    holds = np.zeros((count, len(PRODUCTS)), bool)
    with np.errstate(invalid="ignore"):
        for product, share in HELD_BY_ELECTRONIC.items():
            by_age = np.nan_to_num(AGE_OF_HOLDERS.get(product, AGE_OF_ELECTRONIC) / AGE_OF_ELECTRONIC)
            holds[:, product] = online & (chance.random(count) < share * by_age[customers.band])
    holds[online & ~holds.any(axis=1), NET] = True
    # 227 of 805 corporate customers have the query edition, the others the professional one; four have a direct link.
    edition = chance.random(count) < 227 / 805
    holds[:, QUERY], holds[:, PROFESSIONAL] = firms & edition, firms & ~edition
    holds[:, LINK] = firms & ~edition & (chance.random(count) < 0.012)
    holds[:, DEBIT] = personal & (chance.random(count) < 0.97)
    adult = np.isin(customers.band, (1, 2, 3, 4, 5))
    holds[:, CREDIT] = personal & adult & (chance.random(count) < 0.90)
    holds[:, MERCHANT] = chance.random(count) < np.where(customers.corporate, 0.20, np.where(personal & adult, 0.06, 0))
    holds[customers.planted, PRODUCT_AT[STORIES["three_of_three"]["product_id"]]] = True
    return holds


def _contracts(
    chance: np.random.Generator, calendar: _Calendar, tree: _Tree, staff: _Staff, customers: _Customers
) -> tuple[_Contracts, Frame]:
    holds = _holdings(chance, customers)
    first, last = tree.first[customers.outlet], tree.last[customers.outlet]
    # A customer comes with the card; a third of the other products are signed on that day, the others on record.
    came = np.where(holds[:, DEBIT], calendar.draw(chance, first, last, PRODUCTS[DEBIT][6], 0.4), first)
    opened = tree.opened[customers.outlet]
    stock = holds[:, DEBIT] & (opened < calendar.start) & (chance.random(len(customers)) < STOCK_SHARE)
    since = np.maximum(opened[stock] + SETTLING_DAYS, calendar.start - STOCK_DAYS)
    came[stock] = calendar.draw(chance, since, np.full(len(since), calendar.start - 1), 0.0)
    who, what, when = [], [], []
    recorded = np.maximum(came, first)
    for product, (*_, growth) in enumerate(PRODUCTS):
        holders = np.flatnonzero(holds[:, product])
        signed = came[holders]
        if product != DEBIT:
            later = ~(holds[holders, DEBIT] & (chance.random(len(holders)) < 0.33))
            signed[later] = calendar.draw(chance, recorded[holders][later], last[holders][later], growth, 0.8)
        who.append(holders)
        what.append(np.full(len(holders), product))
        when.append(signed)
    customer, product, signed = np.concatenate(who), np.concatenate(what), np.concatenate(when)
    signed[customers.planted[customer]] = calendar.on_or_after(calendar.ago(STORIES["three_of_three"]["days"] - 3))
    mix = tree.under(STORIES["mix"]["branch_id"])[customers.outlet[customer]]
    signed[mix] = _moved_mix(calendar, product[mix], signed[mix])
    order = np.argsort(signed, kind="stable")
    customer, product, signed, mix = customer[order], product[order], signed[order], mix[order]

    count = len(customer)
    outlet = customers.outlet[customer]
    end = tree.last[outlet]
    electronic = np.isin(product, range(9))
    base = np.array([row[5] for row in PRODUCTS])[product]
    odds = np.log(base / (1 - base)) + tree.mood[outlet] + (customers.band[customer] <= 2) * 0.05
    odds += electronic * np.where(customers.keen[customer], 1.3, -0.5)
    odds += 0.35 * (np.maximum(signed - calendar.start, 0).astype(int) / 1095 - 0.5)
    # Signed to reach the month's target: less of it is used.
    odds -= 0.45 * calendar.near_month_end(signed)
    used = chance.random(count) < 1 / (1 + np.exp(-odds))
    delay = np.where(chance.random(count) < 0.3, 0, np.ceil(chance.lognormal(2.6, 1.0, count))).astype(int)

    agent = staff.manager(chance, outlet)
    teller = staff.teller[outlet]
    at_counter = (teller >= 0) & (chance.random(count) < 0.2)
    at_counter &= (signed >= staff.joined[teller]) & (signed <= staff.left[teller])
    agent[at_counter] = teller[at_counter]

    fault, paper = STORIES["fault"], STORIES["paper_agent"]
    hit = tree.under(fault["branch_id"])[outlet] & (product == PRODUCT_AT[fault["product_id"]])
    lost = np.flatnonzero(hit & used & (signed >= calendar.ago(fault["days"])))
    used[lost[int(len(lost) * (1 - fault["lost_share"])) :]] = False
    on_paper = tree.under(paper["branch_id"])[outlet] & electronic & (signed >= calendar.ago(paper["days"]))
    agent[on_paper] = staff.ids.to_pylist().index(paper["agent_id"])
    used &= ~on_paper
    used |= customers.planted[customer]
    delay[customers.planted[customer]] = 4
    sure, settled = _settled_mix(calendar, product, signed, mix)
    used[settled] = sure[settled]
    window = np.array([row[3] for row in PRODUCTS])[product]
    # Within the window: the rate that a manager looks at counts no other use.
    delay[settled] = np.minimum(delay % window, (calendar.until - signed).astype(int))[settled]

    activated = signed + delay
    used &= activated <= end
    activated = np.where(used, activated, NEVER)
    life = chance.exponential(np.where(electronic, np.where(customers.keen[customer], 2500, 110), 1500)).astype(int)
    silent = np.where(chance.random(count) < 0.85, chance.integers(0, 25, count), chance.integers(25, 80, count))
    last_used = np.maximum(np.minimum(activated + life, end - silent), activated)
    closed = np.where(used, last_used, signed) + chance.integers(20, 400, count)
    closed = np.where((chance.random(count) < 0.06) & (closed <= end) & ~customers.planted[customer], closed, NEVER)
    closed = np.where(np.isnat(closed) & (end < calendar.until), end, closed)
    contracts = _Contracts(customer, product, agent, signed, activated, last_used)
    frame: Frame = {
        "contract_id": _numbered("K", count, 8),
        "customer_id": customers.ids.take(customer),
        "product_id": PRODUCT_IDS.take(product),
        "branch_id": tree.ids.take(outlet),
        "agent_id": staff.ids.take(agent),
        "signed_on": signed,
        "activated_on": _days(activated),
        "closed_on": _days(closed),
        "last_used_on": _days(last_used),
    }
    return contracts, frame


def _mix_quarters(calendar: _Calendar) -> np.ndarray:
    """First days of the last two complete quarters, and the day after them."""
    after = (calendar.until + 1).astype("M8[M]").astype(int) // 3 * 3
    return np.array([after - 6, after - 3, after]).astype("M8[M]").astype("M8[D]")


def _moved_mix(calendar: _Calendar, product: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """The days of signing of the mix story's branch: cards move to the earlier quarter, electronic products to the
    later one, and what is not part of the story to the half year before."""
    earlier, later, after = _mix_quarters(calendar)
    moved = signed.copy()
    inside = (signed >= earlier) & (signed < after)
    shares = {PRODUCT_AT[id_]: share for id_, (share, *_) in STORIES["mix"]["products"].items()}
    for one in np.unique(product[inside]):
        rows = np.flatnonzero(inside & (product == one))
        if one not in shares or len(rows) < 2:
            moved[rows] = calendar.on_or_before(signed[rows] - 190)
            continue
        split = min(max(1, round(shares[one] * len(rows))), len(rows) - 1)
        for part, begin, end in ((rows[:split], earlier, later), (rows[split:], later, after)):
            days = calendar.working[(calendar.working >= begin) & (calendar.working < end)]
            moved[part] = days[np.arange(len(part)) * 7919 % len(days)]
    return moved


def _settled_mix(
    calendar: _Calendar, product: np.ndarray, signed: np.ndarray, mix: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the mix story's contracts are activated, and for which of them that is settled: exact shares, because
    with chance a small product's rate could fall by accident."""
    earlier, later, after = _mix_quarters(calendar)
    used, settled = np.zeros(len(product), bool), mix & (signed >= earlier) & (signed < after)
    for id_, (_, before, now) in STORIES["mix"]["products"].items():
        one = settled & (product == PRODUCT_AT[id_])
        was, is_ = np.flatnonzero(one & (signed < later)), np.flatnonzero(one & (signed >= later))
        if len(was):
            risen = int(before * len(was))
            used[_spread(was, risen)] = True
            used[_spread(is_, max(round(now * len(is_)), risen * len(is_) // len(was) + 1))] = True
    return used, settled


def _spread(rows: np.ndarray, number: int) -> np.ndarray:
    """So many of `rows`, evenly: rows are in the order of their days, and a rate is asked of the older ones alone."""
    reached = np.arange(len(rows) + 1) * number // len(rows)
    return rows[reached[1:] > reached[:-1]]


def _usage(
    chance: np.random.Generator, calendar: _Calendar, tree: _Tree, customers: _Customers, contracts: _Contracts
) -> Frame:
    used = np.flatnonzero(~np.isnat(contracts.activated) & np.isin(contracts.product, (*range(9), DEBIT)))
    since = calendar.start.astype("M8[M]").astype(int)
    first = contracts.activated[used].astype("M8[M]").astype(int)
    last = contracts.last_used[used].astype("M8[M]").astype(int)
    recorded = last >= since
    used, first, last = used[recorded], np.maximum(first[recorded], since), last[recorded]
    months = last - first + 1
    contract = np.repeat(used, months)
    month = np.repeat(first - np.cumsum(months) + months, months) + np.arange(months.sum())
    # The months of the first and of the last use are there for sure, because the contract's dates say so.
    sure = (month == np.repeat(first, months)) | (month == np.repeat(last, months))
    card = contracts.product[contract] == DEBIT
    count = len(contract)
    until_month = calendar.until.astype("M8[M]").astype(int)
    progress = np.clip(1 - (until_month - month) / 36, 0, 1)

    parts = []
    online = ~card & (sure | (chance.random(count) < 0.8))
    for use, share in enumerate((0.35, 0.30, 0.55, 0.12)):
        rows = np.flatnonzero(online & (chance.random(count) < share))
        parts.append((rows, np.full(len(rows), use), np.zeros(len(rows), int), 1 + chance.poisson(3.0, len(rows))))
    shown = np.zeros(count, bool)
    shown[np.concatenate([rows for rows, *_ in parts])] = True
    rows = np.flatnonzero(online & ~shown)
    parts.append((rows, np.full(len(rows), 2), np.zeros(len(rows), int), 1 + chance.poisson(1.0, len(rows))))
    atm = np.flatnonzero(card & (chance.random(count) < 0.12 + 0.14 * progress))
    atm_use = chance.choice([1, 2], len(atm), p=[0.7, 0.3])
    parts.append((atm, atm_use, np.ones(len(atm), int), 1 + chance.poisson(1.2, len(atm))))
    away = np.zeros(count, bool)
    away[atm] = True
    counter = np.flatnonzero(card & ((sure & ~away) | (chance.random(count) < 0.30)))
    # As many transactions at the counter as leave the month's substitution rate where it should be.
    elsewhere = np.bincount(
        np.concatenate([month[rows] for rows, *_ in parts]), np.concatenate([n for *_, n in parts]), until_month + 1
    )
    wanted = SUBSTITUTION[0] + (SUBSTITUTION[1] - SUBSTITUTION[0]) * progress[counter]
    visits = np.bincount(month[counter], minlength=until_month + 1)
    mean = (elsewhere / np.maximum(visits, 1))[month[counter]] * (1 - wanted) / wanted
    number = 1 + chance.poisson(np.maximum(mean - 1, 0))
    counter_use = chance.choice([0, 1, 3], len(counter), p=[0.35, 0.5, 0.15])
    parts.append((counter, counter_use, np.full(len(counter), 2), number))

    row, use, channel, number = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(month[row], kind="stable")
    row, use, channel, number = row[order], use[order], channel[order], number[order]
    # About 400 yuan a transaction on the electronic channels; looking moves no money.
    each = chance.lognormal(6.2, 0.9, len(row)) * np.where(channel == 2, 4.0, 1.0) * (use != 2)
    customer = contracts.customer[contract[row]]
    return {
        "customer_id": customers.ids.take(customer),
        "product_id": PRODUCT_IDS.take(contracts.product[contract[row]]),
        "branch_id": tree.ids.take(customers.outlet[customer]),
        "month": month[row].astype("M8[M]").astype("M8[D]"),
        "transactions": number.astype("int32"),
        "amount": np.round(each * number, 2),
        "channel": _words(schema.CHANNELS_OF_USE, channel),
        "kind": _words(USES, use),
    }


# Lists and contacts -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lists:
    ids: pa.Array
    owner: list[str]
    product: np.ndarray
    activates: np.ndarray
    """Whether the list is about using a product signed before, not about signing it."""
    starts: np.ndarray
    ends: np.ndarray

    @property
    def names(self) -> list[str]:
        place = {HEAD[0]: "全行"} | {id_: place for id_, place, *_ in NODES}
        return [
            f"{start.item().year}年{start.item().month}月"
            f"{place[owner]}{PRODUCTS[product][1]}{PURPOSES[int(activates)]}名单"
            for start, owner, product, activates in zip(
                self.starts, self.owner, self.product, self.activates, strict=True
            )
        ]


def _campaigns(chance: np.random.Generator, calendar: _Calendar) -> tuple[_Lists, Frame]:
    idle = STORIES["idle_list"]
    # Head office starts a list with every month, the branches theirs evenly in between.
    months = np.arange(calendar.start.astype("M8[M]"), calendar.until.astype("M8[M]") + 1).astype("M8[D]")
    local = CAMPAIGNS - len(months)
    span = (calendar.until - calendar.start).astype(int)
    between = calendar.start + ((np.arange(local) + chance.random(local)) / local * span).astype(int)
    starts = calendar.on_or_after(np.append(months, between))
    owners = np.append(np.full(len(months), HEAD[0]), chance.choice([id_ for id_, *_ in NODES], local, p=_owning()))
    order = np.argsort(starts, kind="stable")
    starts, owners = starts[order], owners[order]
    ends = starts + chance.choice([42, 49, 56, 70], CAMPAIGNS)
    likely = [0.30, 0.30, 0.05, 0.05, 0.05, 0.25]
    product = np.array(LIST_PRODUCTS)[chance.choice(len(LIST_PRODUCTS), CAMPAIGNS, p=likely)]
    activates = chance.random(CAMPAIGNS) < 0.25
    lists = _Lists(
        ids=pa.array([f"K{number:04d}" for number in range(1, CAMPAIGNS + 1)] + [idle["campaign_id"]]),
        owner=[*owners.tolist(), idle["branch_id"]],
        product=np.append(product, PRODUCT_AT[idle["product_id"]]),
        activates=np.append(activates, False),
        starts=np.append(starts, calendar.ago(idle["days"])),
        ends=np.append(ends, calendar.until + 30),
    )
    frame: Frame = {
        "campaign_id": lists.ids,
        "name": pa.array(lists.names),
        "product_id": PRODUCT_IDS.take(lists.product),
        "branch_id": pa.array(lists.owner),
        "starts_on": lists.starts,
        "ends_on": lists.ends,
        "expires_on": lists.ends + 30,
    }
    return lists, frame


def _owning() -> np.ndarray:
    """The chance of each branch to own a list, by its size."""
    weight = np.array([0.0 if id_ == VERY_SMALL_BRANCH else size for id_, *_, size in NODES])
    return weight / weight.sum()


@dataclass(frozen=True)
class _Work:
    """The assignments, as far as the contacts must agree with them."""

    ids: pa.Array
    customer: np.ndarray
    product: np.ndarray
    outcome: np.ndarray
    first_contact: np.ndarray
    """NaT: never contacted."""
    last_contact: np.ndarray
    signed: np.ndarray
    activated: np.ndarray


def _assignments(
    chance: np.random.Generator,
    calendar: _Calendar,
    tree: _Tree,
    staff: _Staff,
    customers: _Customers,
    contracts: _Contracts,
    lists: _Lists,
    scale: float,
) -> tuple[_Work, Frame]:
    idle = STORIES["idle_list"]
    holds = np.full((len(customers), len(PRODUCTS)), -1)
    holds[contracts.customer, contracts.product] = np.arange(len(contracts.customer))
    usable = tree.steady[customers.outlet] & ~customers.corporate & (customers.band > 0)
    # More and more is sold from lists.
    weight = np.where(np.array(lists.owner) == HEAD[0], 5.0, 1.0) * chance.uniform(0.7, 1.3, len(lists.owner))
    weight *= 1.045 ** ((lists.starts - calendar.start).astype(int) / 30)
    meant = ASSIGNMENTS * scale * weight / weight.sum()
    # Each outlet gets its part on its own day of the week.
    weekday = np.arange(len(tree.ids))[customers.outlet] % 5
    credited = np.zeros(len(contracts.customer), bool)
    parts = []
    for place, (owner, product, activates, start, end) in enumerate(
        zip(lists.owner, lists.product, lists.activates, lists.starts, lists.ends, strict=True)
    ):
        mine = np.flatnonzero(usable & (tree.under(owner)[customers.outlet] if owner != HEAD[0] else True))
        held = holds[mine, product]
        signed = np.where(held >= 0, contracts.signed[held], NEVER)
        activated = np.where(held >= 0, contracts.activated[held], NEVER)
        win = activated if activates else signed
        # The part with which a winner was handed out: some days or weeks before the win.
        could = np.flatnonzero((win > start) & (win <= end) & ~credited[held])
        ahead = (win[could] - start).astype(int) - chance.integers(3, 25, len(could))
        part = np.clip(ahead // 7, 0, PARTS - 1)
        handed = calendar.on_or_after(start + part * 7 + weekday[mine[could]])
        before = (win[could] > handed) & (~activates | (signed[could] < handed))
        could, part = could[before], part[before]
        spare = mine[
            (signed < start) & ~(activated <= end + 30) if activates else (held < 0) | (signed > end + 30)
        ]  # fmt: skip
        size = min(meant[place], max(0.7 * meant[place], len(could) / 0.10))
        # Of a running list only a part of the wins has happened.
        done = min(1.0, (calendar.until - start) / (end - start))
        winners = chance.permutation(len(could))[: max(1, round(size * done * chance.uniform(0.07, 0.14)))]
        if lists.ids[place].as_py() == idle["campaign_id"]:
            size, winners = max(idle["assignments"], meant[place] * 0.3), winners[:0]
        credited[held[could[winners]]] = True
        others = chance.permutation(spare)[: max(0, round(size) - len(winners))]
        customer = np.concatenate([mine[could[winners]], others])
        assigned = start + 7 * np.append(part[winners], chance.integers(0, PARTS, len(others))) + weekday[customer]
        won = np.arange(len(customer)) < len(winners)
        # What would be handed out after the last day is not yet there.
        known = assigned <= calendar.until
        parts.append((customer[known], won[known], assigned[known], np.full(known.sum(), place)))
    customer, won, assigned, campaign = (np.concatenate(column) for column in zip(*parts, strict=True))
    count = len(customer)
    end = lists.ends[campaign]
    product, activates = lists.product[campaign], lists.activates[campaign]
    held = holds[customer, product]
    signed = np.where(won, contracts.signed[held], NEVER)
    activated = np.where(won, contracts.activated[held], NEVER)
    win = np.where(activates, activated, signed)
    agent = customers.manager[customer]

    assigned = calendar.on_or_after(assigned)
    due = assigned + chance.choice([14, 21, 30], count, p=[0.25, 0.35, 0.40])
    slowness = chance.lognormal(0, 0.35, len(staff.ids)) * np.where(chance.random(len(staff.ids)) < BEHIND_SHARE, 4, 1)
    wait = np.ceil(chance.exponential(8.0 * slowness[agent])).astype(int)
    first = calendar.shift(assigned, wait)
    # After a win comes no first contact: most winners sign while they are spoken to, the others within three weeks.
    lead = np.where(chance.random(count) < 0.75, 0, chance.integers(0, 15, count))
    before_win = np.maximum(calendar.shift(np.where(won, win, calendar.until), -lead), assigned)
    first = np.where(won, np.minimum(first, before_win), first)
    # Nobody is contacted after the list has ended, nor after the last day.
    known = (calendar.place(assigned) + wait < len(calendar.working)) & (first <= end)
    covered = (known & (chance.random(count) < 0.97) & (campaign != len(parts) - 1)) | won
    steps = chance.integers(2, 12, count)
    next_ = calendar.shift(first, steps)
    again = (chance.random(count) < 0.7) & (next_ <= end)
    waiting = again & (calendar.place(first) + steps >= len(calendar.working))
    last = np.where(won, before_win, np.where(again & ~waiting, next_, first))

    names = {name: place for place, name in enumerate(schema.OUTCOMES)}
    result = chance.choice(
        [names["interested"], names["refused"], names["unreachable"], names["open"]], count, p=[0.10, 0.58, 0.28, 0.04]
    )
    undecided = chance.choice([names["interested"], names["open"]], count)
    result = np.where(waiting, undecided, result)
    result = np.where(covered, result, names["open"])
    # In the weeks after its end the list is cleared: who was interested did not sign, and who was never contacted is
    # written off as unreachable.
    cleared = end + chance.integers(1, 21, count)
    over = (cleared <= calendar.until) & (chance.random(count) >= STRAGGLING_SHARE)
    pending = np.isin(result, (names["interested"], names["open"]))
    result = np.where(over & pending, np.where(covered, names["interested"], names["unreachable"]), result)
    closed = np.where(pending, np.where(over, cleared, NEVER), last)
    won_by = np.where(
        activated <= last + 30, names["activated"], np.where(activates, names["activated"], names["signed"])
    )
    result = np.where(won, won_by, result)
    closed = np.where(won, np.where(result == names["activated"], activated, signed), closed)
    work = _Work(
        ids=_numbered("Z", count, 7),
        customer=customer,
        product=product,
        outcome=result,
        first_contact=np.where(covered, first, NEVER),
        last_contact=np.where(covered, last, NEVER),
        signed=signed,
        activated=activated,
    )
    frame: Frame = {
        "assignment_id": work.ids,
        "campaign_id": lists.ids.take(campaign),
        "customer_id": customers.ids.take(customer),
        "product_id": PRODUCT_IDS.take(product),
        "branch_id": tree.ids.take(customers.outlet[customer]),
        "agent_id": staff.ids.take(agent),
        "assigned_on": assigned,
        "due_on": due,
        "closed_on": _days(closed),
        "outcome": _words(schema.OUTCOMES, result),
    }
    return work, frame


def _contacts(
    chance: np.random.Generator,
    calendar: _Calendar,
    tree: _Tree,
    staff: _Staff,
    customers: _Customers,
    contracts: _Contracts,
    work: _Work,
    scale: float,
) -> Frame:
    names = {name: place for place, name in enumerate(schema.OUTCOMES)}
    touched = np.flatnonzero(~np.isnat(work.first_contact))
    several = touched[work.last_contact[touched] > work.first_contact[touched]]
    between = several[chance.random(len(several)) < 0.20]
    gap = calendar.place(work.last_contact[between]) - calendar.place(work.first_contact[between])
    middle = calendar.shift(work.first_contact[between], (gap * chance.random(len(between))).astype(int))
    task = np.concatenate([several, between, touched])
    day = np.concatenate([work.first_contact[several], middle, work.last_contact[touched]])
    final = np.arange(len(task)) >= len(several) + len(between)
    early = chance.choice([names["open"], names["interested"], names["unreachable"]], len(task), p=[0.40, 0.35, 0.25])
    # Who could not be reached in the end was not reached before.
    early = np.where(work.outcome[task] == names["unreachable"], names["unreachable"], early)
    outcome = np.where(final, work.outcome[task], early)
    # What was won is the contact's outcome only on the very day; before that the customer was interested.
    success = np.isin(outcome, (names["signed"], names["activated"]))
    on_the_day = np.where(
        work.activated[task] == day,
        names["activated"],
        np.where(work.signed[task] == day, names["signed"], names["interested"]),
    )
    outcome = np.where(success, on_the_day, outcome)
    listed = len(task)

    others = np.flatnonzero(tree.steady[customers.outlet])
    others = others[chance.integers(0, len(others), round(OTHER_CONTACTS * scale))]
    customer = np.concatenate([work.customer[task], others])
    product = np.concatenate([work.product[task], chance.choice(LIST_PRODUCTS, len(others))])
    span = np.full(len(others), calendar.start), np.full(len(others), calendar.until)
    day = np.concatenate([day, calendar.draw(chance, *span, 0.01)])
    possible = [names["open"], names["interested"], names["refused"], names["unreachable"]]
    outcome = np.concatenate([outcome, chance.choice(possible, len(others))])
    count = len(customer)
    kind = chance.choice(5, count, p=[0.24, 0.44, 0.10, 0.14, 0.08])
    reached = (outcome != names["unreachable"]) & ((outcome != names["open"]) | (chance.random(count) < 0.6))
    known = np.full(len(customers), calendar.until + 1)
    np.minimum.at(known, contracts.customer, contracts.signed)
    agreed = (outcome == names["interested"]) & (chance.random(count) < 0.6)
    following = np.where(agreed, day + chance.integers(3, 30, count), NEVER)
    at = _clock(chance, day, 9, 17)
    order = np.argsort(at, kind="stable")
    frame: Frame = {
        "assignment_id": work.ids.take(pa.array(np.resize(task, count), mask=np.arange(count) >= listed)),
        "customer_id": customers.ids.take(customer),
        "product_id": PRODUCT_IDS.take(product),
        "branch_id": tree.ids.take(customers.outlet[customer]),
        "agent_id": staff.ids.take(customers.manager[customer]),
        "contacted_at": at,
        "kind": _words(schema.CONTACT_KINDS, kind),
        # Somebody without a contract, or with the first one in the last half year.
        "new_customer": known[customer] > day - 180,
        "reached": reached,
        "outcome": _words(schema.OUTCOMES, outcome),
        "next_contact_on": _days(following),
    }
    in_order = pa.table(frame).take(order)
    return {"contact_id": _numbered("T", count, 7)} | dict(zip(in_order.column_names, in_order.columns, strict=True))


# Complaints, targets, surveys, events -------------------------------------------------------------


def _complaints(
    chance: np.random.Generator, calendar: _Calendar, tree: _Tree, staff: _Staff, customers: _Customers, scale: float
) -> Frame:
    spike = STORIES["queueing"]
    usual = max(60, round(COMPLAINTS * scale))
    weight = tree.size * np.where(tree.urban, 1.5, 1.0)
    outlet = chance.choice(len(weight), usual, p=weight / weight.sum())
    # Some months bring more of them than others, the first two of a year above all.
    days = np.arange(calendar.start, calendar.until + 1)
    month = days.astype("M8[M]").astype(int)
    busy = chance.lognormal(0, 0.07, month[-1] - month[0] + 1)[month - month[0]]
    so_far = np.concatenate([[0.0], np.cumsum(busy * np.where(month % 12 < 2, 1.15, 1.0))])
    begin, end = ((edge[outlet] - calendar.start).astype(int) for edge in (tree.first, tree.last + 1))
    at = so_far[begin] + chance.random(usual) * (so_far[end] - so_far[begin])
    day = days[np.clip(np.searchsorted(so_far, at, side="right") - 1, begin, end - 1)]
    # Two of three that fall on a free day are made on the next working day: the hotline is open, the counter is not.
    moved = _free(day) & (chance.random(usual) < 0.67)
    day[moved] = np.minimum(calendar.on_or_after(day[moved]), tree.last[outlet[moved]])
    product = chance.choice(12, usual, p=[0.14, 0.18, 0.04, 0.01, 0.07, 0.06, 0.01, 0.02, 0.0, 0.27, 0.16, 0.04])
    online = product < 9
    cause = np.where(
        online,
        chance.choice(8, usual, p=[0.06, 0.34, 0.12, 0.14, 0.03, 0.10, 0.15, 0.06]),
        chance.choice(8, usual, p=[0.27, 0.08, 0.19, 0.12, 0.09, 0.08, 0.11, 0.06]),
    )
    places = np.flatnonzero(tree.under(spike["branch_id"]))
    extra = spike["complaints"]
    outlet = np.append(outlet, places[chance.integers(0, len(places), extra)])
    day = np.append(day, calendar.ago(spike["days"] - 1) + (chance.random(extra) * spike["days"]).astype(int))
    product = np.append(product, np.full(extra, DEBIT))
    cause = np.append(cause, np.full(extra, CAUSES.index(spike["cause"])))

    received = _clock(chance, day, 8, 20)
    order = np.argsort(received, kind="stable")
    outlet, day, product, cause, received = outlet[order], day[order], product[order], cause[order], received[order]
    count = len(outlet)
    channel = chance.choice(5, count, p=[0.46, 0.22, 0.20, 0.06, 0.06])
    due = day + chance.choice([15, 30, 60], count, p=[0.86, 0.11, 0.03])
    took = np.ceil(chance.lognormal(1.75, 0.65, count)).astype(int)
    took = np.where(chance.random(count) < 0.006, 10_000, took)
    closed = _clock(chance, day + took, 9, 17)
    # A complaint about an outlet that closes is answered before it does.
    gone = (tree.last[outlet] < calendar.until) & (closed.astype("M8[D]") > tree.last[outlet])
    closed = np.where(gone, np.maximum(tree.last[outlet].astype("M8[s]") + np.timedelta64(21, "h"), received), closed)
    open_ = closed.astype("M8[D]") > calendar.until
    ranges = np.searchsorted(customers.outlet, [np.arange(len(tree.ids)), np.arange(1, len(tree.ids) + 1)])
    size = (ranges[1] - ranges[0])[outlet]
    customer = ranges[0][outlet] + (chance.random(count) * size).astype(int)
    unknown = (chance.random(count) < 0.2) | (size == 0)
    customer[unknown] = 0
    about_agent = (np.isin(cause, (2, 3, 7))) & (chance.random(count) < 0.6)

    # A repeat is the next complaint about the same product at the same outlet within 90 days, by the same customer.
    near = np.lexsort((np.arange(count), product, outlet))
    before, after = near[:-1], near[1:]
    again = (outlet[before] == outlet[after]) & (product[before] == product[after]) & (day[after] - day[before] <= 90)
    again &= (cause[before] == cause[after]) & (chance.random(count - 1) < 0.45)
    repeats = np.full(count, -1)
    repeats[after[again]] = before[again]
    for position in np.flatnonzero(repeats >= 0):
        customer[position], unknown[position] = customer[repeats[position]], unknown[repeats[position]]
    ids = _numbered("B", count, 6)
    return {
        "complaint_id": ids,
        "branch_id": tree.ids.take(outlet),
        "product_id": PRODUCT_IDS.take(product),
        "customer_id": customers.ids.take(pa.array(customer, mask=unknown)),
        "agent_id": staff.ids.take(pa.array(staff.manager(chance, outlet), mask=~about_agent)),
        "cause": _words(CAUSES, cause),
        "channel": _words(COMPLAINT_CHANNELS, channel),
        "severity": _words(SEVERITIES, chance.choice(3, count, p=[0.3, 0.58, 0.12])),
        "received_at": received,
        "due_on": due,
        "closed_at": pa.array(np.where(open_, np.datetime64("NaT"), closed), from_pandas=True),
        "outcome": _words(COMPLAINT_OUTCOMES, chance.choice(4, count, p=[0.5, 0.12, 0.28, 0.1]), missing=open_),
        "repeat_of": ids.take(pa.array(np.maximum(repeats, 0), mask=repeats < 0)),
        "regulator": channel == COMPLAINT_CHANNELS.index("regulator"),
    }


def _targets(
    chance: np.random.Generator, calendar: _Calendar, tree: _Tree, customers: _Customers, contracts: _Contracts
) -> Frame:
    """Quarterly targets of the branches right below head office, which together are the whole bank."""
    owners = [id_ for id_, *_ in NODES if len(id_) < 4]
    owner_of = np.zeros(len(tree.ids), int)
    for place, id_ in enumerate(owners):
        owner_of[tree.under(id_)] = place
    owner = owner_of[customers.outlet[contracts.customer]]
    quarters = calendar.quarters
    quarter = np.searchsorted(quarters, contracts.signed, side="right") - 1
    rows = []
    for product in (None, NET, MOBILE, CREDIT):
        mine = contracts.product == product if product is not None else np.ones(len(owner), bool)
        counts = np.zeros((len(owners), len(quarters)))
        np.add.at(counts, (owner[mine], quarter[mine]), 1)
        used = (~np.isnat(contracts.activated[mine])).mean()
        # The running quarter is not over, and the first may not be whole: their targets follow their neighbours.
        counts[:, -1] = counts[:, -2] * 1.04
        counts[:, 0] = np.maximum(counts[:, 0], counts[:, 1] * 0.96)
        for measure, share in (("signed", 1.0), ("activated", used)):
            wanted = np.maximum(1, np.round(counts * share * chance.uniform(0.88, 1.22, counts.shape)))
            for (place, at), value in np.ndenumerate(wanted):
                rows.append((measure, owners[place], product, quarters[at], value))
    measures, branch, products, starts, values = zip(*rows, strict=True)
    starts_on = np.array(starts)
    return {
        "target_id": _numbered("G", len(rows), 5),
        "measure": pa.array(measures),
        "branch_id": pa.array(branch),
        "product_id": PRODUCT_IDS.take(pa.array(products, pa.int64())),
        "starts_on": starts_on,
        "ends_on": (starts_on.astype("M8[M]") + 3).astype("M8[D]") - 1,
        "value": np.array(values),
    }


def _surveys(chance: np.random.Generator, calendar: _Calendar, tree: _Tree, scale: float) -> Frame:
    count = max(50, round(SURVEYS * scale))
    outlet = chance.choice(len(tree.size), count, p=tree.size / tree.size.sum())
    mean = 8.1 + 0.8 * tree.mood[outlet]
    product = chance.integers(0, len(PRODUCTS), count)
    return {
        "survey_id": _numbered("S", count, 6),
        "branch_id": tree.ids.take(outlet),
        "product_id": PRODUCT_IDS.take(pa.array(product, mask=chance.random(count) < 0.4)),
        "answered_on": calendar.draw(chance, tree.first[outlet], tree.last[outlet], 0.0),
        "score": np.clip(np.round(chance.normal(mean, 1.8)), 0, 10).astype("int32"),
    }


def _events(calendar: _Calendar, tree: _Tree, lists: _Lists) -> Frame:
    fault, outlet = STORIES["fault"], STORIES["three_of_three"]
    rows = [
        (calendar.ago(fault["days"]), fault["branch_id"], fault["product_id"], "手机银行系统故障"),
        (calendar.ago(outlet["days"]), outlet["branch_id"], None, "网点开业"),
        (tree.last[tree.position(CLOSED_OUTLET)], CLOSED_OUTLET, None, "网点撤并"),
    ]
    rows += [
        (start, owner, PRODUCTS[product][0], f"{name}启动")
        for start, owner, product, name in zip(lists.starts, lists.owner, lists.product, lists.names, strict=True)
    ]
    rows.sort(key=lambda row: (row[0], row[1], row[3]))
    day, branch, product, label = zip(*rows, strict=True)
    columns = ("branch_id", "product_id", "label")
    return {"happened_on": np.array(day)} | {
        name: pa.array(values) for name, values in zip(columns, (branch, product, label), strict=True)
    }


# Columns ------------------------------------------------------------------------------------------


def _numbered(letter: str, count: int, digits: int) -> pa.Array:
    return pa.array([f"{letter}{number:0{digits}d}" for number in range(1, count + 1)])


def _words(words: tuple[str, ...], index: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(words).take(pa.array(index.astype(int), mask=missing))


def _days(days: np.ndarray) -> pa.Array:
    """Dates, with null where there is none."""
    return pa.array(days, from_pandas=True)


def _clock(chance: np.random.Generator, days: np.ndarray, first_hour: int, last_hour: int) -> np.ndarray:
    """A minute of each day between the two hours."""
    return days.astype("M8[s]") + chance.integers(first_hour * 60, last_hour * 60, len(days)) * np.timedelta64(60, "s")


def _pick(letters: str | tuple[str, ...], chance: np.random.Generator, count: int, length: int) -> np.ndarray:
    """`count` words of `length` random letters."""
    words = np.array(list(letters), dtype=object)
    return words[chance.integers(0, len(words), (length, count))].sum(axis=0)


def _people(chance: np.random.Generator, count: int) -> np.ndarray:
    """Names of people, of two or three characters."""
    short = chance.random(count) < 0.2
    given = np.where(short, _pick(GIVEN, chance, count, 1), _pick(GIVEN, chance, count, 2))
    return _pick(SURNAMES, chance, count, 1) + given
