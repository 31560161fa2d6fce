"""A set of values by its dotted path, read from the installed source without importing it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doctor.model.schema import EnumValues
from doctor.system.code.enums.classes import Enums
from doctor.system.code.enums.values import EnumDef, LiteralValues, Member
from doctor.system.code.source.names import Names
from doctor.system.code.source.project import Project
from doctor.system.code.source.symbols import Module, ModuleRef, UnreadableError


class Lookup:
    """Finds enums, lists, sets and dicts; in ``roots`` before what is installed."""

    def __init__(self, roots: Iterable[Path] = ()) -> None:
        self._roots = tuple(roots)
        self._project = Project()
        self._names = Names(self._project)
        self._enums = Enums(self._names)

    def values(self, path: str, stored: str) -> EnumValues:
        """Return what ``package.module:Name`` names, as the database holds it.

        ``stored`` is ``names`` (of an enum's members, of a dict's keys) or ``values``.

        Raises:
            UnreadableError: there is no such source, or it cannot be read completely.
        """
        dotted, _, name = path.partition(":")
        module = self._module(dotted)
        scope = self._names.module_scope(module)
        node = ast.parse(name, mode="eval").body
        try:
            symbol = self._names.resolve(node, scope)
            found = self._enums.enum_of(symbol)
            if found is not None:
                return _of_enum(found, stored)
            value = self._enums.evaluator.symbol(symbol, name)
        except RecursionError as error:
            raise UnreadableError("the source is nested too deeply") from error
        texts = tuple(dict.fromkeys(_text(one, stored) for one in _items(value, stored)))
        if not texts:
            raise UnreadableError(f"{path!r} names no value")
        return EnumValues(name, texts, module.shown)

    def _module(self, dotted: str) -> Module:
        top, *rest = dotted.split(".")
        found = self._top(top)
        for part in rest:
            below = self._project.submodule(found, part)
            if below is None:
                raise UnreadableError(f"there is no module {dotted!r} in {top!r}")
            found = below
        if found.module is None:
            raise UnreadableError(f"the module {dotted!r} has no source")
        return found.module

    def _top(self, name: str) -> ModuleRef:
        for root in self._roots:
            found = self._at(root / name / "__init__.py") or self._at(root / f"{name}.py")
            if found is not None:
                return found
        try:
            spec = importlib.util.find_spec(name)  # a top-level name: nothing is imported
        except (ImportError, ValueError, AttributeError):
            spec = None
        origin = Path(spec.origin) if spec is not None and spec.origin else None
        found = self._at(origin) if origin is not None else None
        if found is None and spec is not None and spec.submodule_search_locations:
            found = ModuleRef(Path(next(iter(spec.submodule_search_locations))))
        if found is None:
            raise UnreadableError(f"the package {name!r} is not installed here")
        return found

    def _at(self, path: Path) -> ModuleRef | None:
        if path.suffix != ".py" or not path.is_file():
            return None
        folder = path.parent if path.name == "__init__.py" else None
        return ModuleRef(folder, self._project.load(path))


def _of_enum(found: EnumDef, stored: str) -> EnumValues:
    members = [(name, one) for name, one in found.members.items() if one.name == name]
    if stored == "names":
        return EnumValues(
            found.name, tuple(name for name, _ in members), found.location, found.aliases
        )
    values = tuple(dict.fromkeys(_text(one, stored) for _, one in members))
    return EnumValues(found.name, values, found.location)


def _items(value: Any, stored: str) -> list[Any]:
    match value:
        case LiteralValues(values):
            return list(values)
        case dict():
            return list(value if stored == "names" else value.values())
        case list() | tuple():
            return list(value)
        case set() | frozenset():
            return sorted(value, key=repr)
    raise UnreadableError("it is no enum, list, set or dict")


def _text(value: Any, stored: str) -> str:
    if isinstance(value, Member):
        value = value.name if stored == "names" else value.value
    if type(value) not in {str, int}:
        raise UnreadableError("one of its values is neither text nor a whole number")
    return str(value)
