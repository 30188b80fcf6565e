"""What may be said of rates side by side or over time: their order, who differs by more than chance, whether a level has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from measures.control import ControlChart, Method, Point, Runs, control_chart
from measures.funnel import Dispersion, Funnel, Place, rate_funnel, share_funnel
from measures.model import Dimension, Measure, Ratio, Spread, _
from measures.period import Period
from measures.ranking import Ranking, ranking, shrunk_rates, shrunk_shares
from measures.statistics import Numbers, garwood, wilson
from presentation.charts import Doubt
from presentation.findings import name_of, within
from presentation.units import short
from presentation.words import Words

FEWEST_UNITS = 5
"""An average of fewer says little about any of them, and each would move it by itself."""

HOW_ORDERED = _(
    "Before they are put in order, rates are drawn towards the overall rate, those of few the most (beta-binomial or gamma-Poisson "
    "shrinkage). The thin lines hold the rate 95 times of 100 (Wilson; Garwood for events)."
)
HOW_BETWEEN = _(
    "The interval of a share is Wilson's, that of a rate of events Garwood's. It is the wider the fewer the rate stands for."
)
HOW_JUDGED = _(
    "Funnel plot (Spiegelhalter 2005): around the overall rate, exact binomial or Poisson limits that chance keeps 95 and 99.8 times "
    "of 100, widened where the dots differ among each other by more than chance anyhow."
)
HOW_CONTROLLED = _(
    "Control chart (u-chart; Laney u′ where neighbouring steps differ by more than chance) with limits at three standard errors; "
    "runs after Anhøj and Olesen 2014."
)


# Side by side -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Comparison:
    """The rows of an answer in the order in which they are to be shown, and what is known of each.

    Those with enough to be judged come first, by the rates that chance is taken out of, the highest first; then the others as they
    came. `doubts` has one for each row, in the measure's unit.
    """

    measure: Ratio
    rows: pd.DataFrame
    judged: int
    doubts: tuple[Doubt, ...]

    @property
    def enough(self) -> pd.DataFrame:
        """The rows that have enough to be judged."""
        return self.rows.iloc[: self.judged]

    @cached_property
    def groups(self) -> int:
        """How many groups can be told apart."""
        return len({doubt.group for doubt in self.doubts if doubt.places})

    def funnel(self, overall: float) -> Funnel:
        """The funnel of those with enough to be judged around `overall`, which is in the measure's unit."""
        over, under = _counts(self.measure, self.enough)
        lay = share_funnel if self.measure.spread is Spread.SHARES else rate_funnel
        return lay(over, under, float(overall) / self.measure.per)


def intervals(measure: Measure, answer: pd.DataFrame) -> tuple[Numbers, Numbers] | None:
    """The lower and upper ends of what holds each row's rate 95 times of 100, in the measure's unit; None where chance cannot be
    reckoned with.

    That is: the measure declares no spread, the answer does not hold both of its counts, or one of them is not among the other.
    """
    if not isinstance(measure, Ratio) or measure.spread is None:
        return None
    if not {measure.name, measure.over.name, measure.under.name} <= set(answer.columns):
        return None
    over, under = _counts(measure, answer)
    shares = measure.spread is Spread.SHARES
    if (over < 0).any() or (under < 0).any() or (shares and (over > under).any()):
        return None
    lower, upper = (wilson if shares else garwood)(over, under)
    return lower * measure.per, upper * measure.per


def comparison(measure: Measure, answer: pd.DataFrame) -> Comparison | None:
    """The rows of `answer` put in order; None where they have no intervals, or nothing to be put in order by."""
    ends = intervals(measure, answer)
    if ends is None:
        return None
    over, under = _counts(measure, answer)
    shrunk = (shrunk_shares if measure.spread is Spread.SHARES else shrunk_rates)(over, under)
    if shrunk is None:
        return None
    ranks = ranking(shrunk, under, fewest=measure.fewest)
    lower, upper = ends
    others = [row for row in range(len(answer)) if not ranks.rank[row]]
    order = [*ranks.order.tolist(), *others]
    doubts = tuple(_doubt(row, ranks, lower, upper) for row in order)
    return Comparison(measure, answer.iloc[order], len(ranks.order), doubts)


def _counts(measure: Ratio, rows: pd.DataFrame) -> tuple[Numbers, Numbers]:
    """Both counts of each row. A row of which one is not known is one of nothing: it has no rate, and so no place."""
    known = rows[measure.over.name].notna() & rows[measure.under.name].notna()
    over, under = (rows[count.name].where(known, 0).to_numpy(dtype=float) for count in measure.counts)
    return over, under


def _doubt(row: int, ranks: Ranking, lower: Numbers, upper: Numbers) -> Doubt:
    places = (int(ranks.best[row]), int(ranks.worst[row])) if ranks.rank[row] else None
    return Doubt(float(lower[row]), float(upper[row]), places, int(ranks.group[row]))


def title(found: Comparison, by: Dimension, say: Words) -> str:
    """“A (72 %) is highest, B (41 %) lowest”, as the order has them; or that they are too close to tell apart."""
    if not found.judged:
        return say("Too few to tell by {dimension}", dimension=within(say(by.label), say))
    first, last = found.enough.iloc[0], found.enough.iloc[-1]

    def named(row: pd.Series) -> str:
        return say.aside(name_of(row, by, say), short(row[found.measure.name], found.measure.unit, say.language))

    if found.judged == 1:
        return say("Only {one} has enough to tell", one=named(first))
    rates = found.enough[found.measure.name]
    if rates.min() == rates.max():
        return say("The same everywhere: {value}", value=short(rates.min(), found.measure.unit, say.language))
    if found.groups == 1:
        lowest, highest = found.enough.loc[rates.idxmin()], found.enough.loc[rates.idxmax()]
        return say("From {lowest} to {highest}: too close to tell apart", lowest=named(lowest), highest=named(highest))
    return say("{highest} is highest, {lowest} lowest", highest=named(first), lowest=named(last))


def order_told(found: Comparison, say: Words) -> str | None:
    """What the order of the bars is worth; None where there is none."""
    if found.judged < 2:
        return None
    if found.groups == 1:
        told = [say("None of these {n} can be told apart from the first: their order may be chance.", n=found.judged)]
    else:
        told = [
            say("Those on one ground cannot be told apart from the first of them: their order there may be chance.")
        ]
    if not found.enough[found.measure.name].is_monotonic_decreasing:
        told.append(say("The order allows for size: a rate that stands for few counts as nearer to the overall one."))
    return say.sentences(told)


def differing_told(funnel: Funnel, say: Words) -> str:
    """“9 of 41 differ from the average by more than chance; the others cannot be told apart from it.”"""
    far = sum(place in (Place.FAR_ABOVE, Place.FAR_BELOW) for place in funnel.places)
    near = sum(place in (Place.ABOVE, Place.BELOW) for place in funnel.places)
    told = [_far_told(far, len(funnel.places), funnel.dispersion is Dispersion.MORE, say)]
    if near:
        told.append(say("Between the two limits, to be watched but no proof: {n}.", n=near))
    if funnel.dispersion is Dispersion.MORE:
        told.append(say("The limits are widened for what they vary by among each other."))
    return say.sentences(told)


def standing_out(found: Comparison, funnel: Funnel, by: Dimension, say: Words) -> str:
    """“A (72 %) stands out from the average”: the title of a funnel."""
    furthest = int(np.argmin(funnel.p))
    far = sum(place in (Place.FAR_ABOVE, Place.FAR_BELOW) for place in funnel.places)
    if not far:
        return say("None stands out from the average")
    row = found.enough.iloc[furthest]
    value = short(row[found.measure.name], found.measure.unit, say.language)
    one = say.aside(name_of(row, by, say), value)
    if far == 1:
        return say("{one} stands out from the average", one=one)
    return say("{n} stand out from the average, {one} the most", n=far, one=one)


def _far_told(far: int, number: int, varied: bool, say: Words) -> str:
    if varied and not far:
        return say("Together these {all} vary by more than chance, but none of them stands out.", all=number)
    if varied:
        return say.plural(
            "{n} of {all} stands out from the average by more than these vary anyhow; the others do not.",
            "{n} of {all} stand out from the average by more than these vary anyhow; the others do not.",
            far,
            all=number,
        )
    if not far:
        return say("None of the {all} differs from the average by more than chance.", all=number)
    if far == number:
        return say("All {all} differ from the average by more than chance.", all=number)
    return say.plural(
        "{n} of {all} differs from the average by more than chance; the others cannot be told apart from it.",
        "{n} of {all} differ from the average by more than chance; the others cannot be told apart from it.",
        far,
        all=number,
    )


PLACES = {
    Place.NOT_TOLD: _("Cannot be told"),
    Place.FAR_BELOW: _("Below what chance explains"),
    Place.BELOW: _("Low, to be watched"),
    Place.INSIDE: _("Cannot be told apart from the average"),
    Place.ABOVE: _("High, to be watched"),
    Place.FAR_ABOVE: _("Above what chance explains"),
}
"""What is said of a dot in the funnel."""


# Over time ----------------------------------------------------------------------------------------------------------


def charted(measure: Ratio, settled: pd.DataFrame, days: Sequence[date], chosen: Period | None) -> ControlChart:
    """The control chart of the rows, whose steps begin on `days`, with limits from the steps `chosen`, or from all of them."""
    inside = [at for at, day in enumerate(days) if chosen is None or chosen.start <= day <= chosen.end]
    based = slice(inside[0], inside[-1] + 1) if inside else slice(0, 0)
    count, base = (settled[each.name].fillna(0).to_numpy(dtype=float) for each in measure.counts)
    return control_chart(count, base / measure.per, based)


def course_told(chart: ControlChart, names: Sequence[str], say: Words) -> list[str]:
    """What the points say, a sentence each, the one that matters most first. `names` are those of the points, which are settled."""
    if chart.method is Method.NOT_TOLD:
        return [say("Too few steps, or nothing happened in them, to tell chance from change.")]
    told = []
    above, below = (
        [name for name, point in zip(names, chart.points, strict=True) if point is place]
        for place in (Point.ABOVE, Point.BELOW)
    )
    if above:
        told.append(
            say.plural(
                "{steps} lies above what chance explains: look for what was different then.",
                "{steps} lie above what chance explains: look for what was different then.",
                len(above),
                steps=say.listed(above),
            )
        )
    if below:
        told.append(
            say.plural(
                "{steps} lies below what chance explains: look for what was different then.",
                "{steps} lie below what chance explains: look for what was different then.",
                len(below),
                steps=say.listed(below),
            )
        )
    if chart.runs is Runs.SHIFTED:
        run = chart.longest
        said = {"n": run.length, "first": names[run.start], "last": names[run.stop - 1]}
        if run.above:
            told.append(say("{n} in a row above the average, {first} to {last}: the level has moved.", **said))
        else:
            told.append(say("{n} in a row below the average, {first} to {last}: the level has moved.", **said))
    elif chart.runs is Runs.WAVES:
        told.append(say("The rate crosses its average seldom: it drifts, or comes and goes in waves."))
    if not told:
        told.append(say("Every step lies within what chance explains."))
    if chart.method is Method.U_PRIME:
        told.append(say("Neighbouring steps differ by more than chance anyhow; the limits are widened for that."))
    return told
