"""All patterns as one automaton over whole blocks of lines: hyperscan, where it is installed.

Compiling 1,000 patterns takes 0.6 to 2 s, so the result is kept on disk, keyed by the patterns,
the engine's version and the processor. What is there is used only if it is the user's own file,
carries the right checksum and fits the engine; anything else is compiled anew and replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_MAGIC = b"doctor automaton 1\n"
_LARGEST = 256 << 20
_MOST = 48  # kept on disk, three for each set; the oldest make room


class Automaton:
    """Finds where patterns end. ``left`` are the patterns that it could not take."""

    def __init__(self, database: Any, left: frozenset[int]) -> None:
        self._database = database
        self.left = left

    def ends(self, data: bytes) -> list[tuple[int, int]]:
        """Return every end of a match with the pattern's number, in the order of the ends."""
        found: list[tuple[int, int]] = []
        add = found.append

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add((end, number))

        if data:
            self._database.scan(data, note)
        return found

    def lines(self, data: bytes) -> list[tuple[int, int]]:
        """Return where the lines start and stop in which a match ends, in order."""
        found: list[tuple[int, int]] = []
        stop = -1

        def note(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            nonlocal stop
            if end > stop:
                start = data.rfind(b"\n", 0, end) + 1
                stop = data.find(b"\n", end)
                if stop < 0:
                    stop = len(data)
                found.append((start, stop))

        if data:
            self._database.scan(data, note)
        return found


def find(key: Mapping[int, bytes]) -> Automaton | None:
    """Return the automaton that was kept under this key, or None."""
    engine = _engine()
    return None if engine is None else _read(engine, _place(engine, key), key)


def build(
    patterns: Mapping[int, bytes], key: Mapping[int, bytes] | None = None
) -> Automaton | None:
    """Return the automaton of numbered patterns, from the disk if it is there; None: no engine.

    It is kept under ``key``, the patterns themselves where that is not given. A number of the key
    that has no pattern counts as left.
    """
    engine = _engine()
    if engine is None or not patterns:
        return None
    key = patterns if key is None else key
    place = _place(engine, key)
    kept = _read(engine, place, key)
    if kept is not None:
        return kept
    database, left = _compile(engine, patterns)
    if database is None:
        return None
    left |= key.keys() - patterns.keys()
    _write(place, engine.dumpb(database), left)
    return Automaton(database, left)


def was_built(patterns: Iterable[str]) -> bool:
    """Tell whether the automata that are made of these patterns should all be on disk."""
    return _note(patterns).exists()


def note_built(patterns: Iterable[str]) -> None:
    """Note that they are."""
    with contextlib.suppress(OSError):
        _note(patterns).touch()


def _note(patterns: Iterable[str]) -> Path:
    key = {number: one.encode("utf-8", "replace") for number, one in enumerate(patterns)}
    return _place(_engine(), key).with_suffix(".built") if _engine() else Path(os.devnull, "none")


@cache
def _engine() -> Any:
    try:
        import hyperscan

        probe = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        probe.compile(expressions=[b"a"], flags=0)
    except Exception:  # noqa: BLE001 - an optional speed-up: whatever it lacks, RE2 does the work
        return None
    return hyperscan


def _compile(engine: Any, patterns: Mapping[int, bytes]) -> tuple[Any, frozenset[int]]:
    left: set[int] = set()
    with contextlib.suppress(engine.HyperscanError):
        return _database(engine, patterns), frozenset()
    for number, pattern in patterns.items():
        try:
            _database(engine, {number: pattern})
        except engine.HyperscanError:
            left.add(number)
    taken = {number: one for number, one in patterns.items() if number not in left}
    try:
        return (_database(engine, taken) if taken else None), frozenset(left)
    except engine.HyperscanError:
        return None, frozenset(patterns)


def _database(engine: Any, patterns: Mapping[int, bytes]) -> Any:
    database = engine.Database(mode=engine.HS_MODE_BLOCK)
    database.compile(
        expressions=list(patterns.values()),
        ids=list(patterns),
        flags=engine.HS_FLAG_MULTILINE,
    )
    return database


def _place(engine: Any, patterns: Mapping[int, bytes]) -> Path:
    key = hashlib.sha256(_MAGIC)
    for part in (engine.__version__, platform.machine(), platform.system(), _processor()):
        key.update(f"{len(part)}:{part}".encode())
    for number, pattern in patterns.items():
        key.update(b"%d:%d:" % (number, len(pattern)) + pattern)
    return cache_folder() / "automata" / f"{key.hexdigest()}.bin"


def cache_folder() -> Path:
    """Return the folder of what can be made again: ``DOCTOR_CACHE_DIR`` or the user's own."""
    chosen = os.environ.get("DOCTOR_CACHE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("doctor")


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor()


def _read(engine: Any, place: Path, patterns: Mapping[int, bytes]) -> Automaton | None:
    try:
        with place.open("rb") as stream:
            about = os.fstat(stream.fileno())
            is_own = not hasattr(os, "geteuid") or about.st_uid == os.geteuid()
            is_open = stat.S_IMODE(about.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
            if not is_own or is_open or about.st_size > _LARGEST:
                return None
            data = stream.read()
        head, _, payload = data[len(_MAGIC) :].partition(b"\n")
        if not data.startswith(_MAGIC) or hashlib.sha256(payload).hexdigest().encode() != head:
            return None
        left, _, serialized = payload.partition(b"\n")
        database = engine.loadb(serialized, mode=engine.HS_MODE_BLOCK)
        database.scratch = engine.Scratch(database)
        numbers = frozenset(map(int, left.split()))
        return Automaton(database, numbers) if numbers <= patterns.keys() else None
    except (OSError, ValueError, engine.HyperscanError):
        return None


def _write(place: Path, serialized: bytes, left: frozenset[int]) -> None:
    payload = " ".join(map(str, sorted(left))).encode() + b"\n" + serialized
    digest = hashlib.sha256(payload).hexdigest().encode()
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_MAGIC + digest + b"\n" + payload)
            Path(name).replace(place)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        kept = sorted(place.parent.glob("*.bin"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_MOST]:
            old.unlink(missing_ok=True)
        if len(kept) > _MOST:  # whose automata went is not known
            for note in place.parent.glob("*.built"):
                note.unlink(missing_ok=True)
