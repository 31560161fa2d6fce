"""The semantics of rules, written down naively: all keys, all facts, nothing shared."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import And, Condition, CountOf, FieldTest, Name, Not, Rule, Select

Key = tuple[str, ...]
Said = tuple[str, str, Key]

UNSEEN = "no fact has this value"
ORDER = {"failed": 0, "open": 1, "held": 2}
OPPOSITE = {"failed": "held", "open": "open", "held": "failed"}


def verdicts(rules: Sequence[Rule], evidence: Evidence) -> set[Said]:
    """Say (rule, result, key) for every rule; ``rules`` look only at diagnoses of earlier ones."""
    world = World(rules, evidence)
    return {said for one in rules for said in world.says(one)}


class World:
    def __init__(self, rules: Sequence[Rule], evidence: Evidence) -> None:
        self.rules = list(rules)
        self.evidence = evidence
        self.gaps = {kind for gap in evidence.gaps for kind in gap.kinds}
        values: dict[str, set[str]] = {}
        for fact in evidence.facts:
            for name, value in fact.fields.items():
                if isinstance(value, str):
                    values.setdefault(name, set()).add(value)
        self.values = values
        self.stands = cache(self._stands)
        self.facts = cache(self._facts)
        self.possible = cache(self._possible)
        self.considered = cache(self._considered)

    def says(self, rule: Rule) -> Iterable[Said]:
        found = [
            (rule.id, {"held": "match", "open": "unknown"}[state], key)
            for key in self.considered(rule.id)
            if (state := self.stands(rule.id, key)) != "failed"
        ]
        if found:
            return found
        unseen = self.stands(rule.id, (UNSEEN,) * len(rule.join))
        return [(rule.id, "unknown" if unseen == "open" else "no_match", ())]

    def universe(self, rule: Rule) -> list[Key]:
        sets = [sorted(self.values.get(name, set()) | {UNSEEN}) for name in rule.join]
        return list(itertools.product(*sets))

    def by_id(self, rule_id: str) -> Rule:
        return next(one for one in self.rules if one.id == rule_id)

    def earlier(self, rule: Rule) -> list[Rule]:
        return self.rules[: self.rules.index(rule)]

    def _stands(self, rule_id: str, key: Key) -> str:
        rule = self.by_id(rule_id)
        best = "failed"
        for clause in clauses(rule.condition, True):
            if not any(positive for _, positive in clause):
                continue
            literals = []
            for name, positive in clause:
                state = self.state(rule, name, key)
                literals.append(state if positive else OPPOSITE[state])
            best = max(best, min(literals, key=ORDER.__getitem__), key=ORDER.__getitem__)
        if best == "failed" and self.gaps & set(rule.needs):
            return "open"
        return best

    def state(self, rule: Rule, name: str, key: Key) -> str:
        if any(key_of(fact, rule) == key for fact in self.facts(rule.id, name)):
            return "held"
        base = rule.selections[name]
        counts = isinstance(base, CountOf)
        while isinstance(base, CountOf):
            name, base = base.of, rule.selections[base.of]
        if base.kind in self.gaps:
            return "open"
        keys = [key_of(one, rule) for one, _ in self.possible(rule.id, name)]
        if key in keys or (counts and any(one is not None for one in keys)):
            return "open"
        return "failed"

    def _facts(self, rule_id: str, name: str) -> list[Fact]:
        rule = self.by_id(rule_id)
        selection = rule.selections[name]
        if isinstance(selection, CountOf):
            return counted(selection, self.facts(rule_id, selection.of))
        facts = list(self.evidence.facts)
        if selection.kind == "diagnosis":
            facts += self.derived(rule, "held", self.universe)
        return [
            fact
            for fact in facts
            if fact.kind == selection.kind and all(ok(test, fact) for test in selection.tests)
        ]

    def _possible(self, rule_id: str, name: str) -> list[tuple[Fact, bool]]:
        """Give the diagnoses that may exist, and whether some fact made one think of them."""
        rule = self.by_id(rule_id)
        selection = rule.selections[name]
        assert isinstance(selection, Select)
        if selection.kind != "diagnosis":
            return []
        near = self.derived(rule, "open", lambda one: self.considered(one.id))
        every = self.derived(rule, "open", self.universe)
        return [
            (fact, fact in near)
            for fact in every
            if fact.kind == selection.kind and all(ok(test, fact) for test in selection.tests)
        ]

    def derived(self, rule: Rule, state: str, keys: Any) -> list[Fact]:
        return [
            Fact(
                "diagnosis",
                {
                    **dict(zip(one.join, key, strict=True)),
                    "rule": one.id,
                    "cause": one.cause,
                    "code": one.code,
                },
                "rules",
            )
            for one in self.earlier(rule)
            for key in keys(one)
            if self.stands(one.id, key) == state
        ]

    def _considered(self, rule_id: str) -> set[Key]:
        rule = self.by_id(rule_id)
        if not rule.join:
            return {()}
        names = {
            n for clause in clauses(rule.condition, True) for n, positive in clause if positive
        }
        keys: set[Key | None] = set()
        for name in names:
            keys |= {key_of(fact, rule) for fact in self.facts(rule_id, name)}
            base = rule.selections[name]
            while isinstance(base, CountOf):
                name, base = base.of, rule.selections[base.of]  # noqa: PLW2901
            if base.kind not in self.gaps:
                keys |= {key_of(one, rule) for one, near in self.possible(rule_id, name) if near}
        return {key for key in keys if key is not None}


def clauses(condition: Condition, wanted: bool) -> list[list[tuple[str, bool]]]:
    if isinstance(condition, Name):
        return [[(condition.selection, wanted)]]
    if isinstance(condition, Not):
        return clauses(condition.operand, not wanted)
    parts = [clauses(one, wanted) for one in condition.operands]
    if isinstance(condition, And) is wanted:
        return [list(itertools.chain(*choice)) for choice in itertools.product(*parts)]
    return list(itertools.chain(*parts))


def key_of(fact: Fact, rule: Rule) -> Key | None:
    values = [fact.fields.get(name) for name in rule.join]
    return None if any(type(one) is not str for one in values) else tuple(map(str, values))


def ok(test: FieldTest, fact: Fact) -> bool:
    missing = object()
    value: Any = fact.fields.get(test.field, missing)
    wanted: Any = test.value
    if test.operator == "exists":
        return (value is not missing) is wanted
    if test.operator == "eq":
        return type(value) is type(wanted) and bool(value == wanted)
    if test.operator == "in":
        return any(type(value) is type(one) and value == one for one in wanted)
    if type(value) not in (int, float):
        return False
    return bool(value >= wanted) if test.operator == "gte" else bool(value < wanted)


def counted(count: CountOf, facts: Sequence[Fact]) -> list[Fact]:
    def group(fact: Fact) -> list[tuple[type, object]]:
        return [(type(fact.fields.get(n)), fact.fields.get(n)) for n in count.group_by]

    def crowd(first: Fact) -> int:
        return sum(
            1
            for one in facts
            if group(one) == group(first)
            and one.source == first.source
            and 0 <= one.order - first.order <= count.within.total_seconds()
        )

    return [
        fact
        for fact in facts
        if any(crowd(one) >= count.gte for one in facts if group(one) == group(fact))
    ]
