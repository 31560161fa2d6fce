"""Clause mutation: a rule with one clause less, or one threshold flipped, must break a test.

After DeMillo, Lipton and Sayward, "Hints on test data selection" (1978): what no test notices is
either not needed or not tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from doctor.inference.dnf import occurrences
from doctor.inference.examples import failure_of
from doctor.model.rule import (
    And,
    Condition,
    CountOf,
    FieldTest,
    Name,
    Not,
    Operator,
    Or,
    Rule,
    Select,
)

_FOREVER = timedelta(days=3650)
_FLIPPED: Mapping[str, Operator] = {"gte": "lt", "lt": "gte"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule. ``path`` leads to the key in the file that was changed, ``what`` says how."""

    rule: Rule
    path: tuple[str, ...]
    what: str


def surviving(rule: Rule) -> tuple[Mutant, ...]:
    """Return the mutants of a rule for which all of its tests say what they did."""
    return tuple(
        one
        for one in mutants(rule)
        if all(failure_of(one.rule, test) is None for test in rule.tests)
    )


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield the rule with one thing changed: a clause, a test, an operator, a count, a window."""
    for condition, what in _conditions(rule.condition):
        if any(occurrences(condition).values()):
            yield Mutant(replace(rule, condition=condition), ("match", "condition"), what)
    for name, selection in rule.selections.items():
        changed = _selects(selection) if isinstance(selection, Select) else _counts(selection)
        for one, key, what in changed:
            mutated = replace(rule, selections={**rule.selections, name: one})
            yield Mutant(mutated, ("match", name, key), f"{name}: {what}")
    for exception in rule.exceptions:
        left = tuple(each for each in rule.exceptions if each is not exception)
        if exception.values:
            what = f"exception {exception.name} dropped"
            yield Mutant(replace(rule, exceptions=left), ("exceptions", exception.name), what)


def _conditions(one: Condition) -> Iterator[tuple[Condition, str]]:
    """Yield the condition without one of its operands, at every depth."""
    match one:
        case Name():
            return
        case Not(operand):
            for changed, what in _conditions(operand):
                yield Not(changed), what
        case And(operands) | Or(operands):
            for index, operand in enumerate(operands):
                before, after = operands[:index], operands[index + 1 :]
                left = (*before, *after)
                shown = ", ".join(occurrences(operand))
                if left:
                    rest = left[0] if len(left) == 1 else type(one)(left)
                    yield rest, f"the clause of {shown} dropped"
                for changed, what in _conditions(operand):
                    yield type(one)((*before, changed, *after)), what


def _selects(one: Select) -> Iterator[tuple[Select, str, str]]:
    for index, test in enumerate(one.tests):
        before, after = one.tests[:index], one.tests[index + 1 :]
        key = test.field if test.operator == "eq" else f"{test.field}|{test.operator}"
        yield replace(one, tests=(*before, *after)), key, f"{key} dropped"
        for changed, what in _tests(test):
            yield replace(one, tests=(*before, changed, *after)), key, f"{key} {what}"


def _tests(test: FieldTest) -> Iterator[tuple[FieldTest, str]]:
    if test.operator in _FLIPPED:
        operator = _FLIPPED[test.operator]
        yield replace(test, operator=operator), f"flipped to {operator}"
    elif test.operator == "exists":
        yield replace(test, value=not test.value), f"flipped to {str(not test.value).lower()}"


def _counts(one: CountOf) -> Iterator[tuple[CountOf, str, str]]:
    yield replace(one, gte=one.gte + 1), "gte", f"gte {one.gte} raised to {one.gte + 1}"
    if one.gte > 1:
        yield replace(one, gte=one.gte - 1), "gte", f"gte {one.gte} lowered to {one.gte - 1}"
        yield replace(one, within=_FOREVER), "within", "within dropped"
