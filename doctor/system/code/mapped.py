"""What SQLAlchemy made of imported models: its tables as CodeTables."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import Column, Enum, ForeignKeyConstraint, Table, UniqueConstraint, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import ARRAY, NullType, TypeDecorator

from doctor.model.schema import (
    CodeColumn,
    CodeFill,
    CodeGap,
    CodeLink,
    CodeModels,
    CodeTable,
    CodeUnique,
    EnumValues,
    FillKind,
)
from doctor.system.code.mapped_parts import UnsaidError, column_made, items_made
from doctor.system.code.source.files import shown_name

_KNOWN_CALLS: tuple[tuple[Any, FillKind], ...] = (
    (datetime.utcnow, "clock"),
    (datetime.now, "local clock"),
    (date.today, "local clock"),
    (uuid4, "uuid"),
)
_SERVER_CLOCKS = ("now", "current_timestamp", "CURRENT_TIMESTAMP")


class Recorder:
    """Records every table and mapped class that is made while it is open."""

    def __init__(self) -> None:
        self._tables: dict[int, Table] = {}
        self._places: dict[int, str] = {}

    def __enter__(self) -> Self:
        event.listen(Table, "after_parent_attach", self._table)
        event.listen(Mapper, "after_mapper_constructed", self._mapper)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Table, "after_parent_attach", self._table)
        event.remove(Mapper, "after_mapper_constructed", self._mapper)

    def _table(self, table: Table, _: Any) -> None:
        self._tables[id(table)] = table

    def _mapper(self, mapper: Mapper[Any], cls: type) -> None:
        self._places.setdefault(id(mapper.local_table), _place(cls, ""))

    def models(self, origin: str) -> CodeModels:
        """Return the recorded tables; ``origin`` stands for places that are not known."""
        tables, gaps = [], []
        for table in self._tables.values():
            place = self._places.get(id(table), "") or f"{origin}:1"
            columns, unread = [], []
            for column in table.columns:
                values, problem = _values(column.type, place)
                if problem is not None:
                    gaps.append(CodeGap(place, f"{table.name}.{column.name}", problem))
                read = _column(column, values)
                try:
                    columns.append(replace(read, made=column_made(column)))
                except UnsaidError as error:
                    unread.append(f"{column.name}: {error}")
                    columns.append(read)
            name, links, uniques = str(table.name), _links(table), _uniques(table)
            whole = CodeTable(
                name, table.schema, tuple(columns), place, tuple(links), tuple(uniques)
            )
            tables.append(_defined(whole, table, unread))
        return CodeModels(tuple(tables), tuple(gaps))


def _defined(read: CodeTable, table: Table, unread: list[str]) -> CodeTable:
    """Return the table with its constraints and indexes, and what of them is not told."""
    items = list(items_made(table))
    unread += [str(one) for one in items if isinstance(one, UnsaidError)]
    made = tuple(one for one in items if not isinstance(one, UnsaidError))
    return replace(read, items=made, whole=True, unread=tuple(unread))


def _links(table: Table) -> Iterator[CodeLink]:
    """Yield what the columns do not tell: references of several, and a second one of a column."""
    for one in _sorted(table.constraints):
        if isinstance(one, ForeignKeyConstraint) and (
            len(one.elements) > 1 or len(one.elements[0].parent.foreign_keys) > 1
        ):
            targets = [each.target_fullname.rpartition(".") for each in one.elements]
            keys = tuple(key for _, _, key in targets)
            yield CodeLink(tuple(one.column_keys), targets[0][0], keys)


def _uniques(table: Table) -> Iterator[CodeUnique]:
    for one in _sorted(table.constraints):
        if isinstance(one, UniqueConstraint):
            yield CodeUnique(tuple(str(each.name) for each in one.columns), _name(one.name))
    for index in _sorted(table.indexes):
        if index.unique:
            plain = all(isinstance(each, Column) for each in index.expressions)
            some = any(name.endswith("_where") for name in index.dialect_kwargs)
            names = [str(each.name) for each in index.columns] if plain and not some else []
            yield CodeUnique(tuple(names), _name(index.name))


def _sorted(items: Iterable[Any]) -> list[Any]:
    """Return constraints or indexes, which are kept in sets, in one order."""
    return sorted(items, key=lambda one: ([str(each.name) for each in one.columns], str(one.name)))


def _name(name: Any) -> str | None:
    return None if name is None or not isinstance(name, str) else str(name)


def _column(column: Column[Any], values: EnumValues | None) -> CodeColumn:
    foreign_key = next(iter(column.foreign_keys), None)
    return CodeColumn(
        name=str(column.name),
        type=None if isinstance(column.type, NullType) else type(column.type).__name__,
        nullable=column.nullable,
        primary_key=column.primary_key,
        foreign_key=foreign_key.target_fullname if foreign_key is not None else None,
        default=_default(getattr(column.default, "arg", None)),
        server_default=_server_default(getattr(column.server_default, "arg", None)),
        enum=values,
        fill=_fill(column),
    )


def _values(kind: Any, place: str) -> tuple[EnumValues | None, str | None]:
    """Return the values that a column of type ``kind`` stores, or why they are not known."""
    inner = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, Enum):
        return None, "the column holds several values of an enum each"
    if not isinstance(inner, Enum):
        return None, None
    if kind is not inner and type(kind).process_bind_param is not TypeDecorator.process_bind_param:
        return None, f"{type(kind).__name__} changes what an enum stores"
    source = inner.enum_class
    if not inner.enums:
        return None, "the enum names no value"
    name = source.__name__ if source is not None else inner.name or ""
    where = _place(source, place) if source is not None else place
    values = tuple(str(one) for one in inner.enums)
    return EnumValues(name, values, where, _aliases(source, inner, values)), None


def _aliases(source: Any, kind: Enum, values: tuple[str, ...]) -> tuple[str, ...]:
    if source is None or kind.values_callable is not None:
        return ()
    return tuple(
        name for name, one in source.__members__.items() if one.name != name and name in values
    )


def _place(cls: type, otherwise: str) -> str:
    try:
        file, line = inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return otherwise
    return f"{shown_name(file)}:{line}" if file is not None else otherwise


def _default(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return repr(value)


def _fill(column: Column[Any]) -> CodeFill | None:
    """Return what a default comes to; functions of the models are not called."""
    default: Any = column.default
    if default is None:
        return None
    value = getattr(default, "arg", None)
    if default.is_clause_element:
        return CodeFill("clock" if getattr(value, "name", "") in _SERVER_CLOCKS else "call")
    if default.is_callable:
        called = getattr(value, "__wrapped__", value)
        return CodeFill(next((kind for one, kind in _KNOWN_CALLS if one == called), "call"))
    return _stored(column, value) if default.is_scalar else CodeFill("call")


def _stored(column: Column[Any], value: Any) -> CodeFill:
    """Return a default as the column's type stores it."""
    dialect = DefaultDialect()
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    try:
        value = process(value) if process is not None else value
    except Exception:  # noqa: BLE001 - a type of the models may fail in any way
        return CodeFill("call")
    if isinstance(value, str | int) and isinstance(value, enum.Enum):
        value = value.value
    is_plain = value is not None and type(value) in {str, int, float, bool}
    return CodeFill("value", value) if is_plain else CodeFill("call")


def _server_default(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else str(getattr(value, "text", value))
