"""The warm child behind a pipe: started once, asked with a deadline, killed when it fails.

Standard library only. A child that has begun to write to the system under care says so first and
is then never killed.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from doctor.executors.frames import pack, take
from doctor.executors.spawn import command_of_child, spawn

if TYPE_CHECKING:
    import subprocess

START_SECONDS = 15.0
TREAT_SECONDS = 60.0
LATE_SECONDS = 30.0
REAP_SECONDS = 0.002
_CHUNK = 1 << 16
_MOST_NOTES = 256
_MOST_ASKED = 64


class NoAnswerError(Exception):
    """The child gave no usable answer; the text says why."""


class TreatingError(Exception):
    """The child is repairing something and must be left alone."""


class Link:
    """One child process and the conversation with it. Not thread-safe: one thread at a time."""

    def __init__(self, command: Sequence[str] | None = None):
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._write = self._read = -1
        self._buffer = bytearray()
        self._is_ready = self._is_sending = False
        self._born = self._treating_since = 0.0
        self._number = 0
        self._asked: dict[int, tuple[Any, Any]] = {}
        self._late: dict[Any, tuple[float, dict[str, Any]]] = {}
        self._dead: list[subprocess.Popen[bytes]] = []
        self.notes: deque[dict[str, Any]] = deque(maxlen=_MOST_NOTES)
        self.deadline: float | None = None
        self.treated_run: str | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def is_ready(self) -> bool:
        """Whether the child has said that it can be asked."""
        return self._is_ready

    @property
    def waiting(self) -> int:
        """How many questions have no answer yet."""
        return len(self._asked)

    def start(self) -> None:
        """Start the child where there is none; raises NoAnswerError where that is impossible."""
        self._reap()
        if self._process is not None:
            return
        self._buffer.clear()
        self._asked.clear()
        self._number = 0
        self._is_ready = self._is_sending = False
        self._treating_since = 0.0
        try:
            started = spawn(self._command or command_of_child())
        except (OSError, ValueError) as error:
            raise NoAnswerError(f"doctor could not be started: {type(error).__name__}") from None
        self._process, self._write, self._read = started
        self._born = time.monotonic()

    def ask(self, question: dict[str, Any], key: Any, end: float) -> dict[str, Any]:
        """Return the reply; ``end`` is a moment of the monotonic clock.

        A reply that came after its own deadline is given to the next who asks with its key.

        Raises:
            NoAnswerError: there is none in time, or no usable one; the child was killed, unless it
                is still starting.
            TreatingError: the child is repairing something.
        """
        if self._treating_since and time.monotonic() - self._treating_since > TREAT_SECONDS:
            self._abandon()
        if self._is_sending:
            self.kill()
        self.start()
        try:
            self.listen()
        except NoAnswerError:  # it died while nobody asked
            self.start()
        came, late = self._late.pop(key, (0.0, None))
        if late is not None and time.monotonic() - came < LATE_SECONDS and _says_much(late):
            return late
        if self._treating_since:
            raise TreatingError
        self.flush()
        self._number += 1
        number = self._number
        self._asked[number] = (key, question.get("run"))
        while len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._send(pack({"id": number, **question}), end)
        while number in self._asked:
            if not self._receive(end):
                self._give_up()
        return self._late.pop(key)[1]

    def flush(self) -> None:
        """Tell the child what is to be told, as far as it takes it without waiting."""
        while self.notes and not self._treating_since:
            if not self._wait(self._write, select.POLLOUT, 0.0):
                return
            self._send(pack(self.notes.popleft()), 0.0)

    def kill(self) -> None:
        """End the child and whatever it started, unless it is treating."""
        process = self._process
        if process is None:
            return
        if self._treating_since:
            self._abandon()
            return
        import signal

        if process.returncode is None:  # not reaped, so the number of its group is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        self._let_go()
        end = time.monotonic() + REAP_SECONDS
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.0002)
        if process.returncode is None:
            self._dead.append(process)

    def close(self, patience: float = 0.2) -> None:
        """Say good-bye; a child that does not go by itself is killed, unless it is treating."""
        process = self._process
        if process is not None:
            with suppress(NoAnswerError, OSError):
                self.notes.append({"note": "bye"})
                self.flush()
            if self._process is process and not self._treating_since:
                os.close(self._write)
                self._write = -1
                end = time.monotonic() + patience
                while self._is_ready and process.poll() is None and time.monotonic() < end:
                    time.sleep(0.001)
            self.kill()
        for one in self._dead:
            with suppress(Exception):
                one.wait(patience)
        self._reap()

    def forget(self) -> None:
        """Let go of a child that belongs to the process we were forked from."""
        if self._process is not None:
            self._process.returncode = 0
        for one in self._dead:
            one.returncode = 0
        self._dead.clear()
        self.notes.clear()
        self._late.clear()
        self._let_go()

    def _abandon(self) -> None:
        process = self._process
        self._let_go()
        if process is not None:
            self._dead.append(process)

    def _let_go(self) -> None:
        for descriptor in (self._write, self._read):
            if descriptor >= 0:
                with suppress(OSError):
                    os.close(descriptor)
        self._write = self._read = -1
        self._process = None
        self._is_ready = False
        self._treating_since = 0.0

    def _reap(self) -> None:
        self._dead = [one for one in self._dead if one.poll() is None]

    def _fail(self, reason: str) -> None:
        self.kill()
        raise NoAnswerError(reason)

    def _give_up(self) -> None:
        """Say at the deadline what becomes of the child."""
        if self._treating_since:
            raise TreatingError
        is_starting = not self._is_ready and time.monotonic() - self._born < START_SECONDS
        if is_starting:
            raise NoAnswerError("doctor is still starting")
        self._fail("doctor gave no answer in time")

    def _send(self, frame: bytes, end: float) -> None:
        self._is_sending = True
        left = memoryview(frame)
        while left:
            try:
                left = left[os.write(self._write, left) :]
            except BlockingIOError:
                if not self._wait(self._write, select.POLLOUT, end):
                    if len(left) == len(frame):
                        self._is_sending = False
                    self._give_up()
            except OSError:
                self._fail("doctor ended before it was asked")
        self._is_sending = False

    def _receive(self, end: float) -> bool:
        """Take in what the child says; False at the deadline."""
        if not self._wait(self._read, select.POLLIN, end):
            return False
        return self._take_in()

    def listen(self) -> None:
        """Take in what the child has said by now."""
        while self._process is not None and self._wait(self._read, select.POLLIN, 0.0):
            self._take_in()

    def _take_in(self) -> bool:
        chunk = os.read(self._read, _CHUNK)
        if not chunk:
            self._fail("doctor ended without an answer")
        self._buffer += chunk
        try:
            while (frame := take(self._buffer)) is not None:
                self._hear(frame)
        except ValueError as error:
            self._fail(f"doctor talked nonsense: {error}")
        return True

    def _hear(self, frame: dict[str, Any]) -> None:
        deadline = frame.get("deadline")
        if isinstance(deadline, int | float) and 0 < deadline <= 3600:  # noqa: PLR2004 - an hour
            self.deadline = float(deadline)
        if frame.get("hello") is True:
            self._is_ready = True
            return
        number = frame.get("id")
        if not isinstance(number, int) or not 0 < number <= self._number:
            raise ValueError("an answer to no question")
        if number not in self._asked:  # forgotten, or answered before
            return
        if frame.get("treating") is True:
            self._treating_since = time.monotonic()
            self.treated_run = self._asked[number][1]
            self._send(pack({"go": number}), self._treating_since + 1)
            return
        self._is_ready = True
        self._treating_since = 0.0
        key, _ = self._asked.pop(number)
        self._late[key] = (time.monotonic(), frame)
        while len(self._late) > _MOST_ASKED:
            del self._late[next(iter(self._late))]

    def _wait(self, descriptor: int, event: int, end: float) -> bool:
        poll = select.poll()
        poll.register(descriptor, event)
        left = end - time.monotonic()
        return bool(poll.poll(max(0.0, left * 1000)))


def _says_much(reply: dict[str, Any]) -> bool:
    advice = reply.get("advice")
    return isinstance(advice, dict) and advice.get("action") != "retry"
