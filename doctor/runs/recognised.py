"""Which described system a database belongs to, judged by its tables and columns."""

from __future__ import annotations

from collections.abc import Iterable

from doctor.model.description import SystemDescription
from doctor.model.schema import LiveTable

ENOUGH = 2 / 3


def recognised(
    systems: Iterable[SystemDescription], tables: Iterable[LiveTable]
) -> tuple[SystemDescription, ...]:
    """Return the descriptions that fit, best first.

    One fits whose run table is there with the column that names a run, and with it at least two of
    three columns that the description names: versions differ.
    """
    there = {f"{table.name}.{column.name}" for table in tables for column in table.columns}
    names = {one.rpartition(".")[0] for one in there}
    found = []
    for one in systems:
        key = f"{one.runs}.{one.key}" if one.key else None
        columns = [each.column for each in one.columns]
        known = [each for each in columns if each in there]
        has_runs = key in there if key else one.runs in names
        if has_runs and columns and len(known) >= ENOUGH * len(columns):
            found.append((len(known), one.name, one))
    return tuple(one for _, _, one in sorted(found, key=lambda each: (-each[0], each[1])))
