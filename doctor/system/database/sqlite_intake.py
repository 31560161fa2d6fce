"""What SQLite does by itself with a new row, from its pragmas and the text of the table."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.insertion import Check, Intake
from doctor.model.schema import LiveTable

_GENERATED = (2, 3)


def read_intake(connection: Connection, table: LiveTable) -> Intake:
    """Return defaults, numbered and computed columns, what is unique, and conditions."""
    columns = _pragma(connection, "table_xinfo", table.name)
    indexes = _pragma(connection, "index_list", table.name)
    kind = next(iter(_pragma(connection, "table_list", table.name)), None)
    unique = [
        tuple(part["name"] for part in _pragma(connection, "index_info", one["name"]))
        for one in indexes
        if one["unique"] and not one["partial"]
    ]
    is_alias = not (kind and kind["wr"]) and all(one["origin"] != "pk" for one in indexes)
    keys = [one for one in columns if one["pk"]]
    numbered = {one["name"] for one in keys if one["type"].upper() == "INTEGER"}
    checks = sa.inspect(connection).get_check_constraints(table.name)
    return Intake(
        defaults={one["name"]: one["dflt_value"] for one in columns if one["dflt_value"]},
        numbered=frozenset(numbered if is_alias and len(keys) == 1 else ()),
        computed=frozenset(one["name"] for one in columns if one["hidden"] in _GENERATED),
        unique=tuple(one for one in (table.primary_key, *unique) if one and None not in one),
        checks=tuple(Check(str(one["name"] or ""), str(one["sqltext"])) for one in checks),
        strict=bool(kind and kind["strict"]),
    )


def _pragma(connection: Connection, pragma: str, name: str) -> list[dict[str, Any]]:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name).replace("%", "%%")
    found = connection.exec_driver_sql(f"PRAGMA {pragma}({quoted})")
    return [dict(one) for one in found.mappings()]
