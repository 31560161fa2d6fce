"""SQLite behind the database port: how it is opened, and what its errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from doctor.errors import SourceError, UsageError
from doctor.system.database.reading import CoreReadDoor
from doctor.system.database.sqlite_dialect import SqliteDialect

if TYPE_CHECKING:
    from doctor.system.database.trial import CoreTrialDoor
    from doctor.system.database.writing import CoreWriteDoor

READ_SECONDS = 10.0
STRUCTURE_SECONDS = 60.0
BUSY_SECONDS = 2.0
WRITE_BUSY_SECONDS = 5.0
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "foreign_key_list", "index_list"}
_PRAGMAS |= {"index_info", "index_xinfo", "database_list"}
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


def read_door(path: str) -> CoreReadDoor:
    """Return a door that refuses every statement but reads; it opens the file for each question.

    So no lock, no file and no view of the data outlives a question.
    """
    _require_database(path)
    deadline = _Deadline()

    def connect() -> sqlite3.Connection:
        connection = _open(path, _reading_mode(path), BUSY_SECONDS)
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_only_reading)
        connection.set_progress_handler(deadline.passed, 10_000)
        return connection

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
    )
    session, longer = _reading(engine, deadline), _reading(engine, deadline, STRUCTURE_SECONDS)
    return CoreReadDoor(engine, session=session, dialect=SqliteDialect(), structure=longer)


def write_door(path: str) -> CoreWriteDoor:
    """Return the write door; a transaction takes the database's write lock at its begin."""
    return door_on(_writing(path))


def trial_door(path: str) -> CoreTrialDoor:
    """Return the door that tries rows; references are checked whether or not the system does."""
    from doctor.system.database.sqlite_trial import SqliteTrial
    from doctor.system.database.trial import CoreTrialDoor

    engine = _writing(path, "PRAGMA foreign_keys = ON")
    return CoreTrialDoor(engine, translate=translated, dialect=SqliteDialect(), trial=SqliteTrial())


def _writing(path: str, *pragmas: str) -> Engine:
    """Return an engine whose transactions begin with the write lock."""
    _require_database(path)

    def connect() -> sqlite3.Connection:
        connection = _open(path, "rw", WRITE_BUSY_SECONDS)
        connection.isolation_level = None
        for one in pragmas:
            connection.execute(one)
        return connection

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
    )

    @sa.event.listens_for(engine, "begin")
    def begin_immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def door_on(engine: Engine) -> CoreWriteDoor:
    """Return the write door on an engine whose transactions begin with the write lock."""
    from doctor.system.database.writing import CoreWriteDoor

    return CoreWriteDoor(engine, translate=translated, dialect=SqliteDialect())


def _reading_mode(path: str) -> str:
    """Return how the file is opened to be read.

    A database in WAL mode that nobody uses is opened for writing: a read-only connection would
    create its -wal and -shm files and could not remove them. The authorizer refuses all the same.
    """
    with Path(path).open("rb") as stream:
        is_wal = stream.read(20)[18:] == b"\2\2"
    return "rw" if is_wal and not Path(f"{path}-wal").exists() else "ro"


def _open(path: str, mode: str, busy: float) -> sqlite3.Connection:
    uri = f"file:{quote(str(Path(path).absolute()))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=busy, check_same_thread=False)
    connection.text_factory = _text_or_bytes
    return connection


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _require_database(path: str) -> None:
    file = Path(path)
    try:
        if not file.exists():
            raise UsageError(f"there is no database file {path!r}")
        if not file.is_file():
            raise UsageError(f"{path!r} is not a file")
        with file.open("rb") as stream:
            header = stream.read(16)
    except OSError as error:
        raise UsageError(f"the database {path!r} cannot be read: {error.strerror}") from error
    if header and header != b"SQLite format 3\0":
        raise UsageError(f"{path!r} is not a SQLite database")


def _only_reading(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _READING:
        return sqlite3.SQLITE_OK
    name = (first or "").lower()
    if action == sqlite3.SQLITE_PRAGMA and name in _PRAGMAS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and name == "read_uncommitted" and second is None:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


class _Deadline:
    """When the question that is being asked must be given up."""

    def __init__(self) -> None:
        self.at = 0.0

    def passed(self) -> int:
        return int(time.monotonic() > self.at)


def _reading(
    engine: Engine, deadline: _Deadline, seconds: float | None = None
) -> Callable[[], AbstractContextManager[Connection]]:
    @contextmanager
    def session() -> Iterator[Connection]:
        deadline.at = time.monotonic() + (READ_SECONDS if seconds is None else seconds)
        with translated("read"), engine.connect() as connection:
            yield connection

    return session


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what SQLite raises into a SourceError that says what is wrong and what would help."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _source_error(str(error.orig), doing) from error
    except (sa.exc.SQLAlchemyError, OverflowError, UnicodeEncodeError, OSError) as error:
        raise SourceError(f"the database could not be {_PAST[doing]}: {error}") from error


_PAST = {"read": "read", "write": "written"}
_HINTS = {
    "read": "a killed writer left a journal: let the system open its database once, or copy it",
    "write": "let the user that runs Doctor write the file and its folder",
}


def _source_error(text: str, doing: str) -> SourceError:
    hint = None
    lowered = text.lower()
    if "locked" in lowered:
        hint = "another process holds the lock: end its transaction, then try again"
    elif "interrupted" in lowered:
        text = f"no answer within {READ_SECONDS:g} s"
    elif "malformed" in lowered or "corrupt" in lowered or "not a database" in lowered:
        hint = "restore the file from a backup, or try `sqlite3 FILE .recover`"
    elif "readonly" in lowered:
        hint = _HINTS[doing]
    elif "unable to open" in lowered:
        hint = "a database in WAL mode needs a folder that can be written: copy it elsewhere"
    return SourceError(f"the database could not be {_PAST[doing]}: {text}", hint=hint)
