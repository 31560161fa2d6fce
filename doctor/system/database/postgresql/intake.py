"""What PostgreSQL does by itself with a new row, from its catalog."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.insertion import Check, Intake

_TABLE = """FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  AND n.nspname = :schema AND c.relname = :name
"""
_COLUMNS = f"""SELECT a.attname,
  coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), t.typdefault), a.attidentity, a.attgenerated
{_TABLE}
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"""
_UNIQUE = f"""SELECT i.indexrelid, a.attname
{_TABLE}
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (own, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.own
WHERE u.place <= i.indnkeyatts ORDER BY i.indexrelid, u.place"""
_CHECKS = f"""SELECT k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid)
{_TABLE}
JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' ORDER BY k.conname"""
_LABELS = f"""SELECT a.attname, e.enumlabel
{_TABLE}
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_enum e ON e.enumtypid IN (t.oid, t.typbasetype)
ORDER BY a.attnum, e.enumsortorder"""
_FOLLOWING = f"""SELECT a.attname, coalesce(s.last_value + s.increment_by, s.start_value)
{_TABLE}
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.refobjid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S'
JOIN pg_catalog.pg_namespace qn ON qn.oid = q.relnamespace
JOIN pg_catalog.pg_sequences s ON s.schemaname = qn.nspname AND s.sequencename = q.relname"""
ALWAYS = "a"
NEXT = "nextval("


def read_intake(connection: Connection, schema: str, name: str) -> Intake:
    """Return defaults, numbered and computed columns, what is unique, conditions, labels."""
    where = {"schema": schema, "name": name}
    columns = connection.execute(sa.text(_COLUMNS), where).all()
    unique: dict[int, list[str]] = defaultdict(list)
    for index, column in connection.execute(sa.text(_UNIQUE), where):
        unique[index].append(column)
    labels: dict[str, list[str]] = defaultdict(list)
    for column, label in connection.execute(sa.text(_LABELS), where):
        labels[column].append(label)
    numbered = [
        column
        for column, default, identity, _ in columns
        if identity or (default or "").startswith(NEXT)
    ]
    return Intake(
        defaults={
            column: text
            for column, text, identity, generated in columns
            if text is not None and not identity and not generated
        },
        numbered=frozenset(numbered),
        following={
            column: int(number)
            for column, number in connection.execute(sa.text(_FOLLOWING), where)
            if number is not None
        },
        computed=frozenset(
            column for column, _, identity, generated in columns if generated or identity == ALWAYS
        ),
        unique=tuple(tuple(one) for one in unique.values()),
        checks=tuple(
            Check(check, text) for check, text in connection.execute(sa.text(_CHECKS), where)
        ),
        labels={column: tuple(many) for column, many in labels.items()},
    )
