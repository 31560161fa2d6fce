"""The child behind ``doctor.consult``: examines, treats as far as the owner allows, advises."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctor.doctor import Doctor
from doctor.errors import DoctorError
from doctor.executors.advice import Advice, no_opinion
from doctor.model.diagnosis import Diagnosis
from doctor.model.examination import Examination, Treatment
from doctor.model.tier import Tier
from doctor.settings import load_settings

WAIT = 30.0


def advise(question: dict[str, Any]) -> Advice:
    """Return the advice for one question: ``run``, ``operation``, ``error`` and ``config``."""
    run = question.get("run")
    if not isinstance(run, str) or not run:
        return no_opinion("the run is not known")
    config = question.get("config")
    settings = load_settings(Path(config) if config else None)
    with Doctor(settings) as doctor:
        allowed = settings.hook.max_tier
        if allowed <= Tier.ADVISE:
            return examined(doctor.examine(run))
        return treated(doctor.treat(run, max_tier=allowed, attended=False))


def examined(examination: Examination) -> Advice:
    """Return the advice that an examination alone allows."""
    if examination.findings:
        return _about(examination.findings[0], examination.incident)
    if examination.status == "unknown":
        return no_opinion("nothing was found, and not everything could be looked at")
    return no_opinion("nothing is wrong with the run")


def treated(treatment: Treatment) -> Advice:
    """Return the advice after a treatment."""
    if treatment.status == "healed":
        reason = treatment.outcomes[-1].reason
        cause = treatment.examination.findings
        known = cause[0].cause if cause else None
        return Advice("fixed", 0.0, reason, treatment.incident, known)
    if treatment.status in ("asked", "refused", "undone", "undo_failed"):
        found = treatment.examination.findings
        reason = treatment.decision.reason if treatment.decision else treatment.status
        message = f"{found[0].message}; {reason}" if found else reason
        action = "asked" if treatment.status == "asked" else "stop"
        return Advice(
            "asked" if action == "asked" else "stop",
            0.0,
            message,
            treatment.incident,
            found[0].cause if found else None,
        )
    return examined(treatment.examination)


def _about(one: Diagnosis, incident: str | None) -> Advice:
    if one.retryable is False:
        return Advice("stop", 0.0, f"{one.message}. {one.hint}", incident, one.cause)
    if one.retryable is True:
        return Advice("wait", WAIT, one.message, incident, one.cause)
    return Advice("retry", 0.0, one.message, incident, one.cause)


def main() -> int:
    """Read one question from standard input, write one advice to standard output."""
    try:
        advice = advise(json.loads(sys.stdin.buffer.read()))
    except DoctorError as error:
        advice = no_opinion(str(error))
    sys.stdout.write(json.dumps(asdict(advice)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
