"""Doctor's side of one plugin: asks it with a deadline, and ends it when it misbehaves."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from doctor.errors import DoctorError
from doctor.guests.process import BrokenError, Process, say_ending
from doctor.guests.wire import WireError

SECONDS = 5.0
START_SECONDS = 10.0
STRIKES = 3
QUARANTINE = 60.0

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]
_T = TypeVar("_T")


class GuestError(DoctorError):
    """The plugin gave no usable answer; ``items`` came before that.

    ``is_own`` tells that the plugin itself raised: SourceError where ``is_source``, else anything.
    """

    def __init__(
        self,
        message: str,
        items: tuple[Any, ...] = (),
        *,
        is_own: bool = False,
        is_source: bool = False,
    ):
        super().__init__(message)
        self.items = items
        self.is_own = is_own
        self.is_source = is_source


class Host:
    """One plugin's process: started when it is first needed, kept, replaced when it fails.

    After ``most_strikes`` failures of the process (not of the plugin's own exceptions) it is left
    alone for a while.

    Attributes:
        origin: how the plugin is named in what is said about it.
        seconds: how long one answer may take.
        strikes: how often its process had to be ended.
    """

    def __init__(self, name: str, value: str, origin: str):
        self.origin = origin
        self.seconds = SECONDS
        self.strikes = 0
        self.most_strikes = STRIKES
        self._name = name
        self._value = value
        self._process: Process | None = None
        self._finalizer: Callable[[], int | None] | None = None
        self._is_described = False
        self._items: list[Any] = []
        self._last = ""
        self._printed = b""
        self._left_alone_until = 0.0

    @property
    def printed(self) -> str:
        """What the plugin printed during its last answer."""
        data = self._process.printed if self._process else self._printed
        return data.decode("utf-8", "replace")

    def warm(self) -> None:
        """Start the process ahead of its first question, without waiting for it."""
        with suppress(GuestError):
            self._guarded(self._started)

    def describe(self) -> Any:
        """Return what the plugin says that it brings; raises GuestError."""
        return self._guarded(self._described)

    def call(self, request: Mapping[str, Any], answer: Answer) -> tuple[Any, ...]:
        """Return the items of the plugin's answer; ``answer`` serves what it asks meanwhile.

        Raises GuestError; the process was ended unless the plugin merely raised something.
        """
        if time.monotonic() < self._left_alone_until:
            times = "1 strike" if self.strikes == 1 else f"{self.strikes} strikes"
            reason = f"the plugin {self.origin} is left out after {times}: it {self._last}"
            raise GuestError(reason)
        return self._guarded(lambda: self._called(request, answer))

    def end(self) -> None:
        """End the process; the next call starts another."""
        if self._process is not None and self._finalizer is not None:
            self._printed = self._process.printed
            self._finalizer()
        self._process = self._finalizer = None

    def _started(self) -> Process:
        if self._process is None:
            process = self._process = Process()
            self._finalizer = weakref.finalize(self, process.end)
            self._is_described = False
            end = time.monotonic() + START_SECONDS
            process.say({"path": sys.path, "name": self._name, "value": self._value}, end)
            process.say({"do": "describe", "seconds": START_SECONDS}, end)
        return self._process

    def _described(self) -> Any:
        items = self._heard(self._started(), _nothing, time.monotonic() + START_SECONDS)
        if len(items) != 1:
            raise BrokenError("does not say what it brings")
        self._is_described = True
        return items[0]

    def _called(self, request: Mapping[str, Any], answer: Answer) -> tuple[Any, ...]:
        process = self._started()
        if not self._is_described:
            self._described()
        end = time.monotonic() + self.seconds
        process.say({**request, "seconds": self.seconds}, end)
        return tuple(self._heard(process, answer, end))

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """Do the work; a process that misbehaves is ended, and its plugin gets a strike."""
        self._items = []
        try:
            return work()
        except BrokenError as error:
            code = self._process.end() if self._process else None
            self._strike(str(error) if code is None else say_ending(code))
        except WireError as error:
            self._strike(f"talks nonsense: {error}")
        except OSError as error:
            self._strike(f"could not be started: {error}")
        raise GuestError(f"the plugin {self.origin} {self._last}", tuple(self._items))

    def _strike(self, what: str) -> None:
        self.end()
        self._last = what
        self.strikes += 1
        if self.strikes >= self.most_strikes:
            self._left_alone_until = time.monotonic() + QUARANTINE

    def _heard(self, process: Process, answer: Answer, end: float) -> list[Any]:
        process.begin()
        items = self._items = []
        while True:
            document = process.hear(end)
            if isinstance(document.get("ask"), dict):
                process.say(answer(document["ask"]), end)
            elif isinstance(document.get("items"), list):
                items += document["items"]
            elif isinstance(document.get("failed"), str):
                is_source = document.get("source") is True
                reason = document["failed"][:2000]
                raise GuestError(reason, tuple(items), is_own=True, is_source=is_source)
            elif document.get("done") is True:
                return items
            else:
                raise WireError("a message that means nothing")


def _nothing(_question: Mapping[str, Any]) -> dict[str, Any]:
    raise WireError("a question while nobody asked")
