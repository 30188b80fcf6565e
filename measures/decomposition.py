"""Why a number moved between two periods: how much of the change each part brought, within itself and by its weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from measures.statistics import Numbers, as_numbers, divided


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A change and what each part brought to it, in the unit of the number: within + mix add up to after − before.

    `within` is what the part's own rate brought, `mix` what its weight did: more of a part above the average raises the whole.
    """

    before: float
    after: float
    within: Numbers
    mix: Numbers

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def effect(self) -> Numbers:
        """What each part brought in all."""
        return self.within + self.mix

    @property
    def largest_first(self) -> NDArray[np.int_]:
        """The indices of the parts, that with the largest effect in either direction first."""
        return np.argsort(-np.abs(self.effect), kind="stable")


def decomposed_rate(
    over_before: ArrayLike, under_before: ArrayLike, over_after: ArrayLike, under_after: ArrayLike
) -> Decomposition | None:
    """Why Σover ÷ Σunder moved; four arrays with a number for each part, the same parts in both periods, 0 where one is missing.

    None where either period has nothing to divide by. With w the part's share of Σunder, r its rate, R the whole rate and bars for
    the mean of both periods: within = w̄ · Δr, mix = (r̄ − R̄) · Δw. Exact and the same in both directions up to the sign (Marshall
    and Edgeworth's average weights; Bennet 1920).

    A part that appears or vanishes has a rate in one period only, which stands for both: all it brings is mix. What happened in a
    part with nothing to divide by (complaints without contracts) has no weight to change: it is within.
    """
    over0, under0, over1, under1 = as_numbers(over_before, under_before, over_after, under_after)
    all0, all1 = under0.sum(), under1.sum()
    if all0 <= 0 or all1 <= 0:
        return None
    before, after = float(over0.sum() / all0), float(over1.sum() / all1)
    average = (before + after) / 2
    rate0, rate1 = divided(over0, under0), divided(over1, under1)
    rate0, rate1 = np.where(np.isnan(rate0), rate1, rate0), np.where(np.isnan(rate1), rate0, rate1)
    own = np.where(np.isnan(rate0), average, (rate0 + rate1) / 2)
    heavier = under1 / all1 - under0 / all0
    mix = (own - average) * heavier
    # The part's whole effect, whatever its rate: what is not mix is within, also where there is no rate.
    within = (over1 / all1 - over0 / all0) - average * heavier - mix
    return Decomposition(before, after, within, mix)


def decomposed_sum(before: ArrayLike, after: ArrayLike) -> Decomposition:
    """Why a count that adds up moved; two arrays with the count of each part. All is within: a sum has no weights."""
    first, second = as_numbers(before, after)
    return Decomposition(float(first.sum()), float(second.sum()), second - first, np.zeros_like(first))
