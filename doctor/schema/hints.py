"""Evidence for a replacement beside mappings and folding: the project's history, the row itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from doctor.errors import SourceError
from doctor.model.diagnosis import Subject
from doctor.model.ports import ReadDoor
from doctor.model.schema import LiveTable, Row
from doctor.model.system import System
from doctor.schema.likeness import MOST_ROWS, likely_value
from doctor.schema.replacement import Hint
from doctor.system.code.migrations import Renaming, renamings

MOST_STEPS = 5


@dataclass(slots=True)
class _Read:
    """What was read once for the questions of one door."""

    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    renamings: tuple[Renaming, ...] | None = None


_kept: WeakKeyDictionary[ReadDoor, _Read] = WeakKeyDictionary()


def replacement_hints(subject: Subject, system: System) -> tuple[Hint, ...]:
    """Return what speaks for one of the valid values of ``subject``, the strongest first.

    None of it makes a repair certain. What cannot be read speaks for nothing.
    """
    if not isinstance(subject.value, str):
        return ()
    return (*_of_history(subject, subject.value, system), *_of_row(subject, system))


def _of_history(subject: Subject, value: str, system: System) -> Iterator[Hint]:
    if system.project is None or system.database is None:
        return
    read = _kept.setdefault(system.database, _Read())
    if read.renamings is None:
        read.renamings = renamings(system.project)
    known = [
        one for one in read.renamings if (one.table, one.column) == (subject.table, subject.column)
    ]
    for first in known:
        if first.old != value:
            continue
        new = first.new
        for _ in range(MOST_STEPS):
            if new in subject.valid:
                break
            new = next((one.new for one in known if one.old == new), new)
        if new in subject.valid:
            yield Hint(new, f"a data migration says so at {first.location}")


def _of_row(subject: Subject, system: System) -> Iterator[Hint]:
    door = system.database
    if door is None or not subject.key:
        return
    try:
        table = next((one for one in door.tables() if one.name == subject.table), None)
        if table is None:
            return
        own = door.rows(table, subject.key, limit=1)
        rows = _sample(door, table)
    except SourceError:
        return
    if own:
        leave_out = (*table.primary_key, *(c for one in table.foreign_keys for c in one.columns))
        found = likely_value(own[0], subject.column, rows, subject.valid, leave_out)
        if found is not None:
            yield Hint(*found)


def _sample(door: ReadDoor, table: LiveTable) -> tuple[Row, ...]:
    """Return rows of a table, read once for each door."""
    known = _kept.setdefault(door, _Read()).rows
    if table.name not in known:
        known[table.name] = door.rows(table, {}, limit=MOST_ROWS)
    return known[table.name]
