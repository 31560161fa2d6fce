"""``Table(...)`` calls, and the constraints and options that tables and classes share."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from doctor.system.code.enums.classes import Enums
from doctor.system.code.source.symbols import (
    Expression,
    External,
    Scope,
    UnreadableError,
    is_sqlalchemy,
)
from doctor.system.code.tables.column_calls import ColumnCalls
from doctor.system.code.tables.columns import Columns
from doctor.system.code.tables.definitions import Definitions
from doctor.system.code.tables.drafts import TableDraft
from doctor.system.code.tables.type_maps import TypeMap

_REFLECTED = ("autoload", "autoload_with", "autoload_replace")


class Tables:
    """Reads ``Table(...)`` calls; each once."""

    def __init__(
        self, enums: Enums, calls: ColumnCalls, columns: Columns, definitions: Definitions
    ) -> None:
        self._definitions = definitions
        self._evaluator = enums.evaluator
        self._calls = calls
        self._columns = columns
        self._read: dict[int, TableDraft] = {}

    @property
    def drafts(self) -> list[TableDraft]:
        """Every table that was read from a call."""
        return list(self._read.values())

    def find(self, node: ast.expr, scope: Scope) -> TableDraft | None:
        """Return the table that ``node`` makes or names, None where it is something else."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            symbol = self._calls.symbol(node, scope)
            if not isinstance(symbol, Expression):
                return None
            node, scope = symbol.node, symbol.scope
        if not isinstance(node, ast.Call) or not node.args:
            return None
        if not is_sqlalchemy(self._calls.symbol(node.func, scope), "Table"):
            return None
        if id(node) not in self._read:
            self._read[id(node)] = self._table(node, scope)
        return self._read[id(node)]

    def _table(self, call: ast.Call, scope: Scope) -> TableDraft:
        place = scope.place(call)
        name = self.text(Expression(call.args[0], scope))
        options = {one.arg or "": Expression(one.value, scope) for one in call.keywords}
        metadata = Expression(call.args[1], scope) if len(call.args) > 1 else None
        draft = TableDraft(name, None, place)
        self.options(draft, options, metadata)
        for arg in call.args[2:]:
            try:
                self._argument(draft, arg, scope)
            except UnreadableError as error:
                draft.gap(error, scope.place(arg))
        self.constraints(draft, [Expression(one, scope) for one in call.args[2:]])
        return draft

    def _argument(self, draft: TableDraft, arg: ast.expr, scope: Scope) -> None:
        column = self._calls.find(arg, scope)
        if column is not None and column.name is not None:
            draft.add(self._columns.read(column.name, column, None, TypeMap()))
        elif column is not None or not self._is_schema_item(arg, scope):
            raise UnreadableError(f"the argument {ast.unparse(arg)!r} of the table is not followed")

    def _is_schema_item(self, node: ast.expr, scope: Scope) -> bool:
        if not isinstance(node, ast.Call):
            return False
        maker = self._calls.symbol(node.func, scope)
        return isinstance(maker, External) and maker.root == "sqlalchemy"

    def options(
        self, draft: TableDraft, options: Mapping[str, Expression], metadata: Expression | None
    ) -> None:
        """Read schema and names of the table, from its own options or from its metadata."""
        if any(name in options for name in _REFLECTED):
            reason = "the columns of the table are read from a database when the code runs"
            draft.gap(UnreadableError(reason), draft.place)
        schema = options.get("schema") or self._of_metadata(metadata, "schema")
        naming = self._of_metadata(metadata, "naming_convention")
        try:
            draft.naming = self._naming(naming) if naming is not None else ()
        except UnreadableError as error:
            draft.unread.append(error.reason)
        try:
            draft.schema = self.text(schema) if schema is not None else None
        except UnreadableError as error:
            draft.gap(error, draft.place)

    def _naming(self, given: Expression) -> tuple[tuple[str, str], ...]:
        found = self._evaluator.value(given.node, given.scope)
        if not isinstance(found, dict):
            raise UnreadableError("the naming_convention is only known when the code runs")
        if not all(isinstance(one, str) for pair in found.items() for one in pair):
            raise UnreadableError("the naming_convention calls functions")
        return tuple(found.items())

    def _of_metadata(self, metadata: Expression | None, option: str) -> Expression | None:
        if metadata is None:
            return None
        node, scope = metadata.node, metadata.scope
        if isinstance(node, (ast.Name, ast.Attribute)):
            symbol = self._calls.symbol(node, scope)
            if not isinstance(symbol, Expression):
                return None
            node, scope = symbol.node, symbol.scope
        keywords = node.keywords if isinstance(node, ast.Call) else []
        return next((Expression(one.value, scope) for one in keywords if one.arg == option), None)

    def constraints(self, draft: TableDraft, items: list[Expression]) -> None:
        """Add constraints and indexes; primary and foreign keys apply to the columns as well."""
        for item in items:
            if self._calls.is_column(item):
                continue
            try:
                draft.items.append(self._definitions.made(item.node, item.scope))
            except UnreadableError as error:
                draft.unread.append(error.reason)
            if isinstance(item.node, ast.Call):
                maker = self._calls.symbol(item.node.func, item.scope)
                try:
                    if is_sqlalchemy(maker, "PrimaryKeyConstraint"):
                        draft.primary_key(self._texts(item.node.args, item.scope))
                    if is_sqlalchemy(maker, "ForeignKeyConstraint"):
                        draft.foreign_keys(self._pairs(item.node, item.scope))
                    if is_sqlalchemy(maker, "UniqueConstraint"):
                        self._unique(draft, item.node.args, item)
                    if is_sqlalchemy(maker, "Index") and self._holds(item, "unique"):
                        self._unique(draft, item.node.args[1:], item)
                except UnreadableError as error:
                    draft.gap(error, item.scope.place(item.node))

    def _unique(self, draft: TableDraft, nodes: list[ast.expr], item: Expression) -> None:
        """Note what no two rows share; where more than columns decides, only that it is so."""
        given = item.node
        options = given.keywords if isinstance(given, ast.Call) else []
        named = next((one.value for one in options if one.arg == "name"), None)
        if named is None and isinstance(given, ast.Call) and len(nodes) < len(given.args):
            named = given.args[0]
        name = None if named is None else self._column_name(named, item.scope)
        plain = bool(nodes) and not any((one.arg or "_where").endswith("_where") for one in options)
        columns = [self._column_name(one, item.scope) or "" for one in nodes]
        draft.unique(columns if plain else [""], name)

    def _holds(self, item: Expression, name: str) -> bool:
        options = item.node.keywords if isinstance(item.node, ast.Call) else []
        node = next((one.value for one in options if one.arg == name), None)
        try:
            return node is not None and bool(self._evaluator.value(node, item.scope))
        except UnreadableError:
            return False

    def _column_name(self, node: ast.expr, scope: Scope) -> str | None:
        """Return the column that a text, or a name of the same class, stands for."""
        try:
            column = self._calls.find(node, scope)
            if isinstance(node, ast.Name) and column is not None:
                return column.name or node.id
            return self.text(Expression(node, scope))
        except UnreadableError:
            return None

    def _pairs(self, call: ast.Call, scope: Scope) -> list[tuple[str, str]]:
        options = {one.arg: one.value for one in call.keywords}
        named = [options[name] for name in ("columns", "refcolumns") if name in options]
        lists = [self._evaluator.value(one, scope) for one in [*call.args[:2], *named]]
        if len(lists) != 2 or any(not isinstance(one, (list, tuple)) for one in lists):  # noqa: PLR2004
            raise UnreadableError("the foreign key is not followed", scope.place(call))
        pairs = list(zip(lists[0], lists[1], strict=False))
        if not all(isinstance(one, str) for pair in pairs for one in pair):
            raise UnreadableError("the foreign key is not followed", scope.place(call))
        return pairs

    def _texts(self, nodes: list[ast.expr], scope: Scope) -> list[str]:
        return [self.text(Expression(one, scope)) for one in nodes]

    def text(self, given: Expression) -> str:
        """Return the constant text that ``given`` is; raises UnreadableError otherwise."""
        value = self._evaluator.value(given.node, given.scope)
        if not isinstance(value, str):
            place = given.scope.place(given.node)
            raise UnreadableError(f"{ast.unparse(given.node)!r} is no text", place)
        return str(value)
