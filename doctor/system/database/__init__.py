"""The database port: a read door that cannot write, and the one write door."""

from __future__ import annotations

import re
from types import ModuleType

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from doctor.errors import UsageError
from doctor.model.ports import ReadDoor, TrialDoor, WriteDoor
from doctor.system.database import sqlite

__all__ = ["open_read_door", "open_trial_door", "open_write_door"]


def open_read_door(url: str) -> ReadDoor:
    """Open the read door of ``url``; nothing is opened before the first question.

    Raises UsageError when the URL cannot be used, names a file that is not there, or needs a
    driver that is not installed.
    """
    parsed = _parsed(url)
    engine = _engine(parsed)
    if engine is sqlite:
        return sqlite.read_door(_sqlite_path(parsed))
    door: ReadDoor = engine.read_door(_server_url(parsed))
    return door


def open_write_door(url: str, *, create_marker: bool = False) -> WriteDoor:
    """Return the write door of ``url``; it opens the database for each transaction.

    Where creating a table is no part of a transaction the marker's is created only if
    ``create_marker`` says so.
    """
    parsed = _parsed(url)
    engine = _engine(parsed)
    if engine is sqlite:
        return sqlite.write_door(_sqlite_path(parsed))
    door: WriteDoor = engine.write_door(_server_url(parsed), create_marker=create_marker)
    return door


def open_trial_door(url: str) -> TrialDoor:
    """Return the door of ``url`` that tries rows and takes them back."""
    parsed = _parsed(url)
    engine = _engine(parsed)
    if engine is sqlite:
        return sqlite.trial_door(_sqlite_path(parsed))
    door: TrialDoor = engine.trial_door(_server_url(parsed))
    return door


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r"//.*@", "//", url)
        raise UsageError(
            f"{shown!r} is not a database URL", hint="write it as sqlite:///path/to/file.db"
        ) from None


def _engine(url: URL) -> ModuleType:
    """Return the module of the engine; each is imported only where it is used."""
    name = url.get_backend_name()
    if name == "sqlite":
        return sqlite
    if name in ("postgresql", "postgres"):
        from doctor.system.database import postgresql

        return postgresql
    if name in ("mariadb", "mysql"):
        from doctor.system.database import mariadb

        return mariadb
    raise UsageError(
        f"databases of kind {name!r} are not supported",
        hint="use a sqlite:///, postgresql:// or mariadb:// URL",
    )


def _server_url(url: URL) -> URL:
    if not url.database:
        shown = url.set(query={}).render_as_string()
        raise UsageError(f"{shown!r} names no database", hint="write it as engine://user@host/NAME")
    return url


def _sqlite_path(url: URL) -> str:
    if not url.database or url.database == ":memory:":
        raise UsageError("a database in memory cannot be examined from another process")
    return url.database
