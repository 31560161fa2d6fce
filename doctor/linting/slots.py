"""SQL text with a name in each place that a value is bound or formatted into."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.linting.text import Hole, Text

_MARK = "doctor_slot_{}_"
MARK = re.compile(r"doctor_slot_(\d+)_")
# What is never closed goes to the end, so that nothing is looked at twice.
_QUOTED = (
    r"'(?:[^'\\]|''|\\(?:.|\Z))*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)"
    r"|--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|\$\$(?:[^$]|\$(?!\$))*(?:\$\$|\Z)"
)
_BOUND = r"::|\?\d*|%\((?P<pyformat>\w+)\)s|%s|\$(?P<number>\d+)|(?<![\w:]):(?P<named>[A-Za-z_]\w*)"
_TOKEN = re.compile(f"(?P<quoted>{_QUOTED})|{_BOUND}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bound:
    """A place for a bound value: its position among those without a name, or its name."""

    key: int | str


Slot = Bound | Hole


@dataclass(frozen=True, slots=True)
class Statement:
    """Text as a parser takes it; ``slots`` are what its marks stand for."""

    sql: str
    slots: tuple[Slot, ...]


def statement_of(text: Text) -> Statement:
    """Return the text with a mark in each place of a value."""
    slots: list[Slot] = []
    joined = ""
    for piece in text.pieces:
        if isinstance(piece, str):
            joined += piece
        else:
            joined += _MARK.format(len(slots))
            slots.append(piece)
    return Statement("".join(_marked(joined, slots)), tuple(slots))


def _marked(sql: str, slots: list[Slot]) -> Iterator[str]:
    start = positions = 0
    for match in _TOKEN.finditer(sql):
        if match["quoted"] is not None or match[0] == "::":
            continue
        yield sql[start : match.start()]
        start = match.end()
        name = match["pyformat"] or match["named"]
        if name is None:
            number = match["number"]
            slots.append(Bound(int(number) - 1 if number else positions))
            positions += 1
        else:
            slots.append(Bound(name))
        yield _MARK.format(len(slots) - 1)
    yield sql[start:]


def slot_in(name: str, statement: Statement) -> Slot | None:
    """Return the slot that ``name`` is the mark of, None where it is an ordinary name."""
    match = MARK.fullmatch(name)
    return statement.slots[int(match[1])] if match else None


def has_slot(name: str) -> bool:
    """Tell whether a part of ``name`` is only known when the code runs."""
    return "doctor_slot_" in name
