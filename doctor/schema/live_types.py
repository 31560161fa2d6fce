"""What the declared type of a live column means, on any of the engines: its kind and its limits."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal[
    "integer", "number", "boolean", "text", "moment", "date", "time", "json", "bytes", "uuid",
    "other",
]  # fmt: skip

_KINDS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern), kind)  # type: ignore[misc]
    for pattern, kind in (
        (r"tinyint\(1\)|bool(ean)?\b", "boolean"),
        (r"(tiny|small|medium|big)?(int|serial)(eger|\d)?\b|year\b", "integer"),
        (r"numeric|decimal|real|float|double|money", "number"),
        (r"(var|n|nvar|long ?)?(char|text)|character|clob|string|citext|name$|\w+text\b", "text"),
        (r"timestamp|datetime", "moment"),
        (r"date", "date"),
        (r"time", "time"),
        (r"json", "json"),
        (r"uuid", "uuid"),
        (r"bytea|blob|\w+blob|binary|varbinary", "bytes"),
    )
)
_LENGTH = re.compile(r"\w[\w ]*\((\d+)\)")
_BITS = {"tiny": 8, "small": 16, "medium": 24, "big": 64, "int2": 16, "int8": 64}
_USUAL_BITS = 32


def kind_of(declared: str) -> Kind:
    """Return what kind of values a column of this type holds."""
    text = declared.lower()
    return next((kind for pattern, kind in _KINDS if pattern.match(text)), "other")


def length_of(declared: str) -> int | None:
    """Return how many characters a text column holds at most, None where nothing limits it."""
    if kind_of(declared) != "text" or declared.lower().startswith("enum"):
        return None
    found = _LENGTH.match(declared)
    return int(found[1]) if found else None


def range_of(declared: str) -> tuple[int, int] | None:
    """Return the smallest and the largest number of an integer column."""
    text = declared.lower()
    if kind_of(declared) not in ("integer", "boolean") or text.startswith("bool"):
        return None
    bits = next((many for name, many in _BITS.items() if text.startswith(name)), _USUAL_BITS)
    if "unsigned" in text:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
