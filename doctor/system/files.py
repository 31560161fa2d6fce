"""Finds the files that patterns such as ``logs/{run_id}*.log`` name."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from doctor.errors import UsageError
from doctor.system.logs import FileLog

FILE_CAP = 200
_ESCAPED = re.compile(r"\[([*?[])\]")


def find_logs(patterns: Iterable[str], run: str | None) -> tuple[FileLog, ...]:
    """Return the files of the patterns, in order; a pattern without wildcards must name one.

    ``{run_id}`` stands for the run's id, and for anything where no run is asked about.
    """
    found: dict[str, FileLog] = {}
    for pattern in patterns:
        exact = _exact(pattern)
        if exact is not None and not Path(exact).is_file():
            raise UsageError(f"there is no log file {exact!r}")
        for name in _matching(pattern, run) if exact is None else [exact]:
            path = Path(name)
            if path.is_file():
                found.setdefault(str(path), FileLog(path))
    return tuple(found.values())


def _exact(pattern: str) -> str | None:
    """Return the one file that a pattern without wildcards names; brackets may be escaped."""
    if Path(pattern).is_file():
        return pattern
    if "{run_id}" in pattern or glob.has_magic(_ESCAPED.sub("", pattern)):
        return None
    return _ESCAPED.sub(r"\1", pattern)


def _matching(pattern: str, run: str | None) -> list[str]:
    filled = pattern.replace("{run_id}", "*" if run is None else glob.escape(_plain(run)))
    return sorted(glob.glob(filled, recursive=True))[:FILE_CAP]  # noqa: PTH207 - may be absolute


def _plain(run: str) -> str:
    is_name = run not in ("", ".", "..") and "/" not in run and "\\" not in run
    return run if is_name else "\0"
