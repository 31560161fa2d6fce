"""What a scalar means: the YAML 1.2 core schema, so that NO, on, 012, 1:30 and dates are text."""

from __future__ import annotations

import re
from datetime import timedelta

from doctor.model.evidence import Scalar
from doctor.rulebook.nodes import Text

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(
    r"""
      (?P<int>[-+]?(?:0|[1-9][0-9]*))
    | 0o(?P<octal>[0-7]+)
    | 0x(?P<hex>[0-9a-fA-F]+)
    | (?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    | (?P<float>[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)
    """,
    re.VERBOSE,
)
_BEGINS_NUMBER = frozenset("+-.0123456789")
_LARGEST = 2**63 - 1
_LONGEST_NUMBER = 64
DURATION = re.compile(r"([1-9][0-9]{0,5})(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_DURATION = timedelta(days=3650)


def is_plainly_text(node: Text) -> bool:
    """Tell by its first character that a scalar is text and not blank; False: it may be."""
    text = node.text
    return text[:1].isalpha() and (not node.plain or text not in _WORDS)


def resolve(node: Text) -> Scalar:
    """Return the value of a scalar; what stood in quotes is always a string.

    Raises:
        ValueError: a number that is infinite, not a number, or beyond 64 bits.
    """
    text = node.text
    if not node.plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text) if text[0] in _BEGINS_NUMBER else None
    if match is None:
        return text
    kind = str(match.lastgroup)
    if kind == "endless":
        raise ValueError(f"{text!r} is not a finite number")
    value = _number(text, kind, match[kind]) if len(text) <= _LONGEST_NUMBER else None
    if value is None or abs(value) > (_LARGEST if kind != "float" else 1e308):
        raise ValueError(f"the number {text[:_LONGEST_NUMBER]!r} is too large")
    return value


def _number(text: str, kind: str, digits: str) -> int | float:
    if kind == "float":
        return float(text)
    return int(digits, {"int": 10, "octal": 8, "hex": 16}[kind])


def duration(text: str) -> timedelta | None:
    """Return a duration such as ``500ms``, ``30s``, ``10m``, ``2h`` or ``7d``, or None."""
    match = DURATION.fullmatch(text)
    if match is None:
        return None
    length = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    return length if length <= _LONGEST_DURATION else None


def seconds(length: timedelta) -> float:
    """Return a duration in seconds, exact to the microsecond."""
    return length / timedelta(seconds=1)
