"""The attributes of a class as SQLAlchemy sees them: annotations, values, declared_attr."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.system.code.enums.values import MappedClass
from doctor.system.code.source.calls import enter
from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    FunctionRef,
    Known,
    Scope,
    UnreadableError,
    is_sqlalchemy,
)

_DIRECTIVES = ("cascading", "directive")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One name of a class body.

    Attributes:
        name: of the attribute.
        scope: of the class body.
        place: ``file:line``.
        value: what it is set to, None where only annotated or set to None.
        annotation: what it is annotated with, or returns, or None.
        declared: the ``declared_attr`` function that makes the value for each class.
        problem: why it cannot be read.
        is_none: it is set to None.
    """

    name: str
    scope: Scope
    place: str
    value: ast.expr | None = None
    annotation: ast.expr | None = None
    declared: FunctionRef | None = None
    problem: str | None = None
    is_none: bool = False

    @property
    def is_bare(self) -> bool:
        """Only annotated: Python finds no such attribute on the class."""
        return self.value is None and self.problem is None and not self.is_none

    def for_class(self, ref: ClassRef) -> Expression | None:
        """Return the expression that the attribute has on the mapped class ``ref``.

        Raises:
            UnreadableError: the function that makes it does more than return a value.
        """
        if self.problem is not None:
            raise UnreadableError(self.problem, self.place)
        if self.declared is not None:
            return enter(self.declared, [Known(MappedClass(ref.node.name))], {})
        return Expression(self.value, self.scope) if self.value is not None else None


class Attributes:
    """Reads class bodies; each once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._read: dict[int, dict[str, Attribute]] = {}

    def of_class(self, ref: ClassRef) -> dict[str, Attribute]:
        """Return the attributes of the body of ``ref`` by name, in order."""
        if id(ref.node) not in self._read:
            scope = self._names.class_scope(ref)
            found = {
                one.name: one for node in ref.node.body for one in self._statement(node, scope)
            }
            self._read[id(ref.node)] = found
        return self._read[id(ref.node)]

    def _statement(self, node: ast.stmt, scope: Scope) -> Iterator[Attribute]:
        place = scope.place(node)
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                given, none = _given(value), value is not None and _given(value) is None
                yield Attribute(name, scope, place, given, annotation, is_none=none)
            case ast.Assign(targets=targets, value=value):
                given = _given(value)
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield Attribute(target.id, scope, place, given, is_none=given is None)
            case ast.FunctionDef(name=name, returns=returns):
                function = FunctionRef(node, scope)
                declared = function if self._is_declared(node, scope) else None
                value = ast.Constant(..., lineno=node.lineno, col_offset=0)
                shown = returns if declared is not None else None
                yield Attribute(name, scope, place, value, shown, declared)
            case ast.If() | ast.Try() | ast.For() | ast.While() | ast.With():
                for name in _names_inside(node):
                    problem = "the attribute is set conditionally"
                    yield Attribute(name, scope, place, problem=problem)

    def _is_declared(self, node: ast.FunctionDef, scope: Scope) -> bool:
        return any(self._is_directive(one, scope) for one in node.decorator_list)

    def _is_directive(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute) and node.attr in _DIRECTIVES:
            node = node.value
        try:
            return is_sqlalchemy(self._names.resolve(node, scope), "declared_attr")
        except UnreadableError:
            return False


def _given(value: ast.expr | None) -> ast.expr | None:
    is_none = isinstance(value, ast.Constant) and value.value is None
    return None if is_none else value


def _names_inside(node: ast.stmt) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
