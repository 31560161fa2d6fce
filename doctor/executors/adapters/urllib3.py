"""Doctor in urllib3 and requests: a ``Retry`` that asks.

::

    session.mount("http://", HTTPAdapter(max_retries=DoctorRetry(total=3, status_forcelist=[500])))

``total``, ``status_forcelist`` and ``allowed_methods`` still say what may be retried at all.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from doctor.executors.adapters.outcome import Call, asked, delay_of
from doctor.executors.advice import Advice
from doctor.executors.hook import HOOK


class StatusError(Exception):
    """A response that the policy calls a failure."""

    def __init__(self, response: BaseHTTPResponse):
        super().__init__(f"status {response.status}")
        self.response = response


class DoctorRetry(Retry):
    """As urllib3's own, and Doctor is asked before each retry.

    ``doctor`` is the Call that is asked about: run, hook and deadline. ``stop`` gives up as an
    exhausted Retry does, ``asked`` raises AskedError.
    """

    def __init__(self, *args: Any, doctor: Call | None = None, **options: Any):
        super().__init__(*args, **options)
        self.doctor = doctor or Call(hook=HOOK)
        self.advice: Advice | None = None

    def new(self, **options: Any) -> Self:
        """Return the next state, which asks the same Doctor."""
        return super().new(doctor=self.doctor, **options)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Return the state of the next attempt, or raise MaxRetryError."""
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        if response is not None and response.get_redirect_location():
            return following
        failure = (
            error if error is not None else None if response is None else StatusError(response)
        )
        if failure is None:
            return following
        advice = self.doctor.consult(failure, f"{method} {_address(_pool)}{url}")
        if advice.action == "asked":
            raise asked(advice) from failure
        if advice.action == "stop":
            reason = error or ResponseError(f"doctor says stop: {advice.reason}")
            raise MaxRetryError(_pool, url, reason) from reason  # type: ignore[arg-type]
        following.advice = advice
        return following

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as Doctor says, else as urllib3 does."""
        delay = None if self.advice is None else delay_of(self.advice)
        if delay is None:
            super().sleep(response)
        elif delay > 0:
            import time

            time.sleep(delay)


def _address(pool: ConnectionPool | None) -> str:
    return f"{pool.host}:{pool.port}" if pool is not None else ""
