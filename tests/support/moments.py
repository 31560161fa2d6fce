"""Fixed moments for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after the start of 2026."""
    return START + timedelta(seconds=seconds)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, seconds: float = 0):
        self.seconds = seconds

    def __call__(self) -> datetime:
        return at(self.seconds)
