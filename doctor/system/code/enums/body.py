"""The body of an enum class, statement by statement: which names become members."""

from __future__ import annotations

import ast
from typing import Any

from doctor.system.code.enums.members import MemberList
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    Binding,
    ClassRef,
    External,
    FunctionRef,
    Known,
    Opaque,
    Scope,
    Symbol,
    UnreadableError,
)

_DESCRIPTORS = frozenset({"builtins.property", "builtins.staticmethod", "builtins.classmethod"})
_METHOD_DECORATORS = _DESCRIPTORS | {
    "enum.property",
    "types.DynamicClassAttribute",
    "functools.cache",
    "functools.lru_cache",
    "functools.cached_property",
    "functools.singledispatchmethod",
    "abc.abstractmethod",
    "typing.final",
    "typing.overload",
    "typing.override",
    "typing_extensions.override",
}
_HOOKS = frozenset({"_order_", "_generate_next_value_", "_missing_", "_numeric_repr_"})
_NO_MEMBER = object()


class EnumBody:
    """Adds the members that a class body defines, in order, to a list of members."""

    def __init__(self, ref: ClassRef, found: MemberList, names: Names) -> None:
        self._ref = ref
        self._found = found
        self._names = names
        self._known: dict[str, tuple[Binding | Symbol, ...]] = {}
        self._ignored: frozenset[str] = frozenset()
        self._scope = Scope(ref.scope.module, self._known, ref.scope, is_class=True)

    def read(self) -> None:
        """Read every statement; raises UnreadableError at the first that could add members."""
        for statement in self._ref.node.body:
            try:
                self._statement(statement)
            except UnreadableError as error:
                error.where = error.where or self._scope.place(statement)
                raise

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
                return
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._assign(name, self._written(value, name))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign_to(target, value)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._definition(statement)
            case _:
                kind = type(statement).__name__.lower()
                raise UnreadableError(f"the enum has a {kind} statement in its body")

    def _assign_to(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, self._written(value, target.id))
            return
        match target, value:
            case ast.Tuple(elts=names), ast.Tuple(elts=parts) if len(names) == len(parts):
                for inner, part in zip(names, parts, strict=True):
                    self._assign_to(inner, part)
                return
        raise UnreadableError("the enum sets something other than names")

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        kinds = [self._decorator(one) for one in node.decorator_list]
        if "enum.member" in kinds:
            self._assign(node.name, object())
        elif isinstance(node, ast.ClassDef) and kinds != ["enum.nonmember"]:
            reason = f"the class {node.name!r} inside of the enum is a member by version of Python"
            raise UnreadableError(reason)
        else:
            self._plain(node.name, None)

    def _decorator(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute) and node.attr in {"setter", "getter", "deleter"}:
            return "builtins.property"
        function = node.func if isinstance(node, ast.Call) else node
        path = self._path(function)
        if path not in _METHOD_DECORATORS | {"enum.member", "enum.nonmember"}:
            raise UnreadableError(f"the decorator {ast.unparse(node)!r} may make a member")
        return path

    def _path(self, node: ast.expr) -> str:
        try:
            symbol = self._names.resolve(node, self._scope)
        except UnreadableError:
            return ""
        return symbol.path if isinstance(symbol, External) else ""

    def _written(self, node: ast.expr, name: str) -> Any:
        """Return the value that is written for ``name``, or the mark of what is no member."""
        if isinstance(node, ast.Lambda):
            return _NO_MEMBER
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            path = self._path(node.func)
            if path in _DESCRIPTORS or path == "enum.nonmember":
                return _NO_MEMBER
            if path in {"enum.auto", "builtins.object"} and not (node.args or node.keywords):
                return self._found.next_value(name) if path == "enum.auto" else object()
            if path == "enum.member" and len(node.args) == 1:
                return self._found.evaluator.value(node.args[0], self._scope)
        value = self._found.evaluator.value(node, self._scope)
        return _NO_MEMBER if isinstance(value, FunctionRef) else value

    def _assign(self, name: str, value: Any) -> None:
        if name == "_ignore_":
            names = value.replace(",", " ").split() if isinstance(value, str) else value
            if not isinstance(names, (list, tuple)):
                raise UnreadableError("the ignored names are not followed")
            self._ignored = frozenset(names)
        elif name in _HOOKS:
            return
        elif name.startswith("__") or name in self._ignored or value is _NO_MEMBER:
            self._plain(name, value)
        elif name == "mro" or (name.startswith("_") and name.endswith("_")):
            raise UnreadableError(f"the name {name!r} is reserved in enums")
        else:
            self._taken(name)
            self._found.add(name, value)
            self._known[name] = (Known(value),)

    def _plain(self, name: str, value: Any) -> None:
        """Note a name that is no member; its value may still be used further down."""
        if name in self._found.members:
            raise UnreadableError(f"the member {name!r} is defined twice")
        opaque = Binding(Opaque("is no plain value"), self._ref.node.lineno)
        usable = value is not None and value is not _NO_MEMBER
        self._known[name] = (Known(value) if usable else opaque,)

    def _taken(self, name: str) -> None:
        if name in self._known:
            raise UnreadableError(f"the name {name!r} is defined twice")
