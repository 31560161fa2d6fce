"""Logs of any size as blocks of whole lines: plain, gzip or Zstandard, a file or standard input.

What a block holds is ready for matching: UTF-8, lines end in a byte 10, no escape sequences of
terminals. Memory is bounded by the block, not by the log or its longest line, whose rest after
64 KiB is read over.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from doctor.errors import SourceError, UsageError
from doctor.system.encoding import LINE_CAP, Piece, decoded_lines, is_binary
from doctor.system.escapes import bytes_without_escapes
from doctor.system.wrapping import joined, wrapped_at

STANDARD_INPUT = "-"
BLOCK = 1 << 17
_HEAD = 8192
_WINDOW = 1 << 26
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MARK, _WIDE_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


class Block:
    """Whole lines of a log, the first of which is line ``first`` of it.

    ``numbers`` has the number of each line in ``data`` where lines were broken and are put
    together, and ``lines`` says how many they were; both are None where each is as it was.
    """

    __slots__ = ("_index", "_lines", "_numbers", "_start", "data", "first")

    def __init__(
        self,
        data: bytes,
        first: int,
        lines: int | None = None,
        numbers: Sequence[int] | None = None,
    ) -> None:
        self.data = data
        self.first = first
        self._lines = lines
        self._numbers = numbers
        self._start = self._index = 0

    def number_at(self, start: int) -> int:
        """Return the number in the log of the line that begins at byte ``start`` of this block.

        Lines are counted from the one that was asked for last: ask in their order.
        """
        if start < self._start:
            self._start = self._index = 0
        self._index += self.data.count(b"\n", self._start, start)
        self._start = start
        return self.first + self._index if self._numbers is None else self._numbers[self._index]

    @property
    def lines(self) -> int:
        """How many lines of the log these are."""
        if self._lines is None:
            rest = self.data.count(b"\n", self._start)
            self._lines = self._index + rest + (not self.data.endswith(b"\n"))
        return self._lines


class LogBytes:
    """One log to be read once, front to back.

    ``done`` of ``total`` bytes of the file as it lies there are read; ``total`` is None where that
    is not known.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.total: int | None = None
        self.done = 0

    def blocks(self) -> Iterator[Block]:
        """Yield the log block by block.

        Raises:
            UsageError: there is no such file.
            SourceError: it is no text, or it cannot be read to its end; what came before was.
        """
        with closing(self._opened()) as raw:
            read = self._reader(raw)
            head = read(BLOCK)
            if is_binary(head[:_HEAD]):
                raise SourceError(f"{self.name} is not a text file")
            yield from _numbered(_clean(_decoded(_whole_lines(head, read))))

    def _opened(self) -> BinaryIO:
        if self.name == STANDARD_INPUT:
            return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
        try:
            about = Path(self.name).stat()
            if stat.S_ISREG(about.st_mode):
                self.total = about.st_size
            elif not stat.S_ISFIFO(about.st_mode):
                raise UsageError(f"{self.name!r} is no file")
            return Path(self.name).open("rb", buffering=0)
        except FileNotFoundError:
            raise UsageError(f"there is no log file {self.name!r}") from None
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error

    def _reader(self, raw: BinaryIO) -> Callable[[int], bytes]:
        """Return how to read text bytes from the file, unpacked."""
        counted = _Counted(raw, self)
        head = counted.read(4)
        counted.unread(head)
        if head.startswith(_GZIP):
            damages: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
            packed: Any = gzip.GzipFile(fileobj=io.BufferedReader(counted))
        elif head == _ZSTD:
            import zstandard

            damages = (zstandard.ZstdError, EOFError)
            packed = _Frames(counted, zstandard.ZstdDecompressor(max_window_size=_WINDOW))
        else:
            return counted.read

        def read(size: int) -> bytes:
            try:
                return bytes(packed.read(size))
            except damages as error:
                raise SourceError(f"{self.name} is packed and damaged: {error}") from error

        return read


class _Counted(io.RawIOBase):
    """The file as it lies there: counts what is read, and stops where it ended at first."""

    def __init__(self, raw: BinaryIO, log: LogBytes) -> None:
        self._raw_file = raw
        self._log = log
        self._ahead = b""

    def readable(self) -> bool:
        return True

    def unread(self, data: bytes) -> None:
        self._ahead = data + self._ahead

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = BLOCK) -> bytes:
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        return ahead + self._read_file(size - len(ahead))

    def _read_file(self, size: int) -> bytes:
        log = self._log
        if log.total is not None:
            size = min(size, log.total - log.done)
        try:
            data = self._raw_file.read(size) or b""
        except OSError as error:
            raise SourceError(f"{log.name} cannot be read: {error.strerror}") from error
        log.done += len(data)
        if not data and size and log.total is not None:
            raise SourceError(f"{log.name} became shorter while it was read")
        return data


class _Frames:
    """Zstandard frames, unpacked in small steps: no few bytes become very many at once."""

    _STEP = 512

    def __init__(self, source: _Counted, unpacker: Any) -> None:
        self._source = source
        self._unpacker = unpacker
        self._frame: Any = None
        self._packed = b""
        self._text = b""

    def read(self, size: int) -> bytes:
        """Return at least one byte until the end, which must be the end of a frame."""
        parts: list[bytes] = []
        count = 0
        while count < size:
            if not self._packed:
                self._packed = self._source.read(BLOCK)
            if not self._packed:
                if self._frame is not None and not count:
                    raise EOFError("the last frame is cut off")
                break
            if self._frame is None:
                self._frame = self._unpacker.decompressobj()
            step, self._packed = self._packed[: self._STEP], self._packed[self._STEP :]
            parts.append(self._frame.decompress(step))
            count += len(parts[-1])
            if self._frame.eof:
                self._packed = self._frame.unused_data + self._packed
                self._frame = None
        return b"".join(parts)


def _whole_lines(chunk: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield what is read, from ``chunk`` on, in whole lines; a line longer than a block is cut."""
    rest = b""
    is_cut = False
    while chunk:
        if is_cut:  # the rest of a long line is read over
            start = chunk.find(b"\n")
            is_cut = start < 0
            chunk = chunk[start:] if start >= 0 else b""
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        elif len(rest) + len(chunk) > BLOCK:
            rest, is_cut = (rest + chunk)[:LINE_CAP], True
        else:
            rest += chunk
        chunk = read(BLOCK)
    if rest:
        yield rest


def _decoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield chunks in UTF-8: those that hold zeros are UTF-16, wholly or in part, or damaged."""
    waiting = iter(chunks)
    chunk = next(waiting, None)
    if chunk is not None:
        chunk = chunk.removeprefix(_MARK)

    def pieces() -> Iterator[Piece]:
        nonlocal chunk
        while chunk is not None and _is_wide(chunk):
            *parts, last = chunk.split(b"\n")
            chunk = next(waiting, None)
            for part in [*parts, last] if last else parts:
                yield Piece(part[:LINE_CAP], len(part), part[-1:])
            if chunk is None and not last:
                yield Piece(b"", 0, b"")

    while chunk is not None:
        if not _is_wide(chunk):
            yield chunk
            chunk = next(waiting, None)
            continue
        lines: list[bytes] = []
        size = 0
        for line in decoded_lines(pieces(), chunk[:_HEAD]):
            lines.append(line.replace("\n", "\ufffd").encode("utf-8", "replace"))
            size += len(lines[-1])
            if size >= BLOCK:
                yield b"\n".join([*lines, b""])
                lines, size = [], 0
        if lines:
            yield b"\n".join([*lines, b""])


def _is_wide(chunk: bytes) -> bool:
    return 0 in chunk or chunk.startswith(_WIDE_MARKS)


def _clean(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        data = chunk.replace(b"\r\n", b"\n") if b"\r" in chunk else chunk
        yield bytes_without_escapes(data)


def _numbered(chunks: Iterable[bytes]) -> Iterator[Block]:
    number = 1
    width: int | None = None
    for chunk in chunks:
        texts = _lines(chunk) if number == 1 or width is not None else []
        if number == 1:
            width = wrapped_at(texts)
        block = Block(chunk, number)
        if width is not None:
            whole, numbers = joined(texts, number, width)
            end = b"\n" if chunk.endswith(b"\n") else b""
            block = Block("\n".join(whole).encode() + end, number, len(texts), numbers)
        yield block
        number += block.lines


def _lines(chunk: bytes) -> list[str]:
    return chunk.removesuffix(b"\n").decode("utf-8", "replace").split("\n")
