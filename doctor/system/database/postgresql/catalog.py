"""PostgreSQL's catalog: which tables a schema has, and which of them can be repaired."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.schema import LiveColumn, LiveForeignKey, LiveIndex, LiveTable
from doctor.system.database.marker import MARKER

_IN_SCHEMA = """FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = :schema
"""
_COLUMNS = f"""SELECT c.relname, a.attname, NOT a.attnotnull,
  CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
    ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END ||
  CASE WHEN a.attcollation NOT IN (0, 100, t.typcollation)
    THEN ' COLLATE ' || l.collname ELSE '' END
{_IN_SCHEMA}
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> :marker
  AND CASE WHEN CAST(:name AS text) IS NULL THEN NOT c.relispartition ELSE c.relname = :name END
ORDER BY c.relname COLLATE "C", a.attnum"""
_KEYS = f"""SELECT c.relname, k.conname, k.contype, a.attname, fn.nspname, f.relname, fa.attname
{_IN_SCHEMA}
JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'f')
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (own, theirs, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.own
LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid AND k.contype = 'f'
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_catalog.pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = u.theirs
WHERE CAST(:name AS text) IS NULL OR c.relname = :name
ORDER BY c.relname, k.conname, u.place"""
_INDEXES = f"""SELECT c.relname, x.relname, i.indisunique,
  i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL, m.amname = 'btree'
    AND (o.oid IS NULL OR o.collisdeterministic) AND i.indcollation[0] = f.attcollation, a.attname
{_IN_SCHEMA}
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (own, place)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.own AND u.own <> 0
LEFT JOIN pg_catalog.pg_attribute f ON f.attrelid = c.oid AND f.attnum = i.indkey[0]
LEFT JOIN pg_catalog.pg_collation o ON o.oid = i.indcollation[0]
WHERE u.place <= i.indnkeyatts ORDER BY c.relname, x.relname, u.place"""
_COMMENTS = f"""SELECT c.relname, coalesce(a.attname, ''), d.description
{_IN_SCHEMA}
JOIN pg_catalog.pg_description d ON d.objoid = c.oid
  AND d.classoid = CAST('pg_catalog.pg_class' AS regclass)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
  AND d.objsubid > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (d.objsubid = 0 OR a.attname IS NOT NULL)"""
_OBSTACLE = f"""SELECT CASE
  WHEN c.relkind NOT IN ('r', 'p') THEN 'is a view or lies on another server'
  WHEN c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
    THEN 'has tables that inherit from it'
  WHEN c.relkind = 'p' AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_partition_tree(c.oid) p
    JOIN pg_catalog.pg_class leaf ON leaf.oid = p.relid WHERE leaf.relkind = 'f')
    THEN 'has partitions on another server'
  END
{_IN_SCHEMA}
WHERE c.relname = :name"""  # noqa: S608


def read_tables(
    connection: Connection, schema: str, name: str | None = None
) -> tuple[LiveTable, ...]:
    """Return the tables and views of a schema, or the one called ``name``.

    A column of a domain has the type below it. A reference into another schema names its table as
    ``SCHEMA.TABLE``, which is none of these. Indexes are read with all tables only.
    """
    where = {"schema": schema, "name": name}
    columns: dict[str, list[LiveColumn]] = {}
    for table, column, nullable, kind in connection.execute(
        sa.text(_COLUMNS), {**where, "marker": MARKER.name}
    ):
        columns.setdefault(table, []).append(LiveColumn(column, kind, nullable))
    keys: dict[str, list[str]] = defaultdict(list)
    links: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for table, constraint, kind, column, where_, other, theirs in connection.execute(
        sa.text(_KEYS), where
    ):
        if kind == "p":
            keys[table].append(column)
        else:
            target = other if where_ == schema else f"{where_}.{other}"
            links[table, constraint].append((column, target, theirs))
    indexes = _indexes(connection, schema) if name is None else {}
    return tuple(
        LiveTable(
            table,
            tuple(parts),
            tuple(keys[table]),
            tuple(_link(many) for (of, _), many in links.items() if of == table),
            schema,
            tuple(indexes.get(table, ())),
        )
        for table, parts in columns.items()
    )


def read_comments(connection: Connection, schema: str) -> tuple[tuple[str, str, str], ...]:
    """Return the comments on the tables of a schema and on their columns."""
    found = connection.execute(sa.text(_COMMENTS), {"schema": schema})
    return tuple((table, column, said) for table, column, said in found if said)


def obstacle(connection: Connection, schema: str, name: str) -> str | None:
    """Return why rows of a table cannot be repaired, None where nothing stands in the way."""
    found: str | None = connection.scalar(sa.text(_OBSTACLE), {"schema": schema, "name": name})
    return found


def _indexes(connection: Connection, schema: str) -> dict[str, list[LiveIndex]]:
    found: dict[str, list[LiveIndex]] = defaultdict(list)
    parts: dict[tuple[str, str, bool, bool, bool], list[str]] = defaultdict(list)
    for table, name, unique, plain, exact, column in connection.execute(
        sa.text(_INDEXES), {"schema": schema}
    ):
        parts[table, name, unique, plain, bool(exact)].append(column or "")
    for (table, name, unique, plain, exact), columns in parts.items():
        found[table].append(LiveIndex(name, tuple(columns) if plain else (), unique, exact))
    return found


def _link(many: list[tuple[str, str, str]]) -> LiveForeignKey:
    return LiveForeignKey(tuple(one[0] for one in many), many[0][1], tuple(one[2] for one in many))
