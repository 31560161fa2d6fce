"""The type of a column as an expression: its name, and its values where it is an enum."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from doctor.model.schema import EnumValues, Made
from doctor.system.code.enums.classes import Enums
from doctor.system.code.enums.types import EnumType, EnumTypes
from doctor.system.code.source.calls import enter_call
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    FunctionRef,
    Scope,
    Symbol,
    UnreadableError,
    is_sqlalchemy,
)
from doctor.system.code.tables.definitions import Definitions

_ENUMS = ("Enum", "ENUM")
_WRAPPERS = frozenset({"as_mutable", "associate_with", "copy"})
_STORAGE = ("__init__", "load_dialect_impl", "get_col_spec", "with_variant", "dialect_impl")
VARIANT = "with_variant"
ENUM_OPTIONS = ("name", "native_enum", "create_constraint", "length", "schema", "inherit_schema")
_HARMLESS = frozenset({"cache_ok", "impl", "__doc__", "__visit_name__"})


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type by its class name; ``kind`` where it is an enum.

    ``custom`` types are not SQLAlchemy's own: what they store, only their code knows. ``made`` is
    the type that the database sees; where that is not known, ``unmade`` says why.
    """

    name: str | None
    kind: EnumType | None = None
    custom: bool = False
    made: Made | None = None
    unmade: str = "its type is not known"


class ColumnTypes:
    """Reads type expressions: classes, calls, shared instances, helpers, TypeDecorators."""

    def __init__(self, names: Names, enums: Enums, definitions: Definitions) -> None:
        self._names = names
        self._enums = enums
        self._definitions = definitions
        self.enum_types = EnumTypes(names, enums)

    def read(self, node: ast.expr, scope: Scope) -> ColumnType:
        """Return the type; raises UnreadableError where it is, or may be, an unknown enum."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._symbol(self._names.resolve(node, scope), None, scope)
        if not isinstance(node, ast.Call):
            raise UnreadableError(
                f"the type {ast.unparse(node)!r} is not followed", scope.place(node)
            )
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            return self._changed(node, node.func, scope)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _WRAPPERS and node.args:
            return self.read(node.args[0], scope)
        return self._symbol(self._names.resolve(node.func, scope), node, scope)

    def values(self, found: ColumnType) -> EnumValues | None:
        """Return the values of an enum type, None for other types."""
        return self.enum_types.stored(found.kind) if found.kind is not None else None

    def _changed(self, call: ast.Call, func: ast.Attribute, scope: Scope) -> ColumnType:
        if func.attr != "with_variant" or not call.args:
            reason = f"the type {ast.unparse(call)!r} is not followed"
            raise UnreadableError(reason, scope.place(call))
        base, variant = self.read(func.value, scope), self.read(call.args[0], scope)
        if base.kind is not None or variant.kind is not None:
            raise UnreadableError("the enum differs from database to database", scope.place(call))
        return self._with_variant(base, variant, call, scope)

    def _with_variant(
        self, base: ColumnType, variant: ColumnType, call: ast.Call, scope: Scope
    ) -> ColumnType:
        if base.made is None or variant.made is None:
            return replace(base, made=None, unmade=base.unmade if base.made is None else "")
        try:
            dialects = tuple(self._definitions.value(one, scope) for one in call.args[1:])
        except UnreadableError as error:
            return replace(base, made=None, unmade=error.reason)
        return replace(base, made=Made(VARIANT, (base.made, variant.made, *dialects)))

    def _symbol(self, symbol: Symbol, call: ast.Call | None, scope: Scope) -> ColumnType:
        match symbol:
            case External(root="sqlalchemy"):
                return self._standard(symbol, call, scope)
            case External():
                return self._foreign(symbol, call, scope)
            case ClassRef():
                return self._custom(symbol, call, scope)
            case FunctionRef() if call is not None:
                return self._helper(symbol, call, scope)
            case Expression(node=ast.Call() as inner, scope=where) if call is None:
                return self.read(inner, where)
        raise UnreadableError("the type of the column is only known when the code runs")

    def _standard(self, symbol: External, call: ast.Call | None, scope: Scope) -> ColumnType:
        if symbol.last in _ENUMS:
            if call is None:
                raise UnreadableError("the enum names no value")
            return ColumnType(
                symbol.last,
                self.enum_types.read(call, scope),
                **self._enum_made(symbol, call, scope),
            )
        inner = call.args[:1] if call is not None and symbol.last == "ARRAY" else []
        if any(self.read(one, scope).kind is not None for one in inner):
            raise UnreadableError("the column holds several values of an enum each")
        return ColumnType(symbol.last, **self._made(symbol, call, scope))

    def _made(self, symbol: External, call: ast.Call | None, scope: Scope) -> dict[str, Any]:
        try:
            return {"made": self._definitions.of_call(symbol.path, call, scope)}
        except UnreadableError as error:
            return {"unmade": error.reason}

    def _enum_made(self, symbol: External, call: ast.Call, scope: Scope) -> dict[str, Any]:
        """Return the options of an enum; its values are filled in by whoever knows them."""
        options = {one.arg: one.value for one in call.keywords if one.arg in ENUM_OPTIONS}
        try:
            known = {name: self._definitions.value(one, scope) for name, one in options.items()}
        except UnreadableError as error:
            return {"unmade": error.reason}
        return {"made": Made(symbol.path, (), {str(name): one for name, one in known.items()})}

    def _foreign(self, symbol: External, call: ast.Call | None, scope: Scope) -> ColumnType:
        hints = ("enum", "choice", "literal")
        if any(hint in symbol.last.lower() for hint in hints) or self._has_enum(call, scope):
            raise UnreadableError(f"what the type {symbol.path!r} stores is not known")
        return ColumnType(symbol.last, custom=True)

    def _has_enum(self, call: ast.Call | None, scope: Scope) -> bool:
        values = [*call.args, *(one.value for one in call.keywords)] if call is not None else []
        return any(self._is_enum(one, scope) for one in values)

    def _is_enum(self, node: ast.expr, scope: Scope) -> bool:
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return isinstance(node, ast.Call) and self._has_enum(node, scope)
        try:
            return self._enums.enum_of(self._names.resolve(node, scope)) is not None
        except UnreadableError:
            return True

    def _helper(self, function: FunctionRef, call: ast.Call, scope: Scope) -> ColumnType:
        body = enter_call(function, call, scope)
        return self.read(body.node, body.scope)

    def _custom(self, ref: ClassRef, call: ast.Call | None, scope: Scope) -> ColumnType:
        """Read a type class of the source: it may be an enum that hides behind its own code."""
        bases = [self._names.resolve(one, ref.scope) for one in ref.node.bases[:1] if _plain(one)]
        trivial = all(_is_trivial(one) for one in ref.node.body)
        if bases and isinstance(bases[0], External) and is_sqlalchemy(bases[0], *_ENUMS):
            if not trivial or call is None:
                raise UnreadableError(f"{ref.node.name} changes what an enum stores", ref.place)
            return replace(self._standard(bases[0], call, scope), name=ref.node.name)
        impl = self._implementation(ref, call, scope)
        hidden = impl.kind is not None or self._has_enum(call, scope) or self._mentions(ref)
        if hidden and not (trivial and impl.kind is not None and len(bases) == len(ref.node.bases)):
            raise UnreadableError(f"{ref.node.name} changes what an enum stores", ref.place)
        made, unmade = impl.made, impl.unmade
        reason = self._own_storage(ref)
        if reason is not None:
            made, unmade = None, reason
        return ColumnType(ref.node.name, impl.kind, True, made, unmade)  # noqa: FBT003

    def _own_storage(self, ref: ClassRef) -> str | None:
        """Return why the type in the database is not that of ``impl``, None where it is."""
        for one in ref.node.body:
            if isinstance(one, ast.FunctionDef) and one.name in _STORAGE:
                return f"{ref.node.name}.{one.name} decides about its type when the code runs"
        return None

    def _implementation(self, ref: ClassRef, call: ast.Call | None, scope: Scope) -> ColumnType:
        try:
            found = self._names.attribute(ref, "impl")
        except UnreadableError:
            return ColumnType(None)
        has_arguments = call is not None and bool(call.args or call.keywords)
        if isinstance(found, External) and has_arguments:
            return self._symbol(found, call, scope)
        if is_sqlalchemy(found, *_ENUMS):
            raise UnreadableError(f"{ref.node.name} names no value", ref.place)
        return self._symbol(found, None, self._names.class_scope(ref))

    def _mentions(self, ref: ClassRef) -> bool:
        scope = self._names.class_scope(ref)
        names = (one for one in ast.walk(ref.node) if isinstance(one, ast.Name))
        return any(self._is_local_enum(one, scope) for one in names)

    def _is_local_enum(self, node: ast.Name, scope: Scope) -> bool:
        try:
            symbol = self._names.resolve(node, scope)
        except UnreadableError:
            return False
        return isinstance(symbol, ClassRef) and self._is_enum(node, scope)


def _plain(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute))


def _is_trivial(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _HARMLESS
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name in _HARMLESS
    return False
