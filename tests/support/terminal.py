"""The command line, called in this process or in one of its own, with and without a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctor.cli import main


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        assert found["schema_version"] == 1
        return found


def say(*arguments: str) -> Said:
    """Call the command line in this process; standard input is no terminal."""
    return _said(arguments, io.StringIO())


def typed(*arguments: str, answer: str = "") -> Said:
    """Call the command line in this process with a terminal as its standard input."""
    with _terminal(answer) as descriptor, os.fdopen(descriptor, "r", closefd=False) as stream:
        return _said(arguments, stream)


def run(
    *arguments: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    at_terminal: bool = False,
    answer: str = "",
    command: Sequence[str] = (sys.executable, "-m", "doctor"),
) -> Said:
    """Call the command line in a process of its own."""
    with contextlib.ExitStack() as stack:
        stdin = stack.enter_context(_terminal(answer)) if at_terminal else subprocess.DEVNULL
        done = subprocess.run(
            [*command, *arguments],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return _checked(Said(done.returncode, done.stdout, done.stderr))


def _said(arguments: Sequence[str], stdin: Any) -> Said:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    before, sys.stdin = sys.stdin, stdin
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(list(arguments))
            except SystemExit as ended:
                code = int(ended.code or 0)
    finally:
        sys.stdin = before
    return _checked(Said(code, out.getvalue(), err.getvalue()))


def _checked(said: Said) -> Said:
    assert "Traceback" not in said.err, said.err
    assert "internal error" not in said.err, said.err
    assert "Warning" not in said.err, said.err
    return said


@contextlib.contextmanager
def _terminal(answer: str) -> Iterator[int]:
    """Yield the descriptor of a pseudo-terminal at which ``answer`` was typed."""
    ours, theirs = pty.openpty()
    try:
        if answer:
            os.write(ours, answer.encode())
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)
