"""Puts back what a repair in batches changed: first every row is looked at, then batch by batch."""

from __future__ import annotations

from contextlib import suppress

from doctor.errors import DoctorError, LeaseLostError, SourceError, TreatmentError, UsageError
from doctor.model.change import Key
from doctor.model.ports import Batch, WriteDoor
from doctor.store import Fix, Store
from doctor.treatment.apply import Step
from doctor.treatment.batches import Told
from doctor.treatment.pause import PausedError
from doctor.treatment.settle import noting
from doctor.treatment.undo import UndoError

MOST_NAMED = 5


def undo_batches(
    fix: Fix, door: WriteDoor, store: Store, reason: str, step: Step, told: Told
) -> Fix:
    """Undo all batches of a fix, or none where a row moved on since.

    Should a row move on while it is being undone, its batch and those before it stay as they are:
    the fix is then ``undo_failed``, and undoing it again goes on from there.

    Raises:
        UsageError: there is nothing to undo.
        PausedError, LeaseLostError: not now, or no longer by this one; recovery goes on with it.
        UndoError: a row moved on, or the database refused. Where it could not be reached the fix
            stays pending.
    """
    if fix.state == "undone":
        return fix
    if fix.state == "not_applied":
        raise UsageError(f"fix {fix.id} is {fix.state}: there is nothing to undo")
    store.fixes.record_undoing(fix.id, reason)
    step("intent")
    try:
        with door.kept() as kept:
            _undo_all(fix, kept, step, told)
    except (LeaseLostError, PausedError):
        raise
    except DoctorError as error:
        if not isinstance(error, SourceError):  # e.g. locked: recovery tries once more
            with suppress(DoctorError):
                store.fixes.record_undo_failed(fix.id, f"{reason}; not undone: {error.message}")
        raise UndoError(error.message, hint=error.hint) from error
    with noting("the old rows are back"):
        ended = store.fixes.record_undone(fix.id, reason)
    step("result")
    return ended


def _undo_all(fix: Fix, door: WriteDoor, step: Step, told: Told) -> None:
    with door.transaction() as transaction:
        step("begin")
        done, undone, _ = transaction.batches(fix.id)
    left = [one for one in done if one not in set(undone)]
    if not undone:
        _refuse_moved(fix, left, door)
    rows = sum(one.end - one.start for one in done)
    for batch in reversed(left):
        _put_back(fix, batch, door, step)
        told(rows - batch.start, rows)


def _refuse_moved(fix: Fix, batches: list[Batch], door: WriteDoor) -> None:
    """Raise TreatmentError, naming them, where rows are not as the repair left them."""
    moved: list[tuple[str, tuple[str, ...], Key]] = []
    for batch in batches:
        change = fix.plan.bulk[batch.part]
        with door.transaction() as transaction:
            image = transaction.batch_image(fix.id, batch)
            keys = transaction.moved_rows(change, image)
        moved += [(change.table, change.key, key) for key in keys]
    if moved:
        named = "; ".join(_named(*one) for one in moved[:MOST_NAMED])
        more = f" and {len(moved) - MOST_NAMED} more rows" if len(moved) > MOST_NAMED else ""
        raise TreatmentError(
            f"{named}{more} moved on since the repair",
            hint="nothing was undone; decide by hand what these rows should hold",
        )


def _put_back(fix: Fix, batch: Batch, door: WriteDoor, step: Step) -> None:
    with door.transaction() as transaction:
        if batch in transaction.batches(fix.id)[1]:
            return  # its commit was reported as failed, and happened
        image = transaction.batch_image(fix.id, batch)
        transaction.restore_rows(fix.plan.bulk[batch.part], image)
        step("write")
        transaction.mark_batch_undone(fix.id, batch)
        if (batch.part, batch.start) == (0, 0):
            transaction.mark(fix.id, "undone", ())
        step("marker")
    step("commit")


def _named(table: str, columns: tuple[str, ...], key: Key) -> str:
    pairs = ", ".join(f"{name}={value!r}" for name, value in zip(columns, key, strict=True))
    return f"{table} {pairs}"
