"""How the structure of the database differs from the models: the probe that compares them."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import Fact, FactField, FactKind, Gap, Run, System, hookimpl, structural_drift

DRIFT = FactKind(
    "schema.drift",
    "a table, column, key, index or constraint that the models and the database declare otherwise",
    (
        FactField("run"),
        FactField("drift"),
        FactField("table"),
        FactField("column"),
        FactField("name"),
        FactField("code"),
        FactField("database"),
        FactField("statement"),
        FactField("line"),
        FactField("declared_at"),
    ),
)


class StructuralDrift:
    """Compares every table once; what it finds belongs to no single run."""

    name = "schema.drift"
    kinds = (DRIFT,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per difference."""
        if run.id is not None or system.database is None or system.code is None:
            return ()
        return structural_drift(system.database, system.code.models(), system.project)


@hookimpl
def doctor_probes() -> tuple[StructuralDrift, ...]:
    """Register the probe."""
    return (StructuralDrift(),)
