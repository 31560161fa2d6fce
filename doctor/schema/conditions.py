"""CHECK conditions decided on the values of a row, where that is certain on every engine.

Compared are numbers with numbers and texts for equality; where a collation, a conversion or a
function might decide otherwise nothing is decided.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from doctor.model.evidence import Scalar
from doctor.model.schema import Row

_LONGEST = 10_000


class _UndecidedError(Exception):
    """Only the database can tell."""


def fails(text: str, row: Row) -> bool | None:
    """Tell whether a row does not meet a condition; None where only the database can tell.

    A condition that comes to NULL is met, as in SQL.
    """
    tree = _tree(text)
    if tree is None:
        return None
    try:
        return _value(tree, {name.lower(): value for name, value in row.items()}) is False
    except _UndecidedError:
        return None


@lru_cache(maxsize=512)
def _tree(text: str) -> Any:
    from sqlglot import parse_one
    from sqlglot.errors import SqlglotError

    if len(text) > _LONGEST:
        return None
    try:
        return parse_one(text, read="mysql" if "`" in text else "postgres")
    except (SqlglotError, RecursionError, ValueError):
        return None


def _value(node: Any, row: Row) -> Any:
    """Return what an expression comes to."""
    handler = _handlers().get(type(node).__name__)
    if handler is None:
        raise _UndecidedError
    found = handler(node, row)
    if node.args.get("negate"):  # IS NOT, NOT IN, as newer readers have it
        found = _truth(found)
        return None if found is None else not found
    return found


def _column(node: Any, row: Row) -> Scalar:
    name = node.name.lower()
    if name not in row:
        raise _UndecidedError
    return row[name]


def _literal(node: Any, _row: Row) -> Scalar:
    if node.is_string:
        return str(node.this)
    return float(node.this) if "." in node.this else int(node.this)


def _and(node: Any, row: Row) -> bool | None:
    return _joined(node, row, stops=False)


def _or(node: Any, row: Row) -> bool | None:
    return _joined(node, row, stops=True)


def _joined(node: Any, row: Row, *, stops: bool) -> bool | None:
    """Return AND or OR; what nobody can tell matters only where the other side leaves it open."""
    sides: list[Any] = []
    for one in (node.this, node.expression):
        try:
            sides.append(_truth(_value(one, row)))
        except _UndecidedError:
            sides.append(_UndecidedError)
    if stops in sides:
        return stops
    if _UndecidedError in sides:
        raise _UndecidedError
    return None if None in sides else not stops


def _not(node: Any, row: Row) -> bool | None:
    found = _truth(_value(node.this, row))
    return None if found is None else not found


def _is(node: Any, row: Row) -> bool:
    if type(node.expression).__name__ != "Null":
        raise _UndecidedError
    return _value(node.this, row) is None


def _equal(node: Any, row: Row) -> bool | None:
    return _same(_value(node.this, row), _value(node.expression, row))


def _unequal(node: Any, row: Row) -> bool | None:
    found = _equal(node, row)
    return None if found is None else not found


def _among(node: Any, row: Row) -> bool | None:
    if not node.expressions or node.args.get("query"):
        raise _UndecidedError
    value = _value(node.this, row)
    found = [_same(value, _value(one, row)) for one in node.expressions]
    return True if True in found else None if None in found else False


def _any_of(node: Any, row: Row) -> bool | None:
    """``x = ANY (ARRAY[...])`` is how PostgreSQL writes IN."""
    inner = node.expression.this
    while type(inner).__name__ in ("Cast", "Paren"):
        inner = inner.this
    if type(inner).__name__ != "Array":
        raise _UndecidedError
    value = _value(node.this, row)
    found = [_same(value, _value(one, row)) for one in inner.expressions]
    return True if True in found else None if None in found else False


def _equality(node: Any, row: Row) -> bool | None:
    is_any = type(node.expression).__name__ == "Any"
    return _any_of(node, row) if is_any else _equal(node, row)


def _between(node: Any, row: Row) -> bool | None:
    value = _value(node.this, row)
    low, high = (_value(node.args[one], row) for one in ("low", "high"))
    if None in (value, low, high):
        return None
    return bool(_number(low) <= _number(value) <= _number(high))


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, Row], bool | None]:
    def handler(node: Any, row: Row) -> bool | None:
        one, other = _value(node.this, row), _value(node.expression, row)
        return None if None in (one, other) else compare(_number(one), _number(other))

    return handler


def _length(node: Any, row: Row) -> int | None:
    value = _value(node.this, row)
    if value is not None and not (isinstance(value, str) and value.isascii()):
        raise _UndecidedError  # bytes or characters: engines differ
    return None if value is None else len(value)


def _function(node: Any, row: Row) -> bool | None:
    if str(node.this).lower() != "json_valid" or len(node.expressions) != 1:
        raise _UndecidedError
    value = _value(node.expressions[0], row)
    if value is None:  # versions differ
        raise _UndecidedError
    try:
        json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _inner(node: Any, row: Row) -> Any:
    return _value(node.this, row)


def _cast(node: Any, row: Row) -> Any:
    """Return what is cast; a fraction may become another number."""
    value = _value(node.this, row)
    if isinstance(value, float):
        raise _UndecidedError
    return value


def _negated(node: Any, row: Row) -> Any:
    return -_number(_value(node.this, row))


def _same(one: Scalar, other: Scalar) -> bool | None:
    if one is None or other is None:
        return None
    if isinstance(one, str) and isinstance(other, str):
        if one != other and one.strip().casefold() == other.strip().casefold():
            raise _UndecidedError  # a collation may take them for the same
        if one != other and not (one.isascii() and other.isascii()):
            raise _UndecidedError
        return one == other
    return _number(one) == _number(other)


def _number(value: Scalar) -> float:
    if not isinstance(value, int | float):
        raise _UndecidedError
    return value


def _truth(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool | int):
        raise _UndecidedError
    return None if value is None else bool(value)


@lru_cache(maxsize=1)
def _handlers() -> dict[str, Callable[[Any, Row], Any]]:
    return {
        "And": _and,
        "Anonymous": _function,
        "Between": _between,
        "Boolean": lambda node, _: bool(node.this),
        "Cast": _cast,
        "Column": _column,
        "EQ": _equality,
        "GT": _ordered(lambda one, other: one > other),
        "GTE": _ordered(lambda one, other: one >= other),
        "In": _among,
        "Is": _is,
        "LT": _ordered(lambda one, other: one < other),
        "LTE": _ordered(lambda one, other: one <= other),
        "Length": _length,
        "Literal": _literal,
        "NEQ": _unequal,
        "Neg": _negated,
        "Not": _not,
        "Null": lambda _node, _row: None,
        "Or": _or,
        "Paren": _inner,
    }
