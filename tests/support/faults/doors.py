"""Write doors with a defect.

One has the defect that the marker exists to prevent: it marks in a second transaction. The sweep
must find it; a sweep that does not is worth nothing. The other loses the report of a commit.
"""

from __future__ import annotations

from contextlib import contextmanager

from doctor.errors import SourceError
from doctor.model.ports import WriteDoor
from doctor.system import database


class SplitTransaction:
    """Passes everything on but the marker, which is kept for later."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.marks: list[tuple[object, ...]] = []

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def mark(self, fix, kind, images):
        self.marks.append(("mark", fix, kind, images))

    def mark_batch(self, fix, batch, image):
        self.marks.append(("mark_batch", fix, batch, image))
        return 0


class SplitDoor:
    """Commits the data, then the marker."""

    def __init__(self, inner) -> None:
        self._inner = inner

    @contextmanager
    def transaction(self):
        with self._inner.transaction() as inner:
            transaction = SplitTransaction(inner)
            yield transaction
        self.finish(transaction)

    def finish(self, transaction):
        """Write what was kept for later."""
        if transaction.marks:
            with self._inner.transaction() as second:
                for name, *mark in transaction.marks:
                    getattr(second, name)(*mark)

    @contextmanager
    def kept(self):
        yield self


class LostDoor:
    """Reports its ``at``-th commit as failed, done or not, and then is deaf for a while.

    ``deaf`` is the number of transactions after that which cannot even begin.
    """

    def __init__(self, inner, deaf=0, *, is_done=True, at=1) -> None:
        self._at = at
        self._inner = inner
        self._deaf = deaf
        self._is_done = is_done
        self._commits = 0

    @contextmanager
    def transaction(self):
        if self._commits >= self._at and self._deaf:
            self._deaf -= 1
            raise SourceError("the database cannot be reached")
        with self._inner.transaction() as inner:
            yield inner
            self._commits += 1
            if self._commits == self._at and not self._is_done:
                raise SourceError("the connection was lost")
        if self._commits == self._at:
            raise SourceError("the connection was lost")

    @contextmanager
    def kept(self):
        yield self


def install() -> None:
    """Let every doctor of this process mark in a second transaction."""
    honest = database.open_write_door

    def split(url: str, *, create_marker: bool = False) -> WriteDoor:
        return SplitDoor(honest(url, create_marker=create_marker))

    database.open_write_door = split
