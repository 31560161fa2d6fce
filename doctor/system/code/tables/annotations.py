"""``Mapped[...]`` annotations: what they say about type and nullability."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    FunctionRef,
    ImportedName,
    Module,
    Scope,
    Symbol,
    UnreadableError,
)

_CONTAINERS = frozenset({"Mapped", "MappedColumn"})
_TYPING = frozenset({"typing", "typing_extensions"})
_MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class LiteralType:
    """``Literal[...]``: where its values are written."""

    node: ast.Subscript
    scope: Scope = field(compare=False)


@dataclass(frozen=True, slots=True)
class OtherType:
    """A type that is no single class, e.g. a union; ``reason`` where it could not be followed."""

    text: str
    reason: str | None = None


Leaf = Symbol | LiteralType | OtherType


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation says.

    Attributes:
        leaf: the type without Optional and Annotated.
        nullable: None is allowed.
        aliases: the expressions of the aliases that led there, outermost first.
        extras: what ``Annotated`` adds.
    """

    leaf: Leaf
    nullable: bool = False
    aliases: tuple[Expression, ...] = ()
    extras: tuple[Expression, ...] = ()


class Annotations:
    """Reads annotations, also those in quotes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._read: dict[int, Annotation | None] = {}

    def mapped(self, node: ast.expr, scope: Scope) -> Annotation | None:
        """Return what ``Mapped[X]`` says of X, None for annotations that map no column."""
        if id(node) not in self._read:
            self._read[id(node)] = self._mapped(node, scope)
        return self._read[id(node)]

    def _mapped(self, node: ast.expr, scope: Scope) -> Annotation | None:
        if _is_postponed(scope.module):
            scope = _late(scope)
        node, scope = _unquoted(node, scope)
        if not isinstance(node, ast.Subscript):
            return None
        container = self._container(node.value, scope)
        if container not in _CONTAINERS:
            return None
        return self.read(node.slice, scope)

    def _container(self, node: ast.expr, scope: Scope) -> str | None:
        try:
            symbol = self._names.resolve(node, scope)
        except UnreadableError:
            # a name that only type checkers see still says what is meant
            return node.id if isinstance(node, ast.Name) else None
        is_orm = isinstance(symbol, External) and symbol.root in {"sqlalchemy", "sqlmodel"}
        return symbol.last if isinstance(symbol, External) and is_orm else None

    def read(self, node: ast.expr, scope: Scope, depth: int = 0) -> Annotation:
        """Return what the annotation ``node`` says; what cannot be followed is an OtherType."""
        if depth > _MAX_DEPTH:
            raise UnreadableError("the annotation is nested too deeply", scope.place(node))
        node, scope = _unquoted(node, scope)
        if isinstance(node, ast.Constant) and node.value is None:
            return Annotation(OtherType("None"), nullable=True)
        match node:
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._union([left, right], scope, depth)
            case ast.Subscript():
                return self._subscript(node, scope, depth)
            case ast.Name() | ast.Attribute():
                return self._named(node, scope, depth)
            case ast.Call():
                return self._made(node, scope, depth)
        return Annotation(OtherType(ast.unparse(node)))

    def _union(self, nodes: list[ast.expr], scope: Scope, depth: int) -> Annotation:
        parts = [self.read(one, scope, depth + 1) for one in nodes]
        nullable = any(one.nullable for one in parts)
        kept = [one for one in parts if one.leaf != OtherType("None")]
        if len(kept) == 1:
            return replace(kept[0], nullable=nullable)
        reasons = [r for one in kept if (r := _hidden(one.leaf)) is not None]
        text = " | ".join(ast.unparse(one) for one in nodes)
        return Annotation(OtherType(text, reasons[0] if reasons else None), nullable)

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> Annotation:
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        try:
            base = self._names.resolve(node.value, scope)
        except UnreadableError as error:
            return Annotation(OtherType(ast.unparse(node), error.reason))
        name = base.last if isinstance(base, External) and base.root in _TYPING else None
        if name in {"Optional", "Union"}:
            nothing = [ast.Constant(None)] if name == "Optional" else []
            return self._union([*inner, *nothing], scope, depth)
        if name == "Annotated" and inner:
            found = self.read(inner[0], scope, depth + 1)
            extras = tuple(Expression(one, scope) for one in inner[1:])
            here = Expression(node, scope)
            return replace(found, aliases=(here, *found.aliases), extras=(*found.extras, *extras))
        if name == "Literal":
            return Annotation(LiteralType(node, scope))
        known = isinstance(base, External) and base.root in {*_TYPING, "builtins", "collections"}
        reason = None if known else "the generic type is not followed"
        return Annotation(OtherType(ast.unparse(node), reason))

    def _named(self, node: ast.expr, scope: Scope, depth: int) -> Annotation:
        try:
            symbol = self._names.resolve(node, scope)
        except UnreadableError as error:
            return Annotation(OtherType(ast.unparse(node), error.reason))
        if not isinstance(symbol, Expression):
            return Annotation(symbol)
        found = self.read(symbol.node, symbol.scope, depth + 1)
        return replace(found, aliases=(symbol, *found.aliases))

    def _made(self, node: ast.Call, scope: Scope, depth: int) -> Annotation:
        """Read what a call makes: NewType, TypeAliasType, or an ``Enum("Name", ...)``."""
        try:
            maker = self._names.resolve(node.func, scope)
        except UnreadableError as error:
            return Annotation(OtherType(ast.unparse(node), error.reason))
        name = maker.last if isinstance(maker, External) and maker.root in _TYPING else None
        if name == "TypeAliasType" and len(node.args) > 1:
            return self.read(node.args[1], scope, depth + 1)
        if name == "NewType" and len(node.args) > 1:
            found = self.read(node.args[1], scope, depth + 1)
            return Annotation(OtherType(ast.unparse(node), _hidden(found.leaf)), found.nullable)
        return Annotation(Expression(node, scope))


def _hidden(leaf: Leaf) -> str | None:
    """Return why a type around ``leaf`` may hide an enum, None where it cannot."""
    match leaf:
        case OtherType(reason=reason):
            return reason
        case External(root="builtins"):
            return None
        case LiteralType() | ClassRef() | External() | Expression() | FunctionRef():
            return "the annotation joins several types"
    return None


def _unquoted(node: ast.expr, scope: Scope) -> tuple[ast.expr, Scope]:
    """Return the expression inside of a quoted annotation and the scope that it is read in."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return node, scope
    try:
        inner = ast.parse(node.value.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return node, scope
    for one in ast.walk(inner):
        ast.copy_location(one, node)
    return inner, _late(scope)


def _is_postponed(module: Module) -> bool:
    bound = module.namespace.names.get("annotations", ())
    wanted = ImportedName(0, "__future__", "annotations")
    return any(one.meaning == wanted for one in bound)


def _late(scope: Scope) -> Scope:
    """Return the scope of annotations that SQLAlchemy evaluates: the module's names win."""
    if not scope.is_class:
        return scope
    names = {
        name: one for name, one in scope.names.items() if name not in scope.module.namespace.names
    }
    return Scope(scope.module, names, scope.parent, is_class=True)
