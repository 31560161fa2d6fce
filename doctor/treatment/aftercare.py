"""What is owed to fixes that were made before: to finish them, or to take them back."""

from __future__ import annotations

from doctor.errors import UsageError
from doctor.model.ports import ReadDoor, WriteDoor
from doctor.store import Fix, Store, paused
from doctor.treatment.recover import Verifying, recover_fix


class PausedError(UsageError):
    """All writes to this system are paused."""

    code = "D006"
    exit_code = 6


def finish_pending(
    store: Store, read: ReadDoor, write: WriteDoor, verify: Verifying
) -> tuple[Fix, ...]:
    """Bring every pending fix to an outcome; the caller holds the lock of the target."""

    def ended(fix: Fix) -> Fix:
        done = recover_fix(fix, store, read, write, verify)
        if fix.incident and done.state == "verified":
            store.incidents.move(fix.incident, "closed", "recovered and verified")
        return done

    return tuple(ended(fix) for fix in store.fixes.pending())


def refuse_if_paused(identity: str) -> None:
    """Raise PausedError where a human stopped all writes."""
    stop = paused(identity)
    if stop is not None:
        raise PausedError(f"writes are paused: {stop.reason} ({stop.by})", hint="doctor resume")
