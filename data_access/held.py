"""Answers that stay what they were: questions and answers as they are stored, and what stands in the warehouse's place for them.

While a meeting is prepared for its start, a `Holding` asks the warehouse and remembers; once it is started, `Held` answers from
what was remembered. Both are asked as the warehouse is. What is stored is what everybody may see who may hold meetings of the
branch: it is asked as seen from there, and nobody else is answered. Who may hold meetings may see listings too, so no number of few
customers is withheld from one of them and stored for another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from data_access.access import Permission, Refused, Viewer, demand, lies_within
from data_access.warehouse import State, Warehouse, WarehouseError
from measures.catalogue import Catalogue, dimension
from measures.model import _
from measures.period import Period
from measures.question import Order, Question, QuestionError, Told

_TEXTS = {
    pa.string(): pd.StringDtype("python", na_value=np.nan),
    pa.large_string(): pd.StringDtype("pyarrow", na_value=np.nan),
}
_DTYPES = {
    **{dtype: type_ for type_, dtype in _TEXTS.items()},
    pd.Int64Dtype(): pa.int64(),
    np.dtype("float64"): pa.float64(),
    np.dtype("bool"): pa.bool_(),
    np.dtype("datetime64[s]"): pa.timestamp("s"),
}
"""What the columns of an answer are, and as what they are stored. pandas would store a description of its own beside each, which is
longer than most answers."""

_PANDAS = {**_TEXTS, pa.int64(): pd.Int64Dtype()}


class NotHeld(Told):
    """What was not asked when the answers were stored."""


# Questions and answers as they are stored ---------------------------------------------------------------------------


def written(question: Question) -> str:
    """`question` as JSON in ASCII: measures and dimensions by name, days as 2026-11-22; the same text for the same question."""
    return _json(
        {
            "measures": [measure.name for measure in question.measures],
            "period": _days(question.period),
            "by": [split.name for split in question.by],
            "where": [[kept.name, ids] for kept, ids in question.where],
            "against": question.against and _days(question.against),
            "order": [[order.column, order.descending] for order in question.order],
            "cumulative": question.cumulative,
            "parent": question.parent,
        }
    )


def read(text: str, catalogue: Catalogue) -> Question:
    """The question that `written` made the text of. Raises QuestionError, also for measures and dimensions that are not known."""
    try:
        said = json.loads(text)
        return Question(
            tuple(catalogue.measure(name) for name in said["measures"]),
            _period(said["period"]),
            tuple(dimension(name) for name in said["by"]),
            tuple((dimension(name), tuple(ids)) for name, ids in said["where"]),
            said["against"] and _period(said["against"]),
            tuple(Order(column, descending) for column, descending in said["order"]),
            said["cumulative"],
            parent=said["parent"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise QuestionError(_("What was stored here is no question that this version can read.")) from error


def arrow(answer: pd.DataFrame) -> bytes:
    """`answer` as an Arrow stream, from which `frame` makes the same again. Raises TypeError for what no answer holds."""
    if unknown := {str(dtype) for dtype in answer.dtypes if dtype not in _DTYPES}:
        raise TypeError(f"An answer holds no columns of the type {', '.join(sorted(unknown))}.")
    schema = pa.schema([(name, _DTYPES[dtype]) for name, dtype in answer.dtypes.items()])
    table = pa.Table.from_pandas(answer, schema, preserve_index=False).replace_schema_metadata(None)
    stored = pa.BufferOutputStream()
    with pa.ipc.new_stream(stored, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return stored.getvalue().to_pybytes()


def frame(stored: bytes) -> pd.DataFrame:
    """The answer that `arrow` stored: the same values in the same types."""
    with pa.ipc.open_stream(stored) as stream:
        return stream.read_all().to_pandas(types_mapper=_PANDAS.get)


# In the warehouse's place -------------------------------------------------------------------------------------------


def _at_branch(viewer: Viewer, branch_id: str, paths: Mapping[str, str]) -> Viewer:
    """The viewer held to that branch, at or below their own. Raises Refused for everybody whom its meetings do not concern."""
    demand(viewer, Permission.MEETINGS)
    if viewer.agent_id or not lies_within(branch_id, viewer.branch_id, paths):
        raise Refused(_("This meeting is of a branch that you do not see as a whole."))
    return replace(viewer, branch_id=branch_id)


class Holding:
    """The warehouse as it is seen from a branch, for those who hold its meetings. `answers` holds all that was asked, as it is stored,
    and its answers.

    All of it is of one load: where another has come in meanwhile, what is asked next raises WarehouseError. With `data_until`, what is
    added to a meeting that runs is asked as of the meeting's own date, though the data may have gone on.
    """

    def __init__(self, warehouse: Warehouse, branch_id: str, data_until: date | None = None) -> None:
        self._warehouse = warehouse
        self._branch_id = branch_id
        self._loaded = warehouse.state()
        went_on = data_until is not None and data_until < self._loaded.data_until
        self._seen_on = data_until if went_on else None
        self.answers: dict[str, bytes] = {}

    def state(self) -> State:
        """What was known of the warehouse when this began; its date is that of the answers."""
        return replace(self._loaded, data_until=self._seen_on, rollups=()) if self._seen_on else self._loaded

    @property
    def days_off(self) -> tuple[tuple[date, int], ...]:
        return self._warehouse.days_off

    def fetch(self, question: Question, viewer: Viewer) -> pd.DataFrame:
        """As `Warehouse.fetch`."""
        answer = self._warehouse.fetch(question, self._seen_by(viewer), self._seen_on)
        return self._remembered(written(question), answer)

    def fetch_ahead(self, questions: Iterable[Question], viewer: Viewer) -> None:
        """As `Warehouse.fetch_ahead`; it is remembered when it is fetched."""
        if self._seen_on is None:
            self._warehouse.fetch_ahead(questions, self._seen_by(viewer))

    def events(self, period: Period, branch_id: str, product_ids: Iterable[str], viewer: Viewer) -> pd.DataFrame:
        """As `Warehouse.events`."""
        chosen = tuple(product_ids)
        answer = self._warehouse.events(period, branch_id, chosen, self._seen_by(viewer))
        return self._remembered(_events(period, branch_id, chosen), answer)

    def unknown_before(self, day: date) -> dict[str, date]:
        """As `Warehouse.unknown_before`."""
        found = self._warehouse.unknown_before(day)
        tables = pd.DataFrame({"table_name": [*found], "first_day": [*map(pd.Timestamp, found.values())]})
        self._remembered(
            _unknown_before(day), tables.astype({"table_name": _TEXTS[pa.string()], "first_day": "datetime64[s]"})
        )
        return found

    def _seen_by(self, viewer: Viewer) -> Viewer:
        return _at_branch(viewer, self._branch_id, self._loaded.paths)

    def _remembered(self, question: str, answer: pd.DataFrame) -> pd.DataFrame:
        if not _of_one_load(self._loaded, self._warehouse.state()):
            raise WarehouseError(_("New data were loaded meanwhile. Try again: all numbers are then of the new load."))
        self.answers[question] = arrow(answer)
        return answer


class Held:
    """Stored answers in the place of the warehouse, whose tree and catalogue are used, and none of its numbers.

    To whoever may not see the branch nothing is answered.
    """

    def __init__(
        self, warehouse: Warehouse, branch_id: str, answers: Mapping[str, bytes], data_until: date | None
    ) -> None:
        state = warehouse.state()
        self._state = replace(state, data_until=data_until or state.data_until, rollups=())
        self._branch_id = branch_id
        self._answers = answers
        self._days_off = warehouse.days_off
        self.asked: list[Question] = []
        """What was asked of it, in order."""

    def state(self) -> State:
        """What is known of the warehouse now, with the date that the data had then."""
        return self._state

    @property
    def days_off(self) -> tuple[tuple[date, int], ...]:
        return self._days_off

    def fetch(self, question: Question, viewer: Viewer) -> pd.DataFrame:
        """The stored answer. Raises Refused and NotHeld."""
        _at_branch(viewer, self._branch_id, self._state.paths)
        answer = self._answer(written(question))
        self.asked.append(question)
        return answer

    def fetch_ahead(self, questions: Iterable[Question], viewer: Viewer) -> None:
        """Does nothing: all that can be fetched is there."""

    def events(self, period: Period, branch_id: str, product_ids: Iterable[str], viewer: Viewer) -> pd.DataFrame:
        """The events that were stored. Raises Refused and NotHeld."""
        _at_branch(viewer, self._branch_id, self._state.paths)
        return self._answer(_events(period, branch_id, tuple(product_ids)))

    def unknown_before(self, day: date) -> dict[str, date]:
        """The tables that were stored as such. Raises NotHeld."""
        found = self._answer(_unknown_before(day))
        return dict(zip(found["table_name"], found["first_day"].dt.date, strict=True))

    def _answer(self, question: str) -> pd.DataFrame:
        if question not in self._answers:
            raise NotHeld(_("This was not shown in the meeting, so no number of it was kept."))
        return frame(self._answers[question])


def _of_one_load(first: State, now: State) -> bool:
    """Whether the same is loaded; another version may also have other rollups alone. Where loads are not recorded nobody can tell."""
    return first.version == now.version or (first.data_until == now.data_until and first.loaded.equals(now.loaded))


def _events(period: Period, branch_id: str, product_ids: tuple[str, ...]) -> str:
    return _json({"events": _days(period), "branch": branch_id, "products": product_ids})


def _unknown_before(day: date) -> str:
    return _json({"unknown_before": day.isoformat()})


def _json(said: object) -> str:
    # In ASCII every database holds it as it is, half a character included.
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def _days(period: Period) -> list[str]:
    return [period.start.isoformat(), period.end.isoformat()]


def _period(days: list[str]) -> Period:
    first, last = map(date.fromisoformat, days)
    return Period(first, last)
