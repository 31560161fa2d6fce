"""Reads what was passed on, in a thread of its own; what it cannot keep up with it leaves out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from doctor.executors.watching.lines import LineReader, Sighting

MOST_WAITING = 32 << 20


class Scanner:
    """Tells ``heard`` of every failure in the blocks that it is given.

    ``left_out`` counts the bytes that were not looked at because they came too fast; ``failure``
    says why nothing more is looked at.
    """

    def __init__(self, readers: dict[int, LineReader], heard: Callable[[Sighting], None]):
        self._readers = readers
        self._heard = heard
        self._blocks: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._news = threading.Condition()
        self._is_over = False
        self.left_out = 0
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._work, name="doctor-watch", daemon=True)
        self._thread.start()

    def give(self, stream: int, block: bytes) -> None:
        """Take a block of a stream; never waits."""
        with self._news:
            if self._size + len(block) > MOST_WAITING:
                self.left_out += len(block)
                return
            self._size += len(block)
            self._blocks.append((stream, block))
            self._news.notify()

    def close(self, patience: float) -> None:
        """Read what is left, for ``patience`` seconds at most."""
        with self._news:
            self._is_over = True
            self._news.notify()
        self._thread.join(patience)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            stream, block = taken
            if self.failure is not None:
                continue
            try:
                for one in self._readers[stream].read(block):
                    self._heard(one)
            except Exception as error:  # noqa: BLE001 - the command goes on whatever happens here
                self.failure = f"{type(error).__name__}: {error}"

    def _take(self) -> tuple[int, bytes] | None:
        with self._news:
            while not self._blocks:
                if self._is_over:
                    return None
                self._news.wait()
            stream, block = self._blocks.popleft()
            self._size -= len(block)
            return stream, block
