"""What numbers can be split by, and where the facts keep it."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import ColumnElement, Date, FromClause, case, cast, extract, func, select

from measures.given import AS_OF, DATA_UNTIL, PARENT, SEEN_ON, days_between
from measures.model import Dimension, Key, _
from measures.schema import LEVELS, agents, branches, campaigns, customers, products

# The tree -----------------------------------------------------------------------------------------------------------

HEAD_OFFICE = Dimension("head_office", _("Head office"), in_tree=True, named=True)
BRANCH = Dimension("branch", _("First-level branch"), in_tree=True, named=True)
SUB_BRANCH = Dimension("sub_branch", _("Sub-branch"), in_tree=True, named=True)
OUTLET = Dimension("outlet", _("Outlet"), in_tree=True, named=True)
BELOW = Dimension("below", _("Branch below"), in_tree=True, named=True)
"""The children of the branch looked at, whatever their level; null is what was booked on that branch itself."""

OF_LEVEL = dict(zip(LEVELS, (HEAD_OFFICE, BRANCH, SUB_BRANCH, OUTLET), strict=True))
"""The dimension that tells the branches of a level apart."""

_node = branches.alias("node")
_above = [_node, *(branches.alias(f"above_{step}") for step in range(1, len(LEVELS)))]


def _first(condition, column: str) -> ColumnElement:
    """`column` of the node or the nearest branch above it that meets `condition`."""
    return case(*((condition(branch), branch.c[column]) for branch in _above))


def _tree() -> FromClause:
    source: FromClause = _node
    for lower, upper in pairwise(_above):
        source = source.outerjoin(upper, upper.c.branch_id == lower.c.parent_id)
    columns = [_node.c.branch_id.label("branch_id")]
    for level in LEVELS:
        columns.append(_first(lambda branch, level=level: branch.c.level == level, "branch_id").label(level))
        columns.append(_first(lambda branch, level=level: branch.c.level == level, "name").label(f"{level}_name"))
    return select(*columns).select_from(source).cte("tree")


TREE = _tree()
PLACE = branches.alias("place")
"""The branch that a fact is booked at; joined with every fact, because it says who may see it."""


def lies_below(path: ColumnElement[str], top: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether `path` is the path `top` or leads below it.

    Paths end in a full stop, so that 1.12. is no prefix of 1.120. — and they are compared by length, not by LIKE, because a
    branch's code may hold a % or _.
    """
    return func.substr(path, 1, func.length(top)) == top


def _children() -> FromClause:
    child = branches.alias("child")
    codes = func.substr(_node.c.path, func.length(PARENT) + 1)
    below = case((lies_below(_node.c.path, PARENT), func.nullif(func.split_part(codes, ".", 1), "")))
    rows = select(_node.c.branch_id, below.label("below"), child.c.name.label("below_name"))
    return rows.select_from(_node.outerjoin(child, child.c.branch_id == below)).subquery("children")


_CHILDREN = _children()
"""Each branch beside the child, of the branch looked at, that it lies below: once for each branch, not for each row of a fact."""


REGION = Dimension("region", _("Region"))
AREA = Dimension("area", _("Area"), values={"urban": _("Urban"), "rural": _("Rural")})

# Products and people ------------------------------------------------------------------------------------------------

PRODUCT = Dimension("product", _("Product"), named=True)
FAMILY = Dimension("family", _("Product family"))
AGENT = Dimension("agent", _("Agent"), named=True)
CAMPAIGN = Dimension("campaign", _("List"), named=True)

AGE_BAND = Dimension(
    "age_band",
    _("Age"),
    values={
        "00-17": _("under 18"),
        "18-25": _("18–25"),
        "26-30": _("26–30"),
        "31-40": _("31–40"),
        "41-50": _("41–50"),
        "51-60": _("51–60"),
        "61+": _("over 60"),
    },
)
GENDER = Dimension("gender", _("Gender"), values={"female": _("Women"), "male": _("Men")})
TIER = Dimension(
    "tier", _("Tier"), values={"top": _("Top"), "first": _("First"), "second": _("Second"), "general": _("General")}
)
PAYROLL = Dimension("payroll", _("Payroll customer"), values={"yes": _("Salary paid in"), "no": _("No salary paid in")})
CUSTOMER_KIND = Dimension(
    "customer_kind", _("Customer kind"), values={"personal": _("Personal"), "corporate": _("Corporate")}
)

# Follow-up and complaints -------------------------------------------------------------------------------------------

CONTACT_KIND = Dimension(
    "contact_kind",
    _("Contact kind"),
    values={
        "visit": _("Visit"),
        "call": _("Call"),
        "sms": _("Text message"),
        "wechat": _("WeChat"),
        "counter": _("At the counter"),
    },
)
USE_CHANNEL = Dimension(
    "use_channel",
    _("Channel of use"),
    values={"electronic": _("Electronic"), "atm": _("Cash machine"), "counter": _("At the counter")},
)
CAUSE = Dimension(
    "cause",
    _("Cause"),
    values={
        "queueing": _("Queueing"),
        "system_fault": _("System fault"),
        "attitude": _("Attitude of staff"),
        "training": _("Staff not trained"),
        "premises": _("Premises"),
        "delivery": _("Delivery"),
        "fees": _("Fees"),
        "misselling": _("Mis-selling"),
    },
)
COMPLAINT_CHANNEL = Dimension(
    "complaint_channel",
    _("Complaint channel"),
    values={
        "hotline": _("Hotline"),
        "counter": _("At the counter"),
        "app": _("App"),
        "letter": _("Letter"),
        "regulator": _("Regulator"),
    },
)
SEVERITY = Dimension("severity", _("Severity"), values={"low": _("Low"), "normal": _("Normal"), "high": _("High")})
COMPLAINT_STATE = Dimension(
    "complaint_state",
    _("State"),
    values={"closed": _("Closed"), "open": _("Open, within time"), "past_due": _("Open, past due")},
)
OPEN_AGE = Dimension(
    "open_age",
    _("Open for"),
    values={
        "00-03": _("0–3 days"),
        "04-07": _("4–7 days"),
        "08-14": _("8–14 days"),
        "15-30": _("15–30 days"),
        "31+": _("over 30 days"),
    },
)
CLOCK = Dimension(
    "clock",
    _("Time left"),
    values={
        "0-breached": _("past due"),
        "1-03": _("3 days or less"),
        "2-07": _("4–7 days"),
        "3-later": _("over 7 days"),
    },
)
LIST_LEFT = Dimension(
    "list_left",
    _("List ends"),
    values={
        "0-over": _("list is over"),
        "1-07": _("within 7 days"),
        "2-30": _("in 8–30 days"),
        "3-later": _("later"),
    },
)

# Time ---------------------------------------------------------------------------------------------------------------

DAY = Dimension("day", _("Day"), step="day")
WEEK = Dimension("week", _("Week"), step="week")
MONTH = Dimension("month", _("Month"), step="month")
QUARTER = Dimension("quarter", _("Quarter"), step="quarter")
YEAR = Dimension("year", _("Year"), step="year")
TIME = (DAY, WEEK, MONTH, QUARTER, YEAR)

DAYS_TO_USE = Dimension("days_to_use", _("Days to first use"), elapsed=True)
DAYS_TO_CONTACT = Dimension("days_to_contact", _("Days to first contact"), elapsed=True)
DAYS_TO_CLOSE = Dimension("days_to_close", _("Days to close"), elapsed=True)

DAYS_RUN = Dimension("days_run", _("Days since the target's start"), elapsed=True)
"""From a target's first day to the day on which it is looked at."""
DAYS_LEFT = Dimension("days_left", _("Days to the target's end"), elapsed=True)
DAYS_AGO = Dimension("days_ago", _("Days before that day"), elapsed=True)
"""How long before the day on which its target is looked at something happened that counts towards it."""

DIMENSIONS: tuple[Dimension, ...] = (
    HEAD_OFFICE, BRANCH, SUB_BRANCH, OUTLET, BELOW, REGION, AREA, PRODUCT, FAMILY, AGENT, CAMPAIGN, AGE_BAND, GENDER, TIER,
    PAYROLL, CUSTOMER_KIND, CONTACT_KIND, USE_CHANNEL, CAUSE, COMPLAINT_CHANNEL, SEVERITY, COMPLAINT_STATE, OPEN_AGE, CLOCK,
    LIST_LEFT, *TIME, DAYS_TO_USE, DAYS_TO_CONTACT, DAYS_TO_CLOSE, DAYS_RUN, DAYS_LEFT, DAYS_AGO,
)  # fmt: skip

OF_CUSTOMERS = (AGE_BAND, GENDER, TIER, PAYROLL, CUSTOMER_KIND)
OF_PRODUCTS = (PRODUCT, FAMILY)


# Where facts keep them ----------------------------------------------------------------------------------------------


def branch_keys() -> dict[Dimension, Key]:
    """The levels of the tree, the branch below the one looked at, region and area."""
    levels = {dimension: Key(TREE.c[level], TREE.c[f"{level}_name"]) for level, dimension in OF_LEVEL.items()}
    return levels | {
        BELOW: Key(_CHILDREN.c.below, _CHILDREN.c.below_name),
        REGION: Key(PLACE.c.region),
        AREA: Key(PLACE.c.area),
    }


def branch_lookups(branch: ColumnElement) -> dict[FromClause, ColumnElement]:
    """The joins that `branch_keys` read, for a fact that keeps its branch in `branch`."""
    return {TREE: TREE.c.branch_id == branch, _CHILDREN: _CHILDREN.c.branch_id == branch}


def time_keys(day: ColumnElement) -> dict[Dimension, Key]:
    """Day, week, month, quarter and year of `day`; a step is named by its first day."""
    return {step: Key(day if step is DAY else cast(func.date_trunc(step.step, day), Date)) for step in TIME}


def customer_keys() -> dict[Dimension, Key]:
    """What is known of the customer. The age is the one reached in the year of the data's date."""
    age = extract("year", DATA_UNTIL) - customers.c.birth_year
    return {
        AGE_BAND: Key(
            case(
                (customers.c.birth_year.is_(None), None),
                (age < 18, "00-17"),
                (age <= 25, "18-25"),
                (age <= 30, "26-30"),
                (age <= 40, "31-40"),
                (age <= 50, "41-50"),
                (age <= 60, "51-60"),
                else_="61+",
            )
        ),
        GENDER: Key(customers.c.gender),
        TIER: Key(customers.c.tier),
        PAYROLL: Key(case((customers.c.payroll, "yes"), (~customers.c.payroll, "no"))),
        CUSTOMER_KIND: Key(customers.c.kind),
    }


def product_keys(product: ColumnElement) -> dict[Dimension, Key]:
    """Product and family, for a fact that keeps its product in `product`."""
    return {PRODUCT: Key(product, products.c.name), FAMILY: Key(products.c.family)}


def agent_key(agent: ColumnElement) -> dict[Dimension, Key]:
    """The agent, for a fact that keeps its agent in `agent`."""
    return {AGENT: Key(agent, agents.c.name)}


def campaign_key(campaign: ColumnElement) -> dict[Dimension, Key]:
    """The customer list, for a fact that keeps its list in `campaign`."""
    return {CAMPAIGN: Key(campaign, campaigns.c.name)}


def lookups_of(table: FromClause, branch: ColumnElement) -> dict[FromClause, ColumnElement]:
    """The joins that the keys of a fact over `table` read; only those whose key `table` holds."""
    found = branch_lookups(branch)
    for lookup, key in (
        (products, "product_id"),
        (customers, "customer_id"),
        (agents, "agent_id"),
        (campaigns, "campaign_id"),
    ):
        if key in table.c and lookup is not table:
            found[lookup] = lookup.c[key] == table.c[key]
    return found


def open_age(since: ColumnElement, day: ColumnElement = AS_OF.c.day) -> Key:
    """How long an open item has been open on `day`, in bands."""
    days = days_between(since, day)
    return Key(
        case((days <= 3, "00-03"), (days <= 7, "04-07"), (days <= 14, "08-14"), (days <= 30, "15-30"), else_="31+")
    )


def time_left(due: ColumnElement, day: ColumnElement = AS_OF.c.day) -> Key:
    """How much time an open item had left on `day` until it is `due`, in bands; null where it has no such day."""
    days = days_between(day, due)
    return Key(
        case((due.is_(None), None), (days < 0, "0-breached"), (days <= 3, "1-03"), (days <= 7, "2-07"), else_="3-later")
    )


def days_watched(start: ColumnElement, event: ColumnElement, left: ColumnElement | None = None) -> Key:
    """For how many days from `start` something was watched: until the event, else until it left, else until the day looked from.

    What is recorded to have happened after it left happened. Days that run backwards in the data come out below zero.
    """
    until = SEEN_ON if left is None else func.least(left, SEEN_ON)  # the least of a day and null is the day
    return Key(case((event <= SEEN_ON, days_between(start, event)), else_=days_between(start, until)))
