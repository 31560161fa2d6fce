"""How far a repair in batches is, on a terminal's standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

PATIENCE = 1.0
EVERY = 0.1


class RowsBar:
    """Says nothing where standard error is no terminal, and nothing in the first second."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._start = time.monotonic()
        self._next = self._start + PATIENCE
        self._was_shown = False

    def show(self, done: int, rows: int) -> None:
        """Show the rows that are done and their rate, at most ten times a second."""
        now = time.monotonic()
        if not self._is_shown or now < self._next:
            return
        self._next = now + EVERY
        self._was_shown = True
        rate = done / (now - self._start)
        share = done / rows if rows else 1.0
        sys.stderr.write(f"\r\x1b[K{done:,} of {rows:,} rows, {share:.0%}, {rate:,.0f} rows/s")
        sys.stderr.flush()

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
