"""What logs say may be old: a verified repair or a fresh answer of the API outweighs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence, Fact

_ABOUT_THE_GET = {"http.failure", "executor.escalation", "error.enum_lookup"}
_WRITTEN = ("log:", "report:")


def demote_stale(
    diagnoses: Iterable[Diagnosis], evidence: Evidence, repaired: datetime | None
) -> tuple[Diagnosis, ...]:
    """Return the diagnoses, findings first; what is outdated becomes info, with the reason."""
    answers = [
        str(fact.fields["endpoint"])
        for fact in evidence.of_kind("api.get_run")
        if isinstance(status := fact.fields["status"], int) and status < 400  # noqa: PLR2004
    ]
    judged = [_judged(one, answers, repaired) for one in diagnoses]
    return tuple(sorted(judged, key=lambda one: not one.is_finding))


def _judged(one: Diagnosis, answers: list[str], repaired: datetime | None) -> Diagnosis:
    if not one.is_finding or not all(fact.source.startswith(_WRITTEN) for fact in one.facts):
        return one
    if answers and all(_is_about(fact, answers) for fact in one.facts):
        reason = "contradicted by a fresh look: the GET of the run answers"
        return replace(one, level="info", reason=reason)
    moments = [fact.at for fact in one.facts]
    if repaired is not None and moments and all(at and at <= repaired for at in moments):
        reason = f"older than the verified repair of {repaired.isoformat(timespec='seconds')}"
        return replace(one, level="info", reason=reason)
    return one


def _is_about(fact: Fact, endpoints: list[str]) -> bool:
    endpoint = fact.fields.get("endpoint")
    return fact.kind in _ABOUT_THE_GET and (endpoint is None or endpoint in endpoints)
