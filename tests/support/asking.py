"""An Adviser in this process behind a Hook, on a clock that is moved by hand."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from doctor.executors.adviser import Adviser
from doctor.executors.breaker import Breaker
from doctor.executors.client import Hook
from doctor.executors.ledger import Ledger
from doctor.executors.link import Link
from doctor.executors.practice import Practice
from tests.support.moments import START, Clock


class Near(Link):
    """The child's work without the child; what goes through the pipe is still JSON."""

    def __init__(self, adviser: Adviser):
        super().__init__()
        self.adviser = adviser

    def start(self) -> None:
        """Nothing needs to be started."""

    def ask(self, question: dict[str, Any], key: Any, end: float) -> dict[str, Any]:
        """Answer at once."""
        self.flush()
        reply: dict[str, Any] = json.loads(
            json.dumps(self.adviser.answer(json.loads(json.dumps(question))))
        )
        return reply

    def flush(self) -> None:
        """Hear what is to be told."""
        while self.notes:
            self.adviser.observe(self.notes.popleft(), 1)


class Virtual:
    """Time that passes when somebody sleeps; for the executor, the hook and the adviser."""

    def __init__(self) -> None:
        self.clock = Clock()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.seconds += seconds

    def seconds(self) -> float:
        """Return the time since the start."""
        return self.clock.seconds

    def now(self) -> datetime:
        """Return the time."""
        return self.clock()


def near_hook(folder: Path, time: Virtual) -> Hook:
    """Return a hook whose adviser works here, and lives in virtual time."""
    practice = Practice(lambda _: None)
    adviser = Adviser(practice, Ledger(folder / "loops"), time.now)
    return Hook(Near(adviser), clock=time.seconds, breaker=Breaker(time.seconds))


__all__ = ["START", "Near", "Virtual", "near_hook"]
