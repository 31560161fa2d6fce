r"""The patterns of signatures: RE2 only, so matching takes time linear in the line.

Text is UTF-8; ``.`` is one character; ``\d``, ``\w``, ``\s`` and ``\b`` are ASCII; a pattern is
case-sensitive unless it says ``(?i)``. Lookaround and backreferences do not exist.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

LONGEST_PATTERN = 1_000
MOST_REPETITIONS = 200
MOST_INSTRUCTIONS = 10_000
_PATTERN_MEMORY = 8 << 20
_PIECE = re.compile(
    r"""
      \\Q.*?(?:\\E|$)
    | \\.
    | \[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]?
    | \(\?P?<(?P<name>[^>]*)>
    | \(\?[a-zA-Z-]*\)
    | (?P<open>\((?:\?[a-zA-Z-]*:)?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<repeat>[?*]|\{(?P<least>[0-9]+)(?P<comma>,(?P<most>[0-9]*))?\})
    """,
    re.VERBOSE | re.DOTALL,
)


class PatternError(Exception):
    """A pattern that cannot be used; ``hint`` may say what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def options(memory: int = _PATTERN_MEMORY) -> Any:
    """Return the options that every pattern is compiled with; ``memory`` is in bytes."""
    import re2

    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = memory
    return chosen


def compile_pattern(pattern: str) -> Any:
    """Compile a pattern with RE2.

    Raises:
        PatternError: no RE2 syntax, too long, too large, or a group's name is used twice.
    """
    import re2

    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"the pattern is longer than {LONGEST_PATTERN} characters")
    names: set[str] = set()
    for piece in _PIECE.finditer(pattern):
        if piece["name"] in names:
            raise PatternError(f"two groups are called {piece['name']!r}")
        names.update({piece["name"]} if piece["name"] else ())
        bounds = [int(one[:9]) for one in (piece["least"], piece["most"]) if one]
        if bounds and max(bounds) > MOST_REPETITIONS:
            message = f"{piece['repeat']} repeats more than {MOST_REPETITIONS} times"
            raise PatternError(message, "use * or +, captured text is cut anyway")
    try:
        compiled = re2.compile(pattern, options())
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternError(*_reason(error)) from None
    if compiled.programsize > MOST_INSTRUCTIONS:
        raise PatternError("the pattern is too large", "split it into several signatures")
    return compiled


def plain_names(pattern: str) -> str:
    """Return the pattern with every named group written as ``(?P<name>``."""
    return _PIECE.sub(lambda piece: f"(?P<{piece['name']}>" if piece["name"] else piece[0], pattern)


def _reason(error: Exception) -> tuple[str, str | None]:
    first = error.args[0] if error.args else error
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    hint = None
    if "invalid perl operator" in text:
        hint = "lookahead and lookbehind do not exist in RE2"
    elif re.search(r"invalid escape sequence: \\[1-9]", text):
        hint = "backreferences do not exist in RE2"
    return f"the pattern is not RE2 syntax: {text}", hint


def optional_groups(pattern: str) -> frozenset[str]:
    """Return the named groups that may have no text although the pattern matches.

    Those are groups inside something that may be repeated zero times or beside a ``|``.
    """
    optional: set[str] = set()
    groups = [_Group(None)]
    pieces = list(_PIECE.finditer(pattern))
    for piece, following in zip_longest(pieces, pieces[1:]):
        if piece["bar"]:
            groups[-1].branched = True
        elif piece["open"] or piece["name"]:
            groups.append(_Group(piece["name"]))
        elif piece["close"] and len(groups) > 1:
            group = groups.pop()
            names = group.inner + ([group.name] if group.name else [])
            optional.update(group.inner if group.branched else ())
            if following and following.start() == piece.end() and _may_be_none(following):
                optional.update(names)
            groups[-1].inner.extend(names)
    return frozenset(optional.union(groups[0].inner if groups[0].branched else ()))


class _Group:
    """A group whose closing parenthesis has not been seen."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.inner: list[str] = []
        self.branched = False


def _may_be_none(repeat: re.Match[str]) -> bool:
    return repeat["repeat"] in {"?", "*"} or (
        repeat["least"] is not None and not int(repeat["least"])
    )
