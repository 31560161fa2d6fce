"""Doctor in tenacity: ``@retry(**doctor(stop=stop_after_attempt(5), wait=wait_fixed(1)))``.

Doctor is asked once for each failure that would be retried; where it has no opinion tenacity does
what it would have done. ``stop=`` still caps the attempts.
"""

from __future__ import annotations

from typing import Any

from tenacity import RetryCallState
from tenacity.retry import retry_base
from tenacity.wait import wait_base

from doctor.executors.adapters.outcome import Call, asked, delay_of
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK


class DoctorRetry(retry_base):
    """Decides whether to go on: asks Doctor after ``otherwise`` said that it would.

    None stands for what tenacity does by itself: any Exception is tried again.
    """

    def __init__(self, otherwise: Any | None, call: Call):
        self._otherwise = otherwise
        self._call = call

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return whether tenacity should try again."""
        outcome, otherwise = retry_state.outcome, self._otherwise
        error = outcome.exception() if outcome is not None else None
        will = isinstance(error, Exception) if otherwise is None else bool(otherwise(retry_state))
        if error is None:
            if not will:
                self._call.succeeded(_name(retry_state))
            return will
        if not will:
            return False
        advice = self._call.consult(error, _name(retry_state))
        retry_state.doctor = advice  # type: ignore[attr-defined]
        if advice.action == "asked":
            raise asked(advice) from error
        return advice.action != "stop"


class DoctorWait(wait_base):
    """Waits as Doctor says, else as ``otherwise``; None: not at all, as tenacity by itself."""

    def __init__(self, otherwise: Any | None):
        self._otherwise = otherwise

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the seconds before the next attempt."""
        advice = getattr(retry_state, "doctor", None)
        delay = None if advice is None else delay_of(advice)
        if delay is not None:
            return delay
        return 0.0 if self._otherwise is None else float(self._otherwise(retry_state))


def doctor(
    *,
    run: str | None = None,
    operation: str | None = None,
    hook: Hook = HOOK,
    deadline: float | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return the options of ``tenacity.retry`` with Doctor asked in between.

    ``options`` are tenacity's own; ``reraise`` is on unless it is given. ``operation`` is the
    function's name where not given. ``asked`` raises AskedError.
    """
    retry = DoctorRetry(options.pop("retry", None), Call(run, operation, hook, deadline))
    wait = DoctorWait(options.pop("wait", None))
    return {"reraise": True, **options, "retry": retry, "wait": wait}


def _name(state: RetryCallState) -> str | None:
    return getattr(state.fn, "__qualname__", None)
