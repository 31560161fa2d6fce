"""Rows that belong to a run whose own row is missing."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import Fact, FactField, FactKind, Gap, Run, SourceError, System, hookimpl, missing_runs

MISSING_RUN = FactKind(
    "database.missing_run",
    "a run that other rows name and the run table does not have",
    (
        FactField("run"),
        FactField("table"),
        FactField("column"),
        FactField("key", "map"),
        FactField("referenced_by"),
        FactField("rows", "int"),
    ),
)


class MissingRuns:
    """Looks for children without their run."""

    name = "database.missing_run"
    kinds = (MISSING_RUN,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per child table that names a run that is not there."""
        if system.database is None:
            return ()
        if system.layout is None:
            raise SourceError(system.layout_reason or "the run table was not found")
        return missing_runs(system.database, system.layout, run.id)


@hookimpl
def doctor_probes() -> tuple[MissingRuns, ...]:
    """Register the probe."""
    return (MissingRuns(),)
