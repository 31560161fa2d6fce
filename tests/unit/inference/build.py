"""Short forms for rules, facts and gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doctor.inference.chaining import Horizon
from doctor.inference.port import Job
from doctor.inference.selection import FactIndex, select
from doctor.model.evidence import Evidence, Fact, Gap
from doctor.model.rule import (
    And,
    Condition,
    Explanation,
    FieldTest,
    Limits,
    Name,
    Not,
    Or,
    Rule,
    Select,
    Selection,
)

Term = Condition | str


def term(one: Term) -> Condition:
    return Name(one) if isinstance(one, str) else one


def both(*operands: Term) -> And:
    return And(tuple(map(term, operands)))


def either(*operands: Term) -> Or:
    return Or(tuple(map(term, operands)))


def no(operand: Term) -> Not:
    return Not(term(operand))


def sel(name: str, kind: str, **tests: Any) -> Select:
    """``status__gte=500`` is the test ``status|gte: 500``."""
    found = []
    for key, value in tests.items():
        field, _, operator = key.partition("__")
        found.append(FieldTest(field, operator or "eq", value))  # type: ignore[arg-type]
    return Select(name, kind, tuple(found))


def rule(
    rule_id: str,
    *selections: Selection,
    when: Term | None = None,
    join: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    cause: str | None = None,
) -> Rule:
    return Rule(
        id=rule_id,
        code=rule_id.upper(),
        revision=1,
        title=rule_id,
        status="stable",
        level="high",
        owner="nobody",
        retryable="unknown",
        needs=needs,
        selections={one.name: one for one in selections},
        condition=both(*(one.name for one in selections)) if when is None else term(when),
        join=join,
        explains=(),
        confirm=None,
        cause=cause or f"cause-{rule_id}",
        subject=None,
        message="",
        hint="",
        remedies=(),
        limits=Limits(),
        explanation=Explanation("", ""),
        tests=(),
        origin=f"rules/{rule_id}.yaml:1",
    )


def fact(kind: str, source: str = "database", order: float = 0.0, **fields: Any) -> Fact:
    return Fact(kind, fields, source, order=order)


def seen(*facts: Fact, gaps: Iterable[Gap] = ()) -> Evidence:
    return Evidence(facts, tuple(gaps))


def gap(*kinds: str) -> Gap:
    return Gap("tables", "the database is locked", kinds)


def job(rules: Iterable[Rule], evidence: Evidence) -> Job:
    rules = tuple(rules)
    index, horizon = FactIndex(evidence.facts), Horizon(evidence)
    return Job(rules, {one.id: select(one, index, horizon.of) for one in rules})
