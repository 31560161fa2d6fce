"""Rows tried on PostgreSQL: what an INSERT could leave there behind its rollback is refused."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Row
from doctor.system.database.counters import below_all
from doctor.system.database.postgresql.catalog import obstacle as table_obstacle
from doctor.system.database.postgresql.intake import NEXT

_PARTS = """FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  AND n.nspname = :schema AND c.relname = :name
JOIN pg_catalog.pg_class p ON p.oid = c.oid
  OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid))
"""
_TRIGGERS = f"""SELECT t.tgname, l.lanname, f.prosrc
{_PARTS}
JOIN pg_catalog.pg_trigger t ON t.tgrelid = p.oid AND NOT t.tgisinternal
  AND t.tgenabled <> 'D' AND t.tgtype & 4 <> 0
JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = f.prolang"""
_RULES = f"""SELECT r.rulename
{_PARTS}
JOIN pg_catalog.pg_rewrite r ON r.ev_class = p.oid AND r.ev_type = '3'"""
_FUNCTIONS = f"""SELECT f.proname
{_PARTS}
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND (
  d.objid IN (SELECT a.oid FROM pg_catalog.pg_attrdef a WHERE a.adrelid = p.oid)
  OR d.objid IN (SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = p.oid)
  OR d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = p.oid))
JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid"""  # noqa: S608
_CALLED = re.compile(r"(\w+)\s*\(")
_DOING = re.compile(
    r"\b(insert|update|delete|merge|perform|execute|call|copy|truncate|select|notify|into|set)\b",
    re.IGNORECASE,
)
_HARMLESS = frozenset(
    (
        *("now", "coalesce", "lower", "upper", "trim", "btrim", "length", "nullif", "greatest"),
        *("least", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "left"),
        *("current_timestamp", "right", "replace", "round", "abs", "gen_random_uuid"),
        *("char_length", "numeric", "varchar", "char", "if", "elsif", "when", "and", "or"),
        *("not", "in"),
    )
)
_FAULTS = ("22", "23")
_MORE_FAULTS = ("42804", "428C9", "44000", "P0001")


class PostgresqlTrial:
    """What triggers, rules and functions of others may do is not followed."""

    def obstacle(self, connection: Connection, table: LiveTable) -> str | None:
        """Return what may write where a rollback does not reach."""
        where = {"schema": table.schema, "name": table.name}
        found = table_obstacle(connection, table.schema or "", table.name)
        if found is not None:
            return f"it {found}"
        rule = connection.scalar(sa.text(_RULES), where)
        if rule is not None:
            return f"the rule {rule!r} may do something else"
        for name, language, body in connection.execute(sa.text(_TRIGGERS), where).all():
            if language != "plpgsql" or not _is_harmless(body):
                return f"the trigger {name!r} may do what a rollback does not take back"
        function = connection.scalar(sa.text(_FUNCTIONS), where)
        if function is not None:
            return f"the function {function!r} may do what a rollback does not take back"
        return None

    def stand_ins(self, connection: Connection, table: LiveTable, intake: Intake, row: Row) -> Row:
        """Return numbers below all others: what is given takes none from a sequence."""
        for name, text in intake.defaults.items():
            if name not in row and "nextval" in text and not text.startswith(NEXT):
                raise SourceError(f"the default of {name} takes a number that is never given back")
        return below_all(connection, table, intake, intake.numbered - row.keys())

    def refusal(self, error: sa.exc.DBAPIError) -> str | None:
        """Return the message of a violated constraint or type."""
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if not state.startswith(_FAULTS) and state not in _MORE_FAULTS:
            return None
        told: Any = error.orig
        return str(told.diag.message_primary or told)


def overriding(statement: str) -> str:
    """Return an INSERT that may give a number to a column which is always numbered."""
    if not statement.startswith("INSERT INTO"):
        return statement
    return statement.replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)


def _is_harmless(body: str) -> bool:
    """Tell whether the text of a trigger only assigns, compares and raises."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/|'[^']*'", " ", body, flags=re.DOTALL)
    calls = {one.lower() for one in _CALLED.findall(text)}
    return _DOING.search(text) is None and calls <= _HARMLESS
