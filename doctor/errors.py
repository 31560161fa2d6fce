"""The errors that Doctor raises, and the exit code that each one means.

DoctorError
├── UsageError    what the user named cannot be used (exit 2)
│   └── RuleError  a rule file is wrong, with file:line:column (exit 2)
├── SourceError   a source of evidence could not be read; becomes a Gap (exit 9)
├── TreatmentError  a change could not be carried out as planned (exit 7)
└── LeaseLostError  another doctor took over meanwhile; nothing was written (exit 6)
"""

from __future__ import annotations


class DoctorError(Exception):
    """An error that says what is wrong, where, and which one step would help.

    Attributes:
        message: lower case, matter of fact, true on its own.
        hint: one step that can be pasted, or None.
        location: ``file:line:column`` or another place, or None.
        code: stable short code of the error class.
        exit_code: what the command line exits with.

    Secrets are redacted in all texts: an error is printed, stored and sent by many.
    """

    code = "D000"
    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, location: str | None = None):
        from doctor.redaction import redact

        self.message = redact(message)
        self.hint = hint and redact(hint)
        self.location = location and redact(location)
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        return f"{place}{self.message}"


class UsageError(DoctorError):
    """What the user named cannot be used: no such file, unknown run, bad settings, bad store."""

    code = "D001"
    exit_code = 2


class RuleError(UsageError):
    """A rule file cannot be loaded. ``problems`` holds every mistake of every file."""

    code = "D002"

    def __init__(self, problems: tuple[DoctorError, ...]):
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.message}{more}", hint=first.hint, location=first.location)
        self.problems = problems


class SourceError(DoctorError):
    """A source of evidence could not be read; whoever collects evidence turns it into a Gap."""

    code = "D003"
    exit_code = 9


class TreatmentError(DoctorError):
    """A change could not be carried out exactly as planned; nothing of it was kept."""

    code = "D004"
    exit_code = 7


class LeaseLostError(DoctorError):
    """Another doctor took over this system: whoever holds an older token writes nothing any more.

    Attributes:
        seen: the newest token that is known, or None.
    """

    code = "D009"
    exit_code = 6

    def __init__(self, token: int, seen: int | None):
        newest = "" if seen is None else f", {seen} is the newest"
        super().__init__(
            f"lease lost: another doctor took over this system (token {token} is old{newest})",
            hint="nothing more was written here; look with `doctor history`, then run it again",
        )
        self.seen = seen
