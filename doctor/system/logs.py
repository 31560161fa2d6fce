"""Logs as lines with numbers and event time, within bounds of size and time.

UTF-8, UTF-16 with or without a mark, and files that are part one and part the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from doctor.errors import SourceError
from doctor.model.ports import LogLine
from doctor.system.clock import EventClock

BLOCK = 1 << 20
LINE_CAP = 1 << 16
BYTES_CAP = 2 << 30
SECONDS_CAP = 30.0
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TEXT = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x7F)) | set(range(0x80, 0x100)))


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
        for number, raw in enumerate(self._raw_lines(), start=1):
            text = decode_line(raw).rstrip("\r\n")
            at, order = clock.read(text)
            yield LogLine(number, text, at, order)

    def modified(self) -> datetime:
        """Return when the file was last written to."""
        return datetime.fromtimestamp(self.path.stat().st_mtime).astimezone()

    def _raw_lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as stream:
                head = stream.read(8192)
                if _is_binary(head):
                    raise SourceError(f"{self.name} is not a text file")
                stream.seek(0)
                yield from self._split(stream)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error

    def _split(self, stream: object) -> Iterator[bytes]:
        until = time.monotonic() + self._seconds
        rest, read = b"", 0
        overlong = False
        while block := stream.read(BLOCK):  # type: ignore[attr-defined]
            read += len(block)
            first, *more = block.split(b"\n")
            if not overlong:
                rest += first
            for part in more:
                yield rest[:LINE_CAP]
                rest, overlong = part, False
            if len(rest) > LINE_CAP:
                rest, overlong = rest[:LINE_CAP], True
            if read > self._bytes_cap or time.monotonic() > until:
                yield rest
                raise SourceError(f"{self.name} was read for {read:,} bytes only: it is too long")
        if rest and rest != b"\0":
            yield rest


def decode_line(raw: bytes) -> str:
    """Return one line, split at the byte 10, as text, whatever its encoding."""
    for mark in _MARKS:
        raw = raw.removeprefix(mark)
    zeros = raw.count(0)
    if zeros and zeros * 4 >= len(raw):
        return _decode_utf16(raw)
    return raw.decode("utf-8", errors="replace")


def _decode_utf16(raw: bytes) -> str:
    # In little endian the zero after the newline byte starts the next line; in big endian the
    # zero before it ends this one. An odd length tells that one of them is there.
    even, odd = raw[0::2].count(0), raw[1::2].count(0)
    starts_with_zero = even >= odd
    if len(raw) % 2 and raw.startswith(b"\0"):
        trimmed = raw[1:]
        if trimmed[1::2].count(0) >= trimmed[0::2].count(0):
            return trimmed.decode("utf-16-le", errors="replace")
        return raw[:-1].decode("utf-16-be", errors="replace")
    if len(raw) % 2:
        raw = raw[:-1]
    return raw.decode("utf-16-be" if starts_with_zero else "utf-16-le", errors="replace")


def _is_binary(head: bytes) -> bool:
    if not head or head.startswith(_MARKS):
        return False
    zeros = head.count(0)
    if zeros * 4 >= len(head):
        even, odd = head[0::2].count(0), head[1::2].count(0)
        return max(even, odd) < len(head) // 4 or min(even, odd) > len(head) // 8
    strange = len(head.translate(None, _TEXT)) - zeros
    return (strange + zeros) * 10 > len(head)
