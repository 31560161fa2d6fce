from __future__ import annotations

from itertools import combinations

import pytest

from doctor.inference import EngineUnavailable
from doctor.inference import compile as compiling
from doctor.inference.compile import Program, Ruleset, compile_rules
from doctor.model.rule import Rule
from tests.unit.inference.build import both, either, fact, gap, job, no, rule, seen, sel


def program(rules: list[Rule], *facts: tuple[str, str], gaps: tuple[str, ...] = ()) -> Program:
    evidence = seen(*(fact(kind, run=run) for kind, run in facts), gaps=[gap(*gaps)])
    return compile_rules(rules, job(rules, evidence).selections)


def joined(label: str) -> dict[str, object]:
    return {"$and": [{"l": label}, {"k": {"m0": "k"}}]}


def test_a_rule_joins_labels_and_refuses_last() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), sel("c", "c"), sel("d", "d"), join=("run",))
    one = rule("x", *one.selections.values(), when=both(no("c"), "a", "b", no("d")), join=("run",))
    found = program([one], ("a", "r1"), ("a", "r2"), ("b", "r2"), ("c", "r1"), gaps=("c",))
    assert found == Program(
        rulesets=(
            Ruleset(
                rules={"r0": ({"m0": {"l": "p1"}}, {"m1": joined("p0")}, {"n0$not": joined("n2")})},
                facts=(
                    {"id": "f0", "l": "n2", "k": "k0"},
                    {"id": "f1", "l": "n2", "k": "k1"},
                    {"id": "f2", "l": "p0", "k": "k0"},
                    {"id": "f3", "l": "p0", "k": "k1"},
                    {"id": "f4", "l": "p1", "k": "k1"},
                ),
            ),
        ),
        rules={"r0": ("x",)},
        keys={"k0": ("r1",), "k1": ("r2",)},
    )


def test_what_cannot_match_is_left_out() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), when=either("a", both("a", "b"), no("b")))
    assert program([one], ("b", "r1")) == Program((), {}, {})


def test_an_or_is_several_rules_and_equal_labels_are_shared() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), when=either("a", "b"))
    found = program([one], ("a", "r1"), ("b", "r1"))
    assert found.rules == {"r0": ("x",)}
    assert len(found.rulesets[0].facts) == 1


def test_rules_that_ask_the_same_share_a_clause() -> None:
    rules = [rule(f"x{at}", sel("a", "a", run__exists=True)) for at in range(120)]
    found = program(rules, ("a", "r1"))
    assert [len(one.rules) for one in found.rulesets] == [1]
    assert found.rules == {"r0": tuple(f"x{at}" for at in range(120))}


def test_selections_with_the_same_keys_are_one_pattern() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), join=("run",))
    found = program([one], ("a", "r1"), ("b", "r1"))
    assert found.rulesets[0].rules == {"r0": ({"m0": {"l": "p0"}},)}


def test_no_label_is_looked_at_by_more_rules_than_the_engine_takes() -> None:
    pairs = list(combinations([f"b{at}" for at in range(12)], 2))
    rules = [
        rule(f"x{at}", *(sel(name, name) for name in ("a", *pair)), join=("run",))
        for at, pair in enumerate(pairs)
    ]
    facts = [
        ("a", "r"),
        ("a", "r0"),
        *((f"b{at}", run) for at in range(12) for run in ("r", f"s{at}")),
    ]
    sizes = [len(one.rules) for one in program(rules, *facts).rulesets]
    assert sizes == [50, 16]


def test_no_ruleset_has_more_labels_than_are_quick() -> None:
    rules = [rule(f"x{at}", sel("a", "a", run=f"r{at}"), join=("run",)) for at in range(90)]
    found = program(rules, *(("a", f"r{at}") for at in range(90)))
    assert [len(one.facts) for one in found.rulesets] == [40, 40, 10]


def test_more_facts_than_the_engine_may_get_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MAX_FACTS", 2)
    one = rule("x", sel("a", "a"), join=("run",))
    assert program([one], ("a", "r1"), ("a", "r2")).rulesets
    with pytest.raises(EngineUnavailable, match="3 label facts, the durable engine gets 2 at most"):
        program([one], ("a", "r1"), ("a", "r2"), ("a", "r3"))


def test_names_of_keys_and_facts_do_not_collide_in_the_engines_hash() -> None:
    # where two keys hash alike, the engine evaluates a comparison that is false: an over-read
    for letter in "kf":
        hashes = {_fnv1a(f"{letter}{at}") for at in range(compiling.MAX_FACTS)}
        assert len(hashes) == compiling.MAX_FACTS


def _fnv1a(text: str) -> int:
    found = 0x811C9DC5
    for byte in text.encode():
        found = (found ^ byte) * 16777619 & 0xFFFFFFFF
    return found
