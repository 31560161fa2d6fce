"""Tables while they are put together: columns, constraints and gaps, then the finished values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from doctor.model.schema import (
    CodeColumn,
    CodeGap,
    CodeLink,
    CodeModels,
    CodeTable,
    CodeUnique,
    Made,
)
from doctor.system.code.source.symbols import UnreadableError
from doctor.system.code.tables.columns import ColumnDraft

_MAX_STEPS = 10


@dataclass(slots=True)
class TableDraft:
    """A table to which classes may still add columns."""

    name: str
    schema: str | None
    place: str
    columns: dict[str, ColumnDraft] = field(default_factory=dict)
    gaps: list[CodeGap] = field(default_factory=list)
    links: list[CodeLink] = field(default_factory=list)
    uniques: list[CodeUnique] = field(default_factory=list)
    items: list[Made] = field(default_factory=list)
    naming: tuple[tuple[str, str], ...] = ()
    unread: list[str] = field(default_factory=list)

    def add(self, draft: ColumnDraft) -> None:
        """Add a column, unless it is declared to share one that is there."""
        name = draft.column.name
        if draft.shared and name in self.columns:
            return
        self.columns[name] = draft
        for problem in draft.problems:
            self.gap(problem, draft.place, name)
        if draft.unread is not None:
            self.unread.append(f"{name}: {draft.unread.reason}")

    def gap(self, problem: UnreadableError, place: str, column: str | None = None) -> None:
        """Note that the table, or one of its columns, could not be read completely."""
        what = self.name if column is None else f"{self.name}.{column}"
        self.gaps.append(CodeGap(problem.where or place, what, problem.reason))

    def primary_key(self, names: Iterable[str]) -> None:
        """Make the columns ``names`` the primary key."""
        for name in names:
            draft = self.columns.get(name)
            if draft is not None:
                column = replace(draft.column, primary_key=True, nullable=False)
                self.columns[name] = replace(draft, column=column)

    def foreign_keys(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Make the columns refer to others: pairs of a name and ``table.column``."""
        pairs = list(pairs)
        self._link(pairs)
        for name, target in pairs:
            draft = self.columns.get(name)
            if draft is not None:
                column = replace(draft.column, foreign_key=target)
                follows = draft.follows or (column.type is None and not draft.problems)
                self.columns[name] = replace(draft, column=column, follows=follows)

    def unique(self, names: Iterable[str], name: str | None) -> None:
        """Note that no two rows share the values of these columns."""
        columns = tuple(names)
        known = all(one in self.columns for one in columns)
        self.uniques.append(CodeUnique(columns if known else (), name))

    def _link(self, pairs: list[tuple[str, str]]) -> None:
        before = [one for name, _ in pairs if (one := self.columns.get(name)) is not None]
        for one in before:  # what the column itself refers to would be forgotten
            if one.column.foreign_key is not None:
                table, _, key = one.column.foreign_key.rpartition(".")
                self.links.append(CodeLink((one.column.name,), table, (key,)))
        tables = {target.rpartition(".")[0] for _, target in pairs}
        if len(pairs) > 1 and len(before) == len(pairs) and len(tables) == 1:
            keys = tuple(target.rpartition(".")[2] for _, target in pairs)
            self.links.append(CodeLink(tuple(name for name, _ in pairs), tables.pop(), keys))


def finished(drafts: list[TableDraft], gaps: list[CodeGap]) -> CodeModels:
    """Return the tables as values: open types follow their foreign keys, doubles are resolved."""
    tables: dict[tuple[str | None, str], CodeTable] = {}
    found = list(gaps)
    for draft in drafts:
        table = CodeTable(
            draft.name,
            draft.schema,
            tuple(_columns(draft, drafts)),
            draft.place,
            tuple(draft.links),
            (*_alone(draft), *draft.uniques),
            tuple(draft.items),
            draft.naming,
            whole=True,
        )
        found.extend(draft.gaps)
        unread = (*draft.unread, *(one.reason for one in draft.gaps))
        table = replace(table, unread=tuple(dict.fromkeys(unread)))
        key = (table.schema, table.name)
        if key in tables:
            table, more = _agreed(tables[key], table)
            found.extend(more)
        tables[key] = table
    return CodeModels(tuple(tables.values()), tuple(dict.fromkeys(found)))


def _alone(table: TableDraft) -> Iterator[CodeUnique]:
    for name, draft in table.columns.items():
        if draft.unique:
            yield CodeUnique((name,))


def _columns(table: TableDraft, drafts: list[TableDraft]) -> Iterator[CodeColumn]:
    for draft in table.columns.values():
        if not draft.follows:
            yield draft.column
            continue
        origin = _origin(draft, drafts)
        if origin is None or origin.problems or (draft.is_enum and origin.column.enum is None):
            if draft.is_enum or origin is not None:
                target = draft.column.foreign_key
                reason = f"its type is that of {target!r}, which was not read"
                table.gap(UnreadableError(reason), draft.place, draft.column.name)
            yield draft.column
        else:
            yield replace(draft.column, type=origin.column.type, enum=origin.column.enum)


def _origin(draft: ColumnDraft, drafts: list[TableDraft]) -> ColumnDraft | None:
    """Return the column whose type ``draft`` takes over its foreign keys, or None."""
    for _ in range(_MAX_STEPS):
        if not draft.follows:
            return draft
        path, _, column = (draft.column.foreign_key or "").rpartition(".")
        named = [one for one in drafts if path in {one.name, f"{one.schema}.{one.name}"}]
        below = next((one.columns[column] for one in named if column in one.columns), None)
        if below is None:
            return None
        draft = below
    return None


def _agreed(first: CodeTable, second: CodeTable) -> tuple[CodeTable, list[CodeGap]]:
    """Return the first of two tables of one name; enums that they disagree about are gaps."""
    reason = f"the table is declared a second time at {second.location}"
    gaps = [CodeGap(first.location, first.name, reason)]
    columns = []
    for column in first.columns:
        other = second.column(column.name)
        values = column.enum.values if column.enum is not None else None
        others = other.enum.values if other is not None and other.enum is not None else None
        if values != others:
            gaps.append(CodeGap(first.location, f"{first.name}.{column.name}", reason))
            column = replace(column, enum=None)  # noqa: PLW2901
        columns.append(column)
    unread = (*first.unread, reason)
    return replace(first, columns=tuple(columns), unread=unread), gaps
