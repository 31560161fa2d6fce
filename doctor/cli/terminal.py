"""Words to the person at the terminal, and what only a person may do."""

from __future__ import annotations

import sys

import click

from doctor.errors import UsageError


def say(text: str) -> None:
    """Write words of our own to standard error, without secrets and what steers a terminal."""
    from doctor.redaction import redact, tame

    click.echo(tame(redact(text)).encode("utf-8", "backslashreplace").decode(), err=True)


def require_terminal() -> None:
    """Raise UsageError where standard input is no terminal: a program cannot decide."""
    if not sys.stdin.isatty():
        raise UsageError(
            "only a person at a terminal can decide: standard input is none",
            hint="run the same command in a terminal",
        )
