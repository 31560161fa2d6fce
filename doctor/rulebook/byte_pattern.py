"""Patterns over bytes as a tree, and how they are written for a byte engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


class NoSupersetError(Exception):
    """The pattern has something that has no simple counterpart."""


ASCII = (1 << 128) - 1
LINE = ASCII & ~(1 << 10)
BEYOND = 128
_COUNTED = 64
_BYTES_OF_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class Chars:
    """One character: a set of ASCII ones as bits, and whether any other one fits too.

    Of a character at either end of a pattern the first or last byte is enough: ``is_byte``.
    """

    ascii: int
    beyond: bool = False
    is_byte: bool = False


@dataclass(frozen=True, slots=True)
class Bytes:
    """These bytes, one after the other."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A node several times; ``most`` is None where that is not limited."""

    node: Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """Nodes one after the other."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One node or another."""

    nodes: tuple[Node, ...]


Node = Chars | Bytes | Edge | Repeat | Row | Choice


def written(node: Node) -> str:
    """Return the node as a pattern for a byte engine."""
    if isinstance(node, Chars):
        return _written_chars(node) if node.is_byte else _written_character(node)
    if isinstance(node, Bytes):
        return "".join(f"\\x{one:02x}" for one in node.text)
    if isinstance(node, Edge):
        return node.text
    if isinstance(node, Row):
        return "".join(map(written, node.nodes))
    if isinstance(node, Choice):
        return f"(?:{'|'.join(map(written, node.nodes))})"
    inner, least, most = node.node, node.least, node.most
    if is_cut(least, most):
        most = None
    if isinstance(inner, Chars):
        is_bytes = inner.is_byte or most is None
        text = _written_chars(inner) if is_bytes else _written_character(inner)
    else:
        text = f"(?:{written(inner)})"
    return text + _written_times(least, most)


def _written_character(chars: Chars) -> str:
    """Return how a whole character is found: one byte of ASCII, up to four beyond it."""
    if not chars.beyond:
        return _written_chars(chars)
    beyond = rf"[\x80-\xff]{{1,{_BYTES_OF_CHARACTER}}}"
    if not chars.ascii & LINE:
        return f"(?:{beyond})"
    return f"(?:{_written_chars(Chars(chars.ascii))}|{beyond})"


def _written_times(least: int, most: int | None) -> str:
    if most is None:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    if least == most == 1:
        return ""
    if (least, most) == (0, 1):
        return "?"
    return f"{{{least},{most}}}" if least != most else f"{{{least}}}"


@lru_cache(4096)
def _written_chars(chars: Chars) -> str:
    bits = chars.ascii & LINE
    if not bits and not chars.beyond:
        raise NoSupersetError
    if bits == LINE and chars.beyond:
        return "."
    parts = []
    point = 0
    while point < BEYOND:
        last = point
        while bits >> last & 1:
            last += 1
        if last > point:
            ends = (point, last - 1) if last - 1 > point else (point,)
            parts.append("-".join(map(_escaped, ends)))
        point = last + 1
    if chars.beyond:
        parts.append(r"\x80-\xff")
    text = "".join(parts)
    return (
        text if len(parts) == 1 and "-" not in text[1:-1] and bits.bit_count() == 1 else f"[{text}]"
    )


def _escaped(point: int) -> str:
    return chr(point) if chr(point).isalnum() or chr(point) == " " else f"\\x{point:02x}"


def is_cut(least: int, most: int | None) -> bool:
    """Tell whether a limit is so high that it is written as none."""
    return most is not None and most > _COUNTED and most != least
