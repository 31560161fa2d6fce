"""Facts of a log of any length, few enough to think about.

Up to ``EVERY`` facts of a log are all kept. Of a longer one these are, in order: per kind and
fields the first and the last few, and per count that a rule asks for the densest run of facts that
would satisfy it. So a rule that counts within a window matches exactly when it would with all
facts; only the number of facts shown is smaller. What comes after ``GROUPS`` different ones is only
counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from doctor.model.evidence import Fact, Value
from doctor.model.rule import CountOf, FieldTest, Rule, Select, Selection

EVERY = 20_000
GROUPS = 4_000
FAILURE = "http.failure"
_ENDS = 4
_LARGEST_COUNT = 1_000


Passes = Callable[[FieldTest, Fact], bool]


@dataclass(frozen=True, slots=True)
class Count:
    """A count that a rule asks for: ``gte`` facts that pass and agree in ``group_by``."""

    select: Select
    group_by: tuple[str, ...]
    gte: int


# Where and when a fact was seen: its line, event time, order, and the failed calls so far. Tuples,
# since millions are made.
_Moment = tuple[int, datetime | None, float, int]
_Seen = tuple[_Moment, "_Group"]


class KeptFacts:
    """Takes every fact of one log in order and keeps those that matter."""

    def __init__(self, source: str, counts: Sequence[Count], passes: Passes) -> None:
        self._source = source
        self._counts = counts
        self._passes = passes
        self._all: list[_Seen] | None = []
        self._groups: dict[object, _Group] = {}
        self._densest: dict[object, _Densest] = {}
        self.left = 0
        self._failures = 0

    def add(
        self, kind: str, fields: Mapping[str, Value], line: int, at: datetime | None, order: float
    ) -> None:
        """Take the next fact."""
        if kind == FAILURE:
            self._failures += 1
        key = (kind, *fields.items()) if fields else kind
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS:
                self.left += 1
                return
            group = self._groups[key] = self._new_group(kind, fields)
        moment = (line, at, order, self._failures)
        group.add(moment)
        if self._all is not None:
            self._all.append((moment, group))
            if len(self._all) > EVERY:
                self._all = None

    def facts(self) -> tuple[Fact, ...]:
        """Return the facts that are kept, in order, each with the failed calls after it."""
        kept = self._all
        if kept is None:
            found = {id(one[0]): one for group in self._groups.values() for one in group.kept()}
            found |= {id(one[0]): one for each in self._densest.values() for one in each.kept}
            kept = sorted(found.values(), key=lambda one: one[0][0])
        return tuple(self._fact(*one) for one in kept)

    def _fact(self, moment: _Moment, group: _Group) -> Fact:
        line, at, order, failures = moment
        fields = group.fields
        if group.kind != FAILURE:
            fields = {**fields, "failures_after": self._failures - failures}
        return Fact(group.kind, fields, self._source, at, line, order)

    def _new_group(self, kind: str, fields: Mapping[str, Value]) -> _Group:
        fact = Fact(kind, fields, self._source)
        found = []
        for number, one in enumerate(self._counts):
            if kind == one.select.kind and all(
                self._passes(test, fact) for test in one.select.tests
            ):
                key = (number, *(fields.get(name) for name in one.group_by))
                found.append(self._densest.setdefault(key, _Densest(one.gte)))
        return _Group(kind, fields, tuple(found))


class _Group:
    """Facts that are equal but for where and when: the first few, the last few."""

    __slots__ = ("_densest", "_first", "_last", "fields", "kind")

    def __init__(
        self, kind: str, fields: Mapping[str, Value], densest: tuple[_Densest, ...]
    ) -> None:
        self.kind = kind
        self.fields = fields
        self._densest = densest
        self._first: list[_Moment] = []
        self._last: deque[_Moment] = deque(maxlen=_ENDS)

    def add(self, moment: _Moment) -> None:
        if len(self._first) < _ENDS:
            self._first.append(moment)
        else:
            self._last.append(moment)
        for one in self._densest:
            one.add((moment, self))

    def kept(self) -> Iterator[_Seen]:
        return ((moment, self) for moment in (*self._first, *self._last))


class _Densest:
    """The ``gte`` facts that follow each other most closely."""

    __slots__ = ("_recent", "_size", "_span", "kept")

    def __init__(self, gte: int) -> None:
        self._recent: deque[_Seen] = deque(maxlen=gte)
        self._size = gte
        self._span = float("inf")
        self.kept: tuple[_Seen, ...] = ()

    def add(self, seen: _Seen) -> None:
        recent = self._recent
        recent.append(seen)
        if len(recent) == self._size:
            span = seen[0][2] - recent[0][0][2]
            if span < self._span:
                self._span, self.kept = span, tuple(recent)


def counts_of(rules: Iterable[Rule]) -> tuple[Count, ...]:
    """Return the different counts over facts that the rules ask for."""
    found: list[Count] = []
    for rule in rules:
        for one in rule.selections.values():
            below: Selection | None = one
            while isinstance(below, CountOf):
                below = rule.selections.get(below.of)
            if isinstance(one, CountOf) and isinstance(below, Select):
                count = Count(below, one.group_by, min(one.gte, _LARGEST_COUNT))
                if count not in found:
                    found.append(count)
    return tuple(found)
