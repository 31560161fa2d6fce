"""What the doors of database servers have in common: limits, drivers, what failures mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import NullPool

from doctor.errors import DoctorError, SourceError, UsageError

CONNECT_SECONDS = 5
READ_SECONDS = 10.0
READ_LOCK_SECONDS = 2.0
WRITE_SECONDS = 10.0
WRITE_LOCK_SECONDS = 5.0
GRACE_SECONDS = 2.0
"""How much later than the server itself a silent server is given up."""
IDLE_SECONDS = 30.0
"""A transaction whose doctor stands still is ended by the server after so long."""

PAST = {"read": "read", "write": "written"}
LOCKED = "another transaction holds the lock: end it, then try again"
UNREACHABLE = "start the server, or correct the host and port of the URL"
ACCOUNT = "correct the account in the database URL"
NAME = "correct the name of the database in the URL"
READ_ONLY = "name a server that takes writes, and an account that may write"
TOO_LONG = "ask when the server is less busy, or add an index to the column"
PERMISSION = "grant the account what is missing; doctor_applied, the marker, is a table of its own"

Failure = Callable[[str, str, sa.exc.DBAPIError], DoctorError]


def engine_of(url: URL, extra: str, **options: Any) -> Engine:
    """Return an engine that keeps no connection.

    Raises UsageError, naming the ``extra`` of this package, when the driver is not installed.
    """
    try:
        return sa.create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    except ImportError as error:
        raise UsageError(
            f"the driver of {extra} databases is not installed: {error}",
            hint=f"pip install 'run-doctor[{extra}]'",
        ) from error


def translating(failure: Failure) -> Callable[[str], AbstractContextManager[None]]:
    """Return a context that turns what a driver raises into errors of Doctor's own.

    ``failure`` is given what was done, the driver's words, and the error.
    """

    @contextmanager
    def translated(doing: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            words = " ".join(str(error.orig).split())
            raise failure(doing, words, error) from error
        except (sa.exc.SQLAlchemyError, UnicodeError, OverflowError, OSError) as error:
            raise SourceError(f"the database could not be {PAST[doing]}: {error}") from error

    return translated


def source_error(doing: str, words: str, hint: str | None = None) -> SourceError:
    """Return the error of a database that is there and did not do what it was asked."""
    return SourceError(f"the database could not be {PAST[doing]}: {words}", hint=hint)
