"""Constant expressions computed from their syntax; whatever could do anything else is refused."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from doctor.system.code.enums import operators
from doctor.system.code.enums.mutation import Mutations
from doctor.system.code.enums.values import (
    BoundMethod,
    EnumDef,
    LiteralValues,
    MappedClass,
    Member,
    Method,
    items,
    text,
)
from doctor.system.code.source.calls import enter
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    FunctionRef,
    Known,
    ModuleRef,
    Scope,
    Symbol,
    UnreadableError,
)

_MAX_STEPS = 50_000
_MAX_DEPTH = 60
_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.Call, ast.ListComp)


class Evaluator:
    """Computes expressions of constants, containers, enums, text methods and comprehensions.

    ``enum_of`` reads the enum that a symbol stands for, None where it is no enum.
    """

    def __init__(self, names: Names, enum_of: Callable[[Symbol], EnumDef | None]) -> None:
        self.names = names
        self._enum_of = enum_of
        self._mutations = Mutations(names.project)
        self._depth = 0
        self._steps = 0

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """Return the value of ``node``; raises UnreadableError where it cannot be known."""
        self._steps = 0 if self._depth == 0 else self._steps + 1
        if self._depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            raise UnreadableError("the expression is too complex", scope.place(node))
        handler = self._HANDLERS.get(type(node))
        if handler is None:
            reason = f"{_short(node)!r} is only known when the code runs"
            raise UnreadableError(reason, scope.place(node))
        self._depth += 1
        try:
            return handler(self, node, scope)
        except UnreadableError as error:
            error.where = error.where or scope.place(node)
            raise
        finally:
            self._depth -= 1

    def call(self, function: Any, args: list[Any]) -> Any:
        """Return what ``function``, itself a value, returns for computed arguments."""
        match function:
            case FunctionRef():
                body = enter(function, [Known(one) for one in args], {})
                return self.value(body.node, body.scope)
            case BoundMethod(inner, first):
                return self.call(inner, [first, *args])
            case Method(owner, name):
                return operators.method(owner, name, args)
            case External(path="builtins.map") if len(args) == 2:  # noqa: PLR2004
                return [self.call(args[0], [one]) for one in items(args[1])]
            case External(path):
                return operators.function(path, args)
        raise UnreadableError("what is called is only known when the code runs")

    def symbol(self, symbol: Symbol, name: str) -> Any:
        """Return the value that ``symbol``, found under ``name``, stands for."""
        if isinstance(symbol, (ClassRef, Expression)):
            found = self._enum_of(symbol)
            if found is not None:
                return found
        if isinstance(symbol, Known):
            return symbol.value
        if not isinstance(symbol, Expression):
            return symbol
        if isinstance(symbol.node, _CONTAINERS) and self._mutations.concern(name):
            raise UnreadableError(f"{name!r} is changed after it was set")
        return self.value(symbol.node, symbol.scope)

    def _constant(self, node: ast.Constant, _: Scope) -> Any:
        return node.value

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        return self.symbol(self.names.resolve(node, scope), node.id)

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        owner = self.value(node.value, scope)
        if isinstance(owner, (ModuleRef, External, ClassRef)):
            return self.symbol(self.names.attribute(owner, node.attr), node.attr)
        match owner, node.attr:
            case Member(), "value" | "_value_":
                return owner.value
            case Member(), "name" | "_name_":
                return owner.name
            case EnumDef(), name:
                return self._of_enum(owner, name)
            case MappedClass(), "__name__":
                return owner.name
            case ((Member() | MappedClass()), name):
                raise UnreadableError(f"the attribute {name!r} is only known when the code runs")
        return Method(owner, node.attr)

    def _of_enum(self, owner: EnumDef, name: str) -> Any:
        if name in owner.members:
            return owner.members[name]
        if name == "__members__":
            return dict(owner.members)
        if name == "__name__":
            return owner.name
        found = self.names.attribute(owner.ref, name) if owner.ref is not None else None
        if isinstance(found, FunctionRef) and isinstance(found.node, ast.FunctionDef):
            match found.node.decorator_list:
                case [ast.Name(id="classmethod")]:
                    return BoundMethod(found, owner)
                case [ast.Name(id="staticmethod")]:
                    return found
        raise UnreadableError(f"{owner.name}.{name} is only known when the code runs")

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        if node.keywords:
            raise UnreadableError(f"{_short(node)!r} is only known when the code runs")
        return self.call(self.value(node.func, scope), self._elements(node.args, scope))

    def _elements(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found.extend(items(self.value(node.value, scope)))
            else:
                found.append(self.value(node, scope))
        return operators.bounded(found)  # type: ignore[no-any-return]

    def _list(self, node: ast.List, scope: Scope) -> Any:
        return self._elements(node.elts, scope)

    def _tuple(self, node: ast.Tuple, scope: Scope) -> Any:
        return tuple(self._elements(node.elts, scope))

    def _set(self, node: ast.Set, scope: Scope) -> Any:
        return operators.guarded(frozenset, self._elements(node.elts, scope))

    def _dict(self, node: ast.Dict, scope: Scope) -> Any:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value, scope)
            if key is not None:
                operators.guarded(found.__setitem__, self.value(key, scope), inner)
            elif isinstance(inner, dict):
                found.update(inner)
            else:
                raise UnreadableError(f"{_short(value)!r} is not a dict")
        return found

    def _binary(self, node: ast.BinOp, scope: Scope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        return operators.binary(node.op, left, right)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Any:
        return operators.unary(node.op, self.value(node.operand, scope))

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        result: Any = None
        for one in node.values:
            result = self.value(one, scope)
            if _truth(result) is stop_at:
                break
        return result

    def _compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        for kind, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, scope)
            if not operators.compare(kind, left, right):
                return False
            left = right
        return True

    def _choice(self, node: ast.IfExp, scope: Scope) -> Any:
        chosen = node.body if _truth(self.value(node.test, scope)) else node.orelse
        return self.value(chosen, scope)

    def _text(self, node: ast.JoinedStr, scope: Scope) -> Any:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.value(part.value, scope)
                if part.format_spec is not None or part.conversion not in {-1, ord("s")}:
                    raise UnreadableError("the format of the text is not followed")
                if isinstance(value, Member):
                    raise UnreadableError("the text of a member differs by version of Python")
                parts.append(text(value))
            else:
                parts.append(self.value(part, scope))
        return operators.bounded("".join(parts))

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        owner, key = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(owner, External) and owner.last == "Literal":
            return LiteralValues(tuple(key) if isinstance(key, tuple) else (key,))
        if isinstance(owner, EnumDef):
            owner = owner.members
        if isinstance(owner, (str, list, tuple)) and type(key) is not int:
            raise UnreadableError(f"{_short(node)!r} is not followed")
        return operators.guarded(lambda: owner[key])

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return FunctionRef(node, scope)

    def _comprehension(self, node: Any, scope: Scope) -> Any:
        first = self.value(node.generators[0].iter, scope)
        inner = scope.beyond_class()
        found = []
        for local in self._rounds(node.generators, inner, first):
            found.append(self.value(node.elt, local))
            operators.bounded(found)
        return frozenset(found) if isinstance(node, ast.SetComp) else found

    def _rounds(
        self, generators: list[ast.comprehension], scope: Scope, values: Any
    ) -> Iterator[Scope]:
        here, *rest = generators
        for one in items(values):
            local = Scope(scope.module, _unpacked(here.target, one), scope)
            if here.is_async or not all(_truth(self.value(test, local)) for test in here.ifs):
                continue
            if rest:
                yield from self._rounds(rest, local, self.value(rest[0].iter, local))
            else:
                yield local

    _HANDLERS: ClassVar[dict[type[ast.expr], Callable[[Any, Any, Scope], Any]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.List: _list,
        ast.Tuple: _tuple,
        ast.Set: _set,
        ast.Dict: _dict,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.IfExp: _choice,
        ast.JoinedStr: _text,
        ast.Subscript: _subscript,
        ast.Lambda: _lambda,
        ast.ListComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.SetComp: _comprehension,
    }


def _truth(value: Any) -> bool:
    if type(value) not in {bool, int, str, list, tuple, dict, type(None)}:
        raise UnreadableError("a condition is only known when the code runs")
    return bool(value)


def _unpacked(target: ast.expr, value: Any) -> dict[str, tuple[Known]]:
    if isinstance(target, ast.Name):
        return {target.id: (Known(value),)}
    names = target.elts if isinstance(target, ast.Tuple) else []
    if isinstance(value, (tuple, list)) and names and len(names) == len(value):
        pairs = zip(names, value, strict=True)
        return {k: v for one, part in pairs for k, v in _unpacked(one, part).items()}
    raise UnreadableError("the names of the comprehension are not followed")


def _short(node: ast.AST) -> str:
    source = ast.unparse(node)
    return source if len(source) <= 60 else f"{source[:57]}..."  # noqa: PLR2004
