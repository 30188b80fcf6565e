"""Overview: what deserves attention, the key numbers of all families, and the branches below."""

from measures.dimensions import BELOW, PRODUCT
from panels import choices, notes, parts, signals, tabular, why
from panels.desk import here

desk = here()
cards = (
    "cohort_activation_rate", "signed", "active_rate_30", "coverage", "overdue_assignments", "complaints_received",
    "complaints_per_1000_contracts", "complaints_on_time",
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
# What the table below has no column for is shown by a page all the same.
shown_by = columns | {"complaints_per_1000_contracts": "complaints"}
looks = {"why": (why.LABEL, lambda: why.moved(desk, "overview", cards, (BELOW, PRODUCT), leads=shown_by))}
choices.closer(desk, "overview_closer", looks)
tabular.table(
    desk, "overview_branches", notes.title_by(desk, BELOW), tuple(columns), (BELOW,), links={"": "", **columns}
)
