"""How much room a text takes in print, so that nothing runs over its place on a slide.

Widths are estimates, on the wide side: which font is there is known to the program that shows the slide alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

LINE = 1.22
"""The height of a line, in heights of its letters."""
SPARE = 1.06
"""Programs set text a little wider or narrower than reckoned."""
_NARROW = frozenset("iljtfrI.,:;'|!()[]{}· -")
_WIDE = frozenset("mwMWQ@%—+=<>&")
_CUT = "…"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """About how many points wide `text` is in letters of `size` points."""
    return sum(map(_width_of, text)) * size * (1.08 if bold else 1)


def _width_of(sign: str) -> float:
    if sign in _NARROW:
        return 0.34
    if sign in _WIDE or ord(sign) > 0x2E80 or east_asian_width(sign) in "WF":
        return 1.3 if ord(sign) > 0xFFFF else 1.03
    return 0.7 if sign.isupper() else 0.58


def longest_word(text: str, size: float, *, bold: bool = False) -> float:
    """How many points the widest part of `text` takes that is not broken: a word; of Chinese, a character."""
    return max((width(part, size, bold=bold) for part in _parts(text)), default=0.0)


def lines(text: str, size: float, room: float, *, bold: bool = False) -> int:
    """How many lines `text` takes in `room` points; a word that is longer than a line goes on in the next."""
    count, used = 1, 0.0
    for part in _parts(text):
        wide = width(part, size, bold=bold)
        if used + width(part.rstrip(" "), size, bold=bold) <= room:
            used += wide
            continue
        count += used > 0
        further = int(width(part.rstrip(" "), size, bold=bold) // max(room, size))
        count += further
        used = wide - further * room
    return count


def _parts(text: str) -> list[str]:
    """What stays together in a line: words with the blank behind them, and each Chinese character."""
    parts, word = [], ""
    for sign in text:
        if east_asian_width(sign) in "WF":
            parts += [word, sign] if word else [sign]
            word = ""
        else:
            word += sign
            if sign == " ":
                parts.append(word)
                word = ""
    return [*parts, word] if word else parts


def fitted(
    texts: Sequence[str], room: float, height: float, sizes: Sequence[float], *, bold: bool = False
) -> tuple[list[str], float]:
    """The paragraphs, and the largest of `sizes` in which they fit; where none is small enough, cut at “…” in the smallest."""
    for size in sizes:
        if _height(texts, size, room, bold) <= height:
            return list(texts), size
    kept: list[str] = []
    for text in texts:
        if _height([*kept, text], sizes[-1], room, bold) > height:
            part = _beginning(kept, text, room, height, sizes[-1], bold)
            if part:
                kept.append(part)
            elif kept:
                kept[-1] = kept[-1][:-1].rstrip() + _CUT
            break
        kept.append(text)
    return kept, sizes[-1]


def _height(texts: Sequence[str], size: float, room: float, bold: bool) -> float:
    return sum(lines(text, size, room, bold=bold) for text in texts) * size * LINE


def _beginning(kept: list[str], text: str, room: float, height: float, size: float, bold: bool) -> str:
    """As much of `text` as still fits, ending in “…”; empty where nothing does."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _height([*kept, text[:middle].rstrip() + _CUT], size, room, bold) <= height:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + _CUT if low else ""


def shortened(text: str, most: int) -> str:
    """`text` of at most so many signs: of a longer one beginning and end, because what tells two alike apart often stands last."""
    if len(text) <= most:
        return text
    behind = most // 3
    return text[: most - behind - 1] + _CUT + (text[-behind:] if behind else "")


def column_widths(
    heading: Sequence[str],
    bodies: Sequence[Sequence[str]],
    right: Sequence[bool],
    room: float,
    size: float,
    *,
    padding: float,
    squeezed: bool = False,
) -> list[float]:
    """Widths for the first columns of a table, as many as have `room`, with `squeezed` for all: numbers (`right`) and words whole,
    texts sharing what is left."""
    least, wished = [], []
    for column, name in enumerate(heading):
        texts = [cells[column][:200] for cells in bodies]
        body = max((width(text, size, bold=True) for text in texts), default=0.0)
        word = max((longest_word(text, size, bold=True) for text in texts), default=0.0)
        # Of Chinese any two characters may be parted: a name is to keep as many together as a short word has.
        unbroken = body if right[column] and body < room / 5 else max(word, min(body, 8 * size))
        head = max(longest_word(name, size, bold=True), min(width(name, size, bold=True), 4.5 * size))
        spaced = 2 * padding + 2
        least.append(SPARE * min(max(unbroken, head), room / 3) + spaced)
        wished.append(SPARE * max(body, min(width(name, size, bold=True), 9 * size)) + spaced)
    shown = len(least)
    if squeezed and sum(least) > room:
        return [room * each / sum(least) for each in least]
    while shown > 1 and sum(least[:shown]) > room:
        shown -= 1
    least, wished = least[:shown], [max(pair) for pair in zip(least[:shown], wished[:shown], strict=True)]
    asked = sum(wished) - sum(least)
    part = min(1.0, (room - sum(least)) / asked) if asked > 0 else 0.0
    widths = [low + (high - low) * part for low, high in zip(least, wished, strict=True)]
    left = room - sum(widths)  # goes to all alike, or a short table would stand in a corner
    return [each + left / shown for each in widths]
