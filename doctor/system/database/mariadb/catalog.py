"""MariaDB's information schema: which tables a database has, and which can be repaired."""

from __future__ import annotations

import re
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.change import SetCells
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveIndex, LiveTable
from doctor.system.database.marker import MARKER

_ONE = "AND (:name IS NULL OR BINARY {table}.table_name = BINARY :name)"
_COLUMNS = f"""SELECT c.table_name, c.column_name, c.is_nullable = 'YES', c.column_type,
  c.collation_name
FROM information_schema.columns c
WHERE c.table_schema = :schema AND BINARY c.table_schema = BINARY :schema
  AND c.table_name NOT IN (SELECT s.table_name FROM information_schema.tables s
    WHERE s.table_schema = :schema AND s.table_type = 'SEQUENCE')
{_ONE.format(table="c")} ORDER BY BINARY c.table_name, c.ordinal_position"""  # noqa: S608
_KEYS = f"""SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema,
  k.referenced_table_name, k.referenced_column_name
FROM information_schema.key_column_usage k
WHERE k.table_schema = :schema AND BINARY k.table_schema = BINARY :schema
  AND (k.constraint_name = 'PRIMARY' OR k.referenced_table_name IS NOT NULL)
{_ONE.format(table="k")} ORDER BY k.table_name, k.constraint_name, k.ordinal_position"""  # noqa: S608
_INDEXES = """SELECT s.table_name, s.index_name, s.non_unique = 0, s.sub_part IS NULL,
  s.index_type = 'BTREE', s.column_name
FROM information_schema.statistics s
WHERE s.table_schema = :schema AND BINARY s.table_schema = BINARY :schema
ORDER BY s.table_name, s.index_name, s.seq_in_index"""
_COMMENTS = """SELECT t.table_name, '' AS column_name, t.table_comment AS said
FROM information_schema.tables t
WHERE t.table_schema = :schema AND BINARY t.table_schema = BINARY :schema
  AND t.table_type = 'BASE TABLE' AND t.table_comment <> ''
UNION ALL SELECT c.table_name, c.column_name, c.column_comment
FROM information_schema.columns c
WHERE c.table_schema = :schema AND BINARY c.table_schema = BINARY :schema
  AND c.column_comment <> ''"""
_ENGINE = """SELECT table_type AS kind, engine AS engine FROM information_schema.tables
WHERE table_schema = :schema AND table_name = :name
  AND BINARY table_schema = BINARY :schema AND BINARY table_name = BINARY :name"""
_TRIGGERS = """SELECT trigger_name, action_statement FROM information_schema.triggers
WHERE BINARY event_object_schema = BINARY :schema AND BINARY event_object_table = BINARY :name
  AND event_manipulation = :event"""
_SEES_TRIGGERS = """SELECT 1 FROM (
  SELECT privilege_type FROM information_schema.user_privileges
  UNION SELECT privilege_type FROM information_schema.schema_privileges
  UNION SELECT privilege_type FROM information_schema.table_privileges) AS p
WHERE p.privilege_type = 'TRIGGER' LIMIT 1"""
_FUNCTIONS = """SELECT routine_name, coalesce(routine_definition, 'CALL')
FROM information_schema.routines WHERE routine_type = 'FUNCTION'"""
_FOLLOWING = """SELECT k.table_name, k.referenced_column_name
FROM information_schema.referential_constraints r
JOIN information_schema.key_column_usage k ON k.constraint_schema = r.constraint_schema
  AND k.constraint_name = r.constraint_name AND k.table_name = r.table_name
WHERE BINARY r.unique_constraint_schema = BINARY :schema
  AND BINARY r.referenced_table_name = BINARY :name
  AND r.update_rule NOT IN ('RESTRICT', 'NO ACTION')"""
_ON_UPDATE = """SELECT column_name FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :name
  AND BINARY table_schema = BINARY :schema AND BINARY table_name = BINARY :name
  AND extra LIKE '%on update%'"""
_WRITES = re.compile(
    r"\b(?:UPDATE|DELETE|CALL|LOAD|TRUNCATE|EXECUTE|INTO|(?:INSERT|REPLACE)\b(?!\s*\())\b",
    re.IGNORECASE,
)
_COMPUTED = """SELECT 1 FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :name
  AND BINARY table_schema = BINARY :schema AND BINARY table_name = BINARY :name
  AND extra LIKE '%GENERATED%' LIMIT 1"""
TRANSACTIONAL = "InnoDB"


def read_tables(
    connection: Connection, schema: str, name: str | None = None
) -> tuple[LiveTable, ...]:
    """Return the tables and views of a database, or the one called ``name``.

    Indexes are read with all tables only.
    """
    where = {"schema": schema, "name": name}
    columns: dict[str, list[LiveColumn]] = {}
    for table, column, nullable, kind, collation in connection.execute(sa.text(_COLUMNS), where):
        if table != MARKER.name:
            type_ = f"{kind} COLLATE {collation}" if collation else kind
            columns.setdefault(table, []).append(LiveColumn(column, type_, bool(nullable)))
    keys: dict[str, list[str]] = defaultdict(list)
    links: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for table, constraint, column, where_, other, theirs in connection.execute(
        sa.text(_KEYS), where
    ):
        if other is None:
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
    """Return the comments on the tables of a database and on their columns."""
    found = connection.execute(sa.text(_COMMENTS), {"schema": schema})
    return tuple((table, column, said) for table, column, said in found if said)


def engine_name(connection: Connection, schema: str, name: str) -> str | None:
    """Return the storage engine of a table, "" for a view, None where there is no such table."""
    about = _about(connection, schema, name)
    return None if about is None else about[1]


def obstacle(connection: Connection, schema: str, change: SetCells) -> str | None:
    """Return why a change cannot be carried out with certainty, None where nothing stands in it.

    What a trigger writes into a table without transactions could not be rolled back, and what
    references change is counted by nobody: neither is tried.
    """
    where = {"schema": schema, "name": change.table}
    kind, engine = _about(connection, schema, change.table) or ("", TRANSACTIONAL)
    if kind == "SYSTEM VERSIONED":
        return "keeps its own history, which a repair would add to"
    if engine != TRANSACTIONAL:
        return f"is kept by {engine}, which cannot roll back" if engine else "is a view"
    trigger = _writing_trigger(connection, schema, change.table, "UPDATE")
    if trigger is not None:
        return f"has a trigger {trigger!r} that may change other rows"
    for table, column in connection.execute(sa.text(_FOLLOWING), where):
        if column in change.to:
            return f"is referenced by {table}, whose rows would follow {column}"
    return None


def insert_obstacle(connection: Connection, schema: str, name: str) -> str | None:
    """Return what of an INSERT could not be rolled back, None where all of it can."""
    kind, engine = _about(connection, schema, name) or ("", TRANSACTIONAL)
    if kind == "SYSTEM VERSIONED":
        return "the table keeps its own history"
    if engine != TRANSACTIONAL:
        return f"{engine} cannot roll back" if engine else "it is a view"
    if connection.scalar(sa.text(_SEES_TRIGGERS)) is None:
        return "the account cannot see triggers: grant it TRIGGER"
    trigger = _writing_trigger(connection, schema, name, "INSERT")
    if trigger is not None:
        return f"the trigger {trigger!r} may do what a rollback does not take back"
    return None


def _writing_trigger(connection: Connection, schema: str, name: str, event: str) -> str | None:
    """Return a trigger that may write into other tables."""
    where = {"schema": schema, "name": name, "event": event}
    for trigger, body in connection.execute(sa.text(_TRIGGERS), where).all():
        if _WRITES.search(body) or _calls_a_writer(connection, body):
            return str(trigger)
    return None


def _about(connection: Connection, schema: str, name: str) -> tuple[str, str] | None:
    found = (
        connection.execute(sa.text(_ENGINE), {"schema": schema, "name": name}).mappings().first()
    )
    return None if found is None else (str(found["kind"]), str(found["engine"] or ""))


def on_update(connection: Connection, schema: str, name: str) -> tuple[str, ...]:
    """Return the columns that take the current time by themselves."""
    where = {"schema": schema, "name": name}
    return tuple(connection.execute(sa.text(_ON_UPDATE), where).scalars())


def is_plain(connection: Connection, schema: str, name: str) -> bool:
    """Tell whether a table has neither triggers on UPDATE nor computed columns."""
    where = {"schema": schema, "name": name, "event": "UPDATE"}
    has_trigger = connection.execute(sa.text(_TRIGGERS), where).first() is not None
    return not has_trigger and connection.scalar(sa.text(_COMPUTED), where) is None


def _indexes(connection: Connection, schema: str) -> dict[str, list[LiveIndex]]:
    found: dict[str, list[LiveIndex]] = defaultdict(list)
    parts: dict[tuple[str, str, bool], list[tuple[str, bool]]] = defaultdict(list)
    for table, name, unique, whole, ordered, column in connection.execute(
        sa.text(_INDEXES), {"schema": schema}
    ):
        parts[table, name, bool(unique)].append((column, bool(whole and ordered)))
    for (table, name, unique), columns in parts.items():
        names = tuple(column for column, _ in columns)
        found[table].append(LiveIndex(name, names, unique, columns[0][1]))
    return found


def _calls_a_writer(connection: Connection, body: str) -> bool:
    functions = connection.execute(sa.text(_FUNCTIONS)).all()
    called = [one for one, _ in functions if one.lower() in body.lower()]
    return bool(called) and any(_WRITES.search(text) for _, text in functions)


def _link(many: list[tuple[str, str, str]]) -> LiveForeignKey:
    return LiveForeignKey(tuple(one[0] for one in many), many[0][1], tuple(one[2] for one in many))
