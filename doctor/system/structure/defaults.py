"""Server defaults: whether two spellings of one mean the same."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from doctor.system.structure.expressions import parsed, written

_TRUTHS = {"true": "1", "t": "1", "yes": "1", "false": "0", "f": "0", "no": "0"}
_NOW = re.compile(
    r"now|now\(\)|current_timestamp(?:\(\d*\))?|localtimestamp(?:\(\d*\))?|datetime\('now'\)"
    r"|transaction_timestamp\(\)",
    re.IGNORECASE,
)
_ON_UPDATE = re.compile(r"\s+ON UPDATE\s.*$", re.IGNORECASE | re.DOTALL)


def default_text(column: sa.Column[Any], dialect: Dialect) -> str | None:
    """Return the default of a column as its engine would write it, None for none.

    What a column computes by itself, and the numbers of a sequence, are no defaults.
    """
    clause = column.server_default
    if not isinstance(clause, sa.DefaultClause):
        return None
    if isinstance(clause.arg, str):
        return "'" + clause.arg.replace("'", "''") + "'"
    text = written(clause.arg, dialect)
    return None if text.lower().startswith("nextval(") else text


def same_default(first: str | None, second: str | None, kind: Any, dialect: Dialect) -> bool:
    """Tell whether two defaults of a column of type ``kind`` mean the same."""
    one, other = (_normal(text, dialect.name) for text in (first, second))
    if one == other:
        return True
    if one is None or other is None:
        return False
    if isinstance(kind, sa.Boolean):
        return _TRUTHS.get(one.lower(), one) == _TRUTHS.get(other.lower(), other)
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def is_expression(text: str | None, dialect: Dialect) -> bool:
    """Tell whether a default is computed for each row, and not the current time."""
    if text is None or _normal(text, dialect.name) == "now()":
        return False
    found = parsed(text, dialect.name)
    return found is None or found[0] == "expression"


def _normal(text: str | None, engine: str) -> str | None:
    """Return the value of a constant, or the words of an expression in one spelling."""
    if text is None:
        return None
    text = _ON_UPDATE.sub("", text.strip())
    while text.startswith("(") and text.endswith(")") and _is_closed(text[1:-1]):
        text = text[1:-1].strip()
    if _NOW.fullmatch(text):
        return "now()"
    found = parsed(text, engine)
    if found is None:
        return " ".join(text.lower().split())
    kind, value = found
    if kind == "null":
        return None
    if kind == "expression" and _NOW.fullmatch(value):
        return "now()"
    return value


def _is_closed(text: str) -> bool:
    depth = 0
    for one in text:
        depth += (one == "(") - (one == ")")
        if depth < 0:
            return False
    return depth == 0
