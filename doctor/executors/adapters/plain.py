"""Doctor in loops that are written by hand: an iterator of attempts, and a decorator.

::

    for attempt in attempts((1, 2, 4), run=run_id, operation="GET /runs"):
        with attempt:
            return fetch()
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from doctor.executors.adapters.outcome import Call, asked, delay_of
from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK

P = ParamSpec("P")
T = TypeVar("T")
_MOST_REPAIRS = 3


class Try:
    """One attempt of a loop; an exception that may be tried again ends here.

    ``advice`` is what Doctor said, None where the attempt succeeded.
    """

    def __init__(
        self, call: Call, errors: tuple[type[Exception], ...], *, is_last: bool, may_repair: bool
    ):
        self._call = call
        self._errors = errors
        self._is_last = is_last
        self._may_repair = may_repair
        self._attempt = call.hook.attempt(call.run, call.operation)
        self.advice: Advice | None = None
        self.is_done = False

    def __enter__(self) -> Self:
        self._attempt.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        try:
            if error is None or not isinstance(error, self._errors):
                self.is_done = True
                return False
            self.advice = self._call.consult(error)
        finally:
            self._attempt.__exit__(kind, error, trace)
        if self.advice.action == "asked":
            raise asked(self.advice) from error
        if self.advice.action == "fixed" and self._may_repair:
            return True
        return self.advice.action != "stop" and not self._is_last


def attempts(
    waits: Sequence[float],
    *,
    run: str | None = None,
    operation: str | None = None,
    errors: tuple[type[Exception], ...] = (Exception,),
    hook: Hook = HOOK,
    deadline: float | None = None,
    sleep: Callable[[float], Any] = time.sleep,
) -> Iterator[Try]:
    """Yield attempts until one succeeds: one more than there are ``waits`` between them.

    What Doctor repaired is tried again at once and does not count, three times at most; ``stop``
    and the last attempt raise the failure itself, ``asked`` raises AskedError. An attempt in
    which nothing failed is the last one.
    """
    call = Call(run, operation, hook, deadline)
    repairs = count = 0
    while True:
        may_repair = repairs < _MOST_REPAIRS
        one = Try(call, errors, is_last=count >= len(waits), may_repair=may_repair)
        yield one
        if one.is_done or one.advice is None:
            return
        if one.advice.action == "fixed" and may_repair:
            repairs += 1
            continue
        delay = delay_of(one.advice)
        sleep(waits[count] if delay is None else delay)
        count += 1


def retrying(waits: Sequence[float], **policy: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that retries as ``attempts`` does; it takes the same arguments."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        named = {"operation": getattr(function, "__qualname__", None), **policy}

        @functools.wraps(function)
        def retried(*args: P.args, **kwargs: P.kwargs) -> T:
            for attempt in attempts(waits, **named):
                with attempt:
                    return function(*args, **kwargs)
            raise AssertionError("the last attempt returns or raises")

        return retried

    return decorate
