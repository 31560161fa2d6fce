"""What users see when a command cannot do its work: one clear error, never a traceback."""

from __future__ import annotations

import os
import traceback

import click

from doctor.errors import DoctorError, RuleError
from doctor.report.plain import to_json


def report_failure(error: Exception, arguments: list[str]) -> int:
    """Say what is wrong and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        click.echo("aborted", err=True)
        return 1
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, DoctorError):
        problems = error.problems if isinstance(error, RuleError) else (error,)
        for one in problems:
            click.echo(_text(one), err=True)
        if _wants_json(arguments):
            click.echo(
                to_json({"exit_code": error.exit_code, "errors": [_json(e) for e in problems]})
            )
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return 0
    click.echo(f"error[D000]: internal error: {type(error).__name__}: {error}", err=True)
    if os.environ.get("DOCTOR_DEBUG"):
        traceback.print_exception(error)
    else:
        click.echo("help: run it again with DOCTOR_DEBUG=1 to see where", err=True)
    return 1


def _text(error: DoctorError) -> str:
    lines = [f"error[{error.code}]: {error.message}"]
    if error.location:
        lines.append(f"  at {error.location}")
    if error.hint:
        lines.append(f"help: {error.hint}")
    return "\n".join(lines)


def _json(error: DoctorError) -> dict[str, str | None]:
    return {
        "code": error.code,
        "message": error.message,
        "location": error.location,
        "hint": error.hint,
    }


def _wants_json(arguments: list[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    return any(one == "--format=json" or (one, two) == ("--format", "json") for one, two in pairs)
