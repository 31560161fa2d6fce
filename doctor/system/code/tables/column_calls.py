"""``mapped_column(...)`` and ``Column(...)`` calls, found behind names, helpers and wrappers."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from doctor.system.code.enums.classes import Enums
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

_COLUMNS = ("Column", "mapped_column", "MappedColumn", "unmapped_column")
_WRAPPERS = ("column_property", "deferred")
_SCHEMA_ITEMS = frozenset({"CheckConstraint", "Computed", "Constraint", "DefaultClause"})
_SCHEMA_ITEMS |= frozenset({"FetchedValue", "ForeignKey", "Identity", "Index", "Sequence"})
_SCHEMA_ITEMS |= frozenset({"UniqueConstraint"})


@dataclass(frozen=True, slots=True)
class ColumnCall:
    """The arguments of a column as they are written.

    ``items`` are the ForeignKeys, Identities and the like among the arguments, by class name;
    ``core`` tells ``Column`` from ``mapped_column``.
    """

    name: str | None
    type: Expression | None
    options: Mapping[str, Expression] = field(default_factory=dict)
    items: tuple[tuple[str, Expression], ...] = ()
    place: str = ""
    core: bool = False

    def item(self, name: str) -> Expression | None:
        """Return the first argument that is a ``name(...)``, or None."""
        return next((one for kind, one in self.items if kind == name), None)


class ColumnCalls:
    """Finds the call that makes a column and splits its arguments."""

    def __init__(self, names: Names, enums: Enums) -> None:
        self._names = names
        self._evaluator = enums.evaluator

    def find(self, node: ast.expr, scope: Scope) -> ColumnCall | None:
        """Return the column that ``node`` makes, None where it makes something else.

        Raises:
            UnreadableError: it may make a column, but which one is only known when it runs.
        """
        if isinstance(node, (ast.Name, ast.Attribute)):
            made = self.symbol(node, scope)
            if isinstance(made, Expression) and isinstance(made.node, ast.Call):
                return self.find(made.node, made.scope)
            return None
        if isinstance(node, ast.Call):
            return self._made(node, scope)
        self._none_inside(node, scope)
        return None

    def _made(self, node: ast.Call, scope: Scope) -> ColumnCall | None:
        symbol = self._maker(node, scope)
        if is_sqlalchemy(symbol, *_COLUMNS):
            return self._split(node, scope, core=is_sqlalchemy(symbol, "Column"))
        if is_sqlalchemy(symbol, "composite") and any(map(_is_call, node.args)):
            raise UnreadableError("the columns of a composite are not followed", scope.place(node))
        if is_sqlalchemy(symbol, *_WRAPPERS):
            return self.find(node.args[0], scope) if node.args else None
        if isinstance(symbol, FunctionRef):
            return self._helper(symbol, node, scope)
        return None

    def _maker(self, node: ast.Call, scope: Scope) -> Symbol | None:
        """Return what ``node`` calls; where versions of a library decide, a column either way.

        Raises:
            UnreadableError: only one of several meanings makes a column, or its name says so.
        """
        try:
            found = self._names.candidates(node.func, scope)
        except UnreadableError:
            found = ()
        if len(found) == 1 and not (isinstance(found[0], External) and _is_foreign(found[0])):
            return found[0]
        columns = [one for one in found if is_sqlalchemy(one, *_COLUMNS)]
        if columns and len(columns) == len(found):
            declared = [one for one in columns if not is_sqlalchemy(one, "Column")]
            return (declared or columns)[0]
        if columns or "column" in ast.unparse(node.func).lower():
            reason = f"{ast.unparse(node.func)!r} may make a column and is not followed"
            raise UnreadableError(reason, scope.place(node))
        return found[0] if len(found) == 1 else None

    def is_foreign(self, node: ast.expr, scope: Scope) -> bool:
        """Tell whether ``node`` calls what neither the source, SQLAlchemy nor Python defines."""
        if not isinstance(node, ast.Call):
            return False
        maker = self.symbol(node.func, scope)
        return maker is None or (isinstance(maker, External) and _is_foreign(maker))

    def is_column(self, given: Expression) -> bool:
        """Tell whether an expression makes, or may make, a column."""
        try:
            return self.find(given.node, given.scope) is not None
        except UnreadableError:
            return True

    def maker(self, call: ast.Call, scope: Scope) -> Symbol | None:
        """Return what ``call`` calls, None where it cannot be followed."""
        return self.symbol(call.func, scope)

    def symbol(self, node: ast.expr, scope: Scope) -> Symbol | None:
        """Return what ``node`` stands for, None where it cannot be followed."""
        try:
            return self._names.resolve(node, scope)
        except UnreadableError:
            return None

    def _helper(self, function: FunctionRef, call: ast.Call, scope: Scope) -> ColumnCall | None:
        try:
            body = enter_call(function, call, scope)
        except UnreadableError:
            self._none_inside(function.node, function.scope)
            return None
        return self.find(body.node, body.scope)

    def _none_inside(self, node: ast.AST, scope: Scope) -> None:
        """Raise where a column is made somewhere inside of ``node``."""
        calls = (one for one in ast.walk(node) if isinstance(one, ast.Call))
        for one in calls:
            if is_sqlalchemy(self.symbol(one.func, scope), *_COLUMNS):
                reason = "which column is made is only known when the code runs"
                raise UnreadableError(reason, scope.place(one))

    def _split(self, call: ast.Call, scope: Scope, *, core: bool) -> ColumnCall:
        place = scope.place(call)
        options = dict(self._options(call, scope))
        name = self._name(options.get("name"))
        kind = options.get("type_")
        items: list[tuple[str, Expression]] = []
        for index, arg in enumerate(call.args):
            if isinstance(arg, ast.Starred):
                raise UnreadableError("the column has arguments that are not followed", place)
            item = self._schema_item(arg, scope)
            if item is not None:
                items.append(item)
            elif index == 0 and self._is_name(arg, scope):
                name = self._name(Expression(arg, scope)) or name
            elif kind is None:
                kind = None if _is_none(arg) else Expression(arg, scope)
            else:
                raise UnreadableError(f"the argument {ast.unparse(arg)!r} is not followed", place)
        return ColumnCall(name, kind, options, tuple(items), place, core)

    def _options(self, call: ast.Call, scope: Scope) -> Iterator[tuple[str, Expression]]:
        for keyword in call.keywords:
            if keyword.arg is not None:
                yield keyword.arg, Expression(keyword.value, scope)
                continue
            found = self.symbol(keyword.value, scope)
            node = found.node if isinstance(found, Expression) else None
            if not isinstance(node, ast.Dict) or not isinstance(found, Expression):
                raise UnreadableError(
                    "the column has options that are not followed", scope.place(call)
                )
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    raise UnreadableError("the column has options that are not followed")
                option = self._evaluator.value(key, found.scope)
                yield str(option), Expression(value, found.scope)

    def _schema_item(self, node: ast.expr, scope: Scope) -> tuple[str, Expression] | None:
        here = Expression(node, scope)
        if isinstance(node, (ast.Name, ast.Attribute)):
            symbol = self.symbol(node, scope)
            if not (isinstance(symbol, Expression) and isinstance(symbol.node, ast.Call)):
                return None
            here = symbol
        if isinstance(here.node, ast.Call):
            maker = self.symbol(here.node.func, here.scope)
            if isinstance(maker, External) and is_sqlalchemy(maker, *_SCHEMA_ITEMS):
                return maker.last, here
        return None

    def _is_name(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Constant):
            return node.value is None or isinstance(node.value, str)
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            return True
        symbol = self.symbol(node, scope) if isinstance(node, (ast.Name, ast.Attribute)) else None
        return isinstance(symbol, Expression) and not isinstance(symbol.node, ast.Call)

    def _name(self, given: Expression | None) -> str | None:
        if given is None:
            return None
        value = self._evaluator.value(given.node, given.scope)
        if value is not None and not isinstance(value, str):
            raise UnreadableError(
                "the name of the column is no text", given.scope.place(given.node)
            )
        return value


def _is_foreign(symbol: External) -> bool:
    """Tell whether something is defined neither in the source, nor by SQLAlchemy or Python."""
    return symbol.root != "sqlalchemy" and symbol.root not in sys.stdlib_module_names | {"builtins"}


def _is_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
