"""Models read by importing them, in a child process that can be killed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import IO

from doctor.errors import SourceError, UsageError
from doctor.model.schema import CodeModels
from doctor.system.code.source.files import shown
from doctor.system.code.wire import from_json

_HOME = Path(__file__).resolve().parents[3]
_MAX_ANSWER = 64 * 1024**2


def import_models(path: Path, *, timeout: float) -> CodeModels:
    """Return the tables that the file or folder at ``path`` declares, by importing it.

    This runs the code of the models with all its effects, so only a user who asks for it gets it.
    The child process and everything it started is killed after ``timeout`` seconds.

    Raises:
        UsageError: there is nothing at ``path``.
        SourceError: importing it failed or took too long.
    """
    import secrets
    import tempfile

    path = Path(os.path.abspath(path))  # noqa: PTH100 - takes out ".." as well
    if not path.exists():
        raise UsageError(f"there is no {shown(path)!r}", hint="name a models file or folder")
    mark = f"models-{secrets.token_hex(16)}"
    with tempfile.TemporaryFile() as out:
        ended = _run(path, mark, out, timeout)
        out.seek(0)
        text = out.read(_MAX_ANSWER).decode("utf-8", "replace")
    _, found, line = text.rpartition(f"\n{mark}\n")
    if not found:
        raise SourceError(f"importing {shown(path)!r} {ended}", location=shown(path))
    return _models(line, path)


def _run(path: Path, mark: str, out: IO[bytes], timeout: float) -> str:
    """Run the child process; return how it ended, in words."""
    import subprocess

    places = [str(_HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-P", "-m", "doctor.system.code.imported", str(path), mark]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )
    try:
        return f"ended without an answer (exit {child.wait(timeout)})"
    except subprocess.TimeoutExpired:
        return f"took longer than {timeout:g} seconds"
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _models(line: str, path: Path) -> CodeModels:
    try:
        found = json.loads(line)
        if "error" in found:
            reason = f"importing {shown(path)!r} failed: {found['error']}"
            raise SourceError(reason, location=str(found["where"]))
        return from_json(line)
    except (ValueError, TypeError, KeyError) as error:
        raise SourceError(
            f"importing {shown(path)!r} gave no readable answer", location=shown(path)
        ) from error
