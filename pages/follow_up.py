"""Follow-up: from the lists to activated customers, who is behind, and whom to call."""

from measures.dimensions import AGENT, BELOW, CAMPAIGN, MONTH, OPEN_AGE, PRODUCT
from measures.follow_up import overdue_customers
from measures.model import _
from measures.waits import FIRST_CONTACT
from panels import choices, curves, fair, notes, parts, tabular, why
from panels.desk import here

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

if notes.needs(desk, say("Follow-up of lists"), "assigned", "contacted"):
    parts.opening(desk, "follow_up_cards", *cards, also=(*progress, *(name for pair in path for name in pair if name)))
    left, right = parts.halves()
    with left:
        parts.steps(desk, path, "follow_up_funnel")
    with right:
        parts.bands(desk, "open_assignments", OPEN_AGE, "follow_up_ages")
    fair.compared(desk, "coverage", BELOW, "follow_up_branches")
    speeds = {"contact_by_product": PRODUCT, "contact_by_list": CAMPAIGN, "contact_by_branch": BELOW}
    looks = {
        "why": (why.LABEL, lambda: why.moved(desk, "follow_up", cards, (BELOW, PRODUCT, CAMPAIGN, AGENT))),
        "speed": (FIRST_CONTACT.label, lambda: curves.how_fast(desk, "follow_up_speed", FIRST_CONTACT, speeds)),
    }
    choices.closer(desk, "follow_up_closer", looks)
    tables = {"follow_up_lists": CAMPAIGN, "follow_up_agents": AGENT, "overdue_listing": overdue_customers}
    tabular.rows(desk, *choices.choice(desk, "follow_up_tables", tables), *progress)
elif desk.known("contacts"):
    parts.opening(desk, "contact_cards", "contact_success", "contacts", "contacts_reached", "contacts_signed")
    views = {
        "contact_trend": choices.View(_("Over time")),
        "contact_months": choices.View(_("Months, the highest first")),
    }
    key, _view = choices.choice(desk, "contact_views", views)
    if key == "contact_trend":
        parts.trend(desk, "contact_success", key)
    else:
        fair.compared(desk, "contact_success", MONTH, key)
