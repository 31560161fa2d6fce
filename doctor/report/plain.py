"""Any of our values as plain JSON types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

SCHEMA_VERSION = 1


def to_json(document: Mapping[str, Any]) -> str:
    """Return a document as indented JSON text; it is always valid UTF-8."""
    text = json.dumps(
        plain({"schema_version": SCHEMA_VERSION, **document}), indent=2, ensure_ascii=False
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line per kind of value
    """Return a value as JSON types: enums by name, times in ISO 8601, bytes as X'hex'."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value
