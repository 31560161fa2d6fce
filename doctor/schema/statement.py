"""A change as SQL for reading. It is never executed: values are bound where it really happens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from doctor.model.change import SetCells, SetColumn
from doctor.model.evidence import Scalar


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How an engine writes names and values; ``exact`` stands before what no collation may fold."""

    reserved: frozenset[str]
    quote: str = '"'
    raw: str = "X'{}'"
    infinity: str = "9e999"
    truths: tuple[str, str] = ("0", "1")
    exact: str = ""
    backslash: str = "\\"


def update_statement(change: SetCells, target: str = "") -> str:
    """Return the compare-and-set of one row as SQL text of the engine that ``target`` names."""
    spelling = _spelling(target.partition(":")[0])
    cells = ", ".join(
        f"{_name(name, spelling)} = {_literal(value, spelling)}"
        for name, value in change.to.items()
    )
    tests = [_test(name, value, spelling) for name, value in change.key.items()]
    for name, value in change.expected.items():
        if name not in change.key:
            exact = spelling.exact if isinstance(value, str) else ""
            tests.append(exact + _test(name, value, spelling))
    where = " AND ".join(tests)
    table = _name(change.table, spelling)
    return f"UPDATE {table} SET {cells} WHERE {where}"  # noqa: S608 - never executed


def column_statement(change: SetColumn, target: str = "") -> str:
    """Return the change of many rows as SQL text; their keys are pinned, and not shown."""
    spelling = _spelling(target.partition(":")[0])
    exact = spelling.exact if isinstance(change.expected, str) else ""
    where = exact + _test(change.column, change.expected, spelling)
    set_ = f"{_name(change.column, spelling)} = {_literal(change.to, spelling)}"
    table = _name(change.table, spelling)
    return f"UPDATE {table} SET {set_} WHERE {where}"  # noqa: S608 - never executed


def quoted_name(name: str, target: str) -> str:
    """Return an identifier as the engine that ``target`` names writes it."""
    return _name(name, _spelling(target.partition(":")[0]))


def literal_text(value: str, target: str) -> str:
    """Return a text as the engine that ``target`` names writes it, for reading."""
    return _literal(value, _spelling(target.partition(":")[0]))


@cache
def _spelling(engine: str) -> _Spelling:
    if engine == "postgresql":
        from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer

        return _Spelling(
            frozenset(PGIdentifierPreparer.reserved_words),
            raw="'\\x{}'",
            infinity="'Infinity'",
            truths=("false", "true"),
        )
    if engine == "mysql":
        from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MARIADB

        words = frozenset(RESERVED_WORDS_MARIADB)
        return _Spelling(words, quote="`", exact="BINARY ", backslash="\\\\")
    from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

    return _Spelling(frozenset(SQLiteIdentifierPreparer.reserved_words))


def _test(name: str, value: Scalar, spelling: _Spelling) -> str:
    shown = _name(name, spelling)
    return f"{shown} IS NULL" if value is None else f"{shown} = {_literal(value, spelling)}"


def _name(name: str, spelling: _Spelling) -> str:
    plain = name.isidentifier() and name.isascii() and name == name.lower()
    if plain and name not in spelling.reserved:
        return name
    mark = spelling.quote
    return mark + name.replace(mark, mark * 2) + mark


def _literal(value: Scalar, spelling: _Spelling) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return spelling.raw.format(value.hex())
    if isinstance(value, bool):
        return spelling.truths[value]
    if isinstance(value, int | float):
        return str(value).replace("inf", spelling.infinity).replace("-'", "'-")
    text = value.replace("\\", spelling.backslash)
    return "'" + text.replace("'", "''") + "'"
