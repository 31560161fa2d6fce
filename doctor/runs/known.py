"""Tells whether a run id means anything to the system under care."""

from __future__ import annotations

from doctor.model.evidence import Evidence
from doctor.model.layout import as_key
from doctor.model.system import System

INHERITED = "run_inherited"


def is_known_run(system: System, evidence: Evidence, run: str) -> bool:
    """Return False only where the database was read and nothing else speaks of the run either."""
    for fact in evidence.facts:
        is_own = fact.fields.get("run") == run and not fact.fields.get(INHERITED)
        is_absence = fact.kind in ("api.no_answer", "database.missing_table")
        is_absence = is_absence or fact.kind == "database.missing_column"
        is_404 = fact.kind == "api.get_run" and fact.fields.get("status") == 404  # noqa: PLR2004
        if is_own and not is_absence and not is_404:
            return True
    if system.database is None or system.layout is None:
        return not _is_denied(evidence, system)
    top = system.layout.run
    return system.database.count(top.table, {top.via: as_key(top.table, top.via, run)}) > 0


def _is_denied(evidence: Evidence, system: System) -> bool:
    """Tell whether the API, the only source there is, answered that there is no such run."""
    if system.database is not None:
        return False
    answers = evidence.of_kind("api.get_run")
    return bool(answers) and all(fact.fields.get("status") == 404 for fact in answers)  # noqa: PLR2004
