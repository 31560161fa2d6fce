"""Python enums read completely from their class statement, or not at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doctor.system.code.enums.bases import EnumBases, Inherited, standard
from doctor.system.code.enums.body import EnumBody
from doctor.system.code.enums.evaluate import Evaluator
from doctor.system.code.enums.members import MemberList
from doctor.system.code.enums.values import EnumDef
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    Scope,
    Symbol,
    UnreadableError,
)

_PATCHES = re.compile(r"_member_map_\s*(\[|\.update|\.setdefault)|_add_alias_|extend_enum")
_CHECKS = frozenset({"enum.unique", "enum.verify", "enum.global_enum", "functools.total_ordering"})


class Enums:
    """Reads enum classes and ``Enum("Name", ...)`` calls; each is read once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._bases = EnumBases(names)
        self._read: dict[int, EnumDef] = {}
        self.evaluator = Evaluator(names, self.enum_of)

    def enum_of(self, symbol: Symbol) -> EnumDef | None:
        """Return the enum that ``symbol`` stands for, None where it is something else.

        Raises:
            UnreadableError: it is, or may be, an enum that cannot be read completely.
        """
        if isinstance(symbol, ClassRef):
            if not self._bases.is_enum(symbol):
                return None
            return self._once(symbol.node, lambda: self._class(symbol))
        if isinstance(symbol, Expression) and isinstance(symbol.node, ast.Call):
            call, scope = symbol.node, symbol.scope
            base = self._functional_base(call, scope)
            if base is not None:
                return self._once(call, lambda: self._functional(call, scope, base))
        return None

    def _once(self, node: ast.AST, read: Any) -> EnumDef:
        if id(node) not in self._read:
            self._read[id(node)] = read()
        return self._read[id(node)]

    def _class(self, ref: ClassRef) -> EnumDef:
        for module in self._names.project.modules.values():
            if _PATCHES.search(module.text):
                reason = f"{module.shown} adds members to enums when the code runs"
                raise UnreadableError(reason, ref.place)
        for decorator in ref.node.decorator_list:
            self._expect(decorator, ref.scope, _CHECKS)
        inherited = self._bases.inherited(ref)
        found = MemberList(ref.node.name, inherited, self.evaluator)
        EnumBody(ref, found, self._names).read()
        flags = inherited.counts == "bits"
        return EnumDef(ref.node.name, ref.place, found.members, ref, flags)

    def _expect(self, decorator: ast.expr, scope: Scope, known: frozenset[str]) -> None:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        symbol = self._names.resolve(function, scope)
        if not isinstance(symbol, External) or symbol.path not in known:
            reason = f"the decorator {ast.unparse(decorator)!r} may change the enum"
            raise UnreadableError(reason, scope.place(decorator))

    def _functional_base(self, call: ast.Call, scope: Scope) -> Inherited | None:
        if not isinstance(call.func, (ast.Name, ast.Attribute)) or not call.args:
            return None
        symbol = self._names.resolve(call.func, scope)
        if isinstance(symbol, ClassRef) and len(call.args) > 1 and self._bases.is_enum(symbol):
            if self.enum_of(symbol).members:  # type: ignore[union-attr]
                return None
            return self._bases.inherited(symbol)
        return standard(symbol)

    def _functional(self, call: ast.Call, scope: Scope, base: Inherited) -> EnumDef:
        options = {one.arg: one.value for one in call.keywords}
        if not set(options) <= {"names", "module", "qualname", "start", "type", "boundary"}:
            raise UnreadableError("the enum is made with unknown arguments", scope.place(call))
        name = self.evaluator.value(call.args[0], scope)
        given = [*call.args[1:2], *([options["names"]] if "names" in options else [])]
        if len(given) != 1 or len(call.args) > 2 or type(name) is not str:  # noqa: PLR2004
            raise UnreadableError("the members of the enum are not written here", scope.place(call))
        found = MemberList(name, self._with_type(base, options, scope), self.evaluator)
        if "start" in options:
            found.start = self.evaluator.value(options["start"], scope)
        for member, value in _pairs(self.evaluator.value(given[0], scope)):
            found.add(member, found.next_value(member) if value is _AUTO else value)
        return EnumDef(name, scope.place(call), found.members, None, base.counts == "bits")

    def _with_type(
        self, base: Inherited, options: Mapping[str | None, ast.expr], scope: Scope
    ) -> Inherited:
        if "type" not in options:
            return base
        symbol = self._names.resolve(options["type"], scope)
        if base.mixin or not isinstance(symbol, External) or symbol.path not in _TYPES:
            raise UnreadableError(
                "the data type of the enum is not followed", scope.place(options["type"])
            )
        return replace(base, mixin=symbol.last)


_AUTO = object()
_TYPES = frozenset({"builtins.str", "builtins.int", "builtins.float"})


def _pairs(names: Any) -> list[tuple[str, Any]]:
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    if isinstance(names, dict):
        names = list(names.items())
    if isinstance(names, (list, tuple)):
        if all(type(one) is str for one in names):
            return [(one, _AUTO) for one in names]
        pairs = [tuple(one) if isinstance(one, (list, tuple)) else () for one in names]
        if all(len(one) == 2 and type(one[0]) is str for one in pairs):  # noqa: PLR2004
            return [(one[0], one[1]) for one in pairs]
    raise UnreadableError("the members of the enum are only known when the code runs")
