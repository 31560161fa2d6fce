"""Text from outside must not steer a terminal, nor make a second line of a log."""

from __future__ import annotations

import re

# Colours are the only control sequences that our own output uses.
_STEERING = re.compile(
    r"(\x1b\[[0-9;]{0,16}m)|([\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff])"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def tame(text: str) -> str:
    """Return text in which nothing but colours, line ends and tabs steers a terminal."""
    return _STEERING.sub(lambda found: found[1] or _escaped(found[2]), text)


def one_line(text: str) -> str:
    """Return text as one line without any control character: a line break is no new entry."""
    return _CONTROL.sub(lambda found: _escaped(found[0]), text)


def _escaped(letter: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(letter)
    return known.get(letter) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004
