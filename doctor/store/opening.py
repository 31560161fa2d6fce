"""Opening a store, and making one where there is none."""

from __future__ import annotations

import os
import secrets
import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, overload

from sqlalchemy import Connection, Engine, insert, inspect
from sqlalchemy.exc import DBAPIError

from doctor.errors import UsageError
from doctor.store.anchor import NO_HEAD, Anchor
from doctor.store.choice import shown_url
from doctor.store.engine import beginning, connect, in_our_words, prefer_wal, store_file
from doctor.store.identity import state_folder
from doctor.store.journal import HEAD
from doctor.store.meta import get_meta, put_meta
from doctor.store.serial import canonical
from doctor.store.session import Session
from doctor.store.store import Store
from doctor.store.tables import SCHEMA_VERSION, SINCE, journal, meta, metadata
from doctor.store.uptime import Uptime, no_uptime

_VERSION = "doctor_schema"
_NAME = "store_id"
_BUSY_TIMEOUT = 5.0


def random_id(prefix: str) -> str:
    """Return an id that a person can read aloud, e.g. ``I-7f3a9c2e``."""
    return f"{prefix}-{secrets.token_hex(4)}"


@overload
def open_store(
    url: str,
    clock: Callable[[], datetime],
    *,
    target: str,
    create: Literal[True],
    new_id: Callable[[str], str] = ...,
    busy_timeout: float = ...,
    uptime: Callable[[], Uptime | None] = ...,
) -> Store: ...
@overload
def open_store(
    url: str,
    clock: Callable[[], datetime],
    *,
    target: str,
    create: bool,
    new_id: Callable[[str], str] = ...,
    busy_timeout: float = ...,
    uptime: Callable[[], Uptime | None] = ...,
) -> Store | None: ...
def open_store(
    url: str,
    clock: Callable[[], datetime],
    *,
    target: str,
    create: bool,
    new_id: Callable[[str], str] = random_id,
    busy_timeout: float = _BUSY_TIMEOUT,
    uptime: Callable[[], Uptime | None] = no_uptime,
) -> Store | None:
    """Open what Doctor remembers about ``target``; close it after use.

    Without ``create`` nothing is ever written here, and a store that does not exist is None.
    ``clock`` returns aware times; ``busy_timeout`` is in seconds; with ``uptime`` no jump of the
    clock moves windows and deadlines. Raises UsageError for what is no store, is damaged, newer
    than this version or not writable, SourceError for a locked one.
    """
    path = store_file(url)
    if create:
        _create_file(path, url)
    elif not _exists(path, url):
        return None
    engine = connect(path, busy_timeout)
    try:
        name = _ready(engine, url, create=create)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, DBAPIError):
            raise in_our_words(error, url) from None
        raise
    if name is None:
        engine.dispose()
        return None
    anchor = Anchor(state_folder() / "heads" / f"{name}.json")
    session = Session(engine, url, target, clock, new_id, anchor, uptime)
    store = Store(session)
    weakref.finalize(store, engine.dispose)
    return store


def _create_file(path: Path, url: str) -> None:
    """An empty file is an empty database: the tables come in one transaction."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise UsageError(
            f"the store {shown_url(url)!r} cannot be created or written: "
            f"{os.strerror(error.errno or 0)}",
            hint="name another one with --store",
        ) from None


def _exists(path: Path, url: str) -> bool:
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UsageError(
            f"the store {shown_url(url)!r} cannot be opened: {os.strerror(error.errno or 0)}"
        ) from None


def _ready(engine: Engine, url: str, *, create: bool) -> str | None:
    """Return the name of the store in this file, or None where there is none."""
    with engine.connect() as connection, connection.begin():
        found = _check(connection, url)
        is_old = found is not None and _schema(connection) < SCHEMA_VERSION
    if create and (found is None or is_old):
        with engine.connect() as connection, beginning(connection, "IMMEDIATE"):
            found = _check(connection, url) or _build(connection)
            _upgrade(connection)
    if create:
        prefer_wal(engine)
    return found


def _build(connection: Connection) -> str:
    metadata.create_all(connection)
    for action in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER journal_no_{action.lower()} BEFORE {action} ON {journal.name} "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    name = secrets.token_hex(8)
    connection.execute(
        insert(meta),
        [
            {"name": _VERSION, "value": str(SCHEMA_VERSION)},
            {"name": _NAME, "value": name},
            {"name": HEAD, "value": canonical([NO_HEAD.seq, NO_HEAD.hash])},
        ],
    )
    return name


def _upgrade(connection: Connection) -> None:
    """Bring a store of an older version up to this one: every newer version only added tables."""
    version = _schema(connection)
    if version < SCHEMA_VERSION:
        for table in metadata.sorted_tables:
            if table.info.get(SINCE, 1) > version:
                table.create(connection, checkfirst=True)
        put_meta(connection, _VERSION, str(SCHEMA_VERSION))


def _schema(connection: Connection) -> int:
    return int(get_meta(connection, _VERSION) or SCHEMA_VERSION)


def _check(connection: Connection, url: str) -> str | None:
    """Return the name of the store, or None for an empty database."""
    columns = _columns(connection)
    if not columns:
        return None
    store = repr(shown_url(url))
    known = {"name", "value"} <= columns.get("meta", set())
    version = get_meta(connection, _VERSION) if known else None
    if version is None or not version.isdecimal():
        raise UsageError(
            f"{store} is a database, but not a store of doctor",
            hint="name another one with --store",
        )
    if int(version) > SCHEMA_VERSION:
        raise UsageError(
            f"the store {store} was written by a newer version of doctor "
            f"(schema {version}, this one knows {SCHEMA_VERSION})",
            hint="pip install --upgrade run-doctor",
        )
    for table in metadata.sorted_tables:
        if table.info.get(SINCE, 1) > int(version):
            continue  # it comes when the store is written to
        missing = {column.name for column in table.columns} - columns.get(table.name, set())
        if missing:
            raise UsageError(
                f"the store {store} is damaged: table {table.name!r} lacks {sorted(missing)}"
            )
    name = get_meta(connection, _NAME)
    if name is None or not name.isalnum():
        raise UsageError(f"the store {store} is damaged: it has no name")
    return name


def _columns(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }
