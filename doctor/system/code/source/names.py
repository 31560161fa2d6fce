"""Names resolved to what they stand for, across files, without running anything."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from doctor.system.code.source.bindings import namespace_of
from doctor.system.code.source.project import Project
from doctor.system.code.source.symbols import (
    Binding,
    ClassRef,
    Expression,
    External,
    FunctionRef,
    ImportedName,
    Known,
    Module,
    ModuleRef,
    Opaque,
    Scope,
    Symbol,
    UnreadableError,
)

_BUILTINS = frozenset(dir(builtins))
_SHADOWED_BY_STARS = frozenset({"Enum", "Column", "Table", "ForeignKey"})


class Names:
    """Resolves names and dotted names; a name that could mean two things is unreadable."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._scopes: dict[int, Scope] = {}
        self._active: set[tuple[int, str]] = set()
        self._global_names: dict[tuple[int, str], tuple[Symbol, ...]] = {}

    def module_scope(self, module: Module) -> Scope:
        """Return the scope of a module's top level; one per module."""
        if id(module) not in self._scopes:
            self._scopes[id(module)] = Scope(module, module.namespace.names)
        return self._scopes[id(module)]

    def class_scope(self, ref: ClassRef) -> Scope:
        """Return the scope of a class body; one per class."""
        if id(ref.node) not in self._scopes:
            names = namespace_of(ref.node.body).names
            self._scopes[id(ref.node)] = Scope(ref.scope.module, names, ref.scope, is_class=True)
        return self._scopes[id(ref.node)]

    def resolve(self, node: ast.expr, scope: Scope) -> Symbol:
        """Return the one thing that ``node``, a name or dotted name, stands for.

        Raises:
            UnreadableError: it is unknown, ambiguous, or known only when the code runs.
        """
        found = self.candidates(node, scope)
        if len(found) != 1:
            reason = f"{ast.unparse(node)!r} is set in several ways"
            raise UnreadableError(reason, scope.place(node))
        return found[0]

    def candidates(self, node: ast.expr, scope: Scope) -> tuple[Symbol, ...]:
        """Return everything that ``node`` can stand for, by the conditional code around it."""
        if isinstance(node, ast.Name):
            found = self._lookup(node.id, scope, scope.place(node))
        elif isinstance(node, ast.Attribute):
            found = self._member(self.resolve(node.value, scope), node.attr)
        else:
            found = (Expression(node, scope),)
        return tuple(_distinct(end for one in found for end in self._followed(one)))

    def _followed(self, symbol: Symbol) -> tuple[Symbol, ...]:
        if isinstance(symbol, Expression) and isinstance(symbol.node, (ast.Name, ast.Attribute)):
            return self.candidates(symbol.node, symbol.scope)
        return (symbol,)

    def _lookup(self, name: str, scope: Scope, place: str) -> tuple[Symbol, ...]:
        current: Scope | None = scope
        while current is not None and current.parent is not None:
            if name in current.names:
                return self._meanings(name, current)
            current = current.parent
        key = (id(scope.module), name)
        found = self._global_names.get(key)
        if found is None:
            found = self._global(name, scope.module)
            if not self._active:  # inside of a circle of star imports it may be incomplete
                self._global_names[key] = found
        if not found:
            raise UnreadableError(f"the name {name!r} is not defined", place)
        return found

    def _global(self, name: str, module: Module) -> tuple[Symbol, ...]:
        """Return what ``name`` means at the top level of ``module``, () where it is unknown."""
        explicit = self._meanings(name, self.module_scope(module))
        starred, foreign = self._starred(name, module)
        if explicit and name in _SHADOWED_BY_STARS:
            starred += tuple(star.member(name) for star in foreign)
        if explicit or starred:
            return tuple(_distinct((*explicit, *starred)))
        if name in _BUILTINS:
            return (External(f"builtins.{name}"),)
        return tuple(star.member(name) for star in foreign)

    def _starred(
        self, name: str, module: Module
    ) -> tuple[tuple[Symbol, ...], tuple[External, ...]]:
        found: list[Symbol] = []
        foreign = []
        for star in module.namespace.stars:
            target = self._module(star, module)
            if isinstance(target, External):
                foreign.append(target)
            elif target.module is not None and _exports(target.module, name):
                with self._once(target.module, f"*{name}") as fresh:
                    found.extend(self._global(name, target.module) if fresh else ())
        found = [one for one in found if not _is_builtin(one)]
        return tuple(_distinct(found)), tuple({one.root: one for one in foreign}.values())

    def starred_module(self, star: ImportedName, importer: Module) -> Module | None:
        """Return the source module that ``importer`` star-imports, or None."""
        try:
            target = self._module(star, importer)
        except UnreadableError:
            return None
        return target.module if isinstance(target, ModuleRef) else None

    def _meanings(self, name: str, scope: Scope) -> tuple[Symbol, ...]:
        bound = scope.names.get(name, ())
        if len(bound) > 1:  # the usual stand-in for a module that is not installed
            bound = tuple(one for one in bound if not _is_stand_in(one)) or bound
        with self._once(scope.module, f"{id(scope)}.{name}") as fresh:
            if not fresh:
                raise UnreadableError(f"the name {name!r} is defined in a circle")
            return tuple(_distinct(end for one in bound for end in self._meaning(name, one, scope)))

    def _meaning(self, name: str, bound: Binding | Symbol, scope: Scope) -> tuple[Symbol, ...]:
        if not isinstance(bound, Binding):
            return (bound,)
        match bound.meaning:
            case ast.ClassDef() as node:
                return (ClassRef(node, scope),)
            case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
                return (FunctionRef(function, scope),)
            case ImportedName() as imported:
                return self._imported(imported, scope.module)
            case Opaque(reason):
                raise UnreadableError(f"{name!r} {reason}", f"{scope.module.shown}:{bound.line}")
            case ast.expr() as expression:
                return self._followed(Expression(expression, scope))
            case other:
                raise AssertionError(other)

    def _module(self, imported: ImportedName, importer: Module) -> ModuleRef | External:
        if imported.level:
            found = self.project.relative(importer, imported.level, imported.module)
            if found is None:
                raise UnreadableError(f"the module {imported.module!r} is not part of the source")
            return found
        return self.project.absolute(importer, imported.module) or External(imported.module)

    def _imported(self, imported: ImportedName, importer: Module) -> tuple[Symbol, ...]:
        target = self._module(imported, importer)
        if imported.name is None:
            return (target,)
        if isinstance(target, ModuleRef) and target.module is importer:
            inner = self.project.submodule(target, imported.name)
            return (inner,) if inner is not None else ()
        return self._member(target, imported.name)

    def attribute(self, symbol: Symbol, name: str) -> Symbol:
        """Return the one thing that the attribute ``name`` of ``symbol`` stands for."""
        found = _distinct(end for one in self._member(symbol, name) for end in self._followed(one))
        if len(found) != 1:
            raise UnreadableError(f"{name!r} is set in several ways")
        return found[0]

    def _member(self, symbol: Symbol, name: str) -> tuple[Symbol, ...]:
        match symbol:
            case External():
                return (symbol.member(name),)
            case ModuleRef():
                found = self._module_member(symbol, name)
            case ClassRef():
                found = self._class_member(symbol, name)
            case Expression() if self._is_flask(symbol):
                return (External(f"{'flask_' * (name == 'Model')}sqlalchemy.{name}"),)
            case _:
                found = ()
        if not found:
            raise UnreadableError(f"the attribute {name!r} cannot be followed")
        return found

    def _module_member(self, ref: ModuleRef, name: str) -> tuple[Symbol, ...]:
        if ref.module is not None:
            found = tuple(one for one in self._global(name, ref.module) if not _is_builtin(one))
            if found:
                return found
        inner = self.project.submodule(ref, name)
        return (inner,) if inner is not None else ()

    def _class_member(self, ref: ClassRef, name: str) -> tuple[Symbol, ...]:
        scope = self.class_scope(ref)
        if name in scope.names:
            return self._meanings(name, scope)
        for base in ref.node.bases:
            symbol = self.resolve(base, ref.scope)
            found = self._class_member(symbol, name) if isinstance(symbol, ClassRef) else ()
            if found:
                return found
        return ()

    def _is_flask(self, symbol: Expression) -> bool:
        if not isinstance(symbol.node, ast.Call):
            return False
        maker = self.resolve(symbol.node.func, symbol.scope)
        return isinstance(maker, External) and maker.root == "flask_sqlalchemy"

    @contextmanager
    def _once(self, module: Module, what: str) -> Iterator[bool]:
        """Guard against names that are defined by each other; False inside of such a circle."""
        key = (id(module), what)
        if key in self._active:
            yield False
            return
        self._active.add(key)
        try:
            yield True
        finally:
            self._active.discard(key)


def _exports(module: Module, name: str) -> bool:
    listed = module.namespace.names.get("__all__", ())
    if len(listed) == 1 and isinstance(listed[0].meaning, (ast.List, ast.Tuple)):
        elements = listed[0].meaning.elts
        if all(isinstance(one, ast.Constant) for one in elements):
            return name in {one.value for one in elements if isinstance(one, ast.Constant)}
    return not name.startswith("_")


def _is_stand_in(bound: Binding | Symbol) -> bool:
    return (
        isinstance(bound, Binding)
        and bound.conditional
        and isinstance(bound.meaning, ast.Constant)
        and bound.meaning.value is None
    )


def _is_builtin(symbol: Symbol) -> bool:
    return isinstance(symbol, External) and symbol.root == "builtins"


def _distinct(symbols: Iterable[Symbol]) -> list[Symbol]:
    return list({_identity(one): one for one in symbols}.values())


def _identity(symbol: Symbol) -> object:
    """Return what two imports of the same thing, by different paths, have in common."""
    if not isinstance(symbol, External):
        return id(symbol.value) if isinstance(symbol, Known) else symbol
    if symbol.root == "sqlalchemy" and "dialects" not in symbol.path:
        return ("sqlalchemy", symbol.last)
    return symbol.path.replace("typing_extensions.", "typing.")
