"""Cells that are not what the models declare: the probe that finds them."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    SourceError,
    System,
    bad_cells,
    hookimpl,
)

BAD_CELL = FactKind(
    "database.bad_cell",
    "a stored value that is not what the models declare of its column",
    (
        FactField("run"),
        FactField("role"),
        FactField("table"),
        FactField("column"),
        FactField("key", "map"),
        FactField("value"),
        FactField("need"),
        FactField("declared_at"),
    ),
)


class BadCells:
    """Looks at every row of a run for NULL, text in place of numbers, and broken dates and JSON."""

    name = "database.bad_cell"
    kinds = (BAD_CELL,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per cell."""
        if system.database is None or system.code is None:
            return ()
        if system.layout is None:
            raise SourceError(system.layout_reason or "the run table was not found")
        return bad_cells(system.database, system.code.models(), system.layout, run.id)


@hookimpl
def doctor_probes() -> tuple[BadCells, ...]:
    """Register the probe."""
    return (BadCells(),)
