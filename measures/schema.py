"""The contract: the tables and columns that a warehouse offers to the dashboard, each with what it means.

A bank meets it with tables or with views. `REQUIRED` tables must be there, and at least one of `EVENTS`; whatever else
is missing takes away the measures that need it, and nothing more. A column that is `optional` may be missing or null;
one that is `nullable` is always there, and null says something ("not yet").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, String, Table
from sqlalchemy.types import TypeEngine

LEVELS = ("head_office", "branch", "sub_branch", "outlet")
"""From the top of the tree down. A branch lies on a deeper level than its parent, so no path is longer than this."""

OUTCOMES = ("open", "interested", "signed", "activated", "refused", "unreachable")
CONTACT_KINDS = ("visit", "call", "sms", "wechat", "counter")
CHANNELS_OF_USE = ("electronic", "atm", "counter")

metadata = MetaData()


@dataclass(frozen=True)
class Reference:
    """A column holds keys of another table of the contract."""

    table: str


def _column(
    name: str,
    type_: TypeEngine,
    meaning: str,
    *,
    key: bool = False,
    nullable: bool = False,
    optional: bool = False,
    personal: bool = False,
    one_of: Sequence[str] = (),
    of: str | None = None,
) -> Column:
    info = {"meaning": meaning, "optional": optional, "personal": personal, "one_of": tuple(one_of)}
    if of:
        info["of"] = Reference(of)
    # Keys and references are checked, not enforced by the engine: views have no constraints, and a loader that met
    # a duplicate key would stop at the first one instead of listing them all.
    return Column(name, type_, nullable=nullable or optional, info=info | {"key": key})


def _table(name: str, grain: str, *columns: Column) -> Table:
    return Table(name, metadata, *columns, info={"grain": grain})


branches = _table(
    "branches",
    "a node of the organisation",
    _column("branch_id", String(), "the branch's code; no full stop in it", key=True),
    _column("name", String(), "its name; two branches may share one"),
    _column("parent_id", String(), "the branch above it; null for head office", nullable=True, of="branches"),
    _column("level", String(), "how far down it stands", one_of=LEVELS),
    _column("path", String(), "the codes from head office down to it, each followed by a full stop: 1.12.120."),
    _column("region", String(), "the region it is reported under", optional=True),
    _column("area", String(), "urban or rural", optional=True, one_of=("urban", "rural")),
    _column("opened_on", Date(), "first day of business", optional=True),
    _column("closed_on", Date(), "last day of business", optional=True),
)

products = _table(
    "products",
    "a product",
    _column("product_id", String(), "the product's code", key=True),
    _column("name", String(), "its name"),
    _column("family", String(), "the family it belongs to"),
    _column(
        "activation_days",
        Integer(),
        "the days a customer has for the first use before the contract counts as not activated",
    ),
    _column("electronic", Boolean(), "whether it is an electronic channel"),
)

agents = _table(
    "agents",
    "a customer manager, product manager or teller",
    _column("agent_id", String(), "the agent's code", key=True),
    _column("name", String(), "the agent's name"),
    _column("branch_id", String(), "where the agent works", of="branches"),
    _column("role", String(), "customer manager, product manager or teller", optional=True),
    _column("joined_on", Date(), "first working day", optional=True),
    _column("left_on", Date(), "last working day", optional=True),
)

customers = _table(
    "customers",
    "a customer",
    _column("customer_id", String(), "the customer's number", key=True),
    _column("branch_id", String(), "the branch that keeps the customer", of="branches"),
    _column("agent_id", String(), "the agent who looks after the customer", optional=True, of="agents"),
    _column("kind", String(), "personal or corporate", one_of=("personal", "corporate")),
    _column("birth_year", Integer(), "year of birth", optional=True),
    _column("gender", String(), "female or male", optional=True, one_of=("female", "male")),
    _column("tier", String(), "the bank's own tier of the customer", optional=True),
    _column("balance", Numeric(18, 2), "balance of all accounts, in the bank's currency", optional=True),
    _column("payroll", Boolean(), "whether the salary is paid in here", optional=True),
    _column(
        "lifecycle", String(), "stage of the relation", optional=True, one_of=("trial", "growth", "mature", "decline")
    ),
    _column(
        "pool",
        String(),
        "what is planned with the customer",
        optional=True,
        one_of=("support", "keep", "reduce", "leave"),
    ),
    _column("name", String(), "the customer's name", optional=True, personal=True),
    _column("phone", String(), "the customer's telephone", optional=True, personal=True),
)

contracts = _table(
    "contracts",
    "one customer's contract for one product",
    _column("contract_id", String(), "the contract's number", key=True),
    _column("customer_id", String(), "who signed", of="customers"),
    _column("product_id", String(), "for what", of="products"),
    _column("branch_id", String(), "where, at the time of signing", of="branches"),
    _column("agent_id", String(), "with whom", optional=True, of="agents"),
    _column("signed_on", Date(), "day of signing"),
    _column("activated_on", Date(), "day of the first qualifying use; null: not yet", nullable=True),
    _column("closed_on", Date(), "day of closing; null: open", optional=True),
    _column("last_used_on", Date(), "day of the last use known", optional=True),
)

usage = _table(
    "usage",
    "one customer's use of one product in one month, on one channel",
    _column("customer_id", String(), "who used it", of="customers"),
    _column("product_id", String(), "what was used", of="products"),
    _column("branch_id", String(), "the customer's branch in that month", of="branches"),
    _column("month", Date(), "first day of the month"),
    _column("transactions", Integer(), "how many"),
    _column("amount", Numeric(18, 2), "how much, in the bank's currency"),
    _column("channel", String(), "where", one_of=CHANNELS_OF_USE),
    _column("kind", String(), "what was done: payment, transfer, enquiry, bill", optional=True),
)

campaigns = _table(
    "campaigns",
    "a customer list with its purpose",
    _column("campaign_id", String(), "the list's code", key=True),
    _column("name", String(), "the list's name"),
    _column("product_id", String(), "what is to be sold or activated", of="products"),
    _column("branch_id", String(), "who owns the list", of="branches"),
    _column("starts_on", Date(), "first day"),
    _column("ends_on", Date(), "last day"),
    _column("expires_on", Date(), "the list may not be used after this day", optional=True),
)

assignments = _table(
    "assignments",
    "a customer of a list given to an agent",
    _column("assignment_id", String(), "the assignment's number", key=True),
    _column("campaign_id", String(), "from which list", of="campaigns"),
    _column("customer_id", String(), "which customer", of="customers"),
    _column("product_id", String(), "for which product", of="products"),
    _column("branch_id", String(), "the agent's branch at the time", of="branches"),
    _column("agent_id", String(), "to whom", of="agents"),
    _column("assigned_on", Date(), "day of assignment"),
    _column("due_on", Date(), "the first contact is due by this day"),
    _column("closed_on", Date(), "day of closing; null: open", nullable=True),
    _column("outcome", String(), "what came of it", one_of=OUTCOMES),
)

contacts = _table(
    "contacts",
    "one follow-up",
    _column("contact_id", String(), "the contact's number", key=True),
    _column("assignment_id", String(), "for which assignment", optional=True, of="assignments"),
    _column("customer_id", String(), "with whom", of="customers"),
    _column("product_id", String(), "about which product", optional=True, of="products"),
    _column("branch_id", String(), "from which branch", of="branches"),
    _column("agent_id", String(), "by whom", optional=True, of="agents"),
    _column("contacted_at", DateTime(), "when, in the bank's time zone"),
    _column("kind", String(), "how", one_of=CONTACT_KINDS),
    _column("new_customer", Boolean(), "whether the customer was new"),
    _column("reached", Boolean(), "whether the customer was spoken to"),
    _column("outcome", String(), "what came of it", optional=True, one_of=OUTCOMES),
    _column("next_contact_on", Date(), "agreed day of the next contact", optional=True),
)

complaints = _table(
    "complaints",
    "one complaint",
    _column("complaint_id", String(), "the complaint's number", key=True),
    _column("branch_id", String(), "about which branch", of="branches"),
    _column("product_id", String(), "about which product", of="products"),
    _column("customer_id", String(), "from whom", optional=True, of="customers"),
    _column("agent_id", String(), "about whom", optional=True, of="agents"),
    _column("cause", String(), "why"),
    _column("channel", String(), "how it came in"),
    _column("severity", String(), "how serious", optional=True),
    _column("received_at", DateTime(), "when it came in, in the bank's time zone"),
    _column("due_on", Date(), "last day for the answer", optional=True),
    _column("closed_at", DateTime(), "when it was closed; null: open", nullable=True),
    _column("outcome", String(), "how it ended", optional=True),
    _column("repeat_of", String(), "the earlier complaint it repeats", optional=True, of="complaints"),
    _column("regulator", Boolean(), "whether the regulator passed it on"),
)

targets = _table(
    "targets",
    "a target",
    _column("target_id", String(), "the target's number", key=True),
    _column("measure", String(), "the name of the measure that is to reach it"),
    _column(
        "branch_id",
        String(),
        "whose; targets for one measure, product and period stand on one level of the tree",
        of="branches",
    ),
    _column("product_id", String(), "for which product; null: all", optional=True, of="products"),
    _column("agent_id", String(), "for which agent; null: the branch", optional=True, of="agents"),
    _column("starts_on", Date(), "first day"),
    _column("ends_on", Date(), "last day"),
    _column("value", Numeric(18, 2), "how much is to be reached, in the measure's unit"),
)

surveys = _table(
    "surveys",
    "one answered survey",
    _column("survey_id", String(), "the survey's number", key=True),
    _column("branch_id", String(), "about which branch", of="branches"),
    _column("product_id", String(), "about which product", optional=True, of="products"),
    _column("answered_on", Date(), "when"),
    _column("score", Integer(), "0 to 10"),
)

events = _table(
    "events",
    "something that happened",
    _column("happened_on", Date(), "when"),
    _column("branch_id", String(), "where", of="branches"),
    _column("product_id", String(), "to which product; null: all", optional=True, of="products"),
    _column("label", String(), "what"),
)

viewers = _table(
    "viewers",
    "who may see what, where the bank keeps it in the warehouse",
    _column("person", String(), "the e-mail or other id that the sign-in gives, or group:name for all of a group"),
    _column("role", String(), "the role, as README lists them"),
    _column("branch_id", String(), "from which branch down", of="branches"),
    _column("agent_id", String(), "for the role agent: whose customers alone", optional=True, of="agents"),
)

loads = _table(
    "loads",
    "one load of one table",
    _column("table_name", String(), "which table"),
    _column("loaded_at", DateTime(), "when, in the bank's time zone"),
    _column("rows", BigInteger(), "how many rows it then held"),
    _column("source", String(), "from where; 'demo' marks the demo bank"),
    _column("data_until", Date(), "the last day that is complete"),
)

contract_months = _table(
    "contract_months",
    "a month's counts of contracts, for a bank that has no single contracts",
    _column("month", Date(), "first day of the month"),
    _column("branch_id", String(), "where", of="branches"),
    _column("product_id", String(), "which product", of="products"),
    _column("signed", BigInteger(), "signed in the month"),
    _column("activated", BigInteger(), "of these, activated to date", optional=True),
    _column("closed", BigInteger(), "closed in the month"),
    _column("holders", BigInteger(), "open at the month's end"),
    _column("active", BigInteger(), "of these, active as the bank counts it", optional=True),
)

REQUIRED = (branches, products)
EVENTS = (contracts, contract_months, usage, assignments, contacts, complaints, surveys)
DAILY_EVENTS = (contracts, assignments, contacts, complaints)
DAY_OF = {
    contracts.name: contracts.c.signed_on,
    contract_months.name: contract_months.c.month,
    usage.name: usage.c.month,
    assignments.name: assignments.c.assigned_on,
    contacts.name: contacts.c.contacted_at,
    complaints.name: complaints.c.received_at,
    surveys.name: surveys.c.answered_on,
}
"""The day on which a row of each table of events happened."""
DEMO_SOURCE = "demo"
"""`loads.source` of every table of a demo bank: the app may then be opened without sign-in."""


def key_of(table: Table) -> Column | None:
    """The column that names a row of `table`, or None where no row has a name (usage, events, loads …)."""
    return next((column for column in table.columns if column.info["key"]), None)
