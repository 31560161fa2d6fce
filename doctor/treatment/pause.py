"""A pause stops every write to the system under care."""

from __future__ import annotations

from doctor.errors import UsageError
from doctor.store import paused


class PausedError(UsageError):
    """All writes to this system are paused."""

    code = "D006"
    exit_code = 6


def pause_reason(identity: str) -> str | None:
    """Return why a human stopped all writes to a target, or None."""
    stop = paused(identity)
    return f"writes are paused: {stop.reason} ({stop.by})" if stop else None


def refuse_if_paused(identity: str) -> None:
    """Raise PausedError where a human stopped all writes."""
    reason = pause_reason(identity)
    if reason is not None:
        raise PausedError(reason, hint="doctor resume")
