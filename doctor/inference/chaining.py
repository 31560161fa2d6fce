"""Diagnoses as facts: what earlier strata hand to later ones, and what they leave open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from doctor.inference.openness import CLOSED, OPEN, Key, Openness, union
from doctor.inference.selection import key_of, passes
from doctor.inference.strata import DIAGNOSIS
from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import Rule, Select

SOURCE: Final = "rules"
_OWN_FIELDS = frozenset({"rule", "cause", "code"})


def diagnosis(rule: Rule, key: Key) -> Fact:
    """Return the fact that ``rule`` matched for ``key``."""
    joined = dict(zip(rule.join, key, strict=True))
    fields = {**joined, "rule": rule.id, "cause": rule.cause, "code": rule.code}
    return Fact(kind=DIAGNOSIS, fields=fields, source=SOURCE)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A rule of an earlier stratum for which it stays open whether it matches.

    Attributes:
        rule: the rule.
        openness: for which of its own join keys.
    """

    rule: Rule
    openness: Openness


class Horizon:
    """What is not known: the gaps of the evidence, and the rules that stayed open so far."""

    def __init__(self, evidence: Evidence) -> None:
        self._gaps = frozenset(kind for gap in evidence.gaps for kind in gap.kinds)
        self._unsettled: list[Unsettled] = []

    def add(self, unsettled: Unsettled) -> None:
        """Remember a rule whose answer stays open."""
        if unsettled.openness:
            self._unsettled.append(unsettled)

    def of(self, select: Select, join: Sequence[str]) -> Openness:
        """Return for which keys of ``join`` the selection may have a fact that was not seen."""
        if select.kind in self._gaps:
            return OPEN
        if select.kind != DIAGNOSIS:
            return CLOSED
        return union(_seen_from(select, join, one) for one in self._unsettled)

    def behind(self, select: Select) -> tuple[str, ...]:
        """Return the ids of the rules that leave the selection open."""
        return tuple(one.rule.id for one in self._unsettled if _may_pass(select, one.rule))


def _seen_from(select: Select, join: Sequence[str], unsettled: Unsettled) -> Openness:
    rule, openness = unsettled.rule, unsettled.openness
    possible = (diagnosis(rule, key) for key in openness.keys)
    passing = (one for one in possible if all(passes(test, one) for test in select.tests))
    wanted = frozenset(join) - _OWN_FIELDS
    wide = openness.everywhere and wanted <= set(rule.join) and _may_pass(select, rule)
    settled: frozenset[Key] = frozenset()
    if wide and wanted == set(rule.join):
        settled = _keys((diagnosis(rule, key) for key in openness.settled), join)
    return Openness(_keys(passing, join), wide, settled)


def _keys(facts: Iterable[Fact], join: Sequence[str]) -> frozenset[Key]:
    keys = (key_of(fact, join) for fact in facts)
    return frozenset(key for key in keys if key is not None)


def _may_pass(select: Select, rule: Rule) -> bool:
    """Tell whether some diagnosis of ``rule`` could pass; tests on its join fields are left out."""
    own = diagnosis(replace(rule, join=()), ())
    tests = (test for test in select.tests if test.field not in rule.join)
    return all(passes(test, own) for test in tests)
