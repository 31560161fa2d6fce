"""What Doctor remembers: incidents, journal, budget, approvals, fixes, and the notes on targets.

Each name is loaded when it is used: a diagnosis of a system that was never treated needs none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctor.store.approval import Approval, ApprovalState, AskedPlan
    from doctor.store.budget import Limits, Refused, Reserved, Spent, Window
    from doctor.store.choice import StoreChoice, note_choice, resolve_store
    from doctor.store.evaluations import Evaluations
    from doctor.store.fix import Fix, FixState, completed
    from doctor.store.identity import api_identity, state_folder, target_identity
    from doctor.store.incidents import Incident, subject_fingerprint
    from doctor.store.journal import Entry, JournalCheck
    from doctor.store.leases import Lease
    from doctor.store.lock import BusyError, target_lock
    from doctor.store.note import Pause, TargetNote, pause, paused, read_note, resume
    from doctor.store.opening import open_store
    from doctor.store.retention import Pruned
    from doctor.store.stops import Stop
    from doctor.store.store import Store
    from doctor.store.uptime import Uptime, machine_uptime, no_uptime

_HOMES = {
    "Approval": "doctor.store.approval",
    "ApprovalState": "doctor.store.approval",
    "AskedPlan": "doctor.store.approval",
    "BusyError": "doctor.store.lock",
    "Entry": "doctor.store.journal",
    "Evaluations": "doctor.store.evaluations",
    "Fix": "doctor.store.fix",
    "FixState": "doctor.store.fix",
    "Incident": "doctor.store.incidents",
    "JournalCheck": "doctor.store.journal",
    "Lease": "doctor.store.leases",
    "Limits": "doctor.store.budget",
    "Pause": "doctor.store.note",
    "Pruned": "doctor.store.retention",
    "Refused": "doctor.store.budget",
    "Reserved": "doctor.store.budget",
    "Spent": "doctor.store.budget",
    "Stop": "doctor.store.stops",
    "Store": "doctor.store.store",
    "StoreChoice": "doctor.store.choice",
    "TargetNote": "doctor.store.note",
    "Uptime": "doctor.store.uptime",
    "Window": "doctor.store.budget",
    "api_identity": "doctor.store.identity",
    "completed": "doctor.store.fix",
    "machine_uptime": "doctor.store.uptime",
    "no_uptime": "doctor.store.uptime",
    "note_choice": "doctor.store.choice",
    "open_store": "doctor.store.opening",
    "pause": "doctor.store.note",
    "paused": "doctor.store.note",
    "read_note": "doctor.store.note",
    "resolve_store": "doctor.store.choice",
    "resume": "doctor.store.note",
    "state_folder": "doctor.store.identity",
    "subject_fingerprint": "doctor.store.incidents",
    "target_identity": "doctor.store.identity",
    "target_lock": "doctor.store.lock",
}

__all__ = [
    "Approval",
    "ApprovalState",
    "AskedPlan",
    "BusyError",
    "Entry",
    "Evaluations",
    "Fix",
    "FixState",
    "Incident",
    "JournalCheck",
    "Lease",
    "Limits",
    "Pause",
    "Pruned",
    "Refused",
    "Reserved",
    "Spent",
    "Stop",
    "Store",
    "StoreChoice",
    "TargetNote",
    "Uptime",
    "Window",
    "api_identity",
    "completed",
    "machine_uptime",
    "no_uptime",
    "note_choice",
    "open_store",
    "pause",
    "paused",
    "read_note",
    "resolve_store",
    "resume",
    "state_folder",
    "subject_fingerprint",
    "target_identity",
    "target_lock",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'doctor.store' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
