"""Doctor in httpx: transports around your own.

``httpx.Client(transport=DoctorTransport(httpx.HTTPTransport(), run=run_id))``

A request that failed is sent again only when Doctor says ``fixed`` or ``wait``, its method is
idempotent and its body can be sent twice. Else the response or the exception comes back as it
would have without Doctor, with ``response.extensions["doctor"]`` holding the advice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from doctor.executors.adapters.outcome import LONGEST_WAIT, Call, asked
from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
MOST_REPEATS = 3
_FAILED = 400


class _Asking:
    def __init__(
        self,
        run: str | None = None,
        hook: Hook = HOOK,
        deadline: float | None = None,
        statuses: Callable[[int], bool] = lambda status: status >= _FAILED,
    ):
        self._call = Call(run, None, hook, deadline)
        self._statuses = statuses

    def _fails(self, response: httpx.Response, operation: str) -> bool:
        if self._statuses(response.status_code):
            return True
        self._call.succeeded(operation)
        return False

    def _again(self, request: httpx.Request, advice: Advice, repeats: int) -> float | None:
        """Return the seconds after which to send it again; None where that is not for us."""
        if advice.action == "asked":
            raise asked(advice)
        is_safe = request.method in IDEMPOTENT and isinstance(request.stream, httpx.ByteStream)
        if advice.action not in ("fixed", "wait") or not is_safe or repeats >= MOST_REPEATS:
            return None
        return min(advice.delay, LONGEST_WAIT) if advice.action == "wait" else 0.0


class DoctorTransport(_Asking, httpx.BaseTransport):
    """Asks Doctor about every failed request of ``wrapped``.

    Args:
        wrapped: the transport that does the work.
        run: the run that the requests are made for.
        hook: who is asked.
        deadline: seconds for each question.
        statuses: which statuses are failures; 400 and above.
        sleep: how to wait.
    """

    def __init__(
        self,
        wrapped: httpx.BaseTransport,
        *,
        sleep: Callable[[float], Any] = time.sleep,
        **policy: Any,
    ):
        super().__init__(**policy)
        self._wrapped = wrapped
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, as often as Doctor says that it is worth it."""
        operation, repeats = _operation(request), 0
        while True:
            try:
                response = self._wrapped.handle_request(request)
            except httpx.TransportError as error:
                advice = self._call.consult(error, operation)
                delay = self._again(request, advice, repeats)
                if delay is None:
                    raise
            else:
                if not self._fails(response, operation):
                    return response
                advice = self._call.consult(_failure(request, response), operation)
                response.extensions["doctor"] = advice
                try:
                    delay = self._again(request, advice, repeats)
                except BaseException:
                    response.close()
                    raise
                if delay is None:
                    return response
                response.close()
            self._sleep(delay)
            repeats += 1

    def close(self) -> None:
        """Close the transport inside."""
        self._wrapped.close()


class AsyncDoctorTransport(_Asking, httpx.AsyncBaseTransport):
    """As DoctorTransport, around an asynchronous transport."""

    def __init__(
        self,
        wrapped: httpx.AsyncBaseTransport,
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        **policy: Any,
    ):
        super().__init__(**policy)
        self._wrapped = wrapped
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, as often as Doctor says that it is worth it."""
        operation, repeats = _operation(request), 0
        while True:
            try:
                response = await self._wrapped.handle_async_request(request)
            except httpx.TransportError as error:
                advice = await self._call.aconsult(error, operation)
                delay = self._again(request, advice, repeats)
                if delay is None:
                    raise
            else:
                if not self._fails(response, operation):
                    return response
                advice = await self._call.aconsult(_failure(request, response), operation)
                response.extensions["doctor"] = advice
                try:
                    delay = self._again(request, advice, repeats)
                except BaseException:
                    await response.aclose()
                    raise
                if delay is None:
                    return response
                await response.aclose()
            await self._sleep(delay)
            repeats += 1

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._wrapped.aclose()


def _operation(request: httpx.Request) -> str:
    return f"{request.method} {request.url}"


def _failure(request: httpx.Request, response: httpx.Response) -> httpx.HTTPStatusError:
    text = f"{response.status_code} for {_operation(request)}"
    return httpx.HTTPStatusError(text, request=request, response=response)
