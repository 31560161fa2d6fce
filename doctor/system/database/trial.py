"""Tries a row on the database itself and takes it back: nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import SourceError
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Row
from doctor.system.database.dialect import Dialect, clause_of


class Trial(Protocol):
    """What one engine needs so that an INSERT leaves nothing behind."""

    def obstacle(self, connection: Connection, table: LiveTable) -> str | None:
        """Return what of an INSERT could not be taken back, None where all of it can."""

    def stand_ins(self, connection: Connection, table: LiveTable, intake: Intake, row: Row) -> Row:
        """Return values for columns that would take a number from a counter that only goes up.

        Raises SourceError where there is none to be had.
        """

    def refusal(self, error: sa.exc.DBAPIError) -> str | None:
        """Return the database's words against a row, None where it was not the row's fault."""


class CoreTrialDoor:
    """Opens one transaction for each row, and always rolls it back."""

    def __init__(
        self,
        engine: Engine,
        *,
        translate: Callable[[str], AbstractContextManager[None]],
        dialect: Dialect,
        trial: Trial,
        limit: Callable[[Connection], object] = id,
    ):
        self._engine = engine
        self._translate = translate
        self._dialect = dialect
        self._trial = trial
        self._limit = limit

    def refusal(self, table: LiveTable, row: Row) -> str | None:
        """Return what the database says against a row, None where it takes it.

        Raises SourceError where it cannot be tried, or not without leaving something.
        """
        with self._translate("write"), self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                return self._tried(connection, table, row)
            finally:
                transaction.rollback()

    def _tried(self, connection: Connection, table: LiveTable, row: Row) -> str | None:
        self._limit(connection)
        obstacle = self._trial.obstacle(connection, table)
        if obstacle is not None:
            raise SourceError(f"no row of {table.name} is tried: {obstacle}")
        intake = self._dialect.intake(connection, table)
        whole = {**row, **self._trial.stand_ins(connection, table, intake, row)}
        clause = clause_of(table, self._dialect.schema(connection))
        values = {clause.c[name]: self._dialect.bound(value) for name, value in whole.items()}
        try:
            connection.execute(sa.insert(clause).values(values))
        except sa.exc.DBAPIError as error:
            words = self._trial.refusal(error)
            if words is None:
                raise
            return words
        return None
