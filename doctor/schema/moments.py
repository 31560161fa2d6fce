"""A moment as a column holds it: by its type, and by how the rows that are there write it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from doctor.model.evidence import Scalar
from doctor.schema.live_types import kind_of

_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d(?P<gap>[ T])\d\d:\d\d:\d\d(?:\.(?P<part>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_PARTS = re.compile(r"\((\d)\)")
_MOST_PARTS = 6


def holds_moments(declared: str) -> bool:
    """Tell whether a column of this type holds moments or dates."""
    return kind_of(declared) in ("moment", "date")


def moment_text(now: datetime, declared: str, written: Iterable[Scalar]) -> str:
    """Return ``now`` as the column would hold it; ``written`` are values that stand there.

    A text that names a zone gets one; else it is the time that ``now`` has in its own zone.
    """
    if kind_of(declared) == "date":
        return now.date().isoformat()
    seen = (_WRITTEN.fullmatch(one) for one in written if isinstance(one, str))
    found = next((one for one in seen if one is not None), None)
    if found is None:
        parts = _PARTS.search(declared)
        is_exact = not declared.islower() or declared.startswith("timestamp w")
        return _text(now, " ", _MOST_PARTS if is_exact else int(parts[1]) if parts else 0)
    text = _text(now, found["gap"], min(len(found["part"] or ""), _MOST_PARTS))
    if found["zone"] is None:
        return text
    text = _text(now.astimezone(UTC), found["gap"], min(len(found["part"] or ""), _MOST_PARTS))
    return text + ("Z" if found["zone"] == "Z" else "+00:00" if ":" in found["zone"] else "+0000")


def _text(now: datetime, gap: str, parts: int) -> str:
    whole = now.strftime(f"%Y-%m-%d{gap}%H:%M:%S")
    return f"{whole}.{now.microsecond:06d}"[: len(whole) + 1 + parts] if parts else whole
