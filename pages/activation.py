"""Activation: who signed, what share uses it, where and among whom."""

from measures.dimensions import AGE_BAND, BELOW, FAMILY, PAYROLL, PRODUCT, QUARTER
from measures.model import _
from measures.waits import FIRST_USE
from panels import choices, curves, fair, notes, parts, tabular, why
from panels.desk import here

desk = here()
say = desk.say
rate = "cohort_activation_rate" if desk.known("cohort_activation_rate") else "activation_rate"
cards = (rate, "signed", "activated", "active_rate_30", "active_rate_90", "active_rate", "holders", "never_used_share")
reach = ("penetration", "several_products", "substitution_rate", "closed")
columns = (
    "signed", "activated", "mature_signed", rate, "holders", "activation_stock", "active_rate_30", "active_rate", "closed",
)  # fmt: skip

if notes.needs(desk, say("Activation"), "signed"):
    parts.opening(desk, "activation_cards", *cards, also=columns)
if desk.known(rate):
    left, right = parts.halves()
    with left:
        # Few lines can be told apart: a bank with many products sees their families first.
        lines = PRODUCT if len(desk.filters.products or desk.products) <= 7 else FAMILY
        parts.trend(desk, rate, "activation_trend", by=lines)
    with right:
        bars = {"activation_branches": BELOW, "activation_products": PRODUCT, "activation_payroll": PAYROLL}
        key, by = choices.choice(desk, "activation_bars", bars)
        fair.compared(desk, rate, by, key)
    reasons = (BELOW, PRODUCT, PAYROLL)
    speeds = {"use_by_product": lines, "use_by_branch": BELOW, "use_by_cohort": QUARTER}
    looks = {
        "why": (why.LABEL, lambda: why.moved(desk, "activation", (*cards, *reach), reasons)),
        "speed": (FIRST_USE.label, lambda: curves.how_fast(desk, "activation_speed", FIRST_USE, speeds)),
        "ages": (_("Ages and products"), lambda: parts.crossed(desk, rate, AGE_BAND, PRODUCT, "activation_ages")),
        "reach": (_("Customers and channels"), lambda: parts.opening(desk, "activation_reach", *reach, headed=False)),
    }
    choices.closer(desk, "activation_closer", looks)
tables = {"activation_by_branch": BELOW, "activation_by_product": PRODUCT}
key, by = choices.choice(desk, "activation_tables", tables)
tabular.rows(desk, key, by, *columns, links={"": "activation"})
