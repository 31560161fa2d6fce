"""Secrets out of values: documents, rows, arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doctor.redaction.names import is_secret_name, strength
from doctor.redaction.text import REDACTED, is_plain, redact

_CELL = ("value", "to", "expected", "old", "new")


def redact_value(value: Any, name: str | None = None) -> Any:  # noqa: PLR0911 - as report/plain
    """Return a value of JSON types, bytes and tuples without secrets, in the same shape.

    ``name`` is what it is called. What a document calls ``value`` beside a ``column`` with a
    secret's name is a secret as well. Values of other types are returned as they are.
    """
    if isinstance(value, str):
        if name is not None and value and not is_plain(value) and is_secret_name(name):
            return REDACTED
        return redact(value)
    if type(value) is int and name is not None and strength(name) > 1:
        return REDACTED
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        clean = redact_value(text, name)
        return value if clean == text else clean.encode("utf-8", "surrogateescape")
    if isinstance(value, Mapping):
        column = value.get("column")
        is_cell = isinstance(column, str) and is_secret_name(column)
        return {
            redact(key) if isinstance(key, str) else key: redact_value(
                one, column if is_cell and key in _CELL else key if isinstance(key, str) else None
            )
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(redact_value(one, name) for one in value)
    return value
