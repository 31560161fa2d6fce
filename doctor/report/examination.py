"""Examinations, plans, treatments and surveys as JSON documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doctor.evidence import evidence_entries
from doctor.model.change import Outcome, Plan
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Gap
from doctor.model.examination import Examination, Survey, Treatment
from doctor.report.plain import plain
from doctor.schema import update_statement


def examination_json(examination: Examination) -> dict[str, Any]:
    """Return what ``doctor diagnose --format json`` prints."""
    return _document(examination, examination.status, examination.exit_code)


def treatment_json(treatment: Treatment) -> dict[str, Any]:
    """Return what ``doctor heal --format json`` prints."""
    document = _document(treatment.examination, treatment.status, treatment.exit_code)
    decision = treatment.decision
    if decision is not None:
        for one in document["diagnoses"]:
            if one["candidates"]:
                one["decision"], one["reason"] = decision.ruling, decision.reason
    plan = treatment.plan or treatment.examination.plan
    document["incident"] = treatment.incident or document["incident"]
    document["plan"] = plan.hash if plan else None
    document["decision"] = plain(decision)
    document["outcomes"] = [_outcome(one) for one in treatment.outcomes]
    return document


def plan_json(examination: Examination) -> dict[str, Any]:
    """Return what ``doctor plan --format json`` prints."""
    document = _document(examination, examination.status, examination.exit_code)
    plan = examination.plan
    return {
        **document,
        "open": list(examination.open_cells),
        "changes": _changes(plan) if plan else [],
        "tier": plan.tier.name if plan else None,
        "cost": plan.cost if plan else None,
        "verify": plain(plan.verify) if plan else [],
        "notes": list(plan.notes) if plan else [],
        "because": plain(plan.evidence) if plan else [],
    }


def survey_json(survey: Survey) -> dict[str, Any]:
    """Return what ``doctor preflight --format json`` prints."""
    examination = survey.examination
    return {
        "status": examination.status,
        "exit_code": examination.exit_code,
        "runs": survey.runs,
        "sick": [
            {"run": run, "diagnoses": diagnoses_json(many)} for run, many in survey.sick.items()
        ],
        "diagnoses": diagnoses_json(survey.shared),
        "gaps": _gaps(examination.gaps),
        "note": examination.note,
    }


def diagnoses_json(diagnoses: Iterable[Diagnosis]) -> list[dict[str, Any]]:
    """Return diagnoses with their evidence counted."""
    return [_diagnosis(one) for one in diagnoses]


def _document(examination: Examination, status: str, exit_code: int) -> dict[str, Any]:
    return {
        "run": examination.run,
        "status": status,
        "exit_code": exit_code,
        "incident": examination.incident,
        "plan": examination.plan.hash if examination.plan else None,
        "diagnoses": diagnoses_json(examination.diagnoses),
        "gaps": _gaps(examination.gaps),
        "note": examination.note,
        "outcomes": [],
    }


def _diagnosis(one: Diagnosis) -> dict[str, Any]:
    return {
        "code": one.code,
        "rule": one.rule,
        "level": one.level,
        "cause": one.cause,
        "retryable": one.retryable,
        "subject": plain(one.subject),
        "message": one.message,
        "hint": one.hint,
        "blast": one.blast,
        "consequences": plain(one.consequences),
        "evidence": plain(evidence_entries(one.facts)),
        "candidates": plain(one.candidates),
        "decision": one.decision,
        "reason": one.reason,
    }


def _gaps(gaps: Iterable[Gap]) -> list[dict[str, Any]]:
    return [{"probe": one.probe, "reason": one.reason} for one in gaps]


def _changes(plan: Plan) -> list[dict[str, Any]]:
    return [{**plain(one), "statement": update_statement(one, plan.target)} for one in plan.changes]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return plain(outcome)  # type: ignore[no-any-return]
