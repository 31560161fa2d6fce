"""What MariaDB does by itself with a new row, from its information schema."""

from __future__ import annotations

import re
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.insertion import Check, Intake

_SAME = """table_schema = :schema AND table_name = :name
  AND BINARY table_schema = BINARY :schema AND BINARY table_name = BINARY :name"""
_COLUMNS = f"""SELECT column_name, column_default, extra, column_type
FROM information_schema.columns WHERE {_SAME}"""  # noqa: S608
_UNIQUE = f"""SELECT index_name, column_name, sub_part FROM information_schema.statistics
WHERE {_SAME} AND non_unique = 0 ORDER BY index_name, seq_in_index"""  # noqa: S608
_CHECKS = """SELECT constraint_name, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = :schema AND table_name = :name
  AND BINARY constraint_schema = BINARY :schema AND BINARY table_name = BINARY :name"""
_LABEL = re.compile(r"'((?:[^']|'')*)'")


def read_intake(connection: Connection, schema: str, name: str) -> Intake:
    """Return defaults, numbered and computed columns, what is unique, conditions, labels."""
    where = {"schema": schema, "name": name}
    columns = [
        (column, default, str(extra).lower(), kind)
        for column, default, extra, kind in connection.execute(sa.text(_COLUMNS), where)
    ]
    unique: dict[str, list[str]] = defaultdict(list)
    cut: set[str] = set()
    for index, column, part in connection.execute(sa.text(_UNIQUE), where):
        unique[index].append(column)
        cut |= {index} if part is not None else set()
    return Intake(
        defaults={
            column: str(default)
            for column, default, extra, _ in columns
            if default not in (None, "NULL") and "generated" not in extra
        },
        numbered=frozenset(
            column
            for column, default, extra, _ in columns
            if "auto_increment" in extra or str(default).lower().startswith("nextval(")
        ),
        computed=frozenset(column for column, _, extra, _ in columns if "generated" in extra),
        unique=tuple(tuple(many) for index, many in unique.items() if index not in cut),
        checks=tuple(
            Check(check, text) for check, text in connection.execute(sa.text(_CHECKS), where)
        ),
        labels={
            column: tuple(one.replace("''", "'") for one in _LABEL.findall(kind))
            for column, _, _, kind in columns
            if kind.startswith("enum(")
        },
    )
