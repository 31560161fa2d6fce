"""The slow path of ``consult``: one question for all who have it, one conversation at a time.

Standard library only.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, RLock, Thread
from types import CodeType
from typing import Any

from doctor.executors.advice import Advice, advice_from_json, no_opinion
from doctor.executors.breaker import Breaker
from doctor.executors.fingerprint import Key
from doctor.executors.known import Flight, Known, Memory
from doctor.executors.link import Link, NoAnswerError, TreatingError
from doctor.executors.question import question_of

DEADLINE = 1.0
_BREATH = 0.01
_OURS = 0.8  # of a deadline; the rest is for ending what does not answer, on a busy machine too
TREATING = Advice("wait", 1.0, "doctor is repairing something right now")


def make_asker(
    memory: Memory, link: Link | None, breaker: Breaker | None, clock: Callable[[], float]
) -> Asker:
    """Return the slow path over a child, which is started at the first question."""
    return Asker(memory, link or Link(), breaker or Breaker(clock), clock)


class Asker:
    """Asks the child; used from any thread, and again after a fork."""

    def __init__(
        self, memory: Memory, link: Link, breaker: Breaker, clock: Callable[[], float]
    ) -> None:
        self._memory = memory
        self._known = memory.entries
        self._link = link
        self._breaker = breaker
        self._clock = clock
        self._deadline = DEADLINE
        self._is_closing = False
        self._after_fork()

    def seconds(self, deadline: float | None) -> float:
        """Return how long a question may take."""
        return deadline or self._deadline

    def share(
        self,
        key: Key,
        code: CodeType | None,
        error: BaseException | str,
        deadline: float | None,
        who: int,
    ) -> Advice:
        """Ask, unless somebody is asking the same: one examination for all of them.

        ``who`` is the thread or task that asks.
        """
        end = self._clock() + self.seconds(deadline) * _OURS
        self._check_fork()
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._is_for(known, who):
                return known.advice
            flight = self._flights.get(key)
            if flight is None:
                mine = self._flights[key] = Flight()
        if flight is not None:
            if not flight.done.wait(end - self._clock()):
                return no_opinion("the same question was not answered in time")
            if flight.known is not None:
                flight.known.told.add(who)
            return flight.advice
        try:
            repeats = known.uses - known.left if known is not None else 0
            question = {**question_of(error, key), "repeats": repeats}
            reply = self._converse(question, key, end)
            mine.advice = reply if isinstance(reply, Advice) else advice_from_json(reply["advice"])
            if not isinstance(reply, Advice):
                mine.known = Known(mine.advice, code, reply, self._clock())
                mine.known.told.add(who)
                with self._lock:
                    self._memory.keep(key, mine.known)
        finally:
            with self._lock:
                self._flights.pop(key, None)
            mine.done.set()
        return mine.advice

    def _is_for(self, known: Known, who: int) -> bool:
        """Whether this is another thread with the same failure at the same time."""
        if self._clock() >= known.shared_until or who in known.told:
            return False
        known.told.add(who)
        return True

    def ask(self, key: Any, question: dict[str, Any], deadline: float | None) -> Advice:
        """Ask for this caller alone; nothing is remembered."""
        self._check_fork()
        reply = self._converse(question, key, self._clock() + self.seconds(deadline) * _OURS)
        return reply if isinstance(reply, Advice) else advice_from_json(reply["advice"])

    def succeeded(self, run: Any, operation: Any) -> None:
        """Forget advice about a call that succeeded; the child hears of it once."""
        self._check_fork()
        with self._lock:
            is_news = self._memory.succeeded(run, operation)
        if is_news:
            self.tell({"note": "succeeded", "run": run, "operation": operation})

    def tell(self, note: dict[str, Any]) -> None:
        """Tell the child something, some time."""
        self._check_fork()
        self._link.notes.append(note)
        if self._breaker.is_open or not self._turn.acquire(blocking=False):
            return
        try:
            self._start()
            self._link.flush()
        except NoAnswerError:
            self._breaker.failed()
        finally:
            self._turn.release()

    @property
    def child(self) -> int | None:
        """The process id of the child."""
        return self._link.pid

    @property
    def is_ready(self) -> bool:
        """Whether the child has said that it can be asked."""
        return self._link.is_ready

    def listen(self) -> None:
        """Take in what the child said unasked, as that it is ready; never waits."""
        if self._turn.acquire(blocking=False):
            try:
                self._link.listen()
            except NoAnswerError:
                pass
            finally:
                self._turn.release()

    def close(self) -> None:
        """End the child, unless it is treating."""
        if self._pid == os.getpid() and self._turn.acquire(timeout=1.0):
            try:
                self._link.close()
            finally:
                self._turn.release()

    def _close_quietly(self) -> None:
        with suppress(Exception):
            self.close()

    def _converse(self, question: dict[str, Any], key: Key, end: float) -> Advice | dict[str, Any]:
        """Return the reply with a valid advice, or what to do without one."""
        if self._breaker.is_open:
            return no_opinion("doctor failed repeatedly and is left alone for a minute")
        if not self._turn.acquire(timeout=max(0.0, end - self._clock())):
            return no_opinion("doctor is busy with another question")
        try:
            self._start()
            reply = self._link.ask(question, key, end - self._clock() + time.monotonic())
            advice_from_json(reply.get("advice"))
        except TreatingError:
            is_mine = question.get("run") == self._link.treated_run
            return TREATING if is_mine else no_opinion("doctor is treating another run")
        except NoAnswerError as failure:
            reason = str(failure)
        except ValueError as failure:
            self._link.kill()
            reason = str(failure)
        else:
            self._breaker.succeeded()
            self._deadline = self._link.deadline or self._deadline
            return reply
        finally:
            self._turn.release()
        self._breaker.failed()
        if not self._breaker.is_open:  # the next one finds a child that is warm again
            Thread(target=self._warm, name="doctor-warm", daemon=True).start()
        return no_opinion(reason)

    def _warm(self) -> None:
        time.sleep(_BREATH)  # who asked goes on first: starting a process holds up every thread
        with suppress(Exception):
            self.tell({"note": "warm"})

    def _start(self) -> None:
        if not self._is_closing:
            atexit.register(self._close_quietly)
            self._is_closing = True
        self._link.start()

    def _check_fork(self) -> None:
        if self._pid != os.getpid():
            self._link.forget()
            self._after_fork()

    def _after_fork(self) -> None:
        self._pid = os.getpid()
        self._lock = RLock()
        self._turn = Lock()
        self._flights: dict[Key, Flight] = {}
        self.asking: dict[Any, Any] = {}
        self._is_closing = False
