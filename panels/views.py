"""A view: a part of a page with its arguments and filters, written down so that it can be shown again elsewhere and later.

What is written names builders, measures and dimensions that are declared here, and is looked up among them: nothing in it is run, and
none of it becomes SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from measures.catalogue import WHOLE_CONTRACT, catalogue, dimension
from measures.model import Dimension, _
from measures.period import Period
from measures.question import Order, Told
from measures.waits import WAITS, Wait
from panels import exhibits, notes
from panels.desk import Desk
from presentation.cards import corner_button
from presentation.exhibit import Exhibit
from presentation.filters import days_in, days_written, filters_at

FILTERS = ("branch", "product", "period", "compare")
"""The filters of a view, as in an address; the language is the reader's."""


class Unreadable(Told):
    """A text that is no view, or one of something that is not here."""


@dataclass(frozen=True)
class View:
    """A builder of `exhibits` by its name, its arguments as JSON, and filters as in an address. Made by `view`, `read`, or by hand;
    raises Told where it names a builder, an argument, a measure or a dimension that is not there."""

    of: str
    given: Mapping[str, object]
    filters: Mapping[str, str]

    def __post_init__(self) -> None:
        if not isinstance(self.of, str) or self.of not in BUILDERS:
            raise Unreadable(
                _("There is no view “{name}”. Known are: {known}."), name=str(self.of), known=", ".join(BUILDERS)
            )
        if not isinstance(self.given, Mapping) or not isinstance(self.filters, Mapping):
            raise _unreadable()
        if not set(self.filters) <= set(FILTERS) or not all(isinstance(text, str) for text in self.filters.values()):
            raise _unreadable()
        self._arguments()

    def written(self) -> str:
        """The view as JSON: the same text for the same view."""
        written = {"of": self.of, "given": dict(self.given), "filters": dict(self.filters)}
        return json.dumps(written, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def read(text: str) -> View:
        """The view that was written. Raises Told for what is none."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise _unreadable() from None
        if not isinstance(found, dict) or set(found) != {"of", "given", "filters"}:
            raise _unreadable()
        return View(**found)

    def build(self, desk: Desk) -> Exhibit:
        """The exhibit, asked at `desk` under the view's own filters. Raises Told: for filters on what is not there or not to be seen,
        and whatever the builder raises."""
        filters = filters_at(self.filters, desk.places, desk.products, desk.state.data_until, desk.say)
        # What the page around it has asked is neither its own nor, of another load, the same.
        own = replace(desk, filters=filters, offers=None, own_parameters={}, asked=[], _wholes={})
        return BUILDERS[self.of].build(own, **self._arguments())

    def _arguments(self) -> dict[str, object]:
        builder = BUILDERS[self.of]
        lacking = builder.needs - set(self.given)
        if lacking or not set(self.given) <= set(builder.takes):
            raise _unreadable()
        return {name: builder.takes[name].read(value) for name, value in self.given.items()}


def view(desk: Desk, of: str, /, **given: object) -> View:
    """What the builder `of` shows at `desk` with the arguments `given`; those that are None are left to it."""
    takes = BUILDERS[of].takes
    written = {name: takes[name].written(value) for name, value in given.items() if value is not None}
    return View(of, written, {name: text for name, text in desk.filters.address.items() if name in FILTERS})


def offer(desk: Desk, key: str, shown: Exhibit, of: str, /, **given: object) -> Callable[[], None] | None:
    """What draws the button that takes a part of the page into a meeting; None where there is none to take it into."""
    if desk.offers is None:
        return None
    args = (view(desk, of, **given), shown.title)
    return partial(corner_button, desk.say("Add to meeting"), f"{key}_corner", desk.offers, args)


# Arguments ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Argument:
    """How an argument of a builder is read from JSON, raising Told for what it cannot be, and written as JSON."""

    read: Callable[[object], object]
    written: Callable[[object], object]


@dataclass(frozen=True)
class Builder:
    """A builder, the arguments that it takes, and those of them that it needs."""

    build: Callable[..., Exhibit]
    takes: Mapping[str, Argument]
    needs: frozenset[str]


def _unreadable() -> Unreadable:
    return Unreadable(_("This is not a view that the dashboard knows. Add it to the meeting again."))


def _measure(value: object) -> str:
    if not isinstance(value, str):
        raise _unreadable()
    return catalogue(WHOLE_CONTRACT).measure(value).name


def _dimension(value: object) -> Dimension:
    if not isinstance(value, str):
        raise _unreadable()
    return dimension(value)


def _step(value: object) -> Dimension:
    found = _dimension(value)
    if not found.step:
        raise _unreadable()
    return found


def _days(value: object) -> Period:
    days = days_in(value) if isinstance(value, str) else None
    if days is None:
        raise _unreadable()
    return Period(*days)


def _order(value: object) -> Order:
    if not isinstance(value, dict) or set(value) != {"column", "descending"}:
        raise _unreadable()
    if not isinstance(value["column"], str) or not isinstance(value["descending"], bool):
        raise _unreadable()
    return Order(**value)


def _pair(value: object) -> tuple[str, str | None]:
    if not isinstance(value, list) or len(value) != 2:
        raise _unreadable()
    return _measure(value[0]), None if value[1] is None else _measure(value[1])


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _unreadable()
    return value


def _wait(value: object) -> Wait:
    if not isinstance(value, str) or value not in WAITS:
        raise _unreadable()
    return WAITS[value]


def _several(argument: Argument, fewest: int = 1) -> Argument:
    def read(value: object) -> tuple:
        if not isinstance(value, list) or len(value) < fewest:
            raise _unreadable()
        return tuple(argument.read(each) for each in value)

    return Argument(read, lambda values: [argument.written(each) for each in values])


def _one_of(*known: str) -> Argument:
    def read(value: object) -> str:
        if value not in known:
            raise _unreadable()
        return value

    return Argument(read, str)


MEASURE = Argument(_measure, str)
DIMENSION = Argument(_dimension, lambda found: found.name)
STEP = Argument(_step, lambda found: found.name)
DAYS = Argument(_days, days_written)
ORDER = Argument(_order, lambda order: {"column": order.column, "descending": order.descending})
PAIR = Argument(_pair, list)
FLAG = Argument(_flag, bool)
WAIT = Argument(_wait, lambda wait: next(name for name, known in WAITS.items() if known is wait))


def _titled_table(desk: Desk, names, by, title: str = "measures", order=None, compared: bool = False) -> Exhibit:
    """A table under a title that its own arguments give: “By cause”, or “Signed by cause”."""
    if title == "by" and len(by) == 1:
        text = notes.title_by(desk, by[0])
    else:
        text = notes.say_by(desk, [m for m in desk.known(*names) if m.dimensions.issuperset(by)], by)
    return exhibits.table(desk, text, names, by, order, compared)


def _builder(build: Callable[..., Exhibit], takes: Mapping[str, Argument], *optional: str) -> Builder:
    return Builder(build, takes, frozenset(takes) - set(optional))


_BY = {"name": MEASURE, "by": DIMENSION}

BUILDERS: dict[str, Builder] = {
    "attention": _builder(exhibits.attention, {}),
    "figures": _builder(exhibits.figures, {"names": _several(MEASURE)}),
    "compared": _builder(exhibits.compared, _BY | {"drawn_as": _one_of(exhibits.BARS, exhibits.FUNNEL)}, "drawn_as"),
    "trend": _builder(exhibits.trend, _BY | {"step": STEP}, "by", "step"),
    "controlled": _builder(exhibits.controlled, {"name": MEASURE, "limits_from": DAYS}, "limits_from"),
    "pareto": _builder(exhibits.pareto, _BY),
    "crossed": _builder(exhibits.crossed, {"name": MEASURE, "x": DIMENSION, "y": DIMENSION}),
    "bands": _builder(exhibits.bands, _BY),
    "steps": _builder(exhibits.steps, {"path": _several(PAIR)}),
    "moved": _builder(exhibits.moved, _BY),
    "how_fast": _builder(exhibits.how_fast, {"wait": WAIT, "by": DIMENSION}),
    "targets": _builder(exhibits.targets, {"of": _one_of(*exhibits.OF_A_DAY), "by_course": FLAG}, "by_course"),
    "table": _builder(
        _titled_table,
        {
            "title": _one_of("by", "measures"),
            "names": _several(MEASURE),
            "by": _several(DIMENSION, fewest=0),
            "order": ORDER,
            "compared": FLAG,
        },
        "title",
        "order",
        "compared",
    ),
}
"""What a view can be of, by name."""
