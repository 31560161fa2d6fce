"""Writes through mapped classes: ``Job(state=...)``, ``insert(Job).values(...)``, ``update``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from doctor.linting.classes import KnownClass
from doctor.linting.given import written
from doctor.linting.scopes import Scope
from doctor.linting.sight import Sight
from doctor.linting.writes import enum_sight

_MAKERS = frozenset({"insert", "update"})
Classes = Mapping[str, tuple[KnownClass, ...]]


@dataclass(frozen=True, slots=True)
class Imports:
    """What the import statements of a file give names to: modules by their parts.

    A relative import is completed by the folder of the file, so that its parts are a whole path.
    """

    folder: tuple[str, ...]
    own: tuple[str, ...]
    names: Mapping[str, tuple[bool, tuple[str, ...]]]

    def is_of(self, name: str, module: tuple[str, ...]) -> bool:
        """Tell whether a name comes from a module, or from a package that it is in."""
        if name not in self.names:
            return self.own == module
        whole, parts = self.names[name]
        if whole:
            return module[: len(parts)] == parts
        return any(module[:end][-len(parts) :] == parts for end in range(len(module), 0, -1))


def imports_of(tree: ast.Module, path: Path) -> Imports:
    """Return what the import statements of a file name, wherever they stand."""
    parts = path.absolute().with_suffix("").parts
    folder = parts[:-1]
    names: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            dotted = tuple((node.module or "").split(".")) if node.module else ()
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            for one in node.names:
                names[one.asname or one.name] = bool(node.level), (*base, *dotted)
    return Imports(folder, folder if parts[-1] == "__init__" else parts, names)


def check_objects(scope: Scope, classes: Classes, imports: Imports) -> Iterator[Sight]:
    """Yield the mistakes of every write through a class in a scope."""
    for node in scope.nodes:
        if not isinstance(node, ast.Call):
            continue
        made = _class(node.func, classes, imports)
        if made is not None:
            yield from _values(made, _keywords(node), scope)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("values", "update"):
            target = _target(node.func.value, classes, imports)
            if target is not None:
                items = [*_keywords(node), *(pair for one in node.args for pair in _items(one))]
                yield from _values(target, items, scope)
                yield from _unknown(target, items)


def _class(node: ast.expr, classes: Classes, imports: Imports) -> KnownClass | None:
    """Return the one mapped class that a name or ``models.Name`` stands for."""
    if isinstance(node, ast.Name):
        found = [one for one in classes.get(node.id, ()) if imports.is_of(node.id, one.module)]
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = imports.names.get(node.value.id)
        known = classes.get(node.attr, ()) if module is not None else ()
        found = [one for one in known if one.module[-1] == node.value.id]
    else:
        return None
    return found[0] if len(found) == 1 else None


def _target(node: ast.expr, classes: Classes, imports: Imports) -> KnownClass | None:
    """Return the class that a chain such as ``update(Job).where(...)`` begins with."""
    while isinstance(node, ast.Call):
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        if (name in _MAKERS or name == "query") and len(node.args) == 1:
            return _class(node.args[0], classes, imports)
        if not isinstance(called, ast.Attribute):
            return None
        node = called.value
    return None


def _keywords(call: ast.Call) -> list[tuple[str, ast.expr, ast.expr]]:
    return [(one.arg, one.value, one.value) for one in call.keywords if one.arg is not None]


def _items(node: ast.expr) -> Iterator[tuple[str, ast.expr, ast.expr]]:
    """Yield what a dict, or a list of them, sets: the name, the value, and where it stands."""
    if isinstance(node, (ast.List, ast.Tuple)):
        for one in node.elts:
            yield from _items(one)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value, key
            elif isinstance(key, ast.Attribute):
                yield key.attr, value, key


def _values(
    owner: KnownClass, items: list[tuple[str, ast.expr, ast.expr]], scope: Scope
) -> Iterator[Sight]:
    for name, value, _ in items:
        column = owner.attributes.get(name)
        enum = column.enum if column is not None else None
        is_number = isinstance(value, ast.Constant) and not isinstance(value.value, str)
        if column is None or enum is None or is_number:  # a type may turn numbers into members
            continue
        for one in written(value, scope.names):
            if one.value is not None and not owner.accepts(enum, one.value):
                yield enum_sight(owner.table.name, column.name, enum, one)


def _unknown(owner: KnownClass, items: list[tuple[str, ast.expr, ast.expr]]) -> Iterator[Sight]:
    for name, _, at in items:
        known = name in owner.attributes or owner.table.column(name) is not None
        if not known and owner.table.whole and len(owner.attributes) == len(owner.table.columns):
            hint = f"columns that there are stand at {owner.table.origin}"
            yield Sight("LINT003", at, f"{owner.table.name} has no column {name!r}", hint)
