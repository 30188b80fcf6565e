"""Activation: who signed, what share uses it, where and among whom."""

from measures.dimensions import AGE_BAND, BELOW, FAMILY, PAYROLL, PRODUCT
from pages import parts
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
        by = PRODUCT if len(desk.filters.products or desk.products) <= 7 else FAMILY
        parts.trend(desk, rate, "activation_trend", by=by)
        parts.compared(desk, rate, PRODUCT, "activation_products")
    with right:
        parts.compared(desk, rate, BELOW, "activation_branches")
        parts.compared(desk, rate, PAYROLL, "activation_payroll")
    parts.crossed(desk, rate, AGE_BAND, PRODUCT, "activation_ages")
parts.table(desk, "activation_by_branch", parts.below(desk), columns, (BELOW,), links={"": "activation"})
parts.table(desk, "activation_by_product", say("By product"), columns, (PRODUCT,), links={"": "activation"})
