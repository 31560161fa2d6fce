r"""Patterns made easy for a byte engine: each finds every line that the signature's pattern finds.

The result may find more lines, never fewer; RE2 confirms them unless it is exact. That allows to
leave away what costs a byte engine most: text at either end that may be of any length, long
counted repetitions, captures, and the difference between bytes and characters: whatever may match
a character beyond ASCII matches some bytes from 80 to FF. ``$`` is also before CR. Lines longer
than ``LONGEST_LINE``, whose end is not their own, are for the caller to decide.
"""

from __future__ import annotations

import re
import re._constants as code  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from doctor.rulebook.patterns import plain_names

_ASCII = (1 << 128) - 1
_LINE = _ASCII & ~(1 << 10)
_BEYOND = 128
_LOST = 0xFFFD
_KELVIN = 0x212A
_COUNTED = 64
_BYTES_OF_CHARACTER = 4
_CASED = frozenset("kKsS")
_UNLIKE_PYTHON = re.compile(r"\{,|\[:\^?\w+:\]")


class NoSupersetError(Exception):
    """The pattern has something that has no simple counterpart."""


@dataclass(frozen=True, slots=True)
class Superset:
    """The easier pattern.

    Attributes:
        pattern: in bytes; ``^`` is the start of a line, case is spelled out.
        exact: whether it finds the very same lines among those in ASCII without control bytes.
        numbers: groups that hold one to eighteen digits, and nothing else, where they hold text.
    """

    pattern: bytes
    exact: bool
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Chars:
    """One character: a set of ASCII ones as bits, and whether any other one fits too.

    Of a character at either end of a pattern the first or last byte is enough: ``is_byte``.
    """

    ascii: int
    beyond: bool = False
    is_byte: bool = False


@dataclass(frozen=True, slots=True)
class _Bytes:
    text: bytes


@dataclass(frozen=True, slots=True)
class _Edge:
    text: str


@dataclass(frozen=True, slots=True)
class _Repeat:
    node: _Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class _Row:
    nodes: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    nodes: tuple[_Node, ...]


_Node = _Chars | _Bytes | _Edge | _Repeat | _Row | _Choice
_EMPTY = _Row(())
_ANY = _Chars(_LINE, beyond=True)
_SPACE = sum(1 << one for one in b" \t\n\f\r")
_DIGIT = sum(1 << one for one in b"0123456789")
_WORD = _DIGIT | sum(1 << one for one in range(128) if chr(one).isalpha()) | 1 << ord("_")
_SINGLE = (code.LITERAL, code.NOT_LITERAL)
_CATEGORIES: dict[Any, _Chars] = {
    code.CATEGORY_DIGIT: _Chars(_DIGIT),
    code.CATEGORY_NOT_DIGIT: _Chars(_ASCII & ~_DIGIT, beyond=True),
    code.CATEGORY_SPACE: _Chars(_SPACE),
    code.CATEGORY_NOT_SPACE: _Chars(_ASCII & ~_SPACE, beyond=True),
    code.CATEGORY_WORD: _Chars(_WORD),
    code.CATEGORY_NOT_WORD: _Chars(_ASCII & ~_WORD, beyond=True),
}
_EDGES: dict[Any, _Node] = {
    code.AT_BEGINNING: _Edge("^"),
    code.AT_BEGINNING_STRING: _Edge("^"),
    code.AT_BOUNDARY: _Edge(r"\b"),
    code.AT_NON_BOUNDARY: _Edge(r"\B"),
    code.AT_END: _Edge(r"\x0d*$"),
}


def superset(pattern: str) -> Superset:
    """Return the easier pattern.

    Raises:
        NoSupersetError: it cannot be made, or it would find every line.
    """
    if _UNLIKE_PYTHON.search(pattern):
        raise NoSupersetError(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = parser.parse(plain_names(pattern))
    except (re.error, RecursionError, OverflowError):
        raise NoSupersetError(pattern) from None
    reader = _Reader()
    caseless = bool(parsed.state.flags & code.SRE_FLAG_IGNORECASE)
    whole = reader.row(parsed, caseless=caseless)
    node = _without_head(_without_tail(whole))
    if _may_be_empty(node):
        raise NoSupersetError(pattern)
    names = {number: name for name, number in parsed.state.groupdict.items()}
    numbers = frozenset(names[one] for one in reader.numbers if one in names)
    exact = reader.exact and not _is_loose(node) and _edges(node) == _edges(whole)
    return Superset(_written(node).encode("ascii"), exact, numbers)


class _Reader:
    """Reads what Python parsed; remembers what was lost on the way."""

    def __init__(self) -> None:
        self.exact = True
        self.numbers: set[int] = set()

    def row(self, parsed: Iterable[Any], *, caseless: bool) -> _Node:
        nodes: list[_Node] = []
        for operator, argument in parsed:
            node = self._node(operator, argument, caseless=caseless)
            nodes.extend(node.nodes if isinstance(node, _Row) else (node,))
        return nodes[0] if len(nodes) == 1 else _Row(tuple(nodes))

    def _node(  # noqa: PLR0911 - one line per kind of node
        self, operator: Any, argument: Any, *, caseless: bool
    ) -> _Node:
        if operator in _SINGLE:
            self.exact = self.exact and not _is_blurred([(operator, argument)], caseless=caseless)
        if operator is code.LITERAL:
            return _literal(argument, caseless=caseless)
        if operator is code.NOT_LITERAL:
            return _negated(_literal_set(argument, caseless=caseless))
        if operator is code.ANY:
            return _ANY
        if operator is code.IN:
            self.exact = self.exact and not _is_blurred(argument, caseless=caseless)
            return _in(argument, caseless=caseless)
        if operator is code.BRANCH:
            return _Choice(tuple(self.row(one, caseless=caseless) for one in argument[1]))
        if operator is code.SUBPATTERN:
            number, added, taken, inner = argument
            if number is not None and _is_number(inner):
                self.numbers.add(number)
            if added & ~code.SRE_FLAG_IGNORECASE & ~code.SRE_FLAG_DOTALL & ~code.SRE_FLAG_MULTILINE:
                raise NoSupersetError
            caseless = (caseless or bool(added & code.SRE_FLAG_IGNORECASE)) and not (
                taken & code.SRE_FLAG_IGNORECASE
            )
            return self.row(inner, caseless=caseless)
        if operator in (code.MAX_REPEAT, code.MIN_REPEAT):
            least, most, inner = argument
            return _Repeat(
                self.row(inner, caseless=caseless), least, None if most is code.MAXREPEAT else most
            )
        if operator is code.AT and argument in _EDGES:
            return _EDGES[argument]
        raise NoSupersetError


def _is_blurred(items: Sequence[tuple[Any, Any]], *, caseless: bool) -> bool:
    """Tell whether ASCII is added for characters beyond it, or stands for those."""
    for operator, argument in items:
        if operator is code.RANGE:
            if not argument[0] or argument[1] >= _BEYOND:
                return True
        elif operator in _SINGLE and (
            argument in (0, _LOST)
            or (argument >= _BEYOND and caseless and _is_cased(chr(argument)))
        ):
            return True
    return False


def _literal(point: int, *, caseless: bool) -> _Node:
    if point < _BEYOND or point == _LOST or (caseless and _is_cased(chr(point))):
        return _literal_set(point, caseless=caseless)
    return _Bytes(chr(point).encode("utf-8", "replace"))


@lru_cache(4096)
def _literal_set(point: int, *, caseless: bool) -> _Chars:
    """Return the character's set; folding takes K and S beyond ASCII, and back."""
    if point == _LOST:  # stands for bytes that are no text, and for zeros
        return _Chars(1, beyond=True)
    if point >= _BEYOND:
        is_cased = caseless and _is_cased(chr(point))
        return _Chars(sum(1 << ord(one) for one in _CASED) if is_cased else 0, beyond=True)
    bits = 1 << point
    if caseless and chr(point).isalpha():
        bits = 1 << ord(chr(point).lower()) | 1 << ord(chr(point).upper())
    return _Chars(bits)


def _is_cased(character: str) -> bool:
    forms = {character.lower(), character.upper(), character.title(), character.casefold()}
    return forms != {character}


def _in(items: Sequence[tuple[Any, Any]], *, caseless: bool) -> _Chars:
    is_negated = items[0][0] is code.NEGATE
    found = _Chars(0)
    for operator, argument in items[is_negated:]:
        if operator is code.LITERAL:
            found = _either(found, _literal_set(argument, caseless=caseless))
        elif operator is code.CATEGORY and argument in _CATEGORIES:
            found = _either(found, _CATEGORIES[argument])
        elif operator is code.RANGE:
            first, last = argument
            for point in range(first, min(last, _BEYOND - 1) + 1):
                found = _either(found, _literal_set(point, caseless=caseless))
            if last >= _BEYOND:
                found = _either(found, _literal_set(_LOST, caseless=False))
                found = _either(found, _literal_set(_KELVIN, caseless=caseless))
        else:
            raise NoSupersetError
    if not is_negated:
        return found
    if caseless and found.beyond:
        found = _Chars(found.ascii & ~sum(1 << ord(one) for one in _CASED), beyond=True)
    return _negated(_Chars(found.ascii & ~1 if found.beyond else found.ascii, found.beyond))


def _either(one: _Chars, other: _Chars) -> _Chars:
    return _Chars(one.ascii | other.ascii, one.beyond or other.beyond)


def _negated(chars: _Chars) -> _Chars:
    """Return what is not in ``chars``; zeros are always in, since they stand for U+FFFD."""
    return _Chars(_ASCII & ~chars.ascii | 1, beyond=True)


def _without_tail(node: _Node) -> _Node:
    """Return the node without what need not be there at its end; a match then ends sooner."""
    if isinstance(node, _Repeat):
        if not node.least:
            return _EMPTY
        if node.least == 1:
            return _without_tail(node.node)
        return _Repeat(_shortest(node.node), node.least, node.least)
    if isinstance(node, _Choice):
        ends = tuple(map(_without_tail, node.nodes))
        return _EMPTY if any(one == _EMPTY for one in ends) else _Choice(ends)
    if not isinstance(node, _Row):
        return _shortest(node)
    nodes = list(node.nodes)
    while nodes:
        is_idle = len(nodes) > 1 and isinstance(nodes[-1], _Edge) and _is_rest(nodes[-2])
        last = _EMPTY if is_idle else _without_tail(nodes[-1])
        if last != _EMPTY:
            nodes[-1] = last
            break
        nodes.pop()
    return _Row(tuple(nodes))


def _is_rest(node: _Node) -> bool:
    """Tell whether a node takes any text to the end of the line."""
    return isinstance(node, _Repeat) and node.node == _ANY and node.most is None


def _without_head(node: _Node) -> _Node:
    """Return the node without what need not be there at its start."""
    if isinstance(node, _Repeat):
        if not node.least:
            return _EMPTY
        if isinstance(node.node, _Chars):
            return _Repeat(_shortest(node.node), node.least, node.least)
        return node
    if isinstance(node, _Choice):
        starts = tuple(map(_without_head, node.nodes))
        return _EMPTY if any(one == _EMPTY for one in starts) else _Choice(starts)
    if not isinstance(node, _Row):
        return _shortest(node)
    nodes = list(node.nodes)
    while nodes:
        first = _without_head(nodes[0])
        if first != _EMPTY:
            nodes[0] = first
            break
        nodes.pop(0)
    return _Row(tuple(nodes))


def _shortest(node: _Node) -> _Node:
    return _Chars(node.ascii, node.beyond, is_byte=True) if isinstance(node, _Chars) else node


def _is_number(inner: Any) -> bool:
    """Tell whether a group holds one to eighteen digits and nothing else."""
    least, most = inner.getwidth()
    try:
        node = _Reader().row(inner, caseless=False)
    except NoSupersetError:
        return False
    return 1 <= least <= most <= 18 and all(  # noqa: PLR2004 - as _integer in signatures
        not one.beyond and not one.ascii & ~_DIGIT for one in _characters(node)
    )


def _characters(node: _Node) -> Iterator[_Chars]:
    if isinstance(node, _Chars):
        yield node
    elif isinstance(node, _Repeat):
        yield from _characters(node.node)
    elif isinstance(node, _Row | _Choice):
        for one in node.nodes:
            yield from _characters(one)
    elif isinstance(node, _Bytes):
        yield _Chars(0, beyond=True)


def _is_loose(node: _Node) -> bool:
    """Tell whether ``_written`` has to write more than the node means."""
    if isinstance(node, _Repeat):
        return _is_cut(node.least, node.most) or _is_loose(node.node)
    return isinstance(node, _Row | _Choice) and any(map(_is_loose, node.nodes))


def _is_cut(least: int, most: int | None) -> bool:
    return most is not None and most > _COUNTED and most != least


def _edges(node: _Node) -> int:
    """Count the edges: one that was left away means more lines."""
    if isinstance(node, _Repeat):
        return _edges(node.node)
    if isinstance(node, _Row | _Choice):
        return sum(map(_edges, node.nodes))
    return isinstance(node, _Edge)


def _may_be_empty(node: _Node) -> bool:
    if isinstance(node, _Repeat):
        return not node.least or _may_be_empty(node.node)
    if isinstance(node, _Row):
        return all(map(_may_be_empty, node.nodes))
    if isinstance(node, _Choice):
        return any(map(_may_be_empty, node.nodes))
    return isinstance(node, _Edge)


def _written(node: _Node) -> str:
    if isinstance(node, _Chars):
        return _written_chars(node) if node.is_byte else _written_character(node)
    if isinstance(node, _Bytes):
        return "".join(f"\\x{one:02x}" for one in node.text)
    if isinstance(node, _Edge):
        return node.text
    if isinstance(node, _Row):
        return "".join(map(_written, node.nodes))
    if isinstance(node, _Choice):
        return f"(?:{'|'.join(map(_written, node.nodes))})"
    inner, least, most = node.node, node.least, node.most
    if _is_cut(least, most):
        most = None
    if isinstance(inner, _Chars):
        is_bytes = inner.is_byte or most is None
        text = _written_chars(inner) if is_bytes else _written_character(inner)
    else:
        text = f"(?:{_written(inner)})"
    return text + _written_times(least, most)


def _written_character(chars: _Chars) -> str:
    """Return how a whole character is found: one byte of ASCII, up to four beyond it."""
    if not chars.beyond:
        return _written_chars(chars)
    beyond = rf"[\x80-\xff]{{1,{_BYTES_OF_CHARACTER}}}"
    if not chars.ascii & _LINE:
        return f"(?:{beyond})"
    return f"(?:{_written_chars(_Chars(chars.ascii))}|{beyond})"


def _written_times(least: int, most: int | None) -> str:
    if most is None:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    if least == most == 1:
        return ""
    if (least, most) == (0, 1):
        return "?"
    return f"{{{least},{most}}}" if least != most else f"{{{least}}}"


@lru_cache(4096)
def _written_chars(chars: _Chars) -> str:
    bits = chars.ascii & _LINE
    if not bits and not chars.beyond:
        raise NoSupersetError
    if bits == _LINE and chars.beyond:
        return "."
    parts = []
    point = 0
    while point < _BEYOND:
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
