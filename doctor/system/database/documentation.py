"""The table of the documentation, in the system's own database, for whoever looks there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection

from doctor.errors import TreatmentError
from doctor.model.documentation import DocEntry
from doctor.model.schema import LiveTable

NAME = "schema_documentation"
_FIELDS = {
    "table_name": "table",
    "column_name": "column",
    "description": "description",
    "example": "example",
    "json_schema": "schema",
    "origin": "origin",
    "fingerprint": "fingerprint",
    "updated_at": "updated_at",
}


def _name() -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(190, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(190).with_variant(exact, "mysql", "mariadb")


def _long() -> sa.types.TypeEngine[str]:
    wide = mysql.MEDIUMTEXT(charset="utf8mb4")
    return sa.Text().with_variant(wide, "mysql", "mariadb")


@cache
def documentation_table(schema: str | None) -> sa.Table:
    """Return the table in a schema."""
    return sa.Table(
        NAME,
        sa.MetaData(),
        sa.Column("table_name", _name(), primary_key=True),
        sa.Column("column_name", _name(), primary_key=True),
        sa.Column("description", _long(), nullable=False),
        sa.Column("example", _long(), nullable=False),
        sa.Column("json_schema", _long(), nullable=False),
        sa.Column("origin", _long(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("updated_at", sa.String(40), nullable=False),
        schema=schema,
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )


def is_documentation(table: LiveTable) -> bool:
    """Tell whether a table is that of the documentation, and not another of its name."""
    return table.name == NAME and {one.name for one in table.columns} == set(_FIELDS)


def read_documentation(connection: Connection, schema: str | None) -> tuple[DocEntry, ...] | None:
    """Return the entries by table and column, None where there is no such table."""
    if not _is_there(connection, schema):
        return None
    table = documentation_table(schema)
    query = sa.select(table).order_by(table.c.table_name, table.c.column_name)
    return tuple(
        DocEntry(**{_FIELDS[name]: str(value or "") for name, value in row.items()})
        for row in connection.execute(query).mappings()
    )


def write_documentation(
    connection: Connection, schema: str | None, entries: Sequence[DocEntry], at: str
) -> tuple[int, int, int]:
    """Make the table hold these entries; return how many were added, changed and removed.

    Raises TreatmentError where another table has its name.
    """
    table = documentation_table(schema)
    before = read_documentation(connection, schema)
    if before is None:
        _create(connection, schema)
    known = {one.place: one for one in before or ()}
    added = changed = 0
    for one in entries:
        old = known.pop(one.place, None)
        values = {name: getattr(one, field) for name, field in _FIELDS.items()}
        values["updated_at"] = at
        if old is None:
            connection.execute(table.insert().values(values))
            added += 1
        elif _told(old) != _told(one):
            connection.execute(table.update().where(*_key(table, one)).values(values))
            changed += 1
    for gone in known.values():
        connection.execute(table.delete().where(*_key(table, gone)))
    return added, changed, len(known)


def _told(one: DocEntry) -> tuple[str, ...]:
    return one.description, one.example, one.schema, one.origin, one.fingerprint


def _key(table: sa.Table, one: DocEntry) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.table_name == one.table, table.c.column_name == one.column


def _is_there(connection: Connection, schema: str | None) -> bool:
    inspector = sa.inspect(connection)
    if not inspector.has_table(NAME, schema=schema):
        return False
    return {one["name"] for one in inspector.get_columns(NAME, schema=schema)} == set(_FIELDS)


def _create(connection: Connection, schema: str | None) -> None:
    if sa.inspect(connection).has_table(NAME, schema=schema):
        raise TreatmentError(
            f"there is a table {NAME} already, and it is no documentation of Doctor's",
            hint="nothing was written; rename that table to have one written",
        )
    table = documentation_table(schema)
    if connection.dialect.name in ("mysql", "mariadb"):  # creating commits: not what is open here
        with connection.engine.connect() as other:
            table.create(other)
    else:
        table.create(connection)
