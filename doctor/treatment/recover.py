"""Finishes what a killed Doctor left: the marker beside the data decides, not the journal."""

from __future__ import annotations

from collections.abc import Callable

from doctor.model.change import Verified
from doctor.model.ports import ReadDoor, WriteDoor
from doctor.store import Fix, Store
from doctor.treatment.pause import refuse_if_paused
from doctor.treatment.undo import undo_fix

Verifying = Callable[[Fix], tuple[Verified, str]]


def recover_fix(fix: Fix, store: Store, read: ReadDoor, write: WriteDoor, verify: Verifying) -> Fix:
    """Bring a pending fix to an outcome; the caller holds the lock that applying takes.

    The write lock of the target is taken before the marker is looked for, so that a statement
    that is still running there has ended. Raises UndoError when an undo could not be finished,
    PausedError when one must wait until writes are allowed again.
    """
    if fix.state == "intended":
        with write.transaction() as transaction:
            is_marked = transaction.is_marked(fix.id, "applied")
        images = read.marker(fix.id) if is_marked else None
        if images is None:
            return store.fixes.record_not_applied(fix.id, "recovered: it never reached the target")
        fix = store.fixes.record_applied(fix.id, images)
    if fix.state == "applied":
        verified, reason = verify(fix)
        fix = store.fixes.record_verified(fix.id, verified, f"recovered: {reason}")
    if fix.state in ("verify_failed", "undoing"):
        refuse_if_paused(fix.plan.target)
        return undo_fix(fix, write, store, fix.reason)
    return fix
