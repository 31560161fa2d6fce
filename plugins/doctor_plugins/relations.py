"""What rows are to each other: references that lead nowhere, values that only one row may have."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from doctor import (
    Fact,
    FactField,
    FactKind,
    Gap,
    Run,
    System,
    duplicate_rows,
    hookimpl,
    orphan_rows,
    search_tables,
)

_ROWS = (
    FactField("run"),
    FactField("role"),
    FactField("table"),
    FactField("column"),
    FactField("key", "map"),
    FactField("value"),
    FactField("rows", "int"),
    FactField("keys"),
    FactField("declared_at"),
    FactField("statement"),
    FactField("blast"),
)
ORPHAN = FactKind(
    "database.orphan",
    "rows that name a row of another table that is not there",
    (*_ROWS, FactField("parent"), FactField("missing"), FactField("enforced")),
)
DUPLICATE = FactKind(
    "database.duplicate",
    "rows that are equal in what the models call unique",
    _ROWS,
)


class Orphans:
    """Looks for rows whose references lead nowhere, as the models or the database declare them."""

    name = "database.orphan"
    kinds = (ORPHAN,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per run and row that is missing."""
        return search_tables(partial(orphan_rows, target=system.identity), system, run)


class Duplicates:
    """Looks for equal rows where the models say unique and the database does not see to it."""

    name = "database.duplicate"
    kinds = (DUPLICATE,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per run and values that several rows share."""
        return search_tables(partial(duplicate_rows, target=system.identity), system, run)


@hookimpl
def doctor_probes() -> tuple[Orphans, Duplicates]:
    """Register the probes."""
    return Orphans(), Duplicates()
