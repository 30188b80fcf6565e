"""What deserves attention in words: a sentence for each signal by rule, and where in the dashboard it is to be seen."""

from __future__ import annotations

from measures.catalogue import MEASURES
from measures.model import Ratio, Unit
from measures.period import Period
from measures.signals import FALSE_SHARE, IDLE_DAYS, STEP_WEEKS, Kind, Part, Signal, Signals
from presentation.filters import days_written
from presentation.findings import within
from presentation.units import day_shown, month_shown, shown
from presentation.words import NOT_RECORDED, Words

_PAGE_OF = {
    "cohort_activation_rate": "activation",
    "coverage": "follow_up",
    "complaints_per_1000_contracts": "complaints",
}
_PAGE = {Kind.COHORT_WORSE: "activation", Kind.LIST_IDLE: "follow_up"}


def sentence(signal: Signal, here: str, say: Words) -> str:
    """What is the matter, with its numbers; `here` is the name of all that is looked at."""
    measure, language = MEASURES[signal.measure], say.language
    branch = signal.at.name if signal.at and signal.at.name else here
    if signal.kind is Kind.COMPLAINTS_LEAPT:
        return say(
            "{branch}: {value} complaints about “{cause}” in the {weeks} weeks up to {day}; {usual} are usual.",
            branch=branch,
            value=shown(signal.value, Unit.COUNT, language),
            cause=say.value(signal.of.dimension, signal.of.id),
            weeks=STEP_WEEKS,
            day=day_shown(signal.until, language),
            usual=shown(signal.usual, Unit.RATE, language),
        )
    if signal.kind is Kind.BEHIND_PACE:
        return say(
            "{branch}: {measure} {value}; to be on pace it would be {usual} by now.",
            branch=branch,
            measure=within(say(measure.label), say),
            value=shown(signal.value, Unit.COUNT, language),
            usual=shown(signal.usual, Unit.COUNT, language),
        )
    per = measure.per if isinstance(measure, Ratio) else 1
    numbers = {
        "branch": branch,
        "count": shown(signal.base, Unit.COUNT, language),
        "value": shown(signal.value * per, measure.unit, language),
        "usual": shown(signal.usual * per, measure.unit, language),
    }
    if signal.kind is Kind.BRANCH_APART and measure.unit is Unit.RATE:
        return say(
            "{branch}: {value} complaints per {per} contracts, overall {usual}; branches do not differ so much by chance, nor as they "
            "usually do.",
            per=shown(per, Unit.COUNT, language),
            **numbers,
        )
    if signal.kind is Kind.BRANCH_APART:
        return say(
            "{branch}: {measure} {value}, overall {usual}; branches do not differ so much by chance, nor as they usually do.",
            measure=within(say(measure.label), say),
            **numbers,
        )
    named = _named(signal.of, say)
    if signal.kind is Kind.COHORT_WORSE:
        return say(
            "{branch}, {product}: of {count} contracts signed since {month}, {value} were used in time; of those before, {usual}.",
            product=named,
            month=month_shown(signal.since, language),
            **numbers,
        )
    if signal.kind is Kind.AGENT_UNUSED:
        return say(
            "{branch}, agent {agent}: of {count} contracts signed, {value} were used in time; of those of all agents, {usual}.",
            agent=named,
            **numbers,
        )
    if signal.value == 0:
        return say(
            "{branch}: of {count} customers given out more than {days} days ago on the list “{list}”, none has been contacted; "
            "on all lists, {usual} have.",
            list=named,
            days=IDLE_DAYS,
            **numbers,
        )
    return say(
        "{branch}: of {count} customers given out more than {days} days ago on the list “{list}”, {value} have been contacted; "
        "on all lists, {usual} have.",
        list=named,
        days=IDLE_DAYS,
        **numbers,
    )


def title(found: Signals, say: Words) -> str:
    """How many things stand out, or that nothing does."""
    number = len(found.found)
    if not number:
        return say("Nothing stands out beyond chance")
    return say.plural("{n} thing needs attention", "{n} things need attention", number)


def judged(found: Signals, say: Words) -> str:
    """How often what is listed is to be expected to be a false alarm."""
    if not found.tests:
        return say("There is too little here to compare anything with.")
    return say.plural(
        "{n} comparison was made. On average at most {false} of 100 things listed here are false alarms.",
        "{n} comparisons were made. On average at most {false} of 100 things listed here are false alarms.",
        found.tests,
        false=round(100 * FALSE_SHARE),
    )


def method(say: Words) -> str:
    """How it was judged, for who wants to know."""
    return say(
        "Branches, agents and lists against each other, by funnel limits of 99.8 % that allow for what they differ by anyhow; "
        "contracts and complaints against their own past, within twelve months. False alarms over all comparisons: Benjamini and "
        "Hochberg. The largest first: effect times the contracts, customers or complaints concerned."
    )


def evidence(signal: Signal, year: Period) -> tuple[str, dict[str, str]]:
    """The page that shows it, and the query parameters that differ from those of the page one stands on.

    The page is filtered to where it is seen best: what lies apart from others among them, all else in its own branch.
    """
    period = {"period": days_written(year)}
    own = {"branch": signal.at.id} if signal.at and signal.at.id else {}
    if signal.kind is Kind.COMPLAINTS_LEAPT:
        return "explorer", {**own, **period, "measures": signal.measure, "by": "cause,month"}
    if signal.kind is Kind.AGENT_UNUSED:
        counts = [count.name for count in MEASURES[signal.measure].counts]
        return "explorer", {**own, **period, "measures": ",".join([signal.measure, *counts]), "by": "agent"}
    if signal.kind is Kind.BEHIND_PACE:
        return "targets", {**period, "of": signal.measure.removesuffix("_toward_target")}
    if signal.kind is Kind.BRANCH_APART:
        return _PAGE_OF[signal.measure], period
    product = {"product": signal.of.id} if signal.kind is Kind.COHORT_WORSE else {}
    return _PAGE[signal.kind], {**own, **product, **period}


def _named(part: Part, say: Words) -> str:
    return part.name or part.id or say(NOT_RECORDED)
