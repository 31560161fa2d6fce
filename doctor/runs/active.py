"""Counts the runs that are not over yet."""

from __future__ import annotations

from doctor.errors import SourceError
from doctor.model.layout import Member
from doctor.model.system import System


def count_active(system: System) -> int | None:
    """Return how many runs stand in no terminal state; None where that cannot be told."""
    if system.database is None or system.layout is None or not system.terminal:
        return None
    run, database = system.layout.run, system.database
    try:
        columns = _state_columns(system, run)
        over = [
            database.count(run.table, {column: state})
            for column in columns
            for state in sorted(system.terminal)
        ]
        return database.count(run.table, {}) - sum(over) if columns else None
    except SourceError:
        return None


def _state_columns(system: System, run: Member) -> list[str]:
    """Return the enum columns of the run table that know a terminal state."""
    declared = system.code.models().table(run.table.name) if system.code else None
    return [
        one.name
        for one in (declared.columns if declared else ())
        if one.enum is not None and system.terminal.intersection(one.enum.values)
    ]
