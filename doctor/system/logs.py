"""Logs as lines with numbers and event time, within bounds of size and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from doctor.errors import SourceError
from doctor.model.ports import LogLine
from doctor.system.clock import EventClock
from doctor.system.encoding import LINE_CAP, Piece, decoded_lines, is_binary

BLOCK = 1 << 20
BYTES_CAP = 2 << 30
SECONDS_CAP = 30.0


class FileLog:
    """One log file. ``lines`` may be called again; each call reads the file anew."""

    def __init__(self, path: Path, *, bytes_cap: int = BYTES_CAP, seconds: float = SECONDS_CAP):
        self.path = path
        self.name = str(path)
        self._bytes_cap = bytes_cap
        self._seconds = seconds

    def lines(self) -> Iterator[LogLine]:
        """Yield every line; raise SourceError for what is no log, or where a bound is reached.

        A line longer than 64 KiB is yielded cut; the rest of it is read over.
        """
        clock = EventClock()
        for number, line in enumerate(self._texts(), start=1):
            text = line.rstrip("\r\n")
            at, order = clock.read(text)
            yield LogLine(number, text, at, order)

    def _texts(self) -> Iterator[str]:
        try:
            with self.path.open("rb") as stream:
                head = stream.read(8192)
                if is_binary(head):
                    raise SourceError(f"{self.name} is not a text file")
                stream.seek(0)
                bounds = _Bounds(self._bytes_cap, time.monotonic() + self._seconds)
                yield from decoded_lines(_pieces(stream, bounds), head)
                if bounds.read > self._bytes_cap or bounds.is_late:
                    raise SourceError(
                        f"{self.name} was read for {bounds.read:,} bytes only: it is too long"
                    )
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error


class _Bounds:
    """How far a file is read; ``is_late`` tells that time ran out before its end."""

    def __init__(self, most: int, until: float):
        self.most = most
        self.until = until
        self.read = 0
        self.is_late = False

    def reached(self) -> bool:
        self.is_late = time.monotonic() > self.until
        return self.is_late or self.read > self.most


def _pieces(stream: BinaryIO, bounds: _Bounds) -> Iterator[Piece]:
    """Yield what lies between the bytes 10; the last piece is what follows the last of them."""
    rest = Piece(b"", 0, b"")
    while not bounds.reached() and (block := stream.read(BLOCK)):
        bounds.read += len(block)
        first, *more = block.split(b"\n")
        rest = rest.followed_by(first)
        for part in more:
            yield rest
            rest = Piece(part[:LINE_CAP], len(part), part[-1:])
    yield rest
