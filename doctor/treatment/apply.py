"""Applies one plan: intent, one transaction in the target with its marker, result."""

from __future__ import annotations

from collections.abc import Callable

from doctor.errors import DoctorError
from doctor.model.change import Plan
from doctor.model.ports import WriteDoor
from doctor.store import Store

STEPS = ("intent", "begin", "write", "marker", "commit", "result", "verify")
Step = Callable[[str], None]


def apply_plan(fix: str, plan: Plan, door: WriteDoor, store: Store, step: Step) -> None:
    """Carry out an intended plan exactly, or not at all.

    ``step`` is told the name of each step after it is done. Raises DoctorError when the target
    refused; then nothing was changed there, and the store says so. LeaseLostError: another doctor
    took over, and with it the fix.
    """
    step("intent")
    try:
        with door.transaction() as transaction:
            step("begin")
            images = [transaction.set_cells(change) for change in plan.changes]
            step("write")
            transaction.mark(fix, "applied", images)
            step("marker")
    except DoctorError as error:
        store.fixes.record_not_applied(fix, error.message)
        raise
    step("commit")
    store.fixes.record_applied(fix, images)
    step("result")
