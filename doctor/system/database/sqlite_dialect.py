"""What SQLite does its own way: types belong to values, and text is compared as BINARY."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveIndex, LiveTable, Need
from doctor.system.database.dialect import Cell, Condition, named_in
from doctor.system.database.marker import MARKER
from doctor.system.database.sqlite_intake import read_intake

BINARY = "BINARY"
_CHANCES = 2**30
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_CLOCK = "[0-2][0-9]:[0-5][0-9]"
_MORE = ("", ":[0-5][0-9]", ":[0-5][0-9].[0-9][0-9][0-9]", f":[0-5][0-9].{'[0-9]' * 6}")
_ZONES = ("", "Z", "[+-][0-1][0-9]:[0-5][0-9]")


class SqliteDialect:
    """The questions of SQLite. OR ABORT overrules a REPLACE clause of the schema."""

    prefix = "OR ABORT"
    reads_json = False
    asks_together = False
    leaps = False
    walks_keys = False

    def schema(self, _connection: Connection) -> None:
        """Return None: a file is a database."""

    def tables(self, connection: Connection) -> tuple[LiveTable, ...]:
        """Return every table but the virtual ones."""
        inspector = sa.inspect(connection)
        names = {*inspector.get_table_names()} - {MARKER.name, *_virtual(connection)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # INTEGER(11) and the like
            found = [_live_table(inspector, name) for name in sorted(names)]
        return tuple(replace(one, indexes=_indexes(connection, one.name)) for one in found)

    def comments(self, _connection: Connection) -> tuple[tuple[str, str, str], ...]:
        """Return none: SQLite has no comments."""
        return ()

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

    def tells_apart(self, _declared: str) -> bool:
        """Return True: as BINARY, all types."""
        return True

    def sorted_as(self, cell: Cell) -> Cell:
        """Return the cell without the collation of its column."""
        return cell.collate(BINARY)

    def among(self, cell: Cell, _declared: str, values: Collection[str]) -> Condition:
        """Return the comparison by bytes."""
        return cell.collate(BINARY).in_(list(values))

    def equal(self, cell: Cell, _declared: str, value: Scalar) -> Condition:
        """Return the comparison; text is compared by its bytes."""
        return cell.collate(BINARY) == value if isinstance(value, str) else cell == value

    def one_of(self, cell: Cell, _declared: str, values: Sequence[Scalar]) -> Condition:
        """Return the comparison as the column has it; plain values come as one parameter."""
        if any(type(one) not in (str, int) or one == "" or "\0" in str(one) for one in values):
            return named_in(cell, values)
        each = sa.func.json_each(json.dumps(values)).table_valued("value")
        return cell.in_(sa.select(each.c.value))

    def alike(self, one: Cell, _declared: str, other: Cell, _others: str) -> Condition:
        """Return the comparison by bytes."""
        return one.collate(BINARY) == other

    def grouped(self, cell: Cell, declared: str) -> tuple[Cell, Cell]:
        """Return what is exact, twice."""
        exact = self.exact(cell, declared)
        return exact, exact

    def keeps(self, _declared: str, _need: Need) -> bool:
        """Return False: types belong to values."""
        return False

    def unfit(self, cell: Cell, need: Need) -> Condition:
        """Return the condition on the value's own type and text: columns have none to rely on."""
        kind = sa.func.typeof(cell)
        if need in ("whole number", "number"):
            fitting = ["integer", "null"] if need == "whole number" else ["integer", "real", "null"]
            return kind.not_in(fitting)
        if need == "JSON":
            return sa.and_(kind.in_(["text", "blob"]), ~sa.func.json_valid(cell).cast(sa.Boolean))
        return sa.and_(kind != "null", sa.or_(kind != "text", ~_is_plain_moment(cell, need)))

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

    def is_plain(self, connection: Connection, table: LiveTable) -> bool:
        """Look for triggers and computed columns."""
        query = sa.text("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
        if connection.scalar(query.bindparams(name=table.name)) is not None:
            return False
        hidden = sa.text("SELECT 1 FROM pragma_table_xinfo(:name) WHERE hidden <> 0")
        return connection.scalar(hidden.bindparams(name=table.name)) is None

    def chance(self, share: float) -> Condition:
        """Return a condition that holds by chance."""
        return sa.func.random().op("&")(_CHANCES - 1) < round(share * _CHANCES)

    def intake(self, connection: Connection, table: LiveTable) -> Intake:
        """Return what the pragmas say."""
        return read_intake(connection, table)

    def make_marker(self, connection: Connection) -> None:
        """Create the table in the transaction."""
        MARKER.create(connection, checkfirst=True)


def _is_plain_moment(cell: Cell, need: Need) -> Condition:
    """Tell of texts in a usual form that they are moments; of others it tells nothing good."""
    if need == "time":
        return _is_plain_time(cell)
    day = sa.func.substr(cell, 1, 10)
    calendar = sa.func.coalesce(sa.func.date(day, "+0 days"), "")
    is_day = sa.and_(cell.op("GLOB")(f"{_DAY}*"), calendar == day, day >= "0001-01-01")
    if need == "date":
        return sa.and_(is_day, sa.func.length(cell) == len("2026-01-02"))
    rest = sa.func.substr(cell, 11)
    is_timed = sa.and_(rest.op("GLOB")("[ T]*"), _is_plain_time(sa.func.substr(rest, 2)))
    return sa.and_(is_day, sa.or_(rest == "", is_timed))


def _is_plain_time(text: Cell) -> Condition:
    whole = sa.or_(*[text.op("GLOB")(f"{_CLOCK}{more}{zone}") for more in _MORE for zone in _ZONES])
    return sa.and_(whole, text < "24")


def _virtual(connection: Connection) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
    return set(connection.exec_driver_sql(query).scalars())


def _indexes(connection: Connection, table: str) -> tuple[LiveIndex, ...]:
    found = []
    for _, name, unique, _, partial in _asked(connection, "index_list", table):
        parts = [one for one in _asked(connection, "index_xinfo", name) if one[5]]
        plain = not partial and all(one[2] is not None for one in parts)
        columns = tuple(one[2] for one in parts) if plain else ()
        found.append(LiveIndex(name, columns, bool(unique), parts[0][4] == BINARY))
    return tuple(found)


def _asked(connection: Connection, pragma: str, name: str) -> Sequence[Sequence[Any]]:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    return connection.exec_driver_sql(f"PRAGMA {pragma}({quoted})").all()


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
