"""The scopes of a Python file: the nodes of each, and the names that are bound once in sight."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.linting.text import Names

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Scope:
    """The nodes of a module, class or function without those inside of it, outer ones first."""

    nodes: tuple[ast.AST, ...]
    names: Names


def scopes(tree: ast.Module) -> Iterator[Scope]:
    """Yield the scopes of a file, each after the one around it."""
    todo: list[tuple[ast.AST, Names]] = [(tree, {})]
    while todo:
        owner, outer = todo.pop()
        nodes, inner = _nodes(owner)
        own, hidden = _bound_once(owner, nodes)
        seen = {name: one for name, one in outer.items() if name not in hidden}
        names = {**seen, **own}
        yield Scope(tuple(nodes), names)
        below = seen if isinstance(owner, ast.ClassDef) else names
        todo += [(one, below) for one in inner]


def _nodes(owner: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    nodes: list[ast.AST] = []
    inner: list[ast.AST] = []
    todo = _body(owner)
    while todo:
        node = todo.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            inner.append(node)
            continue
        nodes.append(node)
        todo.extend(ast.iter_child_nodes(node))
    return nodes, inner


def _body(owner: ast.AST) -> list[ast.AST]:
    """Return the statements of a scope that are not its documentation."""
    if isinstance(owner, ast.Lambda):
        return [owner.body]
    body: list[ast.AST] = list(getattr(owner, "body", ()))
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text else body


def _bound_once(owner: ast.AST, nodes: list[ast.AST]) -> tuple[dict[str, ast.expr], set[str]]:
    """Return what names are bound to where that is certain, and all names that are bound."""
    counts: Counter[str] = Counter()
    values: dict[str, ast.expr] = {}
    if isinstance(owner, _FUNCTIONS):
        counts.update({one.arg: 2 for one in _arguments(owner.args)})
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            counts[node.id] += 1
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            counts.update(dict.fromkeys(node.names, 2))
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            _note(node.targets[0], node.value, values)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            _note(node.target, node.value, values)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            counts[node.target.id] += 1
    once = {name: value for name, value in values.items() if counts[name] == 1}
    return once, set(counts)


def _note(target: ast.expr, value: ast.expr, values: dict[str, ast.expr]) -> None:
    if isinstance(target, ast.Name):
        values[target.id] = value


def _arguments(given: ast.arguments) -> Iterator[ast.arg]:
    yield from (*given.posonlyargs, *given.args, *given.kwonlyargs)
    yield from (one for one in (given.vararg, given.kwarg) if one is not None)
