"""What a report on complaints says of each cause, by rule: how many and whether that changed, where most, what customers need, and
what could be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from measures.dimensions import CAUSE
from measures.model import Dimension, Measure, Unit, _
from measures.period import Period
from measures.question import BEFORE, CUMULATIVE
from presentation import findings
from presentation.drawing import FEW
from presentation.exhibit import Exhibit, Kind
from presentation.tables import Column, Table
from presentation.units import change, period_shown, short, shown
from presentation.words import Words

NEEDS = {
    "queueing": _("to be served without a long wait, or by appointment, telephone or app instead of at the counter"),
    "system_fault": _("services that work when they are needed, and word of a fault before they find it themselves"),
    "attitude": _("to be met with patience and respect, and to be told what happens next"),
    "training": _("staff who know the product, and who know what to do when something goes wrong"),
    "premises": _("room, quiet and privacy at the outlet"),
    "delivery": _("to get cards, devices and papers on the day that was promised"),
    "fees": _("to know each fee before it is charged"),
    "misselling": _("products that suit them, with their risks explained"),
}
"""What customers who complain about a cause ask for; the codes are those of `dimensions.CAUSE`."""

PROPOSALS = {
    "queueing": _(
        "Open more counters at the hours with most customers; send a lobby manager who shows what the app and the machines can do"
    ),
    "system_fault": _("Agree with operations on how faults are announced; give outlets a way to go on by hand"),
    "attitude": _(
        "Go through recent complaints with the staff concerned; observe service at the counter and give feedback"
    ),
    "training": _(
        "Train products and emergencies, and rehearse them at every outlet; test before new products are sold"
    ),
    "premises": _(
        "Part the hall into zones; repair or replace what is missing; plan a rebuilding where there is no room"
    ),
    "delivery": _("Measure delivery from order to receipt; tell customers on their own where an order is"),
    "fees": _("Show fees before signing, in the app and on paper; give back what was charged without notice"),
    "misselling": _(
        "Check suitability before each sale; listen to recordings of sales; correct contracts that do not suit"
    ),
}
"""What a branch could do about a cause: a draft for whoever edits the report."""


def few(answer: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The causes, the largest first, that together make up four fifths: up to the one that crosses them, and those as large as it,
    which nothing but their names puts after it."""
    before = answer[measure.name + CUMULATIVE].shift(1, fill_value=0.0)
    reaching = answer[(before < FEW) & (answer[measure.name] > 0)]
    return answer[answer[measure.name] >= reaching[measure.name].min()] if len(reaching) else reaching


def told(
    measure: Measure,
    row: Mapping[str, object],
    compared: Mapping[str, object] | None,
    total: object,
    against: Period | None,
    most: Iterable[tuple[Dimension, pd.DataFrame]],
    say: Words,
) -> str:
    """“Queueing: 120 of 480, 25.0 % with all before it; …”: a cause in a sentence.

    `row` is of the answer with cumulative shares, `compared` of the one beside the period `against`; `most` holds answers by cause
    and a dimension, of which the value with most is named.
    """
    unit, language = measure.unit, say.language
    clauses = [
        say(
            "{count} of {total}, {share} with all before it",
            count=short(row[measure.name], unit, language),
            total=short(total, unit, language),
            share=shown(row[measure.name + CUMULATIVE], Unit.SHARE, language),
        )
    ]
    if compared is not None and against and pd.notna(compared[measure.name + BEFORE]):
        clauses.append(_moved(measure, compared, against, say))
    for dimension, answer in most:
        if named := _most(measure, row[CAUSE.name], dimension, answer, say):
            clauses.append(named)
    return say("{name}: {values}", name=say.value(CAUSE, row[CAUSE.name]), values=say.clauses(clauses))


def _moved(measure: Measure, row: Mapping[str, object], against: Period, say: Words) -> str:
    moved = change(row[measure.name], row[measure.name + BEFORE], measure, say.language)
    words = {"change": moved.text, "period": period_shown(against, say.language)}
    if moved.direction == "same":
        return say("as many as in {period}", period=words["period"])
    if findings.differ(measure, (row, ""), (row, BEFORE)):
        return say("{change} against {period}", **words)
    return say("{change} against {period}, which may be chance", **words)


def _most(measure: Measure, cause: object, dimension: Dimension, answer: pd.DataFrame, say: Words) -> str | None:
    rows = answer[answer[CAUSE.name].isna() if pd.isna(cause) else answer[CAUSE.name] == cause]
    rows = rows[rows[measure.name].notna()]
    if len(rows) < 2:
        return None
    first = rows.loc[rows[measure.name].idxmax()]
    if first[measure.name] < 2 or len(rows[rows[measure.name] == first[measure.name]]) > 1:
        return None
    return say(
        "{dimension} with most: {name} ({count})",
        dimension=findings.within(say(dimension.label), say),
        name=findings.name_of(first, dimension, say),
        count=short(first[measure.name], measure.unit, say.language),
    )


def needs(rows: Sequence[Mapping[str, object]], measure: Measure, say: Words) -> list[str]:
    """What the customers who complain about these causes need, each with how many they are."""
    return [
        say(
            "{cause} ({count}): customers want {need}.",
            cause=say.value(CAUSE, row[CAUSE.name]),
            count=short(row[measure.name], measure.unit, say.language),
            need=say(NEEDS[row[CAUSE.name]]),
        )
        for row in rows
        if row[CAUSE.name] in NEEDS
    ]


def proposals(rows: Sequence[Mapping[str, object]], measure: Measure, say: Words) -> Exhibit:
    """A draft of what could be done about these causes, with room for who and by when."""
    columns = (
        Column("cause", say(CAUSE.label), "text"),
        Column("count", say(measure.label), "number", measure.unit),
        Column("proposal", say("Proposed"), "text"),
        Column("who", say("Responsible"), "text", missing="…"),
        Column("due", say("By when"), "text", missing="…"),
    )
    known = [row for row in rows if row[CAUSE.name] in PROPOSALS]
    table = pd.DataFrame(
        {
            "cause": pd.array([say.value(CAUSE, row[CAUSE.name]) for row in known], dtype="str"),
            "count": pd.array([row[measure.name] for row in known], dtype="Int64"),
            "proposal": pd.array([say(PROPOSALS[row[CAUSE.name]]) for row in known], dtype="str"),
            "who": pd.array([None] * len(known), dtype="str"),
            "due": pd.array([None] * len(known), dtype="str"),
        }
    )
    title = say("A draft, written by rule from the causes: edit it before it is sent")
    return Exhibit(Kind.TABLE, title, "", Table(title, columns, table) if known else None)
