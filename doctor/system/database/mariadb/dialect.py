"""The exact questions of MariaDB: text is compared by its bytes, blanks at its end included."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import SourceError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Need
from doctor.system.database.dialect import Cell, Condition, can_be_text
from doctor.system.database.mariadb.catalog import (
    TRANSACTIONAL,
    engine_name,
    is_plain,
    obstacle,
    on_update,
    read_comments,
    read_tables,
)
from doctor.system.database.mariadb.intake import read_intake
from doctor.system.database.marker import MARKER

Kind = Literal["text", "integer", "float", "bytes", "other"]
_WORD = re.compile(r"\w+")
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("char", "varchar", "text", "tinytext", "mediumtext", "longtext"), "text"),
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), "integer"),
    **dict.fromkeys(("float", "double"), "float"),
    **dict.fromkeys(("binary", "varbinary", "bit"), "bytes"),
    **dict.fromkeys(("blob", "tinyblob", "mediumblob", "longblob"), "bytes"),
}
_TYPES: dict[Kind, type] = {"integer": int, "float": float, "bytes": bytes}
_CHANGED = """SELECT variable_name, variable_value FROM information_schema.session_status
WHERE variable_name IN ('Handler_write', 'Handler_update', 'Handler_delete')"""
_MARKER = """CREATE TABLE IF NOT EXISTS `{schema}`.doctor_applied (
fix VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL, images LONGTEXT NOT NULL,
PRIMARY KEY (fix, kind)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"""


class MariadbDialect:
    """The questions of MariaDB about the one database that the URL names."""

    prefix = ""
    reads_json = False
    asks_together = True
    leaps = True
    walks_keys = False

    def __init__(self, *, create_marker: bool = False):
        self._create_marker = create_marker

    def schema(self, connection: Connection) -> str:
        """Return the database."""
        found = connection.dialect.default_schema_name
        if not found:
            raise SourceError("the database could not be read: the URL names none")
        return found

    def tables(self, connection: Connection) -> tuple[LiveTable, ...]:
        """Return tables and views."""
        return read_tables(connection, self.schema(connection))

    def comments(self, connection: Connection) -> tuple[tuple[str, str, str], ...]:
        """Return the comments on tables and columns."""
        return read_comments(connection, self.schema(connection))

    def table(self, connection: Connection, change: SetCells) -> LiveTable:
        """Return the table as it is now."""
        schema = self.schema(connection)
        reason = obstacle(connection, schema, change)
        if reason is not None:
            raise TreatmentError(f"{change.table} {reason}: nothing is changed in it")
        found = read_tables(connection, schema, change.table)
        if not found:
            raise TreatmentError(f"there is no table {change.table!r}")
        if set(change.key) != set(found[0].primary_key):
            raise TreatmentError(
                f"{change.table} has no primary key, or another than the change names",
                hint="without one nobody can tell which row would be changed",
            )
        if change.expected == change.to:
            raise TreatmentError(f"{change.table}: nothing would change")
        return found[0]

    def shown(self, cell: Cell, declared: str) -> Cell:
        """Return the cell; a FLOAT would come rounded, a DOUBLE comes as it is."""
        return sa.cast(cell, sa.Double()) if _name(declared) == "float" else cell

    def exact(self, cell: Cell, declared: str) -> Cell:
        """Return the cell where no collation is at work, else its bytes."""
        return _bytes(cell) if kind_of(declared) in ("text", "other") else cell

    def tells_apart(self, declared: str) -> bool:
        """Return True for text whose collation neither folds nor pads."""
        return kind_of(declared) == "text" and _collation(declared).endswith("_nopad_bin")

    def sorted_as(self, cell: Cell) -> Cell:
        """Return the cell."""
        return cell

    def among(self, cell: Cell, declared: str, values: Collection[str]) -> Condition:
        """Return the condition that the cell is one of these texts."""
        if kind_of(declared) not in ("text", "other"):
            return sa.false()
        return _bytes(cell).in_([self._text(one) for one in values if can_be_text(one)])

    def equal(self, cell: Cell, declared: str, value: Scalar) -> Condition:
        """Return the comparison, helped by an index where the type has one for it."""
        kind = kind_of(declared)
        if kind in _TYPES:
            if value.__class__ is not _TYPES[kind]:
                return sa.false()
            if _name(declared) == "bit":
                return sa.cast(cell, sa.BINARY) == self.bound(value)
            return self.shown(cell, declared) == self.bound(value)
        if not isinstance(value, str) or not can_be_text(value):
            return sa.false()
        same = _bytes(cell) == self._text(value)
        if kind == "text" and (value.isascii() or " COLLATE utf8mb4_" in declared):
            return sa.and_(cell == self.bound(value), same)
        return same

    def one_of(self, cell: Cell, _declared: str, values: Sequence[Scalar]) -> Condition:
        """Return the comparison as the column has it; the driver binds a tuple as a list."""
        bound = sa.bindparam(None, tuple(values), type_=sa.types.NullType())
        return cell.op("IN", is_comparison=True)(bound)

    def alike(self, one: Cell, declared: str, other: Cell, others: str) -> Condition:
        """Return the comparison, helped by an index where both have one collation."""
        kind, its = kind_of(declared), kind_of(others)
        if kind == its and kind in _TYPES:
            return one == other
        same = _bytes(one) == _bytes(other)
        if kind == its == "text" and _collation(declared) == _collation(others):
            return sa.and_(one == other, same)
        return same

    def grouped(self, cell: Cell, declared: str) -> tuple[Cell, Cell]:
        """Return the text of a group of equal bytes."""
        if kind_of(declared) not in ("text", "other"):
            return cell, cell
        return sa.func.max(_converted(cell)), _bytes(cell)

    def keeps(self, declared: str, need: Need) -> bool:
        """Return True for all but JSON, which is text here."""
        return need != "JSON" or kind_of(declared) != "text"

    def unfit(self, cell: Cell, _need: Need) -> Condition:
        """Return the condition for JSON."""
        return sa.and_(cell.is_not(None), sa.func.json_valid(cell) == 0)

    def bound(self, value: Scalar) -> sa.BindParameter[Any]:
        """Return the value without a type of its own: the column decides."""
        return sa.bindparam(None, value, type_=sa.types.NullType())

    def kept(self, connection: Connection, table: LiveTable) -> tuple[str, ...]:
        """Return the columns with ON UPDATE CURRENT_TIMESTAMP."""
        return on_update(connection, self.schema(connection), table.name)

    def count(self, connection: Connection) -> int:
        """Return what the server counts for this connection; triggers are part of it."""
        return sum(int(value) for _, value in connection.exec_driver_sql(_CHANGED))

    def is_plain(self, connection: Connection, table: LiveTable) -> bool:
        """Look for triggers and computed columns."""
        return is_plain(connection, self.schema(connection), table.name)

    def chance(self, share: float) -> Condition:
        """Return a condition that holds by chance."""
        return sa.func.rand() < share

    def intake(self, connection: Connection, table: LiveTable) -> Intake:
        """Return what the catalog says."""
        return read_intake(connection, self.schema(connection), table.name)

    def make_marker(self, connection: Connection) -> None:
        """Create the table on a connection of its own: here it would commit what is open."""
        schema = self.schema(connection)
        engine = engine_name(connection, schema, MARKER.name)
        if engine is None:
            if not self._create_marker:
                raise TreatmentError(
                    f"the table {MARKER.name} is not there, and creating it cannot be rolled back",
                    hint="set create_marker = true in [system], or create it: "
                    + " ".join(_marker_table(schema).split()),
                )
            _create_marker(connection.engine, schema)
            engine = engine_name(connection, schema, MARKER.name)
        if engine != TRANSACTIONAL:
            raise TreatmentError(
                f"{MARKER.name} is kept by {engine}, which cannot roll back",
                hint=f"ALTER TABLE {MARKER.name} ENGINE=InnoDB",
            )

    def _text(self, value: str) -> Cell:
        return sa.cast(self.bound(value), sa.BINARY)


def kind_of(declared: str) -> Kind:
    """Return how values of a type are compared."""
    return _KINDS.get(_name(declared), "other")


def _create_marker(engine: Engine, schema: str) -> None:
    with engine.connect() as other:
        other.exec_driver_sql(_marker_table(schema).replace("%", "%%"))


def _marker_table(schema: str) -> str:
    quoted = schema.replace("`", "``")
    return _MARKER.format(schema=quoted)


def _name(declared: str) -> str:
    found = _WORD.match(declared)
    return found[0] if found else ""


def _collation(declared: str) -> str:
    return declared.partition(" COLLATE ")[2]


def _converted(cell: Cell) -> Cell:
    return sa.func.convert(cell.op("USING")(sa.literal_column("utf8mb4")))


def _bytes(cell: Cell) -> Cell:
    return sa.cast(_converted(cell), sa.BINARY)
