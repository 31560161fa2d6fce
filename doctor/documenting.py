"""The documentation of a database: put together from its sources, written into it on request."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from doctor.errors import UsageError
from doctor.model.documentation import Documentation, Place, Words
from doctor.model.system import System
from doctor.schema.documents import FILLED, gather, make_entries, read_descriptions
from doctor.treatment.pause import refuse_if_paused

if TYPE_CHECKING:
    from doctor.treatment.lease import Turn


class Written(NamedTuple):
    """How many entries of the documentation were added, changed and removed."""

    added: int
    changed: int
    removed: int


def document(system: System, descriptions: Path | None) -> Documentation:
    """Return the documentation of the system's database; raises as ``Doctor.document``.

    What was filled in before and stands in the database is kept; ``descriptions`` beat it.
    """
    door = system.database
    if door is None:
        raise UsageError("there is no database to document", hint="give --database")
    tables, stored = door.tables(), door.documentation()
    known = [one.name for one in tables]
    known += [f"{one.name}.{column.name}" for one in tables for column in one.columns]
    filled: dict[Place, Words] = {
        one.place: Words(one.description, one.origin)
        for one in stored or ()
        if one.description and one.origin.startswith(FILLED)
    }
    if descriptions is not None:
        filled |= read_descriptions(descriptions, known)
    sources, gaps = gather(system, door, filled)
    entries, more = make_entries(sources, door)
    every = (*gaps, *more)
    return Documentation(entries, sources.tables, sources.models, stored, every, sources.comments)


def write(turn: Turn, documentation: Documentation, now: datetime) -> Written:
    """Write what was put together, as the one doctor that may; raises as the Doctor's own."""
    store, door = turn.take()
    refuse_if_paused(store.target)
    with door.transaction() as transaction:
        written = Written(*transaction.document(documentation.entries, now.isoformat()))
    summary = (
        f"the documentation in the database was written: {written.added} added,"
        f" {written.changed} changed, {written.removed} removed"
    )
    data = {"entries": len(documentation.entries), "coverage": round(documentation.coverage, 4)}
    store.journal.append("documented", summary, data=data)
    return written
