"""Rows tried on SQLite: all that an INSERT does there, triggers included, is rolled back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Row


class SqliteTrial:
    """Triggers write to this file only, and its counters are rows of it."""

    def obstacle(self, _connection: Connection, _table: LiveTable) -> None:
        """Return None."""

    def stand_ins(
        self, _connection: Connection, _table: LiveTable, _intake: Intake, _row: Row
    ) -> Row:
        """Return none."""
        return {}

    def refusal(self, error: sa.exc.DBAPIError) -> str | None:
        """Return what is said of constraints; triggers that refuse a row speak this way too."""
        return str(error.orig) if isinstance(error, sa.exc.IntegrityError) else None
