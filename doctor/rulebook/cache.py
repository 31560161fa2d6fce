"""What reading rules has once brought, kept by content: compiled rulebooks and last good packs.

Entries are JSON behind a checksum. One that is damaged, or that cannot be written, costs nothing
but the time to read the rules again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doctor.model.evidence import FactKind
from doctor.model.rule import Rulebook
from doctor.rulebook.codec import rulebook_from_json, rulebook_to_json
from doctor.rulebook.sources import RuleSource, uncollected

FORMAT = "3"  # of the entries; a newer Doctor reads nothing that an older one wrote
MOST_BOOKS = 16
_NOT_READABLE = (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError)


class RuleCache:
    """A folder of entries; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find_book(self, key: str) -> Rulebook | None:
        """Return the rulebook that was read for this key, without tests and explanations."""
        try:
            data = self._read("books", key)
            with uncollected():
                return None if data is None else rulebook_from_json(data)
        except _NOT_READABLE:
            self._remove("books", key)
            return None

    def keep_book(self, key: str, book: Rulebook) -> None:
        """Keep a rulebook that has no mistakes; the oldest entries make room."""
        self._write("books", key, rulebook_to_json(book))
        with contextlib.suppress(OSError):
            self._prune()

    def find_good(self, source: RuleSource) -> RuleSource | None:
        """Return the last version of this pack that had no mistakes, or None."""
        try:
            data = self._read("packs", _identity(source))
            if data is None:
                return None
            files = tuple((str(label), str(text)) for label, text in data)
        except _NOT_READABLE:
            self._remove("packs", _identity(source))
            return None
        return RuleSource(source.name, files, source.builtin)

    def keep_good(self, source: RuleSource) -> None:
        """Keep the files of a pack that has no mistakes."""
        self._write("packs", _identity(source), [[one, _text(text)] for one, text in source.files])

    def _path(self, room: str, key: str) -> Path | None:
        return None if self._folder is None else self._folder / room / f"{key}.json"

    def _read(self, room: str, key: str) -> Any:
        path = self._path(room, key)
        if path is None or not path.exists():
            return None
        checksum, _, body = path.read_bytes().partition(b"\n")
        if checksum != _checksum(body):
            raise ValueError("damaged")
        return json.loads(body)

    def _write(self, room: str, key: str, data: Any) -> None:
        path = self._path(room, key)
        if path is None:
            return
        body = json.dumps(data, separators=(",", ":")).encode()
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(_checksum(body) + b"\n" + body)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink()
                raise

    def _remove(self, room: str, key: str) -> None:
        path = self._path(room, key)
        with contextlib.suppress(OSError):
            if path is not None:
                path.unlink()

    def _prune(self) -> None:
        folder = self._folder / "books" if self._folder else None
        entries = sorted(folder.glob("*.json"), key=_age) if folder else []
        for path in entries[:-MOST_BOOKS]:
            path.unlink(missing_ok=True)


def open_cache() -> RuleCache:
    """Return the user's cache; DOCTOR_CACHE_DIR names another folder."""
    named = os.environ.get("DOCTOR_CACHE_DIR")
    if named is None:
        import platformdirs

        named = str(platformdirs.user_cache_path("doctor"))
    return RuleCache(Path(named) / "rules")


def book_key(sources: Iterable[RuleSource], kinds: Iterable[FactKind], names: object) -> str:
    """Return what a reading depends on, hashed: Doctor, every file, and what rules may name."""
    digest = hashlib.sha256(f"{_version()} {FORMAT} {_shown(kinds)} {names!r}".encode())
    for source in sources:
        digest.update(f"\0{source.name}\0{source.builtin}\0{len(source.files)}".encode())
        for label, content in source.files:
            data = content if isinstance(content, bytes) else content.encode()
            digest.update(f"\0{label}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest()


def _version() -> str:
    from importlib.metadata import version

    return version("run-doctor")


def _shown(kinds: Iterable[FactKind]) -> str:
    return repr([(kind.name, kind.fields) for kind in kinds])


def _identity(source: RuleSource) -> str:
    return hashlib.sha256(f"{source.name}\0{Path(source.folder).absolute()}".encode()).hexdigest()[
        :32
    ]


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()


def _age(path: Path) -> float:
    return path.stat().st_mtime
