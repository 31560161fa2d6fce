"""Models read from their source files: nothing of them is imported or run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from doctor.errors import SourceError, UsageError
from doctor.model.schema import CodeGap, CodeModels
from doctor.system.code.enums.classes import Enums
from doctor.system.code.source.files import MAX_FILES, python_files, shown
from doctor.system.code.source.names import Names
from doctor.system.code.source.project import Project
from doctor.system.code.source.sights import Sights
from doctor.system.code.source.symbols import (
    ClassRef,
    Expression,
    ImportedName,
    Module,
    ModuleRef,
    Scope,
    Symbol,
    UnreadableError,
)
from doctor.system.code.tables.annotations import Annotations
from doctor.system.code.tables.attributes import Attributes
from doctor.system.code.tables.column_calls import ColumnCalls
from doctor.system.code.tables.column_definitions import ColumnDefinitions
from doctor.system.code.tables.column_types import ColumnTypes
from doctor.system.code.tables.columns import Columns
from doctor.system.code.tables.core import Tables
from doctor.system.code.tables.definitions import Definitions
from doctor.system.code.tables.drafts import finished
from doctor.system.code.tables.fills import Fills
from doctor.system.code.tables.late_indexes import LateIndexes
from doctor.system.code.tables.lineage import Lineages
from doctor.system.code.tables.models import Models, Readers
from doctor.system.code.tables.type_maps import TypeMaps


def read_models(path: Path) -> CodeModels:
    """Return what ``look_at_models`` returns, without what was seen on disk."""
    return look_at_models(path)[0]


def look_at_models(path: Path) -> tuple[CodeModels, Sights]:
    """Return the tables that the file or folder at ``path`` declares, without importing it.

    A file stands for its own tables and those that it imports; a folder, or its ``__init__.py``,
    for every Python file below. Imports are followed to other source files. What cannot be read
    completely is a gap, and a column whose enum is a gap has no enum. As long as what was seen on
    disk holds, another reading would return the same.

    Raises:
        UsageError: there is nothing at ``path``, or no Python file.
        SourceError: the file at ``path`` is no readable Python source.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - takes out ".." as well
    if not path.exists():
        raise UsageError(f"there is no {shown(path)!r}", hint="name a models file or folder")
    reader = _Reader()
    if path.is_dir() or path.name == "__init__.py":
        reader.folder(path if path.is_dir() else path.parent)
    else:
        reader.file(path)
    return reader.result(), reader.sights


def read_model_files(paths: Sequence[Path]) -> CodeModels:
    """Return the tables that these Python files declare, and those that they import.

    What cannot be read, a whole file too, is a gap.
    """
    reader = _Reader()
    reader.files(paths)
    return reader.result()


class _Reader:
    def __init__(self) -> None:
        self._project = Project()
        self.sights = self._project.sights
        self._names = Names(self._project)
        enums = Enums(self._names)
        definitions = Definitions(self._names, enums.evaluator, self._target)
        types = ColumnTypes(self._names, enums, definitions)
        lineages, annotations = Lineages(self._names), Annotations(self._names)
        maps = TypeMaps(annotations, types, enums, lineages)
        self._calls = calls = ColumnCalls(self._names, enums)
        fills = Fills(self._names, enums.evaluator)
        whole = ColumnDefinitions(definitions)
        columns = Columns(calls, types, maps, enums, whole, self._target, fills)
        self._tables = Tables(enums, calls, columns, definitions)
        attributes = Attributes(self._names)
        readers = Readers(lineages, attributes, annotations, calls, columns, maps, self._tables)
        self._models = Models(readers)
        self._indexes = LateIndexes(self._calls, definitions, self._target)
        self._gaps: list[CodeGap] = []

    def _target(self, given: Expression) -> str:
        return self._models.target(given)

    def folder(self, folder: Path) -> None:
        files = list(islice(python_files(folder, self.sights), MAX_FILES + 1))
        if not files:
            raise UsageError(f"there is no Python file below {shown(folder)!r}")
        if len(files) > MAX_FILES:
            reason = f"only the first {MAX_FILES:,} files were read"
            self._gaps.append(CodeGap(shown(folder), shown(folder), reason))
        self.files(files[:MAX_FILES])

    def files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            try:
                self._module(self._project.load(path))
            except UnreadableError:
                continue  # the project keeps it as a gap

    def file(self, path: Path) -> None:
        try:
            module = self._project.load(path)
        except UnreadableError as error:
            self._project.broken.clear()
            raise SourceError(error.reason, location=error.where) from error
        self._module(module)
        scope = self._names.module_scope(module)
        for star in module.namespace.stars:
            found = self._names.starred_module(star, module)
            if found is not None:
                self._module(found)
        for name, bound in module.namespace.names.items():
            if any(isinstance(one.meaning, ImportedName) for one in bound):
                self._imported(name, scope)

    def _imported(self, name: str, scope: Scope) -> None:
        symbol = self._calls.symbol(ast.Name(name, lineno=1, col_offset=0), scope)
        if isinstance(symbol, ModuleRef) and symbol.module is not None:
            self._module(symbol.module)
        else:
            self._declared(symbol)

    def _declared(self, symbol: Symbol | None) -> None:
        if isinstance(symbol, ClassRef):
            self._models.add(symbol)
        elif isinstance(symbol, Expression):
            self._table(symbol.node, symbol.scope)

    def _table(self, node: ast.expr, scope: Scope) -> None:
        try:
            self._tables.find(node, scope)
        except UnreadableError as error:
            place = error.where or scope.place(node)
            self._gaps.append(CodeGap(place, "Table", error.reason))

    def _module(self, module: Module) -> None:
        scope = self._names.module_scope(module)
        for node in _statements(module.tree.body):
            if isinstance(node, ast.ClassDef):
                self._class(ClassRef(node, scope))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._hidden(node, scope)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and node.value is not None:
                self._table(node.value, scope)
                self._indexes.note(node.value, scope)
                self._late(node, scope)

    def _class(self, ref: ClassRef) -> None:
        self._models.add(ref)
        for node in _statements(ref.node.body):
            if isinstance(node, ast.ClassDef):
                self._class(ClassRef(node, self._names.class_scope(ref)))

    def _hidden(self, function: ast.AST, scope: Scope) -> None:
        """Note the models that a function makes when it is called."""
        for node in ast.walk(function):
            if isinstance(node, ast.ClassDef) and _names_a_table(node):
                reason = "the class is made when a function is called"
                self._gaps.append(CodeGap(scope.place(node), node.name, reason))

    def _late(self, node: ast.stmt, scope: Scope) -> None:
        """Note the columns that are set on a mapped class after its statement."""
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                owner = self._calls.symbol(target.value, scope)
                draft = self._models.add(owner) if isinstance(owner, ClassRef) else None
                if draft is not None and self._makes_column(node, scope):
                    problem = UnreadableError("the column is added after its class")
                    draft.gap(problem, scope.place(node), target.attr)

    def _makes_column(self, node: ast.stmt, scope: Scope) -> bool:
        value = node.value if isinstance(node, ast.Assign) else None
        try:
            return value is not None and self._calls.find(value, scope) is not None
        except UnreadableError:
            return True

    def result(self) -> CodeModels:
        """Return everything that was read."""
        models = self._models.drafts
        tables = [one for one in self._tables.drafts if all(one is not kept for kept in models)]
        gaps = [*self._project.broken.values(), *self._models.gaps, *self._gaps]
        self._indexes.add_to([*models, *tables])
        return finished([*models, *tables], gaps)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of ``body``, also those inside of ``if``, ``try`` and ``with``."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            inner = [*node.body, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
            handlers = [one for part in getattr(node, "handlers", ()) for one in part.body]
            yield from _statements([*inner, *handlers])


def _names_a_table(node: ast.ClassDef) -> bool:
    stores = (one for one in ast.walk(node) if isinstance(one, ast.Name))
    return any(one.id in {"__tablename__", "__table__"} for one in stores)
