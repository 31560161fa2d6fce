"""MariaDB behind the database port: how it is opened, with which limits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from doctor.errors import SourceError
from doctor.system.database import server
from doctor.system.database.mariadb.dialect import MariadbDialect
from doctor.system.database.mariadb.failures import translated
from doctor.system.database.reading import CoreReadDoor

if TYPE_CHECKING:
    from doctor.system.database.trial import CoreTrialDoor
    from doctor.system.database.writing import CoreWriteDoor

STRICT = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_LENIENT = "NO_ENGINE_SUBSTITUTION"
# The cache of subqueries takes 'A' for 'a' where the column does, whatever the question compares.
_SAME_SPELLING = "SET SESSION time_zone = '+00:00', optimizer_switch = 'subquery_cache=off', \
max_statement_time = {seconds:g}, lock_wait_timeout = {lock:.0f}, \
innodb_lock_wait_timeout = {lock:.0f}, idle_transaction_timeout = {idle:.0f}"


def read_door(url: URL) -> CoreReadDoor:
    """Return a door whose transactions are read-only; each question has its own connection."""
    engine = _engine(url, _LENIENT, server.READ_SECONDS)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _limit(connection, server.READ_SECONDS, server.READ_LOCK_SECONDS)
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")

    @contextmanager
    def session() -> Iterator[Connection]:
        with translated("read"), engine.connect() as connection:
            yield connection

    return CoreReadDoor(engine, session=session, dialect=MariadbDialect())


def write_door(url: URL, *, create_marker: bool) -> CoreWriteDoor:
    """Return the write door; its transactions exclude each other by a lock with a name."""
    from doctor.system.database.writing import CoreWriteDoor

    engine = _engine(url, STRICT, server.WRITE_SECONDS)
    dialect = MariadbDialect(create_marker=create_marker)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _limit(connection, server.WRITE_SECONDS, server.WRITE_LOCK_SECONDS)

    def lock(connection: Connection) -> None:
        digest = hashlib.sha256(dialect.schema(connection).encode()).hexdigest()[:32]
        wanted = sa.select(sa.func.get_lock(f"doctor:{digest}", server.WRITE_LOCK_SECONDS))
        if connection.scalar(wanted) != 1:
            raise SourceError(
                "the database could not be written: another doctor holds its lock",
                hint=server.LOCKED,
            )

    def unlock(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.cursor().execute("SELECT RELEASE_ALL_LOCKS()")
            raw.rollback()

    return CoreWriteDoor(engine, translate=translated, dialect=dialect, lock=lock, unlock=unlock)


def trial_door(url: URL) -> CoreTrialDoor:
    """Return the door that tries rows, as strictly as the server can."""
    from doctor.system.database.mariadb.trial import MariadbTrial
    from doctor.system.database.trial import CoreTrialDoor

    engine = _engine(url, STRICT, server.READ_SECONDS)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _limit(connection, server.READ_SECONDS, server.READ_LOCK_SECONDS)

    return CoreTrialDoor(
        engine, translate=translated, dialect=MariadbDialect(), trial=MariadbTrial()
    )


def _engine(url: URL, mode: str, seconds: float) -> Engine:
    from doctor.system.database.mariadb.values import stored_values

    options: dict[str, Any] = {"conv": stored_values(), "charset": "utf8mb4"}
    options |= {"use_unicode": True, "local_infile": False, "program_name": "doctor"}
    options["sql_mode"] = mode
    options |= dict.fromkeys(("read_timeout", "write_timeout"), seconds + server.GRACE_SECONDS)
    if "connect_timeout" not in url.query:
        options["connect_timeout"] = server.CONNECT_SECONDS
    engine = server.engine_of(url.set(drivername="mysql+pymysql"), "mariadb", connect_args=options)

    @sa.event.listens_for(engine, "do_connect")
    def connects(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        from doctor.system.database.mariadb.connection import QuickConnection

        return QuickConnection(*arguments, **options)

    return engine


def _limit(connection: Connection, seconds: float, lock_seconds: float) -> None:
    connection.exec_driver_sql(
        _SAME_SPELLING.format(seconds=seconds, lock=lock_seconds, idle=server.IDLE_SECONDS)
    )
    connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
