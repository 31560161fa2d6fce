"""Indexes that stand beside their table: ``Index("name", Run.state)`` in a module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from doctor.model.schema import Made
from doctor.system.code.source.symbols import Expression, Scope, UnreadableError, is_sqlalchemy
from doctor.system.code.tables.column_calls import ColumnCalls
from doctor.system.code.tables.definitions import Definitions
from doctor.system.code.tables.drafts import TableDraft


class LateIndexes:
    """Collects them while modules are read; they join their tables when all are known."""

    def __init__(
        self, calls: ColumnCalls, definitions: Definitions, target: Callable[[Expression], str]
    ) -> None:
        self._calls = calls
        self._definitions = definitions
        self._target = target
        self._noted: dict[int, tuple[ast.Call, Scope]] = {}

    def note(self, node: ast.expr, scope: Scope) -> None:
        """Remember ``node`` where it makes an index."""
        if isinstance(node, ast.Call) and is_sqlalchemy(self._calls.maker(node, scope), "Index"):
            self._noted[id(node)] = node, scope

    def add_to(self, drafts: Sequence[TableDraft]) -> None:
        """Give each index to its table; one that cannot be followed makes all of them open."""
        for call, scope in self._noted.values():
            try:
                self._add(call, scope, drafts)
            except UnreadableError as error:
                for draft in drafts:
                    draft.unread.append(f"an index at {scope.place(call)}: {error.reason}")

    def _add(self, call: ast.Call, scope: Scope, drafts: Sequence[TableDraft]) -> None:
        targets = [self._target(Expression(one, scope)) for one in call.args[1:]]
        owners = {one.rpartition(".")[0] for one in targets}
        names = {owner.rpartition(".")[2] for owner in owners}
        found = [one for one in drafts if one.name in names]
        if len(names) != 1 or len(found) != 1:
            raise UnreadableError("its table is not known")
        shortened = ast.copy_location(ast.Call(call.func, call.args[:1], call.keywords), call)
        index = self._definitions.made(shortened, scope)
        columns = tuple(one.rpartition(".")[2] for one in targets)
        found[0].items.append(Made(index.path, (*index.args, *columns), index.options))
