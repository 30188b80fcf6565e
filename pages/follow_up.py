"""Follow-up: from the lists to activated customers, who is behind, and whom to call."""

from measures.dimensions import AGENT, BELOW, CAMPAIGN, OPEN_AGE, PRODUCT
from measures.waits import FIRST_CONTACT
from pages import curves, fair, parts, why
from pages.desk import here

desk = here()
say = desk.say
cards = (
    "coverage", "effective_contact", "conversion", "on_time", "open_assignments", "overdue_assignments", "contacts",
    "contact_success",
)  # fmt: skip
path = (
    ("assigned", None),
    ("contacted", "coverage"),
    ("reached", "effective_contact"),
    ("list_signed", "list_signing"),
    ("list_activated", "list_activation"),
)
progress = (
    "overdue_assignments", "open_assignments", "assigned", "contacted", "coverage", "effective_contact", "conversion", "on_time",
)  # fmt: skip

if parts.needs(desk, say("Follow-up of lists"), "assigned", "contacted"):
    parts.opening(desk, "follow_up_cards", *cards, also=(*progress, *(name for pair in path for name in pair if name)))
    left, right = parts.halves()
    with left:
        parts.steps(desk, path, "follow_up_funnel")
    with right:
        parts.bands(desk, "open_assignments", OPEN_AGE, "follow_up_ages")
    fair.compared(desk, "coverage", BELOW, "follow_up_branches")
    wanted = parts.closer(desk, "follow_up_closer", {"why": why.LABEL, "speed": FIRST_CONTACT.label})
    if wanted == "why":
        why.moved(desk, "follow_up", "coverage", (BELOW, PRODUCT, CAMPAIGN, AGENT))
    elif wanted == "speed":
        speeds = {"contact_by_product": PRODUCT, "contact_by_list": CAMPAIGN, "contact_by_branch": BELOW}
        curves.how_fast(desk, "follow_up_speed", FIRST_CONTACT, speeds)
    key, by = parts.choice(desk, "follow_up_tables", {"follow_up_lists": CAMPAIGN, "follow_up_agents": AGENT})
    parts.table(desk, key, parts.title_by(desk, by), progress, (by,))
elif desk.known("contacts"):
    parts.opening(desk, "contact_cards", "contact_success", "contacts", "contacts_reached", "contacts_signed")
    parts.trend(desk, "contact_success", "contact_trend")
parts.listing(desk, "overdue_listing", "overdue_customers")
