"""One home for the colours of charts, light and dark: what is looked at has the accent, the rest is grey.

Text keeps a contrast of 4.5 : 1 and marks keep 3 : 1 against the page; red never stands against green.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """The colours of one theme."""

    page: str
    text: str
    muted: str
    """Text that steps back: values, ticks, notes."""
    grid: str
    accent: str
    rest: str
    """Marks beside the one that is looked at."""
    empty: str
    """A cell without a number."""
    faint: str
    """The lowest number of a heat map; the accent is the highest."""
    bad: str
    """Text of a change for the worse; one for the better has the accent."""
    categories: tuple[str, ...]
    """For things that are told apart by colour: Okabe–Ito without the hues that vanish on the page."""


LIGHT = Colours(
    page="#ffffff",
    text="#1b2733",
    muted="#566472",
    grid="#e3e8ee",
    accent="#0b5cad",
    rest="#8592a0",
    empty="#f1f4f7",
    faint="#e6f0fa",
    bad="#a84300",
    categories=("#0072b2", "#d55e00", "#009e73", "#c0619a", "#b87a00", "#2e93cf", "#4d5965"),
)
DARK = Colours(
    page="#10161d",
    text="#e6edf3",
    muted="#a3b0bd",
    grid="#27323d",
    accent="#6db3ff",
    rest="#6f7d8b",
    empty="#1a232c",
    faint="#18283a",
    bad="#ffa657",
    categories=("#56b4e9", "#e69f00", "#1fbf90", "#d98ab5", "#f0e442", "#ee7a30", "#c3ccd5"),
)


def colours(dark: bool) -> Colours:
    """The colours of the theme that the reader has chosen."""
    return DARK if dark else LIGHT


def category_colours(ids: Sequence[str], dark: bool) -> dict[str, str]:
    """A colour for each id by its place in `ids`: given all products in one fixed order, each keeps its colour on every page.

    Raises ValueError where there are more ids than colours: a colour used twice would say that two things are one.
    """
    palette = colours(dark).categories
    if len(ids) > len(palette):
        raise ValueError(f"{len(ids)} things cannot be told apart by colour; at most {len(palette)} can.")
    return dict(zip(ids, palette, strict=False))


def shade(part: float, dark: bool) -> tuple[str, str]:
    """The fill of a heat map's cell, `part` of the way from the lowest number to the highest, and the ink to read on it."""
    theme = colours(dark)
    low, high = _channels(theme.faint), _channels(theme.accent)
    fill = "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True))
    # Of pure black and white one always reaches 4.5 : 1; of softer pairs, neither does on a middle blue.
    return fill, max("#000000", "#ffffff", key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 defines it, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
