"""What a column's ORM default comes to: a value, the time, a uuid, or a call of unknown outcome."""

from __future__ import annotations

import ast
import json
from typing import Any

from doctor.model.evidence import Scalar
from doctor.model.schema import CodeFill, EnumValues
from doctor.system.code.enums.evaluate import Evaluator
from doctor.system.code.enums.types import EnumType
from doctor.system.code.enums.values import Member, plain
from doctor.system.code.source.calls import enter
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    Expression,
    External,
    FunctionRef,
    Symbol,
    UnreadableError,
)
from doctor.system.code.tables.column_types import ColumnType

UNKNOWN = CodeFill("call")
_JSON = frozenset({"JSON", "JSONB"})
_CHANGING = frozenset({"ARRAY", "HSTORE", "Interval", "PickleType"})
_UTC = frozenset({"datetime.UTC", "datetime.timezone.utc"})
_CLOCKS = {
    "datetime.datetime.utcnow": CodeFill("clock"),
    "datetime.datetime.now": CodeFill("local clock"),
    "datetime.date.today": CodeFill("local clock"),
    "django.utils.timezone.now": CodeFill("clock"),
}
_SERVER_CLOCKS = frozenset({"now", "current_timestamp", "current_date", "sysdate"})
_MOST_STEPS = 8


class Fills:
    """Reads defaults; none of them is called."""

    def __init__(self, names: Names, evaluator: Evaluator) -> None:
        self._names = names
        self._evaluator = evaluator

    def read(self, default: Expression, type_: ColumnType, values: EnumValues | None) -> CodeFill:
        """Return what ``default`` comes to for a column of that type."""
        timed = self._timed(default, 0)
        if timed is not None:
            return timed
        try:
            found = self._evaluator.value(default.node, default.scope)
        except UnreadableError:
            return UNKNOWN
        return stored(found, type_, values)

    def _timed(self, given: Expression, steps: int) -> CodeFill | None:
        """Return the clock or uuid that an expression stands for, None where it is neither."""
        symbol = self._symbol(given)
        if isinstance(symbol, External):
            return CodeFill("uuid") if symbol.path == "uuid.uuid4" else _CLOCKS.get(symbol.path)
        if isinstance(symbol, FunctionRef) and steps < _MOST_STEPS:
            try:
                return self._called(enter(symbol, (), {}), steps + 1)
            except UnreadableError:
                return None
        return self._called(given, steps)

    def _called(self, given: Expression, steps: int) -> CodeFill | None:
        """Return the clock or uuid that a call gives, None where it gives something else."""
        node = given.node
        if not isinstance(node, ast.Call):
            return None
        if isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
            return self._called(Expression(node.func.value, given.scope), steps)
        called = self._symbol(Expression(node.func, given.scope))
        arguments = [*node.args, *(one.value for one in node.keywords)]
        if isinstance(called, FunctionRef) and steps < _MOST_STEPS and not arguments:
            return self._timed(Expression(node.func, given.scope), steps + 1)
        if isinstance(called, External):
            inner = [Expression(one, given.scope) for one in arguments]
            return self._outer(called, inner, steps)
        return None

    def _outer(self, called: External, inner: list[Expression], steps: int) -> CodeFill | None:
        """Return the clock or uuid that a call of a library gives."""
        if called.root == "sqlalchemy" and called.last in _SERVER_CLOCKS:
            return CodeFill("clock")
        if called.path == "builtins.str" and len(inner) == 1:
            found = self._called(inner[0], steps)
            return found if found == CodeFill("uuid") else None
        if called.path == "datetime.datetime.now" and len(inner) == 1:
            zone = self._symbol(inner[0])
            is_utc = isinstance(zone, External) and zone.path in _UTC
            return CodeFill("clock") if is_utc else None
        if called.path == "uuid.uuid4":
            return CodeFill("uuid")
        return None if inner else _CLOCKS.get(called.path)

    def _symbol(self, given: Expression) -> Symbol | None:
        if isinstance(given.node, ast.Lambda):
            return FunctionRef(given.node, given.scope)
        if not isinstance(given.node, (ast.Name, ast.Attribute)):
            return None
        try:
            return self._names.resolve(given.node, given.scope)
        except UnreadableError:
            return None


def stored(value: Any, type_: ColumnType, values: EnumValues | None) -> CodeFill:
    """Return a computed default as the database holds it."""
    if values is not None:
        found = _of_enum(value, type_.kind, values)
        return UNKNOWN if found is None else CodeFill("value", found)
    if type_.name in _JSON:
        return _document(value)
    if type_.custom or type_.name in _CHANGING or (type_.name is None and type(value) is Member):
        return UNKNOWN
    value = plain(value)
    is_plain = value is not None and type(value) in {str, int, float, bool, bytes}
    return CodeFill("value", value) if is_plain else UNKNOWN


def _of_enum(value: Any, kind: EnumType | None, values: EnumValues) -> Scalar:
    """Return what is stored for a member, which is known by its place among the others."""
    if isinstance(value, str):
        return value if value in values.values else None
    source = kind.source if kind is not None else None
    if not isinstance(value, Member) or source is None or source.name != value.enum:
        return None
    members = [one for name, one in source.members.items() if one.name == name]
    if len(members) != len(values.values):
        return value.name if value.name in values.values else None
    return dict(zip((one.name for one in members), values.values, strict=True)).get(value.name)


def _document(value: Any) -> CodeFill:
    empty: dict[str, Any] = {"builtins.dict": {}, "builtins.list": []}
    if isinstance(value, External) and value.path in empty:
        value = empty[value.path]
    try:
        return CodeFill("value", json.dumps(value))
    except (TypeError, ValueError):
        return UNKNOWN
