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
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from doctor.rulebook.byte_pattern import (
    ASCII,
    BEYOND,
    LINE,
    Bytes,
    Chars,
    Choice,
    Edge,
    Node,
    NoSupersetError,
    Repeat,
    Row,
    is_cut,
    written,
)
from doctor.rulebook.patterns import plain_names

_LOST = 0xFFFD
_KELVIN = 0x212A
_CASED = frozenset("kKsS")
_UNLIKE_PYTHON = re.compile(r"\{,|\[:\^?\w+:\]")


@dataclass(frozen=True, slots=True)
class Superset:
    """The easier pattern.

    Attributes:
        pattern: in bytes; ``^`` is the start of a line, case is spelled out.
        exact: whether it finds the very same lines among those in ASCII without control bytes.
        numbers: groups that hold one to eighteen digits, and nothing else, where they hold text.
        node: what the pattern was written from.
    """

    pattern: bytes
    exact: bool
    numbers: frozenset[str]
    node: Node = field(compare=False, repr=False)


_EMPTY = Row(())
_ANY = Chars(LINE, beyond=True)
_SPACE = sum(1 << one for one in b" \t\n\f\r")
_DIGIT = sum(1 << one for one in b"0123456789")
_WORD = _DIGIT | sum(1 << one for one in range(128) if chr(one).isalpha()) | 1 << ord("_")
_SINGLE = (code.LITERAL, code.NOT_LITERAL)
_CATEGORIES: dict[Any, Chars] = {
    code.CATEGORY_DIGIT: Chars(_DIGIT),
    code.CATEGORY_NOT_DIGIT: Chars(ASCII & ~_DIGIT, beyond=True),
    code.CATEGORY_SPACE: Chars(_SPACE),
    code.CATEGORY_NOT_SPACE: Chars(ASCII & ~_SPACE, beyond=True),
    code.CATEGORY_WORD: Chars(_WORD),
    code.CATEGORY_NOT_WORD: Chars(ASCII & ~_WORD, beyond=True),
}
_EDGES: dict[Any, Node] = {
    code.AT_BEGINNING: Edge("^"),
    code.AT_BEGINNING_STRING: Edge("^"),
    code.AT_BOUNDARY: Edge(r"\b"),
    code.AT_NON_BOUNDARY: Edge(r"\B"),
    code.AT_END: Edge(r"\x0d*$"),
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
    return Superset(written(node).encode("ascii"), exact, numbers, node)


class _Reader:
    """Reads what Python parsed; remembers what was lost on the way."""

    def __init__(self) -> None:
        self.exact = True
        self.numbers: set[int] = set()

    def row(self, parsed: Iterable[Any], *, caseless: bool) -> Node:
        nodes: list[Node] = []
        for operator, argument in parsed:
            node = self._node(operator, argument, caseless=caseless)
            nodes.extend(node.nodes if isinstance(node, Row) else (node,))
        return nodes[0] if len(nodes) == 1 else Row(tuple(nodes))

    def _node(  # noqa: PLR0911 - one line per kind of node
        self, operator: Any, argument: Any, *, caseless: bool
    ) -> Node:
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
            return Choice(tuple(self.row(one, caseless=caseless) for one in argument[1]))
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
            return Repeat(
                self.row(inner, caseless=caseless), least, None if most is code.MAXREPEAT else most
            )
        if operator is code.AT and argument in _EDGES:
            return _EDGES[argument]
        raise NoSupersetError


def _is_blurred(items: Sequence[tuple[Any, Any]], *, caseless: bool) -> bool:
    """Tell whether ASCII is added for characters beyond it, or stands for those."""
    for operator, argument in items:
        if operator is code.RANGE:
            if not argument[0] or argument[1] >= BEYOND:
                return True
        elif operator in _SINGLE and (
            argument in (0, _LOST) or (argument >= BEYOND and caseless and _is_cased(chr(argument)))
        ):
            return True
    return False


def _literal(point: int, *, caseless: bool) -> Node:
    if point < BEYOND or point == _LOST or (caseless and _is_cased(chr(point))):
        return _literal_set(point, caseless=caseless)
    return Bytes(chr(point).encode("utf-8", "replace"))


@lru_cache(4096)
def _literal_set(point: int, *, caseless: bool) -> Chars:
    """Return the character's set; folding takes K and S beyond ASCII, and back."""
    if point == _LOST:  # stands for bytes that are no text, and for zeros
        return Chars(1, beyond=True)
    if point >= BEYOND:
        is_cased = caseless and _is_cased(chr(point))
        return Chars(sum(1 << ord(one) for one in _CASED) if is_cased else 0, beyond=True)
    bits = 1 << point
    if caseless and chr(point).isalpha():
        bits = 1 << ord(chr(point).lower()) | 1 << ord(chr(point).upper())
    return Chars(bits)


def _is_cased(character: str) -> bool:
    forms = {character.lower(), character.upper(), character.title(), character.casefold()}
    return forms != {character}


def _in(items: Sequence[tuple[Any, Any]], *, caseless: bool) -> Chars:
    is_negated = items[0][0] is code.NEGATE
    found = Chars(0)
    for operator, argument in items[is_negated:]:
        if operator is code.LITERAL:
            found = _either(found, _literal_set(argument, caseless=caseless))
        elif operator is code.CATEGORY and argument in _CATEGORIES:
            found = _either(found, _CATEGORIES[argument])
        elif operator is code.RANGE:
            first, last = argument
            for point in range(first, min(last, BEYOND - 1) + 1):
                found = _either(found, _literal_set(point, caseless=caseless))
            if last >= BEYOND:
                found = _either(found, _literal_set(_LOST, caseless=False))
                found = _either(found, _literal_set(_KELVIN, caseless=caseless))
        else:
            raise NoSupersetError
    if not is_negated:
        return found
    if caseless and found.beyond:
        found = Chars(found.ascii & ~sum(1 << ord(one) for one in _CASED), beyond=True)
    return _negated(Chars(found.ascii & ~1 if found.beyond else found.ascii, found.beyond))


def _either(one: Chars, other: Chars) -> Chars:
    return Chars(one.ascii | other.ascii, one.beyond or other.beyond)


def _negated(chars: Chars) -> Chars:
    """Return what is not in ``chars``; zeros are always in, since they stand for U+FFFD."""
    return Chars(ASCII & ~chars.ascii | 1, beyond=True)


def _without_tail(node: Node) -> Node:
    """Return the node without what need not be there at its end; a match then ends sooner."""
    if isinstance(node, Repeat):
        if not node.least:
            return _EMPTY
        if node.least == 1:
            return _without_tail(node.node)
        return Repeat(_shortest(node.node), node.least, node.least)
    if isinstance(node, Choice):
        ends = tuple(map(_without_tail, node.nodes))
        return _EMPTY if any(one == _EMPTY for one in ends) else Choice(ends)
    if not isinstance(node, Row):
        return _shortest(node)
    nodes = list(node.nodes)
    while nodes:
        is_idle = len(nodes) > 1 and isinstance(nodes[-1], Edge) and _is_rest(nodes[-2])
        last = _EMPTY if is_idle else _without_tail(nodes[-1])
        if last != _EMPTY:
            nodes[-1] = last
            break
        nodes.pop()
    return Row(tuple(nodes))


def _is_rest(node: Node) -> bool:
    """Tell whether a node takes any text to the end of the line."""
    return isinstance(node, Repeat) and node.node == _ANY and node.most is None


def _without_head(node: Node) -> Node:
    """Return the node without what need not be there at its start."""
    if isinstance(node, Repeat):
        if not node.least:
            return _EMPTY
        if isinstance(node.node, Chars):
            return Repeat(_shortest(node.node), node.least, node.least)
        return node
    if isinstance(node, Choice):
        starts = tuple(map(_without_head, node.nodes))
        return _EMPTY if any(one == _EMPTY for one in starts) else Choice(starts)
    if not isinstance(node, Row):
        return _shortest(node)
    nodes = list(node.nodes)
    while nodes:
        first = _without_head(nodes[0])
        if first != _EMPTY:
            nodes[0] = first
            break
        nodes.pop(0)
    return Row(tuple(nodes))


def _shortest(node: Node) -> Node:
    return Chars(node.ascii, node.beyond, is_byte=True) if isinstance(node, Chars) else node


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


def _characters(node: Node) -> Iterator[Chars]:
    if isinstance(node, Chars):
        yield node
    elif isinstance(node, Repeat):
        yield from _characters(node.node)
    elif isinstance(node, Row | Choice):
        for one in node.nodes:
            yield from _characters(one)
    elif isinstance(node, Bytes):
        yield Chars(0, beyond=True)


def _is_loose(node: Node) -> bool:
    """Tell whether ``written`` has to write more than the node means."""
    if isinstance(node, Repeat):
        return is_cut(node.least, node.most) or _is_loose(node.node)
    return isinstance(node, Row | Choice) and any(map(_is_loose, node.nodes))


def _edges(node: Node) -> int:
    """Count the edges: one that was left away means more lines."""
    if isinstance(node, Repeat):
        return _edges(node.node)
    if isinstance(node, Row | Choice):
        return sum(map(_edges, node.nodes))
    return isinstance(node, Edge)


def _may_be_empty(node: Node) -> bool:
    if isinstance(node, Repeat):
        return not node.least or _may_be_empty(node.node)
    if isinstance(node, Row):
        return all(map(_may_be_empty, node.nodes))
    if isinstance(node, Choice):
        return any(map(_may_be_empty, node.nodes))
    return isinstance(node, Edge)
