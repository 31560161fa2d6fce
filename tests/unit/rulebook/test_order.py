"""The order of rules, files and facts changes no verdict; the order of packs no rule."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.inference import ReferenceEngine, infer
from doctor.model.evidence import Evidence
from doctor.rulebook import RuleSource, load_rulebook, read_source
from tests.support.paths import REPOSITORY

PACK = read_source("builtin", REPOSITORY / "rules" / "doctor_rules", builtin=True)
RULES = load_rulebook([PACK]).rulebook.rules
FACTS = tuple(fact for rule in RULES for test in rule.tests for fact in test.facts)


def said(rules, evidence):
    inference = infer(rules, evidence, ReferenceEngine())
    return {(one.rule, one.result, one.key) for one in inference.verdicts}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_files_rules_and_facts_in_any_order_give_the_same_verdicts(choice, order):
    facts = random.Random(choice).sample(FACTS, min(30, len(FACTS)))
    before = said(RULES, Evidence(tuple(facts)))
    rng = random.Random(order)
    files, mixed = list(PACK.files), list(facts)
    rng.shuffle(files)
    rng.shuffle(mixed)
    cut = rng.randrange(len(files) + 1)
    halves = [RuleSource("a", tuple(files[:cut]), True), RuleSource("b", tuple(files[cut:]), True)]
    rules = list(load_rulebook(halves).rulebook.rules)
    rng.shuffle(rules)
    assert said(rules, Evidence(tuple(mixed))) == before
