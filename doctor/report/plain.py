"""Any of our values as plain JSON types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from doctor.redaction import json_escaped, may_hold_secrets, redact_value

SCHEMA_VERSION = 1


def to_json(document: Mapping[str, Any]) -> str:
    """Return a document as indented JSON text without secrets; it is always valid UTF-8.

    What could steer a terminal that shows it is escaped.
    """
    values = plain({"schema_version": SCHEMA_VERSION, **document})
    text = _dumped(values)
    if may_hold_secrets(text):
        text = _dumped(redact_value(values))
    text = json_escaped(text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _dumped(values: Any) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False)


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
