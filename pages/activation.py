"""Activation: who signed, what share uses it, where and among whom."""

from measures.dimensions import AGE_BAND, BELOW, FAMILY, PAYROLL, PRODUCT, QUARTER
from measures.waits import FIRST_USE
from pages import curves, fair, parts, why
from pages.desk import here

desk = here()
say = desk.say
rate = "cohort_activation_rate" if desk.known("cohort_activation_rate") else "activation_rate"
cards = (
    rate, "signed", "activated", "active_rate_30", "active_rate_90", "active_rate", "holders", "never_used_share", "closed",
    "several_products", "penetration", "substitution_rate",
)  # fmt: skip
columns = (
    "signed", "activated", "mature_signed", rate, "holders", "activation_stock", "active_rate_30", "active_rate", "closed",
)  # fmt: skip

if parts.needs(desk, say("Activation"), "signed"):
    parts.opening(desk, "activation_cards", *cards, also=columns)
if desk.known(rate):
    left, right = parts.halves()
    with left:
        # Few lines can be told apart: a bank with many products sees their families first.
        lines = PRODUCT if len(desk.filters.products or desk.products) <= 7 else FAMILY
        parts.trend(desk, rate, "activation_trend", by=lines)
    with right:
        bars = {"activation_branches": BELOW, "activation_products": PRODUCT, "activation_payroll": PAYROLL}
        key, by = parts.choice(desk, "activation_bars", bars)
        fair.compared(desk, rate, by, key)
    wanted = parts.closer(desk, "activation_closer", {"why": why.LABEL, "speed": FIRST_USE.label})
    if wanted == "why":
        why.moved(desk, "activation", rate, (BELOW, PRODUCT, PAYROLL))
    elif wanted == "speed":
        speeds = {"use_by_product": lines, "use_by_branch": BELOW, "use_by_cohort": QUARTER}
        curves.how_fast(desk, "activation_speed", FIRST_USE, speeds)
    parts.crossed(desk, rate, AGE_BAND, PRODUCT, "activation_ages")
tables = {"activation_by_branch": BELOW, "activation_by_product": PRODUCT}
key, by = parts.choice(desk, "activation_tables", tables)
parts.table(desk, key, parts.title_by(desk, by), columns, (by,), links={"": "activation"})
