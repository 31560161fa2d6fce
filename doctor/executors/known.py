"""Advice that was given before, and questions that are being asked. Standard library only."""

from __future__ import annotations

from threading import Event
from types import CodeType
from typing import Any

from doctor.executors.advice import LONGEST, Advice, no_opinion
from doctor.executors.fingerprint import Key

MOST = 1024
SHARED_SECONDS = 0.25
_UNLIMITED = 1_000_000_000


class Known:
    """An advice with the time and the number of times it may be given again.

    ``told`` are the threads that heard it. One that did not, and fails within a quarter of a
    second, fails at the same time, not again; one that did has tried again in between.
    """

    __slots__ = ("advice", "code", "expires", "left", "shared_until", "told", "uses")

    def __init__(self, advice: Advice, code: CodeType | None, reply: dict[str, Any], now: float):
        self.advice = advice
        self.code = code
        ttl, uses = reply.get("ttl", 0.0), reply.get("uses")
        self.expires = now + min(float(ttl), LONGEST)
        self.uses = _UNLIMITED if uses is None else int(uses)
        self.left = self.uses
        self.shared_until = now + SHARED_SECONDS
        self.told: set[int] = set()


class Flight:
    """One question on its way; the others with the same one wait for it."""

    __slots__ = ("advice", "done", "known")

    def __init__(self) -> None:
        self.done = Event()
        self.advice = no_opinion("the question was given up")
        self.known: Known | None = None


class Memory:
    """At most ``MOST`` advices; those of a call that succeeded are forgotten."""

    def __init__(self) -> None:
        self.entries: dict[Key, Known] = {}
        self._scopes: dict[tuple[Any, Any], set[Key]] = {}
        self._dirty: set[tuple[Any, Any]] = set()

    def keep(self, key: Key, known: Known) -> Known:
        """Remember an advice, and that the child counts failures of its call."""
        while len(self.entries) >= MOST:
            self._drop(next(iter(self.entries)))
        scope = (key[3], key[4])
        self._drop(key)
        self.entries[key] = known
        self._scopes.setdefault(scope, set()).add(key)
        self._dirty.add(scope)
        return known

    def is_clean(self, run: Any, operation: Any) -> bool:
        """Whether the child knows already that a call succeeds; then only our counts start anew."""
        scope = (run, operation)
        if operation is None or scope in self._dirty:
            return False
        for key in self._scopes.get(scope, ()):
            known = self.entries[key]
            known.left = known.uses
        return True

    def succeeded(self, run: Any, operation: Any) -> bool:
        """Forget what was said about a call; whether the child should know that it succeeded."""
        if operation is not None:
            scopes = [(run, operation)] if (run, operation) in self._scopes else []
        else:
            scopes = [one for one in tuple(self._scopes) if one[0] == run]
        is_news = False
        for scope in scopes:
            for key in tuple(self._scopes.get(scope, ())):
                known = self.entries[key]
                known.left = known.uses
                if known.advice.is_final or not known.uses:
                    self._drop(key)
            if scope in self._dirty:
                self._dirty.discard(scope)
                is_news = True
        return is_news

    def _drop(self, key: Key) -> None:
        self.entries.pop(key, None)
        scope = (key[3], key[4])
        keys = self._scopes.get(scope)
        if keys is not None:
            keys.discard(key)
            if not keys:
                self._scopes.pop(scope, None)
