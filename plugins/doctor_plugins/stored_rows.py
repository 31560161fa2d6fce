"""What stored rows lack: objects that cannot be unpacked, and what their state requires."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    System,
    hookimpl,
    search_tables,
    unmet_requirements,
    unreadable_objects,
)

_CELL = (
    FactField("run"),
    FactField("role"),
    FactField("table"),
    FactField("column"),
    FactField("key", "map"),
    FactField("declared_at"),
    FactField("blast"),
)
UNREADABLE_OBJECT = FactKind(
    "database.unreadable_object",
    "a stored object that cannot be unpacked",
    (*_CELL, FactField("size", "int"), FactField("reason")),
)
UNMET_REQUIREMENT = FactKind(
    "database.unmet_requirement",
    "a row that lacks what its own columns require",
    (*_CELL, FactField("value", required=False), FactField("while"), FactField("lacks")),
)


class UnreadableObjects:
    """Reads the form of stored pickles; they are never unpacked."""

    name = "database.unreadable_object"
    kinds = (UNREADABLE_OBJECT,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per cell."""
        return search_tables(unreadable_objects, system, run)


class UnmetRequirements:
    """Looks for rows without what the description of the system requires of them."""

    name = "database.unmet_requirement"
    kinds = (UNMET_REQUIREMENT,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per row."""
        return search_tables(unmet_requirements, system, run)


@hookimpl
def doctor_probes() -> tuple[UnreadableObjects, UnmetRequirements]:
    """Register the probes."""
    return UnreadableObjects(), UnmetRequirements()
