"""What logs showed, as a JSON document."""

from __future__ import annotations

from typing import Any

from doctor.evidence.scan import Scan
from doctor.evidence.symptoms import SymptomEntry
from doctor.report.examination import diagnoses_json


def scan_json(scan: Scan) -> dict[str, Any]:
    """Return what ``doctor scan --format json`` prints."""
    return {
        "exit_code": scan.exit_code,
        "symptoms": [_symptom(one) for one in scan.symptoms],
        "diagnoses": diagnoses_json(scan.diagnoses),
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in scan.gaps],
    }


def _symptom(one: SymptomEntry) -> dict[str, Any]:
    return {
        "class": one.name,
        "noise": one.noise,
        "retryable": one.retryable,
        "wait": one.wait,
        "count": one.count,
        "file": one.file,
        "first_line": one.first_line,
        "last_line": one.last_line,
        "summary": one.summary,
    }
