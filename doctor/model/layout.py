"""Where a system keeps its runs: discovered from keys and references, never from names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from doctor.model.evidence import Scalar
from doctor.model.schema import LiveTable

Role = Literal["run", "tier", "phase", "task", "shared"]
_INTEGER = re.compile(r"(?:TINY|SMALL|MEDIUM|BIG)?(?:INT(?!ERVAL)|SERIAL)", re.IGNORECASE)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """A table that belongs to the runs.

    Attributes:
        role: what its rows are to a run, derived from the references between the tables.
        table: the live table.
        via: the column through which a row names its run: the run table's own key, or the
            column that references ``parent``.
        parent: the member that it references, None for the run table.
        parent_key: the referenced column of the parent.
        more: further pairs of columns, own and of the parent, where the reference has several.
    """

    role: Role
    table: LiveTable
    via: str
    parent: Member | None = None
    parent_key: str | None = None
    more: tuple[tuple[str, str], ...] = ()

    @property
    def names_run(self) -> bool:
        """Tell whether ``via`` holds the id of the run itself."""
        if self.role == "shared":
            return False
        if self.parent is None:
            return True
        return self.parent.parent is None and self.parent_key in (None, self.parent.via)


@dataclass(frozen=True, slots=True)
class Layout:
    """The run table first, then its children, parents before their children.

    ``shared`` are all other tables: their rows belong to many runs, or to none. The parent of such
    a member is the table that leads to it; those without one are reached from no run.
    """

    members: tuple[Member, ...]
    shared: tuple[Member, ...] = ()

    @property
    def run(self) -> Member:
        """The run table."""
        return self.members[0]

    def looked_at(self, run: str | None) -> tuple[Member, ...]:
        """Return the tables with rows that matter to ``run``; None: all there are."""
        reached = (one for one in self.shared if run is None or one.parent is not None)
        return (*self.members, *reached)


def apart(tables: Iterable[LiveTable]) -> tuple[Member, ...]:
    """Return tables whose rows belong to no run."""
    return tuple(Member("shared", one, one.columns[0].name) for one in tables if one.columns)


@dataclass(frozen=True, slots=True)
class Within:
    """The rows that belong to one run: ``column`` equals ``value``, or leads to such a parent.

    ``more`` are further pairs of columns, own and of the parent, that must be equal then;
    ``holding`` are values by column, one of which the parent has in each.
    """

    column: str
    value: Scalar = None
    parent: LiveTable | None = None
    parent_key: str | None = None
    parent_within: Within | None = None
    more: tuple[tuple[str, str], ...] = ()
    holding: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def rows_below(
    member: Member, top: Member, holding: Mapping[str, tuple[str, ...]]
) -> Within | None:
    """Return the condition that a row belongs to a row of ``top`` that holds one of these values.

    None where ``member`` does not lie below ``top``.
    """
    above = member.parent
    if above is None:
        return None
    key = member.parent_key or above.via
    if above is top:
        return Within(member.via, None, above.table, key, None, member.more, holding)
    further = rows_below(above, top, holding)
    if further is None:
        return None
    return Within(member.via, None, above.table, key, further, member.more)


def rows_of_run(member: Member, run: str) -> Within:
    """Return the condition that selects the rows of ``member`` that belong to ``run``."""
    if member.parent is None or member.names_run:
        return Within(member.via, as_key(member.table, member.via, run))
    return Within(
        member.via,
        parent=member.parent.table,
        parent_key=member.parent_key,
        parent_within=rows_of_run(member.parent, run),
        more=member.more,
    )


def as_key(table: LiveTable, column: str, run: str) -> Scalar:
    """Return ``run`` as the type of the column that holds it."""
    declared = table.column(column)
    is_integer = declared is not None and _INTEGER.match(declared.type) is not None
    is_number = is_integer and run.isascii() and run.isdecimal() and len(run) < 20  # noqa: PLR2004
    return int(run) if is_number and int(run) <= _LARGEST else run
