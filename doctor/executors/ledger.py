"""What the executors of this machine went through: failures, progress, attempts, retries granted.

One small file per run, changed under a lock, so that many processes count together. Where the lock
cannot be had in time, what happens is counted in memory and added to the file at the next chance.
What is older than an hour (attempts: a day), and all that is too much, is forgotten.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from doctor.store.files import write_whole
from doctor.store.identity import target_key

FORGET_SECONDS = 3600.0
MOST_ENTRIES = 64
MOST_PAGES = 1000
BOOT = Path("/proc/sys/kernel/random/boot_id")
_PATIENCE = 0.2
_POLL = 0.002
_HORIZON = {"failures": 1, "progress": 1, "attempts": 24, "deaths": 1, "retries": 1}

Entry = dict[str, Any]
Page = dict[str, dict[str, Entry]]


class Ledger:
    """The counters under one folder; where it cannot be written they are kept in memory.

    Moments are seconds since the epoch.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._memory: dict[str, tuple[Page, Page]] = {}  # as it was in the file, and as it is

    @contextmanager
    def page(self, name: str, now: float) -> Iterator[Page]:
        """Yield what is known about ``name``, to be read and changed; it is kept afterwards."""
        key = target_key(name)
        path = self._folder / f"{key}.json"
        lock = FileLock(path.with_suffix(".lock"), timeout=_PATIENCE)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire(poll_interval=_POLL)
        except (OSError, Timeout):
            yield self._in_memory(key, path, now)
            return
        try:
            page = _trimmed(_read(path), now)
            if key in self._memory:
                page = _merged(page, *self._memory[key])
            yield page
            try:
                write_whole(path, json.dumps(page), durable=False)
                self._memory.pop(key, None)
            except OSError:
                self._memory[key] = (_trimmed(_read(path), now), page)
        finally:
            lock.release()

    def prune(self, now: float) -> None:
        """Remove pages that nobody changed for an hour, and the oldest beyond ``MOST_PAGES``."""
        with suppress(OSError):
            found = sorted(
                ((one.stat().st_mtime, one) for one in self._folder.glob("*.json")), reverse=True
            )
            for at, (changed, path) in enumerate(found):
                if at >= MOST_PAGES or changed < now - FORGET_SECONDS:
                    path.unlink(missing_ok=True)
                    path.with_suffix(".lock").unlink(missing_ok=True)

    def _in_memory(self, key: str, path: Path, now: float) -> Page:
        while len(self._memory) > MOST_PAGES:
            del self._memory[next(iter(self._memory))]
        if key not in self._memory:
            kept = _trimmed(_read(path), now)  # files are replaced whole: a look needs no lock
            self._memory[key] = (kept, copy.deepcopy(kept))
        base, page = self._memory[key]
        page = _trimmed(page, now)
        self._memory[key] = (base, page)
        return page


def boot() -> str:
    """Return what tells this boot of this machine from others."""
    with suppress(OSError):
        return BOOT.read_text(encoding="ascii").strip()
    return os.uname().nodename


def is_alive(pid: int, born: str) -> bool:
    """Whether a process of this boot is still there."""
    if born != boot():
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:  # one of somebody else's is there too
        return not isinstance(error, ProcessLookupError)
    return True


def epoch() -> float:
    """Return the seconds since the epoch."""
    return time.time()


def _read(path: Path) -> Page:
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return page if isinstance(page, dict) else {}


def _merged(page: Page, before: Page, after: Page) -> Page:
    """Add to a page what changed elsewhere from ``before`` to ``after``."""
    merged: Page = {}
    for part, entries in after.items():
        old, mine = before.get(part, {}), dict(page.get(part, {}))
        for name in old.keys() - entries.keys():
            mine.pop(name, None)
        for name, entry in entries.items():
            if entry != old.get(name):
                mine[name] = _added(part, mine.get(name), old.get(name, {}), entry)
        merged[part] = mine
    return merged


def _added(part: str, known: Entry | None, before: Entry, after: Entry) -> Entry:
    """Return an entry with what was counted elsewhere; a phase's newest result stands alone."""
    if known is None:
        return after
    entry: Entry = dict(max(known, after, key=lambda one: one["last"]))
    if part != "progress":
        if "first" in after:
            entry["first"] = min(known.get("first", after["first"]), after["first"])
        if "count" in after:
            entry["count"] = known.get("count", 0) + after["count"] - before.get("count", 0)
    return entry


def _trimmed(page: Page, now: float) -> Page:
    """Keep the newest entries of each part that are young enough and whole."""
    kept: Page = {}
    for part, horizon in _HORIZON.items():
        entries = page.get(part)
        oldest = now - horizon * FORGET_SECONDS
        whole = {
            name: entry
            for name, entry in (entries.items() if isinstance(entries, dict) else ())
            if isinstance(entry, dict)
            and isinstance(entry.get("last"), int | float)
            and oldest <= entry["last"] <= now + FORGET_SECONDS
        }
        newest = sorted(whole, key=lambda name: whole[name]["last"])[-MOST_ENTRIES:]
        kept[part] = {name: whole[name] for name in newest}
    return kept
