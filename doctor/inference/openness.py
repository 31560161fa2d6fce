"""For which join keys it stays open whether a selection has a fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Openness:
    """Where evidence is missing.

    Attributes:
        keys: keys for which a fact is possible.
        everywhere: a fact is possible for every other key too,
        settled: except for these.
    """

    keys: frozenset[Key] = frozenset()
    everywhere: bool = False
    settled: frozenset[Key] = frozenset()

    def at(self, key: Key | None) -> bool:
        """Tell whether a fact for ``key`` is possible; None is a key that no fact has."""
        return key in self.keys or (self.everywhere and key not in self.settled)

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.keys)


CLOSED: Final = Openness()
OPEN: Final = Openness(everywhere=True)


def union(parts: Iterable[Openness]) -> Openness:
    """Return the openness of a selection whose facts may come from any of ``parts``."""
    present = [part for part in parts if part]
    wide = [part.settled for part in present if part.everywhere]
    return Openness(
        keys=frozenset().union(*(part.keys for part in present)),
        everywhere=bool(wide),
        settled=frozenset.intersection(*wide) if wide else frozenset(),
    )
