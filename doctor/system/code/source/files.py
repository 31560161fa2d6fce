"""Source files on disk: found, bounded, decoded and parsed."""

from __future__ import annotations

import ast
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

from doctor.system.code.source.sights import Sights
from doctor.system.code.source.symbols import UnreadableError

MAX_FILES = 2_000
MAX_BYTES = 2 * 1024 * 1024
_SKIPPED = frozenset({"node_modules", "site-packages", "venv", "env", "__pycache__"})


def shown(path: Path) -> str:
    """Return ``path`` as messages name it: relative to the working directory where it is below."""
    working = Path.cwd()
    return str(path.relative_to(working)) if path.is_relative_to(working) else str(path)


def shown_name(name: str) -> str:
    """Return the file called ``name`` as messages name it."""
    return shown(Path(name).absolute())


def python_files(folder: Path, sights: Sights | None = None) -> Iterator[Path]:
    """Yield the Python files below ``folder`` in a stable order.

    Hidden folders, virtual environments and installed packages are left out; links to folders
    are not followed. ``sights`` remembers every folder that was listed.
    """
    sights = sights or Sights()
    sights.read(folder)
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_source(Path(current, name), sights))
        for name in folders:
            sights.read(Path(current, name))
        for name in sorted(names):
            if name.endswith(".py") and not name.startswith("."):
                yield Path(current, name)


def _is_source(folder: Path, sights: Sights) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED
    return not hidden and not sights.exists(folder / "pyvenv.cfg")


def parse(path: Path) -> tuple[str, ast.Module]:
    """Return the text of the file at ``path`` and its syntax tree; nothing of it is run.

    Raises:
        UnreadableError: it is no readable Python source; ``where`` is file:line:column.
    """
    data = _read(path)
    if b"\0" in data:
        raise UnreadableError("the file is binary, not Python source", f"{shown(path)}:1:1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        reason = f"the file is not valid Python: {getattr(error, 'msg', error)}"
        raise UnreadableError(reason, f"{shown(path)}:{line}:{column}") from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("the source is nested too deeply", f"{shown(path)}:1:1") from error
    return data.decode("utf-8", "replace"), tree


def _read(path: Path) -> bytes:
    place = f"{shown(path)}:1:1"
    try:
        # opening a named pipe would otherwise wait for a writer
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("the file is not a regular file", place)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"the file cannot be read: {error.strerror}", place) from error
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"the file is larger than {MAX_BYTES:,} bytes", place)
    return data
