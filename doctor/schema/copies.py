"""What a system keeps twice: the second place says what a bad value was."""

from __future__ import annotations

import json
from typing import Any

from doctor.model.schema import CodeColumn, CodeModels, Row


def copied(code: CodeModels, table: str, column: CodeColumn, row: Row) -> dict[str, str]:
    """Return the fields ``copy`` and ``copy_at`` where a second place holds a valid value."""
    for one in code.copies:
        if one.column != f"{table}.{column.name}" or column.enum is None:
            continue
        value = _at(row.get(one.inside.rpartition(".")[2]), one.path)
        if isinstance(value, str) and value.startswith(one.prefix):
            value = value[len(one.prefix) :]
            if value in column.enum.values:
                return {"copy": value, "copy_at": one.inside}
    return {}


def _at(document: Any, path: tuple[str, ...]) -> Any:
    try:
        found = json.loads(document)
    except (ValueError, TypeError, RecursionError):
        return None
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
