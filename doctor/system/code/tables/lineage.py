"""What a class inherits from, in Python's order, and whether SQLAlchemy maps it to a table."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    External,
    Symbol,
    UnreadableError,
    is_sqlalchemy,
)

_BASES = ("DeclarativeBase", "DeclarativeBaseNoMeta", "MappedAsDataclass")
_MAKERS = ("declarative_base", "generate_base", "automap_base", "registry")
_DECORATORS = frozenset({"mapped", "mapped_as_dataclass"})
_HOOKS = re.compile(
    r"resolve_type_annotation|update_type_annotation_map"
    r"|type_annotation_map\s*(\[|\|=|\.update|\.setdefault)"
)
_HARMLESS = sys.stdlib_module_names | {"sqlalchemy", "typing_extensions"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """A base class that cannot be read."""

    reason: str


Ancestor = ClassRef | External | Expression | Foreign


class Lineages:
    """Reads class statements as far as inheritance goes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._orders: dict[int, tuple[Ancestor, ...]] = {}

    def order(self, ref: ClassRef) -> tuple[Ancestor, ...]:
        """Return ``ref`` and everything it inherits from, in method resolution order.

        Raises:
            UnreadableError: the classes inherit from each other in a circle or in no order.
        """
        found = self._orders.get(id(ref.node))
        if found is None:
            self._orders[id(ref.node)] = (Foreign("the class inherits from itself"),)
            bases = [self._base(one, ref) for one in ref.node.bases]
            above = [self._above(one) for one in bases]
            found = (ref, *_merged([*above, bases], ref))
            self._orders[id(ref.node)] = found
        return found

    def _above(self, base: Ancestor) -> list[Ancestor]:
        return list(self.order(base)) if isinstance(base, ClassRef) else [base]

    def _base(self, node: ast.expr, ref: ClassRef) -> Ancestor:
        if isinstance(node, ast.Subscript):
            node = node.value
        try:
            symbol = self._names.resolve(node, ref.scope)
        except UnreadableError as error:
            return Foreign(f"the base {ast.unparse(node)!r} cannot be read: {error.reason}")
        if isinstance(symbol, (ClassRef, External)):
            return symbol
        if isinstance(symbol, Expression) and isinstance(symbol.node, ast.Call):
            return symbol
        return Foreign(f"the base {ast.unparse(node)!r} is only known when the code runs")

    def classes(self, ref: ClassRef) -> Iterator[ClassRef]:
        """Yield ``ref`` and the classes of the source that it inherits from, in order."""
        yield from (one for one in self.order(ref) if isinstance(one, ClassRef))

    def is_base(self, ref: ClassRef) -> bool:
        """Tell whether ``ref`` is the declarative base itself."""
        direct = [self._base(one, ref) for one in ref.node.bases]
        named = any(is_sqlalchemy(one, *_BASES[:2]) for one in direct if isinstance(one, External))
        return named or any(_called(one) == "as_declarative" for one in ref.node.decorator_list)

    def is_abstract(self, ref: ClassRef) -> bool:
        """Tell whether ``ref`` says of itself that it has no table."""
        for statement in ref.node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="__abstract__")], value=ast.Constant(value=v))
                    | ast.AnnAssign(target=ast.Name(id="__abstract__"), value=ast.Constant(value=v))
                ):
                    return bool(v)
        return False

    def is_mapped(self, ref: ClassRef) -> bool:
        """Tell whether SQLAlchemy maps ``ref`` to a table."""
        if self.is_base(ref) or self.is_abstract(ref):
            return False
        decorated = any(_called(one) in _DECORATORS for one in ref.node.decorator_list)
        return decorated or any(self._is_declarative(one) for one in self.order(ref)[1:])

    def _is_declarative(self, one: Ancestor) -> bool:
        match one:
            case ClassRef():
                return self.is_base(one)
            case External(path="flask_sqlalchemy.Model"):
                return True
            case Expression():
                return self._is_made(one)
        return False

    def _is_made(self, one: Expression) -> bool:
        """Tell whether SQLAlchemy makes ``one``: a base class or a registry."""
        if not isinstance(one.node, ast.Call) or _called(one.node) not in _MAKERS:
            return False
        func = one.node.func
        if isinstance(func, ast.Attribute) and func.attr == "generate_base":
            return True
        try:
            return is_sqlalchemy(self._names.resolve(func, one.scope), *_MAKERS)
        except UnreadableError:
            return False

    def foreign(self, ref: ClassRef) -> Foreign | None:
        """Return a base of ``ref`` that cannot be read and may bring columns, or None."""
        for one in self.order(ref):
            if isinstance(one, Foreign):
                return one
            if isinstance(one, Expression) and not self._is_declarative(one):
                return Foreign("a base class is made when the code runs")
            if isinstance(one, External) and not _is_harmless(one):
                return Foreign(f"the base {one.path!r} is defined outside of the source")
        return None

    def is_hooked(self) -> bool:
        """Tell whether a loaded module changes type maps when the code runs."""
        modules = self._names.project.modules.values()
        return any(_HOOKS.search(one.text) for one in modules)

    def configured(self, ref: ClassRef, option: str) -> Expression | None:
        """Return the ``option`` of the base or registry that ``ref`` is mapped with, or None."""
        for one in self.order(ref):
            if isinstance(one, ClassRef):
                if option == "metadata" or one == ref or self.is_base(one):
                    found = self._of_class(one, option)
                    if found is not None:
                        return found
            elif isinstance(one, Expression):
                return self._of_call(one, option)
        return None

    def _of_class(self, ref: ClassRef, option: str) -> Expression | None:
        owners = self.classes(ref) if self.is_base(ref) else iter([ref])
        for one in owners:
            names = self._names.class_scope(one).names
            if option in names:
                return _expression(self._names.attribute(one, option))
            if "registry" in names:
                found = _expression(self._names.attribute(one, "registry"))
                return self._of_call(found, option)
        for decorator in ref.node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if _called(decorator) in _DECORATORS and isinstance(function, ast.Attribute):
                maker = self._names.resolve(function.value, ref.scope)
                return self._of_call(_expression(maker), option)
        return None

    def _of_call(self, made: Expression, option: str) -> Expression | None:
        """Return the argument ``option`` of the call that made a registry or a base class."""
        if not isinstance(made.node, ast.Call) or not self._is_made(made):
            raise UnreadableError("the registry is only known when the code runs")
        if any(one.arg is None for one in made.node.keywords):
            raise UnreadableError("the arguments of the registry are only known when it runs")
        for keyword in made.node.keywords:
            if keyword.arg == option:
                return Expression(keyword.value, made.scope)
        func = made.node.func
        if isinstance(func, ast.Attribute) and func.attr == "generate_base":
            return self._of_call(_expression(self._names.resolve(func.value, made.scope)), option)
        return None


def _called(node: ast.expr) -> str | None:
    """Return the last name of what a decorator or call names."""
    node = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _expression(symbol: Symbol) -> Expression:
    if not isinstance(symbol, Expression):
        raise UnreadableError("the registry is only known when the code runs")
    return symbol


def _is_harmless(one: External) -> bool:
    return one.root in _HARMLESS or one.path == "flask_sqlalchemy.Model"


def _merged(rows: list[list[Ancestor]], ref: ClassRef) -> list[Ancestor]:
    """Merge the orders of the bases as Python does (C3 linearisation)."""
    found: list[Ancestor] = []
    rows = [row for row in rows if row]
    while rows:
        tails = [one for row in rows for one in row[1:]]
        head = next((row[0] for row in rows if row[0] not in tails), None)
        if head is None:
            raise UnreadableError(f"the bases of {ref.node.name} have no order", ref.place)
        found.append(head)
        rows = [left for row in rows if (left := [one for one in row if one != head])]
    return found
