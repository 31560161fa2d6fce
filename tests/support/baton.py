"""Processes that take turns: greenlets, of which one runs until it comes to a point."""

from __future__ import annotations

from collections.abc import Callable

from greenlet import greenlet


class Killed(BaseException):
    """The process is gone; nothing of it may catch this."""


class Actor:
    """One process: it runs from point to point as the scheduler lets it.

    What it raises is raised where the scheduler let it run.
    """

    def __init__(self, work: Callable[[Actor], None]):
        self._work = work
        self._is_dying = False
        self._greenlet = greenlet(self._main)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self._greenlet.dead

    def run(self) -> None:
        """Let it go on to its next point."""
        self._greenlet.switch()

    def kill(self) -> None:
        """End it where it stands; its ports are dead meanwhile."""
        self._is_dying = True
        if not self.is_over:
            self.run()

    def point(self) -> None:
        """Give the others a turn. Called by the process itself."""
        if not self._is_dying and self._greenlet.parent is not None:
            self._greenlet.parent.switch()
        if self._is_dying:
            raise Killed

    def kill_here(self) -> None:
        """Die at once. Called by the process itself."""
        self._is_dying = True
        raise Killed

    def _main(self) -> None:
        try:
            if not self._is_dying:
                self._work(self)
        except Killed:
            pass
