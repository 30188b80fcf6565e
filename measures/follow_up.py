"""Follow-up: what became of the customers on the lists, and who is still waiting."""

from __future__ import annotations

from sqlalchemy import Date, and_, case, cast, func, or_, select

from measures.dimensions import (
    CLOCK,
    CONTACT_KIND,
    DAYS_TO_CONTACT,
    LIST_LEFT,
    OPEN_AGE,
    PLACE,
    agent_key,
    branch_keys,
    campaign_key,
    customer_keys,
    days_watched,
    lookups_of,
    open_age,
    product_keys,
    time_keys,
    time_left,
)
from measures.given import AS_OF, SEEN_ON, days_after, days_between
from measures.masks import masked_name, masked_phone
from measures.model import (
    Better,
    Count,
    CustomerList,
    Derived,
    Fact,
    Key,
    Listing,
    ListingColumn,
    Placed,
    Ratio,
    Unit,
    _,
)
from measures.schema import agents, assignments, campaigns, contacts, contracts, customers, products

FAMILY_NAME = _("Follow-up")
CONVERSION_DAYS = 30
"""A contract signed or first used this many days after a contact counts as its result."""

_contacted_on = cast(contacts.c.contacted_at, Date)

ASSIGNMENT_CONTACTS = Derived(
    "assignment_contacts",
    select(
        contacts.c.assignment_id,
        func.min(_contacted_on).label("first_on"),
        func.min(case((contacts.c.reached, _contacted_on))).label("first_reached_on"),
        func.max(_contacted_on).label("last_on"),
    )
    .where(contacts.c.assignment_id.is_not(None))
    .group_by(contacts.c.assignment_id),
)


def _soon_after(day):
    return case((and_(day >= _contacted_on, day <= days_after(_contacted_on, CONVERSION_DAYS)), day))


ASSIGNMENT_RESULTS = Derived(
    "assignment_results",
    # Grouped, because one assignment may have several contacts and contracts: joined as they are they would multiply it.
    # The least of a day and null is the day, in DuckDB as in PostgreSQL.
    select(
        contacts.c.assignment_id,
        func.min(
            func.least(_soon_after(contracts.c.signed_on), _soon_after(contracts.c.activated_on), type_=Date)
        ).label("converted_on"),
    )
    .select_from(
        contacts.join(assignments, assignments.c.assignment_id == contacts.c.assignment_id).join(
            contracts,
            and_(
                contracts.c.customer_id == assignments.c.customer_id,
                contracts.c.product_id == assignments.c.product_id,
            ),
        )
    )
    .group_by(contacts.c.assignment_id),
)

_keys = (
    branch_keys()
    | product_keys(assignments.c.product_id)
    | agent_key(assignments.c.agent_id)
    | campaign_key(assignments.c.campaign_id)
    | customer_keys()
)
_lookups = lookups_of(assignments, assignments.c.branch_id) | {
    ASSIGNMENT_CONTACTS: ASSIGNMENT_CONTACTS.c.assignment_id == assignments.c.assignment_id,
    ASSIGNMENT_RESULTS: ASSIGNMENT_RESULTS.c.assignment_id == assignments.c.assignment_id,
}

_list = CustomerList(assignments.c.campaign_id, campaigns.c.expires_on)

# Facts --------------------------------------------------------------------------------------------------------------

# Follow-up is an agent's work: to an agent, the customers given to the agent and the contacts that the agent made, also where
# somebody else looks after the customer.

ASSIGNED = Fact(
    name="assignments",
    grain=_("one customer of a list given to an agent, on that day"),
    source=assignments,
    branch=assignments.c.branch_id,
    placed=Placed.EVENT,
    day=assignments.c.assigned_on,
    keys=_keys
    | {
        DAYS_TO_CONTACT: days_watched(
            assignments.c.assigned_on, ASSIGNMENT_CONTACTS.c.first_on, assignments.c.closed_on
        )
    }
    | time_keys(assignments.c.assigned_on),
    lookups=_lookups,
    agent=assignments.c.agent_id,
    customer_list=_list,
)

_list_days = days_between(AS_OF.c.day, campaigns.c.ends_on)

OPEN = Fact(
    name="open_assignments",
    grain=_("one assignment, open on the last day of the period"),
    source=assignments.join(
        AS_OF,
        and_(
            assignments.c.assigned_on <= AS_OF.c.day,
            or_(assignments.c.closed_on.is_(None), assignments.c.closed_on > AS_OF.c.day),
        ),
    ),
    branch=assignments.c.branch_id,
    placed=Placed.BALANCE,
    day=AS_OF.c.day,
    keys=_keys
    | {
        OPEN_AGE: open_age(assignments.c.assigned_on),
        CLOCK: time_left(assignments.c.due_on),
        LIST_LEFT: Key(
            case(
                (_list_days < 0, "0-over"),
                (_list_days <= 7, "1-07"),
                (_list_days <= 30, "2-30"),
                (campaigns.c.ends_on.is_not(None), "3-later"),
            )
        ),
    }
    | time_keys(AS_OF.c.day),
    lookups=_lookups,
    agent=assignments.c.agent_id,
    customer_list=_list,
)

OVERDUE = Fact(
    name="overdue_assignments",
    grain=_("one assignment, open and past its due day on the last day of the period"),
    source=OPEN.source,
    branch=OPEN.branch,
    placed=Placed.BALANCE,
    day=OPEN.day,
    keys=OPEN.keys,
    lookups=OPEN.lookups,
    only=(assignments.c.due_on < AS_OF.c.day,),
    agent=OPEN.agent,
    customer_list=OPEN.customer_list,
)

CONTACTS = Fact(
    name="contacts",
    grain=_("one follow-up: a visit, a call, a message"),
    source=contacts,
    branch=contacts.c.branch_id,
    placed=Placed.EVENT,
    day=_contacted_on,
    keys=branch_keys()
    | product_keys(contacts.c.product_id)
    | agent_key(contacts.c.agent_id)
    | customer_keys()
    | {CONTACT_KIND: Key(contacts.c.kind)}
    | time_keys(_contacted_on),
    lookups=lookups_of(contacts, contacts.c.branch_id),
    agent=contacts.c.agent_id,
)


# An outcome carries no day of its own; it was known when the assignment was closed.
_known_by_then = or_(assignments.c.closed_on.is_(None), assignments.c.closed_on <= SEEN_ON)


def _sold(outcome):
    return or_(outcome == "signed", outcome == "activated")


# Measures -----------------------------------------------------------------------------------------------------------

assigned = Count(
    name="assigned",
    label=_("Assigned"),
    meaning=_("Assignments made in the period: a customer given to an agent counts once for each list"),
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(),
)

contacted = Count(
    name="contacted",
    label=_("Contacted"),
    meaning=_("Of the assignments made in the period, those contacted at least once since"),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((ASSIGNMENT_CONTACTS.c.first_on <= SEEN_ON, 1))),
)

reached = Count(
    name="reached",
    label=_("Reached"),
    meaning=_("Of the assignments made in the period, those spoken to at least once since"),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((ASSIGNMENT_CONTACTS.c.first_reached_on <= SEEN_ON, 1))),
)

list_signed = Count(
    name="list_signed",
    label=_("Signed or activated"),
    meaning=_("Of the assignments made in the period, those recorded as signed or activated"),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((and_(_sold(assignments.c.outcome), _known_by_then), 1))),
)

list_activated = Count(
    name="list_activated",
    label=_("Activated from lists"),
    meaning=_("Of the assignments made in the period, those recorded as activated"),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((and_(assignments.c.outcome == "activated", _known_by_then), 1))),
)

coverage = Ratio(
    name="coverage",
    label=_("Coverage"),
    meaning=_("Of the assignments made in the period, the share contacted since"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=contacted,
    under=assigned,
)

effective_contact = Ratio(
    name="effective_contact",
    label=_("Effective contact"),
    meaning=_("Of the customers contacted, the share spoken to"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=reached,
    under=contacted,
)

list_signing = Ratio(
    name="list_signing",
    label=_("Signed of reached"),
    meaning=_("Customers recorded as signed or activated, as a share of those spoken to"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=list_signed,
    under=reached,
)

list_activation = Ratio(
    name="list_activation",
    label=_("Activated of signed"),
    meaning=_("Customers recorded as activated, as a share of those recorded as signed or activated"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=list_activated,
    under=list_signed,
)

converted = Count(
    name="converted",
    label=_("Converted"),
    meaning=_(
        "Of the assignments made in the period, those whose customer signed or first used the product within 30 days of a contact"
    ),
    better=Better.HIGHER,
    settles=30,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((ASSIGNMENT_RESULTS.c.converted_on <= SEEN_ON, 1))),
)

conversion = Ratio(
    name="conversion",
    label=_("Conversion"),
    meaning=_(
        "Of the customers contacted, the share who signed or first used the list's product within 30 days of a contact"
    ),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    costly=True,
    over=converted,
    under=contacted,
)

due = Count(
    name="due",
    label=_("First contact due"),
    meaning=_("Of the assignments made in the period, those whose first contact was due by the data's date"),
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(case((assignments.c.due_on <= SEEN_ON, 1))),
)

contacted_on_time = Count(
    name="contacted_on_time",
    label=_("Contacted on time"),
    meaning=_("Of the assignments whose first contact was due, those contacted by the due day"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=ASSIGNED,
    of=func.count(
        case((and_(assignments.c.due_on <= SEEN_ON, ASSIGNMENT_CONTACTS.c.first_on <= assignments.c.due_on), 1))
    ),
)

on_time = Ratio(
    name="on_time",
    label=_("On time"),
    meaning=_("Of the assignments made in the period whose first contact was due, the share contacted by the due day"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=contacted_on_time,
    under=due,
)

open_assignments = Count(
    name="open_assignments",
    label=_("Open"),
    meaning=_("Assignments open on the last day of the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=OPEN,
    of=func.count(),
)

overdue_assignments = Count(
    name="overdue_assignments",
    label=_("Overdue"),
    meaning=_("Assignments open and past their due day on the last day of the period"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    fact=OVERDUE,
    of=func.count(),
)

overdue_share = Ratio(
    name="overdue_share",
    label=_("Overdue, share"),
    meaning=_("Of the assignments open on the last day of the period, the share past their due day"),
    better=Better.LOWER,
    family=FAMILY_NAME,
    over=overdue_assignments,
    under=open_assignments,
)

contacts_made = Count(
    name="contacts",
    label=_("Contacts"),
    meaning=_("Visits, calls and messages in the period"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=CONTACTS,
    of=func.count(),
)

contacts_reached = Count(
    name="contacts_reached",
    label=_("Contacts that reached"),
    meaning=_("Contacts in the period in which the customer was spoken to"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=CONTACTS,
    of=func.count(case((contacts.c.reached, 1))),
)

contacts_signed = Count(
    name="contacts_signed",
    label=_("Contacts that signed"),
    meaning=_("Contacts in the period that ended in a signing or an activation"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    fact=CONTACTS,
    of=func.count(case((_sold(contacts.c.outcome), 1))),
)

contact_success = Ratio(
    name="contact_success",
    label=_("Contact success"),
    meaning=_("Of the contacts in the period, the share that ended in a signing or an activation"),
    better=Better.HIGHER,
    family=FAMILY_NAME,
    over=contacts_signed,
    under=contacts_made,
)

MEASURES = (
    assigned, contacted, reached, list_signed, list_activated, coverage, effective_contact, list_signing,
    list_activation, converted, conversion, due,
    contacted_on_time, on_time, open_assignments, overdue_assignments, overdue_share, contacts_made, contacts_reached,
    contacts_signed, contact_success,
)  # fmt: skip

# Listings -----------------------------------------------------------------------------------------------------------


overdue_customers = Listing(
    name="overdue_customers",
    label=_("Overdue customers"),
    meaning=_(
        "Customers whose assignment is open and past its due day on the last day of the period, the longest overdue first"
    ),
    fact=OVERDUE,
    columns=(
        ListingColumn("assignment_id", _("Assignment"), assignments.c.assignment_id),
        ListingColumn("customer", _("Customer"), masked_name(customers.c.name), clear=customers.c.name),
        ListingColumn("phone", _("Phone"), masked_phone(customers.c.phone), clear=customers.c.phone),
        ListingColumn("campaign", _("List"), campaigns.c.name),
        ListingColumn("product", _("Product"), products.c.name),
        ListingColumn("branch", _("Branch"), PLACE.c.name),
        ListingColumn("agent", _("Agent"), agents.c.name),
        ListingColumn("assigned_on", _("Assigned on"), assignments.c.assigned_on),
        ListingColumn("due_on", _("Due on"), assignments.c.due_on),
        ListingColumn(
            "days_overdue", _("Days overdue"), days_between(assignments.c.due_on, AS_OF.c.day), unit=Unit.COUNT
        ),
        ListingColumn("last_contact_on", _("Last contact"), ASSIGNMENT_CONTACTS.c.last_on),
    ),
    order=(assignments.c.due_on, assignments.c.assignment_id),
)

LISTINGS = (overdue_customers,)
DERIVED = (ASSIGNMENT_CONTACTS, ASSIGNMENT_RESULTS)
