"""From Python types to column types, as SQLAlchemy resolves ``Mapped[X]``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from doctor.model.schema import Made
from doctor.system.code.enums.classes import Enums
from doctor.system.code.enums.types import EnumType
from doctor.system.code.enums.values import EnumDef, LiteralValues
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    FunctionRef,
    Known,
    ModuleRef,
    UnreadableError,
)
from doctor.system.code.tables.annotations import (
    Annotation,
    Annotations,
    Leaf,
    LiteralType,
    OtherType,
)
from doctor.system.code.tables.column_types import ColumnType, ColumnTypes
from doctor.system.code.tables.lineage import Lineages

_DEFAULTS = {
    "builtins.int": "Integer",
    "builtins.float": "Float",
    "builtins.bool": "Boolean",
    "builtins.str": "String",
    "builtins.bytes": "LargeBinary",
    "datetime.date": "Date",
    "datetime.datetime": "DateTime",
    "datetime.time": "Time",
    "datetime.timedelta": "Interval",
    "decimal.Decimal": "Numeric",
    "uuid.UUID": "Uuid",
}
_NO_ENUMS = frozenset(
    {"builtins", "collections", "datetime", "decimal", "ipaddress", "pathlib", "typing", "uuid"}
)
_ABOVE = {
    "enum.StrEnum": ("builtins.str", "enum.ReprEnum", "enum.Enum"),
    "enum.IntEnum": ("builtins.int", "enum.ReprEnum", "enum.Enum"),
    "enum.IntFlag": ("builtins.int", "enum.ReprEnum", "enum.Flag", "enum.Enum"),
    "enum.Flag": ("enum.Enum",),
    "enum.ReprEnum": ("enum.Enum",),
}


@dataclass(frozen=True, slots=True)
class TypeMap:
    """The entries of a ``type_annotation_map``: what is annotated, and the type it gets.

    ``unknown`` says why it could not be read.
    """

    entries: tuple[tuple[Annotation, Expression], ...] = ()
    unknown: str | None = None


class TypeMaps:
    """Resolves annotations to column types."""

    def __init__(
        self, annotations: Annotations, types: ColumnTypes, enums: Enums, lineages: Lineages
    ) -> None:
        self._annotations = annotations
        self._types = types
        self._enums = enums
        self._lineages = lineages

    def of_class(self, ref: ClassRef) -> TypeMap:
        """Return the ``type_annotation_map`` that the columns of ``ref`` are resolved with."""
        foreign = self._lineages.foreign(ref)
        if foreign is not None:
            return TypeMap(unknown=foreign.reason)
        if any(one == External("flask_sqlalchemy.Model") for one in self._lineages.order(ref)):
            return TypeMap(unknown="the model class of flask_sqlalchemy is not followed")
        if self._lineages.is_hooked():
            return TypeMap(unknown="the type_annotation_map is changed when the code runs")
        try:
            found = self._lineages.configured(ref, "type_annotation_map")
        except UnreadableError as error:
            return TypeMap(unknown=error.reason)
        return TypeMap() if found is None else self._entries(found)

    def _entries(self, found: Expression) -> TypeMap:
        if not isinstance(found.node, ast.Dict) or None in found.node.keys:
            return TypeMap(unknown="the type_annotation_map is only known when the code runs")
        pairs = zip(found.node.keys, found.node.values, strict=True)
        return TypeMap(
            tuple(
                (self._annotations.read(key, found.scope), Expression(value, found.scope))
                for key, value in pairs
                if key is not None
            )
        )

    def resolve(self, annotation: Annotation, known: TypeMap) -> ColumnType:
        """Return the type that ``Mapped[annotation]`` gives to a column.

        Raises:
            UnreadableError: it is, or may be, an enum whose values are not certain.
        """
        leaf = annotation.leaf
        source = self._source(leaf)
        if known.unknown is not None:
            if source is not None or isinstance(leaf, LiteralType):
                raise UnreadableError(f"the type of the annotation is open: {known.unknown}")
            return ColumnType(None)
        for alias in annotation.aliases:
            entry = _of_alias(alias, known)
            if entry is not None:
                written = self._types.read(entry.node, entry.scope)
                return self._fitted(written, leaf, source, exact=True) or written
        for matched in self._ladder(leaf):
            found = self._entry(matched, known)
            if found is not None:
                resolved = self._fitted(found, leaf, source, exact=matched == leaf)
                if resolved is not None:
                    return resolved
        return ColumnType(None)

    def is_enum(self, annotation: Annotation) -> bool:
        """Tell whether the annotation is, or may be, an enum or a Literal."""
        try:
            return self._source(annotation.leaf) is not None or isinstance(
                annotation.leaf, LiteralType
            )
        except UnreadableError:
            return True

    def _source(self, leaf: Leaf) -> EnumDef | None:
        """Return the enum that ``leaf`` is; raises where it may be one that cannot be read."""
        match leaf:
            case ClassRef():
                return self._enums.enum_of(leaf)
            case Expression():
                found = self._enums.enum_of(leaf)
                if found is None:
                    raise UnreadableError("the annotation is only known when the code runs")
                return found
            case External(path=path) if leaf.root not in _NO_ENUMS and path != "enum.Enum":
                raise UnreadableError(f"the type {path!r} is defined outside of the source")
            case OtherType(reason=str() as reason):
                raise UnreadableError(reason)
            case FunctionRef() | ModuleRef() | Known():
                raise UnreadableError("the annotation is no type")
        return None

    def _ladder(self, leaf: Leaf) -> Iterator[Leaf]:
        """Yield the types that are looked up for ``leaf``, in SQLAlchemy's order."""
        if isinstance(leaf, ClassRef):
            for one in self._lineages.order(leaf):
                if isinstance(one, (ClassRef, External)):
                    yield one
                    yield from map(External, _ABOVE.get(getattr(one, "path", ""), ()))
            return
        yield leaf
        if isinstance(leaf, LiteralType):
            yield External("typing.Literal")
        if isinstance(leaf, Expression):
            yield External("enum.Enum")

    def _entry(self, matched: Leaf, known: TypeMap) -> ColumnType | None:
        for key, value in known.entries:
            if not key.extras and self._same(key.leaf, matched):
                return self._types.read(value.node, value.scope)
        if isinstance(matched, External):
            if matched.path in {"enum.Enum", "typing.Literal"}:
                kind = EnumType(None, (), "", generic=True)
                return ColumnType("Enum", kind, made=_enum(matched))
            if matched.path in _DEFAULTS:
                name = _DEFAULTS[matched.path]
                return ColumnType(name, made=Made(f"sqlalchemy.{name}"))
        return None

    def _same(self, key: Leaf, matched: Leaf) -> bool:
        if isinstance(key, LiteralType) and isinstance(matched, LiteralType):
            return set(self._literal(key)) == set(self._literal(matched))
        if isinstance(key, External) and key.last == "Literal":
            return matched == External("typing.Literal")
        return key == matched

    def _literal(self, leaf: LiteralType) -> tuple[str, ...]:
        found = self._enums.evaluator.value(leaf.node, leaf.scope)
        nested = found.values if isinstance(found, LiteralValues) else (None,)
        values = tuple(
            dict.fromkeys(
                value
                for one in nested
                for value in (one.values if isinstance(one, LiteralValues) else (one,))
            )
        )
        if any(type(one) is not str for one in values):
            reason = "a value of the Literal is no text"
            raise UnreadableError(reason, leaf.scope.place(leaf.node))
        return values

    def _fitted(
        self, found: ColumnType, leaf: Leaf, source: EnumDef | None, *, exact: bool
    ) -> ColumnType | None:
        """Return ``found`` for the values of ``leaf``; None where it does not apply to it."""
        kind = found.kind
        if kind is None:
            return found if exact else None
        if exact and not kind.generic:
            return found
        if isinstance(leaf, LiteralType):
            place = leaf.scope.place(leaf.node)
            return replace(found, kind=EnumType(None, self._literal(leaf), place, name=kind.name))
        return replace(found, kind=replace(kind, source=source)) if source is not None else found


def _enum(matched: External) -> Made:
    native = {"native_enum": False} if matched.last == "Literal" else {}
    return Made("sqlalchemy.Enum", (), native)


def _of_alias(alias: Expression, known: TypeMap) -> Expression | None:
    written = ast.dump(alias.node)
    for key, value in known.entries:
        if any(ast.dump(one.node) == written for one in key.aliases):
            return value
    return None
