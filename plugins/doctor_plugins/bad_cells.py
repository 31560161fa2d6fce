"""Cells that are not what the models declare: the probe that finds them."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    System,
    bad_cells,
    hookimpl,
    search_tables,
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
        FactField("blast", required=False),
    ),
)


class BadCells:
    """Looks at every row of a run for NULL, text in place of numbers, and broken dates and JSON."""

    name = "database.bad_cell"
    kinds = (BAD_CELL,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per cell."""
        return search_tables(bad_cells, system, run)


@hookimpl
def doctor_probes() -> tuple[BadCells, ...]:
    """Register the probe."""
    return (BadCells(),)
