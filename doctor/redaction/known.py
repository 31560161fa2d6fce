"""Secrets that were configured: passwords in URLs, variables of the environment, cells."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

from doctor.redaction.names import WORDS, is_folder, is_secret_name

SHORTEST = 8
MOST = 200
_KNOWN: dict[str, None] = {}


def known_secrets() -> tuple[str, ...]:
    """Return what was remembered, longest first."""
    return _longest_first(tuple(_KNOWN))


@lru_cache(1)
def _longest_first(known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(known, key=lambda one: (-len(one), one)))


def remember(secrets: Iterable[object]) -> None:
    """Keep texts out of whatever is stored or printed from now on, wherever they stand.

    What is shorter than ``SHORTEST`` letters, or a plain lower case word, would be found where it
    is none, and is only redacted behind its name or in its shape.
    """
    for one in secrets:
        if isinstance(one, str) and len(one) >= SHORTEST and not _is_word(one):
            if one not in _KNOWN and len(_KNOWN) >= MOST:
                del _KNOWN[next(iter(_KNOWN))]
            _KNOWN[one] = None


def remember_url(url: str | None) -> None:
    """Remember the password of a URL, and what its query names as a secret."""
    if url is None:
        return
    _, found, rest = url.partition("://")
    if not found:
        return
    place, _, query = rest.partition("?")
    account, at, _ = place.rpartition("@")
    if at and ":" in account:
        _remember_quoted(account.partition(":")[2])
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if is_secret_name(name):
            _remember_quoted(value)


def remember_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Remember the variables whose names are those of secrets, and passwords in all URLs."""
    for name, value in environment.items():
        lowered = name.lower()
        if any(word in lowered for word in WORDS) and is_secret_name(name):
            if not is_folder(name, value):
                remember((value,))
        elif "://" in value and "@" in value:
            remember_url(value)


def _remember_quoted(value: str) -> None:
    remember((value,))
    if "%" in value:
        from urllib.parse import unquote

        remember((unquote(value),))


def _is_word(text: str) -> bool:
    return (
        text.isascii()
        and text.replace("_", "").replace("-", "").isalpha()
        and (text.islower() or text.isupper())
    )
