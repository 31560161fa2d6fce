"""Which run a row belongs to."""

from __future__ import annotations

from doctor.model.layout import Member
from doctor.model.ports import ReadDoor
from doctor.model.schema import Row


def row_above(door: ReadDoor, member: Member, row: Row, top: Member) -> Row | None:
    """Return the row of ``top`` that a row belongs to, walking up its parents; None for none."""
    while member is not top:
        if member.parent is None:
            return None
        pairs = ((member.via, member.parent_key or member.parent.via), *member.more)
        where = {theirs: row[own] for own, theirs in pairs}
        rows = door.rows(member.parent.table, where, limit=1) if None not in where.values() else ()
        if not rows:
            return None
        row, member = rows[0], member.parent
    return row


def run_of(door: ReadDoor, member: Member, row: Row) -> str:
    """Return the id of the run that a row belongs to, walking up its parents.

    "" for none, and for rows that several runs share.
    """
    if member.role == "shared":
        return ""
    while member.parent is not None and not member.names_run:
        above = member.parent
        pairs = ((member.via, member.parent_key or ""), *member.more)
        where = {theirs: row[own] for own, theirs in pairs}
        rows = door.rows(above.table, where, limit=1) if None not in where.values() else ()
        if not rows:
            return ""
        row, member = rows[0], above
    value = row[member.via]
    return "" if value is None else str(value)
