"""Error reports of the system's server side: the causes that no executor log shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap
from doctor.model.ports import Log
from doctor.model.system import Run, System

KIND = "error.report"
LINES = 20_000
LETTERS = 4 << 20
_LABELS = re.compile(
    r"(Error Type|Error Message|Run ID|Operation|Timestamp)\s*:\s*(.*)", re.IGNORECASE
)
_NAMES = {
    "error type": "type",
    "error message": "message",
    "run id": "run",
    "operation": "operation",
    "timestamp": "at",
}


def report_facts(system: System, run: Run) -> Iterator[Fact | Gap]:
    """Yield one fact per report about ``run``; other files are passed over, unreadable are Gaps."""
    for report in system.reports:
        try:
            text = _text(report)
        except SourceError as error:
            yield Gap("error_reports", error.message, (KIND,))
            continue
        fields = _from_json(text) if text.lstrip().startswith("{") else _from_text(text)
        if not fields.get("type"):
            continue
        owner = fields.get("run") or run.id
        if owner is None or run.id not in (None, owner):
            continue
        known = {name: value for name, value in fields.items() if name != "at" and value}
        yield Fact(
            KIND,
            {"message": "", **known, "run": owner},
            f"report:{report.name}",
            _moment(fields.get("at")),
        )


def _text(report: Log) -> str:
    lines = []
    size = 0
    for line in report.lines():
        lines.append(line.text)
        size += len(line.text)
        if len(lines) >= LINES or size >= LETTERS:
            break
    return "\n".join(lines)


def _from_json(text: str) -> dict[str, str]:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    names = {"error_type": "type", "error_message": "message", "run_id": "run"}
    names |= {"operation": "operation", "timestamp": "at"}
    return {new: str(data[old])[:2000] for old, new in names.items() if data.get(old) is not None}


def _from_text(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        labelled = _LABELS.match(line.strip())
        if labelled:
            found.setdefault(_NAMES[labelled[1].lower()], labelled[2].strip()[:2000])
    return found


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError):
        return None
