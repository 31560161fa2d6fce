"""The child behind ``doctor.consult``: warm, it answers one question at a time."""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from contextlib import suppress
from typing import Any

from doctor.errors import DoctorError
from doctor.executors.adviser import Adviser, utc_now
from doctor.executors.frames import pack, take
from doctor.executors.ledger import Ledger, epoch
from doctor.executors.practice import Practice
from doctor.store.identity import state_folder

IDLE_SECONDS = 15.0
_CHUNK = 1 << 16
_TEXT = 4000


class Line:
    """The child's side of the conversation, on two descriptors that nothing else uses."""

    def __init__(self, read: int, write: int, parent: int):
        self._read = read
        self._write = write
        self._parent = parent
        self._buffer = bytearray()
        self._waiting: deque[dict[str, Any]] = deque()

    def say(self, document: dict[str, Any]) -> None:
        """Send a frame; raises OSError when nobody is there any more."""
        left = memoryview(pack(document))
        while left:
            left = left[os.write(self._write, left) :]

    def hear(self) -> dict[str, Any] | None:
        """Return the next frame, None when the executor is gone."""
        return self._waiting.popleft() if self._waiting else self._next()

    def may_write(self, number: int) -> bool:
        """Say that a repair begins and wait for leave: after it nobody ends this process."""
        self.say({"id": number, "treating": True})
        while (frame := self._next()) is not None:
            if frame.get("go") == number:
                return True
            self._waiting.append(frame)
        return False

    def _next(self) -> dict[str, Any] | None:
        while (frame := take(self._buffer)) is None:
            poll = select.poll()
            poll.register(self._read, select.POLLIN)
            if not poll.poll(IDLE_SECONDS * 1000):
                if os.getppid() != self._parent:
                    return None
                continue
            chunk = os.read(self._read, _CHUNK)
            if not chunk:
                return None
            self._buffer += chunk
        return frame


class Child:
    """Serves one executor until it says good-bye or dies.

    Attempts that it began and did not end are then those of a worker that died.
    """

    def __init__(self, line: Line, parent: int):
        self._line = line
        self._parent = parent
        self._number = 0
        self._attempts: dict[Any, dict[str, Any]] = {}
        self._ledger = Ledger(state_folder() / "loops")
        self._practice = Practice(self.on_step)
        self._adviser = Adviser(self._practice, self._ledger, utc_now)

    def serve(self) -> None:
        """Answer until the executor is gone."""
        self._line.say({"hello": True, **self._prepared()})
        self._ledger.prune(epoch())
        while (frame := self._line.hear()) is not None:
            if "note" in frame:
                self._take_in(frame)
                if frame["note"] == "bye":
                    self._attempts.clear()
                    break
                continue
            self._number = frame["id"]
            reply = self._adviser.answer(frame)
            self._line.say({"id": self._number, **_short(reply)})
            self._practice.rest()
        for one in self._attempts.values():
            self._adviser.observe({**one, "note": "died"}, self._parent)

    def close(self) -> None:
        """Let go of everything."""
        self._practice.close()

    def _prepared(self) -> dict[str, Any]:
        try:
            self._practice.doctor(None)
            return {"deadline": self._practice.settings(None).hook.deadline}
        except DoctorError:
            return {}

    def _take_in(self, note: dict[str, Any]) -> None:
        if note["note"] == "started":
            self._attempts[note.get("attempt")] = note
        elif note["note"] == "ended":
            self._attempts.pop(note.get("attempt"), None)
        self._adviser.observe(note, self._parent)

    def on_step(self, step: str) -> None:
        """Ask the executor's leave before anything is written."""
        if step == "intent" and not self._line.may_write(self._number):
            raise SystemExit(0)


def _short(reply: dict[str, Any]) -> dict[str, Any]:
    reason = reply["advice"]["reason"]
    return {**reply, "advice": {**reply["advice"], "reason": reason[:_TEXT]}}


def main() -> int:
    """Serve on standard input and output; what plugins print goes nowhere."""
    parent = os.getppid()
    read, write = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    child = Child(Line(read, write, parent), parent)
    try:
        child.serve()
    except OSError:  # the executor is gone
        return 0
    finally:
        with suppress(Exception):
            child.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
