"""The read door on SQLAlchemy Core: bounded questions, exact comparison, raw stored values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.model.evidence import Scalar
from doctor.model.layout import Within
from doctor.model.ports import ChangeImage
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveTable, Row
from doctor.system.database.marker import FENCE, MARKER, fence_from_json, marked_images

Session = Callable[[], AbstractContextManager[Connection]]
Unread = Callable[[Connection], Collection[str]]


class CoreReadDoor:
    """Answers questions about one database. Values come back exactly as they are stored.

    ``unread`` names the tables that are none of the user's, or only look like tables.
    """

    def __init__(self, engine: Engine, *, session: Session, binary: str, unread: Unread):
        self._engine = engine
        self._session = session
        self._binary = binary
        self._unread = unread
        self._tables: tuple[LiveTable, ...] | None = None

    def tables(self) -> tuple[LiveTable, ...]:
        """Return every user table but Doctor's own marker; read once."""
        if self._tables is None:
            with self._session() as connection, warnings.catch_warnings():
                warnings.simplefilter("ignore", sa.exc.SAWarning)  # INTEGER(11) and the like
                inspector = sa.inspect(connection)
                names = {*inspector.get_table_names()} - {MARKER.name, *self._unread(connection)}
                self._tables = tuple(_live_table(inspector, name) for name in sorted(names))
        return self._tables

    def rows(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Row, ...]:
        """Return at most ``limit`` whole rows whose columns equal ``where`` exactly."""
        clause = core_table(table)
        query = sa.select(clause).where(*equals(clause, where, self._binary)).limit(limit)
        return self._fetch(query.order_by(*_key(clause, table)))

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
        clause = core_table(table)
        cell = clause.c[column]
        query = sa.select(clause).where(
            cell.is_not(None), cell.collate(self._binary).not_in(list(values))
        )
        if within is not None:
            query = query.where(self._within(clause, within))
        return self._fetch(query.order_by(*_key(clause, table)).limit(limit))

    def count(self, table: LiveTable, where: Row) -> int:
        """Return the number of rows whose columns equal ``where`` exactly."""
        clause = core_table(table)
        query = sa.select(sa.func.count()).select_from(clause)
        with self._session() as connection:
            return int(connection.scalar(query.where(*equals(clause, where, self._binary))) or 0)

    def missing_parents(
        self, table: LiveTable, column: str, parent: LiveTable, parent_key: str, *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return values of ``column`` that no row of ``parent`` has, each with its row count."""
        child, above = core_table(table), core_table(parent).alias()
        cell = child.c[column]
        known = sa.exists().where(above.c[parent_key] == cell)
        query = (
            sa.select(cell, sa.func.count())
            .where(cell.is_not(None), ~known)
            .group_by(cell)
            .order_by(cell)
            .limit(limit)
        )
        with self._session() as connection:
            return tuple((value, int(number)) for value, number in connection.execute(query))

    def marker(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the images that the fix left beside the data, or None if it never committed."""
        with self._session() as connection:
            return marked_images(connection, fix)

    def newest_token(self) -> int:
        """Return the newest token of a lease that was noted beside the data, 0 for none."""
        with self._session() as connection:
            if not sa.inspect(connection).has_table(MARKER.name):
                return 0
            row = (MARKER.c.fix == FENCE) & (MARKER.c.kind == FENCE)
            text = connection.scalar(sa.select(MARKER.c.images).where(row))
        return 0 if text is None else fence_from_json(text)[0]

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def _within(self, clause: Any, within: Within) -> sa.ColumnElement[bool]:
        if within.parent is None:
            return next(iter(equals(clause, {within.column: within.value}, self._binary)))
        above = core_table(within.parent).alias()
        inner = sa.select(above.c[within.parent_key or ""])
        if within.parent_within is not None:
            inner = inner.where(self._within(above, within.parent_within))
        condition: sa.ColumnElement[bool] = clause.c[within.column].collate(self._binary).in_(inner)
        return condition

    def _fetch(self, query: sa.Select[Any]) -> tuple[Row, ...]:
        with self._session() as connection:
            return tuple(dict(row._mapping) for row in connection.execute(query))  # noqa: SLF001


def core_table(table: LiveTable) -> sa.TableClause:
    """Return the table without column types, so that no value is converted on its way."""
    return sa.table(table.name, *[sa.column(one.name) for one in table.columns])


def equals(clause: Any, where: Row, binary: str) -> list[sa.ColumnElement[bool]]:
    """Return one exact comparison per column; text is compared by its bytes."""
    return [
        clause.c[name].is_(None)
        if value is None
        else clause.c[name].collate(binary) == value
        if isinstance(value, str)
        else clause.c[name] == value
        for name, value in where.items()
    ]


def _key(clause: Any, table: LiveTable) -> list[Any]:
    return [clause.c[name] for name in table.primary_key]


def _live_table(inspector: sa.Inspector, name: str) -> LiveTable:
    columns = tuple(
        LiveColumn(one["name"], str(one["type"]), bool(one["nullable"]))
        for one in inspector.get_columns(name)
    )
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    foreign = tuple(
        LiveForeignKey(
            tuple(one["constrained_columns"]),
            str(one["referred_table"]),
            tuple(one["referred_columns"]),
        )
        for one in inspector.get_foreign_keys(name)
    )
    return LiveTable(name, columns, tuple(key), foreign)
