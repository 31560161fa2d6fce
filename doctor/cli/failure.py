"""What users see when a command cannot do its work: one clear error, never a traceback."""

from __future__ import annotations

import io
import os
import traceback
from pathlib import Path

import click

from doctor.cli.terminal import say
from doctor.errors import DoctorError, RuleError, UsageError
from doctor.report.plain import to_json


def report_failure(error: Exception, arguments: list[str]) -> int:
    """Say what is wrong and return the exit code; where JSON was asked for, also as a document."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return 0
    code, problems = _problems(error)
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"))
    else:
        for one in problems:
            say(_text(one))
    if _option(arguments, "--format") == "json":
        document = {"exit_code": code, "errors": [_json(one) for one in problems]}
        _write(to_json(document), _option(arguments, "--output"))
    if code == 1 and os.environ.get("DOCTOR_DEBUG"):
        say("".join(traceback.format_exception(error)))
    return code


def _problems(error: Exception) -> tuple[int, tuple[DoctorError, ...]]:
    if isinstance(error, RuleError):
        return error.exit_code, error.problems
    if isinstance(error, DoctorError):
        return error.exit_code, (error,)
    if isinstance(error, click.Abort):
        return 1, (DoctorError("aborted"),)
    if isinstance(error, click.ClickException):
        return error.exit_code, (UsageError(error.format_message()),)
    text = f"internal error: {type(error).__name__}: {error}"
    return 1, (DoctorError(text, hint="run it again with DOCTOR_DEBUG=1 to see where"),)


def _write(text: str, output: str | None) -> None:
    if output is None:
        click.echo(text)
        return
    try:
        Path(output).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        say(f"help: the error could not be written to {output!r} either: {error.strerror}")


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


def _option(arguments: list[str], name: str) -> str | None:
    """Return what was given for an option, the last time; the command may not have been parsed."""
    found = None
    for one, following in zip(arguments, [*arguments[1:], None], strict=True):
        if one.startswith(f"{name}="):
            found = one.removeprefix(f"{name}=")
        elif one == name:
            found = following
    return found
