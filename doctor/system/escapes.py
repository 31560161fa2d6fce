"""Escape sequences of terminals, which are no text."""

from __future__ import annotations

import re

# Linear: no part can match what the one after it matches.
_SEQUENCE = (
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][0-9A-Za-z]|[@-Z\\-_=>])?"
)
_IN_TEXT = re.compile(_SEQUENCE)
_IN_BYTES = re.compile(_SEQUENCE.encode("ascii"))


def without_escapes(text: str) -> str:
    """Return a line without escape sequences."""
    return _IN_TEXT.sub("", text) if "\x1b" in text else text


def bytes_without_escapes(data: bytes) -> bytes:
    """Return lines without escape sequences."""
    return _IN_BYTES.sub(b"", data) if b"\x1b" in data else data
