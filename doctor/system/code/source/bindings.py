"""Which statements of a body give which names their meaning."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from doctor.system.code.source.symbols import Binding, ImportedName, Namespace, Opaque

_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def namespace_of(body: Iterable[ast.stmt]) -> Namespace:
    """Return every binding of ``body``, also those inside ``if``, ``try``, ``with`` and loops."""
    names: dict[str, list[Binding]] = defaultdict(list)
    stars: list[ImportedName] = []
    for statement, conditional, looped in _statements(body, conditional=False, looped=False):
        for name, meaning in _bound(statement):
            if name == "*" and isinstance(meaning, ImportedName):
                stars.append(meaning)
                continue
            known = Opaque("is set inside a loop") if looped else meaning
            names[name].append(Binding(known, statement.lineno, conditional))
    return Namespace({name: tuple(found) for name, found in names.items()}, tuple(stars))


def _statements(
    body: Iterable[ast.stmt], *, conditional: bool, looped: bool
) -> Iterator[tuple[ast.stmt, bool, bool]]:
    for statement in body:
        yield statement, conditional, looped
        is_loop = isinstance(statement, _LOOPS)
        if is_loop or isinstance(statement, _BLOCKS):
            plain = isinstance(statement, (ast.With, ast.AsyncWith))
            yield from _statements(
                _inner(statement), conditional=conditional or not plain, looped=looped or is_loop
            )


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(statement, name, ())
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield from part.body


def _bound(statement: ast.stmt) -> Iterator[tuple[str, ast.AST | ImportedName | Opaque]]:
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield statement.name, statement
        case ast.Import():
            yield from map(_imported_module, statement.names)
        case ast.ImportFrom(level=level, module=module):
            for alias in statement.names:
                yield alias.asname or alias.name, ImportedName(level, module or "", alias.name)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(target, value)
        case _:
            yield from _type_alias(statement)
            for target, reason in _unknown_targets(statement):
                yield from _opaque(target, reason)


def _unknown_targets(statement: ast.stmt) -> Iterator[tuple[ast.expr, str]]:
    match statement:
        case ast.AugAssign(target=target):
            yield target, "is changed after it was set"
        case ast.Delete(targets=targets):
            yield from ((target, "is deleted") for target in targets)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield target, "is set inside a loop"
        case ast.With(items=items) | ast.AsyncWith(items=items):
            found = (item.optional_vars for item in items)
            yield from ((one, "is set by a context manager") for one in found if one is not None)


def _type_alias(statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    # ``type X = ...`` has a node only where this runs on Python 3.12 or newer
    if type(statement).__name__ == "TypeAlias":
        name, value = getattr(statement, "name", None), getattr(statement, "value", None)
        if isinstance(name, ast.Name) and isinstance(value, ast.expr):
            yield name.id, value


def _imported_module(alias: ast.alias) -> tuple[str, ImportedName]:
    if alias.asname is not None:
        return alias.asname, ImportedName(0, alias.name, None)
    top = alias.name.partition(".")[0]
    return top, ImportedName(0, top, None)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.AST | Opaque]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
        and not any(isinstance(one, ast.Starred) for one in (*target.elts, *value.elts))
    ):
        for inner, part in zip(target.elts, value.elts, strict=True):
            yield from _assigned(inner, part)
    else:
        yield from _opaque(target, "is set by unpacking")


def _opaque(target: ast.expr, reason: str) -> Iterator[tuple[str, Opaque]]:
    if isinstance(target, ast.Name):
        yield target.id, Opaque(reason)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for inner in target.elts:
            yield from _opaque(inner, reason)
    elif isinstance(target, ast.Starred):
        yield from _opaque(target.value, reason)
