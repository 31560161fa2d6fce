"""Functions that do nothing but return one expression: their call, without running it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from doctor.system.code.source.symbols import (
    Expression,
    FunctionRef,
    Scope,
    Symbol,
    UnreadableError,
)


def enter(
    function: FunctionRef, args: Sequence[Symbol], kwargs: Mapping[str, Symbol]
) -> Expression:
    """Return the expression that ``function`` returns for these arguments.

    Raises:
        UnreadableError: it does more than return one expression, or takes other arguments.
    """
    node, place = function.node, function.scope.place(function.node)
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    bound = {
        **_defaults(node.args, function.scope),
        **kwargs,
        **dict(zip(names, args, strict=False)),
    }
    expected = {*names, *(one.arg for one in node.args.kwonlyargs)}
    if node.args.vararg or node.args.kwarg or len(args) > len(names) or set(bound) != expected:
        raise UnreadableError("the arguments of the function cannot be followed", place)
    outer = function.scope.beyond_class()
    local = Scope(outer.module, {name: (one,) for name, one in bound.items()}, outer)
    return Expression(_returned(node, place), local)


def enter_call(function: FunctionRef, call: ast.Call, scope: Scope) -> Expression:
    """Return the expression that ``function`` returns where ``call`` calls it."""
    starred = any(isinstance(one, ast.Starred) for one in call.args)
    if starred or any(one.arg is None for one in call.keywords):
        raise UnreadableError("the arguments of the call cannot be followed", scope.place(call))
    args = [Expression(one, scope) for one in call.args]
    kwargs = {one.arg: Expression(one.value, scope) for one in call.keywords if one.arg}
    return enter(function, args, kwargs)


def _defaults(args: ast.arguments, scope: Scope) -> dict[str, Symbol]:
    positional = [one.arg for one in (*args.posonlyargs, *args.args)]
    pairs = list(zip(reversed(positional), reversed(args.defaults), strict=False))
    pairs += [
        (one.arg, default)
        for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if default is not None
    ]
    return {name: Expression(default, scope) for name, default in pairs}


def _returned(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, place: str) -> ast.expr:
    if isinstance(node, ast.Lambda):
        return node.body
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    match body:
        case [ast.Return(value=ast.expr() as value)] if isinstance(node, ast.FunctionDef):
            return value
    raise UnreadableError(f"the function {node.name!r} does more than return a value", place)
