"""What the store remembers, as JSON documents."""

from __future__ import annotations

from typing import Any

from doctor.report.plain import plain
from doctor.schema import column_statement, update_statement
from doctor.store import Approval, Entry, Fix


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return one journal entry."""
    return plain(entry)  # type: ignore[no-any-return]


def approval_json(approval: Approval) -> dict[str, Any]:
    """Return one request for approval with its plans."""
    return plain(approval)  # type: ignore[no-any-return]


def fix_json(fix: Fix) -> dict[str, Any]:
    """Return one fix with what it changed."""
    return {
        "fix": fix.id,
        "run": fix.plan.run,
        "plan": fix.plan.hash,
        "state": fix.state,
        "reason": fix.reason,
        "incident": fix.incident,
        "because": plain(fix.plan.evidence),
        "changes": [update_statement(one, fix.plan.target) for one in fix.plan.changes]
        + [column_statement(one, fix.plan.target) for one in fix.plan.bulk],
        "rows": fix.plan.rows,
    }
