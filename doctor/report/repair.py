"""Repairs of whole columns as JSON documents."""

from __future__ import annotations

from typing import Any

from doctor.model.change import Plan
from doctor.model.repair import BadValue, ColumnExamination, ColumnTreatment
from doctor.report.plain import plain
from doctor.schema import column_statement


def column_examination_json(found: ColumnExamination, exit_code: int) -> dict[str, Any]:
    """Return what ``doctor plan --column --format json`` prints."""
    plan = found.plan
    return {
        "column": found.name,
        "status": found.status,
        "exit_code": exit_code,
        "plan": plan.hash if plan else None,
        "tier": plan.tier.name if plan else None,
        "cost": plan.cost if plan else None,
        "rows": plan.rows if plan else 0,
        "changes": changes_json(plan) if plan else [],
        "verify": plain(plan.verify) if plan else [],
        "notes": list(plan.notes) if plan else [],
        "values": [_value(one) for one in found.values],
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in found.gaps],
    }


def column_treatment_json(done: ColumnTreatment) -> dict[str, Any]:
    """Return what ``doctor repair --format json`` prints."""
    document = column_examination_json(done.examination, done.exit_code)
    plan = done.plan
    return {
        **document,
        "status": done.status,
        "incident": done.incident,
        "plan": plan.hash if plan else None,
        "tier": plan.tier.name if plan else None,
        "cost": plan.cost if plan else None,
        "rows": plan.rows if plan else 0,
        "changes": changes_json(plan) if plan else [],
        "decision": plain(done.decision),
        "outcome": plain(done.outcome),
        "writers": list(done.writers),
        "prevention": dict(done.prevention),
    }


def changes_json(plan: Plan) -> list[dict[str, Any]]:
    """Return what a plan sets in many rows."""
    return [{**plain(one), "statement": column_statement(one, plan.target)} for one in plan.bulk]


def _value(one: BadValue) -> dict[str, Any]:
    told = one.diagnosis
    return {
        "value": plain(one.value),
        "rows": one.rows,
        "run": one.run,
        "code": told.code if told else None,
        "message": told.message if told else None,
        "candidates": [
            {"to": each.to, "tier": each.tier.name, "reason": each.reason}
            for each in (told.candidates if told else ())
        ],
    }
