"""Numbers for columns that the database would number from a counter that never goes back."""

from __future__ import annotations

import re
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Row
from doctor.system.database.dialect import clause_of, type_of


def below_all(
    connection: Connection, table: LiveTable, intake: Intake, names: Collection[str]
) -> Row:
    """Return a number below zero and below all others for each of these columns.

    Raises SourceError where the column, or a condition on it, takes none.
    """
    clause = clause_of(table, table.schema)
    found: dict[str, int] = {}
    for name in names:
        if "unsigned" in type_of(table, name):
            found[name] = _free(connection, clause, name)
            continue
        if any(re.search(rf"\b{re.escape(name)}\b", one.text) for one in intake.checks):
            raise SourceError(f"{name} is numbered, and a condition says which numbers are right")
        lowest = connection.scalar(sa.select(sa.func.min(clause.c[name])))
        found[name] = min(int(lowest or 0), 0) - 1
    return found


def _free(connection: Connection, clause: sa.TableClause, name: str) -> int:
    """Return a number between others that no row has: it does not move the counter."""
    other = clause.alias()
    here = clause.c[name]
    taken = sa.exists().where(other.c[name] == here - 1)
    query = sa.select(here - 1).where(here > 1, ~taken).limit(1)
    found = connection.scalar(query)
    if found is None:
        raise SourceError(f"{name} is numbered, and trying a row would use a number up")
    return int(found)
