"""What Doctor remembers, room by room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from sqlalchemy.exc import DBAPIError

from doctor.store.approvals import Approvals
from doctor.store.budget import Budget
from doctor.store.evaluations import EvaluationRoom
from doctor.store.fixes import Fixes, Guard
from doctor.store.incidents import Incidents
from doctor.store.journal import Journal
from doctor.store.leases import Lease, Leases
from doctor.store.pins import Pins
from doctor.store.retention import Retention
from doctor.store.session import Session
from doctor.store.stops import Stops


class _ElsewhereError(Exception):
    """Carries an error of another database past our own handling."""

    def __init__(self, cause: DBAPIError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Store:
    """The rooms of one target's store. They may be used from many threads and processes."""

    def __init__(self, session: Session, lease: Lease | None = None) -> None:
        self._session = session
        self.journal = Journal(session)
        self.incidents = Incidents(session, self.journal)
        self.budget = Budget(session, self.journal)
        self.approvals = Approvals(session, self.journal)
        self.leases = Leases(session, self.journal)
        self.fixes = Fixes(session, self.journal, self.budget, self.approvals, self._guard(lease))
        self.evaluations = EvaluationRoom(session)
        self.retention = Retention(session, self.journal)
        self.pins = Pins(session)
        self.stops = Stops(session, self.journal, self.incidents)

    @property
    def url(self) -> str:
        """Where it is kept."""
        return self._session.url

    @property
    def target(self) -> str:
        """Whom it is about."""
        return self._session.target

    def under(self, lease: Lease) -> Store:
        """Return the same store for the holder of a lease.

        There each write of a fix raises LeaseLostError once another doctor has taken over.
        """
        return Store(self._session, lease)

    def now(self) -> datetime:
        """Return the time by the store's clock."""
        return self._session.clock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let everything that this thread writes meanwhile happen at once or not at all.

        Errors of another database pass through as they are.
        """
        try:
            with self._session.writing():
                try:
                    yield
                except DBAPIError as error:
                    raise _ElsewhereError(error) from None
        except _ElsewhereError as error:
            raise error.cause from None

    def close(self) -> None:
        """Let go of the files."""
        self._session.close()

    def _guard(self, lease: Lease | None) -> Guard:
        if lease is None:
            return lambda _connection: None
        return lambda connection: self.leases.confirm(connection, lease)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
