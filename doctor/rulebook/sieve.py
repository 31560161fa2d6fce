"""Where patterns end in a block: three automata that cost less than one.

The first looks for needles, texts that a line must hold before most alternatives can fit it. The
second looks everywhere for the alternatives that have no needle. The third looks for the others,
only in the few lines that hold one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doctor.rulebook.automaton import Automaton, build
from doctor.rulebook.byte_pattern import written
from doctor.rulebook.needles import taken_apart
from doctor.rulebook.superset import Superset

_Numbers = dict[bytes, int]


@dataclass(frozen=True, slots=True)
class Sieve:
    """Finds where alternatives end.

    Attributes:
        same: of each number of an alternative the signatures that it stands for.
        left: signatures of which not every alternative is looked for.
    """

    same: Mapping[int, tuple[int, ...]]
    left: frozenset[int]
    _open: Automaton
    _hidden: Automaton | None
    _needles: Automaton | None

    @classmethod
    def made(
        cls, easier: Mapping[int, Superset], always: Mapping[int, bytes], first: int
    ) -> Sieve | None:
        """Return it, or None where there is no engine.

        Patterns of ``always`` keep their numbers; those of alternatives begin at ``first``.
        """
        same: dict[int, tuple[int, ...]] = {}
        shown: _Numbers = {one: number for number, one in always.items()}
        kept: _Numbers = {}
        needles: set[bytes] = set()
        for index, one in easier.items():
            apart = taken_apart(one.node)
            needles |= apart.needles
            for numbers, nodes in ((shown, apart.open), (kept, apart.hidden)):
                for node in nodes:
                    text = written(node).encode("ascii")
                    number = numbers.setdefault(text, first + len(shown) + len(kept))
                    if index not in same.get(number, ()):
                        same[number] = (*same.get(number, ()), index)
        everywhere = build({number: one for one, number in shown.items()})
        if everywhere is None:
            return None
        hidden = build({number: one for one, number in kept.items()})
        texts = sorted(_shortest(needles))
        found = build({number: _caseless(one) for number, one in enumerate(texts)})
        lost = set(everywhere.left)
        if hidden is None or found is None or found.left:
            lost.update(kept.values())
            hidden = found = None
        else:
            lost |= hidden.left
        left = frozenset(index for one in lost for index in same.get(one, ()))
        return cls(same, left, everywhere, hidden, found)

    def ends(self, data: bytes) -> list[tuple[int, int]]:
        """Return every end of a match with its number, in the order of the ends."""
        ends = self._open.ends(data)
        if self._hidden is None or self._needles is None:
            return ends
        lines = self._needles.lines(data)
        if not lines:
            return ends
        within = self._hidden.ends(b"\n".join([data[start:stop] for start, stop in lines]))
        if not within:
            return ends
        pairs = iter(lines)
        before, last = 0, -1
        for end, number in within:
            while end > last:
                start, stop = next(pairs)
                before = start - last - 1
                last += stop - start + 1
            ends.append((end + before, number))
        ends.sort()
        return ends


def _shortest(needles: set[bytes]) -> set[bytes]:
    """Return those that hold no other one: wherever a longer one is, it is too."""
    found: set[bytes] = set()
    for one in sorted(needles, key=len):
        size = len(one)
        parts = (one[at:to] for at in range(size) for to in range(at + 1, size + 1))
        if found.isdisjoint(parts):
            found.add(one)
    return found


def _caseless(text: bytes) -> bytes:
    return b"(?i)" + b"".join(b"\\x%02x" % one for one in text)
