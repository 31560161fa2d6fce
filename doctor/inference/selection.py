"""Which facts are in which selection of a rule, by join key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from doctor.errors import DoctorError
from doctor.inference.openness import Key, Openness
from doctor.inference.windows import counted
from doctor.model.evidence import Fact, Value
from doctor.model.rule import CountOf, FieldTest, Rule, Select, Selection
from doctor.model.verdict import ClauseState

OpennessOf = Callable[[Select, Sequence[str]], Openness]


@dataclass(frozen=True, slots=True)
class Selected:
    """A selection of a rule with its facts.

    Attributes:
        selection: what was looked for.
        facts: all facts that pass, in order, with or without a join key.
        by_key: those that have every join field as a string, by the values of these fields.
        openness: for which keys a gap leaves it open whether there are (more) facts.
    """

    selection: Selection
    facts: tuple[Fact, ...]
    by_key: Mapping[Key, tuple[Fact, ...]]
    openness: Openness

    def state(self, key: Key | None) -> ClauseState:
        """Return held, open or failed for ``key``; None is a key that no fact has."""
        if key in self.by_key:
            return "held"
        return "open" if self.openness.at(key) else "failed"

    @property
    def known_keys(self) -> frozenset[Key]:
        """All keys that stand differently from a key that no fact has."""
        return self.openness.keys | self.openness.settled | self.by_key.keys()


class FactIndex:
    """Facts by kind and, where a selection asks for it, by the value of one field."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._by_kind: defaultdict[str, list[Fact]] = defaultdict(list)
        self._by_value: dict[tuple[str, str], dict[object, list[Fact]]] = {}
        self.add(facts)

    def add(self, facts: Iterable[Fact]) -> None:
        """Add facts, after those that are there."""
        for fact in facts:
            self._by_kind[fact.kind].append(fact)
        self._by_value.clear()

    def of_kind(self, kind: str) -> Sequence[Fact]:
        """Return the facts of one kind, in order."""
        return self._by_kind.get(kind, ())

    def passing(self, select: Select) -> tuple[Fact, ...]:
        """Return the facts of the selection's kind that pass all its tests, in order."""
        facts = self.of_kind(select.kind)
        if facts and select.tests:
            exact = next((test for test in select.tests if test.operator == "eq"), None)
            if exact is not None:
                facts = self._with_value(select.kind, exact)
        for test in select.tests:
            facts = [fact for fact in facts if passes(test, fact)]
        return tuple(facts)

    def _with_value(self, kind: str, test: FieldTest) -> Sequence[Fact]:
        index = self._by_value.get((kind, test.field))
        if index is None:
            index = self._by_value[kind, test.field] = defaultdict(list)
            for fact in self.of_kind(kind):
                value = fact.fields.get(test.field)
                if not isinstance(value, Mapping):
                    index[type(value), value].append(fact)
        return index.get((type(test.value), test.value), ())


def select(rule: Rule, index: FactIndex, openness_of: OpennessOf) -> dict[str, Selected]:
    """Return every selection of ``rule`` with its facts, by name."""
    done: dict[str, Selected] = {}
    for name in rule.selections:
        _resolve(name, rule, index, openness_of, done)
    return done


def key_of(fact: Fact, join: Sequence[str]) -> Key | None:
    """Return the values of the join fields, or None when one is absent or not a string."""
    values = []
    for name in join:
        value = fact.fields.get(name)
        if not isinstance(value, str):
            return None
        values.append(value)
    return tuple(values)


def passes(test: FieldTest, fact: Fact) -> bool:
    """Tell whether ``fact`` passes ``test``; values of different types are never equal."""
    present = test.field in fact.fields
    if test.operator == "exists":
        return present is test.value
    if not present:
        return False
    value = fact.fields[test.field]
    if test.operator == "eq":
        return _same(value, test.value)
    if test.operator == "in":
        choices = test.value if isinstance(test.value, tuple) else ()
        return any(_same(value, choice) for choice in choices)
    if not (is_number(value) and is_number(test.value)):
        return False
    return value >= test.value if test.operator == "gte" else value < test.value  # type: ignore[operator]


def is_number(value: object) -> bool:
    """Tell whether ``value`` is an int or a float and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(value: Value, other: object) -> bool:
    return type(value) is type(other) and value == other


def _resolve(
    name: str,
    rule: Rule,
    index: FactIndex,
    openness_of: OpennessOf,
    done: dict[str, Selected],
    above: tuple[str, ...] = (),
) -> Selected:
    if name in done:
        return done[name]
    selection = rule.selections.get(name)
    if selection is None or name in above:
        what = "counts itself" if selection else "is not defined"
        raise DoctorError(f"rule {rule.id!r}: selection {name!r} {what}", location=rule.origin)
    if isinstance(selection, CountOf):
        of = _resolve(selection.of, rule, index, openness_of, done, (*above, name))
        facts = counted(selection, of.facts)
        # one possible fact can complete a window of any group, so no key is settled
        openness = Openness(keys=of.openness.keys, everywhere=bool(of.openness))
    else:
        facts = _not_excepted(index.passing(selection), name, rule)
        openness = openness_of(selection, rule.join)
    done[name] = Selected(selection, facts, _by_key(facts, rule.join), openness)
    return done[name]


def _not_excepted(facts: tuple[Fact, ...], name: str, rule: Rule) -> tuple[Fact, ...]:
    """Leave out the facts that a whole row of the rule's exceptions describes."""
    for one in rule.exceptions:
        if one.selection == name and one.values:
            facts = tuple(
                fact
                for fact in facts
                if not any(_is_row(fact, one.fields, row) for row in one.values)
            )
    return facts


def _is_row(fact: Fact, fields: Sequence[str], row: Sequence[object]) -> bool:
    return all(
        name in fact.fields and _same(fact.fields[name], value)
        for name, value in zip(fields, row, strict=True)
    )


def _by_key(facts: tuple[Fact, ...], join: Sequence[str]) -> dict[Key, tuple[Fact, ...]]:
    if not join:
        return {(): facts} if facts else {}
    keyed: defaultdict[Key, list[Fact]] = defaultdict(list)
    for fact in facts:
        key = key_of(fact, join)
        if key is not None:
            keyed[key].append(fact)
    return {key: tuple(own) for key, own in keyed.items()}
