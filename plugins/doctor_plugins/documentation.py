"""Documentation in the database: the probe that holds it to what is declared and stored."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    System,
    documentation_facts,
    hookimpl,
)

STALE = FactKind(
    "database.stale_documentation",
    "documentation in the database of what is declared otherwise now",
    (
        FactField("run"),
        FactField("table"),
        FactField("column"),
        FactField("name"),
        FactField("reason"),
        FactField("origin"),
        FactField("updated_at"),
    ),
)
MISFIT = FactKind(
    "database.undescribed_document",
    "a column with JSON documents that do not have the shape that is described",
    (
        FactField("run"),
        FactField("table"),
        FactField("column"),
        FactField("key", "map"),
        FactField("problem"),
        FactField("rows", "int"),
        FactField("looked", "int"),
    ),
)


class Documentation:
    """Compares each entry with its source, and documents with their schema, in bounds."""

    name = "database.documentation"
    kinds = (STALE, MISFIT)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per stale entry and per column; only where all runs are asked about."""
        return documentation_facts(system, run)


@hookimpl
def doctor_probes() -> tuple[Documentation, ...]:
    """Register the probe."""
    return (Documentation(),)
