"""What a new row needs, as a JSON document."""

from __future__ import annotations

from typing import Any

from doctor.model.insertion import RequiredFields, RowProblem


def required_json(needed: RequiredFields, exit_code: int) -> dict[str, Any]:
    """Return what ``doctor schema required --format json`` prints."""
    return {
        "table": needed.table,
        "exit_code": exit_code,
        "fields": [
            {
                "name": one.name,
                "type": one.type,
                "known_to": one.known_to,
                "origin": one.origin,
                "value": one.value,
                "written": one.is_written,
                "certain": one.certain,
                "reason": one.reason,
                "support": one.support,
                "of": one.of,
                "at_least": round(one.at_least, 4),
            }
            for one in needed.fields
        ],
        "missing": [one.name for one in needed.missing],
        "row": dict(needed.row),
        "problems": [problem_json(one) for one in needed.problems],
        "proof": needed.proof,
        "proof_reason": needed.proof_reason,
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in needed.gaps],
    }


def problem_json(one: RowProblem) -> dict[str, Any]:
    """Return one problem of a row."""
    return {
        "column": one.column,
        "fault": one.fault,
        "message": one.message,
        "right": one.right,
    }
