"""What PostgreSQL's errors mean, and what would help."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from doctor.errors import DoctorError, UsageError
from doctor.system.database import server

_HINTS = {
    "55P03": server.LOCKED,
    "40P01": server.LOCKED,
    "57014": server.TOO_LONG,
    "25006": server.READ_ONLY,
    "42501": server.PERMISSION,
    "53300": "let the server take more connections, or end some",
    "42P22": "two columns that refer to each other have different collations",
    "25P03": "the transaction stood still too long and was ended by the server",
}
_USAGE = (
    (re.compile(r"password authentication failed|no password supplied"), server.ACCOUNT),
    (re.compile(r"role .* does not exist|no pg_hba\.conf entry|is not permitted to log in"),
     server.ACCOUNT),
    (re.compile(r"database .* does not exist|permission denied for database"), server.NAME),
    (re.compile(r"invalid (?:connection option|integer value|\w+ value)|invalid URI"),
     "keep only what psycopg understands behind the ? of the URL"),
)  # fmt: skip
_PLACE = re.compile(r"connection failed: |FATAL:\s*")


def _failure(doing: str, words: str, error: sa.exc.DBAPIError) -> DoctorError:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        words = _PLACE.sub("", words)
        for pattern, hint in _USAGE:
            if pattern.search(words):
                return UsageError(f"the database cannot be used: {words}", hint=hint)
        is_new = "connection" in words or "could not translate" in words
        return server.source_error(doing, words, server.UNREACHABLE if is_new else None)
    return server.source_error(doing, _primary(error.orig) or words, _HINTS.get(state))


def _primary(error: Any) -> str | None:
    """Return the message alone: its details may repeat whole rows."""
    found = error.diag.message_primary
    return found if isinstance(found, str) else None


translated = server.translating(_failure)
