from __future__ import annotations

from typing import Any

import pytest

from doctor.errors import RuleError
from doctor.inference import find_cycle, stratify
from doctor.inference.strata import dependencies
from doctor.model.rule import Rule
from tests.unit.inference.build import rule, sel


def looking(rule_id: str, caused: str | None = None, **tests: Any) -> Rule:
    return rule(rule_id, sel("s", "diagnosis", **tests), cause=caused)


def ids(rules: list[Rule]) -> list[list[str]]:
    return [[one.id for one in stratum] for stratum in stratify(rules)]


PLAIN = rule("plain", sel("s", "k"), cause="drift")


def test_a_rule_comes_after_those_whose_diagnoses_it_looks_at() -> None:
    top = looking("top", rule__in=("middle", "nothing"))
    middle = looking("middle", "drift")
    assert ids([top, PLAIN, looking("middle", rule="plain")]) == [["plain"], ["middle"], ["top"]]
    assert dependencies([top, PLAIN, middle])["top"] == ("middle",)
    assert ids([]) == []


@pytest.mark.parametrize(
    ("tests", "needed"),
    [
        ({"cause": "drift"}, ("other", "plain")),
        ({"rule": "plain"}, ("plain",)),
        ({"code": "PLAIN"}, ("plain",)),
        ({"cause": "drift", "rule__in": ("plain", "x")}, ("plain",)),
        ({"cause": "nobody's"}, ()),
        ({"run": "r1"}, ("other", "plain")),
        ({"rule__exists": True}, ("other", "plain")),
    ],
)
def test_the_tests_of_a_selection_name_what_it_depends_on(
    tests: dict[str, Any], needed: tuple[str, ...]
) -> None:
    other = rule("other", sel("s", "k"), cause="drift")
    assert dependencies([looking("x", **tests), PLAIN, other])["x"] == needed


def test_a_circle_is_named() -> None:
    rules = [PLAIN, looking("a", rule="b"), looking("b", rule="c"), looking("c", rule="b")]
    assert find_cycle(rules) == ("b", "c", "b")
    with pytest.raises(RuleError, match="in a circle: b -> c -> b") as caught:
        stratify(rules)
    assert caught.value.location == "rules/b.yaml:1"


def test_a_rule_that_looks_at_its_own_cause_is_a_circle() -> None:
    assert find_cycle([rule("a", sel("s", "diagnosis", cause="drift"), cause="drift")]) == (
        "a",
        "a",
    )


def test_a_long_chain_and_a_shared_dependency_are_no_circle() -> None:
    chain = [looking(f"r{at}", rule=f"r{at + 1}") for at in range(3000)]
    assert find_cycle(chain) is None
    diamond = [looking("t", rule__in=("l", "r")), looking("l", rule="plain"), PLAIN]
    assert find_cycle([*diamond, looking("r", rule="plain")]) is None
