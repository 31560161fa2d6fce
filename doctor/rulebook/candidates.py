"""Which signatures a line may fit, asked for many lines at once.

RE2 builds its automaton anew in every process, while it reads: 0.4 s of a log of 2 MB. hyperscan's
can be kept on disk, and finds at least what RE2 finds (``superset``), so that RE2 is left with the
few lines and signatures that it points at. To make it takes 8 s once, after the answer is told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from doctor.rulebook import automaton
from doctor.rulebook.automaton import Automaton

_KIND = {-1: b"candidates 2"}
# The only characters beyond ASCII that fold to ASCII letters: K (kelvin sign) and long s.
FOLDING = (b"\xe2\x84\xaa", b"\xc5\xbf")


class Candidates:
    """What is on disk for these patterns."""

    def __init__(self, found: Automaton, count: int) -> None:
        self._automaton = found
        self._count = count
        self._always = tuple(sorted(one for one in found.left if 0 <= one < count))
        self._all = tuple(range(count))

    def of(self, lines: Sequence[bytes]) -> list[tuple[int, ...]]:
        """Return for each line, none of which holds a byte 10, what it may fit, ascending."""
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        found: dict[int, set[int]] = {}
        for end, number in self._automaton.ends(b"\n".join(lines) + b"\n"):
            # A match may end with the byte that ends its line.
            found.setdefault(bisect_right(starts, end - 1) - 1, set()).add(number)
        return [self._shown(found[at]) if at in found else self._always for at in range(len(lines))]

    def _shown(self, numbers: set[int]) -> tuple[int, ...]:
        if max(numbers) >= self._count:
            return self._all
        return tuple(sorted(numbers.union(self._always)))


def find(patterns: Sequence[str]) -> Candidates | None:
    """Return what an earlier process kept for these patterns, or None."""
    kept = automaton.find(_key(patterns))
    return None if kept is None else Candidates(kept, len(patterns))


def keep(patterns: Sequence[str]) -> None:
    """Make it for the processes that follow; 360 patterns take 8 s."""
    from doctor.rulebook.byte_pattern import NoSupersetError
    from doctor.rulebook.superset import superset

    easier: dict[int, bytes] = {}
    for number, one in enumerate(patterns):
        try:
            easier[number] = superset(one).pattern
        except NoSupersetError:
            continue
    easier |= {len(patterns) + number: one for number, one in enumerate(FOLDING)}
    automaton.build(easier, _key(patterns))


def _key(patterns: Sequence[str]) -> Mapping[int, bytes]:
    numbered = {number: one.encode("utf-8", "replace") for number, one in enumerate(patterns)}
    return {**_KIND, **numbered}
