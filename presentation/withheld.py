"""Says which numbers are withheld because they would tell of few customers, so that nobody takes them for none."""

from __future__ import annotations

import pandas as pd

from measures.model import Measure, _
from measures.question import BEFORE, WITHHELD, Question
from presentation.words import Words

CELL = _("withheld")
"""What stands in a cell whose number is withheld."""


def is_withheld(rows: pd.DataFrame, column: str) -> list[bool]:
    """For each row, whether the number in `column` is withheld."""
    return rows[column + WITHHELD].tolist() if column + WITHHELD in rows else [False] * len(rows)


def sentence(question: Question, answer: pd.DataFrame, say: Words) -> str | None:
    """Which numbers of the answer are withheld, and why; None for an answer of which nothing could be."""
    if not any(measure.name + WITHHELD in answer for measure in question.measures):
        return None
    said = []
    if found := [text for measure in question.measures if (text := _of(measure, question, answer, say))]:
        said.append(
            say(
                "Withheld, because they are about few customers or would tell of them beside the total: {numbers}. "
                "Whoever may see listings sees all.",
                numbers=say.listed(found),
            )
        )
    if any(any(is_withheld(answer, measure.name + BEFORE)) for measure in question.measures):
        said.append(
            say("By what is known of customers no two periods are compared; ask for the other period by itself.")
        )
    said.append(say("The rows are as of the end of the last month that is over, a total is as of the data's date."))
    return say.sentences(said)


def _of(measure: Measure, question: Question, answer: pd.DataFrame, say: Words) -> str | None:
    """The measure, and the values of which it is withheld where it is not withheld of all."""
    hidden = answer[is_withheld(answer, measure.name)]
    if hidden.empty:
        return None
    label = say(measure.label)
    if len(hidden) == len(answer):
        return label
    split = [dimension for dimension in question.by if not dimension.step]
    values = [say.value(d, value) for d in split for value in hidden[d.name].drop_duplicates()]
    return f"{label} ({say.listed(values)})" if values else label
