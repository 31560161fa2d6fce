"""A change as SQL for reading. It is never executed: values are bound where it really happens."""

from __future__ import annotations

from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.schema import Row


def update_statement(change: SetCells) -> str:
    """Return the compare-and-set of one row as SQL text."""
    cells = ", ".join(f"{_name(name)} = {_literal(value)}" for name, value in change.to.items())
    tests = " AND ".join(_test(name, value) for name, value in _where(change).items())
    return f"UPDATE {_name(change.table)} SET {cells} WHERE {tests}"  # noqa: S608 - never executed


def _where(change: SetCells) -> Row:
    return {**change.key, **change.expected}


def _test(name: str, value: Scalar) -> str:
    return f"{_name(name)} IS NULL" if value is None else f"{_name(name)} = {_literal(value)}"


def _name(name: str) -> str:
    from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

    plain = name.isidentifier() and name.isascii() and name == name.lower()
    plain = plain and name not in SQLiteIdentifierPreparer.reserved_words
    return name if plain else '"' + name.replace('"', '""') + '"'


def _literal(value: Scalar) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return str(value).replace("inf", "9e999")
    return "'" + value.replace("'", "''") + "'"
