"""A progress bar on a terminal's standard error, for what takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

PATIENCE = 1.0
EVERY = 0.1
WIDTH = 30


class Readable(Protocol):
    """Something that is read: its name, how many bytes were, and of how many."""

    name: str
    total: int | None
    done: int


class Bar:
    """Shows how far the logs are read; says nothing where standard error is no terminal."""

    def __init__(self, logs: Sequence[str]) -> None:
        self._is_shown = sys.stderr.isatty()
        self._is_plain = (getattr(sys.stderr, "encoding", "") or "").lower() not in (
            "utf-8",
            "utf8",
        )
        self._sizes = [_size(one) for one in logs]
        self._start = time.monotonic()
        self._next = self._start + PATIENCE
        self._was_shown = False
        self._before = 0
        self._last: Readable | None = None

    def show(self, log: Readable) -> None:
        """Show how far it is, at most ten times a second."""
        if self._last is not log:
            self._before += self._last.done if self._last else 0
            self._last = log
        now = time.monotonic()
        if self._is_shown and now >= self._next:
            self._next = now + EVERY
            self._was_shown = True
            text = self._text(self._before + log.done, now - self._start)
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def _text(self, done: int, seconds: float) -> str:
        speed = done / seconds if seconds else 0.0
        rate = f"{_amount(int(speed))}/s"
        if not self._sizes or None in self._sizes:
            return f"{_amount(done)} read, {rate}"
        total = max(1, sum(one or 0 for one in self._sizes))
        share = min(1.0, done / total)
        full, empty = ("#", ".") if self._is_plain else ("█", "░")
        filled = round(WIDTH * share)
        left = max(0.0, total - done) / speed if speed else 0.0
        bar = full * filled + empty * (WIDTH - filled)
        return (
            f"{bar} {share:4.0%}  {_amount(done)} of {_amount(total)}, {rate}, {_clock(left)} left"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._was_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _size(name: str) -> int | None:
    try:
        return Path(name).stat().st_size if Path(name).is_file() else None
    except (OSError, ValueError):
        return None


def _amount(count: int) -> str:
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 - a kilobyte
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
