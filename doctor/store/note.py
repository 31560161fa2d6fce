"""The note about a target: which store remembers it, and whether it is paused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from doctor.errors import SourceError, UsageError
from doctor.redaction import redact
from doctor.store.files import write_whole
from doctor.store.identity import state_folder, target_key

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Who stopped all writes to a target, when and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetNote:
    """What every call knows about a target before it opens a store.

    ``store`` is the URL of the store that was used first, None while there was none.
    """

    target: str
    store: str | None = None
    paused: Pause | None = None


def note_path(identity: str) -> Path:
    """Return where the note about a target is kept."""
    return state_folder() / "targets" / f"{target_key(identity)}.json"


def read_note(identity: str) -> TargetNote | None:
    """Return the note about a target, or None; creates nothing. Raises UsageError if damaged."""
    path = note_path(identity)
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"the note {str(path)!r} cannot be read: {_why(error)}") from None
    try:
        note = _from_json(text)
    except (ValueError, TypeError, KeyError, RecursionError):
        note = None
    if note is None or note.target != identity:
        raise UsageError(
            f"the note {str(path)!r} about {identity!r} is damaged",
            hint=f"look at it, then remove it: rm {str(path)!r}",
        )
    return note


def pause(identity: str, by: str, reason: str, at: datetime) -> Pause:
    """Stop all writes to a target, whichever store is used; the first pause stands."""
    with _changing(identity) as note:
        if note.paused:
            return note.paused
        stop = Pause(at, by, reason)
        _write(replace(note, paused=stop))
    return stop


def resume(identity: str) -> Pause | None:
    """Let a target be written to again; return the pause that ended, if there was one."""
    with _changing(identity) as note:
        if note.paused:
            _write(replace(note, paused=None))
        return note.paused


def paused(identity: str) -> Pause | None:
    """Return the pause that binds a target, or None."""
    note = read_note(identity)
    return note.paused if note else None


def note_store(identity: str, url: str) -> str:
    """Note the first store that is used for a target and return the one that is noted."""
    with _changing(identity) as note:
        if note.store is None:
            _write(replace(note, store=url))
            return url
        return note.store


@contextmanager
def _changing(identity: str) -> Iterator[TargetNote]:
    from filelock import FileLock, Timeout

    path = note_path(identity)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock"), timeout=_PATIENCE):
            yield read_note(identity) or TargetNote(identity)
    except Timeout:
        raise SourceError(f"the note {str(path)!r} is locked by another doctor") from None
    except OSError as error:
        raise UsageError(
            f"the note {str(path)!r} cannot be written: {_why(error)}",
            hint="set DOCTOR_STATE_DIR to a folder that can be written",
        ) from None


def _write(note: TargetNote) -> None:
    stop = note.paused and replace(note.paused, reason=redact(note.paused.reason))
    value = {
        "target": note.target,
        "store": note.store,
        "paused": stop and {"at": stop.at.isoformat(), "by": stop.by, "reason": stop.reason},
    }
    write_whole(note_path(note.target), json.dumps(value, indent=1) + "\n", durable=True)


def _from_json(text: str) -> TargetNote | None:
    value = json.loads(text)
    target, store, stop = value["target"], value["store"], value["paused"]
    if stop is not None:
        stop = Pause(datetime.fromisoformat(stop["at"]), str(stop["by"]), str(stop["reason"]))
        if stop.at.tzinfo is None:
            return None
    if not isinstance(target, str) or not isinstance(store, str | None):
        return None
    return TargetNote(target, store, stop)


def _why(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
