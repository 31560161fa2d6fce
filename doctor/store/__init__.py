"""What Doctor remembers: incidents, journal, budget, approvals, fixes, and the notes on targets."""

from __future__ import annotations

from doctor.store.approval import Approval, ApprovalState, AskedPlan
from doctor.store.budget import Limits, Refused, Reserved, Spent, Window
from doctor.store.choice import StoreChoice, note_choice, resolve_store
from doctor.store.fix import Fix, FixState
from doctor.store.identity import api_identity, state_folder, target_identity
from doctor.store.incidents import Incident, subject_fingerprint
from doctor.store.journal import Entry, JournalCheck
from doctor.store.lock import BusyError, target_lock
from doctor.store.note import Pause, TargetNote, pause, paused, read_note, resume
from doctor.store.opening import open_store
from doctor.store.store import Store

__all__ = [
    "Approval",
    "ApprovalState",
    "AskedPlan",
    "BusyError",
    "Entry",
    "Fix",
    "FixState",
    "Incident",
    "JournalCheck",
    "Limits",
    "Pause",
    "Refused",
    "Reserved",
    "Spent",
    "Store",
    "StoreChoice",
    "TargetNote",
    "Window",
    "api_identity",
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
