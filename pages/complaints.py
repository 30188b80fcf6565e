"""Complaints: how many, about what, where, how often for the size of the branch, and which are late."""

from measures.dimensions import BELOW, CAUSE, CLOCK, COMPLAINT_CHANNEL, COMPLAINT_STATE, OPEN_AGE, PRODUCT
from pages import parts
from pages.desk import here

desk = here()
say = desk.say
cards = (
    "complaints_received", "complaints_per_1000_contracts", "complaints_per_10000_customers", "complaints_open",
    "complaints_past_due", "complaints_on_time", "complaints_median_days", "complaints_p90_days", "complaints_repeat_share",
    "complaints_regulator_share",
)  # fmt: skip
tallies = (
    "complaints_received", "complaints_open", "complaints_past_due", "complaints_on_time", "complaints_median_days",
    "complaints_repeat_share", "complaints_per_1000_contracts",
)  # fmt: skip

if parts.needs(desk, say("Complaints"), "complaints_received"):
    rate = "complaints_per_1000_contracts" if desk.known("complaints_per_1000_contracts") else "complaints_received"
    parts.opening(desk, "complaints_cards", *cards, also=tallies)
    left, right = parts.halves()
    with left:
        parts.pareto(desk, "complaints_received", CAUSE, "complaints_causes")
        parts.compared(desk, rate, BELOW, "complaints_branches")
        parts.bands(desk, "complaints_open", OPEN_AGE, "complaints_ages")
        parts.compared(desk, "complaints_received", COMPLAINT_CHANNEL, "complaints_channels")
    with right:
        parts.trend(desk, rate, "complaints_trend")
        parts.compared(desk, rate, PRODUCT, "complaints_products")
        parts.bands(desk, "complaints_open", CLOCK, "complaints_clock")
        parts.bands(desk, "complaints_received", COMPLAINT_STATE, "complaints_states")
    parts.crossed(desk, "complaints_received", CAUSE, PRODUCT, "complaints_causes_of_products")
    parts.table(desk, "complaints_by_cause", say("By cause"), tallies, (CAUSE,))
    parts.table(desk, "complaints_by_branch", parts.below(desk), tallies, (BELOW,), links={"": "complaints"})
    parts.listing(desk, "open_complaint_list", "open_complaints")
    parts.listing(desk, "complaint_list", "complaint_listing")
