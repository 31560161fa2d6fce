"""The database port: a read door that cannot write, and the one write door."""

from __future__ import annotations

import re

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from doctor.errors import UsageError
from doctor.model.ports import ReadDoor, WriteDoor
from doctor.system.database import sqlite

__all__ = ["open_read_door", "open_write_door"]


def open_read_door(url: str) -> ReadDoor:
    """Open the read door of ``url``; nothing is opened before the first question.

    Raises UsageError when the URL cannot be used or names a file that is not there.
    """
    return sqlite.read_door(_sqlite_path(url))


def open_write_door(url: str) -> WriteDoor:
    """Return the write door of ``url``; it opens the database for each transaction."""
    return sqlite.write_door(_sqlite_path(url))


def _sqlite_path(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r"//.*@", "//", url)
        raise UsageError(
            f"{shown!r} is not a database URL", hint="write it as sqlite:///path/to/file.db"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise UsageError(
            f"databases of kind {parsed.get_backend_name()!r} are not supported yet",
            hint="use a sqlite:/// URL",
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UsageError("a database in memory cannot be examined from another process")
    return parsed.database
