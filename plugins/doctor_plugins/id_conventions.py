"""Whether ids are as the owner pinned in doctor.toml."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import Fact, FactField, FactKind, Gap, Run, System, hookimpl

UNUSUAL = FactKind(
    "database.unusual_id",
    "ids that no pattern of [ids] in doctor.toml fits",
    (
        FactField("run"),
        FactField("table"),
        FactField("column"),
        FactField("ids"),
        FactField("odd", "int"),
        FactField("looked", "int"),
        FactField("rows", "int"),
    ),
)


class UnusualIds:
    """Holds ids against the pinned convention, for the whole system only."""

    name = "database.unusual_id"
    kinds = (UNUSUAL,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per column with ids that are not as pinned."""
        if run.id is not None or system.database is None or not system.ids:
            return ()
        from doctor import unusual_ids  # most systems have none: a start need not load it

        return unusual_ids(system.database, system.ids)


@hookimpl
def doctor_probes() -> tuple[UnusualIds]:
    """Register the probe."""
    return (UnusualIds(),)
