"""Why a rule's condition stands as it does: what ``doctor why`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from doctor.inference.chaining import Horizon
from doctor.inference.dnf import occurrences
from doctor.inference.openness import Key
from doctor.inference.selection import FactIndex, Selected, is_number, passes
from doctor.inference.windows import busiest, grouped
from doctor.model.evidence import Evidence, Fact, Gap
from doctor.model.rule import CountOf, FieldTest, Rule, Select
from doctor.model.verdict import Clause

_LOOKED_AT: Final = 20  # facts among which the nearest miss is searched
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


class Explainer:
    """Puts into words how the selections of a rule stand."""

    def __init__(self, evidence: Evidence, index: FactIndex, horizon: Horizon) -> None:
        self._gaps = evidence.gaps
        self._index = index
        self._horizon = horizon

    def clauses(
        self, rule: Rule, selected: Mapping[str, Selected], key: Key | None
    ) -> tuple[Clause, ...]:
        """Return every selection of the condition with its state for ``key``, in order."""
        return tuple(
            Clause(name, selected[name].state(key), self._detail(rule, selected, name, key))
            for name in occurrences(rule.condition)
        )

    def missing(self, kinds: Iterable[str]) -> str | None:
        """Return which of ``kinds`` a gap leaves open, and why; None: none of them."""
        for kind in kinds:
            gap = self._gap(kind)
            if gap is not None:
                return _gap_text(kind, gap)
        return None

    def _detail(
        self, rule: Rule, selected: Mapping[str, Selected], name: str, key: Key | None
    ) -> str:
        own = selected[name]
        state = own.state(key)
        if state == "held":
            return _held(own, key)
        if state == "open":
            return self._open(own, selected)
        if own.facts:
            return f"{_facts(own.facts)} pass, none {_key_text(own, rule.join, key)}"
        if isinstance(own.selection, CountOf):
            return _too_few(own.selection, selected[own.selection.of].facts)
        return _nearest_miss(own.selection, self._index.of_kind(own.selection.kind))

    def _open(self, own: Selected, selected: Mapping[str, Selected]) -> str:
        selection = own.selection
        while isinstance(selection, CountOf):
            selection = selected[selection.of].selection
        gap = self._gap(selection.kind)
        if gap is not None:
            return _gap_text(selection.kind, gap)
        return f"unknown themselves: {', '.join(map(repr, self._horizon.behind(selection)))}"

    def _gap(self, kind: str) -> Gap | None:
        return next((gap for gap in self._gaps if kind in gap.kinds), None)


def held_reason(clauses: Sequence[Clause], wanted: Mapping[str, bool]) -> str:
    """Return the sentence for a match: what was there."""
    there = (
        f"{one.selection!r}: {one.detail}"
        for one in clauses
        if one.state == "held" and wanted[one.selection]
    )
    return "; ".join(there)


def failed_reason(clauses: Sequence[Clause], wanted: Mapping[str, bool]) -> str:
    """Return the sentence for no match: the first clause that failed, with the nearest miss."""
    for one in clauses:
        if one.state == "failed" and wanted[one.selection]:
            return f"{one.selection!r}: {one.detail}"
        if one.state == "held" and not wanted[one.selection]:
            return f"not {one.selection!r}: {one.detail}"
    return "the condition wants no selection to be there"


def open_reason(clauses: Sequence[Clause]) -> str | None:
    """Return the sentence for unknown: the first clause that lacks evidence, or None."""
    return next(
        (f"{one.selection!r}: {one.detail}" for one in clauses if one.state == "open"), None
    )


def _gap_text(kind: str, gap: Gap) -> str:
    return f"no evidence of kind {kind}: probe {gap.probe!r}: {gap.reason}"


def _held(own: Selected, key: Key | None) -> str:
    facts = _facts(own.by_key[key or ()])
    if isinstance(own.selection, CountOf):
        return f"{facts} of {own.selection.of!r}, {_threshold(own.selection)}"
    return f"{facts} of kind {own.selection.kind}"


def _too_few(count: CountOf, facts: Sequence[Fact]) -> str:
    best = max(
        (busiest(own, count.within) for own in grouped(facts, count.group_by).values()), default=0
    )
    return f"{_facts(facts)} of {count.of!r}, {best} at most together, not {_threshold(count)}"


def _threshold(count: CountOf) -> str:
    by = f" by {', '.join(count.group_by)}" if count.group_by else ""
    return f"{count.gte} or more within {_duration(count.within)}{by}"


def _nearest_miss(select: Select, facts: Sequence[Fact]) -> str:
    if not facts:
        return f"no fact of kind {select.kind}"
    if any(all(passes(test, fact) for test in select.tests) for fact in facts):
        return f"{_facts(facts)} of kind {select.kind}, none that is no exception"
    test, nearest = min(
        (_first_miss(select.tests, fact) for fact in facts[:_LOOKED_AT]), key=lambda one: one[0]
    )[1:]
    value = repr(nearest.fields[test.field]) if test.field in nearest.fields else "not there"
    return f"{_facts(facts)} of kind {select.kind}, none passes {_test(test)} (nearest: {value})"


def _first_miss(
    tests: Sequence[FieldTest], fact: Fact
) -> tuple[tuple[int, float], FieldTest, Fact]:
    failed = [test for test in tests if not passes(test, fact)]
    value, bound = fact.fields.get(failed[0].field), failed[0].value
    distance = float("inf")
    if is_number(value) and is_number(bound):
        distance = abs(value - bound)  # type: ignore[operator]
    return (len(failed), distance), failed[0], fact


def _test(test: FieldTest) -> str:
    if test.operator == "eq":
        return f"{test.field} {test.value!r}"
    return f"{test.field}|{test.operator} {test.value!r}"


def _key_text(own: Selected, join: Sequence[str], key: Key | None) -> str:
    if key is not None:
        pairs = zip(join, key, strict=True)
        return f"with {', '.join(f'{name} {value!r}' for name, value in pairs)}"
    return f"{'for another' if own.by_key else 'with text in'} {', '.join(join)}"


def _facts(facts: Sequence[Fact]) -> str:
    return "1 fact" if len(facts) == 1 else f"{len(facts)} facts"


def _duration(within: timedelta) -> str:
    seconds = within.total_seconds()
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
