"""Parts of a schema as values: the calls that make types, defaults, constraints and indexes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from doctor.model.schema import Made, MadeValue, Many
from doctor.system.code.enums.evaluate import Evaluator
from doctor.system.code.source.calls import enter_call
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    Expression,
    External,
    FunctionRef,
    Scope,
    Symbol,
    UnreadableError,
    is_sqlalchemy,
)

COLUMN = "column"
_COLUMNS = ("Column", "mapped_column", "MappedColumn", "unmapped_column")
_MAX_DEPTH = 12
_SCALARS = (str, int, float, bool, type(None))


class Definitions:
    """Computes what SQLAlchemy's own calls are given, without calling any of them.

    ``target`` gives the ``table.column`` that an expression stands for.
    """

    def __init__(
        self, names: Names, evaluator: Evaluator, target: Callable[[Expression], str]
    ) -> None:
        self._names = names
        self._evaluator = evaluator
        self._target = target

    def made(self, node: ast.expr, scope: Scope) -> Made:
        """Return the part that ``node`` makes; raises UnreadableError where that is not known."""
        found = self.value(node, scope)
        if not isinstance(found, Made):
            raise UnreadableError(f"{_short(node)!r} is no part of a schema", scope.place(node))
        return found

    def of_call(self, path: str, call: ast.Call | None, scope: Scope) -> Made:
        """Return what calling ``path`` as ``call`` does makes; None: the class itself."""
        if call is None:
            return Made(path)
        return Made(path, self._args(call, scope, 0), self._options(call, scope, 0))

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> MadeValue:
        """Return the value of an argument; raises UnreadableError where it is not known."""
        if depth > _MAX_DEPTH:
            raise UnreadableError("the definition is nested too deeply", scope.place(node))
        if isinstance(node, ast.Call):
            return self._call(node, scope, depth)
        if isinstance(node, (ast.List, ast.Tuple)):
            return Many(tuple(self.value(one, scope, depth + 1) for one in node.elts))
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node, scope, depth)
        return self._constant(node, scope)

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> MadeValue:
        try:
            maker = self._names.resolve(node.func, scope)
        except UnreadableError:
            return self._constant(node, scope)
        if isinstance(maker, FunctionRef):
            body = enter_call(maker, node, scope)
            return self.value(body.node, body.scope, depth + 1)
        if not isinstance(maker, External) or maker.root != "sqlalchemy":
            return self._constant(node, scope)
        args, options = self._args(node, scope, depth), self._options(node, scope, depth)
        return Made(maker.path, args, options)

    def _args(self, node: ast.Call, scope: Scope, depth: int) -> tuple[MadeValue, ...]:
        found: list[MadeValue] = []
        for one in node.args:
            if isinstance(one, ast.Starred):
                many = self.value(one.value, scope, depth + 1)
                found += many.values if isinstance(many, Many) else (many,)
            else:
                found.append(self.value(one, scope, depth + 1))
        return tuple(found)

    def _options(self, node: ast.Call, scope: Scope, depth: int) -> Mapping[str, MadeValue]:
        if any(one.arg is None for one in node.keywords):
            raise UnreadableError(f"the options of {_short(node)!r} are not followed")
        return {one.arg or "": self.value(one.value, scope, depth + 1) for one in node.keywords}

    def _named(self, node: ast.Name | ast.Attribute, scope: Scope, depth: int) -> MadeValue:
        try:
            symbol = self._names.resolve(node, scope)
        except UnreadableError:
            return self._column_of(node, scope)
        if isinstance(symbol, External) and symbol.root == "sqlalchemy":
            return Made(symbol.path)
        if isinstance(symbol, Expression):
            column = self._column_name(node, symbol)
            if column is not None:
                return Made(COLUMN, (column,))
            if isinstance(symbol.node, ast.Call):
                return self.value(symbol.node, symbol.scope, depth + 1)
        return self._constant(node, scope)

    def _column_of(self, node: ast.expr, scope: Scope) -> MadeValue:
        return Made(COLUMN, (self._target(Expression(node, scope)).rpartition(".")[2],))

    def _column_name(self, node: ast.Name | ast.Attribute, symbol: Expression) -> str | None:
        if not isinstance(symbol.node, ast.Call):
            return None
        if not is_sqlalchemy(self._maker(symbol.node, symbol.scope), *_COLUMNS):
            return None
        first = symbol.node.args[0] if symbol.node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return first.value
        return node.id if isinstance(node, ast.Name) else node.attr

    def _maker(self, call: ast.Call, scope: Scope) -> Symbol | None:
        try:
            return self._names.resolve(call.func, scope)
        except UnreadableError:
            return None

    def _constant(self, node: ast.expr, scope: Scope) -> MadeValue:
        return _plain(self._evaluator.value(node, scope), node, scope)


def _plain(value: object, node: ast.expr, scope: Scope) -> MadeValue:
    if isinstance(value, (list, tuple)):
        return Many(tuple(_plain(one, node, scope) for one in value))
    if type(value) not in _SCALARS:
        raise UnreadableError(
            f"{_short(node)!r} is only known when the code runs", scope.place(node)
        )
    return value  # type: ignore[return-value]


def _short(node: ast.AST) -> str:
    source = ast.unparse(node)
    return source if len(source) <= 60 else f"{source[:57]}..."  # noqa: PLR2004
