"""Finds the files that patterns such as ``logs/{run_id}*.log`` name."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from doctor.errors import UsageError
from doctor.system.logs import FileLog

FILE_CAP = 200


def find_logs(patterns: Iterable[str], run: str | None) -> tuple[FileLog, ...]:
    """Return the files of the patterns, in order; a pattern without wildcards must name one.

    ``{run_id}`` stands for the run's id, and for anything where no run is asked about.
    """
    found: dict[str, FileLog] = {}
    for pattern in patterns:
        filled = pattern.replace("{run_id}", "*" if run is None else glob.escape(_plain(run)))
        is_exact = filled == pattern and not glob.has_magic(pattern)
        names = [pattern] if is_exact else _matching(filled)
        for name in names:
            path = Path(name)
            if is_exact and not path.is_file():
                raise UsageError(f"there is no log file {name!r}")
            if path.is_file():
                found.setdefault(str(path), FileLog(path))
    return tuple(found.values())


def _matching(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))[:FILE_CAP]  # noqa: PTH207 - may be absolute


def _plain(run: str) -> str:
    return run if "/" not in run and "\\" not in run and run not in (".", "..") else "\0"
