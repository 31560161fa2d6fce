"""Turns verdicts into diagnoses: one per subject, a cause before its consequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from doctor.model.diagnosis import Consequence, Diagnosis, Subject
from doctor.model.evidence import Fact, Value
from doctor.model.rule import LEVELS, Level, Rule
from doctor.model.verdict import Verdict
from doctor.rulebook import render

_NO_RUN = "run : "  # what several runs share belongs to none
_OBSERVED_ONLY = ("experimental", "deprecated")


def diagnose(rules: Sequence[Rule], verdicts: Iterable[Verdict]) -> tuple[Diagnosis, ...]:
    """Return what the matching rules conclude, causes first, consequences inside them."""
    by_id = {rule.id: rule for rule in rules}
    found = [
        one
        for verdict in verdicts
        if verdict.result == "match"
        for one in _conclusions(by_id[verdict.rule], verdict)
    ]
    found.sort(key=lambda one: (-LEVELS.index(one.level), one.code))
    return _without_explained(found, by_id)


def _conclusions(rule: Rule, verdict: Verdict) -> Iterable[Diagnosis]:
    facts = tuple(fact for many in verdict.facts.values() for fact in many)
    facts = tuple({id(fact): fact for fact in facts if fact.kind != "diagnosis"}.values())
    about = verdict.facts.get(rule.subject, ()) if rule.subject else ()
    count = max((len(many) for many in verdict.facts.values()), default=0)
    if not about:
        yield _conclusion(rule, verdict.key, None, facts, count)
    named = {id(fact) for fact in about}
    rest = tuple(fact for fact in facts if id(fact) not in named)
    for fact in about:
        yield _conclusion(rule, verdict.key, fact, (fact, *rest), count)


def _conclusion(
    rule: Rule, key: tuple[str, ...], about: Fact | None, facts: tuple[Fact, ...], count: int
) -> Diagnosis:
    values: dict[str, Value] = {}
    for fact in reversed(facts):
        values |= fact.fields
    values |= dict(zip(rule.join, key, strict=False))
    values["count"] = count
    level: Level = "info" if rule.status in _OBSERVED_ONLY else rule.level
    return Diagnosis(
        code=rule.code,
        rule=rule.id,
        level=level,
        cause=rule.cause,
        retryable=rule.retryable,
        subject=_subject(about) if about else None,
        message=render(rule.message, values).removeprefix(_NO_RUN),
        hint=render(rule.hint, values),
        join=key,
        facts=facts,
        blast=next((one for fact in facts if isinstance(one := fact.fields.get("blast"), str)), ""),
    )


def _subject(fact: Fact) -> Subject | None:
    fields = fact.fields
    table, column, key = fields.get("table"), fields.get("column"), fields.get("key")
    if not (isinstance(table, str) and isinstance(column, str) and isinstance(key, Mapping)):
        return None
    value, valid = fields.get("value"), fields.get("valid")
    return Subject(
        table,
        column,
        key,
        None if isinstance(value, tuple | Mapping) else value,
        valid if isinstance(valid, tuple) else (),
    )


def _without_explained(
    found: Sequence[Diagnosis], rules: Mapping[str, Rule]
) -> tuple[Diagnosis, ...]:
    """Move each explained diagnosis, and what it explains, into the first that explains it."""
    owner: dict[int, int] = {}
    for number, one in enumerate(found):
        for other, cause in enumerate(found):
            explains = one.rule in rules[cause.rule].explains and one.join == cause.join
            if other != number and explains:
                owner.setdefault(number, other)
    swallowed: dict[int, list[int]] = {}
    for number in range(len(found)):
        if number in owner:
            swallowed.setdefault(_top(number, owner), []).append(number)
    return tuple(
        _with_consequences(one, [found[index] for index in swallowed.get(number, ())])
        for number, one in enumerate(found)
        if number not in owner
    )


def _top(number: int, owner: Mapping[int, int]) -> int:
    seen = set()
    while number in owner and number not in seen:
        seen.add(number)
        number = owner[number]
    return number


def _with_consequences(one: Diagnosis, explained: Sequence[Diagnosis]) -> Diagnosis:
    facts = {id(fact): fact for each in (one, *explained) for fact in each.facts}
    consequences = tuple(
        Consequence(each.code, each.rule, each.cause, each.message) for each in explained
    )
    return replace(one, facts=tuple(facts.values()), consequences=consequences)
