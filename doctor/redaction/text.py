"""Secrets out of text, in time that grows with its length."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import cache, partial

from doctor.redaction.known import known_secrets
from doctor.redaction.names import WORDS, is_folder, strength
from doctor.redaction.shapes import shapes

REDACTED = "[redacted]"
_SHAPES = shapes()
_LEAST_RANDOM, _LEAST_LONG, _LONGEST_NAME = 8, 20, 64
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_PLAIN = frozenset(
    (
        *("none", "null", "nil", "true", "false", "undefined", "str", "int", "bytes", "string"),
        *("bool", "object", "optional", "is", "was", "must", "not", "missing", "required"),
        *("invalid", "incorrect", "wrong", "expired", "empty", "unknown", "failed", "error"),
        *("denied", "field", "the", "a", "an", "of", "for", "in", "and", "or", "to", "no"),
        *("from", "with", "cannot", "header", "provided", "supplied", "should", "does", "has"),
        *("expected", "unexpected", "***"),
    )
)
# What follows a name: quotes and brackets that close it, a sign, and quotes that open the value.
_SIGN = (
    r"[\"'\]\)\\]{0,4}[ \t]{0,8}"
    r"(?:(?P<sign>:=|=>|==|=|:)|(?P<word>\bholds|\bis|\bwas|->|,)(?=[ \t]{0,8}\\{0,2}[\"']))"
    r"[ \t]{0,8}"
)


def redact(text: str) -> str:
    """Return text without secrets; text that holds none is returned as it is."""
    for one in known_secrets():
        if one in text:
            text = text.replace(one, REDACTED)
    for piece, pattern, group in _SHAPES:
        if piece in text:
            text = _compiled(pattern).sub(partial(_without, group), text)
    lowered = _lowered(text)
    if "basic" in lowered:
        text = _compiled(r"(?i)\bbasic\s{1,4}([A-Za-z0-9+/]{8,2000}={0,2})").sub(_basic, text)
        lowered = _lowered(text)
    if "secret" in lowered and "kind" in lowered:
        text = _without_manifests(text)
        lowered = _lowered(text)
    found = [word for word in WORDS if word in lowered]
    return _behind_names(text, lowered, found) if found else text


def may_hold_secrets(text: str) -> bool:
    """Tell whether there is anything in a text that ``redact`` would look at more closely."""
    lowered = _lowered(text)
    return (
        "basic" in lowered
        or any(piece in text for piece, _, _ in _SHAPES)
        or any(word in lowered for word in WORDS)
        or any(one in text for one in known_secrets())
    )


def is_plain(value: str) -> bool:
    """Tell whether a value behind a secret's name is a word of prose or of code, not a secret."""
    return value.lower() in _PLAIN or value.startswith(
        ("$", "{", "%", "<", "self.", "os.", "settings.", "config.", "[redacted", "*")
    )


def is_random(value: str) -> bool:
    """Tell whether a value looks made by chance: behind a weak name it is a secret then."""
    if len(value) < _LEAST_RANDOM:
        return False
    has_digit = any(one.isdigit() for one in value)
    has_letter = any(one.isalpha() for one in value)
    is_mixed = not value.islower() and not value.isupper() and value[1:] != value[1:].lower()
    return (has_digit and has_letter) or is_mixed or len(value) >= _LEAST_LONG


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _lowered(text: str) -> str:
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_LOWER)


def _without(group: int, found: re.Match[str]) -> str:
    whole, start = found[0], found.start()
    return whole[: found.start(group) - start] + REDACTED + whole[found.end(group) - start :]


def _basic(found: re.Match[str]) -> str:
    packed = found[1]
    try:
        data = binascii.a2b_base64(packed + "=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return found[0]
    return _without(1, found) if b":" in data else found[0]


_QUOTE = r"\\{0,3}[\"']?"
_MANIFEST = rf"kind{_QUOTE}\s{{0,4}}[:=]\s{{0,4}}{_QUOTE}(?:Sealed)?Secret\b"
_PACKED = (
    rf"([\w.\-]{{1,80}}{_QUOTE}\s{{0,4}}:\s{{0,4}}{_QUOTE})"
    r"([A-Za-z0-9+/]{4,8000}={1,2}|[A-Za-z0-9+/]{16,8000})(?=[\\\"'\s,}]|\Z)"
)
_PARAGRAPH = r"\n---|\n\s{0,80}\n"


def _without_manifests(text: str) -> str:
    """Take the values out of Kubernetes secrets: of each paragraph that is one."""
    if _compiled(_MANIFEST).search(text) is None:
        return text
    parts, done = [], 0
    for found in (*_compiled(_PARAGRAPH).finditer(text), None):
        end = len(text) if found is None else found.end()
        part = text[done:end]
        if _compiled(_MANIFEST).search(part):
            part = _compiled(_PACKED).sub(lambda one: f"{one[1]}{REDACTED}", part)
        parts.append(part)
        done = end
    return "".join(parts)


def _behind_names(text: str, lowered: str, words: list[str]) -> str:
    parts: list[str] = []
    done = 0
    for start, end in _names(text, lowered, words):
        if start < done:
            continue
        span = _value_after(text, text[start:end], end)
        if span is not None and span[0] >= done:
            parts += [text[done : span[0]], REDACTED]
            done = span[1]
    return "".join((*parts, text[done:])) if parts else text


def _names(text: str, lowered: str, words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield where each name around one of ``words`` begins and ends, in order."""
    places = sorted({at for word in words for at in _places(lowered, word)})
    done = 0
    for at in places:
        if at < done:
            continue
        start, end = at, at
        while start > done and at - start < _LONGEST_NAME and text[start - 1] in _NAME_LETTERS:
            start -= 1
        while end < len(text) and end - at < _LONGEST_NAME and text[end] in _NAME_LETTERS:
            end += 1
        done = end
        yield start, end


def _places(lowered: str, word: str) -> Iterator[int]:
    at = lowered.find(word)
    while at >= 0:
        yield at
        at = lowered.find(word, at + len(word))


def _value_after(text: str, name: str, end: int) -> tuple[int, int] | None:
    """Return where the secret behind a name begins and ends, None where there is none."""
    weight = strength(name.lstrip("-"))
    if not weight:
        return None
    sign = _compiled(_SIGN).match(text, end)
    if sign is None:
        return None
    is_line = name.lower().endswith(("cookie", "authorization"))
    quoted = _compiled(r"(?:[bru]{0,2})(\\{0,3}(?:''|[\"']))").match(text, sign.end())
    if quoted is not None:
        closing = text.find(quoted[1], quoted.end())
        stop = _line_end(text, quoted.end())
        if closing < 0 or closing > stop:
            if quoted[1] == "''":  # an empty text, not a quote within a quoted text of SQL
                return None
            closing = stop
        value, span = text[quoted.end() : closing], (quoted.end(), closing)
    else:
        pattern = r"[^\r\n\"'\\]{1,4000}" if is_line else r"[^\s\"'\\,;&<>()\[\]{}|]{1,4000}"
        found = _compiled(pattern).match(text, sign.end())
        if found is None:
            return None
        value, span = found[0], found.span()
        if not is_line and weight > 1 and sign["sign"] == ":" and not is_random(value):
            weight = 1 if value.rstrip(".").isalpha() else 2  # a word of prose is no password
    if sign["word"] == ",":  # a list of names, or a header and its value
        weight = 1
    if not value or is_plain(value) or name == value or is_folder(name, value):
        return None
    return span if weight > 1 or is_random(value) else None


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
