"""Random rule sets with evidence, reproducible from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from doctor.inference.dnf import occurrences
from doctor.inference.strata import stratify
from doctor.model.evidence import Evidence, Fact, Gap, Scalar, Value
from doctor.model.rule import (
    And,
    Condition,
    CountOf,
    FieldTest,
    Name,
    Not,
    Or,
    Rule,
    Select,
    Selection,
)
from tests.unit.inference.build import rule

KINDS = ("http.failure", "database.invalid_value", "log.retry", "api.answer")
RUNS = ("r1", "r2", "r3", "r4", "r5")
STEPS = ("build", "test")
JOINS: tuple[tuple[str, ...], ...] = ((), (), ("run",), ("run",), ("run",), ("run", "step"))

Case = tuple[tuple[Rule, ...], Evidence]


def case(seed: int) -> Case:
    """Return rules, each looking only at diagnoses of earlier ones, and evidence."""
    rng = random.Random(seed)
    count = rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30))
    rules: list[Rule] = []
    for at in range(count):
        rules.append(_rule(rng, at, rules, last=at == count - 1))
    return tuple(rules), _evidence(rng)


def traits(rules: Sequence[Rule]) -> set[str]:
    """Say what of the semantics a rule set exercises."""
    found = set()
    positive, negative = Counter[str](), Counter[str]()
    for one in rules:
        for name, wanted in occurrences(one.condition).items():
            selection = one.selections[name]
            while isinstance(selection, CountOf):
                found.add("count")
                selection = one.selections[selection.of]
            (positive if wanted else negative)[selection.kind] += 1
    if any(one.join for one in rules):
        found.add("join")
    if negative:
        found.add("negation")
    if len(stratify(rules)) > 1:
        found.add("second stratum")
    if positive.keys() & negative.keys():
        found.add("kind wanted and refused")
    return found


def _rule(rng: random.Random, at: int, earlier: Sequence[Rule], *, last: bool) -> Rule:
    selections: list[Selection] = []
    for number in range(rng.randint(1, 4)):
        name = f"s{number}"
        roll = rng.random()
        if selections and roll < 0.15:
            selections.append(_count(rng, name, rng.choice(selections).name))
        elif earlier and roll < 0.3:
            selections.append(_diagnosed(rng, name, at, earlier, last=last))
        else:
            selections.append(Select(name, rng.choice(KINDS), _tests(rng)))
    names = [one.name for one in selections]
    when = _plain(rng, names) if rng.random() < 0.5 else _condition(rng, names, depth=3)
    return rule(
        f"rule{at}",
        *selections,
        when=when,
        join=rng.choice(JOINS),
        needs=(rng.choice(KINDS),) if rng.random() < 0.2 else (),
        cause=f"cause{at // 2}",
    )


def _count(rng: random.Random, name: str, of: str) -> CountOf:
    group_by = rng.choice(((), ("run",), ("run", "status")))
    within = timedelta(seconds=rng.choice((0, 5, 20)))
    return CountOf(name, of, group_by, within, rng.randint(1, 3))


def _diagnosed(
    rng: random.Random, name: str, at: int, earlier: Sequence[Rule], *, last: bool
) -> Select:
    if last and rng.random() < 0.1:
        return Select(name, "diagnosis")
    chosen = rng.choice(earlier)
    if at >= 2 and rng.random() < 0.4:
        return Select(
            name, "diagnosis", (FieldTest("cause", "eq", f"cause{rng.randrange(at // 2)}"),)
        )
    if rng.random() < 0.3:
        ids = tuple(one.id for one in rng.sample(list(earlier), min(2, len(earlier))))
        return Select(name, "diagnosis", (FieldTest("rule", "in", ids),))
    if rng.random() < 0.2:
        return Select(name, "diagnosis", (FieldTest("code", "eq", chosen.code),))
    return Select(name, "diagnosis", (FieldTest("rule", "eq", chosen.id),))


def _tests(rng: random.Random) -> tuple[FieldTest, ...]:
    choices: list[FieldTest] = [
        FieldTest("status", "gte", rng.choice((400, 500))),
        FieldTest("status", "lt", rng.choice((404, 500))),
        FieldTest("status", "eq", rng.choice((404, 500, True))),
        FieldTest("status", "in", _some(rng, (404, 500, "500", True))),
        FieldTest("status", "exists", rng.random() < 0.7),
        FieldTest("final", "eq", rng.random() < 0.5),
        FieldTest("run", "in", _some(rng, RUNS)),
    ]
    return tuple(rng.sample(choices, rng.choice((0, 0, 0, 1, 1, 2))))


def _some(rng: random.Random, values: Sequence[Scalar]) -> tuple[Scalar, ...]:
    return tuple(rng.sample(list(values), 2))


def _plain(rng: random.Random, names: Sequence[str]) -> Condition:
    """Want and refuse each selection once, as people write it."""
    return And(tuple(Not(Name(one)) if rng.random() < 0.3 else Name(one) for one in names))


def _condition(rng: random.Random, names: Sequence[str], depth: int) -> Condition:
    roll = rng.random()
    if depth == 0 or roll < 0.35:
        name: Condition = Name(rng.choice(names))
        return Not(name) if rng.random() < 0.2 else name
    if roll < 0.45:
        return Not(_condition(rng, names, depth - 1))
    operands = tuple(_condition(rng, names, depth - 1) for _ in range(rng.randint(1, 3)))
    return And(operands) if rng.random() < 0.65 else Or(operands)


def _evidence(rng: random.Random) -> Evidence:
    facts = tuple(_fact(rng) for _ in range(rng.choice((0, 6, 12, 20, 28))))
    if rng.random() < 0.05:
        given: dict[str, Value] = {"rule": "rule0", "cause": "cause0", "code": "RULE0", "run": "r1"}
        facts += (Fact("diagnosis", given, "yesterday"),)
    kinds = tuple(one for one in KINDS if rng.random() < 0.08)
    if rng.random() < 0.01:
        kinds += ("diagnosis",)
    return Evidence(facts, (Gap("probe", "it could not be read", kinds),) if kinds else ())


def _fact(rng: random.Random) -> Fact:
    fields: dict[str, Value] = {}
    if rng.random() < 0.9:
        fields["run"] = rng.choice(RUNS) if rng.random() < 0.95 else 7
    if rng.random() < 0.8:
        fields["step"] = rng.choice(STEPS)
    if rng.random() < 0.8:
        fields["status"] = rng.choice((200, 404, 500, 500.5, True, "500", None))
    if rng.random() < 0.5:
        fields["final"] = rng.random() < 0.5
    order = float(rng.choice((0, 3, 5, 9, 30)))
    return Fact(rng.choice(KINDS), fields, rng.choice(("database", "a.log")), order=order)
