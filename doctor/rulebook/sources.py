"""The files that rules come from: a pack or a path becomes a source, its texts still unread."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doctor.errors import RuleError, UsageError
from doctor.registry import Registry
from doctor.rulebook.problem import RuleProblem

if TYPE_CHECKING:  # it costs 8 ms
    from importlib.resources.abc import Traversable

MOST_FILES = 10_000
MOST_BYTES = 1 << 20
_DEEPEST_FOLDER = 32
_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A pack or path that rules come from.

    Attributes:
        name: how the source is called, e.g. the name of its entry point.
        files: label (the path in messages) and content of each file, in a stable order.
        builtin: whether it came with Doctor.
        paths: the real path of each file, where it has one; empty for what is not on a disk.
        folder: the folder or file that was named.
    """

    name: str
    files: tuple[tuple[str, str | bytes], ...]
    builtin: bool = False
    paths: tuple[str, ...] = field(default=(), compare=False)
    folder: str = field(default="", compare=False)


def read_sources(registry: Registry, paths: Sequence[str]) -> list[RuleSource]:
    """Return the files of all packs and paths; a file that is named twice counts once."""
    seen: set[str] = set()
    sources = [read_source(pack.name, pack.folder, builtin=pack.builtin) for pack in registry.packs]
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"there are no rules at {path!r}")
        sources.append(read_source(path, Path(path)))
    for index, source in enumerate(sources):
        sources[index] = _unseen(source, seen)
    return sources


def read_source(
    name: str, folder: Traversable, *, label: str | None = None, builtin: bool = False
) -> RuleSource:
    """Read a folder, or a single file, into a source: every ``*.yaml`` and ``*.yml`` in it.

    Files are in the order of their names; hidden files and folders are left out. ``folder`` is a
    path or a package's resources; labels of files begin with ``label``, else with ``name``.

    Raises:
        RuleError: a folder or file cannot be read, or there are too many of them.
    """
    prefix = name if label is None else label
    files: list[tuple[str, str | bytes]] = []
    paths: list[str] = []
    try:
        for path, file in _walk(prefix, folder, 0):
            files.append((path, _content(file)))
            paths.append(os.path.realpath(file) if isinstance(file, Path) else "")
            if len(files) > MOST_FILES:
                raise _refused(prefix, f"more than {MOST_FILES} rule files")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refused(prefix, f"rules cannot be read: {reason}") from error
    return RuleSource(name, tuple(files), builtin, tuple(paths), str(folder))


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody look for garbage: reading makes many values and none that refers to itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _unseen(source: RuleSource, seen: set[str]) -> RuleSource:
    paths = source.paths or ("",) * len(source.files)
    kept = [
        (file, path)
        for file, path in zip(source.files, paths, strict=True)
        if not path or path not in seen
    ]
    seen.update(path for path in paths if path)
    files, left = tuple(file for file, _ in kept), tuple(path for _, path in kept)
    return replace(source, files=files, paths=left)


def _walk(path: str, entry: Traversable, depth: int) -> Iterator[tuple[str, Traversable]]:
    if entry.is_file():
        yield path, entry
        return
    if depth > _DEEPEST_FOLDER:
        raise _refused(path, f"folders nested deeper than {_DEEPEST_FOLDER} levels")
    for below in sorted(entry.iterdir(), key=lambda one: one.name):
        if below.name.startswith("."):
            continue
        if below.is_dir() or (below.is_file() and below.name.endswith(_ENDINGS)):
            yield from _walk(f"{path}/{below.name}", below, depth + 1)


def _content(file: Traversable) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)


def _refused(location: str, message: str) -> RuleError:
    return RuleError((RuleProblem(message, location=location),))
