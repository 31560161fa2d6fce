"""Examples from real rows, with what is secret or personal left out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from doctor.model.evidence import Scalar
from doctor.model.schema import Row
from doctor.redaction import REDACTED, is_secret_name, redact_value

LONGEST = 200
SHORT = 40
LONGEST_ROW = 2_000
_PERSONAL = re.compile(
    r"e?mail|phone|mobile|fax|address|street|zip_?code|postcode|birth|iban|ssn|passport|tax_?id"
    r"|first_?name|last_?name|surname|full_?name|user_?name|salary|card_?number|latitude|longitude"
    r"|ip_?addr",
    re.IGNORECASE,
)


def is_sensitive(name: str) -> bool:
    """Tell whether values of a column are not shown: secrets, and what is a person's own."""
    return is_secret_name(name) or _PERSONAL.search(name) is not None


def example_of(column: str, rows: Sequence[Row]) -> str:
    """Return the first value of a column that is not NULL, as text; "" where there is none."""
    for row in rows:
        if row.get(column) is not None:
            return _cut(str(_shown(column, row[column])), LONGEST)
    return ""


def example_row(rows: Sequence[Row]) -> str:
    """Return the first row as JSON, "" where there is none."""
    if not rows:
        return ""
    shown = {name: _shown(name, value) for name, value in rows[0].items()}
    text = json.dumps(shown, ensure_ascii=False)
    if len(text) > LONGEST_ROW:
        shown = {name: one and _cut(str(one), SHORT) for name, one in shown.items()}
        text = json.dumps(shown, ensure_ascii=False)
    return _cut(text, LONGEST_ROW)


def _shown(name: str, value: Scalar) -> Any:
    if value is None:
        return None
    if is_sensitive(name):
        return REDACTED
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and value[:1] in "{[":
        return _document(value)
    return redact_value(value, name)


def _document(text: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return str(redact_value(text))
    return json.dumps(_masked(found), ensure_ascii=False)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if is_sensitive(key) else _masked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one) for one in value]
    return redact_value(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
