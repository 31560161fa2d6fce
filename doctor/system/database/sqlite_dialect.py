"""What SQLite does its own way: types belong to values, and text is compared as BINARY."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveTable
from doctor.system.database.dialect import Cell, Condition
from doctor.system.database.marker import MARKER

BINARY = "BINARY"


class SqliteDialect:
    """The questions of SQLite. OR ABORT overrules a REPLACE clause of the schema."""

    prefix = "OR ABORT"

    def schema(self, _connection: Connection) -> None:
        """Return None: a file is a database."""

    def tables(self, connection: Connection) -> tuple[LiveTable, ...]:
        """Return every table but the virtual ones."""
        inspector = sa.inspect(connection)
        names = {*inspector.get_table_names()} - {MARKER.name, *_virtual(connection)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # INTEGER(11) and the like
            return tuple(_live_table(inspector, name) for name in sorted(names))

    def table(self, connection: Connection, change: SetCells) -> LiveTable:
        """Return the table with its columns as they are now."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            return LiveTable(change.table, _columns(sa.inspect(connection), change.table), (), ())

    def shown(self, cell: Cell, _declared: str) -> Cell:
        """Return the cell: SQLite hands values over as they are stored."""
        return cell

    def exact(self, cell: Cell, _declared: str) -> Cell:
        """Return the cell without the collation of its column."""
        return cell.collate(BINARY)

    def among(self, cell: Cell, _declared: str, values: Collection[str]) -> Condition:
        """Return the comparison by bytes."""
        return cell.collate(BINARY).in_(list(values))

    def equal(self, cell: Cell, _declared: str, value: Scalar) -> Condition:
        """Return the comparison; text is compared by its bytes."""
        return cell.collate(BINARY) == value if isinstance(value, str) else cell == value

    def alike(self, one: Cell, _declared: str, other: Cell, _others: str) -> Condition:
        """Return the comparison by bytes."""
        return one.collate(BINARY) == other

    def grouped(self, cell: Cell, _declared: str) -> tuple[Cell, Cell]:
        """Return the cell twice."""
        return cell, cell

    def bound(self, value: Scalar) -> sa.BindParameter[Any]:
        """Return the value as it is."""
        return sa.literal(value)

    def kept(self, _connection: Connection, _table: LiveTable) -> tuple[str, ...]:
        """Return none: only triggers change what was not set."""
        return ()

    def count(self, connection: Connection) -> int:
        """Return the connection's own count. Rows that REPLACE deletes are not counted."""
        raw = connection.connection.driver_connection
        return int(raw.total_changes) if raw is not None else 0

    def make_marker(self, connection: Connection) -> None:
        """Create the table in the transaction."""
        MARKER.create(connection, checkfirst=True)


def _virtual(connection: Connection) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
    return set(connection.exec_driver_sql(query).scalars())


def _columns(inspector: sa.Inspector, name: str) -> tuple[LiveColumn, ...]:
    return tuple(
        LiveColumn(one["name"], str(one["type"]), bool(one["nullable"]))
        for one in inspector.get_columns(name)
    )


def _live_table(inspector: sa.Inspector, name: str) -> LiveTable:
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    foreign = tuple(
        LiveForeignKey(
            tuple(one["constrained_columns"]),
            str(one["referred_table"]),
            tuple(one["referred_columns"]),
        )
        for one in inspector.get_foreign_keys(name)
    )
    return LiveTable(name, _columns(inspector, name), tuple(key), foreign)
