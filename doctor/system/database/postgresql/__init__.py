"""PostgreSQL behind the database port: how it is opened, with which limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from doctor.system.database import server
from doctor.system.database.asking import Session
from doctor.system.database.postgresql.dialect import PostgresqlDialect
from doctor.system.database.postgresql.failures import translated
from doctor.system.database.postgresql.silence import connecting
from doctor.system.database.reading import CoreReadDoor

if TYPE_CHECKING:
    from doctor.system.database.trial import CoreTrialDoor
    from doctor.system.database.writing import CoreWriteDoor

LOCK_CLASS = 0x446F6374
_SAME_SPELLING = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmloption": "content",
    "row_security": "off",
}
_SYNCHRONOUS = """SELECT set_config('synchronous_commit', 'on', true)
WHERE current_setting('synchronous_commit') = 'off'"""


def read_door(url: URL) -> CoreReadDoor:
    """Return a door whose transactions are read-only; each question has its own connection."""
    engine = _engine(url, server.READ_SECONDS, read_only=True)

    plain = _engine(url, server.READ_SECONDS, read_only=True, stored=False)

    def session_on(engine: Engine) -> Session:
        @contextmanager
        def session() -> Iterator[Connection]:
            with translated("read"), engine.connect() as connection:
                _limit(connection, server.READ_SECONDS, server.READ_LOCK_SECONDS)
                yield connection

        return session

    return CoreReadDoor(
        engine, session=session_on(engine), dialect=PostgresqlDialect(), structure=session_on(plain)
    )


def write_door(url: URL, *, create_marker: bool) -> CoreWriteDoor:
    """Return the write door; its transactions exclude each other by an advisory lock.

    Creating the marker's table is a part of them, so nobody is asked about it.
    """
    del create_marker
    from doctor.system.database.writing import CoreWriteDoor

    dialect = PostgresqlDialect()

    def lock(connection: Connection) -> None:
        _limit(connection, server.WRITE_SECONDS, server.WRITE_LOCK_SECONDS)
        key = zlib.crc32(dialect.schema(connection).encode()) - 2**31
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_CLASS, key)))
        connection.exec_driver_sql(_SYNCHRONOUS)
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    engine = _engine(url, server.WRITE_SECONDS, read_only=None)
    return CoreWriteDoor(engine, translate=translated, dialect=dialect, lock=lock)


def trial_door(url: URL) -> CoreTrialDoor:
    """Return the door that tries rows; every constraint is asked at once."""
    from doctor.system.database.postgresql.trial import PostgresqlTrial, overriding
    from doctor.system.database.trial import CoreTrialDoor

    engine = _engine(url, server.READ_SECONDS, read_only=None)

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def override(*given: Any) -> tuple[str, Any]:
        return overriding(given[2]), given[3]

    def limit(connection: Connection) -> None:
        _limit(connection, server.READ_SECONDS, server.READ_LOCK_SECONDS)
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    return CoreTrialDoor(
        engine,
        translate=translated,
        dialect=PostgresqlDialect(),
        trial=PostgresqlTrial(),
        limit=limit,
    )


def _engine(url: URL, seconds: float, *, read_only: bool | None, stored: bool = True) -> Engine:
    """Return the engine; values come as they are ``stored``, else as the driver has them."""
    from doctor.system.database.postgresql.values import stored_values

    values = stored_values()
    options: dict[str, Any] = {"prepare_threshold": None}
    if stored:
        options["context"] = values
    options["fallback_application_name"] = "doctor"
    if "connect_timeout" not in url.query:
        options["connect_timeout"] = server.CONNECT_SECONDS
    engine = server.engine_of(
        url.set(drivername="postgresql+psycopg"),
        "postgresql",
        connect_args=options,
        use_native_hstore=False,
        isolation_level="READ COMMITTED",
    )

    connect = connecting(seconds + server.GRACE_SECONDS)

    @sa.event.listens_for(engine, "do_connect")
    def connects(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        return connect(*arguments, **options)

    @sa.event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.read_only = read_only

    return engine


def _limit(connection: Connection, seconds: float, lock_seconds: float) -> None:
    settings = {
        **_SAME_SPELLING,
        "statement_timeout": f"{seconds * 1000:.0f}",
        "lock_timeout": f"{lock_seconds * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{server.IDLE_SECONDS * 1000:.0f}",
    }
    made = [sa.func.set_config(name, value, sa.true()) for name, value in settings.items()]
    connection.execute(sa.select(*made))
