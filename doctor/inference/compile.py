"""Rules and selections as rulesets of the durable engine, in the shape that is proven safe.

The engine is memory-unsafe on ordinary rules and facts, so it sees only labels. A label stands
for a set of join keys: ``p...`` for those with a fact in a selection, ``n...`` for those with a
fact or a possible one, to be used under ``not``. Each fact says that one key has one label. A rule
joins labels on equality of the key. Hence: constants and keys are short strings, negated labels
are distinct from positive ones and asserted first, ``not`` stands last, nothing else is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from doctor.inference.dnf import Alternative, alternatives
from doctor.inference.openness import Key
from doctor.inference.port import EngineUnavailable, Selections
from doctor.inference.selection import Selected
from doctor.model.rule import Rule

MAX_FACTS: Final = 100_000
_RULES_IN_SHARD: Final = 100
_RULES_ON_LABEL: Final = 50  # the engine refuses a fact that enters more than 64 patterns
_LABELS_IN_SHARD: Final = 40  # it may be 400, but each fact is compared with every label

Pattern = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One ruleset of the engine and the facts to assert, in order."""

    rules: Mapping[str, tuple[Pattern, ...]]
    facts: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Rulesets, and what their names mean: ``rules`` to rule ids, ``keys`` to join keys.

    Rules that ask the same of the same keys share a clause: the engine decides it once.
    """

    rulesets: tuple[Ruleset, ...]
    rules: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, Key]


Compile = Callable[[Sequence[Rule], Selections], Program]


@dataclass(slots=True)
class _Shard:
    clauses: dict[str, tuple[Pattern, ...]] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)

    def takes(self, labels: Sequence[str]) -> bool:
        return (
            len(self.clauses) < _RULES_IN_SHARD
            and len(self.uses.keys() | labels) <= _LABELS_IN_SHARD
            and all(self.uses.get(label, 0) < _RULES_ON_LABEL for label in labels)
        )

    def add(self, name: str, present: Sequence[str], absent: Sequence[str]) -> None:
        self.clauses[name] = _patterns(present, absent)
        for label in (*present, *absent):
            self.uses[label] = self.uses.get(label, 0) + 1


class _Labels:
    """Short names for sets of keys, the same name for equal sets, and for the keys in them."""

    def __init__(self) -> None:
        self.keys: dict[Key, str] = {}
        self.members: dict[str, frozenset[str]] = {}
        self._names: dict[tuple[str, frozenset[Key]], str] = {}

    def name(self, sign: str, keys: Iterable[Key]) -> str:
        meant = (sign, frozenset(keys))
        label = self._names.get(meant)
        if label is None:
            label = self._names[meant] = f"{sign}{len(self._names)}"
            self.members[label] = frozenset(map(self._key, sorted(meant[1])))
        return label

    def _key(self, key: Key) -> str:
        return self.keys.setdefault(key, f"k{len(self.keys)}")


def compile_rules(rules: Sequence[Rule], selections: Selections) -> Program:
    """Return the program that decides which of ``rules`` match.

    An alternative that wants a selection without any fact is left out: no fact bears its label.

    Raises:
        RuleError: the condition of a rule has too many alternatives.
        EngineUnavailable: there are more facts than the engine may get.
    """
    labels = _Labels()
    meaning: dict[str, list[str]] = {}
    clauses: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    shards = [_Shard()]
    for rule in rules:
        selected = selections[rule.id]
        for one in alternatives(rule.condition, location=rule.origin):
            if not (one.matchable and all(selected[name].by_key for name in one.present)):
                continue
            present, absent = _labels_of(one, selected, labels)
            clause = (tuple(present), tuple(absent))
            name = clauses.get(clause)
            if name is None:
                if not shards[-1].takes((*present, *absent)):
                    shards.append(_Shard())
                name = clauses[clause] = f"r{len(meaning)}"
                shards[-1].add(name, present, absent)
                meaning[name] = []
            if rule.id not in meaning[name][-1:]:
                meaning[name].append(rule.id)
    count = sum(len(labels.members[label]) for shard in shards for label in shard.uses)
    if count > MAX_FACTS:
        raise EngineUnavailable(f"{count} label facts, the durable engine gets {MAX_FACTS} at most")
    rulesets = tuple(
        Ruleset(shard.clauses, _facts(shard.uses, labels)) for shard in shards if shard.clauses
    )
    meant = {name: tuple(ids) for name, ids in meaning.items()}
    return Program(rulesets, meant, {name: key for key, name in labels.keys.items()})


def _labels_of(
    one: Alternative, selected: Mapping[str, Selected], labels: _Labels
) -> tuple[list[str], list[str]]:
    """Return the labels to join, those of few keys first, and the labels to refuse."""
    positive = {labels.name("p", selected[name].by_key) for name in one.present}
    present = sorted(positive, key=lambda label: (len(labels.members[label]), label))
    refused: list[set[Key]] = []
    if one.absent:
        seen = {key for name in one.present for key in selected[name].by_key}
        refused = [_not_failed(selected[name], seen) for name in one.absent]
    return present, sorted({labels.name("n", keys) for keys in refused if keys})


def _not_failed(selected: Selected, seen: set[Key]) -> set[Key]:
    if not selected.openness:
        return seen & selected.by_key.keys()
    return {key for key in seen if selected.state(key) != "failed"}


def _patterns(present: Sequence[str], absent: Sequence[str]) -> tuple[Pattern, ...]:
    first, *others = present
    same_key = {"k": {"m0": "k"}}
    return (
        {"m0": {"l": first}},
        *({f"m{at}": {"$and": [{"l": one}, same_key]}} for at, one in enumerate(others, 1)),
        *({f"n{at}$not": {"$and": [{"l": one}, same_key]}} for at, one in enumerate(absent)),
    )


def _facts(uses: Iterable[str], labels: _Labels) -> tuple[Mapping[str, str], ...]:
    # "n..." sorts before "p...": what forbids a match is there before what makes one
    pairs = ((label, key) for label in sorted(uses) for key in sorted(labels.members[label]))
    return tuple({"id": f"f{at}", "l": label, "k": key} for at, (label, key) in enumerate(pairs))
