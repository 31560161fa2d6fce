"""Three opinions on random rules: the naive oracle, the reference engine, the durable engine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.inference import DurableEngine, Inference, ReferenceEngine, infer_many
from doctor.inference.compile import Compile, Pattern, Program, compile_rules
from doctor.inference.port import Selections
from doctor.inference.selection import Selected
from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import CountOf, Rule
from doctor.rulebook.sources import uncollected
from tests.support.soak import sized
from tests.unit.inference import oracle
from tests.unit.inference.build import both, fact, rule, seen, sel
from tests.unit.inference.differential import Case, case, traits

pytestmark = pytest.mark.durable

BATCH = 500
SETS = sized(20_000, 100_000)
EXERCISED = {"join", "negation", "second stratum", "kind wanted and refused"}


def said(inference: Inference) -> set[oracle.Said]:
    return {(one.rule, one.result, one.key) for one in inference.verdicts}


def differences(
    seeds: Sequence[int], cases: Sequence[Case], engine: DurableEngine
) -> Iterator[str]:
    """Compare all three on the cases of ``seeds``."""
    durable, reference = infer_many(cases, engine), infer_many(cases, ReferenceEngine())
    for seed, (rules, evidence), one, other in zip(seeds, cases, durable, reference, strict=True):
        expected = oracle.verdicts(rules, evidence)
        if said(other) != expected:
            yield f"seed {seed}: reference and oracle: {sorted(said(other) ^ expected)}"
        if said(one) != expected or not one.agreed:
            yield f"seed {seed}: durable and oracle: {sorted(said(one) ^ expected)} {one.note}"


def compare(seeds: range) -> Counter[str]:
    """Return how many rule sets show each trait, and how many clauses the engine decided."""
    mix: Counter[str] = Counter()

    def noted(rules: Sequence[Rule], selections: Selections) -> Program:
        program = compile_rules(rules, selections)
        for patterns in (own for one in program.rulesets for own in one.rules.values()):
            absent = sum(name.endswith("$not") for one in patterns for name in one)
            mix["clauses: joined"] += len(patterns) - absent > 1
            mix["clauses: refusing"] += absent > 0
            mix["clauses: all"] += 1
        return program

    for start in range(seeds.start, seeds.stop, BATCH):
        batch = range(start, min(start + BATCH, seeds.stop))
        cases = [case(seed) for seed in batch]
        with uncollected(), DurableEngine(seconds=60, compile_=noted) as engine:
            assert list(differences(batch, cases, engine)) == []
        for rules, _ in cases:
            mix.update(traits(rules))
    return mix


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(300), id="300"),
        pytest.param(range(1_000, 1_000 + SETS), id=str(SETS), marks=pytest.mark.slow),
    ],
)
def test_both_engines_and_the_oracle_agree(seeds: range, figure: Callable[[object], None]) -> None:
    mix = compare(seeds)
    text = ", ".join(f"{name} {mix[name]}" for name in sorted(mix))
    figure(f"{len(seeds)} rule sets, 0 differences; {text}")
    assert all(mix[name] >= 0.3 * len(seeds) for name in EXERCISED)
    assert all(mix[name] >= 0.3 * len(seeds) for name in ("clauses: joined", "clauses: refusing"))


# seeded faults: each must show


def join_dropped(rules: Sequence[Rule], selections: Selections) -> Program:
    def loose(pattern: Pattern) -> Pattern:
        return {name: _label(test) for name, test in pattern.items()}

    return _rewritten(compile_rules(rules, selections), lambda own: tuple(map(loose, own)))


def not_ignored(rules: Sequence[Rule], selections: Selections) -> Program:
    def without(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
        return tuple(one for one in patterns if not any(name.endswith("$not") for name in one))

    found = compile_rules(rules, selections)
    kept = [
        replace(one, facts=tuple(own for own in one.facts if not own["l"].startswith("n")))
        for one in found.rulesets
    ]
    return _rewritten(replace(found, rulesets=tuple(kept)), without)


def gt_for_gte(rules: Sequence[Rule], selections: Selections) -> Program:
    return compile_rules(rules, _kept(selections, _exceeds))


def stratum_skipped(rules: Sequence[Rule], selections: Selections) -> Program:
    return compile_rules(rules, _kept(selections, lambda _, fact: fact.kind != "diagnosis"))


FAULTS = (join_dropped, not_ignored, gt_for_gte, stratum_skipped)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_found_within_500_cases(fault: Compile) -> None:
    def found() -> bool:
        for start in range(0, 500, 25):
            batch = range(start, start + 25)
            cases = [case(seed) for seed in batch]
            with DurableEngine(seconds=60, compile_=fault) as engine:
                if any("durable" in one for one in differences(batch, cases, engine)):
                    return True
        return False

    assert found()


def _label(test: Any) -> Any:
    return test["$and"][0] if "$and" in test else test


def _rewritten(
    program: Program, patterns: Callable[[tuple[Pattern, ...]], tuple[Pattern, ...]]
) -> Program:
    rulesets = (
        replace(one, rules={name: patterns(own) for name, own in one.rules.items()})
        for one in program.rulesets
    )
    return replace(program, rulesets=tuple(rulesets))


def _kept(selections: Selections, keep: Callable[[Selected, Fact], bool]) -> Selections:
    return {
        rule_id: {
            name: replace(
                own,
                by_key={
                    key: left
                    for key, facts in own.by_key.items()
                    if (left := tuple(one for one in facts if keep(own, one)))
                },
            )
            for name, own in selected.items()
        }
        for rule_id, selected in selections.items()
    }


def _exceeds(own: Selected, fact: Fact) -> bool:
    if isinstance(own.selection, CountOf):
        return len(own.facts) > own.selection.gte
    bounds = [test for test in own.selection.tests if test.operator == "gte"]
    return not any(fact.fields[test.field] == test.value for test in bounds)


# order is of no importance


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_order_of_rules_and_facts_does_not_change_a_verdict(seed: int, order: int) -> None:
    rules, evidence = case(seed)
    assert said(_alone(rules, evidence)) == said(_alone(*_shuffled((rules, evidence), order)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_nor_does_it_in_the_durable_engine(seed: int, order: int) -> None:
    cases = [case(seed), _shuffled(case(seed), order), _shuffled(case(seed), order + 1)]
    found = infer_many(cases, DurableEngine(seconds=30))
    assert len({frozenset(said(one)) for one in found}) == 1
    assert all(one.agreed for one in found)


def _alone(rules: Sequence[Rule], evidence: Evidence) -> Inference:
    return infer_many([(rules, evidence)], ReferenceEngine())[0]


def _shuffled(one: Case, seed: int) -> Case:
    rng, (rules, evidence) = random.Random(seed), one
    mixed, facts = list(rules), list(evidence.facts)
    rng.shuffle(mixed)
    rng.shuffle(facts)
    return tuple(mixed), replace(evidence, facts=tuple(facts))


# the oracle itself


def test_the_oracle_says_what_a_reader_of_the_semantics_expects() -> None:
    first = rule("first", sel("a", "a"), join=("run",))
    other = rule(
        "other", sel("b", "b"), sel("d", "diagnosis", rule="first"), when=both("b"), join=("run",)
    )
    facts = [fact("a", run="r1"), fact("b", run="r2"), fact("b", run=3)]
    assert oracle.verdicts([first, other], seen(*facts)) == {
        ("first", "match", ("r1",)),
        ("other", "match", ("r2",)),
    }
