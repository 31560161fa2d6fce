"""An id split into tokens, each of a kind that a reader would name."""

from __future__ import annotations

import re
from dataclasses import dataclass

SEPARATORS = "-_./: "
_END = rf"(?=[{re.escape(SEPARATORS)}]|$)"
_DAY = r"(?:19|20)\d\d{0}(?:0[1-9]|1[0-2]){0}(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3])[:-]?[0-5]\d[:-]?[0-5]\d"
KINDS = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "ulid": r"[0-7][0-9A-HJKMNP-TV-Z]{25}",
    "moment": rf"(?:{_DAY.format('-')}|{_DAY.format('')})[T_-]?{_CLOCK}Z?",
    "date": _DAY.format("-"),
    "day": _DAY.format(""),
    "epoch": r"1\d{12}|1\d{9}",
    "n": r"\d+",
    "word": r"[a-z]+",
    "word#": r"[a-z]+\d+",
    "Word": r"[A-Z][a-z]+",
    "WORD": r"[A-Z]+",
    "WORD#": r"[A-Z]+\d+",
    "hex": r"[0-9a-f]{6,}",
    "alnum": r"[a-z0-9]+",
    "mixed": r"[A-Za-z0-9]+",
}
FREE = frozenset({"word", "Word", "WORD"})
"""Kinds that say nothing: a human chooses the words."""
_STARTS = tuple((kind, re.compile(f"(?:{text}){_END}", re.ASCII)) for kind, text in KINDS.items())


@dataclass(frozen=True, slots=True)
class Token:
    """A part of an id; ``before`` is the separator in front of it, "" for the first."""

    kind: str
    text: str
    before: str = ""

    @property
    def stem(self) -> str:
        """The letters of a word that ends in a number."""
        return self.text.rstrip("0123456789")


def tokens_of(text: str) -> tuple[Token, ...] | None:
    """Return the tokens of an id; None where a part of it is empty or of no known kind."""
    found: list[Token] = []
    place, before = 0, ""
    while True:
        token = _token(text, place, before)
        if token is None:
            return None
        found.append(token)
        place += len(token.text)
        if place == len(text):
            return tuple(found)
        before, place = text[place], place + 1


def _token(text: str, place: int, before: str) -> Token | None:
    for kind, pattern in _STARTS:
        found = pattern.match(text, place)
        if found is not None:
            return Token(kind, found[0], before)
    return None
