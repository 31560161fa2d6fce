"""Puts back what a fix changed, if every row still is as the fix left it."""

from __future__ import annotations

from doctor.errors import DoctorError, LeaseLostError, SourceError, TreatmentError, UsageError
from doctor.model.ports import WriteDoor
from doctor.store import Fix, Store
from doctor.treatment.pause import PausedError


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
    """
    if fix.state == "undone":
        return fix
    if fix.state in ("intended", "not_applied") or not fix.images:
        raise UsageError(f"fix {fix.id} is {fix.state}: there is nothing to undo")
    store.fixes.record_undoing(fix.id, reason)
    try:
        with door.transaction() as transaction:
            if not transaction.is_marked(fix.id, "undone"):
                pairs = zip(fix.plan.changes, fix.images, strict=True)
                for change, image in reversed(list(pairs)):
                    transaction.restore(change, image)
                transaction.mark(fix.id, "undone", ())
    except (LeaseLostError, PausedError):
        raise
    except SourceError as error:  # e.g. locked: it stays undoing, and recovery tries again
        raise UndoError(error.message, hint=error.hint) from error
    except DoctorError as error:
        store.fixes.record_undo_failed(fix.id, error.message)
        raise UndoError(error.message, hint=error.hint) from error
    return store.fixes.record_undone(fix.id, reason)
