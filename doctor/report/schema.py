"""What differs between models and database, as JSON and as SARIF."""

from __future__ import annotations

from typing import Any

from doctor.model.diagnosis import Diagnosis
from doctor.model.examination import Examination

_SHOWN = (
    "table",
    "column",
    "name",
    "drift",
    "code",
    "database",
    "statement",
    "line",
    "declared_at",
)


def schema_json(found: Examination, exit_code: int) -> dict[str, Any]:
    """Return what ``doctor schema check --format json`` prints."""
    return {
        "status": found.status,
        "exit_code": exit_code,
        "errors": len(found.findings),
        "warnings": len(found.diagnoses) - len(found.findings),
        "findings": [_finding(one) for one in found.diagnoses],
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in found.gaps],
        "note": found.note,
    }


def _finding(one: Diagnosis) -> dict[str, Any]:
    fields = dict(one.facts[0].fields) if one.facts else {}
    says = {name: fields.get(name, "") for name in _SHOWN}
    return {
        "code": one.code,
        "severity": severity(one),
        "rule": one.rule,
        "cause": one.cause,
        "table": says["table"],
        "column": says["column"],
        "name": says["name"],
        "drift": says["drift"],
        "message": one.message,
        "code_says": says["code"],
        "database_says": says["database"],
        "change_database": says["statement"],
        "change_code": says["line"],
        "declared_at": says["declared_at"],
        "hint": one.hint,
    }


def severity(one: Diagnosis) -> str:
    """Return ``error`` for what breaks reads or writes, else ``warning``."""
    return "error" if one.is_finding else "warning"


def schema_sarif(found: Examination) -> str:
    """Return the findings as SARIF, at the classes of their tables."""
    from importlib.metadata import version

    from doctor.report.sarif import Titled, sarif_text

    problems = [
        Titled(
            one.code,
            one.cause.replace("_", " "),
            one.message,
            one.hint,
            str(one.facts[0].fields.get("declared_at") or "") or None if one.facts else None,
            severity(one),
        )
        for one in found.diagnoses
    ]
    return sarif_text(problems, version("run-doctor"))
