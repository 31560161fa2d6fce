"""Which run a row belongs to."""

from __future__ import annotations

from doctor.model.layout import Member
from doctor.model.ports import ReadDoor
from doctor.model.schema import Row


def run_of(door: ReadDoor, member: Member, row: Row) -> str:
    """Return the id of the run that a row belongs to, walking up its parents; "" for none."""
    value = row[member.via]
    while member.parent is not None and not member.names_run and value is not None:
        above = member.parent
        rows = door.rows(above.table, {member.parent_key or "": value}, limit=1)
        value = rows[0][above.via] if rows else None
        member = above
    return "" if value is None else str(value)
