"""Many rows at once: compare-and-set of a batch, its image, and the way back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import TreatmentError
from doctor.model.change import Key, SetCells, SetColumn
from doctor.model.evidence import Scalar
from doctor.model.ports import RowsImage
from doctor.model.schema import LiveTable
from doctor.system.database.dialect import (
    Condition,
    Dialect,
    clause_of,
    key_of,
    matches,
    selected,
    type_of,
)

MOST_NAMED = 5
FRESH_SECONDS = 1.0
"""How long a connection that is kept goes by what it saw of a table."""
Cells = tuple[Scalar, ...]
Rows = dict[Key, Cells]


class Known:
    """What a connection has seen: whether the marker is there, and tables, for a moment."""

    def __init__(self) -> None:
        self.has_marker = False
        self.tables: dict[tuple[str, str], tuple[float, LiveTable, bool]] = {}
        self.kept: dict[str, tuple[LiveTable, tuple[str, ...]]] = {}


class BulkRows:
    """The part of a write transaction that is about batches of rows."""

    _known: Known
    _connection: Connection
    _dialect: Dialect
    _schema: str | None

    def set_rows(self, change: SetColumn, keys: Sequence[Key], *, rehearsed: int) -> RowsImage:
        """Set the column of each row that holds what was expected; leave the others alone.

        Where more than the statement sets cells, the undo of one row is tried in any case.
        """
        table, is_plain = self._bulk_table(change, keys)
        held = self._rows(table, change, keys, locked=True)
        place = _place(table, change.column)
        due = [key for key in keys if _is(held.get(key), place, change.expected)]
        before = {key: held[key] for key in due}
        if due:
            seen = max(1, rehearsed) if is_plain else len(due)
            self._set_all(table, change, before, back=False, seen=seen)
        tried = due[:rehearsed] or (due[:1] if not is_plain else [])
        if tried:
            self._rehearse(table, change, {key: before[key] for key in tried})
        names = tuple(one.name for one in table.columns)
        return RowsImage(names, tuple(before.values()), _others(keys, before))

    def restore_rows(self, change: SetColumn, image: RowsImage) -> None:
        """Put the rows of a batch back, if every one still is as the batch left it."""
        before = _by_key(change, image)
        if not before:
            return
        table, is_plain = self._bulk_table(change, list(before))
        moved = self._moved(table, change, image, locked=True)
        if moved:
            raise TreatmentError(
                f"{moved_words(change, moved)} moved on since the repair",
                hint="decide by hand what they should hold",
            )
        now = _with(before, table, change, change.to)
        self._set_all(table, change, now, back=True, seen=1 if is_plain else len(now))

    def moved_rows(self, change: SetColumn, image: RowsImage) -> tuple[Key, ...]:
        """Return the keys of rows that are not any more as their batch left them."""
        if not image.before:
            return ()
        table, _ = self._bulk_table(change, list(_by_key(change, image)))
        return self._moved(table, change, image, locked=False)

    def _moved(
        self, table: LiveTable, change: SetColumn, image: RowsImage, *, locked: bool
    ) -> tuple[Key, ...]:
        before = _by_key(change, image)
        if tuple(one.name for one in table.columns) != image.columns:
            return tuple(before)
        now = self._rows(table, change, list(before), locked=locked)
        wanted = _with(before, table, change, change.to)
        return tuple(key for key, cells in wanted.items() if not _same(now.get(key), cells))

    def _set_all(
        self, table: LiveTable, change: SetColumn, before: Rows, *, back: bool, seen: int
    ) -> None:
        """Set rows that are known, and see that they and nothing else changed.

        ``seen`` rows are read back. In a table where nothing but the statement itself sets cells,
        what became of one row became of all: the same value went into the same column.
        """
        old, new = (change.to, change.expected) if back else (change.expected, change.to)
        dialect, keys = self._dialect, list(before)
        clause = clause_of(table, self._schema)
        kept = {clause.c[name]: clause.c[name] for name in self._kept(table)}
        statement = (
            sa.update(clause)
            .where(
                self._among(clause, table, change, keys),
                *matches(dialect, clause, table, {change.column: old}),
            )
            .values({**kept, clause.c[change.column]: dialect.bound(new)})
        )
        if dialect.prefix:
            statement = statement.prefix_with(dialect.prefix)
        count = dialect.count(self._connection)
        changed = self._connection.execute(statement).rowcount
        if changed != len(keys):
            raise TreatmentError(
                f"{change.table}: {changed} rows would change, not {len(keys)} as planned"
            )
        more = dialect.count(self._connection) - count - changed
        if more:
            raise TreatmentError(
                f"{change.table}: {more} other rows would change with these {changed}",
                hint="look for a trigger on the table; nothing of this batch was kept",
            )
        some = {key: before[key] for key in keys[:seen]}
        after = self._rows(table, change, list(some), locked=False)
        wanted = _with(some, table, change, new)
        wrong = tuple(key for key, cells in wanted.items() if not _same(after.get(key), cells))
        if wrong:
            raise TreatmentError(
                f"{moved_words(change, wrong)}: the database also changed or refused other cells",
                hint="look for a trigger on the table; nothing of this batch was kept",
            )

    def _kept(self, table: LiveTable) -> tuple[str, ...]:
        seen = self._known.kept.get(table.name)
        if seen is None or seen[0] is not table:
            seen = (table, self._dialect.kept(self._connection, table))
            self._known.kept[table.name] = seen
        return seen[1]

    def _rehearse(self, table: LiveTable, change: SetColumn, before: Rows) -> None:
        part = self._connection.begin_nested()
        try:
            after = _with(before, table, change, change.to)
            self._set_all(table, change, after, back=True, seen=len(after))
        except TreatmentError as error:
            raise TreatmentError(
                f"the change could not be undone: {error.message}", hint=error.hint
            ) from error
        part.rollback()

    def _rows(
        self, table: LiveTable, change: SetColumn, keys: Sequence[Key], *, locked: bool
    ) -> Rows:
        clause = clause_of(table, self._schema)
        query = selected(self._dialect, clause, table)
        query = query.where(self._among(clause, table, change, keys))
        if locked:
            query = query.order_by(*key_of(self._dialect, clause, table)).with_for_update()
        places = _places(table, change.key)
        found = self._connection.execute(query).all()
        return {tuple(row[at] for at in places): tuple(row) for row in found}

    def _among(
        self, clause: sa.TableClause, table: LiveTable, change: SetColumn, keys: Sequence[Key]
    ) -> Condition:
        if len(change.key) == 1:
            name = change.key[0]
            values = [key[0] for key in keys]
            return self._dialect.one_of(clause.c[name], type_of(table, name), values)
        rows = (dict(zip(change.key, key, strict=True)) for key in keys)
        return sa.or_(*[sa.and_(*matches(self._dialect, clause, table, row)) for row in rows])

    def _bulk_table(self, change: SetColumn, keys: Sequence[Key]) -> tuple[LiveTable, bool]:
        """Return the table as it is now, and whether only statements set cells of it."""
        if not keys or not change.key or change.column in change.key:
            raise TreatmentError("a change without rows, or of their key, is refused")
        seen = self._known.tables.get((change.table, change.column))
        if seen is not None and time.monotonic() - seen[0] < FRESH_SECONDS:
            return seen[1], seen[2]
        sample = SetCells(
            change.table,
            dict(zip(change.key, keys[0], strict=True)),
            {change.column: change.expected},
            {change.column: change.to},
        )
        table = self._dialect.table(self._connection, sample)
        for name in (*change.key, change.column):
            if table.column(name) is None:
                raise TreatmentError(f"{change.table} has no column {name!r}")
        is_plain = self._dialect.is_plain(self._connection, table)
        self._known.tables[change.table, change.column] = (time.monotonic(), table, is_plain)
        return table, is_plain


def moved_words(change: SetColumn, keys: Sequence[Key]) -> str:
    """Name rows by their keys, the first few of them."""
    named = [
        ", ".join(f"{name}={value!r}" for name, value in zip(change.key, key, strict=True))
        for key in keys[:MOST_NAMED]
    ]
    more = f" and {len(keys) - MOST_NAMED} more rows" if len(keys) > MOST_NAMED else ""
    return f"{change.table} {'; '.join(named)}{more}"


def _by_key(change: SetColumn, image: RowsImage) -> Rows:
    places = [image.columns.index(name) for name in change.key]
    return {tuple(cells[at] for at in places): cells for cells in image.before}


def _places(table: LiveTable, names: Sequence[str]) -> list[int]:
    return [_place(table, name) for name in names]


def _place(table: LiveTable, name: str) -> int:
    return next(at for at, one in enumerate(table.columns) if one.name == name)


def _with(rows: Rows, table: LiveTable, change: SetColumn, value: Scalar) -> Rows:
    at = _place(table, change.column)
    return {key: (*cells[:at], value, *cells[at + 1 :]) for key, cells in rows.items()}


def _is(cells: Cells | None, at: int, value: Scalar) -> bool:
    return cells is not None and type(cells[at]) is type(value) and cells[at] == value


def _same(one: Cells | None, other: Cells) -> bool:
    return one == other and [*map(type, one or ())] == [*map(type, other)]


def _others(keys: Sequence[Any], known: Rows) -> tuple[Key, ...]:
    return tuple(key for key in keys if key not in known)
