"""Error reports that the system under care writes itself."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import Fact, FactField, FactKind, Gap, Run, System, hookimpl, report_facts

ERROR_REPORT = FactKind(
    "error.report",
    "the system's own report of an error",
    (
        FactField("run"),
        FactField("type"),
        FactField("message"),
        FactField("operation", required=False),
    ),
)


class ErrorReports:
    """Reads the files that [system] error_reports names."""

    name = "error_reports"
    kinds = (ERROR_REPORT,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per report about the run."""
        return report_facts(system, run)


@hookimpl
def doctor_probes() -> tuple[ErrorReports, ...]:
    """Register the probe."""
    return (ErrorReports(),)
