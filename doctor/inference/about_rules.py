"""What is wrong with the rules and leaves them in force, as diagnoses that are no finding."""

from __future__ import annotations

from collections.abc import Iterable

from doctor.model.diagnosis import Diagnosis
from doctor.rulebook import RuleProblem

CODE = "RULES"


def rule_diagnoses(warnings: Iterable[RuleProblem]) -> tuple[Diagnosis, ...]:
    """Return one diagnosis of level info per warning; its rule is the file that it is about."""
    return tuple(
        Diagnosis(
            code=CODE,
            rule=one.location or CODE,
            level="info",
            cause="override_outdated",
            retryable="unknown",
            subject=None,
            message=one.message,
            hint=one.hint or "doctor rules lint",
        )
        for one in warnings
    )
