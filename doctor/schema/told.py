"""Cells and keys in words, a few of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doctor.model.evidence import Scalar
from doctor.model.schema import LiveTable, Row

MOST_KEYS = 5


def pairs_told(values: Mapping[str, Scalar]) -> str:
    """Return columns with what they hold."""
    return ", ".join(f"{name} = {value!r}" for name, value in values.items())


def keys_told(table: LiveTable, rows: Sequence[Row]) -> str:
    """Return the primary keys of the first rows; "" for a table without one."""
    if not table.primary_key:
        return "it has no primary key to name them by"
    told = [pairs_told({name: row[name] for name in table.primary_key}) for row in rows[:MOST_KEYS]]
    more = [f"and {len(rows) - MOST_KEYS} more"] if len(rows) > MOST_KEYS else []
    return "; ".join([*told, *more])
