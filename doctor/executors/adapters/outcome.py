"""What all adapters share: who is asked, for which call, and what a human's answer looks like."""

from __future__ import annotations

from typing import NamedTuple

from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK

LONGEST_WAIT = 300.0


class AskedError(Exception):
    """A human was asked; retrying is useless until they answered.

    It can be pickled. Its cause is the failure of the call.
    """

    def __init__(self, reason: str, incident: str | None = None):
        super().__init__(reason, incident)
        self.reason = reason
        self.incident = incident

    def __str__(self) -> str:
        return f"{self.reason} (incident {self.incident})" if self.incident else self.reason


class Call(NamedTuple):
    """The call that an adapter asks about, and the hook that it asks."""

    run: str | None = None
    operation: str | None = None
    hook: Hook = HOOK
    deadline: float | None = None

    def consult(self, error: BaseException, operation: str | None = None) -> Advice:
        """Ask about a failure of this call."""
        return self.hook.consult(
            error,
            run=self.run,
            operation=self.operation or operation,
            deadline=self.deadline,
        )

    async def aconsult(self, error: BaseException, operation: str | None = None) -> Advice:
        """Ask as ``consult`` does, without blocking the event loop."""
        return await self.hook.aconsult(
            error,
            run=self.run,
            operation=self.operation or operation,
            deadline=self.deadline,
        )

    def succeeded(self, operation: str | None = None) -> None:
        """Say that this call succeeded."""
        self.hook.observe_success(self.run, self.operation or operation)


def delay_of(advice: Advice) -> float | None:
    """Return the seconds before the next attempt; None where the library decides."""
    if advice.action == "fixed":
        return 0.0
    return min(advice.delay, LONGEST_WAIT) if advice.action == "wait" else None


def asked(advice: Advice) -> AskedError:
    """Return the error for an advice that a human was asked."""
    return AskedError(advice.reason, advice.incident)
