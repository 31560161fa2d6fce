"""Names whose lists and dicts are changed in place after they were set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from doctor.system.code.source.project import Project

_CHANGES = frozenset(
    {"append", "add", "clear", "discard", "extend", "insert", "pop", "popitem", "remove"}
    | {"reverse", "setdefault", "sort", "update", "__setitem__", "__delitem__"}
)


class Mutations:
    """Tells which names the loaded modules change; each module is searched once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._changed: dict[Path, frozenset[str]] = {}

    def concern(self, name: str) -> bool:
        """Tell whether a loaded module changes something called ``name`` in place."""
        for path, module in self._project.modules.items():
            if path not in self._changed:
                found = (name for node in ast.walk(module.tree) for name in _changed(node))
                self._changed[path] = frozenset(found)
        return any(name in found for found in self._changed.values())


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _CHANGES:
            yield from _last(owner)
        case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
            yield from _last(owner)
        case ast.Attribute(attr=attr, ctx=ast.Store() | ast.Del()):
            yield attr
        case ast.AugAssign(target=target):
            yield from _last(target)
        case ast.Global(names=names):
            yield from names


def _last(owner: ast.expr) -> Iterator[str]:
    if isinstance(owner, ast.Name):
        yield owner.id
    elif isinstance(owner, ast.Attribute):
        yield owner.attr
