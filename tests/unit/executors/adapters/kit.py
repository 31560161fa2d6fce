"""What every adapter must do with the five outcomes, and with a Doctor that is broken.

A case is a call that fails a number of times; ``play`` makes it through the library and returns
what came of it: attempts made, seconds that the library waited, the exception's type or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIXED = 'advise(question, "fixed", uses=0, reason="repaired")'
WAIT = 'advise(question, "wait", uses=0, delay=0.05, reason="later")'
DEFAULT = 'advise(question, "retry", uses=0)'
STOP = 'advise(question, "stop", reason="useless")'
ASKED = 'advise(question, "asked", reason="asked a human", incident="I-1")'
BROKEN = "os._exit(3)"


class Failing:
    """Fails ``times`` times, then works; counts its calls."""

    def __init__(self, times: int, error: Callable[[], Exception] = lambda: ValueError("failed")):
        self.times = times
        self.error = error
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error()
        return "worked"


@dataclass(frozen=True)
class Played:
    """How a case went; ``waited`` are the seconds before each further attempt."""

    attempts: int
    waited: tuple[float, ...]
    error: str | None

    @classmethod
    def of(cls, failing: Failing, waited: list[float], ended: BaseException | None) -> Played:
        return cls(failing.calls, tuple(waited), type(ended).__name__ if ended else None)


def caught(work: Callable[[], Any]) -> BaseException | None:
    """Do some work and return the exception that it raised."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        return error
    return None
