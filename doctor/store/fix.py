"""One fix, as a value, and the steps it can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from doctor.errors import UsageError
from doctor.model.change import Plan
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.store.serial import images_from_json, is_clean, plan_from_json, redact_cells

FixState = Literal[
    "intended",
    "not_applied",
    "applied",
    "verified",
    "verify_failed",
    "unverified",
    "undoing",
    "undone",
    "undo_failed",
]

_KEPT: frozenset[FixState] = frozenset({"undoing", "undone", "undo_failed"})

NEXT: Mapping[FixState, frozenset[FixState]] = {
    "intended": frozenset({"applied", "not_applied", "undoing"}),  # undoing: some batches only
    "not_applied": frozenset(),
    "applied": _KEPT | {"verified", "verify_failed", "unverified"},
    "verified": _KEPT,
    "verify_failed": _KEPT,
    "unverified": _KEPT | {"verified", "verify_failed"},
    "undoing": frozenset({"undone", "undo_failed"}),
    "undone": frozenset(),
    "undo_failed": frozenset({"undoing", "undone"}),
}
PENDING: frozenset[FixState] = frozenset({"intended", "applied", "verify_failed", "undoing"})
REACHED: frozenset[FixState] = frozenset(NEXT) - {"intended", "not_applied"}


@dataclass(frozen=True, slots=True)
class Fix:
    """A plan on its way. ``images`` are the rows before and after it, once it is applied."""

    id: str
    plan: Plan
    state: FixState
    reason: str
    incident: str | None
    approval: str | None
    images: tuple[ChangeImage, ...]
    intended_at: datetime
    updated_at: datetime


def fix_from_row(row: Mapping[Any, Any]) -> Fix:
    """Return a stored fix; raises UsageError if its plan is not the one that was stored."""
    plan = plan_from_json(row["plan"])
    if plan.hash != row["plan_hash"] or row["state"] not in get_args(FixState):
        raise UsageError(f"fix {row['id']} is damaged in the store")
    return Fix(
        id=row["id"],
        plan=plan,
        state=row["state"],
        reason=row["reason"],
        incident=row["incident"],
        approval=row["approval"],
        images=images_from_json(row["images"]) if row["images"] is not None else (),
        intended_at=row["intended_at"],
        updated_at=row["updated_at"],
    )


def completed(fix: Fix, images: Callable[[str], tuple[ChangeImage, ...] | None]) -> Fix:
    """Return a fix with its exact plan and images; ``images`` reads those beside the data.

    The store keeps no secrets, so what held some is read from the marker of the fix. Raises
    UsageError where that is gone, or is not what was applied.
    """
    is_whole = fix.plan.sealed is None and all(
        is_clean(one.before) and is_clean(one.after) for one in fix.images
    )
    if is_whole:
        return fix
    found = images(fix.id)
    if found is None or len(found) != len(fix.plan.changes):
        raise UsageError(f"the marker of fix {fix.id} is gone: its rows held secrets")
    changes = tuple(
        replace(
            one,
            key={name: image.before.get(name) for name in one.key},
            expected={name: image.before.get(name) for name in one.expected},
            to={name: image.after.get(name) for name in one.to},
        )
        for one, image in zip(fix.plan.changes, found, strict=True)
    )
    plan = replace(fix.plan, changes=changes, sealed=None)
    kept = tuple(ChangeImage(redact_cells(one.before), redact_cells(one.after)) for one in found)
    if plan.hash != fix.plan.hash or kept != fix.images:
        raise UsageError(f"the marker of fix {fix.id} was changed: nothing is undone by it")
    return replace(fix, plan=plan, images=found)


def touches(plan: Plan, table: str, column: str, key: Mapping[str, Scalar]) -> bool:
    """Tell whether a plan changes this cell."""
    kept = redact_cells(key)
    return any(
        change.table == table and column in change.to and redact_cells(change.key) == kept
        for change in plan.changes
    )
