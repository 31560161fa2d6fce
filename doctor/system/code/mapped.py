"""What SQLAlchemy made of imported models: its tables as CodeTables."""

from __future__ import annotations

import enum
import inspect
from typing import Any, Self

from sqlalchemy import Column, Enum, Table, event
from sqlalchemy.orm import Mapper
from sqlalchemy.types import ARRAY, NullType, TypeDecorator

from doctor.model.schema import CodeColumn, CodeGap, CodeModels, CodeTable, EnumValues
from doctor.system.code.source.files import shown_name


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
            columns = []
            for column in table.columns:
                values, problem = _values(column.type, place)
                if problem is not None:
                    gaps.append(CodeGap(place, f"{table.name}.{column.name}", problem))
                columns.append(_column(column, values))
            tables.append(CodeTable(str(table.name), table.schema, tuple(columns), place))
        return CodeModels(tuple(tables), tuple(gaps))


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


def _server_default(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else str(getattr(value, "text", value))
