"""What a line must hold, letter by letter, before a pattern can fit it.

A byte engine looks for thousands of long texts at once for less than it pays for a few patterns
with gaps. So a pattern is taken apart into its alternatives, and each of them is looked for only
in lines that hold one of its needles. What has none that is rare enough is looked for everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from doctor.rulebook.byte_pattern import BEYOND, Bytes, Chars, Choice, Edge, Node, Repeat, Row

_MOST = 100
_MOST_CHARACTERS = 4
_SPLIT = 3
_SHORT = 4
# What many lines of many logs hold: a needle found in here would point at all of those lines.
_USUAL = """
httperror: 404 client error: not found for url: http://localhost/
http error: 500 internal server error for url: https://api.
error: failed to fetch, exit status, line 1, at
failed permanently after 3 attempts, max retries reached
post https://api.anthropic.com/v1/messages "http/1.1 200 ok"
ci checks passed, completed successfully, tests passed, test failed
retry attempt, retrying, waiting, running, trying, using, loading, starting, fetching, processing
[error] [warning] [success] error type: error message: errors, telemetry, metrics, logged
docs/ tests/ src/ .git/ .json .yaml .toml .txt .md .py files modified, paths, archive, directory
phase plan action prompt response request input output content context tokens usage model. models
claude anthropic gpt gemini cursor class import config configuration default create update delete
build package pytest script executor process port wait from before with this that true false none
release recovery escalation escalated validation conflict collection database cache table default
branch diff patch hunk commands command code name project repo repository root state status level
human key reason enabled allowed missing empty invalid event call client server network session
version generated generation encoding frontend backend workspace manifest discovery docker hit
"""
_Texts = frozenset[str]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A pattern taken apart.

    Attributes:
        open: those that have to be looked for in every line.
        hidden: those of which a line holds one of the needles.
        needles: in bytes, their case is of no meaning.
    """

    open: tuple[Node, ...]
    hidden: tuple[Node, ...]
    needles: frozenset[bytes]


def taken_apart(node: Node) -> Alternatives:
    """Return the alternatives of a pattern, each with its needles or without."""
    apart: list[Node] = []
    hidden: list[Node] = []
    needles: set[str] = set()
    for one in _split(node):
        texts = _needles(one)
        if texts and _rarity(texts) > 0:
            hidden.append(one)
            needles |= texts
        else:
            apart.append(one)
    found = frozenset(one.encode("latin-1") for one in needles)
    return Alternatives(tuple(apart), tuple(hidden), found)


def _split(node: Node) -> Iterator[Node]:
    """Yield what is found, one or the other, where the node is found."""
    if isinstance(node, Choice):
        for one in node.nodes:
            yield from _split(one)
        return
    if isinstance(node, Row):
        for at, one in enumerate(node.nodes):
            if isinstance(one, Choice) and len(one.nodes) >= _SPLIT and _texts(one) is None:
                for inner in one.nodes:
                    middle = inner.nodes if isinstance(inner, Row) else (inner,)
                    yield from _split(Row(node.nodes[:at] + middle + node.nodes[at + 1 :]))
                return
    yield node


def _texts(node: Node) -> _Texts | None:
    """Return all that the node can be, in small letters, or None: too much."""
    if isinstance(node, Bytes):
        return frozenset([node.text.decode("latin-1")])
    if isinstance(node, Edge):
        return frozenset([""])
    if isinstance(node, Chars):
        found = _letters(node)
    elif isinstance(node, Row):
        found = _in_a_row(node.nodes)
    elif isinstance(node, Choice):
        found = _joined(map(_texts, node.nodes))
    elif (node.least, node.most) == (0, 1):
        inner = _texts(node.node)
        found = None if inner is None else inner | {""}
    elif node.least == node.most and node.least <= _MOST_CHARACTERS:
        found = _in_a_row((node.node,) * node.least)
    else:
        return None
    return found if found is None or len(found) <= _MOST else None


@lru_cache(4096)
def _letters(chars: Chars) -> _Texts | None:
    letters = {chr(one).lower() for one in range(BEYOND) if chars.ascii >> one & 1}
    is_few = not chars.beyond and 0 < len(letters) <= _MOST_CHARACTERS
    return frozenset(letters) if is_few else None


def _joined(each: Iterable[_Texts | None]) -> _Texts | None:
    found: _Texts = frozenset()
    for one in each:
        if one is None:
            return None
        found |= one
    return found


def _in_a_row(nodes: Iterable[Node]) -> _Texts | None:
    found: _Texts | None = frozenset([""])
    for one in nodes:
        found = _followed(found, _texts(one))
        if found is None:
            return None
    return found


def _followed(first: _Texts | None, second: _Texts | None) -> _Texts | None:
    if first is None or second is None or len(first) * len(second) > _MOST:
        return None
    return frozenset(one + other for one in first for other in second)


def _needles(node: Node) -> _Texts | None:
    """Return texts of which whatever fits the node holds one: the rarest ones, or None."""
    texts = _texts(node)
    if texts is not None and "" not in texts:
        return texts
    if isinstance(node, Repeat):
        return _needles(node.node) if node.least else None
    if isinstance(node, Choice):
        return _joined(map(_needles, node.nodes))
    if not isinstance(node, Row):
        return None
    candidates: list[_Texts] = []
    run: _Texts = frozenset([""])
    for one in node.nodes:
        texts = _texts(one)
        longer = _followed(run, texts)
        if longer is not None:
            run = longer
            continue
        candidates.append(run)
        run = texts or frozenset([""])
        inner = _needles(one)
        if texts is None and inner is not None:
            candidates.append(inner)
    candidates.append(run)
    return max((one for one in candidates if one and "" not in one), key=_rarity, default=None)


def _rarity(texts: _Texts) -> float:
    """Return how long the shortest text is, less where they are many; 0: one of them is usual."""
    shortest = min(map(len, texts))
    if shortest < _SHORT or any(one.strip() in _USUAL for one in texts):
        return 0
    return shortest - len(texts) / _MOST
