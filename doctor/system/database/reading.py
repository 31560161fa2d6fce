"""The read door on SQLAlchemy Core: bounded questions, exact comparison, raw stored values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import SourceError
from doctor.model.evidence import Scalar
from doctor.model.layout import Within
from doctor.model.ports import ChangeImage
from doctor.model.schema import LiveTable, Need, Row
from doctor.system.database.dialect import (
    Cell,
    Clause,
    Condition,
    Dialect,
    clause_of,
    key_of,
    matches,
    row_of,
    selected,
    type_of,
)
from doctor.system.database.marker import marked_images, noted_token

Session = Callable[[], AbstractContextManager[Connection]]
MOST_BYTES = 64 * 2**20
_FETCHED = 16


class CoreReadDoor:
    """Answers questions about one database. Values come back exactly as they are stored."""

    def __init__(self, engine: Engine, *, session: Session, dialect: Dialect):
        self._engine = engine
        self._session = session
        self._dialect = dialect
        self._tables: tuple[LiveTable, ...] | None = None

    def tables(self) -> tuple[LiveTable, ...]:
        """Return every user table but Doctor's own marker; read once."""
        if self._tables is None:
            with self._session() as connection:
                self._tables = self._dialect.tables(connection)
        return self._tables

    def rows(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Row, ...]:
        """Return at most ``limit`` whole rows whose columns equal ``where`` exactly."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = selected(self._dialect, clause, table).limit(limit)
            query = query.where(*matches(self._dialect, clause, table, where))
            return self._fetch(connection, query.order_by(*key_of(self._dialect, clause, table)))

    def rows_not_in(
        self,
        table: LiveTable,
        column: str,
        values: Sequence[str],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows whose ``column`` is not NULL and equals none of ``values``."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            cell = clause.c[column]
            accepted = self._dialect.among(cell, type_of(table, column), values)
            query = selected(self._dialect, clause, table).where(cell.is_not(None), ~accepted)
            if within is not None:
                query = query.where(self._within(connection, clause, table, within))
            query = query.order_by(*key_of(self._dialect, clause, table)).limit(limit)
            return self._fetch(connection, query)

    def rows_unfit(
        self,
        table: LiveTable,
        needs: Sequence[tuple[str, Need]],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows with a cell that is not what is needed of its column, in one pass."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            unfit = [
                self._unfit(clause.c[name], type_of(table, name), need) for name, need in needs
            ]
            conditions = [one for one in unfit if one is not None]
            if not conditions:
                return ()
            query = selected(self._dialect, clause, table).where(sa.or_(*conditions))
            if within is not None:
                query = query.where(self._within(connection, clause, table, within))
            query = query.order_by(*key_of(self._dialect, clause, table)).limit(limit)
            return self._fetch(connection, query)

    def count(self, table: LiveTable, where: Row) -> int:
        """Return the number of rows whose columns equal ``where`` exactly."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = sa.select(sa.func.count()).select_from(clause)
            query = query.where(*matches(self._dialect, clause, table, where))
            return int(connection.scalar(query) or 0)

    def missing_parents(
        self, table: LiveTable, column: str, parent: LiveTable, parent_key: str, *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return values of ``column`` that no row of ``parent`` has, each with its row count."""
        with self._session() as connection:
            child = self._clause(connection, table)
            above = self._clause(connection, parent).alias()
            cell, kind = child.c[column], type_of(table, column)
            parents = type_of(parent, parent_key)
            known = sa.exists().where(self._dialect.alike(above.c[parent_key], parents, cell, kind))
            shown, group = self._dialect.grouped(cell, kind)
            query = (
                sa.select(shown, sa.func.count())
                .where(cell.is_not(None), ~known)
                .group_by(group)
                .order_by(group)
                .limit(limit)
            )
            return tuple((value, int(number)) for value, number in connection.execute(query))

    def marker(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the images that the fix left beside the data, or None if it never committed."""
        with self._session() as connection:
            return marked_images(connection, self._dialect.schema(connection), fix)

    def newest_token(self) -> int:
        """Return the newest token of a lease that was noted beside the data, 0 for none."""
        with self._session() as connection:
            return noted_token(connection, self._dialect.schema(connection))

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def _clause(self, connection: Connection, table: LiveTable) -> sa.TableClause:
        return clause_of(table, self._dialect.schema(connection))

    def _unfit(self, cell: Cell, declared: str, need: Need) -> Condition | None:
        return cell.is_(None) if need == "set" else self._dialect.unfit(cell, declared, need)

    def _within(
        self, connection: Connection, clause: Clause, table: LiveTable, within: Within
    ) -> sa.ColumnElement[bool]:
        if within.parent is None:
            return matches(self._dialect, clause, table, {within.column: within.value})[0]
        above = self._clause(connection, within.parent).alias()
        key = within.parent_key or ""
        condition = self._dialect.alike(
            above.c[key],
            type_of(within.parent, key),
            clause.c[within.column],
            type_of(table, within.column),
        )
        if within.parent_within is not None:
            inner = self._within(connection, above, within.parent, within.parent_within)
            condition = sa.and_(condition, inner)
        return sa.exists().where(condition)

    def _fetch(self, connection: Connection, query: sa.Select[Any]) -> tuple[Row, ...]:
        bounded = connection.execution_options(yield_per=_FETCHED)
        with bounded.execute(query) as result:
            return tuple(_bounded(row_of(one) for one in result))


def _bounded(rows: Iterable[dict[str, Scalar]]) -> Iterable[dict[str, Scalar]]:
    size = 0
    for row in rows:
        size += sum(len(one) for one in row.values() if isinstance(one, str | bytes))
        if size > MOST_BYTES:
            raise SourceError(
                f"the database could not be read: more than {MOST_BYTES >> 20} MB in one answer"
            )
        yield row
