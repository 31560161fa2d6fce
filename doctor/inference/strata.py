"""In which order rules are evaluated: a rule comes after those whose diagnoses it looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from doctor.errors import DoctorError, RuleError
from doctor.model.rule import Rule, Select

DIAGNOSIS: Final = "diagnosis"
_NAMING = ("rule", "cause", "code")


def stratify(rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], ...]:
    """Return the rules in strata: each depends only on diagnoses of earlier ones.

    A selection of kind ``diagnosis`` depends on the rules that its tests on ``rule``, ``cause``
    and ``code`` leave, and on all other rules where it has no such test.

    Raises:
        RuleError: rules depend on each other in a circle.
    """
    cycle = find_cycle(rules)
    if cycle:
        by_id = {rule.id: rule for rule in rules}
        path = " -> ".join(cycle)
        problem = DoctorError(
            f"rules look at each other's diagnoses in a circle: {path}",
            hint="let one of them look at facts instead of a diagnosis",
            location=by_id[cycle[0]].origin,
        )
        raise RuleError((problem,))
    needed = dependencies(rules)
    strata: list[tuple[Rule, ...]] = []
    placed: set[str] = set()
    waiting = list(rules)
    while waiting:
        ready = tuple(rule for rule in waiting if placed.issuperset(needed[rule.id]))
        strata.append(ready)
        placed.update(rule.id for rule in ready)
        waiting = [rule for rule in waiting if rule.id not in placed]
    return tuple(strata)


def find_cycle(rules: Sequence[Rule]) -> tuple[str, ...] | None:
    """Return the ids along a circle of dependencies, the first one again at the end, or None."""
    needed = dependencies(rules)
    finished: set[str] = set()
    for start in needed:
        path: list[str] = []
        on_path: set[str] = set()
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            rule, leaving = pending.pop()
            if leaving:
                finished.add(rule)
                on_path.discard(path.pop())
            elif rule in on_path:
                return (*path[path.index(rule) :], rule)
            elif rule not in finished:
                path.append(rule)
                on_path.add(rule)
                pending.append((rule, True))
                pending.extend((one, False) for one in reversed(needed[rule]))
    return None


def dependencies(rules: Sequence[Rule]) -> Mapping[str, tuple[str, ...]]:
    """Return for each rule id the ids of the rules whose diagnoses it looks at, sorted."""
    named: dict[str, defaultdict[object, set[str]]] = {name: defaultdict(set) for name in _NAMING}
    for rule in rules:
        named["rule"][rule.id].add(rule.id)
        named["cause"][rule.cause].add(rule.id)
        named["code"][rule.code].add(rule.id)
    everyone = {rule.id for rule in rules}
    return {rule.id: tuple(sorted(_needed(rule, named, everyone))) for rule in rules}


def _needed(
    rule: Rule, named: Mapping[str, Mapping[object, set[str]]], everyone: set[str]
) -> set[str]:
    needed: set[str] = set()
    for selection in rule.selections.values():
        if not isinstance(selection, Select) or selection.kind != DIAGNOSIS:
            continue
        left = None
        for test in selection.tests:
            if test.field in _NAMING and test.operator in ("eq", "in"):
                values = test.value if isinstance(test.value, tuple) else (test.value,)
                index = named[test.field]
                meant = set().union(*(index.get(value, ()) for value in values))
                left = meant if left is None else left & meant
        needed |= everyone - {rule.id} if left is None else left
    return needed
