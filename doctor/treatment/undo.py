"""Puts back what a fix changed, if every row still is as the fix left it."""

from __future__ import annotations

from contextlib import suppress

from doctor.errors import DoctorError, LeaseLostError, SourceError, TreatmentError, UsageError
from doctor.model.ports import WriteDoor
from doctor.store import Fix, Store, completed
from doctor.treatment.pause import PausedError
from doctor.treatment.settle import is_committed, noting


class UndoError(TreatmentError):
    """The old rows could not be put back: a human is needed."""

    code = "D005"
    exit_code = 8


def undo_fix(fix: Fix, door: WriteDoor, store: Store, reason: str) -> Fix:
    """Undo an applied fix in one transaction.

    Raises:
        UsageError: there is nothing to undo.
        PausedError, LeaseLostError: not now, or no longer by this one; recovery goes on with it.
        UndoError: a row moved on, or the database refused; nothing was changed. Where it could not
            be reached the fix stays pending.
        UnsettledError: whether it is undone cannot be learned or noted; the fix stays "undoing".
    """
    if fix.state == "undone":
        return fix
    if fix.state in ("intended", "not_applied") or not fix.images:
        raise UsageError(f"fix {fix.id} is {fix.state}: there is nothing to undo")
    store.fixes.record_undoing(fix.id, reason)
    is_complete = False
    try:
        with door.transaction() as transaction:
            if not transaction.is_marked(fix.id, "undone"):
                fix = completed(fix, transaction.images)
                pairs = zip(fix.plan.changes, fix.images, strict=True)
                for change, image in reversed(list(pairs)):
                    transaction.restore(change, image)
                transaction.mark(fix.id, "undone", ())
            is_complete = True
    except (LeaseLostError, PausedError):
        raise
    except DoctorError as error:
        if not (is_complete and is_committed(door, fix.id, "undone", error)):
            if not isinstance(error, SourceError):  # e.g. locked: recovery tries once more
                with suppress(DoctorError):
                    store.fixes.record_undo_failed(fix.id, f"{reason}; not undone: {error.message}")
            raise UndoError(error.message, hint=error.hint) from error
    with noting("the old rows are back"):
        return store.fixes.record_undone(fix.id, reason)
