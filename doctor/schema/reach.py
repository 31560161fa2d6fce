"""How far a bad row reaches: which runs and which lists cannot be read because of it."""

from __future__ import annotations

from doctor.errors import SourceError
from doctor.model.evidence import Scalar
from doctor.model.layout import Layout, Member
from doctor.model.ports import ReadDoor
from doctor.model.schema import Row
from doctor.schema.owner import run_of


class Reach:
    """Says it of one row after another; what was counted once is not counted again."""

    def __init__(self, door: ReadDoor, layout: Layout):
        self._door = door
        self._layout = layout
        self._counts: dict[tuple[str, Scalar], int] = {}

    def of(self, member: Member, row: Row, breaks: str = "") -> str:
        """Return it in words, "" where no run depends on the row and nothing is known of it.

        ``breaks`` is what the description of the system says about such cells.
        """
        try:
            told = self._told(member, row)
        except SourceError:
            told = ""
        return "; ".join(one for one in (told, breaks) if one)

    def _told(self, member: Member, row: Row) -> str:
        if not self._layout.members:
            return ""
        run = self._layout.run
        if member.role != "shared":
            owner = run_of(self._door, member, row)
            every = self._count("", None)
            return f"run {owner} and every list that holds it ({every} in all)" if owner else ""
        link = self._link(member, row)
        if link is None:
            return ""
        column, value = link
        number = self._count(column, value)
        return f"all {number} runs with {run.table.name}.{column} = {value!r}"

    def _link(self, member: Member, row: Row) -> tuple[str, Scalar] | None:
        """Return the column of the run table, and its value, that lead to a shared row."""
        value = row[member.via]
        while member.parent is not None and not member.more and value is not None:
            above, key = member.parent, member.parent_key or ""
            if above.role == "run":
                return key, value
            if above.role != "shared":
                return None
            if key != above.via:
                rows = self._door.rows(above.table, {key: value}, limit=1)
                value = rows[0][above.via] if rows else None
            member = above
        return None

    def _count(self, column: str, value: Scalar) -> int:
        if (column, value) not in self._counts:
            where = {column: value} if column else {}
            self._counts[column, value] = self._door.count(self._layout.run.table, where)
        return self._counts[column, value]
