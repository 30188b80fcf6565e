"""Complaints: how many, about what, how often for the size of the branch, and whether they are closed in time."""

from __future__ import annotations

from sqlalchemy import Date, and_, case, cast, func, literal_column, or_

from measures.activation import all_customers, holders
from measures.dimensions import (
    AGENT,
    CAUSE,
    CLOCK,
    COMPLAINT_CHANNEL,
    COMPLAINT_STATE,
    DAYS_TO_CLOSE,
    OF_PRODUCTS,
    OPEN_AGE,
    PLACE,
    SEVERITY,
    agent_key,
    branch_keys,
    customer_keys,
    days_watched,
    lookups_of,
    open_age,
    product_keys,
    time_keys,
    time_left,
)
from measures.given import AS_OF, SEEN_ON, days_between
from measures.model import Better, Count, Fact, Key, Listing, ListingColumn, Placed, Ratio, Spread, Unit, _
from measures.schema import complaints, customers, products

FAMILY_NAME = _("Complaints")

received_on = cast(complaints.c.received_at, Date)
closed_on = cast(complaints.c.closed_at, Date)
_closed_by_then = closed_on <= SEEN_ON
_open_then = or_(complaints.c.closed_at.is_(None), ~_closed_by_then)
_past_due = and_(_open_then, complaints.c.due_on < SEEN_ON)

_state = case((_closed_by_then, "closed"), (_past_due, "past_due"), else_="open")
_keys = (
    branch_keys()
    | product_keys(complaints.c.product_id)
    | agent_key(complaints.c.agent_id)
    | customer_keys()
    | {
        CAUSE: Key(complaints.c.cause),
        COMPLAINT_CHANNEL: Key(complaints.c.channel),
        SEVERITY: Key(complaints.c.severity),
    }
)
_lookups = lookups_of(complaints, complaints.c.branch_id)

# Facts --------------------------------------------------------------------------------------------------------------

# To an agent complaints are those from the customers whom the agent looks after. Not those about the agent: who is complained
# about is not the one to be told.

RECEIVED = Fact(
    name="complaints_received",
    grain=_("one complaint, on the day it came in"),
    source=complaints,
    branch=complaints.c.branch_id,
    placed=Placed.EVENT,
    day=received_on,
    keys=_keys
    | {COMPLAINT_STATE: Key(_state), DAYS_TO_CLOSE: days_watched(received_on, closed_on)}
    | time_keys(received_on),
    lookups=_lookups,
    agent=customers.c.agent_id,
)

CLOSED = Fact(
    name="complaints_closed",
    grain=_("one complaint, on the day it was closed"),
    source=complaints,
    branch=complaints.c.branch_id,
    placed=Placed.EVENT,
    day=closed_on,
    keys=_keys | time_keys(closed_on),
    lookups=_lookups,
    agent=customers.c.agent_id,
)

_days_left = days_between(AS_OF.c.day, complaints.c.due_on)

OPEN = Fact(
    name="complaints_open",
    grain=_("one complaint, open on the last day of the period"),
    source=complaints.join(
        AS_OF, and_(received_on <= AS_OF.c.day, or_(complaints.c.closed_at.is_(None), closed_on > AS_OF.c.day))
    ),
    branch=complaints.c.branch_id,
    placed=Placed.BALANCE,
    day=AS_OF.c.day,
    keys=_keys | {OPEN_AGE: open_age(received_on), CLOCK: time_left(complaints.c.due_on)} | time_keys(AS_OF.c.day),
    lookups=_lookups,
    agent=customers.c.agent_id,
)

_OF_COMPLAINTS = frozenset({CAUSE, COMPLAINT_CHANNEL, SEVERITY, COMPLAINT_STATE})

# Measures -----------------------------------------------------------------------------------------------------------

received = Count(
    name="complaints_received",
    label=_("Complaints received"),
    meaning=_("Complaints received in the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(),
)

closed = Count(
    name="complaints_closed",
    label=_("Complaints closed"),
    meaning=_("Complaints closed in the period, whenever they were received"),
    family=FAMILY_NAME,
    fact=CLOSED,
    of=func.count(),
)

closed_since = Count(
    name="complaints_closed_since",
    label=_("Closed since"),
    meaning=_("Of the complaints received in the period, those closed since"),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(case((_closed_by_then, 1))),
)

open_complaints = Count(
    name="complaints_open",
    label=_("Complaints open"),
    meaning=_("Complaints open on the last day of the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=OPEN,
    of=func.count(),
)

open_past_due = Count(
    name="complaints_past_due",
    label=_("Open past due"),
    meaning=_("Complaints open and past their due day on the last day of the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=OPEN,
    of=func.count(case((complaints.c.due_on < AS_OF.c.day, 1))),
)

per_1000_contracts = Ratio(
    name="complaints_per_1000_contracts",
    label=_("Per 1,000 contracts"),
    meaning=_("Complaints received in the period for every 1,000 contracts open on its last day"),
    fewest=300,
    spread=Spread.RATES,
    unit=Unit.RATE,
    per=1000,
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=received,
    under=holders,
    spans=_OF_COMPLAINTS,
    never_by=frozenset({AGENT}),
    costly=True,
)

per_10000_customers = Ratio(
    name="complaints_per_10000_customers",
    label=_("Per 10,000 customers"),
    meaning=_("Complaints received in the period for every 10,000 customers whom the bank has today"),
    fewest=300,
    spread=Spread.RATES,
    unit=Unit.RATE,
    per=10_000,
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=received,
    under=all_customers,
    spans=_OF_COMPLAINTS | frozenset(OF_PRODUCTS),
)

to_close_on_time = Count(
    name="complaints_judged",
    label=_("Complaints judged"),
    meaning=_("Complaints received in the period, with a due day, that are closed, or open and past due"),
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(case((and_(complaints.c.due_on.is_not(None), or_(_closed_by_then, _past_due)), 1))),
)

closed_on_time = Count(
    name="complaints_closed_on_time",
    label=_("Closed on time"),
    meaning=_("Complaints received in the period and closed by their due day"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(case((and_(closed_on <= complaints.c.due_on, _closed_by_then), 1))),
)

closed_on_time_share = Ratio(
    name="complaints_on_time",
    label=_("Closed on time, share"),
    meaning=_(
        "Of the complaints received in the period, with a due day, that are closed or open past due, the share closed by that day"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=closed_on_time,
    under=to_close_on_time,
)


def _days_to_close(share: str):
    return func.percentile_disc(literal_column(share)).within_group(days_between(received_on, closed_on))


median_days = Count(
    name="complaints_median_days",
    label=_("Days to close, median"),
    meaning=_("Half of the complaints closed in the period took at most this many days. Open ones are not in it"),
    unit=Unit.DAYS,
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=CLOSED,
    of=_days_to_close("0.5"),
    adds_up=False,
    absent=None,
)

p90_days = Count(
    name="complaints_p90_days",
    label=_("Days to close, 9 in 10"),
    meaning=_(
        "Nine in ten of the complaints closed in the period took at most this many days. Open ones are not in it"
    ),
    unit=Unit.DAYS,
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=CLOSED,
    of=_days_to_close("0.9"),
    adds_up=False,
    absent=None,
)

repeated = Count(
    name="complaints_repeated",
    label=_("Repeated complaints"),
    meaning=_("Complaints received in the period that repeat an earlier one"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(complaints.c.repeat_of),
)

repeat_share = Ratio(
    name="complaints_repeat_share",
    label=_("Repeated, share"),
    meaning=_("Of the complaints received in the period, the share that repeat an earlier one"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=repeated,
    under=received,
)

from_regulator = Count(
    name="complaints_from_regulator",
    label=_("From the regulator"),
    meaning=_("Complaints received in the period that the regulator passed on"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=RECEIVED,
    of=func.count(case((complaints.c.regulator, 1))),
)

regulator_share = Ratio(
    name="complaints_regulator_share",
    label=_("From the regulator, share"),
    meaning=_("Of the complaints received in the period, the share that the regulator passed on"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=from_regulator,
    under=received,
)

MEASURES = (
    received, closed, closed_since, open_complaints, open_past_due, per_1000_contracts, per_10000_customers, to_close_on_time,
    closed_on_time, closed_on_time_share, median_days, p90_days, repeated, repeat_share, from_regulator, regulator_share,
)  # fmt: skip

# Listings -----------------------------------------------------------------------------------------------------------

complaint_list = Listing(
    name="complaint_list",
    label=_("Complaints"),
    meaning=_("Complaints received in the period, the latest first"),
    fact=RECEIVED,
    columns=(
        ListingColumn("complaint_id", _("Complaint"), complaints.c.complaint_id),
        ListingColumn("received_on", _("Received on"), received_on),
        ListingColumn("branch", _("Branch"), PLACE.c.name),
        ListingColumn("product", _("Product"), products.c.name),
        ListingColumn("cause", _("Cause"), complaints.c.cause, values=CAUSE.values),
        ListingColumn("channel", _("Complaint channel"), complaints.c.channel, values=COMPLAINT_CHANNEL.values),
        ListingColumn("state", _("State"), _state, values=COMPLAINT_STATE.values),
        ListingColumn("due_on", _("Due on"), complaints.c.due_on),
        ListingColumn("closed_on", _("Closed on"), closed_on),
    ),
    order=(complaints.c.received_at.desc(), complaints.c.complaint_id),
)

open_complaint_list = Listing(
    name="open_complaint_list",
    label=_("Open complaints"),
    meaning=_("Complaints open on the last day of the period, the next to breach first"),
    fact=OPEN,
    columns=(
        ListingColumn("complaint_id", _("Complaint"), complaints.c.complaint_id),
        ListingColumn("branch", _("Branch"), PLACE.c.name),
        ListingColumn("product", _("Product"), products.c.name),
        ListingColumn("cause", _("Cause"), complaints.c.cause, values=CAUSE.values),
        ListingColumn("received_on", _("Received on"), received_on),
        ListingColumn("due_on", _("Due on"), complaints.c.due_on),
        ListingColumn("days_left", _("Days left"), _days_left, unit=Unit.COUNT),
    ),
    order=(complaints.c.due_on, complaints.c.complaint_id),
)

LISTINGS = (complaint_list, open_complaint_list)
