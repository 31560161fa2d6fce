"""Text of logs whatever its encoding: UTF-8, UTF-16 with or without a mark, or part of each."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_UTF_8, _LITTLE, _BIG = "utf-8", "utf-16-le", "utf-16-be"
_MARKS = {codecs.BOM_UTF8: _UTF_8, codecs.BOM_UTF16_LE: _LITTLE, codecs.BOM_UTF16_BE: _BIG}
_STRANGE = bytes({*range(32), 127} - {7, 8, 9, 10, 12, 13, 27})
LINE_CAP = 1 << 16
_SURE = 4


class Piece(NamedTuple):
    """The bytes between two bytes 10: the first of them, how many they are, and the last one."""

    head: bytes
    length: int
    last: bytes

    def followed_by(self, more: bytes) -> Piece:
        """Return this piece with ``more`` behind it, keeping ``LINE_CAP`` bytes."""
        room = LINE_CAP - len(self.head)
        head = self.head + more[:room] if room > 0 else self.head
        return Piece(head, self.length + len(more), more[-1:] or self.last)

    def joined_to(self, after: Piece) -> Piece:
        """Return both pieces as one, with the byte 10 that was between them."""
        joined = self.followed_by(b"\n").followed_by(after.head)
        return Piece(joined.head, self.length + 1 + after.length, after.last or b"\n")

    def without_first(self, count: int) -> Piece:
        """Return this piece without its first bytes."""
        last = self.last if self.length > count else b""
        return Piece(self.head[count:], self.length - count, last)


def decoded_lines(pieces: Iterable[Piece], head: bytes) -> Iterator[str]:
    """Yield the lines that the pieces make; ``head`` is how the file begins.

    In UTF-16 a byte 10 ends a line only as half of U+000A, which the next piece tells; so every
    piece is held until then. Text in UTF-8 there means that something else went on writing.
    """
    first = head.partition(b"\n")[0]
    encoding = _guessed(first if b"\0" in first or _is_utf_8(first, 0) else head)
    held: Piece | None = None
    for following in pieces:
        piece = following
        if held is not None:
            is_ended = _is_ended(held, piece, encoding)
            is_shifted = not is_ended and _is_shifted(held, piece, encoding)
            if not is_ended and not is_shifted and not _is_utf_8(held.head, _SURE):
                held = held.joined_to(piece)
                continue
            yield from [_text(held.head, encoding)] if is_ended else _guessed_lines(held.head)
            if not is_ended and not is_shifted:
                encoding = _UTF_8
            piece = piece.without_first(1) if encoding == _LITTLE else piece
        encoding, mark = _encoding(piece.head, encoding)
        held = piece.without_first(mark)
    if held is None or not held.length:
        return
    if encoding != _UTF_8 and held.length % 2 and _is_utf_8(held.head, 1):
        yield from _guessed_lines(held.head)
    else:
        yield _text(held.head, encoding)


def is_binary(head: bytes) -> bool:
    """Tell whether what begins with ``head`` is no text in any of the encodings."""
    if not head or head.startswith(tuple(_MARKS)):
        return False
    strange = sum(map(_controls, head.split(b"\n")))
    return strange * 10 > len(head) or (strange * 20 > len(head) and _lost(head) * 4 > len(head))


def _controls(part: bytes) -> int:
    """Return how many bytes are no text; in UTF-16 every other zero is."""
    even, odd = _zeros(part)
    others = len(part) - len(part.translate(None, _STRANGE)) - even - odd
    return others + (even + odd if _guessed(part) == _UTF_8 else min(even, odd))


def _lost(head: bytes) -> int:
    return len(head) - len(head.decode(_UTF_8, errors="ignore").encode(_UTF_8))


def _is_ended(held: Piece, following: Piece, encoding: str) -> bool:
    if encoding == _LITTLE:
        return held.length % 2 == 0 and following.head.startswith(b"\0")
    return encoding == _UTF_8 or (held.length % 2 == 1 and held.last == b"\0")


def _is_shifted(held: Piece, following: Piece, encoding: str) -> bool:
    """Tell whether the line ends here, but not where pairs of bytes end: a byte came between."""
    even, odd = _zeros(held.head)
    if encoding == _LITTLE:
        return even > odd and following.head.startswith(b"\0")
    return odd > even and held.last == b"\0"


def _encoding(head: bytes, current: str) -> tuple[str, int]:
    """Return the encoding of a line that begins with ``head``, and the length of its mark."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark) and (current == _UTF_8 or encoding != _UTF_8):
            return encoding, len(mark)
    return (_guessed(head) if current == _UTF_8 else current), 0


def _guessed(head: bytes) -> str:
    even, odd = _zeros(head)
    if not even + odd or (even + odd) * 4 < len(head):
        return _UTF_8
    return _BIG if even > odd else _LITTLE


def _guessed_lines(head: bytes) -> Iterator[str]:
    return (_text(part, _guessed(part)) for part in head.split(b"\n"))


def _is_utf_8(head: bytes, least: int) -> bool:
    if len(head) < least or len(head.translate(None, _STRANGE)) != len(head):
        return False
    try:
        codecs.getincrementaldecoder(_UTF_8)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _zeros(head: bytes) -> tuple[int, int]:
    return head[0::2].count(0), head[1::2].count(0)


def _text(head: bytes, encoding: str) -> str:
    whole = head if encoding == _UTF_8 else head[: len(head) // 2 * 2]
    return whole.decode(encoding, errors="replace").replace("\0", "\ufffd")
