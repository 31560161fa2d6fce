"""Lines that a terminal or transcript broke at a fixed column, put together again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from doctor.system.clock import stamp

_NARROWEST, _WIDEST = 60, 250
_ENOUGH = 5
_SAMPLE = 4_000


def wrapped_at(lines: Sequence[str]) -> int | None:
    """Return the column at which the lines of a log are broken, or None where they are not.

    They are where no line is longer, most entries begin with a time stamp, and at least five times
    a line without one follows to which its first word would have made the line before too long.
    """
    lines = lines[:_SAMPLE]
    width = max(map(len, lines), default=0)
    if not _NARROWEST <= width <= _WIDEST:
        return None
    entries = sum(stamp(line) is not None for line in lines)
    width += 1  # the last column stays free, or holds the blank at which the line was broken
    broken = sum(goes_on(before, after, width) for before, after in pairwise(lines))
    return width if broken >= _ENOUGH and entries * 4 >= len(lines) else None


def goes_on(before: str, after: str, width: int) -> bool:
    """Tell whether ``after`` is the rest of ``before``."""
    if not after or after[0].isspace() or stamp(after) is not None or len(before) > width:
        return False
    if before.endswith(" "):
        return len(before) + len(after.split(" ", 1)[0]) >= width
    return len(before) >= width - 1 and before[-1].isalnum() and after[0].isalnum()


def joined(lines: Sequence[str], first: int, width: int) -> tuple[list[str], list[int]]:
    """Return whole lines, and the number at which each began, counted from ``first``."""
    texts: list[str] = []
    numbers: list[int] = []
    before: str | None = None
    for number, line in enumerate(lines, start=first):
        if before is not None and goes_on(before, line, width):
            texts[-1] += line
        else:
            texts.append(line)
            numbers.append(number)
        before = line
    return texts, numbers
