"""What is owed to fixes that a killed Doctor left behind."""

from __future__ import annotations

from doctor.model.ports import ReadDoor, WriteDoor
from doctor.store import Fix, Store
from doctor.treatment.recover import Verifying, recover_fix


def finish_pending(
    store: Store, read: ReadDoor, write: WriteDoor, verify: Verifying
) -> tuple[Fix, ...]:
    """Bring every pending fix to an outcome; the caller holds the lock of the target.

    Repairs in batches are left as they are: going on with one is an order of its own.
    """

    def ended(fix: Fix) -> Fix:
        done = recover_fix(fix, store, read, write, verify)
        if fix.incident and done.state == "verified":
            store.incidents.move(fix.incident, "closed", "recovered and verified")
        return done

    return tuple(ended(fix) for fix in store.fixes.pending() if not fix.plan.bulk)
