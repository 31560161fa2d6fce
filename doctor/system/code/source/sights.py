"""What reading saw on disk, so that a later reading can tell whether it would see the same."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

# A change within one tick of the file system's clock leaves no trace.
_SETTLED = 2_000_000_000  # nanoseconds

_Sight = tuple[int, ...] | None


class Sights:
    """Looks at files and folders and remembers what was there."""

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._kinds: dict[Path, int] = {}
        self._contents: dict[Path, _Sight] = {}

    def is_file(self, path: Path) -> bool:
        """Tell whether there is a file."""
        return stat.S_ISREG(self._kind(path))

    def is_dir(self, path: Path) -> bool:
        """Tell whether there is a folder."""
        return stat.S_ISDIR(self._kind(path))

    def exists(self, path: Path) -> bool:
        """Tell whether there is anything."""
        return self._kind(path) != 0

    def read(self, path: Path) -> None:
        """Remember the state of a file whose text, or a folder whose list, is about to be read."""
        self._contents.setdefault(path, _state(path))

    def hold(self) -> bool:
        """Tell whether everything that was seen is there as it was, changed since by nobody."""
        return all(_kind(path) == kind for path, kind in self._kinds.items()) and all(
            state is not None and max(state[-2:]) + _SETTLED < self._began and _state(path) == state
            for path, state in self._contents.items()
        )

    def _kind(self, path: Path) -> int:
        return self._kinds.setdefault(path, _kind(path))


def _kind(path: Path) -> int:
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):
        return 0


def _state(path: Path) -> _Sight:
    try:
        seen = os.stat(path)  # noqa: PTH116 - as open() does
    except (OSError, ValueError):
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
