"""The whole definition of a column as a value: type, keys, defaults, constraints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from doctor.model.schema import CodeColumn, Made, MadeValue
from doctor.system.code.source.symbols import Expression, UnreadableError
from doctor.system.code.tables.column_calls import ColumnCall
from doctor.system.code.tables.column_types import ColumnType
from doctor.system.code.tables.definitions import Definitions

COLUMN = "Column"
_OPTIONS = ("unique", "index", "server_default", "autoincrement")
_ITEMS = frozenset({"ForeignKey", "Identity", "Computed", "CheckConstraint"})
_IGNORED = frozenset({"Sequence"})


class ColumnDefinitions:
    """Puts definitions together from what was read of a column."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def of(self, column: CodeColumn, call: ColumnCall, kind: ColumnType | None) -> Made:
        """Return the definition of ``column``; ``kind`` None: its type is that of its foreign key.

        Raises:
            UnreadableError: a part of it is not known.
        """
        if "key" in call.options or "system" in call.options:
            raise UnreadableError("the column has a key of its own, which is not followed")
        if column.nullable is None:
            raise UnreadableError("whether the column takes NULL is only known when the code runs")
        options: dict[str, MadeValue] = {
            "nullable": column.nullable,
            "primary_key": column.primary_key,
        }
        for name in _OPTIONS:
            if name in call.options:
                given = call.options[name]
                options[name] = self._definitions.value(given.node, given.scope)
        args = (column.name, _type(kind, column), *self._items(column, call))
        return Made(COLUMN, args, options)

    def _items(self, column: CodeColumn, call: ColumnCall) -> Iterator[Made]:
        for kind, item in call.items:
            if kind in _IGNORED:
                continue
            if kind not in _ITEMS:
                raise UnreadableError(f"the {kind} of the column is not followed", call.place)
            yield self._reference(column, item) if kind == "ForeignKey" else self._made(item)

    def _made(self, item: Expression) -> Made:
        return self._definitions.made(item.node, item.scope)

    def _reference(self, column: CodeColumn, item: Expression) -> Made:
        """Return a foreign key with the text of its target in place of what is written there."""
        if column.foreign_key is None or not isinstance(item.node, ast.Call):
            raise UnreadableError("the foreign key is not followed")
        rest = ast.Call(item.node.func, [], [k for k in item.node.keywords if k.arg != "column"])
        ast.copy_location(rest, item.node)
        return replace(self._definitions.made(rest, item.scope), args=(column.foreign_key,))


def _type(kind: ColumnType | None, column: CodeColumn) -> MadeValue:
    if kind is None:
        return None
    if kind.made is None:
        raise UnreadableError(kind.unmade)
    if kind.kind is None or kind.made.path == "with_variant":
        return kind.made
    if column.enum is None:
        raise UnreadableError("the values of the enum are not known")
    options = dict(kind.made.options)
    if kind.kind.source is not None and options.get("name") is None:
        options["name"] = kind.kind.source.name.lower()
    values = tuple(one for one in column.enum.values if one not in _second_names(kind, column))
    return Made(kind.made.path, values, options)


def _second_names(kind: ColumnType, column: CodeColumn) -> tuple[str, ...]:
    is_omitted = kind.kind is not None and kind.kind.omit_aliases
    return column.enum.aliases if column.enum is not None and is_omitted else ()
