"""Activation: who signed, who uses it, and what share of the bank that is."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Date, and_, case, cast, distinct, func, or_, select

from measures.dimensions import (
    DAYS_TO_USE,
    OF_PRODUCTS,
    USE_CHANNEL,
    agent_key,
    branch_keys,
    branch_lookups,
    customer_keys,
    days_watched,
    lookups_of,
    product_keys,
    time_keys,
)
from measures.given import AS_OF, DATA_UNTIL, SEEN_ON, days_after
from measures.model import Better, Count, Fact, Key, Placed, Ratio, _
from measures.schema import contract_months, contracts, customers, products, usage

FAMILY_NAME = _("Activation")

_contract_keys = (
    branch_keys() | product_keys(contracts.c.product_id) | agent_key(contracts.c.agent_id) | customer_keys()
)
_contract_lookups = lookups_of(contracts, contracts.c.branch_id)
_month_keys = branch_keys() | product_keys(contract_months.c.product_id)
_month_lookups = lookups_of(contract_months, contract_months.c.branch_id)

open_then = and_(
    contracts.c.signed_on <= AS_OF.c.day, or_(contracts.c.closed_on.is_(None), contracts.c.closed_on > AS_OF.c.day)
)

# Facts --------------------------------------------------------------------------------------------------------------

# To an agent a contract and its use are those of the customers whom the agent looks after today, whoever signed them; a month's
# counts are of nobody's customers.

SIGNED = Fact(
    name="contracts_signed",
    grain=_("one contract, on the day of its signing"),
    source=contracts,
    branch=contracts.c.branch_id,
    placed=Placed.EVENT,
    day=contracts.c.signed_on,
    keys=_contract_keys
    | {DAYS_TO_USE: days_watched(contracts.c.signed_on, contracts.c.activated_on, contracts.c.closed_on)}
    | time_keys(contracts.c.signed_on),
    lookups=_contract_lookups,
    agent=customers.c.agent_id,
)

CLOSED = Fact(
    name="contracts_closed",
    grain=_("one contract, on the day of its closing"),
    source=contracts,
    branch=contracts.c.branch_id,
    placed=Placed.EVENT,
    day=contracts.c.closed_on,
    keys=_contract_keys | time_keys(contracts.c.closed_on),
    lookups=_contract_lookups,
    agent=customers.c.agent_id,
)

HELD = Fact(
    name="contracts_held",
    grain=_("one contract, open on the last day of the period"),
    source=contracts.join(AS_OF, open_then),
    branch=contracts.c.branch_id,
    placed=Placed.BALANCE,
    day=AS_OF.c.day,
    keys=_contract_keys | time_keys(AS_OF.c.day),
    lookups=_contract_lookups,
    agent=customers.c.agent_id,
)

ELECTRONIC = Fact(
    # Under the customer's branch, not the contract's: so the customers counted are always among those they are divided by.
    name="electronic_contracts_held",
    grain=_("one activated contract for an electronic product, open on the last day of the period"),
    source=contracts.join(AS_OF, open_then)
    .join(customers, customers.c.customer_id == contracts.c.customer_id)
    .join(products, products.c.product_id == contracts.c.product_id),
    branch=customers.c.branch_id,
    placed=Placed.BALANCE,
    day=AS_OF.c.day,
    keys=branch_keys() | product_keys(contracts.c.product_id) | customer_keys() | time_keys(AS_OF.c.day),
    lookups=branch_lookups(customers.c.branch_id),
    only=(products.c.electronic, contracts.c.activated_on <= AS_OF.c.day),
    agent=customers.c.agent_id,
)

_per_customer = (
    select(contracts.c.customer_id, AS_OF.c.day, func.count(distinct(contracts.c.product_id)).label("held"))
    .select_from(contracts.join(AS_OF, open_then).join(products, products.c.product_id == contracts.c.product_id))
    .where(products.c.electronic)
    .group_by(contracts.c.customer_id, AS_OF.c.day)
    .subquery("electronic_products_held")
)

E_CUSTOMERS = Fact(
    name="electronic_customers",
    grain=_("one customer with an open contract for an electronic product on the last day of the period"),
    source=_per_customer.join(customers, customers.c.customer_id == _per_customer.c.customer_id),
    branch=customers.c.branch_id,
    placed=Placed.BALANCE,
    day=_per_customer.c.day,
    keys=branch_keys() | customer_keys() | time_keys(_per_customer.c.day),
    lookups=branch_lookups(customers.c.branch_id),
    agent=customers.c.agent_id,
)

CUSTOMERS = Fact(
    name="customers",
    grain=_("one customer whom the bank has today"),
    source=customers,
    branch=customers.c.branch_id,
    placed=Placed.SNAPSHOT,
    keys=branch_keys() | customer_keys() | agent_key(customers.c.agent_id),
    lookups=lookups_of(customers, customers.c.branch_id),
    agent=customers.c.agent_id,
)

MONTHS = Fact(
    name="contract_months",
    grain=_("one month of one product at one branch"),
    source=contract_months,
    branch=contract_months.c.branch_id,
    placed=Placed.EVENT,
    day=contract_months.c.month,
    keys=_month_keys | time_keys(contract_months.c.month),
    lookups=_month_lookups,
)

_first_of_running_month = cast(func.date_trunc("month", days_after(AS_OF.c.day, 1)), Date)
_first_of_last_month_over = cast(func.date_trunc("month", days_after(_first_of_running_month, -1)), Date)

MONTHS_HELD = Fact(
    # The counts stand at a month's end: on any other day the month before is the last one known.
    name="contract_months_held",
    grain=_("one month of one product at one branch, the last one over by the end of the period"),
    source=contract_months.join(AS_OF, contract_months.c.month == _first_of_last_month_over),
    branch=contract_months.c.branch_id,
    placed=Placed.BALANCE,
    day=AS_OF.c.day,
    keys=_month_keys | time_keys(AS_OF.c.day),
    lookups=_month_lookups,
)

USED = Fact(
    name="usage",
    grain=_("one customer's use of one product in one month"),
    source=usage,
    branch=usage.c.branch_id,
    placed=Placed.EVENT,
    day=usage.c.month,
    keys=branch_keys()
    | product_keys(usage.c.product_id)
    | customer_keys()
    | {USE_CHANNEL: Key(usage.c.channel)}
    | time_keys(usage.c.month),
    lookups=lookups_of(usage, usage.c.branch_id),
    agent=customers.c.agent_id,
)

# Counts -------------------------------------------------------------------------------------------------------------


def _known_now(condition):
    """How many meet `condition` on the data's date, null on any other day: the last use is known for that date alone."""
    return func.sum(case((AS_OF.c.day != DATA_UNTIL, None), (condition, 1), else_=0))


mature = days_after(contracts.c.signed_on, products.c.activation_days) <= SEEN_ON
used_by_then = contracts.c.activated_on <= SEEN_ON
in_window = contracts.c.activated_on <= days_after(contracts.c.signed_on, products.c.activation_days)

signed = Count(
    name="signed",
    label=_("Signed"),
    meaning=_("Contracts signed in the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=SIGNED,
    of=func.count(),
    otherwise=Count(
        name="signed",
        label=_("Signed"),
        meaning=_("Contracts signed in the months that begin in the period"),
        better=Better.HIGHER,
        family=FAMILY_NAME,
        fact=MONTHS,
        of=func.sum(contract_months.c.signed),
    ),
)

activated = Count(
    name="activated",
    label=_("Activated"),
    meaning=_("Of the contracts signed in the period, those used since"),
    settles=90,
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=SIGNED,
    of=func.count(case((used_by_then, 1))),
    otherwise=Count(
        name="activated",
        label=_("Activated"),
        meaning=_("Of the contracts signed in the months that begin in the period, those used since"),
        better=Better.HIGHER,
        family=FAMILY_NAME,
        fact=MONTHS,
        of=func.sum(contract_months.c.activated),
    ),
)

activation_rate = Ratio(
    name="activation_rate",
    label=_("Activation rate to date"),
    meaning=_("Of the contracts signed in the period, the share used since. Young contracts have had less time"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=activated,
    under=signed,
)

mature_signed = Count(
    name="mature_signed",
    label=_("Signed, window over"),
    meaning=_("Contracts signed in the period whose product's activation window is over"),
    family=FAMILY_NAME,
    fact=SIGNED,
    of=func.count(case((mature, 1))),
)

activated_in_window = Count(
    name="activated_in_window",
    label=_("Activated in the window"),
    meaning=_("Contracts signed in the period whose window is over and that were used within it"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=SIGNED,
    of=func.count(case((and_(mature, in_window), 1))),
)

cohort_activation_rate = Ratio(
    name="cohort_activation_rate",
    label=_("Activation rate"),
    meaning=_(
        "Of the contracts signed in the period whose product's activation window is over, "
        "the share used within the window"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=activated_in_window,
    under=mature_signed,
)

never_used = Count(
    name="never_used",
    label=_("Never used"),
    meaning=_("Contracts signed in the period whose activation window is over and that have not been used at all"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=SIGNED,
    of=func.count(case((and_(mature, or_(contracts.c.activated_on.is_(None), ~used_by_then)), 1))),
)

never_used_share = Ratio(
    name="never_used_share",
    label=_("Never used, share"),
    meaning=_("Of the contracts signed in the period whose activation window is over, the share not used at all"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=never_used,
    under=mature_signed,
)

closed = Count(
    name="closed",
    label=_("Contracts closed"),
    meaning=_("Contracts closed in the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=CLOSED,
    of=func.count(),
    otherwise=Count(
        name="closed",
        label=_("Contracts closed"),
        meaning=_("Contracts closed in the months that begin in the period"),
        better=Better.LOWER,
        family=FAMILY_NAME,
        fact=MONTHS,
        of=func.sum(contract_months.c.closed),
    ),
)

months_holders = Count(
    # Under a name of its own: in one answer a name means one count.
    name="holders_by_month",
    label=_("Contracts held"),
    meaning=_("Contracts open at the end of the last month that is over by the end of the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=MONTHS_HELD,
    of=func.sum(contract_months.c.holders),
    absent=None,
)

holders = Count(
    name="holders",
    label=_("Contracts held"),
    meaning=_("Contracts open on the last day of the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=HELD,
    of=func.count(),
    otherwise=replace(months_holders, name="holders"),
)

ever_activated = Count(
    name="ever_activated",
    label=_("Held and activated"),
    meaning=_("Contracts open on the last day of the period that had been used by then"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=HELD,
    of=func.count(case((contracts.c.activated_on <= AS_OF.c.day, 1))),
)

activation_stock = Ratio(
    name="activation_stock",
    label=_("Activation stock"),
    meaning=_(
        "Of the contracts open on the last day of the period, the share ever used by then. Flatters old branches"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=ever_activated,
    under=holders,
)


def _active(days: int, label: str, meaning: str, rate_label: str, rate_meaning: str) -> tuple[Count, Ratio]:
    used = contracts.c.last_used_on > days_after(AS_OF.c.day, -days)
    count = Count(
        name=f"active_{days}",
        label=label,
        meaning=meaning,
        better=Better.HIGHER,
        family=FAMILY_NAME,
        fact=HELD,
        of=_known_now(used),
        absent=None,
        only_now=True,
    )
    rate = Ratio(
        name=f"active_rate_{days}",
        label=rate_label,
        meaning=rate_meaning,
        better=Better.HIGHER,
        family=FAMILY_NAME,
        over=count,
        under=holders,
    )
    return count, rate


active_30, active_rate_30 = _active(
    30,
    _("Active in 30 days"),
    _("Contracts open and used in the last 30 days; known for the data's date alone"),
    _("Active rate, 30 days"),
    _("Of the contracts open, the share used in the last 30 days; known for the data's date alone"),
)
active_90, active_rate_90 = _active(
    90,
    _("Active in 90 days"),
    _("Contracts open and used in the last 90 days; known for the data's date alone"),
    _("Active rate, 90 days"),
    _("Of the contracts open, the share used in the last 90 days; known for the data's date alone"),
)

active = Count(
    name="active",
    label=_("Active, as the bank counts it"),
    meaning=_("Contracts that the bank's own monthly counts call active at the end of the last month that is over"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=MONTHS_HELD,
    of=func.sum(contract_months.c.active),
    absent=None,
)

active_rate = Ratio(
    name="active_rate",
    label=_("Active rate, as the bank counts it"),
    meaning=_(
        "Of the contracts in the bank's own monthly counts, the share called active at the end of the last month that is over"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=active,
    under=months_holders,
)

customers_held = Count(
    name="customers",
    label=_("Customers"),
    meaning=_("Different customers with an open contract on the last day of the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=HELD,
    of=func.count(distinct(contracts.c.customer_id)),
    adds_up=False,
)

all_customers = Count(
    name="all_customers",
    label=_("All customers"),
    meaning=_("Customers whom the bank has today, with or without a contract"),
    family=FAMILY_NAME,
    fact=CUSTOMERS,
    of=func.count(),
)

electronic_customers = Count(
    name="electronic_customers",
    label=_("E-banking customers"),
    meaning=_(
        "Different customers with an open contract for an electronic product that has been used, on the last day of the period"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=ELECTRONIC,
    of=func.count(distinct(contracts.c.customer_id)),
    adds_up=False,
)

penetration = Ratio(
    name="penetration",
    label=_("E-banking penetration"),
    meaning=_(
        "Of all customers whom the bank has today, the share with an open and used contract for an electronic product"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=electronic_customers,
    under=all_customers,
    spans=frozenset(OF_PRODUCTS),
)

holders_of_any = Count(
    name="electronic_holders",
    label=_("Customers holding e-products"),
    meaning=_("Different customers with an open contract for an electronic product on the last day of the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=E_CUSTOMERS,
    of=func.count(),
)

holders_of_several = Count(
    name="several_holders",
    label=_("Customers holding several e-products"),
    meaning=_(
        "Different customers with open contracts for two or more electronic products on the last day of the period"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=E_CUSTOMERS,
    of=func.count(case((_per_customer.c.held >= 2, 1))),
)

several_products = Ratio(
    name="several_products",
    label=_("Several products"),
    meaning=_("Of the customers with an electronic product, the share with two or more"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    costly=True,
    over=holders_of_several,
    under=holders_of_any,
)

transactions = Count(
    name="transactions",
    label=_("Transactions"),
    meaning=_("Transactions in the months that begin in the period"),
    better=Better.NEITHER,
    family=FAMILY_NAME,
    fact=USED,
    of=func.sum(usage.c.transactions),
    absent=None,
)

transactions_off_counter = Count(
    name="transactions_off_counter",
    label=_("Transactions off the counter"),
    meaning=_("Electronic and cash-machine transactions in the months that begin in the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=USED,
    of=func.sum(case((usage.c.channel != "counter", usage.c.transactions), else_=0)),
    absent=None,
)

substitution_rate = Ratio(
    name="substitution_rate",
    label=_("Substitution rate"),
    meaning=_(
        "Of all transactions in the months that begin in the period, the share made electronically or at a cash machine"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=transactions_off_counter,
    under=transactions,
    spread=None,
)

MEASURES = (
    signed, activated, activation_rate, mature_signed, activated_in_window, cohort_activation_rate, never_used,
    never_used_share, closed, holders, ever_activated, activation_stock, active_30, active_rate_30, active_90, active_rate_90,
    active, active_rate, customers_held, all_customers, electronic_customers, penetration, holders_of_any, holders_of_several,
    several_products, transactions, transactions_off_counter, substitution_rate,
)  # fmt: skip
