"""Which facts are also stored coarser, and by what: what the pages show of a whole bank."""

from __future__ import annotations

from collections.abc import Mapping

from measures import activation, complaints, follow_up, targets
from measures.dimensions import (
    CAMPAIGN,
    CAUSE,
    CONTACT_KIND,
    DAYS_AGO,
    DAYS_LEFT,
    DAYS_RUN,
    OPEN_AGE,
    PAYROLL,
    PRODUCT,
    SUB_BRANCH,
    USE_CHANNEL,
)
from measures.model import Dimension, Fact

_OF_TARGETS = ((PRODUCT, DAYS_RUN, DAYS_LEFT), (PRODUCT, DAYS_RUN, DAYS_LEFT, DAYS_AGO))

ROLLUPS: Mapping[Fact, tuple[tuple[Dimension, ...], ...]] = {
    activation.SIGNED: ((PRODUCT, PAYROLL), (PRODUCT, SUB_BRANCH)),
    activation.CLOSED: ((PRODUCT, PAYROLL),),
    activation.HELD: ((PRODUCT,),),
    activation.CUSTOMERS: ((PAYROLL,),),
    activation.USED: ((PRODUCT, USE_CHANNEL),),
    targets.first_uses.fact: ((PRODUCT, PAYROLL),),
    targets.signed_toward.fact: _OF_TARGETS,
    targets.activated_toward.fact: _OF_TARGETS,
    follow_up.ASSIGNED: ((PRODUCT, CAMPAIGN),),
    follow_up.OPEN: ((PRODUCT, CAMPAIGN), (PRODUCT, OPEN_AGE)),
    follow_up.OVERDUE: ((PRODUCT, CAMPAIGN),),
    follow_up.CONTACTS: ((PRODUCT, CONTACT_KIND),),
    complaints.RECEIVED: ((PRODUCT,), (PRODUCT, CAUSE)),
    complaints.OPEN: ((PRODUCT, CAUSE), (PRODUCT, OPEN_AGE)),
}
"""For each fact the dimensions of its rollups, beside its day and the branches near the top; the narrowest first, because the
first that can answer does. What is not here goes to the fact: by age, agent or customer a rollup is hardly shorter than the fact,
and distinct customers cannot be added up."""

AT_EVERY_BRANCH: Mapping[Fact, tuple[tuple[Dimension, ...], ...]] = {
    activation.HELD: ((PRODUCT,),),
    activation.CUSTOMERS: ((PAYROLL,),),
    follow_up.OPEN: ((PRODUCT,),),
    follow_up.OVERDUE: ((PRODUCT,),),
    complaints.OPEN: ((PRODUCT,),),
}
"""The same for every branch, down to each outlet: of balances, which are taken on few days, and would be looked for on each of them
among all rows of many years."""
