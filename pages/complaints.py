"""Complaints: how many, about what, where, how often for the size of the branch, and which are late."""

from measures.complaints import complaint_list, open_complaint_list
from measures.dimensions import BELOW, CAUSE, CLOCK, COMPLAINT_CHANNEL, COMPLAINT_STATE, OPEN_AGE, PRODUCT
from measures.model import _
from measures.waits import CLOSING
from panels import choices, curves, fair, notes, parts, tabular, why
from panels.desk import here

desk = here()
cards = (
    "complaints_received", "complaints_per_1000_contracts", "complaints_per_10000_customers", "complaints_open",
    "complaints_past_due", "complaints_on_time", "complaints_median_days", "complaints_p90_days", "complaints_repeat_share",
    "complaints_regulator_share",
)  # fmt: skip
tallies = (
    "complaints_received", "complaints_open", "complaints_past_due", "complaints_on_time", "complaints_median_days",
    "complaints_repeat_share", "complaints_per_1000_contracts",
)  # fmt: skip
shares = ("complaints_on_time", "complaints_repeat_share", "complaints_regulator_share")
split = {"branches": BELOW, "products": PRODUCT, "channels": COMPLAINT_CHANNEL, "states": COMPLAINT_STATE}
waits = {"cause": CAUSE, "branch": BELOW, "product": PRODUCT, "channel": COMPLAINT_CHANNEL}
speeds = {f"closing_by_{name}": by for name, by in waits.items()}
tables = {f"complaints_by_{name}": by for name, by in (waits | {"state": COMPLAINT_STATE}).items()}
tables |= {"open_complaints": open_complaint_list, "complaint_listing": complaint_list}

if notes.needs(desk, desk.say("Complaints"), "complaints_received"):
    rate = "complaints_per_1000_contracts" if desk.known("complaints_per_1000_contracts") else "complaints_received"
    parts.opening(desk, "complaints_cards", *cards, also=tallies)
    left, right = parts.halves()
    with left:
        parts.pareto(desk, "complaints_received", CAUSE, "complaints_causes")
    with right:
        fair.controlled(desk, (rate, *shares), "complaints_trend")
    left, right = parts.halves()
    with left:
        # The size of a branch or product has to be left out of the comparison; a channel or state has none.
        key, by = choices.choice(desk, "complaints_bars", {f"complaints_{name}": by for name, by in split.items()})
        fair.compared(desk, rate if by in (BELOW, PRODUCT) else "complaints_received", by, key)
    with right:
        key, by = choices.choice(desk, "complaints_bands", {"complaints_ages": OPEN_AGE, "complaints_clock": CLOCK})
        parts.bands(desk, "complaints_open", by, key)
    looks = {
        "why": (why.LABEL, lambda: why.moved(desk, "complaints", cards, (BELOW, PRODUCT, CAUSE))),
        "speed": (CLOSING.label, lambda: curves.how_fast(desk, "complaints_speed", CLOSING, speeds)),
        "causes": (
            _("Causes and products"),
            lambda: parts.crossed(desk, "complaints_received", CAUSE, PRODUCT, "causes_of"),
        ),
    }
    choices.closer(desk, "complaints_closer", looks)
    key, of = choices.choice(desk, "complaints_tables", tables)
    tabular.rows(desk, key, of, *tallies, links={"": "complaints"})
