"""Rows tried on MariaDB: what an INSERT could leave there behind its rollback is refused."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Row
from doctor.system.database.counters import below_all
from doctor.system.database.mariadb.catalog import insert_obstacle

# NULL, no default, cut or wrong values, duplicates, references, conditions, what triggers say.
_FAULTS = (
    *(1048, 1364, 1264, 1265, 1292, 1366, 1406, 1062, 1169, 1216, 1452, 4025, 3819, 1644, 1906),
)


class MariadbTrial:
    """Only InnoDB rolls back, and what triggers write elsewhere is not followed."""

    def obstacle(self, connection: Connection, table: LiveTable) -> str | None:
        """Return what may write where a rollback does not reach."""
        return insert_obstacle(connection, table.schema or "", table.name)

    def stand_ins(self, connection: Connection, table: LiveTable, intake: Intake, row: Row) -> Row:
        """Return numbers that do not move the counter of the table."""
        for name, text in intake.defaults.items():
            if name not in row and name not in intake.numbered and "nextval(" in text.lower():
                raise SourceError(f"the default of {name} takes a number that is never given back")
        return below_all(connection, table, intake, intake.numbered - row.keys())

    def refusal(self, error: sa.exc.DBAPIError) -> str | None:
        """Return the message of a violated constraint or type."""
        told: tuple[Any, ...] = getattr(error.orig, "args", ())
        number = told[0] if len(told) > 1 else 0
        return str(told[1]) if number in _FAULTS else None
