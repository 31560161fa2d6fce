"""How many facts happened close together, in event time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from doctor.model.evidence import Fact, Value
from doctor.model.rule import CountOf

Group = tuple[object, ...]


def group_of(fact: Fact, group_by: Sequence[str]) -> Group:
    """Return what ``fact`` has in the fields ``group_by``, typed: 1 and True are two groups.

    A fact without a field is in the group of None for that field.
    """
    return tuple(_typed(fact.fields.get(name)) for name in group_by)


def busiest(facts: Iterable[Fact], within: timedelta) -> int:
    """Return the most facts of one source in any window of length ``within``, ends included.

    Clocks of different sources are not comparable, so windows are measured within each source on
    ``Fact.order``, and the result is the highest of the sources: one failure that stands in two
    logs counts once.
    """
    orders: defaultdict[str, list[float]] = defaultdict(list)
    for fact in facts:
        orders[fact.source].append(fact.order)
    seconds = within.total_seconds()
    return max((_widest(sorted(one), seconds) for one in orders.values()), default=0)


def counted(count: CountOf, facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the facts of all groups with at least ``count.gte`` facts in one window, in order."""
    facts = tuple(facts)
    groups = grouped(facts, count.group_by)
    held = {name for name, own in groups.items() if busiest(own, count.within) >= count.gte}
    if len(held) == len(groups):
        return facts
    return tuple(fact for fact in facts if group_of(fact, count.group_by) in held)


def grouped(facts: Iterable[Fact], group_by: Sequence[str]) -> dict[Group, list[Fact]]:
    """Return the facts by group, in order."""
    groups: defaultdict[Group, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[group_of(fact, group_by)].append(fact)
    return dict(groups)


def _widest(orders: Sequence[float], seconds: float) -> int:
    best = start = 0
    for end, order in enumerate(orders):
        while order - orders[start] > seconds:
            start += 1
        best = max(best, end - start + 1)
    return best


def _typed(value: Value) -> object:
    if isinstance(value, Mapping):
        items = ((name, type(one).__name__, one) for name, one in value.items())
        return ("map", tuple(sorted(items, key=lambda item: item[0])))
    return (type(value).__name__, value)
