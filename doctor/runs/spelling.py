"""A run's uuid in the spelling that the database has: with dashes or without."""

from __future__ import annotations

import re
from contextlib import suppress
from uuid import UUID

from doctor.errors import SourceError
from doctor.model.layout import as_key
from doctor.model.system import System

_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def stored_spelling(system: System, run: str) -> str | None:
    """Return the other spelling of ``run`` that the run table has, None for none."""
    if not _UUID.fullmatch(run) or system.database is None or system.layout is None:
        return None
    top = system.layout.run
    spellings = (str(UUID(run)), UUID(run).hex, UUID(run).hex.upper(), str(UUID(run)).upper())
    with suppress(SourceError):
        for one in spellings:
            where = {top.via: as_key(top.table, top.via, one)}
            if one != run and system.database.count(top.table, where):
                return one
    return None
