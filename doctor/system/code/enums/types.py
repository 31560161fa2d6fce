"""SQLAlchemy's ``Enum(...)``, PostgreSQL's and MySQL's ``ENUM(...)``: the values they store."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from doctor.model.schema import EnumValues
from doctor.system.code.enums.classes import Enums
from doctor.system.code.enums.values import EnumDef, Member, items
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import External, Scope, UnreadableError

_OPTIONS = frozenset(
    {"charset", "checkfirst", "collation", "create_constraint", "create_type", "inherit_schema"}
    | {"length", "metadata", "name", "native_enum", "omit_aliases", "quote", "schema", "strict"}
    | {"sort_key_function", "validate_strings", "values_callable"}
)


@dataclass(frozen=True, slots=True)
class EnumType:
    """An ``Enum(...)`` as it is written.

    Attributes:
        source: the Python enum, or None.
        labels: the values where they are written out.
        generic: ``Enum(enum.Enum)``, which stands for any enum in a type_annotation_map.
        values_callable: the function that gives the stored values, or None: names are stored.
        omit_aliases: second names of members are no values.
        name: the name of the type in the database, or None.
        location: ``file:line``.
    """

    source: EnumDef | None
    labels: tuple[str, ...]
    location: str
    generic: bool = False
    values_callable: Any = None
    omit_aliases: bool = True
    name: str | None = None


class EnumTypes:
    """Reads ``Enum(...)`` calls and computes the values that they store."""

    def __init__(self, names: Names, enums: Enums) -> None:
        self._names = names
        self._enums = enums

    def read(self, call: ast.Call, scope: Scope) -> EnumType:
        """Return the type that ``call`` makes; raises UnreadableError where it is not certain."""
        options = {one.arg: one.value for one in call.keywords}
        unknown = [str(name) for name in options if name not in _OPTIONS]
        if unknown:
            reason = f"the enum has the argument {unknown[0]!r}, which is not followed"
            raise UnreadableError(reason, scope.place(call))
        values = {
            name: self._enums.evaluator.value(options[name], scope)
            for name in ("omit_aliases", "values_callable")
            if name in options
        }
        return replace(
            self._values(call, scope),
            values_callable=values.get("values_callable"),
            omit_aliases=values.get("omit_aliases", True) is True,
            name=_text(options.get("name")),
        )

    def _values(self, call: ast.Call, scope: Scope) -> EnumType:
        place = scope.place(call)
        found: list[Any] = []
        for arg in call.args:
            if isinstance(arg, ast.Starred):
                found.extend(items(self._enums.evaluator.value(arg.value, scope)))
            else:
                found.append(self._enums.evaluator.value(arg, scope))
        match found:
            case [EnumDef() as source]:
                return EnumType(source, (), place)
            case [External(path="enum.Enum")]:
                return EnumType(None, (), place, generic=True)
        labels = [
            one.value if isinstance(one, Member) and one.mixin == "str" else one for one in found
        ]
        if any(type(one) is not str for one in labels):
            raise UnreadableError("a value of the enum is no text", place)
        return EnumType(None, tuple(labels), place)

    def stored(self, kind: EnumType, source: EnumDef | None = None) -> EnumValues:
        """Return the values that a column of type ``kind`` stores.

        ``source`` replaces the Python enum, as an annotation does for a type_annotation_map.
        """
        source = source or kind.source
        if source is None:
            found = EnumValues(kind.name or "", kind.labels, kind.location)
        else:
            found = self._of(source, kind)
        if not found.values:
            raise UnreadableError("the enum names no value", kind.location)
        return found

    def _of(self, source: EnumDef, kind: EnumType) -> EnumValues:
        if kind.values_callable is None:
            aliases = () if kind.omit_aliases else source.aliases
            values = tuple(one for one in source.members if aliases or one not in source.aliases)
            return EnumValues(source.name, values, source.location, aliases)
        values = tuple(items(self._enums.evaluator.call(kind.values_callable, [source])))
        if any(type(one) is not str for one in values):
            reason = "values_callable gives something other than text"
            raise UnreadableError(reason, kind.location)
        return EnumValues(source.name, values, source.location)


def _text(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None
