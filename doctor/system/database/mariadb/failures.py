"""What MariaDB's errors mean, and what would help."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from doctor.errors import DoctorError, UsageError
from doctor.system.database import server

_USAGE = {
    1045: server.ACCOUNT,
    1698: server.ACCOUNT,
    1044: server.NAME,
    1049: server.NAME,
}
_HINTS = {
    1205: server.LOCKED,
    1213: server.LOCKED,
    1969: server.TOO_LONG,
    1193: "only MariaDB is supported, and only 10.3 or newer",
    1290: server.READ_ONLY,
    1792: server.READ_ONLY,
    1142: server.PERMISSION,
    1143: server.PERMISSION,
    1370: server.PERMISSION,
    1040: "let the server take more connections, or end some",
    2003: server.UNREACHABLE,
    2006: server.UNREACHABLE,
    2013: server.UNREACHABLE,
    4031: "the transaction stood still too long and was ended by the server",
}


def _failure(doing: str, words: str, error: sa.exc.DBAPIError) -> DoctorError:
    told: tuple[Any, ...] = getattr(error.orig, "args", ())
    number = told[0] if len(told) > 1 and isinstance(told[0], int) else 0
    words = " ".join(str(told[1]).split()) if number else words
    if number in _USAGE:
        return UsageError(f"the database cannot be used: {words}", hint=_USAGE[number])
    return server.source_error(doing, words, _HINTS.get(number))


translated = server.translating(_failure)
