"""Targets: how far the branch is on the way to what it is to reach, and how far it should be by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, Date, FromClause, and_, case, func, or_, select

from measures.activation import SIGNED as _SIGNED
from measures.activation import activated as _activated
from measures.activation import signed as _signed
from measures.dimensions import (
    AGENT,
    AREA,
    DAYS_AGO,
    DAYS_LEFT,
    DAYS_RUN,
    DAYS_TO_USE,
    FAMILY,
    PRODUCT,
    REGION,
    agent_key,
    branch_keys,
    branch_lookups,
    product_keys,
    time_keys,
)
from measures.given import AS_OF, DAYS_OFF, days_between, weekdays
from measures.model import Better, Count, Dimension, Fact, Key, Measure, Placed, Ratio, Unit, _
from measures.schema import agents, branches, contracts, products, targets

FAMILY_NAME = _("Targets")

# A branch's own area or region is not that of all its outlets, where what counts towards its target was signed.
_tree_keys = {d: key for d, key in branch_keys().items() if d not in (AREA, REGION)}
_running = and_(targets.c.starts_on <= AS_OF.c.day, targets.c.ends_on >= AS_OF.c.day)


def _whole(product: ColumnElement, agent: ColumnElement) -> dict:
    """A target without product is for all of them, one without agent for the branch; they stand beside the others."""
    return {frozenset({PRODUCT, FAMILY}): product.is_(None), frozenset({AGENT}): agent.is_(None)}


_days = (
    days_between(targets.c.starts_on, AS_OF.c.day).label(DAYS_RUN.name),
    days_between(AS_OF.c.day, targets.c.ends_on).label(DAYS_LEFT.name),
)


def _fact(
    name: str,
    grain: str,
    source: FromClause,
    of: Mapping[str, ColumnElement],
    *elapsed: Dimension,
    only: tuple[ColumnElement, ...] = (),
) -> Fact:
    """Targets, or what counts towards them, on a day: `of` tells the branch, product and agent of the target, the day, and the
    dimensions that are `elapsed`, each under its name."""
    branch, product, agent, day = (of[name] for name in ("branch_id", "product_id", "agent_id", "day"))
    return Fact(
        name=name,
        grain=grain,
        source=source,
        branch=branch,
        placed=Placed.BALANCE,
        day=day,
        keys=_tree_keys
        | product_keys(product)
        | agent_key(agent)
        | time_keys(day)
        | {dimension: Key(of[dimension.name]) for dimension in elapsed},
        lookups=branch_lookups(branch)
        | {products: products.c.product_id == product, agents: agents.c.agent_id == agent},
        only=only,
        whole=_whole(product, agent),
        agent=agent,  # to an agent, the targets set for the agent: not those of the branch
    )


def _set(measure: str) -> Fact:
    """The targets for `measure` that run on the last day of the period, with the share of their working days passed."""
    # Joined and summed up for all targets at once: a sub-query for each of their days took the engine longest to plan.
    changed_so_far = func.sum(case((DAYS_OFF.c.day <= AS_OF.c.day, DAYS_OFF.c.change)))
    rows = (
        select(
            targets.c.branch_id,
            targets.c.product_id,
            targets.c.agent_id,
            targets.c.value,
            AS_OF.c.day,
            (weekdays(targets.c.starts_on, AS_OF.c.day) + func.coalesce(changed_so_far, 0)).label("passed"),
            (weekdays(targets.c.starts_on, targets.c.ends_on) + func.coalesce(func.sum(DAYS_OFF.c.change), 0)).label(
                "planned"
            ),
            *_days,
        )
        .select_from(
            targets.join(AS_OF, _running).outerjoin(
                DAYS_OFF, DAYS_OFF.c.day.between(targets.c.starts_on, targets.c.ends_on)
            )
        )
        .where(targets.c.measure == measure)
        .group_by(
            *(
                targets.c[name]
                for name in ("target_id", "branch_id", "product_id", "agent_id", "value", "starts_on", "ends_on")
            ),
            AS_OF.c.day,
        )
        .subquery(f"{measure}_targets")
    )
    grain = _("one target, running on the last day of the period")
    return _fact(f"{measure}_targets", grain, rows, rows.c, DAYS_RUN, DAYS_LEFT)


def _reached(measure: str, day: ColumnElement[Date]) -> Fact:
    """The contracts that count towards the running targets for `measure`, each under the branch whose target it counts for.

    Not under its own branch: a viewer, a filter or a split would then count, for an outlet, what its branch's target is
    reached by, without that target or beside another one.
    """
    owner, place = branches.alias("owner"), branches.alias("place_of_contract")
    # No sub-query: the engine then looks for contracts of those targets alone that a question is about.
    source = (
        targets.join(AS_OF, _running)
        .join(owner, owner.c.branch_id == targets.c.branch_id)
        .join(place, func.substr(place.c.path, 1, func.length(owner.c.path)) == owner.c.path)
        .join(
            contracts,
            and_(
                contracts.c.branch_id == place.c.branch_id,
                day >= targets.c.starts_on,
                day <= AS_OF.c.day,
                or_(targets.c.product_id.is_(None), targets.c.product_id == contracts.c.product_id),
                or_(targets.c.agent_id.is_(None), targets.c.agent_id == contracts.c.agent_id),
            ),
        )
    )
    of = {name: targets.c[name] for name in ("branch_id", "product_id", "agent_id")}
    of |= {"day": AS_OF.c.day, DAYS_AGO.name: days_between(day, AS_OF.c.day)} | {e.name: e for e in _days}
    grain = _("one contract that counts towards a target running on the last day of the period")
    only = (targets.c.measure == measure,)
    return _fact(f"{measure}_toward_targets", grain, source, of, DAYS_RUN, DAYS_LEFT, DAYS_AGO, only=only)


def _family(of: Count, day: ColumnElement[Date], texts: dict[str, tuple[str, str]]) -> tuple[Measure, ...]:
    set_, reached = _set(of.name), _reached(of.name, day)

    def said(part: str) -> dict:
        label, meaning = texts[part]
        return {"label": label, "meaning": meaning, "family": FAMILY_NAME}

    target = Count(
        name=f"{of.name}_target",
        **said("target"),
        unit=Unit.AMOUNT,
        fact=set_,
        of=func.sum(set_.source.c.value),
        absent=None,
    )
    toward = Count(
        name=f"{of.name}_toward_target", **said("toward"), better=Better.HIGHER, fact=reached, of=func.count()
    )
    expected = Count(
        name=f"{of.name}_expected",
        **said("expected"),
        unit=Unit.AMOUNT,
        fact=set_,
        of=func.sum(set_.source.c.value * set_.source.c.passed / func.nullif(set_.source.c.planned, 0)),
        absent=None,
    )
    completion = Ratio(
        name=f"{of.name}_completion", **said("completion"), better=Better.HIGHER, over=toward, under=target, spread=None
    )
    pace = Ratio(
        name=f"{of.name}_pace",
        **said("pace"),
        unit=Unit.INDEX,
        better=Better.HIGHER,
        over=toward,
        under=expected,
        spread=None,
    )
    return target, toward, expected, completion, pace


(signed_target, signed_toward, signed_expected, signed_completion, signed_pace) = _family(
    _signed,
    contracts.c.signed_on,
    {
        "target": (
            _("Target, signed"),
            _("Contracts to be signed by the targets that run on the last day of the period"),
        ),
        "toward": (
            _("Signed towards target"),
            _("Contracts signed since the running target's start, up to the last day of the period"),
        ),
        "expected": (
            _("Expected by now, signed"),
            _("The target times the share of its working days that have passed"),
        ),
        "completion": (
            _("Completion, signed"),
            _("Contracts signed since the running target's start, as a share of the target"),
        ),
        "pace": (
            _("Pace, signed"),
            _("Completion over the share of working days passed: 1.00 reaches the target on its last day"),
        ),
    },
)

(activated_target, activated_toward, activated_expected, activated_completion, activated_pace) = _family(
    _activated,
    contracts.c.activated_on,
    {
        "target": (
            _("Target, activated"),
            _("Contracts to be activated by the targets that run on the last day of the period"),
        ),
        "toward": (
            _("Activated towards target"),
            _("Contracts first used since the running target's start, up to the last day of the period"),
        ),
        "expected": (
            _("Expected by now, activated"),
            _("The target times the share of its working days that have passed"),
        ),
        "completion": (
            _("Completion, activated"),
            _("Contracts first used since the running target's start, as a share of the target"),
        ),
        "pace": (
            _("Pace, activated"),
            _("Completion over the share of working days passed: 1.00 reaches the target on its last day"),
        ),
    },
)

first_uses = Count(
    name="first_uses",
    label=_("First uses"),
    meaning=_("Contracts used for the first time in the period, whenever they were signed"),
    family=FAMILY_NAME,
    better=Better.HIGHER,
    fact=replace(
        _SIGNED,
        name="contracts_first_used",
        grain=_("one contract, on the day of its first use"),
        day=contracts.c.activated_on,
        keys={d: key for d, key in _SIGNED.keys.items() if d is not DAYS_TO_USE} | time_keys(contracts.c.activated_on),
    ),
    of=func.count(),
)

MEASURES = (
    signed_target, signed_toward, signed_expected, signed_completion, signed_pace,
    activated_target, activated_toward, activated_expected, activated_completion, activated_pace,
    first_uses,
)  # fmt: skip
