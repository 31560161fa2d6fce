"""Stops asking a child that fails."""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 3
SECONDS = 60.0


class Breaker:
    """Open for ``seconds`` after ``failures`` in a row; then one more may be tried."""

    def __init__(
        self, clock: Callable[[], float], *, failures: int = FAILURES, seconds: float = SECONDS
    ):
        self._clock = clock
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether nobody should ask now."""
        return self._clock() < self._until

    def failed(self) -> None:
        """Count one question without a usable answer."""
        self._failures += 1
        if self._failures >= self._most:
            self._until = self._clock() + self._seconds

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
