"""What only a person may do."""

from __future__ import annotations

import sys

from doctor.errors import UsageError


def require_terminal() -> None:
    """Raise UsageError where standard input is no terminal: a program cannot decide."""
    if not sys.stdin.isatty():
        raise UsageError(
            "only a person at a terminal can decide: standard input is none",
            hint="run the same command in a terminal",
        )
