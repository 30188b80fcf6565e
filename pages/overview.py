"""Overview: what deserves attention, the key numbers of all families, and the branches below."""

from measures.dimensions import BELOW
from pages import parts, signals
from pages.desk import here

desk = here()
cards = (
    "cohort_activation_rate", "signed", "activated", "active_rate_30", "coverage", "on_time", "overdue_assignments",
    "complaints_received", "complaints_per_1000_contracts", "complaints_on_time", "substitution_rate", "penetration",
)  # fmt: skip
columns = {
    "signed": "activation",
    "mature_signed": "activation",
    "cohort_activation_rate": "activation",
    "active_rate_30": "activation",
    "coverage": "follow_up",
    "overdue_assignments": "follow_up",
    "complaints_received": "complaints",
    "complaints_on_time": "complaints",
}

signals.attention(desk)
parts.opening(desk, "overview_cards", *cards, also=tuple(columns), headed=False)
parts.table(desk, "overview_branches", parts.title_by(desk, BELOW), tuple(columns), (BELOW,), links={"": "", **columns})
