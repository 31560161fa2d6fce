"""The definitions of imported tables as values, in the form that reading their source gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import elements
from sqlalchemy.types import ARRAY, NullType, TypeDecorator, TypeEngine

from doctor.model.schema import Made, MadeValue, Many

_SCALARS = (str, int, float, bool, type(None))
_IGNORED = frozenset({"astext_type", "_expect_unicode", "enum_class"})
_RULES = ("ondelete", "onupdate", "deferrable", "initially", "name", "match")


class UnsaidError(Exception):
    """A part of a table that its objects do not tell."""


def column_made(column: sa.Column[Any]) -> Made:
    """Return the definition of a column; raises UnsaidError where it is not known completely."""
    options: dict[str, MadeValue] = {
        "nullable": column.nullable,
        "primary_key": column.primary_key,
        "autoincrement": _scalar(column.autoincrement),
    }
    args: list[MadeValue] = [str(column.name), _type(column.type)]
    default = column.server_default
    if isinstance(default, sa.Identity):
        args.append(Made("sqlalchemy.Identity", (), {"always": bool(default.always)}))
    elif isinstance(default, sa.Computed):
        text = _text(default.sqltext)
        args.append(Made("sqlalchemy.Computed", (text,), {"persisted": default.persisted}))
    elif isinstance(default, sa.DefaultClause):
        plain = isinstance(default.arg, str)
        text = default.arg if isinstance(default.arg, str) else _text(default.arg)
        options["server_default"] = text if plain else Made("sqlalchemy.text", (text,))
    return Made("Column", tuple(args), options)


def items_made(table: sa.Table) -> Iterator[Made | UnsaidError]:
    """Yield the constraints and indexes of a table; an UnsaidError in place of what is not told."""
    for one in (*table.constraints, *table.indexes):
        maker = next((make for kind, make in _MAKERS if isinstance(one, kind)), None)
        rule = getattr(one, "_create_rule", None)
        if maker is None or rule is not None:  # the type of its column makes it anew
            continue
        try:
            yield maker(one)
        except UnsaidError as error:
            yield error


def _primary(one: Any) -> Made:
    return Made("sqlalchemy.PrimaryKeyConstraint", _names(one.columns), _named(one))


def _unique(one: Any) -> Made:
    return Made("sqlalchemy.UniqueConstraint", _names(one.columns), _named(one))


def _reference(one: Any) -> Made:
    targets = Many(tuple(each.target_fullname for each in one.elements))
    rules = {name: _scalar(getattr(one, name)) for name in _RULES[:4]}
    given = {name: rule for name, rule in rules.items() if rule is not None}
    columns = Many(tuple(one.column_keys))
    return Made("sqlalchemy.ForeignKeyConstraint", (columns, targets), {**given, **_named(one)})


def _check(one: Any) -> Made:
    return Made("sqlalchemy.CheckConstraint", (_text(one.sqltext),), _named(one))


def _index(one: Any) -> Made:
    if one.dialect_kwargs or not all(isinstance(each, sa.Column) for each in one.expressions):
        raise UnsaidError(f"the index {one.name} is on more than columns")
    name = None if one.name is None else str(one.name)
    return Made("sqlalchemy.Index", (name, *_names(one.expressions)), {"unique": bool(one.unique)})


_MAKERS: tuple[tuple[type, Callable[[Any], Made]], ...] = (
    (sa.PrimaryKeyConstraint, _primary),
    (sa.UniqueConstraint, _unique),
    (sa.ForeignKeyConstraint, _reference),
    (sa.CheckConstraint, _check),
    (sa.Index, _index),
)


def _named(one: Any) -> Mapping[str, MadeValue]:
    return {"name": str(one.name)} if isinstance(one.name, str) else {}


def _names(columns: Any) -> tuple[MadeValue, ...]:
    return tuple(str(one.name) for one in columns)


def _text(clause: Any) -> str:
    if isinstance(clause, elements.TextClause):
        return str(clause.text)
    try:
        return str(clause.compile(compile_kwargs={"literal_binds": True, "include_table": False}))
    except sa.exc.SQLAlchemyError as error:
        raise UnsaidError(f"an expression differs from engine to engine: {error}") from error


def _type(kind: TypeEngine[Any]) -> MadeValue:
    if isinstance(kind, TypeDecorator) and not type(kind).__module__.startswith("sqlalchemy."):
        if type(kind).load_dialect_impl is not TypeDecorator.load_dialect_impl:
            raise UnsaidError(f"{type(kind).__name__} decides about its type for each engine")
        return _type(kind.impl_instance)
    made = _plain_type(kind)
    for dialect, variant in kind._variant_mapping.items():  # noqa: SLF001 - there is no other door
        made = Made("with_variant", (made, _type(variant), dialect))
    return made


def _plain_type(kind: TypeEngine[Any]) -> Made:
    if isinstance(kind, NullType):
        return Made("sqlalchemy.types.NullType")
    home = next(
        (one for one in type(kind).__mro__ if one.__module__.startswith("sqlalchemy.")), None
    )
    if home is None or home.__name__ in {"TypeEngine", "UserDefinedType"}:
        raise UnsaidError(f"{type(kind).__name__} writes its type by itself")
    path = f"{home.__module__}.{home.__name__}"
    if isinstance(kind, sa.Enum):
        options: dict[str, MadeValue] = {
            "name": kind.name,
            "native_enum": kind.native_enum,
            "create_constraint": kind.create_constraint,
            "length": kind.length,
        }
        return Made(path, tuple(str(one) for one in kind.enums), options)
    if isinstance(kind, ARRAY):
        return Made(path, (_type(kind.item_type),), {"dimensions": kind.dimensions})
    return Made(path, (), _options(kind, home))


def _options(kind: TypeEngine[Any], home: type) -> Mapping[str, MadeValue]:
    import inspect

    found: dict[str, MadeValue] = {}
    for name in inspect.signature(home.__init__).parameters:  # type: ignore[misc]
        value = getattr(kind, name, None)
        if name != "self" and name not in _IGNORED and type(value) in _SCALARS:
            found[name] = value
    return {name: value for name, value in found.items() if value is not None}


def _scalar(value: Any) -> MadeValue:
    return value if type(value) in _SCALARS else str(value)
