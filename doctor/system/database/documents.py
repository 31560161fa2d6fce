"""JSON that the database keeps as mere text, judged here where the server cannot."""

from __future__ import annotations

import json
from collections.abc import Iterable

from doctor.model.schema import Row


def has_no_json(row: Row, names: Iterable[str]) -> bool:
    """Tell whether one of these cells holds a text that is no JSON."""
    return any(not _is_json(row[name]) for name in names)


def _is_json(value: object) -> bool:
    if not isinstance(value, str | bytes):
        return True
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
