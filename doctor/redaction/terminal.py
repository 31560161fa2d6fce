"""Text from outside must not steer a terminal, nor make a second line of a log."""

from __future__ import annotations

import re
from functools import cache

_STEERING = r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
_COLOUR = r"\x1b\[[0-9;]{0,16}m"
_LINES = str.maketrans("", "", "\n\t")
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def tame(text: str) -> str:
    """Return text in which nothing but colours, line ends and tabs steers a terminal."""
    if is_tame(text):
        return text
    return _compiled(f"({_COLOUR}|[\n\t])|({_STEERING})").sub(
        lambda found: found[1] or _escaped(found[2]), text
    )


def one_line(text: str) -> str:
    """Return text as one line without any control character: a line break is no new entry."""
    if text.isprintable():
        return text
    return _compiled(_STEERING).sub(lambda found: _escaped(found[0]), text)


def json_escaped(text: str) -> str:
    """Return JSON text with what could steer a terminal written as escapes of JSON."""
    if is_tame(text):
        return text
    steering = _compiled(_STEERING.replace(r"\x00-\x1f", ""))
    return steering.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_tame(text: str) -> bool:
    """Tell whether a text is nothing but letters, line ends and tabs."""
    return text.translate(_LINES).isprintable()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _escaped(letter: str) -> str:
    code = ord(letter)
    return _NAMES.get(letter) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004 - two digits
