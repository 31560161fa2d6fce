"""A pause stops every write to the system under care."""

from __future__ import annotations

from doctor.errors import UsageError
from doctor.store import paused


class PausedError(UsageError):
    """All writes to this system are paused."""

    code = "D006"
    exit_code = 6


def refuse_if_paused(identity: str) -> None:
    """Raise PausedError where a human stopped all writes."""
    stop = paused(identity)
    if stop is not None:
        raise PausedError(f"writes are paused: {stop.reason} ({stop.by})", hint="doctor resume")
