"""The project that models belong to: its Python files, read within bounds and never imported."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

MOST_FILES = 3_000
MOST_BYTES = 2**20
MOST_SECONDS = 2.0
MOST_LEVELS = 5
_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "alembic.ini", ".git")
_LEFT_OUT = {"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"}


def project_of(models: Path) -> Path:
    """Return the nearest folder above models that looks like a project, else their own folder."""
    own = models.absolute() if models.is_dir() else models.absolute().parent
    for folder in (own, *list(own.parents)[: MOST_LEVELS - 1]):
        if any((folder / one).exists() for one in _MARKS):
            return folder
    return own


def python_files(
    root: Path, within: Collection[str] = (), seconds: float = MOST_SECONDS
) -> Iterator[tuple[Path, bytes]]:
    """Yield Python files below a folder with their content, the same ones each time.

    ``within`` names folders of which one must be on the way to a file; () means any. Ends early
    after too many files, and after ``seconds``; large files are left out.
    """
    end, seen = time.monotonic() + seconds, 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one[0] != "." and one not in _LEFT_OUT)
        if time.monotonic() > end:
            return
        if within and not set(within) & set(Path(folder).relative_to(root).parts):
            continue
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            seen += 1
            if seen > MOST_FILES or time.monotonic() > end:
                return
            path = Path(folder) / name
            try:
                if path.stat().st_size <= MOST_BYTES:
                    yield path, path.read_bytes()
            except OSError:
                continue
