"""One mistake in a rule file, and the sheet on which the mistakes of one file are collected."""

from __future__ import annotations

from collections.abc import Iterable

from doctor.errors import UsageError

MOST_PROBLEMS = 100
_LONGEST_WORD = 80
_MOST_NAMED = 12


class RuleProblem(UsageError):  # noqa: N818  # collected, RuleError is raised
    """One mistake with its ``file:line:column``; ``RuleError.problems`` holds these."""

    code = "D002"
    severity = "error"


class RuleWarning(RuleProblem):
    """Something about the rules that an owner should know; the rules are in force without it."""

    severity = "warning"


class TooManyProblemsError(Exception):
    """The file has so many mistakes that reading on helps nobody."""


class Sheet:
    """The mistakes of one file, in the order in which they were found.

    Attributes:
        label: how the file is called in messages.
        problems: the mistakes so far, at most ``MOST_PROBLEMS``.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.problems: list[RuleProblem] = []

    def report(self, place: tuple[int, int], message: str, hint: str | None = None) -> None:
        """Add a mistake at a 1-based line and column.

        Raises:
            TooManyProblemsError: when the sheet is full.
        """
        line, column = place
        location = f"{self.label}:{line}:{column}"
        self.problems.append(RuleProblem(message, hint=hint, location=location))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooManyProblemsError


def brief(value: object) -> str:
    """Return the repr of a value, cut to a length that fits a message."""
    text = repr(value)
    return text if len(text) <= _LONGEST_WORD else f"{text[: _LONGEST_WORD - 3]}..."


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """Return a hint that names the valid word nearest to ``word``, or the few valid ones."""
    from difflib import get_close_matches

    words = list(dict.fromkeys(valid))
    close = get_close_matches(word[:_LONGEST_WORD], words, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if 0 < len(words) <= _MOST_NAMED:
        return f"one of: {', '.join(words)}"
    return None
