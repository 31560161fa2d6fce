"""Tables and columns that the models declare and the database does not have."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import Fact, FactField, FactKind, Run, System, hookimpl, missing_parts

MISSING_TABLE = FactKind(
    "database.missing_table",
    "a table that the models declare and the database does not have",
    (FactField("run"), FactField("table")),
)
MISSING_COLUMN = FactKind(
    "database.missing_column",
    "a column that the models declare and the table does not have",
    (FactField("run"), FactField("table"), FactField("column")),
)


class MissingParts:
    """Compares the names of tables and columns with the models."""

    name = "database.missing_parts"
    kinds = (MISSING_TABLE, MISSING_COLUMN)

    def collect(self, system: System, run: Run) -> Iterable[Fact]:
        """Yield one fact per missing table or column."""
        if system.database is None or system.code is None:
            return ()
        return missing_parts(system.database, system.code.models(), system.layout, run.id)


@hookimpl
def doctor_probes() -> tuple[MissingParts, ...]:
    """Register the probe."""
    return (MissingParts(),)
