"""From an examination or a treatment to an advice."""

from __future__ import annotations

from doctor.executors.advice import Action, Advice, no_opinion
from doctor.model.diagnosis import Diagnosis
from doctor.model.examination import Examination, Treatment

WAIT = 30.0


def examined(examination: Examination) -> Advice:
    """Return the advice that an examination alone allows."""
    if examination.findings:
        return _about(examination.findings[0], examination.incident)
    if examination.status == "unknown":
        return no_opinion("nothing was found, and not everything could be looked at")
    return no_opinion("nothing is wrong with the run")


def treated(treatment: Treatment) -> Advice:
    """Return the advice after a treatment."""
    found = treatment.examination.findings
    cause = found[0].cause if found else None
    if treatment.status == "healed":
        return Advice("fixed", 0.0, treatment.outcomes[-1].reason, treatment.incident, cause)
    if treatment.status in ("asked", "refused", "undone", "undo_failed"):
        reason = treatment.decision.reason if treatment.decision else treatment.status
        message = f"{found[0].message}; {reason}" if found else reason
        action: Action = "asked" if treatment.status == "asked" else "stop"
        return Advice(action, 0.0, message, treatment.incident, cause)
    return examined(treatment.examination)


def _about(one: Diagnosis, incident: str | None) -> Advice:
    if one.retryable is False:
        return Advice("stop", 0.0, f"{one.message}. {one.hint}", incident, one.cause)
    if one.retryable is True:
        return Advice("wait", WAIT, one.message, incident, one.cause)
    return Advice("retry", 0.0, one.message, incident, one.cause)
