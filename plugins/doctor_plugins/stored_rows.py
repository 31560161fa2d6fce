"""What stored rows lack, or say against each other: objects, requirements, states."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    System,
    contradictions,
    hookimpl,
    misshapen_documents,
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

CONTRADICTION = FactKind(
    "database.contradiction",
    "a row whose state cannot be while a row above it has the state that it has",
    (*_CELL, FactField("value"), FactField("above"), FactField("above_column")),
)

MISSHAPEN_DOCUMENT = FactKind(
    "database.misshapen_document",
    "a JSON document that is not as the class or schema of its column says",
    (*_CELL, FactField("problem")),
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


class Contradictions:
    """Looks for states that the description of the system says never to be at the same time."""

    name = "database.contradiction"
    kinds = (CONTRADICTION,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per row."""
        return search_tables(contradictions, system, run)


class MisshapenDocuments:
    """Holds documents against the class that the models name, or the schema that is described."""

    name = "database.misshapen_document"
    kinds = (MISSHAPEN_DOCUMENT,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per document."""
        return search_tables(misshapen_documents, system, run)


@hookimpl
def doctor_probes() -> tuple[
    UnreadableObjects, UnmetRequirements, Contradictions, MisshapenDocuments
]:
    """Register the probes."""
    return UnreadableObjects(), UnmetRequirements(), Contradictions(), MisshapenDocuments()
