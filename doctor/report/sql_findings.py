"""What was found in SQL, as a JSON document."""

from __future__ import annotations

from typing import Any

from doctor.model.sql_finding import SqlReport


def sql_report_json(report: SqlReport) -> dict[str, Any]:
    """Return what ``doctor lint-sql --format json`` prints."""
    return {
        "exit_code": report.exit_code,
        "files": report.files,
        "statements": report.statements,
        "tables": report.tables,
        "findings": [
            {
                "code": one.code,
                "severity": one.severity,
                "file": one.path,
                "line": one.line,
                "column": one.column,
                "message": one.message,
                "hint": one.hint,
            }
            for one in report.findings
        ],
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in report.gaps],
    }
