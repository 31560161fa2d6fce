"""What a name in source code stands for, without ever running that code."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class UnreadableError(Exception):
    """A part of the source cannot be read completely; ``where`` is file:line, if known."""

    def __init__(self, reason: str, where: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


@dataclass(frozen=True, slots=True)
class ImportedName:
    """``from <dots><module> import <name>``, or ``import <module>`` where name is None."""

    level: int
    module: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Opaque:
    """A binding whose value depends on running the code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One statement that gives a name its meaning."""

    meaning: ast.AST | ImportedName | Opaque
    line: int
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Namespace:
    """Every binding of a body by name, and the modules that it star-imports, in order."""

    names: Mapping[str, tuple[Binding, ...]]
    stars: tuple[ImportedName, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A parsed source file; ``folder`` holds its submodules where it is a package."""

    path: Path
    shown: str
    tree: ast.Module
    text: str
    namespace: Namespace
    folder: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where names are looked up: a module, a class body, or the call of a function."""

    module: Module
    names: Mapping[str, tuple[Binding | Symbol, ...]]
    parent: Scope | None = None
    is_class: bool = False

    def beyond_class(self) -> Scope:
        """Return the scope that a function defined in here sees."""
        scope = self
        while scope.is_class and scope.parent is not None:
            scope = scope.parent
        return scope

    def place(self, node: ast.AST) -> str:
        """Return ``file:line`` of ``node``."""
        return f"{self.module.shown}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True, slots=True)
class External:
    """Something that is defined outside of the source, by its dotted path."""

    path: str

    @property
    def root(self) -> str:
        """The top package."""
        return self.path.partition(".")[0]

    @property
    def last(self) -> str:
        """The name itself."""
        return self.path.rpartition(".")[2]

    def member(self, name: str) -> External:
        """Return the attribute ``name`` of this."""
        return External(f"{self.path}.{name}")


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the source; a folder without ``__init__.py`` has no module."""

    folder: Path | None
    module: Module | None = None


@dataclass(frozen=True, slots=True)
class ClassRef:
    """A class statement and the scope that it stands in."""

    node: ast.ClassDef
    scope: Scope = field(compare=False)

    @property
    def place(self) -> str:
        """``file:line`` of the class statement."""
        return self.scope.place(self.node)


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function or lambda and the scope that it stands in."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope = field(compare=False)


@dataclass(frozen=True, slots=True)
class Expression:
    """The expression that a name was set to."""

    node: ast.expr
    scope: Scope = field(compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is already computed."""

    value: object


Symbol = External | ModuleRef | ClassRef | FunctionRef | Expression | Known


def is_sqlalchemy(symbol: Symbol | None, *names: str) -> bool:
    """Tell whether ``symbol`` is one of SQLAlchemy's ``names``, wherever it was imported from."""
    return isinstance(symbol, External) and symbol.root == "sqlalchemy" and symbol.last in names
