"""Processes that take turns: threads of which one runs at a time, until it comes to a point."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Killed(BaseException):
    """The process is gone; nothing of it may catch this."""


class Baton:
    """What the scheduler and its processes hand to and fro."""

    def __init__(self) -> None:
        self.back = threading.Lock()
        self.back.acquire()
        self.failure: BaseException | None = None


class Actor:
    """One process: it runs from point to point as the scheduler lets it."""

    def __init__(self, baton: Baton, work: Callable[[Actor], None]):
        self._baton = baton
        self._work = work
        self._go = threading.Lock()
        self._go.acquire()
        self._is_dying = False
        self.is_over = False
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Let it go on to its next point."""
        self._go.release()
        self._baton.back.acquire()
        if self._baton.failure is not None:
            raise self._baton.failure
        if self.is_over:
            self._thread.join()

    def kill(self) -> None:
        """End it where it stands; its ports are dead meanwhile."""
        self._is_dying = True
        if not self.is_over:
            self.run()

    def point(self) -> None:
        """Give the others a turn. Called by the process itself."""
        if self._is_dying:
            raise Killed
        self._baton.back.release()
        self._go.acquire()
        if self._is_dying:
            raise Killed

    def kill_here(self) -> None:
        """Die at once. Called by the process itself."""
        self._is_dying = True
        raise Killed

    def _main(self) -> None:
        self._go.acquire()
        try:
            if not self._is_dying:
                self._work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - the scheduler raises it
            self._baton.failure = error
        finally:
            self.is_over = True
            self._baton.back.release()
