"""From a write back to what was seen: the probe that justifies it, the logs that tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from doctor.model.change import Change, Seen
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Fact

MOST_TOLD = 20
_TOLD = ("log:", "report:")


def evidence_of(causes: Sequence[tuple[Change, Diagnosis]]) -> tuple[Seen, ...]:
    """Return what was seen behind changes: what justifies each, then what logs and reports tell."""
    justifying = [
        Seen(fact.kind, fact.source, number, at=fact.at)
        for number, (change, one) in enumerate(causes)
        for fact in one.facts
        if justifies(fact, change)
    ]
    facts = (fact for _, one in causes for fact in one.facts)
    return (*dict.fromkeys(justifying), *list(_told(facts))[:MOST_TOLD])


def is_structural(fact: Fact) -> bool:
    """Tell whether a probe saw it in the system itself; a log and a report only tell of it."""
    return fact.line is None and not fact.source.startswith(_TOLD)


def justifies(fact: Fact, change: Change) -> bool:
    """Tell whether a fact was seen by a probe in exactly a cell that a change sets."""
    fields = fact.fields
    column = fields.get("column")
    return (
        is_structural(fact)
        and fields.get("table") == change.table
        and isinstance(column, str)
        and column in change.to
        and _same(fields.get("key"), dict(change.key))
        and _same(fields.get("value"), change.expected.get(column))
    )


def _same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return type(one) is type(other) and one == other


def _told(facts: Iterable[Fact]) -> Iterator[Seen]:
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if not is_structural(fact):
            groups.setdefault((fact.kind, fact.source), []).append(fact)
    for (kind, source), many in groups.items():
        first = min(many, key=lambda one: one.line or 0)
        yield Seen(kind, source, None, first.line, first.at, len(set(map(id, many))))
