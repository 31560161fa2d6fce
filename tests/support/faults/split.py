"""A write door with the defect that the marker exists to prevent: it marks in a second transaction.

The sweep must find it; a sweep that does not is worth nothing.
"""

from __future__ import annotations

from contextlib import contextmanager

from doctor.system import database


class SplitTransaction:
    """Passes everything on but the marker, which is kept for later."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.marks: list[tuple[object, ...]] = []

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def mark(self, fix, kind, images):
        self.marks.append((fix, kind, images))


class SplitDoor:
    """Commits the data, then the marker."""

    def __init__(self, inner) -> None:
        self._inner = inner

    @contextmanager
    def transaction(self):
        with self._inner.transaction() as inner:
            transaction = SplitTransaction(inner)
            yield transaction
        if transaction.marks:
            with self._inner.transaction() as second:
                for mark in transaction.marks:
                    second.mark(*mark)


def install() -> None:
    """Let every doctor of this process use it."""
    honest = database.open_write_door
    database.open_write_door = lambda url: SplitDoor(honest(url))
