"""``doctor.consult``: asks a warm child process, within a deadline, and never raises.

Standard library only. Whatever happens to the child, the answer is then "no opinion" and the
executor backs off as it would have without Doctor. A known error is answered from memory.
"""

from __future__ import annotations

import os
import time
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from doctor.executors.advice import Advice, no_opinion
from doctor.executors.context import OPERATION, RUN
from doctor.executors.fingerprint import fingerprint
from doctor.executors.known import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from doctor.executors.asker import Asker
    from doctor.executors.attempt import Attempt
    from doctor.executors.breaker import Breaker
    from doctor.executors.link import Link


class Hook:
    """What an executor asks. One per process is enough; it may be used from any thread.

    Args:
        link: the conversation with the child.
        clock: a clock that only goes forward, in seconds.
        breaker: when not to ask.
    """

    def __init__(
        self,
        link: Link | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        breaker: Breaker | None = None,
    ):
        self._link = link
        self._clock = clock
        self._breaker = breaker
        self._memory = Memory()
        self._known = self._memory.entries
        self._asks: Asker | None = None
        self._making = Lock()

    def consult(
        self,
        error: BaseException | str,
        *,
        run: str | None = None,
        operation: str | None = None,
        status: int | str | None = None,
        config: str | os.PathLike[str] | None = None,
        deadline: float | None = None,
    ) -> Advice:
        """Return what to do about a failed call before backing off again. Never raises.

        Args:
            error: the exception, or its text.
            run: the run that the call was made for; taken from ``doctor.attempt`` where not given.
            operation: what was called, e.g. ``GET /runs/7``; as ``run``.
            status: HTTP status or SQLSTATE, where the exception does not carry it.
            config: doctor.toml to use instead of the nearest.
            deadline: seconds after which there is no opinion; [hook] deadline where not given.
        """
        try:
            if run is None:
                run = RUN.get()
            if operation is None:
                operation = OPERATION.get()
            key, code = fingerprint(error, run, operation, status, config)
            known = self._known.get(key)
            if known is not None and known.left > 0 and self._clock() < known.expires:
                known.left -= 1
                return known.advice
            return self.asker.share(key, code, error, deadline, get_ident())
        except Exception as failure:  # noqa: BLE001 - asking must never make an executor worse
            return no_opinion(f"doctor could not be asked: {type(failure).__name__}")

    async def aconsult(
        self,
        error: BaseException | str,
        *,
        run: str | None = None,
        operation: str | None = None,
        status: int | str | None = None,
        config: str | os.PathLike[str] | None = None,
        deadline: float | None = None,
    ) -> Advice:
        """Do as ``consult`` without blocking the event loop. Never raises, can be cancelled."""
        try:
            if run is None:
                run = RUN.get()
            if operation is None:
                operation = OPERATION.get()
            key, code = fingerprint(error, run, operation, status, config)
            known = self._known.get(key)
            if known is not None and known.left > 0 and self._clock() < known.expires:
                known.left -= 1
                return known.advice
            from doctor.executors.asking import ask_in_thread, task

            asker, who = self.asker, task()
            return await ask_in_thread(
                asker.asking,
                key,
                lambda: asker.share(key, code, error, deadline, who),
                asker.seconds(deadline),
            )
        except Exception as failure:  # noqa: BLE001 - as consult
            return no_opinion(f"doctor could not be asked: {type(failure).__name__}")

    def observe_success(self, run: str | None = None, operation: str | None = None) -> None:
        """Say that a call of ``run`` succeeded: advice about its failures is forgotten.

        Without an operation the whole run is meant.
        """
        try:
            run = RUN.get() if run is None else run
            operation = OPERATION.get() if operation is None else operation
            if self._known and not self._memory.is_clean(run, operation):
                self.asker.succeeded(run, operation)
        except Exception:  # noqa: BLE001, S110 - as consult
            pass

    def observe_progress(
        self, run: str, phase: str, result: str, *, deadline: float | None = None
    ) -> Advice:
        """Say what a phase of a run came to; the advice is to stop where nothing changes.

        The same phase with the same result again and again is no progress, whatever happens in
        between. Never raises.
        """
        question = {"kind": "progress", "run": run, "phase": phase, "result": str(result)[:500]}
        return self._ask(("progress", run, phase), question, deadline)

    def outlook(
        self, run: str | None = None, operation: str | None = None, deadline: float | None = None
    ) -> Advice:
        """Say before an attempt whether it is worth making: how did the ones before it end?

        It knows of workers that died without an exception. Never raises.
        """
        question = {"kind": "outlook", "run": run, "operation": operation}
        return self._ask(("outlook", run, operation), question, deadline)

    def attempt(self, run: str | None = None, operation: str | None = None) -> Attempt:
        """Return a context manager for one try of one call; see ``Attempt``.

        Args:
            run: the run it is made for; that of the attempt around it where not given.
            operation: what is called, e.g. ``GET /runs/7``; as ``run``.
        """
        from doctor.executors.attempt import Attempt

        return Attempt(self, run, operation)

    def tell(self, note: dict[str, Any]) -> None:
        """Tell the child something, some time. Never waits for anything, never raises."""
        try:  # noqa: SIM105 - contextlib is not loaded for this
            self.asker.tell(note)
        except Exception:  # noqa: BLE001, S110 - as consult
            pass

    def warm(self) -> None:
        """Start the child, so that the first failure finds it ready. Never waits for it."""
        self.tell({"note": "warm"})

    def close(self) -> None:
        """End the child, unless it is treating; nothing hangs."""
        if self._asks is not None:
            self._asks.close()

    @property
    def child(self) -> int | None:
        """The process id of the child, None while there is none."""
        return self._asks.child if self._asks is not None else None

    @property
    def known(self) -> dict[Any, Any]:
        """What is remembered: advice by fingerprint."""
        return self._known

    @property
    def asker(self) -> Asker:
        """The slow path, loaded when it is needed first."""
        known = self._asks
        if known is not None:
            return known
        from doctor.executors.asker import make_asker

        made = make_asker(self._memory, self._link, self._breaker, self._clock)
        with self._making:
            if self._asks is None:
                self._asks = made
            return self._asks

    def _ask(self, key: Any, question: dict[str, Any], deadline: float | None) -> Advice:
        try:
            return self.asker.ask(key, question, deadline)
        except Exception as failure:  # noqa: BLE001 - as consult
            return no_opinion(f"doctor could not be asked: {type(failure).__name__}")
