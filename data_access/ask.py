"""Understands a question said in a few words, as on a command line, and says what is wrong with one that has no answer."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

import pandas as pd
from sqlalchemy import Column

from data_access.access import Role, Viewer
from data_access.warehouse import Warehouse
from measures.catalogue import DIMENSION, MEASURES, Catalogue, dimension
from measures.dimensions import PRODUCT
from measures.model import Dimension, Measure, _
from measures.period import Compare, Period, Preset, compared_period, preset_period
from measures.question import Question, QuestionError, Where, where
from measures.signals import Signals, signals

_NO_BRANCH = _("There is no branch with the id “{id}” here.")
_NO_PRODUCT = _("There is no product with the id “{id}”. The products are: {known}.")
_NO_CODE = _("“{id}” is no value of {dimension}. Known are: {known}.")


def measures_said(words: str, catalogue: Catalogue) -> tuple[Measure, ...]:
    """The measures of `words`, names with commas between them. Raises QuestionError, which names close ones."""
    return tuple(catalogue.measure(_known(name, MEASURES)) for name in _list(words))


def dimensions_said(words: str) -> tuple[Dimension, ...]:
    """The dimensions of `words`, names with commas between them; none for an empty text. Raises QuestionError."""
    return tuple(dimension(_known(name, DIMENSION)) for name in _list(words))


def filters_said(words: Iterable[str]) -> Where:
    """The filters of `words`, each DIMENSION=ID[,ID…]; one dimension said twice keeps the ids of both.

    An id with a comma in it stands in double quotes; an empty id means “not recorded”. Raises QuestionError.
    """
    chosen: dict[Dimension, dict[str | None, None]] = {}
    for word in words:
        name, equals, ids = word.partition("=")
        if not equals:
            raise QuestionError(
                _(
                    "A filter is written DIMENSION=ID[,ID…], such as area=rural or cause= for not recorded; got “{word}”."
                ),
                word=word,
            )
        wanted = dimension(_known(name.strip(), DIMENSION))
        chosen.setdefault(wanted, {}).update(dict.fromkeys(i or None for i in _list(ids) or [""]))
    return where(chosen)


def period_said(
    start: date | None, end: date | None, compare: Compare, data_until: date
) -> tuple[Period, Period | None]:
    """The days asked for, and those they are compared with.

    Without `end` they end on the data's date; without `start` they begin with the month eleven months before the end, so
    that the whole are the last twelve months. Raises QuestionError for a start after the end.
    """
    last = end or data_until
    if start is None:
        preset, period = Preset.LAST_12_MONTHS, preset_period(Preset.LAST_12_MONTHS, last)
    elif start > last:
        raise QuestionError(
            _("The period starts on {start}, after its end on {end}."), start=start.isoformat(), end=last.isoformat()
        )
    else:
        preset, period = None, Period(start, last)
    return period, compared_period(period, preset, compare)


def viewer_said(person: str, branch: str | None, warehouse: Warehouse) -> Viewer:
    """The viewer who stands at `branch`, or at head office. Raises QuestionError where there is no such branch."""
    head_office = Viewer(person, warehouse.root(), Role.VISITOR)
    if branch is None:
        return head_office
    _check_branch(branch, head_office, warehouse)
    return Viewer(person, branch, Role.VISITOR)


def signals_seen(viewer: Viewer, warehouse: Warehouse) -> Signals:
    """What deserves the attention of `viewer`, up to the data's date. Raises WarehouseError."""
    state = warehouse.state()

    def ask(names: Sequence[str], by: Sequence[Dimension], period: Period) -> pd.DataFrame:
        known = (state.catalogue.measures[name] for name in names if name in state.catalogue.measures)
        measures = tuple(measure for measure in known if measure.dimensions.issuperset(by))
        return warehouse.fetch(Question(measures, period, tuple(by)), viewer) if measures else pd.DataFrame()

    return signals(ask, state.data_until, in_sub_branches=viewer.branch_id == warehouse.root())


def check_ids(question: Question, viewer: Viewer, warehouse: Warehouse) -> None:
    """Raises QuestionError for a branch that `viewer` may not see, a product that is not there, or a code that is none.

    A slip of the pen in one of them would else be answered with a plausible nought. A branch that exists elsewhere and one
    that does not exist are told in the same words.
    """
    for wanted, ids in question.where:
        for code in ids:
            if code is None:
                continue
            if wanted.in_tree:
                _check_branch(code, viewer, warehouse)
            elif wanted is PRODUCT:
                _check_product(code, warehouse)
            elif code not in wanted.values and not _takes_any_code(wanted, question):
                raise QuestionError(_NO_CODE, id=code, dimension=wanted.name, known=", ".join(wanted.values))


def found_nowhere(question: Question, viewer: Viewer, warehouse: Warehouse) -> list[tuple[Dimension, str | None]]:
    """The filters of `question` that no row meets in its periods, for those dimensions whose codes nobody lists."""
    lost: list[tuple[Dimension, str | None]] = []
    for wanted, ids in question.where:
        if not wanted.in_tree and wanted is not PRODUCT and _takes_any_code(wanted, question):
            alone = replace(question, by=(wanted,), where=(), order=(), cumulative=False)
            met = warehouse.fetch(alone, viewer)[wanted.name]
            known = {None if missing else code for code, missing in zip(met, met.isna(), strict=True)}
            lost += [(wanted, code) for code in ids if code not in known]
    return lost


def _takes_any_code(wanted: Dimension, question: Question) -> bool:
    """Whether the dimension is a column of the contract that takes whatever the bank writes into it."""
    counts = question.measures[0].counts
    key = next(count.fact.keys[wanted].id for count in counts if wanted in count.fact.keys)
    # A column of an alias knows what the contract says only through the column that it stands for.
    return isinstance(key, Column) and not any(column.info.get("one_of") for column in key.base_columns)


def _check_branch(code: str, viewer: Viewer, warehouse: Warehouse) -> None:
    if code not in set(warehouse.branches(viewer)["branch_id"]):
        raise QuestionError(_NO_BRANCH, id=code)


def _check_product(code: str, warehouse: Warehouse) -> None:
    named = dict(warehouse.products()[["product_id", "name"]].itertuples(index=False))
    if code not in named:
        known = ", ".join(f"{id_} ({name})" for id_, name in named.items())
        raise QuestionError(_NO_PRODUCT, id=code, known=known)


def _known(name: str, names: Iterable[str]) -> str:
    """`name` where it is one of `names`, or is far from all of them; raises QuestionError with the close ones otherwise."""
    names = list(names)
    near = [] if name in names else get_close_matches(name, names, n=3)
    if near:
        raise QuestionError(_("There is no “{name}”. Did you mean {near}?"), name=name, near=", ".join(near))
    return name


def _list(words: str) -> Sequence[str]:
    """The parts between commas; in double quotes a comma is part of the text."""
    return [part.strip() for part in next(csv.reader([words], skipinitialspace=True), [])]
