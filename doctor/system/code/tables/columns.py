"""One column of the code: from its annotation and its call to a CodeColumn."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from doctor.model.schema import CodeColumn, CodeFill, EnumValues, Made
from doctor.system.code.enums.classes import Enums
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    UnreadableError,
    is_sqlalchemy,
)
from doctor.system.code.tables.annotations import Annotation, OtherType
from doctor.system.code.tables.column_calls import ColumnCall, ColumnCalls
from doctor.system.code.tables.column_definitions import ColumnDefinitions
from doctor.system.code.tables.column_types import ColumnType, ColumnTypes
from doctor.system.code.tables.fills import Fills
from doctor.system.code.tables.type_maps import TypeMap, TypeMaps

_GENERATED = ("Computed", "Identity", "FetchedValue", "DefaultClause", "Sequence")
_DEFAULTS = ("default", "insert_default", "default_factory")


@dataclass(frozen=True, slots=True)
class ColumnDraft:
    """A column that was read as far as it goes without the other tables.

    Attributes:
        column: what is known of it.
        place: ``file:line``.
        problems: what could not be read.
        follows: its type is that of the column that its foreign key names.
        is_enum: its annotation is, or may be, an enum.
        shared: ``use_existing_column``: an equal column of the parent's table stays.
        unique: no two rows share its value.
        unread: why its whole definition is not known, None where it is.
    """

    column: CodeColumn
    place: str
    problems: tuple[UnreadableError, ...] = ()
    follows: bool = False
    is_enum: bool = False
    shared: bool = False
    unique: bool = False
    unread: UnreadableError | None = None


class Columns:
    """Reads columns. ``target`` gives the ``table.column`` that an expression stands for."""

    def __init__(
        self,
        calls: ColumnCalls,
        types: ColumnTypes,
        maps: TypeMaps,
        enums: Enums,
        definitions: ColumnDefinitions,
        target: Callable[[Expression], str],
        fills: Fills,
    ) -> None:
        self._definitions = definitions
        self._calls = calls
        self._types = types
        self._maps = maps
        self._evaluator = enums.evaluator
        self._target = target
        self._fills = fills

    def read(
        self, key: str, call: ColumnCall, annotation: Annotation | None, known: TypeMap
    ) -> ColumnDraft:
        """Return the column of the attribute ``key``; what cannot be read is a problem of it."""
        problems: list[UnreadableError] = []
        call = self._with_annotated(call, annotation)
        is_enum = annotation is not None and self._maps.is_enum(annotation)
        found, enum = ColumnType(None), None
        follows = call.type is None and call.item("ForeignKey") is not None
        try:
            if not follows:
                found, enum = self._type(call, annotation, known, is_enum=is_enum)
        except UnreadableError as error:
            problems.append(error)
        primary_key = self._flag(call, "primary_key", problems) is True
        column = CodeColumn(
            name=call.name or key,
            type=found.name,
            nullable=self._nullable(call, annotation, primary_key=primary_key),
            primary_key=primary_key,
            foreign_key=self._foreign_key(call, problems),
            default=_source_of(call, _DEFAULTS),
            server_default=self._server_default(call),
            enum=enum,
            location=call.place,
            holds=_class_of(annotation),
            fill=self._fill(call, found, enum),
        )
        shared = self._flag(call, "use_existing_column", problems) is True
        unique = self._flag(call, "unique", []) is True
        column, unread = self._defined(column, call, None if follows else found, problems)
        told = tuple(problems)
        return ColumnDraft(column, call.place, told, follows, is_enum, shared, unique, unread)

    def _defined(
        self,
        column: CodeColumn,
        call: ColumnCall,
        kind: ColumnType | None,
        problems: list[UnreadableError],
    ) -> tuple[CodeColumn, UnreadableError | None]:
        try:
            if problems:
                raise problems[0]
            return replace(column, made=self._definitions.of(column, call, kind)), None
        except UnreadableError as error:
            return column, error

    def _with_annotated(self, call: ColumnCall, annotation: Annotation | None) -> ColumnCall:
        """Return ``call`` completed by the ``mapped_column`` inside of ``Annotated``."""
        for extra in annotation.extras if annotation is not None else ():
            below = self._calls.find(extra.node, extra.scope)
            if below is not None:
                own_default = any(name in call.options for name in _DEFAULTS)
                skipped = _DEFAULTS if own_default else ()
                options = {k: v for k, v in below.options.items() if k not in skipped}
                return replace(
                    call,
                    type=call.type or below.type,
                    options={**options, **call.options},
                    items=(*call.items, *below.items),
                )
        return call

    def _type(
        self, call: ColumnCall, annotation: Annotation | None, known: TypeMap, *, is_enum: bool
    ) -> tuple[ColumnType, EnumValues | None]:
        if call.type is not None:
            found = self._types.read(call.type.node, call.type.scope)
            if found.custom and found.kind is None and is_enum:
                raise UnreadableError(f"what the type {found.name!r} stores is not known")
        elif annotation is not None:
            found = self._maps.resolve(annotation, known)
        else:
            return ColumnType(None, made=Made("sqlalchemy.types.NullType")), None
        return found, self._types.values(found)

    def _fill(
        self, call: ColumnCall, found: ColumnType, enum: EnumValues | None
    ) -> CodeFill | None:
        if _source_of(call, _DEFAULTS) is None:
            return None
        given = next(call.options[name] for name in _DEFAULTS if name in call.options)
        return self._fills.read(given, found, enum)

    def _flag(self, call: ColumnCall, name: str, problems: list[UnreadableError]) -> bool | None:
        option = call.options.get(name)
        if option is None:
            return None
        try:
            value = self._evaluator.value(option.node, option.scope)
        except UnreadableError as error:
            problems.append(error)
            return None
        return value if isinstance(value, bool) else None

    def _nullable(
        self, call: ColumnCall, annotation: Annotation | None, *, primary_key: bool
    ) -> bool | None:
        problems: list[UnreadableError] = []
        explicit = self._flag(call, "nullable", problems)
        if explicit is not None or problems:
            return explicit
        if annotation is None or call.core:
            return not primary_key and call.item("Identity") is None
        hidden = isinstance(annotation.leaf, OtherType) and annotation.leaf.reason is not None
        return None if hidden and not annotation.nullable else annotation.nullable

    def _foreign_key(self, call: ColumnCall, problems: list[UnreadableError]) -> str | None:
        item = call.item("ForeignKey")
        if item is None or not isinstance(item.node, ast.Call):
            return None
        options = {one.arg: one.value for one in item.node.keywords}
        given = item.node.args[0] if item.node.args else options.get("column")
        try:
            if given is None:
                raise UnreadableError("the foreign key names no column", call.place)
            return self._referred(Expression(given, item.scope))
        except UnreadableError as error:
            problems.append(error)
            return None

    def _referred(self, given: Expression) -> str:
        try:
            value = self._evaluator.value(given.node, given.scope)
        except UnreadableError:
            return self._target(given)
        return value if isinstance(value, str) else self._target(given)

    def _server_default(self, call: ColumnCall) -> str | None:
        option = call.options.get("server_default")
        if option is None:
            made = next((one for name in _GENERATED if (one := call.item(name))), None)
            return None if made is None else ast.unparse(made.node)
        inner = option.node
        if isinstance(inner, ast.Call) and inner.args:
            maker = self._calls.maker(inner, option.scope)
            inner = inner.args[0] if is_sqlalchemy(maker, "text") else inner
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            return inner.value
        return _source_of(call, ("server_default",))


def _class_of(annotation: Annotation | None) -> str:
    leaf = annotation.leaf if annotation is not None else None
    return leaf.place if isinstance(leaf, ClassRef) else ""


def _source_of(call: ColumnCall, names: tuple[str, ...]) -> str | None:
    found = next((call.options[name].node for name in names if name in call.options), None)
    is_none = isinstance(found, ast.Constant) and found.value is None
    return None if found is None or is_none else ast.unparse(found)
