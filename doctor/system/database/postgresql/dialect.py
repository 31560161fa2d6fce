"""The exact questions of PostgreSQL: collation C, and the spelling that a client would see."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Need
from doctor.system.database.dialect import Cell, Condition, can_be_text, named_in
from doctor.system.database.marker import marker_in
from doctor.system.database.postgresql.catalog import obstacle, read_comments, read_tables
from doctor.system.database.postgresql.intake import read_intake

Kind = Literal["text", "integer", "float", "boolean", "bytes", "uuid", "other"]
_KINDS: dict[str, Kind] = {
    "text": "text",
    "character varying": "text",
    "character": "text",
    "citext": "text",
    "name": "text",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "real": "float",
    "double precision": "float",
    "boolean": "boolean",
    "bytea": "bytes",
    "uuid": "uuid",
}
_PLAIN = ("text", "character varying")
_TYPES: dict[Kind, type] = {"integer": int, "float": float, "boolean": bool, "bytes": bytes}
_LENGTH = re.compile(r"\(.*| COLLATE .*", re.DOTALL)
_HASHED = 8
"""Lists that are longer are looked up by hash, in half the time."""
_COUNT = """SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint,
  current_setting('track_counts') = 'on'
FROM pg_catalog.pg_stat_xact_user_tables"""
_LASTING = """SELECT c.relkind = 'r' AND c.relpersistence = 'p' FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name"""


_SET_BY_OTHERS = """SELECT bool_or(p.relhasrules OR EXISTS (
    SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = p.oid AND NOT t.tgisinternal)
  OR EXISTS (
    SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = p.oid AND a.attgenerated <> ''))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = c.oid
  OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid))
WHERE n.nspname = :schema AND c.relname = :name"""


class PostgresqlDialect:
    """The questions of PostgreSQL about the schema that stands first in the search path."""

    prefix = ""
    reads_json = True
    asks_together = True
    leaps = False
    walks_keys = True

    def schema(self, connection: Connection) -> str:
        """Return the current schema; raises SourceError where there is none."""
        found = connection.dialect.default_schema_name
        if not found:
            raise SourceError(
                "the database could not be read: no schema of the search path is there",
                hint="name it in the URL: ?options=-csearch_path%3DSCHEMA",
            )
        return found

    def tables(self, connection: Connection) -> tuple[LiveTable, ...]:
        """Return tables, and what can be read like one; rows of partitions are their table's."""
        return read_tables(connection, self.schema(connection))

    def comments(self, connection: Connection) -> tuple[tuple[str, str, str], ...]:
        """Return the comments on tables and columns."""
        return read_comments(connection, self.schema(connection))

    def table(self, connection: Connection, change: SetCells) -> LiveTable:
        """Return the table as it is now."""
        schema = self.schema(connection)
        reason = obstacle(connection, schema, change.table)
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
        return found[0]

    def shown(self, cell: Cell, _declared: str) -> Cell:
        """Return the cell: the adaptation hands it over as it is stored."""
        return cell

    def exact(self, cell: Cell, declared: str) -> Cell:
        """Return the cell where its type has one spelling for a value, else that spelling."""
        kind = kind_of(declared)
        return _spelling(cell, declared) if kind in ("text", "uuid", "other") else cell

    def tells_apart(self, declared: str) -> bool:
        """Return True for text as it stands; its index tells whether the collation does."""
        return _LENGTH.sub("", declared) in _PLAIN

    def sorted_as(self, cell: Cell) -> Cell:
        """Return the cell."""
        return cell

    def among(self, cell: Cell, declared: str, values: Collection[str]) -> Condition:
        """Return the condition that the cell is one of these texts."""
        if kind_of(declared) not in ("text", "uuid", "other"):
            return sa.false()
        some = [one for one in values if can_be_text(one) and "\0" not in one]
        return _spelling(cell, declared).in_(some * (_HASHED // len(some) + 1) if some else [])

    def equal(self, cell: Cell, declared: str, value: Scalar) -> Condition:
        """Return the comparison, helped by an index where the type has one for it."""
        kind = kind_of(declared)
        if kind in _TYPES:
            if not (_is_float_text(kind, value) or value.__class__ is _TYPES[kind]):
                return sa.false()
            bound: Cell = self.bound(value)
            if kind == "float":
                bound = sa.cast(bound, _Named(_LENGTH.sub("", declared)))
            return cell == bound
        if not isinstance(value, str) or not can_be_text(value) or "\0" in value:
            return sa.false()
        same = _spelling(cell, declared) == self.bound(value)
        if kind == "text":
            return sa.and_(cell == self.bound(value), same)
        if kind == "uuid":
            known = _is_uuid(value)
            by_index = cell == sa.cast(self.bound(value), _Named("uuid"))
            return sa.and_(by_index, same) if known else sa.false()
        return same

    def one_of(self, cell: Cell, _declared: str, values: Sequence[Scalar]) -> Condition:
        """Return the comparison with an array of the column's own type, in one parameter."""
        if all(type(one) in (str, int) for one in values):
            return cell == sa.func.any(self.bound(_array(values)))
        return named_in(cell, values)

    def alike(self, one: Cell, declared: str, other: Cell, others: str) -> Condition:
        """Return the comparison, helped by an index where both have one collation."""
        kind, its = kind_of(declared), kind_of(others)
        if kind == its and kind in (*_TYPES, "uuid"):
            return one == other
        same = _spelling(one, declared) == _spelling(other, others)
        if kind == its == "text" and _collation(declared) == _collation(others):
            return sa.and_(one == other, same)
        return same

    def grouped(self, cell: Cell, declared: str) -> tuple[Cell, Cell]:
        """Return what is exact, twice."""
        exact = self.exact(cell, declared)
        return exact, exact

    def keeps(self, declared: str, need: Need) -> bool:
        """Return True for all but JSON in text; text for other types is a matter of the schema."""
        return need != "JSON" or kind_of(declared) != "text"

    def unfit(self, _cell: Cell, _need: Need) -> Condition:
        """Return that there is no such cell."""
        return sa.false()

    def bound(self, value: Scalar) -> sa.BindParameter[Any]:
        """Return the value without a type of its own: the column decides."""
        return sa.bindparam(None, value, type_=sa.types.NullType())

    def kept(self, _connection: Connection, _table: LiveTable) -> tuple[str, ...]:
        """Return none: only triggers change what was not set."""
        return ()

    def count(self, connection: Connection) -> int:
        """Return what the server's own statistics count for this transaction."""
        found, is_counted = connection.exec_driver_sql(_COUNT).one()
        if not is_counted:
            raise TreatmentError(
                "the server does not count what triggers change: track_counts is off",
                hint="SET track_counts = on for the account that repairs",
            )
        return int(found)

    def is_plain(self, connection: Connection, table: LiveTable) -> bool:
        """Look for triggers, rules and computed columns, in partitions too."""
        where = {"schema": self.schema(connection), "name": table.name}
        return not connection.scalar(sa.text(_SET_BY_OTHERS), where)

    def chance(self, share: float) -> Condition:
        """Return a condition that holds by chance."""
        return sa.func.random() < share

    def intake(self, connection: Connection, table: LiveTable) -> Intake:
        """Return what the catalog says."""
        return read_intake(connection, self.schema(connection), table.name)

    def make_marker(self, connection: Connection) -> None:
        """Create the table in the transaction; raises TreatmentError for one that may be lost."""
        schema = self.schema(connection)
        marker = marker_in(schema)
        where = {"schema": schema, "name": marker.name}
        lasts = connection.scalar(sa.text(_LASTING), where)
        if lasts is None:
            marker.create(connection, checkfirst=False)
        elif not lasts:
            raise TreatmentError(
                f"{marker.name} is no table that outlives a crash of the server",
                hint=f"move it out of the way, or ALTER TABLE {marker.name} SET LOGGED",
            )


class _Named(sa.types.UserDefinedType[Any]):
    """A type by its name; names come from the fixed table above."""

    cache_ok = True

    def __init__(self, name: str):
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def kind_of(declared: str) -> Kind:
    """Return how values of a type are compared."""
    return _KINDS.get(_LENGTH.sub("", declared), "other")


def _array(values: Sequence[Scalar]) -> str:
    """Return values as PostgreSQL writes an array."""
    quoted = (str(one).replace("\\", "\\\\").replace('"', '\\"') for one in values)
    return "{" + ",".join(f'"{one}"' for one in quoted) + "}"


def _is_float_text(kind: Kind, value: Scalar) -> bool:
    return kind == "float" and value == "NaN"


def _spelling(cell: Cell, declared: str) -> Cell:
    """Return the text that a client would see, in no collation; blanks of CHAR(n) included."""
    text = cell if _LENGTH.sub("", declared) in _PLAIN else sa.func.concat(cell)
    return text.collate("C")


def _collation(declared: str) -> str:
    return declared.partition(" COLLATE ")[2]


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False
