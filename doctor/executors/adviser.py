"""Answers the questions of executors: what the examination says, else what the counters say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doctor.errors import DoctorError
from doctor.executors.advice import Advice, Receipt, advice_to_json, no_opinion
from doctor.executors.failure import Failure, failure_from_json, seconds_to_wait
from doctor.executors.ledger import Ledger
from doctor.executors.loops import Loop, LoopDetector
from doctor.executors.practice import Practice
from doctor.executors.verdict import examined, treated
from doctor.model.tier import Tier
from doctor.redaction import redact_value
from doctor.settings import HookSettings

STOP_SECONDS = 60.0
KNOWN_SECONDS = 5.0
PASSING_USES = 50
_NOBODY = HookSettings()

Reply = dict[str, Any]


class Adviser:
    """What the child knows; the working directory keeps projects apart.

    ``clock`` returns aware times.
    """

    def __init__(self, practice: Practice, ledger: Ledger, clock: Callable[[], datetime]):
        self._place = str(Path.cwd())
        self._practice = practice
        self._ledger = ledger
        self._clock = clock

    def answer(self, question: Mapping[str, Any]) -> Reply:
        """Return the advice, how long it holds, how often it may be repeated, the deadline.

        Raises nothing that a wrong configuration or a sick system can cause.
        """
        config = question.get("config")
        question = _clean(question)
        note = ""
        try:
            hook = self._practice.settings(config).hook
        except DoctorError as error:
            hook, note = _NOBODY, str(error)
        detector = LoopDetector(self._ledger, hook, self._place)
        now = self._clock().timestamp()
        kind = question.get("kind")
        if kind == "progress":
            run, phase, result = (str(question.get(one)) for one in ("run", "phase", "result"))
            advice = _stopped(detector.progressed(run, phase, result, now))
            return _reply(advice, 0.0, 0, hook)
        if kind == "outlook":
            receipt = detector.outlook(question.get("run"), question.get("operation"), now)
            return _reply(_stopped(receipt), 0.0, 0, hook)
        failure = failure_from_json(question)
        loop = detector.failed(failure, int(question.get("repeats") or 0), now)
        opinion = self._opinion(failure, hook, config) if not note else no_opinion(note)
        return self._weighed(opinion, loop, failure, detector, hook)

    def observe(self, note: Mapping[str, Any], pid: int) -> None:
        """Take in what an executor reports without asking."""
        note = _clean(note)
        what, run, operation = (note.get(one) for one in ("note", "run", "operation"))
        detector, now = LoopDetector(self._ledger, _NOBODY, self._place), self._clock().timestamp()
        attempt = f"{pid}:{note.get('attempt')}"
        if what == "succeeded":
            detector.succeeded(run, operation, now)
        elif what == "started":
            detector.started(attempt, run, operation, pid, now)
        elif what == "ended":
            detector.ended(attempt, run, operation, now)
        elif what == "died":
            detector.died(attempt, run, operation, now)

    def _opinion(self, failure: Failure, hook: HookSettings, config: str | None) -> Advice:
        if not failure.run:
            return no_opinion("the run is not known")
        try:
            doctor = self._practice.doctor(config)
            if doctor is None:
                return no_opinion("no system is configured")
            if hook.max_tier <= Tier.ADVISE:
                return examined(doctor.examine(failure.run))
            return treated(doctor.treat(failure.run, max_tier=hook.max_tier, attended=False))
        except DoctorError as error:
            return no_opinion(str(error))
        except Exception as error:  # noqa: BLE001 - counting goes on where examining fails
            return no_opinion(f"the examination failed: {type(error).__name__}: {error}")

    def _weighed(
        self,
        opinion: Advice,
        loop: Loop,
        failure: Failure,
        detector: LoopDetector,
        hook: HookSettings,
    ) -> Reply:
        if opinion.action == "fixed":
            detector.succeeded(failure.run, failure.operation, self._clock().timestamp())
            return _reply(opinion, 0.0, 0, hook)
        if opinion.action == "asked":
            return _reply(opinion._replace(receipt=loop.receipt), KNOWN_SECONDS, None, hook)
        if opinion.action == "stop":
            return _reply(opinion._replace(receipt=loop.receipt), STOP_SECONDS, None, hook)
        if opinion.action == "retry" and loop.receipt is not None:
            reason = f"{loop.receipt.why} ({opinion.reason})"
            stop = opinion._replace(action="stop", reason=reason, receipt=loop.receipt)
            return _reply(stop, STOP_SECONDS, None, hook)
        return self._again(opinion, loop, failure, detector, hook)

    def _again(
        self,
        opinion: Advice,
        loop: Loop,
        failure: Failure,
        detector: LoopDetector,
        hook: HookSettings,
    ) -> Reply:
        """Let it be tried again, as late as the server and the shared budget want."""
        now = self._clock()
        asked = seconds_to_wait(failure.retry_after, now) if loop.nature == "passing" else None
        if asked is not None and opinion.action == "retry":
            opinion = opinion._replace(
                action="wait", delay=min(asked, 3600.0), reason="the server says when to come again"
            )
        held = detector.grant(1, opinion.delay, now.timestamp())
        if held > opinion.delay:
            limit = f"{hook.retries.points} times in {hook.retries.per:g} s"
            reason = f"all runs together retry more than {limit}"
            opinion = opinion._replace(action="wait", delay=held, reason=reason)
        if opinion.action == "wait":
            return _reply(opinion, min(opinion.delay, KNOWN_SECONDS), None, hook)
        uses = PASSING_USES if loop.left is None else max(0, loop.left - 1)
        is_counted = loop.nature in ("certain", "final")
        return _reply(opinion, KNOWN_SECONDS, 0 if is_counted else uses, hook)


def _clean(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an executor says without secrets: it is counted in files."""
    kept = {name: document[name] for name in ("run", "config") if name in document}
    return {**redact_value(document), **kept}


def utc_now() -> datetime:
    """Return the current time, aware."""
    return datetime.now(UTC)


def _stopped(receipt: Receipt | None) -> Advice:
    if receipt is None:
        return no_opinion("")
    return Advice("stop", 0.0, receipt.why, receipt=receipt)


def _reply(advice: Advice, ttl: float, uses: int | None, hook: HookSettings) -> Reply:
    return {
        "advice": redact_value(advice_to_json(advice)),
        "ttl": ttl,
        "uses": uses,
        "deadline": hook.deadline,
    }
