"""Doctor: self-healing for autonomous executors.

Importing this package is cheap: a retry loop does it. Each public name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctor.doctor import Doctor
    from doctor.errors import DoctorError, RuleError, SourceError, TreatmentError, UsageError
    from doctor.evidence.report_facts import report_facts
    from doctor.executors.advice import Advice, Receipt
    from doctor.executors.hook import (
        aconsult,
        attempt,
        consult,
        observe_progress,
        observe_success,
    )
    from doctor.hookspecs import hookimpl
    from doctor.ids import id_convention, unusual_ids
    from doctor.inserting import required_fields, validate_insert
    from doctor.model.change import SetCells
    from doctor.model.diagnosis import Diagnosis, Subject
    from doctor.model.evidence import Evidence, Fact, FactField, FactKind, Gap
    from doctor.model.system import Fixer, Probe, Proposal, Run, System
    from doctor.model.tier import Tier
    from doctor.schema import (
        bad_cells,
        contradictions,
        duplicate_rows,
        invalid_values,
        missing_parts,
        missing_runs,
        orphan_rows,
        rank_values,
        replacement_hints,
        search_tables,
        structural_drift,
        unmet_requirements,
        unreadable_objects,
    )
    from doctor.schema.documents import documentation_facts
    from doctor.schema.documents.misshapen import misshapen_documents
    from doctor.settings import Settings, load_settings

_HOMES = {
    "Advice": "doctor.executors.advice",
    "Diagnosis": "doctor.model.diagnosis",
    "Doctor": "doctor.doctor",
    "DoctorError": "doctor.errors",
    "Evidence": "doctor.model.evidence",
    "Fact": "doctor.model.evidence",
    "FactField": "doctor.model.evidence",
    "FactKind": "doctor.model.evidence",
    "Fixer": "doctor.model.system",
    "Gap": "doctor.model.evidence",
    "Probe": "doctor.model.system",
    "Proposal": "doctor.model.system",
    "Receipt": "doctor.executors.advice",
    "RuleError": "doctor.errors",
    "Run": "doctor.model.system",
    "SetCells": "doctor.model.change",
    "Settings": "doctor.settings",
    "SourceError": "doctor.errors",
    "Subject": "doctor.model.diagnosis",
    "System": "doctor.model.system",
    "Tier": "doctor.model.tier",
    "TreatmentError": "doctor.errors",
    "UsageError": "doctor.errors",
    "aconsult": "doctor.executors.hook",
    "attempt": "doctor.executors.hook",
    "bad_cells": "doctor.schema",
    "consult": "doctor.executors.hook",
    "contradictions": "doctor.schema",
    "documentation_facts": "doctor.schema.documents",
    "duplicate_rows": "doctor.schema",
    "hookimpl": "doctor.hookspecs",
    "id_convention": "doctor.ids",
    "invalid_values": "doctor.schema",
    "load_settings": "doctor.settings",
    "missing_parts": "doctor.schema",
    "missing_runs": "doctor.schema",
    "misshapen_documents": "doctor.schema.documents.misshapen",
    "observe_progress": "doctor.executors.hook",
    "observe_success": "doctor.executors.hook",
    "orphan_rows": "doctor.schema",
    "rank_values": "doctor.schema",
    "replacement_hints": "doctor.schema",
    "report_facts": "doctor.evidence.report_facts",
    "required_fields": "doctor.inserting",
    "search_tables": "doctor.schema",
    "structural_drift": "doctor.schema",
    "unmet_requirements": "doctor.schema",
    "unreadable_objects": "doctor.schema",
    "unusual_ids": "doctor.ids",
    "validate_insert": "doctor.inserting",
}

__all__ = [
    "Advice",
    "Diagnosis",
    "Doctor",
    "DoctorError",
    "Evidence",
    "Fact",
    "FactField",
    "FactKind",
    "Fixer",
    "Gap",
    "Probe",
    "Proposal",
    "Receipt",
    "RuleError",
    "Run",
    "SetCells",
    "Settings",
    "SourceError",
    "Subject",
    "System",
    "Tier",
    "TreatmentError",
    "UsageError",
    "aconsult",
    "attempt",
    "bad_cells",
    "consult",
    "contradictions",
    "documentation_facts",
    "duplicate_rows",
    "hookimpl",
    "id_convention",
    "invalid_values",
    "load_settings",
    "misshapen_documents",
    "missing_parts",
    "missing_runs",
    "observe_progress",
    "observe_success",
    "orphan_rows",
    "rank_values",
    "replacement_hints",
    "report_facts",
    "required_fields",
    "search_tables",
    "structural_drift",
    "unmet_requirements",
    "unreadable_objects",
    "unusual_ids",
    "validate_insert",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("run-doctor")
    if name not in _HOMES:
        raise AttributeError(f"module 'doctor' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
