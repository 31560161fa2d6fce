"""What changes when one set of rules takes the place of another: a gate for rule changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doctor.inference.replay import Case, verdicts
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule

Said = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """A rule that says something else about a case; None: there is no such rule on that side.

    ``before`` and ``after`` are results with their join keys, sorted.
    """

    case: str
    rule: str
    before: Said | None
    after: Said | None


def changed_verdicts(
    before: Sequence[Rule], after: Sequence[Rule], cases: Sequence[Case]
) -> tuple[ChangedVerdict, ...]:
    """Return every verdict that is another one after than before, by case, then by rule.

    A rule that is on one side only is a change where it matches.
    """
    changed = []
    sides = zip(verdicts(before, cases), verdicts(after, cases), strict=True)
    for (name, one), (_, other) in sides:
        for rule in dict.fromkeys((*one, *other)):
            old, new = one.get(rule), other.get(rule)
            is_match = any(result == "match" for result, _ in (*(old or ()), *(new or ())))
            if old != new and (is_match or (old is not None and new is not None)):
                changed.append(ChangedVerdict(name, rule, _said(old), _said(new)))
    return tuple(changed)


def cases_of_tests(*sides: Sequence[Rule]) -> tuple[Case, ...]:
    """Return the examples inside the rules of all sides, each evidence once."""
    cases: dict[str, Case] = {}
    for rules in sides:
        for rule in rules:
            for test in rule.tests:
                evidence = Evidence(test.facts, test.gaps)
                name = f"{rule.id}: {test.name}"
                known = cases.get(name)
                while known is not None and known.evidence != evidence:
                    name += "'"
                    known = cases.get(name)
                cases[name] = Case(name, evidence)
    return tuple(cases.values())


def _said(verdicts: frozenset[tuple[str, tuple[str, ...]]] | None) -> Said | None:
    return None if verdicts is None else tuple(sorted(verdicts))
