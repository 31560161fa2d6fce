"""Applies one plan: intent, one transaction in the target with its marker, result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from doctor.errors import DoctorError
from doctor.model.change import Plan
from doctor.model.ports import WriteDoor
from doctor.store import Store
from doctor.treatment.settle import is_committed, noting

STEPS = ("intent", "begin", "write", "marker", "commit", "result", "verify")
Step = Callable[[str], None]


def apply_plan(fix: str, plan: Plan, door: WriteDoor, store: Store, step: Step) -> None:
    """Carry out an intended plan exactly, or not at all.

    ``step`` is told the name of each step after it is done.

    Raises:
        DoctorError: the target refused; nothing was changed there.
        LeaseLostError: another doctor took over, and with it the fix.
        UnsettledError: the fix stays intended: whether it was committed cannot be learned, or it
            was and the store cannot note it.
    """
    step("intent")
    is_complete = False
    try:
        with door.transaction() as transaction:
            step("begin")
            images = [transaction.set_cells(change) for change in plan.changes]
            step("write")
            transaction.mark(fix, "applied", images)
            step("marker")
            is_complete = True
    except DoctorError as error:
        if not (is_complete and is_committed(door, fix, "applied", error)):
            with suppress(DoctorError):  # else recovery does
                store.fixes.record_not_applied(fix, error.message)
            raise
    step("commit")
    with noting("the change is committed"):
        store.fixes.record_applied(fix, images)
    step("result")
