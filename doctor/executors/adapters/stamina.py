"""Doctor in stamina: ``@stamina.retry(on=doctor(httpx.HTTPError), attempts=5)``."""

from __future__ import annotations

from collections.abc import Callable

from doctor.executors.adapters.outcome import Call, asked, delay_of
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK


def doctor(
    *errors: type[Exception],
    run: str | None = None,
    operation: str | None = None,
    hook: Hook = HOOK,
    deadline: float | None = None,
) -> Callable[[Exception], bool | float]:
    """Return the back-off hook for ``on=``; other errors than ``errors`` are not retried.

    stamina tells its hook of failures only: enter ``doctor.attempt`` in the retried function, or
    call ``doctor.observe_success``, so that a success makes what came before it forgotten.
    """
    call = Call(run, operation, hook, deadline)
    kinds = errors or (Exception,)

    def decide(error: Exception) -> bool | float:
        if not isinstance(error, kinds):
            return False
        advice = call.consult(error)
        if advice.action == "asked":
            raise asked(advice) from error
        if advice.action == "stop":
            return False
        delay = delay_of(advice)
        return True if delay is None else delay

    return decide
