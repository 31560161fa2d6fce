"""Connections to a store, and its errors in Doctor's words."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, RootTransaction, create_engine, event
from sqlalchemy.exc import DBAPIError

from doctor.errors import DoctorError, SourceError, UsageError
from doctor.store.choice import shown_url
from doctor.store.identity import parsed_url, sqlite_path

_BEGIN = "doctor_begin"


def store_file(url: str) -> Path:
    """Return the file of a store; raises UsageError for engines that are not served yet."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise UsageError(
            f"the store {shown_url(url)!r} is not SQLite, which is all that stores may be yet",
            hint="write it as sqlite:///path/to/doctor.db",
        )
    return sqlite_path(parsed)


def connect(path: Path, busy_timeout: float) -> Engine:
    """Return an engine for ``beginning``; the file is never created here, ``create_file`` does."""

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?mode=rw",
            uri=True,
            timeout=busy_timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine(
        "sqlite+pysqlite://",
        creator=opened,
        poolclass=QueuePool,
        max_overflow=-1,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def beginning(connection: Connection, kind: str) -> RootTransaction:
    """Begin a transaction of a kind, e.g. IMMEDIATE, which waits for the write lock."""
    connection.info[_BEGIN] = kind
    return connection.begin()


def prefer_wal(engine: Engine) -> None:
    """Let readers and a writer work side by side where the file system can do that."""
    with closing(engine.raw_connection()) as connection, suppress(sqlite3.Error):
        connection.cursor().execute("PRAGMA journal_mode=WAL")


def is_in_transaction(connection: Connection) -> bool:
    """Tell whether the database still knows the transaction; a full disk ends it at once."""
    raw = connection.connection.driver_connection
    return raw is not None and bool(raw.in_transaction)


def in_our_words(error: DBAPIError, url: str) -> DoctorError:
    """Return what a database error means for whoever named the store."""
    cause = _first(error).orig
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    store, why = repr(shown_url(url)), str(cause)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return SourceError(
            f"the store {store} is locked by another program", hint="try again when it is done"
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}:
        return SourceError(f"the store {store} cannot be read or written now: {why}")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return UsageError(
            f"the store {store} cannot be opened or written: {why}",
            hint="name another one with --store",
        )
    return UsageError(f"the store {store} is damaged or not a store: {why}")


def _first(error: DBAPIError) -> DBAPIError:
    """Where the database undid everything, the error of undoing a part hides what happened."""
    cause: BaseException | None = error
    while cause is not None and "no such savepoint" in str(error.orig):
        cause = cause.__context__
        if isinstance(cause, DBAPIError):
            error = cause
    return error


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    del record
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA trusted_schema=OFF")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.info.pop(_BEGIN, 'DEFERRED')}")
